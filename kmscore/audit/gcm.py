"""The steps of GCM and of XAES-256-GCM (SPEC sections 5.3 and 5.4)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kmscore.algorithms import Suite
from kmscore.audit.notes import Notes
from kmscore.audit.primitives import BLOCK
from kmscore.audit.records import Secrecy
from kmscore.keys import SymmetricKey

_ZEROS = bytes(BLOCK)


class Cipher(NamedTuple):
    """GCM with one key and one IV, after its first step."""

    block: str
    """The function of the block cipher, `aes` or `sm4`."""

    key: str
    iv: str
    hash_key: str
    first_block: str
    """E(J0)."""

    secrecy: Secrecy
    """The secrecy of the hash key and of E(J0)."""


def set_up(notes: Notes, found: SymmetricKey, iv: str) -> Cipher:
    """Add the steps before the first byte of data; `iv` is the ID of a value."""
    suite = found.suite
    # Under plain GCM, the hash key forges other messages of the key version. E(J0) and each Y give
    # it away: with the tag, they are a polynomial equation for it.
    secrecy = Secrecy.KEY
    title = "Set up GCM", "5.3", "H = E(0^16)\nJ0 = IV ‖ 00000001"
    if suite is Suite.XAES_256_GCM:
        key, iv = _derive(notes, found, iv)
        secrecy = Secrecy.MESSAGE
        notes.step("hash-key", *title)
    else:
        notes.step("hash-key", *title)
        key = _give_material(notes, found)
    block = "sm4" if suite is Suite.SM4_GCM else "aes"
    hash_key = notes.compute("H", "hash key", block, key, _ZEROS, secrecy=secrecy)
    counter = notes.compute("J0", "counter block of the tag", "counter", iv, 1)
    first = notes.compute("E_J0", "mask of the tag", block, key, counter, secrecy=secrecy)
    return Cipher(block, key, iv, hash_key, first, secrecy)


def _give_material(notes: Notes, found: SymmetricKey) -> str:
    """Add the key material; return its ID."""
    source = f"the keyring, version {found.key_version_id} of key {found.key_id}"
    return notes.give("K", "key material", found.export_material(), source, Secrecy.KEY)


def _derive(notes: Notes, found: SymmetricKey, nonce: str) -> tuple[str, str]:
    """Add the derivation of XAES-256-GCM; return the IDs of the derived key and the inner IV."""
    notes.step(
        "derive",
        "Derive the key of this nonce",
        "5.4",
        "L = AES(0^16)\nK1 = L · x\nderived key = AES(M1 ⊕ K1) ‖ AES(M2 ⊕ K1)",
    )
    secret, message = Secrecy.KEY, Secrecy.MESSAGE
    key = _give_material(notes, found)
    block = notes.compute("L", "AES of zeros", "aes", key, _ZEROS, secrecy=secret)
    subkey = notes.compute("K1", "subkey of CMAC", "double", block, secrecy=secret)
    halves = []
    for number in (1, 2):
        prefix = bytes([0, number]) + b"X\x00"
        salt = notes.compute(f"salt{number}", "first half of the nonce", "cut", nonce, 0, 12)
        text = notes.compute(f"M{number}", "input of the derivation", "join", prefix, salt)
        masked = notes.compute(
            f"M{number}_xor_K1", "masked input", "xor", text, subkey, secrecy=secret
        )
        name = f"derived_key_{number}"
        halves.append(
            notes.compute(name, f"half {number} of the key", "aes", key, masked, secrecy=message)
        )
    derived = notes.compute("derived_key", "key of AES-GCM", "join", *halves, secrecy=message)
    return derived, notes.compute("IV", "IV of AES-GCM", "cut", nonce, 12, 24)


def add_tag(notes: Notes, cipher: Cipher, associated_data: str, ciphertext: str) -> str:
    """Add the steps of GHASH and the tag; return the ID of the tag."""
    notes.step(
        "ghash",
        "Hash the associated data and the ciphertext",
        "5.3",
        "Y0 = 0^16\nYi = (Y(i-1) ⊕ Xi) · H\nS = the last Y",
    )
    padded = [
        notes.compute(f"padded_{short}", "whole blocks", "pad", value)
        for short, value in (("A", associated_data), ("C", ciphertext))
    ]
    end = notes.compute("lengths", "both lengths in bits", "lengths", associated_data, ciphertext)
    total: str | bytes = _ZEROS
    blocks = _blocks(notes, (*padded, end))
    for number, (source, start) in enumerate(blocks, 1):
        block = notes.compute(f"X{number}", f"block {number}", "cut", source, start, start + BLOCK)
        total = notes.compute(
            f"Y{number}",
            f"hash up to X{number}",
            "ghash",
            total,
            block,
            cipher.hash_key,
            secrecy=cipher.secrecy,
        )
    total = notes.compute("S", "hash of all blocks", "join", total, secrecy=cipher.secrecy)
    notes.step("tag", "Compute the tag", "5.3", "tag = E(J0) ⊕ S")
    return notes.compute("tag", "computed tag", "xor", cipher.first_block, total)


def _blocks(notes: Notes, sources: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield the ID and the offset of each whole block of some values."""
    for source in sources:
        for start in range(0, len(notes.data(source)), BLOCK):
            yield source, start


def add_key_stream(notes: Notes, cipher: Cipher, length: int) -> str:
    """Add the step of the key stream; return its ID."""
    notes.step(
        "counter",
        "Compute the key stream",
        "5.3",
        "key stream = E(IV ‖ 00000002) ‖ E(IV ‖ 00000003) ‖ …",
    )
    blocks = []
    for number in range(2, 2 + -(-length // BLOCK)):
        counter = notes.compute(
            f"J{number}", f"counter block {number}", "counter", cipher.iv, number
        )
        blocks.append(
            notes.compute(
                f"E_J{number}",
                f"block {number - 1} of the key stream",
                cipher.block,
                cipher.key,
                counter,
                secrecy=Secrecy.PLAINTEXT,
            )
        )
    return notes.compute(
        "key_stream", "key stream", "first", length, *blocks, secrecy=Secrecy.PLAINTEXT
    )

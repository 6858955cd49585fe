"""The steps of RSAES-OAEP decryption (SPEC section 6.2)."""

from typing import Final

from kmscore.algorithms import EncryptionAlgorithm
from kmscore.audit.notes import Notes, Part
from kmscore.audit.primitives import NOWHERE
from kmscore.audit.records import Secrecy
from kmscore.keys import RsaKey

_CODE: Final = "decryption"
_HASHES: Final = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: ("sha256", 32),
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: ("sha1", 20),
}


def decrypt(
    notes: Notes, key: RsaKey, algorithm: EncryptionAlgorithm, raw: bytes, most: int
) -> str:
    """Add the steps of decryption; return the ID of the plaintext.

    The plaintext has at most `most` bytes, the limit of a re-encryption.
    """
    name, h = _HASHES[algorithm]
    numbers = key._private_key.private_numbers()
    public = numbers.public_numbers
    k = public.n.bit_length() // 8
    notes.step("number", "Check the ciphertext as a number", "6.2", "c < n")
    modulus = notes.give("n", "modulus", public.n.to_bytes(k, "big"), "the keyring")
    exponent = notes.give(
        "e",
        "public exponent",
        public.e.to_bytes(-(-public.e.bit_length() // 8), "big"),
        "the keyring",
    )
    notes.check(f"the ciphertext has as many bytes as the modulus, {k}", len(raw) == k, _CODE)
    ciphertext = notes.give("ciphertext", "ciphertext", raw, "the caller")
    notes.check("the ciphertext is less than the modulus", raw < notes.data(modulus), _CODE)
    notes.map(
        "RSA ciphertext", ciphertext, [Part("ciphertext", k, "a number less than the modulus")]
    )

    plain = Secrecy.PLAINTEXT
    notes.step("private", "Apply the private key", "6.2", "EM = c^d mod n\nEM^e mod n = c")
    secret = notes.give(
        "d", "private exponent", numbers.d.to_bytes(k, "big"), "the keyring", Secrecy.KEY
    )
    encoded = notes.compute(
        "EM",
        "encoded message",
        "private_power",
        ciphertext,
        secret,
        exponent,
        modulus,
        secrecy=plain,
    )
    again = notes.compute("c", "EM under the public key", "power", encoded, exponent, modulus)
    is_inverse = notes.data(again) == raw

    notes.step(
        "masks",
        "Remove both masks",
        "6.2",
        "EM = 00 ‖ maskedSeed ‖ maskedDB\nseed = maskedSeed ⊕ MGF1(maskedDB)"
        "\nDB = maskedDB ⊕ MGF1(seed)",
    )
    lead = notes.compute("lead", "first byte of EM", "cut", encoded, 0, 1, secrecy=plain)
    seed_part = notes.compute("maskedSeed", "masked seed", "cut", encoded, 1, 1 + h, secrecy=plain)
    data_part = notes.compute("maskedDB", "masked DB", "cut", encoded, 1 + h, k, secrecy=plain)
    mask = f"mgf1_{name}"
    seed_mask = notes.compute("seedMask", "mask of the seed", mask, data_part, h, secrecy=plain)
    seed = notes.compute("seed", "seed", "xor", seed_part, seed_mask, secrecy=plain)
    data_mask = notes.compute("dbMask", "mask of DB", mask, seed, k - h - 1, secrecy=plain)
    block = notes.compute("DB", "data block", "xor", data_part, data_mask, secrecy=plain)

    notes.step("padding", "Check the padding", "6.2", "EM = 00 ‖ …\nDB = lHash ‖ 00 … 00 ‖ 01 ‖ M")
    expected = notes.compute("lHash", "hash of the empty label", name)
    found = notes.compute("DB_lHash", "start of DB", "cut", block, 0, h, secrecy=plain)
    where = notes.compute("position", "offset of 01 in DB", "position", block, h, secrecy=plain)
    message = notes.compute(
        "M", "plaintext", "after", block, where, secrecy=plain, has_public_length=False
    )
    # One check, as for the caller: a trace that names the part that is wrong decrypts for an
    # attacker who submits ciphertexts (Manger, CRYPTO 2001).
    notes.check(
        "the encoded message is right in all its parts, and the plaintext fits the destination",
        is_inverse
        and notes.data(lead) == b"\x00"
        and notes.data(found) == notes.data(expected)
        and notes.data(where) != NOWHERE
        and len(notes.data(message)) <= most,
        _CODE,
    )
    return message

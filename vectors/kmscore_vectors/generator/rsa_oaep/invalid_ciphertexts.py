"""Ciphertexts of RSAES-OAEP that do not open."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from kmscore_vectors.generator import oaep
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.rsa_oaep.cases import MESSAGE, Maker


class _Change(NamedTuple):
    """One byte of DB that is replaced, and the message around it."""

    flag: str
    comment: str
    offset: int
    value: int
    message: bytes = MESSAGE


def invalid(maker: Maker) -> Iterator[Case]:
    """Yield all invalid tests of one key and one hash."""
    yield from _first_bytes(maker)
    for change in (*_label_hashes(maker), *_paddings(maker), *_separators(maker)):
        yield _changed(maker, change)
    right = maker.valid("Valid", "32 bytes", MESSAGE)
    reject = partial(maker.reject, right)
    for flag, comment, em in (*_other_hashes(maker), *_other_paddings(maker)):
        yield reject(flag, comment, oaep.encrypt_em(maker.key, em))
    yield from _wrong_ciphertexts(maker, right)
    yield from _small_ciphertexts(maker)


def _first_bytes(maker: Maker) -> Iterator[Case]:
    """Yield first bytes of EM other than 00."""
    # A larger one can give an EM that is not below the modulus.
    largest = (maker.key.n >> 8 * (maker.key.length - 1)) - 1
    for first in (1, 2, 0x80, largest):
        comment = f"the first byte is {first:02x}"
        seed = maker.seed(comment)
        right = maker.valid("Valid", comment, MESSAGE, seed)
        em = oaep.pad(maker.hash_name, maker.data_block(MESSAGE), seed, first=first).em
        yield maker.reject(right, "FirstByte", comment, oaep.encrypt_em(maker.key, em))


def _changed(maker: Maker, change: _Change) -> Case:
    """Return a ciphertext whose DB has one wrong byte."""
    flag, comment, offset, value, message = change
    seed = maker.seed(comment)
    right = maker.valid("Valid", comment, message, seed)
    db = bytearray(maker.data_block(message))
    db[offset] = value
    em = oaep.pad(maker.hash_name, bytes(db), seed).em
    return maker.reject(right, flag, comment, oaep.encrypt_em(maker.key, em))


def _label_hashes(maker: Maker) -> Iterator[_Change]:
    """Yield an lHash with one wrong byte."""
    l_hash, last = maker.data_block(MESSAGE), maker.hash_length - 1
    for comment, offset in {
        "first byte": 0,
        "second byte": 1,
        "byte 15": 15,
        "byte 16": 16,
        "last byte but one": last - 1,
        "last byte": last,
    }.items():
        yield _Change("LabelHash", f"{comment} of lHash", offset, l_hash[offset] ^ 1)
    yield _Change("LabelHash", "highest bit of lHash", 0, l_hash[0] ^ 0x80)
    yield _Change("LabelHash", "lowest bit of lHash, empty message", last, l_hash[last] ^ 1, b"")


def _paddings(maker: Maker) -> Iterator[_Change]:
    """Yield a PS with one byte that is not 00."""
    start, separator = maker.hash_length, maker.key.length - maker.hash_length - 34
    for comment, offset, value in (
        ("first byte of PS is 02", start, 2),
        ("first byte of PS is 80", start, 0x80),
        ("first byte of PS is ff", start, 0xFF),
        ("byte of PS at the end of a block of MGF1 is 02", 3 * start - 1, 2),
        ("byte of PS at the beginning of a block of MGF1 is 02", 3 * start, 2),
        ("middle byte of PS is 10", (start + separator) // 2, 0x10),
        ("last byte of PS is 80", separator - 1, 0x80),
        ("last byte of PS is 02", separator - 1, 2),
    ):
        yield _Change("Padding", comment, offset, value)


def _separators(maker: Maker) -> Iterator[_Change]:
    """Yield DB without the 01 before the message."""
    end = maker.key.length - maker.hash_length - 1
    flag, usual = "NoSeparator", end - len(MESSAGE) - 1
    for value in (0x02, 0x03, 0x10, 0x80, 0x81, 0xFF):
        yield _Change(flag, f"{value:02x} in its place", usual, value)
    yield _Change(flag, "00 in its place", end - 17, 0, b"\x02" * 16)
    yield _Change(flag, "zeros to the end", end - 17, 0, bytes(16))
    yield _Change(flag, "empty message, zeros alone", end - 1, 0, b"")
    yield _Change(flag, "empty message, 02", end - 1, 2, b"")
    yield _Change(flag, "00 and then ff", end - 2, 0, b"\xff")
    longest = b"\x02" * maker.room
    yield _Change(flag, "the longest message, 00 in its place", end - maker.room - 1, 0, longest)
    yield _Change(flag, "the longest message, 02 in its place", end - maker.room - 1, 2, longest)


def _other_hashes(maker: Maker) -> Iterator[tuple[str, str, bytes]]:
    """Yield EM made with other hashes or another label."""
    name, seed = maker.hash_name, maker.seed("32 bytes")
    other = "sha1" if name == "sha256" else "sha256"
    db = maker.data_block(MESSAGE)

    def other_for_both(hash_name: str, mgf_hash: str) -> bytes:
        """Return EM with another hash for OAEP, and one for MGF1."""
        long_seed = (seed * 4)[: hashlib.new(hash_name).digest_size]
        other_db = oaep.data_block(hash_name, MESSAGE, maker.key.length)
        return oaep.pad(hash_name, other_db, long_seed, mgf_hash=mgf_hash).em

    yield "OtherHash", f"{other} for MGF1", oaep.pad(name, db, seed, mgf_hash=other).em
    yield "OtherHash", f"{other} for OAEP", other_for_both(other, name)
    for both in (other, "sha224", "sha384", "sha512"):
        yield "OtherHash", f"{both} for both", other_for_both(both, both)
    for comment, label in {"label": b"label", "one 00": b"\x00"}.items():
        labelled = maker.data_block(MESSAGE, label)
        yield "Label", f"the label is {comment}", oaep.pad(name, labelled, seed).em


def _other_paddings(maker: Maker) -> Iterator[tuple[str, str, bytes]]:
    """Yield EM with the padding of PKCS #1 v1.5, or without any."""
    length = maker.key.length
    digits = hashlib.shake_128(b"v1.5").hexdigest(length).replace("0", "f")
    nonzero = bytes.fromhex(digits)[: length - 3 - len(MESSAGE)]
    yield "Pkcs1", "block type 2", b"\x00\x02" + nonzero + b"\x00" + MESSAGE
    ones = b"\xff" * len(nonzero)
    yield "Pkcs1", "block type 1", b"\x00\x01" + ones + b"\x00" + MESSAGE
    yield "NoPadding", "zeros before the message", MESSAGE.rjust(length, b"\x00")
    yield "NoPadding", "zeros after the message", b"\x00" + MESSAGE.ljust(length - 1, b"\x00")
    unmasked = b"\x00" + maker.seed("unmasked") + maker.data_block(MESSAGE)
    yield "NoPadding", "seed and DB without their masks", unmasked


def _wrong_ciphertexts(maker: Maker, right: Case) -> Iterator[Case]:
    """Yield ciphertexts with a wrong length, a wrong or extreme value, or a changed bit."""
    ciphertext = bytes.fromhex(str(right.inputs["ciphertext"]))
    length, n = maker.key.length, maker.key.n
    middle = length // 2
    for flag, comment, data in (
        ("CiphertextLength", "empty", b""),
        ("CiphertextLength", "one byte", ciphertext[:1]),
        ("CiphertextLength", "the last byte is missing", ciphertext[:-1]),
        ("CiphertextLength", "the first byte is missing", ciphertext[1:]),
        ("CiphertextLength", "00 before it", b"\x00" + ciphertext),
        ("CiphertextLength", "00 after it", ciphertext + b"\x00"),
        ("CiphertextLength", "twice", ciphertext * 2),
        ("CiphertextLength", "7,000 bytes", bytes(7000 - length) + ciphertext),
        ("CiphertextRange", "ff throughout", b"\xff" * length),
        ("Modified", "first bit", bytes([ciphertext[0] ^ 0x80]) + ciphertext[1:]),
        (
            "Modified",
            "a bit in the middle",
            ciphertext[:middle] + bytes([ciphertext[middle] ^ 8]) + ciphertext[middle + 1 :],
        ),
        ("Modified", "last bit", ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])),
        ("Modified", "reversed", ciphertext[::-1]),
    ):
        yield maker.reject(right, flag, comment, data)
    numbers = {"0": 0, "1": 1, "2": 2, "n - 1": n - 1, "n": n, "n + 1": n + 1}
    for comment, number in numbers.items():
        data = number.to_bytes(length, "big")
        yield maker.reject(right, "CiphertextRange", comment, data)


def _small_ciphertexts(maker: Maker) -> Iterator[Case]:
    """Yield a ciphertext with a leading zero without it, and with n added."""
    zeros = maker.small_ciphertext()
    short = bytes.fromhex(str(zeros.inputs["ciphertext"]))
    yield maker.reject(zeros, "CiphertextLength", "without its leading 00", short[1:])
    beyond = int.from_bytes(short, "big") + maker.key.n
    data = beyond.to_bytes(maker.key.length, "big")
    yield maker.reject(zeros, "CiphertextRange", "c + n", data)

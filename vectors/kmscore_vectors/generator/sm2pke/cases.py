"""The key and the message of the tests of SM2PKE, and the tests that are made of them."""

from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import ORDER, PRIME, Sm2Parts, multiply
from kmscore_vectors.generator.keys.published import SM2_PUBLIC_POINT, SM2_SCALAR
from kmscore_vectors.generator.keys.sm2_private import POINT_FORM
from kmscore_vectors.generator.model import Case, Fields, Rule, hex_fields
from kmscore_vectors.tables import ErrorCode, Severity

MESSAGE: Final = b"encryption standard"
MOST_PLAINTEXT: Final = 6047
K: Final = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
"""The k of the example in GM/T 0003.5-2012 Annex C."""

ENCODERS: Final = {
    "ASN1_DER": affine.asn1,
    "C1C3C2": affine.c1c3c2,
    "C1C2C3": affine.c1c2c3,
    "C1C3C2_BARE": affine.bare_c1c3c2,
    "C1C2C3_BARE": affine.bare_c1c2c3,
}

LENGTHS: Final = (1, 31, 32, 33, 63, 64, 65, 95, 96, 97, 255, 256, 257, MOST_PLAINTEXT)
"""Lengths at the ends of blocks of the KDF, and the limits."""

PADDING_LENGTHS: Final = (*range(54, 59), *range(118, 123), *range(183, 186))
"""Lengths for which x2, the message and y2 end near the place where SM3's padding needs a block.

They are 64 bytes more: 55 and 56 modulo 64 are the last length without, and the first with, a
further block (GB/T 32905-2016 section 5.2).
"""

EXTREME_K: Final = {
    "1": 1,
    "2": 2,
    "n - 1": ORDER - 1,
    "n - 2": ORDER - 2,
    "2^255": 1 << 255,
    "2^255 - 1": (1 << 255) - 1,
    "(n - 1) / 2": (ORDER - 1) // 2,
    "the usual one without its last byte": K >> 8,
    "the usual one without its last two bytes": K >> 16,
    "the usual one without its last 16 bytes": K >> 128,
}
"""Values of k at the limits, or with leading zero bytes or one long run of equal bits."""

CONTENTS: Final = {
    "one 00": b"\x00",
    "zeros": bytes(19),
    "ff throughout": b"\xff" * 19,
    "begins with 00": b"\x00" + MESSAGE,
    "ends with 00": MESSAGE + b"\x00",
    "begins and ends with 00 00": b"\x00\x00" + MESSAGE + b"\x00\x00",
    "begins with a digit 0": b"\x0a" + MESSAGE,
    "a stray byte of UTF-8": MESSAGE + b"\x80",
    "an overlong form of UTF-8": b"\xc0\x80" + MESSAGE,
    "a surrogate in UTF-8": MESSAGE + b"\xed\xa0\x80",
    "a byte order mark": b"\xef\xbb\xbf" + MESSAGE,
    "spaces and line ends around it": b" \t" + MESSAGE + b"\r\n",
    "hexadecimal digits": MESSAGE.hex().encode(),
}
"""Messages that code for text, numbers or C strings changes."""

STEP_B6: Final = Rule(Severity.STANDARD, "GB/T 32918.4-2016 section 7.1 step B6")


def trace(parts: Sm2Parts, k: int | None) -> Fields:
    """Return the intermediate values, in the names of the standard."""
    named = {} if k is None else hex_fields(k=k.to_bytes(32, "big"))
    return named | hex_fields(
        C1=affine.coordinates(parts),
        x2=parts.x2,
        y2=parts.y2,
        t=parts.key_stream,
        C2=parts.c2,
        C3=parts.c3,
    )


def text(length: int) -> bytes:
    """Return a message of a given length."""
    return (MESSAGE * (length // len(MESSAGE) + 1))[:length]


def encrypt(message: bytes = MESSAGE, k: int = K) -> Sm2Parts:
    """Return a ciphertext under the key of the tests."""
    return affine.encrypt(SM2_PUBLIC_POINT, message, k)


def from_point(c1: tuple[int, int], message: bytes = MESSAGE) -> Sm2Parts:
    """Return a ciphertext that opens under the key if C1 is not checked.

    If the product is the point at infinity, both of its coordinates are taken to be 0.
    """
    reduced = (c1[0] % PRIME, c1[1] % PRIME)
    return affine.seal(c1, multiply(SM2_SCALAR, reduced) or (0, 0), message)


def opens(
    comment: str, flag: str, message: bytes, parts: Sm2Parts, encoding: str, k: int | None = None
) -> Case:
    """Return a ciphertext that opens."""
    return Case(
        f"{encoding}, {comment}",
        flag,
        hex_fields(ciphertext=ENCODERS[encoding](parts)),
        hex_fields(plaintext=message),
        trace(parts, k),
    )


def usual(encoding: str) -> Case:
    """Return the ciphertext that most invalid tests are made of."""
    return opens("the usual message", "Valid", MESSAGE, encrypt(), encoding, K)


def rejected(
    right: Case, flag: str, comment: str, ciphertext: bytes, rule: Rule | None = None
) -> Case:
    """Return a ciphertext that does not open."""
    if flag == "FirstByte" and ciphertext[:1] in _OTHER_FORMS:
        rule = POINT_FORM
    fields = hex_fields(ciphertext=ciphertext)
    return right.rejected(ErrorCode.DECRYPTION, flag, comment, fields, rule)


_OTHER_FORMS: Final = frozenset({b"\x02", b"\x03", b"\x06", b"\x07"})

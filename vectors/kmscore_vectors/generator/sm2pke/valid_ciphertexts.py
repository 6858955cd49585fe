"""Ciphertexts of SM2PKE that open, in both encodings that decryption takes."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Final

from kmscore_vectors.generator.affine import PRIME, Sm2Parts, asn1
from kmscore_vectors.generator.keys.published import SM2_PUBLIC_POINT
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.cases import (
    CONTENTS,
    EXTREME_K,
    LENGTHS,
    MESSAGE,
    PADDING_LENGTHS,
    K,
    encrypt,
    from_point,
    opens,
    text,
)

_ZEROS_IN_T: Final = (
    (points.FIRST_00_K, 2, "first of 2 bytes"),
    (points.SECOND_00_K, 2, "last of 2 bytes"),
    (points.FIRST_0000_K, 3, "first two of 3 bytes"),
    (points.FIRST_00_K, 19, "first of 19 bytes"),
    (points.LAST_00_K, 19, "last of 19 bytes"),
    (points.ENDS_00_K, 19, "first and the last of 19 bytes"),
    (points.BLOCK_ENDS_00_K, 32, "last of 32 bytes"),
    (points.SECOND_BLOCK_00_K, 33, "last of 33 bytes"),
    (points.SECOND_BLOCK_0000_K, 34, "last two of 34 bytes"),
    (points.ACROSS_0000_K, 33, "last two of 33 bytes"),
    (points.THIRD_BLOCK_00_K, 65, "last of 65 bytes"),
)
_FORM_LIMITS: Final = (127, 128, 255, 256)
"""The last and first lengths of the short form, and of the long form of one byte and of two."""


def valid(encoding: str) -> Iterator[Case]:
    """Yield all tests of one encoding."""
    yield from _lengths(encoding)
    yield from _multiples(encoding)
    yield from _points(encoding)
    yield from _contents(encoding)
    if encoding == "ASN1_DER":
        yield from _der_lengths()


def _lengths(encoding: str) -> Iterator[Case]:
    """Yield messages of usual and of extreme lengths."""
    for flag, lengths in {
        "Valid": (len(MESSAGE), 16, 100),
        "Boundary": LENGTHS,
        "HashPadding": PADDING_LENGTHS,
    }.items():
        for length in lengths:
            message = text(length)
            parts = encrypt(message)
            yield opens(f"{length} bytes", flag, message, parts, encoding, K)


def _multiples(encoding: str) -> Iterator[Case]:
    """Yield ciphertexts of chosen k: an extreme one, or one that gives short coordinates."""
    for name, k in EXTREME_K.items():
        yield _of(f"k = {name}", "ExtremeK", encoding, k)
    for flag, names, multiples in (
        ("ShortCoordinate", "x1 y1", points.SHORT_C1),
        ("ShortSharedPoint", "x2 y2", points.SHORT_SHARED),
    ):
        x, y = names.split()
        for k, x_bits, y_bits in multiples:
            yield _of(f"{x} of {x_bits} bits, {y} of {y_bits}", flag, encoding, k)
    if encoding == "ASN1_DER":
        for k, x_bits, y_bits in points.SIGN_BITS[2:]:  # the first two are extreme k
            yield _of(f"x1 of {x_bits} bits, y1 of {y_bits}", "SignByte", encoding, k)
    for k, length, zeros in _ZEROS_IN_T:
        comment = f"t is 00 in the {zeros}"
        yield _of(comment, "PartlyZeroKdf", encoding, k, text(length))


def _of(comment: str, flag: str, encoding: str, k: int, message: bytes = MESSAGE) -> Case:
    """Return the ciphertext of a message for a given k."""
    return opens(comment, flag, message, encrypt(message, k), encoding, k)


def _points(encoding: str) -> Iterator[Case]:
    """Yield ciphertexts whose C1 is a point at the limits of the coordinates."""
    zero, (last_x, y) = points.ZERO_X, points.LARGEST_X
    for comment, point in {
        "x = 0": zero,
        "x = 0, the other y": (0, PRIME - zero[1]),
        "x = p - 2": (last_x, y),
        "x = p - 2, the other y": (last_x, PRIME - y),
        "y = p - 1": points.LARGEST_Y,
        "C1 is the public key": SM2_PUBLIC_POINT,
    }.items():
        yield opens(comment, "ExtremePoint", MESSAGE, from_point(point), encoding)
    for name, c1 in {"x": points.SMALL_X, "y": points.SMALL_Y}.items():
        yield opens(f"{name} = 1", "ShortCoordinate", MESSAGE, from_point(c1), encoding)


def _contents(encoding: str) -> Iterator[Case]:
    """Yield messages that are not texts, and messages that give zeros in C2 or C3."""
    for comment, message in CONTENTS.items():
        yield _of(comment, "MessageBytes", encoding, K, message)
    for comment, message in zero_bytes().items():
        yield _of(comment, "ZeroBytes", encoding, K, message)


def zero_bytes() -> dict[str, bytes]:
    """Return messages for which C2 or C3 has zeros at an end, for the usual k."""
    stream = encrypt(bytes(64)).key_stream
    return {
        "C2 is 00 throughout, one byte": stream[:1],
        "C2 is 00 throughout, 19 bytes": stream[:19],
        "C2 is 00 throughout, 33 bytes": stream[:33],
        "C2 begins with 00": stream[:1] + MESSAGE[1:],
        "C2 ends with 00": MESSAGE[:-1] + stream[18:19],
        "C2 begins with 04": bytes([stream[0] ^ 4]) + MESSAGE[1:],
        "C3 begins with 00": _numbered(lambda parts: parts.c3[0] == 0),
        "C3 ends with 00": _numbered(lambda parts: parts.c3[-1] == 0),
    }


def _numbered(is_sought: Callable[[Sm2Parts], bool]) -> bytes:
    """Return the first of a row of messages whose ciphertext has a property."""
    messages = (MESSAGE + number.to_bytes(2, "big") for number in count())
    return next(message for message in messages if is_sought(encrypt(message)))


def _der_lengths() -> Iterator[Case]:
    """Yield DER whose lengths are the last in one form, or the first in the next."""
    for length in _FORM_LIMITS:
        if length not in LENGTHS:
            yield _of(f"C2 of {length} bytes", "DerLength", "ASN1_DER", K, text(length))
        # The header of the SEQUENCE has two bytes for 127 and one or two more for the others.
        whole = length + {127: 2, 128: 3, 255: 3, 256: 4}[length]
        sizes = (n for n in range(1, length) if len(asn1(encrypt(text(n)))) == whole)
        message = text(next(sizes))
        comment = f"a SEQUENCE of {length} bytes"
        yield _of(comment, "DerLength", "ASN1_DER", K, message)

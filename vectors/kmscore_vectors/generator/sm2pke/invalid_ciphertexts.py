"""Ciphertexts of SM2PKE that do not open: the defects that both encodings can have, and the raw."""

import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import BASE, PRIME, Sm2Parts, finite
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.cases import (
    ENCODERS,
    MESSAGE,
    MOST_PLAINTEXT,
    STEP_B6,
    K,
    encrypt,
    from_point,
    opens,
    rejected,
    text,
    usual,
)

_BLOCK: Final = 32
_LONG: Final = text(3 * _BLOCK + 4)


def invalid(encoding: str) -> Iterator[Case]:
    """Yield the tests of one encoding."""
    for flag, comment, wrong in (
        *_off_the_curve(),
        *_other_points(),
        *_wrong_digests(),
        *_wrong_lengths(),
    ):
        ciphertext = ENCODERS[encoding](wrong)
        yield rejected(usual(encoding), flag, f"{encoding}, {comment}", ciphertext)
    yield from _wrong_blocks(encoding)
    yield from _unreduced(encoding)
    yield from _zero_kdf(encoding)
    yield _too_long(encoding)


def _off_the_curve() -> Iterator[tuple[str, str, Sm2Parts]]:
    """Yield points that are not on the curve, with C3 and C2 for the product of d and the point."""
    c1 = encrypt()
    for comment, point in {
        "C1 = (1, 1)": (1, 1),
        "C1 = (0, 0)": (0, 0),
        "C1 = (0, 1)": (0, 1),
        "y + 1": (c1.x1, c1.y1 + 1),
        "x + 1": (c1.x1 + 1, c1.y1),
        "x and y exchanged": (c1.y1, c1.x1),
        "x = p - 1": (PRIME - 1, 1),
        "on the quadratic twist": points.TWISTED,
        "the base point of P-256": points.P256_BASE,
    }.items():
        yield "OffCurve", comment, from_point(point)
    for order, point in points.SMALL_ORDERS.items():
        yield "SmallOrder", f"C1 of order {order}", from_point(point)
    yield "CoordinateRange", "x = p", from_point((PRIME, points.ZERO_X[1]))
    yield "CoordinateRange", "y = p", from_point((1, PRIME))
    yield "CoordinateRange", "x = 2^256 - 1", from_point(points.LONGEST_X)
    yield "CoordinateRange", "y = 2^256 - 1", from_point(points.LONGEST_Y)


def _other_points() -> Iterator[tuple[str, str, Sm2Parts]]:
    """Yield the digest and message of one point with another point of the curve."""
    parts = encrypt()
    x, y = finite(affine.multiply(2 * K, BASE))
    for comment, c1 in {
        "-C1": (parts.x1, PRIME - parts.y1),
        "2 C1": (x, y),
        "G in place of C1": finite(BASE),
        "[k]P in place of C1": (
            int.from_bytes(parts.x2, "big"),
            int.from_bytes(parts.y2, "big"),
        ),
    }.items():
        yield "OtherC1", comment, parts._replace(x1=c1[0], y1=c1[1])


def _wrong_digests() -> Iterator[tuple[str, str, Sm2Parts]]:
    """Yield other digests: each byte is altered once, and whole digests are exchanged."""
    parts = encrypt()
    c3 = parts.c3
    for comment, digest in {
        "first bit": bytes([c3[0] ^ 0x80]) + c3[1:],
        "last bit": c3[:-1] + bytes([c3[-1] ^ 1]),
        **{
            f"byte {at}": c3[:at] + bytes([c3[at] ^ 1 << at % 8]) + c3[at + 1 :]
            for at in range(len(c3))
        },
        "zeros": bytes(32),
        "ff throughout": b"\xff" * 32,
        "rotated by one byte": c3[1:] + c3[:1],
        "reversed": c3[::-1],
        "halves exchanged": c3[16:] + c3[:16],
        "words of the other byte order": b"".join(c3[at : at + 4][::-1] for at in range(0, 32, 4)),
        "one bit in two bytes": bytes([c3[0] ^ 1]) + c3[1:-1] + bytes([c3[-1] ^ 1]),
        "its first half only": c3[:16] + bytes(16),
        "the digest of the plaintext alone": affine.sm3(MESSAGE),
        "without x2": affine.sm3(MESSAGE, parts.y2),
        "without y2": affine.sm3(parts.x2, MESSAGE),
        "y2 before x2": affine.sm3(parts.y2, MESSAGE, parts.x2),
        "of C2 in place of the plaintext": affine.sm3(parts.x2, parts.c2, parts.y2),
    }.items():
        yield "WrongC3", comment, parts._replace(c3=digest)


def _wrong_lengths() -> Iterator[tuple[str, str, Sm2Parts]]:
    """Yield C2 with a changed bit or length, and none."""
    parts = encrypt()
    for comment, c2 in {
        "first bit": bytes([parts.c2[0] ^ 0x80]) + parts.c2[1:],
        "last bit": parts.c2[:-1] + bytes([parts.c2[-1] ^ 1]),
        "one byte less": parts.c2[:-1],
        "one byte more": parts.c2 + b"\x00",
        "the first byte is missing": parts.c2[1:],
        "twice": parts.c2 * 2,
    }.items():
        yield "ModifiedC2", comment, parts._replace(c2=c2)
    yield "EmptyC2", "C3 of no message", encrypt(b"")


def _wrong_blocks(encoding: str) -> Iterator[Case]:
    """Yield a message of four blocks with one wrong byte, or with exchanged blocks."""
    parts = encrypt(_LONG)
    right = opens("four blocks", "Valid", _LONG, parts, encoding, K)
    c2, end = parts.c2, len(_LONG) - 1
    changed = {
        f"byte {at}": c2[:at] + bytes([c2[at] ^ 1]) + c2[at + 1 :]
        for at in (31, 32, 63, 64, 95, 96, end)
    }
    changed["blocks exchanged"] = c2[_BLOCK : 2 * _BLOCK] + c2[:_BLOCK] + c2[2 * _BLOCK :]
    for comment, wrong in changed.items():
        ciphertext = ENCODERS[encoding](parts._replace(c2=wrong))
        yield rejected(right, "ModifiedC2", f"{encoding}, four blocks, {comment}", ciphertext)


def _unreduced(encoding: str) -> Iterator[Case]:
    """Yield a coordinate of 1 that p was added to."""
    for comment, c1, point in (
        (
            "x = p + 1",
            (points.SMALL_X[0] + PRIME, points.SMALL_X[1]),
            points.SMALL_X,
        ),
        (
            "y = p + 1",
            (points.SMALL_Y[0], points.SMALL_Y[1] + PRIME),
            points.SMALL_Y,
        ),
    ):
        right = opens(comment, "ShortCoordinate", MESSAGE, from_point(point), encoding)
        ciphertext = ENCODERS[encoding](from_point(c1))
        yield rejected(right, "CoordinateRange", f"{encoding}, {comment}", ciphertext)


def _zero_kdf(encoding: str) -> Iterator[Case]:
    """Yield ciphertexts whose t is all zero."""
    for comment, message, k in (
        ("one byte", b"x", points.FIRST_00_K),
        ("two bytes", b"xy", points.FIRST_0000_K),
    ):
        right = opens("k + 1", "Boundary", message, encrypt(message, k + 1), encoding, k + 1)
        ciphertext = ENCODERS[encoding](encrypt(message, k))
        yield rejected(right, "ZeroKdf", f"{encoding}, {comment}", ciphertext)


def _too_long(encoding: str) -> Case:
    """Return a message one byte longer than the limit."""
    longest, message = text(MOST_PLAINTEXT), text(MOST_PLAINTEXT + 1)
    right = opens("the longest", "Boundary", longest, encrypt(longest), encoding, K)
    ciphertext = ENCODERS[encoding](encrypt(message))
    return rejected(right, "TooLong", f"{encoding}, 6,048 bytes", ciphertext)


def raw() -> Iterator[Case]:
    """Yield defects that only C1C3C2 can have."""
    right, parts = usual("C1C3C2"), encrypt()
    for flag, comment, ciphertext in (*_first_bytes(parts), *_cuts(affine.c1c3c2(parts))):
        yield rejected(right, flag, f"C1C3C2, {comment}", ciphertext)
    for flag, comment, ciphertext, rule in (
        ("EmptyC2", "ends after C3", affine.c1c3c2(parts)[:97], STEP_B6),
        ("WrongOrder", "C1C2C3", affine.c1c2c3(parts), None),
        ("FirstByte", "00 before it", b"\x00" + affine.c1c3c2(parts), None),
        ("Trailing", "a second one after it", affine.c1c3c2(parts) * 2, STEP_B6),
        ("OtherHash", "SHA-256", affine.c1c3c2(with_sha_256(parts)), None),
    ):
        yield rejected(right, flag, f"C1C3C2, {comment}", ciphertext, rule)
    for first, k in {"04": points.FIRST_04_K, "30": points.FIRST_30_K}.items():
        parts = encrypt(MESSAGE, k)
        right = opens(f"x begins with {first}", "Valid", MESSAGE, parts, "C1C3C2", k)
        comment = f"C1C3C2_BARE, x begins with {first}"
        yield rejected(right, "FirstByte", comment, affine.bare_c1c3c2(parts))


def _first_bytes(parts: Sm2Parts) -> Iterator[tuple[str, str, bytes]]:
    """Yield first bytes other than 04, and other forms of C1."""
    whole = affine.c1c3c2(parts)
    yield "FirstByte", "04 is missing", whole[1:]
    for first in (0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x07, 0x30, 0x84, 0xFF):
        yield "FirstByte", f"{first:02x} in its place", bytes([first]) + whole[1:]
    parity = parts.y1 % 2
    yield "FirstByte", "compressed", bytes([2 + parity]) + whole[1:33] + whole[65:]
    yield "FirstByte", "compressed, the other y", bytes([3 - parity]) + whole[1:33] + whole[65:]
    yield "FirstByte", "the point at infinity for C1", b"\x00" + whole[65:]


def _cuts(whole: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield ciphertexts that end too early."""
    for comment, end in {
        "empty": 0,
        "04 alone": 1,
        "x alone": 33,
        "within y": 64,
        "C1 alone": 65,
        "within C3": 96,
    }.items():
        yield "Truncated", comment, whole[:end]


def with_sha_256(parts: Sm2Parts) -> Sm2Parts:
    """Return the ciphertext of the usual message with SHA-256 in the KDF and in C3."""
    stream = hashlib.sha256(parts.x2 + parts.y2 + b"\x00\x00\x00\x01").digest()
    c2 = bytes(a ^ b for a, b in zip(MESSAGE, stream, strict=False))
    return parts._replace(c2=c2, c3=hashlib.sha256(parts.x2 + MESSAGE + parts.y2).digest())

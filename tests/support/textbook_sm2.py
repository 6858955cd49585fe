"""A textbook implementation of SM2 public-key encryption, and shared parts of its tests.

It does not use the library. It has affine coordinates with an inversion in every addition, the KDF
as a loop, and a DER writer that also writes forbidden DER.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import pytest
from cryptography.hazmat.primitives.hashes import SM3, Hash

from kmscore import DecryptionError

# The curve of GB/T 32918.5-2017, sm2p256v1.
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFC
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)

SCALAR = 0x01234567_89ABCDEF_01234567_89ABCDEF_01234567_89ABCDEF_01234567_89ABCDEF
"""The private scalar of most tests; it is odd."""

# Points with a coordinate to which p can be added without exceeding 2^256.
SMALL_X = (1, 0x9F7A0914_33A81E3F_218F405F_792355BF_2AA98B5F_FA95982F_03870800_065279A3)
SMALL_Y = (0x9C17043E_FFE1A805_A74A9A5E_70B9D659_705D3242_094A566D_C016F493_11178D1F, 1)

AffinePoint: TypeAlias = tuple[int, int]

ENCODINGS = ("ASN1_DER", "C1C3C2", "C1C2C3", "C1C3C2_BARE", "C1C2C3_BARE")


def is_point(x: int, y: int) -> bool:
    """Return whether (x, y) satisfies the curve's equation, reduced or not."""
    return (y**2 - x**3 - A * x - B) % P == 0


def add(left: AffinePoint | None, right: AffinePoint | None) -> AffinePoint | None:
    """Return the sum by chord and tangent; `None` is the point at infinity.

    The formula does not contain b, so it also adds points of other curves with the same a.
    """
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    rise, run = (3 * x1 * x1 + A, 2 * y1) if x1 == x2 else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, P)
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def multiply(scalar: int, point: AffinePoint) -> AffinePoint:
    """Return the product by doubling and adding from the highest bit."""
    total = None
    for bit in f"{scalar:b}":
        total = add(total, total)
        if bit == "1":
            total = add(total, point)
    assert total is not None, "the product is infinity"
    return total


def negative(point: AffinePoint) -> AffinePoint:
    """Return the inverse of a point under addition."""
    return point[0], P - point[1]


PUBLIC = multiply(SCALAR, G)
"""The public point of `SCALAR`."""


def point_near(x: int) -> AffinePoint:
    """Return the point with the least first coordinate that is at least x, modulo p."""
    while True:
        x %= P
        square = (x**3 + A * x + B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return x, y
        x += 1


def multiples(base: AffinePoint, start: int = 1) -> Iterator[tuple[int, AffinePoint]]:
    """Yield (k, [k]base) for k = start, start + 1 and so on."""
    k, point = start, multiply(start, base)
    while True:
        yield k, point
        k, point = k + 1, add(point, base) or base


@cache
def scalar_with(coordinate: int, first_byte: int, base: AffinePoint = G) -> int:
    """Return the least k for which coordinate 0 or 1 of [k]base begins with a byte."""
    return next(k for k, point in multiples(base) if point[coordinate] >> 248 == first_byte)


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest."""
    digest = Hash(SM3())
    digest.update(data)
    return digest.finalize()


def kdf(shared: AffinePoint, length: int) -> bytes:
    """Return the key stream of GB/T 32918.4 section 5.4.3."""
    blocks = (
        sm3(both(shared) + counter.to_bytes(4, "big")) for counter in range(1, length // 32 + 2)
    )
    return b"".join(blocks)[:length]


def both(point: AffinePoint) -> bytes:
    """Return the two coordinates, 32 bytes each."""
    return b"".join(coordinate.to_bytes(32, "big") for coordinate in point)


def xor(left: bytes, right: bytes) -> bytes:
    """Return the XOR of two byte strings."""
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


class Parts(NamedTuple):
    """A ciphertext, right or wrong."""

    x: int
    y: int
    c3: bytes
    c2: bytes

    def encoded(self, encoding: str) -> bytes:
        """Return its bytes in an encoding, by the library's name for it."""
        if encoding == "ASN1_DER":
            return self.der()
        prefix = b"" if encoding.endswith("_BARE") else b"\x04"
        tail = self.c3 + self.c2 if encoding.startswith("C1C3C2") else self.c2 + self.c3
        return prefix + both((self.x, self.y)) + tail

    def raw(self) -> bytes:
        """Return its bytes in C1C3C2."""
        return self.encoded("C1C3C2")

    def der(self, **replaced: bytes) -> bytes:
        """Return its bytes in DER, with any of `x`, `y`, `c3`, `c2` replaced."""
        elements = {
            "x": integer(self.x),
            "y": integer(self.y),
            "c3": tlv(0x04, self.c3),
            "c2": tlv(0x04, self.c2),
        }
        return tlv(0x30, b"".join((elements | replaced).values()))


def tlv(tag: int, content: bytes, length: bytes | None = None) -> bytes:
    """Return one element, in DER or with any other `length` before the content."""
    if length is None:
        size = len(content)
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([size]) if size < 0x80 else bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + content


def integer(value: int) -> bytes:
    """Return an INTEGER of any sign and size in DER."""
    magnitude = value if value >= 0 else ~value
    return tlv(0x02, value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True))


def sealed(c1: AffinePoint, shared: AffinePoint, plaintext: bytes) -> Parts:
    """Return the ciphertext that is right for a shared point `shared`."""
    x2, y2 = both(shared)[:32], both(shared)[32:]
    return Parts(*c1, sm3(x2 + plaintext + y2), xor(plaintext, kdf(shared, len(plaintext))))


def encrypt(public: AffinePoint, plaintext: bytes, k: int) -> Parts:
    """Return the ciphertext for k, even if the KDF output is zero."""
    return sealed(multiply(k, G), multiply(k, public), plaintext)


def decrypt(scalar: int, parts: Parts) -> bytes | None:
    """Return the plaintext, or `None` if C3 is wrong."""
    shared = multiply(scalar, (parts.x, parts.y))
    plaintext = xor(parts.c2, kdf(shared, len(parts.c2)))
    return plaintext if sealed((0, 0), shared, plaintext).c3 == parts.c3 else None


def decrypt_unchecked(scalar: int, parts: Parts) -> bytes:
    """Return the plaintext of an implementation that does not check C3."""
    return xor(parts.c2, kdf(multiply(scalar, (parts.x, parts.y)), len(parts.c2)))


@cache
def zero_kdf_scalar(public: AffinePoint = PUBLIC) -> int:
    """Return the least k whose KDF output is zero for a plaintext of one byte."""
    return next(k for k, shared in multiples(public) if kdf(shared, 1) == b"\x00")


class StandIn:
    """A library with some functions replaced; `None` removes a function."""

    def __init__(self, library: Any, **replaced: Any) -> None:
        """Replace functions of `library`."""
        self._library = library
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:
        """Return a function."""
        if name in self._replaced:
            if self._replaced[name] is None:
                raise AttributeError(name)
            return self._replaced[name]
        return getattr(self._library, name)


def assert_rejected(operation: Callable[[], object]) -> None:
    """Assert that `operation` raises `DecryptionError` with the constant text and no cause."""
    with pytest.raises(DecryptionError) as caught:
        operation()
    error = caught.value
    assert type(error) is DecryptionError
    assert error.code == "decryption"
    assert error.args == ()
    assert str(error) == "the ciphertext cannot be decrypted with this key and encryption context"
    assert error.__cause__ is None
    assert error.__context__ is None

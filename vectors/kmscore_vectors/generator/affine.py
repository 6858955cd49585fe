"""SM2 public-key encryption (GB/T 32918.4-2016) with a given k, in affine coordinates.

The formulas are the textbook formulas: chord and tangent, double and add.
"""

from functools import cache
from typing import NamedTuple, TypeAlias

from cryptography.hazmat.primitives.hashes import SM3, Hash

from kmscore_vectors.generator.wire import der, der_bits, der_integer, der_octets, der_sequence

# GB/T 32918.5-2017, the recommended curve.
PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
COEFFICIENT_A = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC
COEFFICIENT_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

AffinePoint: TypeAlias = tuple[int, int] | None
"""x and y, or the point at infinity."""

BASE: AffinePoint = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

_BLOCK = 32

# id-ecPublicKey on the curve 1.2.156.10197.1.301; and on P-256, for negative vectors.
ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
ALGORITHM_P256 = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")


class Sm2Parts(NamedTuple):
    """A ciphertext and its intermediate values."""

    x1: int
    y1: int
    x2: bytes
    y2: bytes
    key_stream: bytes
    c3: bytes
    c2: bytes


def add(left: AffinePoint, right: AffinePoint) -> AffinePoint:
    """Return the sum of two points; the formulas do not use the curve's b."""
    if left is None:
        return right
    if right is None:
        return left
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % PRIME == 0:
        return None
    if left == right:
        slope = (3 * x1 * x1 + COEFFICIENT_A) * pow(2 * y1, -1, PRIME)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, PRIME)
    x3 = (slope * slope - x1 - x2) % PRIME
    return x3, (slope * (x1 - x3) - y1) % PRIME


@cache
def multiply(scalar: int, point: AffinePoint) -> AffinePoint:
    """Return the product of a scalar, 0 or more, and a point."""
    product: AffinePoint = None
    for bit in f"{scalar:b}":
        product = add(product, product)
        if bit == "1":
            product = add(product, point)
    return product


def finite(point: AffinePoint) -> tuple[int, int]:
    """Return the coordinates of a point, or raise `ValueError` for the point at infinity."""
    if point is None:
        raise ValueError("the point at infinity has no coordinates")
    return point


def sm3(*parts: bytes) -> bytes:
    """Return SM3 (GB/T 32905-2016) of the concatenation."""
    digest = Hash(SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def kdf(shared: bytes, length: int) -> bytes:
    """Return `length` bytes of the KDF (GB/T 32918.4-2016 section 5.4.3)."""
    blocks = (length + _BLOCK - 1) // _BLOCK
    stream = b"".join(sm3(shared, (n + 1).to_bytes(4, "big")) for n in range(blocks))
    return stream[:length]


def seal(c1: tuple[int, int], shared: tuple[int, int], message: bytes) -> Sm2Parts:
    """Return the ciphertext for given points C1 = [k]G and [k]P."""
    x2, y2 = (coordinate.to_bytes(_BLOCK, "big") for coordinate in shared)
    stream = kdf(x2 + y2, len(message))
    c2 = bytes(a ^ b for a, b in zip(message, stream, strict=True))
    return Sm2Parts(*c1, x2, y2, stream, sm3(x2, message, y2), c2)


def encrypt(public_point: AffinePoint, message: bytes, k: int) -> Sm2Parts:
    """Return the ciphertext of a message under a public point, for a given k."""
    return seal(finite(multiply(k, BASE)), finite(multiply(k, public_point)), message)


def c1c3c2(parts: Sm2Parts) -> bytes:
    """Return 04, x, y, C3, C2."""
    return b"\x04" + bare_c1c3c2(parts)


def bare_c1c3c2(parts: Sm2Parts) -> bytes:
    """Return x, y, C3, C2."""
    return coordinates(parts) + parts.c3 + parts.c2


def c1c2c3(parts: Sm2Parts) -> bytes:
    """Return 04, x, y, C2, C3."""
    return b"\x04" + bare_c1c2c3(parts)


def bare_c1c2c3(parts: Sm2Parts) -> bytes:
    """Return x, y, C2, C3."""
    return coordinates(parts) + parts.c2 + parts.c3


def asn1(parts: Sm2Parts) -> bytes:
    """Return the SEQUENCE of GM/T 0009-2012 section 7.2."""
    return der_sequence(
        (
            der_integer(parts.x1),
            der_integer(parts.y1),
            der_octets(parts.c3),
            der_octets(parts.c2),
        )
    )


def coordinates(parts: Sm2Parts) -> bytes:
    """Return x and y of C1, 32 bytes each."""
    return parts.x1.to_bytes(_BLOCK, "big") + parts.y1.to_bytes(_BLOCK, "big")


def pkcs8(scalar: int) -> bytes:
    """Return a private key in PKCS#8 (RFC 5208, RFC 5915), without the optional parameters."""
    point = point_bytes(finite(multiply(scalar, BASE)))
    octets = der_octets(scalar.to_bytes(_BLOCK, "big"))
    private_key = der_sequence((der_integer(1), octets, der(0xA1, der_bits(point))))
    return der_sequence((der_integer(0), ALGORITHM, der_octets(private_key)))


def sec1(scalar: int) -> bytes:
    """Return a private key as ECPrivateKey (RFC 5915; SEC 1) with its curve and its point."""
    point = point_bytes(finite(multiply(scalar, BASE)))
    return der_sequence(
        (
            der_integer(1),
            der_octets(scalar.to_bytes(_BLOCK, "big")),
            der(0xA0, ALGORITHM[11:]),
            der(0xA1, der_bits(point)),
        )
    )


def spki(point: tuple[int, int]) -> bytes:
    """Return a public key as SubjectPublicKeyInfo (RFC 5480)."""
    return der_sequence((ALGORITHM, der_bits(point_bytes(point))))


def point_bytes(point: tuple[int, int], first: int = 4) -> bytes:
    """Return 04, x, y."""
    return bytes([first]) + b"".join(coordinate.to_bytes(_BLOCK, "big") for coordinate in point)

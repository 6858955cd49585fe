"""The curve of SM2, sm2p256v1 (GB/T 32918.5-2017): y^2 = x^3 + ax + b over GF(p), cofactor 1."""

from typing import Final, NamedTuple


class Point(NamedTuple):
    """Affine coordinates. The point at infinity has no such coordinates and does not occur here."""

    x: int
    y: int


P: Final = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N: Final = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
"""Order of the base point G, a prime."""

G: Final = Point(
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)

COORDINATE_LENGTH: Final = 32
"""Length of a coordinate, in bytes."""

UNCOMPRESSED: Final = b"\x04"
"""First byte of a point in the uncompressed form (SEC 1 section 2.3.3)."""


def is_on_curve(point: Point) -> bool:
    """Return whether both coordinates are in 0..p-1 and satisfy the equation of the curve.

    This is the complete validity check, because the cofactor is 1 and every such point has order n.
    It also rejects (0, 0), because b is not 0.
    """
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x + A) * x - B) % P == 0


def encode_point(point: Point) -> bytes:
    """Return x and y, 32 bytes each, without the leading 04 of the uncompressed form."""
    x, y = point
    return x.to_bytes(COORDINATE_LENGTH, "big") + y.to_bytes(COORDINATE_LENGTH, "big")


def decode_point(data: bytes) -> Point:
    """Return the point for x and y, 32 bytes each. The caller checks it with `is_on_curve`."""
    x, y = data[:COORDINATE_LENGTH], data[COORDINATE_LENGTH:]
    return Point(int.from_bytes(x, "big"), int.from_bytes(y, "big"))

"""The `gmssl` backend: point multiplication by the package `gmssl`, for comparisons.

Only the arithmetic of the package is used, on points that have been checked. The `decrypt` of the
package does not check C3 or whether C1 is on the curve. Its `encrypt` draws k from the Mersenne
Twister. A key uses this backend only by its name, because the arithmetic is neither blinded nor
constant-time.
"""

from typing import cast

from kmscore.errors import UnsupportedAlgorithmError
from kmscore.sm2.curve import Point, decode_point, encode_point
from kmscore.sm2.scheme import PointBackend, check_sm3


def load() -> PointBackend:
    """Return the backend. Raises `UnsupportedAlgorithmError` if the package or SM3 is missing."""
    check_sm3()
    try:
        from gmssl.sm2 import CryptSM2  # noqa: PLC0415 (optional)
    # ValueError, because another package with a module of this name raises it if its native
    # library is missing.
    except (ImportError, ValueError):
        pass
    else:
        arithmetic = CryptSM2(private_key="", public_key="")

        def multiply(scalar: int, point: Point) -> Point:
            product = arithmetic._kg(scalar, encode_point(point).hex())  # noqa: SLF001
            # None means infinity, which is not a product of a scalar in 1..n-1.
            return decode_point(bytes.fromhex(cast("str", product)))

        return PointBackend("gmssl", is_default=False, multiply=multiply)
    raise UnsupportedAlgorithmError("the package gmssl is not installed")

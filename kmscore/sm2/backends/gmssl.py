"""The `gmssl` backend: point multiplication by the package of that name, to compare with.

Only its arithmetic is used, on points that have been checked. Its own `decrypt` never looks at C3
and never asks whether C1 lies on the curve, and its own `encrypt` draws k from the Mersenne
Twister. Its arithmetic is neither blinded nor constant-time: this backend is never chosen by
itself.
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
    # ValueError is what another package, whose module has the same name, raises without its
    # native library.
    except (ImportError, ValueError):
        pass
    else:
        arithmetic = CryptSM2(private_key="", public_key="")

        def multiply(scalar: int, point: Point) -> Point:
            product = arithmetic._kg(scalar, encode_point(point).hex())  # noqa: SLF001
            # None would be infinity, which no scalar in 1..n-1 leads to.
            return decode_point(bytes.fromhex(cast("str", product)))

        return PointBackend("gmssl", is_default=False, multiply=multiply)
    raise UnsupportedAlgorithmError("the package gmssl is not installed")

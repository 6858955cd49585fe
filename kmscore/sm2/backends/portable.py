"""The `portable` backend: point multiplication in Python integers.

This backend is available if `cryptography` supports SM3.

The arithmetic is not constant-time, because the time of operations on Python integers depends on
their values. Instead, every call blinds its secrets with new random numbers. The timing then
depends on numbers that are used only once.
"""

from typing import Final, TypeAlias

from kmscore.sm2.curve import N, P, Point
from kmscore.sm2.scheme import PointBackend, check_sm3, draw_below

_Jacobian: TypeAlias = tuple[int, int, int]
"""(X, Y, Z) for x = X/Z^2 and y = Y/Z^3. The point at infinity has Z = 0."""

_BLINDING_BITS: Final = 128
_WINDOW: Final = 5
_INFINITY: Final[_Jacobian] = (1, 1, 0)


def load() -> PointBackend:
    """Return the backend, or raise `UnsupportedAlgorithmError` if SM3 is not available."""
    check_sm3()
    return PointBackend("portable", is_default=True, multiply=multiply)


def multiply(scalar: int, point: Point) -> Point:
    """Return scalar·point for a scalar in 1..n-1 and a point on the curve.

    Blinding: scalar + n = a + b·r with a random r of 128 bits, and the result is
    [a]point + [b]([r]point). The addition of n makes a small scalar as large as any other scalar.

    The usual blinding adds n times a random number of 64 bits. It is not used here, because bits
    128..223 of n are ones, so bits 192..223 of the scalar would stay the same up to one borrow.
    """
    r = draw_below(2**_BLINDING_BITS)
    b, a = divmod(scalar + N, r)
    odd_multiples = _odd_multiples(_randomise(point))
    r_odd_multiples = _odd_multiples(_combine([(_window_digits(r), odd_multiples)]))
    terms = [(_window_digits(a), odd_multiples), (_window_digits(b), r_odd_multiples)]
    return _to_affine(_combine(terms))


def _randomise(point: Point) -> _Jacobian:
    """Return `point` with a random Z, which is one of its p - 1 representations."""
    z = draw_below(P)
    zz = z * z % P
    return point.x * zz % P, point.y * zz * z % P, z


def _to_affine(point: _Jacobian) -> Point:
    """Return the affine form of a point other than infinity."""
    x, y, z = point
    inverse = pow(z, -1, P)
    square = inverse * inverse % P
    return Point(x * square % P, y * square * inverse % P)


def _window_digits(scalar: int) -> list[int]:
    """Return the width-5 non-adjacent form. Digits are 0 or odd in -15..15, lowest first."""
    digits: list[int] = []
    modulus = 1 << _WINDOW
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (modulus - 1)
            if digit > modulus // 2:
                digit -= modulus
            scalar -= digit
        digits.append(digit)
        scalar >>= 1
    return digits


def _odd_multiples(point: _Jacobian) -> list[_Jacobian]:
    """Return [1]point, [3]point .. [15]point."""
    double = _double(point)
    multiples = [point]
    while len(multiples) < 1 << (_WINDOW - 2):
        multiples.append(_add(multiples[-1], double))
    return multiples


def _combine(terms: list[tuple[list[int], list[_Jacobian]]]) -> _Jacobian:
    """Return the sum of all products of (digits, odd multiples), with shared doublings."""
    total = _INFINITY
    for position in reversed(range(max(len(digits) for digits, _ in terms))):
        total = _double(total)
        for digits, odd_multiples in terms:
            digit = digits[position] if position < len(digits) else 0
            if digit:
                x, y, z = odd_multiples[abs(digit) >> 1]
                total = _add(total, (x, y if digit > 0 else P - y, z))
    return total


def _double(point: _Jacobian) -> _Jacobian:
    """Return the double, for a = -3. The double of infinity is infinity, because 2YZ is 0."""
    x, y, z = point
    zz = z * z % P
    yy = y * y % P
    s = 4 * x * yy % P
    m = 3 * (x - zz) * (x + zz) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(left: _Jacobian, right: _Jacobian) -> _Jacobian:
    """Return the sum of two points, which may be equal, opposite or infinity."""
    x1, y1, z1 = left
    x2, y2, z2 = right
    if not z1:
        return right
    if not z2:
        return left
    zz1 = z1 * z1 % P
    zz2 = z2 * z2 % P
    u1 = x1 * zz2 % P
    s1 = y1 * zz2 * z2 % P
    h = (x2 * zz1 - u1) % P
    r = (y2 * zz1 * z1 - s1) % P
    if not h:
        return _INFINITY if r else _double(left)
    hh = h * h % P
    hhh = h * hh % P
    v = u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, z1 * z2 * h % P

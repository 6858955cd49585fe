"""Arithmetic on many points of the SM2 curve at once, in affine coordinates.

Montgomery's trick computes all inverses of a step with one inversion. So an addition takes a few
microseconds, and the runner needs no other coordinates.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

from kmscore_vectors.generator.affine import COEFFICIENT_A, COEFFICIENT_B, PRIME

Point: TypeAlias = tuple[int, int]


def is_on_curve(point: Point) -> bool:
    """Return whether coordinates are in range and on the curve."""
    x, y = point
    in_range = x < PRIME and y < PRIME
    return in_range and (y * y - (x * x + COEFFICIENT_A) * x - COEFFICIENT_B) % PRIME == 0


def add_all(lefts: Sequence[Point], rights: Sequence[Point]) -> list[Point]:
    """Return the sums of pairs of points with different x."""
    inverses = _invert_all([x1 - x2 for (x1, _), (x2, _) in zip(lefts, rights, strict=True)])
    return [
        _third(left, right[0], (left[1] - right[1]) * inverse)
        for left, right, inverse in zip(lefts, rights, inverses, strict=True)
    ]


def double_all(points: Sequence[Point]) -> list[Point]:
    """Return the doubles of points."""
    inverses = _invert_all([2 * y for _, y in points])
    return [
        _third(point, point[0], (3 * point[0] * point[0] + COEFFICIENT_A) * inverse)
        for point, inverse in zip(points, inverses, strict=True)
    ]


def multiply_all(scalar: int, points: Sequence[Point]) -> list[Point]:
    """Return the products of points and one scalar of 1 to n - 2."""
    products = list(points)
    for bit in f"{scalar:b}"[1:]:
        products = double_all(products)
        if bit == "1":
            products = add_all(products, points)
    return products


def multiples(point: Point, number: int) -> list[Point]:
    """Return [1]P, [2]P, ... up to a power of two."""
    products = [point]
    while len(products) < number:
        last = products[-1]
        sums = add_all(products[:-1], [last] * (len(products) - 1))
        products += [*sums, *double_all([last])]
    return products


def subtract_all(lefts: Sequence[Point], rights: Sequence[Point]) -> list[int]:
    """Return the x of the differences of pairs of points with different x."""
    return [x for x, _ in add_all(lefts, [(x, -y) for x, y in rights])]


def around(centre: Point, steps: Sequence[Point]) -> Iterator[int]:
    """Yield the x of the centre minus and plus each step; all steps have another x than it."""
    x1, y1 = centre
    inverses = _invert_all([x1 - x2 for x2, _ in steps])
    for (x2, y2), inverse in zip(steps, inverses, strict=True):
        for slope in ((y1 + y2) * inverse % PRIME, (y1 - y2) * inverse % PRIME):
            yield (slope * slope - x1 - x2) % PRIME


def _third(point: Point, other_x: int, slope: int) -> Point:
    """Return the third point of the line through a point with this slope, negated."""
    slope %= PRIME
    x, y = point
    x3 = (slope * slope - x - other_x) % PRIME
    return x3, (slope * (x - x3) - y) % PRIME


def _invert_all(numbers: Sequence[int]) -> list[int]:
    """Return the inverses modulo p of numbers that are not 0 (Montgomery's trick)."""
    products = list(accumulate(numbers, _times, initial=1))
    inverse = pow(products.pop(), -1, PRIME)
    inverses: list[int] = []
    for number, product in zip(reversed(numbers), reversed(products), strict=True):
        inverses.append(inverse * product % PRIME)
        inverse = inverse * number % PRIME
    inverses.reverse()
    return inverses


def _times(left: int, right: int) -> int:
    return left * right % PRIME


def to_points(values: Iterable[bytes]) -> list[Point]:
    """Return points from x and y in 32 bytes each."""
    return [
        (int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")) for value in values
    ]

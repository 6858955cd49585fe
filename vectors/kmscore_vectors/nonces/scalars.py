"""Patterns in the k of SM2 encryption, as far as the points C1 = [k]G show them.

k itself stays hidden. So a k from a weak generator is only found if it repeats, if it is small, or
if two of them are close to each other.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from typing import Final

from kmscore_vectors.generator.affine import BASE, finite, multiply
from kmscore_vectors.nonces.findings import Finding
from kmscore_vectors.nonces.points import (
    Point,
    around,
    multiples,
    subtract_all,
    to_points,
)

_NEAR: Final = 1 << 16  # |d| up to which [d]G is in the table, and differences are found
_STRIDE: Final = 2 * _NEAR  # intervals of the table around successive multiples of it have no gap
_FEW_STRIDES: Final = 1 << 7  # up to k = 2^24, for every C1
_MANY_STRIDES: Final = 1 << 15  # up to 2^32, only for the first C1: 0.1 s each
_FIRST: Final = 4


def examine(values: Sequence[bytes]) -> list[Finding]:
    """Return the weaknesses of the k of points C1, given as x and y in 32 bytes each."""
    points = to_points(values)
    short = list(_short(points))
    # If k is small then so are the differences.
    return [*_repeated(points), *short, *([] if short else _close(points))]


def _repeated(points: Sequence[Point]) -> Iterator[Finding]:
    """Yield findings for a C1 that occurred before, and for one whose negative did."""
    different = set(points)
    repeated = len(points) - len(different)
    if repeated:
        yield Finding("RepeatedK", f"{repeated} of {len(points)} points occurred before")
    negated = len(different) - len({x for x, _ in different})
    if negated:
        yield Finding("NegatedK", f"the negatives of {negated} points occurred before")


def _short(points: Sequence[Point]) -> Iterator[Finding]:
    """Yield a finding for a k up to 2^24, or one up to 2^32 among the first.

    Baby-step giant-step (Shanks): k is a multiple of the stride, plus or minus the offset of a
    point in the table. The x of a point is that of its negative, so n - k is found too.
    """
    for strides, chosen in ((_FEW_STRIDES, points), (_MANY_STRIDES, points[:_FIRST])):
        short = sum(_is_short(point, strides) for point in chosen)
        if short:
            most = strides * _STRIDE + _NEAR
            text = f"k or n - k is at most {most:,} for {short} of {len(chosen)} points"
            yield Finding("ShortK", text)
            return


def _is_short(point: Point, strides: int) -> bool:
    """Return whether k or n - k is at most so many strides."""
    table = _near_table()
    steps = _stride_table(strides)
    if point[0] in table or any(point[0] == x for x, _ in steps):
        return True
    return any(x in table for x in around(point, steps))


def _close(points: Sequence[Point]) -> Iterator[Finding]:
    """Yield a finding for values k close to the next or the next but one, or with equal steps."""
    table = _near_table()
    steps = _differences(points, 1)
    close = sum(x in table for x in (*steps, *_differences(points, 2)))
    equal = len(steps) - len(set(steps))
    if close or equal:
        text = f"{close} differences are at most 2^16, and {equal} differences occurred before"
        yield Finding("CounterK", text)


def _differences(points: Sequence[Point], distance: int) -> list[int]:
    """Return the x of the differences of points, without points that are equal or negated."""
    pairs = [
        (left, right)
        for left, right in zip(points, islice(points, distance, None), strict=False)
        if left[0] != right[0]
    ]
    return subtract_all([left for left, _ in pairs], [right for _, right in pairs])


@cache
def _near_table() -> frozenset[int]:
    """Return the x of [1]G to [2^16]G: a third of a second, once in a process."""
    return frozenset(x for x, _ in multiples(finite(BASE), _NEAR))


@cache
def _stride_table(number: int) -> list[Point]:
    """Return the first multiples of the stride."""
    return multiples(finite(multiply(_STRIDE, BASE)), number)

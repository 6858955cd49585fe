"""Welch's t-test, and its use on the times of several classes."""

import itertools
import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

SUSPICIOUS: Final = 4.5
"""The value of |t| that two equal classes reach about 7 times in a million comparisons."""

CERTAIN: Final = 10.0
"""The value of |t| that two equal classes do not reach."""

PERCENTILES: Final = (50, 75, 90, 95, 99, 100)
"""The percentiles of all times; greater times are left out of a comparison."""


class Moments(NamedTuple):
    """The size, the mean and the variance of a sample."""

    size: int
    """Number of values, at least 2."""

    mean: float

    variance: float
    """Variance, estimated with `size` - 1 degrees of freedom."""


class Difference(NamedTuple):
    """The difference of two means, with its test."""

    t: float
    """The statistic of Welch's test, positive if the first mean is greater."""

    degrees_of_freedom: float
    """The degrees of freedom by Welch and Satterthwaite."""

    nanoseconds: float
    """The first mean less the second, in the unit of the values."""


class Comparison(NamedTuple):
    """Two classes, at the percentile that shows the greatest difference."""

    first: str
    second: str
    percentile: int
    difference: Difference

    @property
    def verdict(self) -> str:
        """The meaning of |t|: `no difference`, `suspicious` or `certain`."""
        size = abs(self.difference.t)
        if size > CERTAIN:
            return "certain"
        return "suspicious" if size > SUSPICIOUS else "no difference"


def moments(values: Sequence[int]) -> Moments:
    """Return the moments of at least two integers. The sums are exact."""
    size, total = len(values), sum(values)
    squares = sum(map(operator.mul, values, values))
    return Moments(size, total / size, (size * squares - total**2) / (size * (size - 1)))


def welch(first: Moments, second: Moments) -> Difference:
    """Return the difference of two means (Welch 1947, Satterthwaite 1946).

    Args:
        first: The moments of the first sample.
        second: The moments of the second sample.

    Returns:
        The difference. For two constant samples, t is 0 or infinite, and the degrees of freedom
        are those of equal variances.
    """
    errors = first.variance / first.size, second.variance / second.size
    distance = first.mean - second.mean
    if not any(errors):
        t = math.copysign(math.inf, distance) if distance else 0.0
        return Difference(t, first.size + second.size - 2, distance)
    parts = errors[0] ** 2 / (first.size - 1) + errors[1] ** 2 / (second.size - 1)
    return Difference(distance / math.sqrt(sum(errors)), sum(errors) ** 2 / parts, distance)


def compare(times: Mapping[str, Sequence[int]]) -> list[Comparison]:
    """Compare each pair of classes, and return the pairs with the greatest |t| first.

    Args:
        times: The times by class, in nanoseconds, at least two for each class.

    Returns:
        A comparison for each pair, at the percentile with the greatest |t|.
    """
    greatest: dict[tuple[str, str], Comparison] = {}
    for percentile, sample in _cropped(times):
        for pair in itertools.combinations(sample, 2):
            found = Comparison(*pair, percentile, welch(sample[pair[0]], sample[pair[1]]))
            if pair not in greatest or _size(found) > _size(greatest[pair]):
                greatest[pair] = found
    return sorted(greatest.values(), key=_size, reverse=True)


def _cropped(times: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, dict[str, Moments]]]:
    """Yield the moments of the times up to each percentile of all classes together."""
    every = sorted(itertools.chain.from_iterable(times.values()))
    for percentile in PERCENTILES:
        limit = every[max(0, len(every) * percentile // 100 - 1)]
        kept = {name: [time for time in values if time <= limit] for name, values in times.items()}
        # A class that is nearly always above the limit shows at the higher percentiles.
        yield (
            percentile,
            {name: moments(values) for name, values in kept.items() if len(values) > 1},
        )


def _size(comparison: Comparison) -> float:
    """Return |t|."""
    return abs(comparison.difference.t)

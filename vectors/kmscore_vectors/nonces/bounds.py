"""Bounds on counts of random events, from the exact binomial distribution."""

from functools import lru_cache
from typing import Final

ALARM: Final = 40
"""Each check reports uniform values with a probability of at most 2^-40."""


@lru_cache(maxsize=64)
def usual_counts(trials: int, faces: int, events: int) -> range:
    """Return the counts that are not reported.

    A die with `faces` faces is thrown `trials` times, and `events` counts are looked at, such as
    those of the faces. The probability that any of them is outside the range is at most 2^-40.
    Each tail of each count has an equal part of it (Bonferroni), which is a bound for dependent
    counts too. All numbers are exact integers.

    Args:
        trials: The number of throws, at least 0.
        faces: The number of faces; an event has the probability 1 / `faces`.
        events: The number of counts.

    Returns:
        The range of the usual counts. It is the narrowest one for these tails.
    """
    whole = faces**trials
    parts = (2 * events) << ALARM
    count, term, below = 0, (faces - 1) ** trials, 0  # outcomes with this count, and with fewer
    while (below + term) * parts <= whole:
        below += term
        term = term * (trials - count) // ((count + 1) * (faces - 1))
        count += 1
    least = count
    while (whole - below - term) * parts > whole:
        below += term
        term = term * (trials - count) // ((count + 1) * (faces - 1))
        count += 1
    return range(least, count + 1)

"""How many rows came to what."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

Counts = Counter[str]
"""Rows by status, failed ones by code. A plain counter of texts: it is kept in JSON."""

_FAILED: Final = "failed: "


def parse_counts(value: object) -> Counts:
    """Return what JSON has kept of counts. Raises `ValueError` if it is anything else."""
    if not isinstance(value, dict) or not all(map(_is_count, value.values())):
        raise ValueError("no counts")
    return Counts(value)


def _is_count(value: object) -> bool:
    # To Python, true and false are numbers as well.
    return type(value) is int and value >= 0


def count_failure(counts: Counts, code: str) -> None:
    """Count a row that has failed with a code."""
    counts[_FAILED + code] += 1


def failures(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the rows that have failed by their code, in the order of the codes."""
    return {
        name.removeprefix(_FAILED): number
        for name, number in sorted(counts.items())
        if name.startswith(_FAILED)
    }


def has_failures(counts: Mapping[str, int]) -> bool:
    """Tell whether a row has failed."""
    return any(name.startswith(_FAILED) for name in counts)

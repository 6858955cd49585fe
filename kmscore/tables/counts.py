"""The number of rows by status and by error code."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

Counts = Counter[str]
"""Rows by status, and failed rows by code. The keys are texts, so that JSON can have it."""

NO_CIPHERTEXT: Final = "no ciphertext"
"""The name of the rows without a ciphertext, which are unchanged."""

_FAILED: Final = "failed: "


def parse_counts(value: object) -> Counts:
    """Return the counts that JSON has. Raises `ValueError` for another value."""
    if not isinstance(value, dict) or not all(map(_is_count, value.values())):
        raise ValueError("not counts")
    return Counts(value)


def _is_count(value: object) -> bool:
    # In Python, `True` is an int.
    return type(value) is int and value >= 0


def count_failure(counts: Counts, code: str, number: int = 1) -> None:
    """Count failed rows with a code."""
    counts[_FAILED + code] += number


def failures(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the failed rows by code, in the order of the codes."""
    return {
        name.removeprefix(_FAILED): number
        for name, number in sorted(counts.items())
        if name.startswith(_FAILED)
    }


def has_failures(counts: Mapping[str, int]) -> bool:
    """Return whether a row failed."""
    return any(name.startswith(_FAILED) for name in counts)

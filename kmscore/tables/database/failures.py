"""The failed rows of a rotation."""

from collections import Counter
from typing import Final

from kmscore.tables.database.report import Key, OnFailure, sorted_counts
from kmscore.tables.unusable_versions import UnusableVersions

_MOST_KEYS: Final = 100_000
"""Number of failed rows that are remembered, so that memory is bounded."""


class Failures:
    """The counts of the failed rows of a pass; each row is reported once."""

    def __init__(self, on_failure: OnFailure | None) -> None:
        """Start without failures."""
        self._on_failure = on_failure
        self._counts: Counter[str] = Counter()
        self._reported: set[tuple[Key, str]] = set()
        self.unusable: UnusableVersions = UnusableVersions()

    def begin_pass(self) -> None:
        """Forget the counts, because the next pass reads a failed row again."""
        self._counts.clear()

    def add(self, key: Key, code: str) -> None:
        """Count a failed row, and report it unless an earlier pass did so."""
        self._counts[code] += 1
        if self._on_failure is None or (key, code) in self._reported:
            return
        if len(self._reported) < _MOST_KEYS:
            self._reported.add((key, code))
        self._on_failure(key, code)

    @property
    def counts(self) -> dict[str, int]:
        """The number of failed rows by code, sorted by the code."""
        return sorted_counts(self._counts)

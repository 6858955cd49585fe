"""The result and the progress of the rotation of a column."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

from kmscore._typecheck import check_instance
from kmscore._values import Record
from kmscore.bulk import KeyVersionName
from kmscore.tables.unusable_versions import MAX_VERSIONS

Key = tuple[Any, ...]
"""The values of a primary key, as the driver returns them."""

OnFailure = Callable[[Key, str], None]
"""A function that is called with the primary key and the error code of a failed row."""


class ColumnProgress(NamedTuple):
    """The progress of a rotation, after a batch."""

    pass_number: int
    """The number of the pass, from 1."""

    rows: int
    """The number of rows that were read in all passes."""

    rewritten: int
    """The number of rows with a new ciphertext, in all passes."""

    batch_rows: int
    """The number of rows that were read in this batch."""

    last_key: Key
    """The primary key of the last row of the batch."""

    seconds: float
    """The time since the start of the rotation."""


OnBatch = Callable[[ColumnProgress], None]
"""A function that is called after each batch."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ColumnReport(Record):
    """The result of the rotation of a column.

    The operator `+` adds the reports of two ranges of keys that were rotated at the same time.
    """

    rewritten: int
    """The number of rows with a new ciphertext; in a dry run, those that would get one."""

    skipped: int
    """The number of rows that were not read, because they name the destination version.

    They are **not authenticated**. The database counts them at the end.
    """

    unchanged: int
    """The number of rows that were read and are authentic under the destination, in the last pass.
    """

    failed: Mapping[str, int]
    """The number of rows that failed in the last pass, by error code, sorted by the code."""

    conflicts: int
    """The number of new ciphertexts that were not written, because the row changed after it was
    read, or was deleted. The next pass reads such a row again.
    """

    retried: int
    """The number of transactions that were repeated, for example after a deadlock."""

    passes: int
    """The number of passes over the table, 0 if the first count finds nothing to do."""

    remaining: int
    """The number of ciphertexts that do not name the destination version.

    The database counts them at the end; failed rows are among them.
    """

    seconds: float
    """The duration of the call."""

    unusable_versions: tuple[KeyVersionName, ...] = ()
    """The first key versions that failed rows name, if they are missing or not enabled.

    There are at most 10, of v1 headers, which are not authenticated.
    """

    def __add__(self, other: "ColumnReport") -> "ColumnReport":
        """Return the sum of two reports.

        Args:
            other: The report to add.

        Returns:
            A new report with the sums, and with the larger numbers of passes and seconds.

        Raises:
            TypeError: If `other` is not a `ColumnReport`.
        """
        check_instance(other, ColumnReport, "report")
        return ColumnReport(
            rewritten=self.rewritten + other.rewritten,
            skipped=self.skipped + other.skipped,
            unchanged=self.unchanged + other.unchanged,
            failed=sorted_counts(Counter(self.failed) + Counter(other.failed)),
            conflicts=self.conflicts + other.conflicts,
            retried=self.retried + other.retried,
            passes=max(self.passes, other.passes),
            remaining=self.remaining + other.remaining,
            seconds=max(self.seconds, other.seconds),
            unusable_versions=tuple(
                dict.fromkeys((*self.unusable_versions, *other.unusable_versions))
            )[:MAX_VERSIONS],
        )


def sorted_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Return counts by code, in the order of the codes."""
    return dict(sorted(counts.items()))

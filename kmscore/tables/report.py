"""The progress and the result of a rotation."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from kmscore.tables.counts import NO_CIPHERTEXT, Counts, count_failure, failures, has_failures


class Progress(NamedTuple):
    """The progress of a rotation or a census."""

    phase: str
    """`checking`, `rotating` or `counting`."""

    fraction: float
    """The part of the input that is done, 0 to 1. It does not decrease within a phase."""

    rows: int
    """The number of rows done in this call; rows of an earlier, interrupted call do not count."""


OnProgress = Callable[[Progress], None]
"""A function that is called after each chunk of rows."""


class Report(NamedTuple):
    """The result of a rotation."""

    rows: int
    """The number of rows."""

    rewritten: int
    """The number of rows with a new ciphertext; in a dry run, those that would get one."""

    unchanged: int
    """The number of rows that are up to date, or that have no ciphertext."""

    failed: Mapping[str, int]
    """The number of failed rows by error code, sorted by the code."""

    seconds: float
    """The duration of this call."""

    out: Path | None
    """The new table; `None` in a dry run."""

    failed_rows: Path | None
    """The table, or folder of tables, of the failed rows; `None` without, and in a dry run."""

    other_files: tuple[str, ...] = ()
    """The files of an input folder that are not tables; they are not copied."""

    resumed: int = 0
    """The number of rows that were done in an earlier, interrupted call."""


def make_report(
    counts: Counts,
    started: float,
    out: Path | None,
    bad: Path | None,
    other_files: tuple[str, ...] = (),
    *,
    rows: int,
) -> Report:
    """Return the report of a job that started at a time of the monotonic clock.

    `rows` is the number of rows that were done in this call.
    """
    return Report(
        rows=counts.total(),
        rewritten=counts["rewritten"],
        unchanged=counts["unchanged"] + counts[NO_CIPHERTEXT],
        failed=failures(counts),
        seconds=time.monotonic() - started,
        out=out,
        failed_rows=bad if has_failures(counts) else None,
        other_files=other_files,
        resumed=counts.total() - rows,
    )


def counts_of(report: Report) -> Counts:
    """Return the counts of a report."""
    counts = Counts(rewritten=report.rewritten, unchanged=report.unchanged)
    for code, number in report.failed.items():
        count_failure(counts, code, number)
    return +counts


class Advance:
    """Sums up the rows of the chunks, and passes the progress on."""

    def __init__(self, phase: str, on_progress: OnProgress | None) -> None:
        """Start a phase without any row."""
        self._progress = Progress(phase, 0.0, 0)
        self._on_progress = on_progress

    @property
    def rows(self) -> int:
        """The number of rows that are done."""
        return self._progress.rows

    def __call__(self, fraction: float, rows: int) -> None:
        """Add the rows of a chunk. Chunks are done in any order, but the fraction only grows."""
        progress = self._progress
        self._progress = progress._replace(
            fraction=max(progress.fraction, fraction), rows=progress.rows + rows
        )
        if self._on_progress is not None:
            self._on_progress(self._progress)

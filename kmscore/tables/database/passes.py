"""Passes over a column: batches that are read, re-encrypted and swapped."""

import time
from typing import Final, NamedTuple

from kmscore.tables.database.batches import DOES_NOT_FIT, REJECTED, Batches, Reencrypt
from kmscore.tables.database.column import Column, Names
from kmscore.tables.database.counting import Remainder, count_remainder
from kmscore.tables.database.errors import AllFirstRowsFailedError
from kmscore.tables.database.failures import Failures
from kmscore.tables.database.pace import Pace
from kmscore.tables.database.paging import WHOLE_TABLE, KeyRange, read_batch
from kmscore.tables.database.predicates import begins_with, does_not_hold
from kmscore.tables.database.report import ColumnProgress, ColumnReport, Key, OnBatch, OnFailure
from kmscore.tables.database.swap import Swapper
from kmscore.tables.database.transactions import Database, Rows
from kmscore.tables.first_rows import FirstRows

FIRST_ROWS: Final = 1000
"""The number of rows after which a rotation stops if all of them failed."""

_REASONS: Final = {
    DOES_NOT_FIT: "the new ciphertexts are longer than the declared length of the column",
    REJECTED: "the database rejects the new ciphertexts, for example in a CHECK or a trigger",
}
"""The reasons for codes that files do not have."""


class Plan(NamedTuple):
    """The settings of a rotation."""

    names: Names
    key_range: KeyRange
    passes: int
    is_dry_run: bool
    reads_all: bool
    """Whether rows that name the destination version are read too."""

    changes_contexts: bool
    """Whether rows get another context."""

    ambiguous: str
    """What to do if a context is ambiguous in the layout of the source; empty if none can be."""

    keep_going: bool
    """Whether the rotation goes on if all of the first rows fail."""

    on_failure: OnFailure | None
    on_batch: OnBatch | None


class Rotation:
    """A rotation that is under way."""

    def __init__(
        self, database: Database, column: Column, plan: Plan, pace: Pace, header: bytes
    ) -> None:
        """Start before the first pass; `header` is that of the destination version."""
        self._database = database
        self._column = column
        self._plan = plan
        self._pace = pace
        self._swapper = Swapper(database, column)
        self._failures = Failures(plan.on_failure)
        self._is_current = begins_with(column.blob, header, is_base64=column.is_base64)
        self._started = time.monotonic()
        self._rows = self._rewritten = self._unchanged = self._conflicts = self._passes = 0
        self._has_changed = False
        """Whether a row was rewritten, or had a conflict, in this pass."""

        self._checks_first = False

    def run(self, reencrypt: Reencrypt) -> ColumnReport:
        """Return the report after the last pass."""
        batches = Batches(self._column, reencrypt, self._failures)
        remainder = self._count()
        self._checks_first = (
            # Otherwise the first rows could be those that failed in an earlier call.
            remainder.current == 0
            and remainder.other > FIRST_ROWS
            # Other calls can write other ranges at the same time, or have written them.
            and self._plan.key_range == WHOLE_TABLE
            and not self._plan.keep_going
        )
        while self._is_pass_due(remainder):
            self._pass(batches)
            remainder = self._count()
        return self._report(remainder)

    def _count(self) -> Remainder:
        """Return the counts that the database makes."""
        return count_remainder(self._database, self._column, self._is_current, self._plan.key_range)

    def _is_pass_due(self, remainder: Remainder) -> bool:
        """Return whether a pass can find a row to change."""
        plan = self._plan
        if self._passes == 0:
            return plan.reads_all or remainder.other > 0
        if plan.is_dry_run or self._passes == plan.passes or not self._has_changed:
            return False
        # The header of a blob does not show its context.
        return plan.changes_contexts or remainder.other > 0

    def _pass(self, batches: Batches) -> None:
        """Read each row of the range once, in the order of the primary key."""
        self._passes += 1
        self._unchanged = 0
        self._has_changed = False
        self._failures.begin_pass()
        after, last = self._plan.key_range
        conditions = () if self._plan.reads_all else (does_not_hold(self._is_current),)
        while True:
            started = time.monotonic()
            rows = read_batch(
                self._database, self._column, conditions, (after, last), self._pace.rows
            )
            if not rows:
                return
            after = tuple(rows[-1][: len(self._column.keys)])
            self._batch(batches, rows)
            if self._plan.on_batch is not None:
                self._plan.on_batch(self._progress(len(rows), after))
            if self._checks_first and self._rows - batches.empty >= FIRST_ROWS:
                self._checks_first = False
                self._check_first_rows()
            self._pace.pause(len(rows), started)

    def _batch(self, batches: Batches, rows: Rows) -> None:
        """Re-encrypt and write some rows. No transaction is open while they are re-encrypted."""
        done = batches.reencrypt(rows)
        started = time.monotonic()
        written, rejected = self._swapper.swap(done.swaps)
        self._pace.learn(len(rows), done.size, time.monotonic() - started)
        for key in rejected:
            self._failures.add(key, REJECTED)
        self._rows += len(rows)
        self._rewritten += done.rewritten + written
        self._unchanged += done.unchanged
        self._conflicts += len(done.swaps) - written - len(rejected)
        self._has_changed |= len(done.swaps) > len(rejected)

    def _check_first_rows(self) -> None:
        """Raise `AllFirstRowsFailedError` if every row failed."""
        failed = self._failures.counts
        if sum(failed.values()) < self._rows:
            return
        names, columns = self._plan.names, self._column.columns

        def column_names() -> list[str]:
            return self._database.inspect(
                lambda found: [
                    each["name"] for each in found.get_columns(names.table, schema=names.schema)
                ]
            )

        rows = FirstRows(
            failed,
            columns,
            column_names,
            self._failures.unusable.names,
            self._plan.ambiguous,
            _REASONS,
            "the keys, or the options, are probably wrong",
        )
        raise AllFirstRowsFailedError(str(self._database.error(rows.describe())))

    def _progress(self, batch_rows: int, last_key: Key) -> ColumnProgress:
        return ColumnProgress(
            pass_number=self._passes,
            rows=self._rows,
            rewritten=self._rewritten,
            batch_rows=batch_rows,
            last_key=last_key,
            seconds=time.monotonic() - self._started,
        )

    def _report(self, remainder: Remainder) -> ColumnReport:
        """Return the counts, with those that the database made at the end."""
        written = 0 if self._plan.is_dry_run else self._rewritten
        return ColumnReport(
            rewritten=self._rewritten,
            # Fewer are current than were written if some were deleted after that.
            skipped=0 if self._plan.reads_all else max(0, remainder.current - written),
            unchanged=self._unchanged,
            failed=self._failures.counts,
            conflicts=self._conflicts,
            retried=self._database.retried,
            passes=self._passes,
            remaining=remainder.other,
            seconds=time.monotonic() - self._started,
            unusable_versions=self._failures.unusable.names,
        )

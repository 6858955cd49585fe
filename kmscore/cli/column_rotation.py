"""The rotation of a column by the command line: found, counted, rotated, with its progress."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from kmscore import Keyring
from kmscore.bulk.conversion import keys_for
from kmscore.cli.column_jobs import Batch, ColumnJob, run_job
from kmscore.cli.column_report import ColumnResult
from kmscore.cli.database_engine import Engine, open_database
from kmscore.cli.database_options import DatabaseUrl
from kmscore.cli.failed_keys import FailedKeys
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import progress
from kmscore.lookup import sealing_key
from kmscore.tables import Progress, TableError
from kmscore.tables.database import ColumnReport, DatabaseError
from kmscore.tables.database.column import Names
from kmscore.tables.database.expectation import Expectation
from kmscore.tables.first_rows import AllRowsFailedError
from kmscore.tables.report import OnProgress

_AGAIN: Final = "; the same command again continues"


@contextmanager
def found_column(
    url: DatabaseUrl, destination: str, options: Mapping[str, Any], failed: Path | None
) -> Iterator["ColumnRotation"]:
    """Find a column, and close its database at the end.

    The options are arguments of `reencrypt_column` by name. Raises `FileProblem` and
    `DatabaseError`.
    """
    with FailedKeys(failed) as failures, open_database(url) as engine:
        yield ColumnRotation((url, engine), destination, options, failures)


class ColumnRotation:
    """A column that was found in its database, before it is rotated."""

    def __init__(
        self,
        database: tuple[DatabaseUrl, Engine],
        destination: str,
        options: Mapping[str, Any],
        failed: FailedKeys,
    ) -> None:
        """Find the column. Raises `FileProblem` and `DatabaseError`."""
        self._database = database
        self._destination = destination
        self._options = options
        self._failed = failed
        names = Names(
            table=options["table"],
            blob=options["blob_column"],
            schema=options["schema"],
            is_base64=options["encoding"] == "base64",
            context=options["context_column"],
            contexts=options["context_columns"],
            destination_context=options["destination_context_column"],
            where=options["where"],
            preserved=options["preserve_columns"],
        )
        try:
            self._expectation = Expectation(self._database[1], names)
        except ValueError as error:
            raise FileProblem(str(error)) from None
        self._expected = 0
        self._rows = 0
        self.hint: str = ""
        """The words for an interrupted rotation."""

    @property
    def _is_dry_run(self) -> bool:
        return bool(self._options["dry_run"])

    def run(self, keys: Keyring, jobs: int) -> ColumnResult:
        """Rotate the column, and write the file of failed rows.

        Raises `FileProblem`, `TableError`, and the errors of `reencrypt_column` for the keys.
        """
        header = sealing_key(keys, self._destination).header
        keys_for(keys, self._options["source_profile"])
        reads_all = self._options["verify"] or bool(self._options["destination_context_column"])
        with progress() as show:
            show(Progress("counting", 0.0, 0))
            self._expected = self._expectation.count(header, reads_all=reads_all)
            started = time.monotonic()
            report = self._rotate(keys, jobs, show)
            seconds = time.monotonic() - started
        return ColumnResult(report, self._rows, seconds, self._failed.write(), self._is_dry_run)

    def _rotate(self, keys: Keyring, jobs: int, show: OnProgress) -> ColumnReport:
        """Rotate the column. Raises the errors of `run`, with the hint."""

        def on_batch(batch: Batch) -> None:
            for key, code in batch.failed:
                self._failed.add(self._expectation.key_names, key, code)
            self._rows += batch.rows
            show(self._progress())

        if not self._is_dry_run:
            self.hint = _AGAIN
        try:
            return run_job(self._job(), self._database, keys, jobs, on_batch)
        except AllRowsFailedError:  # its text has the next step
            raise
        except TableError as error:
            is_rejected = isinstance(error, DatabaseError)
            correct = "; correct the cause first" if is_rejected and self.hint else ""
            reason = f"{error}{correct}{self.hint}"
        raise TableError(reason)

    def _job(self) -> ColumnJob:
        """Return the arguments of the rotation."""
        options = dict(self._options)
        table, schema = options.pop("table"), options.pop("schema")
        return ColumnJob(self._destination, table, schema, options.pop("rows_per_second"), options)

    def _progress(self) -> Progress:
        """Return the progress; later passes can read rows again."""
        fraction = min(1.0, self._rows / self._expected) if self._expected else 1.0
        return Progress("rotating", fraction, self._rows)

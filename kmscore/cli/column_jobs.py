"""The rotation of a column, in this process or in several."""

from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from functools import partial, reduce
from operator import add
from typing import Any, Final, NamedTuple

from kmscore import Keyring
from kmscore.cli.database_engine import Engine, make_engine
from kmscore.cli.database_options import DatabaseUrl
from kmscore.tables.crew import Note, in_processes
from kmscore.tables.database import ColumnProgress, ColumnReport, key_ranges, reencrypt_column
from kmscore.tables.database.paging import WHOLE_TABLE, KeyRange
from kmscore.tables.database.report import Key
from kmscore.tables.worker_keys import WorkerKeys

_RANGES: Final = 8
"""Ranges of keys for each process, so that all have work until near the end."""


class Batch(NamedTuple):
    """The progress of a rotation in one batch."""

    rows: int
    failed: tuple[tuple[Key, str], ...]
    """The primary keys and codes of failed rows that were not reported before."""


OnBatch = Callable[[Batch], None]


class ColumnJob(NamedTuple):
    """The arguments of `reencrypt_column`, without the engine, the keys and the range."""

    destination: str
    table: str
    schema: str | None
    rows_per_second: float | None
    options: Mapping[str, Any]
    """All other arguments by name."""

    def run(
        self, engine: Engine, keys: Keyring, on_batch: OnBatch, key_range: KeyRange
    ) -> ColumnReport:
        """Rotate a range of keys. Raises the errors of `reencrypt_column`."""
        failed: list[tuple[Key, str]] = []

        def tell(now: ColumnProgress) -> None:
            on_batch(Batch(now.batch_rows, tuple(failed)))
            failed.clear()

        return reencrypt_column(
            engine,
            keys,
            self.destination,
            table=self.table,
            schema=self.schema,
            rows_per_second=self.rows_per_second,
            **self.options,
            key_range=key_range,
            on_failure=lambda key, code: failed.append((key, code)),
            on_batch=tell,
        )


def run_job(
    job: ColumnJob,
    database: tuple[DatabaseUrl, Engine],
    keys: Keyring,
    jobs: int,
    on_batch: OnBatch,
) -> ColumnReport:
    """Rotate a column in one process or more.

    Raises the errors of `reencrypt_column`, and `WorkerError` if a process dies.
    """
    url, engine = database
    if jobs == 1:
        return job.run(engine, keys, on_batch, WHOLE_TABLE)
    ranges = key_ranges(engine, job.table, jobs * _RANGES, schema=job.schema)
    engine.dispose()
    with closing(_reports(job, url, keys, ranges, min(jobs, len(ranges)), on_batch)) as reports:
        return reduce(add, reports)


def _reports(
    job: ColumnJob,
    url: DatabaseUrl,
    keys: Keyring,
    ranges: list[KeyRange],
    jobs: int,
    on_batch: OnBatch,
) -> Generator[ColumnReport, None, None]:
    """Yield the report of each range of keys."""
    if job.rows_per_second is not None:
        job = job._replace(rows_per_second=job.rows_per_second / jobs)
    begin = partial(_begin, job, url, WorkerKeys.of(keys))
    with closing(in_processes(begin, ranges, jobs, with_notes=True)) as results:
        for result in results:
            if isinstance(result, Note):
                on_batch(result.value)
            else:
                yield result


def _begin(
    job: ColumnJob, url: DatabaseUrl, worker_keys: WorkerKeys, tell: OnBatch
) -> Callable[[KeyRange], ColumnReport]:
    """Return the function that rotates a range in a worker process, which opens its own engine."""
    return partial(job.run, make_engine(url), worker_keys.open(), tell)

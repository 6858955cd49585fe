"""Rotation of one file: the table in, the new table out, failed rows in a file of their own."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from kmscore.tables.counts import Counts
from kmscore.tables.crew import WorkerError
from kmscore.tables.errors import JobError, TableError, describe
from kmscore.tables.first_rows import AllRowsFailedError, check_first_rows
from kmscore.tables.formats import input_of, table_of
from kmscore.tables.job_folder import JobFolder, partial_path
from kmscore.tables.journal import Journal
from kmscore.tables.key_check import KeyCheck
from kmscore.tables.options import Options, destination_of, identity_of
from kmscore.tables.permissions import Permissions
from kmscore.tables.report import Advance, OnProgress, Report, make_report
from kmscore.tables.result import TableResult
from kmscore.tables.table import CHUNK_ROWS, Table
from kmscore.tables.work import Crew, TableJob, Task, work


class Files(NamedTuple):
    """The input and the two results of one file."""

    source: Path
    out: Path
    bad: Path
    """The table of the failed rows."""


def rehearse_file(
    source: Path, crew: Crew, options: Options, on_progress: OnProgress | None
) -> Report:
    """Decrypt all rows of a file, and write nothing. Raises the errors of `rotate`."""
    started = time.monotonic()
    table = _open(source, options, on_progress)
    job = TableJob(table, options, is_dry_run=True)
    _, counts = _run(source, job, crew, None, Advance("rotating", on_progress))
    return make_report(counts, started, None, None, rows=counts.total())


def rotate_file(
    files: Files,
    crew: Crew,
    options: Options,
    on_progress: OnProgress | None = None,
    *,
    resume: bool,
    keep_job: bool,
) -> Report:
    """Re-encrypt a file. Raises the errors of `rotate`."""
    started = time.monotonic()
    source, out, bad = files
    before = source.stat()
    if table_of(out).suffix != input_of(source, options.delimiter).suffix:
        raise TableError(f"{out}: OUT must have the same format as IN")
    table = _open(source, options, on_progress)
    destination = destination_of(crew.keys, options)
    job = TableJob(table, options, is_dry_run=False)
    identity = _identity(before, job, destination.key_version_id)
    check = KeyCheck(crew.keys, destination.key_id, identity)
    result = TableResult(partial_path(out), out, bad, Permissions.of(source))
    folder = JobFolder(partial_path(out), result)
    try:
        with folder:
            folder.begin(identity, check, resume=resume)
            advance = Advance("rotating", on_progress)
            if not result.is_done:
                number, _ = _run(source, job, crew, result.journal, advance)
                _check_unchanged(source, before, table, result.journal)
                result.join(
                    number,
                    lambda paths, file, is_bad: table.join(paths, source, file, is_bad=is_bad),
                )
            counts = result.finish()
    except AllRowsFailedError:
        if result.journal.is_empty:
            folder.remove()
        raise
    except (OSError, WorkerError, MemoryError) as error:
        raise job_error(error, out) from None
    if not keep_job:
        folder.remove()
    return make_report(counts, started, out, bad, rows=advance.rows)


def job_error(error: Exception, out: Path) -> JobError:
    """Return the error of a job that ended for a reason outside of it."""
    reason = describe(error, out) if isinstance(error, OSError) else str(error)
    return JobError(reason or "too little memory", can_resume=partial_path(out).exists())


def _open(source: Path, options: Options, on_progress: OnProgress | None) -> Table:
    """Return the format of a file after a check of its columns and rows. Raises `TableError`."""
    table = input_of(source, options.delimiter)
    table.check_columns(source, options.columns)
    advance = Advance("checking", on_progress)
    for fraction in table.check_rows(source, options.columns):
        advance(fraction, 0)
    return table


def _run(
    source: Path, job: TableJob, crew: Crew, journal: Journal | None, advance: Advance
) -> tuple[int, Counts]:
    """Do the remaining chunks of a job; return the number of all chunks, and the counts.

    A dry run has no journal.
    """
    table, options = job.table, job.options
    total, counts = 0, Counts()

    def tasks() -> Iterator[Task]:
        nonlocal total, counts
        for number, chunk in enumerate(table.chunks(source)):
            total = number + 1
            if journal is None:
                yield Task(number, chunk, None)
            elif not journal.is_whole(number):
                yield Task(number, chunk, journal.paths(number))
            else:
                counts += journal.take(number, table.digest(chunk))
                advance(chunk.position, 0)

    remaining = tasks()
    first = next(remaining, None)
    if first is None:
        return total, counts
    # The first chunk in this process: a wrong option is found before any process starts.
    alone = Crew(crew.keys)
    with (
        closing(work(job, alone, [first])) as one,
        closing(work(job, crew, remaining)) as others,
    ):
        for done in chain(one, others):
            # Before the record, so that a resumed job checks them again.
            if done.number == 0 and done.position < 1 and not options.keep_going:
                check_first_rows(done.part.counts, done.unusable, source, table, options)
            if journal is not None:
                journal.commit(done.number, done.part)
            counts += done.part.counts
            advance(done.position, done.part.counts.total())
    return total, counts


def _identity(status: os.stat_result, job: TableJob, destination_version_id: str) -> dict[str, Any]:
    """Return the properties that must be the same to resume a job."""
    return {
        "input size": status.st_size,
        "input time": status.st_mtime_ns,
        "format": job.table.suffix,
        "rows a part": CHUNK_ROWS,
        **identity_of(job.options, destination_version_id),
    }


def _check_unchanged(source: Path, before: os.stat_result, table: Table, journal: Journal) -> None:
    """Raise `TableError` if the input was changed during the job."""
    now = source.stat()
    is_changed = (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
    if not is_changed and (now.st_ctime_ns, now.st_ino) != (before.st_ctime_ns, before.st_ino):
        # A change of the content whose time was set back, or only a new name or mode: read again.
        digests = [table.digest(chunk) for chunk in table.chunks(source)]
        is_changed = digests != journal.chunk_digests(len(digests))
    if is_changed:
        raise TableError(f"{source} was changed while it was read; start again")

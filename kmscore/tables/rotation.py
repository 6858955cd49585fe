"""Rotation of a table: the table in, the new table out, failed rows in a file of their own."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

from kmscore import decrypt, encrypt
from kmscore._base64 import decode_base64, encode_base64
from kmscore._typecheck import check_instance, check_integer
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.errors import KmsCoreError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.lookup import check_provider, sealing_key
from kmscore.tables.columns import Columns
from kmscore.tables.counts import Counts, failures, has_failures
from kmscore.tables.crew import WorkerError
from kmscore.tables.errors import TableError, describe
from kmscore.tables.first_rows import AllRowsFailedError, check_first_rows
from kmscore.tables.formats import input_of, table_of
from kmscore.tables.job_folder import JobFolder, partial_path
from kmscore.tables.journal import Journal
from kmscore.tables.options import Options
from kmscore.tables.permissions import Permissions
from kmscore.tables.table import CHUNK_ROWS, Table
from kmscore.tables.work import Assignment, TableJob, Task, work
from kmscore.tables.worker_keys import WorkerKeys

MAX_JOBS: Final = 256
"""Maximum number of worker processes."""


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
    """The table of the failed rows; `None` if there are none, and in a dry run."""


def is_unfinished(out: Path | None) -> bool:
    """Return whether there is a job that `resume` would finish.

    Args:
        out: The path of the new table; `None` is a dry run.

    Returns:
        Whether the folder of a job exists; `False` for a dry run.
    """
    return out is not None and partial_path(out).exists()


def failed_path(out: Path) -> Path:
    """Return the path of the table of the failed rows.

    Args:
        out: The path of the new table.

    Returns:
        The path in the same folder: `out.failed.csv` for `out.csv`.
    """
    return out.with_name(f"{out.stem}.failed{out.suffix}")


def check_columns(source: Path, columns: Columns) -> None:
    """Check that a table can be read and has the columns; no key is needed.

    Args:
        source: The path of the table.
        columns: The names of the columns.

    Raises:
        TableError: If the file cannot be read, has another format than its name says, or has no
            column, or more than one, with one of the names.
    """
    input_of(source).check_columns(source, columns)


def rotate(
    source: Path,
    out: Path | None,
    keys: KeyProvider,
    options: Options,
    *,
    jobs: int = 1,
    resume: bool = False,
    keep_job: bool = False,
    on_progress: OnProgress | None = None,
) -> Report:
    """Re-encrypt the ciphertexts of a table under the primary version of a key.

    All rows keep their order. The new table has all rows except for the failed ones; they are in a
    second table with row number, error code and reason. Only ciphertexts change. Both tables get
    their names when they are complete, and no existing file is overwritten. An interrupted call
    leaves a folder `OUT.partial`, and the same call with `resume` finishes the job.

    Args:
        source: The path of the table: .csv, .jsonl, .ndjson or .parquet. Parquet needs the extra
            `arrow`.
        out: The path of the new table, with the suffix of the same format. `None` is a dry run,
            which decrypts all rows and writes no file.
        keys: The provider of the source keys and of the destination key.
        options: The destination key, the columns, and the rules for every row.
        jobs: The number of worker processes, 1 to 256 (default 1, no extra process).
        resume: Whether to finish an interrupted job, if there is one (default `False`).
        keep_job: Whether to keep the counts in the folder after the job is complete, so that a
            call with `resume` returns the report again (default `False`). `forget_job` removes it.
        on_progress: A function that is called with the progress (default `None`).

    Returns:
        The counts, and the paths of the two tables.

    Raises:
        TypeError: If an argument has the wrong type; if `jobs` is more than 1 and `keys` is not a
            `Keyring`; or if `keys` returns an object that is not a key.
        ValueError: If `jobs` is out of its range, or if `resume` is given in a dry run.
        UnsupportedAlgorithmError: If the algorithm of the source is unknown.
        TableError: If the input cannot be read, lacks a column or changes during the job; if all
            of the first rows fail and `options.keep_going` is `False`; if a result exists already;
            if there is an unfinished job and no `resume`, or one with other options or keys; if
            disk or memory are full; or if a worker process dies.
        KeyNotFoundError: If the destination key does not exist.
        IncorrectKeyError: If `keys` returns a destination key with another ID.
        KeyStateError: If the destination key is not enabled.
        KeyUsageError: If the destination key is asymmetric.
        Exception: Any other exception of `keys` or `on_progress`, unchanged.
    """
    started = time.monotonic()
    _check_arguments(source, out, keys, options, jobs, resume=resume)
    table = input_of(source)
    before = source.stat()
    if out is not None and table_of(out).suffix != table.suffix:
        raise TableError(f"{out}: OUT must have the same format as IN")
    table.check_columns(source, options.columns)
    _check_rows(table, source, on_progress)
    worker_keys = WorkerKeys.of(keys) if jobs > 1 and isinstance(keys, Keyring) else None
    assignment = Assignment(TableJob(table, options, out is None), keys, worker_keys, jobs)
    advance = _Advance("rotating", on_progress)
    destination = sealing_key(keys, options.destination_key_id)
    if out is None:
        _, counts = _run(source, assignment, None, advance)
        return _report(counts, started, None)
    bad = failed_path(out)
    identity = _identity(before, assignment.job, destination.key_version_id)
    check = _KeyCheck(keys, destination.key_id, identity)
    folder = JobFolder(out, bad, Permissions.of(source))
    try:
        with folder:
            folder.begin(identity, check, resume=resume)
            if not folder.is_done:
                number, _ = _run(source, assignment, folder.journal, advance)
                _check_unchanged(source, before, table, folder.journal)
                folder.join(
                    number,
                    lambda paths, file, is_bad: table.join(paths, source, file, is_bad=is_bad),
                )
            counts = folder.finish()
    except AllRowsFailedError:
        folder.remove()
        raise
    except (OSError, WorkerError, MemoryError) as error:
        reason = describe(error, out) if isinstance(error, OSError) else str(error)
        raise TableError(reason or "too little memory", can_resume=is_unfinished(out)) from None
    if not keep_job:
        folder.remove()
    return _report(counts, started, out)


def forget_job(out: Path) -> None:
    """Remove the folder of a complete job that was run with `keep_job`.

    Args:
        out: The path of the new table.

    Raises:
        OSError: If the table cannot be found.
    """
    JobFolder(out, failed_path(out), Permissions.of(out)).remove()


def _check_arguments(
    source: Path, out: Path | None, keys: KeyProvider, options: Options, jobs: int, *, resume: bool
) -> None:
    """Check the arguments of `rotate`, first their types. Raises its errors."""
    check_instance(source, Path, "source")
    if out is not None:
        check_instance(out, Path, "out")
    check_provider(keys)
    check_instance(options, Options, "options")
    check_integer(jobs, "jobs")
    if jobs > 1:
        check_instance(keys, Keyring, "keys")
    if not 1 <= jobs <= MAX_JOBS:
        raise ValueError(f"jobs of {jobs}, 1 to {MAX_JOBS} allowed")
    if out is None and resume:
        raise ValueError("a dry run cannot be resumed")
    if options.columns.source.algorithm is not None:
        EncryptionAlgorithm.of(options.columns.source.algorithm, "algorithm")


def _report(counts: Counts, started: float, out: Path | None) -> Report:
    return Report(
        rows=counts.total(),
        rewritten=counts["rewritten"],
        unchanged=counts["unchanged"],
        failed=failures(counts),
        seconds=time.monotonic() - started,
        out=out,
        failed_rows=failed_path(out) if out is not None and has_failures(counts) else None,
    )


class _Advance:
    """Sums up the rows of the chunks, and passes the progress on."""

    def __init__(self, phase: str, on_progress: OnProgress | None) -> None:
        self._progress = Progress(phase, 0.0, 0)
        self._on_progress = on_progress

    def __call__(self, fraction: float, rows: int) -> None:
        """Add the rows of a chunk. Chunks are done in any order, but the fraction only grows."""
        progress = self._progress
        self._progress = progress._replace(
            fraction=max(progress.fraction, fraction), rows=progress.rows + rows
        )
        if self._on_progress is not None:
            self._on_progress(self._progress)


def _check_rows(table: Table, source: Path, on_progress: OnProgress | None) -> None:
    """Check all rows before the first is written. Raises `TableError`."""
    advance = _Advance("checking", on_progress)
    for fraction in table.check_rows(source):
        advance(fraction, 0)


def _run(
    source: Path, assignment: Assignment, journal: Journal | None, advance: "_Advance"
) -> tuple[int, Counts]:
    """Do the remaining chunks of a job; return the number of all chunks, and the counts.

    A dry run has no journal.
    """
    table = assignment.job.table
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
                counts += journal.take(number, chunk.digest())
                advance(chunk.position, 0)

    remaining = tasks()
    first = next(remaining, None)
    if first is None:
        return total, counts
    # The first chunk in this process: a wrong option is found before any process starts.
    alone = assignment._replace(worker_keys=None)
    with closing(work(alone, [first])) as one, closing(work(assignment, remaining)) as others:
        for done in chain(one, others):
            if journal is not None:
                journal.commit(done.number, done.part)
            counts += done.part.counts
            advance(done.position, done.part.counts.total())
            if done.number == 0 and done.position < 1 and not assignment.job.options.keep_going:
                check_first_rows(done.part.counts, source, table, assignment.job.options.columns)
    return total, counts


class _KeyCheck:
    """An empty blob under the destination key, in the context of the identity of the job."""

    def __init__(self, keys: KeyProvider, key_id: str, identity: Mapping[str, Any]) -> None:
        self._keys = keys
        self._key_id = key_id
        # A digest, because the names of columns can be longer than a context.
        text = json.dumps(identity, sort_keys=True)
        self._context = {"job": sha256(text.encode("ascii")).hexdigest()}

    def seal(self) -> str:
        """Return the blob in Base64."""
        return encode_base64(encrypt(self._keys, self._key_id, b"", self._context).ciphertext_blob)

    def opens(self, sealed: str) -> bool:
        """Return whether the blob can be decrypted."""
        try:
            decrypt(self._keys, decode_base64(sealed.encode("ascii")) or b"", self._context)
        except KmsCoreError:
            return False
        return True


def _identity(status: os.stat_result, job: TableJob, destination_version_id: str) -> dict[str, Any]:
    """Return the properties that must be the same to resume a job."""
    return {
        "input size": status.st_size,
        "input time": status.st_mtime_ns,
        "format": job.table.suffix,
        "rows a part": CHUNK_ROWS,
        "columns": repr(job.options.columns),
        "destination": f"{job.options.destination_key_id}/{destination_version_id}",
        "skip current": job.options.skip_current,
        "upgrade only": job.options.upgrade_only,
    }


def _check_unchanged(source: Path, before: os.stat_result, table: Table, journal: Journal) -> None:
    """Raise `TableError` if the input was changed during the job."""
    now = source.stat()
    is_changed = (now.st_size, now.st_mtime_ns) != (before.st_size, before.st_mtime_ns)
    if not is_changed and (now.st_ctime_ns, now.st_ino) != (before.st_ctime_ns, before.st_ino):
        # A change of the content whose time was set back, or only a new name or mode: read again.
        digests = [chunk.digest() for chunk in table.chunks(source)]
        is_changed = digests != journal.chunk_digests(len(digests))
    if is_changed:
        raise TableError(f"{source} was changed while it was read; start again")

"""Rotation of a folder of part files, as data engines write them.

The new folder has the same names. It is built in the folder of its job, and gets its name when it
is complete, so that a reader never sees a part of it.

=============  ===================================================================
File           Content
=============  ===================================================================
data           The new folder, until it gets its name.
journal        A line of JSON for each finished file: name, size, time, and counts.
done.json      The counts. Only the name of the new folder can be missing.
=============  ===================================================================
"""

import json
import os
import stat
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from kmscore.bulk.conversion import keys_for
from kmscore.keyring import KeyProvider
from kmscore.tables.columns import Columns, with_constants
from kmscore.tables.counts import Counts, parse_counts
from kmscore.tables.crew import in_processes
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import JobError, TableError, describe
from kmscore.tables.file_rotation import (
    Files,
    job_error,
    rehearse_file,
    rotate_file,
)
from kmscore.tables.first_rows import AllRowsFailedError
from kmscore.tables.formats import SUFFIXES, input_of
from kmscore.tables.job_folder import (
    JobFolder,
    check_free,
    check_present,
    is_done,
    partial_path,
    read_done,
    remove_folder,
    write_done,
)
from kmscore.tables.key_check import KeyCheck
from kmscore.tables.options import Options, destination_of, identity_of
from kmscore.tables.permissions import OWNER_ONLY, Permissions, copy_to_folder
from kmscore.tables.report import OnProgress, Progress, Report, counts_of, make_report
from kmscore.tables.work import Crew
from kmscore.tables.worker_keys import WorkerKeys

_FAILED: Final = "_failed"
"""The folder of the failed rows. Engines ignore names that start with an underscore."""

_JOURNAL: Final = "journal"

_MARK: Final = "_SUCCESS"
"""The empty file with which engines mark a complete folder."""

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
"""The name of a partition of null values."""


_MAX_DEPTH: Final = 100
"""Maximum depth of folders."""


class Part(NamedTuple):
    """A table in the folder."""

    name: str
    """The path in the folder, with slashes."""

    size: int
    time: int
    """The time of the last change in nanoseconds, which a program can set."""

    change: tuple[int, int]
    """The time of the last change of content, name or mode, in nanoseconds, and the inode."""

    columns: Columns
    """With the partitions of the path as constants."""


class Listing(NamedTuple):
    """The files of the input folder."""

    parts: list[Part]
    others: tuple[str, ...]
    """The names of other files, but not of those that engines ignore."""

    has_mark: bool
    """Whether the folder has the mark of a complete folder."""


def failed_folder(out: Path) -> Path:
    """Return the folder of the failed rows of a new folder."""
    return out / _FAILED


def check_folder(source: Path, columns: Columns, delimiter: str = ",") -> Listing:
    """Return the files of a folder after a check of their columns.

    Raises `TableError` if the folder has no table, or if a table lacks a column.
    """
    parts: list[Part] = []
    others: list[str] = []
    try:
        for path in _files(source):
            name = path.relative_to(source).as_posix()
            if not path.name.lower().endswith(SUFFIXES):
                others.append(name)
                continue
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise TableError(f"{path}: not a regular file; a table is read more than once")
            change = status.st_ctime_ns, status.st_ino
            partitioned = _with_partitions(name, columns)
            part = Part(name, status.st_size, status.st_mtime_ns, change, partitioned)
            if part.size:  # engines write empty files for empty partitions
                _check_columns(path, part, columns, delimiter)
            parts.append(part)
        has_mark = (source / _MARK).exists()
    except OSError as error:
        raise TableError(describe(error, source)) from None
    if not parts:
        raise TableError(f"{source}: no file of the folder ends in {', '.join(SUFFIXES)}")
    jobs = {partial_path(source / part.name) for part in parts}
    for part in parts:
        for folder in jobs.intersection((source / part.name).parents):
            raise TableError(f"{folder}: the folder of an unfinished job; finish it, or remove it")
    return Listing(parts, tuple(others), has_mark)


def _files(folder: Path, depth: int = 0) -> Iterator[Path]:
    """Yield the files of a folder in the order of names, without those that engines ignore."""
    if depth > _MAX_DEPTH:
        raise TableError(f"{folder}: more than {_MAX_DEPTH} folders, one in the other")
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")) and "=" not in path.name:
            continue
        if not path.is_dir():
            yield path
        elif path.is_symlink():
            raise TableError(f"{path}: a link to a folder; give the folder itself")
        else:
            yield from _files(path, depth + 1)


def _with_partitions(name: str, columns: Columns) -> Columns:
    """Return the columns of a part: those of its path are constants."""
    pairs = [folder.split("=", 1) for folder in name.split("/")[:-1] if "=" in folder]
    constants = {unquote(key): None if value == _NULL else unquote(value) for key, value in pairs}
    return with_constants(columns, constants)


def _check_columns(path: Path, part: Part, columns: Columns, delimiter: str) -> None:
    """Check the columns of a part. Raises `TableError`."""
    table = input_of(path, delimiter)
    table.check_columns(path, part.columns)
    partitions = set(columns.contexts) - set(part.columns.contexts)
    for name in sorted(partitions.intersection(table.column_names(path))):
        raise TableError(f"{path}: {name!r:.80} is a column and also a partition in the path")


class Task(NamedTuple):
    """A part and its files."""

    part: Part
    files: Files


def rehearse_folder(
    source: Path, crew: Crew, options: Options, on_progress: OnProgress | None
) -> Report:
    """Decrypt all rows of a folder, and write nothing. Raises the errors of `rotate`."""
    started = time.monotonic()
    listing = check_folder(source, options.columns, options.delimiter)
    nowhere = Path()
    tasks = [Task(part, Files(source / part.name, nowhere, nowhere)) for part in listing.parts]
    counts = Counts()
    with closing(_work(tasks, crew, options, on_progress, is_dry_run=True)) as results:
        for _, each in results:
            counts += each.counts
    return make_report(counts, started, None, None, listing.others)


def rotate_folder(
    files: Files,
    crew: Crew,
    options: Options,
    on_progress: OnProgress | None = None,
    *,
    resume: bool,
    keep_job: bool,
) -> Report:
    """Re-encrypt a folder. Raises the errors of `rotate`."""
    started = time.monotonic()
    source, out, bad = files
    listing = check_folder(source, options.columns, options.delimiter)
    destination = destination_of(crew.keys, options)
    identity = identity_of(options, destination.key_version_id)
    check = KeyCheck(crew.keys, destination.key_id, identity)
    result = FolderResult(partial_path(out), source, out)
    folder = JobFolder(partial_path(out), result)
    try:
        with folder:
            folder.begin(identity, check, resume=resume)
            if not result.is_done:
                tasks = result.remaining_tasks(listing.parts)
                with closing(_work(tasks, crew, options, on_progress, is_dry_run=False)) as results:
                    for task, done in results:
                        result.commit(task, done)
                now = check_folder(source, options.columns, options.delimiter)
                if not result.is_of(now, listing):
                    raise TableError(f"{source} was changed while it was read; start again")
                result.complete(has_mark=listing.has_mark)
            counts = result.finish()
    except AllRowsFailedError as error:
        if resume or result.is_begun:
            error.can_resume = True
        else:
            folder.remove()
        raise
    except (OSError, MemoryError, JobError) as error:
        raise job_error(error, out) from None
    if not keep_job:
        folder.remove()
    return make_report(counts, started, out, bad, listing.others)


class _Done(NamedTuple):
    """The result of a file."""

    counts: Counts
    digest: str
    """Of the content of the input; empty in a dry run."""


class _Finished(NamedTuple):
    """The record of a finished file; the first three fields are those of its part."""

    size: int
    time: int
    change: tuple[int, int]
    done: _Done


class FolderResult:
    """The contents of a job folder for a folder of tables."""

    def __init__(self, folder: Path, source: Path, out: Path) -> None:
        """Create the object from the job folder, the input, and the path of the new folder."""
        self._folder = folder
        self._source = source
        self._out = out
        self._data: Path = folder / "data"
        self._known: dict[str, _Finished] = {}
        self._length = 0
        """Number of bytes of the complete lines of the journal."""

    def check_free(self) -> None:
        """Raise `TableError` if the new folder exists."""
        check_free(self._out)

    def create(self, folder: Path) -> None:
        """Create an empty journal and an empty folder."""
        (folder / _JOURNAL).touch(OWNER_ONLY)
        (folder / self._data.name).mkdir()

    def read(self) -> None:
        """Read the journal."""
        journal = (self._folder / _JOURNAL).read_bytes()
        self._length = journal.rfind(b"\n") + 1
        for line in journal[: self._length].splitlines():
            match json.loads(line):
                case [
                    str(name),
                    int(size),
                    int(time),
                    [int(change), int(inode)],
                    str(digest),
                    counts,
                ]:
                    done = _Done(parse_counts(counts), digest)
                    self._known[name] = _Finished(size, time, (change, inode), done)
                case _:
                    raise ValueError("not a finished file")

    def tidy(self) -> None:
        """Remove a truncated line of the journal."""
        os.truncate(self._folder / _JOURNAL, self._length)

    def flush(self) -> None:
        """Do nothing: each file is recorded when it is finished."""

    @property
    def is_begun(self) -> bool:
        """Whether a finished file has a row that did not fail."""
        counts = [each.done.counts for each in self._known.values()]
        return any(each["rewritten"] + each["unchanged"] for each in counts)

    @property
    def is_done(self) -> bool:
        """Whether only the name of the new folder can be missing."""
        return is_done(self._folder)

    def remaining_tasks(self, parts: Sequence[Part]) -> list[Task]:
        """Return the files that are not finished, and make their folders.

        Raises `TableError` if a finished file has changed or is gone.
        """
        present = {part.name: part for part in parts}
        for name in self._known:
            if name not in present or not self._is_same(present[name]):
                raise TableError(
                    f"{self._source / name} was changed after it was rotated: remove"
                    f" {self._folder}, and start again"
                )
        tasks = []
        for part in parts:
            if part.name not in self._known:
                data, failed = self._data / part.name, failed_folder(self._data) / part.name
                for path in (data, failed):
                    path.parent.mkdir(parents=True, exist_ok=True)
                tasks.append(Task(part, Files(self._source / part.name, data, failed)))
        return tasks

    def _is_same(self, part: Part) -> bool:
        """Return whether a finished file has not changed since, also if its time was set back."""
        known = self._known[part.name]
        if (part.size, part.time) != (known.size, known.time):
            return False
        # Another name or mode changes this too, so the content decides.
        return part.change == known.change or _digest(self._source / part.name) == known.done.digest

    def is_of(self, now: Listing, before: Listing) -> bool:
        """Return whether all files are finished, and the input has not changed since."""
        names = [part.name for part in now.parts]
        return (
            names == [part.name for part in before.parts]
            and (now.others, now.has_mark) == (before.others, before.has_mark)
            and all(map(self._is_same, now.parts))
        )

    def commit(self, task: Task, done: "_Done") -> None:
        """Record a finished file, and remove the folder of its job."""
        part = task.part
        line = json.dumps([part.name, part.size, part.time, part.change, done.digest, done.counts])
        with (self._folder / _JOURNAL).open("ab") as file:
            file.write(f"{line}\n".encode("ascii"))
            sync(file)
        self._known[part.name] = _Finished(part.size, part.time, part.change, done)
        remove_folder(partial_path(task.files.out))

    def complete(self, *, has_mark: bool) -> None:
        """Leave only results, give the folders their permissions, and record the counts."""
        failed = failed_folder(self._data)
        for name in self._known:
            if not (self._data / name).exists():
                raise TableError(
                    f"{self._data / name} was written, and is gone: remove {self._folder} to begin"
                    " again"
                )
        results = {folder / name for name in self._known for folder in (self._data, failed)}
        for folder, _, names in os.walk(self._data, topdown=False):
            path = Path(folder)
            for name in names:
                # The folder of the job of a file remains if it could not be removed.
                if path / name not in results:
                    (path / name).unlink()
            original = self._source / path.relative_to(self._data)
            with suppress(OSError):  # not empty; only folders of failed rows can be
                path.rmdir()
                continue
            if original.is_dir():
                copy_to_folder(original, path)
            sync_folder(path)
        if has_mark:
            (self._data / _MARK).touch()
            sync_folder(self._data)
        counts = (each.done.counts for each in self._known.values())
        write_done(self._folder, sum(counts, Counts()))

    def finish(self) -> Counts:
        """Give the new folder its name, and return the counts. Raises `TableError`."""
        counts = read_done(self._folder)
        if self._data.exists():
            # A rename replaces an empty folder, so the path is checked first.
            self.check_free()
            self._data.rename(self._out)
            sync_folder(self._out.parent)
        else:
            check_present(self._out, self._folder)
        return counts


def _work(
    tasks: Sequence[Task],
    crew: Crew,
    options: Options,
    on_progress: OnProgress | None,
    *,
    is_dry_run: bool,
) -> Generator[tuple[Task, "_Done"], None, None]:
    """Yield each task with its result; each worker process takes a whole file."""
    progress = _Progress(tasks, on_progress)
    job = _Job(options, is_dry_run=is_dry_run)
    if crew.worker_keys is None:
        for task in tasks:
            done = _perform(job, crew.keys, task, progress.within)
            progress.add(task, done.counts)
            yield task, done
        return
    begin = partial(_begin, job, crew.worker_keys)
    with closing(in_processes(begin, tasks, crew.jobs)) as results:
        for task, done in results:
            progress.add(task, done.counts)
            yield task, done


class _Job(NamedTuple):
    """The instructions for every file; sent to worker processes."""

    options: Options
    is_dry_run: bool


def _begin(job: _Job, worker_keys: WorkerKeys) -> Callable[[Task], tuple[Task, "_Done"]]:
    """Return the function that performs a task in a worker process."""
    keys = keys_for(worker_keys.open(), job.options.source_profile)
    return lambda task: (task, _perform(job, keys, task, None))


def _perform(job: _Job, keys: KeyProvider, task: Task, on_progress: OnProgress | None) -> _Done:
    """Re-encrypt a file, or resume it, and return its result."""
    files, crew = task.files, Crew(keys)
    options = replace(job.options, columns=task.part.columns)
    if not task.part.size:
        if not job.is_dry_run:
            files.out.unlink(missing_ok=True)
            Permissions.of(files.source).create(files.out).close()
        return _Done(Counts(), _digest(files.source))
    if job.is_dry_run:
        report = rehearse_file(files.source, crew, options, on_progress)
        return _Done(counts_of(report), "")
    report = rotate_file(files, crew, options, on_progress, resume=True, keep_job=True)
    return _Done(counts_of(report), _digest(files.source))


def _digest(path: Path) -> str:
    """Return a digest of the content of a file. Raises `OSError`."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _Progress:
    """The progress over all files, by their sizes."""

    def __init__(self, tasks: Sequence[Task], on_progress: OnProgress | None) -> None:
        self._total = max(1, sum(task.part.size for task in tasks))
        self._sizes = iter([task.part.size for task in tasks])
        self._size = next(self._sizes, 0)
        self._done = self._rows = 0
        self._on_progress = on_progress

    def within(self, now: Progress) -> None:
        """Show the progress within the present file; its check counts as nothing."""
        fraction = now.fraction if now.phase == "rotating" else 0.0
        self._show(fraction * self._size, now.rows)

    def add(self, task: Task, counts: Counts) -> None:
        """Show the progress after a file."""
        self._done += task.part.size
        self._rows += counts.total()
        self._size = next(self._sizes, 0)
        self._show(0, 0)

    def _show(self, size: float, rows: int) -> None:
        if self._on_progress is not None:
            fraction = min(1.0, (self._done + size) / self._total)
            self._on_progress(Progress("rotating", fraction, self._rows + rows))

"""Rotation of a folder of part files: each file as a job of its own."""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from kmscore.bulk.conversion import keys_for
from kmscore.keyring import KeyProvider
from kmscore.tables.counts import Counts
from kmscore.tables.crew import in_processes
from kmscore.tables.errors import JobError, TableError
from kmscore.tables.file_rotation import Files, job_error, rehearse_file, rotate_file
from kmscore.tables.first_rows import AllRowsFailedError
from kmscore.tables.folder import check_folder
from kmscore.tables.folder_result import Done, FolderResult, Task, digest
from kmscore.tables.job_folder import JobFolder, partial_path
from kmscore.tables.key_check import KeyCheck
from kmscore.tables.options import Options, destination_of, identity_of
from kmscore.tables.permissions import Permissions
from kmscore.tables.report import OnProgress, Progress, Report, counts_of, make_report
from kmscore.tables.work import Crew
from kmscore.tables.worker_keys import WorkerKeys


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
    return make_report(counts, started, None, None, listing.others, rows=counts.total())


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
    rows = 0
    try:
        with folder:
            folder.begin(identity, check, resume=resume)
            if not result.is_done:
                tasks = result.remaining_tasks(listing.parts)
                with closing(_work(tasks, crew, options, on_progress, is_dry_run=False)) as results:
                    for task, done in results:
                        result.commit(task, done)
                        rows += done.rows
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
    return make_report(counts, started, out, bad, listing.others, rows=rows)


def _work(
    tasks: Sequence[Task],
    crew: Crew,
    options: Options,
    on_progress: OnProgress | None,
    *,
    is_dry_run: bool,
) -> Generator[tuple[Task, Done], None, None]:
    """Yield each task with its result; each worker process takes a whole file."""
    progress = _Progress(tasks, on_progress)
    job = _Job(options, is_dry_run=is_dry_run)
    if crew.worker_keys is None:
        for task in tasks:
            done = _perform(job, crew.keys, task, progress.within)
            progress.add(task, done.rows)
            yield task, done
        return
    begin = partial(_begin, job, crew.worker_keys)
    with closing(in_processes(begin, tasks, crew.jobs)) as results:
        for task, done in results:
            progress.add(task, done.rows)
            yield task, done


class _Job(NamedTuple):
    """The instructions for every file; sent to worker processes."""

    options: Options
    is_dry_run: bool


def _begin(job: _Job, worker_keys: WorkerKeys) -> Callable[[Task], tuple[Task, Done]]:
    """Return the function that performs a task in a worker process."""
    keys = keys_for(worker_keys.open(), job.options.source_profile)
    return lambda task: (task, _perform(job, keys, task, None))


def _perform(job: _Job, keys: KeyProvider, task: Task, on_progress: OnProgress | None) -> Done:
    """Re-encrypt a file, or resume it, and return its result."""
    files, crew = task.files, Crew(keys)
    options = replace(job.options, columns=task.part.columns)
    if not task.part.size:
        if not job.is_dry_run:
            files.out.unlink(missing_ok=True)
            Permissions.of(files.source).create(files.out).close()
        return Done(Counts(), digest(files.source))
    if job.is_dry_run:
        report = rehearse_file(files.source, crew, options, on_progress)
        return Done(counts_of(report), "", report.rows)
    report = rotate_file(files, crew, options, on_progress, resume=True, keep_job=True)
    return Done(counts_of(report), digest(files.source), report.rows - report.resumed)


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

    def add(self, task: Task, rows: int) -> None:
        """Show the progress after a file, of which a number of rows were done in this call."""
        self._done += task.part.size
        self._rows += rows
        self._size = next(self._sizes, 0)
        self._show(0, 0)

    def _show(self, size: float, rows: int) -> None:
        if self._on_progress is not None:
            fraction = min(1.0, (self._done + size) / self._total)
            self._on_progress(Progress("rotating", fraction, self._rows + rows))

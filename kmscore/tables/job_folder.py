"""The folder in which the result of a job is made, from its begin until all has been told.

===================  ==============================================================
file                 holds
===================  ==============================================================
job.json             what the job is; another one is not taken up here
journal              which parts are whole
00000000.RUN.good    the rows of the first chunk that stay in the table
00000000.RUN.bad     those of them that failed
all.good, all.bad    the two results, until they have their names
placing.good         that `all.good` is getting its name where there are no links
done.json            that no part is missing, and all counts; what is left is to
                     give `all.good` and `all.bad` their names, and to tell the counts
===================  ==============================================================
"""

import errno
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, Self

from kmscore.tables.counts import Counts, has_failures, parse_counts
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import TableError
from kmscore.tables.journal import Journal, begin_journal
from kmscore.tables.lock import lock
from kmscore.tables.permissions import OWNER_ONLY, Permissions
from kmscore.tables.target import KINDS, Join, Target

_JOB: Final = "job.json"
_DONE: Final = "done.json"

_CHECK: Final = "check"
"""Where in job.json the check of the keyring is."""

_A_WHILE: Final = 60
"""Seconds in which a folder gets its name, or is left for good."""


class Check(Protocol):
    """Tells whether a job is taken up with the key that it was begun with."""

    def seal(self) -> str:
        """Return what only the same key opens."""
        ...

    def opens(self, sealed: str) -> bool:
        """Tell whether this key opens it."""
        ...


def partial_path(out: Path) -> Path:
    """Return the folder in which a result is made."""
    return out.with_name(f"{out.name}.partial")


class JobFolder:
    """The folder of one job. Used as a context manager, it keeps others from working there."""

    def __init__(self, out: Path, bad: Path, permissions: Permissions) -> None:
        """Take the two files that the job is to leave, and who may do what with them."""
        self._path = partial_path(out)
        self._targets = {
            kind: Target(self._path, kind, path, permissions)
            for kind, path in zip(KINDS, (out, bad), strict=True)
        }
        self._run = secrets.token_hex(4)
        self._lock: int | None = None
        self.journal: Journal = Journal(self._path, self._run)

    def __enter__(self) -> Self:
        """Return this folder, once it is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Keep what has been done, and let others in."""
        try:
            self.journal.flush()
        finally:
            if self._lock is not None:
                os.close(self._lock)

    def begin(self, job: Mapping[str, Any], check: Check, *, resume: bool) -> None:
        """Make the folder, or with `resume` take up the one that is there.

        Raises `TableError`.
        """
        self._sweep()
        if not os.path.lexists(self._path):
            self._make(job, check)
        elif resume:
            self._take_up(job, check)
        else:
            raise TableError(f"{self._path} is there: an unfinished job", can_resume=True)

    def _sweep(self) -> None:
        """Clear away what processes that were killed have left beside."""
        begun, done = (f".{self._path.name}.{state}-" for state in ("new", "done"))
        for path in self._path.parent.iterdir():
            if path.name.startswith(done) or (path.name.startswith(begun) and _is_left(path)):
                shutil.rmtree(path, ignore_errors=True)

    def _make(self, job: Mapping[str, Any], check: Check) -> None:
        """Make the folder. It has its name only when it can be taken up. Raises `TableError`."""
        for target in self._targets.values():
            target.check_free()
        new = self._hidden("new")
        new.mkdir(0o700)
        # Before anything that can take long: an old folder without a lock is removed.
        (new / _JOB).touch(OWNER_ONLY)
        self._lock = lock(new / _JOB)
        _write(new / _JOB, json.dumps({**job, _CHECK: check.seal()}).encode("ascii"))
        begin_journal(new)
        sync_folder(new)
        try:
            new.rename(self._path)
        except OSError as error:
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                raise
            shutil.rmtree(new, ignore_errors=True)
            raise TableError(
                f"{self._path} is there: another command began this job at the same time"
            ) from None
        sync_folder(self._path.parent)

    def _hidden(self, state: str) -> Path:
        """Return a name beside the folder that nobody looks for, but to clear it away."""
        return self._path.with_name(f".{self._path.name}.{state}-{self._run}")

    def _take_up(self, job: Mapping[str, Any], check: Check) -> None:
        """Check that the folder is this job's, and read the journal. Raises `TableError`."""
        try:
            self._lock = lock(self._path / _JOB)
            known, sealed = self._read_job()
            self.journal.read()
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
            raise TableError(f"{self._path} holds no job: remove it") from None
        for name in sorted({*known, *job}):
            if known.get(name) != job.get(name):
                raise TableError(
                    f"{self._path} is of another job: {name} was {known.get(name)!r},"
                    f" and is {job.get(name)!r}"
                )
        if not check.opens(sealed):
            raise TableError(
                f"{self._path} is of another keyring: its destination version has the same ID"
                " and another key"
            )
        self.journal.tidy()

    def _read_job(self) -> tuple[dict[str, Any], str]:
        """Return what the job is, and what its key has sealed.

        Raises `OSError`, and `ValueError` or `RecursionError` if that is no job.
        """
        job = json.loads((self._path / _JOB).read_bytes())
        sealed = job.pop(_CHECK, None) if isinstance(job, dict) else None
        if not isinstance(sealed, str) or not sealed.isascii():
            raise ValueError("no job")
        return job, sealed

    @property
    def is_done(self) -> bool:
        """Whether only names are missing."""
        return (self._path / _DONE).exists()

    def join(self, number: int, join: Join) -> None:
        """Join so many parts, which are all of the input, and say that it is done.

        Raises `TableError` if there are others of an earlier run.
        """
        self.journal.complete()
        counts = [self.journal.counts_of(each) for each in range(number)]
        paths = [self.journal.whole_paths(each) for each in range(number)]
        good = [path for path, _ in paths]
        bad = [path for each, (_, path) in enumerate(paths) if has_failures(counts[each])]
        for kind, parts in zip(KINDS, (good, bad), strict=True):
            if kind == "good" or parts:
                self._targets[kind].write(parts, join)
        new = self._path / f".{_DONE}"
        _write(new, json.dumps(sum(counts, Counts())).encode("ascii"))
        new.replace(self._path / _DONE)
        sync_folder(self._path)

    def finish(self) -> Counts:
        """Give the results their names; return all counts.

        The file of failed rows is made only if there are some, and named before the other: that
        one is there only when all is. What the job was and its counts stay, to be told again, until
        `remove`. Raises `TableError`.
        """
        counts = self._read_counts()
        for kind in ("bad", "good") if has_failures(counts) else ("good",):
            self._targets[kind].take_name()
        for kind in KINDS:
            for path in self._path.glob(f"*.{kind}"):
                # Clearing away is no part of the job.
                with suppress(OSError):
                    path.unlink()
        return counts

    def _read_counts(self) -> Counts:
        """Return all counts of a job that is done. Raises `TableError` if they are damaged."""
        path = self._path / _DONE
        try:
            return parse_counts(json.loads(path.read_bytes()))
        except (ValueError, RecursionError):
            raise TableError(
                f"{path} is damaged: remove {self._path}, and begin again if the result is missing"
            ) from None

    def remove(self) -> None:
        """Remove the folder of a job that is done and told."""
        # First out of the way, in one step: a folder that is half gone would look unfinished.
        rest = self._hidden("done")
        with suppress(OSError):
            self._path.rename(rest)
            shutil.rmtree(rest, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    """Write a small file, and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        sync(file)


def _is_left(folder: Path) -> bool:
    """Tell whether nobody is at work in a folder that has not got its name yet."""
    try:
        # One that is just being made is not locked yet.
        if time.time() - folder.stat().st_mtime < _A_WHILE:
            return False
        descriptor = lock(folder / _JOB)
    except FileNotFoundError:
        return True
    except (TableError, OSError):
        return False
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None

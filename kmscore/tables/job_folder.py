"""The folder of a job, from its start until its counts have been reported.

`job.json` has the identity of the job, and a check of the destination key. Another job cannot be
resumed in the folder. The other files belong to the contents: the result of a table, or the new
folder of tables.
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
from types import TracebackType
from typing import Any, Final, Protocol, Self

from kmscore.tables.counts import Counts, parse_counts
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import TableError
from kmscore.tables.key_check import KeyCheck
from kmscore.tables.lock import lock
from kmscore.tables.permissions import OWNER_ONLY

_JOB: Final = "job.json"
_DONE: Final = "done.json"

_CHECK: Final = "check"
"""The name of the key check in `job.json`."""

_A_WHILE: Final = 60
"""Age in seconds from which an unlocked folder without its final name is removed."""


class Contents(Protocol):
    """The files of a job in its folder."""

    def check_free(self) -> None:
        """Raise `TableError` if a result exists already."""
        ...

    def create(self, folder: Path) -> None:
        """Create the files of a new job in a folder that does not have its name yet."""
        ...

    def read(self) -> None:
        """Read the files of an earlier run, without changes.

        Raises `OSError`, `ValueError` and `RecursionError` if they are not those of a job.
        """
        ...

    def tidy(self) -> None:
        """Remove incomplete files of an earlier run."""
        ...

    def flush(self) -> None:
        """Record all finished work."""
        ...


def partial_path(out: Path) -> Path:
    """Return the path of the folder of a job."""
    return out.with_name(f"{out.name}.partial")


def write_synced(path: Path, data: bytes) -> None:
    """Write a small file, and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        sync(file)


def is_done(folder: Path) -> bool:
    """Return whether the results are complete, and only their names can be missing."""
    return (folder / _DONE).exists()


def write_done(folder: Path, counts: Counts) -> None:
    """Record the counts of complete results, in one step."""
    new = folder / f".{_DONE}"
    write_synced(new, json.dumps(counts).encode("ascii"))
    new.replace(folder / _DONE)
    sync_folder(folder)


def read_done(folder: Path) -> Counts:
    """Return the counts of complete results. Raises `TableError` if they are damaged."""
    path = folder / _DONE
    try:
        return parse_counts(json.loads(path.read_bytes()))
    except (ValueError, RecursionError):
        raise TableError(
            f"{path} is damaged: remove {folder}, and start again if the result is missing"
        ) from None


def taken(path: Path) -> TableError:
    """Return the error of a result whose name exists already."""
    return TableError(f"{path} exists already; use another output path")


def check_free(path: Path) -> None:
    """Raise `TableError` if the name of a result exists."""
    if os.path.lexists(path):
        raise taken(path)


def check_present(path: Path, folder: Path) -> None:
    """Raise `TableError` if a result that had its name is missing."""
    if not path.exists():
        raise TableError(f"{path} was written, and is gone: remove {folder} to begin again")


class JobFolder:
    """The folder of one job. As a context manager, it locks out other commands."""

    def __init__(self, path: Path, contents: Contents) -> None:
        """Create the object; `begin` makes or takes the folder."""
        self._path = path
        self._contents = contents
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Return this folder."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Record the finished work, and unlock the folder."""
        try:
            self._contents.flush()
        finally:
            if self._lock is not None:
                os.close(self._lock)

    def begin(self, job: Mapping[str, Any], check: KeyCheck, *, resume: bool) -> None:
        """Make the folder, or with `resume` take an existing one.

        Raises `TableError`.
        """
        self._sweep()
        if not os.path.lexists(self._path):
            self._make(job, check)
        elif resume:
            self._take(job, check)
        else:
            raise TableError(f"{self._path} is there: an unfinished job", can_resume=True)

    def _sweep(self) -> None:
        """Remove the folders without a final name that killed processes left."""
        begun, done = (f".{self._path.name}.{state}-" for state in ("new", "done"))
        for path in self._path.parent.iterdir():
            if path.name.startswith(done) or (path.name.startswith(begun) and _is_left(path)):
                shutil.rmtree(path, ignore_errors=True)

    def _make(self, job: Mapping[str, Any], check: KeyCheck) -> None:
        """Make the folder. It gets its name when it can be resumed. Raises `TableError`."""
        self._contents.check_free()
        new = _hidden(self._path, "new", secrets.token_hex(4))
        try:
            new.mkdir(0o700)
        except PermissionError as error:
            folder = new.absolute().parent
            raise TableError(f"{folder}: {error.strerror} to create a folder") from None
        # Locked before slow work, because an old folder without a lock is removed.
        (new / _JOB).touch(OWNER_ONLY)
        self._lock = lock(new / _JOB)
        write_synced(new / _JOB, json.dumps({**job, _CHECK: check.seal()}).encode("ascii"))
        self._contents.create(new)
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

    def _take(self, job: Mapping[str, Any], check: KeyCheck) -> None:
        """Check that the folder belongs to this job, and read its contents. Raises `TableError`."""
        try:
            self._lock = lock(self._path / _JOB)
            known, sealed = self._read_job()
            self._contents.read()
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
            raise TableError(f"{self._path} holds no job: remove it") from None
        for name in sorted({*known, *job}):
            if known.get(name) != job.get(name):
                raise TableError(f"{self._path} {_difference(name, known, job, self._path.name)}")
        if not check.opens(sealed):
            raise TableError(
                f"{self._path} belongs to a different keyring: its destination version has the"
                " same ID and another key"
            )
        self._contents.tidy()

    def _read_job(self) -> tuple[dict[str, Any], str]:
        """Return the identity of the job, and the text of its key check.

        Raises `OSError`, and `ValueError` or `RecursionError` for other content.
        """
        job = json.loads((self._path / _JOB).read_bytes())
        sealed = job.pop(_CHECK, None) if isinstance(job, dict) else None
        if not isinstance(sealed, str) or not sealed.isascii():
            raise ValueError("not a job")
        return job, sealed

    def remove(self) -> None:
        """Remove the folder of a complete job whose counts have been reported."""
        remove_folder(self._path)


def _difference(name: str, known: Mapping[str, Any], job: Mapping[str, Any], folder: str) -> str:
    """Return the difference between an earlier job and this one, and the next step."""
    if name in {"input size", "input time"}:
        return (
            f"belongs to a job with another input: its {name.split()[1]} is different, so the file"
            f" was changed, copied or touched; remove {folder}, and start again"
        )
    return (
        f"belongs to a different job: {name} was {known.get(name)!r}, and is {job.get(name)!r};"
        f" give the same options, or remove {folder} and start again"
    )


def remove_folder(path: Path) -> None:
    """Remove the folder of a job."""
    # Renamed first, in one step, because a half-removed folder would look unfinished.
    rest = _hidden(path, "done", secrets.token_hex(4))
    with suppress(OSError):
        path.rename(rest)
        shutil.rmtree(rest, ignore_errors=True)


def _hidden(path: Path, state: str, run: str) -> Path:
    """Return a temporary name next to a folder."""
    return path.with_name(f".{path.name}.{state}-{run}")


def _is_left(folder: Path) -> bool:
    """Return whether no process uses a folder without a final name."""
    try:
        # A new folder is not locked at first.
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

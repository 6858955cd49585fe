"""The unfinished result of a job: a folder of parts, each whole or not there.

    ===============  ==================================================================
    file             holds
    ===============  ==================================================================
    job.json         what the job is; another one is not taken up here
    00000000.good    the rows of the first chunk that stay in the table
    00000000.bad     those of them that failed
    00000000.json    the counts of the chunk; that it is there says that the part is whole
    done.json        that no part is missing; what is left is to give the results their names
    ===============  ==================================================================

Every file is synced before it takes its name. A process that is killed leaves at most a file whose
name begins with a dot, which nobody looks at.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

from kmscore.cli.files import FileProblem, describe, sync, sync_folder

_JOB: Final = "job.json"
_DONE: Final = "done.json"

Counts = Counter[str]
"""Rows by status, failed ones by code."""


class Parts:
    """The folder of one job. Used as a context manager, it keeps others from working there."""

    def __init__(self, out: Path, bad: Path) -> None:
        """Take the two files that the job is to leave."""
        self.folder = out.with_name(f"{out.name}.partial")
        self._targets = {"good": out, "bad": bad}
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Return this folder, once it is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let others in."""
        if self._lock is not None:
            os.close(self._lock)

    def begin(self, job: Mapping[str, Any], *, resume: bool) -> None:
        """Make the folder, or take up the one that is there. Raises `FileProblem`."""
        if resume and self.folder.is_dir():
            self._take_up(job)
            return
        if resume:
            raise FileProblem(f"{self.folder} is not there: nothing to resume")
        for target in self._targets.values():
            if os.path.lexists(target):
                raise FileProblem(f"{target} is there already, and is left alone")
        try:
            self.folder.mkdir()
        except FileExistsError:
            raise FileProblem(
                f"{self.folder} is there: an unfinished job; finish it with --resume, or remove it"
            ) from None
        self.write(_JOB, json.dumps(job).encode("ascii"))
        self._occupy()

    def _take_up(self, job: Mapping[str, Any]) -> None:
        """Check that the folder is this job's. Raises `FileProblem`."""
        self._occupy()
        known = json.loads((self.folder / _JOB).read_bytes())
        for name in sorted({*known, *job}):
            if known.get(name) != job.get(name):
                raise FileProblem(
                    f"{self.folder} is of another job: {name} was {known.get(name)!r},"
                    f" and is {job.get(name)!r}"
                )

    def _occupy(self) -> None:
        """Be the only one at work here, where the system has locks. Raises `FileProblem`."""
        try:
            import fcntl  # noqa: PLC0415 (not everywhere)
        except ModuleNotFoundError:
            return
        try:
            self._lock = os.open(self.folder / _JOB, os.O_RDONLY)
        except FileNotFoundError:
            raise FileProblem(f"{self.folder} holds no job: remove it") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileProblem(f"another command is at work in {self.folder}") from None

    @property
    def is_done(self) -> bool:
        """Whether only names are missing."""
        return (self.folder / _DONE).exists()

    def counts(self, number: int) -> Counts | None:
        """Return the counts of a chunk that is whole, else `None`."""
        path = self.folder / f"{number:08}.json"
        return Counter(json.loads(path.read_bytes())) if path.exists() else None

    def commit(self, number: int, counts: Counts, write: Callable[[Path, Path], None]) -> None:
        """Write a chunk: `write` makes its two files, and then it counts."""
        names = [f"{number:08}.{kind}" for kind in self._targets]
        new = [self.folder / f".{name}.{os.getpid()}" for name in names]
        write(*new)
        for path, name in zip(new, names, strict=True):
            with path.open("rb+") as file:
                sync(file)
            path.replace(self.folder / name)
        self.write(f"{number:08}.json", json.dumps(counts).encode("ascii"))

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, whole or not at all."""
        new = self.folder / f".{name}.{os.getpid()}"
        with new.open("wb") as file:
            file.write(data)
            sync(file)
        new.replace(self.folder / name)
        sync_folder(self.folder)

    def finish(
        self, number: int, counts: Counts, join: Callable[[Sequence[Path], BinaryIO], None]
    ) -> Counts:
        """Join the parts, give the results their names, remove the folder; return all counts.

        The file of failed rows is made only if there are some, and before the other: that one is
        there only when all is. Raises `FileProblem`.
        """
        if not self.is_done:
            for kind in self._targets:
                new = self.folder / f"all.{kind}"
                with new.open("wb") as file:
                    join([self.folder / f"{each:08}.{kind}" for each in range(number)], file)
                    sync(file)
            self.write(_DONE, json.dumps(counts).encode("ascii"))
        counts = Counter(json.loads((self.folder / _DONE).read_bytes()))
        has_failures = any(name.startswith("failed") for name in counts)
        for kind in ("bad", "good") if has_failures else ("good",):
            self._name(self.folder / f"all.{kind}", self._targets[kind])
        # First out of the way, in one step: a folder that is half gone would look unfinished.
        rest = self.folder.with_name(f".{self.folder.name}.{os.getpid()}")
        self.folder.rename(rest)
        shutil.rmtree(rest)
        return counts

    def _name(self, new: Path, target: Path) -> None:
        """Give a result its name, which must not be another file's."""
        try:
            os.link(new, target)
        except FileExistsError:
            if not target.samefile(new):
                raise FileProblem(f"{target} is there already, and is left alone") from None
        except OSError as error:
            raise FileProblem(describe(error, target)) from None
        sync_folder(target.parent)

"""The unfinished result of a job: a folder of parts, and a journal of those that are whole.

    ===================  ==============================================================
    file                 holds
    ===================  ==============================================================
    job.json             what the job is; another one is not taken up here
    journal              a line of JSON for each part that is whole: its number, its
                         run, the counts of its rows, and the digests of its chunk
                         and of its files
    00000000.RUN.good    the rows of the first chunk that stay in the table
    00000000.RUN.bad     those of them that failed
    all.good, all.bad    the two results, until they have their names
    placing.good         that `all.good` is getting its name where there are no links
    done.json            that no part is missing, and all counts; what is left is to
                         give `all.good` and `all.bad` their names, and to tell the counts
    ===================  ==============================================================

Parts are on the disk before the journal says so, and a line that was cut off says nothing. When a
part is taken as it is, its chunk is compared with the digest: what else has size and time of the
input is not mixed with it. Every run has a name of its own in the names of its parts: what a
process of an earlier one, killed, may still write is not taken for this one's.
"""

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

from kmscore.cli.files import OWNER_ONLY, FileProblem, Permissions, sync, sync_folder
from kmscore.cli.rotation.counts import Counts, has_failures
from kmscore.cli.rotation.lock import lock
from kmscore.cli.rotation.target import Join, Target

_JOB: Final = "job.json"
_JOURNAL: Final = "journal"
_DONE: Final = "done.json"
_KINDS: Final = ("good", "bad")

_CHECK: Final = "check"
"""Where in job.json the check of the keyring is."""


_A_WHILE: Final = 60
"""Seconds in which a folder gets its name, or is left for good."""

_AT_ONCE: Final = 16
"""Parts that are synced together: as many are done again after a kill, at most."""


class Check(Protocol):
    """Tells whether a job is taken up with the key that it was begun with."""

    def seal(self) -> str:
        """Return what only the same key opens."""
        ...

    def opens(self, sealed: str) -> bool:
        """Tell whether this key opens it."""
        ...


class Part(NamedTuple):
    """What is kept of a part."""

    counts: Counts

    chunk: str
    """The digest of what it is made from."""

    files: str
    """The digest of its two files."""


def digest_of(paths: Iterable[Path]) -> str:
    """Return what tells files, one after the other, from all others; nothing if one is gone."""
    digest = sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(file_digest(file, "sha256").digest())
        except FileNotFoundError:
            return ""
    return digest.hexdigest()


def partial_path(out: Path) -> Path:
    """Return the folder in which a result is made."""
    return out.with_name(f"{out.name}.partial")


class Parts:
    """The folder of one job. Used as a context manager, it keeps others from working there."""

    def __init__(self, out: Path, bad: Path, permissions: Permissions) -> None:
        """Take the two files that the job is to leave, and who may do what with them."""
        self.folder: Path = partial_path(out)
        self._targets = {
            kind: Target(self.folder, kind, path, permissions)
            for kind, path in zip(_KINDS, (out, bad), strict=True)
        }
        self._run = secrets.token_hex(4)
        self._lock: int | None = None
        self._known: dict[int, tuple[str, Part]] = {}
        """The parts that are whole, each with its run."""

        self._waiting: dict[int, Part] = {}
        self._uncompared: set[int] = set()

    def __enter__(self) -> Self:
        """Return this folder, once it is open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Keep what has been done, and let others in."""
        try:
            self.flush()
        finally:
            if self._lock is not None:
                os.close(self._lock)

    def begin(self, job: Mapping[str, Any], check: Check, *, resume: bool) -> None:
        """Make the folder, or with `resume` take up the one that is there.

        Raises `FileProblem`.
        """
        self._sweep()
        if os.path.lexists(self.folder):
            if not resume:
                raise FileProblem(
                    f"{self.folder} is there: an unfinished job; finish it with --resume,"
                    " or remove it"
                )
            self._take_up(job, check)
            return
        for target in self._targets.values():
            target.check_free()
        # The folder has its name only when it can be taken up.
        new = self._hidden("new")
        new.mkdir(0o700)
        _write(new / _JOB, json.dumps({**job, _CHECK: check.seal()}).encode("ascii"))
        (new / _JOURNAL).touch(OWNER_ONLY)
        sync_folder(new)
        self._lock = lock(new / _JOB)
        new.rename(self.folder)
        sync_folder(self.folder.parent)

    def _hidden(self, state: str) -> Path:
        """Return a name beside the folder that nobody looks for, but to clear it away."""
        return self.folder.with_name(f".{self.folder.name}.{state}-{self._run}")

    def _sweep(self) -> None:
        """Clear away what processes that were killed have left beside."""
        begun, done = (f".{self.folder.name}.{state}-" for state in ("new", "done"))
        for path in self.folder.parent.iterdir():
            if path.name.startswith(done) or (path.name.startswith(begun) and _is_left(path)):
                shutil.rmtree(path, ignore_errors=True)

    def _take_up(self, job: Mapping[str, Any], check: Check) -> None:
        """Check that the folder is this job's, and read the journal. Raises `FileProblem`."""
        try:
            self._lock = lock(self.folder / _JOB)
            known = json.loads((self.folder / _JOB).read_bytes())
            sealed = known.pop(_CHECK)
            journal = (self.folder / _JOURNAL).read_bytes()
            whole = journal[: journal.rfind(b"\n") + 1]
            lines = [json.loads(line) for line in whole.splitlines()]
        except (FileNotFoundError, NotADirectoryError, ValueError, LookupError):
            raise FileProblem(f"{self.folder} holds no job: remove it") from None
        for name in sorted({*known, *job}):
            if known.get(name) != job.get(name):
                raise FileProblem(
                    f"{self.folder} is of another job: {name} was {known.get(name)!r},"
                    f" and is {job.get(name)!r}"
                )
        if not check.opens(sealed):
            raise FileProblem(
                f"{self.folder} is of another keyring: its destination version has the same ID"
                " and another key"
            )
        os.truncate(self.folder / _JOURNAL, len(whole))
        for number, run, counts, chunk, files in lines:
            self._known[number] = run, Part(Counts(counts), chunk, files)
        self._uncompared = set(self._known)
        self._remove_strays()

    def _remove_strays(self) -> None:
        """Remove parts that no line of the journal names."""
        named = {path for number in self._known for path in self._whole_paths(number)}
        for kind in _KINDS:
            for path in self.folder.glob(f"*.*.{kind}"):
                if path not in named:
                    path.unlink()

    @property
    def is_done(self) -> bool:
        """Whether only names are missing."""
        return (self.folder / _DONE).exists()

    def is_whole(self, number: int) -> bool:
        """Tell whether a part is whole. One whose files have been changed is done again."""
        if number in self._uncompared:
            _, part = self._known[number]
            if digest_of(self._whole_paths(number)) != part.files:
                del self._known[number]
                self._uncompared.remove(number)
        return number in self._known

    def take(self, number: int, digest: str) -> Counts:
        """Return the counts of a part that is whole, and made of the chunk with this digest.

        Raises `FileProblem` if it was made of another one.
        """
        _, part = self._known[number]
        if part.chunk != digest:
            raise self._other_rows()
        self._uncompared.discard(number)
        return part.counts

    def _other_rows(self) -> FileProblem:
        return FileProblem(
            f"{self.folder} was begun with other rows, in an input of the same size and time:"
            " resume with that one, or remove the folder"
        )

    def paths(self, number: int) -> tuple[Path, Path]:
        """Return where in this run the two files of a chunk are written."""
        return self._paths_of(number, self._run)

    def _whole_paths(self, number: int) -> tuple[Path, Path]:
        """Return where the two files of a chunk that is whole are."""
        run, _ = self._known[number]
        return self._paths_of(number, run)

    def _paths_of(self, number: int, run: str) -> tuple[Path, Path]:
        good, bad = (self.folder / f"{number:08}.{run}.{kind}" for kind in _KINDS)
        return good, bad

    def commit(self, number: int, part: Part) -> None:
        """Count a part whose two files have been written, together with some others."""
        self._waiting[number] = part
        if len(self._waiting) >= _AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Count what is waiting for it.

        While there are parts of an earlier run that nobody has compared, nothing is counted: what
        is done meanwhile may be of another input, and the right one could not be taken up then.
        """
        if not self._waiting or self._uncompared:
            return
        waiting, self._waiting = self._waiting, {}
        for number in waiting:
            for path in self.paths(number):
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
        sync_folder(self.folder)
        lines = [json.dumps([number, self._run, *part]) for number, part in waiting.items()]
        with (self.folder / _JOURNAL).open("ab") as file:
            file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            sync(file)
        self._known |= {number: (self._run, part) for number, part in waiting.items()}

    def finish(self, number: int, join: Join) -> Counts:
        """Join so many parts, and give the results their names; return all counts.

        The file of failed rows is made only if there are some, and named before the other: that
        one is there only when all is. What the job was and its counts stay, to be told again, until
        `remove`. Raises `FileProblem`.
        """
        if not self.is_done:
            if self._uncompared:
                raise self._other_rows()
            self.flush()
            self._join(number, join)
        counts = Counts(json.loads((self.folder / _DONE).read_bytes()))
        for kind in ("bad", "good") if has_failures(counts) else ("good",):
            self._targets[kind].take_name()
        for kind in _KINDS:
            for path in self.folder.glob(f"*.{kind}"):
                # Clearing away is no part of the job.
                with suppress(OSError):
                    path.unlink()
        return counts

    def remove(self) -> None:
        """Remove the folder of a job that is done and told."""
        # First out of the way, in one step: a folder that is half gone would look unfinished.
        rest = self._hidden("done")
        with suppress(OSError):
            self.folder.rename(rest)
            shutil.rmtree(rest, ignore_errors=True)

    def _join(self, number: int, join: Join) -> None:
        """Join so many parts, and say that it is done."""
        counts = [self._known[each][1].counts for each in range(number)]
        good = [self._whole_paths(each)[0] for each in range(number)]
        bad = [self._whole_paths(each)[1] for each in range(number) if has_failures(counts[each])]
        for kind, paths in zip(_KINDS, (good, bad), strict=True):
            if kind == "good" or paths:
                self._targets[kind].write(paths, join)
        new = self.folder / f".{_DONE}"
        _write(new, json.dumps(sum(counts, Counts())).encode("ascii"))
        new.replace(self.folder / _DONE)
        sync_folder(self.folder)


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
    except (FileProblem, OSError):
        return False
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is not None

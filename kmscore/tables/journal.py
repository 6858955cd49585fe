"""The finished parts of a job, and the journal that lists them.

The journal has a line of JSON for each part: its number, its run, the counts of its rows, and the
digests of its chunk and of its two files. A part is on the disk before its line is written, and a
truncated line has no effect.

A resumed job compares the chunk of each part with the digest, so that the rows of another file with
the same size and time are not mixed with it. The name of each part contains its run. A process of
an earlier run can still write after it lost its parent; the later run does not use its files.
"""

import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final, NamedTuple

from kmscore.tables.counts import Counts, parse_counts
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import TableError
from kmscore.tables.permissions import OWNER_ONLY
from kmscore.tables.target import KINDS

_JOURNAL: Final = "journal"

_RUN: Final = re.compile("[0-9a-f]{8}")
"""The form of the name of a run. It is part of a path, so that it must have no separator."""

_AT_ONCE: Final = 16
"""Maximum number of parts that are synced together. A kill loses at most these."""

_SECONDS: Final = 2
"""Time after which the parts that are ready are synced, even if they are fewer."""


class Part(NamedTuple):
    """The record of a finished part."""

    counts: Counts

    chunk: str
    """The digest of its chunk."""

    files: str
    """The digest of its two files."""


def digest_of(paths: Iterable[Path]) -> str:
    """Return one digest of some files, or an empty text if one is missing."""
    digest = sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                digest.update(file_digest(file, "sha256").digest())
        except FileNotFoundError:
            return ""
    return digest.hexdigest()


def _parse(line: bytes) -> tuple[int, str, Part]:
    """Return the number, the run and the record of a part.

    Raises `ValueError` for another line, and `RecursionError` if it is nested too deeply.
    """
    match json.loads(line):
        case [int(number), str(run), counts, str(chunk), str(files)] if _RUN.fullmatch(run):
            return number, run, Part(parse_counts(counts), chunk, files)
    raise ValueError("not a part")


def begin_journal(folder: Path) -> None:
    """Create an empty journal. Raises `OSError`."""
    (folder / _JOURNAL).touch(OWNER_ONLY)


class Journal:
    """The finished parts in the folder of a job, and the paths of their files."""

    def __init__(self, folder: Path) -> None:
        """Create the object, with a random name for this run."""
        self._folder = folder
        self._run = secrets.token_hex(4)
        self._length = 0
        """Number of bytes of the complete lines."""

        self._known: dict[int, tuple[str, Part]] = {}
        """The finished parts, each with its run."""

        self._waiting: dict[int, Part] = {}
        self._flushed = time.monotonic()
        self._uncompared: set[int] = set()

    def read(self) -> None:
        """Read the journal of earlier runs, without changes.

        Raises `OSError`, and `ValueError` or `RecursionError` for another file.
        """
        journal = (self._folder / _JOURNAL).read_bytes()
        self._length = journal.rfind(b"\n") + 1
        for line in journal[: self._length].splitlines():
            number, run, part = _parse(line)
            self._known[number] = run, part
        self._uncompared = set(self._known)

    def tidy(self) -> None:
        """Remove a truncated line, and parts without a line."""
        os.truncate(self._folder / _JOURNAL, self._length)
        named = {path for number in self._known for path in self.whole_paths(number)}
        for kind in KINDS:
            for path in self._folder.glob(f"*.*.{kind}"):
                if path not in named:
                    path.unlink()

    @property
    def is_empty(self) -> bool:
        """Whether no part is finished."""
        return not (self._known or self._waiting)

    def is_whole(self, number: int) -> bool:
        """Return whether a part is finished. A part whose files were changed is not."""
        if number in self._uncompared:
            _, part = self._known[number]
            if digest_of(self.whole_paths(number)) != part.files:
                del self._known[number]
                self._uncompared.remove(number)
        return number in self._known

    def take(self, number: int, digest: str) -> Counts:
        """Return the counts of a finished part.

        Raises `TableError` if the digest is not that of its chunk.
        """
        _, part = self._known[number]
        if part.chunk != digest:
            raise self._other_rows()
        self._uncompared.discard(number)
        return part.counts

    def paths(self, number: int) -> tuple[Path, Path]:
        """Return the paths of the two files of a part in this run."""
        return self._paths_of(number, self._run)

    def whole_paths(self, number: int) -> tuple[Path, Path]:
        """Return the paths of the two files of a finished part."""
        run, _ = self._known[number]
        return self._paths_of(number, run)

    def chunk_digests(self, number: int) -> list[str]:
        """Return the digests of the finished chunks with a number below `number`."""
        parts = {each: part for each, (_, part) in self._known.items()} | self._waiting
        return [parts[each].chunk for each in range(number) if each in parts]

    def counts_of(self, number: int) -> Counts:
        """Return the counts of a finished part."""
        return self._known[number][1].counts

    def _paths_of(self, number: int, run: str) -> tuple[Path, Path]:
        good, bad = (self._folder / f"{number:08}.{run}.{kind}" for kind in KINDS)
        return good, bad

    def commit(self, number: int, part: Part) -> None:
        """Record a part whose two files are written, together with other parts."""
        self._waiting[number] = part
        if len(self._waiting) >= _AT_ONCE or time.monotonic() - self._flushed >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Record the waiting parts.

        Nothing is recorded while a part of an earlier run has not been compared: the new parts
        could be of another input, and the job could then not be resumed with the right one.
        """
        if not self._waiting or self._uncompared:
            return
        self._flushed = time.monotonic()
        waiting, self._waiting = self._waiting, {}
        for number in waiting:
            for path in self.paths(number):
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
        sync_folder(self._folder)
        lines = [json.dumps([number, self._run, *part]) for number, part in waiting.items()]
        with (self._folder / _JOURNAL).open("ab") as file:
            file.write("".join(f"{line}\n" for line in lines).encode("ascii"))
            sync(file)
        self._known |= {number: (self._run, part) for number, part in waiting.items()}

    def complete(self) -> None:
        """Record all waiting parts at the end of the input.

        Raises `TableError` if parts of an earlier run remain, because they are of other rows.
        """
        if self._uncompared:
            raise self._other_rows()
        self.flush()

    def _other_rows(self) -> TableError:
        return TableError(
            f"{self._folder} was begun with other rows, in an input of the same size and time:"
            " resume with that one, or remove the folder"
        )

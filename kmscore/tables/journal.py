"""The parts of a job that are whole, and the journal that says so.

The journal has a line of JSON for each of them: its number, its run, the counts of its rows, and
the digests of its chunk and of its two files. Parts are on the disk before it says so, and a line
that was cut off says nothing.

When a part is taken as it is, its chunk is compared with the digest: what else has size and time of
the input is not mixed with it. Every run has a name of its own in the names of its parts: what a
process of an earlier one, killed, may still write is not taken for this one's.
"""

import json
import os
import re
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
"""What runs are called. It becomes a part of paths, which must not lead elsewhere."""

_AT_ONCE: Final = 16
"""Maximum number of parts that are synced together. A kill loses at most these."""

_SECONDS: Final = 2
"""Time after which the parts that are ready are synced, even if they are fewer."""


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


def _parse(line: bytes) -> tuple[int, str, Part]:
    """Return number and run of a part, and what is kept of it.

    Raises `ValueError` for what is no such line, and `RecursionError` if it is nested too deeply.
    """
    match json.loads(line):
        case [int(number), str(run), counts, str(chunk), str(files)] if _RUN.fullmatch(run):
            return number, run, Part(parse_counts(counts), chunk, files)
    raise ValueError("no part")


def begin_journal(folder: Path) -> None:
    """Make the journal of a job of which nothing is whole. Raises `OSError`."""
    (folder / _JOURNAL).touch(OWNER_ONLY)


class Journal:
    """Which parts in the folder of a job are whole, and where the files of all are."""

    def __init__(self, folder: Path, run: str) -> None:
        """Take the folder, and the name that this run has in it."""
        self._folder = folder
        self._run = run
        self._length = 0
        """Bytes of the lines that are whole."""

        self._known: dict[int, tuple[str, Part]] = {}
        """The parts that are whole, each with its run."""

        self._waiting: dict[int, Part] = {}
        self._flushed = time.monotonic()
        self._uncompared: set[int] = set()

    def read(self) -> None:
        """Read what earlier runs have left, and change nothing.

        Raises `OSError`, and what `_parse` does if that is no journal.
        """
        journal = (self._folder / _JOURNAL).read_bytes()
        self._length = journal.rfind(b"\n") + 1
        for line in journal[: self._length].splitlines():
            number, run, part = _parse(line)
            self._known[number] = run, part
        self._uncompared = set(self._known)

    def tidy(self) -> None:
        """Remove a line that was cut off, and parts that no line names."""
        os.truncate(self._folder / _JOURNAL, self._length)
        named = {path for number in self._known for path in self.whole_paths(number)}
        for kind in KINDS:
            for path in self._folder.glob(f"*.*.{kind}"):
                if path not in named:
                    path.unlink()

    def is_whole(self, number: int) -> bool:
        """Tell whether a part is whole. One whose files have been changed is done again."""
        if number in self._uncompared:
            _, part = self._known[number]
            if digest_of(self.whole_paths(number)) != part.files:
                del self._known[number]
                self._uncompared.remove(number)
        return number in self._known

    def take(self, number: int, digest: str) -> Counts:
        """Return the counts of a part that is whole, and made of the chunk with this digest.

        Raises `TableError` if it was made of another one.
        """
        _, part = self._known[number]
        if part.chunk != digest:
            raise self._other_rows()
        self._uncompared.discard(number)
        return part.counts

    def paths(self, number: int) -> tuple[Path, Path]:
        """Return where in this run the two files of a chunk are written."""
        return self._paths_of(number, self._run)

    def whole_paths(self, number: int) -> tuple[Path, Path]:
        """Return where the two files of a part that is whole are."""
        run, _ = self._known[number]
        return self._paths_of(number, run)

    def chunk_digests(self, number: int) -> list[str]:
        """Return the digests of the first chunks, of those that are done."""
        parts = {each: part for each, (_, part) in self._known.items()} | self._waiting
        return [parts[each].chunk for each in range(number) if each in parts]

    def counts_of(self, number: int) -> Counts:
        """Return the counts of a part that is whole."""
        return self._known[number][1].counts

    def _paths_of(self, number: int, run: str) -> tuple[Path, Path]:
        good, bad = (self._folder / f"{number:08}.{run}.{kind}" for kind in KINDS)
        return good, bad

    def commit(self, number: int, part: Part) -> None:
        """Count a part whose two files have been written, together with some others."""
        self._waiting[number] = part
        if len(self._waiting) >= _AT_ONCE or time.monotonic() - self._flushed >= _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Count what is waiting for it.

        While there are parts of an earlier run that nobody has compared, nothing is counted: what
        is done meanwhile may be of another input, and the right one could not be taken up then.
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
        """Count all that is waiting, when the input has come to its end.

        Raises `TableError` if parts of an earlier run are left over: they are of other rows.
        """
        if self._uncompared:
            raise self._other_rows()
        self.flush()

    def _other_rows(self) -> TableError:
        return TableError(
            f"{self._folder} was begun with other rows, in an input of the same size and time:"
            " resume with that one, or remove the folder"
        )

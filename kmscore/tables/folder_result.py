"""The result of the rotation of a folder, in the folder of its job.

The new folder has the same names. It gets its name when it is complete, so that a reader never sees
a part of it.

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
from collections.abc import Sequence
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Final, NamedTuple

from kmscore.tables.counts import Counts, parse_counts
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import TableError
from kmscore.tables.file_rotation import Files
from kmscore.tables.folder import MARK, Listing, Part, failed_folder
from kmscore.tables.job_folder import (
    check_free,
    check_present,
    is_done,
    partial_path,
    read_done,
    remove_folder,
    write_done,
)
from kmscore.tables.permissions import OWNER_ONLY, copy_to_folder

_JOURNAL: Final = "journal"


class Task(NamedTuple):
    """A part and its files."""

    part: Part
    files: Files


class Done(NamedTuple):
    """The result of a file."""

    counts: Counts
    digest: str
    """Of the content of the input; empty in a dry run."""

    rows: int = 0
    """The number of rows that were done in this call."""


class _Finished(NamedTuple):
    """The record of a finished file; the first three fields are those of its part."""

    size: int
    time: int
    change: tuple[int, int]
    done: Done


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
                    done = Done(parse_counts(counts), digest)
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
        return part.change == known.change or digest(self._source / part.name) == known.done.digest

    def is_of(self, now: Listing, before: Listing) -> bool:
        """Return whether all files are finished, and the input has not changed since."""
        names = [part.name for part in now.parts]
        return (
            names == [part.name for part in before.parts]
            and (now.others, now.has_mark) == (before.others, before.has_mark)
            and all(map(self._is_same, now.parts))
        )

    def commit(self, task: Task, done: Done) -> None:
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
            (self._data / MARK).touch()
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


def digest(path: Path) -> str:
    """Return a digest of the content of a file. Raises `OSError`."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

"""A folder of part files, as data engines write them: its tables, and what else is in it."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from kmscore.tables.columns import Columns, with_constants
from kmscore.tables.errors import TableError, describe
from kmscore.tables.formats import SUFFIXES, input_of
from kmscore.tables.job_folder import partial_path

_FAILED: Final = "_failed"
"""The folder of the failed rows. Engines ignore names that start with an underscore."""

MARK: Final = "_SUCCESS"
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
        has_mark = (source / MARK).exists()
    except OSError as error:
        raise TableError(describe(error, source)) from None
    if not parts:
        raise TableError(
            f"{source}: no file of the folder ends in {', '.join(SUFFIXES)}; a file with"
            " one ciphertext is not a table: `kmscore reencrypt` re-encrypts it, and `kmscore"
            " inspect` shows its key version"
        )
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

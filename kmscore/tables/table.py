"""The common parts of all formats of a table, and the result of a row."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

from kmscore.tables.columns import Columns, Failure, Record
from kmscore.tables.errors import TableError

CHUNK_ROWS: Final = 4096
"""Number of rows in a chunk, which is read, written and resumed as a whole."""

CHUNK_BYTES: Final = 8 << 20
"""Maximum bytes of a chunk: it ends with the row that reaches them, so that memory is bounded."""

LONGEST_ROW: Final = 16 << 20
"""Maximum bytes or characters of a row."""

_MAX_NAMES: Final = 20

ROW_COLUMN: Final = "kmscore_row"
ERROR_COLUMN: Final = "kmscore_error"
MESSAGE_COLUMN: Final = "kmscore_message"
"""Columns of the file of failed rows: number from 1, code, and reason."""

MAX_DIGITS: Final = 19
"""Maximum digits of the number of a row (64 bits)."""

OWN_COLUMNS: Final = (ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN)


def has_own_columns(names: Sequence[str]) -> bool:
    """Return whether a table is one of failed rows, with its three columns in front."""
    return tuple(names[: len(OWN_COLUMNS)]) == OWN_COLUMNS


def check_own_columns(path: Path, names: Sequence[str]) -> None:
    """Raise `TableError` if a column of failed rows is not among the first three."""
    others = names[len(OWN_COLUMNS) :] if has_own_columns(names) else names
    for name in OWN_COLUMNS:
        if name in others:
            raise TableError(
                f"{path}: a column {name!r}, which is only in tables of failed rows, in front"
            )


def check_names(path: Path, found: Sequence[str], columns: Columns, place: str = "") -> None:
    """Raise `TableError` unless each column that is read occurs once among the names found."""
    for name in columns.names:
        number = found.count(name)
        if number > 1:
            raise TableError(f"{path}: more than one column {name!r}{place}")
        if number == 0:
            raise TableError(
                f"{path}: no column {name!r}{place} ({_option(name, columns)}); the columns are"
                f" {quoted(found)}"
            )


def _option(name: str, columns: Columns) -> str:
    """Return the option of the command line that names a column."""
    options = {
        columns.blob: "--blob-column",
        columns.context: "--context-column",
        columns.destination_context: "--destination-context-column",
    }
    return options.get(name, "--context-columns")


def quoted(names: Sequence[str]) -> str:
    """Return names of columns for a message, at most 20."""
    shown = ", ".join(f"{name!r:.80}" for name in names[:_MAX_NAMES])
    return f"{shown}, ..." if len(names) > _MAX_NAMES else shown or "none"


class Result(NamedTuple):
    """The result of a row: the new ciphertext, or the error of a failed row."""

    blob: bytes | None
    """`None` for a row that stays unchanged or that failed."""

    error: Failure | None = None


class Chunk(NamedTuple):
    """Some rows in the form of the file, which can be sent to a worker process."""

    first_row: int
    """The number of the first row, from 1."""

    payload: Any
    """The rows in the form of the format: lines, records with their head, or an Arrow stream."""

    position: float
    """The part of the file that was read up to the last row, 0 to 1."""


def digest_of_rows(chunk: Chunk, content: Iterable[bytes]) -> str:
    """Return a digest of the content of a chunk and the number of its first row."""
    digest = sha256(f"{chunk.first_row}\n".encode("ascii"))
    for part in content:
        digest.update(part)
    return digest.hexdigest()


class Table(Protocol):
    """A format of a table. It is sent to worker processes, so that it has no open file."""

    suffix: str

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Raise `TableError` if a file has another format, or lacks a column."""
        ...

    def column_names(self, path: Path) -> list[str]:
        """Return the names of the columns. Raises `TableError` if the file cannot be read."""
        ...

    def check_rows(self, path: Path, columns: Columns) -> Iterator[float]:
        """Check all rows before the first is written, if a damaged row can hide the rows after it.

        Yields the part of the file that was checked, 0 to 1. Raises `TableError`.
        """
        ...

    def chunks(self, path: Path, columns: Columns | None = None) -> Iterator[Chunk]:
        """Yield the rows of a file; with `columns`, other columns can be left out.

        Raises `TableError` if the file cannot be read to its end.
        """
        ...

    def digest(self, chunk: Chunk) -> str:
        """Return a digest of the rows, which is the same in every process."""
        ...

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield each row by column, or its error."""
        ...

    def write(
        self,
        chunk: Chunk,
        records: Sequence[Record | Failure],
        results: Sequence[Result],
        blob_column: str,
        good: Path,
        bad: Path,
    ) -> None:
        """Write the good rows with new ciphertexts, and the failed rows with their reasons."""
        ...

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write all parts of a result as one file; `path` is the input."""
        ...

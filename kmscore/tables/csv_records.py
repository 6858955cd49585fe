"""A CSV file as its head and its records, each of them the text that stands in the file.

Nothing is said here of what a record holds, but for the names in the head: only where it ends.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO

from kmscore.tables.errors import TableError, describe
from kmscore.tables.table import LONGEST_ROW

ANY_BYTES: Final = "surrogateescape"
"""What is not UTF-8 is decoded to what gives the same bytes when it is written."""

_MARK: Final = "\ufeff"
_LINE_END: Final = re.compile(r"(?:\r\n?|\n)\Z")


class Head(NamedTuple):
    """The first record, as text and by its names."""

    mark: str
    text: str
    names: list[str]

    @property
    def line_end(self) -> str:
        """How it ends, and so what ends a record that has no end."""
        end = _LINE_END.search(self.text)
        return end[0] if end else "\n"


class Records(NamedTuple):
    """A file that is open."""

    head: Head
    texts: Iterator[str]
    """The records after the head. Lines with nothing on them are none."""

    raw: BinaryIO
    """Its bytes, which tell how far it has been read."""


@contextmanager
def open_records(path: Path) -> Iterator[Records]:
    """Open a file to read its records, and close it.

    Raises `TableError` for what is wrong with it, also with a record that is read meanwhile.
    """
    try:
        with path.open("rb") as raw, _decoded(raw) as file:
            texts = _texts(file)
            yield Records(_take_head(path, texts), texts, raw)
    except OSError as error:
        raise TableError(describe(error, path)) from None
    except csv.Error as error:
        raise TableError(f"{path}: not CSV: {error}") from None


def parse(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the fields of each record. Raises `csv.Error`, and begins anew with the next one."""
    # The limit is a global of the module; a field of a table that is read here may be as long.
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(texts, strict=True)


def _decoded(raw: BinaryIO) -> TextIO:
    """Return a file as text, with the line ends and the bytes that it has."""
    return io.TextIOWrapper(raw, encoding="utf-8", errors=ANY_BYTES, newline="")


def _texts(file: TextIO) -> Iterator[str]:
    """Yield the head and each row as they stand in the file; lines with nothing on them are none.

    Raises `csv.Error`, with the number of the row, for what has no end that can be told.
    """
    lines = iter(lambda: file.readline(LONGEST_ROW), "")
    row = -1
    for line in lines:
        # The head is the first line, whatever is on it.
        if row >= 0 and not line.strip("\r\n"):
            continue
        row += 1
        try:
            text = _record(line, lines)
        except csv.Error as error:
            raise csv.Error(f"{f'row {row}' if row else 'the head'}: {error}") from None
        yield text


def _record(line: str, lines: Iterator[str]) -> str:
    """Return the record that begins with a line, or raise `csv.Error`."""
    if len(line) == LONGEST_ROW:
        raise csv.Error(f"a line of {LONGEST_ROW:,} characters or more")
    # Without a quote no record goes on in the next line.
    if '"' not in line:
        return line
    taken = [line]
    try:
        next(parse(_followed(taken, lines)))
    except csv.Error:
        if len(taken) > 1 or not _ends(line):
            raise
    return "".join(taken)


def _ends(line: str) -> bool:
    """Tell whether a malformed record ends with its line, however its quotes are read.

    Some readers take each quote as a change between within and without; others, as the one that is
    not strict, take a quote for text wherever a field does not begin with it.
    """
    taken = [line]
    next(csv.reader(_followed(taken, iter(["\n"]))))
    return len(taken) == 1 and line.count('"') % 2 == 0


def _followed(taken: list[str], lines: Iterator[str]) -> Iterator[str]:
    """Yield the line that has been taken, then others, which are then taken too.

    Raises `csv.Error` when they are too long together.
    """
    yield taken[0]
    length = len(taken[0])
    for line in lines:
        length += len(line)
        if length >= LONGEST_ROW:
            raise csv.Error(f"a record of {LONGEST_ROW:,} characters or more")
        taken.append(line)
        yield line


def _take_head(path: Path, records: Iterator[str]) -> Head:
    """Take the head off the records. Raises `TableError`, and `csv.Error`."""
    text = next(records, "")
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    if not text.strip("\r\n"):
        raise TableError(f"{path}: no column names in the first line")
    try:
        return Head(mark, text, next(parse([text])))
    except csv.Error as error:
        raise csv.Error(f"the head: {error}") from None

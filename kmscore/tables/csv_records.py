"""A CSV file as a head and records, each with its text in the file (RFC 4180).

This module finds the end of each record, and reads the names in the head. It does not interpret the
fields.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from kmscore._typecheck import check_text
from kmscore.tables.compression import Source, open_source
from kmscore.tables.errors import TableError
from kmscore.tables.table import LONGEST_ROW

ANY_BYTES: Final = "surrogateescape"
"""The error handler that keeps bytes that are not UTF-8."""

_MARK: Final = "\ufeff"
_LINE_END: Final = re.compile(r"(?:\r\n?|\n)\Z")


def check_delimiter(delimiter: object) -> None:
    """Raise `TypeError` or `ValueError` unless a value can be a delimiter."""
    check_text(delimiter, "delimiter")
    text = str(delimiter)
    # A new ciphertext is written without quotes, so no character of Base64 can be a delimiter.
    if len(text) != 1 or not text.isascii() or text.isalnum() or text in '\r\n"+/=':
        raise ValueError(
            "the delimiter must be one ASCII character, not a quote, a line end or a character of"
            " Base64"
        )


class Form(NamedTuple):
    """The form of a file: compression and delimiter."""

    compression: str = ""
    delimiter: str = ","


class Head(NamedTuple):
    """The first record, as text and as names."""

    mark: str
    """The byte order mark, or nothing."""

    text: str
    names: list[str]

    @property
    def line_end(self) -> str:
        """Its line end, which a record without one gets."""
        end = _LINE_END.search(self.text)
        return end[0] if end else "\n"


class Records(NamedTuple):
    """An open file."""

    head: Head
    texts: Iterator[str]
    """The records after the head. Empty lines are not records."""

    source: Source
    """The file, which has the position."""


@contextmanager
def open_records(path: Path, form: Form) -> Iterator[Records]:
    """Open a file to read its records, and close it.

    Raises `TableError`, also for a record that is read in the block.
    """
    try:
        with open_source(path, form.compression) as source, _decoded(source) as file:
            texts = _texts(file, form.delimiter)
            yield Records(_take_head(path, texts, form.delimiter), texts, source)
    except csv.Error as error:
        raise TableError(f"{path}: not CSV: {error}") from None


def parse(texts: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Yield the fields of each record. After a `csv.Error`, the next record can be read."""
    # The limit is global in the module; a field of a table can have this length.
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(texts, strict=True, delimiter=delimiter)


def _decoded(source: Source) -> TextIO:
    """Return a file as text, with its line ends and all its bytes."""
    return io.TextIOWrapper(source.content, encoding="utf-8", errors=ANY_BYTES, newline="")


def _texts(file: TextIO, delimiter: str) -> Iterator[str]:
    """Yield the texts of the head and of each record; empty lines are not records.

    Raises `csv.Error` with the number of the row if the end of a record is not certain.
    """
    lines = iter(partial(file.readline, LONGEST_ROW), "")
    row = -1
    for line in lines:
        # The first line is the head, also if it is empty.
        if row >= 0 and not line.strip("\r\n"):
            continue
        row += 1
        try:
            text = _record(line, lines, delimiter)
        except csv.Error as error:
            raise csv.Error(f"{f'row {row}' if row else 'the head'}: {error}") from None
        yield text


def _record(line: str, lines: Iterator[str], delimiter: str) -> str:
    """Return the record that starts with a line. Raises `csv.Error`."""
    if len(line) == LONGEST_ROW:
        raise csv.Error(f"a line of {LONGEST_ROW:,} characters or more")
    # A record without a quote ends with its line.
    if '"' not in line:
        return line
    taken = [line]
    try:
        next(parse(_followed(taken, lines), delimiter))
    except csv.Error:
        if len(taken) > 1 or not _ends(line, delimiter):
            raise
    return "".join(taken)


def _ends(line: str, delimiter: str) -> bool:
    """Return whether a malformed record ends with its line in every reading of its quotes.

    Some readers take each quote as a change between inside and outside. Others, such as the reader
    that is not strict, take a quote as text if it is not the first character of its field.
    """
    taken = [line]
    next(csv.reader(_followed(taken, iter(["\n"])), delimiter=delimiter))
    return len(taken) == 1 and line.count('"') % 2 == 0


def _followed(taken: list[str], lines: Iterator[str]) -> Iterator[str]:
    """Yield the first line, and then each next line, which is added to `taken`.

    Raises `csv.Error` if the lines together are too long.
    """
    yield taken[0]
    length = len(taken[0])
    for line in lines:
        length += len(line)
        if length >= LONGEST_ROW:
            raise csv.Error(f"a record of {LONGEST_ROW:,} characters or more")
        taken.append(line)
        yield line


def _take_head(path: Path, records: Iterator[str], delimiter: str) -> Head:
    """Return the head, which is the first record. Raises `TableError` and `csv.Error`."""
    text = next(records, "")
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    if not text.strip("\r\n"):
        raise TableError(f"{path}: no column names in the first line")
    try:
        return Head(mark, text, next(parse([text], delimiter)))
    except csv.Error as error:
        raise csv.Error(f"the head: {error}") from None

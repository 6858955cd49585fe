"""CSV (RFC 4180): a head of column names, then one record a row.

What is read of it is in UTF-8; columns that are not may hold any bytes. A malformed record is a row
that fails, if it ends with its line however its quotes are read. Of any other it cannot be told
where the next one begins, and what follows it would be guessed: the file is refused as a whole.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO

from kmscore._base64 import encode_base64
from kmscore.cli.files import FileProblem, describe
from kmscore.cli.rotation.columns import Columns, Failure, Record, damaged_row, reason_of
from kmscore.cli.rotation.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    ERROR_COLUMN,
    LONGEST_ROW,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
)

_MARK: Final = "\ufeff"

_ANY_BYTES: Final = "surrogateescape"
"""What is not UTF-8 is decoded to what gives the same bytes when it is written."""

_LINE_END: Final = re.compile(r"(?:\r\n?|\n)\Z")
_FIELD: Final = re.compile(r'"[^"]*(?:""[^"]*)*"|[^,\r\n]*')


class _Head(NamedTuple):
    """The first record, as text and by its names."""

    mark: str
    text: str
    names: list[str]

    @property
    def line_end(self) -> str:
        """How it ends, and so what ends a record that has no end."""
        end = _LINE_END.search(self.text)
        return end[0] if end else "\n"


class _Rows(NamedTuple):
    """Records as they stand in the file, and its head."""

    head: _Head
    texts: list[str]


class CommaSeparated:
    """Rewrites the ciphertext in a record and leaves every other byte of it as it was."""

    suffix = ".csv"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the head."""
        names = _read_head(path).names
        for name in columns.names:
            if names.count(name) != 1:
                reason = "no" if name not in names else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r} in the first line")

    def check_rows(self, path: Path) -> Iterator[float]:
        """Look whether all records can be told apart."""
        with _problems(path), path.open("rb") as raw, _decoded(raw) as file:
            size = max(1, path.stat().st_size)
            for number, _ in enumerate(_texts(file)):
                if number % CHUNK_ROWS == 0:
                    yield raw.tell() / size

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield records; lines with nothing on them are none."""
        with _problems(path), path.open("rb") as raw, _decoded(raw) as file:
            size = max(1, path.stat().st_size)
            records = _texts(file)
            head = _head(path, records)
            row, length = 1, 0
            texts: list[str] = []
            for text in records:
                texts.append(text)
                length += len(text)
                if len(texts) == CHUNK_ROWS or length >= CHUNK_BYTES:
                    yield Chunk(row, _Rows(head, texts), raw.tell() / size)
                    row, length = row + len(texts), 0
                    texts = []
            if texts:
                yield Chunk(row, _Rows(head, texts), 1.0)

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield each record by column."""
        head, texts = chunk.payload
        names, number = head.names, len(head.names)
        reader = _reader(texts)
        for text in texts:
            try:
                fields = next(reader)
            except csv.Error as error:
                # The reader begins anew with the next one.
                yield damaged_row(f"not CSV: {error}")
                continue
            if len(fields) != number:
                yield damaged_row(f"{len(fields)} fields, and {number} columns")
                continue
            record: dict[str, str | None] = dict(zip(names, fields, strict=True))
            if not text.isascii():
                strange = [name for name in columns.names if not _is_utf8(record[name] or "")]
                if strange:
                    yield damaged_row(f"not UTF-8 in column {strange[0]!r:.80}")
                    continue
            for name in columns.structured:
                # There is no other way to write that a field has no value.
                record[name] = record[name] or None
            yield record

    def write(
        self,
        chunk: Chunk,
        records: Sequence[Record | Failure],
        results: Sequence[Result],
        blob_column: str,
        good: Path,
        bad: Path,
    ) -> None:
        """Write records; those that failed have three columns more in front."""
        head, texts = chunk.payload
        place = head.names.index(blob_column)
        with _created(good) as kept, _created(bad) as failed:
            rows = enumerate(zip(texts, records, results, strict=True), chunk.first_row)
            for row, (text, record, (blob, error)) in rows:
                ended = text if text.endswith(("\r", "\n")) else text + head.line_end
                if error is not None:
                    failed.write(_line([str(row), error.code, reason_of(error)]) + "," + ended)
                elif blob is None or not isinstance(record, dict):
                    kept.write(ended)
                else:
                    new = encode_base64(blob)
                    kept.write(_rewritten(ended, place, record[blob_column], new))

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write the head, then one part after the other."""
        mark, text, _ = head = _read_head(path)
        if is_bad:
            text = _line([ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN]) + "," + text
        if not text.endswith(("\r", "\n")):
            text += head.line_end
        out.write((mark + text).encode("utf-8", _ANY_BYTES))
        out.writelines(part.read_bytes() for part in parts)


@contextmanager
def _problems(path: Path) -> Iterator[None]:
    """Raise `FileProblem` for what is wrong with a file, in one line."""
    try:
        yield
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    except csv.Error as error:
        raise FileProblem(f"{path}: not CSV: {error}") from None


def _decoded(raw: BinaryIO) -> TextIO:
    """Return a file as text, with the line ends and the bytes that it has."""
    return io.TextIOWrapper(raw, encoding="utf-8", errors=_ANY_BYTES, newline="")


def _created(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors=_ANY_BYTES, newline="")


def _reader(lines: "Iterator[str] | list[str]") -> Iterator[list[str]]:
    # The limit is a global of the module; a field of a table that is read here may be as long.
    csv.field_size_limit(LONGEST_ROW)
    return csv.reader(lines, strict=True)


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
        next(_reader(_followed(taken, lines)))
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


def _is_utf8(text: str) -> bool:
    """Tell whether all bytes of a text could be decoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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


def _read_head(path: Path) -> _Head:
    """Return the head of a file. Raises `FileProblem`."""
    with _problems(path), path.open("rb") as raw, _decoded(raw) as file:
        return _head(path, _texts(file))


def _head(path: Path, records: Iterator[str]) -> _Head:
    """Take the head off the records. Raises `FileProblem`, and `csv.Error`."""
    text = next(records, "")
    mark = _MARK if text.startswith(_MARK) else ""
    text = text.removeprefix(_MARK)
    if not text.strip("\r\n"):
        raise FileProblem(f"{path}: no column names in the first line")
    try:
        return _Head(mark, text, next(_reader([text])))
    except csv.Error as error:
        raise csv.Error(f"the head: {error}") from None


def _rewritten(text: str, place: int, old: str, new: str) -> str:
    """Return a record with another ciphertext in a field, and every other character as it was."""
    if text.count(old) == 1:
        return text.replace(old, new)
    start = 0
    for _ in range(place):
        start = _field_end(text, start) + 1
    field = text[start : _field_end(text, start)]
    return text[:start] + field.replace(old, new) + text[start + len(field) :]


def _field_end(text: str, start: int) -> int:
    field = _FIELD.match(text, start)
    return start if field is None else field.end()


def _line(fields: list[str]) -> str:
    """Return fields as the begin of a record."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()

"""CSV (RFC 4180): a head of column names, then one record a row.

What is read of it is in UTF-8; columns that are not may hold any bytes. A malformed record is a row
that fails, if it ends with its line however its quotes are read. Of any other it cannot be told
where the next one begins, and what follows it would be guessed: the file is refused as a whole.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO

from kmscore._base64 import encode_base64
from kmscore.tables.columns import Columns, Failure, Record, damaged_row, reason_of
from kmscore.tables.csv_records import ANY_BYTES, Head, open_records, parse
from kmscore.tables.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    OWN_COLUMNS,
    Chunk,
    Result,
    check_names,
    check_own_columns,
)

_FIELD: Final = re.compile(r'"[^"]*(?:""[^"]*)*"|[^,\r\n]*')


class _Rows(NamedTuple):
    """Records as they stand in the file, and its head."""

    head: Head
    texts: list[str]


class CommaSeparated:
    """Rewrites the ciphertext in a record and leaves every other byte of it as it was."""

    suffix = ".csv"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the head."""
        with open_records(path) as (head, _, _):
            check_names(path, head.names, columns, " in the first line")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the head."""
        with open_records(path) as (head, _, _):
            return head.names

    def check_rows(self, path: Path) -> Iterator[float]:
        """Look at the head, and whether all records can be told apart."""
        with open_records(path) as (head, texts, raw):
            check_own_columns(path, head.names)
            size = max(1, path.stat().st_size)
            for number, _ in enumerate(texts, 1):
                if number % CHUNK_ROWS == 0:
                    yield raw.tell() / size

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield records; lines with nothing on them are none."""
        with open_records(path) as (head, records, raw):
            size = max(1, path.stat().st_size)
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
        parsed = parse(texts)
        for text in texts:
            try:
                fields = next(parsed)
            except csv.Error as error:
                yield damaged_row(f"not CSV: {error}")
            else:
                yield _record(head.names, fields, columns, is_ascii=text.isascii())

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
        with open_records(path) as (head, _, _):
            mark, text, _ = head
        if is_bad:
            text = _line(OWN_COLUMNS) + "," + text
        if not text.endswith(("\r", "\n")):
            text += head.line_end
        out.write((mark + text).encode("utf-8", ANY_BYTES))
        out.writelines(part.read_bytes() for part in parts)


def _created(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", errors=ANY_BYTES, newline="")


def _record(
    names: Sequence[str], fields: Sequence[str], columns: Columns, *, is_ascii: bool
) -> Record | Failure:
    """Return a record by column, or what is wrong with it."""
    if len(fields) != len(names):
        return damaged_row(f"{len(fields)} fields, and {len(names)} columns")
    record: dict[str, str | None] = dict(zip(names, fields, strict=True))
    if not is_ascii:
        for name in columns.names:
            if not _is_utf8(record[name] or ""):
                return damaged_row(f"not UTF-8 in column {name!r:.80}")
    for name in columns.structured:
        # There is no other way to write that a field has no value.
        record[name] = record[name] or None
    return record


def _is_utf8(text: str) -> bool:
    """Tell whether all bytes of a text could be decoded."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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


def _line(fields: Sequence[str]) -> str:
    """Return fields as the begin of a record."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()

"""CSV (RFC 4180): a head with the names of the columns, then one record per row.

The columns that are read are in UTF-8; other columns can have any bytes. A malformed record is a
failed row if it ends with its line in every reading of its quotes. Otherwise the start of the next
record is not certain, and the whole file is rejected.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from kmscore._base64 import encode_base64
from kmscore.tables.columns import Columns, Failure, Record, damaged_row, reason_of
from kmscore.tables.compression import check_content, compressed, zero_bytes
from kmscore.tables.csv_records import ANY_BYTES, Form, Head, open_records, parse
from kmscore.tables.errors import TableError
from kmscore.tables.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    MAX_DIGITS,
    OWN_COLUMNS,
    Chunk,
    Result,
    check_names,
    check_own_columns,
    digest_of_rows,
    has_own_columns,
)

_OTHER_DELIMITERS: Final = (";", "\t", "|", ",")


class _Rows(NamedTuple):
    """Records as texts, and the head of their file."""

    head: Head
    texts: list[str]


class CommaSeparated:
    """A format that changes the ciphertext in a record, and no other byte of it."""

    def __init__(self, form: Form = Form()) -> None:  # noqa: B008 (an immutable value)
        """Create the format with a compression and a delimiter."""
        self._form = form
        self.suffix: str = f".csv{form.compression}"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Check the head."""
        check_content(path, self._form.compression)
        with open_records(path, self._form) as (head, _, _):
            if "\0" in head.text:
                raise zero_bytes(path)
            if columns.blob not in head.names:
                self._check_delimiter(path, head, columns.blob)
            check_names(path, head.names, columns, " in the first line")

    def _check_delimiter(self, path: Path, head: Head, name: str) -> None:
        """Raise `TableError` if the column exists with another delimiter."""
        for delimiter in _OTHER_DELIMITERS:
            if name in next(parse([head.text], delimiter)):
                shown = "tab" if delimiter == "\t" else delimiter
                raise TableError(f"{path}: separated by {delimiter!r}; give --delimiter '{shown}'")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the head."""
        with open_records(path, self._form) as (head, _, _):
            return head.names

    def check_rows(self, path: Path, columns: Columns) -> Iterator[float]:
        """Check the head, and that the end of every record is certain."""
        del columns
        with open_records(path, self._form) as (head, texts, source):
            check_own_columns(path, head.names)
            for number, _ in enumerate(texts, 1):
                if number % CHUNK_ROWS == 0:
                    yield source.position

    def chunks(self, path: Path, columns: Columns | None = None) -> Iterator[Chunk]:
        """Yield the records; empty lines are not records. Each has all columns."""
        del columns
        with open_records(path, self._form) as (head, records, source):
            row, length = 1, 0
            texts: list[str] = []
            for text in records:
                texts.append(text)
                length += len(text)
                if len(texts) == CHUNK_ROWS or length >= CHUNK_BYTES:
                    yield Chunk(row, _Rows(head, texts), source.position)
                    row, length = row + len(texts), 0
                    texts = []
            if texts:
                yield Chunk(row, _Rows(head, texts), 1.0)

    def digest(self, chunk: Chunk) -> str:
        """Return a digest of the head and the records."""
        head, texts = chunk.payload
        content = (head.mark, head.text, *texts)
        return digest_of_rows(chunk, ["".join(content).encode("utf-8", ANY_BYTES)])

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield the columns that are read."""
        head, texts = chunk.payload
        parsed = parse(texts, self._form.delimiter)
        width = len(head.names)
        places = {name: head.names.index(name) for name in columns.names}
        structured, contexts = columns.structured, columns.contexts
        for text in texts:
            try:
                fields = next(parsed)
            except csv.Error as error:
                yield damaged_row(f"not CSV: {error}")
                continue
            if len(fields) != width:
                yield damaged_row(f"{len(fields)} fields, and {width} columns")
                continue
            record: dict[str, str | None] = {name: fields[place] for name, place in places.items()}
            if not text.isascii() and (name := _other_than_utf8(record)) is not None:
                yield damaged_row(f"not UTF-8 in column {name!r:.80}")
                continue
            for name in structured:
                # An empty field has no value.
                record[name] = record[name] or None
            for name in contexts:
                if record[name] == "" and not self._has_quotes(text, places[name]):
                    record[name] = None
            yield record

    def _has_quotes(self, text: str, place: int) -> bool:
        """Return whether an empty field has quotes: if not, its pair is left out of the context.

        Databases write NULL without quotes, and an empty string as two quotes.
        """
        return '""' in text and self._field(text, place)[0] != ""

    def _field(self, text: str, place: int) -> tuple[str, int]:
        """Return the text of a field of a record, and its start."""
        start = 0
        for _ in range(place):
            start = self._field_end(text, start) + 1
        return text[start : self._field_end(text, start)], start

    def _field_end(self, text: str, start: int) -> int:
        field = _field_pattern(self._form.delimiter).match(text, start)
        return start if field is None else field.end()

    def write(
        self,
        chunk: Chunk,
        records: Sequence[Record | Failure],
        results: Sequence[Result],
        blob_column: str,
        good: Path,
        bad: Path,
    ) -> None:
        """Write the records; a failed one gets three columns in front."""
        head, texts = chunk.payload
        place = head.names.index(blob_column)
        is_second = has_own_columns(head.names)
        kept: list[str] = []
        failed: list[str] = []
        rows = enumerate(zip(texts, records, results, strict=True), chunk.first_row)
        for row, (text, record, (blob, error)) in rows:
            ended = text if text.endswith(("\r", "\n")) else text + head.line_end
            if blob is not None and isinstance(record, dict):
                ended = self._rewritten(ended, place, record[blob_column], encode_base64(blob))
            number = row
            if is_second:
                number, ended = self._without_own(ended, row)
            if error is None:
                kept.append(ended)
            else:
                added = [str(number), error.code, reason_of(error)]
                failed.append(self._line(added) + self._form.delimiter + ended)
        for path, lines in ((good, kept), (bad, failed)):
            path.write_bytes("".join(lines).encode("utf-8", ANY_BYTES))

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write the head, and then one part after the other."""
        with open_records(path, self._form) as (head, _, _):
            mark, text, names = head
        if has_own_columns(names):
            _, text = self._without_own(text, 0)
        if is_bad:
            text = self._line(OWN_COLUMNS) + self._form.delimiter + text
        if not text.endswith(("\r", "\n")):
            text += head.line_end
        with compressed(out, self._form.compression) as content:
            content.write((mark + text).encode("utf-8", ANY_BYTES))
            content.writelines(part.read_bytes() for part in parts)

    def _without_own(self, text: str, row: int) -> tuple[int, str]:
        """Return the first number of a row that failed before, and the row without three fields.

        A damaged row that lacks these fields stays as it is, and has the number given.
        """
        start = 0
        for _ in OWN_COLUMNS:
            start = self._field_end(text, start) + 1
            if text[start - 1 : start] != self._form.delimiter:
                return row, text
        first, _ = self._field(text, 0)
        is_number = first.isascii() and first.isdecimal() and len(first) <= MAX_DIGITS
        return int(first) if is_number else row, text[start:]

    def _rewritten(self, text: str, place: int, old: str, new: str) -> str:
        """Return a record with another ciphertext in a field, and otherwise unchanged."""
        if text.count(old) == 1:
            return text.replace(old, new)
        field, start = self._field(text, place)
        return text[:start] + field.replace(old, new) + text[start + len(field) :]

    def _line(self, fields: Sequence[str]) -> str:
        """Return fields as the start of a record."""
        text = io.StringIO()
        csv.writer(text, lineterminator="", delimiter=self._form.delimiter).writerow(fields)
        return text.getvalue()


@cache
def _field_pattern(delimiter: str) -> re.Pattern[str]:
    """Return the pattern of a field: with quotes, or up to the next delimiter."""
    return re.compile(rf'"[^"]*(?:""[^"]*)*"|[^{re.escape(delimiter)}\r\n]*')


def _other_than_utf8(record: Mapping[str, str | None]) -> str | None:
    """Return the first column with bytes that could not be decoded, or `None`."""
    for name, text in record.items():
        try:
            (text or "").encode("utf-8")
        except UnicodeEncodeError:
            return name
    return None

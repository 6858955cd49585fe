"""JSON Lines: one object a line, in UTF-8."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from kmscore._base64 import encode_base64
from kmscore.errors import InvalidContextError
from kmscore.tables.columns import (
    Columns,
    Failure,
    Record,
    RowError,
    Unreadable,
    damaged_row,
    reason_of,
)
from kmscore.tables.errors import TableError, describe
from kmscore.tables.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    ERROR_COLUMN,
    LONGEST_ROW,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
    check_names,
    check_own_columns,
)

_MARK: Final = "\ufeff"

_TOKEN: Final = re.compile(r'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:\s*)?|[\[\]{}]')
"""What tells where in an object one is: a string, with the colon after a name, or a bracket."""


class _TooLong(NamedTuple):
    """Stands for a line that is not held in memory."""

    number: int
    length: int

    @property
    def error(self) -> RowError:
        """What the row fails with."""
        return damaged_row(
            f"too long to be copied: line {self.number:,} of the input has {self.length:,} bytes,"
            f" more than {LONGEST_ROW:,}"
        )


class JsonLines:
    """Rewrites the ciphertext in a line and leaves every other byte of it as it was."""

    suffix = ".jsonl"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the first line: the others may lack a column, and then fail by themselves.

        So does a row that failed, and stands there as text for want of columns.
        """
        record = self._first(path, columns)
        if isinstance(record, RowError):
            raise TableError(f"{path}: line 1 is {reason_of(record)}")
        if record is None or ROW_COLUMN in record:
            return
        check_names(path, list(record), columns, " in line 1")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the first line."""
        record = self._first(path, Columns())
        return list(record) if isinstance(record, dict) else []

    def check_rows(self, path: Path) -> Iterator[float]:
        """Look at the names in the first line. A line ends with its end, whatever is on it."""
        record = self._first(path, Columns(""))
        check_own_columns(path, record if isinstance(record, dict) else ())
        return iter(())

    def _first(self, path: Path, columns: Columns) -> dict[str, Any] | RowError | None:
        """Return the first object, what is wrong with it, or `None` if there is none."""
        chunk = next(self.chunks(path), None)
        return None if chunk is None else _read(chunk.payload[0], columns)

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield lines; those with nothing on them are no rows."""
        try:
            size = max(1, path.stat().st_size)
            with path.open("rb") as file:
                row, position, begin = 1, 0, 0
                lines: list[bytes | _TooLong] = []
                for number, line in enumerate(iter(lambda: file.readline(LONGEST_ROW + 1), b""), 1):
                    length = len(line)
                    if length > LONGEST_ROW:
                        length += _skip(file, line)
                        lines.append(_TooLong(number, length))
                    elif line.strip():
                        lines.append(line)
                    position += length
                    if len(lines) == CHUNK_ROWS or (lines and position - begin >= CHUNK_BYTES):
                        yield Chunk(row, lines, position / size)
                        row, begin = row + len(lines), position
                        lines = []
                if lines:
                    yield Chunk(row, lines, 1.0)
        except OSError as error:
            raise TableError(describe(error, path)) from None

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield the objects."""
        return (_read(line, columns) for line in chunk.payload)

    def write(
        self,
        chunk: Chunk,
        records: Sequence[Record | Failure],
        results: Sequence[Result],
        blob_column: str,
        good: Path,
        bad: Path,
    ) -> None:
        """Write lines; one that failed has three members more in front, or stands in an object."""
        rows = enumerate(zip(chunk.payload, records, results, strict=True), chunk.first_row)
        with good.open("wb") as kept, bad.open("wb") as failed:
            for row, (line, record, (blob, error)) in rows:
                if error is not None:
                    failed.write(_failure(row, line, error))
                elif blob is None or not isinstance(record, dict):
                    kept.write(_ended(line))
                else:
                    old, new = record[blob_column], encode_base64(blob)
                    kept.write(_ended(_rewritten(line, blob_column, old, new)))

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write one part after the other."""
        del path, is_bad
        out.writelines(part.read_bytes() for part in parts)


def _skip(file: BinaryIO, line: bytes) -> int:
    """Read on to the end of a line that has been begun; return how many bytes that was."""
    length = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_ROW)
        length += len(line)
    return length


class _Repeating(dict[str, Any]):
    """An object in which names stand more than once; of each it holds the last value."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = {name for name, number in counts.items() if number > 1}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object that has been parsed, and tell if names were repeated in it."""
    names = dict(pairs)
    return names if len(names) == len(pairs) else _Repeating(pairs)


def _read(line: bytes | _TooLong, columns: Columns) -> dict[str, Any] | RowError:
    """Return the object on a line, or what is wrong with it."""
    return line.error if isinstance(line, _TooLong) else _load(line, columns)


def _load(line: bytes, columns: Columns) -> dict[str, Any] | RowError:
    """Return the object on a line, or what is wrong with it.

    Of a repeated name some readers take the first value and others the last: where it is one that
    is read, another reader may have another ciphertext or context before it.
    """
    record: Any
    try:
        record = json.loads(_text(line), object_pairs_hook=_object)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return damaged_row("not a JSON object")
    if isinstance(record, _Repeating):
        for name in columns.names:
            if name in record.repeated:
                return damaged_row(f"an object with more than one {name!r:.80}")
    for name in columns.whole_contexts:
        if isinstance(record.get(name), _Repeating):
            error = InvalidContextError("encryption context with a repeated key")
            record[name] = Unreadable(error)
    return record


def _text(line: bytes) -> str:
    """Return a line as text; the first one may begin with a mark, which is no part of it."""
    return line.decode("utf-8").removeprefix(_MARK)


def _ended(line: bytes) -> bytes:
    """Return a line with its end, which the last one of a file may lack."""
    return line if line.endswith(b"\n") else line + b"\n"


def _rewritten(line: bytes, blob_column: str, old: str, new: str) -> bytes:
    """Return a line with another ciphertext, and every other byte of it as it was."""
    old_bytes, new_bytes = old.encode("ascii"), new.encode("ascii")
    # Without a backslash every text stands as it is, so what stands once is what is meant.
    if b"\\" not in line and line.count(old_bytes) == 1:
        return line.replace(old_bytes, new_bytes)
    text = line.decode("utf-8")
    start, end = _value_span(text, blob_column)
    return f'{text[:start]}"{new}"{text[end:]}'.encode()


def _value_span(text: str, name: str) -> tuple[int, int]:
    """Return where in a valid object the value of a name stands that is a string, given once."""
    depth, span = 0, (0, 0)
    for token in _TOKEN.finditer(text):
        string, colon = token.groups()
        if string is None:
            depth += 1 if token[0] in "[{" else -1
        elif depth == 1 and colon is not None and json.loads(string) == name:
            value = _TOKEN.match(text, token.end())
            span = (0, 0) if value is None else value.span(1)
    return span


def _failure(row: int, line: bytes | _TooLong, error: Failure) -> bytes:
    """Return the line of a row that failed."""
    fields: dict[str, Any] = {
        ROW_COLUMN: row,
        ERROR_COLUMN: error.code,
        MESSAGE_COLUMN: reason_of(error),
    }
    members = b""
    if isinstance(line, bytes):
        members = _members(line)
        if not members:
            try:
                fields["record"] = line.decode("utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                fields["record_base64"] = encode_base64(line)
    begin = json.dumps(fields, ensure_ascii=False).removesuffix("}").encode("utf-8")
    return begin + (members or b"}") + b"\n"


def _members(line: bytes) -> bytes:
    """Return what goes on after the members in front of an object; nothing if it is none."""
    try:
        record = json.loads(_text(line))
    except (ValueError, RecursionError):
        return b""
    if not isinstance(record, dict):
        return b""
    rest = _text(line).strip(" \t\r\n")[1:]
    return f", {rest}".encode() if record else b"}"

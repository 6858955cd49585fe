"""JSON Lines: one object per line, in UTF-8."""

import json
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
from kmscore.tables.compression import check_content, compressed, open_source
from kmscore.tables.errors import TableError
from kmscore.tables.json_members import Member, find_members, without_members
from kmscore.tables.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
    LONGEST_ROW,
    MAX_DIGITS,
    OWN_COLUMNS,
    ROW_COLUMN,
    Chunk,
    Result,
    check_names,
    digest_of_rows,
)

_MARK: Final = "\ufeff"
_WHITE_SPACE: Final = " \t\r\n"
"""The white space of JSON; `str.strip` would remove more."""

_WHITE_BYTES: Final = _WHITE_SPACE.encode("ascii")

_TEXT: Final = "record"
_BASE64: Final = "record_base64"
"""The members of a failed row that was not an object: its text, or its bytes in Base64."""


class _TooLong(NamedTuple):
    """A line that is longer than the limit; it is not kept in memory."""

    number: int
    length: int

    @property
    def error(self) -> RowError:
        """The error of the row."""
        return damaged_row(
            f"too long to be copied: line {self.number:,} of the input has {self.length:,} bytes,"
            f" more than {LONGEST_ROW:,}"
        )


class JsonLines:
    """A format that changes the ciphertext in a line, and no other byte of it."""

    def __init__(self, compression: str = "") -> None:
        """Create the format with a compression."""
        self._compression = compression
        self.suffix: str = f".jsonl{compression}"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Check the first line. Other lines can lack a column, and then fail alone."""
        check_content(path, self._compression)
        record = self._first(path, columns)
        if isinstance(record, RowError):
            raise TableError(f"{path}: line 1 is {reason_of(record)}")
        # The first row can be a failed one that was not an object.
        if record is not None and ROW_COLUMN not in record:
            check_names(path, list(record), columns, " in line 1")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the first line."""
        record = self._first(path, Columns())
        return list(record) if isinstance(record, dict) else []

    def check_rows(self, path: Path, columns: Columns) -> Iterator[float]:
        """Do nothing: a damaged line ends at its line end, so that it hides no other line."""
        del path, columns
        return iter(())

    def _first(self, path: Path, columns: Columns) -> dict[str, Any] | RowError | None:
        """Return the first object, the error of the first line, or `None` for an empty file."""
        chunk = next(self.chunks(path), None)
        return None if chunk is None else _Reader(columns).read(chunk.payload[0])

    def chunks(self, path: Path, columns: Columns | None = None) -> Iterator[Chunk]:
        """Yield the lines; empty lines are not rows. Each has all columns."""
        del columns
        with open_source(path, self._compression) as source:
            file, row, length = source.content, 1, 0
            lines: list[bytes | _TooLong] = []
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_ROW + 1), b""), 1):
                length += len(line)
                if len(line) > LONGEST_ROW:
                    lines.append(_TooLong(number, len(line) + _skip(file, line)))
                elif line.strip(_WHITE_BYTES):
                    lines.append(line)
                if len(lines) == CHUNK_ROWS or (lines and length >= CHUNK_BYTES):
                    yield Chunk(row, lines, source.position)
                    row, length = row + len(lines), 0
                    lines = []
            if lines:
                yield Chunk(row, lines, 1.0)

    def digest(self, chunk: Chunk) -> str:
        """Return a digest of the lines."""
        return digest_of_rows(
            chunk,
            (
                line if isinstance(line, bytes) else f"\0{line.number} {line.length}\n".encode()
                for line in chunk.payload
            ),
        )

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield the objects."""
        read = _Reader(columns).read
        for line in chunk.payload:
            record = read(line)
            if isinstance(record, dict) and ROW_COLUMN in record and columns.blob not in record:
                record = _unrepaired(record)
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
        """Write the lines; a failed row gets three members in front, also if it was a text."""
        rows = enumerate(zip(chunk.payload, records, results, strict=True), chunk.first_row)
        kept: list[bytes] = []
        failed: list[bytes] = []
        for row, (line, record, (blob, error)) in rows:
            if error is not None:
                failed.append(_failure(row, line, error))
                continue
            new_line = line
            if blob is not None and isinstance(record, dict):
                new_line = _rewritten(line, blob_column, record[blob_column], encode_base64(blob))
            if isinstance(record, dict) and ROW_COLUMN in record:
                new_line = _without_own_members(new_line)
            kept.append(_ended(new_line))
        for path, lines in ((good, kept), (bad, failed)):
            path.write_bytes(b"".join(lines))

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write one part after the other."""
        del path, is_bad
        with compressed(out, self._compression) as content:
            content.writelines(part.read_bytes() for part in parts)


def _skip(file: BinaryIO, line: bytes) -> int:
    """Read the rest of a line, and return its length."""
    length = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(LONGEST_ROW)
        length += len(line)
    return length


class _Repeating(dict[str, Any]):
    """An object with repeated names; it has the last value of each."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.repeated = {name for name, number in counts.items() if number > 1}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; its type shows whether names are repeated."""
    names = dict(pairs)
    return names if len(names) == len(pairs) else _Repeating(pairs)


# Python limits the digits of an int. No number is a ciphertext or a part of a context.
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=float)


class _Reader:
    """Reads lines as objects; the names of the columns are prepared once, for all lines.

    If a name is repeated, some readers take the first value and others the last. If this column is
    read, another reader could see another ciphertext or context.
    """

    def __init__(self, columns: Columns) -> None:
        self._names = (*columns.names, *OWN_COLUMNS)
        self._contexts = columns.whole_contexts

    def read(self, line: bytes | _TooLong) -> dict[str, Any] | RowError:
        """Return the object on a line, or the error of the row."""
        return line.error if isinstance(line, _TooLong) else self._load(line)

    def _load(self, line: bytes) -> dict[str, Any] | RowError:
        record: Any
        text = ""
        try:
            text = _text(line).strip(_WHITE_SPACE)
            try:
                record, end = _DECODER.raw_decode(text)
            except RecursionError:
                record, end = self._load_deep(text), len(text)
        except (ValueError, RecursionError):
            record, end = None, 0
        if not isinstance(record, dict) or end != len(text):
            return damaged_row("not a JSON object")
        if isinstance(record, _Repeating):
            for name in self._names:
                if name in record.repeated:
                    return damaged_row(f"an object with more than one {name!r:.80}")
        for name in self._contexts:
            if isinstance(record.get(name), _Repeating):
                error = InvalidContextError("encryption context with a repeated key")
                record[name] = Unreadable(error)
        return record

    def _load_deep(self, text: str) -> dict[str, Any]:
        """Return an object with the members that are read, if another member is nested deeply.

        Raises `ValueError`, and `RecursionError` if a member that is read is nested deeply.
        """
        return _object(
            [
                (name, _DECODER.decode(text[value:end]) if name in self._names else None)
                for name, _, value, end in find_members(text)
            ]
        )


def _unrepaired(record: dict[str, Any]) -> dict[str, Any] | RowError:
    """Return the error of a failed row that was not an object, and is still a text."""
    if _TEXT in record or _BASE64 in record:
        return damaged_row(f"a failed row that was not an object; repair it in place of {_TEXT!r}")
    return record


def _text(line: bytes) -> str:
    """Return a line as text, without the byte order mark of the first line."""
    return line.decode("utf-8").removeprefix(_MARK)


def _ended(line: bytes) -> bytes:
    """Return a line with a line end, which the last line of a file can lack."""
    return line if line.endswith(b"\n") else line + b"\n"


def _rewritten(line: bytes, blob_column: str, old: str, new: str) -> bytes:
    """Return a line with another ciphertext, and all other bytes unchanged."""
    old_bytes, new_bytes = old.encode("ascii"), new.encode("ascii")
    # Without a backslash no character is escaped, so that a single match is the ciphertext.
    if b"\\" not in line and line.count(old_bytes) == 1:
        return line.replace(old_bytes, new_bytes)
    text = line.decode("utf-8")
    begin = text.index("{")
    _, _, value, end = next(
        member for member in find_members(text[begin:]) if member.name == blob_column
    )
    return f'{text[: begin + value]}"{new}"{text[begin + end :]}'.encode()


def _without_own_members(line: bytes) -> bytes:
    """Return the line of a row that failed before, without the three members of failed rows."""
    text = line.decode("utf-8")
    begin = text.index("{")
    rest = text[begin:]
    return (text[:begin] + without_members(rest, find_members(rest), OWN_COLUMNS)).encode()


def _failure(row: int, line: bytes | _TooLong, error: Failure) -> bytes:
    """Return the line of a failed row. A row that failed before keeps its first number."""
    members = ""
    fields: dict[str, Any] = {}
    if isinstance(line, bytes):
        try:
            text = _text(line).strip(_WHITE_SPACE)
            found = find_members(text)
            if any(member.name in OWN_COLUMNS for member in found):
                row, text = _first_number(text, row, found)
            members = text[1:].lstrip(_WHITE_SPACE) if found else "}"
        except UnicodeDecodeError:
            fields[_BASE64] = encode_base64(line)
        except ValueError:
            fields[_TEXT] = line.decode("utf-8").rstrip("\r\n")
    own = dict(zip(OWN_COLUMNS, (row, error.code, reason_of(error)), strict=True))
    begin = json.dumps(own | fields, ensure_ascii=False).removesuffix("}")
    rest = "}" if members in {"", "}"} else f", {members}"
    return f"{begin}{rest}\n".encode()


def _first_number(text: str, row: int, members: list[Member]) -> tuple[int, str]:
    """Return the number of a row that failed before, and the row without the added members."""
    found = [text[value:end] for name, _, value, end in members if name == ROW_COLUMN]
    number = found[0] if len(found) == 1 else ""
    is_number = number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS
    return int(number) if is_number else row, without_members(text, members, OWN_COLUMNS)

"""CSV (RFC 4180): a head of column names, then one record a row, in UTF-8."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, TextIO

from kmscore._base64 import encode_base64
from kmscore.cli.files import FileProblem, describe
from kmscore.cli.rotation.columns import Failure, Record, damaged_row
from kmscore.cli.rotation.table import (
    CHUNK_ROWS,
    ERROR_COLUMN,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
)

_MARK: Final = "\ufeff"


class _Rows(NamedTuple):
    """Some records, with the head and the line ends of their file."""

    head: list[str]
    records: list[list[str]]
    line_end: str


class CommaSeparated:
    """Keeps the order of columns and the line ends; quotes stand where they have to."""

    suffix = ".csv"

    def check_columns(self, path: Path, names: Sequence[str]) -> None:
        """Look at the head."""
        with _opened(path) as file:
            head, _ = _head(path, file, _reader(file))
        for name in names:
            if head.count(name) != 1:
                reason = "no" if name not in head else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r} in the first line")

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield records."""
        try:
            size = max(1, path.stat().st_size)
            with path.open("rb") as raw, _decoded(raw) as file:
                reader = _reader(file)
                head, line_end = _head(path, file, reader)
                row, records = 1, []
                for record in reader:
                    if record:
                        records.append(record)
                    if len(records) == CHUNK_ROWS:
                        position = raw.tell() / size
                        yield Chunk(row, _Rows(head, records, line_end), position)
                        row += len(records)
                        records = []
                if records:
                    yield Chunk(row, _Rows(head, records, line_end), 1.0)
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        except (csv.Error, UnicodeDecodeError) as error:
            raise FileProblem(f"{path}: not CSV in UTF-8: {error}") from None

    def records(self, chunk: Chunk, names: Sequence[str]) -> Iterator[Record | Failure]:
        """Yield each record by column."""
        del names
        head = chunk.payload.head
        for fields in chunk.payload.records:
            if len(fields) == len(head):
                yield dict(zip(head, fields, strict=True))
            else:
                yield damaged_row(f"{len(fields)} fields, and {len(head)} columns")

    def write(
        self, chunk: Chunk, results: Sequence[Result], blob_column: str, good: Path, bad: Path
    ) -> None:
        """Write records; those that failed have three columns more in front."""
        head, records, line_end = chunk.payload
        blob = head.index(blob_column)
        with _created(good) as kept_file, _created(bad) as failed_file:
            kept = csv.writer(kept_file, lineterminator=line_end)
            failed = csv.writer(failed_file, lineterminator=line_end)
            for row, (fields, result) in enumerate(
                zip(records, results, strict=True), chunk.first_row
            ):
                if result.error is not None:
                    failed.writerow([row, result.error.code, str(result.error), *fields])
                    continue
                if result.blob is not None:
                    fields[blob] = encode_base64(result.blob)
                kept.writerow(fields)

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO) -> None:
        """Write the head, then one part after the other."""
        with _opened(path) as file:
            head, line_end = _head(path, file, _reader(file))
        is_bad = bool(parts) and parts[0].suffix == ".bad"
        extra = [ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN] if is_bad else []
        text = io.StringIO()
        csv.writer(text, lineterminator=line_end).writerow([*extra, *head])
        out.write(text.getvalue().encode("utf-8"))
        out.writelines(part.read_bytes() for part in parts)


def _opened(path: Path) -> TextIO:
    """Open a file for reading. Raises `FileProblem`."""
    try:
        return _decoded(path.open("rb"))
    except OSError as error:
        raise FileProblem(describe(error, path)) from None


def _decoded(raw: BinaryIO) -> TextIO:
    """Return a file as text, with the line ends that it has."""
    return io.TextIOWrapper(raw, encoding="utf-8", newline="")


def _created(path: Path) -> TextIO:
    return path.open("w", encoding="utf-8", newline="")


def _reader(file: TextIO) -> Any:  # noqa: ANN401 (the reader's class has no name)
    return csv.reader(file, strict=True)


def _head(path: Path, file: TextIO, reader: Any) -> tuple[list[str], str]:  # noqa: ANN401
    """Return the column names, and how lines end."""
    try:
        head = next(reader, None)
    except (csv.Error, UnicodeDecodeError) as error:
        raise FileProblem(f"{path}: not CSV in UTF-8: {error}") from None
    if not head:
        raise FileProblem(f"{path}: no column names in the first line")
    head[0] = head[0].removeprefix(_MARK)
    line_ends = file.newlines
    first = line_ends if isinstance(line_ends, str) else (line_ends or ("\n",))[0]
    return head, first

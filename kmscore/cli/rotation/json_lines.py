"""JSON Lines: one object a line, in UTF-8."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

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

_LONGEST: Final = 16 << 20  # bytes of a line


class JsonLines:
    """Rewrites the ciphertext in a line and leaves every other byte of it as it was."""

    suffix = ".jsonl"

    def check_columns(self, path: Path, names: Sequence[str]) -> None:
        """Look at the first line: the others may lack a column, and then fail by themselves."""
        for chunk in self.chunks(path):
            record = next(self.records(chunk, names))
            if not isinstance(record, dict):
                raise FileProblem(f"{path}: line 1 is not a JSON object")
            for name in names:
                if name not in record:
                    raise FileProblem(f"{path}: no column {name!r} in line 1")
            return

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield lines; those with nothing on them are no rows."""
        try:
            size = max(1, path.stat().st_size)
            with path.open("rb") as file:
                row, position = 1, 0
                lines: list[bytes] = []
                for number, line in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), 1):
                    if len(line) > _LONGEST:
                        raise FileProblem(f"{path}: line {number} has more than {_LONGEST:,} bytes")
                    position += len(line)
                    if line.strip():
                        lines.append(line)
                    if len(lines) == CHUNK_ROWS:
                        yield Chunk(row, lines, position / size)
                        row += len(lines)
                        lines = []
                if lines:
                    yield Chunk(row, lines, 1.0)
        except OSError as error:
            raise FileProblem(describe(error, path)) from None

    def records(self, chunk: Chunk, names: Sequence[str]) -> Iterator[Record | Failure]:
        """Yield the objects."""
        del names
        for line in chunk.payload:
            yield _load(line)

    def write(
        self, chunk: Chunk, results: Sequence[Result], blob_column: str, good: Path, bad: Path
    ) -> None:
        """Write lines; one that failed stands as text within an object."""
        with good.open("wb") as kept, bad.open("wb") as failed:
            for row, (line, result) in enumerate(
                zip(chunk.payload, results, strict=True), chunk.first_row
            ):
                if result.error is not None:
                    failed.write(_failure(row, line, result.error))
                elif result.blob is None:
                    kept.write(_ended(line))
                else:
                    kept.write(_rewritten(line, blob_column, encode_base64(result.blob)))

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO) -> None:
        """Write one part after the other."""
        del path
        out.writelines(part.read_bytes() for part in parts)


def _load(line: bytes) -> Record | Failure:
    """Return the object on a line, or what is wrong with it."""
    record: Any
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    return record if isinstance(record, dict) else damaged_row("not a JSON object")


def _ended(line: bytes) -> bytes:
    """Return a line with its end, which the last one of a file may lack."""
    return line if line.endswith(b"\n") else line + b"\n"


def _rewritten(line: bytes, blob_column: str, text: str) -> bytes:
    """Return a line with another ciphertext, and every other byte of it as it was.

    The old text is looked for as it stands. Where it stands more than once, or a backslash might
    spell it in another way, the object is written anew.
    """
    record: dict[str, Any] = json.loads(line)
    old = record[blob_column].encode("ascii")
    if b"\\" not in line and line.count(old) == 1:
        return _ended(line.replace(old, text.encode("ascii")))
    record[blob_column] = text
    return json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _failure(row: int, line: bytes, error: Failure) -> bytes:
    """Return the line of a row that failed."""
    fields: dict[str, Any] = {
        ROW_COLUMN: row,
        ERROR_COLUMN: error.code,
        MESSAGE_COLUMN: str(error),
    }
    try:
        fields["record"] = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        fields["record_base64"] = encode_base64(line)
    return json.dumps(fields, ensure_ascii=False).encode("utf-8") + b"\n"

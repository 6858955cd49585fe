"""Parquet, with the extra `arrow`: ciphertexts as binary or text, contexts as struct or map too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from kmscore._base64 import encode_base64
from kmscore.cli.files import FileProblem, describe
from kmscore.cli.rotation.columns import Columns, Failure, Record, reason_of
from kmscore.cli.rotation.table import (
    CHUNK_ROWS,
    ERROR_COLUMN,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
)
from kmscore.errors import InvalidContextError

_OWN: Final = (ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN)


class Parquet:
    """Keeps the schema, its metadata, and the order of rows; row groups are those of the parts."""

    suffix = ".parquet"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the schema."""
        schema = _schema(path)
        for name in columns.names:
            if schema.names.count(name) != 1:
                reason = "no" if name not in schema.names else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r}")
        for name in _OWN:
            if name in schema.names:
                raise FileProblem(f"{path}: a column {name!r}, which is for failed rows")
        kind = schema.field(columns.blob).type
        if not (_is_text(kind) or _is_binary(kind)):
            raise FileProblem(f"{path}: column {columns.blob!r} is of {kind}: not binary, not text")

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield batches of rows, each as a stream of Arrow."""
        arrow, parquet = _arrow()
        with _problems(path), parquet.ParquetFile(path) as file:
            total, row = max(1, file.metadata.num_rows), 1
            for batch in file.iter_batches(CHUNK_ROWS):
                sink = arrow.BufferOutputStream()
                with arrow.ipc.new_stream(sink, batch.schema) as writer:
                    writer.write_batch(batch)
                position = (row - 1 + batch.num_rows) / total
                yield Chunk(row, sink.getvalue().to_pybytes(), position)
                row += batch.num_rows

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield the columns that are read."""
        table = _table(chunk).select(list(dict.fromkeys(columns.names)))
        contexts = [name for name in columns.structured if name != columns.blob]
        for record in table.to_pylist():
            try:
                yield record | {name: _pairs(record[name]) for name in contexts}
            except InvalidContextError as error:
                yield error.with_traceback(None)

    def write(
        self,
        chunk: Chunk,
        records: Sequence[Record | Failure],
        results: Sequence[Result],
        blob_column: str,
        good: Path,
        bad: Path,
    ) -> None:
        """Write a table each; rows that failed have three columns more in front."""
        del records
        arrow, parquet = _arrow()
        table = _with_blobs(_table(chunk), blob_column, results)
        is_good = arrow.array([result.error is None for result in results])
        with _problems(good):
            parquet.write_table(table.filter(is_good), good)
        failures = [
            (row, result.error)
            for row, result in enumerate(results, chunk.first_row)
            if result.error is not None
        ]
        failed = table.filter(import_module("pyarrow.compute").invert(is_good))
        values = (
            arrow.array([row for row, _ in failures], arrow.int64()),
            arrow.array([error.code for _, error in failures], arrow.string()),
            arrow.array([reason_of(error) for _, error in failures], arrow.string()),
        )
        for position, name in enumerate(_OWN):
            failed = failed.add_column(position, name, values[position])
        with _problems(bad):
            parquet.write_table(failed, bad)

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write the row groups of one part after the other."""
        del is_bad
        _, parquet = _arrow()
        with _problems(path):
            schema = parquet.read_schema(parts[0] if parts else path)
            with parquet.ParquetWriter(out, schema) as writer:
                for part in parts:
                    # As a file and nothing more: names of folders with `=` make no columns.
                    with parquet.ParquetFile(part) as file:
                        writer.write_table(file.read())


def _with_blobs(table: Any, blob_column: str, results: Sequence[Result]) -> Any:  # noqa: ANN401 (a library without types)
    """Return a table with the new ciphertexts in their column."""
    arrow, _ = _arrow()
    index = table.schema.get_field_index(blob_column)
    field = table.schema.field(index)
    is_text = _is_text(field.type)
    blobs = [
        old if result.blob is None else encode_base64(result.blob) if is_text else result.blob
        for old, result in zip(table.column(index).to_pylist(), results, strict=True)
    ]
    if arrow.types.is_fixed_size_binary(field.type):
        # What is sealed under another version may be longer.
        field = field.with_type(arrow.binary())
    return table.set_column(index, field, arrow.array(blobs, field.type))


def _pairs(value: Any) -> Any:  # noqa: ANN401 (any value of a table)
    """Return a struct or map as a context has it, anything else as it is.

    Raises `InvalidContextError` for a map with a key that is no text, or stands twice.
    """
    if isinstance(value, dict):
        # A struct has every field in every row.
        return {name: text for name, text in value.items() if text is not None}
    if not isinstance(value, list) or not all(isinstance(pair, tuple) for pair in value):
        return value
    if not all(isinstance(key, str) for key, _ in value):
        raise InvalidContextError("encryption context with a key that is no text")
    pairs = dict(value)
    if len(pairs) != len(value):
        raise InvalidContextError("encryption context with a repeated key")
    return pairs


def _is_text(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    types = _arrow()[0].types
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _is_binary(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    types = _arrow()[0].types
    kinds = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    return any(is_kind(kind) for is_kind in kinds)


def _table(chunk: Chunk) -> Any:  # noqa: ANN401 (a library without types)
    arrow, _ = _arrow()
    with arrow.ipc.open_stream(chunk.payload) as reader:
        return reader.read_all()


def _schema(path: Path) -> Any:  # noqa: ANN401 (a library without types)
    """Return the schema of a file, or raise `FileProblem`."""
    _, parquet = _arrow()
    with _problems(path):
        return parquet.read_schema(path)


@contextmanager
def _problems(path: Path) -> Iterator[None]:
    """Raise `FileProblem` for what is wrong with a file, in one line."""
    arrow, _ = _arrow()
    try:
        yield
    except OSError as error:
        # Arrow raises it as well, and then without a number.
        if error.strerror:
            raise FileProblem(describe(error, path)) from None
        reason = str(error)
    except arrow.ArrowException as error:
        reason = str(error)
    else:
        return
    raise FileProblem(f"{path}: not Parquet that can be read and written: {reason.splitlines()[0]}")


def _arrow() -> tuple[Any, Any]:
    """Return pyarrow and its part for Parquet, or raise `FileProblem`."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        pass
    raise FileProblem("Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'")

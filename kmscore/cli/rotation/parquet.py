"""Parquet, with the extra `arrow`: ciphertexts as binary or text, contexts as struct or map too."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from kmscore._base64 import encode_base64
from kmscore.cli.files import FileProblem, describe
from kmscore.cli.rotation.columns import Failure, Record
from kmscore.cli.rotation.table import (
    CHUNK_ROWS,
    ERROR_COLUMN,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
)

_OWN: Final = (ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN)


class Parquet:
    """Keeps the schema, its metadata, and the order of rows; row groups are those of the parts."""

    suffix = ".parquet"

    def check_columns(self, path: Path, names: Sequence[str]) -> None:
        """Look at the schema."""
        schema = _schema(path)
        for name in names:
            if schema.names.count(name) != 1:
                reason = "no" if name not in schema.names else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r}")
        for name in _OWN:
            if name in schema.names:
                raise FileProblem(f"{path}: a column {name!r}, which is for failed rows")

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield batches of rows, each as a stream of Arrow."""
        arrow, parquet = _arrow()
        try:
            with parquet.ParquetFile(path) as file:
                total, row = max(1, file.metadata.num_rows), 1
                for batch in file.iter_batches(CHUNK_ROWS):
                    sink = arrow.BufferOutputStream()
                    with arrow.ipc.new_stream(sink, batch.schema) as writer:
                        writer.write_batch(batch)
                    position = (row - 1 + batch.num_rows) / total
                    yield Chunk(row, sink.getvalue().to_pybytes(), position)
                    row += batch.num_rows
        except (arrow.ArrowException, OSError) as error:
            raise _problem(error, path) from None

    def records(self, chunk: Chunk, names: Sequence[str]) -> Iterator[Record | Failure]:
        """Yield the columns that are read."""
        yield from _table(chunk).select(list(dict.fromkeys(names))).to_pylist()

    def write(
        self, chunk: Chunk, results: Sequence[Result], blob_column: str, good: Path, bad: Path
    ) -> None:
        """Write a table each; rows that failed have three columns more in front."""
        arrow, parquet = _arrow()
        table = _table(chunk)
        index = table.schema.get_field_index(blob_column)
        field = table.schema.field(index)
        is_text = arrow.types.is_string(field.type) or arrow.types.is_large_string(field.type)
        old = table.column(index).to_pylist()
        blobs = [
            old[row]
            if result.blob is None
            else encode_base64(result.blob)
            if is_text
            else result.blob
            for row, result in enumerate(results)
        ]
        if arrow.types.is_fixed_size_binary(field.type):
            field = field.with_type(arrow.binary())
        table = table.set_column(index, field, arrow.array(blobs, field.type))
        is_good = arrow.array([result.error is None for result in results])
        parquet.write_table(table.filter(is_good), good)
        failures = [
            (row, result.error)
            for row, result in enumerate(results, chunk.first_row)
            if result.error is not None
        ]
        failed = table.filter(import_module("pyarrow.compute").invert(is_good))
        columns = {
            ROW_COLUMN: arrow.array([row for row, _ in failures], arrow.int64()),
            ERROR_COLUMN: arrow.array([error.code for _, error in failures], arrow.string()),
            MESSAGE_COLUMN: arrow.array([str(error) for _, error in failures], arrow.string()),
        }
        for position, (name, values) in enumerate(columns.items()):
            failed = failed.add_column(position, name, values)
        parquet.write_table(failed, bad)

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO) -> None:
        """Write the row groups of one part after the other."""
        _, parquet = _arrow()
        schema = parquet.read_schema(parts[0]) if parts else _schema(path)
        with parquet.ParquetWriter(out, schema) as writer:
            for part in parts:
                writer.write_table(parquet.read_table(part))


def _table(chunk: Chunk) -> Any:  # noqa: ANN401 (a library without types)
    arrow, _ = _arrow()
    with arrow.ipc.open_stream(chunk.payload) as reader:
        return reader.read_all()


def _schema(path: Path) -> Any:  # noqa: ANN401 (a library without types)
    """Return the schema of a file, or raise `FileProblem`."""
    arrow, parquet = _arrow()
    try:
        return parquet.read_schema(path)
    except (arrow.ArrowException, OSError) as error:
        raise _problem(error, path) from None


def _problem(error: Exception, path: Path) -> FileProblem:
    """Return what is wrong with a file, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return FileProblem(describe(error, path))
    return FileProblem(f"{path}: not Parquet: {str(error).splitlines()[0]}")


def _arrow() -> tuple[Any, Any]:
    """Return pyarrow and its part for Parquet, or raise `FileProblem`."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        pass
    raise FileProblem("Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'")

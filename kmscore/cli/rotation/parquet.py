"""Parquet, with the extra `arrow`: ciphertexts as binary or text, contexts as struct or map too."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from kmscore._base64 import encode_base64
from kmscore.cli.files import FileProblem
from kmscore.cli.rotation.columns import Columns, Failure, Record, Unreadable, reason_of
from kmscore.cli.rotation.parquet_file import (
    check_timestamps,
    is_binary,
    is_text,
    load_arrow,
    problems,
    read_schema,
    read_tables,
)
from kmscore.cli.rotation.table import (
    ERROR_COLUMN,
    MESSAGE_COLUMN,
    ROW_COLUMN,
    Chunk,
    Result,
    check_own_columns,
)
from kmscore.errors import InvalidContextError

_OWN: Final = (ROW_COLUMN, ERROR_COLUMN, MESSAGE_COLUMN)


class Parquet:
    """Keeps the schema, its metadata, and the order of rows; row groups are those of the parts."""

    suffix = ".parquet"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the schema."""
        schema = read_schema(path)
        for name in columns.names:
            if schema.names.count(name) != 1:
                reason = "no" if name not in schema.names else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r}")
        kind = schema.field(columns.blob).type
        if not (is_text(kind) or is_binary(kind)):
            raise FileProblem(f"{path}: column {columns.blob!r} is of {kind}: not binary, not text")
        for name in columns.whole_contexts:
            kind = schema.field(name).type
            if not (_is_words(kind) or _is_context(kind)):
                raise FileProblem(
                    f"{path}: column {name!r} is of {kind}: not text, no struct or map of text"
                )
        for name in columns.contexts:
            kind = schema.field(name).type
            if not _is_words(kind):
                raise FileProblem(f"{path}: column {name!r} is of {kind}: not text")

    def check_rows(self, path: Path) -> Iterator[float]:
        """Look at the schema, and for timestamps that are finer than what they are kept as."""
        check_own_columns(path, read_schema(path).names)
        return check_timestamps(path)

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield batches of rows, each as a stream of Arrow."""
        row = 1
        for table, position in read_tables(path):
            with problems(path):
                payload = _stream(table)
            yield Chunk(row, payload, position)
            row += table.num_rows

    def records(self, chunk: Chunk, columns: Columns) -> Iterator[Record | Failure]:
        """Yield the columns that are read."""
        table = _table(chunk)
        names = list(dict.fromkeys(columns.names))
        values = [_values(table.column(name)) for name in names]
        for row in zip(*values, strict=True):
            yield dict(zip(names, row, strict=True))

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
        arrow, parquet = load_arrow()
        table = _with_blobs(_table(chunk), blob_column, results)
        is_good = arrow.array([result.error is None for result in results])
        with problems(good):
            parquet.write_table(table.filter(is_good), good)
        failed = table.filter(import_module("pyarrow.compute").invert(is_good))
        with problems(bad):
            parquet.write_table(_with_reasons(failed, chunk.first_row, results), bad)

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write the row groups of one part after the other."""
        del is_bad
        _, parquet = load_arrow()
        with problems(path):
            schema = read_schema(parts[0] if parts else path)
            with parquet.ParquetWriter(out, schema) as writer:
                for part in parts:
                    # As a file and nothing more: names of folders with `=` make no columns.
                    with parquet.ParquetFile(part) as file:
                        writer.write_table(file.read())


def _with_blobs(table: Any, blob_column: str, results: Sequence[Result]) -> Any:  # noqa: ANN401 (a library without types)
    """Return a table with the new ciphertexts in their column."""
    arrow, _ = load_arrow()
    index = table.schema.get_field_index(blob_column)
    field = table.schema.field(index)
    in_base64 = is_text(field.type)
    blobs = [
        old
        if result.blob is None
        else encode_base64(result.blob).encode("ascii")
        if in_base64
        else result.blob
        for old, result in zip(_bytes(table.column(index)), results, strict=True)
    ]
    if arrow.types.is_fixed_size_binary(field.type):
        # What is sealed under another version may be longer.
        field = field.with_type(arrow.binary())
    # Not safe, as Arrow has it: a text that is not UTF-8 stays as it is in a row that failed.
    column = arrow.array(blobs, arrow.large_binary()).cast(field.type, safe=False)
    return table.set_column(index, field, column)


def _with_reasons(table: Any, first_row: int, results: Sequence[Result]) -> Any:  # noqa: ANN401 (a library without types)
    """Return the rows that failed with their number, code and reason in front."""
    arrow, _ = load_arrow()
    failures = [
        (row, result.error)
        for row, result in enumerate(results, first_row)
        if result.error is not None
    ]
    columns = (
        arrow.array([row for row, _ in failures], arrow.int64()),
        arrow.array([error.code for _, error in failures], arrow.string()),
        arrow.array([reason_of(error) for _, error in failures], arrow.string()),
    )
    for position, (name, column) in enumerate(zip(_OWN, columns, strict=True)):
        table = table.add_column(position, name, column)
    return table


def _bytes(column: Any) -> list[Any]:  # noqa: ANN401 (a library without types)
    """Return the values of a column with every text in them as bytes.

    Nobody has checked that a text is UTF-8, and one that is not is its row's failure.
    """
    arrow, _ = load_arrow()
    kind, data = column.type, arrow.large_binary()
    if arrow.types.is_struct(kind):
        data = arrow.struct([(field.name, data) for field in kind])
    elif arrow.types.is_map(kind):
        data = arrow.map_(data, data)
    values: list[Any] = column.cast(data).to_pylist()
    return values


def _values(column: Any) -> list[Any]:  # noqa: ANN401 (a library without types)
    """Return the values of a column; what is not UTF-8 becomes surrogates, which nothing takes."""
    values = _bytes(column)
    if is_binary(column.type):
        return values
    return [_read(value) for value in values]


def _read(value: Any) -> Any:  # noqa: ANN401 (any value of a table)
    """Return a text, or the context in a struct or map."""
    if value is None:
        return None
    if isinstance(value, bytes):
        return _decode(value)
    if isinstance(value, dict):
        # A struct has every field in every row: with none but nulls, nothing stands there.
        return {name: _decode(text) for name, text in value.items() if text is not None} or None
    pairs = {_decode(key): None if text is None else _decode(text) for key, text in value}
    if len(pairs) != len(value):
        return Unreadable(InvalidContextError("encryption context with a repeated key"))
    return pairs


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _is_words(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether values are texts, few different ones perhaps, or all null."""
    types = load_arrow()[0].types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return is_text(kind) or bool(types.is_null(kind))


def _is_context(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether values are structs or maps of texts."""
    types = load_arrow()[0].types
    if types.is_map(kind):
        return is_text(kind.key_type) and is_text(kind.item_type)
    if not types.is_struct(kind):
        return False
    fields = list(kind)
    is_unique = len({field.name for field in fields}) == len(fields)
    return is_unique and all(is_text(field.type) or types.is_null(field.type) for field in fields)


def _stream(table: Any) -> bytes:  # noqa: ANN401 (a library without types)
    """Return a table as a stream of Arrow."""
    arrow, _ = load_arrow()
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _table(chunk: Chunk) -> Any:  # noqa: ANN401 (a library without types)
    arrow, _ = load_arrow()
    with arrow.ipc.open_stream(chunk.payload) as reader:
        return reader.read_all()

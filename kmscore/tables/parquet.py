"""Parquet, with the extra `arrow`: ciphertexts as binary or text, contexts as struct or map too."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import chain, groupby
from pathlib import Path
from typing import Any, BinaryIO

from kmscore._base64 import encode_base64
from kmscore.bulk import KEEP_CONTEXT
from kmscore.tables.columns import Columns, Failure, Record, reason_of
from kmscore.tables.errors import TableError
from kmscore.tables.parquet_file import (
    check_timestamps,
    is_binary,
    is_text,
    load_arrow,
    problems,
    read_schema,
    read_tables,
)
from kmscore.tables.table import (
    OWN_COLUMNS,
    Chunk,
    Result,
    check_names,
    check_own_columns,
    has_own_columns,
)


class Parquet:
    """Keeps the schema, its metadata, and the order of rows; row groups are those of the parts."""

    suffix = ".parquet"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Look at the schema."""
        schema = read_schema(path)
        check_names(path, schema.names, columns)
        kind = schema.field(columns.blob).type
        if not (is_text(kind) or is_binary(kind)):
            raise TableError(f"{path}: column {columns.blob!r} is of {kind}: not binary, not text")
        for name in columns.whole_contexts:
            kind = schema.field(name).type
            if not (_is_words(kind) or _is_context(kind)):
                raise TableError(
                    f"{path}: column {name!r} is of {kind}: not text, no struct or map of text"
                )
        for name in columns.contexts:
            kind = schema.field(name).type
            if not _is_words(kind):
                raise TableError(f"{path}: column {name!r} is of {kind}: not text")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the schema."""
        names: list[str] = read_schema(path).names
        return names

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
        names = list(dict.fromkeys(columns.names))
        for batch in _table(chunk).to_batches():
            values = [_values(batch, name) for name in names]
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
        _, parquet = load_arrow()
        table = _with_blobs(_table(chunk), blob_column, results)
        numbers: Sequence[Any] = range(chunk.first_row, chunk.first_row + table.num_rows)
        if has_own_columns(table.schema.names):
            # A row that failed before keeps its first number.
            numbers = table.column(0).to_pylist()
            table = table.drop_columns(list(OWN_COLUMNS))
        with problems(good):
            parquet.write_table(_rows(table, [result.error is None for result in results]), good)
        failed = _rows(table, [result.error is not None for result in results])
        with problems(bad):
            parquet.write_table(_with_reasons(failed, numbers, results), bad)

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
    old_blobs = chain.from_iterable(map(_arrow_contexts().read_bytes, table.column(index).chunks))
    blobs = [
        old
        if result.blob is None
        else encode_base64(result.blob).encode("ascii")
        if in_base64
        else result.blob
        for old, result in zip(old_blobs, results, strict=True)
    ]
    if arrow.types.is_fixed_size_binary(field.type):
        # What is sealed under another version may be longer.
        field = field.with_type(arrow.binary())
    # Not safe, as Arrow has it: a text that is not UTF-8 stays as it is in a row that failed.
    column = arrow.array(blobs, arrow.large_binary()).cast(field.type, safe=False)
    return table.set_column(index, field, column)


def _rows(table: Any, are_taken: Sequence[bool]) -> Any:  # noqa: ANN401 (a library without types)
    """Return some rows of a table.

    In slices: Arrow has no filter for columns of every type that Parquet holds.
    """
    slices, row = [table.slice(0, 0)], 0
    for is_taken, run in groupby(are_taken):
        length = sum(1 for _ in run)
        if is_taken:
            slices.append(table.slice(row, length))
        row += length
    # Many small pieces are slow to write.
    return load_arrow()[0].concat_tables(slices).combine_chunks()


def _with_reasons(table: Any, numbers: Sequence[Any], results: Sequence[Result]) -> Any:  # noqa: ANN401 (a library without types)
    """Return the rows that failed with their number, code and reason in front."""
    arrow, _ = load_arrow()
    failures = [
        (row, result.error)
        for row, result in zip(numbers, results, strict=True)
        if result.error is not None
    ]
    columns = (
        arrow.array([row for row, _ in failures], arrow.int64()),
        arrow.array([error.code for _, error in failures], arrow.string()),
        arrow.array([reason_of(error) for _, error in failures], arrow.string()),
    )
    for position, (name, column) in enumerate(zip(OWN_COLUMNS, columns, strict=True)):
        table = table.add_column(position, name, column)
    return table


def _values(batch: Any, name: str) -> list[Any]:  # noqa: ANN401 (a library without types)
    """Return the values of a column; what is not UTF-8 becomes surrogates, which nothing takes."""
    types, contexts = load_arrow()[0].types, _arrow_contexts()
    column = batch.column(name)
    if types.is_struct(column.type) or types.is_map(column.type):
        # As a destination they tell what is no context from the empty one; as a source both are.
        destinations = contexts.read_destinations(batch, name)
        return [None if context is KEEP_CONTEXT else context for context in destinations]
    values: list[bytes | None] = contexts.read_bytes(column)
    if is_binary(column.type):
        return values
    return [None if text is None else text.decode("utf-8", "surrogateescape") for text in values]


def _arrow_contexts() -> Any:  # noqa: ANN401 (what it gives is for a library without types)
    """Return the module, which cannot be imported without the extra."""
    return import_module("kmscore.bulk.arrow_contexts")


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

"""Parquet, with the extra `arrow`: ciphertexts as binary or text, also in dictionaries or views."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import BinaryIO

from kmscore._base64 import encode_base64
from kmscore.bulk import KEEP_CONTEXT
from kmscore.tables.arrow_library import ArrowObject, load_arrow
from kmscore.tables.columns import Columns, Failure, Record, reason_of
from kmscore.tables.errors import TableError
from kmscore.tables.parquet_file import (
    check_kept,
    check_timestamps,
    open_writer,
    problems,
    read_pieces,
    read_schema,
    write_groups,
)
from kmscore.tables.table import (
    OWN_COLUMNS,
    ROW_COLUMN,
    Chunk,
    Result,
    check_names,
    check_own_columns,
    digest_of_rows,
    has_own_columns,
)

_GROUP: bytes = b"kmscore.row_group"
"""The metadata of a part with the number of its row group."""


class Parquet:
    """A format that keeps types, metadata, compression, the order of rows, and row groups."""

    suffix = ".parquet"

    def check_columns(self, path: Path, columns: Columns) -> None:
        """Check the schema."""
        contexts = load_arrow().contexts
        schema = read_schema(path)
        check_names(path, schema.names, columns)
        kind = schema.field(columns.blob).type
        if not (contexts.is_text(kind) or contexts.is_binary(kind)):
            raise TableError(f"{path}: column {columns.blob!r} is of {kind}: not binary, not text")
        for name in columns.whole_contexts:
            kind = schema.field(name).type
            if not (contexts.is_text(kind) or contexts.is_context(kind)):
                raise TableError(
                    f"{path}: column {name!r} is of {kind}: not text, no struct or map of text"
                )
        for name in columns.contexts:
            kind = schema.field(name).type
            if not contexts.is_text(kind):
                raise TableError(f"{path}: column {name!r} is of {kind}: not text")

    def column_names(self, path: Path) -> list[str]:
        """Return the names in the schema."""
        names: list[str] = read_schema(path).names
        return names

    def check_rows(self, path: Path, columns: Columns) -> Iterator[float]:
        """Check that a new file keeps all types, and that timestamps are not too fine."""
        schema = read_schema(path)
        check_own_columns(path, schema.names)
        if has_own_columns(schema.names):
            kind = schema.field(ROW_COLUMN).type
            if not load_arrow().core.types.is_integer(kind):
                raise TableError(f"{path}: column {ROW_COLUMN!r} is of {kind}: not an integer")
        check_kept(path, _new_schema(schema, columns.blob), columns.blob)
        return check_timestamps(path)

    def chunks(self, path: Path, columns: Columns | None = None) -> Iterator[Chunk]:
        """Yield the rows, each chunk as an Arrow stream; with `columns`, no other columns."""
        names = None if columns is None else list(dict.fromkeys(columns.names))
        row = 1
        for table, group, position in read_pieces(path, names):
            with problems(path):
                payload = _stream(table), group
            yield Chunk(row, payload, position)
            row += table.num_rows

    def digest(self, chunk: Chunk) -> str:
        """Return a digest of the Arrow stream and the number of the row group."""
        stream, group = chunk.payload
        return digest_of_rows(chunk, [f"{group}\n".encode("ascii"), stream])

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
        """Write a table each; failed rows have three columns in front."""
        del records
        _, group = chunk.payload
        table = _with_blobs(_table(chunk), blob_column, results)
        numbers: Sequence[int] = range(chunk.first_row, chunk.first_row + table.num_rows)
        if has_own_columns(table.schema.names):
            # A row that failed before keeps its first number.
            numbers = table.column(0).to_pylist()
            table = table.drop_columns(list(OWN_COLUMNS))
        is_good = [result.error is None for result in results]
        _write_part(good, _rows(table, is_good), group)
        failed = _rows(table, [not each for each in is_good])
        _write_part(bad, _with_reasons(failed, numbers, results), group)

    def join(self, parts: Sequence[Path], path: Path, out: BinaryIO, *, is_bad: bool) -> None:
        """Write the parts in the row groups of the input."""
        del is_bad  # a table of failed rows has at least one part
        with problems(path):
            if parts:
                schema = _without_group(read_schema(parts[0]))
            else:
                schema = _without_own_columns(read_schema(path))
            with open_writer(out, schema, path) as writer:
                write_groups(writer, map(_read_part, parts))


def _without_own_columns(schema: ArrowObject) -> ArrowObject:
    """Return the schema of a result without rows."""
    for _ in OWN_COLUMNS if has_own_columns(schema.names) else ():
        schema = schema.remove(0)
    return schema


def _new_schema(schema: ArrowObject, blob_column: str) -> ArrowObject:
    """Return the schema of the result: a new ciphertext can be longer than a fixed-size one."""
    schema = _without_own_columns(schema)
    arrow = load_arrow().core
    index = schema.get_field_index(blob_column)
    field = schema.field(index)
    if arrow.types.is_fixed_size_binary(field.type):
        schema = schema.set(index, field.with_type(arrow.binary()))
    return schema


def _write_part(path: Path, table: ArrowObject, group: int) -> None:
    """Write a part with the number of its row group."""
    metadata = {**(table.schema.metadata or {}), _GROUP: str(group).encode("ascii")}
    with problems(path):
        load_arrow().parquet.write_table(table.replace_schema_metadata(metadata), path)


def _read_part(path: Path) -> tuple[int, ArrowObject]:
    """Return the number of a row group, and the table of a part."""
    # As a single file: the name of a folder with `=` must not become a column.
    with load_arrow().parquet.ParquetFile(path) as file:
        table = file.read()
    group = int(table.schema.metadata[_GROUP])
    return group, table.replace_schema_metadata(_without_group(table.schema).metadata)


def _without_group(schema: ArrowObject) -> ArrowObject:
    """Return a schema without the number of a row group."""
    metadata = {key: value for key, value in schema.metadata.items() if key != _GROUP}
    return schema.with_metadata(metadata or None)


def _with_blobs(table: ArrowObject, blob_column: str, results: Sequence[Result]) -> ArrowObject:
    """Return a table with the new ciphertexts in their column."""
    arrow, _, _, contexts = load_arrow()
    index = table.schema.get_field_index(blob_column)
    old_blobs = chain.from_iterable(map(contexts.read_bytes, table.column(index).chunks))
    in_base64 = contexts.is_text(table.schema.field(index).type)
    blobs = [
        old
        if result.blob is None
        else encode_base64(result.blob).encode("ascii")
        if in_base64
        else result.blob
        for old, result in zip(old_blobs, results, strict=True)
    ]
    field = _new_schema(table.select([blob_column]).schema, blob_column).field(0)
    kind = field.type.value_type if arrow.types.is_dictionary(field.type) else field.type
    # Not checked by Arrow: a text that is not UTF-8 stays as it is in a failed row.
    column = arrow.array(blobs, arrow.large_binary()).cast(kind, safe=False)
    if arrow.types.is_dictionary(field.type):
        column = column.dictionary_encode().cast(field.type)
    return table.set_column(index, field, column)


def _rows(table: ArrowObject, are_taken: Sequence[bool]) -> ArrowObject:
    """Return some rows of a table.

    They are taken in slices, because Arrow has no filter for some types of columns.
    """
    slices, row = [table.slice(0, 0)], 0
    for is_taken, run in groupby(are_taken):
        length = sum(1 for _ in run)
        if is_taken:
            slices.append(table.slice(row, length))
        row += length
    # Many small pieces are slow to write.
    return load_arrow().core.concat_tables(slices).combine_chunks()


def _with_reasons(
    table: ArrowObject, numbers: Sequence[int], results: Sequence[Result]
) -> ArrowObject:
    """Return the failed rows with their numbers, codes and reasons in front."""
    arrow = load_arrow().core
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


def _values(batch: ArrowObject, name: str) -> list[object]:
    """Return the values of a column; bytes that are not UTF-8 become surrogates."""
    contexts = load_arrow().contexts
    column = batch.column(name)
    if contexts.is_context(column.type):
        # As destinations, which distinguish a missing context from the empty one.
        destinations = contexts.read_destinations(batch, name)
        return [None if context is KEEP_CONTEXT else context for context in destinations]
    values: list[bytes | None] = contexts.read_bytes(column)
    if contexts.is_binary(column.type):
        return list(values)
    return [None if text is None else text.decode("utf-8", "surrogateescape") for text in values]


def _stream(table: ArrowObject) -> bytes:
    """Return a table as an Arrow stream."""
    arrow = load_arrow().core
    sink = arrow.BufferOutputStream()
    with arrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _table(chunk: Chunk) -> ArrowObject:
    """Return the table of a chunk."""
    stream, _ = chunk.payload
    with load_arrow().core.ipc.open_stream(stream) as reader:
        return reader.read_all()

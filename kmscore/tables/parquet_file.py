"""A Parquet file with bounded memory: its schema, its layout, and its rows, a few at a time.

This module does not know the meaning of the columns. Each problem of a file is one line.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from kmscore.tables.arrow_library import ArrowObject, load_arrow
from kmscore.tables.errors import TableError, describe
from kmscore.tables.table import CHUNK_BYTES, CHUNK_ROWS

_GROUP_BYTES: Final = 64 << 20
"""Maximum bytes of a row group in memory; a longer one is divided."""

_FIELD: Final = re.compile(r"^  (?! |})", re.MULTILINE)
_CONVERTED: Final = re.compile(r", is_from_converted_type=\w+, force_set_converted_type=\w+")
_PLAIN_INT: Final = re.compile(r" \(Int\(bitWidth=(?:32|64), isSigned=true\)\)(?=;)")
"""Annotations that change nothing: the flags of old annotations, and those of a plain integer."""

_MICROSECONDS: Final = re.compile(
    r"int64 (field_id=-?\d+ [^;]*?) \(Timestamp\(isAdjustedToUTC=false, timeUnit=microseconds\)\)"
)
_ARROW_SCHEMA: Final = b"ARROW:schema"


@contextmanager
def problems(path: Path) -> Iterator[None]:
    """Raise `TableError` with one line for a problem of a file."""
    arrow = load_arrow().core
    try:
        yield
    except OSError as error:
        # Arrow raises it too, and then without a number.
        if error.strerror:
            raise TableError(describe(error, path)) from None
        reason = str(error)
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        reason = str(error)
    else:
        return
    raise TableError(f"{path}: not Parquet that can be read and written: {reason.splitlines()[0]}")


def read_schema(path: Path) -> ArrowObject:
    """Return the schema of a file. Raises `TableError`."""
    with problems(path), _opened(path) as file:
        return file.schema_arrow


def _opened(path: Path, named: Sequence[str] = (), *, unit: str = "us") -> ArrowObject:
    """Open a file, with the unit in which INT96 timestamps are read.

    Nanoseconds would cut the range of INT96, and most writers have microseconds. Without a buffer
    for whole row groups, memory does not grow with the file.
    """
    return load_arrow().parquet.ParquetFile(
        path,
        read_dictionary=list(named),
        coerce_int96_timestamp_unit=unit,
        pre_buffer=False,
        buffer_size=1 << 20,
    )


# --- the layout, which a new file must keep ---


class Layout(NamedTuple):
    """The properties of a file that a new file keeps."""

    fields: tuple[str, ...]
    """The columns with their logical and physical types, nullability and field IDs, as text.

    A table of failed rows has three columns in front, which a new file lacks.
    """

    codecs: dict[str, str]
    """The compression of each column."""

    metadata: dict[bytes, bytes]
    """The key-value metadata."""


def _layout(file: ArrowObject) -> Layout:
    # The text of the schema is the only place where pyarrow shows the logical types of groups.
    text = _PLAIN_INT.sub("", _CONVERTED.sub("", str(file.schema)))
    fields = tuple(field.removesuffix("}\n").strip() for field in _FIELD.split(text)[1:])
    codecs = {column.path_in_schema: column.compression for column in _columns(file.metadata)}
    return Layout(fields, codecs, dict(file.metadata.metadata or {}))


def open_writer(out: BinaryIO | ArrowObject, schema: ArrowObject, path: Path) -> ArrowObject:
    """Return a writer of a file with the layout of the input. Raises `TableError`."""
    return _writer(out, schema, _writer_options(path, schema))


def _writer(
    out: BinaryIO | ArrowObject, schema: ArrowObject, options: dict[str, Any]
) -> ArrowObject:
    writer = load_arrow().parquet.ParquetWriter(out, schema, **options)
    if schema.metadata and not options["store_schema"]:
        # Without the stored schema, pyarrow leaves the metadata out.
        writer.add_key_value_metadata(schema.metadata)
    return writer


def check_kept(path: Path, schema: ArrowObject, changed: str) -> None:
    """Check that a new file with a schema would have the layout of the input.

    Only the column `changed` can have another type. Raises `TableError` with the column.
    """
    with problems(path), _opened(path) as file:
        before = _layout(file)
    after = _written(path, schema, _writer_options(path, schema))
    for name, old, new in zip(
        schema.names, before.fields[-len(schema) :], after.fields, strict=True
    ):
        if not _is_kept(old, new) and name != changed:
            raise TableError(
                f"{path}: column {name!r:.80} would change from {_line(old)} to {_line(new)};"
                " this pyarrow cannot keep it"
            )
    for key in before.metadata.keys() - {_ARROW_SCHEMA}:
        if after.metadata.get(key) != before.metadata[key]:
            name = key.decode("utf-8", "replace")
            raise TableError(f"{path}: the metadata {name!r:.80} would change")


def _writer_options(path: Path, schema: ArrowObject) -> dict[str, Any]:
    """Return the options with which a new file has the layout of the input. Raises `TableError`."""
    with problems(path), _opened(path) as file:
        before = _layout(file)
    options: dict[str, Any] = {
        "compression": {
            column: "NONE" if codec == "UNCOMPRESSED" else codec
            for column, codec in before.codecs.items()
        }
        or "snappy",
        "store_schema": _ARROW_SCHEMA in before.metadata,
    }
    # Older writers name the elements of a list in another way.
    older = options | {"use_compliant_nested_type": False}
    kept, kept_older = (
        sum(map(_is_kept, before.fields[-len(schema) :], _written(path, schema, each).fields))
        for each in (options, older)
    )
    return older if kept_older > kept else options


def _written(path: Path, schema: ArrowObject, options: dict[str, Any]) -> Layout:
    """Return the layout of a new file without rows."""
    arrow, parquet, _, _ = load_arrow()
    sink = arrow.BufferOutputStream()
    with problems(path):
        with _writer(sink, schema, options) as writer:
            writer.write_table(schema.empty_table())
        with parquet.ParquetFile(sink.getvalue()) as file:
            return _layout(file)


def _is_kept(old: str, new: str) -> bool:
    """Return whether a column stays the same; INT96 becomes a timestamp of microseconds."""
    return old == new or ("int96" in old and old == _MICROSECONDS.sub(r"int96 \1", new))


def _line(field: str) -> str:
    """Return the text of a column in one line."""
    return f"'{' '.join(field.split())}'"


def write_groups(writer: ArrowObject, parts: Iterable[tuple[int, ArrowObject]]) -> None:
    """Write the tables of parts, each with the number of its row group in the input.

    The row groups of the input are kept if they are not too long for the memory.
    """
    arrow = load_arrow().core
    waiting: list[ArrowObject] = []
    present = -1
    for group, table in parts:
        length = sum(each.nbytes for each in waiting)
        if waiting and (group != present or length + table.nbytes > _GROUP_BYTES):
            _write_group(writer, arrow.concat_tables(waiting))
            waiting = []
        present = group
        waiting.append(table)
    if waiting:
        _write_group(writer, arrow.concat_tables(waiting))


def _write_group(writer: ArrowObject, table: ArrowObject) -> None:
    """Write a row group; a group whose rows all failed is left out."""
    if table.num_rows:
        writer.write_table(table, row_group_size=table.num_rows)


# --- the rows, a few at a time ---


class Piece(NamedTuple):
    """Some rows of a file."""

    table: ArrowObject
    group: int
    """The number of the row group, from 0."""

    position: float
    """The part of the file that was read, 0 to 1."""


def read_pieces(path: Path, columns: Sequence[str] | None = None) -> Iterator[Piece]:
    """Yield the rows of a file in pieces that make a chunk each, for all or for some columns.

    Raises `TableError` if the file cannot be read to its end.
    """
    arrow, parquet = load_arrow()[:2]
    schema = read_schema(path)
    if columns is not None:
        schema = arrow.schema([schema.field(name) for name in columns], schema.metadata)
    # A value of a dictionary exists once in the file. It is repeated in each row only when the
    # number of rows that fit is known.
    with problems(path):
        named = _named_by_number(parquet.read_metadata(path), schema)
    with problems(path), _opened(path, named) as file:
        total, row = max(1, file.metadata.num_rows), 0
        at_once = _rows_at_once(file.metadata)
        for group in range(file.metadata.num_row_groups):
            batches = file.iter_batches(
                at_once, row_groups=[group], columns=columns, use_threads=False
            )
            for pieces in _gathered(batches):
                table = arrow.concat_tables([_spelt_out(piece, schema) for piece in pieces])
                row += table.num_rows
                yield Piece(table, group, row / total)


def _columns(metadata: ArrowObject) -> Iterator[ArrowObject]:
    """Yield the metadata of each column in each row group."""
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        yield from (group.column(number) for number in range(group.num_columns))


def _named_by_number(metadata: ArrowObject, schema: ArrowObject) -> list[str]:
    """Return the columns of bytes or texts whose values can be in a dictionary.

    Other columns are left out, because a column that is read as a dictionary stays in memory until
    the end of its row group.
    """
    named = {
        column.path_in_schema
        for column in _columns(metadata)
        if column.has_dictionary_page and column.physical_type == "BYTE_ARRAY"
    }
    types = load_arrow().core.types
    kinds = (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    # A column within a struct, list or map cannot be read in this way, and a view neither.
    return [f.name for f in schema if f.name in named and any(is_kind(f.type) for is_kind in kinds)]


def _rows_at_once(metadata: ArrowObject) -> int:
    """Return the number of rows to read at once, which is lower for long rows."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    length = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return min(CHUNK_ROWS, max(1, CHUNK_BYTES // max(1, length)))


def _gathered(batches: Iterator[ArrowObject]) -> Iterator[list[ArrowObject]]:
    """Yield batches that make a chunk together; a batch that is too long is divided."""
    pieces: list[ArrowObject] = []
    rows = length = 0
    for batch in batches:
        for piece in _divided(batch):
            more = _length(piece)
            if pieces and (rows + piece.num_rows > CHUNK_ROWS or length + more > CHUNK_BYTES):
                yield pieces
                pieces, rows, length = [], 0, 0
            pieces.append(piece)
            rows, length = rows + piece.num_rows, length + more
    if pieces:
        yield pieces


def _divided(batch: ArrowObject) -> Iterator[ArrowObject]:
    """Yield a batch in pieces that are not too long, except for a single row."""
    if batch.num_rows <= 1 or _length(batch) <= CHUNK_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _divided(batch.slice(0, half))
    yield from _divided(batch.slice(half))


def _length(batch: ArrowObject) -> int:
    """Return the bytes of a batch whose rows have their own values."""
    arrow, _, compute, _ = load_arrow()
    length = 0
    for column in batch.columns:
        length += column.nbytes
        if arrow.types.is_dictionary(column.type):
            # Of bytes or texts: Parquet has no other dictionary.
            lengths = compute.binary_length(column.dictionary).take(column.indices)
            length += (compute.sum(lengths).as_py() or 0) - column.dictionary.nbytes
    return length


def _spelt_out(batch: ArrowObject, schema: ArrowObject) -> ArrowObject:
    """Return a batch as a table in which every row has its own values."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return load_arrow().core.Table.from_arrays(columns, schema=schema)


# --- INT96 timestamps ---


def check_timestamps(path: Path) -> Iterator[float]:
    """Check that no INT96 timestamp is finer than a microsecond.

    Yields the part of the file that was checked, 0 to 1. Raises `TableError`.
    """
    with problems(path), _opened(path) as file, _opened(path, unit="ns") as fine:
        names = _old_timestamps(file.metadata)
        total, row = max(1, file.metadata.num_rows), 0
        batches = (each.iter_batches(CHUNK_ROWS, columns=names) for each in (file, fine))
        for ours, theirs in zip(*batches, strict=True) if names else ():
            if not all(map(_is_same_time, _leaves(ours.columns), _leaves(theirs.columns))):
                raise TableError(
                    f"{path}: an INT96 timestamp finer than a microsecond; convert the column to"
                    " a timestamp of today first"
                )
            row += ours.num_rows
            yield row / total


def _old_timestamps(metadata: ArrowObject) -> list[str]:
    """Return the paths of the columns with INT96 timestamps."""
    paths = {c.path_in_schema for c in _columns(metadata) if c.physical_type == "INT96"}
    return sorted(paths)


def _leaves(arrays: Iterable[ArrowObject]) -> Iterator[ArrowObject]:
    """Yield the arrays, and the arrays within structs, maps and lists."""
    types = load_arrow().core.types
    for array in arrays:
        if types.is_nested(array.type):
            parts = array.flatten()
            yield from _leaves(parts if isinstance(parts, list) else [parts])
        else:
            yield array


def _is_same_time(ours: ArrowObject, theirs: ArrowObject) -> bool:
    """Return whether nanoseconds, which can lack their highest bits, are these microseconds."""
    if ours.type == theirs.type:
        # Another column with the same name as an INT96 column.
        return True
    number: Any = load_arrow().core.int64()
    product = load_arrow().compute.multiply(ours.cast(number), 1000)
    return bool(product.equals(theirs.cast(number)))

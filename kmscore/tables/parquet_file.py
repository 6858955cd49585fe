"""A Parquet file within bounds: its schema, and its rows, a few at a time.

What the columns are there for is not known here. What is wrong with a file is one line. It needs
the extra `arrow`, and says so.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from kmscore.tables.errors import TableError, describe
from kmscore.tables.table import CHUNK_BYTES, CHUNK_ROWS


def load_arrow() -> tuple[Any, Any]:
    """Return pyarrow and its part for Parquet, or raise `TableError`."""
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        pass
    raise TableError("Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'")


@contextmanager
def problems(path: Path) -> Iterator[None]:
    """Raise `TableError` for what is wrong with a file, in one line."""
    arrow, _ = load_arrow()
    try:
        yield
    except OSError as error:
        # Arrow raises it as well, and then without a number.
        if error.strerror:
            raise TableError(describe(error, path)) from None
        reason = str(error)
    except (arrow.ArrowException, UnicodeDecodeError) as error:
        reason = str(error)
    else:
        return
    raise TableError(f"{path}: not Parquet that can be read and written: {reason.splitlines()[0]}")


def read_schema(path: Path) -> Any:  # noqa: ANN401 (a library without types)
    """Return the schema of a file, or raise `TableError`."""
    with problems(path), _opened(path) as file:
        return file.schema_arrow


def is_text(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether values are texts; those that are views are not read here."""
    types = load_arrow()[0].types
    return bool(types.is_string(kind) or types.is_large_string(kind))


def is_binary(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether values are bytes, of any length or all of one."""
    types = load_arrow()[0].types
    kinds = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    return any(is_kind(kind) for is_kind in kinds)


# --- the rows, a few at a time ---


def read_tables(path: Path) -> Iterator[tuple[Any, float]]:
    """Yield the rows of a file as tables that make a chunk each.

    Yields with each how much of the file has been read, 0 to 1. Raises `TableError` if it cannot
    be read to its end.
    """
    arrow, parquet = load_arrow()
    schema = read_schema(path)
    # A value that stands once in the file and is named by every row is not there once a row
    # until it is known how many of them fit.
    with problems(path):
        named = _named_by_number(parquet.read_metadata(path), schema)
    with problems(path), _opened(path, named) as file:
        total, row = max(1, file.metadata.num_rows), 0
        for pieces in _gathered(file.iter_batches(_rows_at_once(file.metadata))):
            table = arrow.concat_tables([_spelt_out(piece, schema) for piece in pieces])
            row += table.num_rows
            yield table, row / total


def _opened(path: Path, named: Sequence[str] = (), *, unit: str = "us") -> Any:  # noqa: ANN401 (a library without types)
    """Open a file, with the unit that timestamps in the form of old (INT96) are read in.

    They have a range that nanoseconds would cut, and most who write them have microseconds.
    """
    _, parquet = load_arrow()
    return parquet.ParquetFile(path, read_dictionary=list(named), coerce_int96_timestamp_unit=unit)


def _columns(metadata: Any) -> Iterator[Any]:  # noqa: ANN401 (a library without types)
    """Yield what is said of each column in each row group."""
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        yield from (group.column(number) for number in range(group.num_columns))


def _named_by_number(metadata: Any, schema: Any) -> list[str]:  # noqa: ANN401 (a library without types)
    """Return the columns of bytes or texts in which a value may stand once for several rows.

    No others: what is read as if it were so is kept until the end of its row group.
    """
    named = {
        column.path_in_schema
        for column in _columns(metadata)
        if column.has_dictionary_page and column.physical_type == "BYTE_ARRAY"
    }
    # Within a struct, list or map there is no such column, and of views none can be made.
    return [f.name for f in schema if f.name in named and (is_text(f.type) or is_binary(f.type))]


def _rows_at_once(metadata: Any) -> int:  # noqa: ANN401 (a library without types)
    """Return how many rows of a file to read at once: of long ones fewer."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    length = max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)
    return min(CHUNK_ROWS, max(1, CHUNK_BYTES // max(1, length)))


def _gathered(batches: Iterator[Any]) -> Iterator[list[Any]]:
    """Yield batches together that make a chunk, divided where one alone is too long."""
    pieces: list[Any] = []
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


def _divided(batch: Any) -> Iterator[Any]:  # noqa: ANN401 (a library without types)
    """Yield a batch in pieces that are not too long, but for a single row."""
    if batch.num_rows <= 1 or _length(batch) <= CHUNK_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _divided(batch.slice(0, half))
    yield from _divided(batch.slice(half))


def _length(batch: Any) -> int:  # noqa: ANN401 (a library without types)
    """Return the bytes of a batch once each row has its own values."""
    arrow, _ = load_arrow()
    compute = import_module("pyarrow.compute")
    length = 0
    for column in batch.columns:
        length += column.nbytes
        if arrow.types.is_dictionary(column.type):
            # Of bytes or texts: Parquet gives no other.
            lengths = compute.binary_length(column.dictionary).take(column.indices)
            length += (compute.sum(lengths).as_py() or 0) - column.dictionary.nbytes
    return length


def _spelt_out(batch: Any, schema: Any) -> Any:  # noqa: ANN401 (a library without types)
    """Return a batch as a table in which every row has its own values."""
    arrow, _ = load_arrow()
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return arrow.Table.from_arrays(columns, schema=schema)


# --- timestamps in the form of old ---


def check_timestamps(path: Path) -> Iterator[float]:
    """Look for timestamps that are finer than what they are kept as.

    Yields how much of the file has been looked at, 0 to 1. Raises `TableError` for one.
    """
    with problems(path), _opened(path) as file, _opened(path, unit="ns") as fine:
        names = _old_timestamps(file.metadata)
        total, row = max(1, file.metadata.num_rows), 0
        batches = (each.iter_batches(CHUNK_ROWS, columns=names) for each in (file, fine))
        for ours, theirs in zip(*batches, strict=True) if names else ():
            if not all(map(_is_same_time, _leaves(ours.columns), _leaves(theirs.columns))):
                raise TableError(
                    f"{path}: a timestamp finer than a microsecond, in the form of old (INT96):"
                    " it has to be made one of today first"
                )
            row += ours.num_rows
            yield row / total


def _old_timestamps(metadata: Any) -> list[str]:  # noqa: ANN401 (a library without types)
    """Return the paths of the columns with timestamps in the form of old."""
    paths = {c.path_in_schema for c in _columns(metadata) if c.physical_type == "INT96"}
    return sorted(paths)


def _leaves(arrays: Iterable[Any]) -> Iterator[Any]:
    """Yield what stands in arrays, or in structs, maps and lists of every kind within them."""
    types = load_arrow()[0].types
    for array in arrays:
        if types.is_nested(array.type):
            parts = array.flatten()
            yield from _leaves(parts if isinstance(parts, list) else [parts])
        else:
            yield array


def _is_same_time(ours: Any, theirs: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether nanoseconds, of which the highest bits may be gone, are these microseconds."""
    if ours.type == theirs.type:
        # Not of old, but in a column of the same name as one that is.
        return True
    arrow, _ = load_arrow()
    compute = import_module("pyarrow.compute")
    number = arrow.int64()
    product = compute.multiply(ours.cast(number), 1000)
    return bool(product.equals(theirs.cast(number)))

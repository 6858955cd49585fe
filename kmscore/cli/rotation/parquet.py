"""Parquet, with the extra `arrow`: ciphertexts as binary or text, contexts as struct or map too."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from kmscore._base64 import encode_base64
from kmscore.cli.problems import FileProblem, describe
from kmscore.cli.rotation.columns import Columns, Failure, Record, Unreadable, reason_of
from kmscore.cli.rotation.table import (
    CHUNK_BYTES,
    CHUNK_ROWS,
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
        schema = _schema(path)
        for name in columns.names:
            if schema.names.count(name) != 1:
                reason = "no" if name not in schema.names else "more than one"
                raise FileProblem(f"{path}: {reason} column {name!r}")
        kind = schema.field(columns.blob).type
        if not (_is_text(kind) or _is_binary(kind)):
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
        """Look at the schema, and at timestamps that are finer than what they are kept as."""
        check_own_columns(path, _schema(path).names)
        with _problems(path), _opened(path) as file, _opened(path, unit="ns") as fine:
            names = _old_timestamps(file.metadata)
            total, row = max(1, file.metadata.num_rows), 0
            batches = (each.iter_batches(CHUNK_ROWS, columns=names) for each in (file, fine))
            for ours, theirs in zip(*batches, strict=True) if names else ():
                if not all(map(_is_same_time, _leaves(ours), _leaves(theirs))):
                    raise FileProblem(
                        f"{path}: a timestamp finer than a microsecond, in the form of old (INT96):"
                        " it has to be made one of today first"
                    )
                row += ours.num_rows
                yield row / total

    def chunks(self, path: Path) -> Iterator[Chunk]:
        """Yield batches of rows, each as a stream of Arrow."""
        arrow, parquet = _arrow()
        schema = _schema(path)
        # A value that stands once in the file and is named by every row is not there once a row
        # until it is known how many of them fit.
        with _problems(path):
            named = _named_by_number(parquet.read_metadata(path), schema)
        with _problems(path), _opened(path, named) as file:
            total, row = max(1, file.metadata.num_rows), 1
            for pieces in _gathered(file.iter_batches(_rows_at_once(file.metadata))):
                table = arrow.concat_tables([_spelt_out(piece, schema) for piece in pieces])
                sink = arrow.BufferOutputStream()
                with arrow.ipc.new_stream(sink, schema) as writer:
                    writer.write_table(table)
                position = (row - 1 + table.num_rows) / total
                yield Chunk(row, sink.getvalue().to_pybytes(), position)
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
            schema = _schema(parts[0] if parts else path)
            with parquet.ParquetWriter(out, schema) as writer:
                for part in parts:
                    # As a file and nothing more: names of folders with `=` make no columns.
                    with parquet.ParquetFile(part) as file:
                        writer.write_table(file.read())


def _opened(path: Path, named: Sequence[str] = (), *, unit: str = "us") -> Any:  # noqa: ANN401 (a library without types)
    """Open a file, with the unit that timestamps in the form of old (INT96) are read in.

    They have a range that nanoseconds would cut, and most who write them have microseconds.
    """
    _, parquet = _arrow()
    return parquet.ParquetFile(path, read_dictionary=list(named), coerce_int96_timestamp_unit=unit)


def _columns(metadata: Any) -> Iterator[Any]:  # noqa: ANN401 (a library without types)
    """Yield what is said of each column in each row group."""
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        yield from (group.column(number) for number in range(group.num_columns))


def _old_timestamps(metadata: Any) -> list[str]:  # noqa: ANN401 (a library without types)
    """Return the paths of the columns with timestamps in the form of old."""
    paths = {c.path_in_schema for c in _columns(metadata) if c.physical_type == "INT96"}
    return sorted(paths)


def _leaves(array: Any) -> Iterator[Any]:  # noqa: ANN401 (a library without types)
    """Yield the timestamps in a batch or array, whatever they stand in."""
    types = _arrow()[0].types
    if not hasattr(array, "type"):
        parts = array.columns
    elif types.is_struct(array.type):
        parts = array.flatten()
    elif types.is_map(array.type):
        parts = [array.keys, array.items]
    elif types.is_list(array.type):
        parts = [array.values]
    else:
        parts = []
        yield array
    for part in parts:
        yield from _leaves(part)


def _is_same_time(ours: Any, theirs: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether nanoseconds, of which the highest bits may be gone, are these microseconds."""
    arrow, _ = _arrow()
    compute = import_module("pyarrow.compute")
    number = arrow.int64()
    product = compute.multiply(ours.cast(number), 1000)
    return bool(product.equals(theirs.cast(number)))


def _spelt_out(batch: Any, schema: Any) -> Any:  # noqa: ANN401 (a library without types)
    """Return a batch as a table in which every row has its own values."""
    arrow, _ = _arrow()
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return arrow.Table.from_arrays(columns, schema=schema)


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
    return [f.name for f in schema if f.name in named and (_is_text(f.type) or _is_binary(f.type))]


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
    arrow, _ = _arrow()
    compute = import_module("pyarrow.compute")
    length = 0
    for column in batch.columns:
        length += column.nbytes
        if arrow.types.is_dictionary(column.type):
            # Of bytes or texts: Parquet gives no other.
            lengths = compute.binary_length(column.dictionary).take(column.indices)
            length += (compute.sum(lengths).as_py() or 0) - column.dictionary.nbytes
    return length


def _with_blobs(table: Any, blob_column: str, results: Sequence[Result]) -> Any:  # noqa: ANN401 (a library without types)
    """Return a table with the new ciphertexts in their column."""
    arrow, _ = _arrow()
    index = table.schema.get_field_index(blob_column)
    field = table.schema.field(index)
    is_text = _is_text(field.type)
    blobs = [
        old
        if result.blob is None
        else encode_base64(result.blob).encode("ascii")
        if is_text
        else result.blob
        for old, result in zip(_bytes(table.column(index)), results, strict=True)
    ]
    if arrow.types.is_fixed_size_binary(field.type):
        # What is sealed under another version may be longer.
        field = field.with_type(arrow.binary())
    # Not safe, as Arrow has it: a text that is not UTF-8 stays as it is in a row that failed.
    column = arrow.array(blobs, arrow.large_binary()).cast(field.type, safe=False)
    return table.set_column(index, field, column)


def _bytes(column: Any) -> list[Any]:  # noqa: ANN401 (a library without types)
    """Return the values of a column with every text in them as bytes.

    Nobody has checked that a text is UTF-8, and one that is not is its row's failure.
    """
    arrow, _ = _arrow()
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
    if _is_binary(column.type):
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
    types = _arrow()[0].types
    if types.is_dictionary(kind):
        kind = kind.value_type
    return _is_text(kind) or bool(types.is_null(kind))


def _is_context(kind: Any) -> bool:  # noqa: ANN401 (a library without types)
    """Tell whether values are structs or maps of texts."""
    types = _arrow()[0].types
    if types.is_map(kind):
        return _is_text(kind.key_type) and _is_text(kind.item_type)
    if not types.is_struct(kind):
        return False
    fields = list(kind)
    is_unique = len({field.name for field in fields}) == len(fields)
    return is_unique and all(_is_text(field.type) or types.is_null(field.type) for field in fields)


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
    with _problems(path), _opened(path) as file:
        return file.schema_arrow


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
    except (arrow.ArrowException, UnicodeDecodeError) as error:
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

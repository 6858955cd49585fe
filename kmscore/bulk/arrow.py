"""Re-encryption of a column of ciphertexts in an Arrow record batch.

The one batch function that every engine can call: it takes a batch and gives one, and knows
nothing of where either is kept. It needs the extra `arrow`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise, repeat
from typing import Final, Never, TypeAlias, TypeVar, cast, final

import pyarrow as pa

from kmscore._arguments import check_instance, check_optional_text, check_text
from kmscore.bulk.item import SAME_CONTEXT, Item, Outcome, SameContext
from kmscore.bulk.rotation import reencrypt_many
from kmscore.bulk.version_order import VersionOrder
from kmscore.context import ContextLike, EncryptionContext
from kmscore.errors import InvalidContextError
from kmscore.keyring import KeyProvider

__all__ = ["reencrypt_batch"]

_MAX_BINARY_LENGTH: Final = 2**31 - 1
"""All the bytes that a column of type binary holds: its offsets are of 32 bits."""

_Pairs: TypeAlias = tuple[tuple[bytes | None, bytes | None], ...]
"""The pairs of a context as they stand in a column."""

_Absent = TypeVar("_Absent", SameContext, None)
"""What each row has where no column of contexts is named."""


def reencrypt_batch(
    batch: pa.RecordBatch,
    keys: KeyProvider,
    destination_key_id: str,
    *,
    blob_column: str,
    source_context_column: str | None = None,
    destination_context_column: str | None = None,
    skip_current: bool = True,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
    status_column: str = "status",
    error_column: str = "error",
) -> pa.RecordBatch:
    """Re-encrypt the v1 blobs in one column of `batch` as `reencrypt_many` does.

    The blobs are binary, large_binary, binary_view or fixed-size binary. A context is a struct,
    whose field names are the keys of the pairs and whose null fields are no pairs, or a map;
    texts are string, large_string, string_view or dictionaries of these. A null source context is
    the empty one, and without `source_context_column` every one is. A row keeps its source's
    context where its destination context is null, or a struct of nulls alone, and without
    `destination_context_column`: to strip it takes a map that is there and has no pairs.

    Gives a `pyarrow.RecordBatch` of as many rows with every column of `batch` in its place, and
    after the blob column two more of type string: the status, and the error's code, null but for
    `failed`. The blob column keeps its type, but that fixed-size becomes binary. No row loses
    anything: one that failed, and any in a dry run, keeps the bytes it had. A row without a blob
    has no status and no error either. A context that cannot be one (not UTF-8, a repeated key or
    a null value in a map, too long) makes its row `failed` with `invalid_context`.

    The primary version is resolved once for the batch.

    Raises, before any row is looked at: `TypeError` for a wrong type of an argument or column;
    `KeyError` if a column is not there; `ValueError` if its name, or a field's in a struct of
    contexts, stands there twice, or if the batch has a column of the name of the status or error
    column already, or these are the same; and what `reencrypt_many` raises for the destination,
    the flags and the order. After that: what else `keys` raises, and `ValueError` if the new blobs
    are more than a binary column holds (2 GiB; then slice the batch, or use large_binary). Nothing
    is given then: a batch is moved or not.
    """
    check_instance(batch, pa.RecordBatch, "batch")
    _check_names(
        batch.schema,
        (blob_column, source_context_column, destination_context_column),
        status_column,
        error_column,
    )
    position = _find_blobs(batch.schema, blob_column)
    sources = _read_contexts(batch, source_context_column, absent=None)
    destinations = _read_destinations(batch, destination_context_column)
    blobs = _read_bytes(batch.column(position))
    outcomes = reencrypt_many(
        keys,
        _make_items(blobs, sources, destinations),
        destination_key_id,
        skip_current=skip_current,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
    )
    rows: list[Outcome | None] = [None] * batch.num_rows
    for outcome in outcomes:
        rows[outcome.reference] = outcome
    new_blobs = [_kept(blob, row) for blob, row in zip(blobs, rows, strict=True)]
    return _put_columns(batch, position, new_blobs, rows, (status_column, error_column))


# --- what is checked before any row is looked at ---


def _check_names(
    schema: pa.Schema, columns: Sequence[str | None], status_column: str, error_column: str
) -> None:
    """Raise unless the names are texts, and those of the new columns are free."""
    check_text(columns[0], "blob_column")
    check_optional_text(columns[1], "source_context_column")
    check_optional_text(columns[2], "destination_context_column")
    check_text(status_column, "status_column")
    check_text(error_column, "error_column")
    check_new_columns(schema.names, status_column, error_column)


def check_new_columns(names: Sequence[str], status_column: str, error_column: str) -> None:
    """Raise `ValueError` unless the two new columns have names of their own."""
    if status_column == error_column:
        raise ValueError(f"status and error are both to be in a column {status_column!r}")
    for name in (status_column, error_column):
        if name in names:
            raise ValueError(f"there is a column {name!r} already")


def find_column(names: Sequence[str], name: str) -> int:
    """Return the position of a column. Raises `KeyError` without it, `ValueError` if in doubt."""
    if name not in names:
        raise KeyError(f"there is no column {name!r}")
    if names.count(name) > 1:
        raise ValueError(f"there are {names.count(name)} columns {name!r}")
    return names.index(name)


def check_fields(names: Sequence[str], column: str) -> None:
    """Raise `ValueError` if a struct of contexts has two fields of one name."""
    if len(set(names)) != len(names):
        raise ValueError(f"column {column!r} is a struct with a repeated field")


def _find_blobs(schema: pa.Schema, name: str) -> int:
    """Return the position of the blob column, or raise as `reencrypt_batch` says."""
    position = find_column(schema.names, name)
    kind = schema.field(position).type
    if not (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_null(kind)
    ):
        raise TypeError(f"column {name!r} must be binary, not {kind}")
    return position


def _is_text(kind: pa.DataType) -> bool:
    """Tell whether values of this type are texts, or all null."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


# --- columns in ---


def _read_bytes(column: pa.Array) -> list[bytes | None]:
    """Return the values of a column of bytes or texts as they stand there."""
    if pa.types.is_dictionary(column.type):
        distinct = _read_bytes(column.dictionary)
        return [None if index is None else distinct[index] for index in column.indices.to_pylist()]
    # Texts as bytes: nobody has checked that they are UTF-8, and one that is not is its row's
    # failure, not the batch's.
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _read_contexts(
    batch: pa.RecordBatch, name: str | None, *, absent: _Absent
) -> "Iterable[ContextLike | _Absent]":
    """Return the context of each row, or `absent` for each if no column is named."""
    if name is None:
        return repeat(absent, batch.num_rows)
    column = batch.column(find_column(batch.schema.names, name))
    if pa.types.is_struct(column.type):
        return _read_structs(column, name)
    if pa.types.is_map(column.type):
        return _read_maps(column, name)
    raise TypeError(f"column {name!r} must be a struct or a map of strings, not {column.type}")


def _read_destinations(
    batch: pa.RecordBatch, name: str | None
) -> "Iterable[ContextLike | SameContext]":
    """Return the destination context of each row; what is left out strips none."""
    contexts = _read_contexts(batch, name, absent=SAME_CONTEXT)
    if name is None:
        return contexts
    column = batch.column(find_column(batch.schema.names, name))
    is_struct = pa.types.is_struct(column.type)
    are_given = _have_values(column) if is_struct else column.is_valid().to_pylist()
    return (
        context if is_given else SAME_CONTEXT
        for is_given, context in zip(are_given, contexts, strict=True)
    )


def _have_values(column: pa.StructArray) -> list[bool]:
    """Return whether each struct has a field that is not null; it cannot leave one out."""
    fields = [values.is_valid().to_pylist() for values in column.flatten()]
    return list(map(any, zip(*fields, strict=True))) if fields else [False] * len(column)


def _read_structs(column: pa.StructArray, name: str) -> Iterator[ContextLike]:
    """Return the context of each struct."""
    fields = list(column.type)
    names = [field.name for field in fields]
    check_fields(names, name)
    for field in fields:
        if not _is_text(field.type):
            raise TypeError(f"field {field.name!r} of {name!r} must be string, not {field.type}")
    keys = [text.encode() for text in names]

    def prepare(values: tuple[bytes | None, ...]) -> ContextLike:
        pairs = zip(keys, values, strict=True)
        return _make_context(tuple(pair for pair in pairs if pair[1] is not None))

    # Flattened, so that the fields of a null struct are null.
    columns = [_read_bytes(values) for values in column.flatten()]
    rows = zip(*columns, strict=True) if columns else repeat((), len(column))
    # Prepared once for equal rows: most columns have few that are not.
    return map(cache(prepare), rows)


def _read_maps(column: pa.MapArray, name: str) -> Iterator[ContextLike]:
    """Return the context of each map."""
    if not (_is_text(column.type.key_type) and _is_text(column.type.item_type)):
        raise TypeError(f"column {name!r} must be a map of strings, not {column.type}")
    # A slice keeps the pairs of the whole column, and there may be some behind a null as well.
    offsets = column.offsets.to_pylist()
    start = offsets[0]
    keys = _read_bytes(column.keys[start : offsets[-1]])
    pairs = list(zip(keys, _read_bytes(column.items[start : offsets[-1]]), strict=True))
    ranges = zip(pairwise(offsets), column.is_valid().to_pylist(), strict=True)
    rows = (tuple(pairs[a - start : b - start]) if valid else () for (a, b), valid in ranges)
    return map(cache(_make_context), rows)


def _make_context(pairs: _Pairs) -> ContextLike:
    """Return the context of the pairs, or what stands for one that there cannot be."""
    texts = [(_decode(key), _decode(value)) for key, value in pairs]
    context = dict(texts)
    if len(context) != len(texts):
        return _InvalidContext("encryption context with a repeated key")
    try:
        return EncryptionContext(cast("dict[str, str]", context))
    except InvalidContextError as error:
        return _InvalidContext(str(error))


def _decode(text: bytes | None) -> str | None:
    """Return a text; what is not UTF-8 in it becomes surrogates, which no context takes."""
    return None if text is None else text.decode("utf-8", "surrogateescape")


@final
class _InvalidContext(Mapping[str, str]):
    """A context that cannot be read: it says so when its item's turn and its step have come."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def _refuse(self) -> Never:
        raise InvalidContextError(self._reason)

    def __getitem__(self, key: str) -> Never:
        self._refuse()

    def __iter__(self) -> Never:
        self._refuse()

    def __len__(self) -> Never:  # noqa: PLE0303 (it has no length to give)
        self._refuse()


def _make_items(
    blobs: Iterable[bytes | None],
    sources: Iterable[ContextLike],
    destinations: "Iterable[ContextLike | SameContext]",
) -> Iterator[Item]:
    """Yield an item for each blob that is there; its reference is the number of its row."""
    for number, (blob, source, destination) in enumerate(
        zip(blobs, sources, destinations, strict=True)
    ):
        if blob is not None:
            yield Item(number, blob, source, destination)


# --- columns out ---


def _kept(blob: bytes | None, outcome: Outcome | None) -> bytes | None:
    """Return the blob that stays in the row: the new one, else the one that was there."""
    if outcome is None or outcome.ciphertext_blob is None:
        return blob
    return outcome.ciphertext_blob


def _put_columns(
    batch: pa.RecordBatch,
    position: int,
    blobs: Sequence[bytes | None],
    rows: Sequence[Outcome | None],
    new_columns: tuple[str, str],
) -> pa.RecordBatch:
    """Return the batch with the new blobs, and the new columns after them."""
    field = batch.schema.field(position)
    if pa.types.is_fixed_size_binary(field.type):
        field = field.with_type(pa.binary())
    put = [
        _make_blobs(blobs, field.type),
        pa.array([row and row.status.value for row in rows], pa.string()),
        pa.array([row and row.error and row.error.code for row in rows], pa.string()),
    ]
    fields, columns = list(batch.schema), batch.columns
    fields[position : position + 1] = [
        field,
        *(pa.field(name, pa.string()) for name in new_columns),
    ]
    columns[position : position + 1] = put
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields, batch.schema.metadata))


def _make_blobs(blobs: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    """Return a column of the blobs. Raises `ValueError` if they are more than it holds."""
    if pa.types.is_binary(kind):
        length = sum(len(blob) for blob in blobs if blob is not None)
        if length > _MAX_BINARY_LENGTH:
            raise ValueError(
                f"a binary column cannot hold the {length} bytes of the new blobs: slice the batch,"
                " or make the column large_binary"
            )
    return pa.array(blobs, kind)

"""Encryption contexts in an Arrow column, as structs or as maps of strings.

An invalid context makes its row fail, not the batch. This module needs the extra `arrow`.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise, repeat
from typing import Never, TypeAlias, TypeVar, cast, final

import pyarrow as pa

from kmscore.bulk.columns import check_fields, find_column
from kmscore.bulk.item import KEEP_CONTEXT, KeepContext
from kmscore.context import ContextLike, EncryptionContext
from kmscore.errors import InvalidContextError

_Pairs: TypeAlias = tuple[tuple[bytes | None, bytes | None], ...]
"""The unchecked pairs of a context in a column, as UTF-8 bytes."""

_Absent = TypeVar("_Absent", KeepContext, None)
"""The value of each row without a context column."""


def is_text(kind: pa.DataType) -> bool:
    """Return whether the values of this type are strings, JSON texts, or all null."""
    if isinstance(kind, pa.BaseExtensionType):
        return bool(kind.extension_name == "arrow.json")
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or pa.types.is_null(kind)
    )


def is_binary(kind: pa.DataType) -> bool:
    """Return whether the values of this type are bytes."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def is_context(kind: pa.DataType) -> bool:
    """Return whether the values of this type are structs or maps of strings."""
    if pa.types.is_map(kind):
        return is_text(kind.key_type) and is_text(kind.item_type)
    if not pa.types.is_struct(kind):
        return False
    fields = list(kind)
    is_unique = len({field.name for field in fields}) == len(fields)
    return is_unique and all(is_text(field.type) for field in fields)


def read_bytes(column: pa.Array) -> list[bytes | None]:
    """Return the unchecked values of a column of bytes or strings."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        distinct = read_bytes(column.dictionary)
        return [None if index is None else distinct[index] for index in column.indices.to_pylist()]
    # Strings as bytes: they are not checked to be UTF-8, and an invalid string must make its row
    # fail, not the batch.
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def read_contexts(
    batch: pa.RecordBatch, name: str | None, *, absent: _Absent
) -> "Iterable[ContextLike | _Absent]":
    """Return the context of each row, or `absent` for every row if `name` is `None`.

    Raises `KeyError`, `ValueError` and `TypeError` for the column, before any context is made.
    """
    if name is None:
        return repeat(absent, batch.num_rows)
    column = batch.column(find_column(batch.schema.names, name))
    if pa.types.is_struct(column.type):
        return _read_structs(column, name)
    if pa.types.is_map(column.type):
        return _read_maps(column, name)
    if is_text(column.type) and not pa.types.is_null(column.type):
        return map(cache(_parse_context), read_bytes(column))
    raise TypeError(
        f"column {name!r} must be a struct or a map of strings, or JSON, not {column.type}"
    )


def read_destinations(
    batch: pa.RecordBatch, name: str | None
) -> "Iterable[ContextLike | KeepContext]":
    """Return the destination context of each row; a row without one keeps its source context.

    Raises the same errors as `read_contexts`.
    """
    contexts = read_contexts(batch, name, absent=KEEP_CONTEXT)
    if name is None:
        return contexts
    column = batch.column(find_column(batch.schema.names, name))
    is_struct = pa.types.is_struct(column.type)
    are_given = _have_values(column) if is_struct else column.is_valid().to_pylist()
    return (
        context if is_given else KEEP_CONTEXT
        for is_given, context in zip(are_given, contexts, strict=True)
    )


def _have_values(column: pa.StructArray) -> list[bool]:
    """Return for each struct whether at least one field is not null."""
    fields = [values.is_valid().to_pylist() for values in column.flatten()]
    return list(map(any, zip(*fields, strict=True))) if fields else [False] * len(column)


def _read_structs(column: pa.StructArray, name: str) -> Iterator[ContextLike]:
    """Return the context of each struct."""
    fields = list(column.type)
    names = [field.name for field in fields]
    check_fields(names, name)
    for field in fields:
        if not is_text(field.type):
            raise TypeError(f"field {field.name!r} of {name!r} must be string, not {field.type}")
    keys = [text.encode() for text in names]

    def prepare(values: tuple[bytes | None, ...]) -> ContextLike:
        pairs = zip(keys, values, strict=True)
        given = tuple(pair for pair in pairs if pair[1] is not None)
        # In the service's layout, no context and an empty one are different.
        return _make_context(given) if given else None

    # `flatten` makes the fields of a null struct null.
    columns = [read_bytes(values) for values in column.flatten()]
    rows = zip(*columns, strict=True) if columns else repeat((), len(column))
    # Cached for equal rows, because most columns have few different contexts.
    return map(cache(prepare), rows)


def _read_maps(column: pa.MapArray, name: str) -> Iterator[ContextLike]:
    """Return the context of each map."""
    if not (is_text(column.type.key_type) and is_text(column.type.item_type)):
        raise TypeError(f"column {name!r} must be a map of strings, not {column.type}")
    # A slice keeps the pairs of the whole column, and a null map can have pairs too.
    offsets = column.offsets.to_pylist()
    start = offsets[0]
    keys = read_bytes(column.keys[start : offsets[-1]])
    pairs = list(zip(keys, read_bytes(column.items[start : offsets[-1]]), strict=True))
    ranges = zip(pairwise(offsets), column.is_valid().to_pylist(), strict=True)
    rows = (tuple(pairs[a - start : b - start]) if valid else None for (a, b), valid in ranges)
    make = cache(_make_context)
    return (None if row is None else make(row) for row in rows)


def _parse_context(text: bytes | None) -> ContextLike:
    """Return the context of a JSON text, or an `_InvalidContext` with the reason."""
    if text is None:
        return None
    try:
        return EncryptionContext.from_json(text.decode("utf-8", "surrogateescape"))
    except InvalidContextError as error:
        return _InvalidContext(str(error))


def _make_context(pairs: _Pairs) -> ContextLike:
    """Return the context of the pairs, or an `_InvalidContext` with the reason."""
    texts = [(_decode(key), _decode(value)) for key, value in pairs]
    context = dict(texts)
    if len(context) != len(texts):
        return _InvalidContext("encryption context with a repeated key")
    try:
        return EncryptionContext(cast("dict[str, str]", context))
    except InvalidContextError as error:
        return _InvalidContext(str(error))


def _decode(text: bytes | None) -> str | None:
    """Return a string; bytes that are not UTF-8 become surrogates, which a context rejects."""
    return None if text is None else text.decode("utf-8", "surrogateescape")


@final
class _InvalidContext(Mapping[str, str]):
    """An invalid context, which raises `InvalidContextError` when its item is processed."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def _refuse(self) -> Never:
        raise InvalidContextError(self._reason)

    def __getitem__(self, key: str) -> Never:
        self._refuse()

    def __iter__(self) -> Never:
        self._refuse()

    def __len__(self) -> Never:  # noqa: PLE0303 (it always raises)
        self._refuse()

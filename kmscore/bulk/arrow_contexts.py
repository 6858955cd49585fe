"""Encryption contexts in an Arrow column, as structs, as maps of strings, or as JSON texts.

An invalid context makes its row fail, not the batch. This module needs the extra `arrow`.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import pairwise, repeat
from typing import Never, TypeVar, cast, final

import pyarrow as pa

from kmscore.bulk.columns import check_fields
from kmscore.bulk.item import KEEP_CONTEXT, KeepContext
from kmscore.context import ContextLike, EncryptionContext, load_pairs
from kmscore.errors import InvalidContextError

_Value = TypeVar("_Value", bytes, str)

_Row = TypeVar("_Row", bound=Hashable)
"""The value of a context column in one row."""

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
    return _read_values(column, _as_bytes)


def _read_texts(column: pa.Array) -> list[str | None]:
    """Return the values of a column of strings; bytes that are not UTF-8 become surrogates."""
    return _read_values(column, _as_texts)


def _read_values(
    column: pa.Array, convert: Callable[[pa.Array], list[_Value | None]]
) -> list[_Value | None]:
    """Return the values of a column; each value of a dictionary is converted once."""
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.storage
    if pa.types.is_dictionary(column.type):
        distinct = convert(column.dictionary)
        return [None if index is None else distinct[index] for index in column.indices.to_pylist()]
    return convert(column)


def _as_bytes(column: pa.Array) -> list[bytes | None]:
    """Return strings as bytes: they are not checked to be UTF-8."""
    values: list[bytes | None] = column.cast(pa.large_binary()).to_pylist()
    return values


def _as_texts(column: pa.Array) -> list[str | None]:
    """Return strings; an invalid one must make its row fail, so it becomes surrogates."""
    try:
        texts: list[str | None] = column.to_pylist()
    except UnicodeDecodeError:
        return [
            None if value is None else value.decode("utf-8", "surrogateescape")
            for value in _as_bytes(column)
        ]
    return texts


def check_contexts(field: pa.Field) -> None:
    """Raise `TypeError` or `ValueError` unless a column can have contexts."""
    kind, name = field.type, field.name
    if pa.types.is_struct(kind):
        check_fields([part.name for part in kind], name)
        for part in kind:
            if not is_text(part.type):
                raise TypeError(f"field {part.name!r} of {name!r} must be string, not {part.type}")
    elif pa.types.is_map(kind):
        if not is_context(kind):
            raise TypeError(f"column {name!r} must be a map of strings, not {kind}")
    elif not is_text(kind) or pa.types.is_null(kind):
        raise TypeError(
            f"column {name!r} must be a struct or a map of strings, or JSON, not {kind}"
        )


def read_contexts(
    batch: pa.RecordBatch, name: str | None, *, absent: _Absent
) -> "Iterable[ContextLike | _Absent]":
    """Return the context of each row, or `absent` for every row if `name` is `None`.

    The caller has checked the column with `check_contexts`.
    """
    if name is None:
        return repeat(absent, batch.num_rows)
    column = batch.column(name)
    if pa.types.is_struct(column.type):
        return _read_structs(column)
    if pa.types.is_map(column.type):
        return _read_maps(column)
    return _share(_read_texts(column), _parse_context)


def read_destinations(
    batch: pa.RecordBatch, name: str | None
) -> "Iterable[ContextLike | KeepContext]":
    """Return the destination context of each row; a row without one keeps its source context.

    The caller has checked the column with `check_contexts`.
    """
    contexts = read_contexts(batch, name, absent=KEEP_CONTEXT)
    if name is None:
        return contexts
    column = batch.column(name)
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


def _read_structs(column: pa.StructArray) -> Iterator[ContextLike]:
    """Return the context of each struct."""
    names = [field.name for field in column.type]

    def read(row: tuple[str | None, ...]) -> ContextLike:
        # `strict=True` would take half as long again. The row has a text for each name.
        pairs = {key: text for key, text in zip(names, row) if text is not None}  # noqa: B905
        # In the service's layout, no context and an empty one are different.
        return pairs or None

    # `flatten` makes the fields of a null struct null.
    columns = [_read_texts(values) for values in column.flatten()]
    return _share(zip(*columns, strict=True) if columns else repeat((), len(column)), read)


def _read_maps(column: pa.MapArray) -> Iterator[ContextLike]:
    """Return the context of each map."""
    # A slice keeps the pairs of the whole column, and a null map can have pairs too.
    offsets = column.offsets.to_pylist()
    first, last = offsets[0], offsets[-1]
    keys, values = (_read_texts(part[first:last]) for part in (column.keys, column.items))
    # One flat tuple, keys first: its hash and its comparison take half as long as those of pairs.
    rows = [
        (*keys[start - first : end - first], *values[start - first : end - first])
        for start, end in pairwise(offsets)
    ]
    if column.null_count:
        are_valid = column.is_valid().to_pylist()
        return _share(
            (row if valid else None for row, valid in zip(rows, are_valid, strict=True)),
            _make_context,
        )
    return _share(rows, _make_context)


def _share(rows: Iterable[_Row], read: Callable[[_Row], ContextLike]) -> Iterator[ContextLike]:
    """Yield the context of each row, for equal rows the same one.

    The pairs of a context are not checked before its second occurrence, which creates an
    `EncryptionContext`. For a context that occurs once, this would cost more than the encryption,
    and the operation makes the same checks on a dict.
    """
    contexts: dict[_Row, ContextLike] = {}
    for row in rows:
        context = contexts.get(row)
        if context is None:
            context = contexts[row] = read(row)
        elif type(context) is dict:
            context = contexts[row] = _check_context(context)
        yield context


def _check_context(pairs: dict[str, str]) -> ContextLike:
    """Return the context of the pairs, or an `_InvalidContext` with the reason."""
    try:
        return EncryptionContext(pairs)
    except InvalidContextError as error:
        return _InvalidContext(str(error))


def _parse_context(text: str | None) -> ContextLike:
    """Return the unchecked pairs of a JSON text, or an `_InvalidContext` with the reason."""
    if text is None:
        return None
    try:
        return load_pairs(text)
    except InvalidContextError as error:
        return _InvalidContext(str(error))


def _make_context(row: tuple[str | None, ...] | None) -> ContextLike:
    """Return the unchecked pairs of a map, or an `_InvalidContext` for a repeated key.

    The first half of the row has the keys, and the second half has their values.
    """
    if row is None:
        return None
    size = len(row) // 2
    pairs = dict(zip(row[:size], row[size:]))  # noqa: B905 (see `_read_structs`)
    if len(pairs) != size:
        return _InvalidContext("encryption context with a repeated key")
    # A null text is not in the type, and the operation rejects it.
    return cast("dict[str, str]", pairs)


@final
class _InvalidContext(Mapping[str, str]):
    """An invalid context, which raises `InvalidContextError` when its item is processed."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def _reject(self) -> Never:
        raise InvalidContextError(self._reason)

    def __getitem__(self, key: str) -> Never:
        self._reject()

    def __iter__(self) -> Never:
        self._reject()

    def __len__(self) -> Never:  # noqa: PLE0303 (it always raises)
        self._reject()

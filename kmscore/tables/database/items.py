"""Rows of a database as items of `reencrypt_many`."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from kmscore import EncryptionContext
from kmscore._base64 import decode_base64
from kmscore._values import new_tuple
from kmscore.bulk import KEEP_CONTEXT, Item, KeepContext
from kmscore.context import ContextLike
from kmscore.errors import InvalidBlobError, InvalidContextError
from kmscore.tables.database.column import Column

_CONTEXTS: Final = 4096
"""Number of contexts that are kept: often, many rows have the same one."""

_NO_SOURCE: Final = (None, None, None)


class RowReader:
    """Reads rows as items, as `kmscore.tables.columns.ItemReader` reads the rows of files.

    All values are bytes, and no column can be missing, so this reader takes a third of the time.
    """

    def __init__(self, column: Column) -> None:
        """Prepare the positions of the columns in a row."""
        columns = column.columns
        self._blob = blob = len(column.keys)
        self._is_base64 = column.is_base64
        self._context = None if columns.context is None else blob + 1
        wholes = len(columns.whole_contexts)
        self._destination = None if columns.destination_context is None else blob + wholes
        self._first = blob + 1 + wholes
        self._keys = tuple(key for key, _ in columns.pairs)
        self._seen: set[tuple[bytes | None, ...]] = set()
        self._known: dict[tuple[bytes | None, ...], EncryptionContext] = {}
        self._parse: Callable[[bytes], EncryptionContext] = lru_cache(_CONTEXTS)(_parse)

    def read(self, row: Sequence[Any]) -> Item | str:
        """Return a row as an item that has it as its reference, or the code of a failed row.

        The pairs of a context are not checked; `reencrypt_many` does so.
        """
        blob = row[self._blob]
        if self._is_base64:
            blob = decode_base64(blob)
            if blob is None:
                return InvalidBlobError.code
        try:
            contexts = self._source_context(row), self._destination_context(row)
        except InvalidContextError as error:
            return error.code
        return new_tuple(Item, (row, blob, *contexts, *_NO_SOURCE))

    def _source_context(self, row: Sequence[Any]) -> ContextLike:
        if self._context is not None:
            text = row[self._context]
            return None if text is None else self._parse(text)
        values = tuple(row[self._first :])
        known = self._known.get(values)
        return self._pairs_of(values) if known is None else known

    def _pairs_of(self, values: tuple[bytes | None, ...]) -> ContextLike:
        """Return a context of several columns; prepare it when it occurs for the second time.

        An `EncryptionContext` costs as much as an encryption, but can be used for many rows.
        """
        pairs = {
            key: _text(value)
            for key, value in zip(self._keys, values, strict=True)
            if value is not None
        }
        if not pairs:
            # In the service's layout, no context and an empty one are different.
            return None
        if values in self._seen:
            # The error of an invalid context comes after that of an invalid blob.
            with suppress(InvalidContextError):
                self._known[values] = EncryptionContext(pairs)
        else:
            if len(self._seen) == _CONTEXTS:
                self._seen.clear()
                self._known.clear()
            self._seen.add(values)
        return pairs

    def _destination_context(self, row: Sequence[Any]) -> "ContextLike | KeepContext":
        if self._destination is None:
            return KEEP_CONTEXT
        text = row[self._destination]
        # Only an empty object removes the context, because NULL is often an oversight.
        return KEEP_CONTEXT if text is None else self._parse(text)


def _parse(text: bytes) -> EncryptionContext:
    return EncryptionContext.from_json(_text(text))


def _text(value: bytes) -> str:
    # Bytes that are not UTF-8, which SQLite can have in a text, give an invalid context.
    return str(value, "utf-8", "surrogateescape")

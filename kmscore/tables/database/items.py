"""Rows of a database as items of `reencrypt_many`."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from kmscore import EncryptionContext
from kmscore._base64 import decode_base64
from kmscore._values import new_tuple
from kmscore.bulk import KEEP_CONTEXT, Item, KeepContext
from kmscore.context import ContextLike
from kmscore.errors import InvalidBlobError, InvalidContextError
from kmscore.tables.database.column import Column

_CONTEXTS: Final = 1024
"""Number of parsed contexts that are kept: often, many rows have the same one."""

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
        first = blob + 1 + wholes
        self._pairs = tuple((key, first + each) for each, (key, _) in enumerate(columns.pairs))
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
        # Not an `EncryptionContext`, which costs as much as the encryption. In the service's
        # layout, no context and an empty one are different.
        return {
            key: _text(row[position]) for key, position in self._pairs if row[position] is not None
        } or None

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

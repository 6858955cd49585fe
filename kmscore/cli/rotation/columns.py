"""Where in a row the ciphertext and its encryption context stand."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from kmscore import EncryptionContext
from kmscore._base64 import decode_base64
from kmscore.bulk import KEEP_CONTEXT, Item, KeepContext
from kmscore.context import ContextLike
from kmscore.errors import InvalidBlobError, InvalidContextError, KmsCoreError

Record = Mapping[str, Any]
"""The columns of a row by name."""


class RowError(Exception):
    """A row is not one of its format, or lacks a column: nothing that the engine has a code for."""

    def __init__(self, code: str, reason: str) -> None:
        """Take a code beside those of `kmscore.errors`, and the reason."""
        super().__init__(reason)
        self.code = code


Failure: TypeAlias = KmsCoreError | RowError
"""What a row fails with: a code, and its text."""


def reason_of(failure: Failure) -> str:
    """Return the text of what a row fails with, as any file can hold it."""
    return str(failure).encode("utf-8", "backslashreplace").decode("utf-8")


def damaged_row(reason: str) -> RowError:
    """Return the error of a row that is not one of its format."""
    return RowError("damaged_row", reason)


class Unreadable(NamedTuple):
    """Stands in a record for a value that cannot be read: a row that needs it fails with this."""

    error: Failure


class Source(NamedTuple):
    """The key version and algorithm of bare asymmetric ciphertexts, the same for all rows."""

    key_id: str | None = None
    key_version_id: str | None = None
    algorithm: str | None = None


class Columns(NamedTuple):
    """The names of the columns that are read."""

    blob: str
    context: str | None = None
    """One JSON object."""

    contexts: tuple[str, ...] = ()
    """One column a pair: its name is the key."""

    destination_context: str | None = None
    """One JSON object; without it, and where nothing stands in it, the source's context is kept."""

    source: Source = Source()

    @property
    def structured(self) -> tuple[str, ...]:
        """Every column in which an empty text is nothing, and no value of its own."""
        return (self.blob, *self.whole_contexts)

    @property
    def whole_contexts(self) -> tuple[str, ...]:
        """Every column with a context of several pairs in each row."""
        names = (self.context, self.destination_context)
        return tuple(name for name in names if name is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every column that has to be there."""
        return (*self.structured, *self.contexts)

    def read(self, reference: int, record: "Record | Failure") -> "Item | Failure | None":
        """Return a row as an item, `None` if there is no ciphertext in it, or what is wrong."""
        if isinstance(record, KmsCoreError | RowError):
            return record
        try:
            return self._item(reference, record)
        except (KmsCoreError, RowError) as error:
            # What is kept of it is its code and text: not the frames, nor what they hold.
            return error.with_traceback(None)

    def _item(self, reference: int, record: Record) -> Item | None:
        """Return a row as an item, or `None` if there is no ciphertext in it.

        Raises what is wrong with the row.
        """
        blob = _ciphertext(_field(record, self.blob))
        if blob is None:
            return None
        destination: ContextLike | KeepContext = KEEP_CONTEXT
        if self.destination_context is not None:
            new = _context(_field(record, self.destination_context))
            # An empty cell is most often an oversight, and the context is what tells whose the
            # ciphertext is: it is stripped only where the empty object says so.
            destination = KEEP_CONTEXT if new is None else new
        return Item(reference, blob, self._source_context(record), destination, *self.source)

    def _source_context(self, record: Record) -> ContextLike:
        if self.context is not None:
            return _context(_field(record, self.context))
        if not self.contexts:
            return None
        pairs = {name: _field(record, name) for name in self.contexts}
        return EncryptionContext({key: text for key, text in pairs.items() if text is not None})


def _field(record: Record, name: str) -> Any:  # noqa: ANN401 (any value of a table)
    """Return the value of a column, or raise `RowError`, or why the value cannot be read."""
    try:
        value = record[name]
    except KeyError:
        pass
    else:
        if isinstance(value, Unreadable):
            raise value.error
        return value
    raise RowError("missing_column", f"no column {name!r:.80}")


def _ciphertext(value: object) -> bytes | None:
    """Return a ciphertext that stands as bytes or in strict Base64."""
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise InvalidBlobError(f"a ciphertext is text or bytes, not {type(value).__name__}")
    data = decode_base64(value.encode("utf-8", "surrogatepass"))
    if data is None:
        raise InvalidBlobError("a ciphertext that is not strict Base64")
    return data


def _context(value: object) -> ContextLike:
    """Return a context that stands as JSON text or as an object; `None` where nothing stands."""
    if value is None or isinstance(value, EncryptionContext):
        return value
    if isinstance(value, str):
        return EncryptionContext.from_json(value)
    if isinstance(value, Mapping):
        return EncryptionContext(value)
    raise InvalidContextError(f"an encryption context is an object, not {type(value).__name__}")

"""The columns of a row with its ciphertext and its encryption context."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from kmscore import EncryptionContext
from kmscore._base64 import decode_base64
from kmscore._values import new_tuple
from kmscore.bulk import KEEP_CONTEXT, Item, KeepContext
from kmscore.context import ContextLike
from kmscore.errors import InvalidBlobError, InvalidContextError, KmsCoreError
from kmscore.tables.errors import with_options

Record = Mapping[str, Any]
"""The values of a row by the names of their columns."""


class RowError(Exception):
    """A row that is damaged or lacks a column. `kmscore.errors` has no class for this."""

    def __init__(self, code: str, reason: str) -> None:
        """Create the error with a code, `damaged_row` or `missing_column`, and the reason."""
        super().__init__(reason)
        self.code: str = code


_FAILURES: Final = (KmsCoreError, RowError)

Failure: TypeAlias = KmsCoreError | RowError
"""The error of a failed row, with code and text."""


def reason_of(failure: Failure) -> str:
    """Return the text of a failure, with escapes for characters that UTF-8 cannot encode."""
    return with_options(str(failure)).encode("utf-8", "backslashreplace").decode("utf-8")


def damaged_row(reason: str) -> RowError:
    """Return the error of a row that does not follow the format of its table."""
    return RowError("damaged_row", reason)


class Unreadable(NamedTuple):
    """A value of a record that cannot be read; a row that needs it fails with this error."""

    error: Failure


_ABSENT: Final = object()


class Source(NamedTuple):
    """The key version and the algorithm of asymmetric ciphertexts, the same for all rows."""

    key_id: str | None = None
    """The key ID; `None` is the one in the header of the blob."""

    key_version_id: str | None = None
    """The key version ID; `None` is the one in the header of the blob."""

    algorithm: str | None = None
    """`RSAES_OAEP_SHA_256`, `RSAES_OAEP_SHA_1` or `SM2PKE`; `None` for v1 blobs."""


class Columns(NamedTuple):
    """The names of the columns that are read."""

    blob: str = "ciphertext_blob"
    """The ciphertexts, in strict Base64 or, in Parquet, binary."""

    context: str | None = None
    """The source contexts, each a JSON object or, in Parquet, a struct or map. Excludes `contexts`.

    With `None`, or without a value, a row has no context, which in v1 is the empty one.
    """

    contexts: tuple[str, ...] = ()
    """The columns of context values; in a folder also partitions of the path."""

    context_keys: tuple[str, ...] | None = None
    """The keys of the values in `contexts`; `None` is the names of the columns."""

    destination_context: str | None = None
    """The destination contexts, in the same form as `context`.

    Without the column, and in a row without a value, the source context is kept.
    """

    source: Source = Source()
    """The key version and algorithm of asymmetric ciphertexts."""

    constants: tuple[tuple[str, str | None], ...] = ()
    """Pairs of the source context that are the same for all rows; `None` leaves the pair out."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The keys of the source context with the columns of their values."""
        keys = self.contexts if self.context_keys is None else self.context_keys
        return tuple(zip(keys, self.contexts, strict=True))

    @property
    def structured(self) -> tuple[str, ...]:
        """The columns in which an empty text means that there is no value."""
        return (self.blob, *self.whole_contexts)

    @property
    def whole_contexts(self) -> tuple[str, ...]:
        """The columns with a context of several pairs in each row."""
        names = (self.context, self.destination_context)
        return tuple(name for name in names if name is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that are read."""
        return (*self.structured, *self.contexts)


def with_constants(columns: Columns, values: Mapping[str, str | None]) -> Columns:
    """Return the columns; each context column with a given value becomes a constant."""
    remaining = [(key, name) for key, name in columns.pairs if name not in values]
    return columns._replace(
        contexts=tuple(name for _, name in remaining),
        context_keys=tuple(key for key, _ in remaining),
        constants=(
            *columns.constants,
            *((key, values[name]) for key, name in columns.pairs if name in values),
        ),
    )


class ItemReader:
    """Reads rows as items; the columns are prepared once, for all rows."""

    def __init__(self, columns: Columns) -> None:
        """Prepare the columns."""
        self._blob, self._context = columns.blob, columns.context
        self._pairs = columns.pairs
        self._constants = {key: text for key, text in columns.constants if text is not None}
        self._has_pairs = bool(columns.contexts or columns.constants)
        self._destination_context = columns.destination_context
        self._source = columns.source

    def read(self, reference: int, record: Record | Failure) -> "Item | Failure | None":
        """Return a row as an item; `None` if it has no ciphertext; or the error of the row.

        The pairs of a context are not checked; `reencrypt_many` does so.
        """
        if isinstance(record, _FAILURES):
            return record
        try:
            blob = _ciphertext(_field(record, self._blob))
            if blob is None:
                return None
            contexts = self._source_context(record), self._destination(record)
        except _FAILURES as error:
            # Without the frames, which have the values of the row.
            return error.with_traceback(None)
        return new_tuple(Item, (reference, blob, *contexts, *self._source))

    def _source_context(self, record: Record) -> ContextLike:
        if self._context is not None:
            return _context(_field(record, self._context))
        if not self._has_pairs:
            return None
        # Not an `EncryptionContext`, which costs as much as the encryption.
        pairs = self._constants.copy()
        for key, name in self._pairs:
            text = _field(record, name)
            if text is not None:
                pairs[key] = text
        # In the service's layout, no context and an empty one are different.
        return pairs or None

    def _destination(self, record: Record) -> "ContextLike | KeepContext":
        if self._destination_context is None:
            return KEEP_CONTEXT
        new = _context(_field(record, self._destination_context))
        # An empty cell is often an oversight, and the context names the owner of the ciphertext.
        # Therefore only an empty object removes the context.
        return KEEP_CONTEXT if new is None else new


def _field(record: Record, name: str) -> Any:  # noqa: ANN401 (any value of a table)
    """Return the value of a column. Raises `RowError`, and the error of an unreadable value."""
    value = record.get(name, _ABSENT)
    if value is _ABSENT:
        raise RowError("missing_column", f"no column {name!r:.80}")
    if isinstance(value, Unreadable):
        raise value.error
    return value


def _ciphertext(value: object) -> bytes | None:
    """Return the bytes of a ciphertext, from strict Base64 too. Raises `InvalidBlobError`."""
    if value is None or isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise InvalidBlobError(f"ciphertext: text or bytes required, not {type(value).__name__}")
    data = decode_base64(value.encode("utf-8", "surrogatepass"))
    if data is None:
        raise InvalidBlobError("ciphertext: not strict Base64")
    return data


def _context(value: object) -> ContextLike:
    """Return a context from a JSON text or an object, and `None` for no value.

    Raises `InvalidContextError`.
    """
    if value is None or isinstance(value, dict | EncryptionContext):
        return value
    if isinstance(value, str):
        return EncryptionContext.from_json(value)
    if isinstance(value, Mapping):
        # A context that cannot be read; the engine raises its error.
        return value
    raise InvalidContextError(f"encryption context: an object required, not {type(value).__name__}")

"""The layouts of ciphertexts, with the steps of the operations in one order of checks.

A layout reads ciphertexts as a source and encrypts as a destination. An operation takes these
steps and raises the first failure:

1. types, by the operation itself;
2. `read`: parse;
3. `bind` of the source, then of the destination: the encryption context as associated data;
4. `find_key` of the source, then of the destination: the given IDs, the key, its state, usage and
   suite;
5. `check_size`;
6. `open`: after it starts, only `DecryptionError` is raised;
7. `seal`.

`V1` is the ciphertext blob of this library, `Bare` an asymmetric ciphertext. `kmscore.alibaba` adds
the layout of the service and, in both layouts, Base64 texts as plaintexts.
"""

from typing import Final, Protocol, TypeAlias, cast

from kmscore import asymmetric, envelope
from kmscore._typecheck import BytesLike
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, EncryptionAlgorithm
from kmscore.blob import blob_bytes, parse_header
from kmscore.context import ContextLike, canonical_bytes
from kmscore.errors import DecryptionError, IncorrectKeyError, InvalidContextError
from kmscore.keyring import KeyProvider
from kmscore.keys import Key, PrivateKey, SymmetricKey
from kmscore.lookup import (
    check_provider,
    decrypting_key,
    opening_key,
    sealing_key,
)

GivenIds: TypeAlias = tuple[str | None, str | None]
"""The source key ID and key version ID that the caller expects; `None` accepts every ID."""

NO_IDS: Final = (None, None)


class Source(Protocol):
    """A ciphertext that was read and is to be decrypted."""

    def bind(self, context: ContextLike) -> bytes:
        """Return the bytes that the context adds to the associated data.

        Raises `InvalidContextError`.
        """
        ...

    def find_key(self) -> Key:
        """Return the key version that decrypts. Raises the errors of `kmscore.lookup`."""
        ...

    def check_size(self, most: int) -> None:
        """Raise `PlaintextSizeError` for more bytes than `most` or than the layout allows."""
        ...

    def open(self, bound: bytes) -> bytes:
        """Return the plaintext, or raise `DecryptionError`."""
        ...


class BlobSource(Source, Protocol):
    """A ciphertext blob that was read."""

    @property
    def least_plaintext_length(self) -> int:
        """The minimum length of the plaintext in bytes, as far as the blob shows it."""
        ...


class Destination(Protocol):
    """A layout in which a plaintext is encrypted."""

    @property
    def max_plaintext_length(self) -> int:
        """Maximum length of a plaintext in bytes."""
        ...

    def bind(self, context: ContextLike) -> bytes:
        """Return the bytes that the context adds to the associated data.

        Raises `InvalidContextError`.
        """
        ...

    def find_destination(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """Return the primary version of a key. Raises the errors of `kmscore.lookup`."""
        ...

    def seal(
        self, key: SymmetricKey, plaintext: bytes, bound: bytes, iv: bytes | None = None
    ) -> bytes:
        """Return the ciphertext, with a new IV unless one is given."""
        ...


class SourceLayout(Protocol):
    """A layout in which a ciphertext is read."""

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> Source:
        """Return a ciphertext, whose names must equal the given IDs.

        Raises `InvalidBlobError`.
        """
        ...


class BlobLayout(SourceLayout, Destination, Protocol):
    """A layout of ciphertext blobs, which are read and written."""

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> BlobSource:
        """See `SourceLayout`."""
        ...

    def check_keys(self, keys: object) -> None:
        """Raise `TypeError` unless `keys` can find the keys of this layout."""
        ...


class V1Source:
    """A v1 ciphertext blob."""

    __slots__ = (
        *("_given_ids", "_keys", "_key_id", "_key_version_id", "_suite"),
        *("key", "least_plaintext_length", "raw"),
    )

    key: SymmetricKey
    """The key version that decrypts, set by `find_key`."""

    least_plaintext_length: int

    raw: bytes
    """The blob itself."""

    def __init__(self, keys: KeyProvider, data: BytesLike, ids: GivenIds) -> None:
        """Parse the blob."""
        self._keys = keys
        self._given_ids = ids
        self.raw = raw = blob_bytes(data)
        header, self.least_plaintext_length = parse_header(raw)
        self._suite, self._key_id, self._key_version_id = header

    def bind(self, context: ContextLike) -> bytes:
        """See `Source`: the canonical bytes."""
        return canonical_bytes(context)

    def find_key(self) -> SymmetricKey:
        """See `Source`. Raises `IncorrectKeyError` if an ID is given and is not the header's."""
        key_id, key_version_id = self._given_ids
        if key_id is not None and key_id != self._key_id:
            raise IncorrectKeyError("the ciphertext names another source key than the caller")
        if key_version_id is not None and key_version_id != self._key_version_id:
            raise IncorrectKeyError(
                "the ciphertext names another source key version than the caller"
            )
        self.key = opening_key(self._keys, self._suite, self._key_id, self._key_version_id)
        return self.key

    def check_size(self, most: int) -> None:
        """See `Source`."""
        envelope.check_length(self.least_plaintext_length, min(most, MAX_PLAINTEXT_LENGTH))

    def open(self, bound: bytes) -> bytes:
        """See `Source`."""
        # The IDs and the suite of the key equal those of the header, so its own header does too.
        # This check holds also for a subclass whose attributes contradict each other.
        if not self.raw.startswith(self.key.header):
            raise DecryptionError
        return envelope.open_blob(self.key, self.raw, bound)


class _V1Layout:
    """The v1 ciphertext blob."""

    max_plaintext_length: int = MAX_PLAINTEXT_LENGTH

    def check_keys(self, keys: object) -> None:
        check_provider(keys)

    def bind(self, context: ContextLike) -> bytes:
        return canonical_bytes(context)

    def find_destination(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        return sealing_key(keys, key_id)

    def seal(
        self, key: SymmetricKey, plaintext: bytes, bound: bytes, iv: bytes | None = None
    ) -> bytes:
        return envelope.seal(key, plaintext, bound, iv)

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> V1Source:
        return V1Source(keys, data, ids)


V1: Final = _V1Layout()
"""The v1 ciphertext blob."""


class _BareSource:
    """An asymmetric ciphertext."""

    _key: PrivateKey

    def __init__(
        self,
        keys: KeyProvider,
        data: BytesLike,
        algorithm: EncryptionAlgorithm,
        ids: tuple[str, str],
    ) -> None:
        self._keys = keys
        self._data = data
        self._algorithm = algorithm
        self._ids = ids

    def bind(self, context: ContextLike) -> bytes:
        if canonical_bytes(context):
            raise InvalidContextError("an asymmetric ciphertext binds no encryption context")
        return b""

    def find_key(self) -> PrivateKey:
        self._key = decrypting_key(self._keys, *self._ids, self._algorithm)
        asymmetric.check_supported(self._algorithm)
        return self._key

    def check_size(self, most: int) -> None:
        """Do nothing: `open` raises `DecryptionError` for a wrong length."""

    def open(self, bound: bytes) -> bytes:  # noqa: ARG002 (it binds nothing)
        return asymmetric.decrypt_with(self._key, self._algorithm, self._data)


class Bare:
    """An asymmetric ciphertext, without header and context; the caller names the key version."""

    def __init__(self, algorithm: EncryptionAlgorithm) -> None:
        """Set the algorithm, because the ciphertext does not name it."""
        self._algorithm = algorithm

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> Source:
        """See `SourceLayout`; nothing is parsed, and both IDs are given."""
        return _BareSource(keys, data, self._algorithm, cast("tuple[str, str]", ids))

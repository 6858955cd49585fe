"""The two sides of an operation: what is opened, and what seals, each in every form there is.

Every source has the same stages, and every destination too; an operation goes through them in the
order of checks that is binding for all of them: parse, context, source IDs, keys, sizes, open,
seal. A source is parsed when it is made.
"""

import os
from abc import ABC, abstractmethod
from typing import Final

from cryptography.exceptions import InvalidTag

from kmscore import asymmetric, envelope
from kmscore._arguments import BytesLike
from kmscore.algorithms import TAG_LENGTH, EncryptionAlgorithm, Suite
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.payloads import (
    check_length,
    least_plaintext_length,
    most_plaintext_length,
    payload_of,
    plaintext_of,
)
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.service_blob import IV_LENGTH, ServiceBlob, is_uuid
from kmscore.alibaba.version_index import KeyVersionProvider, check_version_provider
from kmscore.blob import CiphertextBlob, blob_bytes
from kmscore.context import ContextLike, canonical_bytes
from kmscore.errors import (
    DecryptionError,
    IncorrectKeyError,
    InvalidContextError,
    KeyUsageError,
)
from kmscore.keyring import KeyProvider
from kmscore.keys import PrivateKey, SymmetricKey, check_key
from kmscore.lookup import (
    check_source_ids,
    decrypting_key,
    opening_key,
    sealing_key,
    symmetric_key,
)

PLAIN_GCM: Final = frozenset(
    {Suite.AES_256_GCM, Suite.AES_192_GCM, Suite.AES_128_GCM, Suite.SM4_GCM}
)
"""The suites that a key version may be bound to if it is to open or seal the service's layout."""


class _BlobSource(ABC):
    """A blob of either layout; what is sealed in it is its payload."""

    _key: SymmetricKey
    _profile: Profile
    _payload_length: int

    @property
    def least_plaintext_length(self) -> int:
        """The least length in bytes that the plaintext can have."""
        return least_plaintext_length(self._payload_length, self._profile)

    def check_size(self, most: int) -> None:
        """Raise `PlaintextSizeError` if it holds more than `most` bytes, or than its layout may."""
        check_length(self.least_plaintext_length, min(most, most_plaintext_length(self._profile)))

    def open(self, bound: bytes) -> bytes:
        """Return the plaintext, or raise `DecryptionError` if its text is not strict Base64 too."""
        plaintext = plaintext_of(self._open(bound), self._profile)
        if plaintext is None:
            raise DecryptionError
        return plaintext

    @abstractmethod
    def _open(self, bound: bytes) -> bytes:
        """Return what is sealed, or raise `DecryptionError`."""
        ...


class V1Source(_BlobSource):
    """A v1 blob."""

    def __init__(
        self,
        keys: KeyProvider,
        data: BytesLike,
        profile: Profile,
        key_id: str | None = None,
        key_version_id: str | None = None,
    ) -> None:
        """Parse, or raise `InvalidBlobError`; the IDs are what the caller takes it to name."""
        self._keys = keys
        self._profile = profile
        self._raw = blob_bytes(data)
        self._blob = CiphertextBlob.parse(self._raw)
        self._ids = key_id, key_version_id

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:  # noqa: ARG002
        """Return the canonical context: of v1 none is ambiguous."""
        return canonical_bytes(context)

    def find_key(self) -> SymmetricKey:
        """Return the key version that the header names, after a look at the IDs given."""
        check_source_ids(self._blob, *self._ids)
        self._key = opening_key(self._keys, self._blob)
        self._payload_length = envelope.plaintext_length(self._key, self._raw)
        return self._key

    def _open(self, bound: bytes) -> bytes:
        """Return what is sealed, or raise `DecryptionError`."""
        return envelope.open_blob(self._key, self._raw, bound)


class ServiceSource(_BlobSource):
    """A blob of the service's layout."""

    def __init__(
        self,
        keys: KeyVersionProvider,
        data: BytesLike,
        profile: Profile,
        key_id: str | None = None,
        key_version_id: str | None = None,
    ) -> None:
        """Parse, or raise `InvalidBlobError`; the IDs are what the caller takes it to name."""
        self._keys = keys
        self._blob = ServiceBlob.parse(data, profile=profile)
        self._payload_length = len(self._blob.ciphertext)
        self._profile = profile
        self._ids = key_id, key_version_id

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:
        """Return the associated data, or raise `InvalidContextError`."""
        return associated_data(context, self._profile, allow_ambiguous=allow_ambiguous)

    def find_key(self) -> SymmetricKey:
        """Return the key version that the blob names, after a look at the IDs given."""
        key_id, key_version_id = self._ids
        named = self._blob.key_version_id
        if key_version_id is not None and key_version_id != named:
            raise IncorrectKeyError("the ciphertext names another source key version")
        found = self._keys.version_by_id(named)
        check_key(found)
        # The key's ID is known only with the version.
        if key_id is not None and key_id != found.key_id:
            raise IncorrectKeyError("the ciphertext names a version of another source key")
        key = symmetric_key(found, None, named)
        check_plain_gcm(key)
        self._key = key
        return key

    def _open(self, bound: bytes) -> bytes:
        """Return what is sealed, or raise `DecryptionError`."""
        blob = self._blob
        try:
            return self._key._open(blob.iv, blob.ciphertext + blob.tag, bound)
        except InvalidTag:
            pass
        raise DecryptionError


class AsymmetricSource:
    """A bare ciphertext: no layout, no context, and the caller names its key."""

    _key: PrivateKey

    def __init__(
        self,
        keys: KeyProvider,
        data: BytesLike,
        algorithm: EncryptionAlgorithm,
        key_id: str,
        key_version_id: str,
    ) -> None:
        """Take what the private key will have to look at: there is nothing to parse."""
        self._keys = keys
        self._data = data
        self._algorithm = algorithm
        self._ids = key_id, key_version_id

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:  # noqa: ARG002
        """Raise `InvalidContextError` for any context but the empty one."""
        if canonical_bytes(context):
            raise InvalidContextError("an asymmetric ciphertext binds no encryption context")
        return b""

    def find_key(self) -> PrivateKey:
        """Return the key version named."""
        self._key = decrypting_key(self._keys, *self._ids, self._algorithm)
        asymmetric.check_supported(self._algorithm)
        return self._key

    def check_size(self, most: int) -> None:
        """Do nothing: a length that does not fit is a `DecryptionError`, due with the opening."""

    def open(self, bound: bytes) -> bytes:  # noqa: ARG002
        """Return the plaintext, or raise `DecryptionError`."""
        return asymmetric.decrypt_with(self._key, self._algorithm, self._data)


class V1Destination:
    """Seals v1 blobs."""

    def __init__(self, profile: Profile) -> None:
        """Take the payload of the layout."""
        self._profile = profile

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:  # noqa: ARG002
        """Return the canonical context: of v1 none is ambiguous."""
        return canonical_bytes(context)

    def key(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """Return the primary version."""
        return sealing_key(keys, key_id)

    def seal(self, key: SymmetricKey, plaintext: bytes, bound: bytes) -> bytes:
        """Return the blob."""
        return envelope.seal(key, payload_of(plaintext, self._profile), bound)


class ServiceDestination:
    """Seals blobs of the service's layout."""

    def __init__(self, profile: Profile) -> None:
        """Take the options of the layout."""
        self._profile = profile

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:
        """Return the associated data, or raise `InvalidContextError`."""
        return associated_data(context, self._profile, allow_ambiguous=allow_ambiguous)

    def key(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """Return the primary version, if it can seal in this layout."""
        key = sealing_key(keys, key_id)
        check_plain_gcm(key)
        if not is_uuid(key.key_version_id):
            raise KeyUsageError("the service's layout takes key versions whose ID is a UUID only")
        return key

    def seal(self, key: SymmetricKey, plaintext: bytes, bound: bytes) -> bytes:
        """Return the blob, with a fresh IV from the operating system."""
        iv = os.urandom(IV_LENGTH)
        sealed = key._seal(iv, payload_of(plaintext, self._profile), bound)
        ciphertext, tag = sealed[:-TAG_LENGTH], sealed[-TAG_LENGTH:]
        return ServiceBlob(key.key_version_id, iv, ciphertext, tag).serialize(profile=self._profile)


def destination_of(profile: Profile) -> V1Destination | ServiceDestination:
    """Return what seals in a profile's layout."""
    return V1Destination(profile) if profile.is_v1 else ServiceDestination(profile)


def source_of(
    keys: KeyProvider,
    data: BytesLike,
    profile: Profile,
    key_id: str | None = None,
    key_version_id: str | None = None,
) -> V1Source | ServiceSource:
    """Return a blob of a profile's layout.

    Raises `TypeError` if that needs a `KeyVersionProvider` and `keys` is not one, and
    `InvalidBlobError`.
    """
    if profile.is_v1:
        return V1Source(keys, data, profile, key_id, key_version_id)
    return ServiceSource(check_version_provider(keys), data, profile, key_id, key_version_id)


def check_plain_gcm(key: SymmetricKey) -> None:
    """Raise `KeyUsageError` unless a key version is bound to a plain GCM suite.

    Under a key of XAES-256-GCM the service's layout would be GCM under that very key, and GCM's
    hash key is the block that XAES derives its subkey from.
    """
    if key.suite not in PLAIN_GCM:
        raise KeyUsageError(f"the service's layout takes no key bound to {key.suite.name}")

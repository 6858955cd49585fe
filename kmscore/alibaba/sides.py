"""The two sides of an operation: what is opened, and what seals, each in every form there is.

Every source has the same stages, and every destination too; an operation goes through them in the
order of checks that is binding for all of them: parse, context, source IDs, keys, sizes, open,
seal. A source is parsed when it is made.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag

from kmscore import asymmetric, envelope
from kmscore._arguments import BytesLike
from kmscore._base64 import decode_base64, encode_base64
from kmscore.algorithms import TAG_LENGTH, EncryptionAlgorithm, Suite
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.profile import Payload, Profile
from kmscore.alibaba.service_blob import IV_LENGTH, ServiceBlob, is_uuid
from kmscore.alibaba.version_index import KeyVersionProvider
from kmscore.blob import CiphertextBlob, blob_bytes
from kmscore.context import ContextLike, canonical_bytes
from kmscore.errors import (
    DecryptionError,
    IncorrectKeyError,
    InvalidContextError,
    KeyUsageError,
)
from kmscore.keyring import KeyProvider
from kmscore.keys import PrivateKey, SymmetricKey
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


class V1Source:
    """A v1 blob."""

    _key: SymmetricKey

    def __init__(
        self,
        keys: KeyProvider,
        data: BytesLike,
        key_id: str | None = None,
        key_version_id: str | None = None,
    ) -> None:
        """Parse, or raise `InvalidBlobError`; the IDs are what the caller takes it to name."""
        self._keys = keys
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
        return self._key

    def check_size(self) -> None:
        """Raise `PlaintextSizeError` if it holds more than 6,144 bytes."""
        envelope.check_plaintext_length(envelope.plaintext_length(self._key, self._raw))

    def open(self, bound: bytes) -> bytes:
        """Return the plaintext, or raise `DecryptionError`."""
        return envelope.open_blob(self._key, self._raw, bound)


class ServiceSource:
    """A blob of the service's layout."""

    _key: SymmetricKey

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
        # The key's ID is known only with the version.
        key = symmetric_key(self._keys.version_by_id(named), key_id, named)
        check_plain_gcm(key)
        self._key = key
        return key

    def check_size(self) -> None:
        """Raise `PlaintextSizeError` if more than 6,144 bytes are sealed."""
        envelope.check_plaintext_length(self.least_plaintext_length)

    @property
    def least_plaintext_length(self) -> int:
        """The least length in bytes that the plaintext can have; as Base64 it may have 2 more."""
        length = len(self._blob.ciphertext)
        is_text = self._profile.payload is Payload.BASE64
        return max(0, length // 4 * 3 - 2) if is_text else length

    def open(self, bound: bytes) -> bytes:
        """Return the plaintext, or raise `DecryptionError` if its text is not strict Base64 too."""
        blob = self._blob
        plaintext: bytes | None
        try:
            plaintext = self._key._open(blob.iv, blob.ciphertext + blob.tag, bound)
        except InvalidTag:
            plaintext = None
        if plaintext is not None and self._profile.payload is Payload.BASE64:
            plaintext = decode_base64(plaintext)
        if plaintext is None:
            raise DecryptionError
        return plaintext


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

    def check_size(self) -> None:
        """Do nothing: a length that does not fit is a `DecryptionError`, due with the opening."""

    def open(self, bound: bytes) -> bytes:  # noqa: ARG002
        """Return the plaintext, or raise `DecryptionError`."""
        return asymmetric.decrypt_with(self._key, self._algorithm, self._data)


class V1Destination:
    """Seals v1 blobs."""

    def bind(self, context: ContextLike, *, allow_ambiguous: bool) -> bytes:  # noqa: ARG002
        """Return the canonical context: of v1 none is ambiguous."""
        return canonical_bytes(context)

    def key(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """Return the primary version."""
        return sealing_key(keys, key_id)

    def seal(self, key: SymmetricKey, plaintext: bytes, bound: bytes) -> bytes:
        """Return the blob."""
        return envelope.seal(key, plaintext, bound)


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
        is_text = self._profile.payload is Payload.BASE64
        payload = encode_base64(plaintext).encode("ascii") if is_text else plaintext
        iv = os.urandom(IV_LENGTH)
        sealed = key._seal(iv, payload, bound)
        ciphertext, tag = sealed[:-TAG_LENGTH], sealed[-TAG_LENGTH:]
        return ServiceBlob(key.key_version_id, iv, ciphertext, tag).serialize(profile=self._profile)


def destination_of(profile: Profile) -> V1Destination | ServiceDestination:
    """Return what seals in a profile's layout."""
    return V1Destination() if profile.is_v1 else ServiceDestination(profile)


def check_plain_gcm(key: SymmetricKey) -> None:
    """Raise `KeyUsageError` unless a key version is bound to a plain GCM suite.

    Under a key of XAES-256-GCM the service's layout would be GCM under that very key, and GCM's
    hash key is the block that XAES derives its subkey from.
    """
    if key.suite not in PLAIN_GCM:
        raise KeyUsageError(f"the service's layout takes no key bound to {key.suite.name}")

"""The layout of the service: read, decrypt and encrypt its blobs (see `kmscore.layouts`)."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag

from kmscore import envelope
from kmscore._typecheck import BytesLike
from kmscore.algorithms import TAG_LENGTH, Suite
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.service_blob import IV_LENGTH, MAX_PAYLOAD_LENGTH, ServiceBlob, is_uuid
from kmscore.alibaba.version_index import KeyVersionProvider, check_version_provider
from kmscore.context import ContextLike
from kmscore.errors import DecryptionError, IncorrectKeyError, KeyUsageError
from kmscore.keyring import KeyProvider
from kmscore.keys import SymmetricKey, check_key
from kmscore.layouts import NO_IDS, GivenIds
from kmscore.lookup import sealing_key, symmetric_key

PLAIN_GCM: Final = frozenset(
    {Suite.AES_256_GCM, Suite.AES_192_GCM, Suite.AES_128_GCM, Suite.SM4_GCM}
)
"""The suites of the key versions that can be used with the service's layout."""


class ServiceLayout:
    """The layout of the service, with the options of a profile."""

    max_plaintext_length: int = MAX_PAYLOAD_LENGTH

    def __init__(self, profile: Profile, *, allow_ambiguous: bool) -> None:
        """Take the options, and whether ambiguous contexts are accepted."""
        self.profile = profile
        self._allow_ambiguous = allow_ambiguous

    def check_keys(self, keys: object) -> None:
        """See `BlobLayout`. `keys` must be a `KeyVersionProvider`, as blobs have no key ID."""
        check_version_provider(keys)

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> "_ServiceSource":
        """See `SourceLayout`. Also raises `TypeError` for the keys, as in `check_keys`."""
        finder = check_version_provider(keys)
        return _ServiceSource(self, finder, ServiceBlob.parse(data, profile=self.profile), ids)

    def bind(self, context: ContextLike) -> bytes:
        """See `Destination`. The result is the whole associated data, without a header."""
        return associated_data(context, self.profile, allow_ambiguous=self._allow_ambiguous)

    def find_destination(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """See `Destination`. Also raises `KeyUsageError` for a key version ID without UUID form."""
        key = sealing_key(keys, key_id)
        _check_plain_gcm(key)
        if not is_uuid(key.key_version_id):
            raise KeyUsageError("the service's layout requires a key version ID that is a UUID")
        return key

    def seal(
        self, key: SymmetricKey, plaintext: bytes, bound: bytes, iv: bytes | None = None
    ) -> bytes:
        """See `Destination`."""
        iv = os.urandom(IV_LENGTH) if iv is None else iv
        sealed = key._seal(iv, plaintext, bound)
        ciphertext, tag = sealed[:-TAG_LENGTH], sealed[-TAG_LENGTH:]
        return ServiceBlob(key.key_version_id, iv, ciphertext, tag).serialize(profile=self.profile)


class _ServiceSource:
    """A blob of the service."""

    _key: SymmetricKey

    def __init__(
        self,
        layout: ServiceLayout,
        keys: KeyVersionProvider,
        blob: ServiceBlob,
        ids: GivenIds,
    ) -> None:
        self._layout = layout
        self._keys = keys
        self._blob = blob
        self._ids = ids

    @property
    def least_plaintext_length(self) -> int:
        return len(self._blob.ciphertext)

    def bind(self, context: ContextLike) -> bytes:
        return self._layout.bind(context)

    def find_key(self) -> SymmetricKey:
        key_id, key_version_id = self._ids
        named = self._blob.key_version_id
        if key_version_id is not None and key_version_id != named:
            raise IncorrectKeyError("the ciphertext names another source key version")
        found = self._keys.version_by_id(named)
        check_key(found)
        # The key ID is known only after the lookup of the key version.
        if key_id is not None and key_id != found.key_id:
            raise IncorrectKeyError("the ciphertext names a version of another source key")
        self._key = symmetric_key(found, None, named)
        _check_plain_gcm(self._key)
        return self._key

    def check_size(self, most: int) -> None:
        envelope.check_length(
            self.least_plaintext_length, min(most, self._layout.max_plaintext_length)
        )

    def open(self, bound: bytes) -> bytes:
        blob = self._blob
        try:
            return self._key._open(blob.iv, blob.ciphertext + blob.tag, bound)
        except InvalidTag:
            pass
        raise DecryptionError


def _check_plain_gcm(key: SymmetricKey) -> None:
    """Raise `KeyUsageError` unless a key version is bound to a plain GCM suite.

    With a key of XAES-256-GCM, the service's layout would use GCM directly under the same key. The
    hash key of GCM is the block from which XAES derives its subkey.
    """
    if key.suite not in PLAIN_GCM:
        raise KeyUsageError(
            f"the service's layout does not support a key bound to {key.suite.name}"
        )

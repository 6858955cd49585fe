"""The layout of the service: how its blobs are read, opened and sealed (see `kmscore.layouts`)."""

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
"""The suites that a key version may be bound to if it is to open or seal the service's layout."""


class ServiceLayout:
    """The layout of the service, with the options of a profile."""

    max_plaintext_length: int = MAX_PAYLOAD_LENGTH

    def __init__(self, profile: Profile, *, allow_ambiguous: bool) -> None:
        """Take the options, and whether ambiguous contexts are bound."""
        self.profile = profile
        self._allow_ambiguous = allow_ambiguous

    def check_keys(self, keys: object) -> None:
        """See `BlobLayout`: blobs name a key version only."""
        check_version_provider(keys)

    def read(self, keys: KeyProvider, data: BytesLike, ids: GivenIds = NO_IDS) -> "_ServiceSource":
        """See `SourceLayout`. Raises `TypeError` too, as `check_keys` does."""
        finder = check_version_provider(keys)
        return _ServiceSource(self, finder, ServiceBlob.parse(data, profile=self.profile), ids)

    def bind(self, context: ContextLike) -> bytes:
        """See `Destination`: the associated data as a whole."""
        return associated_data(context, self.profile, allow_ambiguous=self._allow_ambiguous)

    def find_destination(self, keys: KeyProvider, key_id: str) -> SymmetricKey:
        """See `Destination`. Raises `KeyUsageError` too for a version this layout cannot name."""
        key = sealing_key(keys, key_id)
        _check_plain_gcm(key)
        if not is_uuid(key.key_version_id):
            raise KeyUsageError("the service's layout takes key versions whose ID is a UUID only")
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
        # The ID of the key is known only with the version.
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

    Under a key of XAES-256-GCM the service's layout would be GCM under that very key, and GCM's
    hash key is the block that XAES derives its subkey from.
    """
    if key.suite not in PLAIN_GCM:
        raise KeyUsageError(f"the service's layout takes no key bound to {key.suite.name}")

"""Find key versions by key version ID, because a blob of the service's layout has no key ID."""

from collections.abc import Iterator
from typing import Protocol, cast, final

from kmscore._typecheck import check_instance
from kmscore._values import Secret, representation
from kmscore.alibaba.service_blob import is_uuid
from kmscore.errors import InvalidKeyError, KeyVersionNotFoundError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key
from kmscore.lookup import check_provider


class KeyVersionProvider(KeyProvider, Protocol):
    """A `KeyProvider` that can also find a key version without its key ID.

    Treat the key version ID as hostile input. It comes from a blob that is not authenticated yet,
    and only its form is checked: a UUID of 36 characters. The operations check the returned key
    version, as with every `KeyProvider`.
    """

    def version_by_id(self, key_version_id: str) -> Key:
        """Return the key version with this ID.

        Args:
            key_version_id: The ID of the key version (untrusted), a UUID of 36 characters.

        Returns:
            The key version.

        Raises:
            KeyVersionNotFoundError: If there is no such key version.
        """
        ...


@final
class VersionIndex(Secret):
    """A `Keyring` that also finds key versions by key version ID, in constant time.

    The index contains only key versions with a UUID of 36 characters as ID. A blob of the service's
    layout cannot contain any other ID.
    """

    __slots__ = ("_by_id", "_keyring")

    _keyring: Keyring
    _by_id: dict[str, Key]

    def __init__(self, keyring: Keyring) -> None:
        """Create the index of a keyring.

        Args:
            keyring: The keyring.

        Raises:
            TypeError: If `keyring` is not a `Keyring`.
            InvalidKeyError: If two keys have the same key version ID, because the blob does not
                identify the key. Only IDs that are UUIDs are compared.
        """
        check_instance(keyring, Keyring, "keyring")
        by_id: dict[str, Key] = {}
        for key in keyring:
            if is_uuid(key.key_version_id):
                if key.key_version_id in by_id:
                    raise InvalidKeyError(f"two keys have a version {key.key_version_id}")
                by_id[key.key_version_id] = key
        self._set(_keyring=keyring, _by_id=by_id)

    def primary(self, key_id: str) -> Key:
        """Return the primary version of a key.

        Args:
            key_id: The ID of the key.

        Returns:
            The primary key version.

        Raises:
            KeyNotFoundError: If the keyring does not contain this key.
        """
        return self._keyring.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return one version of a key.

        Args:
            key_id: The ID of the key.
            key_version_id: The ID of the key version.

        Returns:
            The key version.

        Raises:
            KeyNotFoundError: If the keyring does not contain this key.
            KeyVersionNotFoundError: If the keyring contains the key, but not this version.
        """
        return self._keyring.version(key_id, key_version_id)

    def version_by_id(self, key_version_id: str) -> Key:
        """Return the key version with this ID.

        Args:
            key_version_id: The ID of the key version, a UUID of 36 characters.

        Returns:
            The key version.

        Raises:
            KeyVersionNotFoundError: If the keyring does not contain this key version, or if its ID
                is not a UUID.
        """
        key = self._by_id.get(key_version_id)
        if key is None:
            raise KeyVersionNotFoundError(f"no key version {key_version_id!r:.260}")
        return key

    def __iter__(self) -> Iterator[Key]:
        """Iterate over all key versions of the keyring."""
        return iter(self._keyring)

    @representation
    def __repr__(self) -> str:
        """Return the number of indexed key versions, and the representation of the keyring."""
        return f"<VersionIndex versions={len(self._by_id)} of {self._keyring!r}>"


def check_version_provider(value: object) -> KeyVersionProvider:
    """Return `value`, or raise `TypeError` unless it has the methods of a `KeyVersionProvider`."""
    check_provider(value)
    if not callable(getattr(value, "version_by_id", None)):
        raise TypeError(
            "keys must be a KeyVersionProvider such as VersionIndex(keyring),"
            f" not {type(value).__name__}, because blobs of the service's layout have no key ID"
        )
    return cast("KeyVersionProvider", value)

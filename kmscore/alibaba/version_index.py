"""Key versions found by their ID alone: a blob of the service's layout names nothing else."""

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
    """A `KeyProvider` that also finds a key version without its key ID.

    The ID comes from a blob that is not authenticated: a UUID as text, and nothing else is sure
    about it. What is answered is checked as a `KeyProvider`'s answers are.
    """

    def version_by_id(self, key_version_id: str) -> Key:
        """Return the key version of this ID. Raises `KeyVersionNotFoundError`."""
        ...


@final
class VersionIndex(Secret):
    """A `Keyring` with its key versions by their ID alone, in constant time.

    Only versions whose ID is a UUID of 36 characters are indexed: no other ID can stand in a blob
    of the service's layout.
    """

    __slots__ = ("_by_id", "_keyring")

    _keyring: Keyring
    _by_id: dict[str, Key]

    def __init__(self, keyring: Keyring) -> None:
        """Index a ring.

        Raises `TypeError` for anything else, and `InvalidKeyError` if two keys have a version of
        one ID: which of them is meant cannot be told.
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
        """Return the primary version of a key. Raises `KeyNotFoundError`."""
        return self._keyring.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return a version of a key. Raises `KeyNotFoundError` or `KeyVersionNotFoundError`."""
        return self._keyring.version(key_id, key_version_id)

    def version_by_id(self, key_version_id: str) -> Key:
        """Return the key version of this ID. Raises `KeyVersionNotFoundError`."""
        key = self._by_id.get(key_version_id)
        if key is None:
            raise KeyVersionNotFoundError(f"no key version {key_version_id!r:.260}")
        return key

    def __iter__(self) -> Iterator[Key]:
        """Iterate over the key versions of the ring."""
        return iter(self._keyring)

    @representation
    def __repr__(self) -> str:
        """Show how much is in it."""
        return f"<VersionIndex versions={len(self._by_id)} of {self._keyring!r}>"


def check_version_provider(value: object) -> KeyVersionProvider:
    """Return `value`, or raise `TypeError` unless it has the methods of a `KeyVersionProvider`."""
    check_provider(value)
    if not callable(getattr(value, "version_by_id", None)):
        raise TypeError(
            "keys must be a KeyVersionProvider such as VersionIndex(keyring),"
            f" not {type(value).__name__}: the service's layout names key versions only"
        )
    return cast("KeyVersionProvider", value)

"""Sources of keys: the protocol `KeyProvider` and the class `Keyring`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Protocol, TypeAlias, TypeGuard, final

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Secret, representation
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH, KeyState, Suite
from kmscore.blob import FIRST_ID_OFFSET
from kmscore.errors import InvalidKeyError, KeyNotFoundError, KeyVersionNotFoundError
from kmscore.keys import Key, SymmetricKey, check_key

_AFTER_FIRST_LENGTH: Final = FIRST_ID_OFFSET + 1


class KeyProvider(Protocol):
    """The interface between the operations and a key store.

    A service implements these two methods over its own store. Treat the IDs as hostile input. They
    come from the header of a ciphertext that is not yet authenticated, or from the caller of the
    operation. Every operation first checks that an ID is 1 to 255 printable ASCII characters
    without space (21..7E). Such an ID can contain quotes, `%`, `/` and `..`, so escape it in a
    query, path or log.

    The operations validate every returned key: its class, its IDs, its state and its usage. They do
    not catch exceptions of these methods.
    """

    def primary(self, key_id: str) -> Key:
        """Return the primary version of a key, which encrypts.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters.

        Returns:
            The primary version.

        Raises:
            KeyNotFoundError: If the store has no such key.
        """
        ...

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return a version of a key, which decrypts.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters.
            key_version_id: The key version ID, with the same limits.

        Returns:
            The key version.

        Raises:
            KeyNotFoundError: If the store has no such key.
            KeyVersionNotFoundError: If the key has no such version.
        """
        ...


@final
class Keyring(Secret):
    """An immutable set of key versions, with lookup in constant time."""

    __slots__ = ("_find_opener", "_find_sealer", "_primaries", "_versions")

    _versions: dict[str, dict[str, Key]]
    _primaries: dict[str, Key]

    _find_opener: "_FindOpener"
    """Return the usable key version whose header a blob begins with, or `None`.

    A result proves everything that can be known before decryption, at the cost of one slice and one
    lookup. The blob begins with a header that this keyring has serialised, so it parses. The key
    version is symmetric and enabled and has the header's suite, and the ciphertext is not too long.
    `None` proves nothing: the checks then run step by step.
    """

    _find_sealer: Callable[[str], SymmetricKey | None]
    """Return the primary version of a key if it is symmetric and enabled, else `None`."""

    def __init__(self, keys: Iterable[Key], *, primary: Mapping[str, str] | None = None) -> None:
        """Create a keyring.

        Args:
            keys: Key versions. The last version of each key ID becomes its primary version.
            primary: Primary versions that differ from this rule, as a map from key ID to key
                version ID.

        Raises:
            TypeError: If `primary` is not a mapping of `str` to `str`, or `keys` has an item that
                is not a key.
            InvalidKeyError: If a key version occurs twice, if the versions of a key have two key
                specs, or if two versions share key material under two suites.
            KeyNotFoundError: If `primary` names a key that is not in `keys`.
            KeyVersionNotFoundError: If `primary` names a version that is not in `keys`.
        """
        check_mapping(primary, "primary")
        versions: dict[str, dict[str, Key]] = {}
        primaries: dict[str, Key] = {}
        for key in keys:
            check_key(key)
            siblings = versions.setdefault(key.key_id, {})
            if key.key_version_id in siblings:
                raise _invalid_ring(
                    f"version {key.key_version_id} of key {key.key_id} occurs twice"
                )
            if siblings and primaries[key.key_id].spec is not key.spec:
                raise _invalid_ring(f"the versions of key {key.key_id} are of two specs")
            siblings[key.key_version_id] = key
            primaries[key.key_id] = key
        self._set(_versions=versions, _primaries=primaries)
        conflict = _find_shared_material(self)
        if conflict is not None:
            raise _invalid_ring(
                f"version {conflict.key_version_id} of key {conflict.key_id} has the material of a"
                " version that is bound to another suite"
            )
        for key_id, key_version_id in ({} if primary is None else primary).items():
            check_text(key_id, "primary")
            check_text(key_version_id, "primary")
            # Exactly `str`, as in a key: a subclass can override comparison.
            version = self.version(str.__str__(key_id), str.__str__(key_version_id))
            primaries[version.key_id] = version
        # Keys are immutable, so the checks of every use are made here, once.
        sealers = {key_id: key for key_id, key in primaries.items() if _is_usable(key)}
        self._set(
            _find_opener=_opener_finder(key for key in self if _is_usable(key)),
            _find_sealer=sealers.get,
        )

    def primary(self, key_id: str) -> Key:
        """Return the primary version of a key.

        Args:
            key_id: The key ID.

        Returns:
            The primary version.

        Raises:
            KeyNotFoundError: If the keyring has no such key.
        """
        key = self._primaries.get(key_id)
        if key is None:
            raise _no_key(key_id)
        return key

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return a version of a key.

        Args:
            key_id: The key ID.
            key_version_id: The key version ID.

        Returns:
            The key version.

        Raises:
            KeyNotFoundError: If the keyring has no such key.
            KeyVersionNotFoundError: If the key has no such version.
        """
        siblings = self._versions.get(key_id)
        if siblings is None:
            raise _no_key(key_id)
        key = siblings.get(key_version_id)
        if key is None:
            raise KeyVersionNotFoundError(
                f"no version {key_version_id!r:.260} of key {key_id!r:.260}"
            )
        return key

    def with_version(self, key: Key) -> "Keyring":
        """Return a new keyring with `key` added as the primary version of its key ID.

        Args:
            key: The new key version.

        Returns:
            The new keyring. This one stays as it is.

        Raises:
            TypeError: If `key` is not a key.
            InvalidKeyError: If the keyring has this version already, if its key has another key
                spec, or if another version has the same material under another suite.
        """
        check_key(key)
        primary = {key_id: version.key_version_id for key_id, version in self._primaries.items()}
        return Keyring([*self, key], primary=primary | {key.key_id: key.key_version_id})

    def __iter__(self) -> Iterator[Key]:
        """Iterate over all key versions, grouped by key, in the given order."""
        for siblings in self._versions.values():
            yield from siblings.values()

    def __len__(self) -> int:
        """Return the number of key versions."""
        return sum(map(len, self._versions.values()))

    @representation
    def __repr__(self) -> str:
        """Show the number of keys and of key versions."""
        return f"<Keyring keys={len(self._versions)} versions={len(self)}>"


_FindOpener: TypeAlias = Callable[[bytes], SymmetricKey | None]


def _opener_finder(keys: Iterable[SymmetricKey]) -> _FindOpener:
    """Return a function that finds the key version whose header a blob begins with."""
    openers = {key.header: (key, *_blob_lengths(key)) for key in keys}
    lengths = set(map(len, openers))

    def find_by_lengths(blob: bytes) -> SymmetricKey | None:
        try:
            second_id = _AFTER_FIRST_LENGTH + blob[FIRST_ID_OFFSET]
            key, shortest, longest = openers[blob[: second_id + 1 + blob[second_id]]]
        except (IndexError, KeyError):
            return None
        return key if shortest <= len(blob) <= longest else None

    if len(lengths) != 1:
        return find_by_lengths
    # Most keyrings have IDs of one length. One fixed slice then saves a third of the time.
    own = slice(*lengths)

    def find_by_slice(blob: bytes) -> SymmetricKey | None:
        try:
            key, shortest, longest = openers[blob[own]]
        except KeyError:
            return None
        return key if shortest <= len(blob) <= longest else None

    return find_by_slice


def _find_shared_material(keys: Iterable[Key]) -> SymmetricKey | None:
    """Return a key version that shares its material with a version of another suite, or `None`.

    Shared material voids the security proof of both ciphers: GCM uses the same block as hash key
    that XAES-256-GCM derives its subkeys from. The caller raises the error, because the frame of
    this function contains all key material.
    """
    suites: dict[bytes, Suite] = {}
    for key in keys:
        if isinstance(key, SymmetricKey) and (
            suites.setdefault(key.export_material(), key.suite) is not key.suite
        ):
            return key
    return None


def _is_usable(key: Key) -> TypeGuard[SymmetricKey]:
    """Return whether a key can encrypt and decrypt v1 blobs."""
    # Exactly this class: a subclass can return a different state at the next access.
    return type(key) is SymmetricKey and key.state is KeyState.ENABLED


def _blob_lengths(key: SymmetricKey) -> tuple[int, int]:
    """Return the minimum and maximum length in bytes of a v1 blob of `key`."""
    least = len(key.header) + key.suite.iv_length + TAG_LENGTH
    return least, least + MAX_PLAINTEXT_LENGTH


def _no_key(key_id: str) -> KeyNotFoundError:
    """Return the `KeyNotFoundError`."""
    return KeyNotFoundError(f"no key {key_id!r:.260}")


def _invalid_ring(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`."""
    return InvalidKeyError(f"not a keyring: {reason}")

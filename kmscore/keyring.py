"""Where keys come from: the protocol that a service implements, and the embedded keyring."""

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
    """What an operation asks for keys; a service implements it over its own store.

    The IDs it is asked for are hostile input: they come from the header of a ciphertext that is
    not authenticated yet, or from the caller of the operation, for example out of a request.
    Every operation holds them to the form of an ID first: 1 to 255 printable ASCII characters
    without space (21..7E). That includes quotes, `%`, `/` and `..`, so escape them in a query, path
    or log.

    An answer is never trusted: it must be one of the key classes, carry exactly the IDs that were
    asked for, be enabled and fit the use. Exceptions other than the two below pass through the
    operation unchanged.
    """

    def primary(self, key_id: str) -> Key:
        """Return the version that seals. Raises `KeyNotFoundError` if there is no such key."""
        ...

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return the version that opens.

        Raises `KeyNotFoundError` if there is no such key and `KeyVersionNotFoundError` if the key
        has no such version.
        """
        ...


@final
class Keyring(Secret):
    """The embedded provider: an immutable set of key versions, found in constant time."""

    __slots__ = ("_find_opener", "_find_sealer", "_primaries", "_versions")

    _versions: dict[str, dict[str, Key]]
    _primaries: dict[str, Key]

    _find_opener: "_FindOpener"
    """Return the usable key version whose own header a blob begins with, or `None`.

    A header that equals one that this ring has serialised is canonical by construction, so a hit
    says, for one slice and one lookup, all that can be known before the blob is opened: it parses,
    its key version is in this ring, symmetric, of that suite and enabled, and what it holds is not
    too long. `None` says nothing: whatever is wrong has to be found step by step.
    """

    _find_sealer: Callable[[str], SymmetricKey | None]
    """Return the primary version of a key if it is symmetric and enabled, else `None`."""

    def __init__(self, keys: Iterable[Key], *, primary: Mapping[str, str] | None = None) -> None:
        """Take key versions; the last one given for a key ID is its primary version.

        `primary` maps key IDs to key version IDs and overrules that.

        Raises `TypeError` for anything that is not a key, `InvalidKeyError` for a version given
        twice, versions of two specs under one key ID or the same material bound to two suites, and
        `KeyNotFoundError` or `KeyVersionNotFoundError` if `primary` names what is not there.
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
            # Plain strings, as the IDs of a key are: a subclass can compare as it likes.
            version = self.version(str.__str__(key_id), str.__str__(key_version_id))
            primaries[version.key_id] = version
        # Keys never change, so what every use would ask of one is asked here once.
        sealers = {key_id: key for key_id, key in primaries.items() if _is_usable(key)}
        self._set(
            _find_opener=_opener_finder(key for key in self if _is_usable(key)),
            _find_sealer=sealers.get,
        )

    def primary(self, key_id: str) -> Key:
        """Return the primary version of a key. Raises `KeyNotFoundError`."""
        key = self._primaries.get(key_id)
        if key is None:
            raise _no_key(key_id)
        return key

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return a version of a key. Raises `KeyNotFoundError` or `KeyVersionNotFoundError`."""
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
        """Return a new ring with `key` added as the primary version of its key ID.

        Raises as the constructor does.
        """
        check_key(key)
        primary = {key_id: version.key_version_id for key_id, version in self._primaries.items()}
        return Keyring([*self, key], primary=primary | {key.key_id: key.key_version_id})

    def __iter__(self) -> Iterator[Key]:
        """Iterate over all key versions, those of one key together, in the order given."""
        for siblings in self._versions.values():
            yield from siblings.values()

    def __len__(self) -> int:
        """Return the number of key versions."""
        return sum(map(len, self._versions.values()))

    @representation
    def __repr__(self) -> str:
        """Show how much is in it."""
        return f"<Keyring keys={len(self._versions)} versions={len(self)}>"


_FindOpener: TypeAlias = Callable[[bytes], SymmetricKey | None]


def _opener_finder(keys: Iterable[SymmetricKey]) -> _FindOpener:
    """Return the function that finds the one of `keys` whose header a blob begins with."""
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
    # IDs are mostly of one length, and then a third of the time is saved.
    own = slice(*lengths)

    def find_by_slice(blob: bytes) -> SymmetricKey | None:
        try:
            key, shortest, longest = openers[blob[own]]
        except KeyError:
            return None
        return key if shortest <= len(blob) <= longest else None

    return find_by_slice


def _find_shared_material(keys: Iterable[Key]) -> SymmetricKey | None:
    """Return a key version whose material another one has under another suite, or `None`.

    One material under two ciphers voids the proof of either: the block that GCM takes as its hash
    key is the one that XAES-256-GCM derives its subkeys from. The caller raises the
    error, because the frame of this function has all material.
    """
    suites: dict[bytes, Suite] = {}
    for key in keys:
        if isinstance(key, SymmetricKey) and (
            suites.setdefault(key.export_material(), key.suite) is not key.suite
        ):
            return key
    return None


def _is_usable(key: Key) -> TypeGuard[SymmetricKey]:
    """Tell whether a key seals and opens v1 blobs."""
    # Exactly that class: of a subclass the state may be another one at the next look.
    return type(key) is SymmetricKey and key.state is KeyState.ENABLED


def _blob_lengths(key: SymmetricKey) -> tuple[int, int]:
    """Return the least and the greatest length in bytes of a blob that `key` may open."""
    least = len(key.header) + key.suite.iv_length + TAG_LENGTH
    return least, least + MAX_PLAINTEXT_LENGTH


def _no_key(key_id: str) -> KeyNotFoundError:
    """Return the `KeyNotFoundError`."""
    return KeyNotFoundError(f"no key {key_id!r:.260}")


def _invalid_ring(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`."""
    return InvalidKeyError(f"not a keyring: {reason}")

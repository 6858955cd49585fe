"""The contents of the store: keys with their versions and properties, and aliases. Immutable."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from kmscore._values import Record, representation
from kmscore.algorithms import KeySpec, KeyState
from kmscore.alibaba.version_index import VersionIndex
from kmscore.errors import KeyNotFoundError
from kmscore.keyring import Keyring
from kmscore.keys import Key
from kmscore.keys.versions import with_state

SOFTWARE: Final = "SOFTWARE"
"""The default protection level of a key."""


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class StoredKey(Record):
    """A key with all its versions and its properties."""

    versions: tuple[Key, ...]
    """The versions, at least one, in the order of their creation."""

    primary: Key
    """The primary version, one of `versions`; the newest one of an asymmetric key."""

    creation_date: datetime
    """The creation date of the key."""

    version_dates: Mapping[str, datetime] = field(default_factory=dict)
    """The creation dates of the versions by ID; a missing one is that of the key."""

    description: str = ""
    """The description, 0 to 8,192 characters."""

    protection_level: str = SOFTWARE
    """The protection level, `SOFTWARE` or `HSM`. It has no effect."""

    deletion_date: datetime | None = None
    """The date on which the key is deleted; `None` for a key that is not scheduled."""

    @property
    def key_id(self) -> str:
        """The key ID."""
        return self.primary.key_id

    @property
    def spec(self) -> KeySpec:
        """The key spec of all versions."""
        return self.primary.spec

    @property
    def state(self) -> KeyState:
        """The state of the primary version. The actions change the state of all versions."""
        return self.primary.state

    def date_of(self, version: Key) -> datetime:
        """Return the creation date of a version.

        Args:
            version: A version of this key.

        Returns:
            The date, that of the key if the version has none.
        """
        return self.version_dates.get(version.key_version_id, self.creation_date)

    def in_state(self, state: KeyState, deletion_date: datetime | None = None) -> "StoredKey":
        """Return this key with all versions in a state.

        Args:
            state: The state.
            deletion_date: The date of the deletion (default `None`).

        Returns:
            The changed key.
        """
        versions = tuple(
            each if each.state is state else with_state(each, state) for each in self.versions
        )
        primary = versions[self.versions.index(self.primary)]
        return replace(self, versions=versions, primary=primary, deletion_date=deletion_date)

    def with_version(self, version: Key, date: datetime) -> "StoredKey":
        """Return this key with a new primary version.

        Args:
            version: The new version, with the key ID and the key spec of this key.
            date: Its creation date.

        Returns:
            The changed key.
        """
        return replace(
            self,
            versions=(*self.versions, version),
            primary=version,
            version_dates={**self.version_dates, version.key_version_id: date},
        )


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Contents(Record):
    """All keys and aliases of a store.

    Raises:
        InvalidKeyError: If the keys cannot be in one keyring.
    """

    keys: Mapping[str, StoredKey] = field(default_factory=dict)
    """The keys by ID, in the order of their creation."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    """The key IDs by alias, such as `alias/orders`."""

    index: VersionIndex = field(init=False)
    """The key versions, for the operations."""

    next_deletion: datetime | None = field(init=False)
    """The earliest deletion date of a key."""

    def __post_init__(self) -> None:
        """Build what the operations look up."""
        dates = [key.deletion_date for key in self.keys.values() if key.deletion_date is not None]
        object.__setattr__(self, "index", VersionIndex(self.keyring()))
        object.__setattr__(self, "next_deletion", min(dates, default=None))

    def keyring(self) -> Keyring:
        """Return the key versions as a keyring.

        Returns:
            The keyring, with the keys in the order of their creation.

        Raises:
            InvalidKeyError: If the keys cannot be in one keyring.
        """
        return Keyring(
            (version for key in self.keys.values() for version in key.versions),
            primary={key_id: key.primary.key_version_id for key_id, key in self.keys.items()},
        )

    def find(self, key_id: str) -> StoredKey:
        """Return a key.

        Args:
            key_id: The ID of the key.

        Returns:
            The key.

        Raises:
            KeyNotFoundError: If there is no such key.
        """
        key = self.keys.get(key_id)
        if key is None:
            raise KeyNotFoundError(f"no key {key_id!r:.260}")
        return key

    def aliases_of(self, key_id: str) -> list[str]:
        """Return the aliases of a key.

        Args:
            key_id: The ID of the key.

        Returns:
            The aliases, in the order of their creation.
        """
        return [alias for alias, named in self.aliases.items() if named == key_id]

    def with_key(self, key: StoredKey) -> "Contents":
        """Return these contents with a new or changed key.

        Args:
            key: The key.

        Returns:
            The changed contents.

        Raises:
            InvalidKeyError: If the keys cannot be in one keyring.
        """
        return Contents({**self.keys, key.key_id: key}, self.aliases)

    def with_alias(self, alias: str, key_id: str) -> "Contents":
        """Return these contents with a new or changed alias.

        Args:
            alias: The alias, such as `alias/orders`.
            key_id: The ID of its key.

        Returns:
            The changed contents.
        """
        return Contents(self.keys, {**self.aliases, alias: key_id})

    def without_alias(self, alias: str) -> "Contents":
        """Return these contents without an alias.

        Args:
            alias: The alias.

        Returns:
            The changed contents.
        """
        return Contents(self.keys, _without(self.aliases, {alias}))

    def without_deleted(self, now: datetime) -> "Contents":
        """Return these contents without the keys whose deletion date is over, and their aliases.

        Args:
            now: The present time.

        Returns:
            The changed contents.
        """
        deleted = {
            key_id
            for key_id, key in self.keys.items()
            if key.deletion_date is not None and key.deletion_date <= now
        }
        orphans = [alias for alias, key_id in self.aliases.items() if key_id in deleted]
        return Contents(_without(self.keys, deleted), _without(self.aliases, orphans))

    @representation
    def __repr__(self) -> str:
        """Return the numbers of keys and aliases."""
        return f"<Contents keys={len(self.keys)} aliases={len(self.aliases)}>"


def _without(items: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return a mapping without some names."""
    gone = frozenset(names)
    return {name: value for name, value in items.items() if name not in gone}

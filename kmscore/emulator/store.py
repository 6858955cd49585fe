"""The key store: keys in memory that requests create, rotate, disable and delete.

Each change makes new contents from the old ones under a lock, and replaces them as a whole. A
reader therefore sees the contents before or after a change, and needs no lock.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from kmscore._typecheck import check_callable, check_instance, check_optional_callable
from kmscore._values import representation
from kmscore.algorithms import KeySpec, Suite
from kmscore.alibaba.access import key_id_of_name
from kmscore.alibaba.version_index import KeyVersionProvider
from kmscore.emulator.contents import Contents, StoredKey
from kmscore.emulator.parameter_readers import read_alias
from kmscore.keys import Key
from kmscore.keys.versions import generate_version

_PARTS = 5  # of a resource name: acs:kms:REGION:ACCOUNT:alias/NAME


def present() -> datetime:
    """Return the present time in UTC."""
    return datetime.now(UTC)


class KeyStore(KeyVersionProvider):
    """A `KeyVersionProvider` whose keys can change. Threads can share it."""

    def __init__(
        self,
        contents: Contents | None = None,
        *,
        has_plain_gcm: bool = False,
        clock: Callable[[], datetime] = present,
        on_change: Callable[[Contents], object] | None = None,
        region: str = "cn-hangzhou",
        account: str = "1000000000000000",
    ) -> None:
        """Create a store.

        Args:
            contents: The keys and aliases at the start (default none).
            has_plain_gcm: Whether new AES-256 keys are bound to `AES_256_GCM`, which the layout of
                the service needs (default `False`, the suite is `XAES_256_GCM`).
            clock: A callable that returns the present time, with a time zone.
            on_change: A callable that takes the new contents before each change, for example to
                save them. If it raises an exception, the change is not made.
            region: The region in resource names.
            account: The account in resource names.

        Raises:
            TypeError: If an argument has the wrong type.
        """
        contents = Contents() if contents is None else contents
        check_instance(contents, Contents, "contents")
        check_callable(clock, "clock")
        check_optional_callable(on_change, "on_change")
        self.account = account
        self._region = region
        self._clock = clock
        self._has_plain_gcm = has_plain_gcm
        self._on_change = on_change
        self._lock = threading.RLock()
        self._contents = contents

    def now(self) -> datetime:
        """Return the present time in whole seconds, as responses have it.

        Returns:
            The time.
        """
        return self._clock().replace(microsecond=0)

    def contents(self) -> Contents:
        """Return the present contents, without the keys whose deletion date is over.

        Returns:
            The contents, which do not change.
        """
        contents = self._contents
        if contents.next_deletion is not None and contents.next_deletion <= self.now():
            with self._lock:
                contents = self._contents = self._contents.without_deleted(self.now())
        return contents

    def change(
        self, change: Callable[[Contents], Contents], *, is_dry_run: bool = False
    ) -> Contents:
        """Replace the contents, if `change` and `on_change` raise no exception.

        Args:
            change: A callable that takes the present contents and returns the new ones.
            is_dry_run: Whether the new contents are only computed, and not kept.

        Returns:
            The new contents.

        Raises:
            Exception: Any exception of `change` and `on_change`.
        """
        with self._lock:
            contents = change(self.contents())
            if not is_dry_run:
                if self._on_change is not None:
                    self._on_change(contents)
                self._contents = contents
        return contents

    def suite_of(self, spec: KeySpec) -> Suite | None:
        """Return the suite of new key versions.

        Args:
            spec: The key spec.

        Returns:
            The suite; `None` for the default one, and for a spec without suites.
        """
        return Suite.AES_256_GCM if self._has_plain_gcm and spec is KeySpec.AES_256 else None

    def generate(self, spec: KeySpec, key_id: str | None = None) -> Key:
        """Return a new key version with random material and a random UUID, without storing it.

        Args:
            spec: The key spec.
            key_id: The key ID (default a random UUID).

        Returns:
            The key version.

        Raises:
            InvalidKeyError: If the key ID is not valid.
            UnsupportedAlgorithmError: If this build of the libraries lacks the algorithm.
        """
        return generate_version(spec, suite=self.suite_of(spec), key_id=key_id)

    def create_key(
        self,
        spec: KeySpec | str = KeySpec.AES_256,
        *,
        key_id: str | None = None,
        alias: str | None = None,
        description: str = "",
    ) -> str:
        """Create a key with one version, directly in the store.

        Args:
            spec: The key spec, such as `RSA_2048` (default `Aliyun_AES_256`).
            key_id: The key ID (default a random UUID). An existing key is replaced.
            alias: An alias of the key, such as `alias/orders` (default none). An alias of another
                key is moved to this one.
            description: The description.

        Returns:
            The key ID.

        Raises:
            ValueError: If the alias is not `alias/NAME`, or if another key has it.
            UnsupportedAlgorithmError: If the spec is unknown, or this build of the libraries lacks
                the algorithm.
            InvalidKeyError: If the key ID is not valid.
        """
        if alias is not None and read_alias(alias) is None:
            raise ValueError(
                f"{alias!r:.80}: not alias/ and then letters, digits, hyphens, _ or /, such as"
                " alias/orders"
            )
        version = self.generate(KeySpec.of(spec, "spec"), key_id)
        key = StoredKey((version,), version, self.now(), description=description)

        def change(contents: Contents) -> Contents:
            contents = contents.with_key(key)
            if alias is None:
                return contents
            if contents.aliases.get(alias, key.key_id) != key.key_id:
                raise ValueError(f"{alias}: another key has this alias")
            return contents.with_alias(alias, key.key_id)

        self.change(change)
        return key.key_id

    def primary(self, key_id: str) -> Key:  # noqa: D102 (see the protocol)
        return self.contents().index.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Key:  # noqa: D102 (see the protocol)
        return self.contents().index.version(key_id, key_version_id)

    def version_by_id(self, key_version_id: str) -> Key:  # noqa: D102 (see the protocol)
        return self.contents().index.version_by_id(key_version_id)

    def resolve(self, name: str) -> str | None:
        """Return the key ID of an alias, or of the resource name of an alias or key.

        Args:
            name: The alias or the resource name, with any region and account.

        Returns:
            The key ID, which need not exist for the resource name of a key; `None` for an alias
            that does not exist.
        """
        key_id = key_id_of_name(name)
        if key_id is not None:
            return key_id
        alias = name.split(":", _PARTS - 1)[-1] if name.startswith("acs:") else name
        return self.contents().aliases.get(alias)

    def resource(self, relative: str) -> str:
        """Return a resource name.

        Args:
            relative: The last part, such as `key/KEYID`, or `key` for the container of all keys.

        Returns:
            The resource name, with the region and account of the store.
        """
        return f"acs:kms:{self._region}:{self.account}:{relative}"

    def key_resource(self, key_id: str) -> str:
        """Return the resource name of a key.

        Args:
            key_id: The ID of the key.

        Returns:
            The resource name.
        """
        return self.resource(f"key/{key_id}")

    @representation
    def __repr__(self) -> str:
        """Return the numbers of keys and aliases."""
        return f"<KeyStore of {self._contents!r}>"

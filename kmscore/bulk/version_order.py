"""The age order of the versions of a key. A key version ID does not contain its age."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from kmscore._typecheck import check_mapping, check_text
from kmscore.errors import InvalidKeyError, KeyVersionNotFoundError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import SymmetricKey

VersionOrder: TypeAlias = Mapping[str, Sequence[str]]
"""The key version IDs of each key ID, oldest first."""


def check_order(keys: KeyProvider, order: VersionOrder | None, *, upgrade_only: bool) -> None:
    """Raise `TypeError` if an order is missing, unused or of the wrong type."""
    check_mapping(order, "order")
    if order is not None and not upgrade_only:
        raise TypeError("order requires upgrade_only=True")
    if upgrade_only and order is None and type(keys) is not Keyring:
        # Loaded only for providers that are not a keyring.
        from kmscore.alibaba.version_index import VersionIndex  # noqa: PLC0415

        if type(keys) is not VersionIndex:
            raise TypeError("upgrade_only requires a Keyring or an order")


def upgradable_versions(
    keys: KeyProvider, destination: SymmetricKey, order: VersionOrder | None
) -> frozenset[str]:
    """Return the IDs of the destination version and of all older versions of its key.

    Without `order`, the order is the one in which the keyring was given the versions.

    Raises `TypeError` for a wrong type in the order, `InvalidKeyError` if a version occurs twice in
    it, and `KeyVersionNotFoundError` if the destination is not in it.
    """
    if order is not None:
        versions = _listed(order.get(destination.key_id, ()))
    else:
        # `check_order` has already checked the type.
        ring = cast("Keyring", keys)
        versions = [key.key_version_id for key in ring if key.key_id == destination.key_id]
    if destination.key_version_id not in versions:
        raise KeyVersionNotFoundError(
            f"the order has no version {destination.key_version_id} of key {destination.key_id}"
        )
    return frozenset(versions[: versions.index(destination.key_version_id) + 1])


def _listed(versions: object) -> list[str]:
    """Return the versions of one key in their order. Raises `TypeError`, `InvalidKeyError`."""
    # A `str` is a sequence of `str` too, but its characters are not key version IDs.
    if isinstance(versions, str) or not isinstance(versions, Sequence):
        raise TypeError(f"order must map to sequences of str, not to {type(versions).__name__}")
    listed = list(versions)
    for version in listed:
        check_text(version, "order")
    if len(set(listed)) != len(listed):
        raise InvalidKeyError("order: a key version occurs twice")
    return listed

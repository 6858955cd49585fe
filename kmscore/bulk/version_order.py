"""Which of two versions of a key is the older one. Nothing in a version ID tells."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

from kmscore._typecheck import check_mapping, check_text
from kmscore.errors import InvalidKeyError, KeyVersionNotFoundError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import SymmetricKey

VersionOrder: TypeAlias = Mapping[str, Sequence[str]]
"""For each key ID its key version IDs, oldest first."""


def check_order(keys: KeyProvider, order: VersionOrder | None, *, upgrade_only: bool) -> None:
    """Raise `TypeError` if there is no order to go by, or one that nothing goes by."""
    check_mapping(order, "order")
    if order is not None and not upgrade_only:
        raise TypeError("order is for upgrade_only")
    if upgrade_only and order is None and type(keys) is not Keyring:
        raise TypeError("upgrade_only needs a Keyring, or an order")


def upgradable_versions(
    keys: KeyProvider, destination: SymmetricKey, order: VersionOrder | None
) -> frozenset[str]:
    """Return the key version IDs that are no newer than the destination, itself included.

    Without an `order`, that of the ring: the order in which it was given the versions.

    Raises `TypeError`, `InvalidKeyError` if a version stands twice in the order, and
    `KeyVersionNotFoundError` if the destination does not stand in it.
    """
    if order is not None:
        versions = _listed(order.get(destination.key_id, ()))
    else:
        # `check_order` has seen to it that it is one.
        ring = cast("Keyring", keys)
        versions = [key.key_version_id for key in ring if key.key_id == destination.key_id]
    if destination.key_version_id not in versions:
        raise KeyVersionNotFoundError(
            f"the order has no version {destination.key_version_id} of key {destination.key_id}"
        )
    return frozenset(versions[: versions.index(destination.key_version_id) + 1])


def _listed(versions: object) -> list[str]:
    """Return the versions of one key as they were listed, each once."""
    # A text is a sequence of texts as well, but nobody means its characters.
    if isinstance(versions, str) or not isinstance(versions, Sequence):
        raise TypeError(f"order must map to sequences of str, not to {type(versions).__name__}")
    listed = list(versions)
    for version in listed:
        check_text(version, "order")
    if len(set(listed)) != len(listed):
        raise InvalidKeyError("a key version stands twice in the order")
    return listed

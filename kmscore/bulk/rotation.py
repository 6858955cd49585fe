"""Re-encryption of many ciphertexts with one call."""

from collections.abc import Iterable, Iterator
from typing import TypedDict

from kmscore._typecheck import check_instance, check_text
from kmscore.bulk.conversion import MaybeProfile, conversion_of
from kmscore.bulk.item import Item, Outcome
from kmscore.bulk.job import Job
from kmscore.bulk.version_order import VersionOrder, check_order, upgradable_versions
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider


def reencrypt_many(
    keys: KeyProvider,
    items: Iterable[Item],
    destination_key_id: str,
    *,
    skip_current: bool = True,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
    source_profile: MaybeProfile = None,
    destination_profile: MaybeProfile = None,
    allow_ambiguous: bool = False,
) -> Iterator[Outcome]:
    """Re-encrypt many ciphertexts under one version of one key.

    The function checks its arguments when it is called. After that, the iterator reads one item
    for each outcome and keeps none. Each item is re-encrypted as `kmscore.reencrypt` does it. The
    destination is the primary version at the time of the call. The job keeps this version, even if
    another version becomes primary before the job ends.

    An item is `unchanged` if its v1 header names the destination key version, and if it is
    authentic under its destination context. Therefore a second run of a job is safe. If the header
    names the destination and the two contexts of the item differ, two contexts are tried: first the
    destination context, then the source context. In all other cases only the source context is
    tried. An asymmetric ciphertext is never `unchanged`.

    With a profile of the service's layout, each item is re-encrypted as
    `kmscore.alibaba.reencrypt` does it, with the same rules for payloads and ambiguous contexts.
    Between v1 and the service's layout, an item that is already a result of the job is `unchanged`
    too. Two payloads in one layout are rejected, because there a result and a source look the same.

    A `KmsCoreError` for an item, also one from `keys`, makes this item `failed`, and the job
    continues. Every other exception ends the job, after the outcomes already returned.

    Args:
        keys: The provider of the source keys and of the destination key.
        items: The ciphertexts. They are read one at a time.
        destination_key_id: The ID of the destination key, a symmetric key.
        skip_current: Whether to leave items that are `unchanged` as they are (default). If `False`,
            they are encrypted again and are `rewritten`.
        upgrade_only: Whether to reject a v1 blob whose key version is newer than the destination
            version of the same key, or is of unknown age (default `False`). Such an item is
            `failed` with an `IncorrectKeyError`.
        order: The key version IDs of each key ID, oldest first, for `upgrade_only`. Without it, the
            order is the one in which the `Keyring` was given the versions.
        dry_run: Whether to do all steps except to draw the IV and to encrypt (default `False`). A
            dry run decrypts each item, so its outcomes reveal as much as those of a real job.
        source_profile: The layout and payload of the sources, a `kmscore.alibaba.Profile` (default
            `None`, v1). For the service's layout, `keys` must be a `KeyVersionProvider`, and items
            with `source_algorithm` are not allowed. For such items, the payload of the results is
            that of `destination_profile`.
        destination_profile: The layout and payload of the results (default `None`, v1).
        allow_ambiguous: Whether to accept ambiguous contexts in the service's layout (default
            `False`).

    Returns:
        An iterator with one `Outcome` for each item, in the order of `items`.

    Raises:
        TypeError: If an argument has the wrong type; if `keys` cannot find the keys of the source
            layout; if `order` is given without `upgrade_only`; if `upgrade_only` is given without a
            `Keyring`, a `VersionIndex` or an `order`; or if `keys` returns an object that is not a
            key. The iterator raises it for an item, a field of an item or a source key of the wrong
            type. It also raises it for `source_algorithm` without both source IDs, or with another
            source profile than v1.
        ValueError: If the two profiles have one layout and two payloads.
        KeyNotFoundError: If the destination key does not exist, or if `destination_key_id` is not
            a possible ID.
        IncorrectKeyError: If `keys` returns a key with another ID.
        KeyStateError: If the destination key is not enabled.
        KeyUsageError: If the destination key is asymmetric. For results in the service's layout
            also if its key version is bound to `XAES_256_GCM`, or has an ID that is not a UUID.
        InvalidKeyError: If a key version occurs twice in `order`.
        KeyVersionNotFoundError: If the destination version is not in `order`.
        Exception: Any other exception of `keys` or of the iteration of `items`, unchanged.
    """
    job = prepare_job(
        keys,
        destination_key_id,
        skip_current=skip_current,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
        source_profile=source_profile,
        destination_profile=destination_profile,
        allow_ambiguous=allow_ambiguous,
    )
    return job.outcomes(iter(items))


class Settings(TypedDict, total=False):
    """The keyword arguments of `reencrypt_many`."""

    skip_current: bool
    upgrade_only: bool
    order: VersionOrder | None
    dry_run: bool
    source_profile: MaybeProfile
    destination_profile: MaybeProfile
    allow_ambiguous: bool


def prepare_job(
    keys: KeyProvider,
    destination_key_id: str,
    *,
    skip_current: bool = True,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
    source_profile: MaybeProfile = None,
    destination_profile: MaybeProfile = None,
    allow_ambiguous: bool = False,
) -> Job:
    """Check the arguments of `reencrypt_many`, look up the destination, and return the job.

    The errors are those of `reencrypt_many`.
    """
    check_provider(keys)
    check_text(destination_key_id, "destination_key_id")
    check_instance(skip_current, bool, "skip_current")
    check_instance(upgrade_only, bool, "upgrade_only")
    check_instance(dry_run, bool, "dry_run")
    check_order(keys, order, upgrade_only=upgrade_only)
    layouts = conversion_of(source_profile, destination_profile, allow_ambiguous=allow_ambiguous)
    layouts.source.check_keys(keys)
    destination = layouts.destination.find_destination(keys, destination_key_id)
    upgradable = upgradable_versions(keys, destination, order) if upgrade_only else None
    return Job(keys, destination, upgradable, layouts, skip_current=skip_current, dry_run=dry_run)

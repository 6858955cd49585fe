"""The one call for many ciphertexts."""

from collections.abc import Iterable, Iterator

from kmscore._typecheck import check_instance, check_text
from kmscore.bulk.item import Item, Outcome
from kmscore.bulk.job import Job
from kmscore.bulk.version_order import VersionOrder, check_order, upgradable_versions
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider, sealing_key


def reencrypt_many(
    keys: KeyProvider,
    items: Iterable[Item],
    destination_key_id: str,
    *,
    skip_current: bool = True,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
) -> Iterator[Outcome]:
    """Re-encrypt each item as `kmscore.reencrypt` does, under one version of one key.

    Gives one `Outcome` for each item, in order, when it is asked for: one item is read at a time
    and none is kept. The destination is the primary version that `keys` names at the call; if
    another one becomes primary meanwhile, this job stays with its own.

    `unchanged` is an item whose v1 header names the destination, key and version, and which is
    authentic under its destination context: running a job twice does no harm. Where the header
    names the destination and the two contexts of the item differ, the destination's is tried
    first and then the source's; nowhere else are two tried. With `skip_current=False` such items
    are sealed afresh too, and are `rewritten`. An asymmetric source is never `unchanged`.

    `upgrade_only` refuses to move a v1 blob to an older version of its own key: `failed`, with an
    `IncorrectKeyError`. So does a version whose age is not known. What is older is told by
    `order`, which maps the key ID to its key version IDs, oldest first; without it by the
    `Keyring`, in the order in which it was given its versions.

    A dry run does everything but draw the IV and seal, and is as strong an oracle as the job.

    What an item alone is to blame for, any `KmsCoreError` raised for it, by `keys` too, makes it
    `failed`. Everything else ends the job, after the outcomes already given: `TypeError` for an
    item of a wrong type, what `items` raises, and what else `keys` raises.

    Raises, before any item is read: `TypeError` for a wrong type, for `upgrade_only` with neither
    a `Keyring` nor an `order`, and for an `order` without it; for the destination
    `KeyNotFoundError` or what else `keys` raises, `IncorrectKeyError` if `keys` answers another
    key, `KeyStateError`, and `KeyUsageError` if it is asymmetric; for the order `InvalidKeyError`
    if a version stands twice and `KeyVersionNotFoundError` if the destination is not in it.
    """
    check_provider(keys)
    check_text(destination_key_id, "destination_key_id")
    check_instance(skip_current, bool, "skip_current")
    check_instance(upgrade_only, bool, "upgrade_only")
    check_instance(dry_run, bool, "dry_run")
    check_order(keys, order, upgrade_only=upgrade_only)
    iterator = iter(items)
    destination = sealing_key(keys, destination_key_id)
    upgradable = upgradable_versions(keys, destination, order) if upgrade_only else None
    job = Job(keys, destination, upgradable, skip_current=skip_current, dry_run=dry_run)
    return job.outcomes(iterator)

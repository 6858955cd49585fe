"""Which key versions nothing uses any more."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from kmscore._typecheck import check_instance
from kmscore.bulk.counting import Census, KeyVersionName
from kmscore.bulk.item import Outcome
from kmscore.keyring import Keyring
from kmscore.keys import Key, SymmetricKey

_NOTHING_COUNTED: Final = "there is no ciphertext to go by"


class Retirement(NamedTuple):
    """Which key versions may be retired."""

    versions: tuple[KeyVersionName, ...]
    """Those that nothing uses, in the order of the ring."""

    reason: str | None
    """Why nothing can be said, and `versions` is empty; `None` if everything was attributed."""


def retirable_versions(
    keyring: Keyring,
    *,
    census: Census | None = None,
    outcomes: Iterable[Outcome] | None = None,
) -> Retirement:
    """Return the versions in `keyring` that none of the ciphertexts needs.

    It uses a `census`, whose headers are not authenticated, or by the `outcomes` of a job,
    which are authenticated; each item then counts as what it is once its result has taken its
    place, and after a dry run as what it still is. Either has to cover every ciphertext that there
    is, backups included.

    A primary version is never among them: it seals what comes next. Nor is an asymmetric one: who
    has its public key may encrypt at any time, and the ciphertext names no version. And none is if
    one ciphertext could not be attributed to a version in the ring (no v1 blob, a version or suite
    that the ring does not have, an item that failed), or if there was none to count: any of them
    might need any version.

    Raises `TypeError` for a wrong type, and unless exactly one of `census` and `outcomes` is given.
    """
    check_instance(keyring, Keyring, "keyring")
    if (census is None) == (outcomes is None):
        raise TypeError("retirable_versions takes either a census or outcomes")
    versions = {KeyVersionName(key.key_id, key.key_version_id): key for key in keyring}
    if outcomes is not None:
        used, reason = _used_by_outcomes(outcomes, versions)
    elif isinstance(census, Census):
        used, reason = _used_by_headers(census, versions)
    else:
        raise TypeError(f"census must be Census, not {type(census).__name__}")
    if reason is not None:
        return Retirement((), reason)
    unused = (
        name
        for name, key in versions.items()
        if isinstance(key, SymmetricKey)
        and name not in used
        and key is not keyring.primary(name.key_id)
    )
    return Retirement(tuple(unused), None)


_Used: TypeAlias = tuple[set[KeyVersionName], str | None]
"""The versions in use, and why that is not all there is to say, if it is not."""


def _used_by_headers(census: Census, versions: Mapping[KeyVersionName, Key]) -> _Used:
    """Return the versions that headers name."""
    if census.other:
        return set(), f"{census.other} of {census.total} are no v1 ciphertext blobs"
    if not census.total:
        return set(), _NOTHING_COUNTED
    for header, number in census.headers.items():
        key = versions.get(KeyVersionName(header.key_id, header.key_version_id))
        if not isinstance(key, SymmetricKey) or key.suite is not header.suite:
            return set(), (
                f"{number} of {census.total} name version {header.key_version_id} of key"
                f" {header.key_id} in {header.suite.name}, which the keyring does not have"
            )
    return set(census.versions), None


def _used_by_outcomes(outcomes: Iterable[Outcome], versions: Mapping[KeyVersionName, Key]) -> _Used:
    """Return the versions that opened, or have sealed, what the outcomes leave."""
    used: set[KeyVersionName] = set()
    failed = total = 0
    for outcome in outcomes:
        check_instance(outcome, Outcome, "outcome")
        total += 1
        if outcome.source_key_id is None or outcome.source_key_version_id is None:
            failed += 1
        elif outcome.ciphertext_blob is None:
            used.add(KeyVersionName(outcome.source_key_id, outcome.source_key_version_id))
        else:
            used.add(KeyVersionName(outcome.destination_key_id, outcome.destination_key_version_id))
    if failed:
        return set(), f"{failed} of {total} items failed"
    if not total:
        return set(), _NOTHING_COUNTED
    for name in used:
        if name not in versions:
            return set(), (
                f"version {name.key_version_id} of key {name.key_id} is in use, and the keyring"
                " does not have it"
            )
    return used, None

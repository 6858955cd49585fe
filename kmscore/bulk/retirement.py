"""Find the key versions that no ciphertext uses, so that they can be retired."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

from kmscore._typecheck import check_instance
from kmscore.bulk.counting import Census, KeyVersionName
from kmscore.bulk.item import Outcome
from kmscore.keyring import Keyring
from kmscore.keys import Key, SymmetricKey

_NOTHING_COUNTED: Final = "there is no ciphertext to go by"


class Retirement(NamedTuple):
    """The key versions that can be retired, or the reason why they are unknown."""

    versions: tuple[KeyVersionName, ...]
    """The unused key versions, in the order of the keyring; empty if `reason` is set."""

    reason: str | None
    """The reason why the unused versions are unknown.

    It is `None` if every ciphertext was attributed to a key version of the keyring.
    """


def retirable_versions(
    keyring: Keyring,
    *,
    census: Census | None = None,
    outcomes: Iterable[Outcome] | None = None,
) -> Retirement:
    """Return the key versions of `keyring` that no ciphertext uses.

    Pass either `census` or `outcomes`. It must cover all existing ciphertexts, including backups.

    Two kinds of versions are never returned:

    - A primary version, because it encrypts future plaintexts.
    - A version of an asymmetric key, because anyone who has its public key can encrypt at any time,
      and such a ciphertext does not name its key version.

    No version is returned if one ciphertext cannot be attributed to a key version of `keyring`,
    because this ciphertext could need any version. This is the case if the ciphertext is not a v1
    blob, if `keyring` does not have its key version with its suite, or if its item failed. No
    version is returned either if no ciphertext was counted.

    Args:
        keyring: All key versions.
        census: The counts of the headers. Headers are not authenticated.
        outcomes: The outcomes of a job, which are authenticated. Each item counts for the
            destination version; after a dry run, an item that would be rewritten counts for its
            source version.

    Returns:
        The unused versions, or the reason why they are unknown.

    Raises:
        TypeError: If `keyring` is not a `Keyring`; if not exactly one of `census` and `outcomes` is
            given; if `census` is not a `Census`; or if `outcomes` is not an iterable of `Outcome`.
        Exception: Any exception of the iteration of `outcomes`, unchanged.
    """
    check_instance(keyring, Keyring, "keyring")
    if (census is None) == (outcomes is None):
        raise TypeError("retirable_versions requires exactly one of census and outcomes")
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
"""The key versions in use, and `None`; or an empty set, and the reason why they are unknown."""


def _used_by_headers(census: Census, versions: Mapping[KeyVersionName, Key]) -> _Used:
    """Return the key versions that the headers name."""
    if census.other:
        words = "is not a v1 blob" if census.other == 1 else "are not v1 blobs"
        return set(), f"{census.other:,} of {census.total:,} ciphertexts {words}"
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
    """Return the key versions that the ciphertexts use after the job."""
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

"""The steps that find a key version and check it (SPEC sections 5.5, 5.6, 6.2 and 13.5)."""

from typing import cast

from kmscore.algorithms import KeyState, Suite
from kmscore.audit.blobs import ReadBlob, is_id, is_uuid
from kmscore.audit.notes import Notes
from kmscore.keyring import Keyring
from kmscore.keys import Key, SymmetricKey


def find_version(notes: Notes, keys: Keyring, key_id: str, key_version_id: str) -> Key:
    """Add the checks that a key version is there and enabled; return it."""
    notes.check(
        f"the keyring has a key {key_id}",
        any(key.key_id == key_id for key in keys),
        "key_not_found",
    )
    notes.check(
        f"the key has a version {key_version_id}",
        any((key.key_id, key.key_version_id) == (key_id, key_version_id) for key in keys),
        "key_version_not_found",
    )
    key = keys.version(key_id, key_version_id)
    _check_state(notes, key)
    return key


def find_named_key(
    notes: Notes, keys: Keyring, blob: ReadBlob, ids: tuple[str | None, str | None]
) -> SymmetricKey:
    """Add the checks of the key version that a blob names; return it.

    `ids` are the key ID and the key version ID that the caller expects.
    """
    key_id, key_version_id = ids
    if blob.key_id is not None:
        _check_same(notes, "the blob names the given key", key_id, blob.key_id)
    _check_same(notes, "the blob names the given key version", key_version_id, blob.key_version_id)
    if blob.suite is None or blob.key_id is None:
        return _find_by_version(notes, keys, blob.key_version_id, key_id)
    found = find_version(notes, keys, blob.key_id, blob.key_version_id)
    key = _check_symmetric(notes, found)
    notes.check(
        f"the key version is bound to the suite of the header, {blob.suite.name}",
        key.suite is blob.suite,
        "incorrect_key",
    )
    return key


def _check_same(notes: Notes, statement: str, given: str | None, named: str) -> None:
    if given is not None:
        notes.check(statement, given == named, "incorrect_key")


def _find_by_version(
    notes: Notes, keys: Keyring, key_version_id: str, key_id: str | None
) -> SymmetricKey:
    found = [key for key in keys if key.key_version_id == key_version_id]
    notes.check(
        f"the keyring has a key version {key_version_id}", bool(found), "key_version_not_found"
    )
    (key,) = found
    _check_same(notes, "the key version belongs to the given key", key_id, key.key_id)
    _check_state(notes, key)
    return _check_plain_gcm(notes, _check_symmetric(notes, key))


def find_primary(notes: Notes, keys: Keyring, key_id: str, *, is_v1: bool) -> SymmetricKey:
    """Add the checks of a destination key; return its primary version."""
    notes.check("the key ID is 1 to 255 bytes 21 to 7e", is_id(key_id), "key_not_found")
    notes.check(
        f"the keyring has a key {key_id}",
        any(key.key_id == key_id for key in keys),
        "key_not_found",
    )
    primary = keys.primary(key_id)
    _check_state(notes, primary)
    key = _check_symmetric(notes, primary)
    if not is_v1:
        _check_plain_gcm(notes, key)
        is_named = is_uuid(key.key_version_id)
        notes.check("the key version ID is a UUID", is_named, "key_usage")
    return key


def _check_state(notes: Notes, key: Key) -> None:
    notes.check("the key version is enabled", key.state is KeyState.ENABLED, "key_state")


def _check_symmetric(notes: Notes, key: Key) -> SymmetricKey:
    notes.check("the key is symmetric", isinstance(key, SymmetricKey), "key_usage")
    return cast("SymmetricKey", key)


def _check_plain_gcm(notes: Notes, key: SymmetricKey) -> SymmetricKey:
    is_plain = key.suite is not Suite.XAES_256_GCM
    notes.check("the key version is bound to plain GCM", is_plain, "key_usage")
    return key

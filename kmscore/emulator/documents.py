"""Two JSON documents: a seed, which has keys with material, and the properties of saved keys.

Both have a list `keys` of objects with these names:

=====================  ===================================================================
Name                   Value
=====================  ===================================================================
`key_id`               The key ID; a random UUID if it is missing.
`spec`                 The key spec, such as `Aliyun_AES_256` (the default).
`state`                The key state, such as `Disabled`; the default is `Enabled`.
`description`          The description.
`aliases`              A list of aliases, such as `alias/orders`.
`protection_level`     `SOFTWARE` (the default) or `HSM`.
`creation_date`        The creation date, such as `2026-11-29T08:00:00Z`.
`deletion_date`        The date of the deletion, only with the state `PendingDeletion`.
`versions`             A list of objects; one random version if it is missing.
`primary`              The ID of the primary version; the last one if it is missing.
=====================  ===================================================================

A version has `key_version_id`, `creation_date`, `suite` and `material`: Base64 of the raw key, or
for RSA and SM2 a private key in PEM. Without `material`, it is random.

A keyring file has the versions with spec, state, suite and material. The document that is saved
with it has the other properties.
"""

import json
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from kmscore._base64 import decode_base64
from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState, Suite
from kmscore.emulator.contents import SOFTWARE, Contents, StoredKey
from kmscore.emulator.descriptions import date_text
from kmscore.emulator.json_fields import InvalidDocumentError, JsonFields, load
from kmscore.emulator.parameter_readers import read_alias, read_description, read_level
from kmscore.emulator.store import KeyStore
from kmscore.errors import KmsCoreError
from kmscore.keyring import Keyring
from kmscore.keys import PRIVATE_KEYS, Key, SymmetricKey
from kmscore.keys.versions import generate_version


def add_seed(store: KeyStore, text: str) -> None:
    """Add the keys of a seed to a store. A key that the store has already stays as it is.

    Args:
        store: The store.
        text: The document.

    Raises:
        InvalidDocumentError: If the document is invalid, or if a key of it is.
    """
    document = load(text, "seed")
    seeds = document.objects("keys")
    document.end()
    kept = store.contents().keys.keys()
    for fields in seeds:
        key_id = fields.take("key_id", str)
        if key_id in kept:
            continue
        if key_id in store.contents().keys:
            raise InvalidDocumentError(f"{fields.where}: {key_id} occurs twice")
        try:
            key = _seed_key(store, key_id, fields)
            add = partial(_added, key=key, aliases=_aliases(fields), where=fields.where)
            fields.end()
            store.change(add)
        except KmsCoreError as error:
            raise InvalidDocumentError(f"{fields.where}: {error}") from None


def _added(contents: Contents, key: StoredKey, aliases: list[str], where: str) -> Contents:
    """Return contents with a key and its aliases, which no other key can have."""
    contents = contents.with_key(key)
    for alias in aliases:
        if contents.aliases.get(alias, key.key_id) != key.key_id:
            raise InvalidDocumentError(f"{where}: another key has {alias}")
        contents = contents.with_alias(alias, key.key_id)
    return contents


def _seed_key(store: KeyStore, key_id: str | None, fields: JsonFields) -> StoredKey:
    """Return the key of a seed."""
    spec = KeySpec.of(fields.take("spec", str) or KeySpec.AES_256, "spec")
    state = KeyState.of(fields.take("state", str) or KeyState.ENABLED, "state")
    primary_id = fields.take("primary", str)
    created = fields.date("creation_date") or store.now()
    versions: list[Key] = []
    dates: dict[str, datetime] = {}
    for each in fields.objects("versions") or [JsonFields({}, fields.where)]:
        date = each.date("creation_date")
        version = _seed_version(store, spec, key_id, each)
        each.end()
        key_id = version.key_id
        versions.append(version)
        if date is not None:
            dates[version.key_version_id] = date
    primary = _primary(versions, primary_id, fields)
    deletion = fields.date("deletion_date")
    if deletion is not None and state is not KeyState.PENDING_DELETION:
        raise InvalidDocumentError(f"{fields.where}: deletion_date needs the state PendingDeletion")
    key = StoredKey(tuple(versions), primary, created, dates, **_properties(fields))
    return key.in_state(state, deletion)


def _seed_version(store: KeyStore, spec: KeySpec, key_id: str | None, fields: JsonFields) -> Key:
    """Return a version of a seed."""
    version_id, material = fields.take("key_version_id", str), fields.take("material", str)
    suite = _suite(fields) or store.suite_of(spec)
    if suite is not None and not KEY_SPECS[spec].suites:
        raise InvalidDocumentError(f"{fields.where}: {spec.name} takes no suite")
    if material is None:
        return generate_version(spec, suite=suite, key_id=key_id, key_version_id=version_id)
    if key_id is None or version_id is None:
        raise InvalidDocumentError(f"{fields.where}: material needs key_id and key_version_id")
    raw_text = material.encode("utf-8", "surrogatepass")
    if not KEY_SPECS[spec].suites:
        key = PRIVATE_KEYS[spec].from_pem(key_id, version_id, raw_text)
        if key.spec is not spec:
            raise InvalidDocumentError(f"{fields.where}: the material is of {key.spec.name}")
        return key
    raw = decode_base64(raw_text)
    if raw is None:
        raise InvalidDocumentError(f"{fields.where}: material is not Base64")
    return SymmetricKey(key_id, version_id, spec, raw, suite=suite)


def _suite(fields: JsonFields) -> Suite | None:
    """Return the suite of a version, or `None` if it is missing."""
    name = fields.take("suite", str)
    if name is not None and name not in Suite.__members__:
        known = ", ".join(Suite.__members__)
        raise InvalidDocumentError(f"{fields.where}: suite is not one of {known}")
    return None if name is None else Suite[name]


def _primary(versions: list[Key], primary_id: str | None, fields: JsonFields) -> Key:
    """Return the primary version: the one that is named, or the last one."""
    if primary_id is None:
        return versions[-1]
    for version in versions:
        if version.key_version_id == primary_id:
            return version
    raise InvalidDocumentError(f"{fields.where}: primary is not one of the versions")


def _properties(fields: JsonFields) -> dict[str, Any]:
    """Return the description and the protection level."""
    properties = {}
    for name, read, default in (
        ("description", read_description, ""),
        ("protection_level", read_level, SOFTWARE),
    ):
        value = read(fields.take(name, str) or default)
        if value is None:
            raise InvalidDocumentError(f"{fields.where}: {name} is not valid")
        properties[name] = value
    return properties


def _aliases(fields: JsonFields) -> list[str]:
    """Return the aliases."""
    aliases = fields.take("aliases", list) or []
    for alias in aliases:
        if not isinstance(alias, str) or read_alias(alias) is None:
            raise InvalidDocumentError(f"{fields.where}: aliases has an item that is not an alias")
    return aliases


def properties_text(contents: Contents) -> str:
    """Return the document with the properties that a keyring file does not have.

    Args:
        contents: The contents of a store.

    Returns:
        The JSON text. It contains no key material.
    """
    keys = [
        {
            "key_id": key.key_id,
            "description": key.description,
            "protection_level": key.protection_level,
            "creation_date": date_text(key.creation_date),
            "deletion_date": None if key.deletion_date is None else date_text(key.deletion_date),
            "aliases": contents.aliases_of(key.key_id),
            "versions": [
                {
                    "key_version_id": version.key_version_id,
                    "creation_date": date_text(key.date_of(version)),
                }
                for version in key.versions
            ],
        }
        for key in contents.keys.values()
    ]
    return json.dumps({"keys": keys}, indent=1) + "\n"


def saved_contents(keyring: Keyring, text: str | None, now: datetime) -> Contents:
    """Return the contents of a store that was saved in two files.

    Args:
        keyring: The key versions.
        text: The document with the other properties; `None` if there is none.
        now: The creation date of keys without one.

    Returns:
        The contents. Properties of keys that are not in the keyring are ignored, because the
        keyring is saved first.

    Raises:
        InvalidDocumentError: If the document is invalid.
    """
    siblings: dict[str, list[Key]] = {}
    for version in keyring:
        siblings.setdefault(version.key_id, []).append(version)
    keys = {
        key_id: StoredKey(tuple(versions), keyring.primary(key_id), now)
        for key_id, versions in siblings.items()
    }
    contents = Contents(keys)
    if text is None:
        return contents
    document = load(text, "properties")
    saved = document.objects("keys")
    document.end()
    for fields in saved:
        key = keys.get(fields.due("key_id", str))
        if key is not None:
            key, aliases = _with_properties(key, fields), _aliases(fields)
            fields.end()
            contents = _added(contents, key, aliases, fields.where)
    return contents


def _with_properties(key: StoredKey, fields: JsonFields) -> StoredKey:
    """Return a key of a keyring with its other properties."""
    created = fields.date("creation_date") or key.creation_date
    dates = {}
    for each in fields.objects("versions"):
        date, version_id = each.date("creation_date"), each.due("key_version_id", str)
        each.end()
        if date is not None:
            dates[version_id] = date
    # The keyring, which is written first, has the state. Without this check, a server that was
    # killed during CancelKeyDeletion would leave an enabled key that is deleted later.
    deletion = fields.date("deletion_date")
    is_pending = key.state is KeyState.PENDING_DELETION
    return replace(
        key,
        creation_date=created,
        version_dates=dates,
        deletion_date=deletion if is_pending else None,
        **_properties(fields),
    )

"""The objects of responses that describe keys, key versions, aliases and pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kmscore.emulator.contents import StoredKey
from kmscore.emulator.parameter_readers import DEFAULT_PAGE_SIZE, ENCRYPT_DECRYPT
from kmscore.emulator.store import KeyStore
from kmscore.keys import Key, SymmetricKey


def date_text(date: datetime) -> str:
    """Return a date in UTC as the service writes it."""
    return f"{date.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def key_metadata(store: KeyStore, key: StoredKey) -> dict[str, Any]:
    """Return `KeyMetadata`; dates that the key does not have are empty, as in the service."""
    is_symmetric = isinstance(key.primary, SymmetricKey)
    return {
        "Arn": store.key_resource(key.key_id),
        "AutomaticRotation": "Disabled",
        "CreationDate": date_text(key.creation_date),
        "Creator": store.account,
        "DeleteDate": "" if key.deletion_date is None else date_text(key.deletion_date),
        "Description": key.description,
        "KeyId": key.key_id,
        "KeySpec": key.spec.value,
        "KeyState": key.state.value,
        "KeyUsage": ENCRYPT_DECRYPT,
        "LastRotationDate": date_text(key.date_of(key.primary)),
        "MaterialExpireTime": "",
        "Origin": "Aliyun_KMS",
        "PrimaryKeyVersion": key.primary.key_version_id if is_symmetric else "",
        "ProtectionLevel": key.protection_level,
    }


def key_version(key: StoredKey, version: Key) -> dict[str, Any]:
    """Return `KeyVersion`."""
    return {
        "KeyId": key.key_id,
        "KeyVersionId": version.key_version_id,
        "CreationDate": date_text(key.date_of(version)),
    }


def alias_fields(store: KeyStore, alias: str, key_id: str) -> dict[str, Any]:
    """Return `Alias`."""
    return {"KeyId": key_id, "AliasName": alias, "AliasArn": store.resource(alias)}


def page_of(
    values: Mapping[str, Any], items: Sequence[dict[str, Any]], *names: str
) -> dict[str, Any]:
    """Return the fields of one page of items, under the two names of the list."""
    number, size = values["PageNumber"] or 1, values["PageSize"] or DEFAULT_PAGE_SIZE
    listed, each = names
    return {
        listed: {each: list(items[(number - 1) * size : number * size])},
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": len(items),
    }

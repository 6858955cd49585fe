"""The management actions on keys."""

from dataclasses import replace
from datetime import timedelta

from kmscore.algorithms import KeySpec, KeyState
from kmscore.alibaba.actions import Fields, Request
from kmscore.alibaba.service_errors import STATE_NOT_CHANGED, RequestError
from kmscore.emulator import parameter_readers as read
from kmscore.emulator.contents import SOFTWARE, Contents, StoredKey
from kmscore.emulator.descriptions import key_metadata, page_of
from kmscore.emulator.store import KeyStore
from kmscore.errors import KeyStateError


def create_key(store: KeyStore, request: Request) -> Fields:
    """Create a key with one version."""
    request.access.permit_resource(request.principal, "CreateKey", store.resource("key"))
    if request.is_dry_run:
        return {}
    values = request.values
    version = store.generate(values["KeySpec"] or KeySpec.AES_256)
    key = StoredKey(
        (version,),
        version,
        store.now(),
        description=values["Description"] or "",
        protection_level=values["ProtectionLevel"] or SOFTWARE,
    )
    store.change(lambda contents: contents.with_key(key))
    request.uses.destination = key.key_id, version.key_version_id
    return {"KeyMetadata": key_metadata(store, key)}


def describe_key(store: KeyStore, request: Request) -> Fields:
    """Return the metadata of a key."""
    key = store.contents().find(request.opening_key("DescribeKey"))
    # Only this response has the protection, which no action here can switch on.
    return {"KeyMetadata": key_metadata(store, key) | {"DeletionProtection": "Disabled"}}


def list_keys(store: KeyStore, request: Request) -> Fields:
    """Return one page of the keys that pass the filters."""
    request.access.permit_resource(request.principal, "ListKeys", store.resource("key"))
    contents = store.contents()
    filters = request.values["Filters"] or ()
    items = [
        {"KeyId": key_id, "KeyArn": store.key_resource(key_id)}
        for key_id, key in contents.keys.items()
        if _passes(filters, contents, key)
    ]
    return page_of(request.values, items, "Keys", "Key")


def _passes(
    filters: tuple[tuple[str, frozenset[str]], ...], contents: Contents, key: StoredKey
) -> bool:
    """Return whether a key passes the filters: one value of each property."""
    properties: dict[str, set[str]] = {
        "KeyState": {key.state.value},
        "KeySpec": {key.spec.value},
        "KeyUsage": {read.ENCRYPT_DECRYPT},
        "ProtectionLevel": {key.protection_level},
        "CreatorType": {"User"},
        "keyId": {key.key_id},
        "AliasName": set(contents.aliases_of(key.key_id)),
    }
    wanted: dict[str, set[str]] = {}
    for name, values in filters:
        wanted.setdefault(name, set()).update(values)
    return all(values & properties[name] for name, values in wanted.items())


def update_key_description(store: KeyStore, request: Request) -> Fields:
    """Replace the description of a key."""
    key_id, text = key_by_id(request, "UpdateKeyDescription"), request.values["Description"]

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state is KeyState.PENDING_DELETION:
            raise KeyStateError(key.state.value)
        return contents.with_key(replace(key, description=text))

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def set_state(
    store: KeyStore,
    request: Request,
    *,
    action: str,
    state: KeyState,
    allowed: frozenset[KeyState],
) -> Fields:
    """Perform EnableKey, DisableKey, ScheduleKeyDeletion and CancelKeyDeletion."""
    key_id = key_by_id(request, action)
    days = request.values.get("PendingWindowInDays")
    date = None if days is None else store.now() + timedelta(days=days)

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state not in allowed:
            raise RequestError(STATE_NOT_CHANGED)
        return contents.with_key(key.in_state(state, date))

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def key_by_id(request: Request, action: str) -> str:
    """Return the ID of the key that `KeyId` names, which cannot be an alias, if it is allowed."""
    named = request.access.resolve_unaliased(request.values["KeyId"])
    request.uses.source = named.name, None
    return request.access.permit(request.principal, (action, named))[0]

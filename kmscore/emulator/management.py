"""The management actions: create, describe, list, change and delete keys, versions and aliases.

The order of the checks is that of the cryptographic actions: parameters, permissions, then the keys
with their states. The state that each action needs follows the page "Impact of CMK status on API
operations" of the vendor. Behaviour that is not public is decided here:

- An action that reads accepts an alias as `KeyId`, and so does CreateKeyVersion. The others answer
  `Unsupported.Alias`.
- The actions on aliases need the permission on the key and on the resource name of the alias, as in
  the samples of the vendor. UpdateAlias needs it on both keys.
- CreateKeyVersion makes a new primary version of a symmetric key, and also a new version of an
  asymmetric key, at any time.
- Lists are in the order of creation.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

from kmscore.algorithms import KeySpec, KeyState
from kmscore.alibaba.actions import ExtraAction, Fields, Request
from kmscore.alibaba.parameter_readers import read_text
from kmscore.alibaba.parameters import Action, Parameter
from kmscore.alibaba.service_errors import (
    ALIAS_EXISTS,
    ALIAS_NOT_FOUND,
    STATE_NOT_CHANGED,
    UNSUPPORTED_OPERATION,
    RequestError,
)
from kmscore.emulator import parameter_readers as read
from kmscore.emulator.contents import SOFTWARE, Contents, StoredKey
from kmscore.emulator.descriptions import alias_fields, key_metadata, key_version, page_of
from kmscore.emulator.store import KeyStore
from kmscore.errors import KeyStateError
from kmscore.keys import SymmetricKey

Perform = Callable[[KeyStore, Request], Fields]
"""A function that performs an action on a store."""


def management_actions(store: KeyStore) -> Mapping[str, ExtraAction]:
    """Return the management actions of a store, for `KmsApi`.

    Args:
        store: The store.

    Returns:
        The actions by name.
    """
    return {
        name: ExtraAction(Action(parameters), partial(perform, store))
        for name, (perform, parameters) in _TABLE.items()
    }


def _create_key(store: KeyStore, request: Request) -> Fields:
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


def _describe_key(store: KeyStore, request: Request) -> Fields:
    key = store.contents().find(request.opening_key("DescribeKey"))
    # Only this response has the protection, which no action here can switch on.
    return {"KeyMetadata": key_metadata(store, key) | {"DeletionProtection": "Disabled"}}


def _list_keys(store: KeyStore, request: Request) -> Fields:
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


def _update_key_description(store: KeyStore, request: Request) -> Fields:
    key_id, text = _key_by_id(request, "UpdateKeyDescription"), request.values["Description"]

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state is KeyState.PENDING_DELETION:
            raise KeyStateError(key.state.value)
        return contents.with_key(replace(key, description=text))

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def _set_state(
    store: KeyStore,
    request: Request,
    *,
    action: str,
    state: KeyState,
    allowed: frozenset[KeyState],
) -> Fields:
    """Perform EnableKey, DisableKey, ScheduleKeyDeletion and CancelKeyDeletion."""
    key_id = _key_by_id(request, action)
    days = request.values.get("PendingWindowInDays")
    date = None if days is None else store.now() + timedelta(days=days)

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state not in allowed:
            raise RequestError(STATE_NOT_CHANGED)
        return contents.with_key(key.in_state(state, date))

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def _create_alias(store: KeyStore, request: Request) -> Fields:
    alias = request.values["AliasName"]
    key_id = _aliased_key(store, request, "CreateAlias")

    def change(contents: Contents) -> Contents:
        _check_target(contents, key_id)
        if alias in contents.aliases:
            raise RequestError(ALIAS_EXISTS)
        return contents.with_alias(alias, key_id)

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def _update_alias(store: KeyStore, request: Request) -> Fields:
    alias = request.values["AliasName"]
    key_id = _aliased_key(store, request, "UpdateAlias")
    named = request.access.resolve(alias)
    request.access.permit(request.principal, ("UpdateAlias", named))

    def change(contents: Contents) -> Contents:
        # It can be deleted by now, or have a key without the permission.
        if contents.aliases.get(alias) != named.key_id:
            raise RequestError(ALIAS_NOT_FOUND)
        _check_target(contents, key_id)
        return contents.with_alias(alias, key_id)

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def _delete_alias(store: KeyStore, request: Request) -> Fields:
    alias = request.values["AliasName"]
    access, principal = request.access, request.principal
    access.permit_resource(principal, "DeleteAlias", store.resource(alias))
    named = access.resolve(alias)
    request.uses.source = named.name, None
    access.permit(principal, ("DeleteAlias", named))

    def change(contents: Contents) -> Contents:
        # It can be deleted by now, or have a key without the permission.
        if contents.aliases.get(alias) != named.key_id:
            raise RequestError(ALIAS_NOT_FOUND)
        return contents.without_alias(alias)

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def _list_aliases(store: KeyStore, request: Request) -> Fields:
    request.access.permit_resource(request.principal, "ListAliases", store.resource("alias"))
    aliases = store.contents().aliases.items()
    items = [alias_fields(store, alias, key_id) for alias, key_id in aliases]
    return page_of(request.values, items, "Aliases", "Alias")


def _list_aliases_by_key_id(store: KeyStore, request: Request) -> Fields:
    key_id = _key_by_id(request, "ListAliasesByKeyId")
    contents = store.contents()
    contents.find(key_id)
    items = [alias_fields(store, alias, key_id) for alias in contents.aliases_of(key_id)]
    return page_of(request.values, items, "Aliases", "Alias")


def _create_key_version(store: KeyStore, request: Request) -> Fields:
    key_id = request.opening_key("CreateKeyVersion")
    key = store.contents().find(key_id)
    version = store.generate(key.spec, key_id)
    date = store.now()

    def change(contents: Contents) -> Contents:
        key = contents.find(key_id)
        if key.state is not KeyState.ENABLED:
            raise KeyStateError(key.state.value)
        return contents.with_key(key.with_version(version, date))

    contents = store.change(change, is_dry_run=request.is_dry_run)
    if not request.is_dry_run:
        request.uses.destination = key_id, version.key_version_id
    return {"KeyVersion": key_version(contents.find(key_id), version)}


def _list_key_versions(store: KeyStore, request: Request) -> Fields:
    key = store.contents().find(request.opening_key("ListKeyVersions"))
    items = [key_version(key, version) for version in key.versions]
    return page_of(request.values, items, "KeyVersions", "KeyVersion")


def _describe_key_version(store: KeyStore, request: Request) -> Fields:
    key_id = request.opening_key("DescribeKeyVersion")
    contents = store.contents()
    version = contents.index.version(key_id, request.values["KeyVersionId"])
    return {"KeyVersion": key_version(contents.find(key_id), version)}


def _get_public_key(store: KeyStore, request: Request) -> Fields:
    key_id = request.opening_key("GetPublicKey")
    version = store.version(key_id, request.values["KeyVersionId"])
    request.uses.source = key_id, version.key_version_id
    if isinstance(version, SymmetricKey):
        raise RequestError(UNSUPPORTED_OPERATION)
    if version.state is not KeyState.ENABLED:
        raise KeyStateError(version.state.value)
    return {
        "KeyId": key_id,
        "KeyVersionId": version.key_version_id,
        "PublicKey": version.public_key.to_pem().decode("ascii"),
    }


def _key_by_id(request: Request, action: str) -> str:
    """Return the ID of the key that `KeyId` names, which cannot be an alias, if it is allowed."""
    named = request.access.resolve_unaliased(request.values["KeyId"])
    request.uses.source = named.name, None
    return request.access.permit(request.principal, (action, named))[0]


def _aliased_key(store: KeyStore, request: Request, action: str) -> str:
    """Return the ID of the key for an alias, if the action is allowed on both."""
    resource = store.resource(request.values["AliasName"])
    request.access.permit_resource(request.principal, action, resource)
    return _key_by_id(request, action)


def _check_target(contents: Contents, key_id: str) -> None:
    """Raise `RequestError` if a key is about to be deleted, and `KeyNotFoundError`."""
    if contents.find(key_id).state is KeyState.PENDING_DELETION:
        raise RequestError(STATE_NOT_CHANGED)


_USABLE: Final = frozenset({KeyState.ENABLED, KeyState.DISABLED})
_PENDING: Final = frozenset({KeyState.PENDING_DELETION})

_KEY: Final = Parameter("KeyId", read_text, is_required=True)
_VERSION: Final = Parameter("KeyVersionId", read_text, is_required=True)
_ALIAS: Final = Parameter("AliasName", read.read_alias, is_required=True)
_PAGE: Final = (
    Parameter("PageNumber", read.read_page_number),
    Parameter("PageSize", read.read_page_size),
)
_NEW_KEY: Final = (
    Parameter("KeySpec", read.read_spec),
    Parameter("KeyUsage", read.read_usage),
    Parameter("Origin", read.read_origin),
    Parameter("ProtectionLevel", read.read_level),
    Parameter("Description", read.read_description),
    Parameter("EnableAutomaticRotation", read.read_rotation),
    *(
        Parameter(name, read.reject)
        for name in ("RotationInterval", "DKMSInstanceId", "KeyStorageMechanism", "Policy", "Tags")
    ),
)
_DESCRIPTION: Final = Parameter(
    "Description", read.read_description, is_required=True, may_be_empty=True
)


def _state_action(action: str, state: KeyState, allowed: frozenset[KeyState]) -> Perform:
    """Return the function of an action that changes the state."""
    return partial(_set_state, action=action, state=state, allowed=allowed)


_TABLE: Final[Mapping[str, tuple[Perform, tuple[Parameter, ...]]]] = MappingProxyType(
    {
        "CreateKey": (_create_key, _NEW_KEY),
        "DescribeKey": (_describe_key, (_KEY,)),
        "ListKeys": (_list_keys, (*_PAGE, Parameter("Filters", read.read_filters))),
        "UpdateKeyDescription": (_update_key_description, (_KEY, _DESCRIPTION)),
        "EnableKey": (_state_action("EnableKey", KeyState.ENABLED, _USABLE), (_KEY,)),
        "DisableKey": (_state_action("DisableKey", KeyState.DISABLED, _USABLE), (_KEY,)),
        "ScheduleKeyDeletion": (
            _state_action(
                "ScheduleKeyDeletion",
                KeyState.PENDING_DELETION,
                _USABLE | {KeyState.PENDING_IMPORT},
            ),
            (_KEY, Parameter("PendingWindowInDays", read.read_window, is_required=True)),
        ),
        "CancelKeyDeletion": (
            _state_action("CancelKeyDeletion", KeyState.ENABLED, _PENDING),
            (_KEY,),
        ),
        "GetPublicKey": (_get_public_key, (_KEY, _VERSION)),
        "CreateAlias": (_create_alias, (_KEY, _ALIAS)),
        "UpdateAlias": (_update_alias, (_ALIAS, _KEY)),
        "DeleteAlias": (_delete_alias, (_ALIAS,)),
        "ListAliases": (_list_aliases, _PAGE),
        "ListAliasesByKeyId": (_list_aliases_by_key_id, (_KEY, *_PAGE)),
        "CreateKeyVersion": (_create_key_version, (_KEY,)),
        "ListKeyVersions": (_list_key_versions, (_KEY, *_PAGE)),
        "DescribeKeyVersion": (_describe_key_version, (_KEY, _VERSION)),
    }
)
"""The function and the parameters of each action, in the order of the vendor's pages."""

MANAGEMENT_ACTIONS: Final = tuple(_TABLE)
"""The names of the management actions."""

"""The management actions on aliases."""

from kmscore.algorithms import KeyState
from kmscore.alibaba.actions import Fields, Request
from kmscore.alibaba.service_errors import (
    ALIAS_EXISTS,
    ALIAS_NOT_FOUND,
    STATE_NOT_CHANGED,
    RequestError,
)
from kmscore.emulator.contents import Contents
from kmscore.emulator.descriptions import alias_fields, page_of
from kmscore.emulator.key_actions import key_by_id
from kmscore.emulator.store import KeyStore


def create_alias(store: KeyStore, request: Request) -> Fields:
    """Give a key a new alias."""
    alias = request.values["AliasName"]
    key_id = _aliased_key(store, request, "CreateAlias")

    def change(contents: Contents) -> Contents:
        _check_target(contents, key_id)
        if alias in contents.aliases:
            raise RequestError(ALIAS_EXISTS)
        return contents.with_alias(alias, key_id)

    store.change(change, is_dry_run=request.is_dry_run)
    return {}


def update_alias(store: KeyStore, request: Request) -> Fields:
    """Give an alias to another key."""
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


def delete_alias(store: KeyStore, request: Request) -> Fields:
    """Remove an alias."""
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


def list_aliases(store: KeyStore, request: Request) -> Fields:
    """Return one page of all aliases."""
    request.access.permit_resource(request.principal, "ListAliases", store.resource("alias"))
    aliases = store.contents().aliases.items()
    items = [alias_fields(store, alias, key_id) for alias, key_id in aliases]
    return page_of(request.values, items, "Aliases", "Alias")


def list_aliases_by_key_id(store: KeyStore, request: Request) -> Fields:
    """Return one page of the aliases of a key."""
    key_id = key_by_id(request, "ListAliasesByKeyId")
    contents = store.contents()
    contents.find(key_id)
    items = [alias_fields(store, alias, key_id) for alias in contents.aliases_of(key_id)]
    return page_of(request.values, items, "Aliases", "Alias")


def _aliased_key(store: KeyStore, request: Request, action: str) -> str:
    """Return the ID of the key for an alias, if the action is allowed on both."""
    resource = store.resource(request.values["AliasName"])
    request.access.permit_resource(request.principal, action, resource)
    return key_by_id(request, action)


def _check_target(contents: Contents, key_id: str) -> None:
    """Raise `RequestError` if a key is about to be deleted, and `KeyNotFoundError`."""
    if contents.find(key_id).state is KeyState.PENDING_DELETION:
        raise RequestError(STATE_NOT_CHANGED)

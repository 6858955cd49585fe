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
from functools import partial
from types import MappingProxyType
from typing import Final

from kmscore.algorithms import KeyState
from kmscore.alibaba.actions import ExtraAction, Fields, Request
from kmscore.alibaba.parameter_readers import read_text
from kmscore.alibaba.parameters import Action, Parameter
from kmscore.emulator import alias_actions, key_actions, version_actions
from kmscore.emulator import parameter_readers as read
from kmscore.emulator.store import KeyStore

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
    return partial(key_actions.set_state, action=action, state=state, allowed=allowed)


_TABLE: Final[Mapping[str, tuple[Perform, tuple[Parameter, ...]]]] = MappingProxyType(
    {
        "CreateKey": (key_actions.create_key, _NEW_KEY),
        "DescribeKey": (key_actions.describe_key, (_KEY,)),
        "ListKeys": (key_actions.list_keys, (*_PAGE, Parameter("Filters", read.read_filters))),
        "UpdateKeyDescription": (key_actions.update_key_description, (_KEY, _DESCRIPTION)),
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
        "GetPublicKey": (version_actions.get_public_key, (_KEY, _VERSION)),
        "CreateAlias": (alias_actions.create_alias, (_KEY, _ALIAS)),
        "UpdateAlias": (alias_actions.update_alias, (_ALIAS, _KEY)),
        "DeleteAlias": (alias_actions.delete_alias, (_ALIAS,)),
        "ListAliases": (alias_actions.list_aliases, _PAGE),
        "ListAliasesByKeyId": (alias_actions.list_aliases_by_key_id, (_KEY, *_PAGE)),
        "CreateKeyVersion": (version_actions.create_key_version, (_KEY,)),
        "ListKeyVersions": (version_actions.list_key_versions, (_KEY, *_PAGE)),
        "DescribeKeyVersion": (version_actions.describe_key_version, (_KEY, _VERSION)),
    }
)
"""The function and the parameters of each action, in the order of the vendor's pages."""

MANAGEMENT_ACTIONS: Final = tuple(_TABLE)
"""The names of the management actions."""

"""Find the key that a parameter or a blob names, and check the permission to use it.

The steps are always in this order:

1. An alias or a resource name is resolved to a key ID.
2. The policy is asked about the resource name of that key. If the name cannot be resolved, the
   policy is asked about the name itself.
3. Only then does the response report that a name does not exist. A caller without permission
   therefore cannot find out which keys exist.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from kmscore._typecheck import check_instance
from kmscore._values import Record
from kmscore.alibaba import service_errors
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.policy_conditions import Facts
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.service_blob import ServiceBlob
from kmscore.alibaba.service_errors import Fault, RequestError
from kmscore.blob import CiphertextBlob
from kmscore.errors import KeyNotFoundError, KeyVersionNotFoundError

_MOST_CHARACTERS: Final = 512  # of a name that a resolver receives
_ALIAS: Final = "alias/"
_RESOURCE: Final = "acs:"
_KEY_RESOURCE: Final = re.compile(r"acs:kms:[^:]*:[^:]*:key/(.+)", re.DOTALL)
_ALIAS_RESOURCE: Final = re.compile(r"acs:kms:[^:]*:[^:]*:alias/.*", re.DOTALL)

Resolver: TypeAlias = Callable[[str], str | None]
"""A callable that takes an alias or a resource name, and returns its key ID or `None`.

The name comes from the request. It is an alias (`alias/…`), or the resource name of an alias or of
a key, and has at most 512 printable characters (`str.isprintable`); no other property is checked.
"""


def resource_name(key_id: str) -> str:
    """Return the resource name of a key in any region and account.

    Args:
        key_id: The ID of the key.

    Returns:
        The resource name. Region and account are wildcards.
    """
    return f"acs:kms:*:*:key/{key_id}"


def key_id_of_name(name: str) -> str | None:
    """Return the key ID in the resource name of a key, for any region and account.

    Args:
        name: A resource name, such as `acs:kms:REGION:ACCOUNT:key/KEYID`.

    Returns:
        The key ID, of 1 or more characters; `None` if `name` is not the resource name of a key.

    Raises:
        TypeError: If `name` is not a string.
    """
    match = _KEY_RESOURCE.fullmatch(name)
    return None if match is None else match[1]


class Named(NamedTuple):
    """The key that a parameter or a blob names, and the error if there is no such key."""

    key_id: str | None
    """The ID of the key; `None` if the name does not lead to a key."""

    text: str
    """The name for the policy if there is no key; a key ID, or the text that names the key."""

    unknown: Fault | None = None
    """The error for a name without a key; `None` for a key ID, which is not looked up here."""

    @property
    def name(self) -> str | None:
        """The key ID, or the name if there is no key; `None` if it can be neither."""
        name = self.text if self.key_id is None else self.key_id
        return name if len(name) <= _MOST_CHARACTERS and name.isprintable() else None


@dataclass(frozen=True, slots=True, repr=False)
class Access(Record):
    """The keys, the policy for their use, and the layout of the blobs."""

    keys: Any
    """A `KeyProvider`; for a profile of the service's layout a `KeyVersionProvider`."""

    policy: PolicyCallable
    """The permissions of every principal."""

    profile: Profile
    """The layout of every blob."""

    allow_ambiguous: bool
    """Whether ambiguous contexts are accepted."""

    arn: Callable[[str], str]
    """A callable that returns the resource name of a key ID."""

    resolve_key: Resolver
    """A callable that returns the key ID of an alias or a resource name."""

    facts: Facts | None = None
    """Facts about the request, for the policy."""

    def resolve(self, text: str) -> Named:
        """Return the key that a parameter names by key ID, alias or resource name."""
        is_alias = _names_alias(text)
        if not is_alias and not text.startswith(_RESOURCE):
            return Named(text, text)
        key_id = self._resolved(text)
        if is_alias:
            return Named(key_id, text, service_errors.ALIAS_NOT_FOUND)
        return Named(key_id, key_id_of_name(text) or text, service_errors.KEY_NOT_FOUND)

    def _resolved(self, name: str) -> str | None:
        """Return the key ID of an alias or resource name, or `None` if it has no key ID.

        A resolver can build a path or a query from the name. For this reason it never receives a
        control character, a line separator or more than 512 characters.
        """
        if len(name) > _MOST_CHARACTERS or not name.isprintable():
            return None
        if not _names_alias(name) and key_id_of_name(name) is None:
            return None
        try:
            key_id = self.resolve_key(name)
        except KeyNotFoundError:
            return None
        if key_id is not None:
            check_instance(key_id, str, "resolve_key()")
        return key_id

    def resolve_unaliased(self, text: str) -> Named:
        """Return the key that a parameter names by key ID or resource name.

        Raises `RequestError` for an alias, because an alias is not globally unique.
        """
        if _names_alias(text):
            raise RequestError(service_errors.UNSUPPORTED_ALIAS)
        return self.resolve(text)

    def named_in(self, ciphertext_blob: bytes) -> Named:
        """Return the key of the key version that a blob of the profile's layout names.

        Raises `InvalidBlobError` if the bytes are not such a blob.
        """
        if self.profile.is_v1:
            key_id: str | None = CiphertextBlob.parse(ciphertext_blob).key_id
            return Named(key_id, str(key_id))
        version_id = ServiceBlob.parse(ciphertext_blob, profile=self.profile).key_version_id
        try:
            key_id = self.keys.version_by_id(version_id).key_id
        except (KeyNotFoundError, KeyVersionNotFoundError):
            key_id = None
        return Named(key_id, version_id, service_errors.KEY_VERSION_NOT_FOUND)

    def permit(self, principal: object, *uses: tuple[str, Named]) -> list[str]:
        """Return the key IDs of all uses, in order, if every use is allowed.

        Raises `RequestError` if a use is not allowed. If all uses are allowed, it raises
        `RequestError` for the first name without a key.
        """
        unknown = [self._unknown(principal, action, named) for action, named in uses]
        for fault in unknown:
            if fault is not None:
                raise RequestError(fault)
        return [str(named.key_id) for _, named in uses]

    def permit_resource(self, principal: object, action: str, resource: str) -> None:
        """Raise `RequestError` unless the action on this resource name is allowed."""
        if not self._allows(principal, action, resource):
            raise RequestError(service_errors.NO_PERMISSION)

    def _unknown(self, principal: object, action: str, named: Named) -> Fault | None:
        """Return the error for a name without a key, or `None` if the name has an allowed key.

        Raises `RequestError` if the use is not allowed. A key that is not allowed, but has another
        name in the request, gets the same response as a name without a key. In both cases the
        policy is asked about the name, and can allow it. The policy is asked only once about each
        resource, because a second answer could differ.
        """
        key = None if named.key_id is None else self.arn(named.key_id)
        if key is not None and self._allows(principal, action, key):
            return None
        if named.unknown is not None:
            name = self.arn(named.text)
            if name != key and self._allows(principal, action, name):
                return named.unknown
        raise RequestError(service_errors.NO_PERMISSION)

    def _allows(self, principal: object, action: str, resource: str) -> bool:
        """Ask the policy; only `True` allows."""
        more = () if self.facts is None else (self.facts,)
        return self.policy(principal, f"kms:{action}", resource, *more) is True


def _names_alias(text: str) -> bool:
    """Return whether a parameter names a key by an alias."""
    return text.startswith(_ALIAS) or _ALIAS_RESOURCE.fullmatch(text) is not None

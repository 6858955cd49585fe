"""From what a parameter names to a key that the caller may use, before anyone looks for that key.

An alias or a resource name becomes a key ID, the policy is asked about that key's resource name,
and only then may be said that something does not exist. What cannot be resolved stands for itself
until the policy has been asked about it: who may not, learns nothing about what exists.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from kmscore._typecheck import check_instance
from kmscore._values import Record
from kmscore.alibaba import service_errors
from kmscore.alibaba.policy import PolicyCallable
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.service_blob import ServiceBlob
from kmscore.alibaba.service_errors import Fault, RequestError
from kmscore.blob import CiphertextBlob
from kmscore.errors import KeyNotFoundError, KeyVersionNotFoundError

_MOST_CHARACTERS: Final = 512  # of what a resolver is asked about
_ALIAS: Final = "alias/"
_RESOURCE: Final = "acs:"
_KEY_RESOURCE: Final = re.compile(r"acs:kms:[^:]*:[^:]*:key/(.+)", re.DOTALL)
_ALIAS_RESOURCE: Final = re.compile(r"acs:kms:[^:]*:[^:]*:alias/.*", re.DOTALL)

Resolver: TypeAlias = Callable[[str], str | None]
"""Takes an alias or a resource name, and gives the key ID that it stands for, or `None`.

The caller chooses the name. It has 1 to 512 printable characters (`str.isprintable`); no other
property is checked.
"""


def resource_name(key_id: str) -> str:
    """Return the resource name of a key in any region and account: `acs:kms:*:*:key/KEYID`."""
    return f"acs:kms:*:*:key/{key_id}"


def key_id_of_name(name: str) -> str | None:
    """Return the key ID in the resource name of a key, whatever region and account; else `None`."""
    match = _KEY_RESOURCE.fullmatch(name)
    return None if match is None else match[1]


class Named(NamedTuple):
    """What a parameter or a blob names, and what is to be said if it names nothing."""

    key_id: str | None
    """The key that is meant; `None` if there is none to be found."""

    text: str
    """What the policy is asked about where there is no key: the key ID itself, or what names it."""

    unknown: Fault | None = None
    """What is said of a text that names no key; `None` for a key ID, which is not looked up."""


@dataclass(frozen=True, slots=True, repr=False)
class Access(Record):
    """Whose keys they are, who may use them, and how they are laid out."""

    keys: Any
    """A `KeyProvider`; for a profile of the service's layout a `KeyVersionProvider`."""

    policy: PolicyCallable
    profile: Profile
    allow_ambiguous: bool
    arn: Callable[[str], str]
    resolve_key: Resolver

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
        """Return the key ID behind an alias or resource name, `None` if it has none.

        A resolver may build a path or a query from the name, so it never sees a control character,
        a line separator or more than 512 characters.
        """
        if len(name) > _MOST_CHARACTERS or not name.isprintable():
            return None
        try:
            key_id = self.resolve_key(name)
        except KeyNotFoundError:
            return None
        if key_id is not None:
            check_instance(key_id, str, "resolve_key()")
        return key_id

    def resolve_unaliased(self, text: str) -> Named:
        """`resolve` for a parameter that has to be globally unique, as no alias is.

        Raises `RequestError` for an alias.
        """
        if _names_alias(text):
            raise RequestError(service_errors.UNSUPPORTED_ALIAS)
        return self.resolve(text)

    def named_in(self, ciphertext_blob: bytes) -> Named:
        """Return the key whose version a blob of the profile's layout names.

        Raises `InvalidBlobError` if it is none.
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
        """Return the keys of all uses, in order, if every use is allowed.

        Raises `RequestError` if one is not, and only then if one names no key.
        """
        unknown = [self._unknown(principal, action, named) for action, named in uses]
        for fault in unknown:
            if fault is not None:
                raise RequestError(fault)
        return [str(named.key_id) for _, named in uses]

    def _unknown(self, principal: object, action: str, named: Named) -> Fault | None:
        """Return what is to be said of a name that stands for nothing, `None` if it names a key.

        Raises `RequestError` if the use is not allowed. A key that is reached by another name, and
        not allowed, is answered just as a name that stands for nothing: the policy is asked about
        the name, and may allow that. It is asked only once about one resource, because the second
        answer may differ.
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
        return self.policy(principal, f"kms:{action}", resource) is True


def _names_alias(text: str) -> bool:
    """Tell whether a parameter names a key by an alias."""
    return text.startswith(_ALIAS) or _ALIAS_RESOURCE.fullmatch(text) is not None

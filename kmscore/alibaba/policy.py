"""Permissions: who may do what to which key.

A policy is a callable that says so. `Policy` is one made from a document in the JSON that the
service's access management (RAM) uses, for one principal; `Policies` chooses by principal. What is
not allowed is refused, and a denial outweighs what is allowed.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, final

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Immutable, representation

PolicyCallable: TypeAlias = Callable[[Any, str, str], bool]
"""Takes a principal, an action such as `kms:Decrypt` and the resource name of a key."""

PERMISSIONS: Final = (
    "kms:AsymmetricDecrypt",
    "kms:AsymmetricEncrypt",
    "kms:Decrypt",
    "kms:Encrypt",
    "kms:ExportDataKey",
    "kms:GenerateAndExportDataKey",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""Every action that a policy is asked about."""

_SEGMENTS: Final = 5  # of a resource name: acs:kms:REGION:ACCOUNT:key/KEYID
_UNTOLD: Final = frozenset({2, 3})  # of these, those that a service may not tell
_ACTION: Final = re.compile(r"\*|[A-Za-z0-9*-]+:[A-Za-z0-9*]+")


class InvalidPolicyError(ValueError):
    """A policy document is not one, or holds what is not understood here."""


def ALLOW_ALL(principal: object, action: str, resource: str) -> bool:  # noqa: ARG001, N802
    """Allow everyone everything. For tests and for a service that has asked elsewhere already."""
    return True


class Statement(NamedTuple):
    """One statement: whether it denies, and the patterns of what it is about."""

    denies: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def matches(self, action: str, resource: str) -> bool:
        """Tell whether it is about this action on this resource."""
        return any(_matches(pattern, action) for pattern in self.actions) and any(
            _matches_resource(pattern, resource) for pattern in self.resources
        )


@final
class Policy(Immutable):
    """What one principal may do. A callable of principal, action and resource.

    The principal is not looked at: whose policy it is, is for whoever chose it to know.
    """

    __slots__ = ("_statements",)

    _statements: tuple[Statement, ...]

    def __init__(self, statements: Iterable[Statement]) -> None:
        """Take statements, as `from_json` reads them."""
        self._set(_statements=tuple(statements))

    @classmethod
    def from_json(cls, text: str) -> "Policy":
        """Read a policy document.

        It is an object of `Version` (`"1"`) and `Statement`, a list of objects of `Effect`
        (`Allow` or `Deny`), `Action` and `Resource`, each of these two a string or a list of them.
        `*` stands for any characters and nothing else is special. Of a resource name
        `acs:kms:REGION:ACCOUNT:key/KEYID`, each of the five parts is matched by itself. A region or
        account that the service does not tell, `*` in the resource that it asks about, is any: a
        statement about one of them is about that key too.

        Raises `TypeError` if `text` is not a `str`, and `InvalidPolicyError`, which names it, for
        anything else that stands there: conditions, `NotAction`, `NotResource` and `Principal`
        among them, and actions and resources that look like ours and can be none. What is not
        understood is never ignored: a denial would be without effect.
        """
        check_text(text, "policy")
        document = _fields(_load(text), "the policy", {"Version", "Statement"})
        if document["Version"] != "1":
            raise InvalidPolicyError('Version must be "1"')
        statements = document["Statement"]
        if not isinstance(statements, list):
            raise InvalidPolicyError("Statement must be a list")
        return cls(
            _statement(statement, f"statement {number}")
            for number, statement in enumerate(statements, 1)
        )

    def __call__(self, principal: object, action: str, resource: str) -> bool:  # noqa: ARG002
        """Return whether a statement allows it and none denies it."""
        denials = {
            statement.denies
            for statement in self._statements
            if statement.matches(action, resource)
        }
        return denials == {False}

    def __reduce__(self) -> tuple[type["Policy"], tuple[tuple[Statement, ...]]]:
        """Rebuild from the statements."""
        return type(self), (self._statements,)

    @representation
    def __repr__(self) -> str:
        """Show how much is in it."""
        return f"<Policy statements={len(self._statements)}>"


@final
class Policies(Immutable):
    """The policies of several principals. An unknown principal may do nothing."""

    __slots__ = ("_by_principal",)

    _by_principal: dict[tuple[type, Hashable], PolicyCallable]

    def __init__(self, by_principal: Mapping[Hashable, PolicyCallable]) -> None:
        """Take a policy for each principal. Raises `TypeError` for anything else."""
        if by_principal is None:
            raise TypeError("by_principal must be Mapping, not NoneType")
        check_mapping(by_principal, "by_principal")
        chosen = dict(by_principal)
        for policy in chosen.values():
            check_policy(policy)
        # By type too: 1, 1.0 and True are equal, and three principals.
        self._set(_by_principal={(type(key), key): policy for key, policy in chosen.items()})

    def __call__(self, principal: object, action: str, resource: str) -> bool:
        """Return what the principal's policy says."""
        try:
            policy = self._by_principal.get((type(principal), principal))
        except TypeError:  # it cannot be hashed, so nobody has given it a policy
            return False
        return policy is not None and policy(principal, action, resource) is True

    def __reduce__(self) -> tuple[type["Policies"], tuple[dict[Hashable, PolicyCallable]]]:
        """Rebuild from the policies."""
        return type(self), ({key: policy for (_, key), policy in self._by_principal.items()},)

    @representation
    def __repr__(self) -> str:
        """Show how much is in it."""
        return f"<Policies principals={len(self._by_principal)}>"


def check_policy(value: object) -> None:
    """Raise `TypeError` unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"policy must be callable, not {type(value).__name__}")


def _load(text: str) -> object:
    """Return the JSON in a text, in which no name may stand twice."""
    document: object = None
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidPolicyError):
            raise
    if document is None:
        raise InvalidPolicyError("the policy is not a JSON object")
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of pairs."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidPolicyError("a name stands twice in the policy")
    return fields


def _fields(value: object, what: str, due: set[str]) -> dict[str, Any]:
    """Return an object that has just the fields due."""
    if not isinstance(value, dict):
        raise InvalidPolicyError(f"{what} must be an object")
    for name in value:
        if name not in due:
            raise InvalidPolicyError(f"{name!r:.80} in {what} is not understood, and not ignored")
    for name in sorted(due - value.keys()):
        raise InvalidPolicyError(f"{what} lacks {name}")
    return value


def _statement(value: object, what: str) -> Statement:
    """Return a statement of a document."""
    fields = _fields(value, what, {"Effect", "Action", "Resource"})
    effect = fields["Effect"]
    if effect not in ("Allow", "Deny"):
        raise InvalidPolicyError(f"Effect of {what} must be Allow or Deny")
    actions = _patterns(fields["Action"], f"Action of {what}")
    for pattern in actions:
        _check_action(pattern, what)
    resources = _patterns(fields["Resource"], f"Resource of {what}")
    for pattern in resources:
        if not _is_resource(pattern):
            raise InvalidPolicyError(
                f"Resource {pattern!r:.80} of {what} is no resource name, such as"
                " acs:kms:REGION:ACCOUNT:key/KEYID, or * for a part or all of it"
            )
    return Statement(effect == "Deny", actions, resources)


def _patterns(value: object, what: str) -> tuple[str, ...]:
    """Return a string or a list of strings as patterns."""
    patterns = [value] if isinstance(value, str) else value
    if not isinstance(patterns, list) or not patterns:
        raise InvalidPolicyError(f"{what} must be a string or a list of strings")
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise InvalidPolicyError(f"{what} must be a string or a list of strings")
    return tuple(patterns)


def _check_action(pattern: str, what: str) -> None:
    """Refuse an action that looks like one of ours and is none: a denial of it would do nothing."""
    if _ACTION.fullmatch(pattern) is None:
        raise InvalidPolicyError(f"Action {pattern!r:.80} of {what} is no action name")
    if pattern == "kms:ReEncrypt":
        raise InvalidPolicyError(
            f"Action {pattern!r} of {what} is two: kms:ReEncryptFrom and kms:ReEncryptTo"
        )
    for action in PERMISSIONS:
        if _matches(pattern.lower(), action.lower()) and not _matches(pattern, action):
            raise InvalidPolicyError(
                f"Action {pattern!r:.80} of {what} must be spelt as in {action}"
            )


def _is_resource(pattern: str) -> bool:
    """Tell whether a pattern is one of resource names, of any service.

    One of ours has to be able to fit a key, or name something else than a key.
    """
    if pattern == "*":
        return True
    parts = _parts(pattern)
    if len(parts) != _SEGMENTS or parts[0] != "acs" or not pattern.isprintable() or " " in pattern:
        return False
    service, relative = parts[1], parts[4]
    if not _matches(service.lower(), "kms"):
        return True
    is_key = relative.lower().startswith("key/")
    return (
        _matches(service, "kms")
        and "" not in parts
        and (not is_key or relative.startswith("key/"))
        and ("/" in relative or "*" in relative)
    )


def _parts(pattern: str) -> list[str]:
    """Return the five parts of a pattern; a `*` at its end stands for all that follow, too."""
    parts = pattern.split(":", _SEGMENTS - 1)
    if parts[-1] == "*":
        parts += ["*"] * (_SEGMENTS - len(parts))
    return parts


def _matches_resource(pattern: str, resource: str) -> bool:
    """Tell whether a resource name fits a pattern, part by part.

    Part by part, since a key ID may hold a colon: `acs:kms:*:*:key/a` is not to fit `x:key/a`.
    """
    patterns, parts = _parts(pattern), resource.split(":", _SEGMENTS - 1)
    if pattern == "*" or len(parts) != _SEGMENTS:
        return _matches(pattern, resource)
    return all(
        _matches(each, part) or (index in _UNTOLD and part == "*")
        for index, (each, part) in enumerate(zip(patterns, parts, strict=True))
    )


def _matches(pattern: str, text: str) -> bool:
    """Tell whether a text fits a pattern in which `*` stands for any characters.

    What stands between two of them is looked for from the left, so this takes linear time for each
    of them, and never goes back.
    """
    first, *rest = pattern.split("*")
    if not rest:
        return text == pattern
    *middle, last = rest
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        position = text.find(piece, position, end)
        if position < 0:
            return False
        position += len(piece)
    return True

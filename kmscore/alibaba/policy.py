"""Permissions of principals: the allowed actions and keys.

A policy is a callable that returns whether an action on a key is allowed. `Policy` is a policy for
one principal, from a document in the JSON of the service's access management (RAM). `Policies`
selects a policy by principal. An action is denied unless a statement allows it, and a denial has
priority over permissions.
"""

import json
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias, final

from kmscore._typecheck import check_callable, check_instance, check_mapping, check_text
from kmscore._values import Immutable, representation
from kmscore.alibaba.policy_conditions import Condition, Facts, matches, read_conditions
from kmscore.alibaba.published_actions import OTHER_ACTIONS

PolicyCallable: TypeAlias = Callable[..., bool]
"""A callable with a principal, an action such as `kms:Decrypt`, and the resource name of a key.

It returns `True` if the action is allowed. For a call with facts, they are a fourth argument.
"""

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
"""The actions that the API checks with a policy."""

_SEGMENTS: Final = 5  # of a resource name: acs:kms:REGION:ACCOUNT:key/KEYID
_REGION_AND_ACCOUNT: Final = frozenset(
    {2, 3}
)  # the indexes of region and account, which can be `*`
_CONTAINERS: Final = frozenset({"key", "alias", "secret"})
"""The last parts of the names of containers, such as `acs:kms:REGION:ACCOUNT:key`."""

_ACTION: Final = re.compile(r"\*|[A-Za-z0-9*-]+:[A-Za-z0-9*]+")


class InvalidPolicyError(ValueError):
    """A text is not a policy document, or has content that is not supported here."""


def ALLOW_ALL(  # noqa: N802
    principal: object,  # noqa: ARG001
    action: str,  # noqa: ARG001
    resource: str,  # noqa: ARG001
    facts: Facts | None = None,  # noqa: ARG001
) -> bool:
    """Allow every action.

    For tests, and for a service that has already checked the permissions.

    Args:
        principal: Not used.
        action: Not used.
        resource: Not used.
        facts: Not used.

    Returns:
        Always `True`.
    """
    return True


class Statement(NamedTuple):
    """One statement of a policy document."""

    denies: bool
    """Whether the effect is `Deny`; otherwise it is `Allow`."""

    actions: tuple[str, ...]
    """Patterns of actions, such as `kms:*`."""

    resources: tuple[str, ...]
    """Patterns of resource names."""

    conditions: tuple[Condition, ...] = ()
    """Conditions on facts of the request, which must all be true."""

    def applies(self, action: str, resource: str, facts: Facts) -> bool:
        """Return whether the statement applies to this action on this resource.

        A false condition decides. Otherwise an unknown one counts as false if the statement allows,
        and as true if it denies.
        """
        if not any(matches(pattern, action) for pattern in self.actions):
            return False
        if not any(_matches_resource(pattern, resource) for pattern in self.resources):
            return False
        results = {condition.holds(facts) for condition in self.conditions}
        return False not in results and (self.denies or None not in results)


@final
class Policy(Immutable):
    """The permissions of one principal, as a callable of principal, action and resource.

    The call ignores the principal. To select a policy by principal, use `Policies`.
    """

    __slots__ = ("_statements",)

    _statements: tuple[Statement, ...]

    def __init__(self, statements: Iterable[Statement]) -> None:
        """Create a policy from statements. Use `from_json` to read a policy document.

        Args:
            statements: The statements.

        Raises:
            TypeError: If `statements` is not an iterable of statements.
        """
        given = tuple(statements)
        for statement in given:
            check_instance(statement, Statement, "statement")
        self._set(_statements=given)

    @classmethod
    def from_json(cls, text: str, *, extra_actions: Iterable[str] = ()) -> "Policy":
        """Read a policy document.

        The document is a JSON object with only these fields:

        - `Version`: the string `"1"`.
        - `Statement`: a list of objects. Each object has the fields `Effect` (`Allow` or `Deny`),
          `Action`, `Resource` and, if it has conditions, `Condition`. `Action` and `Resource` are a
          string, or a list of one or more strings.

        In a pattern, `*` matches any characters; no other character is special. Each of the five
        parts of a resource name `acs:kms:REGION:ACCOUNT:key/KEYID` is matched separately. If region
        or account in the requested resource name is `*`, it matches every region or account in a
        statement.

        `Condition` has operators (`Bool`, `IpAddress`, `NotIpAddress`, `Date…`, `String…`), keys
        (`acs:SourceIp`, `acs:CurrentTime`, `acs:SecureTransport`) and values. All operators and
        keys must be true, with one of their values. If the call lacks the fact of a key, the
        condition is false for `Allow` and true for `Deny`, also with a negated operator.

        A statement whose actions cannot match an action of this package can have any content, and
        is ignored. Other unknown content is an error, because an ignored denial has no effect.

        Args:
            text: The document.
            extra_actions: The names of the extra actions of the API, such as `CreateKey` (default
                none). Statements about these actions are not ignored.

        Returns:
            The policy.

        Raises:
            TypeError: If `text` is not a `str`.
            InvalidPolicyError: If the document has another form, with statement, element and reason
                in the message. Examples are other keys of conditions, `NotAction`, `NotResource`
                and `Principal`. Also if an action or a resource name is malformed or has the wrong
                letter case, or if the service has no such action.
        """
        check_text(text, "policy")
        document = _fields(_load(text), "the policy", {"Version", "Statement"})
        if document["Version"] != "1":
            raise InvalidPolicyError('Version must be "1"')
        statements = document["Statement"]
        if not isinstance(statements, list):
            raise InvalidPolicyError("Statement must be a list")
        served = (*PERMISSIONS, *map("kms:{}".format, extra_actions))
        read = (
            _statement(statement, f"statement {number}", served)
            for number, statement in enumerate(statements, 1)
        )
        return cls(statement for statement in read if statement is not None)

    def __call__(
        self,
        principal: object,  # noqa: ARG002
        action: str,
        resource: str,
        facts: Facts | None = None,
    ) -> bool:
        """Return whether a statement allows an action and no statement denies it.

        Args:
            principal: Not used.
            action: An action, such as `kms:Decrypt`.
            resource: The resource name of a key.
            facts: Facts about the request, for conditions (default `None`, no facts).

        Returns:
            `True` if the action is allowed.
        """
        denials = {
            statement.denies
            for statement in self._statements
            if statement.applies(action, resource, facts or {})
        }
        return denials == {False}

    def __reduce__(self) -> tuple[type["Policy"], tuple[tuple[Statement, ...]]]:
        """Return the class and the statements, for `pickle`."""
        return type(self), (self._statements,)

    @representation
    def __repr__(self) -> str:
        """Return the number of statements."""
        return f"<Policy statements={len(self._statements)}>"


@final
class Policies(Immutable):
    """The policies of several principals. An unknown principal has no permissions."""

    __slots__ = ("_by_principal",)

    _by_principal: dict[tuple[type, Hashable], PolicyCallable]

    def __init__(self, by_principal: Mapping[Hashable, PolicyCallable]) -> None:
        """Create a policy from one policy for each principal.

        Args:
            by_principal: Policies by principal. Two principals of different types are different,
                also if they are equal (`1` and `True`).

        Raises:
            TypeError: If `by_principal` is not a mapping, or if a policy is not callable.
        """
        if by_principal is None:
            raise TypeError("by_principal must be Mapping, not NoneType")
        check_mapping(by_principal, "by_principal")
        chosen = dict(by_principal)
        for policy in chosen.values():
            check_callable(policy, "policy")
        # The type is part of the key, because 1, 1.0 and True are equal, but three principals.
        self._set(_by_principal={(type(key), key): policy for key, policy in chosen.items()})

    def __call__(
        self, principal: object, action: str, resource: str, facts: Facts | None = None
    ) -> bool:
        """Return whether the policy of a principal allows an action.

        Args:
            principal: The principal. Its policy is called with the same arguments.
            action: An action, such as `kms:Decrypt`.
            resource: The resource name of a key.
            facts: Facts about the request; the policy gets them only if they are given.

        Returns:
            `True` if the policy of the principal returns `True`. `False` otherwise, also if the
            principal is unknown or not hashable.

        Raises:
            Exception: Any exception of the policy of the principal.
        """
        try:
            policy = self._by_principal.get((type(principal), principal))
        except TypeError:  # not hashable, so it cannot have a policy
            return False
        if policy is None:
            return False
        more = () if facts is None else (facts,)
        return policy(principal, action, resource, *more) is True

    def __reduce__(self) -> tuple[type["Policies"], tuple[dict[Hashable, PolicyCallable]]]:
        """Return the class and the policies, for `pickle`."""
        return type(self), ({key: policy for (_, key), policy in self._by_principal.items()},)

    @representation
    def __repr__(self) -> str:
        """Return the number of principals."""
        return f"<Policies principals={len(self._by_principal)}>"


def _load(text: str) -> object:
    """Return the JSON value of a text, or raise an error if a name occurs twice."""
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
    """Return the JSON object of `pairs`, or raise an error if a name occurs twice."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidPolicyError("a name occurs twice in the policy")
    return fields


def _fields(value: object, what: str, due: set[str], more: str | None = None) -> dict[str, Any]:
    """Return a JSON object if it has exactly the fields in `due`, and perhaps one more."""
    if not isinstance(value, dict):
        raise InvalidPolicyError(f"{what} must be an object")
    for name in value:
        if name not in due and name != more:
            raise InvalidPolicyError(f"{name!r:.80} in {what} is not supported")
    for name in sorted(due - value.keys()):
        raise InvalidPolicyError(f"{what} lacks {name}")
    return value


def _statement(value: object, what: str, served: tuple[str, ...]) -> Statement | None:
    """Return a statement of a document, or `None` if it has no action that is served."""
    actions: tuple[str, ...] = ()
    if isinstance(value, dict) and "Action" in value and "NotAction" not in value:
        actions = _patterns(value["Action"], f"Action of {what}")
        for pattern in actions:
            _check_action(pattern, what)
        if not any(matches(pattern, action) for pattern in actions for action in served):
            return None
    fields = _fields(value, what, {"Effect", "Action", "Resource"}, "Condition")
    effect = fields["Effect"]
    if effect not in ("Allow", "Deny"):
        raise InvalidPolicyError(f"Effect of {what} must be Allow or Deny")
    resources = _patterns(fields["Resource"], f"Resource of {what}")
    for pattern in resources:
        if not _is_resource(pattern):
            raise InvalidPolicyError(
                f"Resource {pattern!r:.80} of {what} is not a resource name, such as"
                " acs:kms:REGION:ACCOUNT:key/KEYID; * can replace a part or all of it"
            )
    try:
        conditions = read_conditions(fields.get("Condition", {}))
    except ValueError as error:
        raise InvalidPolicyError(f"Condition of {what}: {error}") from None
    return Statement(effect == "Deny", actions, resources, conditions)


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
    """Reject an action that the service does not have, or not in this letter case.

    A denial of such an action would have no effect.
    """
    if _ACTION.fullmatch(pattern) is None:
        raise InvalidPolicyError(f"Action {pattern!r:.80} of {what} is not an action name")
    if pattern == "kms:ReEncrypt":
        raise InvalidPolicyError(
            f"Action {pattern!r} of {what} is incomplete; use kms:ReEncryptFrom or kms:ReEncryptTo"
        )
    if not matches(pattern.partition(":")[0].lower(), "kms"):
        return
    for action in (*PERMISSIONS, *sorted(OTHER_ACTIONS)):
        if matches(pattern.lower(), action.lower()) and not matches(pattern, action):
            raise InvalidPolicyError(
                f"Action {pattern!r:.80} of {what} must have the letter case of {action}"
            )
    if not any(matches(pattern, action) for action in (*PERMISSIONS, *OTHER_ACTIONS)):
        raise InvalidPolicyError(f"Action {pattern!r:.80} of {what} is not one of the service")


def _is_resource(pattern: str) -> bool:
    """Return whether a pattern can match resource names of any service.

    A pattern of KMS must be able to match a key, or must name another kind of resource.
    """
    if pattern == "*":
        return True
    parts = _parts(pattern)
    if len(parts) != _SEGMENTS or not matches(parts[0], "acs"):
        return False
    if not pattern.isprintable() or " " in pattern:
        return False
    service, relative = parts[1], parts[4]
    if not matches(service.lower(), "kms"):
        return True
    # An empty region or account is in no resource name with a region and an account.
    if not matches(service, "kms") or "" in parts or "?" in pattern:
        return False
    # A pattern of keys, or exactly another kind. A pattern of no key would deny nothing.
    kind = relative.partition("/")[0]
    return kind in _CONTAINERS or _can_begin(relative, "key/")


def _can_begin(pattern: str, start: str) -> bool:
    """Return whether a pattern can match a text that begins with `start`."""
    first, star, _ = pattern.partition("*")
    return first.startswith(start) or (star != "" and start.startswith(first))


def _parts(pattern: str) -> list[str]:
    """Return the five parts of a pattern. A last part `*` also replaces all missing parts."""
    parts = pattern.split(":", _SEGMENTS - 1)
    if parts[-1] == "*":
        parts += ["*"] * (_SEGMENTS - len(parts))
    return parts


def _matches_resource(pattern: str, resource: str) -> bool:
    """Return whether a resource name matches a pattern.

    Each part is matched separately because a key ID can contain colons. With `acs:kms:*:*:key/a`,
    the key `x:key/a` must not match.
    """
    patterns, parts = _parts(pattern), resource.split(":", _SEGMENTS - 1)
    if pattern == "*" or len(parts) != _SEGMENTS:
        return matches(pattern, resource)
    return all(
        matches(each, part) or (index in _REGION_AND_ACCOUNT and part == "*")
        for index, (each, part) in enumerate(zip(patterns, parts, strict=True))
    )

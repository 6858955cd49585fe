"""Permissions of principals: the allowed actions and keys.

A policy is a callable that returns whether an action on a key is allowed. `Policy` is a policy for
one principal, from a document in the JSON of the service's access management (RAM). `Policies`
selects a policy by principal. An action is denied unless a statement allows it, and a denial has
priority over permissions.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeAlias, final

from kmscore._typecheck import check_callable, check_instance, check_mapping
from kmscore._values import Immutable, representation
from kmscore.alibaba.policy_conditions import Facts
from kmscore.alibaba.policy_document import Statement, read_statements

PolicyCallable: TypeAlias = Callable[..., bool]
"""A callable with a principal, an action such as `kms:Decrypt`, and the resource name of a key.

It returns `True` if the action is allowed. For a call with facts, they are a fourth argument.
"""


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
        return cls(read_statements(text, extra_actions=extra_actions))

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

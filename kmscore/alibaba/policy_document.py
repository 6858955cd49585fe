"""The reading of policy documents, in the JSON of the service's access management (RAM)."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from kmscore._typecheck import check_text
from kmscore.alibaba.policy_conditions import Condition, Facts, matches, read_conditions
from kmscore.alibaba.published_actions import OTHER_ACTIONS
from kmscore.alibaba.resource_patterns import is_resource_pattern, matches_resource

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

_ACTION: Final = re.compile(r"\*|[A-Za-z0-9*-]+:[A-Za-z0-9*]+")


class InvalidPolicyError(ValueError):
    """A text is not a policy document, or has content that is not supported here."""


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
        if not any(matches_resource(pattern, resource) for pattern in self.resources):
            return False
        results = {condition.holds(facts) for condition in self.conditions}
        return False not in results and (self.denies or None not in results)


def read_statements(text: str, *, extra_actions: Iterable[str] = ()) -> tuple[Statement, ...]:
    """Read a policy document; `Policy.from_json` describes its form.

    Args:
        text: The document.
        extra_actions: The names of the extra actions of the API (default none).

    Returns:
        The statements about actions of this package and about the extra ones.

    Raises:
        TypeError: If `text` is not a `str`.
        InvalidPolicyError: If the document has another form.
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
    return tuple(statement for statement in read if statement is not None)


def _load(text: str) -> object:
    """Return the JSON value of a text, or raise an error if a name occurs twice."""
    document: object = None
    problem = "a JSON object"
    try:
        document = json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        problem = f"JSON, see line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError) as error:
        if isinstance(error, InvalidPolicyError):
            raise
    if document is None:
        raise InvalidPolicyError(f"the policy is not {problem}")
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the JSON object of `pairs`, or raise an error if a name occurs twice."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
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
    denies = fields["Effect"] == "Deny"
    if not denies and fields["Effect"] != "Allow":
        raise InvalidPolicyError(f"Effect of {what} must be Allow or Deny")
    resources = _patterns(fields["Resource"], f"Resource of {what}")
    for pattern in resources:
        if not is_resource_pattern(pattern):
            raise InvalidPolicyError(
                f"Resource {pattern!r:.80} of {what} is not a resource name, such as"
                " acs:kms:REGION:ACCOUNT:key/KEYID; * can replace a part or all of it"
            )
    try:
        conditions = read_conditions(fields.get("Condition", {}))
    except ValueError as error:
        raise InvalidPolicyError(f"Condition of {what}: {error}") from None
    return Statement(denies, actions, resources, conditions)


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

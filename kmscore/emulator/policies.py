"""Policies of the emulator: one document for all callers, or one for each access key."""

import json
from collections.abc import Collection
from functools import partial

from kmscore._typecheck import check_text
from kmscore.alibaba.policy import Policies, Policy, PolicyCallable
from kmscore.alibaba.policy_document import InvalidPolicyError, Statement, read_statements
from kmscore.alibaba.resource_patterns import is_only_elsewhere
from kmscore.emulator.json_fields import InvalidDocumentError, unique
from kmscore.emulator.management import MANAGEMENT_ACTIONS
from kmscore.emulator.store import KeyStore


def read_policy(text: str) -> PolicyCallable:
    """Read a policy for the cryptographic and the management actions.

    Args:
        text: A policy document as for `kmscore.alibaba.Policy.from_json`, or a JSON object with
            such a document for each access key ID. An access key without a document then has no
            permissions.

    Returns:
        The policy.

    Raises:
        TypeError: If `text` is not a `str`.
        InvalidPolicyError: If a document is invalid.
    """
    by_caller = _statements_by_caller(text)
    if None in by_caller:
        return Policy(by_caller[None])
    return Policies({caller: Policy(statements) for caller, statements in by_caller.items()})


def warnings_of(text: str, callers: Collection[str]) -> list[str]:
    """Return what a valid policy denies probably by mistake, because responses do not say it."""
    by_caller, warnings = _statements_by_caller(text), list[str]()
    if None not in by_caller and by_caller.keys().isdisjoint(callers):
        warnings.append(f"no policy for {', '.join(callers):.80}: each request is denied")
    place = KeyStore().resource("").split(":")[:-1]
    statements = [each for given in by_caller.values() for each in given]
    elsewhere = sum(is_only_elsewhere(each.resources, place) for each in statements)
    if elsewhere:
        warnings.append(
            "statements without effect, because their resources have another region or account:"
            f" {elsewhere} of {len(statements)}; the keys here are {':'.join(place)}:key/KEYID"
        )
    return warnings


def _statements_by_caller(text: str) -> dict[str | None, tuple[Statement, ...]]:
    """Return the statements by access key ID, or by `None` those for all callers.

    Raises `TypeError`, and `InvalidPolicyError`.
    """
    check_text(text, "policy")
    try:
        # A second member of one name could hide a denial.
        document = json.loads(text, object_pairs_hook=unique)
    except InvalidDocumentError as error:
        raise InvalidPolicyError(f"the policy: {error}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not document.keys().isdisjoint({"Statement", "Version"}):
        return {None: _read(text)}
    by_caller: dict[str | None, tuple[Statement, ...]] = {}
    for caller, each in document.items():
        try:
            by_caller[caller] = _read(json.dumps(each))
        except InvalidPolicyError as error:
            raise InvalidPolicyError(f"access key {caller!r:.80}: {error}") from None
    return by_caller


_read = partial(read_statements, extra_actions=MANAGEMENT_ACTIONS)

"""Policies of the emulator: one document for all callers, or one for each access key."""

import json

from kmscore._typecheck import check_text
from kmscore.alibaba.policy import Policies, Policy, PolicyCallable
from kmscore.alibaba.policy_document import InvalidPolicyError
from kmscore.emulator.json_fields import InvalidDocumentError, unique
from kmscore.emulator.management import MANAGEMENT_ACTIONS


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
    check_text(text, "policy")
    try:
        # A second member of one name could hide a denial.
        document = json.loads(text, object_pairs_hook=unique)
    except InvalidDocumentError as error:
        raise InvalidPolicyError(f"the policy: {error}") from None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not document.keys().isdisjoint({"Statement", "Version"}):
        return Policy.from_json(text, extra_actions=MANAGEMENT_ACTIONS)
    by_caller = {}
    for caller, each in document.items():
        try:
            by_caller[caller] = Policy.from_json(json.dumps(each), extra_actions=MANAGEMENT_ACTIONS)
        except InvalidPolicyError as error:
            raise InvalidPolicyError(f"access key {caller!r:.80}: {error}") from None
    return Policies(by_caller)

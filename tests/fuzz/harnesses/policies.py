"""A harness of policy documents, and of the permissions that they give."""

import json
import pickle
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fuzz import policy_answers
from fuzz.harness import Failed, Harness, as_text, outcome_of
from kmscore.alibaba import InvalidPolicyError, Policy
from kmscore.alibaba.policy_conditions import CURRENT_TIME, SECURE_TRANSPORT, SOURCE_IP

_EXTRA = ("CreateKey",)
_CALLS = (
    ("kms:Decrypt", "acs:kms:cn-hangzhou:1:key/a"),
    ("kms:ReEncryptFrom", "acs:kms:*:*:key/b:c"),
    ("kms:CreateKey", "acs:kms:cn-hangzhou:1:key"),
)
_FACTS: tuple[dict[str, Any] | None, ...] = (
    None,
    {
        SOURCE_IP: "10.0.0.1",
        CURRENT_TIME: datetime(2026, 11, 29, 8, tzinfo=UTC),
        SECURE_TRANSPORT: True,
    },
    {SOURCE_IP: "::ffff:10.0.0.1", SECURE_TRANSPORT: False},
)


def check_policy(data: bytes) -> None:
    """Read a document, and compare its answers with those of another evaluation."""
    text = as_text(data)
    policy = outcome_of(lambda: Policy.from_json(text, extra_actions=_EXTRA), InvalidPolicyError)
    if isinstance(policy, Failed):
        return
    document = json.loads(text)
    # No object has a name twice, as the number of names shows.
    assert _number_of_names(document) == _number_of_names(text)
    assert document.keys() == {"Version", "Statement"}
    copy = pickle.loads(pickle.dumps(policy))  # noqa: S301 (our own bytes)
    for facts in _FACTS:
        for action, resource in _CALLS:
            answer = policy("principal", action, resource, facts)
            assert type(answer) is bool
            assert copy("principal", action, resource, facts) is answer
            assert answer == policy_answers.is_allowed(document, action, resource, facts or {})
    # A denial of everything has priority.
    document["Statement"].append({"Effect": "Deny", "Action": "*", "Resource": "*"})
    denied = Policy.from_json(json.dumps(document), extra_actions=_EXTRA)
    assert not any(denied("principal", *call) for call in _CALLS)


def _number_of_names(document: Any) -> int:
    """Return the number of names in a value, or in a JSON text with repetitions."""
    if isinstance(document, str):
        numbers: list[int] = []
        json.loads(document, object_pairs_hook=lambda pairs: numbers.append(len(pairs)))
        return sum(numbers)
    if isinstance(document, dict):
        return len(document) + sum(map(_number_in, document.values()))
    return 0


def _number_in(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_number_in, value))
    return _number_of_names(value) if isinstance(value, dict) else 0


def _document(**changes: Any) -> bytes:
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", **changes}
    document = {"Version": "1", "Statement": [statement]}
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _documents() -> Iterator[bytes]:
    yield _document()
    yield _document(Effect="Deny", Action=["kms:Decrypt", "ecs:*"])
    yield _document(Action="kms:ReEncryptFrom", Resource=["acs:kms:cn-hangzhou:1:key/a"])
    yield _document(Resource="acs:kms:*:*:key/*", Action="kms:CreateKey")
    yield _document(NotAction="kms:Decrypt")
    for operator, key, value in (
        ("IpAddress", SOURCE_IP, ["10.0.0.0/8", "fd00::/8"]),
        ("NotIpAddress", SOURCE_IP, "::ffff:10.0.0.1"),
        ("DateLessThan", CURRENT_TIME, "2027-01-01T00:00:00Z"),
        ("DateGreaterThanEquals", CURRENT_TIME, "2026-11-29T08:00:00+08:00"),
        ("Bool", SECURE_TRANSPORT, True),
        ("StringEqualsIgnoreCase", SOURCE_IP, "10.0.0.1"),
        ("StringNotLike", SOURCE_IP, "10.*"),
    ):
        yield _document(Condition={operator: {key: value}})


HARNESSES = {
    "policy": Harness(
        check_policy,
        _documents,
        640,
        (
            b'"Condition":{',
            b'"Statement":[',
            b'"Allow"',
            b'"Deny"',
            b"kms:",
            b"*",
            b"acs:kms:*:*:key/",
            b"\\u",
            b"/32",
            b"T00:00:00Z",
            b"DateEquals",
            b"StringLike",
        ),
    )
}

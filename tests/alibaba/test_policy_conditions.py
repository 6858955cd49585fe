"""Conditions of policies: operators, unknown facts, other services, containers."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_api import make_api, seal

from kmscore import alibaba
from kmscore.alibaba import InvalidPolicyError, Policies, Policy
from kmscore.alibaba.policy_conditions import KEYS, OPERATORS
from kmscore.alibaba.policy_document import PERMISSIONS

KEY = "acs:kms:*:*:key/orders"
NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)


def policy(*statements: Any) -> Policy:
    """Return the policy of a document; statements allow Decrypt unless they say otherwise."""
    defaults = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    full = [defaults | statement for statement in statements]
    return Policy.from_json(json.dumps({"Version": "1", "Statement": full}))


def allows(conditions: Any, facts: Any) -> bool:
    """Return whether a statement with conditions allows a call with facts."""
    return policy({"Condition": conditions})(None, "kms:Decrypt", KEY, facts)


TESTS: list[tuple[str, str, Any, Any, bool]] = [
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "11.1.2.3", False),
    ("IpAddress", "acs:SourceIp", ["192.0.2.1", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "acs:SourceIp", "192.0.2.1", "192.0.2.1", True),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "::ffff:10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "10.0.0.0/8", "2001:db8::1", False),
    ("IpAddress", "acs:SourceIp", "::ffff:10.0.0.0/104", "10.1.2.3", True),
    ("IpAddress", "acs:SourceIp", "::ffff:10.0.0.1", "::ffff:10.0.0.1", True),
    ("NotIpAddress", "acs:SourceIp", "::ffff:10.0.0.0/104", "10.1.2.3", False),
    ("NotIpAddress", "acs:SourceIp", "10.0.0.0/8", "11.1.2.3", True),
    ("NotIpAddress", "acs:SourceIp", ["10.0.0.0/8", "11.0.0.0/8"], "11.1.2.3", False),
    ("Bool", "acs:SecureTransport", "true", True, True),
    ("Bool", "acs:SecureTransport", True, True, True),
    ("Bool", "acs:SecureTransport", "False", True, False),
    ("Bool", "acs:SecureTransport", ["true", "false"], False, True),
    ("DateEquals", "acs:CurrentTime", "2026-11-29T16:00:00+08:00", NOW, True),
    ("DateNotEquals", "acs:CurrentTime", "2026-11-29T16:00:00+08:00", NOW, False),
    *(
        (operator, "acs:CurrentTime", other, NOW, "Not" in operator)
        for operator in ("DateEquals", "DateNotEquals")
        for other in ("2026-11-29T07:59:59Z", "2026-11-29T08:00:01Z")
    ),
    ("DateLessThan", "acs:CurrentTime", "2026-11-29T08:00:00Z", NOW, False),
    ("DateLessThan", "acs:CurrentTime", "2026-11-29T08:00:01Z", NOW, True),
    ("DateLessThanEquals", "acs:CurrentTime", "2026-11-29T08:00:00Z", NOW, True),
    ("DateGreaterThan", "acs:CurrentTime", "2026-11-29T08:00:00Z", NOW, False),
    ("DateGreaterThan", "acs:CurrentTime", "2026-11-29T07:59:59Z", NOW, True),
    ("DateGreaterThanEquals", "acs:CurrentTime", "2026-11-29T08:00:00Z", NOW, True),
    ("StringEquals", "acs:SourceIp", "2001:db8::A", "2001:db8::a", False),
    ("StringEquals", "acs:SourceIp", "10.0.0.1", "::ffff:10.0.0.1", True),
    ("StringLike", "acs:SourceIp", "10.*", "::ffff:10.0.0.1", True),
    ("StringEquals", "acs:SourceIp", ["x", "192.0.2.1"], "192.0.2.1", True),
    ("StringNotEquals", "acs:SourceIp", "192.0.2.1", "192.0.2.1", False),
    ("StringEqualsIgnoreCase", "acs:SourceIp", "2001:db8::A", "2001:db8::a", True),
    ("StringNotEqualsIgnoreCase", "acs:SourceIp", "2001:db8::A", "2001:db8::a", False),
    *(
        (operator, "acs:SourceIp", other, "192.0.2.2", "Not" in operator)
        for operator in (
            *("StringEquals", "StringEqualsIgnoreCase"),
            *("StringNotEquals", "StringNotEqualsIgnoreCase"),
        )
        for other in ("192.0.2.1", "192.0.2.3")
    ),
    ("StringLike", "acs:SourceIp", "192.0.2.*", "192.0.2.1", True),
    ("StringLike", "acs:SourceIp", "192.0.2.*", "192.0.3.1", False),
    ("StringNotLike", "acs:SourceIp", "192.0.2.*", "192.0.3.1", True),
]


@pytest.mark.parametrize(
    ("operator", "key", "values", "fact", "expected"),
    TESTS,
    ids=[f"{test[0]} {test[2]!r} {test[3]}" for test in TESTS],
)
def test_a_condition_decides(
    operator: str, key: str, values: Any, fact: Any, expected: bool
) -> None:
    """One of several values must match; for a negated operator none may match."""
    assert allows({operator: {key: values}}, {key: fact}) is expected


def test_every_operator_is_tested() -> None:
    """The table above has each operator, each key, and both results of negated ones."""
    assert {test[0] for test in TESTS} == set(OPERATORS)
    assert {test[1] for test in TESTS} == set(KEYS)


UNKNOWN: dict[str, list[Any]] = {
    "acs:SourceIp": [None, "", "10.0.0.256", "x", 5, b"10.0.0.1"],
    "acs:CurrentTime": [None, "2026-11-29T08:00:00Z", NOW.replace(tzinfo=None), 0],
    "acs:SecureTransport": [None, "true", 1],
}


@pytest.mark.parametrize("test", TESTS, ids=[f"{test[0]} {test[2]!r} {test[3]}" for test in TESTS])
def test_an_unknown_fact_never_helps_the_caller(test: tuple[str, str, Any, Any, bool]) -> None:
    """It is false if the statement allows, and true if it denies, also if it is negated."""
    operator, key, values, *_ = test
    condition = {"Condition": {operator: {key: values}}}
    allowing, denying = policy(condition), policy({}, condition | {"Effect": "Deny"})
    calls: list[Any] = [{}, None, *({key: fact} for fact in UNKNOWN[key])]
    for facts in calls:
        assert allowing(None, "kms:Decrypt", KEY, facts) is False
        assert denying(None, "kms:Decrypt", KEY, facts) is False


@given(
    st.lists(st.sampled_from([True, False, None]), max_size=3),
    st.lists(st.sampled_from([True, False, None]), max_size=3),
)
def test_a_false_condition_settles_a_statement(allow: list[Any], deny: list[Any]) -> None:
    """All conditions must be true; an unknown one counts only if no other is false."""
    facts = {"acs:SourceIp": "10.0.0.1", "acs:SecureTransport": True}
    keys = itertools.cycle(["IpAddress", "StringEquals", "StringLike"])

    def conditions(results: list[Any]) -> Any:
        """Return conditions with these results, as `Allow` or as `Deny`."""
        given: dict[str, Any] = {}
        for operator, result in zip(keys, results, strict=False):
            if result is None:
                given["DateLessThan"] = {"acs:CurrentTime": "2026-11-29T08:00:00Z"}
            else:
                value = "10.0.0.1" if result else "10.0.0.2"
                given[operator] = {"acs:SourceIp": value}
        return given

    document = policy(
        {"Condition": conditions(allow)}, {"Effect": "Deny", "Condition": conditions(deny)}
    )
    is_allowed = False not in allow and None not in allow
    is_denied = False not in deny
    assert document(None, "kms:Decrypt", KEY, facts) is (is_allowed and not is_denied)


REJECTED: dict[str, tuple[Any, str]] = {
    "no object": ([], "Condition of statement 1: not an object"),
    "a tag": (
        {"StringEquals": {"kms:tag/team": "a"}},
        "Condition of statement 1: the key 'kms:tag/team' is not supported",
    ),
    "a second factor": (
        {"Bool": {"acs:MFAPresent": "true"}},
        "Condition of statement 1: the key 'acs:MFAPresent' is not supported",
    ),
    "a key in another case": (
        {"Bool": {"acs:securetransport": "true"}},
        "the key 'acs:securetransport' is not supported",
    ),
    "another operator": (
        {"NumericEquals": {"acs:SourceIp": "1"}},
        "the operator 'NumericEquals' is not supported",
    ),
    "an operator in another case": ({"bool": {}}, "the operator 'bool' is not supported"),
    "no key": ({"Bool": {}}, "Bool must be an object with a key"),
    "a list of keys": ({"Bool": ["acs:SecureTransport"]}, "Bool must be an object with a key"),
    "an operator that does not fit": (
        {"Bool": {"acs:SourceIp": "true"}},
        "Bool does not fit the key acs:SourceIp",
    ),
    "no value": ({"Bool": {"acs:SecureTransport": []}}, "acs:SecureTransport has no value"),
    "a number": ({"Bool": {"acs:SecureTransport": 1}}, "a value of acs:SecureTransport is not a"),
    "no truth value": (
        {"Bool": {"acs:SecureTransport": "yes"}},
        "the value 'yes' of acs:SecureTransport: neither true nor false",
    ),
    "no address": ({"IpAddress": {"acs:SourceIp": "x"}}, "the value 'x' of acs:SourceIp: "),
    "host bits": (
        {"IpAddress": {"acs:SourceIp": "10.0.0.1/8"}},
        "the value '10.0.0.1/8' of acs:SourceIp: ",
    ),
    "a zone": (
        {"IpAddress": {"acs:SourceIp": "fe80::1%eth0"}},
        "the value 'fe80::1%eth0' of acs:SourceIp: an address with a zone",
    ),
    "all addresses of IPv6": (
        {"IpAddress": {"acs:SourceIp": "::/0"}},
        "of acs:SourceIp: a block with IPv4 and other addresses",
    ),
    "no date": (
        {"DateEquals": {"acs:CurrentTime": "today"}},
        "the value 'today' of acs:CurrentTime: ",
    ),
    "a date without a time zone": (
        {"DateEquals": {"acs:CurrentTime": "2026-11-29T08:00:00"}},
        "of acs:CurrentTime: a date without a time zone",
    ),
    "a question mark": (
        {"StringLike": {"acs:SourceIp": "10.0.0.?"}},
        "of acs:SourceIp: the wildcard ? is not supported",
    ),
}


@pytest.mark.parametrize("what", REJECTED)
def test_a_rejection_names_statement_element_and_reason(what: str) -> None:
    """The document is rejected when it is read, not at a call."""
    condition, said = REJECTED[what]
    with pytest.raises(InvalidPolicyError, match=re.escape(said)) as caught:
        policy({"Condition": condition})
    assert str(caught.value).startswith("Condition of statement 1: ")


@pytest.mark.parametrize(
    "action",
    ["oss:GetObject", ["ram:*", "kms:CreateKey"], "kms:List*", "kms:Describe*"],
    ids=["another service", "two services", "a listing", "a description"],
)
def test_a_statement_of_other_actions_is_skipped(action: Any) -> None:
    """It can hold anything, such as a condition on a role of another service."""
    other = {
        "Effect": "Deny",
        "Action": action,
        "Condition": {"StringEquals": {"ram:ServiceName": "secretsmanager.kms.aliyuncs.com"}},
        "Principal": {"RAM": ["acs:ram::1:root"]},
        "Sid": "x",
    }
    mixed = policy({}, other)
    assert repr(mixed) == "<Policy statements=1>"
    assert mixed(None, "kms:Decrypt", KEY)


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"Action": ["oss:GetObject", "kms:CreateKeys"]}, "is not one of the service"),
        ({"Action": ["oss:GetObject", "kms:createkey"]}, "must have the letter case of"),
        ({"Action": "oss:GetObject", "NotAction": "oss:PutObject"}, "'NotAction' in statement 1"),
        ({"Action": ["oss:GetObject", "kms:*"], "Sid": "x"}, "'Sid' in statement 1"),
        ({"Action": "*", "Sid": "x"}, "'Sid' in statement 1"),
    ],
    ids=["a misspelling", "another case", "NotAction", "a matching action", "any action"],
)
def test_a_statement_that_could_match_is_not_skipped(other: Any, said: str) -> None:
    """The spelling is checked first, and `NotAction` counts as matching."""
    with pytest.raises(InvalidPolicyError, match=re.escape(said)):
        policy(other)


@pytest.mark.parametrize("name", ["key", "alias", "secret"])
def test_a_container_is_a_resource_without_keys(name: str) -> None:
    """Actions such as CreateKey name it; no key is in it for a permission."""
    container = f"acs:kms:cn-hangzhou:1:{name}"
    document = policy({"Action": "*", "Resource": [container]})
    assert not any(document(None, action, KEY) for action in PERMISSIONS)
    assert document(None, "kms:CreateKey", f"acs:kms:cn-hangzhou:1:{name}")


def test_facts_reach_the_policy_only_if_they_are_given() -> None:
    """A policy of three parameters works as before."""
    seen: list[tuple[Any, ...]] = []
    api = make_api(lambda *given: not seen.append(given))
    request = {"Action": "Decrypt", "CiphertextBlob": seal(make_api())}
    assert api.call(request, principal="alice").status == 200
    assert api.call(request, principal="alice", facts={"acs:SourceIp": "192.0.2.1"}).status == 200
    assert seen == [
        ("alice", "kms:Decrypt", KEY),
        ("alice", "kms:Decrypt", KEY, {"acs:SourceIp": "192.0.2.1"}),
    ]
    with pytest.raises(TypeError, match=r"^facts must be Mapping, not list$"):
        api.call(request, facts=[])  # type: ignore[arg-type]


def test_policies_pass_the_facts_on() -> None:
    """The policy of a principal decides with the facts of the call."""
    inside = policy({"Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}})
    api = make_api(Policies({"alice": inside, "bob": lambda *given: len(given) == 3}))
    request = {"Action": "Decrypt", "CiphertextBlob": seal(make_api())}
    assert api.call(request, principal="alice", facts={"acs:SourceIp": "10.0.0.1"}).status == 200
    assert api.call(request, principal="alice", facts={"acs:SourceIp": "11.0.0.1"}).status == 403
    assert api.call(request, principal="alice").status == 403
    assert api.call(request, principal="bob").status == 200


def test_the_facts_of_a_direct_request() -> None:
    """The address and the scheme come from the server, and no header changes them."""
    environ = {
        "REMOTE_ADDR": "192.0.2.1",
        "wsgi.url_scheme": "https",
        "HTTP_X_FORWARDED_FOR": "10.0.0.1",
    }
    assert alibaba.direct_facts(environ, NOW) == {
        "acs:SourceIp": "192.0.2.1",
        "acs:CurrentTime": NOW,
        "acs:SecureTransport": True,
    }
    assert alibaba.direct_facts({}, NOW)["acs:SecureTransport"] is False


def test_a_date_in_another_time_zone_is_compared_as_a_time() -> None:
    """The facts can have any time zone."""
    there = NOW.astimezone(timezone(timedelta(hours=8)))
    condition = {"DateEquals": {"acs:CurrentTime": "2026-11-29T08:00:00Z"}}
    assert allows(condition, {"acs:CurrentTime": there})

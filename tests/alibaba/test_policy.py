"""Policy documents: the allowed actions, and invalid documents."""

import copy
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kmscore import Keyring, KeySpec, SymmetricKey, alibaba
from kmscore.alibaba import ALLOW_ALL, InvalidPolicyError, Policies, Policy
from kmscore.alibaba.policy_conditions import matches
from kmscore.alibaba.policy_document import PERMISSIONS, Statement

KEY = "acs:kms:*:*:key/orders"


def statement(effect: str = "Allow", action: Any = "kms:Decrypt", resource: Any = "*") -> Any:
    """Return a statement."""
    return {"Effect": effect, "Action": action, "Resource": resource}


def policy(*statements: Any) -> Policy:
    """Return the policy of a document."""
    return Policy.from_json(json.dumps({"Version": "1", "Statement": list(statements)}))


def test_an_action_without_a_statement_is_denied() -> None:
    """An action without a matching statement is not allowed."""
    assert policy()(None, "kms:Decrypt", KEY) is False
    assert policy(statement(action="kms:Encrypt"))(None, "kms:Decrypt", KEY) is False
    assert policy(statement(resource="acs:kms:*:*:key/x"))(None, "kms:Decrypt", KEY) is False
    assert policy(statement())(None, "kms:Decrypt", KEY) is True


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_denial_wins(order: slice) -> None:
    """A denial applies regardless of the order of statements."""
    statements = [statement(), statement("Deny", resource=KEY), statement(action="kms:*")]
    assert policy(*statements[order])("anyone", "kms:Decrypt", KEY) is False
    assert policy(*statements[order])("anyone", "kms:Decrypt", "acs:kms:*:*:key/x") is True


def test_one_name_gives_both_permissions_of_a_reencryption() -> None:
    """`kms:ReEncrypt*` is the name on the page of the vendor."""
    both = policy(statement(action="kms:ReEncrypt*"))
    allowed = [action for action in PERMISSIONS if both(None, action, KEY)]
    assert allowed == ["kms:ReEncryptFrom", "kms:ReEncryptTo"]


def test_lists_are_alternatives() -> None:
    """Each action is combined with each resource."""
    several = policy(
        statement(action=["kms:Encrypt", "kms:Decrypt"], resource=[KEY, "acs:kms:*:*:key/x"])
    )
    assert several(None, "kms:Encrypt", KEY)
    assert several(None, "kms:Decrypt", "acs:kms:*:*:key/x")
    assert not several(None, "kms:Decrypt", "acs:kms:*:*:key/y")


@pytest.mark.parametrize(
    ("pattern", "resource", "fits"),
    [
        ("*", KEY, True),
        ("acs:kms:*:*:key/orders", KEY, True),
        ("acs:kms:*:*:*", KEY, True),
        ("acs:*", KEY, True),
        ("acs:kms:*", KEY, True),
        ("*:*", KEY, True),
        ("*:kms:*:*:key/orders", KEY, True),
        ("a*s:*", KEY, True),
        ("*:*:*:*:key/order", KEY, False),
        ("acs:kms:*:*:key/ord*", KEY, True),
        ("acs:kms:*:*:key/*ers", KEY, True),
        ("acs:kms:*:*:key/Orders", KEY, False),
        ("acs:kms:*:*:key/order", KEY, False),
        ("acs:kms:*:*:key/[o]rders", KEY, False),
        # A region or an account that the service does not show matches any value.
        ("acs:kms:cn-hangzhou:1:key/orders", KEY, True),
        ("acs:kms:cn-hangzhou:1:key/other", KEY, False),
        ("acs:kms:cn-hangzhou:1:key/orders", "acs:kms:*:2:key/orders", False),
        ("acs:kms:cn-hangzhou:1:key/orders", "acs:kms::1:key/orders", False),
        ("acs:kms:cn-hangzhou:1:key/orders", "acs:kms:cn-hangzhou:!:key/orders", False),
        ("acs:oss:cn-hangzhou:1:key/orders", KEY, False),
        ("acs:kms:*:*:key/orders", "*", False),
        ("acs:kms:*:*:key/orders", "acs:kms", False),
        ("acs:kms:*", "acs:kms:key/orders", True),
        ("*", "anything", True),
        ("acs:kms:cn-*:1:key/orders", "acs:kms:cn-hangzhou:1:key/orders", True),
        ("acs:kms:cn-*:1:key/orders", "acs:kms:cn-hangzhou:2:key/orders", False),
        # A key ID can contain text that looks like the end of another name.
        ("acs:kms:*:*:key/a", "acs:kms:*:*:key/x:key/a", False),
        ("acs:kms:*:*:key/a", "acs:kms:*:*:key/x:y:key/a", False),
        ("acs:kms:*:*:key/*", "acs:kms:*:*:key/x:y:key/a", True),
        ("acs:kms:*:*:key/x:y", "acs:kms:*:*:key/x:y", True),
        ("acs:kms:*:*:key/x:y", "acs:kms:*:*:key/x", False),
    ],
)
def test_a_resource_name_is_matched_part_by_part(pattern: str, resource: str, fits: bool) -> None:
    """`*` matches any characters of one part, and no other character is special."""
    assert policy(statement(resource=pattern))(None, "kms:Decrypt", resource) is fits


@example("ab*ba", "abba")
@example("ab*ba", "aba")
@example("*a*a", "a")
@example("b*a*ab", "bab")
@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_matching_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    """The linear matcher gives the results of a backtracking matcher."""
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert matches(pattern, text) is (re.fullmatch(expression, text) is not None)


def test_many_wildcards_take_linear_time() -> None:
    """A backtracking matcher would take very long for this pattern."""
    pattern = "acs:kms:*:*:key/" + "*a" * 5000 + "b"
    assert not policy(statement(resource=pattern))(None, "kms:Decrypt", f"{KEY}{'a' * 9999}")


REJECTED: dict[str, tuple[str, str]] = {
    "no JSON": ("{", "JSON"),
    "a deep one": ("[" * 100_000, "JSON"),
    "null": ("null", "JSON"),
    "a list": ("[]", "object"),
    "a string": ('"x"', "object"),
    "a number of many digits": ("9" * 5000, "JSON"),
    "a name twice": ('{"Version": "1", "Version": "1", "Statement": []}', "twice"),
    "no version": ('{"Statement": []}', "Version"),
    "another version": ('{"Version": "2", "Statement": []}', "Version"),
    "a version that is a number": ('{"Version": 1, "Statement": []}', "Version"),
    "no statement": ('{"Version": "1"}', "Statement"),
    "one statement, bare": ('{"Version": "1", "Statement": {}}', "Statement"),
    "an ID": ('{"Version": "1", "Statement": [], "Id": "x"}', "Id"),
}


@pytest.mark.parametrize("what", REJECTED)
def test_an_invalid_document_is_rejected(what: str) -> None:
    """The error names the invalid part."""
    text, word = REJECTED[what]
    with pytest.raises(InvalidPolicyError, match=word):
        Policy.from_json(text)


def without(name: str) -> Any:
    """Return a statement without one field."""
    return {key: value for key, value in statement().items() if key != name}


BAD_STATEMENTS: dict[str, tuple[Any, str]] = {
    "no object": ("x", "statement 2"),
    **{f"no {name}": (without(name), name) for name in ("Effect", "Action", "Resource")},
    **{
        f"{name} beside": (statement() | {name: value}, name)
        for name, value in {
            "NotAction": "kms:Decrypt",
            "NotResource": "*",
            "Principal": "*",
            "NotPrincipal": "*",
            "Sid": "x",
            "effect": "Deny",
        }.items()
    },
    **{
        f"{name} instead": (without(other) | {name: "*"}, name)
        for name, other in {"NotAction": "Action", "NotResource": "Resource"}.items()
    },
    **{f"effect {effect!r}": (statement(effect), "Effect") for effect in ("allow", "", 1, None)},
    "effect of a list": (statement(effect=["Allow"]), "Effect"),  # type: ignore[arg-type]
    **{
        f"action {action!r}": (statement(action=action), "Action")
        for action in (
            *(1, None, [], [1], {}, "Decrypt", "", "kms:decrypt", "KMS:Decrypt", "Kms:*"),
            *(
                "kms:ReEncryp",
                "kms:CreateKeys",
                "kms:createKey",
                "kms:Nothing*",
                "kms:DecryptShrink",
            ),
            *("kms:ReEncrypt", "kms:Encrypt?", "kms:Decrypt ", "kms:", ":Decrypt", "kms:[D]ecrypt"),
        )
    },
    **{
        f"resource {resource!r}": (statement(resource=resource), "Resource")
        for resource in (
            *(1, None, [], [None], {}, "", "key/orders", "ACS:kms:*:*:key/orders"),
            *("acs:KMS:*:*:key/a", "acs:kms:*:*:Key/a", "acs:kms::*:key/a", "acs:kms:*::key/a"),
            *("acs:kms:*:*:key/ a", "acs:kms:*:*:a", "acs:kms:*:key/a", "acs:kms", "**"),
            *("acs:kms:*:*:key/a\n", "acs:kms:*:*:", "b*:kms:*:*:key/a", "acs:kms:?:*:key/a"),
            *("acs:k*", "acs:kms:*:key/a*", ":*", "acs:oss:", "acs:oss:!", "acs:oss:a"),
            *("acs:kms:*:*:KEY*", "acs:kms:*:*:K*", "acs:kms:*:*:keys/a"),
            *("acs:kms:*:*:kye/*", "acs:kms:*:*:/key/a", "acs:kms:*:*:key:a*"),
            *("acs:kms:*:*:key/order?", "acs:kms:*:*:Alias/a"),
            *("acs:k?s:*:*:key/a", "acs:???:*:*:key/*", "acs:oss:*:*:orders?"),
        )
    },
}


@pytest.mark.parametrize("what", BAD_STATEMENTS)
def test_an_unsupported_statement_is_rejected(what: str) -> None:
    """The error names the field; an ignored condition would allow forbidden actions."""
    bad, word = BAD_STATEMENTS[what]
    with pytest.raises(InvalidPolicyError, match=re.escape(word)):
        policy(statement(), bad)


def test_actions_of_other_services_are_allowed() -> None:
    """One document can contain the permissions of several services."""
    mixed = policy(statement(action=["oss:GetObject", "kms:CreateKey", "kms:Decrypt"]))
    assert mixed(None, "kms:Decrypt", KEY)
    assert not mixed(None, "kms:Encrypt", KEY)


def test_a_policy_must_be_a_text() -> None:
    """Bytes raise `TypeError`."""
    with pytest.raises(TypeError, match="policy must be str"):
        Policy.from_json(b"{}")  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [None, 5, [{"Effect": "Allow"}], [(False, ("*",), ("*",), ())]])
def test_a_policy_requires_statements(bad: Any) -> None:
    """Other values raise `TypeError` in the constructor, also behind a statement."""
    with pytest.raises(TypeError):
        Policy(bad)
    if isinstance(bad, list):
        with pytest.raises(TypeError, match=r"^statement must be Statement, not "):
            Policy([Statement(False, ("*",), ("*",)), *bad])


def test_policies_choose_by_principal() -> None:
    """Each principal has its own policy; an unknown or missing principal is denied."""
    chosen = Policies({"alice": policy(statement()), "bob": ALLOW_ALL})
    assert chosen("alice", "kms:Decrypt", KEY) is True
    assert chosen("alice", "kms:Encrypt", KEY) is False
    assert chosen("bob", "kms:Encrypt", KEY) is True
    assert chosen("eve", "kms:Decrypt", KEY) is False
    assert chosen(None, "kms:Decrypt", KEY) is False


@pytest.mark.parametrize("principal", [True, 1.0, "1", {"sub": "alice"}, ["alice"], None])
def test_principals_are_compared_by_type_and_value(principal: object) -> None:
    """An equal value of another type is unknown, and so is a value that is not hashable."""
    chosen = Policies({"alice": ALLOW_ALL, 1: ALLOW_ALL})
    assert chosen(1, "kms:Decrypt", KEY) is True
    assert chosen(principal, "kms:Decrypt", KEY) is False


def test_policies_can_be_pickled() -> None:
    """A copy from pickle gives the same answers."""
    chosen = Policies({"alice": policy(statement(resource=KEY)), "bob": ALLOW_ALL})
    again = pickle.loads(pickle.dumps(copy.deepcopy(chosen)))  # noqa: S301 (our own)
    for principal in ("alice", "bob", "eve"):
        for resource in (KEY, "acs:kms:*:*:key/x"):
            question = (principal, "kms:Decrypt", resource)
            assert again(*question) is chosen(*question)


def test_a_denial_with_a_region_holds_without_a_region() -> None:
    """Documents name regions and accounts, which a service does not always know."""
    name = "acs:kms:cn-hangzhou:1234567890:key/orders"
    denying = policy(statement(action="kms:*"), statement("Deny", "kms:*", name))
    keys = Keyring(
        [SymmetricKey.generate(KeySpec.AES_256, key_id=each) for each in ("orders", "x")]
    )
    api = alibaba.KmsApi(keys, denying)
    for key_id, status in (("orders", 403), (name, 403), ("x", 200)):
        request = {"Action": "Encrypt", "KeyId": key_id, "Plaintext": ""}
        assert api.call(request).status == status


def test_policies_accept_only_true() -> None:
    """Other true values, such as a coroutine that is not awaited, allow nothing."""
    assert Policies({"x": lambda *_: 1})("x", "kms:Decrypt", KEY) is False  # type: ignore[dict-item,return-value]


@pytest.mark.parametrize("bad", [None, [], {"alice": "policy"}, {"alice": None}])
def test_policies_require_a_mapping_to_policies(bad: Any) -> None:
    """Other values raise `TypeError` in the constructor."""
    with pytest.raises(TypeError):
        Policies(bad)


def test_policies_are_immutable() -> None:
    """Later changes of the given map have no effect."""
    given_map = {"alice": policy(statement())}
    chosen = Policies(given_map)
    given_map["eve"] = ALLOW_ALL  # type: ignore[assignment]
    assert chosen("eve", "kms:Decrypt", KEY) is False
    with pytest.raises(AttributeError):
        chosen._by_principal = {}  # type: ignore[misc]


def test_reprs_show_only_numbers() -> None:
    """The repr has no names of principals or resources."""
    assert repr(policy(statement())) == "<Policy statements=1>"
    assert repr(Policies({"alice": ALLOW_ALL})) == "<Policies principals=1>"


def test_allow_all_allows_everyone_everything() -> None:
    """`ALLOW_ALL` returns `True` for every request."""
    assert alibaba.ALLOW_ALL(None, "kms:Decrypt", KEY) is True

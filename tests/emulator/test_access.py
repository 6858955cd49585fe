"""Access keys, policies, errors by code, and environment variables."""

import json
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.emulated_kms import NOW
from support.signed_requests import ACCESS_KEY, DATE, SECRET, sign_acs3, sign_rpc

from kmscore import alibaba
from kmscore.alibaba import InvalidPolicyError, RejectedRequest, VerifiedRequest
from kmscore.emulator import AccessKeys, accept_all, fault_with_code, read_policy
from kmscore.emulator.environment import environment_of
from kmscore.emulator.policies import warnings_of

PARAMS = {"KeyId": "orders", "Plaintext": ""}


def test_signatures_are_verified_and_nonces_remembered() -> None:
    """The same request is accepted once, and a nonce is forgotten when its date is too old."""
    keys = AccessKeys({ACCESS_KEY: SECRET})
    for sent in (sign_acs3(PARAMS), sign_rpc(PARAMS, SignatureNonce="another")):
        verified = keys(sent.parsed(), NOW)
        assert isinstance(verified, VerifiedRequest)
        assert verified.access_key_id == ACCESS_KEY
        again = keys(sent.parsed(), NOW)
        assert isinstance(again, RejectedRequest)
        assert again.fault.code == "SignatureNonceUsed"
    late = NOW + timedelta(minutes=16)
    date = DATE.replace("T08:00", "T08:16")
    assert isinstance(keys(sign_acs3(PARAMS, x_acs_date=date).parsed(), late), VerifiedRequest)
    assert len(keys._nonces) == 1


def test_a_nonce_is_found_without_a_look_at_all_others() -> None:
    """Clients send many requests before the first nonce expires."""
    compared = 0

    class Date(datetime):
        def __lt__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return datetime.__lt__(self, other)  # type: ignore[operator]

    keys = AccessKeys({ACCESS_KEY: SECRET})
    for number in range(1000):
        expires = Date(2027, 1, 1, tzinfo=UTC) + timedelta(seconds=-number)
        assert keys._is_fresh(NOW, ACCESS_KEY, str(number), expires)
    assert compared < 20 * 1000
    assert len(keys._nonces) == len(keys._expiries) == 1000
    assert not keys._is_fresh(NOW, ACCESS_KEY, "0", NOW)
    assert keys._is_fresh(NOW + timedelta(days=99), ACCESS_KEY, "0", NOW)
    assert len(keys._nonces) == len(keys._expiries) == 1


def test_a_wrong_secret_is_rejected() -> None:
    """So is an unknown access key."""
    for secrets, code in (
        ({ACCESS_KEY: "other"}, "SignatureDoesNotMatch"),
        ({"LTAIother": SECRET}, "InvalidAccessKeyId.NotFound"),
    ):
        rejected = AccessKeys(secrets)(sign_acs3(PARAMS).parsed(), NOW)
        assert isinstance(rejected, RejectedRequest)
        assert rejected.fault.code == code


def test_access_keys_are_read_from_a_text() -> None:
    """A secret can have colons."""
    keys = AccessKeys.from_text("LTAI1:secret\n  LTAI2:a:b=\n")
    assert keys.ids == ["LTAI1", "LTAI2"]
    assert keys._secrets == {"LTAI1": "secret", "LTAI2": "a:b="}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no access key; give ID:SECRET"),
        (" \n", "no access key; give ID:SECRET"),
        ("LTAI1", "access key 1: not ID:SECRET"),
        ("LTAI1:", "access key 1: not ID:SECRET"),
        ("b:secret :secret", "access key 2: not ID:SECRET"),
        ("a:secret a:secret2", "access key 2: its ID occurs twice"),
        # `verify` would reject every request with them.
        ("\ufeffLTAI1:secret", "access key 1: not ID:SECRET"),
        ("LTAI\xe91:secret", "access key 1: not ID:SECRET"),
        ("LTAI,1:secret", "access key 1: not ID:SECRET"),
        (f"{'x' * 129}:secret", "access key 1: not ID:SECRET"),
        ("LTAI1:secret\udcff", "access key 1: not ID:SECRET"),
    ],
)
def test_malformed_access_keys_are_rejected_without_their_text(text: str, message: str) -> None:
    """The message has a number, and no secret."""
    with pytest.raises(ValueError, match=f"^{message}$") as caught:
        AccessKeys.from_text(text)
    assert "secret" not in str(caught.value)


def test_access_keys_are_secret() -> None:
    """They are neither shown nor pickled, and every value is a text."""
    keys = AccessKeys({"LTAI1": "secret"})
    assert repr(keys) == "<AccessKeys 1>"
    with pytest.raises(TypeError):
        pickle.dumps(keys)
    for wrong in ([("a", "b")], {"a": b"b"}, {1: "b"}):
        with pytest.raises(TypeError):
            AccessKeys(wrong)  # type: ignore[arg-type]
    for malformed in ({"": "secret"}, {"a b": "secret"}, {"LTAI1": ""}):
        with pytest.raises(ValueError, match="an access key is malformed"):
            AccessKeys(malformed)


def test_a_request_without_signature_has_a_name() -> None:
    """Limits, policies and records need one."""
    parsed = alibaba.parse("GET", "/?Action=ListKeys", [], b"")
    assert isinstance(parsed, alibaba.ParsedRequest)
    verified = accept_all(parsed, NOW)
    assert (verified.access_key_id, verified.action) == ("anonymous", "ListKeys")


ALLOW = {
    "Version": "1",
    "Statement": [{"Effect": "Allow", "Action": "kms:CreateKey", "Resource": "*"}],
}

DENY_AND_ALLOW = json.dumps(ALLOW).replace('"Effect"', '"Effect": "Deny", "Effect"')


def test_a_policy_is_one_document_or_one_for_each_access_key() -> None:
    """An access key without a document has no permissions."""
    resource = "acs:kms:cn-hangzhou:1:key"
    one = read_policy(json.dumps(ALLOW))
    assert one("anyone", "kms:CreateKey", resource)
    assert not one("anyone", "kms:ListKeys", resource)
    each = read_policy(json.dumps({"alice": ALLOW}))
    assert each("alice", "kms:CreateKey", resource)
    assert not each("bob", "kms:CreateKey", resource)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Version": "1"\n', "^the policy is not JSON, see line 2, column 1$"),
        ("[" * 100_000, "not a JSON object"),
        ("[]", "must be an object"),
        ('{"alice": 1}', "access key 'alice': the policy must be an object"),
        ('{"Statement": []}', "^the policy lacks Version"),
        ('{"Version": "1"}', "^the policy lacks Statement"),
        ('{"alice": {"Version": "1", "Version": "1"}}', "a name occurs twice"),
        (f'{{"alice": {json.dumps(ALLOW)}, "alice": {json.dumps(ALLOW)}}}', "a name occurs twice"),
        (f'{{"alice": {DENY_AND_ALLOW}}}', "a name occurs twice"),
        (DENY_AND_ALLOW, "a name occurs twice"),
    ],
    ids=[
        *("half", "deep", "list", "a number for alice", "no version", "no statement"),
        *("two versions", "two documents", "a hidden denial for alice", "a hidden denial"),
    ],
)
def test_an_invalid_policy_is_rejected(text: str, message: str) -> None:
    """The message names the access key."""
    with pytest.raises(InvalidPolicyError, match=message):
        read_policy(text)


def _about(*resources: str) -> dict[str, Any]:
    """Return a policy that allows everything on the resources, with one statement for each."""
    statement = {"Effect": "Allow", "Action": "kms:*"}
    return {"Version": "1", "Statement": [statement | {"Resource": each} for each in resources]}


_HERE = "acs:kms:cn-hangzhou:1000000000000000"
_ELSEWHERE = "acs:kms:cn-shanghai:1234567890123456:key/orders"


@pytest.mark.parametrize(
    ("policy", "caller", "warnings"),
    [
        (_about(f"{_HERE}:key/orders", "*", "acs:*", "acs:kms:*:*:alias/*"), "anonymous", []),
        (_about("acs:kms:cn-*:10*:key/*", "acs:oss:cn-shanghai:1:a"), "anonymous", []),
        ({"alice": _about("*"), "bob": _about("*")}, "bob", []),
        (_about(), "anonymous", []),
        (_about(_ELSEWHERE), "anonymous", ["account: 1 of 1; the keys here are " + _HERE]),
        (
            _about("*", f"{_HERE[:-1]}1:key/a", "acs:kms:cn-beijing:*:key"),
            "a",
            ["account: 2 of 3;"],
        ),
        ({"alice": _about("*")}, "anonymous", ["no policy for anonymous: each request is denied"]),
        ({}, "anonymous", ["no policy for anonymous: each request is denied"]),
        (
            {"alice": _about(_ELSEWHERE)},
            "bob",
            ["no policy for bob: each", "account: 1 of 1; the keys here are " + _HERE],
        ),
    ],
)
def test_a_policy_that_denies_by_mistake_gives_warnings(
    policy: dict[str, Any], caller: str, warnings: list[str]
) -> None:
    """A warning is about callers without a policy, or resources of another region or account."""
    said = warnings_of(json.dumps(policy), [caller])
    assert len(said) == len(warnings)
    for text, part in zip(said, warnings, strict=True):
        assert part in text


def test_a_statement_with_one_resource_of_the_server_gives_no_warning() -> None:
    """The other resources of the statement can be those of the real service."""
    policy = _about("*")
    policy["Statement"][0]["Resource"] = [_ELSEWHERE, f"{_HERE}:key/orders"]
    assert warnings_of(json.dumps(policy), ["anonymous"]) == []


def test_errors_are_found_by_code() -> None:
    """An unknown code is an error, with the list of the known ones."""
    assert fault_with_code("Rejected.Throttling").status == 429
    assert fault_with_code("Rejected.Disabled").status == 409
    assert fault_with_code("InternalFailure").status == 500
    with pytest.raises(ValueError, match=r"known are .*Rejected\.Throttling"):
        fault_with_code("Throttling")


def test_variables_name_the_endpoint_and_the_certificates() -> None:
    """They have no secret."""
    assert environment_of("http://x") == {"KMSCORE_ENDPOINT": "http://x"}
    assert environment_of("https://x", access_key_id="a", ca_bundle="/ca") == {
        "KMSCORE_ENDPOINT": "https://x",
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "a",
        "REQUESTS_CA_BUNDLE": "/ca",
        "SSL_CERT_FILE": "/ca",
        "NODE_EXTRA_CA_CERTS": "/ca",
        "ALIBABA_CLOUD_CA_BUNDLE": "/ca",
    }

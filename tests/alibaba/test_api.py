"""`KmsApi.call`: parameters, permissions, responses, and errors."""

import base64
import copy
import json
import pickle
import re
from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import Mock
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import service_api as support
from support.samples import examples
from support.service_api import (
    INDEX,
    KEYS,
    PROFILES,
    RSA,
    SM2,
    code_of,
    make_api,
    seal,
    to_base64,
    valid_requests,
)
from support.strategies import flip_last_bit, miss_hash, watch_ciphers

import kmscore
from kmscore import EncryptionContext, Keyring, KeySpec, PublicKey, Suite, SymmetricKey, alibaba
from kmscore.alibaba import service_errors
from kmscore.alibaba.actions import PERFORM
from kmscore.alibaba.parameters import ACTIONS
from kmscore.alibaba.policy_document import PERMISSIONS

APIS = {name: make_api(profile=profile) for name, profile in PROFILES.items()}
VALID = {name: valid_requests(api) for name, api in APIS.items()}

BLOB_SAMPLE = (
    "ODZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmS7FmDBBQ0BkKsQrtRnidtPwirmDcS0ZuJCU41xxAAWk4"
    "Z8qsADfbV0b+i6kQmlvj79dJdGOvtX69Uycs901q********"
)
RESPONSE_SAMPLE = {
    "KeyId": "2ab1a983-7072-4bbc-a582-584b5bd8****",
    "KeyVersionId": "202b9877-5a25-46e3-a763-e20791b5****",
    "CiphertextBlob": "DZhOWVmZDktM2QxNi00ODk0LWJkNGYtMWZjNDNmM2YyYWJmaaSl+TztSIMe43nbTH/Z1Wr4"
    "XfLftKhAciUmDQXuMRl4WTvKhxjMThjK****",
    "RequestId": "207596a2-36d3-4840-b1bd-f87044699bd7",
}


@pytest.fixture(params=list(PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    """Run the test in each layout."""
    name: str = request.param
    return name


@pytest.fixture
def api(profile: str) -> alibaba.KmsApi:
    """Return an API in each layout."""
    return APIS[profile]


def changed(request: Mapping[str, Any], **params: Any) -> dict[str, Any]:
    """Return a request with replaced parameters, without those that are `None`."""
    return {name: value for name, value in (request | params).items() if value is not None}


def message_of(response: alibaba.ApiResponse) -> str:
    """Return the message of an error."""
    return str(response.body["Message"])


def test_every_action_has_parameters_code_and_a_request() -> None:
    """The tables of parameters, of functions and of valid requests have the same actions."""
    assert list(ACTIONS) == list(PERFORM) == list(VALID["v1"])


FIELDS = {
    "ReEncrypt": ["KeyId", "KeyVersionId", "CiphertextBlob"],
    "Encrypt": ["CiphertextBlob", "KeyId", "KeyVersionId"],
    "Decrypt": ["KeyId", "KeyVersionId", "Plaintext"],
    "GenerateDataKey": ["CiphertextBlob", "KeyId", "KeyVersionId", "Plaintext"],
    "GenerateDataKeyWithoutPlaintext": ["CiphertextBlob", "KeyId", "KeyVersionId"],
    "ExportDataKey": ["ExportedDataKey", "KeyId", "KeyVersionId"],
    "GenerateAndExportDataKey": ["CiphertextBlob", "ExportedDataKey", "KeyId", "KeyVersionId"],
    "AsymmetricEncrypt": ["CiphertextBlob", "KeyId", "KeyVersionId"],
    "AsymmetricDecrypt": ["KeyId", "KeyVersionId", "Plaintext"],
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_response_has_the_documented_fields(
    profile: str, api: alibaba.KmsApi, action: str
) -> None:
    """JSON and XML have the documented fields and the request ID."""
    response = api.call(VALID[profile][action])
    assert response.status == 200
    assert list(response.body) == [*FIELDS[action], "RequestId"]
    assert json.loads(response.json()) == response.body
    root = ET.fromstring(response.xml())  # noqa: S314 (our own)
    assert root.tag == f"{action}Response"
    assert {child.tag: child.text for child in root} == response.body


@pytest.mark.parametrize("action", ACTIONS)
def test_a_missing_required_parameter_is_named(
    profile: str, api: alibaba.KmsApi, action: str
) -> None:
    """Absent, `None` and empty values are equal; a missing optional parameter is not an error."""
    valid = VALID[profile][action]
    for parameter in ACTIONS[action].parameters:
        absent: list[object] = [None] if parameter.name == "Plaintext" else [None, ""]
        given = [valid | {parameter.name: value} for value in absent]
        for params in (changed(valid, **{parameter.name: None}), *given):
            response = api.call(params)
            if parameter.is_required:
                assert code_of(response) == "MissingParameter"
                assert f'"{parameter.name}"' in message_of(response)
            else:
                assert code_of(response) is None


@pytest.mark.parametrize("action", ACTIONS)
def test_an_empty_optional_parameter_equals_an_absent_one(
    profile: str, api: alibaba.KmsApi, action: str
) -> None:
    """Each empty parameter alone, and all of them together, give the result without them."""
    optional = [row.name for row in ACTIONS[action].parameters if not row.is_required]
    bare = changed(VALID[profile][action], **dict.fromkeys(optional))
    for names in (*([name] for name in [*optional, "DryRun"]), [*optional, "DryRun"]):
        response = api.call(bare | dict.fromkeys(names, ""))
        assert (response.status, code_of(response)) == (200, None)
    assert code_of(api.call(bare | {"DryRun": "true"} | dict.fromkeys(optional, ""))) == (
        "DryRunOperationError"
    )


def test_an_empty_context_parameter_means_no_context(profile: str, api: alibaba.KmsApi) -> None:
    """An empty text means no context; in the service layout, `{}` is a different context."""
    blob = seal(api, EncryptionContext="")
    opening = {"Action": "Decrypt", "CiphertextBlob": blob}
    assert api.call(opening).status == api.call(opening | {"EncryptionContext": ""}).status == 200
    empty = api.call(opening | {"EncryptionContext": "{}"})
    assert code_of(empty) == (None if profile == "v1" else "InvalidParameter")


def test_an_empty_plaintext_is_encrypted(profile: str, api: alibaba.KmsApi) -> None:
    """Zero bytes are encrypted and decrypted; only an absent parameter is missing."""
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": ""}
    blob = api.call(request).body["CiphertextBlob"]
    opened = api.call({"Action": "Decrypt", "CiphertextBlob": blob})
    assert (opened.status, opened.body["Plaintext"]) == (200, "")
    assert code_of(api.call(changed(request, Plaintext=None))) == "MissingParameter"
    rsa = {"KeyId": "rsa", "KeyVersionId": "r1", "Algorithm": "RSAES_OAEP_SHA_1", "Plaintext": ""}
    assert api.call({"Action": "AsymmetricEncrypt", **rsa}).status == 200
    assert profile in PROFILES


def test_an_empty_action_is_missing(api: alibaba.KmsApi) -> None:
    """An empty or absent action is reported like any missing required parameter."""
    for action in ("", None):
        response = api.call({"Action": action, "KeyId": "orders"})
        assert message_of(response) == 'The parameter "Action" is needed but not provided.'


WRONG: Mapping[str, list[Any]] = {
    "CiphertextBlob": ["*", "QQ", "QQ=", " QQ==", "QR==", "-_8=", "A" * 16_388, b"QQ==", 1, []],
    "Plaintext": ["*", "QQ", "QQ==\n", "Q R=", to_base64(bytes(6145)), "A" * 10**6, "\ud800", 1],
    "EncryptionContext": ["x", "[]", "null", '{"a":1}', '{"a":"b","a":"b"}', '{"a":"b"}x', 1],
    "SourceEncryptionContext": ["null", '{"a":null}', {"a": 1}, {1: "a"}, {"a": "\ud800"}],
    "DestinationEncryptionContext": ["null", "{", [("a", "b")], {"a": b"b"}],
    "SourceEncryptionAlgorithm": ["SM2", "rsaes_oaep_sha_256", 1],
    "Algorithm": ["RSAES_PKCS1_V1_5", "SM2PKE ", None.__class__],
    "WrappingAlgorithm": ["SHA_256"],
    "WrappingKeySpec": ["RSA_3072", "RSA_4096", "Aliyun_AES_256", "EC_P256"],
    "PublicKeyBlob": ["*", "QQ==", to_base64(RSA.public_key.to_pem())],
    "KeySpec": ["AES_192", "aes_256", "Aliyun_AES_256", 32],
    "NumberOfBytes": ["0", "-1", "1025", "1e2", "32.0", " 32", "032", "٣٢", "9" * 5000, 32],
    "DryRun": ["yes", "1", "tru\u0435", 1, True, []],
    "KeyId": [1, b"orders", ["orders"]],
    "KeyVersionId": [1],
    "DestinationKeyId": [1],
    "SourceKeyId": [1],
    "SourceKeyVersionId": [1],
}


NOT_OPAQUE: list[Any] = ["x" * 8193, "é" * 4097, "\u79df" * 2731, "\ud800", "x\udfff", b"x", 1]


def wrong_values(profile: str, action: str, name: str) -> list[Any]:
    """Return invalid values of a parameter; one plaintext is opaque in one layout."""
    is_opaque = (profile, action, name) == ("service", "Encrypt", "Plaintext")
    return NOT_OPAQUE if is_opaque else WRONG[name]


@pytest.mark.parametrize("action", ACTIONS)
def test_each_wrong_parameter_is_named(profile: str, api: alibaba.KmsApi, action: str) -> None:
    """Each invalid value is rejected with the name of its parameter."""
    names = [parameter.name for parameter in ACTIONS[action].parameters] + ["DryRun"]
    for name in names:
        for value in wrong_values(profile, action, name):
            response = api.call(VALID[profile][action] | {name: value})
            assert code_of(response) == "InvalidParameter", (name, value)
            assert message_of(response) == f'The specified parameter "{name}" is not valid.'


def test_the_table_of_wrong_values_is_complete() -> None:
    """The table above has every parameter of every action."""
    names = {parameter.name for action in ACTIONS.values() for parameter in action.parameters}
    assert names | {"DryRun"} == WRONG.keys()


def test_unknown_parameters_are_ignored(profile: str, api: alibaba.KmsApi) -> None:
    """Common parameters of the service and unknown names do not cause an error."""
    common = {"Format": "XML", "Version": "2016-01-20", "Key": "nobody", "Recipient": "{}", "": 1}
    assert api.call(VALID[profile]["Encrypt"] | common).status == 200


def test_a_context_can_be_a_mapping(api: alibaba.KmsApi) -> None:
    """A JSON text, a mapping and an `EncryptionContext` are equal."""
    blob = seal(api, EncryptionContext={"a": "é"})
    for context in ('{"a":"é"}', {"a": "é"}, EncryptionContext({"a": "é"})):
        opened = api.call(
            {"Action": "Decrypt", "CiphertextBlob": blob, "EncryptionContext": context}
        )
        assert opened.body["Plaintext"] == "dGV4dA=="


@pytest.mark.parametrize(
    ("options", "length"),
    [
        ({}, 32),
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": "1"}, 1),
        ({"NumberOfBytes": "1024"}, 1024),
        ({"NumberOfBytes": "24", "KeySpec": "AES_128"}, 24),
    ],
)
def test_number_of_bytes_overrides_key_spec(
    api: alibaba.KmsApi, options: dict[str, str], length: int
) -> None:
    """The length without either is 32 bytes, and both actions use the same rules."""
    request = {"Action": "GenerateDataKey", "KeyId": "orders", **options}
    drawn = api.call(request).body
    silent = api.call(request | {"Action": "GenerateDataKeyWithoutPlaintext"}).body
    for sealed in (drawn, silent):
        opened = api.call({"Action": "Decrypt", "CiphertextBlob": sealed["CiphertextBlob"]}).body
        assert len(base64.b64decode(str(opened["Plaintext"]))) == length
    assert len(base64.b64decode(str(drawn["Plaintext"]))) == length


# --- Asymmetric sources and wrapping keys.


@pytest.mark.parametrize("missing", ["SourceKeyId", "SourceKeyVersionId"])
def test_an_asymmetric_ciphertext_requires_source_ids(
    profile: str, api: alibaba.KmsApi, missing: str
) -> None:
    """With `SourceEncryptionAlgorithm`, both source IDs are required."""
    bare = VALID[profile]["AsymmetricDecrypt"]["CiphertextBlob"]
    request = {
        "Action": "ReEncrypt",
        "CiphertextBlob": bare,
        "DestinationKeyId": "orders",
        "SourceKeyId": "sm2",
        "SourceKeyVersionId": "s1",
        "SourceEncryptionAlgorithm": "SM2PKE",
        "SourceEncryptionContext": "{}",
    }
    moved = api.call(request)
    assert (moved.body["KeyId"], moved.body["KeyVersionId"]) == ("sm2", "s1")
    response = api.call(changed(request, **{missing: None}))
    assert code_of(response) == "MissingParameter"
    assert missing in message_of(response)
    response = api.call(request | {"SourceEncryptionContext": '{"a":"b"}'})
    assert code_of(response) == "InvalidParameter"
    assert "SourceEncryptionContext" in message_of(response)


def test_source_ids_are_compared_with_the_blob(profile: str, api: alibaba.KmsApi) -> None:
    """Source IDs other than those of the blob are rejected; a resource name is allowed."""
    request = VALID[profile]["ReEncrypt"]
    right = {"SourceKeyId": "orders", "SourceKeyVersionId": support.VERSION}
    assert api.call(request | right).status == 200
    assert api.call(request | {"SourceKeyId": "acs:kms:a:1:key/orders"}).status == 200
    for wrong in (
        {"SourceKeyId": "archive"},
        {"SourceKeyId": "nobody"},
        {"SourceKeyId": "acs:kms:nothing"},
        {"SourceKeyId": "acs:kms:a:1:key/archive"},
        {"SourceKeyVersionId": support.OTHER_VERSION},
    ):
        response = api.call(request | right | wrong)
        assert code_of(response) == "InvalidParameter"
        assert "CiphertextBlob" in message_of(response)


@pytest.mark.parametrize("action", ["ExportDataKey", "GenerateAndExportDataKey"])
def test_a_wrapping_key_must_match_its_spec_and_algorithm(
    profile: str, api: alibaba.KmsApi, action: str
) -> None:
    """Spec and algorithm are compared with the public key."""
    request = VALID[profile][action]
    for name, value in (("WrappingKeySpec", "EC_SM2"), ("WrappingAlgorithm", "SM2PKE")):
        response = api.call(request | {name: value})
        assert code_of(response) == "InvalidParameter"
        assert name in message_of(response)
    other = to_base64(SM2.public_key.to_der())
    assert "WrappingKeySpec" in message_of(api.call(request | {"PublicKeyBlob": other}))
    large = PublicKey.from_der(
        kmscore.RsaKey.generate(KeySpec.RSA_3072, key_id="x").public_key.to_der()
    )
    response = api.call(request | {"PublicKeyBlob": to_base64(large.to_der())})
    assert "WrappingKeySpec" in message_of(response)


def test_the_parameter_of_a_value_too_long_is_named(profile: str, api: alibaba.KmsApi) -> None:
    """The message names the parameter of this action that has the long value."""
    response = api.call(VALID[profile]["GenerateAndExportDataKey"] | {"NumberOfBytes": "191"})
    assert "NumberOfBytes" in message_of(response)
    request = VALID[profile]["ExportDataKey"] | {"CiphertextBlob": seal(api, bytes(200))}
    assert "CiphertextBlob" in message_of(api.call(request))
    request = VALID[profile]["AsymmetricEncrypt"] | {"Plaintext": to_base64(bytes(6048))}
    assert "Plaintext" in message_of(api.call(request))


# --- Names of keys.


@pytest.mark.parametrize("name", ["SourceKeyId", "DestinationKeyId"])
@pytest.mark.parametrize("alias", ["alias/orders", "acs:kms:cn-hangzhou:1:alias/orders"])
def test_reencryption_rejects_an_alias(profile: str, name: str, alias: str) -> None:
    """Key IDs of a re-encryption must be globally unique; resource names of keys are allowed."""
    api = make_api(profile=PROFILES[profile], resolve_key=support.resolve)
    assert code_of(api.call(VALID[profile]["ReEncrypt"] | {name: alias})) == "Unsupported.Alias"
    named = VALID[profile]["ReEncrypt"] | {"DestinationKeyId": "acs:kms:x:1:key/archive"}
    assert api.call(named).status == 200


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("alias/nobody", "Forbidden.AliasNotFound"),
        ("acs:kms:x:1:alias/nobody", "Forbidden.AliasNotFound"),
        ("acs:kms:x:1:key/nobody", "Forbidden.KeyNotFound"),
        ("acs:kms:x:1:secret/orders", "Forbidden.KeyNotFound"),
        ("acs:ecs:x:1:key/orders", "Forbidden.KeyNotFound"),
        ("acs:", "Forbidden.KeyNotFound"),
        ("nobody", "Forbidden.KeyNotFound"),
        ("../../etc/passwd", "Forbidden.KeyNotFound"),
        ("orders\x00", "Forbidden.KeyNotFound"),
        ("\ud800", "Forbidden.KeyNotFound"),
        ("ORDERS", "Forbidden.KeyNotFound"),
        ("k" * 10_000, "Forbidden.KeyNotFound"),
    ],
)
def test_an_unknown_key_id_is_not_found(api: alibaba.KmsApi, name: str, code: str) -> None:
    """An ID or name of any form that names no key gives status 404."""
    response = api.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""})
    assert (response.status, code_of(response)) == (404, code)


def test_a_resolver_can_raise_key_not_found() -> None:
    """`KeyNotFoundError` from the resolver gives the same answer as `None`."""

    def resolve_key(text: str) -> str:
        raise kmscore.KeyNotFoundError(text)

    api = make_api(resolve_key=resolve_key)
    response = api.call({"Action": "Encrypt", "KeyId": "alias/x", "Plaintext": ""})
    assert code_of(response) == "Forbidden.AliasNotFound"


# --- Permissions.

USES = {
    "ReEncrypt": [("kms:ReEncryptFrom", "orders"), ("kms:ReEncryptTo", "archive")],
    "Encrypt": [("kms:Encrypt", "orders")],
    "Decrypt": [("kms:Decrypt", "orders")],
    "GenerateDataKey": [("kms:GenerateDataKey", "orders")],
    "GenerateDataKeyWithoutPlaintext": [("kms:GenerateDataKeyWithoutPlaintext", "orders")],
    "ExportDataKey": [("kms:ExportDataKey", "orders")],
    "GenerateAndExportDataKey": [("kms:GenerateAndExportDataKey", "orders")],
    "AsymmetricEncrypt": [("kms:AsymmetricEncrypt", "sm2")],
    "AsymmetricDecrypt": [("kms:AsymmetricDecrypt", "sm2")],
}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_policy_is_asked_about_each_use(profile: str, action: str) -> None:
    """The policy gets principal, permission and resource name; one denial rejects the request."""
    asked: list[tuple[object, str, str]] = []

    def note(*question: Any) -> bool:
        asked.append(question)
        return True

    arn = "acs:kms:cn-hangzhou:1:key/{}".format
    options: dict[str, Any] = {"profile": PROFILES[profile], "arn": arn}
    request = VALID[profile][action]
    assert make_api(note, **options).call(request, principal="alice").status == 200
    assert asked == [("alice", use, arn(key_id)) for use, key_id in USES[action]]
    for use, _ in USES[action]:
        api = make_api(lambda _, asked_for, __, use=use: asked_for != use, **options)
        response = api.call(request)
        assert (response.status, code_of(response)) == (403, "Forbidden.NoPermission")


@pytest.mark.parametrize("answer", [None, 0, 1, "yes", [True], object()])
def test_only_true_allows(profile: str, answer: object) -> None:
    """Other true values, such as a coroutine that is not awaited, deny the request."""
    api = make_api(lambda *_: answer, profile=PROFILES[profile])
    assert code_of(api.call(VALID[profile]["Decrypt"])) == "Forbidden.NoPermission"


class Watched:
    """A key provider that records calls for encryption and decryption."""

    def __init__(self) -> None:
        """Start with an empty record."""
        self.asked: list[str] = []

    def primary(self, key_id: str) -> Any:
        """Record the call."""
        self.asked.append(key_id)
        return INDEX.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Any:
        """Record the call."""
        self.asked.append(key_id)
        return INDEX.version(key_id, key_version_id)

    def version_by_id(self, key_version_id: str) -> Any:
        """Do not record: the key ID of a version must be known before the policy check."""
        return INDEX.version_by_id(key_version_id)


def variations(profile: str) -> dict[str, list[dict[str, Any]]]:
    """Return for each action requests for keys of every state and kind, and unknown keys."""
    names = ["orders", "nobody", "rsa", "disabled", "alias/nobody", "alias/orders", "acs:x"]
    stranger = SymmetricKey.generate(KeySpec.AES_256, key_id="foreign", suite=Suite.AES_256_GCM)
    ring = alibaba.VersionIndex(Keyring([stranger]))
    foreign = make_api(keys=ring, profile=PROFILES[profile])
    blobs = [seal(APIS[profile]), seal(foreign, KeyId="foreign")]
    requests: dict[str, list[dict[str, Any]]] = {}
    for action, valid in VALID[profile].items():
        variants = [valid | {"KeyId": name} for name in names] if "KeyId" in valid else []
        if action in {"Decrypt", "ExportDataKey", "ReEncrypt"}:
            variants += [valid | {"CiphertextBlob": blob} for blob in blobs]
        if action == "ReEncrypt":
            variants += [valid | {"DestinationKeyId": name} for name in ("nobody", "rsa", "xaes")]
        requests[action] = variants
    return requests


class Fickle:
    """A policy that gives the opposite answer to a repeated question."""

    def __init__(self, answer: Callable[[str, str], bool]) -> None:
        """Take the function for the first answer."""
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def __call__(self, _: object, action: str, resource: str) -> bool:
        """Return the answer, and record the question."""
        question = action, resource
        self.asked.append(question)
        return self.answer(*question) is (self.asked.count(question) == 1)


ANSWERS: Mapping[str, Callable[[str, str], bool]] = {
    "all": lambda *_: True,
    "nothing": lambda *_: False,
    "the source alone": lambda action, _: action != "kms:ReEncryptTo",
    "the destination alone": lambda action, _: action != "kms:ReEncryptFrom",
    "one key": lambda _, resource: resource.endswith(":key/orders"),
    "all but one key": lambda _, resource: not resource.endswith(":key/orders"),
    "names alone": lambda _, resource: "alias" in resource or "acs:x" in resource,
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("is_dry_run", [False, True])
def test_the_policy_is_asked_once_about_a_resource(
    profile: str, answer: str, is_dry_run: bool
) -> None:
    """Each action asks one time, and this answer counts, for allowed and unknown keys too."""
    options: dict[str, Any] = {"profile": PROFILES[profile], "resolve_key": support.resolve}
    steady = make_api(lambda _, *question: ANSWERS[answer](*question), **options)
    names = ["acs:kms:x:1:key/orders", "acs:kms:x:1:key/nobody", "acs:kms:cn-hangzhou:1:alias/x"]
    for action, requests in variations(profile).items():
        for name in ("KeyId", "DestinationKeyId", "SourceKeyId"):
            if name in VALID[profile][action] or (name, action) == ("SourceKeyId", "ReEncrypt"):
                requests += [VALID[profile][action] | {name: text} for text in names]
        for request in requests:
            params = request | ({"DryRun": "true"} if is_dry_run else {})
            policy = Fickle(ANSWERS[answer])
            fickle = make_api(policy, **options)
            assert code_of(fickle.call(params)) == code_of(steady.call(params))
            assert len(policy.asked) == len(set(policy.asked))
            assert policy.asked or code_of(steady.call(request)) == "Unsupported.Alias"


def test_a_denied_key_is_not_checked_again_by_resource_name(profile: str) -> None:
    """A resource name is the same question as its key ID, so that it is asked one time."""
    policy = Fickle(lambda *_: False)
    api = make_api(policy, profile=PROFILES[profile])
    for name in ("acs:kms:x:1:key/orders", "acs:kms:x:1:key/nobody"):
        response = api.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""})
        assert code_of(response) == "Forbidden.NoPermission"
    resources = [f"acs:kms:*:*:key/{key_id}" for key_id in ("orders", "nobody")]
    assert policy.asked == [("kms:Encrypt", resource) for resource in resources]


@pytest.mark.parametrize(
    "name",
    [
        "acs:kms:x:1:secret/orders",
        "acs:kms:x:1:key/",
        "acs:kms:x:key/orders",
        "acs:ecs:x:1:key/orders",
        "acs:ram::1:role/Orders Reader",
        "acs:KMS:x:1:key/orders",
        "acs:kms:x:1:alias/nobody",
        "acs:",
        "acs:\x00\n\u2028",
        "acs:" + "x" * 600,
        "alias/nobody",
        "alias/\x00",
    ],
)
def test_an_unknown_name_reaches_the_policy_unchanged(profile: str, name: str) -> None:
    """The policy gets the whole text in the place of a key ID."""
    for answer, code in ((False, "Forbidden.NoPermission"), (True, None)):
        policy = Fickle(lambda *_, answer=answer: answer)  # type: ignore[misc]
        api = make_api(policy, profile=PROFILES[profile])
        response = api.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""})
        assert policy.asked == [("kms:Encrypt", f"acs:kms:*:*:key/{name}")]
        is_alias = name.startswith("alias/") or ":alias/" in name
        unknown = "Forbidden.AliasNotFound" if is_alias else "Forbidden.KeyNotFound"
        assert code_of(response) == (code or unknown)


MALFORMED = ("k" * 256, "k" * 600, "a b", "a\nb", "'; --", "é", "\ud800", "a\x00", "\x7f")


@pytest.mark.parametrize("key_id", MALFORMED)
def test_the_form_of_an_id_is_checked_after_the_policy(profile: str, key_id: str) -> None:
    """A malformed ID is first denied like any other ID, and otherwise not found."""
    uses = [
        ("Encrypt", {"KeyId": key_id}, "Forbidden.KeyNotFound"),
        ("GenerateDataKey", {"KeyId": key_id}, "Forbidden.KeyNotFound"),
        ("GenerateAndExportDataKey", {"KeyId": key_id}, "Forbidden.KeyNotFound"),
        ("AsymmetricEncrypt", {"KeyId": key_id}, "Forbidden.KeyNotFound"),
        ("AsymmetricDecrypt", {"KeyId": key_id}, "Forbidden.KeyNotFound"),
        ("ReEncrypt", {"DestinationKeyId": key_id}, "Forbidden.KeyNotFound"),
        ("AsymmetricEncrypt", {"KeyVersionId": key_id}, "Forbidden.KeyVersionNotFound"),
        ("AsymmetricDecrypt", {"KeyVersionId": key_id}, "Forbidden.KeyVersionNotFound"),
        ("ReEncrypt", {"SourceKeyId": key_id}, "InvalidParameter"),
        ("ReEncrypt", {"SourceKeyVersionId": key_id}, "InvalidParameter"),
    ]
    for action, params, code in uses:
        request = VALID[profile][action] | params
        denying = make_api(lambda *_: False, profile=PROFILES[profile])
        assert code_of(denying.call(request)) == "Forbidden.NoPermission"
        assert code_of(APIS[profile].call(request)) == code


RESOLVED = ("alias/x", "alias/" + "x" * 506, "alias/é 租户'\"\\", "acs:kms:x:1:key/orders")
UNRESOLVED = (
    *("acs:", "acs:kms:x:alias/x", "acs:kms:x:key/orders", "acs:kms:x:1:key/"),
    "acs:kms:x:1:secret/orders",
    "alias/" + "x" * 507,
    "acs:" + "x" * 100_000,
    *(f"alias/x{character}" for character in "\x00\n\r\x1b\x7f\x85\u2028\u202e\ud800\ufffe"),
    "acs:kms:x:1:key/orders\n",
)


@pytest.mark.parametrize("name", [*RESOLVED, *UNRESOLVED])
def test_a_resolver_gets_only_printable_names_of_keys_and_aliases(name: str) -> None:
    """Other names are answered like unknown names, without a call of the resolver."""
    asked: list[str] = []
    api = make_api(resolve_key=asked.append)  # type: ignore[arg-type]  # it gives None
    response = api.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""})
    kind = "Alias" if name.startswith("alias/") else "Key"
    assert code_of(response) == f"Forbidden.{kind}NotFound"
    assert asked == ([name] if name in RESOLVED else [])
    denying = make_api(lambda *_: False, resolve_key=asked.append)  # type: ignore[arg-type]
    response = denying.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""})
    assert code_of(response) == "Forbidden.NoPermission"


def test_a_denied_principal_learns_nothing_about_keys(profile: str) -> None:
    """Every request gets the same answer, and the key provider gets no call."""
    for requests in variations(profile).values():
        store = Watched()
        api = make_api(
            lambda *_: False,
            keys=store,
            profile=PROFILES[profile],
            resolve_key=support.resolve,
            request_id=lambda: "same",
        )
        answers = {api.call(request).json() for request in requests}
        assert len(requests) > 1
        assert answers == {
            alibaba.ApiResponse.of_fault(service_errors.NO_PERMISSION, "same").json(),
        }
        assert store.asked == []


def test_a_principal_with_one_key_learns_nothing_about_others(profile: str) -> None:
    """Existing and unknown aliases, keys and versions get the same answer."""

    def policy(_: object, __: str, resource: str) -> bool:
        return resource.endswith(":key/archive")

    api = make_api(policy, profile=PROFILES[profile], resolve_key=support.resolve)
    for requests in variations(profile).values():
        assert {code_of(api.call(request)) for request in requests} == {"Forbidden.NoPermission"}


def test_the_existence_of_one_denied_key_is_hidden(profile: str) -> None:
    """By alias, resource name or version, the denied key is answered like an absent key."""

    def policy(_: object, __: str, resource: str) -> bool:
        return not resource.endswith((":key/archive", ":key/nobody"))

    aliases = {"alias/archive": "archive", "acs:kms:x:1:key/archive": "archive"}
    api = make_api(policy, profile=PROFILES[profile], resolve_key=aliases.get)
    for there, not_there in (
        ("alias/archive", "alias/nobody"),
        ("acs:kms:x:1:key/archive", "acs:kms:x:1:key/nobody"),
        ("archive", "nobody"),
    ):
        answers = {
            code_of(api.call({"Action": "Encrypt", "KeyId": name, "Plaintext": ""}))
            for name in (there, not_there)
        }
        assert len(answers) == 1
    denied = seal(APIS[profile], KeyId="archive")
    destination = {"DestinationKeyId": "orders"}
    names = {
        code_of(api.call(VALID[profile]["ReEncrypt"] | {"SourceKeyId": name, **destination}))
        for name in ("archive", "nobody", "acs:kms:x:1:key/archive", "acs:kms:x:1:key/nobody")
    }
    assert names == {"InvalidParameter"}
    if profile == "service":
        stranger = SymmetricKey.generate(KeySpec.AES_256, key_id="x", suite=Suite.AES_256_GCM)
        foreign = seal(
            make_api(
                keys=alibaba.VersionIndex(Keyring([stranger])), profile=alibaba.Profile.ALIBABA
            ),
            KeyId="x",
        )
        codes = {
            code_of(api.call({"Action": "Decrypt", "CiphertextBlob": blob}))
            for blob in (denied, foreign)
        }
        assert codes == {"Forbidden.KeyVersionNotFound"}


def test_both_keys_are_authorized_before_lookup() -> None:
    """A denial for one key comes before the error for a missing other key."""
    request = VALID["v1"]["ReEncrypt"] | {"DestinationKeyId": "acs:kms:x:1:key/archive"}
    stranger = make_api(keys=Keyring([KEYS[1]]), resolve_key=lambda _: None)
    assert code_of(stranger.call(request)) == "Forbidden.KeyNotFound"
    denying = make_api(
        lambda _, action, __: action != "kms:ReEncryptFrom", resolve_key=lambda _: None
    )
    assert code_of(denying.call(request)) == "Forbidden.NoPermission"


def test_the_table_of_uses_has_every_permission() -> None:
    """The permissions in `USES` are those that a policy knows."""
    assert {use for uses in USES.values() for use, _ in uses} == set(PERMISSIONS)


def test_an_authorized_principal_learns_the_missing_version(profile: str) -> None:
    """An allowed request gets 404 for an unknown key version."""
    foreign = SymmetricKey.generate(KeySpec.AES_256, key_id="foreign", suite=Suite.AES_256_GCM)
    api = make_api(keys=alibaba.VersionIndex(Keyring([foreign])), profile=PROFILES[profile])
    blob = seal(api, KeyId="foreign")
    response = APIS[profile].call({"Action": "Decrypt", "CiphertextBlob": blob})
    expected = {"v1": "Forbidden.KeyNotFound", "service": "Forbidden.KeyVersionNotFound"}
    assert (response.status, code_of(response)) == (404, expected[profile])
    request = VALID[profile]["AsymmetricDecrypt"] | {"KeyVersionId": "s2"}
    assert code_of(APIS[profile].call(request)) == "Forbidden.KeyVersionNotFound"


class Changing(Watched):
    """A provider that returns a version of another key in the second call."""

    def version_by_id(self, key_version_id: str) -> Any:
        """Return the requested version; from the second call, under another key ID."""
        self.asked.append(key_version_id)
        key = INDEX.version_by_id(key_version_id)
        if len(self.asked) == 1:
            return key
        return SymmetricKey(
            "secret", key_version_id, key.spec, key.export_material(), suite=key.suite
        )


@pytest.mark.parametrize("action", ["Decrypt", "ExportDataKey", "ReEncrypt"])
def test_the_decryption_key_must_be_the_authorized_key(action: str) -> None:
    """A provider that changes its answer between two calls does not bypass the policy."""
    api = make_api(keys=Changing(), profile=alibaba.Profile.ALIBABA)
    response = api.call(VALID["service"][action])
    assert code_of(response) == "InvalidParameter"
    assert "CiphertextBlob" in message_of(response)


# --- Faults.


def test_the_table_of_errors_is_complete() -> None:
    """Every error class of the library and every state but Enabled has an answer."""
    leaves = {
        kind
        for kind in vars(kmscore.errors).values()
        if isinstance(kind, type)
        and issubclass(kind, kmscore.KmsCoreError)
        and kind is not kmscore.KmsCoreError
    }
    assert set(service_errors.ERRORS) == leaves
    states = {state.value for state in kmscore.KeyState} - {"Enabled"}
    assert set(service_errors.REJECTED) == states


def test_the_errors_of_a_request_have_a_status_and_a_code() -> None:
    """Each error outside the table of the vendor's pages, by its name."""
    expected = {
        "THROTTLED": (429, "Rejected.Throttling"),
        "ALIAS_EXISTS": (400, "AliasAlreadyExists"),
        "STATE_NOT_CHANGED": (409, "Rejected.StateModifiedFailed"),
        "SIGNATURE_DOES_NOT_MATCH": (400, "SignatureDoesNotMatch"),
        "ACCESS_KEY_NOT_FOUND": (404, "InvalidAccessKeyId.NotFound"),
        "EXPIRED": (400, "InvalidTimeStamp.Expired"),
        "NONCE_USED": (400, "SignatureNonceUsed"),
        "UNSUPPORTED_METHOD": (405, "UnsupportedHTTPMethod"),
        "INVALID_VERSION": (400, "InvalidVersion"),
        "UNKNOWN_PATH": (404, "UnsupportedOperation"),
        "LENGTH_REQUIRED": (411, "InvalidParameter"),
        "REQUEST_TOO_LARGE": (413, "InvalidParameter"),
        "DRY_RUN_PASSED": (400, "DryRunOperationError"),
    }
    for name, (status, code) in expected.items():
        fault = getattr(service_errors, name)
        assert (fault.status, fault.code) == (status, code)
    incomplete = service_errors.incomplete_signature("x")
    assert incomplete == (400, "IncompleteSignature", "The signature is not complete: x.")


def test_messages_match_the_documentation_of_the_vendor() -> None:
    """Status, code and message are those on the pages of the vendor."""
    expected = {
        (400, "MissingParameter", 'The parameter "KeyId" is needed but not provided.'),
        (400, "InvalidParameter", 'The specified parameter "KeyId" is not valid.'),
        (400, "Unsupported.Alias", "Alias is not valid for this api."),
        (400, "UnsupportedOperation", "This action is not supported."),
        (403, "Forbidden.NoPermission", "This operation is forbidden by permission system."),
        (404, "Forbidden.KeyNotFound", "The specified Key is not found."),
        (404, "Forbidden.KeyVersionNotFound", "The specified Key version is not found."),
        (404, "Forbidden.AliasNotFound", "The specified Alias is not found."),
        (500, "InternalFailure", "Internal Failure."),
        *(
            (
                409,
                f"Rejected.{state}",
                f"The request was rejected because the key state is {state}.",
            )
            for state in ("Disabled", "PendingDeletion", "PendingImport")
        ),
    }
    constants = {
        value for value in vars(service_errors).values() if isinstance(value, service_errors.Fault)
    }
    known = {
        *constants,
        *service_errors.REJECTED.values(),
        service_errors.missing_parameter("KeyId"),
        service_errors.invalid_parameter("KeyId"),
    }
    assert expected <= known


@pytest.mark.parametrize(("key_id", "state"), support.STATES.items())
def test_a_key_that_is_not_enabled_is_rejected(
    api: alibaba.KmsApi, key_id: str, state: Any
) -> None:
    """Code and message contain the state of the key."""
    response = api.call({"Action": "Encrypt", "KeyId": key_id, "Plaintext": ""})
    assert (response.status, code_of(response)) == (409, f"Rejected.{state.value}")
    assert state.value in message_of(response)


def test_every_cryptographic_failure_has_the_same_answer(profile: str) -> None:
    """A changed bit, context, key or suite, and an invalid blob, give the same answer."""
    api = APIS[profile]
    raw = kmscore._base64.decode_base64(seal(api).encode())  # type: ignore[attr-defined]
    assert raw is not None
    impostor = SymmetricKey.generate(
        KeySpec.AES_256, key_id="orders", key_version_id=support.VERSION, suite=Suite.AES_256_GCM
    )
    other = SymmetricKey("orders", support.VERSION, KeySpec.SM4, bytes(16))
    rings = [Keyring([key]) for key in (impostor, other)]
    calls = [
        (api, flip_last_bit(raw), "{}"),
        (api, raw[:-20] + bytes([raw[-20] ^ 1]) + raw[-19:], None),
        (api, raw, '{"a":"b"}'),
        (api, raw[:-1], None),
        (api, raw[:40], None),
        (api, b"\x00", None),
        *(
            (make_api(keys=alibaba.VersionIndex(ring), profile=PROFILES[profile]), raw, None)
            for ring in rings
        ),
    ]
    answers = set()
    for api_, blob, context in calls:
        for action in ("Decrypt", "ExportDataKey", "ReEncrypt"):
            name = "SourceEncryptionContext" if action == "ReEncrypt" else "EncryptionContext"
            params = {"CiphertextBlob": to_base64(blob), name: context}
            response = api_.call(VALID[profile][action] | params | {"DestinationKeyId": "orders"})
            answers.add((response.status, code_of(response), message_of(response)))
    message = 'The specified parameter "CiphertextBlob" is not valid.'
    assert answers == {(400, "InvalidParameter", message)}


@pytest.mark.parametrize("action", ["Encrypt", "Decrypt", "GenerateDataKey"])
def test_an_ambiguous_context_is_named(action: str) -> None:
    """The service layout rejects it unless `allow_ambiguous` is set; v1 accepts it."""
    api = APIS["service"]
    request = VALID["service"][action] | {"EncryptionContext": '{"a":"1","b":"2"}'}
    response = api.call(request)
    assert code_of(response) == "InvalidParameter"
    assert '"EncryptionContext"' in message_of(response)
    assert '"EncryptionContext"' not in message_of(
        api.call(VALID["service"]["Decrypt"] | {"EncryptionContext": '{"a":"1"}'})
    )
    allowing = make_api(profile=alibaba.Profile.ALIBABA, allow_ambiguous=True)
    if action != "Decrypt":
        assert allowing.call(request).status == 200
    taken = APIS["v1"].call(VALID["v1"]["Encrypt"] | {"EncryptionContext": '{"a":"1","b":"="}'})
    assert taken.status == 200


@pytest.mark.parametrize("name", ["SourceEncryptionContext", "DestinationEncryptionContext"])
def test_an_ambiguous_context_is_named_on_either_side(name: str) -> None:
    """The error names the context parameter of the right side of a re-encryption."""
    response = APIS["service"].call(VALID["service"]["ReEncrypt"] | {name: {"a": "1", "b": "2"}})
    assert message_of(response) == f'The specified parameter "{name}" is not valid.'


def test_absent_and_empty_contexts_differ_in_the_service_layout() -> None:
    """The rule of the vendor distinguishes them; in v1 they are equal."""
    for name, expected in (("service", "InvalidParameter"), ("v1", None)):
        blob = seal(APIS[name], EncryptionContext="{}")
        response = APIS[name].call({"Action": "Decrypt", "CiphertextBlob": blob})
        assert code_of(response) == expected


# --- Dry runs.


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "tRuE"])
@pytest.mark.parametrize("action", ACTIONS)
def test_a_successful_dry_run_returns_an_error_code(
    profile: str, api: alibaba.KmsApi, action: str, text: str
) -> None:
    """The response is `DryRunOperationError`, and it has no field of the result."""
    response = api.call(VALID[profile][action] | {"DryRun": text})
    assert (response.status, code_of(response)) == (400, "DryRunOperationError")
    assert set(response.body) == {"HttpStatus", "Code", "Message", "RequestId"}
    assert api.call(VALID[profile][action] | {"DryRun": "False"}).status == 200


def test_a_dry_run_fails_like_the_real_call(profile: str) -> None:
    """A dry run fails with `AccessDeniedError` or `ValidationError` if the real call fails."""
    denying = make_api(
        lambda _, __, resource: not resource.endswith("/archive"), profile=PROFILES[profile]
    )
    for requests in variations(profile).values():
        for request in requests:
            real, dry = denying.call(request), denying.call(request | {"DryRun": "true"})
            assert 400 <= dry.status < 500
            expected = {
                None: "DryRunOperationError",
                "Forbidden.NoPermission": "AccessDeniedError",
            }.get(code_of(real), "ValidationError")
            assert code_of(dry) == expected
            if expected != "DryRunOperationError":
                assert message_of(dry) == message_of(real)


@pytest.mark.parametrize("action", ACTIONS)
def test_a_dry_run_does_not_encrypt(
    profile: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run generates no IV and no data key, because messages per key version are limited."""
    request = VALID[profile][action] | {"DryRun": "true"}
    api = make_api(profile=PROFILES[profile])
    sealed: list[str] = []
    watch_ciphers(monkeypatch, sealed.append)
    monkeypatch.setattr("os.urandom", lambda _: pytest.fail("something was drawn"))
    assert code_of(api.call(request)) == "DryRunOperationError"
    assert "seal" not in sealed


def test_a_dry_run_maps_every_client_error() -> None:
    """A missing or unknown action gives `ValidationError` too."""
    for request in ({}, {"Action": "Nope"}, {"Action": 1}):
        response = APIS["v1"].call(request | {"DryRun": "true"})
        assert (response.status, code_of(response)) == (400, "ValidationError")
    assert code_of(APIS["v1"].call({"DryRun": "x"})) == "InvalidParameter"


def test_a_dry_run_checks_the_length_to_export(profile: str) -> None:
    """A dry run rejects the same lengths as the real call."""
    request = VALID[profile]["GenerateAndExportDataKey"] | {"DryRun": "true"}
    for length, code in (("190", "DryRunOperationError"), ("191", "ValidationError")):
        assert code_of(APIS[profile].call(request | {"NumberOfBytes": length})) == code


def test_a_dry_run_checks_the_wrapping_algorithm(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build without the algorithm rejects both calls, before the check of the length."""
    request = VALID[profile]["GenerateAndExportDataKey"] | {"NumberOfBytes": "1024"}
    miss_hash(monkeypatch, lambda: True)
    call, dry_run = (APIS[profile].call(request | {"DryRun": given}) for given in ("", "true"))
    assert code_of(call) == "UnsupportedOperation"
    assert (code_of(dry_run), message_of(dry_run)) == ("ValidationError", message_of(call))


def test_a_dry_run_decrypts_the_source(profile: str, api: alibaba.KmsApi) -> None:
    """A dry run with a wrong tag fails, so that it is as strong an oracle as the call."""
    request = VALID[profile]["ReEncrypt"] | {"DryRun": "true"}
    wrong = request | {"SourceEncryptionContext": '{"a":"b"}'}
    assert code_of(api.call(request)) == "DryRunOperationError"
    assert code_of(api.call(wrong)) == "ValidationError"


# --- Exceptions of the application.


class Failing(Watched):
    """A provider that raises a given error."""

    def __init__(self, error: Exception) -> None:
        """Take the error."""
        super().__init__()
        self.error = error

    def primary(self, *_: str) -> Any:
        """Raise the error."""
        raise self.error

    version = version_by_id = primary


@pytest.mark.parametrize(
    "error",
    [
        OSError("the path of the store"),
        ValueError("secret"),
        TypeError("secret"),
        RecursionError(),
        kmscore.InvalidKeyError("the store holds no key"),
        kmscore.KeyStateError("Confused"),
        kmscore.KeyStateError([]),  # type: ignore[arg-type]
        kmscore.IncorrectKeyError("another"),
        kmscore.DecryptionError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_foreign_exception_is_an_internal_failure(error: Exception) -> None:
    """With `on_failure` the response has status 500; without it the exception propagates."""
    seen: list[Exception] = []
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": ""}
    api = make_api(keys=Failing(error), on_failure=seen.append)
    response = api.call(request)
    assert (response.status, code_of(response)) == (500, "InternalFailure")
    assert response.body["Message"] == "Internal Failure."
    dry = api.call(request | {"DryRun": "true"})
    assert (dry.status, code_of(dry), message_of(dry)) == (
        500,
        "InternalFailure",
        "Internal Failure.",
    )
    assert seen == [error, error]
    with pytest.raises(type(error)) as caught:
        make_api(keys=Failing(error)).call(request)
    assert caught.value is error


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("which", ["keys", "policy", "arn", "resolve_key", "a mapping"])
@pytest.mark.parametrize("is_dry_run", [False, True])
def test_a_failure_of_the_application_gives_status_500(
    profile: str, action: str, which: str, is_dry_run: bool
) -> None:
    """Status 500 applies to dry runs too, because the request is correct."""

    def fail(*_: object) -> Any:
        raise error

    error, seen = OSError("secret"), []
    request = VALID[profile][action] | ({"DryRun": "true"} if is_dry_run else {})
    options: dict[str, Any] = {"profile": PROFILES[profile], "on_failure": seen.append}
    policy: Any = alibaba.ALLOW_ALL
    if which == "keys":
        options["keys"] = Failing(error)
    elif which == "policy":
        policy = fail
    elif which == "a mapping":
        context = next((row.name for row in ACTIONS[action].parameters if "Context" in row.name), 0)
        if context == 0:
            return
        request[str(context)] = RaisingMap()
    else:
        options[which] = fail
        name = next(n for n in ("KeyId", "DestinationKeyId", "CiphertextBlob") if n in request)
        if which == "resolve_key":
            if name == "CiphertextBlob":
                return
            request[name] = f"acs:kms:x:1:key/{request[name]}"
    response = make_api(policy, **options).call(request)
    assert (response.status, code_of(response)) == (500, "InternalFailure")
    assert message_of(response) == "Internal Failure."
    assert [type(one) for one in seen] == [OSError]
    options.pop("on_failure")
    with pytest.raises(OSError):  # noqa: PT011 (it is the one that was raised)
        make_api(policy, **options).call(request)


def test_a_dry_run_keeps_server_errors() -> None:
    """Status codes from 500 stay unchanged, and all lower codes become `ValidationError`."""
    for status in range(400, 600):
        dry = service_errors.of_dry_run(service_errors.Fault(status, "Code", "message"))
        assert dry == (
            service_errors.Fault(400, "ValidationError", "message")
            if status < 500
            else service_errors.Fault(status, "Code", "message")
        )


def test_an_error_without_an_answer_is_an_internal_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An error class that is missing in the table gives status 500."""
    rest = {
        kind: fault
        for kind, fault in service_errors.ERRORS.items()
        if kind is not kmscore.KeyUsageError
    }
    monkeypatch.setattr(service_errors, "ERRORS", rest)
    seen: list[Exception] = []
    error = kmscore.KeyUsageError("secret")
    api = make_api(keys=Failing(error), on_failure=seen.append)
    assert code_of(api.call(VALID["v1"]["Encrypt"])) == "InternalFailure"
    assert seen == [error]


def test_a_subclass_of_an_error_has_the_answer_of_its_class() -> None:
    """A provider can define subclasses of the errors."""
    own = type("NoSuchRowError", (kmscore.KeyNotFoundError,), {})("row 7")
    response = make_api(keys=Failing(own)).call(VALID["v1"]["Encrypt"])
    assert (response.status, code_of(response)) == (404, "Forbidden.KeyNotFound")


@pytest.mark.parametrize("which", ["policy", "arn", "resolve_key"])
def test_a_failing_callback_is_an_internal_failure(which: str) -> None:
    """A callback that raises, such as the policy, does not allow the request."""

    def fail(*_: object) -> Any:
        raise LookupError("secret")

    seen: list[Exception] = []
    options: dict[str, Any] = {which: fail, "on_failure": seen.append}
    api = make_api(options.pop("policy", alibaba.ALLOW_ALL), **options)
    request = {"Action": "Encrypt", "KeyId": "alias/x", "Plaintext": ""}
    assert code_of(api.call(request)) == "InternalFailure"
    assert isinstance(seen[0], LookupError)


def test_a_resolver_must_return_text() -> None:
    """A result of another type raises `TypeError`."""
    api = make_api(resolve_key=lambda _: 7)  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="resolve_key"):
        api.call({"Action": "Encrypt", "KeyId": "alias/x", "Plaintext": ""})


def test_an_interrupt_propagates() -> None:
    """`KeyboardInterrupt` is not converted to a response."""
    api = make_api(
        keys=Failing(KeyboardInterrupt()),  # type: ignore[arg-type]
        on_failure=lambda _: None,
    )
    with pytest.raises(KeyboardInterrupt):
        api.call({"Action": "Encrypt", "KeyId": "orders", "Plaintext": ""})


# --- The API object.


def test_request_ids_are_unique() -> None:
    """By default, each response has a new random UUID."""
    api = alibaba.KmsApi(INDEX, alibaba.ALLOW_ALL)
    ids = {str(api.call({}).body["RequestId"]) for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", each) for each in ids)


@pytest.mark.parametrize(
    ("bad", "error"), [(7, TypeError), ("\x00", ValueError), ("é", ValueError)]
)
def test_an_invalid_request_id_raises_an_error(bad: Any, error: type[Exception]) -> None:
    """A request ID that XML cannot contain is an error of the application."""
    with pytest.raises(error, match="request_id"):
        make_api(request_id=lambda: bad).call({})


def test_the_policy_is_required() -> None:
    """An application must pass `ALLOW_ALL` to allow every request."""
    with pytest.raises(TypeError):
        alibaba.KmsApi(INDEX)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "options",
    [
        {"policy": None},
        {"policy": True},
        {"keys": None},
        {"keys": {}},
        {"keys": Keyring(KEYS), "profile": alibaba.Profile.ALIBABA},
        {"profile": "v1"},
        {"arn": "acs:kms:*:*:key/"},
        {"request_id": "1"},
        {"resolve_key": None},
        {"on_failure": 1},
        {"allow_ambiguous": 1},
    ],
    ids=str,
)
def test_the_constructor_checks_types(options: dict[str, Any]) -> None:
    """A wrong type raises `TypeError` before the first request."""
    with pytest.raises(TypeError):
        make_api(options.pop("policy", alibaba.ALLOW_ALL), **options)


@pytest.mark.parametrize("params", [None, [], "Action=Encrypt", 1, [("Action", "Encrypt")]])
def test_parameters_must_be_a_mapping(params: Any) -> None:
    """Another type raises `TypeError`, because it is an error of the application."""
    with pytest.raises(TypeError, match="params"):
        APIS["v1"].call(params)


def test_reprs_show_no_plaintext_and_no_key() -> None:
    """The repr of a response or an API has no field of the body and no key."""
    response = APIS["v1"].call(VALID["v1"]["Decrypt"])
    assert repr(response) == "<ApiResponse 200 OK>"
    assert repr(APIS["v1"].call({})) == "<ApiResponse 400 MissingParameter>"
    assert repr(APIS["service"]) == "<KmsApi layout=service>"
    with pytest.raises(AttributeError):
        APIS["v1"]._access = None  # type: ignore[assignment,misc]


def test_content_types_match_the_vendor() -> None:
    """The client of the vendor parses an XML error only with this content type."""
    assert alibaba.XML_CONTENT_TYPE == "text/xml;charset=utf-8"
    assert alibaba.JSON_CONTENT_TYPE == "application/json;charset=utf-8"


def test_xml_escapes_values() -> None:
    """A key ID can have any printable ASCII character."""
    key = SymmetricKey.generate(KeySpec.AES_256, key_id="<a&b>'\"]]>", key_version_id="--><x/>")
    api = make_api(keys=Keyring([key]))
    response = api.call({"Action": "Encrypt", "KeyId": key.key_id, "Plaintext": ""})
    root = ET.fromstring(response.xml())  # noqa: S314 (our own)
    assert {child.tag: child.text for child in root} == response.body


# --- The vendor's page.


def test_the_sample_blob_has_a_key_version_id() -> None:
    """The part of the sample that is not masked can be parsed."""
    data = kmscore._base64.decode_base64(BLOB_SAMPLE.rstrip("*").encode())  # type: ignore[attr-defined]
    assert data is not None
    assert alibaba.ServiceBlob.parse(data).key_version_id == support.VERSION


def test_the_sample_request_is_parsed() -> None:
    """Only the masked ciphertext of the sample is rejected."""
    sample = {
        "Action": "ReEncrypt",
        "CiphertextBlob": BLOB_SAMPLE,
        "SourceKeyId": "5c438b18-05be-40ad-b6c2-3be6752c****",
        "SourceKeyVersionId": "2ab1a983-7072-4bbc-a582-584b5bd8****",
        "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "DestinationKeyId": "1234abcd-12ab-34cd-56ef-12345678****",
        "DryRun": "false",
    }
    response = APIS["v1"].call(sample)
    assert message_of(response) == 'The specified parameter "CiphertextBlob" is not valid.'
    # With letters for the mask, it is a ciphertext of an unknown key.
    response = APIS["v1"].call(sample | {"CiphertextBlob": BLOB_SAMPLE.replace("*", "A")})
    assert code_of(response) == "Forbidden.KeyNotFound"


def test_the_sample_request_succeeds_with_its_keys() -> None:
    """With the named keys and a new ciphertext, the response has the fields of the page."""
    source = kmscore.RsaKey.from_der(
        "5c438b18-05be-40ad-b6c2-3be6752c****",
        "2ab1a983-7072-4bbc-a582-584b5bd8****",
        _der(RSA),
    )
    destination = SymmetricKey.generate(
        KeySpec.AES_256, key_id="1234abcd-12ab-34cd-56ef-12345678****"
    )
    api = make_api(keys=Keyring([source, destination]))
    bare = kmscore.asymmetric_encrypt(source.public_key, "RSAES_OAEP_SHA_256", b"text")
    response = api.call(
        {
            "Action": "ReEncrypt",
            "CiphertextBlob": to_base64(bare),
            "SourceKeyId": source.key_id,
            "SourceKeyVersionId": source.key_version_id,
            "SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
            "DestinationKeyId": destination.key_id,
            "DestinationEncryptionContext": '{"Example":"Example"}',
            "DryRun": "false",
        }
    )
    assert list(response.body) == list(RESPONSE_SAMPLE)
    assert (response.body["KeyId"], response.body["KeyVersionId"]) == (
        source.key_id,
        source.key_version_id,
    )


def test_the_sample_responses_match_the_format() -> None:
    """JSON and XML match the page, field by field and in the same order."""
    response = alibaba.ApiResponse.of_result(
        "ReEncrypt",
        {name: value for name, value in RESPONSE_SAMPLE.items() if name != "RequestId"},
        RESPONSE_SAMPLE["RequestId"],
    )
    assert json.loads(response.json()) == RESPONSE_SAMPLE
    page = "".join(f"<{name}>{value}</{name}>" for name, value in RESPONSE_SAMPLE.items())
    body = response.xml().decode().partition("?>\n")[2]
    assert body == f"<ReEncryptResponse>{page}</ReEncryptResponse>"


def test_the_sample_response_blob_is_rejected() -> None:
    """The text lacks its first character, so that it is not valid Base64."""
    text = RESPONSE_SAMPLE["CiphertextBlob"].rstrip("*")
    response = APIS["service"].call({"Action": "Decrypt", "CiphertextBlob": text})
    assert message_of(response) == 'The specified parameter "CiphertextBlob" is not valid.'
    data = kmscore._base64.decode_base64(f"O{text}"[:124].encode())  # type: ignore[attr-defined]
    assert data is not None
    assert alibaba.ServiceBlob.parse(data).key_version_id == support.VERSION


def _der(key: kmscore.RsaKey) -> bytes:
    """Return a private key in PKCS#8."""
    lines = key.private_pem().decode().splitlines()[1:-1]
    data = kmscore._base64.decode_base64("".join(lines).encode())  # type: ignore[attr-defined]
    assert data is not None
    return bytes(data)


# --- Arbitrary mappings.

_NAMES = [
    *sorted(WRONG),
    *("EncryptionContext.a", "EncryptionContext.", "EncryptionContext.1.Key"),
    *("EncryptionContext.1.Value", "SourceEncryptionContext.a", "DestinationEncryptionContext.a"),
    *("encryptioncontext", "keyid", "dryrun", "EncryptionContext[a]", "DryRun.x"),
]
_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
    | st.sampled_from(
        [
            value
            for values in VALID.values()
            for params in values.values()
            for value in params.values()
        ]
    )
    | st.sampled_from(["true", "{}", '{"a":"b"}', "orders", "alias/orders", "rsa", "r1", "32"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
_PARAMS = st.dictionaries(
    st.sampled_from(_NAMES) | st.text(max_size=5) | st.integers(), _ANYTHING, max_size=6
)


@examples(300)
@given(
    st.sampled_from(sorted(PROFILES)),
    st.sampled_from([*ACTIONS, "", "List", None, 1]),
    st.booleans(),
    _PARAMS,
)
def test_every_mapping_gets_a_valid_response(
    profile: str, action: Any, is_valid: bool, params: dict[Any, Any]
) -> None:
    """No input raises or gives 500; equal requests get equal answers in both formats."""
    base = VALID[profile].get(action, {}) if is_valid and isinstance(action, str) else {}
    request = {**base, "Action": action, **params}
    first, second = (APIS[profile].call(request) for _ in range(2))
    assert first.status in {200, 400, 403, 404, 409}
    assert (first.status, code_of(first)) == (second.status, code_of(second))
    root = ET.fromstring(first.xml())  # noqa: S314 (our own)
    fields = {child.tag: child.text or "" for child in root}
    assert fields == {name: str(value) for name, value in json.loads(first.json()).items()}
    if first.status != 200:
        assert first.body["HttpStatus"] == first.status
        assert root.tag == "Error"


class RaisingMap(Mapping[str, str]):
    """A context whose lookup raises an error."""

    def __getitem__(self, key: str) -> str:
        """Raise an error."""
        raise OSError(key)

    def __iter__(self) -> Any:
        """Return one key."""
        return iter("k")

    def __len__(self) -> int:
        """Return 1."""
        return 1


def test_a_context_that_raises_is_an_internal_failure() -> None:
    """The callback gets the exception, like an exception of a provider."""
    seen: list[Exception] = []
    api = make_api(on_failure=seen.append)
    request = VALID["v1"]["Encrypt"] | {"EncryptionContext": RaisingMap()}
    assert code_of(api.call(request)) == "InternalFailure"
    assert [type(error) for error in seen] == [OSError]


@pytest.mark.parametrize("name", ["Action", "DryRun", "KeyId", "Plaintext", "EncryptionContext"])
def test_a_mock_of_a_str_is_rejected(name: str) -> None:
    """An object whose `__class__` is `str` is rejected like any other object."""
    response = APIS["v1"].call(VALID["v1"]["Encrypt"] | {name: Mock(spec=str)})
    expected = "UnsupportedOperation" if name == "Action" else "InvalidParameter"
    assert code_of(response) == expected


def test_a_response_is_not_pickled_or_copied() -> None:
    """A response can contain a plaintext."""
    response = APIS["v1"].call(VALID["v1"]["Decrypt"])
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(response)


def test_a_hostile_subclass_of_str_has_no_effect() -> None:
    """Only the text counts; overridden methods of a subclass are not used."""

    class Liar(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return hash("Decrypt")

        def __str__(self) -> str:
            return "Decrypt"

    response = APIS["v1"].call(
        {"Action": Liar("Encrypt"), "KeyId": "orders", "Plaintext": Liar("")}
    )
    assert response.status == 200
    denied = make_api(lambda _, action, __: action == "kms:Decrypt")
    request = {"Action": Liar("Encrypt"), "KeyId": Liar("orders"), "Plaintext": ""}
    assert code_of(denied.call(request)) == "Forbidden.NoPermission"

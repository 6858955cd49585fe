"""`KmsApi` under a profile that binds the JSON text of a context, exactly as sent."""

import base64
from typing import Any

import pytest
from support.service_api import KEYS, VERSION, code_of, make_api, to_base64
from support.service_layout import seal_by_hand

from kmscore import EncryptionContext, SymmetricKey, alibaba
from kmscore.alibaba import ContextBinding, JsonContext, Profile

JSON = Profile(context_binding=ContextBinding.JSON)
API = make_api(profile=JSON)
ORDERS = KEYS[0]
assert isinstance(ORDERS, SymmetricKey)
assert ORDERS.key_version_id == VERSION

SENT: dict[str, tuple[dict[str, Any], str]] = {
    "compact": ({"EncryptionContext": '{"b":"2","a":"1"}'}, '{"b":"2","a":"1"}'),
    "in another order": ({"EncryptionContext": '{"a":"1","b":"2"}'}, '{"a":"1","b":"2"}'),
    "with spaces": ({"EncryptionContext": ' {"b": "2", "a": "1"}\n'}, ' {"b": "2", "a": "1"}\n'),
    "escaped": ({"EncryptionContext": '{"\\u0062":"2","a":"1"}'}, '{"\\u0062":"2","a":"1"}'),
    "outside ASCII": ({"EncryptionContext": '{"租":"é"}'}, '{"租":"é"}'),
    "a text in a mapping": (
        {"EncryptionContext": JsonContext('{ "a": "1" }')},
        '{ "a": "1" }',
    ),
    "a mapping": ({"EncryptionContext": {"b": "2", "租": "\n"}}, '{"b":"2","租":"\\n"}'),
    "a context": ({"EncryptionContext": EncryptionContext({"b": "2", "a": "1"})},
                  '{"b":"2","a":"1"}'),
    "by key": ({"EncryptionContext.b": "2", "EncryptionContext.a": "1"}, '{"b":"2","a":"1"}'),
    "by number": (
        {
            "EncryptionContext.2.Value": "1",
            "EncryptionContext.2.Key": "a",
            "EncryptionContext.1.Value": "2",
            "EncryptionContext.1.Key": "b",
        },
        '{"b":"2","a":"1"}',
    ),
    "no pairs": ({"EncryptionContext": "{}"}, "{}"),
    "no pairs in a mapping": ({"EncryptionContext": {}}, "{}"),
    "nothing": ({"EncryptionContext": ""}, ""),
    "none": ({}, ""),
}  # fmt: skip


@pytest.mark.parametrize("sent", SENT)
def test_decryption_uses_the_sent_context_text(sent: str) -> None:
    """A blob made with the bytes of this text is decrypted, and no other blob."""
    params, text = SENT[sent]
    for other, (_, bound) in SENT.items():
        blob = to_base64(seal_by_hand(ORDERS, b"dGV4dA==", bound.encode()))
        response = API.call({"Action": "Decrypt", "CiphertextBlob": blob, **params})
        assert code_of(response) == (None if bound == text else "InvalidParameter"), other


@pytest.mark.parametrize("sent", SENT)
@pytest.mark.parametrize("action", ["Encrypt", "GenerateDataKey", "ReEncrypt"])
def test_encryption_binds_the_sent_context_text(sent: str, action: str) -> None:
    """This holds for each action that encrypts."""
    params, text = SENT[sent]
    request: dict[str, Any] = {"Action": action, "KeyId": "orders", "Plaintext": "dGV4dA=="}
    if action == "ReEncrypt":
        params = {f"Destination{name}": value for name, value in params.items()}
        source = seal_by_hand(ORDERS, b"dGV4dA==", b'{"a": "1"}')
        request |= {"CiphertextBlob": to_base64(source), "DestinationKeyId": "orders"}
        request |= {"SourceEncryptionContext": '{"a": "1"}'}
    blob = base64.b64decode(str(API.call(request | params).body["CiphertextBlob"]))
    context = JsonContext(text) if text else None
    assert alibaba.decrypt(API._access.keys, blob, context, profile=JSON).plaintext


def test_two_pairs_are_not_ambiguous() -> None:
    """A JSON text has one meaning, so that `allow_ambiguous` is not required."""
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": ""}
    context = {"EncryptionContext": '{"a":"1","b":"2"}'}
    assert API.call(request | context).status == 200
    digest = make_api(profile=Profile.ALIBABA).call(request | context)
    assert code_of(digest) == "InvalidParameter"


@pytest.mark.parametrize("profile", [Profile.V1, Profile.ALIBABA])
def test_a_json_context_is_a_map_for_other_profiles(profile: Profile) -> None:
    """A blob encrypted with the text is decrypted with the same pairs in any form."""
    api = make_api(profile=profile)
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": "dGV4dA=="}
    blob = api.call(request | {"EncryptionContext": JsonContext('{ "a": "1" }')}).body
    for context in ('{"a":"1"}', {"a": "1"}, JsonContext('{"\\u0061":"1"}')):
        opening = {"Action": "Decrypt", "CiphertextBlob": blob["CiphertextBlob"]}
        assert api.call(opening | {"EncryptionContext": context}).status == 200


@pytest.mark.parametrize("text", ["x", "[]", '{"a":1}', '{"a":"1","a":"1"}', "null"])
def test_an_invalid_context_is_rejected(text: str) -> None:
    """The text is parsed before it is bound."""
    request = {"Action": "Encrypt", "KeyId": "orders", "Plaintext": "", "EncryptionContext": text}
    assert code_of(API.call(request)) == "InvalidParameter"


def test_a_json_context_is_reencrypted_to_v1() -> None:
    """In v1, the context is the map of the text."""
    blob = seal_by_hand(ORDERS, b"dGV4dA==", b'{"b": "2", "a": "1"}')
    context = JsonContext('{"b": "2", "a": "1"}')
    moved = alibaba.reencrypt(
        *(API._access.keys, blob, "xaes"),
        source_profile=JSON,
        source_context=context,
        destination_context=context,
    )
    assert moved.ciphertext_blob is not None
    opened = alibaba.decrypt(API._access.keys, moved.ciphertext_blob, {"a": "1", "b": "2"})
    assert opened.plaintext == b"text"


def test_a_json_context_is_rejected_in_other_parameters() -> None:
    """The text of a `JsonContext` is read only as a context."""
    request: dict[str, object] = {"Action": "Encrypt", "Plaintext": ""}
    response = API.call(request | {"KeyId": JsonContext("{}")})
    assert response.body["Message"] == 'The specified parameter "KeyId" is not valid.'

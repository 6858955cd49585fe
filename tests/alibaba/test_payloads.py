"""Payloads of blobs: opaque texts, Base64 and raw bytes, and their re-encryption."""

import base64
import json
import traceback
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import service_api as support
from support.service_api import (
    KEYS,
    RSA,
    SM2,
    VERSION,
    code_of,
    make_api,
    to_base64,
    valid_requests,
)
from support.service_layout import seal_by_hand
from support.strategies import forbid_ciphers, raises_exactly

import kmscore
from kmscore import (
    DecryptionError,
    Keyring,
    PlaintextSizeError,
    SymmetricKey,
    alibaba,
    envelope,
)
from kmscore.alibaba import Payload, Profile

RAW = Profile(payload=Payload.RAW)
OPAQUE = {"service": Profile.ALIBABA, "v1": Profile.V1_TEXT}
STRICT = {"service": RAW, "v1": Profile.V1}
APIS = {name: make_api(profile=profile) for name, profile in OPAQUE.items()}
ORDERS = KEYS[0]
assert isinstance(ORDERS, SymmetricKey)
MISMATCH = 'The specified parameter "CiphertextBlob" is not valid.'

TEXTS: Mapping[str, str] = {
    "nothing": "",
    "a password": "p@ss wörd+%20&=",
    "Base64": "dGV4dA==",
    "Base64 with a line feed": "dGV4dA==\n",
    "Base64 without padding": "dGV4dA",
    "padding alone": "====",
    "JSON": '{"租户":"\\u0000"}',
    "a key in PEM": "-----BEGIN PRIVATE KEY-----\r\nMIIB\r\n-----END PRIVATE KEY-----\r\n",
    "beyond the basic plane": "\U0001f511\U0010ffff",
    "controls": "\x00\x01\r\n\t\x7f\x85\u2028",
    "what is not normalised": "cafe\u0301 caf\u00e9",
    "a byte order mark": "\ufefftext",
}


@pytest.fixture(params=list(OPAQUE))
def layout(request: pytest.FixtureRequest) -> str:
    """Run the test in each layout with opaque texts."""
    name: str = request.param
    return name


def encrypt(api: alibaba.KmsApi, text: str, **params: Any) -> alibaba.ApiResponse:
    """Return the response to a request to encrypt a text under the key `orders`."""
    return api.call({"Action": "Encrypt", "KeyId": "orders", "Plaintext": text, **params})


def decrypt(api: alibaba.KmsApi, blob: object, **params: Any) -> alibaba.ApiResponse:
    """Return the response to a request to decrypt a blob."""
    return api.call({"Action": "Decrypt", "CiphertextBlob": blob, **params})


def message_of(response: alibaba.ApiResponse) -> str:
    """Return the message of an error, the empty text if there is none."""
    return str(response.body.get("Message", ""))


def sealed_in(blob: object, layout: str) -> bytes:
    """Return the payload of a Base64 blob, without decoding of the payload."""
    data = base64.b64decode(str(blob))
    return alibaba.decrypt(support.INDEX, data, profile=STRICT[layout]).plaintext


def held(payload: bytes, layout: str) -> str:
    """Return a blob of the key `orders` with a payload, made without the code of the service."""
    if layout == "service":
        return to_base64(seal_by_hand(ORDERS, payload))
    return to_base64(kmscore.encrypt(support.RING, "orders", payload).ciphertext_blob)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_round_trip_is_exact(layout: str, text: str) -> None:
    """The payload is the UTF-8 form of the text, and JSON returns the same text."""
    blob = encrypt(APIS[layout], TEXTS[text]).body["CiphertextBlob"]
    assert sealed_in(blob, layout) == TEXTS[text].encode()
    answer = decrypt(APIS[layout], blob)
    assert answer.body["Plaintext"] == TEXTS[text]
    assert json.loads(answer.json())["Plaintext"] == TEXTS[text]


@given(st.sampled_from(list(OPAQUE)), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_round_trip_is_exact(layout: str, text: str) -> None:
    """Decryption returns each text unchanged."""
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    assert decrypt(APIS[layout], blob).body["Plaintext"] == text


@pytest.mark.parametrize("text", TEXTS)
def test_a_stored_text_is_decrypted_and_reencrypted(layout: str, text: str) -> None:
    """Re-encryption does not decode the payload, and decryption returns the same text."""
    api, payload = APIS[layout], TEXTS[text].encode()
    blob = held(payload, layout)
    assert decrypt(api, blob).body["Plaintext"] == TEXTS[text]
    request = {"Action": "ReEncrypt", "CiphertextBlob": blob, "DestinationKeyId": "archive"}
    assert code_of(api.call(request | {"DryRun": "true"})) == "DryRunOperationError"
    moved = api.call(request).body["CiphertextBlob"]
    assert sealed_in(moved, layout) == payload
    assert decrypt(api, moved).body["Plaintext"] == TEXTS[text]


def test_base64_text_matches_the_bytes_of_the_functions(layout: str) -> None:
    """A plaintext encoded by a client gives the blob that the functions give for its bytes."""
    blob = encrypt(APIS[layout], to_base64(b"\x00\xff")).body["CiphertextBlob"]
    data = base64.b64decode(str(blob))
    assert alibaba.decrypt(support.INDEX, data, profile=OPAQUE[layout]).plaintext == b"\x00\xff"
    sealed = alibaba.encrypt(support.INDEX, "orders", b"\x00\xff", profile=OPAQUE[layout])
    answer = decrypt(APIS[layout], to_base64(sealed.ciphertext_blob))
    assert answer.body["Plaintext"] == to_base64(b"\x00\xff")


@pytest.mark.parametrize("character", ["x", "é", "租", "\U0001f511"])
def test_a_text_has_at_most_the_bytes_of_its_layout(layout: str, character: str) -> None:
    """The limit in UTF-8 bytes is 8,192 (service) or 6,144 (v1), also in a dry run."""
    most = {"service": 8192, "v1": 6144}[layout]
    text = character * (most // len(character.encode()))
    text += "x" * (most - len(text.encode()))
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    assert decrypt(APIS[layout], blob).body["Plaintext"] == text
    moving = {"Action": "ReEncrypt", "CiphertextBlob": blob, "DestinationKeyId": "archive"}
    moved = APIS[layout].call(moving).body["CiphertextBlob"]
    assert decrypt(APIS[layout], moved).body["Plaintext"] == text
    longer = encrypt(APIS[layout], text + "x")
    assert message_of(longer) == 'The specified parameter "Plaintext" is not valid.'
    assert code_of(encrypt(APIS[layout], text, DryRun="true")) == "DryRunOperationError"
    assert code_of(encrypt(APIS[layout], text + "x", DryRun="true")) == "ValidationError"


@pytest.mark.parametrize("payload", [b"\xff", b"text\x80", "\u79df".encode()[:2], b"\xed\xa0\x80"])
def test_a_payload_that_is_not_utf_8_fails_like_a_wrong_tag(layout: str, payload: bytes) -> None:
    """Such a payload can be re-encrypted, but its decryption fails."""
    blob = held(payload, layout)
    assert message_of(decrypt(APIS[layout], blob)) == MISMATCH
    request = {"Action": "ReEncrypt", "CiphertextBlob": blob, "DestinationKeyId": "archive"}
    moved = APIS[layout].call(request).body["CiphertextBlob"]
    assert sealed_in(moved, layout) == payload


def test_a_lone_surrogate_is_rejected(layout: str) -> None:
    """A lone surrogate has no UTF-8 form."""
    for text in ("\ud800", "text\udfff"):
        response = encrypt(APIS[layout], text)
        assert message_of(response) == 'The specified parameter "Plaintext" is not valid.'


@pytest.mark.parametrize("profile", [Profile.V1, RAW])
def test_without_texts_a_plaintext_is_strict_base64(profile: Profile) -> None:
    """The bytes are encrypted, and the response has their Base64 form."""
    api = make_api(profile=profile)
    blob = encrypt(api, to_base64(b"\xff\x00")).body["CiphertextBlob"]
    data = base64.b64decode(str(blob))
    assert alibaba.decrypt(support.INDEX, data, profile=profile).plaintext == b"\xff\x00"
    assert decrypt(api, blob).body["Plaintext"] == to_base64(b"\xff\x00")
    for text in ("p@ssword", "dGV4dA", "dGV4dA==\n"):
        response = encrypt(api, text)
        assert message_of(response) == 'The specified parameter "Plaintext" is not valid.'


@pytest.mark.parametrize("key", [RSA, SM2], ids=lambda key: key.key_id)
def test_asymmetric_plaintexts_stay_base64(layout: str, key: Any) -> None:
    """Asymmetric plaintexts are Base64; after re-encryption, this text is the payload."""
    api = APIS[layout]
    algorithm = "SM2PKE" if key is SM2 else "RSAES_OAEP_SHA_256"
    named = {"KeyId": key.key_id, "KeyVersionId": key.key_version_id, "Algorithm": algorithm}
    request = {"Action": "AsymmetricEncrypt", **named}
    bare = api.call(request | {"Plaintext": to_base64(b"\xff\x00")}).body["CiphertextBlob"]
    opened = api.call({"Action": "AsymmetricDecrypt", "CiphertextBlob": bare, **named})
    assert opened.body["Plaintext"] == to_base64(b"\xff\x00")
    rejected = api.call(request | {"Plaintext": "p@ssword"})
    assert message_of(rejected) == 'The specified parameter "Plaintext" is not valid.'
    moved = api.call(
        {
            "Action": "ReEncrypt",
            "CiphertextBlob": bare,
            "DestinationKeyId": "archive",
            "SourceKeyId": key.key_id,
            "SourceKeyVersionId": key.key_version_id,
            "SourceEncryptionAlgorithm": algorithm,
        }
    ).body["CiphertextBlob"]
    assert decrypt(api, moved).body["Plaintext"] == to_base64(b"\xff\x00")
    assert sealed_in(moved, layout) == to_base64(b"\xff\x00").encode()


def test_a_data_key_payload_is_base64_and_its_export_is_raw(layout: str) -> None:
    """Each action that generates or exports a data key does so, in each layout."""
    api = APIS[layout]
    drawn = api.call({"Action": "GenerateDataKey", "KeyId": "orders", "NumberOfBytes": "31"}).body
    assert len(base64.b64decode(str(drawn["Plaintext"]), validate=True)) == 31
    assert sealed_in(drawn["CiphertextBlob"], layout) == str(drawn["Plaintext"]).encode()
    assert decrypt(api, drawn["CiphertextBlob"]).body["Plaintext"] == drawn["Plaintext"]
    silent = api.call({"Action": "GenerateDataKeyWithoutPlaintext", "KeyId": "orders"}).body
    payload = sealed_in(silent["CiphertextBlob"], layout)
    assert len(base64.b64decode(payload, validate=True)) == 32
    wrapping = {
        name: text
        for name, text in valid_requests(api)["ExportDataKey"].items()
        if name.startswith(("Public", "Wrapping"))
    }
    exported = api.call(
        {"Action": "ExportDataKey", "CiphertextBlob": drawn["CiphertextBlob"], **wrapping}
    ).body
    both = api.call({"Action": "GenerateAndExportDataKey", "KeyId": "orders", **wrapping}).body
    for body, text in (
        (exported, str(drawn["Plaintext"])),
        (both, sealed_in(both["CiphertextBlob"], layout).decode()),
    ):
        bare = base64.b64decode(str(body["ExportedDataKey"]))
        opened = kmscore.asymmetric_decrypt(Keyring([RSA]), "rsa", "r1", "RSAES_OAEP_SHA_256", bare)
        assert to_base64(opened.plaintext) == text


@pytest.mark.parametrize("text", ["p@ssword", "dGV4dA", "dGV4dB=="])
def test_export_of_a_text_that_is_not_base64_fails_like_a_wrong_tag(layout: str, text: str) -> None:
    """Only Base64 texts can be exported as data keys."""
    request = valid_requests(APIS[layout])["ExportDataKey"]
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    assert message_of(APIS[layout].call(request | {"CiphertextBlob": blob})) == MISMATCH


def test_a_data_key_too_long_to_export_is_rejected(
    layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """256 characters encode 190 to 192 bytes; 260 characters encode at least 193 bytes."""
    wrapping = RSA.public_key, "RSAES_OAEP_SHA_256"
    fits, perhaps, too_long = (
        base64.b64decode(held(to_base64(bytes(length)).encode(), layout))
        for length in (190, 191, 193)
    )
    options: dict[str, Any] = {"profile": OPAQUE[layout]}
    assert alibaba.export_data_key(support.INDEX, fits, *wrapping, **options)
    with raises_exactly(DecryptionError) as caught:
        alibaba.export_data_key(support.INDEX, perhaps, *wrapping, **options)
    assert bytes(191) not in variables_of(caught.value)
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "0 to 190"):
        alibaba.export_data_key(support.INDEX, too_long, *wrapping, **options)


def variables_of(error: BaseException) -> list[object]:
    """Return the local variables of the frames of the library in a traceback."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.f_globals["__name__"].startswith("kmscore")]
    assert own
    return [value for frame in own for value in frame.f_locals.values()]


# --- Re-encryption between profiles with the functions.

PROFILES = {
    "v1": Profile.V1,
    "v1 text": Profile.V1_TEXT,
    "service": Profile.ALIBABA,
    "service raw": RAW,
}
SERVED = {"v1": "v1", "v1 text": "v1", "service": "service", "service raw": "service"}


def move(raw: bytes, source: str, destination: str, **options: Any) -> bytes:
    """Return the payload of the blob that a re-encryption gives."""
    result = alibaba.reencrypt(
        *(support.INDEX, raw, "archive"),
        source_profile=PROFILES[source],
        destination_profile=PROFILES[destination],
        **options,
    )
    assert result.ciphertext_blob is not None
    return sealed_in(to_base64(result.ciphertext_blob), SERVED[destination])


@pytest.mark.parametrize("source", PROFILES)
@pytest.mark.parametrize("destination", PROFILES)
def test_reencryption_converts_between_payloads(source: str, destination: str) -> None:
    """Equal payload forms are copied; otherwise the payload is decoded or encoded once."""
    for payload in (b"dGV4dA==", b""):
        raw = base64.b64decode(held(payload, SERVED[source]))
        is_text = [PROFILES[name].payload is Payload.BASE64 for name in (source, destination)]
        expected = {
            (True, False): base64.b64decode(payload),
            (False, True): base64.b64encode(payload),
        }.get((is_text[0], is_text[1]), payload)
        assert move(raw, source, destination) == expected


@pytest.mark.parametrize("source", PROFILES)
@pytest.mark.parametrize("destination", PROFILES)
@pytest.mark.parametrize("payload", [b"p@ssword", b"dGV4dA", b"\xff", b"dGV4dA==\n", b"===="])
def test_only_a_conversion_to_bytes_requires_base64(
    source: str, destination: str, payload: bytes
) -> None:
    """From text to bytes, an invalid payload gives `DecryptionError`; other payloads are copied."""
    raw = base64.b64decode(held(payload, SERVED[source]))
    texts = [PROFILES[name].payload is Payload.BASE64 for name in (source, destination)]
    if texts == [True, False]:
        with raises_exactly(DecryptionError):
            move(raw, source, destination)
    else:
        moved = move(raw, source, destination)
        assert moved == (payload if texts[0] == texts[1] else base64.b64encode(payload))


@pytest.mark.parametrize(
    ("source", "destination", "most"),
    [
        ("service raw", "v1", 6144),
        ("service", "v1 text", 6144),
        ("service raw", "service", 6144),
        ("service raw", "v1 text", 4608),
        ("v1", "v1 text", 4608),
        ("service", "service", 8192),
        ("service raw", "service raw", 8192),
        ("v1", "service raw", 6144),
        ("v1 text", "service", 6144),
    ],
)
def test_a_plaintext_too_long_for_the_destination_is_rejected(
    monkeypatch: pytest.MonkeyPatch, source: str, destination: str, most: int
) -> None:
    """The length of the source decides before decryption, in a dry run and a real run."""
    longest, longer = (
        seal_by_hand(ORDERS, payload)
        if SERVED[source] == "service"
        else envelope.seal(ORDERS, payload, b"")
        for payload in (b"x" * most, b"x" * (most + 1))
    )
    assert move(longest, source, destination)
    forbid_ciphers(monkeypatch)
    for is_dry_run in (False, True):
        with raises_exactly(PlaintextSizeError, f"plaintext of {most + 1} bytes, at most {most}"):
            move(longer, source, destination, dry_run=is_dry_run)


def test_a_text_of_base64_always_fits_v1() -> None:
    """8,192 characters are 6,144 bytes; a longer payload fails as invalid Base64."""
    text = base64.b64encode(bytes(6144))
    assert move(seal_by_hand(ORDERS, text), "service", "v1") == bytes(6144)
    for wrong in (text + b"QQ=", text[:-1] + b"\n", text + b"A"):
        with raises_exactly(DecryptionError):
            move(seal_by_hand(ORDERS, wrong), "service", "v1")


def test_an_asymmetric_plaintext_too_long_as_text_fails_in_decryption() -> None:
    """The length is known only after decryption: 4,608 bytes succeed, and 4,609 bytes fail."""
    for length in (4608, 4609):
        bare = kmscore.asymmetric_encrypt(SM2.public_key, "SM2PKE", bytes(length))
        options = {
            "source_key_id": "sm2",
            "source_key_version_id": "s1",
            "source_algorithm": "SM2PKE",
        }
        if length == 4608:
            result = alibaba.reencrypt(
                *(support.INDEX, bare, "archive"), destination_profile=Profile.V1_TEXT, **options
            )
            assert sealed_in(to_base64(result.ciphertext_blob or b""), "v1") == b"A" * 6144
        else:
            with raises_exactly(DecryptionError) as caught:
                alibaba.reencrypt(
                    *(support.INDEX, bare, "archive"),
                    destination_profile=Profile.V1_TEXT,
                    **options,
                )
            assert bytes(4609) not in variables_of(caught.value)


def test_v1_text_does_not_need_a_key_version_provider() -> None:
    """The blobs are v1 blobs, which contain the key ID, so that a keyring is sufficient."""
    ring = Keyring([kmscore.SymmetricKey.generate(kmscore.KeySpec.AES_256, key_id="orders")])
    api = make_api(keys=ring, profile=Profile.V1_TEXT)
    blob = encrypt(api, "p@ssword").body["CiphertextBlob"]
    assert decrypt(api, blob).body["Plaintext"] == "p@ssword"
    data = base64.b64decode(str(blob))
    assert kmscore.decrypt(ring, data).plaintext == b"p@ssword"
    with raises_exactly(DecryptionError):
        alibaba.decrypt(ring, data, profile=Profile.V1_TEXT)
    with pytest.raises(TypeError, match="KeyVersionProvider"):
        make_api(keys=ring, profile=Profile.ALIBABA)


def test_v1_text_encrypts_at_most_4608_bytes() -> None:
    """The Base64 form of 4,608 bytes has the 6,144 bytes that a v1 blob can contain."""
    sealed = alibaba.encrypt(support.RING, "xaes", bytes(4608), profile=Profile.V1_TEXT)
    blob = sealed.ciphertext_blob
    assert kmscore.decrypt(support.RING, blob).plaintext == b"A" * 6144
    assert alibaba.decrypt(support.RING, blob, profile=Profile.V1_TEXT).plaintext == bytes(4608)
    with raises_exactly(PlaintextSizeError, "plaintext of 4609 bytes, at most 4608"):
        alibaba.encrypt(support.RING, "xaes", bytes(4609), profile=Profile.V1_TEXT)


# --- Texts in a response.


@pytest.mark.parametrize(
    "text", ["\r", "a\r\nb\n\rc", "\t\n <&>\"' ]]>", "\x7f\x85\u2028\ufffd\U0010ffff"]
)
def test_xml_preserves_texts(layout: str, text: str) -> None:
    """Carriage returns are escaped, because a parser would convert them to line feeds."""
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    root = ET.fromstring(decrypt(APIS[layout], blob).xml())  # noqa: S314 (our own)
    assert root.findtext("Plaintext") == text


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_a_character_that_xml_cannot_contain_raises_an_error(layout: str, character: str) -> None:
    """Such a response is available only as JSON."""
    blob = encrypt(APIS[layout], f"a{character}b").body["CiphertextBlob"]
    answer = decrypt(APIS[layout], blob)
    assert json.loads(answer.json())["Plaintext"] == f"a{character}b"
    with pytest.raises(ValueError, match="Plaintext has a character that XML does not have"):
        answer.xml()


def test_the_key_version_of_these_tests() -> None:
    """Blobs made by the tests have the key version that the API uses."""
    assert ORDERS.key_version_id == VERSION


def test_a_v1_text_blob_over_the_limit_is_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """6,148 characters encode at least 4,609 bytes, and the limit as text is 4,608 bytes."""
    most, more = (
        envelope.seal(ORDERS, base64.b64encode(bytes(length)), b"") for length in (4608, 4611)
    )
    opened = alibaba.decrypt(support.RING, most, profile=Profile.V1_TEXT)
    assert opened.plaintext == bytes(4608)
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "at most 4608"):
        alibaba.decrypt(support.RING, more, profile=Profile.V1_TEXT)
    with raises_exactly(PlaintextSizeError, "at most 4608"):
        alibaba.reencrypt(support.RING, more, "archive", source_profile=Profile.V1_TEXT)

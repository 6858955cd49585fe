"""What is sealed in place of a plaintext: opaque texts, Base64, bytes, and how they are moved."""

import base64
import json
import traceback
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import alibaba_support as support
import pytest
from alibaba_support import KEYS, RSA, SM2, VERSION, code_of, make_api, to_base64, valid_requests
from hypothesis import given
from hypothesis import strategies as st
from service_support import seal_by_hand
from strategies import forbid_ciphers, raises_exactly

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
    """Return what is sealed in a blob in Base64, as it is."""
    data = base64.b64decode(str(blob))
    return alibaba.decrypt(support.INDEX, data, profile=STRICT[layout]).plaintext


def held(payload: bytes, layout: str) -> str:
    """Return a blob of the key `orders` that holds a payload, sealed without the service's code."""
    if layout == "service":
        return to_base64(seal_by_hand(ORDERS, payload))
    return to_base64(kmscore.encrypt(support.RING, "orders", payload).ciphertext_blob)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_sealed_and_answered_as_it_is(layout: str, text: str) -> None:
    """Its UTF-8 bytes are what the blob holds, and JSON gives it back."""
    blob = encrypt(APIS[layout], TEXTS[text]).body["CiphertextBlob"]
    assert sealed_in(blob, layout) == TEXTS[text].encode()
    answer = decrypt(APIS[layout], blob)
    assert answer.body["Plaintext"] == TEXTS[text]
    assert json.loads(answer.json())["Plaintext"] == TEXTS[text]


@given(st.sampled_from(list(OPAQUE)), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_comes_back(layout: str, text: str) -> None:
    """Whatever it is."""
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    assert decrypt(APIS[layout], blob).body["Plaintext"] == text


@pytest.mark.parametrize("text", TEXTS)
def test_an_archive_sealed_from_a_text_opens_and_is_reencrypted(layout: str, text: str) -> None:
    """What is sealed in it moves without being decoded, and is answered as it was."""
    api, payload = APIS[layout], TEXTS[text].encode()
    blob = held(payload, layout)
    assert decrypt(api, blob).body["Plaintext"] == TEXTS[text]
    request = {"Action": "ReEncrypt", "CiphertextBlob": blob, "DestinationKeyId": "archive"}
    assert code_of(api.call(request | {"DryRun": "true"})) == "DryRunOperationError"
    moved = api.call(request).body["CiphertextBlob"]
    assert sealed_in(moved, layout) == payload
    assert decrypt(api, moved).body["Plaintext"] == TEXTS[text]


def test_base64_is_the_text_of_the_bytes_that_the_library_sees(layout: str) -> None:
    """A plaintext that a client has encoded is sealed as the functions seal its bytes."""
    blob = encrypt(APIS[layout], to_base64(b"\x00\xff")).body["CiphertextBlob"]
    data = base64.b64decode(str(blob))
    assert alibaba.decrypt(support.INDEX, data, profile=OPAQUE[layout]).plaintext == b"\x00\xff"
    sealed = alibaba.encrypt(support.INDEX, "orders", b"\x00\xff", profile=OPAQUE[layout])
    answer = decrypt(APIS[layout], to_base64(sealed.ciphertext_blob))
    assert answer.body["Plaintext"] == to_base64(b"\x00\xff")


@pytest.mark.parametrize("character", ["x", "é", "租", "\U0001f511"])
def test_a_text_has_as_many_bytes_as_its_layout_holds(layout: str, character: str) -> None:
    """8,192 in the service's and 6,144 in v1, counted in UTF-8; a dry run counts too."""
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
def test_what_is_not_utf_8_is_no_text(layout: str, payload: bytes) -> None:
    """It moves as it is, and to decrypt it fails as a wrong tag does."""
    blob = held(payload, layout)
    assert message_of(decrypt(APIS[layout], blob)) == MISMATCH
    request = {"Action": "ReEncrypt", "CiphertextBlob": blob, "DestinationKeyId": "archive"}
    moved = APIS[layout].call(request).body["CiphertextBlob"]
    assert sealed_in(moved, layout) == payload


def test_half_of_a_surrogate_pair_is_no_plaintext(layout: str) -> None:
    """It has no UTF-8 form."""
    for text in ("\ud800", "text\udfff"):
        response = encrypt(APIS[layout], text)
        assert message_of(response) == 'The specified parameter "Plaintext" is not valid.'


@pytest.mark.parametrize("profile", [Profile.V1, RAW])
def test_without_texts_a_plaintext_is_strict_base64(profile: Profile) -> None:
    """Its bytes are sealed, and answered in Base64, whatever they are."""
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
    """In and out; re-encrypted under a symmetric key, they are the text of their Base64."""
    api = APIS[layout]
    algorithm = "SM2PKE" if key is SM2 else "RSAES_OAEP_SHA_256"
    named = {"KeyId": key.key_id, "KeyVersionId": key.key_version_id, "Algorithm": algorithm}
    request = {"Action": "AsymmetricEncrypt", **named}
    bare = api.call(request | {"Plaintext": to_base64(b"\xff\x00")}).body["CiphertextBlob"]
    opened = api.call({"Action": "AsymmetricDecrypt", "CiphertextBlob": bare, **named})
    assert opened.body["Plaintext"] == to_base64(b"\xff\x00")
    refused = api.call(request | {"Plaintext": "p@ssword"})
    assert message_of(refused) == 'The specified parameter "Plaintext" is not valid.'
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


def test_a_data_key_is_sealed_as_its_base64_and_exported_as_its_bytes(layout: str) -> None:
    """By every action that draws or exports one, in each layout."""
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
def test_a_text_that_is_not_base64_is_no_data_key(layout: str, text: str) -> None:
    """It fails to be exported as a wrong tag does."""
    request = valid_requests(APIS[layout])["ExportDataKey"]
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    assert message_of(APIS[layout].call(request | {"CiphertextBlob": blob})) == MISMATCH


def test_a_data_key_too_long_to_export_is_refused_unopened(
    layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """256 characters hold 190 bytes at least and 192 at most; 260 hold 193 at least."""
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
    """Return the variables of the library's frames that an error came through."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    own = [frame for frame in frames if frame.f_globals["__name__"].startswith("kmscore")]
    assert own
    return [value for frame in own for value in frame.f_locals.values()]


# --- Between profiles, by the functions.

PROFILES = {
    "v1": Profile.V1,
    "v1 text": Profile.V1_TEXT,
    "service": Profile.ALIBABA,
    "service raw": RAW,
}
SERVED = {"v1": "v1", "v1 text": "v1", "service": "service", "service raw": "service"}


def move(raw: bytes, source: str, destination: str, **options: Any) -> bytes:
    """Return what is sealed in the blob that the re-encryption of a blob gives."""
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
def test_the_payloads_say_what_is_moved(source: str, destination: str) -> None:
    """As it is if they are the same, else decoded or encoded once."""
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
def test_only_what_has_to_be_decoded_has_to_decode(
    source: str, destination: str, payload: bytes
) -> None:
    """From a text to bytes it is Base64 or the one `DecryptionError`; all else is moved."""
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
def test_what_the_destination_cannot_hold_is_refused_unopened(
    monkeypatch: pytest.MonkeyPatch, source: str, destination: str, most: int
) -> None:
    """By the length of the source; a dry run and the real one alike."""
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
    """8,192 characters are 6,144 bytes; what only looks so long does not decode."""
    text = base64.b64encode(bytes(6144))
    assert move(seal_by_hand(ORDERS, text), "service", "v1") == bytes(6144)
    for wrong in (text + b"QQ=", text[:-1] + b"\n", text + b"A"):
        with raises_exactly(DecryptionError):
            move(seal_by_hand(ORDERS, wrong), "service", "v1")


def test_an_asymmetric_plaintext_that_does_not_fit_as_text_fails_as_a_wrong_one_does() -> None:
    """Its length is known only once it is opened: 4,608 bytes are moved and 4,609 are not."""
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


def test_v1_with_texts_needs_no_versions_by_id() -> None:
    """Its blobs name their key as all of v1 do, and XAES seals them."""
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


def test_v1_with_texts_seals_4608_bytes() -> None:
    """Their Base64 has the 6,144 that a v1 blob holds."""
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
def test_xml_carries_the_text_that_was_sealed(layout: str, text: str) -> None:
    """Carriage returns too, which a parser would otherwise read as line feeds."""
    blob = encrypt(APIS[layout], text).body["CiphertextBlob"]
    root = ET.fromstring(decrypt(APIS[layout], blob).xml())  # noqa: S314 (our own)
    assert root.findtext("Plaintext") == text


@pytest.mark.parametrize("character", ["\x00", "\x08", "\x0b", "\x1f", "\ufffe", "\uffff"])
def test_a_character_that_xml_does_not_have_is_not_replaced(layout: str, character: str) -> None:
    """The response is available as JSON only."""
    blob = encrypt(APIS[layout], f"a{character}b").body["CiphertextBlob"]
    answer = decrypt(APIS[layout], blob)
    assert json.loads(answer.json())["Plaintext"] == f"a{character}b"
    with pytest.raises(ValueError, match="Plaintext has a character that XML does not have"):
        answer.xml()


def test_the_version_of_these_tests_names_the_key() -> None:
    """Blobs that are made by hand are of the key that the API opens them with."""
    assert ORDERS.key_version_id == VERSION


def test_a_v1_blob_of_more_text_than_v1_holds_is_refused_unopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """6,148 characters hold 4,609 bytes at least, and 4,608 are what fits as text."""
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

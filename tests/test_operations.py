"""The operations but re-encryption: what they give back, and their sizes."""

from collections.abc import Callable
from typing import Any

import pytest
from strategies import (
    PROVIDERS,
    Call,
    forbid_ciphers,
    raises_exactly,
    symmetric_key,
    valid_calls,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptResult,
    EncryptionContext,
    EncryptResult,
    Keyring,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    envelope,
)

KEY = symmetric_key(Suite.XAES_256_GCM, "key", "v2")
OLD_KEY = symmetric_key(Suite.AES_256_GCM, "key", "v1")
KEYS = Keyring([OLD_KEY, KEY])
CONTEXT = {"purpose": "test"}


@pytest.fixture(scope="module")
def calls(rsa_key: RsaKey, sm2_key: Sm2Key) -> dict[str, Call]:
    """Return a valid call of every operation."""
    return valid_calls(rsa_key, sm2_key)


def oversized(length: int, key: SymmetricKey = KEY) -> bytes:
    """Return a blob whose tag is right and whose plaintext is as long as no operation seals."""
    return envelope.seal(key, bytes(length), EncryptionContext(CONTEXT).canonical)


def test_encrypt_tells_the_key_version_that_sealed() -> None:
    """It is the primary one, and stands in the blob too."""
    result = kmscore.encrypt(KEYS, "key", b"text", CONTEXT)
    blob = CiphertextBlob.parse(result.ciphertext_blob)
    assert isinstance(result, EncryptResult)
    assert (result.key_id, result.key_version_id) == ("key", "v2")
    assert (blob.key_id, blob.key_version_id, blob.suite) == ("key", "v2", Suite.XAES_256_GCM)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_decrypt_tells_the_key_version_that_opened(provider: str) -> None:
    """It is the one named in the blob, which need not be the primary one."""
    keys = PROVIDERS[provider](KEYS)
    raw = kmscore.encrypt(Keyring([OLD_KEY]), "key", b"text", CONTEXT).ciphertext_blob
    result = kmscore.decrypt(keys, raw, CONTEXT)
    assert isinstance(result, DecryptResult)
    assert result == ("key", "v1", b"text")


def every_other_byte(data: bytes) -> memoryview:
    """Return a view of `data` that is not contiguous."""
    return memoryview(b"".join(bytes([byte, 0xEE]) for byte in data))[::2]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, every_other_byte])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_bytes_like_arguments_are_taken(kind: Callable[[bytes], Any], provider: str) -> None:
    """Plaintext and blob may be any bytes-like object; what comes back is bytes."""
    keys = PROVIDERS[provider](KEYS)
    raw = kmscore.encrypt(keys, "key", kind(b"text"), CONTEXT).ciphertext_blob
    plaintext = kmscore.decrypt(keys, kind(raw), CONTEXT).plaintext
    assert type(raw) is type(plaintext) is bytes
    assert plaintext == b"text"


@pytest.mark.parametrize(
    "context",
    [CONTEXT, EncryptionContext(CONTEXT), EncryptionContext.from_json('{"purpose":"test"}')],
)
def test_a_context_may_be_given_in_any_form(context: Any) -> None:
    """A mapping and a prepared context are one context."""
    raw = kmscore.encrypt(KEYS, "key", b"text", context).ciphertext_blob
    assert kmscore.decrypt(KEYS, raw, CONTEXT).plaintext == b"text"


def test_6144_bytes_are_the_longest_plaintext() -> None:
    """They make a blob of the header, 24, 6,144 and 16 bytes; one byte more is refused."""
    raw = kmscore.encrypt(KEYS, "key", bytes(6144)).ciphertext_blob
    assert len(raw) == len(KEY.header) + 24 + 6144 + 16
    assert kmscore.decrypt(KEYS, raw).plaintext == bytes(6144)
    with raises_exactly(PlaintextSizeError, "plaintext of 6145 bytes, at most 6144"):
        kmscore.encrypt(KEYS, "key", bytes(6145))
    with raises_exactly(PlaintextSizeError, "plaintext of 8000 bytes"):
        kmscore.encrypt(KEYS, "key", memoryview(bytes(8000)).cast("Q"))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=lambda key: key.suite.name)
@pytest.mark.parametrize("operation", ["decrypt", "reencrypt", "export_data_key"])
def test_a_blob_of_more_than_6144_bytes_is_refused_unopened(
    calls: dict[str, Call],
    operation: str,
    key: SymmetricKey,
    provider: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A right tag does not help; at 6,144 bytes it is opened."""
    call = calls[operation]
    keys = PROVIDERS[provider](KEYS)
    changes = {"keys": keys, "ciphertext_blob": oversized(6144, key)}
    if operation == "reencrypt":
        changes["destination_key_id"] = "key"
    if operation != "export_data_key":
        assert call(**changes) is not None
    changes["ciphertext_blob"] = oversized(6145, key)
    forbid_ciphers(monkeypatch)
    with raises_exactly(PlaintextSizeError, "plaintext of 6145 bytes, at most 6144"):
        call(**changes)


@pytest.mark.parametrize("operation", ["decrypt", "asymmetric_decrypt", "generate_data_key"])
def test_a_result_shows_the_length_of_a_plaintext_and_not_the_plaintext(
    calls: dict[str, Call], operation: str
) -> None:
    """Neither `repr` nor `str` nor a format string gives it away; IDs and blob are there."""
    result = calls[operation]()
    assert type(result.plaintext) is bytes
    for shown in (repr(result), str(result), f"{result}", f"{[result]}".strip("[]")):
        assert shown.startswith(f"{type(result).__name__}(key_id={result.key_id!r},")
        assert shown.endswith(f" plaintext=<{len(result.plaintext)} bytes>)")
        assert f" key_version_id={result.key_version_id!r}," in shown
        assert (operation == "generate_data_key") == (f"{result[2]!r}" in shown)
        for secret in (f"{result.plaintext!r}"[2:-1], result.plaintext.hex()):
            assert secret not in shown


def test_an_operation_does_not_keep_or_change_its_arguments(sm2_key: Sm2Key) -> None:
    """What the caller passed in is as it was, and the result does not follow it."""
    plaintext, context = bytearray(b"text"), dict(CONTEXT)
    result = kmscore.encrypt(KEYS, "key", plaintext, context)
    exported = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", plaintext)
    assert (plaintext, context) == (b"text", CONTEXT)
    plaintext[:], context["more"] = b"else", "pairs"
    assert kmscore.decrypt(KEYS, result.ciphertext_blob, CONTEXT).plaintext == b"text"
    decrypted = kmscore.asymmetric_decrypt(Keyring([sm2_key]), "sm2", "v1", "SM2PKE", exported)
    assert decrypted.plaintext == b"text"

"""The operations except for re-encryption: results and sizes."""

from collections.abc import Callable
from typing import Any

import pytest
from support.strategies import (
    PROVIDERS,
    Call,
    forbid_ciphers,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptResult,
    EncryptionContext,
    EncryptResult,
    Keyring,
    PlaintextSizeError,
    Sm2Key,
    Suite,
    SymmetricKey,
    envelope,
)

KEY = symmetric_key(Suite.XAES_256_GCM, "key", "v2")
OLD_KEY = symmetric_key(Suite.AES_256_GCM, "key", "v1")
KEYS = Keyring([OLD_KEY, KEY])
CONTEXT = {"purpose": "test"}


def oversized(length: int, key: SymmetricKey = KEY) -> bytes:
    """Return a blob with a right tag and a plaintext that is too long for the operations."""
    return envelope.seal(key, bytes(length), EncryptionContext(CONTEXT).canonical)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("operation", ["encrypt", "decrypt", "generate_data_key"])
def test_a_wrong_context_is_named_by_its_argument(
    calls: dict[str, Call], provider: str, operation: str
) -> None:
    """The short path of a keyring has the message of its steps."""
    keys = PROVIDERS[provider](calls[operation].arguments["keys"])
    with pytest.raises(TypeError, match=r"\Acontext must be Mapping, not int\Z"):
        calls[operation](keys=keys, context=1)


def test_encrypt_returns_the_key_version() -> None:
    """The result has the IDs of the primary version, and so has the blob."""
    result = kmscore.encrypt(KEYS, "key", b"text", CONTEXT)
    blob = CiphertextBlob.parse(result.ciphertext_blob)
    assert isinstance(result, EncryptResult)
    assert (result.key_id, result.key_version_id) == ("key", "v2")
    assert (blob.key_id, blob.key_version_id, blob.suite) == ("key", "v2", Suite.XAES_256_GCM)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_decrypt_returns_the_key_version(provider: str) -> None:
    """The result has the IDs in the blob, which can differ from the primary version."""
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
def test_bytes_like_arguments_are_accepted(kind: Callable[[bytes], Any], provider: str) -> None:
    """Plaintext and blob can be any bytes-like object; the result is `bytes`."""
    keys = PROVIDERS[provider](KEYS)
    raw = kmscore.encrypt(keys, "key", kind(b"text"), CONTEXT).ciphertext_blob
    plaintext = kmscore.decrypt(keys, kind(raw), CONTEXT).plaintext
    assert type(raw) is type(plaintext) is bytes
    assert plaintext == b"text"


@pytest.mark.parametrize(
    "context",
    [CONTEXT, EncryptionContext(CONTEXT), EncryptionContext.from_json('{"purpose":"test"}')],
)
def test_a_context_is_accepted_in_any_form(context: Any) -> None:
    """A mapping and an `EncryptionContext` with the same pairs are the same context."""
    raw = kmscore.encrypt(KEYS, "key", b"text", context).ciphertext_blob
    assert kmscore.decrypt(KEYS, raw, CONTEXT).plaintext == b"text"


def test_6144_bytes_are_the_longest_plaintext() -> None:
    """The longest plaintext gives a blob of header, 24, 6,144 and 16 bytes; 6,145 are rejected."""
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
def test_a_blob_of_more_than_6144_bytes_is_rejected_before_decryption(
    calls: dict[str, Call],
    operation: str,
    key: SymmetricKey,
    provider: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """6,145 bytes of ciphertext with a right tag are rejected before decryption; 6,144 decrypt."""
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
def test_a_result_shows_only_the_length_of_the_plaintext(
    calls: dict[str, Call], operation: str
) -> None:
    """`repr`, `str` and format strings show IDs and blob, but not the plaintext."""
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
    """The arguments stay unchanged, and later changes of them do not change the result."""
    plaintext, context = bytearray(b"text"), dict(CONTEXT)
    result = kmscore.encrypt(KEYS, "key", plaintext, context)
    exported = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", plaintext)
    assert (plaintext, context) == (b"text", CONTEXT)
    plaintext[:], context["more"] = b"else", "pairs"
    assert kmscore.decrypt(KEYS, result.ciphertext_blob, CONTEXT).plaintext == b"text"
    decrypted = kmscore.asymmetric_decrypt(Keyring([sm2_key]), "sm2", "v1", "SM2PKE", exported)
    assert decrypted.plaintext == b"text"

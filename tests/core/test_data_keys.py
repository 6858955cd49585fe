"""The data-key operations: generation, encryption, export."""

import os
from typing import Any

import pytest
from support.strategies import (
    PROVIDERS,
    RSA_ALGORITHMS,
    Call,
    Store,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import (
    DataKeyResult,
    EncryptResult,
    ExportResult,
    Keyring,
    KeySpec,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
)

KEY = symmetric_key(Suite.XAES_256_GCM, "key", "v2")
OLD_KEY = symmetric_key(Suite.AES_256_GCM, "key", "v1")
KEYS = Keyring([OLD_KEY, KEY])
CONTEXT = {"purpose": "test"}
SHA_256 = RSA_ALGORITHMS[0]

EXPORTS = [
    (KeySpec.RSA_2048, "RSAES_OAEP_SHA_256", 190),
    (KeySpec.RSA_2048, "RSAES_OAEP_SHA_1", 214),
    (KeySpec.RSA_3072, "RSAES_OAEP_SHA_256", 318),
    (KeySpec.RSA_3072, "RSAES_OAEP_SHA_1", 342),
    (KeySpec.RSA_4096, "RSAES_OAEP_SHA_256", 446),
    (KeySpec.RSA_4096, "RSAES_OAEP_SHA_1", 470),
]


def opened(key: RsaKey | Sm2Key, algorithm: str, result: ExportResult) -> bytes:
    """Return the data key that was exported to the owner of `key`."""
    keys = Keyring([key])
    exported = result.exported_data_key
    return kmscore.asymmetric_decrypt(
        keys, key.key_id, key.key_version_id, algorithm, exported
    ).plaintext


@pytest.mark.parametrize("number_of_bytes", [1, 32, 1024])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_data_key_is_returned_in_plaintext_and_encrypted(
    number_of_bytes: int, provider: str
) -> None:
    """Plaintext and blob have the same random data key."""
    keys = PROVIDERS[provider](KEYS)
    result = kmscore.generate_data_key(
        keys, "key", number_of_bytes=number_of_bytes, context=CONTEXT
    )
    assert isinstance(result, DataKeyResult)
    assert (result.key_id, result.key_version_id) == ("key", "v2")
    assert len(result.plaintext) == number_of_bytes
    assert kmscore.decrypt(keys, result.ciphertext_blob, CONTEXT).plaintext == result.plaintext


@pytest.mark.parametrize("number_of_bytes", [1, 32, 1024])
def test_a_data_key_without_plaintext_is_only_encrypted(number_of_bytes: int) -> None:
    """The result has no field for the plaintext."""
    result = kmscore.generate_data_key_without_plaintext(
        KEYS, "key", number_of_bytes=number_of_bytes, context=CONTEXT
    )
    assert isinstance(result, EncryptResult)
    assert result._fields == ("key_id", "key_version_id", "ciphertext_blob")
    opened = kmscore.decrypt(KEYS, result.ciphertext_blob, CONTEXT)
    assert len(opened.plaintext) == number_of_bytes


def test_data_keys_have_32_bytes_by_default_and_are_fresh() -> None:
    """A hundred data keys are all different, and have 32 bytes."""
    drawn = {kmscore.generate_data_key(KEYS, "key").plaintext for _ in range(100)}
    assert {len(data_key) for data_key in drawn} == {32}
    assert len(drawn) == 100


def test_a_data_key_comes_from_the_operating_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """The only source is the operating system's, and no argument replaces it."""
    monkeypatch.setattr(os, "urandom", lambda length: b"\xa5" * length)
    assert kmscore.generate_data_key(KEYS, "key", number_of_bytes=5).plaintext == b"\xa5" * 5


DRAWING = (
    "generate_data_key",
    "generate_data_key_without_plaintext",
    "generate_and_export_data_key",
)


@pytest.mark.parametrize("operation", DRAWING)
@pytest.mark.parametrize(
    ("number_of_bytes", "error"),
    [
        *((number, PlaintextSizeError) for number in (0, 1025, -1, 2**64)),
        *((wrong, TypeError) for wrong in (True, False, 32.0, "32", None, b" ")),
    ],
)
def test_a_data_key_has_1_to_1024_bytes(
    calls: dict[str, Call], operation: str, number_of_bytes: Any, error: type[Exception]
) -> None:
    """A number outside of the range and another type raise different errors."""
    with raises_exactly(error):
        calls[operation](number_of_bytes=number_of_bytes)


@pytest.mark.parametrize("operation", DRAWING)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_of_5000_digits_is_a_size_error(
    calls: dict[str, Call], operation: str, sign: int
) -> None:
    """The error has no decimal form of the number, which Python cannot print."""
    with pytest.raises(PlaintextSizeError) as caught:
        calls[operation](number_of_bytes=sign * 10**5_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("spec", "algorithm", "longest"), EXPORTS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_data_key_is_exported_up_to_the_maximum_of_rsa(
    rsa_keys: dict[KeySpec, RsaKey], spec: KeySpec, algorithm: str, longest: int, provider: str
) -> None:
    """The owner of the private key decrypts the data key; one byte more is rejected."""
    keys, rsa_key = PROVIDERS[provider](KEYS), rsa_keys[spec]
    data_key = os.urandom(longest)
    raw = kmscore.encrypt(keys, "key", data_key, CONTEXT).ciphertext_blob
    result = kmscore.export_data_key(keys, raw, rsa_key.public_key, algorithm, context=CONTEXT)
    assert isinstance(result, ExportResult)
    assert result[:3] == ("key", "v2", None)
    assert opened(rsa_key, algorithm, result) == data_key
    wrong_tag = kmscore.encrypt(keys, "key", bytes(longest + 1)).ciphertext_blob
    with raises_exactly(PlaintextSizeError, f"0 to {longest} bytes, not {longest + 1}"):
        kmscore.export_data_key(keys, wrong_tag, rsa_key.public_key, algorithm, context=CONTEXT)


@pytest.mark.parametrize(("spec", "algorithm", "longest"), EXPORTS)
def test_a_fresh_data_key_is_exported_up_to_the_maximum_of_rsa(
    rsa_keys: dict[KeySpec, RsaKey], spec: KeySpec, algorithm: str, longest: int
) -> None:
    """Both ciphertexts contain the same data key."""
    arguments: Any = (KEYS, "key", rsa_keys[spec].public_key, algorithm)
    result = kmscore.generate_and_export_data_key(
        *arguments, number_of_bytes=longest, context=CONTEXT
    )
    assert result[:2] == ("key", "v2")
    assert result.ciphertext_blob is not None
    data_key = kmscore.decrypt(KEYS, result.ciphertext_blob, CONTEXT).plaintext
    assert len(data_key) == longest
    assert opened(rsa_keys[spec], algorithm, result) == data_key
    with raises_exactly(PlaintextSizeError, f"not {longest + 1}"):
        kmscore.generate_and_export_data_key(*arguments, number_of_bytes=longest + 1)


@pytest.mark.parametrize("length", [1, 6047])
def test_a_data_key_is_exported_under_sm2(sm2_key: Sm2Key, length: int) -> None:
    """SM2PKE accepts 1 to 6,047 bytes."""
    data_key = os.urandom(length)
    raw = kmscore.encrypt(Store(KEYS), "key", data_key).ciphertext_blob
    result = kmscore.export_data_key(KEYS, raw, sm2_key.public_key, "SM2PKE")
    assert opened(sm2_key, "SM2PKE", result) == data_key


@pytest.mark.parametrize("length", [0, 6048, 6144])
def test_a_size_invalid_for_sm2_is_rejected_before_decryption(sm2_key: Sm2Key, length: int) -> None:
    """A data key that SM2PKE cannot encrypt is rejected before the context is verified."""
    raw = kmscore.encrypt(KEYS, "key", bytes(length), CONTEXT).ciphertext_blob
    with raises_exactly(PlaintextSizeError, f"1 to 6047 bytes, not {length}"):
        kmscore.export_data_key(KEYS, raw, sm2_key.public_key, "SM2PKE")


def test_a_fresh_data_key_is_exported_under_sm2(sm2_key: Sm2Key) -> None:
    """Both ciphertexts contain the same data key, of 1 to 1,024 bytes."""
    for length in (1, 1024):
        result = kmscore.generate_and_export_data_key(
            KEYS, "key", sm2_key.public_key, "SM2PKE", number_of_bytes=length
        )
        assert result.ciphertext_blob is not None
        data_key = kmscore.decrypt(KEYS, result.ciphertext_blob).plaintext
        assert opened(sm2_key, "SM2PKE", result) == data_key
        assert len(data_key) == length


def test_an_empty_data_key_is_exported_under_rsa(rsa_key: RsaKey) -> None:
    """OAEP can encrypt the empty message."""
    raw = kmscore.encrypt(KEYS, "key", b"").ciphertext_blob
    result = kmscore.export_data_key(KEYS, raw, rsa_key.public_key, SHA_256)
    assert opened(rsa_key, SHA_256, result) == b""

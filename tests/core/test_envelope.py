"""Encryption of blobs: header, context and cipher together."""

import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import (
    CONTEXTS,
    IDS,
    SUITES,
    Oracle,
    forbid_ciphers,
    raises_exactly,
    symmetric_key,
)

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    IncorrectKeyError,
    Keyring,
    KeySpec,
    Suite,
    SymmetricKey,
    envelope,
)
from kmscore.layouts import V1

CONTEXT = EncryptionContext({"a": "b"}).canonical


@given(SUITES, IDS, IDS, st.binary(max_size=40), CONTEXTS)
def test_the_result_is_a_v1_blob(
    suite: Suite, key_id: str, key_version_id: str, plaintext: bytes, pairs: dict[str, str]
) -> None:
    """The blob parses, has the IDs of the key version and the IV, and decrypts."""
    key, context = symmetric_key(suite, key_id, key_version_id), EncryptionContext(pairs).canonical
    iv = os.urandom(suite.iv_length)
    raw = envelope.seal(key, plaintext, context, iv)
    blob = CiphertextBlob.parse(raw)
    assert (blob.suite, blob.key_id, blob.key_version_id) == (suite, key_id, key_version_id)
    assert blob.iv == iv
    assert (
        len(blob.ciphertext)
        == len(plaintext)
        == V1.read(Keyring([key]), raw).least_plaintext_length
    )
    assert envelope.open_blob(key, raw, context) == plaintext


@given(st.binary(max_size=40), CONTEXTS)
def test_the_associated_data_is_header_and_canonical_context(
    plaintext: bytes, pairs: dict[str, str]
) -> None:
    """An independent AES-GCM, with the format's description, decrypts a blob."""
    material = os.urandom(32)
    key = SymmetricKey("key", "v1", KeySpec.AES_256, material, suite=Suite.AES_256_GCM)
    context = EncryptionContext(pairs).canonical
    raw = envelope.seal(key, plaintext, context)
    header = b"KMS\x01\x01\x03key\x02v1"
    assert raw.startswith(header)
    iv, sealed = raw[len(header) : len(header) + 12], raw[len(header) + 12 :]
    assert AESGCM(material).decrypt(iv, sealed, header + context) == plaintext


FEW_LETTERS = st.text("a1", min_size=1, max_size=2)
SIDES = st.tuples(FEW_LETTERS, FEW_LETTERS, st.dictionaries(FEW_LETTERS, FEW_LETTERS, max_size=2))


@given(st.tuples(SIDES, SIDES))
def test_another_header_or_context_gives_other_associated_data(
    sides: tuple[tuple[str, str, dict[str, str]], ...],
) -> None:
    """The associated data is injective: no byte of the header can become part of the context."""
    one, other = (
        CiphertextBlob(Suite.SM4_GCM, key_id, version, bytes(12), b"", bytes(16)).header
        + EncryptionContext(pairs).canonical
        for key_id, version, pairs in sides
    )
    assert (one == other) == (sides[0] == sides[1])


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize(
    "other",
    [
        {"key_id": "other"},
        {"key_version_id": "v2"},
        {"suite": Suite.AES_128_GCM},
        {"suite": Suite.XAES_256_GCM},
    ],
    ids=str,
)
def test_the_header_of_another_key_is_rejected_before_the_cipher(
    suite: Suite, other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key decrypts only blobs with its own header, whatever the provider returns."""
    if other == {"suite": suite}:
        other = {"suite": Suite.AES_192_GCM}
    raw = envelope.seal(symmetric_key(suite), b"text", CONTEXT)
    stranger = symmetric_key(**{"suite": suite} | other)  # type: ignore[arg-type]
    forbid_ciphers(monkeypatch)
    with raises_exactly(IncorrectKeyError):
        V1.read(Oracle(version=stranger), raw).find_key()


@pytest.mark.parametrize("suite", Suite)
def test_a_fresh_iv_comes_from_the_operating_system(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The IV has the length for the suite, and is the output of `os.urandom`."""
    key = symmetric_key(suite)
    monkeypatch.setattr(os, "urandom", lambda length: b"\xa5" * length)
    blob = CiphertextBlob.parse(envelope.seal(key, b"text", CONTEXT))
    assert blob.iv == b"\xa5" * suite.iv_length


@pytest.mark.parametrize("suite", Suite)
def test_an_iv_of_another_length_is_a_value_error(suite: Suite) -> None:
    """A given IV must have exactly the length for the suite."""
    key = symmetric_key(suite)
    envelope.check_iv(key, None)
    envelope.check_iv(key, bytes(suite.iv_length))
    for length in {0, 12, 13, 16, 24, 25} - {suite.iv_length}:
        with raises_exactly(ValueError, f"IV of {suite.iv_length} bytes, not {length}"):
            envelope.check_iv(key, bytes(length))

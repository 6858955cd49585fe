"""Re-encryption: the three cases, the result, the checks of the source, and dry runs."""

import os
from typing import Any

import pytest
from support.strategies import (
    PROVIDERS,
    RSA_ALGORITHMS,
    Call,
    Fickle,
    raises_exactly,
    symmetric_key,
    watch_ciphers,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    DecryptionError,
    EncryptionAlgorithm,
    EncryptionContext,
    IncorrectKeyError,
    InvalidContextError,
    KeyProvider,
    Keyring,
    ReEncryptResult,
    RsaKey,
    Sm2Key,
    Suite,
    sm2,
)

OLD = symmetric_key(Suite.AES_256_GCM, "key", "v1")
NEW = symmetric_key(Suite.XAES_256_GCM, "key", "v2")
OTHER = symmetric_key(Suite.SM4_GCM, "other", "1")
ASYMMETRIC = ("reencrypt (asymmetric)",)
BOTH = ("reencrypt", *ASYMMETRIC)


@pytest.fixture(params=PROVIDERS)
def keys(request: pytest.FixtureRequest, rsa_key: RsaKey, sm2_key: Sm2Key) -> KeyProvider:
    """Return a keyring with every kind of key, and a `Store` with the same keys."""
    return PROVIDERS[request.param](Keyring([OLD, NEW, OTHER, rsa_key, sm2_key]))


def blob_of(plaintext: bytes = b"text", context: Any = None) -> bytes:
    """Return a blob of the old version of the key."""
    return kmscore.encrypt(Keyring([OLD]), "key", plaintext, context).ciphertext_blob


def test_a_blob_is_reencrypted_to_the_newest_version_of_its_key(keys: KeyProvider) -> None:
    """Case 1: after a rotation, key ID and context stay the same and the version changes."""
    result = kmscore.reencrypt(
        keys,
        blob_of(context={"a": "b"}),
        "key",
        source_context={"a": "b"},
        destination_context={"a": "b"},
    )
    assert isinstance(result, ReEncryptResult)
    assert result[1:] == ("key", "v1", "key", "v2", None, Suite.XAES_256_GCM)
    assert kmscore.decrypt(keys, result[0] or b"", {"a": "b"}) == ("key", "v2", b"text")


def test_the_context_changes_and_the_key_stays(keys: KeyProvider) -> None:
    """Case 2: the result decrypts under the new context and not under the old one."""
    raw = kmscore.encrypt(keys, "key", b"text", {"a": "b"}).ciphertext_blob
    result = kmscore.reencrypt(
        keys, raw, "key", source_context={"a": "b"}, destination_context={"a": "c"}
    )
    assert kmscore.decrypt(keys, result.ciphertext_blob or b"", {"a": "c"}).plaintext == b"text"
    with raises_exactly(DecryptionError):
        kmscore.decrypt(keys, result.ciphertext_blob or b"", {"a": "b"})


def test_a_blob_is_reencrypted_to_another_symmetric_key(keys: KeyProvider) -> None:
    """Case 3: the destination's primary version encrypts with its own suite."""
    result = kmscore.reencrypt(keys, blob_of(), "other")
    assert result[1:] == ("key", "v1", "other", "1", None, Suite.SM4_GCM)
    blob = CiphertextBlob.parse(result.ciphertext_blob or b"")
    assert (blob.suite, blob.key_id, blob.key_version_id) == (Suite.SM4_GCM, "other", "1")
    assert kmscore.decrypt(keys, blob.serialize()).plaintext == b"text"


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_an_asymmetric_ciphertext_is_reencrypted_to_a_symmetric_key(
    keys: KeyProvider,
    rsa_key: RsaKey,
    sm2_key: Sm2Key,
    algorithm: EncryptionAlgorithm,
    kind: type,
) -> None:
    """Case 3: the caller passes key ID, version ID and algorithm, as a member or as its name."""
    source = sm2_key if algorithm is EncryptionAlgorithm.SM2PKE else rsa_key
    ciphertext = kmscore.asymmetric_encrypt(source.public_key, algorithm, b"text")
    for name in (algorithm, algorithm.value):
        result = kmscore.reencrypt(
            keys,
            kind(ciphertext),
            "other",
            destination_context={"a": "b"},
            source_key_id=source.key_id,
            source_key_version_id=source.key_version_id,
            source_algorithm=name,
        )
        assert result[1:] == (source.key_id, "v1", "other", "1", algorithm, Suite.SM4_GCM)
        assert type(result.source_algorithm) is EncryptionAlgorithm
        assert kmscore.decrypt(keys, result[0] or b"", {"a": "b"}).plaintext == b"text"


@pytest.mark.parametrize("encoding", ["C1C3C2", "ASN1_DER"])
def test_an_sm2_source_is_accepted_in_two_encodings(
    keys: KeyProvider, sm2_key: Sm2Key, encoding: str
) -> None:
    """An SM2 source can be C1C3C2 or DER; the first byte shows the encoding."""
    ciphertext = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"text")
    result = kmscore.reencrypt(
        keys,
        sm2.convert(ciphertext, "C1C3C2", encoding),
        "other",
        source_key_id="sm2",
        source_key_version_id="v1",
        source_algorithm="SM2PKE",
    )
    assert kmscore.decrypt(keys, result.ciphertext_blob or b"").plaintext == b"text"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_blob_can_be_any_bytes_like_object(keys: KeyProvider, kind: type) -> None:
    """The result is `bytes` for every bytes-like source."""
    result = kmscore.reencrypt(keys, kind(blob_of()), "other")
    assert type(result.ciphertext_blob) is bytes


def test_a_missing_destination_context_is_the_empty_one(keys: KeyProvider) -> None:
    """A missing destination context is the empty context, not the source's."""
    result = kmscore.reencrypt(
        keys, blob_of(context={"a": "b"}), "other", source_context={"a": "b"}
    )
    raw = result.ciphertext_blob or b""
    assert kmscore.decrypt(keys, raw).plaintext == b"text"
    with raises_exactly(DecryptionError):
        kmscore.decrypt(keys, raw, {"a": "b"})


def test_a_context_given_for_both_sides_is_read_once(keys: KeyProvider) -> None:
    """One mapping for both contexts is read once, even if its values change between reads."""
    both = Fickle()
    blob = blob_of(context={"a": "1"})
    result = kmscore.reencrypt(keys, blob, "key", source_context=both, destination_context=both)
    assert kmscore.decrypt(keys, result.ciphertext_blob or b"", {"a": "1"}).plaintext == b"text"


def test_a_wrong_source_context_is_rejected(
    keys: KeyProvider,
) -> None:
    """Decryption uses the source context; the destination context does not replace it."""
    raw = blob_of(context={"a": "b"})
    for context in (None, {"a": "c"}, {"a": "b", "c": "d"}, {"b": "a"}):
        with raises_exactly(DecryptionError):
            kmscore.reencrypt(
                keys, raw, "other", source_context=context, destination_context={"a": "b"}
            )


@pytest.mark.parametrize(
    "ids",
    [
        {"source_key_id": "key"},
        {"source_key_version_id": "v1"},
        {"source_key_id": "key", "source_key_version_id": "v1"},
    ],
)
def test_source_ids_equal_to_the_header_are_accepted(
    keys: KeyProvider, ids: dict[str, Any]
) -> None:
    """Source IDs that equal those in the header are accepted, and the result is the same."""
    assert kmscore.reencrypt(keys, blob_of(), "other", **ids).source_key_version_id == "v1"


@pytest.mark.parametrize(
    "ids",
    [
        {"source_key_id": "other"},
        {"source_key_id": ""},
        {"source_key_id": "KEY"},
        {"source_key_version_id": "v2"},
        {"source_key_version_id": ""},
        {"source_key_id": "key", "source_key_version_id": "v2"},
        {"source_key_id": "other", "source_key_version_id": "v1"},
    ],
)
def test_source_ids_different_from_the_header_are_rejected(
    keys: KeyProvider, ids: dict[str, Any]
) -> None:
    """Wrong source IDs are rejected, and so is an empty one, because no argument is ignored."""
    with raises_exactly(IncorrectKeyError, "than the caller"):
        kmscore.reencrypt(keys, blob_of(), "other", **ids)


@pytest.mark.parametrize("missing", ["source_key_id", "source_key_version_id"])
@pytest.mark.parametrize("operation", ASYMMETRIC)
def test_an_asymmetric_source_requires_its_ids(
    calls: dict[str, Call], operation: str, missing: str
) -> None:
    """Without its key ID or its version ID, an asymmetric source raises `TypeError`."""
    with raises_exactly(TypeError, "needs source_key_id and source_key_version_id"):
        calls[operation](**{missing: None})


@pytest.mark.parametrize("context", [{"a": "b"}, {"": ""}, EncryptionContext({"a": "b"})])
@pytest.mark.parametrize("operation", ASYMMETRIC)
def test_an_asymmetric_source_with_a_context_is_rejected(
    calls: dict[str, Call], operation: str, context: Any
) -> None:
    """An asymmetric ciphertext has no context, so a source context is rejected, not ignored."""
    with raises_exactly(InvalidContextError, "binds no encryption context"):
        calls[operation](source_context=context)
    for empty in (None, {}, EncryptionContext()):
        assert calls[operation](source_context=empty).ciphertext_blob is not None


@pytest.mark.parametrize("operation", BOTH)
def test_a_dry_run_returns_the_same_without_a_blob(calls: dict[str, Call], operation: str) -> None:
    """A dry run returns the fields of the real call except for the blob."""
    real, dry = (calls[operation](dry_run=dry_run) for dry_run in (False, True))
    assert dry.ciphertext_blob is None
    assert dry[1:] == real[1:]


@pytest.mark.parametrize("operation", BOTH)
def test_a_dry_run_draws_no_iv_and_does_not_encrypt(
    calls: dict[str, Call], operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dry run makes the same checks, but draws no IV and does not encrypt."""
    used: list[str] = []
    decrypt_with = kmscore.asymmetric.decrypt_with
    monkeypatch.setattr(
        kmscore.asymmetric, "decrypt_with", lambda *args: used.append("open") or decrypt_with(*args)
    )
    watch_ciphers(monkeypatch, used.append)
    monkeypatch.setattr(os, "urandom", lambda _: pytest.fail("an IV was drawn"))
    calls[operation](dry_run=True)
    assert used == ["open"]


def test_the_result_shows_no_plaintext(calls: dict[str, Call]) -> None:
    """A result has no field for the plaintext."""
    fields = ["source_key_id", "source_key_version_id"]
    fields += ["destination_key_id", "destination_key_version_id"]
    fields += ["source_algorithm", "destination_suite"]
    assert ReEncryptResult._fields == ("ciphertext_blob", *fields)
    assert b"data" not in (calls["reencrypt"]().ciphertext_blob or b"")


def test_a_plaintext_of_any_allowed_length_is_reencrypted(
    keys: KeyProvider, sm2_key: Sm2Key
) -> None:
    """The shortest and the longest plaintexts are re-encrypted, from a blob and from SM2."""
    for length in (0, 6144):
        result = kmscore.reencrypt(keys, blob_of(bytes(length)), "other")
        assert kmscore.decrypt(keys, result[0] or b"").plaintext == bytes(length)
    ciphertext = kmscore.asymmetric_encrypt(sm2_key.public_key, "SM2PKE", b"\x01" * 6047)
    ids = {"source_key_id": "sm2", "source_key_version_id": "v1"}
    result = kmscore.reencrypt(keys, ciphertext, "other", source_algorithm="SM2PKE", **ids)
    assert kmscore.decrypt(keys, result.ciphertext_blob or b"").plaintext == b"\x01" * 6047


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
def test_an_empty_plaintext_is_reencrypted_from_rsa(
    keys: KeyProvider, rsa_key: RsaKey, algorithm: EncryptionAlgorithm
) -> None:
    """OAEP can encrypt the empty message, so it is re-encrypted."""
    ciphertext = kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, b"")
    ids = {"source_key_id": rsa_key.key_id, "source_key_version_id": "v1"}
    result = kmscore.reencrypt(keys, ciphertext, "other", source_algorithm=algorithm, **ids)
    assert kmscore.decrypt(keys, result.ciphertext_blob or b"").plaintext == b""

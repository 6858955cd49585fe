"""Asymmetric encryption: RSAES-OAEP and SM2PKE."""

import tracemalloc
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, Hash, HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from support.strategies import (
    RSA_ALGORITHMS,
    SUITE_SPECS,
    forbid_ciphers,
    raises_exactly,
    symmetric_key,
    valid_calls,
)

import kmscore
from kmscore import (
    DecryptionError,
    EncryptionAlgorithm,
    Keyring,
    KeySpec,
    KeyUsageError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    UnsupportedAlgorithmError,
    asymmetric,
)

SHA_256, SHA_1 = RSA_ALGORITHMS
SM2PKE = EncryptionAlgorithm.SM2PKE

# RFC 8017 section 7.1.1: the modulus, less two hashes and two bytes.
RSA_MAXIMA = [
    (KeySpec.RSA_2048, SHA_256, 190),
    (KeySpec.RSA_2048, SHA_1, 214),
    (KeySpec.RSA_3072, SHA_256, 318),
    (KeySpec.RSA_3072, SHA_1, 342),
    (KeySpec.RSA_4096, SHA_256, 446),
    (KeySpec.RSA_4096, SHA_1, 470),
]


def decrypt(key: RsaKey | Sm2Key, algorithm: EncryptionAlgorithm, ciphertext: Any) -> bytes:
    """Decrypt with a keyring of one key."""
    result = kmscore.asymmetric_decrypt(
        Keyring([key]), key.key_id, key.key_version_id, algorithm, ciphertext
    )
    assert (result.key_id, result.key_version_id) == (key.key_id, key.key_version_id)
    return result.plaintext


def padding(hash_algorithm: HashAlgorithm, mgf_hash: HashAlgorithm, label: bytes | None) -> OAEP:
    """Return an OAEP padding."""
    return OAEP(mgf=MGF1(mgf_hash), algorithm=hash_algorithm, label=label)


def primitive(key: RsaKey) -> RSAPublicKey:
    """Return the public key as an object of `cryptography`."""
    public_key = load_pem_public_key(key.public_key.to_pem())
    assert isinstance(public_key, RSAPublicKey)
    return public_key


@pytest.mark.parametrize(("spec", "algorithm", "longest"), RSA_MAXIMA)
def test_rsa_encrypts_up_to_its_maximum(
    rsa_keys: dict[KeySpec, RsaKey], spec: KeySpec, algorithm: EncryptionAlgorithm, longest: int
) -> None:
    """The empty and the longest plaintext are encrypted, and one byte more is rejected."""
    key = rsa_keys[spec]
    for plaintext in (b"", b"\x00", bytes(range(256)) * 2):
        text = plaintext[:longest]
        ciphertext = kmscore.asymmetric_encrypt(key.public_key, algorithm, text)
        assert len(ciphertext) == int(spec.value[-4:]) // 8
        assert decrypt(key, algorithm, ciphertext) == text
    with raises_exactly(PlaintextSizeError, f"0 to {longest} bytes, not {longest + 1}"):
        kmscore.asymmetric_encrypt(key.public_key, algorithm, bytes(longest + 1))


def test_sm2_encrypts_1_to_6047_bytes(sm2_key: Sm2Key) -> None:
    """Plaintexts of 1 and 6,047 bytes are encrypted, with 97 bytes more; others are rejected."""
    for length in (1, 6_047):
        ciphertext = kmscore.asymmetric_encrypt(sm2_key.public_key, SM2PKE, b"\x5a" * length)
        assert len(ciphertext) == length + 97
        assert ciphertext.startswith(b"\x04")
        assert decrypt(sm2_key, SM2PKE, ciphertext) == b"\x5a" * length
    for length in (0, 6_048):
        with raises_exactly(PlaintextSizeError, f"1 to 6047 bytes, not {length}"):
            kmscore.asymmetric_encrypt(sm2_key.public_key, SM2PKE, bytes(length))


@pytest.mark.parametrize(
    ("algorithm", "hash_algorithm"),
    [(SHA_256, SHA256()), (SHA_1, SHA1())],  # noqa: S303 (the service's name)
)
def test_oaep_agrees_with_cryptography(
    rsa_key: RsaKey, algorithm: EncryptionAlgorithm, hash_algorithm: HashAlgorithm
) -> None:
    """OAEP has one hash for OAEP and MGF1 and no label; other parameters do not decrypt."""
    other = SHA1() if algorithm == SHA_256 else SHA256()  # noqa: S303 (the service's name)
    ours = padding(hash_algorithm, hash_algorithm, None)
    assert decrypt(rsa_key, algorithm, primitive(rsa_key).encrypt(b"text", ours)) == b"text"
    foreign = [
        padding(other, other, None),
        padding(hash_algorithm, other, None),
        padding(other, hash_algorithm, None),
        padding(hash_algorithm, hash_algorithm, b"label"),
    ]
    for scheme in foreign:
        with raises_exactly(DecryptionError):
            decrypt(rsa_key, algorithm, primitive(rsa_key).encrypt(b"text", scheme))


@pytest.mark.parametrize("algorithm", EncryptionAlgorithm)
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like_arguments_are_accepted(
    rsa_key: RsaKey, sm2_key: Sm2Key, algorithm: EncryptionAlgorithm, kind: type
) -> None:
    """Plaintext and ciphertext can be any bytes-like object, and the algorithm its name."""
    key = sm2_key if algorithm is SM2PKE else rsa_key
    ciphertext = kmscore.asymmetric_encrypt(key.public_key, algorithm.value, kind(b"text"))
    assert decrypt(key, algorithm, kind(ciphertext)) == b"text"


def test_equal_plaintexts_have_different_ciphertexts(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """Each encryption draws new random numbers."""
    for key, algorithm in ((rsa_key, SHA_256), (rsa_key, SHA_1), (sm2_key, SM2PKE)):
        seen = {kmscore.asymmetric_encrypt(key.public_key, algorithm, b"text") for _ in range(20)}
        assert len(seen) == 20


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        *((spec, SM2PKE) for spec in KeySpec if spec is not KeySpec.EC_SM2),
        *(
            (spec, algorithm)
            for spec in KeySpec
            if "RSA" not in spec.name
            for algorithm in RSA_ALGORITHMS
        ),
    ],
)
def test_an_algorithm_that_does_not_fit_the_key_is_rejected(
    rsa_keys: dict[KeySpec, RsaKey],
    sm2_key: Sm2Key,
    spec: KeySpec,
    algorithm: EncryptionAlgorithm,
) -> None:
    """Every pair of key and algorithm that is not in the table is rejected, in both directions."""
    suites = {spec: suite for suite, spec in SUITE_SPECS.items()}
    if spec in suites:
        key: Any = symmetric_key(suites[spec])
    else:
        key = rsa_keys.get(spec, sm2_key)
        with raises_exactly(KeyUsageError, f"{spec.name} does not encrypt {algorithm.name}"):
            kmscore.asymmetric_encrypt(key.public_key, algorithm, b"text")
    with raises_exactly(KeyUsageError, f"of spec {spec.name}"):
        decrypt(key, algorithm, b"ciphertext")


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_ciphertext_that_is_too_long_is_not_copied(
    rsa_key: RsaKey, sm2_key: Sm2Key, kind: type
) -> None:
    """Rejecting 30 MB needs almost no memory."""
    data = kind(bytes(30_000_000))
    tracemalloc.start()
    try:
        for key, algorithm in ((rsa_key, SHA_256), (sm2_key, SM2PKE)):
            with raises_exactly(DecryptionError):
                decrypt(key, algorithm, data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("missing", [UnsupportedAlgorithm, partial(InternalError, err_code=[])])
def test_without_sha1_the_other_algorithms_work(
    rsa_key: RsaKey,
    sm2_key: Sm2Key,
    missing: Callable[[str], Exception],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Operations with SHA-1 are rejected before decryption, and all others work."""

    def without_sha1(algorithm: HashAlgorithm) -> Hash:
        if isinstance(algorithm, SHA1):
            raise missing("sha1 is not supported")
        return Hash(algorithm)

    calls = valid_calls(rsa_key, sm2_key)
    monkeypatch.setattr(asymmetric, "Hash", without_sha1)
    # In a new process, nothing is known yet about the build; clear the stored results.
    monkeypatch.setattr(asymmetric, "_check_hash", cache(asymmetric._check_hash.__wrapped__))
    for call in calls.values():
        assert call() is not None
    monkeypatch.setattr(asymmetric, "decrypt_with", lambda *_: pytest.fail("it was opened"))
    forbid_ciphers(monkeypatch)
    for call in calls.values():
        for parameter in {"algorithm", "source_algorithm"} & set(call.arguments):
            with pytest.raises(UnsupportedAlgorithmError, match="sha1 is not available") as caught:
                call(**{parameter: SHA_1})
            assert caught.value.__context__ is None


def test_a_symmetric_suite_is_not_an_asymmetric_algorithm(rsa_key: RsaKey) -> None:
    """A `Suite` in place of an `EncryptionAlgorithm` is rejected."""
    with raises_exactly(UnsupportedAlgorithmError, "unknown EncryptionAlgorithm"):
        kmscore.asymmetric_encrypt(rsa_key.public_key, "AES_256_GCM", b"text")
    with raises_exactly(TypeError, "algorithm must be str, not Suite"):
        kmscore.asymmetric_encrypt(rsa_key.public_key, Suite.AES_256_GCM, b"text")  # type: ignore[arg-type]


def test_the_longest_sm2_ciphertext_is_decrypted(sm2_key: Sm2Key) -> None:
    """In DER, coordinates from 2^255 on have one byte more: 6,159 bytes for 6,047."""
    plaintext = bytes(6047)
    lengths = set()
    while 6159 not in lengths:
        raw = kmscore.asymmetric_encrypt(sm2_key.public_key, SM2PKE, plaintext)
        der = kmscore.sm2.convert(raw, "C1C3C2", "ASN1_DER")
        assert decrypt(sm2_key, SM2PKE, der) == plaintext
        lengths.add(len(der))

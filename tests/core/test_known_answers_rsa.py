"""RSAES-OAEP: published ciphertexts through the public API."""

from collections.abc import Callable, Iterable
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import load_der_private_key
from support.published_vectors import (
    OaepGroup,
    Outcome,
    boringssl_oaep_label,
    cryptography_oaep,
    outcome,
    rejection,
    rsa_laboratories_oaep,
    wycheproof_oaep,
)

from kmscore import (
    DecryptionError,
    EncryptionAlgorithm,
    InvalidKeyError,
    Keyring,
    RsaKey,
    asymmetric_decrypt,
    asymmetric_encrypt,
)

Count = Callable[[str, int], None]
Outcomes = dict[tuple[str, str, str], Outcome]
"""Results by group, case and algorithm, so that a failed assertion shows all three."""

ALGORITHMS = {
    ("SHA-256", "SHA-256"): EncryptionAlgorithm.RSAES_OAEP_SHA_256,
    ("SHA-1", "SHA-1"): EncryptionAlgorithm.RSAES_OAEP_SHA_1,
}
HASHES = {
    "SHA-1": SHA1(),  # noqa: S303 (the published hash)
    "SHA-224": SHA224(),
    "SHA-256": SHA256(),
    "SHA-384": SHA384(),
    "SHA-512": SHA512(),
}
REJECTED = rejection(DecryptionError())
OUR_SIZES = {2048, 3072, 4096}


@cache
def checked_keys(der: bytes) -> Keyring:
    """Return a keyring of the one key; it is stored, because reading takes 40 ms or more."""
    return Keyring([RsaKey.from_der("rsa", "1", der)])


def unchecked_key(der: bytes) -> RSAPrivateKey:
    """Return the key without a check of its numbers, for hundreds of keys or very long ones."""
    key = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    return key


def unchecked_keys(der: bytes) -> Keyring:
    """Return a keyring of the one key, which is not checked."""
    return Keyring([RsaKey("rsa", "1", unchecked_key(der))])


def opened_by_cryptography(groups: Iterable[OaepGroup]) -> bool:
    """Return whether every case decrypts with its own hashes and label."""
    return all(
        unchecked_key(group.key).decrypt(
            case.ciphertext,
            OAEP(MGF1(HASHES[group.hashes[1]]), HASHES[group.hashes[0]], case.label or None),
        )
        == case.message
        for group in groups
        for case in group.cases
    )


def decrypted(keys: Keyring, algorithm: EncryptionAlgorithm, ciphertext: bytes) -> bytes:
    """Return the plaintext under the only key of a keyring of this module."""
    return asymmetric_decrypt(keys, "rsa", "1", algorithm, ciphertext).plaintext


def outcomes(groups: Iterable[OaepGroup], keys: Callable[[bytes], Keyring]) -> Outcomes:
    """Return the result of every case under each algorithm of kmscore."""
    return {
        (group.name, case.name, algorithm.name): outcome(
            decrypted, ring, algorithm, case.ciphertext
        )
        for group in groups
        for ring in [keys(group.key)]
        for case in group.cases
        for algorithm in ALGORITHMS.values()
    }


def due(groups: Iterable[OaepGroup]) -> Outcomes:
    """Return the expected results: cases with one of our hashes and no label decrypt, if valid."""
    return {
        (group.name, case.name, algorithm.name): (
            REJECTED
            if case.message is None or case.label or ALGORITHMS.get(group.hashes) is not algorithm
            else case.message
        )
        for group in groups
        for case in group.cases
        for algorithm in ALGORITHMS.values()
    }


def of_our_sizes(groups: Iterable[OaepGroup]) -> list[OaepGroup]:
    """Return the groups with a supported key length."""
    return [group for group in groups if group.modulus_bits in OUR_SIZES]


def keys_of_other_sizes() -> dict[bytes, int]:
    """Return every published key with an unsupported length, once, with its length in bits."""
    groups = (*wycheproof_oaep(), *rsa_laboratories_oaep())
    return {
        group.key: group.modulus_bits for group in groups if group.modulus_bits not in OUR_SIZES
    }


@pytest.mark.parametrize("group", of_our_sizes(wycheproof_oaep()), ids=lambda group: group.name)
def test_wycheproof_decrypts_or_gives_the_one_error(
    group: OaepGroup, count_known_answers: Count
) -> None:
    """Valid cases without a label and with our hashes decrypt; all others give the one error."""
    assert outcomes([group], checked_keys) == due([group])
    count_known_answers(f"Wycheproof RSAES-OAEP, {group.modulus_bits} bits", len(group.cases))


def test_wycheproof_has_every_kind_of_case() -> None:
    """There are all sizes and both algorithms, empty messages, labels, lengths and other hashes."""
    cases = [(group, case) for group in of_our_sizes(wycheproof_oaep()) for case in group.cases]
    ours = [(group, case) for group, case in cases if group.hashes in ALGORITHMS]
    valid = [case for _, case in ours if case.message is not None]
    invalid = [(group, case) for group, case in ours if case.message is None]
    assert {(group.modulus_bits, group.hashes) for group, _ in ours} == {
        (bits, hashes) for bits in OUR_SIZES for hashes in ALGORITHMS
    }
    assert any(case.message == b"" and not case.label for case in valid)
    assert any(case.label for case in valid)
    assert {len(case.ciphertext) - group.modulus_bits // 8 for group, case in invalid} > {-1, 0, 1}
    assert any(case.message and group.hashes not in ALGORITHMS for group, case in cases)


def test_the_pkcs1_example_of_2048_bits_decrypts(count_known_answers: Count) -> None:
    """The six messages of RSA Laboratories decrypt with SHA-1, and are rejected with SHA-256."""
    groups = of_our_sizes(rsa_laboratories_oaep())
    assert outcomes(groups, checked_keys) == due(groups)
    assert [len(group.cases) for group in groups] == [6]
    count_known_answers("RSA Laboratories RSAES-OAEP, 2048 bits", 6)


def test_the_sha_256_set_of_cryptography_decrypts(count_known_answers: Count) -> None:
    """Messages under at least ten keys decrypt with SHA-256, and are rejected with SHA-1."""
    groups = [group for group in cryptography_oaep() if group.hashes in ALGORITHMS]
    assert outcomes(groups, checked_keys) == due(groups)
    number = sum(len(group.cases) for group in groups)
    assert number >= 60
    count_known_answers("pyca/cryptography RSAES-OAEP, our hashes", number)


@pytest.mark.parametrize(
    "hashes",
    sorted({group.hashes for group in cryptography_oaep()} - set(ALGORITHMS)),
    ids="-".join,
)
def test_the_other_sets_of_cryptography_are_rejected(
    hashes: tuple[str, str], count_known_answers: Count
) -> None:
    """Ciphertexts that decrypt with their own two hashes give the one error with ours."""
    groups = [group for group in cryptography_oaep() if group.hashes == hashes]
    # Without this check, a key or ciphertext that is read wrongly is rejected too.
    assert opened_by_cryptography(groups)
    assert outcomes(groups, unchecked_keys) == due(groups)
    count_known_answers(
        "pyca/cryptography RSAES-OAEP, other hashes", sum(len(group.cases) for group in groups)
    )


def test_the_labelled_ciphertext_of_boringssl_is_rejected(count_known_answers: Count) -> None:
    """A ciphertext that decrypts with its own hash and label gives the one error without it."""
    group = boringssl_oaep_label()
    assert opened_by_cryptography([group])
    assert outcomes([group], checked_keys) == due([group])
    count_known_answers("BoringSSL RSAES-OAEP with a label", 1)


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda algorithm: algorithm.name)
def test_a_ciphertext_without_its_leading_zero_is_rejected(algorithm: EncryptionAlgorithm) -> None:
    """A ciphertext must have the length of the modulus, even if its first byte is 00."""
    keys = checked_keys(rsa_laboratories_oaep()[-1].key)
    (key,) = keys
    assert isinstance(key, RsaKey)
    # One ciphertext in 256 begins with 00; no published one with our hashes does.
    ciphertext = b"\x01"
    while ciphertext[0]:
        ciphertext = asymmetric_encrypt(key.public_key, algorithm, b"message")
    assert decrypted(keys, algorithm, ciphertext) == b"message"
    assert outcome(decrypted, keys, algorithm, ciphertext[1:]) == REJECTED
    assert outcome(decrypted, keys, algorithm, b"\x00" + ciphertext) == REJECTED


@pytest.mark.parametrize(
    "der",
    list(keys_of_other_sizes()),
    ids=[f"{bits}" for bits in keys_of_other_sizes().values()],
)
def test_a_published_key_of_another_size_is_rejected(
    der: bytes, count_known_answers: Count
) -> None:
    """A key whose length is not 2048, 3072 or 4096 bits is rejected by the constructor."""
    with pytest.raises(InvalidKeyError) as caught:
        RsaKey.from_der("rsa", "1", der)
    assert type(caught.value) is InvalidKeyError
    assert caught.value.code == "invalid_key"
    assert "bits" in str(caught.value)
    count_known_answers("RSA keys of other sizes, rejected", 1)

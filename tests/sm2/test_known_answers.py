"""SM2PKE: published ciphertexts through the public API, on every backend."""

from collections.abc import Callable
from importlib.util import find_spec

import pytest
from support.published_vectors import Outcome, outcome, rejection
from support.transcribed_vectors import SM2_CASES, Sm2Case

from kmscore import (
    DecryptionError,
    EncryptionAlgorithm,
    InvalidBlobError,
    Keyring,
    PublicKey,
    Sm2Key,
    asymmetric_decrypt,
    hazmat,
)
from kmscore.sm2 import Sm2Encoding, available_backends, convert

Count = Callable[[str, int], None]

REJECTED = rejection(DecryptionError())
WELL_FORMED = [case for case in SM2_CASES if case.well_formed]
MALFORMED = [case for case in SM2_CASES if not case.well_formed]
WITH_K = [case for case in SM2_CASES if case.k is not None]

# SubjectPublicKeyInfo up to the point: id-ecPublicKey, curve 1.2.156.10197.1.301, BIT STRING.
SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


def parts(case: Sm2Case) -> tuple[int, int, bytes, bytes]:
    """Return x, y, C3 and C2 of a case, read by an independent parser."""
    data = case.ciphertext
    if case.encoding == "C1C3C2":
        x, y = int.from_bytes(data[1:33], "big"), int.from_bytes(data[33:65], "big")
        return x, y, data[65:97], data[97:]
    position = 3 if data[1] & 0x80 else 2
    values: list[bytes] = []
    while position < len(data):
        start = position + 2
        position = start + data[position + 1]
        values.append(data[start:position])
    x_bytes, y_bytes, c3, c2 = values
    return int.from_bytes(x_bytes, "big"), int.from_bytes(y_bytes, "big"), c3, c2


def encoded(case: Sm2Case, encoding: Sm2Encoding) -> bytes:
    """Return a case in another encoding, written by an independent writer."""
    x, y, c3, c2 = parts(case)
    if encoding is Sm2Encoding.ASN1_DER:
        fields = [(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (x, y)]
        body = b"".join(
            bytes([tag, len(value)]) + value for tag, value in [*fields, (4, c3), (4, c2)]
        )
        length = bytes([len(body)]) if len(body) < 0x80 else bytes([0x81, len(body)])
        return b"\x30" + length + body
    point = x.to_bytes(32, "big") + y.to_bytes(32, "big")
    prefix = b"" if encoding.name.endswith("BARE") else b"\x04"
    return prefix + point + (c3 + c2 if "C1C3C2" in encoding.name else c2 + c3)


def decrypted(case: Sm2Case, backend: str, ciphertext: bytes) -> Outcome:
    """Return the result of the decryption of `ciphertext` under the key of a case."""
    keys = Keyring([Sm2Key.from_scalar("sm2", "1", case.scalar, backend=backend)])

    def operation() -> bytes:
        algorithm = EncryptionAlgorithm.SM2PKE
        return asymmetric_decrypt(keys, "sm2", "1", algorithm, ciphertext).plaintext

    return outcome(operation)


def due(case: Sm2Case) -> Outcome:
    """Return the expected result of a case: the published plaintext, or the one error."""
    return REJECTED if case.plaintext is None else case.plaintext


def test_the_python_backends_are_available() -> None:
    """The Python backends must be available, because unavailable ones are skipped below."""
    expected = {"portable"} | ({"gmssl"} if find_spec("gmssl") else set())
    assert expected <= set(available_backends())


@pytest.mark.parametrize("case", SM2_CASES, ids=lambda case: case.name)
def test_a_published_ciphertext_decrypts_or_gives_the_one_error(
    case: Sm2Case, backend: str, count_known_answers: Count
) -> None:
    """Each backend decrypts the valid ciphertexts, and rejects all others with the same error."""
    assert decrypted(case, backend, case.ciphertext) == due(case)
    count_known_answers(f"SM2PKE of GM/T 0003.5, openHiTLS and OpenSSL: {backend}", 1)


@pytest.mark.parametrize("encoding", [Sm2Encoding.ASN1_DER, Sm2Encoding.C1C3C2])
@pytest.mark.parametrize("case", SM2_CASES, ids=lambda case: case.name)
def test_a_published_ciphertext_has_one_result_in_der_and_c1c3c2(
    case: Sm2Case, encoding: Sm2Encoding, backend: str
) -> None:
    """In both encodings, the valid cases decrypt and the others are rejected."""
    assert decrypted(case, backend, encoded(case, encoding)) == due(case)


@pytest.mark.parametrize("case", SM2_CASES, ids=lambda case: case.name)
def test_a_published_scalar_has_the_published_point(case: Sm2Case, backend: str) -> None:
    """The public key of the scalar is the published one, in SubjectPublicKeyInfo."""
    key = Sm2Key.from_scalar("sm2", "1", case.scalar, backend=backend)
    assert key.public_key.to_der() == SPKI_PREFIX + case.public_point


@pytest.mark.parametrize("case", WELL_FORMED, ids=lambda case: case.name)
def test_convert_turns_a_published_ciphertext_into_every_encoding_and_back(case: Sm2Case) -> None:
    """`convert` gives the bytes of an independent writer for every pair of encodings."""
    assert encoded(case, Sm2Encoding(case.encoding)) == case.ciphertext
    for source in Sm2Encoding:
        for target in Sm2Encoding:
            converted = convert(encoded(case, source), source, target)
            assert converted == encoded(case, target), (source, target)
            assert convert(converted, target, case.encoding) == case.ciphertext


@pytest.mark.parametrize("encoding", Sm2Encoding)
@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_convert_rejects_a_published_point_off_the_curve(
    case: Sm2Case, encoding: Sm2Encoding
) -> None:
    """A ciphertext that is malformed without a key is rejected for every pair of encodings."""
    for target in Sm2Encoding:
        with pytest.raises(InvalidBlobError) as caught:
            convert(encoded(case, encoding), encoding, target)
        assert type(caught.value) is InvalidBlobError
        assert caught.value.code == "invalid_blob"


@pytest.mark.parametrize("case", WITH_K, ids=lambda case: case.name)
def test_the_published_k_gives_the_published_ciphertext(case: Sm2Case) -> None:
    """With the published k, encryption for the published public key gives the example's bytes."""
    assert case.k is not None
    assert case.plaintext is not None
    public_key = PublicKey.from_der(SPKI_PREFIX + case.public_point)
    ciphertext = hazmat.sm2_encrypt(public_key, case.plaintext, case.k)
    assert convert(ciphertext, Sm2Encoding.C1C3C2, case.encoding) == case.ciphertext
    assert ciphertext == encoded(case, Sm2Encoding.C1C3C2)


def test_the_published_cases_have_every_kind() -> None:
    """There are both encodings, several keys, a k, and rejections with and without the key."""
    assert {case.encoding for case in SM2_CASES} == {"ASN1_DER", "C1C3C2"}
    assert len({case.scalar for case in SM2_CASES}) == 3
    assert (len(SM2_CASES), len(WELL_FORMED), len(MALFORMED), len(WITH_K)) == (9, 6, 3, 2)
    assert sum(case.plaintext is None for case in WELL_FORMED) == 3

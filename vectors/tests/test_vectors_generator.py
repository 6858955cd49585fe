"""The second implementation agrees with published values and with the library."""

import hashlib

import pytest
from constructions import HASH_NAMES
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPrivateNumbers
from cryptography.hazmat.primitives.serialization import load_der_private_key
from hypothesis import example, given
from hypothesis import strategies as st
from support.published_vectors import (
    OaepGroup,
    cryptography_oaep,
    rsa_laboratories_oaep,
    wycheproof_oaep,
)
from support.strategies import raises_exactly
from support.transcribed_vectors import (
    CONTEXT_CASES,
    SM2_CASES,
    SM4_GCM_CASE,
    XAES_CASES,
    AeadCase,
    ContextCase,
    Sm2Case,
)

import kmscore
from kmscore import (
    EncryptionContext,
    Keyring,
    PublicKey,
    RsaKey,
    Sm2Key,
    algorithms,
    errors,
    hazmat,
)
from kmscore.blob import encode_header
from kmscore_vectors import tables
from kmscore_vectors.generator import affine, ciphers, oaep, suite_properties, wire
from kmscore_vectors.generator.keys.published import RSA_KEYS
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.sm2pke.cases import ENCODERS
from kmscore_vectors.tables import Suite

_WITH_K = tuple(case for case in SM2_CASES if case.k is not None and case.plaintext is not None)


@pytest.mark.parametrize("case", CONTEXT_CASES, ids=lambda case: case.name)
def test_contexts_as_the_aws_sdk_serialises_them(case: ContextCase) -> None:
    """The published canonical bytes come out of the generator's own encoder."""
    pairs = wire.sorted_pairs(list(case.context.items()))
    assert wire.context_bytes(pairs) == case.canonical


@pytest.mark.parametrize("name", ["Suite", "KeySpec", "KeyState", "EncryptionAlgorithm"])
def test_the_tables_agree_with_the_library(name: str) -> None:
    """Both have the same tables, with the same names and values."""
    ours, theirs = ({m.name: m.value for m in getattr(t, name)} for t in (tables, algorithms))
    assert ours == theirs


def test_the_error_codes_agree_with_the_library() -> None:
    """The table has one member for each error class."""
    codes = {code.value for code in tables.ErrorCode}
    assert codes == {error.code for error in errors.KmsCoreError.__subclasses__()}


@given(st.dictionaries(st.text(), st.text(), max_size=6))
def test_contexts_agree_with_the_library(context: dict[str, str]) -> None:
    """Both encoders give the same canonical form."""
    pairs = wire.sorted_pairs(list(context.items()))
    assert wire.context_bytes(pairs) == EncryptionContext(context).canonical


@given(
    st.sampled_from(Suite),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255),
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255),
)
@example(Suite.SM4_GCM, "k" * 255, "v")
def test_headers_agree_with_the_library(suite: Suite, key_id: str, version_id: str) -> None:
    """Both encoders give the same header."""
    header = wire.header_bytes(suite.value, key_id.encode(), version_id.encode())
    assert header == encode_header(algorithms.Suite(suite.value), key_id, version_id)


@pytest.mark.parametrize(
    ("value", "der"),
    [
        (0, "020100"),
        (127, "02017f"),
        (128, "02020080"),
        (-1, "0201ff"),
        (-128, "020180"),
        (-129, "0202ff7f"),
        (256, "02020100"),
    ],
)
def test_integers_as_x690_has_them(value: int, der: str) -> None:
    """The shortest two's complement (X.690 section 8.3.2)."""
    assert wire.der_integer(value).hex() == der


@pytest.mark.parametrize(
    ("length", "prefix"), [(127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100")]
)
def test_lengths_as_x690_has_them(length: int, prefix: str) -> None:
    """The short form below 128, then the shortest long form (X.690 section 10.1)."""
    assert wire.der_octets(bytes(length)) == bytes.fromhex(prefix) + bytes(length)


@pytest.mark.parametrize("case", XAES_CASES, ids=lambda case: case.name)
def test_xaes_as_c2sp_has_it(case: AeadCase) -> None:
    """The derived key and the sealed message are the published ones."""
    sealed = ciphers.seal(
        Suite.XAES_256_GCM, case.key, case.iv, case.plaintext, case.associated_data
    )
    assert sealed.gcm_key == case.derived_key
    assert sealed.ciphertext + sealed.tag == case.sealed


def test_sm4_gcm_as_rfc_8998_has_it() -> None:
    """The sealed message is the published one."""
    case = SM4_GCM_CASE
    sealed = ciphers.seal(Suite.SM4_GCM, case.key, case.iv, case.plaintext, case.associated_data)
    assert sealed.counter_block == case.iv + bytes.fromhex("00000001")
    assert sealed.ciphertext + sealed.tag == case.sealed


@pytest.mark.parametrize("suite", Suite)
@given(data=st.data())
def test_whole_blobs_agree_with_the_library(suite: Suite, data: st.DataObject) -> None:
    """Header, context, IV and cipher together give the library's blob."""
    spec = suite_properties.spec_of(suite)
    key_length, iv_length = suite_properties.key_length(spec), suite_properties.iv_length(suite)
    material = data.draw(st.binary(min_size=key_length, max_size=key_length))
    iv = data.draw(st.binary(min_size=iv_length, max_size=iv_length))
    plaintext = data.draw(st.binary(max_size=64))
    context = data.draw(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3))
    bound = algorithms.Suite(suite.value)
    key = kmscore.SymmetricKey("key", "v1", spec.value, material, suite=bound)
    header = wire.header_bytes(suite.value, b"key", b"v1")
    aad = header + wire.context_bytes(wire.sorted_pairs(list(context.items())))
    sealed = ciphers.seal(suite, material, iv, plaintext, aad)
    blob = header + iv + sealed.ciphertext + sealed.tag
    assert hazmat.encrypt(Keyring([key]), "key", plaintext, context, iv=iv).ciphertext_blob == blob


def _oaep_groups() -> list[OaepGroup]:
    """Return the published groups that use one supported hash for both OAEP and MGF1."""
    groups = [*wycheproof_oaep(), *rsa_laboratories_oaep(), *cryptography_oaep()]
    return [group for group in groups if group.hashes in {("SHA-1",) * 2, ("SHA-256",) * 2}]


def _raw_decryption(numbers: RSAPrivateNumbers, ciphertext: bytes) -> bytes:
    """Return the encoded message in a ciphertext, by the CRT (RFC 8017 section 5.1.2)."""
    c = int.from_bytes(ciphertext, "big")
    m_q = pow(c, numbers.dmq1, numbers.q)
    h = (pow(c, numbers.dmp1, numbers.p) - m_q) * numbers.iqmp % numbers.p
    return (m_q + h * numbers.q).to_bytes(len(ciphertext), "big")


def test_oaep_as_published() -> None:
    """With the seed found in each published ciphertext, the generator writes that ciphertext."""
    checked = 0
    for group in _oaep_groups():
        # The check of a key takes longer than all operations with it.
        private = load_der_private_key(group.key, None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(private, RSAPrivateKey)
        numbers = private.private_numbers()
        if numbers.public_numbers.e != oaep.PUBLIC_EXPONENT:
            continue
        key = oaep.RsaTestKey(numbers.p, numbers.q)
        name = group.hashes[0].replace("SHA-", "sha")
        size = hashlib.new(name).digest_size
        # Only every third test, because a private operation with Python's integers is slow.
        for case in group.cases[::3]:
            if case.message is None:
                continue
            em = _raw_decryption(numbers, case.ciphertext)
            mask = oaep.mgf1(name, em[1 + size :], size)
            seed = bytes(a ^ b for a, b in zip(em[1 : 1 + size], mask, strict=True))
            db = oaep.data_block(name, case.message, key.length, case.label)
            assert oaep.encrypt_em(key, oaep.pad(name, db, seed).em) == case.ciphertext
            checked += 1
    assert checked > 80


@pytest.mark.parametrize("algorithm", HASH_NAMES)
@pytest.mark.parametrize("spec", RSA_KEYS)
def test_oaep_agrees_with_the_library(spec: str, algorithm: str) -> None:
    """The library reads the generator's private and public keys, and opens its ciphertexts."""
    test_key = RSA_KEYS[spec]
    key = RsaKey.from_der("key", "v1", test_key.pkcs8())
    assert key.spec == spec
    assert key.public_key.to_der() == test_key.spki()
    assert PublicKey.from_der(test_key.spki()).spec == spec
    size = hashlib.new(HASH_NAMES[algorithm]).digest_size
    for length in (0, 1, 32, test_key.length - 2 * size - 2):
        message = bytes(range(256))[:length]
        ciphertext = oaep.encrypt(test_key, HASH_NAMES[algorithm], message, b"s" * size)
        opened = kmscore.asymmetric_decrypt(Keyring([key]), "key", "v1", algorithm, ciphertext)
        assert opened.plaintext == message


@pytest.mark.parametrize("case", _WITH_K, ids=lambda case: case.name)
def test_sm2_as_published(case: Sm2Case) -> None:
    """With the published k, the generator writes the published ciphertext."""
    public_point = affine.multiply(case.scalar, affine.BASE)
    assert public_point is not None
    parts = affine.encrypt(public_point, case.plaintext or b"", case.k or 0)
    assert ENCODERS[case.encoding](parts) == case.ciphertext


@given(st.integers(1, affine.ORDER - 1), st.binary(min_size=2, max_size=80))
@example(1, b"first multiple")
@example(affine.ORDER - 1, b"last multiple")
def test_sm2_agrees_with_the_library(k: int, message: bytes) -> None:
    """The library converts and opens the generator's ciphertexts in every encoding."""
    key = Sm2Key.from_scalar("key", "v1", 12345)
    parts = affine.encrypt(affine.multiply(12345, affine.BASE), message, k)
    encoded = hazmat.sm2_encrypt(key.public_key, message, k)
    for encoding, encode in ENCODERS.items():
        assert kmscore.sm2.convert(encoded, "C1C3C2", encoding) == encode(parts)


def test_the_point_at_infinity_is_the_neutral_element() -> None:
    """A point plus infinity is the point, and a point plus its negative is infinity."""
    assert affine.BASE is not None
    x, y = affine.BASE
    assert affine.add(None, affine.BASE) == affine.add(affine.BASE, None) == affine.BASE
    assert affine.add(affine.BASE, (x, affine.PRIME - y)) is None
    assert affine.multiply(affine.ORDER, affine.BASE) is None
    assert (y * y - x**3 - affine.COEFFICIENT_A * x - affine.COEFFICIENT_B) % affine.PRIME == 0


def test_a_multiple_of_the_order_is_no_k() -> None:
    """A multiple of the order gives the point at infinity, which has no coordinates."""
    with raises_exactly(ValueError, "the point at infinity has no coordinates"):
        affine.encrypt(affine.BASE, b"text", affine.ORDER)


@pytest.mark.parametrize("error", [None, tables.ErrorCode.DECRYPTION])
def test_a_second_defect_needs_another_error(error: tables.ErrorCode | None) -> None:
    """A test without an error, or with the same error, cannot show the order of two checks."""
    case = Case("bad", "Flag", {"blob": "00"}, error=error)
    with raises_exactly(ValueError, "two defects need two different errors"):
        case.also(tables.ErrorCode.DECRYPTION, "worse", {"blob": "01"})

"""A ciphertext that does not decrypt gives one error, whatever its defect is."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from hypothesis import given
from hypothesis import strategies as st
from support.samples import examples
from support.strategies import (
    PROVIDERS,
    RSA_ALGORITHMS,
    SUITES,
    Store,
    flip_last_bit,
    mutations,
    symmetric_key,
)

import kmscore
from kmscore import (
    DecryptionError,
    EncryptionAlgorithm,
    KeyProvider,
    Keyring,
    RsaKey,
    Sm2Key,
    Suite,
    sm2,
)
from kmscore.sm2.backends import portable
from kmscore.sm2.curve import G, P
from kmscore.sm2.encodings import Sm2Encoding, serialize

TEXT = "the ciphertext cannot be decrypted with this key and encryption context"
SM2PKE = EncryptionAlgorithm.SM2PKE
DESTINATION = symmetric_key(Suite.XAES_256_GCM, "destination")
# The private key of the example in GM/T 0003.5-2012 Annex C. With it, k = 470 gives a KDF output
# whose first byte is 00.
EXAMPLE_KEY = Sm2Key.from_scalar(
    "sm2", "v1", 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
)

RSA_DEFECTS: Mapping[str, Callable[[bytes, RSAPublicKey], bytes]] = {
    "empty": lambda _, __: b"",
    "one byte": lambda _, __: b"\x00",
    "one byte short": lambda c, _: c[:-1],
    "one byte short in front": lambda c, _: c[1:],
    "one byte long": lambda c, _: c + b"\x00",
    "one byte long in front": lambda c, _: b"\x00" + c,
    "twice as long": lambda c, _: c + c,
    "too long for any algorithm": lambda _, __: bytes(7_000),
    "zero": lambda _, __: bytes(256),
    "one": lambda _, __: bytes(255) + b"\x01",
    "equal to the modulus": lambda _, key: near_modulus(key, 0),
    "modulus less one": lambda _, key: near_modulus(key, -1),
    "modulus and one": lambda _, key: near_modulus(key, 1),
    "as large as can be": lambda _, __: b"\xff" * 256,
    "first bit changed": lambda c, _: bytes([c[0] ^ 0x80]) + c[1:],
    "last bit changed": lambda c, _: flip_last_bit(c),
    "padding of PKCS #1 v1.5": lambda _, key: key.encrypt(b"text", PKCS1v15()),
    "a label": lambda _, key: key.encrypt(b"text", OAEP(MGF1(SHA256()), SHA256(), b"label")),
    "another MGF1": lambda _, key: key.encrypt(b"text", OAEP(MGF1(SHA256()), SHA1(), None)),  # noqa: S303 (a wrong choice on purpose)
    "no padding": lambda _, key: unpadded(key, 0x4242),
    "first byte not 00": lambda _, key: unpadded(key, 1 << 2046),
}


def near_modulus(key: RSAPublicKey, distance: int) -> bytes:
    """Return a number next to the modulus."""
    return (key.public_numbers().n + distance).to_bytes(256, "big")


def unpadded(key: RSAPublicKey, message: int) -> bytes:
    """Return a number encrypted without padding."""
    numbers = key.public_numbers()
    return pow(message, numbers.e, numbers.n).to_bytes(256, "big")


SM2_DEFECTS: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "only a first byte": lambda c: c[:1],
    "another first byte": lambda c: b"\x03" + c[1:],
    "no first byte": lambda c: c[1:],
    "short": lambda c: c[:96],
    "no C2": lambda c: c[:97],
    "C2 one byte short": lambda c: c[:-1],
    "C2 one byte long": lambda c: c + b"\x00",
    "C2 changed": flip_last_bit,
    "C3 changed": lambda c: c[:65] + bytes([c[65] ^ 1]) + c[66:],
    "C3 behind C2": lambda c: sm2.convert(c, "C1C3C2", "C1C2C3"),
    "C1 off the curve": lambda c: c[:64] + bytes([c[64] ^ 1]) + c[65:],
    "C1 another point": lambda c: c[:1] + G.x.to_bytes(32) + G.y.to_bytes(32) + c[65:],
    "C1 of zeros": lambda c: c[:1] + bytes(64) + c[65:],
    "x not below p": lambda c: c[:1] + P.to_bytes(32) + c[33:],
    "too long": lambda c: c.ljust(6_145, b"\x00"),
    "too long for any algorithm": lambda _: b"\x04" + bytes(7_000),
    "KDF output of zeros": lambda _: in_clear(),
    "DER one byte short": lambda c: der(c)[:-1],
    "DER and one byte": lambda c: der(c) + b"\x00",
    "DER with C2 changed": lambda c: der(flip_last_bit(c)),
    "DER of an indefinite length": lambda c: b"\x30\x80" + der(c)[3:] + b"\x00\x00",
    "only a tag": lambda _: b"\x30",
    "an empty sequence": lambda _: b"\x30\x00",
}


def der(ciphertext: bytes) -> bytes:
    """Return a C1C3C2 ciphertext in DER."""
    return sm2.convert(ciphertext, "C1C3C2", "ASN1_DER")


def in_clear() -> bytes:
    """Return a ciphertext with the right C3, whose C2 is the plaintext itself."""
    point = portable.multiply(EXAMPLE_KEY._scalar, G)
    parts = portable.load().encrypt_with_k(point, b"x", 470)
    assert parts.c2 == b"x"
    return serialize(parts, Sm2Encoding.C1C3C2)


def assert_tells_nothing(operation: Callable[..., object], *arguments: Any, **options: Any) -> None:
    """Expect `DecryptionError` with the constant text, without arguments, cause and context."""
    with pytest.raises(DecryptionError) as caught:
        operation(*arguments, **options)
    error = caught.value
    assert type(error) is DecryptionError
    assert error.code == "decryption"
    assert (str(error), error.args, vars(error)) == (TEXT, (), {})
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.__suppress_context__ is False


def assert_opens_nowhere(
    key: RsaKey | Sm2Key, algorithm: EncryptionAlgorithm, ciphertext: bytes
) -> None:
    """Expect the one error from both operations that decrypt an asymmetric ciphertext."""
    ids = key.key_id, key.key_version_id
    source = dict(zip(("source_key_id", "source_key_version_id"), ids, strict=True))
    move = partial(kmscore.reencrypt, source_algorithm=algorithm, **source)
    ring = Keyring([key, DESTINATION])
    for keys in (ring, Store(ring)):
        assert_tells_nothing(kmscore.asymmetric_decrypt, keys, *ids, algorithm, ciphertext)
        assert_tells_nothing(move, keys, ciphertext, "destination")
        assert_tells_nothing(move, keys, ciphertext, "destination", dry_run=True)


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
@pytest.mark.parametrize("defect", RSA_DEFECTS)
def test_every_defect_of_an_rsa_ciphertext_gives_the_one_error(
    rsa_key: RsaKey, algorithm: EncryptionAlgorithm, defect: str
) -> None:
    """Every defect of length, range and padding gives the one error."""
    primitive = rsa_key._private_key.public_key()
    ciphertext = kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, b"text")
    assert_opens_nowhere(rsa_key, algorithm, RSA_DEFECTS[defect](ciphertext, primitive))


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
def test_another_rsa_key_or_hash_gives_the_one_error(
    rsa_key: RsaKey, sm2_key: Sm2Key, algorithm: EncryptionAlgorithm
) -> None:
    """A ciphertext of another key or hash gives the same error as a wrong padding."""
    other = RsaKey.generate(rsa_key.spec)
    (another_hash,) = set(RSA_ALGORITHMS) - {algorithm}
    for public_key, used in ((other.public_key, algorithm), (rsa_key.public_key, another_hash)):
        ciphertext = kmscore.asymmetric_encrypt(public_key, used, b"text")
        assert_opens_nowhere(rsa_key, algorithm, ciphertext)
    assert_opens_nowhere(
        EXAMPLE_KEY, SM2PKE, kmscore.asymmetric_encrypt(sm2_key.public_key, SM2PKE, b"text")
    )


@pytest.mark.parametrize("defect", SM2_DEFECTS)
def test_every_defect_of_an_sm2_ciphertext_gives_the_one_error(defect: str) -> None:
    """Every defect of encoding, point, digest and KDF gives the one error."""
    ciphertext = kmscore.asymmetric_encrypt(EXAMPLE_KEY.public_key, SM2PKE, b"text")
    assert_opens_nowhere(EXAMPLE_KEY, SM2PKE, SM2_DEFECTS[defect](ciphertext))


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("defect", ["IV", "ciphertext", "tag", "context", "material", "length"])
def test_every_defect_of_a_blob_gives_the_one_error(
    rsa_key: RsaKey, provider: str, suite: Suite, defect: str
) -> None:
    """A changed bit, another context and another key with the same IDs give the one error."""
    key = symmetric_key(suite, "key")
    raw = kmscore.encrypt(Keyring([key]), "key", b"text", {"a": "b"}).ciphertext_blob
    offset = {"IV": len(key.header), "ciphertext": -20, "tag": -1}.get(defect)
    if offset is not None:
        raw = bytes(b ^ (i == offset % len(raw)) for i, b in enumerate(raw))
    raw += b"\x00" * (defect == "length")
    owner = symmetric_key(suite, "key") if defect == "material" else key
    context = {"a": "c"} if defect == "context" else {"a": "b"}
    keys = PROVIDERS[provider](Keyring([owner, DESTINATION]))
    wrapping = (rsa_key.public_key, RSA_ALGORITHMS[0])
    move = partial(kmscore.reencrypt, keys, raw, "destination", source_context=context)
    assert_tells_nothing(kmscore.decrypt, keys, raw, context)
    assert_tells_nothing(kmscore.export_data_key, keys, raw, *wrapping, context=context)
    assert_tells_nothing(move)
    assert_tells_nothing(move, dry_run=True)


@given(SUITES, st.binary(max_size=80))
def test_any_bytes_after_a_right_header_give_the_one_error(suite: Suite, body: bytes) -> None:
    """A right header with any bytes after it, long enough for a blob, gives the one error."""
    key = symmetric_key(suite, "key")
    raw = key.header + os.urandom(suite.iv_length + 16) + body
    for keys in (Keyring([key]), Store(Keyring([key]))):
        assert_tells_nothing(kmscore.decrypt, keys, raw)


@examples(500)
@given(
    st.binary(max_size=120)
    | st.binary(max_size=120).map(lambda tail: b"\x04" + tail)
    | st.binary(max_size=120).map(lambda tail: b"\x30" + tail)
    | mutations(kmscore.asymmetric_encrypt(EXAMPLE_KEY.public_key, SM2PKE, b"text"))
    | mutations(der(kmscore.asymmetric_encrypt(EXAMPLE_KEY.public_key, SM2PKE, b"text")))
)
def test_any_bytes_under_sm2_decrypt_or_give_the_one_error(data: bytes) -> None:
    """Random and damaged ciphertexts, also in DER, decrypt or give the one error."""
    call = partial(kmscore.asymmetric_decrypt, Keyring([EXAMPLE_KEY]), "sm2", "v1", SM2PKE, data)
    try:
        plaintext = call().plaintext
    except DecryptionError:
        plaintext = None
    if plaintext is None:
        assert_tells_nothing(call)
    else:
        # The ciphertext is unchanged, or one change reverts another.
        assert plaintext == b"text"


@given(st.binary(min_size=250, max_size=260))
def test_any_bytes_under_rsa_give_the_one_error(rsa_key: RsaKey, data: bytes) -> None:
    """Random ciphertexts give the one error, because a valid padding is too improbable."""
    keys: KeyProvider = Keyring([rsa_key])
    for algorithm in RSA_ALGORITHMS:
        assert_tells_nothing(kmscore.asymmetric_decrypt, keys, "rsa-2048", "v1", algorithm, data)

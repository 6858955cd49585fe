"""RSA private keys: file formats, passwords, and rejected numbers."""

import base64
import datetime as dt
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, Never
from unittest.mock import Mock, create_autospec

import pytest
from cryptography import x509
from cryptography.exceptions import InternalError
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.hostile_keys import PASSWORD, fields_of, integer, pkcs1, tlv
from support.strategies import mutations, raises_exactly

from kmscore import (
    InvalidKeyError,
    Keyring,
    KeySpec,
    KeyState,
    RsaKey,
    Sm2Key,
    UnsupportedAlgorithmError,
    asymmetric_decrypt,
    asymmetric_encrypt,
)
from kmscore.keys import rsa_structures

FORMATS = [
    (encoding, form, password)
    for encoding in (Encoding.PEM, Encoding.DER)
    for form, password in (
        (PrivateFormat.PKCS8, None),
        (PrivateFormat.TraditionalOpenSSL, None),
        (PrivateFormat.PKCS8, PASSWORD),
    )
]


@pytest.fixture(scope="module")
def private_key(rsa_key: RsaKey) -> RSAPrivateKey:
    """Return the session's RSA_2048 key as an object of `cryptography`."""
    key = load_pem_private_key(rsa_key.private_pem(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def load(data: bytes, encoding: Encoding = Encoding.PEM, **options: Any) -> RsaKey:
    """Read a key with the function for the encoding."""
    read = RsaKey.from_pem if encoding is Encoding.PEM else RsaKey.from_der
    return read("k", "v", data, **options)


def write(
    key: Any, encoding: Encoding, form: PrivateFormat, password: bytes | None = None
) -> bytes:
    """Return a private key as a file."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    written: bytes = key.private_bytes(encoding, form, encryption)
    return written


@pytest.mark.parametrize(("encoding", "form", "password"), FORMATS)
def test_every_format_gives_the_same_key(
    private_key: RSAPrivateKey,
    rsa_key: RsaKey,
    encoding: Encoding,
    form: PrivateFormat,
    password: bytes | None,
) -> None:
    """Every file format, PKCS#8 or PKCS#1 in PEM or DER, gives the same key, and it decrypts."""
    data = write(private_key, encoding, form, password)
    key = load(data, encoding, password=password)
    assert key.public_key == rsa_key.public_key
    assert (key.key_id, key.key_version_id, key.spec) == ("k", "v", KeySpec.RSA_2048)
    algorithm = "RSAES_OAEP_SHA_256"
    ciphertext = asymmetric_encrypt(rsa_key.public_key, algorithm, b"plaintext")
    result = asymmetric_decrypt(Keyring([key]), "k", "v", algorithm, ciphertext)
    assert result.plaintext == b"plaintext"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_like_files_and_passwords_are_accepted(
    private_key: RSAPrivateKey, rsa_key: RsaKey, kind: Callable[[bytes], Any]
) -> None:
    """Files and passwords can be `bytes`, `bytearray` or `memoryview`, and PEM also `str`."""
    for encoding in (Encoding.PEM, Encoding.DER):
        data = write(private_key, encoding, PrivateFormat.PKCS8, PASSWORD)
        key = load(kind(data), encoding, password=kind(PASSWORD))
        assert key.public_key == rsa_key.public_key
    text = rsa_key.private_pem().decode()
    assert RsaKey.from_pem("k", "v", text).public_key == rsa_key.public_key


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("password", [None, b"", b"wrong", PASSWORD + b"\n"])
def test_a_wrong_or_missing_password_is_rejected(
    private_key: RSAPrivateKey, encoding: Encoding, password: bytes | None
) -> None:
    """An encrypted key needs its own password."""
    data = write(private_key, encoding, PrivateFormat.PKCS8, PASSWORD)
    with raises_exactly(InvalidKeyError, "password"):
        load(data, encoding, password=password)


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
@pytest.mark.parametrize("password", [b"", PASSWORD])
def test_a_superfluous_password_is_rejected(
    private_key: RSAPrivateKey, encoding: Encoding, form: PrivateFormat, password: bytes
) -> None:
    """A password for an unencrypted key is rejected, because the caller expects another file."""
    with raises_exactly(InvalidKeyError, "password"):
        load(write(private_key, encoding, form), encoding, password=password)


def certificate(key: RSAPrivateKey) -> x509.Certificate:
    """Return a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(1))
    return builder.sign(key, SHA256())


WRONG_KINDS: dict[str, Callable[[RSAPrivateKey, Encoding], bytes]] = {
    "public key": lambda key, encoding: key.public_key().public_bytes(
        encoding, PublicFormat.SubjectPublicKeyInfo
    ),
    "PKCS#1 public key": lambda key, encoding: key.public_key().public_bytes(
        encoding, PublicFormat.PKCS1
    ),
    "certificate": lambda key, encoding: certificate(key).public_bytes(encoding),
    "P-256 in PKCS#8": lambda _, encoding: write(
        ec.generate_private_key(ec.SECP256R1()), encoding, PrivateFormat.PKCS8
    ),
    "P-256 in SEC1": lambda _, encoding: write(
        ec.generate_private_key(ec.SECP256R1()), encoding, PrivateFormat.TraditionalOpenSSL
    ),
    "Ed25519": lambda _, encoding: write(
        ed25519.Ed25519PrivateKey.generate(), encoding, PrivateFormat.PKCS8
    ),
    "OpenSSH": lambda key, _: write(key, Encoding.PEM, PrivateFormat.OpenSSH),
    "SM2": lambda *_: Sm2Key.generate().private_pem(),
    "the other encoding": lambda key, encoding: write(
        key, Encoding.DER if encoding is Encoding.PEM else Encoding.PEM, PrivateFormat.PKCS8
    ),
    "label without a body": lambda *_: b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
    "garbage": lambda *_: b"not a key at all",
    "empty": lambda *_: b"",
    "bytes after it": lambda key, _: write(key, Encoding.DER, PrivateFormat.PKCS8) + b"\0",
}


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("kind", WRONG_KINDS)
def test_a_file_of_the_wrong_kind_is_rejected(
    private_key: RSAPrivateKey, kind: str, encoding: Encoding
) -> None:
    """A file that is not exactly one RSA private key raises `InvalidKeyError`."""
    data = WRONG_KINDS[kind](private_key, encoding)
    with raises_exactly(InvalidKeyError):
        load(data, encoding)


def test_a_pem_of_two_keys_is_rejected(rsa_keys: dict[KeySpec, RsaKey]) -> None:
    """A file with two keys is rejected, because the choice of one is a guess."""
    pems = [rsa_keys[spec].private_pem() for spec in (KeySpec.RSA_2048, KeySpec.RSA_3072)]
    with raises_exactly(InvalidKeyError):
        RsaKey.from_pem("k", "v", b"".join(pems))


def test_a_pem_encrypted_in_the_old_style_is_rejected(private_key: RSAPrivateKey) -> None:
    """Encryption by Proc-Type headers is rejected: it uses one MD5 as its KDF and is not PKCS#8."""
    data = write(private_key, Encoding.PEM, PrivateFormat.TraditionalOpenSSL, PASSWORD)
    assert b"Proc-Type" in data
    for password in (PASSWORD, None):
        with raises_exactly(InvalidKeyError, "Proc-Type"):
            RsaKey.from_pem("k", "v", data, password=password)


RSA_ENCRYPTION = bytes.fromhex("06092a864886f70d010101") + b"\x05\x00"
RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")
LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY")


def pkcs8(key: RSAPrivateKey, algorithm: bytes, version: int = 0) -> bytes:
    """Return PrivateKeyInfo in DER."""
    return tlv(0x30, integer(version), tlv(0x30, algorithm), tlv(4, pkcs1(fields_of(key))))


@pytest.mark.parametrize("version", [1, 2, 127])
def test_pkcs8_of_another_version_is_rejected(private_key: RSAPrivateKey, version: int) -> None:
    """PrivateKeyInfo must have version 0 (RFC 5208 section 5)."""
    with raises_exactly(InvalidKeyError):
        load(pkcs8(private_key, RSA_ENCRYPTION, version), Encoding.DER)


@pytest.mark.parametrize("version", [1, 2, -1])
def test_pkcs1_of_another_version_is_rejected(private_key: RSAPrivateKey, version: int) -> None:
    """RSAPrivateKey of two primes must have version 0 (RFC 8017 appendix A.1.2)."""
    numbers = fields_of(private_key)
    with raises_exactly(InvalidKeyError, "is PKCS#1 of an unknown version"):
        load(pkcs1(numbers, version), Encoding.DER)


def pem(der: bytes, label: str) -> bytes:
    """Return DER as PEM."""
    begin, end = f"-----BEGIN {label}-----\n", f"-----END {label}-----\n"
    return begin.encode() + base64.encodebytes(der) + end.encode()


@pytest.mark.parametrize("parameters", [b"", b"\x05\x00", b"\x30\x00"], ids=repr)
def test_a_key_for_signatures_only_is_rejected(
    private_key: RSAPrivateKey, parameters: bytes
) -> None:
    """A key with id-RSASSA-PSS is only for signatures (RFC 4055 section 1.2) and is rejected."""
    der = pkcs8(private_key, RSA_ENCRYPTION)
    assert load(der, Encoding.DER).spec is load(pem(der, LABELS[0])).spec is KeySpec.RSA_2048
    der = pkcs8(private_key, RSASSA_PSS + parameters)
    with raises_exactly(InvalidKeyError):
        load(der, Encoding.DER)
    for label in LABELS:
        with raises_exactly(InvalidKeyError):
            load(pem(der, label))


def test_a_label_of_another_structure_is_rejected(private_key: RSAPrivateKey) -> None:
    """Each label requires its own structure, so that another label cannot skip a check."""
    structures = {
        "PRIVATE KEY": pkcs8(private_key, RSA_ENCRYPTION),
        "RSA PRIVATE KEY": pkcs1(fields_of(private_key)),
        "ENCRYPTED PRIVATE KEY": write(private_key, Encoding.DER, PrivateFormat.PKCS8, PASSWORD),
    }
    for fitting, der in structures.items():
        password = PASSWORD if "ENCRYPTED" in fitting else None
        for label in LABELS:
            if label == fitting:
                key = load(pem(der, label), password=password)
                assert key.private_pem() == write(private_key, Encoding.PEM, PrivateFormat.PKCS8)
            else:
                with raises_exactly(InvalidKeyError):
                    load(pem(der, label), password=password)


INCONSISTENT: dict[str, Callable[[dict[str, int]], dict[str, int]]] = {
    "n": lambda numbers: {"n": numbers["n"] + 2},
    "e": lambda numbers: {"e": numbers["e"] + 2},
    "d": lambda numbers: {"d": numbers["d"] + 2},
    "p": lambda numbers: {"p": numbers["p"] + 2},
    "p and q the wrong way round": lambda numbers: {"p": numbers["q"], "q": numbers["p"]},
    "p = 1": lambda numbers: {"p": 1, "q": numbers["n"]},
    "d mod p-1": lambda numbers: {"dp": numbers["dp"] + 2},
    "d mod q-1": lambda numbers: {"dq": numbers["dq"] + 2},
    "inverse of q": lambda numbers: {"qi": numbers["qi"] + 1},
}


@pytest.mark.parametrize("change", INCONSISTENT)
def test_an_inconsistent_key_is_rejected(private_key: RSAPrivateKey, change: str) -> None:
    """Numbers that are not consistent are rejected, because wrong results can reveal a prime."""
    numbers = fields_of(private_key)
    assert load(pkcs1(numbers), Encoding.DER).spec is KeySpec.RSA_2048
    with raises_exactly(InvalidKeyError, "consistent"):
        load(pkcs1(numbers | INCONSISTENT[change](numbers)), Encoding.DER)


@pytest.mark.parametrize("bits", [1024, 1536])
def test_a_file_of_a_short_key_is_rejected(bits: int) -> None:
    """A file with a key shorter than 2048 bits is rejected."""
    data = write(rsa.generate_private_key(65537, bits), Encoding.PEM, PrivateFormat.PKCS8)
    with raises_exactly(InvalidKeyError, f"{bits} bits"):
        load(data)


def stand_in(modulus: int, exponent: int) -> RSAPrivateKey:
    """Return a private key that has only its public numbers."""
    public = create_autospec(RSAPublicKey, instance=True)
    public.key_size = modulus.bit_length()
    public.public_numbers.return_value = RSAPublicNumbers(exponent, modulus)
    public.public_bytes.return_value = b"DER"
    private = create_autospec(RSAPrivateKey, instance=True)
    private.public_key.return_value = public
    assert isinstance(private, RSAPrivateKey)
    return private


@pytest.mark.parametrize("bits", [512, 1024, 2047, 2049, 2056, 3071, 3073, 4095, 4097, 8192])
def test_a_modulus_of_another_length_is_rejected(bits: int) -> None:
    """The modulus must have exactly 2048, 3072 or 4096 bits."""
    with raises_exactly(InvalidKeyError, f"{bits} bits"):
        RsaKey("k", "v", stand_in(2**bits - 1, 65537))


@pytest.mark.parametrize("exponent", [0, 1, 2, 4, 65536, 2**32, 2**32 + 1, 2**64 + 1])
def test_a_public_exponent_out_of_range_is_rejected(exponent: int) -> None:
    """The exponent must be odd and 3 to 2^32, even if `cryptography` accepts another one."""
    with raises_exactly(InvalidKeyError, "public exponent"):
        RsaKey("k", "v", stand_in(2**2048 - 1, exponent))


@pytest.mark.parametrize("exponent", [3, 5, 65537, 2**32 - 1])
@pytest.mark.parametrize("spec", [KeySpec.RSA_2048, KeySpec.RSA_3072, KeySpec.RSA_4096])
def test_a_public_exponent_in_range_is_accepted(spec: KeySpec, exponent: int) -> None:
    """Any odd exponent from 3 to 2^32 is accepted, and the spec depends only on the modulus."""
    bits = int(spec.value.removeprefix("RSA_"))
    key = RsaKey("k", "v", stand_in(2**bits - 1, exponent))
    assert (key.spec, key.public_key.spec, key.state) == (spec, spec, KeyState.ENABLED)


def test_the_constructor_accepts_only_an_rsa_private_key(private_key: RSAPrivateKey) -> None:
    """An argument other than an RSAPrivateKey of `cryptography` raises `TypeError`."""
    wrong: Any
    for wrong in (None, b"PEM", private_key.public_key(), ec.generate_private_key(ec.SECP256R1())):
        with raises_exactly(TypeError, "private_key must be RSAPrivateKey"):
            RsaKey("k", "v", wrong)


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": None},
        {"data": 5},
        {"data": ["-----BEGIN PRIVATE KEY-----"]},
        {"password": "text"},
        {"password": 5},
        {"key_id": b"k"},
        {"key_version_id": None},
        {"state": 5},
    ],
    ids=str,
)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("garbage", [False, True], ids=["good file", "garbage"])
def test_a_wrong_type_is_raised_before_a_wrong_value(
    private_key: RSAPrivateKey, encoding: Encoding, arguments: dict[str, Any], garbage: bool
) -> None:
    """A wrong type is a `TypeError`, whether or not the file is a key."""
    data = b"garbage" if garbage else write(private_key, encoding, PrivateFormat.PKCS8)
    good: dict[str, Any] = {"key_id": "k", "key_version_id": "v", "data": data}
    read = RsaKey.from_pem if encoding is Encoding.PEM else RsaKey.from_der
    with raises_exactly(TypeError):
        read(**(good | arguments))


def test_der_is_not_text(rsa_key: RsaKey) -> None:
    """Only PEM can be a `str`."""
    text: Any = rsa_key.private_pem().decode()
    with raises_exactly(TypeError, "DER must be bytes-like"):
        RsaKey.from_der("k", "v", text)


@pytest.mark.parametrize("bad", [{"key_id": ""}, {"key_version_id": "a b"}], ids=str)
def test_an_invalid_id_is_rejected(private_key: RSAPrivateKey, bad: dict[str, str]) -> None:
    """The IDs of RSA keys have the same rules as those of all keys."""
    with raises_exactly(InvalidKeyError, "printable ASCII"):
        RsaKey(**({"key_id": "k", "key_version_id": "v"} | bad), private_key=private_key)


def test_the_state_is_kept_and_checked(private_key: RSAPrivateKey) -> None:
    """A state is given as a member or as its value; an unknown one is rejected."""
    assert RsaKey("k", "v", private_key, state="Disabled").state is KeyState.DISABLED
    pem = write(private_key, Encoding.PEM, PrivateFormat.PKCS8)
    assert load(pem, state=KeyState.PENDING_IMPORT).state is KeyState.PENDING_IMPORT
    with raises_exactly(UnsupportedAlgorithmError, "KeyState"):
        RsaKey("k", "v", private_key, state="disabled")


@pytest.mark.parametrize(
    ("spec", "bits"),
    [(KeySpec.RSA_2048, 2048), ("RSA_3072", 3072), (KeySpec.RSA_4096, 4096)],
)
def test_generate_requests_the_modulus_length_of_the_spec(
    monkeypatch: pytest.MonkeyPatch, spec: KeySpec | str, bits: int
) -> None:
    """`generate` requests the modulus of the spec and the exponent 65,537, and IDs are UUIDs."""
    asked: list[tuple[int, int]] = []

    def generate(exponent: int, bits: int) -> RSAPrivateKey:
        asked.append((exponent, bits))
        return stand_in(2**bits - 1, exponent)

    monkeypatch.setattr("kmscore.keys.rsa.generate_private_key", generate)
    key = RsaKey.generate(spec, state="Disabled")
    assert asked == [(65537, bits)]
    assert (key.spec, key.state) == (KeySpec(spec), KeyState.DISABLED)
    assert uuid.UUID(key.key_id) != uuid.UUID(key.key_version_id)
    given_ids = RsaKey.generate(spec, key_id="k", key_version_id="v")
    assert (given_ids.key_id, given_ids.key_version_id) == ("k", "v")


def test_generated_keys_have_their_spec(rsa_keys: dict[KeySpec, RsaKey]) -> None:
    """Generated keys have the modulus length of their spec and the exponent 65,537."""
    for spec, key in rsa_keys.items():
        numbers = load_pem_private_key(key.private_pem(), None).public_key().public_numbers()
        assert isinstance(numbers, RSAPublicNumbers)
        assert (numbers.n.bit_length(), numbers.e) == (int(spec.removeprefix("RSA_")), 65537)
        assert (key.spec, key.public_key.spec) == (spec, spec)


@pytest.mark.parametrize("spec", [KeySpec.AES_256, KeySpec.SM4, KeySpec.EC_SM2])
def test_generate_rejects_a_spec_that_is_not_rsa(spec: KeySpec) -> None:
    """`generate` accepts only an RSA spec."""
    with raises_exactly(InvalidKeyError, spec.name):
        RsaKey.generate(spec)


def test_generate_rejects_an_unknown_spec() -> None:
    """`generate` rejects an unknown spec; no length is the default."""
    with raises_exactly(UnsupportedAlgorithmError, "KeySpec"):
        RsaKey.generate("RSA_1024")


def test_the_exported_key_is_the_same_key(rsa_key: RsaKey, private_key: RSAPrivateKey) -> None:
    """`private_pem` is unencrypted PKCS#8, and gives the same key when it is read."""
    pem = rsa_key.private_pem()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert load(pem).private_pem() == pem == write(private_key, Encoding.PEM, PrivateFormat.PKCS8)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_raises_only_invalid_key(
    private_key: RSAPrivateKey, data: st.DataObject
) -> None:
    """A changed file gives a key or raises `InvalidKeyError`."""
    original = write(private_key, Encoding.DER, PrivateFormat.PKCS8)
    changed = data.draw(mutations(original) | st.binary(max_size=64))
    with suppress(InvalidKeyError):
        assert load(changed, Encoding.DER).spec is KeySpec.RSA_2048


@pytest.mark.parametrize("cause", [ValueError("no key"), InternalError("no random numbers", [])])
def test_without_rsa_the_error_is_unsupported_algorithm(
    private_key: RSAPrivateKey, cause: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If `cryptography` rejects every RSA key, the error is about RSA, not about the key."""

    def fail(*_: object, **__: object) -> Never:
        raise cause

    der = pkcs8(private_key, RSA_ENCRYPTION)
    check = cache(rsa_structures._check_library.__wrapped__)
    monkeypatch.setattr(rsa_structures, "_check_library", check)
    with monkeypatch.context() as patch:
        patch.setattr(rsa_structures, "RSAPrivateNumbers", lambda *_, **__: Mock(private_key=fail))
        with raises_exactly(UnsupportedAlgorithmError, "RSA is not available"):
            load(der, Encoding.DER)
    rsa_structures._check_library()

"""Public keys: only SubjectPublicKeyInfo is read, and every key is checked."""

import base64
import copy
import datetime as dt
import pickle
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import create_autospec

import pytest
from cryptography import x509
from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_keys import ECC, NULL, RSA, SM2_CURVE, integer, tlv
from support.strategies import mutations, raises_exactly
from support.transcribed_vectors import SM2_CASES

from kmscore import (
    InvalidKeyError,
    Keyring,
    KeySpec,
    PublicKey,
    RsaKey,
    Sm2Key,
    UnsupportedAlgorithmError,
    asymmetric_decrypt,
    asymmetric_encrypt,
)

POINT = SM2_CASES[0].public_point
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
P_256 = bytes.fromhex("06082a8648ce3d030107")
RSASSA_PSS = bytes.fromhex("06092a864886f70d01010a")


def spki(algorithm: bytes, key: bytes, padding: int = 0, tail: bytes = b"") -> bytes:
    """Return a SubjectPublicKeyInfo."""
    return tlv(0x30, tlv(0x30, algorithm), tlv(3, bytes([padding]), key), tail)


def rsa_der(modulus: int, exponent: int = 65537, algorithm: bytes = RSA + NULL) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key."""
    return spki(algorithm, tlv(0x30, integer(modulus), integer(exponent)))


def sm2_der(point: bytes = POINT, padding: int = 0) -> bytes:
    """Return the SubjectPublicKeyInfo of an SM2 key."""
    return spki(ECC + SM2_CURVE, point, padding)


def pem(der: bytes, label: str = "PUBLIC KEY") -> bytes:
    """Return DER as PEM."""
    begin, end = f"-----BEGIN {label}-----\n", f"-----END {label}-----\n"
    return begin.encode() + base64.encodebytes(der) + end.encode()


RSA_DER = rsa_der(2**2047 + 1)
GOOD = {
    KeySpec.RSA_2048: RSA_DER,
    KeySpec.RSA_3072: rsa_der(2**3071 + 1, 3),
    KeySpec.RSA_4096: rsa_der(2**4096 - 1, 2**32 - 1),
    KeySpec.EC_SM2: sm2_der(),
}


@pytest.mark.parametrize(("spec", "der"), GOOD.items())
def test_a_public_key_is_written_as_it_was_read(spec: KeySpec, der: bytes) -> None:
    """DER and PEM are written byte for byte as they were read, for all types of arguments."""
    key = PublicKey.from_der(der)
    assert (key.spec, key.to_der(), type(key.to_der())) == (spec, der, bytes)
    assert PublicKey.from_der(bytearray(der)) == PublicKey.from_der(memoryview(der)) == key
    written = key.to_pem()
    assert base64.b64decode(b"".join(written.splitlines()[1:-1])) == der
    assert max(map(len, written.splitlines())) == 64
    assert PublicKey.from_pem(written).to_pem() == written
    for data in (pem(der), written.decode(), bytearray(written), memoryview(written)):
        assert PublicKey.from_pem(data) == key


def test_a_public_key_encrypts_for_its_private_key(
    rsa_keys: dict[KeySpec, RsaKey], sm2_key: Sm2Key
) -> None:
    """The public key, after it is written and read, encrypts for the private key."""
    for key, algorithm in [(key, "RSAES_OAEP_SHA_1") for key in rsa_keys.values()] + [
        (sm2_key, "SM2PKE")
    ]:
        public_key = PublicKey.from_pem(key.public_key.to_pem())
        assert public_key == key.public_key
        assert public_key.spec is key.spec
        ciphertext = asymmetric_encrypt(public_key, algorithm, b"plaintext")
        result = asymmetric_decrypt(Keyring([key]), key.key_id, "v1", algorithm, ciphertext)
        assert result.plaintext == b"plaintext"


def test_rsa_is_written_as_cryptography_writes_it(rsa_key: RsaKey) -> None:
    """`cryptography` writes and reads the same SubjectPublicKeyInfo."""
    theirs = load_pem_private_key(rsa_key.private_pem(), None).public_key()
    form = PublicFormat.SubjectPublicKeyInfo
    assert rsa_key.public_key.to_der() == theirs.public_bytes(Encoding.DER, form)
    assert rsa_key.public_key.to_pem() == theirs.public_bytes(Encoding.PEM, form)
    assert load_pem_public_key(rsa_key.public_key.to_pem()) == theirs


# --- RSA ---


@pytest.mark.parametrize("bits", [512, 1024, 2047, 2049, 2056, 3071, 3073, 4095, 4097, 8192])
def test_an_rsa_modulus_of_another_length_is_rejected(bits: int) -> None:
    """The modulus must have exactly 2048, 3072 or 4096 bits."""
    for modulus in (2 ** (bits - 1) + 1, 2**bits - 1):
        with raises_exactly(InvalidKeyError, f"{bits} bits"):
            PublicKey.from_der(rsa_der(modulus))


@pytest.mark.parametrize("exponent", [-3, 0, 1, 2, 4, 65536, 2**32, 2**32 + 1, 2**64 + 1, 2**521])
def test_an_rsa_exponent_out_of_range_is_rejected(exponent: int) -> None:
    """The exponent must be odd and 3 to 2^32, because 1 does not encrypt and a huge one is slow."""
    with raises_exactly(InvalidKeyError):
        PublicKey.from_der(rsa_der(2**2047 + 1, exponent))


@pytest.mark.parametrize("modulus", [2**2048 - 2, -(2**2047) - 1], ids=["even", "negative"])
def test_an_even_or_negative_rsa_modulus_is_rejected(modulus: int) -> None:
    """An even or negative modulus is rejected; libcrypto reads an even one and then fails."""
    with raises_exactly(InvalidKeyError, "negative or even modulus"):
        PublicKey.from_der(rsa_der(modulus))


BAD_RSA = {
    "negative modulus": rsa_der(-(2**2047) + 1),
    "modulus of 0": rsa_der(0),
    "non-minimal modulus": spki(
        RSA + NULL, tlv(0x30, tlv(2, bytes(2) + (2**2047 + 1).to_bytes(256, "big")), integer(3))
    ),
    "third number": spki(RSA + NULL, tlv(0x30, integer(2**2047 + 1), integer(3), integer(3))),
    "a byte after the key": spki(RSA + NULL, tlv(0x30, integer(2**2047 + 1), integer(3)) + b"\0"),
    "padding bits": spki(RSA + NULL, tlv(0x30, integer(2**2047 + 1), integer(2**15)), 1),
    "padding bits and an odd exponent": spki(
        RSA + NULL, tlv(0x30, integer(2**2047 + 1), integer(65537)), 1
    ),
    "no parameters": rsa_der(2**2047 + 1, algorithm=RSA),
    "a curve as parameters": rsa_der(2**2047 + 1, algorithm=RSA + SM2_CURVE),
    "RSASSA-PSS": rsa_der(2**2047 + 1, algorithm=RSASSA_PSS),
    "RSASSA-PSS with NULL": rsa_der(2**2047 + 1, algorithm=RSASSA_PSS + NULL),
    "PKCS#1 RSAPublicKey": tlv(0x30, integer(2**2047 + 1), integer(65537)),
    "SM2 point under RSA": spki(RSA + NULL, POINT),
    "empty key": spki(RSA + NULL, b""),
}


@pytest.mark.parametrize("name", BAD_RSA)
def test_a_bad_rsa_structure_is_rejected(name: str) -> None:
    """RSA needs strict DER of rsaEncryption with NULL, a modulus and an exponent."""
    with raises_exactly(InvalidKeyError):
        PublicKey.from_der(BAD_RSA[name])
    with raises_exactly(InvalidKeyError):
        PublicKey.from_pem(pem(BAD_RSA[name]))


# --- SM2 ---

X, Y = POINT[1:33], POINT[33:]
BIT = bytes([Y[-1] ^ 1])
# x + p is below 2^256.
SMALL_X = 1
SMALL_Y = 0x9F7A0914_33A81E3F_218F405F_792355BF_2AA98B5F_FA95982F_03870800_065279A3


def point(x: int, y: int) -> bytes:
    """Return the uncompressed form of a point."""
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


BAD_POINTS = {
    "off the curve": sm2_der(POINT[:-1] + BIT),
    "(0, 0)": sm2_der(point(0, 0)),
    "(1, 1)": sm2_der(point(1, 1)),
    "x + p": sm2_der(point(SMALL_X + P, SMALL_Y)),
    "x = p": sm2_der(point(P, 0)),
    "all ones": sm2_der(b"\x04" + b"\xff" * 64),
    "compressed": sm2_der(bytes([2 + Y[-1] % 2]) + X),
    "compressed, other sign": sm2_der(bytes([3 - Y[-1] % 2]) + X),
    "infinity": sm2_der(b"\0"),
    "infinity, 65 bytes": sm2_der(bytes(65)),
    "nothing": sm2_der(b""),
    "64 bytes": sm2_der(POINT[1:]),
    "66 bytes": sm2_der(POINT + b"\0"),
    "66 bytes, zero before y": sm2_der(b"\x04" + X + b"\0" + Y),
    "prefix 00": sm2_der(b"\x00" + POINT[1:]),
    "prefix 02": sm2_der(b"\x02" + POINT[1:]),
    "prefix 03": sm2_der(b"\x03" + POINT[1:]),
    "prefix 05": sm2_der(b"\x05" + POINT[1:]),
    "hybrid": sm2_der(bytes([6 + Y[-1] % 2]) + POINT[1:]),
    # The last bit of y is 0, so that the octets are those of a point on the curve.
    "padding bits": sm2_der(b"\x04" + X + (P - int.from_bytes(Y, "big")).to_bytes(32, "big"), 1),
    "8 padding bits": sm2_der(POINT, 8),
}


@pytest.mark.parametrize("name", BAD_POINTS)
def test_a_bad_sm2_point_is_rejected(name: str) -> None:
    """A point must have 65 bytes, the first byte 04, coordinates below p, and be on the curve."""
    is_of_other_length = name.startswith(("64 ", "66 ")) or name in {"nothing", "infinity"}
    reason = "not 65 bytes long" if is_of_other_length else None
    with raises_exactly(InvalidKeyError, reason):
        PublicKey.from_der(BAD_POINTS[name])


@pytest.mark.parametrize("y", [SMALL_Y, P - SMALL_Y])
def test_a_point_with_a_small_coordinate_is_accepted(y: int) -> None:
    """A point whose x is small is accepted with x, although x + p is rejected."""
    der = sm2_der(point(SMALL_X, y))
    assert PublicKey.from_der(der).to_der() == der


PRIME_FIELD = bytes.fromhex("06072a8648ce3d0101")
EXPLICIT = tlv(0x30, integer(1), tlv(0x30, PRIME_FIELD, integer(P)), tlv(4, POINT))
BAD_STRUCTURES = {
    "explicit parameters": spki(ECC + EXPLICIT, POINT),
    "no parameters": spki(ECC, POINT),
    "NULL parameters": spki(ECC + NULL, POINT),
    "two curves": spki(ECC + SM2_CURVE + SM2_CURVE, POINT),
    "P-256 with a point of SM2": spki(ECC + P_256, POINT),
    "another algorithm": spki(bytes.fromhex("06052b8104010c") + SM2_CURVE, POINT),
    "the curve as algorithm": spki(SM2_CURVE + SM2_CURVE, POINT),
    "a field after it": spki(ECC + SM2_CURVE, POINT, tail=NULL),
    "a byte after it": sm2_der() + b"\0",
    "RSA and a byte after it": RSA_DER + b"\0",
    "cut short": sm2_der()[:-1],
    "indefinite length": b"\x30\x80" + sm2_der()[2:] + b"\0\0",
    "long length": b"\x30\x81" + sm2_der()[1:],
    "a set": b"\x31" + sm2_der()[1:],
    "octet string": tlv(0x30, tlv(0x30, ECC, SM2_CURVE), tlv(4, b"\0", POINT)),
    "constructed bit string": tlv(0x30, tlv(0x30, ECC, SM2_CURVE), tlv(0x23, tlv(3, b"\0", POINT))),
    "bare point": POINT,
    "empty": b"",
    "a length of 4 GiB": b"\x30\x84\xff\xff\xff\xff\x30",
}


@pytest.mark.parametrize("name", BAD_STRUCTURES)
def test_a_bad_structure_is_rejected(name: str) -> None:
    """SM2 needs strict DER of id-ecPublicKey and the named curve, without bytes after it."""
    with raises_exactly(InvalidKeyError):
        PublicKey.from_der(BAD_STRUCTURES[name])
    with raises_exactly(InvalidKeyError):
        PublicKey.from_pem(pem(BAD_STRUCTURES[name]))


# --- other kinds of file ---


def certificate(key: rsa.RSAPrivateKey) -> x509.Certificate:
    """Return a self-signed certificate."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    start = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(start).not_valid_after(start + dt.timedelta(1))
    return builder.sign(key, SHA256())


OTHER_KINDS: dict[str, Callable[[Any, Encoding], bytes]] = {
    "certificate": lambda key, encoding: certificate(key).public_bytes(encoding),
    "PKCS#1": lambda key, encoding: key.public_key().public_bytes(encoding, PublicFormat.PKCS1),
    "P-256": lambda _, encoding: (
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    ),
    "Ed25519": lambda _, encoding: (
        ed25519.Ed25519PrivateKey.generate()
        .public_key()
        .public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    ),
    "the other encoding": lambda key, encoding: key.public_key().public_bytes(
        Encoding.DER if encoding is Encoding.PEM else Encoding.PEM,
        PublicFormat.SubjectPublicKeyInfo,
    ),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_file_of_another_kind_is_rejected(rsa_key: RsaKey, kind: str) -> None:
    """Only SubjectPublicKeyInfo of RSA and SM2 is read; a certificate is rejected."""
    key = load_pem_private_key(rsa_key.private_pem(), None)
    with raises_exactly(InvalidKeyError):
        PublicKey.from_pem(OTHER_KINDS[kind](key, Encoding.PEM))
    with raises_exactly(InvalidKeyError):
        PublicKey.from_der(OTHER_KINDS[kind](key, Encoding.DER))


def test_a_private_key_is_rejected_with_its_own_message(rsa_key: RsaKey, sm2_key: Sm2Key) -> None:
    """The error for a private key says that the file is a private key."""
    for text in (rsa_key.private_pem(), sm2_key.private_pem()):
        with raises_exactly(InvalidKeyError, "label"):
            PublicKey.from_pem(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        "garbage",
        pem(sm2_der()) * 2,
        pem(sm2_der()) + pem(sm2_der(), "RSA PUBLIC KEY"),
        pem(sm2_der(), "RSA PUBLIC KEY"),
        pem(sm2_der(), "EC PARAMETERS"),
        pem(sm2_der()).decode().replace("\n", "\n\u00e9", 1),
        pem(sm2_der()).decode().encode("utf-16"),
        pem(sm2_der()).replace(b"=", b""),
        pem(sm2_der()).replace(b"=", b"*"),
    ],
)
def test_a_bad_pem_is_rejected(data: bytes | str) -> None:
    """A PEM must be exactly one block PUBLIC KEY in strict Base64."""
    with raises_exactly(InvalidKeyError, "PEM"):
        PublicKey.from_pem(data)


@pytest.mark.parametrize(
    "wrong", [None, 5, ["PEM"], object()], ids=lambda wrong: type(wrong).__name__
)
def test_a_file_of_the_wrong_type_is_a_type_error(wrong: Any) -> None:
    """PEM must be text or bytes-like, and DER bytes-like."""
    with raises_exactly(TypeError, "PEM must be bytes-like"):
        PublicKey.from_pem(wrong)
    with raises_exactly(TypeError, "public key must be bytes-like"):
        PublicKey.from_der(wrong)
    text: Any = pem(sm2_der()).decode()
    with raises_exactly(TypeError, "public key must be bytes-like"):
        PublicKey.from_der(text)


def test_without_sm3_rsa_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build without SM3 raises an error for SM2 keys, and reads RSA keys."""

    def missing(name: str | None) -> Any:
        raise UnsupportedAlgorithmError(f"no backend {name}")

    monkeypatch.setattr("kmscore.keys.public.select_backend", missing)
    with raises_exactly(UnsupportedAlgorithmError):
        PublicKey.from_der(sm2_der())
    assert PublicKey.from_der(RSA_DER).spec is KeySpec.RSA_2048


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (ValueError("not a key"), InvalidKeyError),
        (UnsupportedAlgorithm("not in this build"), UnsupportedAlgorithmError),
        (InternalError("not under this policy", []), UnsupportedAlgorithmError),
    ],
)
def test_a_key_that_cryptography_rejects_raises_an_error_of_kmscore(
    cause: Exception, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is rejected as invalid, or RSA is reported as missing from the build or by policy."""

    def fail(*_: int) -> Any:
        numbers = create_autospec(RSAPublicNumbers, instance=True, n=2**2047 + 1, e=65537)
        numbers.public_key.side_effect = cause
        return numbers

    monkeypatch.setattr("kmscore.keys.rsa_structures.RSAPublicNumbers", fail)
    with raises_exactly(error):
        PublicKey.from_der(RSA_DER)


# --- as a value ---


def test_equal_keys_are_equal_values(backend: str) -> None:
    """Equality and hash depend on the key, not on the object or the backend."""
    one, two = PublicKey.from_der(sm2_der()), PublicKey.from_pem(pem(sm2_der()))
    own = Sm2Key.from_scalar("k", "v", SM2_CASES[0].scalar, backend=backend).public_key
    assert one == two == own
    assert len({one, two, own}) == 1
    other: Any
    for other in (PublicKey.from_der(RSA_DER), sm2_der(), None, "PublicKey"):
        assert one != other
        assert other != one
    assert len({one, PublicKey.from_der(RSA_DER)}) == 2


def unpickle(data: bytes) -> Any:
    """Return the object in a pickle that this module made."""
    return pickle.loads(data)  # noqa: S301 (pickled by the test itself)


@pytest.mark.parametrize(("spec", "der"), GOOD.items())
def test_a_public_key_is_pickled_and_copied(spec: KeySpec, der: bytes) -> None:
    """A public key has no secret, so it is pickled and copied, and the copy works."""
    key = PublicKey.from_der(der)
    algorithm = "SM2PKE" if spec is KeySpec.EC_SM2 else "RSAES_OAEP_SHA_256"
    copies = [unpickle(pickle.dumps(key, n)) for n in range(pickle.HIGHEST_PROTOCOL + 1)]
    for same in (*copies, copy.copy(key), copy.deepcopy(key)):
        assert (same, same.spec, hash(same)) == (key, spec, hash(key))
        assert asymmetric_encrypt(same, algorithm, b"plaintext")


def test_an_unpickled_key_is_checked_again() -> None:
    """A pickle with a point off the curve is rejected."""
    smuggled = pickle.dumps(PublicKey.from_der(sm2_der()), 4).replace(POINT, POINT[:-1] + BIT)
    with raises_exactly(InvalidKeyError):
        unpickle(smuggled)


@pytest.mark.parametrize(("spec", "der"), GOOD.items())
def test_a_public_key_is_immutable(spec: KeySpec, der: bytes) -> None:
    """No attribute can be set, added or deleted, and the `repr` has the spec."""
    key = PublicKey.from_der(der)
    for name in ("spec", "_der", "_primitive", "new"):
        with raises_exactly(AttributeError, "immutable"):
            setattr(key, name, None)
    with raises_exactly(AttributeError, "immutable"):
        del key.spec
    assert key.to_der() == der
    assert repr(key) == str(key) == f"<PublicKey spec={spec.name}>"


@given(st.sampled_from([sm2_der(), RSA_DER]).flatmap(mutations) | st.binary(max_size=100))
def test_damaged_der_raises_only_invalid_key(changed: bytes) -> None:
    """Changed bytes are rejected, or they are another key in its only encoding."""
    for read, data in ((PublicKey.from_der, changed), (PublicKey.from_pem, pem(changed))):
        with suppress(InvalidKeyError):
            assert read(data).to_der() == changed


@given(st.text(max_size=80) | st.just(pem(sm2_der())).flatmap(mutations))
def test_damaged_pem_raises_only_invalid_key(changed: str | bytes) -> None:
    """A changed text is rejected, or it is still one key."""
    with suppress(InvalidKeyError):
        assert PublicKey.from_pem(changed).spec is KeySpec.EC_SM2

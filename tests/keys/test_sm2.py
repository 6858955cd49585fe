"""SM2 private keys: scalars, PKCS#8 and SEC1, encrypted files, and the rules of PEM.

Every file here is built by hand from RFC 5208, RFC 5915 and RFC 8018. The key in them is the
published one of GM/T 0003.5.
"""

import base64
import os
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import (
    SHA1,
    SHA256,
    SHA384,
    SHA512,
    SM3,
    HashAlgorithm,
)
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_keys import NULL, PASSWORD, SM2_CURVE, integer, tlv
from support.strategies import flip_last_bit, mutations, raises_exactly
from support.transcribed_vectors import SM2_CASES

from kmscore import (
    InvalidKeyError,
    KeySpec,
    KeyState,
    PublicKey,
    Sm2Key,
    UnsupportedAlgorithmError,
)
from kmscore.sm2 import available_backends

SCALAR, POINT = SM2_CASES[0].scalar, SM2_CASES[0].public_point
D = SCALAR.to_bytes(32, "big")
P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
G = bytes.fromhex(
    "0432c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)
MINUS_POINT = POINT[:33] + (P - int.from_bytes(POINT[33:], "big")).to_bytes(32, "big")

EC_PUBLIC_KEY = bytes.fromhex("06072a8648ce3d0201")
P_256 = bytes.fromhex("06082a8648ce3d030107")


def point_field(point: bytes, padding: int = 0) -> bytes:
    """Return the field of an ECPrivateKey with the public point."""
    return tlv(0xA1, tlv(3, bytes([padding]), point))


def sec1(
    scalar: bytes = D,
    *,
    version: int = 1,
    curve: bytes | None = SM2_CURVE,
    public: bytes | None = point_field(POINT),
    tail: bytes = b"",
) -> bytes:
    """Return an ECPrivateKey."""
    named = b"" if curve is None else tlv(0xA0, curve)
    return tlv(0x30, integer(version), tlv(4, scalar), named, public or b"", tail)


def pkcs8(
    inner: bytes | None = None,
    *,
    version: int = 0,
    algorithm: bytes = EC_PUBLIC_KEY + SM2_CURVE,
    tail: bytes = b"",
) -> bytes:
    """Return a PrivateKeyInfo."""
    inner = sec1(curve=None) if inner is None else inner
    return tlv(0x30, integer(version), tlv(0x30, algorithm), tlv(4, inner), tail)


def pem(der: bytes, label: str = "PRIVATE KEY") -> str:
    """Return DER as PEM in lines of 64 characters."""
    text = base64.b64encode(der).decode()
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))


def load(data: bytes | str, **options: Any) -> Sm2Key:
    """Read a key from PEM if the argument is text, otherwise from DER."""
    read: Any = Sm2Key.from_pem if isinstance(data, str) else Sm2Key.from_der
    key: Sm2Key = read("k", "v", data, **options)
    return key


def is_published(key: Sm2Key) -> bool:
    """Return whether both halves of a key are the published ones."""
    return key.private_pem() == pem(pkcs8()).encode() and key.public_key.to_der().endswith(POINT)


# --- scalars ---


@pytest.mark.parametrize("scalar", [1, 2, 2**64, SCALAR, N - 3, N - 2])
def test_a_scalar_of_1_to_n_minus_2_is_a_key(scalar: int, backend: str) -> None:
    """The least and the greatest scalar give a key on every backend, and all of them are equal."""
    key = Sm2Key.from_scalar("k", "v", scalar, backend=backend)
    assert (key.key_id, key.key_version_id, key.spec) == ("k", "v", KeySpec.EC_SM2)
    assert (key.backend, key.state) == (backend, KeyState.ENABLED)
    assert key.public_key == Sm2Key.from_scalar("k", "v", scalar, backend="portable").public_key
    assert (key.public_key.to_der()[-65:] == G) == (scalar == 1)


@pytest.mark.parametrize("scalar", [0, -1, -SCALAR, N - 1, N, N + 1, N + SCALAR, 2**256, 2**4096])
def test_a_scalar_out_of_range_is_rejected(scalar: int) -> None:
    """0 and n give no point, and n-1 makes 1 + d zero modulo n, so they are rejected."""
    with raises_exactly(InvalidKeyError, "1 to n-2"):
        Sm2Key.from_scalar("k", "v", scalar)


@pytest.mark.parametrize("scalar", [0, N - 1, N, 2**256 - 1])
@pytest.mark.parametrize("structure", [pkcs8, sec1])
def test_a_scalar_out_of_range_in_a_file_is_rejected(
    scalar: int, structure: Callable[..., bytes]
) -> None:
    """A scalar in a file must be in the same range."""
    inner = sec1(scalar.to_bytes(32, "big"), curve=SM2_CURVE, public=None)
    with raises_exactly(InvalidKeyError, "1 to n-2"):
        load(pkcs8(inner) if structure is pkcs8 else inner)


@pytest.mark.parametrize("scalar", [True, False, None, 1.0, "1", D], ids=repr)
def test_a_scalar_is_an_int(scalar: Any) -> None:
    """A scalar that is not an `int`, such as a `bool`, raises `TypeError`."""
    with raises_exactly(TypeError, "scalar must be int"):
        Sm2Key.from_scalar("k", "v", scalar)


def test_generated_keys_are_fresh() -> None:
    """Missing IDs become random UUIDs, given ones are kept, and all keys are different."""
    keys = [Sm2Key.generate() for _ in range(3)] + [Sm2Key.generate(key_id="k", state="Disabled")]
    assert len({key.public_key for key in keys}) == len(keys)
    assert len({uuid.UUID(key.key_version_id) for key in keys}) == len(keys)
    assert (keys[-1].key_id, keys[-1].state) == ("k", KeyState.DISABLED)
    assert len({uuid.UUID(key.key_id) for key in keys[:-1]}) == len(keys) - 1


def test_generate_never_returns_n_minus_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the random source gives n-1, which is not a key, another value is drawn."""
    drawn = iter([N - 1, N - 1, SCALAR])
    monkeypatch.setattr("kmscore.keys.sm2.draw_scalar", lambda: next(drawn))
    assert is_published(Sm2Key.generate())


# --- PKCS#8 and SEC1 ---

GOOD = {
    "PKCS#8": pkcs8(),
    "PKCS#8 that names the curve twice": pkcs8(sec1()),
    "PKCS#8 without the point": pkcs8(sec1(curve=None, public=None)),
    "PKCS#8 with an attribute": pkcs8(
        tail=tlv(0xA0, tlv(0x30, bytes.fromhex("0603551d0f"), tlv(0x31, tlv(3, b"\x05\x20"))))
    ),
    "SEC1": sec1(),
    "SEC1 without the point": sec1(public=None),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_structure_gives_the_same_key(name: str, backend: str) -> None:
    """The optional fields can be present or missing, in DER and PEM, on every backend."""
    label = "EC PRIVATE KEY" if name.startswith("SEC1") else "PRIVATE KEY"
    for data in (GOOD[name], pem(GOOD[name], label)):
        key = load(data, backend=backend)
        assert is_published(key)
        assert key.backend == backend


OFF_CURVE = flip_last_bit(POINT)
COMPRESSED = bytes([2 + POINT[-1] % 2]) + POINT[1:33]

BAD_KEYS: dict[str, Callable[..., bytes]] = {
    "scalar of 31 bytes": lambda **k: sec1(D[1:], public=None, **k),
    "scalar of 33 bytes": lambda **k: sec1(b"\0" + D, **k),
    "empty scalar": lambda **k: sec1(b"", **k),
    "version 0": lambda **k: sec1(version=0, **k),
    "version 2": lambda **k: sec1(version=2, **k),
    "negative version": lambda **k: sec1(version=-1, **k),
    "point of another key": lambda **k: sec1(public=point_field(G), **k),
    "the negative point": lambda **k: sec1(public=point_field(MINUS_POINT), **k),
    "point off the curve": lambda **k: sec1(public=point_field(OFF_CURVE), **k),
    "compressed point": lambda **k: sec1(public=point_field(COMPRESSED), **k),
    "hybrid point": lambda **k: sec1(public=point_field(b"\x07" + POINT[1:]), **k),
    "point without 04": lambda **k: sec1(public=point_field(POINT[1:]), **k),
    "point with a byte after it": lambda **k: sec1(public=point_field(POINT + b"\0"), **k),
    "point with a zero before y": lambda **k: sec1(
        public=point_field(POINT[:33] + b"\0" + POINT[33:]), **k
    ),
    "point at infinity": lambda **k: sec1(public=point_field(b"\0"), **k),
    "empty point": lambda **k: sec1(public=point_field(b""), **k),
    # The last bit of this point is 0, so that the octets are those of the point itself.
    "padding bits": lambda **k: sec1(
        (N - SCALAR).to_bytes(32, "big"), public=point_field(MINUS_POINT, 1), **k
    ),
    "another field": lambda **k: sec1(tail=tlv(0xA2, NULL), **k),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_bad_ec_private_key_is_rejected(name: str) -> None:
    """An invalid ECPrivateKey is rejected, alone and in PKCS#8."""
    with raises_exactly(InvalidKeyError):
        load(BAD_KEYS[name](curve=SM2_CURVE))
    with raises_exactly(InvalidKeyError):
        load(pkcs8(BAD_KEYS[name](curve=None)))


def long_form(der: bytes) -> bytes:
    """Return DER whose outer length has one byte more than necessary."""
    size = der[1] & 0x7F if der[1] & 0x80 else 0
    length = der[2 : 2 + size] or der[1:2]
    return der[:1] + bytes([0x80 | (1 + len(length)), 0]) + length + der[2 + size :]


BAD_FILES = {
    "SEC1 without a curve": sec1(curve=None),
    "SEC1 on P-256": sec1(curve=P_256),
    "SEC1 on P-256 without the point": sec1(curve=P_256, public=None),
    "SEC1 with the curve spelt out": sec1(curve=tlv(0x30, integer(1))),
    "PKCS#8 on P-256": pkcs8(algorithm=EC_PUBLIC_KEY + P_256),
    "PKCS#8 on P-256 without the point": pkcs8(
        sec1(curve=None, public=None), algorithm=EC_PUBLIC_KEY + P_256
    ),
    "PKCS#8 that names P-256 inside": pkcs8(sec1(curve=P_256)),
    "PKCS#8 of RSA": pkcs8(algorithm=bytes.fromhex("06092a864886f70d010101") + NULL),
    "PKCS#8 of id-ecDH": pkcs8(algorithm=bytes.fromhex("06052b8104010c") + SM2_CURVE),
    "PKCS#8 without a curve": pkcs8(algorithm=EC_PUBLIC_KEY),
    "PKCS#8 with a NULL curve": pkcs8(algorithm=EC_PUBLIC_KEY + NULL),
    "PKCS#8 with two curves": pkcs8(algorithm=EC_PUBLIC_KEY + SM2_CURVE + SM2_CURVE),
    "PKCS#8 of version 1": pkcs8(version=1),
    "PKCS#8 of version 2": pkcs8(version=2),
    "PKCS#8 of version -1": pkcs8(version=-1),
    "PKCS#8 around nothing": pkcs8(b""),
    "PKCS#8 around PKCS#8": pkcs8(pkcs8()),
    "PKCS#8 with a byte after the inner key": pkcs8(sec1() + b"\0"),
    "PKCS#8 with a field after the key": pkcs8(tail=NULL),
    "PKCS#8 with a byte after it": pkcs8() + b"\0",
    "SEC1 with a byte after it": sec1() + b"\0",
    "PKCS#8 cut short": pkcs8()[:-1],
    "SEC1 cut short": sec1()[:-1],
    "PKCS#8 with a long length": long_form(pkcs8()),
    "SEC1 with a long length": long_form(sec1()),
    "PKCS#8 of indefinite length": b"\x30\x80" + pkcs8()[3:] + b"\0\0",
    "SEC1 of indefinite length": b"\x30\x80" + sec1()[2:] + b"\0\0",
    "public key": tlv(0x30, tlv(0x30, EC_PUBLIC_KEY, SM2_CURVE), tlv(3, b"\0", POINT)),
    "bare scalar": D,
    "nothing": b"",
    "one byte": b"\x30",
    "an empty sequence": b"\x30\x00",
    "a length of 4 GiB": b"\x30\x84\xff\xff\xff\xff\x02\x01\x00",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_rejected(name: str) -> None:
    """A file must be strict DER with the right algorithm, curve and version, and nothing more."""
    with raises_exactly(InvalidKeyError):
        load(BAD_FILES[name])
    with raises_exactly(InvalidKeyError):
        load(pem(BAD_FILES[name]))
    with raises_exactly(InvalidKeyError):
        load(pem(BAD_FILES[name], "EC PRIVATE KEY"))


# --- PEM ---


def test_a_label_of_another_structure_is_rejected() -> None:
    """PKCS#8 with the label of SEC1 is rejected, and so is the reverse."""
    for data in (pem(pkcs8(), "EC PRIVATE KEY"), pem(sec1(), "PRIVATE KEY")):
        with raises_exactly(InvalidKeyError):
            load(data)


PARAMETERS = pem(SM2_CURVE, "EC PARAMETERS")
GOOD_PEMS = {
    "text around": f"key of the test\n{pem(pkcs8())}\nthe end\n",
    "text around outside ASCII": f"cl\u00e9 \ud800\n{pem(pkcs8())}\u4e2d\n",
    "a byte order mark": f"\ufeff{pem(pkcs8())}",
    "a certificate before it": pem(b"", "CERTIFICATE") + pem(pkcs8()),
    "a public key after it": pem(pkcs8()) + pem(b"", "PUBLIC KEY"),
    "CRLF": pem(pkcs8()).replace("\n", "\r\n"),
    "one line": pem(pkcs8()).replace("\n", "").replace("-----M", "-----\nM"),
    "no newline at the end": pem(pkcs8()).rstrip("\n"),
    "SEC1 as OpenSSL 3.0 labels it": pem(sec1(), "SM2 PRIVATE KEY"),
    "EC PARAMETERS before it": PARAMETERS + pem(sec1(), "EC PRIVATE KEY"),
    "SM2 PARAMETERS before it": pem(SM2_CURVE, "SM2 PARAMETERS") + pem(pkcs8()),
    "EC PARAMETERS after it": pem(pkcs8()) + PARAMETERS,
}


@pytest.mark.parametrize("name", GOOD_PEMS)
def test_a_pem_in_the_form_of_other_tools_is_accepted(name: str) -> None:
    """Line ends, text around the block and blocks that are not private keys are ignored."""
    assert is_published(load(GOOD_PEMS[name]))
    raw = GOOD_PEMS[name].encode("utf-8", "surrogatepass")
    assert is_published(Sm2Key.from_pem("k", "v", bytearray(raw)))
    assert is_published(Sm2Key.from_pem("k", "v", memoryview(raw)))


def with_stray_bits(text: str) -> str:
    """Return a PEM with padding in which one unused bit is set."""
    last = text.index("=") - 1
    assert text[last] in "AQgw"
    return text[:last] + chr(ord(text[last]) + 1) + text[last + 1 :]


OLD_STYLE = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
BAD_PEMS = {
    "empty": "",
    "text": "not a key",
    "public key": pem(BAD_FILES["public key"], "PUBLIC KEY"),
    "certificate": pem(pkcs8(), "CERTIFICATE"),
    "RSA PRIVATE KEY": pem(pkcs8(), "RSA PRIVATE KEY"),
    "a label in lower case": pem(pkcs8(), "private key"),
    "PKCS#8 under the label of SEC1": pem(pkcs8(), "SM2 PRIVATE KEY"),
    "two keys": pem(pkcs8()) * 2,
    "a key and a key of another kind": pem(pkcs8()) + pem(b"", "OPENSSH PRIVATE KEY"),
    "parameters alone": PARAMETERS,
    "another label at the end": pem(pkcs8()).replace("END PRIVATE", "END EC PRIVATE"),
    "no end": pem(pkcs8()).partition("-----END")[0],
    "no beginning": pem(pkcs8()).partition("\n")[2],
    "headers inside": pem(sec1(), "EC PRIVATE KEY").replace("-----\n", f"-----\n{OLD_STYLE}", 1),
    "character outside Base64": pem(pkcs8()).replace("MIG", "MI*G"),
    "the alphabet for URLs": pem(pkcs8()[:-1] + b"\xff").replace("/", "_"),
    "no padding": pem(sec1(), "EC PRIVATE KEY").replace("=", ""),
    "too much padding": pem(pkcs8()).replace("\n-----END", "==\n-----END"),
    "text outside ASCII": pem(pkcs8()).replace("\n", "\n\u00e9", 1),
    "white space outside ASCII": pem(pkcs8()).replace("\n", "\n\u00a0", 1),
    "digits outside ASCII": pem(pkcs8()).replace("0", "\uff10"),
    "DER": pkcs8().decode("latin-1"),
    "bits before the padding": with_stray_bits(pem(sec1(), "EC PRIVATE KEY")),
}


@pytest.mark.parametrize("name", BAD_PEMS)
def test_a_bad_pem_is_rejected(name: str) -> None:
    """A PEM must have exactly one key block, with a known label and strict Base64."""
    with raises_exactly(InvalidKeyError):
        load(BAD_PEMS[name])


@pytest.mark.parametrize("byte", [b"\0", b"\x1c", b"\x85", b"\xa0", b"\xe9", b"-", b"="], ids=repr)
def test_a_byte_that_is_neither_base64_nor_white_space_is_rejected(byte: bytes) -> None:
    """Only ASCII white space is allowed in PEM (RFC 7468 section 3), not that of Unicode."""
    data = pem(pkcs8()).encode()
    middle = data.index(b"\n", 40)
    assert is_published(Sm2Key.from_pem("k", "v", data[:middle] + b" \t\r\n" + data[middle:]))
    with raises_exactly(InvalidKeyError):
        Sm2Key.from_pem("k", "v", data[:middle] + byte + data[middle:])


def test_a_hostile_pem_is_read_in_linear_time() -> None:
    """The time for many BEGIN lines without an END line is linear in the length."""
    start = time.process_time()
    with raises_exactly(InvalidKeyError, "PEM"):
        load("-----BEGIN PRIVATE KEY-----\n" * 3000)
    assert time.process_time() - start < 0.5


# --- encrypted PKCS#8 ---

PBES2 = bytes.fromhex("06092a864886f70d01050d")
PBKDF2 = bytes.fromhex("06092a864886f70d01050c")
SCRYPT = bytes.fromhex("06092b06010401da47040b")
PBE_MD5_DES = bytes.fromhex("06092a864886f70d010503")
TRIPLE_DES = bytes.fromhex("06082a864886f70d0307")
AES_256_GCM = bytes.fromhex("060960864801650304012e")
PRFS: dict[str, tuple[bytes | None, Callable[[], HashAlgorithm]]] = {
    "absent, SHA-1": (None, SHA1),
    "SHA-1": (bytes.fromhex("06082a864886f70d0207"), SHA1),
    "SHA-256": (bytes.fromhex("06082a864886f70d0209"), SHA256),
    "SHA-384": (bytes.fromhex("06082a864886f70d020a"), SHA384),
    "SHA-512": (bytes.fromhex("06082a864886f70d020b"), SHA512),
    "SM3": (bytes.fromhex("06092a811ccf5501831102"), SM3),
}
HMAC_SHA224 = bytes.fromhex("06082a864886f70d0208")
CIPHERS: dict[str, tuple[bytes, type[AES | SM4], int]] = {
    "AES-128": (bytes.fromhex("0609608648016503040102"), AES, 16),
    "AES-192": (bytes.fromhex("0609608648016503040116"), AES, 24),
    "AES-256": (bytes.fromhex("060960864801650304012a"), AES, 32),
    "SM4": (bytes.fromhex("06082a811ccf55016802"), SM4, 16),
}


def encrypted(
    cipher: str = "AES-256",
    prf: str = "SHA-256",
    *,
    plaintext: bytes = pkcs8(),
    iterations: int = 10,
    claimed_iterations: int | None = None,
    key_length: int | None = None,
    scheme: bytes = PBES2,
    kdf: bytes = PBKDF2,
    prf_id: bytes | None = None,
    cipher_id: bytes | None = None,
    null: bytes = NULL,
    padding: bytes | None = None,
    claimed_iv: bytes | None = None,
    tail: bytes = b"",
) -> bytes:
    """Return an EncryptedPrivateKeyInfo with a real key derivation and encryption."""
    salt, iv = os.urandom(8), os.urandom(16)
    known_prf, hash_class = PRFS[prf]
    known_cipher, algorithm, length = CIPHERS[cipher]
    key = PBKDF2HMAC(hash_class(), length, salt, iterations).derive(PASSWORD)
    pad = 16 - len(plaintext) % 16
    encryptor = Cipher(algorithm(key), CBC(iv)).encryptor()
    data = encryptor.update(plaintext + (bytes([pad]) * pad if padding is None else padding))
    prf_id = prf_id or known_prf
    parameters = tlv(
        0x30,
        tlv(4, salt),
        integer(iterations if claimed_iterations is None else claimed_iterations),
        b"" if key_length is None else integer(key_length),
        b"" if prf_id is None else tlv(0x30, prf_id, null),
    )
    encryption = tlv(
        0x30, cipher_id or known_cipher, tlv(4, iv if claimed_iv is None else claimed_iv)
    )
    pbes2 = tlv(0x30, tlv(0x30, kdf, parameters), encryption)
    return tlv(0x30, tlv(0x30, scheme, pbes2), tlv(4, data + encryptor.finalize()), tail)


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("prf", PRFS)
def test_every_cipher_and_prf_is_read(cipher: str, prf: str) -> None:
    """AES and SM4 in CBC mode, with HMAC of any of five hashes, are read in DER and in PEM."""
    data = encrypted(cipher, prf)
    assert is_published(load(data, password=PASSWORD))
    text = pem(data, "ENCRYPTED PRIVATE KEY")
    assert is_published(load(text, password=bytearray(PASSWORD)))
    assert is_published(load(text, password=memoryview(PASSWORD)))


@pytest.mark.parametrize(("cipher", "length"), [(name, row[2]) for name, row in CIPHERS.items()])
def test_a_key_length_must_equal_that_of_the_cipher(cipher: str, length: int) -> None:
    """The optional key length must equal the key length of the cipher."""
    assert is_published(load(encrypted(cipher, key_length=length), password=PASSWORD))
    for wrong in (-1, 0, 8, length - 1, length + 1, 48, 2**64):
        with raises_exactly(InvalidKeyError, "wrong for the cipher"):
            load(encrypted(cipher, key_length=wrong), password=PASSWORD)


def test_the_parameters_of_the_prf_can_be_missing() -> None:
    """The NULL parameters of the PRF can be missing, because some tools omit them."""
    assert is_published(load(encrypted(null=b""), password=PASSWORD))


BAD_ENCRYPTION: dict[str, dict[str, Any]] = {
    "another PRF": {"prf_id": HMAC_SHA224},
    "a PRF with parameters": {"null": integer(1)},
    "Triple DES": {"cipher_id": TRIPLE_DES},
    "AES in GCM mode": {"cipher_id": AES_256_GCM},
    "scrypt": {"kdf": SCRYPT},
    "PBES1": {"scheme": PBE_MD5_DES},
    "0 iterations": {"claimed_iterations": 0},
    "-1 iterations": {"claimed_iterations": -1},
    "an IV of 15 bytes": {"claimed_iv": bytes(15)},
    "an IV of 17 bytes": {"claimed_iv": bytes(17)},
    "no IV": {"claimed_iv": b""},
    "SEC1 inside": {"plaintext": sec1()},
    "a public key inside": {"plaintext": BAD_FILES["public key"]},
    "a byte after the key inside": {"plaintext": pkcs8() + b"\0"},
    "a scalar of 0 inside": {"plaintext": pkcs8(sec1(bytes(32), curve=None, public=None))},
    "nothing inside": {"plaintext": b""},
    "no padding": {"plaintext": pkcs8() + bytes(-len(pkcs8()) % 16), "padding": b""},
    "no data": {"plaintext": b"", "padding": b""},
    "a field after the data": {"tail": NULL},
}


@pytest.mark.parametrize("name", BAD_ENCRYPTION)
def test_a_bad_encrypted_file_is_rejected(name: str) -> None:
    """Another scheme or another content is rejected, even with the right password."""
    data = encrypted(**BAD_ENCRYPTION[name])
    with raises_exactly(InvalidKeyError):
        load(data, password=PASSWORD)
    with raises_exactly(InvalidKeyError):
        load(pem(data, "ENCRYPTED PRIVATE KEY"), password=PASSWORD)


def test_pbes1_is_rejected() -> None:
    """PBES1, whose parameters are a salt and a count, is rejected."""
    parameters = tlv(0x30, tlv(4, bytes(8)), integer(2048))
    data = tlv(0x30, tlv(0x30, PBE_MD5_DES, parameters), tlv(4, bytes(16)))
    with raises_exactly(InvalidKeyError, "PBES2"):
        load(data, password=PASSWORD)


def test_more_than_ten_million_iterations_are_rejected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file with more than ten million iterations is rejected before the key derivation."""
    asked: list[int] = []

    def quick(algorithm: HashAlgorithm, length: int, salt: bytes, iterations: int) -> PBKDF2HMAC:
        asked.append(iterations)
        return PBKDF2HMAC(algorithm, length, salt, 10)

    monkeypatch.setattr("kmscore.keys.encrypted.PBKDF2HMAC", quick)
    assert is_published(load(encrypted(claimed_iterations=10_000_000), password=PASSWORD))
    for count in (10_000_001, 2**31, 2**32 + 10, 2**64 + 10, 10**5000):
        with raises_exactly(InvalidKeyError, "more than 10000000 iterations"):
            load(encrypted(claimed_iterations=count), password=PASSWORD)
    assert asked == [10_000_000]


@pytest.mark.parametrize("password", [b"", b"wrong", PASSWORD + b"\n", PASSWORD[:-1]])
def test_a_wrong_password_is_rejected(password: bytes) -> None:
    """A wrong password gives the same error, whether the padding or the structure is wrong."""
    for _ in range(20):
        with raises_exactly(InvalidKeyError):
            load(encrypted(), password=password)


def test_a_missing_or_superfluous_password_is_rejected() -> None:
    """An encrypted key needs a password, and an unencrypted one accepts none, not even b""."""
    for data in (encrypted(), pem(encrypted(), "ENCRYPTED PRIVATE KEY")):
        with raises_exactly(InvalidKeyError, "needs a password"):
            load(data)
    for data in (pkcs8(), sec1(), pem(pkcs8()), pem(sec1(), "EC PRIVATE KEY")):
        for password in (b"", PASSWORD):
            with raises_exactly(InvalidKeyError, "not encrypted"):
                load(data, password=password)


def test_a_label_decides_whether_a_file_is_encrypted() -> None:
    """A label for an encrypted key with an unencrypted one is rejected, and so is the reverse."""
    with raises_exactly(InvalidKeyError):
        load(pem(pkcs8(), "ENCRYPTED PRIVATE KEY"), password=PASSWORD)
    with raises_exactly(InvalidKeyError):
        load(pem(encrypted()))


@pytest.mark.parametrize(("cipher", "prf"), [("SM4", "SHA-256"), ("AES-256", "SM3")])
def test_a_build_without_the_algorithm_raises_unsupported_algorithm(
    monkeypatch: pytest.MonkeyPatch, cipher: str, prf: str
) -> None:
    """If the build lacks SM4 or SM3, the error for a file that needs it is about the algorithm."""

    def missing(*_: Any) -> Any:
        raise UnsupportedAlgorithm("not in this build")

    data = encrypted(cipher, prf)
    name = "Cipher" if cipher == "SM4" else "PBKDF2HMAC"
    monkeypatch.setattr(f"kmscore.keys.encrypted.{name}", missing)
    with raises_exactly(UnsupportedAlgorithmError):
        load(data, password=PASSWORD)


# --- arguments ---


@pytest.mark.parametrize(
    "arguments",
    [
        {"data": None},
        {"data": 5},
        {"password": "text"},
        {"password": 5},
        {"key_id": None},
        {"key_version_id": b"v"},
        {"backend": 5},
        {"state": 5},
    ],
    ids=str,
)
@pytest.mark.parametrize("garbage", [False, True], ids=["good file", "garbage"])
def test_a_wrong_type_is_raised_before_a_wrong_value(
    arguments: dict[str, Any], garbage: bool
) -> None:
    """A wrong type is a `TypeError`, whether or not the file is a key."""
    for read, data in ((Sm2Key.from_pem, pem(pkcs8())), (Sm2Key.from_der, pkcs8())):
        good: dict[str, Any] = {"key_id": "k", "key_version_id": "v"}
        good["data"] = b"garbage" if garbage else data
        with raises_exactly(TypeError):
            read(**(good | arguments))


def test_der_is_not_text() -> None:
    """Only PEM can be a `str`."""
    text: Any = pem(pkcs8())
    with raises_exactly(TypeError, "DER must be bytes-like"):
        Sm2Key.from_der("k", "v", text)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"key_id": ""}, InvalidKeyError),
        ({"key_version_id": "a\n"}, InvalidKeyError),
        ({"state": "enabled"}, UnsupportedAlgorithmError),
        ({"backend": "OpenSSL"}, UnsupportedAlgorithmError),
        ({"backend": ""}, UnsupportedAlgorithmError),
    ],
    ids=str,
)
def test_a_wrong_id_state_or_backend_is_rejected(
    arguments: dict[str, Any], error: type[Exception]
) -> None:
    """An SM2 key has the rules of all keys for IDs and states, and its backend must exist."""
    good: dict[str, Any] = {"key_id": "k", "key_version_id": "v"}
    with raises_exactly(error):
        Sm2Key.from_scalar(scalar=SCALAR, **(good | arguments))
    with raises_exactly(error):
        Sm2Key.from_pem(data=pem(pkcs8()), **(good | arguments))
    with raises_exactly(error):
        Sm2Key.generate(**(good | arguments))


def test_the_default_backend_is_used_and_shown_in_the_repr() -> None:
    """Without a name, the first available backend is used, and the `repr` has its name."""
    key = Sm2Key.from_scalar("k", "v", SCALAR, state="PendingImport")
    assert key.backend == available_backends()[0]
    assert repr(key) == (
        f"<Sm2Key key_id='k' key_version_id='v' spec=EC_SM2 state=PENDING_IMPORT"
        f" backend={key.backend}>"
    )


def test_the_exported_key_is_the_same_key() -> None:
    """`private_pem` is PKCS#8 with the point and with one curve, byte for byte."""
    key = Sm2Key.from_scalar("k", "v", SCALAR)
    assert is_published(key)
    assert key.public_key == PublicKey.from_der(BAD_FILES["public key"])
    assert load(key.private_pem().decode()).public_key == key.public_key


DAMAGED = [pkcs8(), sec1(), encrypted()]


@given(st.sampled_from(DAMAGED).flatmap(mutations) | st.binary(max_size=80))
def test_a_damaged_file_raises_only_invalid_key(changed: bytes) -> None:
    """A changed file gives a key or raises `InvalidKeyError`, in DER and PEM."""
    for data, password in ((changed, None), (changed, PASSWORD), (pem(changed), None)):
        with suppress(InvalidKeyError):
            assert load(data, password=password).spec is KeySpec.EC_SM2


@given(
    st.text(max_size=80)
    | st.sampled_from(list(GOOD_PEMS.values()))
    .map(lambda text: text.encode("utf-8", "replace"))
    .flatmap(mutations)
)
def test_a_damaged_pem_raises_only_invalid_key(changed: str | bytes) -> None:
    """A changed text gives a key or raises `InvalidKeyError`."""
    with suppress(InvalidKeyError):
        assert Sm2Key.from_pem("k", "v", changed).spec is KeySpec.EC_SM2

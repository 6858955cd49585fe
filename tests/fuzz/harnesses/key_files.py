"""Harnesses of key files: public and private keys in DER, encrypted ones, and PEM."""

import base64
from collections.abc import Iterator
from functools import cache

from support import hostile_keys

from fuzz.harness import Failed, Harness, outcome_of, vectors
from kmscore import InvalidKeyError, PublicKey, RsaKey, Sm2Key
from kmscore.keys.pem import decode_pem, encode_pem
from kmscore.keys.private_file import (
    ENCRYPTED_PKCS8_LABEL,
    PKCS1_LABEL,
    PKCS8_LABEL,
    SEC1_LABEL,
    SM2_SEC1_LABEL,
)
from kmscore.sm2.curve import P

_NAMES = ("key", "v1")
_MAX_WORK = 16
_RSA_LABELS = (PKCS8_LABEL, PKCS1_LABEL, ENCRYPTED_PKCS8_LABEL)
_SM2_LABELS = (PKCS8_LABEL, SEC1_LABEL, SM2_SEC1_LABEL, ENCRYPTED_PKCS8_LABEL)
_DER_TOKENS = (
    hostile_keys.RSA,
    hostile_keys.ECC,
    hostile_keys.SM2_CURVE,
    hostile_keys.NULL,
    b"\x30\x82",
    b"\x02\x01\x00",
    b"\x02\x01\x01",
    b"\x04\x20",
    b"\x03\x42\x00\x04",
    b"\xa0\x00",
    b"\xa1\x44",
)
_ENCRYPTION_TOKENS = (
    *_DER_TOKENS,
    hostile_keys.PBES2,
    hostile_keys.PBKDF2,
    hostile_keys.HMAC_SHA256,
    hostile_keys.AES_256_CBC,
    bytes.fromhex("06082a811ccf55016802"),
    bytes.fromhex("06092a811ccf550183110300"),
)


def check_public_key(data: bytes) -> None:
    """Read a public key; it serialises to the same bytes."""
    key = outcome_of(lambda: PublicKey.from_der(data), InvalidKeyError)
    if not isinstance(key, Failed):
        assert key.to_der() == data
        assert PublicKey.from_pem(key.to_pem()) == key


def check_private_key(data: bytes) -> None:
    """Read a private key as RSA and as SM2; its PKCS#8 is that of the same key."""
    _check_private(data, None)


def check_encrypted_key(data: bytes) -> None:
    """Read an encrypted private key, with few iterations of the KDF."""
    _check_private(data, hostile_keys.PASSWORD)


def _check_private(data: bytes, password: bytes | None) -> None:
    opened = 0
    for kind in (RsaKey, Sm2Key):
        key = outcome_of(
            lambda: kind.from_der(*_NAMES, data, password=password, max_work=_MAX_WORK),  # noqa: B023
            InvalidKeyError,
        )
        if isinstance(key, Failed):
            continue
        opened += 1
        if kind is Sm2Key and password is None:
            _, found, point = data.partition(b"\x03\x42\x00\x04")
            assert not found or key.public_key.to_der().endswith(point[:64])
        written = key.private_pem()
        again = kind.from_pem(*_NAMES, written)
        assert again.private_pem() == written
        assert again.public_key == key.public_key
        assert again.spec is key.spec
    assert opened < 2


def check_pem(data: bytes) -> None:
    """Read the one block of a file, as bytes and as text, and write it again."""
    for labels in (_RSA_LABELS, _SM2_LABELS, ("PUBLIC KEY",)):
        block = outcome_of(lambda: decode_pem(data, labels), InvalidKeyError)  # noqa: B023
        if data.isascii():
            text = data.decode("ascii")
            assert outcome_of(lambda: decode_pem(text, labels), InvalidKeyError) == block  # noqa: B023
        if isinstance(block, Failed):
            continue
        label, der = block
        assert label in labels
        # The file has this Base64 and no other for the same bytes.
        assert base64.b64encode(der) in b"".join(data.split())
        assert decode_pem(encode_pem(der, label), labels) == block
        # Text around the block has no meaning.
        assert decode_pem(b"text\n" + data + b"\ntext\n", labels) == block


@cache
def _plain_keys() -> tuple[bytes, ...]:
    """Return an RSA and an SM2 key in their structures."""
    (rsa,) = {each["private_key"] for each in vectors("rsa_oaep")[:1]}
    sm2 = next(each for each in vectors("sm2_decrypt") if "privateKeyPkcs8" in each)
    pkcs8 = bytes.fromhex(rsa)
    inner = pkcs8[pkcs8.index(b"\x30\x82", 4) :]
    return (
        pkcs8,
        inner,
        bytes.fromhex(sm2["privateKeyPkcs8"]),
        bytes.fromhex(sm2["privateKeySec1"]),
    )


def _public_keys() -> Iterator[bytes]:
    pkcs8, _, sm2, _ = _plain_keys()
    for key in (RsaKey.from_der(*_NAMES, pkcs8), Sm2Key.from_der(*_NAMES, sm2)):
        der = key.public_key.to_der()
        yield from (der, der + b"\x00", der[:-1])


def _private_keys() -> Iterator[bytes]:
    pkcs8, pkcs1, *sm2 = _plain_keys()
    sec1 = sm2[1]
    start = sec1.index(b"\x03\x42\x00\x04") + 4
    y = int.from_bytes(sec1[start + 32 : start + 64])
    # The public key of the scalar n - d.
    yield sec1[: start + 32] + (P - y).to_bytes(32) + sec1[start + 64 :]
    attribute = b"\xa0\x04\x30\x02\x05\x00"
    yield from (pkcs8, pkcs1, *sm2)
    yield hostile_keys.pkcs8(pkcs1, tail=attribute)
    yield hostile_keys.pkcs8(sm2[1], hostile_keys.ECC + hostile_keys.SM2_CURVE, tail=attribute)


def _encrypted_keys() -> Iterator[bytes]:
    for der in (_plain_keys()[2], b"\x30\x00"):
        yield hostile_keys.encrypted(der)
        yield hostile_keys.encrypted(der, iterations=2, length=b"\x02\x01\x20")
        yield hostile_keys.encrypted(der, claimed=17)
        yield hostile_keys.encrypted(der, tail=bytes(16))


def _pem_files() -> Iterator[bytes]:
    for label in {*_RSA_LABELS, *_SM2_LABELS, "PUBLIC KEY", "CERTIFICATE"}:
        yield encode_pem(b"\x30\x03\x02\x01\x00", label)
    block = encode_pem(b"\x30\x00", PKCS8_LABEL)
    yield from (block + block, block.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + block)
    yield block.replace(b"-\nM", b"-\nProc-Type: 4,ENCRYPTED\n\nM")
    yield b"\xff\xfe" + block


HARNESSES = {
    "public-key": Harness(check_public_key, _public_keys, 600, _DER_TOKENS),
    "private-key": Harness(check_private_key, _private_keys, 1280, _DER_TOKENS),
    "encrypted-key": Harness(check_encrypted_key, _encrypted_keys, 400, _ENCRYPTION_TOKENS),
    "pem": Harness(
        check_pem,
        _pem_files,
        384,
        (b"-----BEGIN ", b"-----END ", b"-----", b"PRIVATE KEY-----", b"\r\n", b"Proc-Type:", b"="),
    ),
}

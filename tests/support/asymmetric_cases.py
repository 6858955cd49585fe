"""Causes for which an asymmetric ciphertext does not decrypt, each with the code of its finding."""

import base64
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.hashes import (
    SHA1,
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    HashAlgorithm,
)

from kmscore import Keyring, KeySpec, RsaKey, Sm2Key, asymmetric_encrypt, hazmat, sm2
from kmscore.audit import Explanation, Verdict, explain_asymmetric
from kmscore.audit.primitives import sm3
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import N, encode_point
from kmscore.sm2.encodings import Sm2Encoding, parse

PLAINTEXT = b"card 4711 0815, valid until 12/29"
RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="1")
OTHER_RSA = RsaKey.generate(KeySpec.RSA_2048, key_id="rsa", key_version_id="2")
# The private key of the example in GM/T 0003.5-2012 Annex C, and the one after it.
_SCALAR = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
SM2 = Sm2Key.from_scalar("branch", "1", _SCALAR)
OTHER_SM2 = Sm2Key.from_scalar("branch", "2", _SCALAR + 1)
KEYS = Keyring([RSA, OTHER_RSA, SM2, OTHER_SM2])
SHA_256 = "RSAES_OAEP_SHA_256"
SHA_1 = SHA1()  # noqa: S303 (the service has it)


def oaep(hash_algorithm: HashAlgorithm, mask: HashAlgorithm, label: bytes | None = None) -> bytes:
    """Return a ciphertext of OAEP with any hashes."""
    padding = OAEP(mgf=MGF1(mask), algorithm=hash_algorithm, label=label)
    return RSA._private_key.public_key().encrypt(PLAINTEXT, padding)


def encrypted(key: RsaKey = RSA) -> bytes:
    """Return a ciphertext of the service."""
    return asymmetric_encrypt(key.public_key, SHA_256, PLAINTEXT)


def _with_leading_zero() -> bytes:
    """Return a ciphertext that begins with one zero byte."""
    while (ciphertext := encrypted())[0] or not ciphertext[1]:
        pass
    return ciphertext


def _signature_like() -> bytes:
    """Return the number whose private power has the padding of a signature."""
    public = RSA._private_key.public_key().public_numbers()
    encoded = b"\x00\x01" + b"\xff" * 202 + b"\x00" + os.urandom(51)
    return pow(int.from_bytes(encoded, "big"), public.e, public.n).to_bytes(256, "big")


class AsymmetricCause(NamedTuple):
    """A ciphertext, and the code of the finding."""

    code: str
    data: Callable[[], bytes]
    options: Mapping[str, Any] = {}
    verdict: Verdict = Verdict.OPENS


RSA_CAUSES = (
    AsymmetricCause("rsa.mgf1_hash", lambda: oaep(SHA256(), SHA_1)),
    AsymmetricCause("rsa.mgf1_hash", lambda: oaep(SHA512(), SHA_1)),
    AsymmetricCause("rsa.hash", lambda: oaep(SHA_1, SHA_1)),
    AsymmetricCause("rsa.hash", lambda: oaep(SHA384(), SHA384())),
    AsymmetricCause("rsa.hash", lambda: oaep(SHA224(), SHA224())),
    AsymmetricCause(
        "rsa.label", lambda: oaep(SHA256(), SHA256(), b"orders"), {"labels": [b"x", b"orders"]}
    ),
    AsymmetricCause(
        "rsa.pkcs1_v15",
        lambda: RSA._private_key.public_key().encrypt(PLAINTEXT, PKCS1v15()),
        {},
        Verdict.SUGGESTS,
    ),
    AsymmetricCause("rsa.signature", _signature_like, {}, Verdict.SUGGESTS),
    AsymmetricCause("rsa.zeros_lost", lambda: _with_leading_zero().lstrip(b"\x00")),
    AsymmetricCause("rsa.zeros_added", lambda: b"\x00" + encrypted()),
    AsymmetricCause("rsa.byte_order", lambda: encrypted()[::-1]),
    AsymmetricCause("key.other_key", lambda: encrypted(OTHER_RSA)),
    AsymmetricCause("transport.base64", lambda: base64.b64encode(encrypted())),
    AsymmetricCause("transport.hex", lambda: encrypted().hex().encode()),
    AsymmetricCause("transport.tail", lambda: encrypted() + b"\n"),
    AsymmetricCause(
        "key.state",
        encrypted,
        {"keys": Keyring([RsaKey("rsa", "1", RSA._private_key, state="Disabled")])},
    ),
)


def sm2_encrypted(
    encoding: str = "C1C3C2", plaintext: bytes = PLAINTEXT, key: Sm2Key = SM2
) -> bytes:
    """Return an SM2 ciphertext in any encoding."""
    k = 1 + int.from_bytes(os.urandom(32), "big") % (N - 1)
    return sm2.convert(hazmat.sm2_encrypt(key.public_key, plaintext, k), "C1C3C2", encoding)


def _short_coordinate(which: int) -> tuple[bytes, int]:
    """Return a ciphertext with a coordinate that begins with a zero byte, and its offset."""
    offset = 1 + 32 * which
    ciphertext = hazmat.sm2_encrypt(SM2.public_key, PLAINTEXT, (327, 107)[which])
    assert ciphertext[offset] == 0
    return ciphertext, offset


def _without_zero(which: int, *, bare: bool) -> bytes:
    ciphertext, offset = _short_coordinate(which)
    short = ciphertext[:offset] + ciphertext[offset + 1 :]
    return short[1:] if bare else short


def _lax(integers: Callable[[bytes], bytes]) -> bytes:
    """Return DER whose INTEGERs are changed."""
    parts = parse(sm2_encrypted(), Sm2Encoding.C1C3C2)
    point = encode_point(parts.c1)

    def element(tag: int, content: bytes) -> bytes:
        return bytes([tag, len(content)]) + content

    body = element(2, integers(point[:32])) + element(2, integers(point[32:]))
    body += element(4, parts.c3) + element(4, parts.c2)
    return b"\x30\x81" + bytes([len(body)]) + body


def _digest(order: Callable[[bytes, bytes, bytes], bytes]) -> bytes:
    """Return a ciphertext whose C3 is another digest."""
    parts = parse(sm2_encrypted(), Sm2Encoding.C1C3C2)
    point = encode_point(multiply(SM2._scalar, parts.c1))
    c3 = order(point[:32], PLAINTEXT, point[32:])
    return sm2.encodings.serialize(parts._replace(c3=c3), Sm2Encoding.C1C3C2)


def _flipped(offset: int) -> bytes:
    ciphertext = bytearray(sm2_encrypted())
    ciphertext[offset] ^= 0x21
    return bytes(ciphertext)


SM2_CAUSES = (
    *(
        AsymmetricCause("sm2.encoding", lambda e=e: sm2_encrypted(e))
        for e in ("C1C2C3", "C1C3C2_BARE", "C1C2C3_BARE")
    ),
    AsymmetricCause("sm2.der_lax", lambda: sm2_encrypted("ASN1_DER") + b"\x00\x00"),
    AsymmetricCause("sm2.der_lax", lambda: _lax(lambda content: bytes(3) + content)),
    AsymmetricCause("sm2.zeros_lost", lambda: _without_zero(0, bare=False)),
    AsymmetricCause("sm2.zeros_lost", lambda: _without_zero(1, bare=True)),
    AsymmetricCause("sm2.digest", lambda: _digest(lambda x, m, y: sm3(x, y, m))),
    AsymmetricCause("sm2.digest", lambda: _digest(lambda *parts: sm3(parts[1]))),
    AsymmetricCause("key.other_key", lambda: sm2_encrypted(key=OTHER_SM2)),
    AsymmetricCause("transport.hex", lambda: sm2_encrypted().hex().encode()),
    AsymmetricCause("transport.base64", lambda: base64.b64encode(sm2_encrypted("ASN1_DER"))),
    AsymmetricCause("damage.c2", lambda: _flipped(100)),
    AsymmetricCause("damage.c3", lambda: _flipped(70)),
    AsymmetricCause("sm2.off_curve", lambda: _flipped(10), {}, Verdict.SUGGESTS),
    AsymmetricCause(
        "key.state",
        sm2_encrypted,
        {"keys": Keyring([Sm2Key("branch", "1", SM2._scalar, state="Disabled")])},
    ),
    AsymmetricCause(
        "transport.replaced",
        lambda: sm2_encrypted().decode("utf-8", "replace").encode(),
        {},
        Verdict.LOST,
    ),
)


def explained_asymmetric(cause: AsymmetricCause, data: bytes) -> Explanation:
    """Return the explanation for a ciphertext of a cause."""
    options = dict(cause.options)
    keys = options.pop("keys", KEYS)
    if cause in RSA_CAUSES:
        return explain_asymmetric(keys, "rsa", "1", SHA_256, data, **options)
    return explain_asymmetric(keys, "branch", "1", "SM2PKE", data, **options)

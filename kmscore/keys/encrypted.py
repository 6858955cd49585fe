"""Encrypted PKCS#8 (RFC 5958 section 3) by PBES2 (RFC 8018 section 6.2).

`cryptography` opens such files only for the keys it knows, and does as much work as a file asks
for. OpenSSL writes them with AES-256-CBC
and HMAC-SHA-256, GmSSL with SM4-CBC and HMAC-SM3.
"""

from collections.abc import Callable
from typing import Final, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, SM3, HashAlgorithm
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from kmscore.errors import InvalidKeyError, UnsupportedAlgorithmError
from kmscore.keys.oid import ObjectIdentifier

_Decoded = TypeVar("_Decoded")

_PBES2: Final = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2: Final = ObjectIdentifier("1.2.840.113549.1.5.12")

_HMAC_SHA1: Final = ObjectIdentifier("1.2.840.113549.2.7")
_HASHES: Final[dict[ObjectIdentifier, Callable[[], HashAlgorithm]]] = {
    _HMAC_SHA1: SHA1,
    ObjectIdentifier("1.2.840.113549.2.9"): SHA256,
    ObjectIdentifier("1.2.840.113549.2.10"): SHA384,
    ObjectIdentifier("1.2.840.113549.2.11"): SHA512,
    ObjectIdentifier("1.2.156.10197.1.401.2"): SM3,
}
_CIPHERS: Final = {
    ObjectIdentifier("2.16.840.1.101.3.4.1.2"): (AES, 16),
    ObjectIdentifier("2.16.840.1.101.3.4.1.22"): (AES, 24),
    ObjectIdentifier("2.16.840.1.101.3.4.1.42"): (AES, 32),
    ObjectIdentifier("1.2.156.10197.1.104.2"): (SM4, 16),
}
_BLOCK_LENGTH: Final = 16

_MAX_ITERATIONS: Final = 10_000_000
"""Seconds of work; a file must not be able to ask for years."""


@asn1.sequence
class _Prf:
    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class _Pbkdf2Parameters:
    salt: bytes
    iterations: int
    key_length: int | None
    prf: _Prf | None


@asn1.sequence
class _KeyDerivation:
    algorithm: ObjectIdentifier
    parameters: _Pbkdf2Parameters


@asn1.sequence
class _EncryptionScheme:
    algorithm: ObjectIdentifier
    iv: bytes


@asn1.sequence
class _Pbes2Parameters:
    key_derivation: _KeyDerivation
    encryption: _EncryptionScheme


@asn1.sequence
class _EncryptionAlgorithm:
    algorithm: ObjectIdentifier
    parameters: _Pbes2Parameters


@asn1.sequence
class _EncryptedPrivateKeyInfo:
    algorithm: _EncryptionAlgorithm
    data: bytes


def open_pkcs8(der: bytes, password: bytes, decode: Callable[[bytes], _Decoded]) -> _Decoded:
    """Return what `decode` makes of the PrivateKeyInfo that `password` opens.

    Raises `InvalidKeyError`, always the same, if `der` is not PBES2 with PBKDF2 and AES or SM4 in
    CBC mode, if the password is wrong, or if `decode` raises it: nothing vouches for what CBC
    gives, and telling bad padding from a bad key would be an oracle. Raises
    `UnsupportedAlgorithmError` if this build of `cryptography` lacks the cipher or hash.
    """
    missing = False
    decoded = None
    try:
        info = asn1.decode_der(_EncryptedPrivateKeyInfo, der)
        plaintext = _decrypt(info.algorithm, info.data, password)
        decoded = None if plaintext is None else decode(plaintext)
    except (ValueError, InvalidKeyError):
        pass
    except UnsupportedAlgorithm:
        missing = True
    if missing:
        raise UnsupportedAlgorithmError("this build of cryptography cannot decrypt the key file")
    if decoded is None:
        raise InvalidKeyError(
            "not a key that this password opens, encrypted by PBES2 with PBKDF2 and AES or SM4"
        )
    return decoded


def _decrypt(algorithm: _EncryptionAlgorithm, data: bytes, password: bytes) -> bytes | None:
    """Return the plaintext, or `None` if an algorithm is not one of those above."""
    derivation = algorithm.parameters.key_derivation
    encryption = algorithm.parameters.encryption
    prf = derivation.parameters.prf
    hash_class = _HASHES.get(_HMAC_SHA1 if prf is None else prf.algorithm)
    cipher, key_length = _CIPHERS.get(encryption.algorithm, (None, 0))
    if (
        (algorithm.algorithm, derivation.algorithm) != (_PBES2, _PBKDF2)
        or hash_class is None
        or cipher is None
        or derivation.parameters.key_length not in {None, key_length}
        or not 1 <= derivation.parameters.iterations <= _MAX_ITERATIONS
    ):
        return None
    kdf = PBKDF2HMAC(
        hash_class(), key_length, derivation.parameters.salt, derivation.parameters.iterations
    )
    decryptor = Cipher(cipher(kdf.derive(password)), CBC(encryption.iv)).decryptor()
    unpadder = PKCS7(8 * _BLOCK_LENGTH).unpadder()
    padded = decryptor.update(data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()

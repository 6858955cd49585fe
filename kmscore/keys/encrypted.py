"""PKCS#8 (RFC 5958 section 3) that is encrypted with PBES2 (RFC 8018 section 6.2).

`cryptography` decrypts such files only for the key types it knows, and it does not limit the number
of iterations. OpenSSL writes these files with AES-256-CBC and HMAC-SHA-256, GmSSL with SM4-CBC and
HMAC-SM3.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, SM3, HashAlgorithm
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from kmscore._availability import attempt
from kmscore.errors import InvalidKeyError
from kmscore.keys.der import decode_structure, invalid
from kmscore.keys.oid import ObjectIdentifier

_Decoded = TypeVar("_Decoded")
_Structure = TypeVar("_Structure")

_PBES2: Final = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2: Final = ObjectIdentifier("1.2.840.113549.1.5.12")
_SCRYPT: Final = ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
_PBES1_PREFIX: Final = "1.2.840.113549.1.5."
_PKCS12_PREFIX: Final = "1.2.840.113549.1.12.1."

_HMAC_SHA1: Final = ObjectIdentifier("1.2.840.113549.2.7")
_HASHES: Final[dict[ObjectIdentifier, Callable[[], HashAlgorithm]]] = {
    _HMAC_SHA1: SHA1,
    ObjectIdentifier("1.2.840.113549.2.9"): SHA256,
    ObjectIdentifier("1.2.840.113549.2.10"): SHA384,
    ObjectIdentifier("1.2.840.113549.2.11"): SHA512,
    ObjectIdentifier("1.2.156.10197.1.401.2"): SM3,
}
_CIPHERS: Final[dict[ObjectIdentifier, tuple[type[AES | SM4], int]]] = {
    ObjectIdentifier("2.16.840.1.101.3.4.1.2"): (AES, 16),
    ObjectIdentifier("2.16.840.1.101.3.4.1.22"): (AES, 24),
    ObjectIdentifier("2.16.840.1.101.3.4.1.42"): (AES, 32),
    ObjectIdentifier("1.2.156.10197.1.104.2"): (SM4, 16),
}
_BLOCK_LENGTH: Final = 16

_MOST_ITERATIONS: Final = 2**31 - 1
"""The maximum number that libcrypto accepts."""

_MAX_SALT_LENGTH: Final = 1024
"""Maximum length of the salt in bytes. Common writers use 8 to 64."""


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _EncryptedPrivateKeyInfo:
    algorithm: _Algorithm
    data: bytes


@asn1.sequence
class _Pbes2Parameters:
    key_derivation: _Algorithm
    encryption: _Algorithm


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


class _Encryption(NamedTuple):
    """The encryption of a file: public values, checked before the password is used."""

    kdf: _Pbkdf2Parameters
    cipher: type[AES | SM4]
    key_length: int
    iv: bytes
    data: bytes


def open_pkcs8(
    der: bytes, password: bytes, decode: Callable[[bytes], _Decoded], max_work: int
) -> _Decoded:
    """Decrypt a PrivateKeyInfo with `password`, and return the result of `decode` for it.

    Raises `InvalidKeyError` with the reason if `der` is not PBES2 with PBKDF2, of at most
    `max_work` iterations, and AES or SM4 in CBC mode. All of this is public.

    Raises `UnsupportedAlgorithmError` if the cipher or hash is not available.

    Raises one constant `InvalidKeyError` if the password is wrong, or if `decode` raises
    `InvalidKeyError`. The content is not authenticated, so different errors for wrong padding and
    for a wrong key would be a padding oracle.
    """
    encryption = _read(der, max_work)
    try:
        plaintext = attempt(
            lambda: _decrypt(encryption, password), "the encryption of the key file"
        )
        return decode(plaintext)
    except (ValueError, InvalidKeyError):
        pass
    raise invalid("cannot be decrypted with this password")


def _read(der: bytes, max_work: int) -> _Encryption:
    """Return the encryption of a file, or raise `InvalidKeyError` with the reason."""
    info = decode_structure(_EncryptedPrivateKeyInfo, der, "encrypted PKCS#8")
    if info.algorithm.algorithm != _PBES2:
        raise _unread(_name_of_scheme(info.algorithm.algorithm.dotted_string))
    parameters = _parse(info.algorithm, _Pbes2Parameters, "PBES2")
    found = _CIPHERS.get(parameters.encryption.algorithm)
    if found is None:
        raise _unread("another cipher")
    cipher, key_length = found
    iv = _parse(parameters.encryption, bytes, "an IV")
    if len(iv) != _BLOCK_LENGTH or not info.data or len(info.data) % _BLOCK_LENGTH:
        raise invalid("is encrypted, but its IV or length is not valid for CBC mode")
    kdf = _read_kdf(parameters.key_derivation, max_work)
    if kdf.key_length not in {None, key_length}:
        raise invalid("is encrypted, but the length of the derived key is wrong for the cipher")
    return _Encryption(kdf, cipher, key_length, iv, info.data)


def _name_of_scheme(identifier: str) -> str:
    """Return a name for a scheme that is not PBES2."""
    families = {_PBES1_PREFIX: "PBES1", _PKCS12_PREFIX: "a scheme of PKCS#12"}
    return next(
        (name for prefix, name in families.items() if identifier.startswith(prefix)),
        "an unknown scheme",
    )


def _read_kdf(derivation: _Algorithm, max_work: int) -> _Pbkdf2Parameters:
    """Return the parameters of PBKDF2 within their bounds, or raise `InvalidKeyError`."""
    if derivation.algorithm != _PBKDF2:
        raise _unread("scrypt" if derivation.algorithm == _SCRYPT else "another KDF")
    kdf = _parse(derivation, _Pbkdf2Parameters, "PBKDF2")
    if _prf(kdf) not in _HASHES:
        raise _unread("another PRF")
    if len(kdf.salt) > _MAX_SALT_LENGTH:
        raise invalid(f"has a salt of more than {_MAX_SALT_LENGTH} bytes")
    # Not shown in the message, because the number can have thousands of digits.
    if kdf.iterations < 1:
        raise invalid("asks for less than one iteration of PBKDF2")
    most = min(max_work, _MOST_ITERATIONS)
    if kdf.iterations > most:
        raise invalid(
            f"asks for more than {most} iterations of PBKDF2; max_work= sets the number allowed"
        )
    return kdf


def _prf(kdf: _Pbkdf2Parameters) -> ObjectIdentifier:
    """Return the PRF, by default HMAC-SHA-1 (RFC 8018 appendix A.2)."""
    return _HMAC_SHA1 if kdf.prf is None else kdf.prf.algorithm


def _parse(algorithm: _Algorithm, structure: type[_Structure], name: str) -> _Structure:
    """Return the parameters of an algorithm, or raise `InvalidKeyError`."""
    try:
        parameters: _Structure = algorithm.parameters.parse(structure)
    except ValueError:
        pass
    else:
        return parameters
    raise invalid(f"is encrypted, but its parameters are not DER of {name}")


def _decrypt(encryption: _Encryption, password: bytes) -> bytes:
    """Return the plaintext, or raise `ValueError` if the padding is wrong."""
    kdf = encryption.kdf
    hash_class = _HASHES[_prf(kdf)]
    derived = PBKDF2HMAC(hash_class(), encryption.key_length, kdf.salt, kdf.iterations)
    cipher = Cipher(encryption.cipher(derived.derive(password)), CBC(encryption.iv))
    decryptor, unpadder = cipher.decryptor(), PKCS7(8 * _BLOCK_LENGTH).unpadder()
    padded = decryptor.update(encryption.data) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def _unread(found: str) -> InvalidKeyError:
    """Return the `InvalidKeyError` for an encryption that is not supported."""
    return invalid(
        f"is encrypted with {found}, not with PBES2, PBKDF2 and AES or SM4 in CBC mode;"
        " `openssl pkcs8 -topk8` rewrites it"
    )

"""Seal a keyring under a passphrase, and open it; the package docstring has the format."""

import hmac
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_instance,
    check_positive,
    take_bytes,
    to_bytes,
)
from kmscore.algorithms import TAG_LENGTH
from kmscore.errors import DecryptionError, InvalidKeyError
from kmscore.keyfile.content import decode_keyring, encode_keyring
from kmscore.keyfile.scrypt import MAX_MEMORY, MAX_WORK, ScryptParameters, check_cost, derive_key
from kmscore.keyring import Keyring

MAGIC: Final = b"KMSRING"
FORMAT_VERSION: Final = 0x02
_SCRYPT: Final = 0x01
_PREFIX: Final = MAGIC + bytes([FORMAT_VERSION, _SCRYPT])

_PARAMETERS_LENGTH: Final = 3
_SALT_LENGTH: Final = 16
_KEY_LENGTH: Final = 32
_COMMITMENT_LENGTH: Final = 32
_IV_LENGTH: Final = 12
_SALT_OFFSET: Final = len(_PREFIX) + _PARAMETERS_LENGTH
_COMMITMENT_OFFSET: Final = _SALT_OFFSET + _SALT_LENGTH
_IV_OFFSET: Final = _COMMITMENT_OFFSET + _COMMITMENT_LENGTH
_SEALED_OFFSET: Final = _IV_OFFSET + _IV_LENGTH
_LEAST_LENGTH: Final = _SEALED_OFFSET + TAG_LENGTH

MAX_LENGTH: Final = 1 << 26
"""Maximum length of a sealed keyring in bytes, enough for about 800,000 symmetric key versions."""

_DEFAULT_PARAMETERS: Final = ScryptParameters()


def seal_keyring(
    keyring: Keyring,
    passphrase: BytesLike,
    *,
    parameters: ScryptParameters = _DEFAULT_PARAMETERS,
) -> bytes:
    """Seal a keyring under a passphrase, with a random salt and a random IV.

    The sealed keyring contains everything except the backends of SM2 keys, which depend on the
    machine. scrypt makes each guess slow, but it does not make a short passphrase safe. Use a
    random passphrase of 16 bytes or more, or six words drawn at random from a long list.

    Args:
        keyring: The keyring to seal.
        passphrase: The passphrase. Zero bytes at its end have no effect.
        parameters: The cost of scrypt. The default is 128 MiB of memory and about half a second.

    Returns:
        The sealed keyring, 92 to 67,108,864 bytes.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidKeyError: If `passphrase` is empty or contains only zero bytes.
        UnsupportedAlgorithmError: If `cryptography` or the system lacks scrypt.
        MemoryError: If there is not enough memory for scrypt.
        InvalidKeyError: If the sealed keyring would have more than 67,108,864 bytes.
    """
    sealed = outcome(_seal, keyring, passphrase, parameters)
    del keyring, passphrase
    return unwrap(sealed)


def open_keyring(
    data: BytesLike,
    passphrase: BytesLike,
    *,
    max_memory: int = MAX_MEMORY,
    max_work: int = MAX_WORK,
) -> Keyring:
    """Open a keyring that `seal_keyring` has sealed.

    The header of the file sets the cost of scrypt. A service that opens files from other parties
    limits this cost with `max_memory` and `max_work`. Such a service also limits the length of the
    file, because each private key in it is checked as `RsaKey.from_der` does. This check takes
    about 0.2 seconds for RSA_4096.

    Args:
        data: The sealed keyring, at most 67,108,864 bytes.
        passphrase: The passphrase. Zero bytes at its end have no effect.
        max_memory: The maximum memory of scrypt (128·n·r) in bytes. Files need at least 2^24;
            values above the default, 2^30, have no effect.
        max_work: The maximum work of scrypt (n·r·p). Files need at least 2^17; values above the
            default, 2^25, have no effect.

    Returns:
        The keyring. Each SM2 key uses the default backend, the first of
        `kmscore.sm2.available_backends()`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `max_memory` or `max_work` is less than 1.
        InvalidKeyError: If `data` is too long, is not a sealed keyring, has a different format
            version (the message names it) or KDF, or exceeds the bounds of scrypt. These checks
            are made before scrypt runs.
        UnsupportedAlgorithmError: If `cryptography` or the system lacks scrypt.
        MemoryError: If there is not enough memory for scrypt.
        DecryptionError: If the passphrase is wrong, or any other bit of `data` was changed.
        InvalidKeyError: If the sealed content is not the content of a keyring. Only a party that
            knows the passphrase can cause this.
        UnsupportedAlgorithmError: If an algorithm of one of the keys is not available.
    """
    opened = outcome(_open, data, passphrase, max_memory, max_work)
    del data, passphrase
    return unwrap(opened)


def read_parameters(data: BytesLike) -> ScryptParameters:
    """Read the cost of scrypt from the header of a sealed keyring.

    Use it to seal a keyring again at the same cost. This function does not run scrypt, and the
    header is not authenticated until the keyring is opened.

    Args:
        data: The sealed keyring, at most 67,108,864 bytes.

    Returns:
        The cost of scrypt.

    Raises:
        TypeError: If `data` is not bytes-like.
        InvalidKeyError: If `data` is too long, is not a sealed keyring, has a different format
            version (the message names it) or KDF, or exceeds the bounds of scrypt.
    """
    check_bytes(data, "data")
    return _parse_parameters(_take(data))


def _seal(keyring: Keyring, passphrase: BytesLike, parameters: ScryptParameters) -> bytes:
    """Return the sealed keyring."""
    check_instance(keyring, Keyring, "keyring")
    check_bytes(passphrase, "passphrase")
    check_instance(parameters, ScryptParameters, "parameters")
    secret = to_bytes(passphrase)
    # HMAC, which scrypt uses, pads a short key with zeros, so zeros at its end have no effect.
    if not secret.rstrip(b"\x00"):
        raise InvalidKeyError("the passphrase is empty or contains only zero bytes")
    numbers = (parameters.n.bit_length() - 1, parameters.r, parameters.p)
    header = _PREFIX + bytes(numbers) + os.urandom(_SALT_LENGTH)
    key, commitment = _derive(secret, header, parameters)
    front, iv = header + commitment, os.urandom(_IV_LENGTH)
    sealed = front + iv + AESGCM(key).encrypt(iv, encode_keyring(keyring), front)
    if len(sealed) > MAX_LENGTH:
        raise _invalid(f"{len(sealed)} bytes, at most {MAX_LENGTH}")
    return sealed


def _open(data: BytesLike, passphrase: BytesLike, max_memory: int, max_work: int) -> Keyring:
    """Return the keyring of a sealed keyring."""
    check_bytes(data, "data")
    check_bytes(passphrase, "passphrase")
    check_positive(max_memory, "max_memory")
    check_positive(max_work, "max_work")
    raw = _take(data)
    parameters = _parse_parameters(raw)
    check_cost(parameters, max_memory, max_work)
    key, commitment = _derive(to_bytes(passphrase), raw[:_COMMITMENT_OFFSET], parameters)
    # Check this before the cipher, because one tag can be correct under many keys.
    if not hmac.compare_digest(commitment, raw[_COMMITMENT_OFFSET:_IV_OFFSET]):
        raise DecryptionError
    iv = raw[_IV_OFFSET:_SEALED_OFFSET]
    try:
        content = AESGCM(key).decrypt(iv, raw[_SEALED_OFFSET:], raw[:_IV_OFFSET])
    except InvalidTag:
        content = None
    if content is None:
        raise DecryptionError
    return decode_keyring(content)


def _derive(passphrase: bytes, header: bytes, parameters: ScryptParameters) -> tuple[bytes, bytes]:
    """Return the key of AES-256-GCM, and the commitment to passphrase and header."""
    derived = derive_key(passphrase, header[_SALT_OFFSET:], parameters)
    return derived[:_KEY_LENGTH], hmac.digest(derived[_KEY_LENGTH:], header, "sha256")


def _take(data: BytesLike) -> bytes:
    """Return a copy of a sealed keyring, or raise `InvalidKeyError` if it is too long."""
    length, raw = take_bytes(data, MAX_LENGTH)
    if length > MAX_LENGTH:
        raise _invalid(f"{length} bytes, at most {MAX_LENGTH}")
    return raw


def _parse_parameters(raw: bytes) -> ScryptParameters:
    """Return the parameters of a sealed keyring, or raise `InvalidKeyError`."""
    if not raw.startswith(MAGIC):
        raise _invalid("it does not begin with the magic")
    version = raw[len(MAGIC) : len(MAGIC) + 1]
    # Check this before the length, because another version can have other length limits.
    if version and version[0] != FORMAT_VERSION:
        raise _invalid(f"format version {version[0]}; this library reads version {FORMAT_VERSION}")
    if len(raw) < _LEAST_LENGTH:
        raise _invalid(f"{len(raw)} bytes, at least {_LEAST_LENGTH}")
    kdf, log_n, r, p = raw[len(_PREFIX) - 1 : _SALT_OFFSET]
    if kdf != _SCRYPT:
        raise _invalid(f"unknown KDF {kdf:02x}")
    return ScryptParameters(1 << log_n, r, p)


def _invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`; it can give the reason, because the format is public."""
    return InvalidKeyError(f"not a sealed keyring: {reason}")

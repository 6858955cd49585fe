"""Seal a keyring under a passphrase, and open it; the format stands in the package's docstring."""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kmscore._arguments import BytesLike, check_bytes, check_instance, take_bytes, to_bytes
from kmscore.algorithms import TAG_LENGTH
from kmscore.errors import DecryptionError, InvalidKeyError, KmsCoreError
from kmscore.keyfile.content import decode_keyring, encode_keyring
from kmscore.keyfile.scrypt import ScryptParameters, derive_key
from kmscore.keyring import Keyring

MAGIC: Final = b"KMSRING"
FORMAT_VERSION: Final = 0x01
_SCRYPT: Final = 0x01
_PREFIX: Final = MAGIC + bytes([FORMAT_VERSION, _SCRYPT])

_PARAMETERS_LENGTH: Final = 3
_SALT_LENGTH: Final = 16
_IV_LENGTH: Final = 12
_SALT_OFFSET: Final = len(_PREFIX) + _PARAMETERS_LENGTH
_HEADER_LENGTH: Final = _SALT_OFFSET + _SALT_LENGTH
_SEALED_OFFSET: Final = _HEADER_LENGTH + _IV_LENGTH
_LEAST_LENGTH: Final = _SEALED_OFFSET + TAG_LENGTH

MAX_LENGTH: Final = 1 << 26
"""No sealed keyring is longer: 67,108,864 bytes, about 800,000 symmetric key versions."""

_DEFAULT_PARAMETERS: Final = ScryptParameters()


def seal_keyring(
    keyring: Keyring,
    passphrase: BytesLike,
    *,
    parameters: ScryptParameters = _DEFAULT_PARAMETERS,
) -> bytes:
    """Return `keyring` sealed under `passphrase`, with fresh salt and IV: 60 to 67,108,864 bytes.

    It keeps everything about the ring but the backends of its SM2 keys, which are a matter of the
    machine. scrypt makes guessing slow and a short passphrase no longer: take a random one of 16
    bytes or more, or six words drawn from a long list. Zero bytes at its end make no difference.

    Raises `TypeError` for a wrong type, `InvalidKeyError` for an empty passphrase or a ring that
    would be longer than that, and `UnsupportedAlgorithmError` if this build of `cryptography` lacks
    scrypt.
    """
    check_instance(keyring, Keyring, "keyring")
    check_bytes(passphrase, "passphrase")
    check_instance(parameters, ScryptParameters, "parameters")
    secret = to_bytes(passphrase)
    # HMAC, and so scrypt, fills a short key up with zeros: those at its end make no difference.
    if not secret.rstrip(b"\x00"):
        raise InvalidKeyError("an empty passphrase protects nothing")
    numbers = (parameters.n.bit_length() - 1, parameters.r, parameters.p)
    header = _PREFIX + bytes(numbers) + os.urandom(_SALT_LENGTH)
    iv = os.urandom(_IV_LENGTH)
    cipher = AESGCM(derive_key(secret, header[_SALT_OFFSET:], parameters))
    # Last of all, and not kept: nothing that raises has it in its frame.
    sealed = cipher.encrypt(iv, encode_keyring(keyring), header)
    length = _SEALED_OFFSET + len(sealed)
    if length > MAX_LENGTH:
        raise _invalid(f"{length} bytes, at most {MAX_LENGTH}")
    return header + iv + sealed


def open_keyring(data: BytesLike, passphrase: BytesLike) -> Keyring:
    """Return the keyring that `seal_keyring` has sealed; its SM2 keys get the best backend here.

    Raises, the first of these that applies:

    - `TypeError` for a wrong type;
    - `InvalidKeyError`, before the KDF runs, if `data` is longer than 67,108,864 bytes, is no
      sealed keyring or one of another format version (the message says which), or asks for
      another KDF or for parameters out of bounds;
    - `UnsupportedAlgorithmError` if this build of `cryptography` lacks scrypt;
    - `DecryptionError` for a wrong passphrase, and for any bit changed in what got this far;
    - `InvalidKeyError` if what was sealed is not the content of a keyring, which only one who
      knows the passphrase can bring about, and `UnsupportedAlgorithmError` if this build of the
      libraries lacks what one of its keys needs.
    """
    check_bytes(data, "data")
    check_bytes(passphrase, "passphrase")
    length, raw = take_bytes(data, MAX_LENGTH)
    if length > MAX_LENGTH:
        raise _invalid(f"{length} bytes, at most {MAX_LENGTH}")
    parameters = _parse_parameters(raw)
    # What is raised is raised here, where nothing of key and content is in the frame.
    opened = _open(raw, to_bytes(passphrase), parameters)
    if isinstance(opened, Keyring):
        return opened
    raise opened


def read_parameters(data: BytesLike) -> ScryptParameters:
    """Return the cost that a sealed keyring asks for, which anyone can read and nobody change.

    To seal it anew at that cost; none of it is spent here.

    Raises `TypeError` for a wrong type, and `InvalidKeyError` for what is no sealed keyring of this
    format version, or asks for another KDF or for parameters out of bounds.
    """
    check_bytes(data, "data")
    return _parse_parameters(to_bytes(data))


def _parse_parameters(raw: bytes) -> ScryptParameters:
    """Return the parameters of a sealed keyring, or raise `InvalidKeyError`."""
    if not raw.startswith(MAGIC):
        raise _invalid("it does not begin with the magic")
    if len(raw) < _LEAST_LENGTH:
        raise _invalid(f"{len(raw)} bytes, at least {_LEAST_LENGTH}")
    version, kdf, log_n, r, p = raw[len(MAGIC) : _SALT_OFFSET]
    if version != FORMAT_VERSION:
        raise _invalid(f"format version {version}, and {FORMAT_VERSION} is what is read here")
    if kdf != _SCRYPT:
        raise _invalid(f"unknown KDF {kdf:02x}")
    return ScryptParameters(1 << log_n, r, p)


def _open(raw: bytes, passphrase: bytes, parameters: ScryptParameters) -> Keyring | KmsCoreError:
    """Return the keyring, or what is to be raised in its place."""
    header, iv = raw[:_HEADER_LENGTH], raw[_HEADER_LENGTH:_SEALED_OFFSET]
    key = derive_key(passphrase, header[_SALT_OFFSET:], parameters)
    try:
        return decode_keyring(AESGCM(key).decrypt(iv, raw[_SEALED_OFFSET:], header))
    except InvalidTag:
        return DecryptionError()
    except KmsCoreError as error:
        return error.with_traceback(None)


def _invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`; the format is public, so the reason may be told."""
    return InvalidKeyError(f"not a sealed keyring: {reason}")

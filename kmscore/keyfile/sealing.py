"""Seal a keyring under a passphrase, and open it; the format is in the package's docstring."""

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
"""No sealed keyring is longer: 67,108,864 bytes, about 800,000 symmetric key versions."""

_DEFAULT_PARAMETERS: Final = ScryptParameters()


def seal_keyring(
    keyring: Keyring,
    passphrase: BytesLike,
    *,
    parameters: ScryptParameters = _DEFAULT_PARAMETERS,
) -> bytes:
    """Return `keyring` sealed under `passphrase`, with fresh salt and IV: 92 to 67,108,864 bytes.

    It keeps everything about the keyring except the backends of its SM2 keys, which depend on the
    machine. scrypt makes guessing slow and a short passphrase no longer: take a random one of 16
    bytes or more, or six words drawn from a long list. Zero bytes at its end make no difference.

    Raises `TypeError` for a wrong type, and `InvalidKeyError` for an empty passphrase or a keyring
    that would be longer than that. Raises `UnsupportedAlgorithmError` if this build of
    `cryptography` lacks scrypt, and `MemoryError` if scrypt does not get its memory.
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
    """Return the keyring that `seal_keyring` has sealed; its SM2 keys get the best backend here.

    A service that opens files of others bounds the cost that their headers may ask for: memory
    (128·n·r) to `max_memory` bytes, work (n·r·p) to `max_work`. Values above the defaults, 2^30 and
    2^25, have no effect. The least that a file takes is 2^24 and 2^17. Such a service bounds the
    length of the file too: every private key in it is checked as `RsaKey.from_der` does, which
    takes about 0.2 seconds for RSA_4096.

    Raises, the first of these that applies:

    - `TypeError` for a wrong type, and `ValueError` unless both limits are positive;
    - `InvalidKeyError`, before the KDF runs, if `data` is longer than 67,108,864 bytes, is not a
      sealed keyring or has another format version (the message says which), or asks for
      another KDF or for parameters out of bounds;
    - `UnsupportedAlgorithmError` if this build of `cryptography` lacks scrypt, and `MemoryError` if
      scrypt does not get its memory;
    - `DecryptionError` for a wrong passphrase, and for any bit changed in `data` otherwise;
    - `InvalidKeyError` if what was sealed is not the content of a keyring, which only someone who
      knows the passphrase can cause, and `UnsupportedAlgorithmError` if this build of the
      libraries lacks what one of its keys needs.
    """
    opened = outcome(_open, data, passphrase, max_memory, max_work)
    del data, passphrase
    return unwrap(opened)


def read_parameters(data: BytesLike) -> ScryptParameters:
    """Return the cost that a sealed keyring asks for, to seal it again at that cost.

    Nothing of it is spent here, and nothing of it is authenticated before the keyring is opened.

    Raises `TypeError` for a wrong type. Raises `InvalidKeyError` if `data` is longer than
    67,108,864 bytes, is not a sealed keyring of this format version, or asks for another KDF or for
    parameters out of bounds.
    """
    check_bytes(data, "data")
    return _parse_parameters(_take(data))


def _seal(keyring: Keyring, passphrase: BytesLike, parameters: ScryptParameters) -> bytes:
    """Return a keyring sealed."""
    check_instance(keyring, Keyring, "keyring")
    check_bytes(passphrase, "passphrase")
    check_instance(parameters, ScryptParameters, "parameters")
    secret = to_bytes(passphrase)
    # HMAC, and so scrypt, fills a short key up with zeros: those at its end make no difference.
    if not secret.rstrip(b"\x00"):
        raise InvalidKeyError("an empty passphrase protects nothing")
    numbers = (parameters.n.bit_length() - 1, parameters.r, parameters.p)
    header = _PREFIX + bytes(numbers) + os.urandom(_SALT_LENGTH)
    key, commitment = _derive(secret, header, parameters)
    front, iv = header + commitment, os.urandom(_IV_LENGTH)
    sealed = front + iv + AESGCM(key).encrypt(iv, encode_keyring(keyring), front)
    if len(sealed) > MAX_LENGTH:
        raise _invalid(f"{len(sealed)} bytes, at most {MAX_LENGTH}")
    return sealed


def _open(data: BytesLike, passphrase: BytesLike, max_memory: int, max_work: int) -> Keyring:
    """Return a keyring opened."""
    check_bytes(data, "data")
    check_bytes(passphrase, "passphrase")
    check_positive(max_memory, "max_memory")
    check_positive(max_work, "max_work")
    raw = _take(data)
    parameters = _parse_parameters(raw)
    check_cost(parameters, max_memory, max_work)
    key, commitment = _derive(to_bytes(passphrase), raw[:_COMMITMENT_OFFSET], parameters)
    # Before the cipher: a tag can be made that is right under many keys.
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
    """Return the key of the cipher, and the commitment to passphrase and header."""
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
    # Before the length, which another version bounds in another way.
    if version and version[0] != FORMAT_VERSION:
        raise _invalid(f"format version {version[0]}; this library reads version {FORMAT_VERSION}")
    if len(raw) < _LEAST_LENGTH:
        raise _invalid(f"{len(raw)} bytes, at least {_LEAST_LENGTH}")
    kdf, log_n, r, p = raw[len(_PREFIX) - 1 : _SALT_OFFSET]
    if kdf != _SCRYPT:
        raise _invalid(f"unknown KDF {kdf:02x}")
    return ScryptParameters(1 << log_n, r, p)


def _invalid(reason: str) -> InvalidKeyError:
    """Return the `InvalidKeyError`; the format is public, so the reason can be given."""
    return InvalidKeyError(f"not a sealed keyring: {reason}")

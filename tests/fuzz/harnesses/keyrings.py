"""Harnesses of keyring files: their content, and the encrypted file."""

import hashlib
import hmac
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support import keyfile_writer
from support.keyfile_writer import PASSPHRASE, content, entry, version

from fuzz.harness import Failed, Harness, outcome_of, vectors
from kmscore import DecryptionError, InvalidKeyError
from kmscore.keyfile import open_keyring, read_parameters, sealing
from kmscore.keyfile.content import decode_keyring, encode_keyring

_HEADER = b"KMSRING\x02\x01\x0e\x08\x01"
_LIMITS = {"max_memory": 1 << 24, "max_work": 1 << 17}
_TOKENS = (b"\x00\x00\x00\x01", b"\x00\x20", b"\x00\x10", b"\x01\x01", b"\x03key")


def check_content(data: bytes) -> None:
    """Read a content; it is the only encoding of its keyring."""
    keyring = outcome_of(lambda: decode_keyring(data), InvalidKeyError)
    if not isinstance(keyring, Failed):
        assert encode_keyring(keyring) == data


def check_file(data: bytes) -> None:
    """Open a file. After an odd first byte, the rest is the content of an authentic file."""
    # scrypt would take 50 ms; the parser does not depend on its output.
    original, sealing.derive_key = sealing.derive_key, _derive
    try:
        if data and data[0] & 1:
            _check_authentic(data[1:])
        else:
            _check_any(data[1:])
    finally:
        sealing.derive_key = original


def _check_any(file: bytes) -> None:
    parameters = outcome_of(lambda: read_parameters(file), InvalidKeyError)
    opened = outcome_of(
        lambda: open_keyring(file, PASSPHRASE, **_LIMITS), InvalidKeyError, DecryptionError
    )
    if isinstance(parameters, Failed):
        assert opened == parameters
    elif not isinstance(opened, Failed):
        assert encode_keyring(opened) == _unsealed(file)


def _check_authentic(inside: bytes) -> None:
    """Open a file with any content, which succeeds or fails as the content does."""
    front = _HEADER + bytes(16)
    k = _derive(PASSPHRASE, bytes(16))
    front += hmac.digest(k[32:], front, "sha256")
    file = front + bytes(12) + AESGCM(k[:32]).encrypt(bytes(12), inside, front)
    opened = outcome_of(lambda: open_keyring(file, PASSPHRASE, **_LIMITS), InvalidKeyError)
    if isinstance(opened, Failed):
        assert outcome_of(lambda: decode_keyring(inside), InvalidKeyError) == opened
    else:
        assert encode_keyring(opened) == inside


def _unsealed(file: bytes) -> bytes:
    """Return the content of a file; this checks the tag, with header and commitment."""
    k = _derive(PASSPHRASE, file[keyfile_writer.SALT])
    front = file[keyfile_writer.ASSOCIATED]
    assert front[28:] == hmac.digest(k[32:], front[:28], "sha256")
    return AESGCM(k[:32]).decrypt(file[keyfile_writer.IV], file[keyfile_writer.SEALED], front)


def _derive(passphrase: bytes, salt: bytes, _parameters: object = None) -> bytes:
    """Return 64 bytes in a microsecond, in place of scrypt."""
    return hashlib.sha512(passphrase + salt).digest()


def _contents() -> Iterator[bytes]:
    yield content()
    aes = version(b"v1", bytes(range(32)))
    yield content(entry(1, aes))
    yield content(entry(1, aes, version(b"v2", bytes(range(1, 33)), 2, 5), primary=1))
    yield content(entry(2, version(b"v1", bytes(range(24)), 3, 2)))
    yield content(entry(3, version(b"v1", bytes(range(16)), 4, 3)))
    yield content(entry(1, aes), entry(4, version(b"v", bytes(range(2, 18)), 1, 4), key_id=b"b"))
    sm2 = next(each for each in vectors("sm2_decrypt") if "privateKeyPkcs8" in each)
    yield content(entry(8, version(b"v1", bytes.fromhex(sm2["privateKeyPkcs8"]), 1, 0)))


def _files() -> Iterator[bytes]:
    for inside in _contents():
        yield b"\x01" + inside
        front = _HEADER + bytes(16)
        k = _derive(PASSPHRASE, bytes(16))
        front += hmac.digest(k[32:], front, "sha256")
        yield b"\x00" + front + bytes(12) + AESGCM(k[:32]).encrypt(bytes(12), inside, front)


HARNESSES = {
    "keyring-content": Harness(check_content, _contents, 384, _TOKENS),
    "keyring-file": Harness(check_file, _files, 512, (*_TOKENS, b"KMSRING\x02\x01")),
}

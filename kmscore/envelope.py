"""Where blob, encryption context and cipher meet: seal and open a v1 ciphertext blob.

The associated data is header ‖ canonical context. Both delimit themselves, so that no other
header and context give the same bytes: the tag vouches for magic, format version, suite, key ID,
key version ID and context as it does for IV and ciphertext.
"""

import os

from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH
from kmscore.context import EncryptionContext
from kmscore.errors import DecryptionError, PlaintextSizeError
from kmscore.keys import SymmetricKey


def seal(key: SymmetricKey, iv: bytes, plaintext: bytes, context: EncryptionContext) -> bytes:
    """Return the v1 blob of `plaintext`.

    `iv` has the length of the key's suite and is never repeated under one key version. Sizes and
    the state of the key are the caller's to check.
    """
    header = key.header
    return header + iv + key._sealer.seal(iv, plaintext, header + context.canonical)


def open_blob(key: SymmetricKey, ciphertext_blob: bytes, context: EncryptionContext) -> bytes:
    """Return the plaintext of a v1 blob sealed by `key` under `context`.

    Raises `DecryptionError` unless the blob begins with the key's own header and its tag is right.
    """
    header = key.header
    if not ciphertext_blob.startswith(header):
        raise DecryptionError
    body = len(header) + key.suite.iv_length
    iv, sealed = ciphertext_blob[len(header) : body], ciphertext_blob[body:]
    return key._sealer.open(iv, sealed, header + context.canonical)


def plaintext_length(key: SymmetricKey, ciphertext_blob: bytes) -> int:
    """Return how long the plaintext of a v1 blob of `key` is, without opening it."""
    return len(ciphertext_blob) - len(key.header) - key.suite.iv_length - TAG_LENGTH


def check_plaintext_length(length: int) -> None:
    """Raise `PlaintextSizeError` for a plaintext of more than 6,144 bytes."""
    if length > MAX_PLAINTEXT_LENGTH:
        raise PlaintextSizeError(f"plaintext of {length} bytes, at most {MAX_PLAINTEXT_LENGTH}")


def check_iv(key: SymmetricKey, iv: bytes | None) -> None:
    """Raise `ValueError` if an IV is given and is not as long as the key's suite takes."""
    if iv is not None and len(iv) != key.suite.iv_length:
        raise ValueError(
            f"{key.suite.name} takes an IV of {key.suite.iv_length} bytes, not {len(iv)}"
        )


def fresh_iv(key: SymmetricKey) -> bytes:
    """Return a random IV for the key's suite, from the operating system."""
    return os.urandom(key.suite.iv_length)

"""Where blob, encryption context and cipher meet: seal and open a v1 ciphertext blob.

The associated data is header ‖ canonical context. Both delimit themselves, so that no other
header and context give the same bytes: the tag vouches for magic, format version, suite, key ID,
key version ID and context as it does for IV and ciphertext.
"""

import os

from cryptography.exceptions import InvalidTag

from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH
from kmscore.errors import DecryptionError, PlaintextSizeError
from kmscore.keys import SymmetricKey


def seal(
    key: SymmetricKey, plaintext: bytes, canonical_context: bytes, iv: bytes | None = None
) -> bytes:
    """Return the v1 blob of `plaintext`, with a fresh IV from the operating system.

    An IV that is given instead has the length of the key's suite and is never repeated under one
    key version. Sizes and the state of the key are the caller's to check.
    """
    header, seal_ = key.header, key._seal
    if iv is None:
        iv = os.urandom(key._iv_length)
    return header + iv + seal_(iv, plaintext, header + canonical_context)


def open_blob(key: SymmetricKey, ciphertext_blob: bytes, canonical_context: bytes) -> bytes:
    """Return the plaintext of a v1 blob sealed by `key` under a context.

    Raises `DecryptionError` unless the blob begins with the key's own header and its tag is right.
    """
    if not ciphertext_blob.startswith(key.header):
        raise DecryptionError
    return open_own_blob(key, ciphertext_blob, canonical_context)


def open_own_blob(key: SymmetricKey, ciphertext_blob: bytes, canonical_context: bytes) -> bytes:
    """`open_blob` for a blob that is known to begin with the key's own header."""
    open_ = key._open
    try:
        return open_(
            ciphertext_blob[key._iv], ciphertext_blob[key._sealed], key.header + canonical_context
        )
    except InvalidTag:
        pass
    # Here, where nothing of the cipher's error is left, its frames and what they hold included.
    raise DecryptionError


def plaintext_length(key: SymmetricKey, ciphertext_blob: bytes) -> int:
    """Return how long the plaintext of a v1 blob of `key` is, without opening it."""
    return len(ciphertext_blob) - len(key.header) - key.suite.iv_length - TAG_LENGTH


def check_length(length: int, most: int = MAX_PLAINTEXT_LENGTH) -> None:
    """Raise `PlaintextSizeError` for a plaintext of more than `most` bytes."""
    if length > most:
        raise PlaintextSizeError(f"plaintext of {length} bytes, at most {most}")


def check_iv(key: SymmetricKey, iv: bytes | None) -> None:
    """Raise `ValueError` if an IV is given and is not as long as the key's suite takes."""
    if iv is not None and len(iv) != key.suite.iv_length:
        raise ValueError(
            f"{key.suite.name} takes an IV of {key.suite.iv_length} bytes, not {len(iv)}"
        )

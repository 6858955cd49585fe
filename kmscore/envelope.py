"""Encryption and decryption of a v1 ciphertext blob under a key version.

The associated data is header ‖ canonical context. Both are self-delimiting, so two different pairs
of header and context never give the same bytes. Therefore the tag authenticates magic, format
version, suite, key ID, key version ID and context, in addition to IV and ciphertext.
"""

import os

from cryptography.exceptions import InvalidTag

from kmscore.algorithms import MAX_PLAINTEXT_LENGTH
from kmscore.context import ContextLike, EncryptionContext, canonical_bytes, check_context
from kmscore.errors import DecryptionError, PlaintextSizeError
from kmscore.keys import SymmetricKey


def seal(
    key: SymmetricKey, plaintext: bytes, canonical_context: bytes, iv: bytes | None = None
) -> bytes:
    """Return the v1 blob of `plaintext`, with an IV from the operating system unless one is given.

    A given IV has the length of the key's suite and must never repeat under one key version. The
    caller has checked the sizes and the state of the key.
    """
    header, seal_ = key.header, key._seal
    if iv is None:
        iv = os.urandom(key._iv_length)
    return header + iv + seal_(iv, plaintext, header + canonical_context)


def open_blob(key: SymmetricKey, ciphertext_blob: bytes, canonical_context: bytes) -> bytes:
    """Return the plaintext of a v1 blob that was encrypted by `key` under a context.

    The blob begins with the header of `key`, because the header names the key version.

    Raises `DecryptionError` if the tag is wrong.
    """
    open_ = key._open
    try:
        return open_(
            ciphertext_blob[key._iv], ciphertext_blob[key._sealed], key.header + canonical_context
        )
    except InvalidTag:
        pass
    # After the `except` block: the cipher's error, with its frames and their variables, is gone.
    raise DecryptionError


def canonical_pair(
    source_context: ContextLike, destination_context: ContextLike
) -> tuple[bytes, bytes]:
    """Return the canonical bytes of both contexts. Raises `TypeError`, `InvalidContextError`."""
    if type(source_context) is not dict:
        check_context(source_context, "source_context")
    if type(destination_context) is not dict:
        check_context(destination_context, "destination_context")
    opening = canonical_bytes(source_context)
    if destination_context is source_context:
        return opening, opening
    return opening, canonical_bytes(destination_context)


def reseal(
    source: SymmetricKey,
    destination: SymmetricKey,
    ciphertext_blob: bytes,
    source_context: ContextLike,
    destination_context: ContextLike,
) -> bytes:
    """Return the re-encrypted v1 blob: the short path of `kmscore.reencrypt` and of bulk jobs.

    It checks only the contexts. The caller has found `source` with `Keyring._find_opener`, so the
    blob parses, its header is the header of `source`, the key is usable, and the plaintext is not
    too long. `destination` is a usable primary version. The code of `open_blob` and `seal` is
    repeated here, because each call costs 2 % of the cryptography.

    Raises `TypeError` and `InvalidContextError` for the contexts, and `DecryptionError`.
    """
    if type(source_context) is EncryptionContext and type(destination_context) is EncryptionContext:
        opening, sealing = source_context.canonical, destination_context.canonical
    else:
        opening, sealing = canonical_pair(source_context, destination_context)
    header, seal_, open_ = destination.header, destination._seal, source._open
    try:
        plaintext = open_(
            ciphertext_blob[source._iv], ciphertext_blob[source._sealed], source.header + opening
        )
    except InvalidTag:
        pass
    else:
        iv = os.urandom(destination._iv_length)
        return header + iv + seal_(iv, plaintext, header + sealing)
    raise DecryptionError


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

"""Encryption with a given IV, or with a given k of SM2. Only for test vectors.

If an IV is used twice under one key version, an attacker learns the XOR of the two plaintexts and
can forge blobs. If a k is used twice or is known, an attacker learns the plaintext. Therefore no
other module exports these functions: the operations draw IV and k from the operating system.
"""

from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_instance,
    check_integer,
    take_bytes,
    to_bytes,
)
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, EncryptionAlgorithm
from kmscore.asymmetric import check_plaintext_length, check_public_key
from kmscore.context import ContextLike
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey
from kmscore.keys.der import decode_sm2_public_key
from kmscore.layouts import V1
from kmscore.operations import EncryptResult, encrypt_in
from kmscore.reencryption import ReEncryptResult, prepare
from kmscore.sm2 import Sm2Encoding
from kmscore.sm2.backends import portable
from kmscore.sm2.curve import N
from kmscore.sm2.encodings import serialize

__all__ = ["encrypt", "reencrypt", "sm2_encrypt"]


def encrypt(
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike = None,
    *,
    iv: BytesLike,
) -> EncryptResult:
    """Encrypt as `kmscore.encrypt` does, with a given IV.

    Args:
        keys: The keyring or other provider that has the key.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        plaintext: 0 to 6,144 bytes.
        context: The encryption context. `None` is the empty context.
        iv: 24 bytes for XAES_256_GCM, 12 bytes for every other suite.

    Returns:
        The v1 ciphertext blob and the key version that encrypted it.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric.
        PlaintextSizeError: If the plaintext is longer than 6,144 bytes.
        ValueError: If the IV does not have the length that the suite needs.
    """
    check_bytes(iv, "iv")
    return encrypt_in(V1, keys, key_id, plaintext, context, iv=to_bytes(iv))


def reencrypt(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    destination_key_id: str,
    *,
    iv: BytesLike,
    source_context: ContextLike = None,
    destination_context: ContextLike = None,
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    source_algorithm: EncryptionAlgorithm | str | None = None,
) -> ReEncryptResult:
    """Re-encrypt as `kmscore.reencrypt` does, with a given IV for the destination.

    There is no `dry_run` argument, because a dry run does not use the IV.

    Args:
        keys: The keyring or other provider that has both keys.
        ciphertext_blob: The source ciphertext, as in `kmscore.reencrypt`.
        destination_key_id: The key ID of the destination key.
        iv: 24 bytes for XAES_256_GCM, 12 bytes for every other suite.
        source_context: The encryption context of the source.
        destination_context: The encryption context of the new blob.
        source_key_id: The expected source key ID; required with `source_algorithm`.
        source_key_version_id: The expected source key version ID; required with
            `source_algorithm`.
        source_algorithm: The algorithm of an asymmetric source; `None` for a v1 blob.

    Returns:
        The new v1 blob, and the key versions and the suite that were used.

    Raises:
        TypeError: If an argument has the wrong type.
        KmsCoreError: The errors of `kmscore.reencrypt`, in the same order.
        ValueError: If the IV does not have the length that the suite needs. This check is the last
            one before decryption.
    """
    check_bytes(iv, "iv")
    return prepare(
        V1,
        V1,
        keys,
        ciphertext_blob,
        destination_key_id,
        source_context=source_context,
        destination_context=destination_context,
        source_key_id=source_key_id,
        source_key_version_id=source_key_version_id,
        source_algorithm=source_algorithm,
        dry_run=False,
        iv=to_bytes(iv),
    ).finish()


def sm2_encrypt(public_key: PublicKey, plaintext: BytesLike, k: int) -> bytes:
    """Encrypt with SM2PKE and a given k.

    The `portable` backend computes the ciphertext, because no other backend accepts a k.

    Args:
        public_key: An SM2 public key.
        plaintext: 1 to 6,047 bytes.
        k: The secret number of the encryption, 1 to n-1.

    Returns:
        The ciphertext in C1C3C2, 97 bytes longer than the plaintext.

    Raises:
        TypeError: If an argument has the wrong type.
        KeyUsageError: If the key is not an SM2 key.
        PlaintextSizeError: If the plaintext is empty or longer than 6,047 bytes.
        ValueError: If k is out of range, or if the KDF output for it is all zeros.

    GB/T 32918.4-2016 section 6.
    """
    check_instance(public_key, PublicKey, "public_key")
    check_bytes(plaintext, "plaintext")
    check_integer(k, "k")
    check_public_key(public_key, EncryptionAlgorithm.SM2PKE)
    length, message = take_bytes(plaintext, MAX_PLAINTEXT_LENGTH)
    check_plaintext_length(length, public_key.spec, EncryptionAlgorithm.SM2PKE)
    if not 1 <= k < N:
        raise ValueError("k is not 1 to n-1")
    point = decode_sm2_public_key(public_key.to_der())
    parts = portable.load().encrypt_with_k(point, message, k)
    if parts.c2 == message:
        raise ValueError("k gives a KDF output of zeros")
    return serialize(parts, Sm2Encoding.C1C3C2)

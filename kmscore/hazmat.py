"""The same pure functions with the IV, or SM2's k, given. For test vectors, and nothing else.

An IV used twice under one key version gives away the XOR of the two plaintexts and the means to
forge any number of blobs. A k used twice or known to anyone gives away the plaintext. These
functions are therefore exported nowhere else; the operations draw both themselves.
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
    """`kmscore.encrypt` with the IV given: 12 bytes, or 24 for XAES_256_GCM.

    Raises as that does, and `ValueError` for an IV of another length, among the sizes.
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
    """`kmscore.reencrypt` with the IV of the destination given: 12 bytes, or 24 for XAES_256_GCM.

    There is no dry run: it would draw no IV.

    Raises as that does, and `ValueError` for an IV of another length, before the source is opened.
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
    """Return `plaintext`, 1 to 6,047 bytes, under SM2PKE in C1C3C2, with k in 1..n-1 given.

    The `portable` backend computes it, whichever the key has: no other takes a k.

    Raises `TypeError`, `KeyUsageError` if the key is not one of SM2, `PlaintextSizeError`, and
    `ValueError` if k is out of range or gives a KDF output of zeros.
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

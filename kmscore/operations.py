"""Encrypt and decrypt, symmetric and asymmetric.

Every operation, those in `data_keys` and `reencryption` too, checks in the same order, and the
first failure is raised: types, parse, encryption context, keys (with their state, usage and suite),
public key, sizes, the one open, seal. Once something is being opened, only `DecryptionError` is
left to be raised.

None keeps any state. The result depends on the arguments and, where something is drawn, on the
operating system's random source.
"""

from typing import NamedTuple

from kmscore import asymmetric, envelope
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_text,
    take_bytes,
)
from kmscore._values import new_tuple
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, EncryptionAlgorithm
from kmscore.context import ContextLike, EncryptionContext, canonical_bytes, check_context
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import PublicKey
from kmscore.layouts import V1, BlobLayout, Destination
from kmscore.lookup import (
    check_provider,
    check_sealing_types,
    decrypting_key,
)


class EncryptResult(NamedTuple):
    """A v1 ciphertext blob and the key version that sealed it."""

    key_id: str
    key_version_id: str
    ciphertext_blob: bytes


class DecryptResult(NamedTuple):
    """A plaintext and the key version that opened it."""

    key_id: str
    key_version_id: str
    plaintext: bytes

    def __repr__(self) -> str:
        """Show the length of the plaintext, not the plaintext."""
        return (
            f"{type(self).__name__}(key_id={self.key_id!r},"
            f" key_version_id={self.key_version_id!r}, plaintext=<{len(self.plaintext)} bytes>)"
        )


def encrypt(
    keys: KeyProvider, key_id: str, plaintext: BytesLike, context: ContextLike = None
) -> EncryptResult:
    """Seal `plaintext`, 0 to 6,144 bytes, under the primary version of a symmetric key.

    Returns a v1 ciphertext blob of at most 6,701 bytes that opens only under an equal `context`.

    Raises `TypeError`, `InvalidContextError`, `KeyNotFoundError` for an ID that no key can have,
    what `keys` raises (`KeyNotFoundError`), `IncorrectKeyError` if `keys` answers another key,
    `KeyStateError`, `KeyUsageError` if the key is asymmetric, and `PlaintextSizeError`.
    """
    # The usual call: the keyring has already made every check on the key. For all else, and for
    # whatever is wrong, the checks are gone through one by one.
    if (
        type(keys) is Keyring
        and type(key_id) is str
        and type(plaintext) is bytes
        and len(plaintext) <= MAX_PLAINTEXT_LENGTH
        and (key := keys._find_sealer(key_id)) is not None
    ):
        canonical = (
            context.canonical if type(context) is EncryptionContext else canonical_bytes(context)
        )
        ciphertext_blob = envelope.seal(key, plaintext, canonical)
        return new_tuple(EncryptResult, (key.key_id, key.key_version_id, ciphertext_blob))
    return encrypt_in(V1, keys, key_id, plaintext, context)


def encrypt_in(
    layout: Destination,
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike,
    *,
    iv: bytes | None = None,
) -> EncryptResult:
    """Encrypt in a layout, with the IV given or a fresh one for `None`."""
    check_bytes(plaintext, "plaintext")
    check_sealing_types(keys, key_id, context)
    bound = layout.bind(context)
    key = layout.find_destination(keys, key_id)
    length, message = take_bytes(plaintext, layout.max_plaintext_length)
    envelope.check_length(length, layout.max_plaintext_length)
    envelope.check_iv(key, iv)
    ciphertext_blob = layout.seal(key, message, bound, iv)
    return EncryptResult(key.key_id, key.key_version_id, ciphertext_blob)


def decrypt(
    keys: KeyProvider, ciphertext_blob: BytesLike, context: ContextLike = None
) -> DecryptResult:
    """Open a v1 ciphertext blob, with the key version that its header names.

    Raises `TypeError`, `InvalidBlobError`, `InvalidContextError`, what `keys` raises
    (`KeyNotFoundError`, `KeyVersionNotFoundError`), `IncorrectKeyError` if the key version is bound
    to another suite or `keys` answers another one, `KeyStateError`, `KeyUsageError` if the key is
    asymmetric, `PlaintextSizeError` if more than 6,144 bytes are sealed, and `DecryptionError` if
    the tag is wrong: another context, another key material, or a bit changed anywhere.
    """
    # As in `encrypt`.
    if (
        type(keys) is Keyring
        and type(ciphertext_blob) is bytes
        and (opener := keys._find_opener(ciphertext_blob)) is not None
    ):
        canonical = (
            context.canonical if type(context) is EncryptionContext else canonical_bytes(context)
        )
        plaintext = envelope.open_blob(opener, ciphertext_blob, canonical)
        return new_tuple(DecryptResult, (opener.key_id, opener.key_version_id, plaintext))
    return decrypt_from(V1, keys, ciphertext_blob, context)


def decrypt_from(
    layout: BlobLayout, keys: KeyProvider, ciphertext_blob: BytesLike, context: ContextLike
) -> DecryptResult:
    """Decrypt a ciphertext of a layout."""
    layout.check_keys(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_context(context, "context")
    source = layout.read(keys, ciphertext_blob)
    bound = source.bind(context)
    key = source.find_key()
    source.check_size(layout.max_plaintext_length)
    return DecryptResult(key.key_id, key.key_version_id, source.open(bound))


def asymmetric_encrypt(
    public_key: PublicKey, algorithm: EncryptionAlgorithm | str, plaintext: BytesLike
) -> bytes:
    """Encrypt `plaintext` under a public key; returns the bare ciphertext.

    RSA takes 0 bytes up to the length of the modulus less 66 with SHA-256 and 42 with SHA-1 (190
    and 214 for RSA_2048) and returns as many bytes as the modulus has. SM2PKE takes 1 to 6,047
    bytes and returns C1C3C2, 97 bytes more.

    Raises `TypeError`, `UnsupportedAlgorithmError` if the algorithm is unknown or missing from this
    build of the libraries, `KeyUsageError` if it does not fit the key, and `PlaintextSizeError`.
    """
    check_bytes(plaintext, "plaintext")
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    asymmetric.check_public_key(public_key, algorithm)
    length, message = take_bytes(plaintext, MAX_PLAINTEXT_LENGTH)
    asymmetric.check_plaintext_length(length, public_key.spec, algorithm)
    return asymmetric.encrypt_to(public_key, algorithm, message)


def asymmetric_decrypt(
    keys: KeyProvider,
    key_id: str,
    key_version_id: str,
    algorithm: EncryptionAlgorithm | str,
    ciphertext: BytesLike,
) -> DecryptResult:
    """Decrypt a bare ciphertext with the key version named.

    RSA takes exactly as many bytes as the modulus has. SM2PKE takes ASN1_DER (first byte 30, at
    most 6,159 bytes) and C1C3C2 (first byte 04, at most 6,144).

    Raises `TypeError`, `UnsupportedAlgorithmError` if the algorithm is unknown or missing from this
    build of the libraries, `KeyNotFoundError` or `KeyVersionNotFoundError` for an ID that no key
    can have, what `keys` raises (`KeyNotFoundError`, `KeyVersionNotFoundError`),
    `IncorrectKeyError` if `keys` answers another key, `KeyStateError`, `KeyUsageError` if the
    algorithm does not fit the key, and `DecryptionError` for everything that can be wrong with the
    ciphertext.
    """
    check_provider(keys)
    check_text(key_id, "key_id")
    check_text(key_version_id, "key_version_id")
    check_bytes(ciphertext, "ciphertext")
    algorithm = EncryptionAlgorithm.of(algorithm, "algorithm")
    key = decrypting_key(keys, key_id, key_version_id, algorithm)
    asymmetric.check_supported(algorithm)
    plaintext = asymmetric.decrypt_with(key, algorithm, ciphertext)
    return DecryptResult(key.key_id, key.key_version_id, plaintext)

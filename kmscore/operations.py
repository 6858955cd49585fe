"""The operations but re-encryption: encrypt, decrypt, the data-key family, asymmetric ones.

Every one of them checks in the same order, and the first failure is raised: types, parse,
encryption context, keys (with their state, usage and suite), public key, sizes, the one open, seal.
Once something is being opened, only `DecryptionError` is left to be raised.

None keeps any state. The result depends on the arguments and, where something is drawn, on the
operating system's random source.
"""

import os
from typing import NamedTuple

from kmscore import asymmetric, envelope
from kmscore._arguments import (
    BytesLike,
    byte_length,
    check_bytes,
    check_instance,
    check_integer,
    check_mapping,
    check_text,
)
from kmscore.algorithms import MAX_DATA_KEY_LENGTH, EncryptionAlgorithm
from kmscore.answers import (
    check_provider,
    decrypting_key,
    opening_key,
    read_header,
    sealing_key,
)
from kmscore.blob import blob_bytes
from kmscore.context import ContextLike, EncryptionContext
from kmscore.errors import PlaintextSizeError
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey

_DEFAULT_DATA_KEY_LENGTH = 32


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


class DataKeyResult(NamedTuple):
    """A data key, in plaintext and as a v1 ciphertext blob, and the key version that sealed it."""

    key_id: str
    key_version_id: str
    ciphertext_blob: bytes
    plaintext: bytes

    def __repr__(self) -> str:
        """Show the length of the plaintext, not the plaintext."""
        return (
            f"{type(self).__name__}(key_id={self.key_id!r},"
            f" key_version_id={self.key_version_id!r},"
            f" ciphertext_blob={self.ciphertext_blob!r},"
            f" plaintext=<{len(self.plaintext)} bytes>)"
        )


class ExportResult(NamedTuple):
    """A data key encrypted under a public key, and the key version that holds or sealed it.

    `ciphertext_blob` is `None` unless the data key was made in the same operation.
    """

    key_id: str
    key_version_id: str
    ciphertext_blob: bytes | None
    exported_data_key: bytes


def encrypt(
    keys: KeyProvider, key_id: str, plaintext: BytesLike, context: ContextLike = None
) -> EncryptResult:
    """Seal `plaintext`, 0 to 6,144 bytes, under the primary version of a symmetric key.

    Returns a v1 ciphertext blob of at most 6,701 bytes that opens only under an equal `context`.

    Raises `TypeError`, `InvalidContextError`, what `keys` raises (`KeyNotFoundError`),
    `IncorrectKeyError` if `keys` answers another key, `KeyStateError`, `KeyUsageError` if the key
    is asymmetric, and `PlaintextSizeError`.
    """
    return encrypt_with_iv(keys, key_id, plaintext, context, iv=None)


def encrypt_with_iv(
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike,
    *,
    iv: bytes | None,
) -> EncryptResult:
    """`encrypt` with the IV given, or a fresh one for `None`; `kmscore.hazmat` calls it."""
    check_bytes(plaintext, "plaintext")
    _check_types(keys, key_id, context)
    encryption_context = EncryptionContext.of(context)
    key = sealing_key(keys, key_id)
    envelope.check_plaintext_length(byte_length(plaintext))
    envelope.check_iv(key, iv)
    iv = envelope.fresh_iv(key) if iv is None else iv
    ciphertext_blob = envelope.seal(key, iv, bytes(plaintext), encryption_context)
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
    check_provider(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_mapping(context, "context")
    raw = blob_bytes(ciphertext_blob)
    header = read_header(keys, raw)
    encryption_context = EncryptionContext.of(context)
    key = opening_key(keys, header)
    envelope.check_plaintext_length(envelope.plaintext_length(key, raw))
    plaintext = envelope.open_blob(key, raw, encryption_context)
    return DecryptResult(key.key_id, key.key_version_id, plaintext)


def generate_data_key(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = _DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> DataKeyResult:
    """Draw a data key of 1 to 1,024 bytes and seal it under the primary version of a key.

    Returns the data key in plaintext and as a v1 ciphertext blob.

    Raises as `encrypt` does; `PlaintextSizeError` is for `number_of_bytes`.
    """
    check_integer(number_of_bytes, "number_of_bytes")
    _check_types(keys, key_id, context)
    encryption_context = EncryptionContext.of(context)
    key = sealing_key(keys, key_id)
    _check_data_key_length(number_of_bytes)
    data_key = os.urandom(number_of_bytes)
    ciphertext_blob = envelope.seal(key, envelope.fresh_iv(key), data_key, encryption_context)
    return DataKeyResult(key.key_id, key.key_version_id, ciphertext_blob, data_key)


def generate_data_key_without_plaintext(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = _DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> EncryptResult:
    """`generate_data_key`, but only the ciphertext blob leaves.

    For whoever stores the data key now and lets another one open it later.
    """
    result = generate_data_key(keys, key_id, number_of_bytes=number_of_bytes, context=context)
    return EncryptResult(result.key_id, result.key_version_id, result.ciphertext_blob)


def export_data_key(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    *,
    context: ContextLike = None,
) -> ExportResult:
    """Open a v1 ciphertext blob and encrypt what it holds under `public_key`, a bare ciphertext.

    Raises as `decrypt` does; `KeyUsageError` also if `algorithm` does not fit the public key,
    `UnsupportedAlgorithmError` if it is unknown or missing from this build of the libraries, and
    `PlaintextSizeError` also if the data key does not fit: RSA takes as many bytes as the modulus
    has, less 66 with SHA-256 and 42 with SHA-1, and SM2PKE takes 1 to 6,047.
    """
    check_provider(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_mapping(context, "context")
    algorithm = _check_wrapping_types(public_key, algorithm)
    raw = blob_bytes(ciphertext_blob)
    header = read_header(keys, raw)
    encryption_context = EncryptionContext.of(context)
    key = opening_key(keys, header)
    asymmetric.check_public_key(public_key, algorithm)
    length = envelope.plaintext_length(key, raw)
    envelope.check_plaintext_length(length)
    asymmetric.check_plaintext_length(length, public_key.spec, algorithm)
    data_key = envelope.open_blob(key, raw, encryption_context)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    return ExportResult(key.key_id, key.key_version_id, None, exported)


def generate_and_export_data_key(
    keys: KeyProvider,
    key_id: str,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    *,
    number_of_bytes: int = _DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> ExportResult:
    """Draw a data key of 1 to 1,024 bytes; seal it, and encrypt it under `public_key`.

    Returns both ciphertexts; the plaintext does not leave.

    Raises as `generate_data_key` does, and for the public key as `export_data_key` does.
    """
    check_integer(number_of_bytes, "number_of_bytes")
    _check_types(keys, key_id, context)
    algorithm = _check_wrapping_types(public_key, algorithm)
    encryption_context = EncryptionContext.of(context)
    key = sealing_key(keys, key_id)
    asymmetric.check_public_key(public_key, algorithm)
    _check_data_key_length(number_of_bytes)
    asymmetric.check_plaintext_length(number_of_bytes, public_key.spec, algorithm)
    data_key = os.urandom(number_of_bytes)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    ciphertext_blob = envelope.seal(key, envelope.fresh_iv(key), data_key, encryption_context)
    return ExportResult(key.key_id, key.key_version_id, ciphertext_blob, exported)


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
    algorithm = _check_wrapping_types(public_key, algorithm)
    asymmetric.check_public_key(public_key, algorithm)
    asymmetric.check_plaintext_length(byte_length(plaintext), public_key.spec, algorithm)
    return asymmetric.encrypt_to(public_key, algorithm, bytes(plaintext))


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
    build of the libraries, what `keys` raises (`KeyNotFoundError`, `KeyVersionNotFoundError`),
    `IncorrectKeyError` if `keys` answers another key, `KeyStateError`, `KeyUsageError` if the
    algorithm does not fit the key, and `DecryptionError` for everything that can be wrong with
    the ciphertext.
    """
    check_provider(keys)
    check_text(key_id, "key_id")
    check_text(key_version_id, "key_version_id")
    check_bytes(ciphertext, "ciphertext")
    algorithm = EncryptionAlgorithm(algorithm)
    key = decrypting_key(keys, key_id, key_version_id, algorithm)
    asymmetric.check_supported(algorithm)
    plaintext = asymmetric.decrypt_with(key, algorithm, ciphertext)
    return DecryptResult(key.key_id, key.key_version_id, plaintext)


def _check_data_key_length(length: int) -> None:
    """Raise `PlaintextSizeError` for a data key that is not 1 to 1,024 bytes long."""
    if not 1 <= length <= MAX_DATA_KEY_LENGTH:
        raise PlaintextSizeError(
            f"data key of {length} bytes, at least 1 and at most {MAX_DATA_KEY_LENGTH}"
        )


def _check_types(keys: KeyProvider, key_id: str, context: ContextLike) -> None:
    """Raise `TypeError` for what every sealing operation takes."""
    check_provider(keys)
    check_text(key_id, "key_id")
    check_mapping(context, "context")


def _check_wrapping_types(
    public_key: PublicKey, algorithm: EncryptionAlgorithm | str
) -> EncryptionAlgorithm:
    """Return the algorithm; raise `TypeError` or, if it is unknown, `UnsupportedAlgorithmError`."""
    check_instance(public_key, PublicKey, "public_key")
    return EncryptionAlgorithm(algorithm)

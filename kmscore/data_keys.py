"""The data-key family: draw a data key, seal it, hand it to the holder of another key.

The order of checks is the one that `operations` describes.
"""

import os
from typing import NamedTuple

from kmscore import asymmetric, envelope
from kmscore._arguments import BytesLike, check_bytes, check_integer, check_mapping
from kmscore.algorithms import (
    DEFAULT_DATA_KEY_LENGTH,
    MAX_DATA_KEY_LENGTH,
    EncryptionAlgorithm,
)
from kmscore.blob import CiphertextBlob, blob_bytes
from kmscore.context import ContextLike, canonical_bytes
from kmscore.errors import PlaintextSizeError
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey
from kmscore.lookup import (
    check_provider,
    check_sealing_types,
    opening_key,
    sealing_key,
)
from kmscore.operations import EncryptResult


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


def generate_data_key(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> DataKeyResult:
    """Draw a data key of 1 to 1,024 bytes and seal it under the primary version of a key.

    Returns the data key in plaintext and as a v1 ciphertext blob.

    Raises as `encrypt` does; `PlaintextSizeError` is for `number_of_bytes`.
    """
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    canonical = canonical_bytes(context)
    key = sealing_key(keys, key_id)
    check_data_key_length(number_of_bytes)
    data_key = os.urandom(number_of_bytes)
    ciphertext_blob = envelope.seal(key, data_key, canonical)
    return DataKeyResult(key.key_id, key.key_version_id, ciphertext_blob, data_key)


def generate_data_key_without_plaintext(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
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
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    raw = blob_bytes(ciphertext_blob)
    blob = CiphertextBlob.parse(raw)
    canonical = canonical_bytes(context)
    key = opening_key(keys, blob)
    asymmetric.check_public_key(public_key, algorithm)
    length = envelope.plaintext_length(key, raw)
    envelope.check_plaintext_length(length)
    asymmetric.check_plaintext_length(length, public_key.spec, algorithm)
    data_key = envelope.open_blob(key, raw, canonical)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    return ExportResult(key.key_id, key.key_version_id, None, exported)


def generate_and_export_data_key(
    keys: KeyProvider,
    key_id: str,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> ExportResult:
    """Draw a data key of 1 to 1,024 bytes; seal it, and encrypt it under `public_key`.

    Returns both ciphertexts; the plaintext does not leave.

    Raises as `generate_data_key` does, and for the public key as `export_data_key` does.
    """
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    canonical = canonical_bytes(context)
    key = sealing_key(keys, key_id)
    asymmetric.check_public_key(public_key, algorithm)
    check_data_key_length(number_of_bytes)
    asymmetric.check_plaintext_length(number_of_bytes, public_key.spec, algorithm)
    data_key = os.urandom(number_of_bytes)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    ciphertext_blob = envelope.seal(key, data_key, canonical)
    return ExportResult(key.key_id, key.key_version_id, ciphertext_blob, exported)


def check_data_key_length(length: int) -> None:
    """Raise `PlaintextSizeError` for a data key that is not 1 to 1,024 bytes long."""
    if not 1 <= length <= MAX_DATA_KEY_LENGTH:
        raise PlaintextSizeError(f"a data key has 1 to {MAX_DATA_KEY_LENGTH} bytes")

"""The data-key family: draw a data key, seal it, hand it to the holder of another key.

The order of checks is the one that `operations` describes.
"""

import os
from typing import NamedTuple

from kmscore import asymmetric
from kmscore._typecheck import BytesLike, check_bytes, check_integer
from kmscore.algorithms import (
    DEFAULT_DATA_KEY_LENGTH,
    MAX_DATA_KEY_LENGTH,
    EncryptionAlgorithm,
)
from kmscore.context import ContextLike, check_context
from kmscore.errors import DecryptionError, PlaintextSizeError
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey
from kmscore.layouts import V1, BlobLayout, Destination
from kmscore.lookup import (
    check_sealing_types,
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
    return generate_in(V1, keys, key_id, number_of_bytes, context)


def generate_in(
    layout: Destination,
    keys: KeyProvider,
    key_id: str,
    number_of_bytes: int,
    context: ContextLike,
) -> DataKeyResult:
    """Draw a data key and encrypt it in a layout."""
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    bound = layout.bind(context)
    key = layout.find_destination(keys, key_id)
    check_data_key_length(number_of_bytes)
    data_key = os.urandom(number_of_bytes)
    ciphertext_blob = layout.seal(key, data_key, bound)
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
    return export_from(V1, keys, ciphertext_blob, public_key, algorithm, context)


def export_from(
    layout: BlobLayout,
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    context: ContextLike,
) -> ExportResult:
    """Decrypt a ciphertext of a layout and encrypt its plaintext under `public_key`."""
    layout.check_keys(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_context(context, "context")
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    source = layout.read(keys, ciphertext_blob)
    bound = source.bind(context)
    key = source.find_key()
    asymmetric.check_public_key(public_key, algorithm)
    source.check_size(layout.max_plaintext_length)
    asymmetric.check_plaintext_length(source.least_plaintext_length, public_key.spec, algorithm)
    data_key = source.open(bound)
    if not asymmetric.fits(len(data_key), public_key.spec, algorithm):
        del data_key  # an error reporter can show the variables of this frame
        raise DecryptionError
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
    return generate_and_export_in(V1, keys, key_id, public_key, algorithm, number_of_bytes, context)


def generate_and_export_in(
    layout: Destination,
    keys: KeyProvider,
    key_id: str,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    number_of_bytes: int,
    context: ContextLike,
) -> ExportResult:
    """Draw a data key; encrypt it in a layout, and under `public_key`."""
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    bound = layout.bind(context)
    key = layout.find_destination(keys, key_id)
    asymmetric.check_public_key(public_key, algorithm)
    check_data_key_length(number_of_bytes)
    asymmetric.check_plaintext_length(number_of_bytes, public_key.spec, algorithm)
    data_key = os.urandom(number_of_bytes)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    ciphertext_blob = layout.seal(key, data_key, bound)
    return ExportResult(key.key_id, key.key_version_id, ciphertext_blob, exported)


def check_data_key_length(length: int) -> None:
    """Raise `PlaintextSizeError` for a data key that is not 1 to 1,024 bytes long."""
    if not 1 <= length <= MAX_DATA_KEY_LENGTH:
        raise PlaintextSizeError(f"a data key has 1 to {MAX_DATA_KEY_LENGTH} bytes")

"""Data keys: draw, encrypt under a key, export under a public key.

The module `operations` documents the order of the checks.
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
    """A data key, in plaintext and encrypted, and the key version that encrypted it."""

    key_id: str
    """The key ID of the encryption key."""

    key_version_id: str
    """The ID of the primary version, which encrypted the data key."""

    ciphertext_blob: bytes
    """The data key as a v1 ciphertext blob."""

    plaintext: bytes
    """The data key itself, 1 to 1,024 bytes."""

    def __repr__(self) -> str:
        """Show the length of the plaintext, not the plaintext."""
        return (
            f"{type(self).__name__}(key_id={self.key_id!r},"
            f" key_version_id={self.key_version_id!r},"
            f" ciphertext_blob={self.ciphertext_blob!r},"
            f" plaintext=<{len(self.plaintext)} bytes>)"
        )


class ExportResult(NamedTuple):
    """A data key encrypted under a public key, and the key version that protects it."""

    key_id: str
    """The key ID of the key that the ciphertext blob belongs to."""

    key_version_id: str
    """The ID of the key version that the ciphertext blob belongs to."""

    ciphertext_blob: bytes | None
    """The new data key as a v1 ciphertext blob; `None` if an existing data key was exported."""

    exported_data_key: bytes
    """The data key encrypted under the public key, an asymmetric ciphertext."""


def generate_data_key(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
) -> DataKeyResult:
    """Draw a data key and encrypt it under the primary version of a key.

    Args:
        keys: The keyring or other provider that has the key.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        number_of_bytes: Length of the data key, 1 to 1,024 bytes.
        context: The encryption context of the ciphertext blob. `None` is the empty context.

    Returns:
        The data key in plaintext and as a v1 ciphertext blob, and the key version that encrypted
        it.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric.
        PlaintextSizeError: If `number_of_bytes` is not 1 to 1,024.
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
    """Draw a data key and return it only in encrypted form.

    Use it where the data key is stored now and decrypted later by another party.

    Args:
        keys: The keyring or other provider that has the key.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        number_of_bytes: Length of the data key, 1 to 1,024 bytes.
        context: The encryption context of the ciphertext blob. `None` is the empty context.

    Returns:
        The data key as a v1 ciphertext blob, and the key version that encrypted it.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric.
        PlaintextSizeError: If `number_of_bytes` is not 1 to 1,024.
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
    """Decrypt a v1 ciphertext blob and encrypt its data key under a public key.

    Args:
        keys: The keyring or other provider that has the key version of the blob.
        ciphertext_blob: The data key as a v1 ciphertext blob.
        public_key: The RSA or SM2 public key of the recipient.
        algorithm: The encryption algorithm of the export, as a member or its name.
        context: The encryption context of the ciphertext blob. `None` is the empty context.

    Returns:
        The data key encrypted under `public_key`, and the key version that decrypted the blob. The
        plaintext is not returned.

    Raises:
        TypeError: If an argument has the wrong type.
        UnsupportedAlgorithmError: If the algorithm is unknown.
        InvalidBlobError: If `ciphertext_blob` is not exactly one v1 blob.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If `keys` has no such key.
        KeyVersionNotFoundError: If the key has no such version.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key or key version, or if the key version
            is bound to a suite other than the header's.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric, or if the algorithm does not fit the public key.
        UnsupportedAlgorithmError: If the installed libraries lack the algorithm.
        PlaintextSizeError: If the data key does not fit the algorithm. RSA takes at most 66 bytes
            less than the modulus has with RSAES_OAEP_SHA_256, and at most 42 bytes less with
            RSAES_OAEP_SHA_1. SM2PKE takes 1 to 6,047 bytes.
        DecryptionError: If the tag is wrong.
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
    """Draw a data key and encrypt it both under a key and under a public key.

    Args:
        keys: The keyring or other provider that has the key.
        key_id: The key ID, 1 to 255 printable ASCII characters.
        public_key: The RSA or SM2 public key of the recipient.
        algorithm: The encryption algorithm of the export, as a member or its name.
        number_of_bytes: Length of the data key, 1 to 1,024 bytes.
        context: The encryption context of the ciphertext blob. `None` is the empty context.

    Returns:
        Both ciphertexts, and the key version that encrypted the v1 blob. The plaintext is not
        returned.

    Raises:
        TypeError: If an argument has the wrong type.
        UnsupportedAlgorithmError: If the algorithm is unknown.
        InvalidContextError: If the context cannot be serialised within 65,535 bytes.
        KeyNotFoundError: If no key can have `key_id`, or if `keys` has no such key.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key.
        KeyStateError: If the key version is not enabled.
        KeyUsageError: If the key is asymmetric, or if the algorithm does not fit the public key.
        UnsupportedAlgorithmError: If the installed libraries lack the algorithm.
        PlaintextSizeError: If `number_of_bytes` is not 1 to 1,024, or if the data key does not fit
            the algorithm. RSA takes at most 66 bytes
            less than the modulus has with RSAES_OAEP_SHA_256, and at most 42 bytes less with
            RSAES_OAEP_SHA_1. SM2PKE takes 1 to 6,047 bytes.
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

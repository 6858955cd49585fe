"""Encrypt, decrypt, and generate and export data keys, each in the layout of a profile.

Under `Profile.V1` these functions do the same as the functions of the same names in `kmscore`. The
order of the checks is the same for all profiles; `kmscore.operations` describes it.

Any other exception of the key provider passes through a function unchanged.
"""

import kmscore
from kmscore._typecheck import BytesLike, check_instance
from kmscore.algorithms import DEFAULT_DATA_KEY_LENGTH, EncryptionAlgorithm
from kmscore.alibaba.payloads import layout_of
from kmscore.alibaba.profile import Profile
from kmscore.context import ContextLike
from kmscore.data_keys import (
    DataKeyResult,
    ExportResult,
    export_from,
    generate_and_export_in,
    generate_in,
)
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey
from kmscore.layouts import V1, BlobLayout
from kmscore.operations import DecryptResult, EncryptResult, decrypt_from, encrypt_in


def encrypt(
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> EncryptResult:
    """Encrypt a plaintext under the primary version of a symmetric key.

    The maximum length of the plaintext depends on the profile:

    - v1, payload `RAW`: 6,144 bytes.
    - v1, payload `BASE64`: 4,608 bytes.
    - The service's layout, payload `BASE64`: 6,144 bytes.
    - The service's layout, payload `RAW`: 8,192 bytes, because the Base64 text of 6,144 bytes has
      this length.

    Args:
        keys: The key provider.
        key_id: The ID of a symmetric key.
        plaintext: The bytes to encrypt, from 0 to the maximum length.
        context: The encryption context. In the service's layout `None` and `{}` are different,
            unless the profile sets `empty_is_absent`.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The key version, and a blob of the profile's layout. A v1 blob has at most 6,701 bytes, and
        a blob of the service's layout has at most 8,259.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key.
        InvalidContextError: If `context` breaks the rules of `EncryptionContext`. In the service's
            layout also if it is ambiguous and `allow_ambiguous` is false.
        KeyNotFoundError: If `key_id` is not 1 to 255 printable ASCII characters without space, or
            if `keys` raises it.
        IncorrectKeyError: If `keys` returns another key.
        KeyStateError: If the key is not enabled.
        KeyUsageError: If the key is asymmetric. In the service's layout also if the key version is
            bound to `XAES_256_GCM` or its ID is not a UUID.
        PlaintextSizeError: If the plaintext is longer than the maximum length.
    """
    layout = _choose(profile, allow_ambiguous)
    if layout is V1:
        return kmscore.encrypt(keys, key_id, plaintext, context)
    return encrypt_in(layout, keys, key_id, plaintext, context)


def decrypt(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> DecryptResult:
    """Decrypt a blob of the profile's layout with the key version that it names.

    Args:
        keys: The key provider. In the service's layout a `KeyVersionProvider`, such as
            `VersionIndex`.
        ciphertext_blob: The blob.
        context: The encryption context of the blob. In the service's layout `None` and `{}` are
            different, unless the profile sets `empty_is_absent`.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The key version and the plaintext. The plaintext has at most as many bytes as `encrypt`
        accepts for the profile.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key.
        InvalidBlobError: If the bytes are not a blob of the profile's layout.
        InvalidContextError: If `context` breaks the rules of `EncryptionContext`. In the service's
            layout also if it is ambiguous and `allow_ambiguous` is false.
        KeyNotFoundError: If `keys` raises it.
        KeyVersionNotFoundError: If `keys` raises it.
        IncorrectKeyError: If `keys` returns another key or key version. In v1 also if the key
            version is bound to another suite than the header names.
        KeyStateError: If the key is not enabled.
        KeyUsageError: If the key is asymmetric. In the service's layout also if the key version is
            bound to `XAES_256_GCM`.
        PlaintextSizeError: If the length of the blob shows that its plaintext is too long.
        DecryptionError: If the tag is wrong, because the context, the key material or a byte of the
            blob differs. With the payload `BASE64` also if the encrypted text is not strict Base64.
    """
    layout = _choose(profile, allow_ambiguous)
    if layout is V1:
        return kmscore.decrypt(keys, ciphertext_blob, context)
    return decrypt_from(layout, keys, ciphertext_blob, context)


def generate_data_key(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> DataKeyResult:
    """Generate a random data key and encrypt it in the profile's layout.

    Args:
        keys: The key provider.
        key_id: The ID of a symmetric key. Its primary version encrypts the data key.
        number_of_bytes: The length of the data key, 1 to 1,024 bytes (default 32).
        context: The encryption context of the blob.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The key version, the blob and the data key in plaintext.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key.
        InvalidContextError: If `context` breaks the rules of `EncryptionContext`. In the service's
            layout also if it is ambiguous and `allow_ambiguous` is false.
        KeyNotFoundError: If `key_id` is not 1 to 255 printable ASCII characters without space, or
            if `keys` raises it.
        IncorrectKeyError: If `keys` returns another key.
        KeyStateError: If the key is not enabled.
        KeyUsageError: If the key is asymmetric. In the service's layout also if the key version is
            bound to `XAES_256_GCM` or its ID is not a UUID.
        PlaintextSizeError: If `number_of_bytes` is not 1 to 1,024.
    """
    layout = _choose(profile, allow_ambiguous)
    return generate_in(layout, keys, key_id, number_of_bytes, context)


def export_data_key(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    *,
    context: ContextLike = None,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> ExportResult:
    """Decrypt a blob of the profile's layout and encrypt its plaintext under a public key.

    RSA accepts a plaintext of 0 bytes up to the length of the modulus minus 66 (SHA-256) or minus
    42 (SHA-1). SM2PKE accepts 1 to 6,047 bytes.

    Args:
        keys: The key provider. In the service's layout a `KeyVersionProvider`, such as
            `VersionIndex`.
        ciphertext_blob: The blob.
        public_key: The wrapping key.
        algorithm: The asymmetric algorithm of the wrapping key.
        context: The encryption context of the blob.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The key version of the blob, and the exported data key. `ciphertext_blob` is `None`.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key.
        UnsupportedAlgorithmError: If `algorithm` is unknown, or not available in this build of the
            libraries. The second case is checked after the keys.
        InvalidBlobError: If the bytes are not a blob of the profile's layout.
        InvalidContextError: If `context` breaks the rules of `EncryptionContext`. In the service's
            layout also if it is ambiguous and `allow_ambiguous` is false.
        KeyNotFoundError: If `keys` raises it.
        KeyVersionNotFoundError: If `keys` raises it.
        IncorrectKeyError: If `keys` returns another key or key version. In v1 also if the key
            version is bound to another suite than the header names.
        KeyStateError: If the key is not enabled.
        KeyUsageError: If the key is asymmetric. In the service's layout also if the key version is
            bound to `XAES_256_GCM`. In every layout also if `algorithm` does not fit `public_key`.
        PlaintextSizeError: If the length of the blob shows that its plaintext is too long for the
            profile, or does not fit `public_key`.
        DecryptionError: If the tag is wrong. With the payload `BASE64` also if the encrypted text
            is not strict Base64, or if the decoded plaintext does not fit `public_key`, because the
            blob shows the length of the plaintext only within 2 bytes.
    """
    layout = _choose(profile, allow_ambiguous)
    return export_from(layout, keys, ciphertext_blob, public_key, algorithm, context)


def generate_and_export_data_key(
    keys: KeyProvider,
    key_id: str,
    public_key: PublicKey,
    algorithm: EncryptionAlgorithm | str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> ExportResult:
    """Generate a random data key, encrypt it in the profile's layout, and export it.

    The plaintext of the data key is not returned.

    Args:
        keys: The key provider.
        key_id: The ID of a symmetric key. Its primary version encrypts the data key.
        public_key: The wrapping key.
        algorithm: The asymmetric algorithm of the wrapping key.
        number_of_bytes: The length of the data key, 1 to 1,024 bytes (default 32).
        context: The encryption context of the blob.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The key version, the blob, and the exported data key.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key.
        UnsupportedAlgorithmError: If `algorithm` is unknown, or not available in this build of the
            libraries. The second case is checked after the keys.
        InvalidContextError: If `context` breaks the rules of `EncryptionContext`. In the service's
            layout also if it is ambiguous and `allow_ambiguous` is false.
        KeyNotFoundError: If `key_id` is not 1 to 255 printable ASCII characters without space, or
            if `keys` raises it.
        IncorrectKeyError: If `keys` returns another key.
        KeyStateError: If the key is not enabled.
        KeyUsageError: If the key is asymmetric. In the service's layout also if the key version is
            bound to `XAES_256_GCM` or its ID is not a UUID. In every layout also if `algorithm`
            does not fit `public_key`.
        PlaintextSizeError: If `number_of_bytes` is not 1 to 1,024, or does not fit `public_key`.
    """
    layout = _choose(profile, allow_ambiguous)
    return generate_and_export_in(
        layout, keys, key_id, public_key, algorithm, number_of_bytes, context
    )


def check_sealing(
    keys: KeyProvider, key_id: str, context: ContextLike, *, profile: Profile, allow_ambiguous: bool
) -> None:
    """Raise the errors that `encrypt` raises before it generates random bytes, for a dry run.

    The caller checks the sizes.
    """
    layout = layout_of(profile, allow_ambiguous=allow_ambiguous)
    layout.bind(context)
    layout.find_destination(keys, key_id)


def _choose(profile: Profile, allow_ambiguous: bool) -> BlobLayout:  # noqa: FBT001 (see the callers)
    """Return the layout of a profile, or raise `TypeError` if an argument has the wrong type."""
    check_instance(profile, Profile, "profile")
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    return layout_of(profile, allow_ambiguous=allow_ambiguous)

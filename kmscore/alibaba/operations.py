"""Encrypt, decrypt and the data-key family under a profile.

Under `Profile.V1` they are the functions of the same names in `kmscore`, and take and raise the
same; here is what is different under others. The order of checks is the same for all.
"""

import os

import kmscore
from kmscore import asymmetric
from kmscore._arguments import (
    BytesLike,
    check_bytes,
    check_instance,
    check_integer,
    check_mapping,
    take_bytes,
)
from kmscore.algorithms import DEFAULT_DATA_KEY_LENGTH, EncryptionAlgorithm
from kmscore.alibaba.payloads import check_length, most_plaintext_length
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.sides import destination_of, source_of
from kmscore.alibaba.version_index import check_version_provider
from kmscore.context import ContextLike
from kmscore.data_keys import DataKeyResult, ExportResult, check_data_key_length
from kmscore.errors import DecryptionError
from kmscore.keyring import KeyProvider
from kmscore.keys import PublicKey
from kmscore.lookup import check_provider, check_sealing_types
from kmscore.operations import DecryptResult, EncryptResult


def encrypt(
    keys: KeyProvider,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> EncryptResult:
    """Seal `plaintext` under the primary version of a symmetric key.

    It has 0 to 6,144 bytes. In the service's layout it may have 8,192 if the payload is `RAW`,
    because so long a text is sealed there; in v1 it may have 4,608 if the payload is `BASE64`.

    Returns a blob of the profile's layout, in the service's of at most 8,259 bytes.

    Raises as `kmscore.encrypt` does; in the service's layout also `InvalidContextError` for an
    ambiguous context unless that is allowed, and `KeyUsageError` if the key version is bound to
    `XAES_256_GCM` or its ID is not a UUID.
    """
    _check_options(profile, allow_ambiguous)
    if profile == Profile.V1:
        return kmscore.encrypt(keys, key_id, plaintext, context)
    check_bytes(plaintext, "plaintext")
    check_sealing_types(keys, key_id, context)
    destination = destination_of(profile)
    bound = destination.bind(context, allow_ambiguous=allow_ambiguous)
    key = destination.key(keys, key_id)
    most = most_plaintext_length(profile)
    length, message = take_bytes(plaintext, most)
    check_length(length, most)
    blob = destination.seal(key, message, bound)
    return EncryptResult(key.key_id, key.key_version_id, blob)


def decrypt(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> DecryptResult:
    """Open a blob of the profile's layout, with the key version that it names.

    In the service's layout `keys` is a `KeyVersionProvider`, such as `VersionIndex`; `None` and
    `{}` are different contexts, unless the profile says otherwise.

    Raises as `kmscore.decrypt` does; in the service's layout also `InvalidContextError` for an
    ambiguous context unless that is allowed, `KeyUsageError` if the key version is bound to
    `XAES_256_GCM`, and `DecryptionError` if what was sealed is not the strict Base64 that is due.
    """
    _check_options(profile, allow_ambiguous)
    if profile == Profile.V1:
        return kmscore.decrypt(keys, ciphertext_blob, context)
    _check_keys(keys, profile)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_mapping(context, "context")
    source = source_of(keys, ciphertext_blob, profile)
    bound = source.bind(context, allow_ambiguous=allow_ambiguous)
    key = source.find_key()
    source.check_size(most_plaintext_length(profile))
    return DecryptResult(key.key_id, key.key_version_id, source.open(bound))


def generate_data_key(
    keys: KeyProvider,
    key_id: str,
    *,
    number_of_bytes: int = DEFAULT_DATA_KEY_LENGTH,
    context: ContextLike = None,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> DataKeyResult:
    """Draw a data key of 1 to 1,024 bytes and seal it in the profile's layout.

    Raises as `kmscore.generate_data_key` does, and in the service's layout as `encrypt`.
    """
    _check_options(profile, allow_ambiguous)
    if profile == Profile.V1:
        return kmscore.generate_data_key(
            keys, key_id, number_of_bytes=number_of_bytes, context=context
        )
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    destination = destination_of(profile)
    bound = destination.bind(context, allow_ambiguous=allow_ambiguous)
    key = destination.key(keys, key_id)
    check_data_key_length(number_of_bytes)
    data_key = os.urandom(number_of_bytes)
    blob = destination.seal(key, data_key, bound)
    return DataKeyResult(key.key_id, key.key_version_id, blob, data_key)


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
    """Open a blob of the profile's layout and encrypt what it holds under `public_key`.

    Raises as `kmscore.export_data_key` does, and in the service's layout as `decrypt`. Sealed as
    Base64, a plaintext shows its length within two bytes before it is opened: `PlaintextSizeError`
    if the least of these does not fit, and `DecryptionError` if what was opened does not.
    """
    _check_options(profile, allow_ambiguous)
    if profile == Profile.V1:
        return kmscore.export_data_key(
            keys, ciphertext_blob, public_key, algorithm, context=context
        )
    _check_keys(keys, profile)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_mapping(context, "context")
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    source = source_of(keys, ciphertext_blob, profile)
    bound = source.bind(context, allow_ambiguous=allow_ambiguous)
    key = source.find_key()
    asymmetric.check_public_key(public_key, algorithm)
    source.check_size(most_plaintext_length(profile))
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
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> ExportResult:
    """Draw a data key of 1 to 1,024 bytes; seal it in the profile's layout, and export it.

    Raises as `kmscore.generate_and_export_data_key` does, and in the service's layout as `encrypt`.
    """
    _check_options(profile, allow_ambiguous)
    if profile == Profile.V1:
        return kmscore.generate_and_export_data_key(
            keys, key_id, public_key, algorithm, number_of_bytes=number_of_bytes, context=context
        )
    check_integer(number_of_bytes, "number_of_bytes")
    check_sealing_types(keys, key_id, context)
    algorithm = asymmetric.check_arguments(public_key, algorithm)
    destination = destination_of(profile)
    bound = destination.bind(context, allow_ambiguous=allow_ambiguous)
    key = destination.key(keys, key_id)
    asymmetric.check_public_key(public_key, algorithm)
    check_data_key_length(number_of_bytes)
    asymmetric.check_plaintext_length(number_of_bytes, public_key.spec, algorithm)
    data_key = os.urandom(number_of_bytes)
    exported = asymmetric.encrypt_to(public_key, algorithm, data_key)
    blob = destination.seal(key, data_key, bound)
    return ExportResult(key.key_id, key.key_version_id, blob, exported)


def check_sealing(
    keys: KeyProvider, key_id: str, context: ContextLike, *, profile: Profile, allow_ambiguous: bool
) -> None:
    """Raise what sealing would before it draws anything: for a dry run.

    Sizes are the caller's to check.
    """
    destination = destination_of(profile)
    destination.bind(context, allow_ambiguous=allow_ambiguous)
    destination.key(keys, key_id)


def _check_keys(keys: object, profile: Profile) -> None:
    """Raise `TypeError` unless `keys` finds key versions as blobs of the profile name them."""
    if profile.is_v1:
        check_provider(keys)
    else:
        check_version_provider(keys)


def _check_options(profile: object, allow_ambiguous: object) -> None:
    """Raise `TypeError` for what every function here takes beside those of its namesake."""
    check_instance(profile, Profile, "profile")
    check_instance(allow_ambiguous, bool, "allow_ambiguous")

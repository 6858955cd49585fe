"""Encrypt, decrypt and the data-key family under a profile.

Under `Profile.V1` they are the functions of the same names in `kmscore`, and take and raise the
same; here is what is different under others. The order of checks is the same for all.
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
    """Seal `plaintext` under the primary version of a symmetric key.

    It has 0 to 6,144 bytes. In the service's layout it may have 8,192 if the payload is `RAW`,
    because so long a text is sealed there; in v1 it may have 4,608 if the payload is `BASE64`.

    Returns a blob of the profile's layout, in the service's of at most 8,259 bytes.

    Raises as `kmscore.encrypt` does; in the service's layout also `InvalidContextError` for an
    ambiguous context unless that is allowed, and `KeyUsageError` if the key version is bound to
    `XAES_256_GCM` or its ID is not a UUID.
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
    """Open a blob of the profile's layout, with the key version that it names.

    In the service's layout `keys` is a `KeyVersionProvider`, such as `VersionIndex`; `None` and
    `{}` are different contexts, unless the profile says otherwise.

    Raises as `kmscore.decrypt` does; in the service's layout also `InvalidContextError` for an
    ambiguous context unless that is allowed, `KeyUsageError` if the key version is bound to
    `XAES_256_GCM`, and `DecryptionError` if what was sealed is not the strict Base64 that is due.
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
    """Draw a data key of 1 to 1,024 bytes and seal it in the profile's layout.

    Raises as `kmscore.generate_data_key` does, and in the service's layout as `encrypt`.
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
    """Open a blob of the profile's layout and encrypt what it holds under `public_key`.

    Raises as `kmscore.export_data_key` does, and in the service's layout as `decrypt`. Sealed as
    Base64, a plaintext shows its length within two bytes before it is opened: `PlaintextSizeError`
    if the least of these does not fit, and `DecryptionError` if what was opened does not.
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
    """Draw a data key of 1 to 1,024 bytes; seal it in the profile's layout, and export it.

    Raises as `kmscore.generate_and_export_data_key` does, and in the service's layout as `encrypt`.
    """
    layout = _choose(profile, allow_ambiguous)
    return generate_and_export_in(
        layout, keys, key_id, public_key, algorithm, number_of_bytes, context
    )


def check_sealing(
    keys: KeyProvider, key_id: str, context: ContextLike, *, profile: Profile, allow_ambiguous: bool
) -> None:
    """Raise what sealing would before it draws anything: for a dry run.

    Sizes are the caller's to check.
    """
    layout = layout_of(profile, allow_ambiguous=allow_ambiguous)
    layout.bind(context)
    layout.find_destination(keys, key_id)


def _choose(profile: Profile, allow_ambiguous: bool) -> BlobLayout:  # noqa: FBT001 (see the callers)
    """Return the layout of a profile. Raises `TypeError` for a wrong type of either."""
    check_instance(profile, Profile, "profile")
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    return layout_of(profile, allow_ambiguous=allow_ambiguous)

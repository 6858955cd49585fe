"""Re-encryption between layouts: out of the service's into v1, back, or within it."""

from typing import Any

import kmscore
from kmscore._typecheck import BytesLike, check_instance, check_optional_text
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.alibaba.payloads import as_sealed, layout_of
from kmscore.alibaba.profile import Profile
from kmscore.context import ContextLike
from kmscore.keyring import KeyProvider
from kmscore.layouts import V1
from kmscore.reencryption import ReEncryptResult, prepare


def reencrypt(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    destination_key_id: str,
    *,
    source_profile: Profile = Profile.V1,
    destination_profile: Profile = Profile.V1,
    source_context: ContextLike = None,
    destination_context: ContextLike = None,
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    source_algorithm: EncryptionAlgorithm | str | None = None,
    allow_ambiguous: bool = False,
    dry_run: bool = False,
) -> ReEncryptResult:
    """`kmscore.reencrypt` from one profile's layout into another's.

    With both profiles `Profile.V1` it is that function. A source in the service's layout needs
    `keys` to be a `KeyVersionProvider`, such as `VersionIndex`. An asymmetric source has no layout,
    and `source_profile` stays v1 with `source_algorithm`. For a context on a side of the
    service's layout, `None` and `{}` differ unless the profile says otherwise.

    **Payloads.** Between two profiles with the same payload, what is sealed is moved as it is, and
    not decoded. From `Payload.BASE64` into `Profile.V1` the text has to be strict Base64, and its
    bytes are moved. For archives that also hold other texts, such as passwords, take `Payload.RAW`
    for the source: then all texts are moved as they are, in UTF-8.

    **An ambiguous context** (see `is_ambiguous`) on a side of the service's layout needs
    `allow_ambiguous`. Under the service's rule the source opens with every reading of its context
    that the caller may choose, and v1 would then authenticate the one that was chosen.

    Returns a `ReEncryptResult`; `source_algorithm` is `None` for a blob of either layout.

    Raises as `kmscore.reencrypt` does, in the same order; in the service's layout also
    `InvalidContextError` for an ambiguous context that is not allowed, `KeyUsageError` for a key
    version bound to `XAES_256_GCM` and, at the destination, for one whose ID is not a UUID, and
    `DecryptionError` if what was sealed is not the strict Base64 that is due. `PlaintextSizeError`
    is raised for what the destination's layout cannot hold, if the length of the source tells it:
    v1 holds 6,144 bytes and a blob of the service's layout 8,192, as a text or as Base64. If only
    the opening tells it, as for an asymmetric source, it is `DecryptionError`.
    """
    for name, value in (
        ("source_profile", source_profile),
        ("destination_profile", destination_profile),
    ):
        check_instance(value, Profile, name)
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    check_optional_text(source_algorithm, "source_algorithm")
    if source_algorithm is None and source_profile.payload is destination_profile.payload:
        source_profile, destination_profile = map(as_sealed, (source_profile, destination_profile))
    source_layout, destination_layout = (
        layout_of(profile, allow_ambiguous=allow_ambiguous)
        for profile in (source_profile, destination_profile)
    )
    options: dict[str, Any] = {
        "source_context": source_context,
        "destination_context": destination_context,
        "source_key_id": source_key_id,
        "source_key_version_id": source_key_version_id,
        "source_algorithm": source_algorithm,
        "dry_run": dry_run,
    }
    arguments = keys, ciphertext_blob, destination_key_id
    if source_layout is destination_layout is V1:
        return kmscore.reencrypt(*arguments, **options)
    return prepare(source_layout, destination_layout, *arguments, **options).finish()

"""Re-encryption between layouts: out of the service's into v1, back, or within it."""

import kmscore
from kmscore._arguments import (
    BytesLike,
    check_bytes,
    check_instance,
    check_mapping,
    check_optional_text,
    check_text,
)
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.alibaba.payloads import as_sealed, most_plaintext_length
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.sides import (
    AsymmetricSource,
    ServiceSource,
    V1Source,
    destination_of,
    source_of,
)
from kmscore.context import ContextLike
from kmscore.errors import DecryptionError
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider
from kmscore.reencryption import ReEncryptResult


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
    and `source_profile` stays v1 beside `source_algorithm`. For a context on a side of the
    service's layout, `None` and `{}` differ unless the profile says otherwise.

    **Payloads.** Between two profiles with the same payload, what is sealed is moved as it is, and
    not decoded. From `Payload.BASE64` into `Profile.V1` the text has to be strict Base64, and its
    bytes are moved. For archives that also hold other texts, such as passwords, take `Payload.RAW`
    for the source: then all texts are moved as they are, in UTF-8.

    **An ambiguous context** (see `is_ambiguous`) on a side of the service's layout needs
    `allow_ambiguous`. Under the service's rule the source opens with every reading of its context
    that the caller may choose, and v1 would then vouch for the one that was chosen.

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
    if source_algorithm is None and source_profile.payload is destination_profile.payload:
        source_profile, destination_profile = map(as_sealed, (source_profile, destination_profile))
    if source_profile == destination_profile == Profile.V1:
        return kmscore.reencrypt(
            keys,
            ciphertext_blob,
            destination_key_id,
            source_context=source_context,
            destination_context=destination_context,
            source_key_id=source_key_id,
            source_key_version_id=source_key_version_id,
            source_algorithm=source_algorithm,
            dry_run=dry_run,
        )
    check_provider(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_text(destination_key_id, "destination_key_id")
    check_mapping(source_context, "source_context")
    check_mapping(destination_context, "destination_context")
    check_optional_text(source_key_id, "source_key_id")
    check_optional_text(source_key_version_id, "source_key_version_id")
    check_optional_text(source_algorithm, "source_algorithm")
    check_instance(dry_run, bool, "dry_run")
    destination = destination_of(destination_profile)
    ids = source_key_id, source_key_version_id
    algorithm = None
    source: V1Source | ServiceSource | AsymmetricSource
    if source_algorithm is not None:
        if source_profile != Profile.V1:
            raise TypeError("an asymmetric ciphertext has no layout: source_profile must be v1")
        if source_key_id is None or source_key_version_id is None:
            raise TypeError("source_algorithm needs source_key_id and source_key_version_id")
        algorithm = EncryptionAlgorithm.of(source_algorithm, "source_algorithm")
        source = AsymmetricSource(
            keys, ciphertext_blob, algorithm, source_key_id, source_key_version_id
        )
    else:
        source = source_of(keys, ciphertext_blob, source_profile, *ids)
    opening = source.bind(source_context, allow_ambiguous=allow_ambiguous)
    sealing = destination.bind(destination_context, allow_ambiguous=allow_ambiguous)
    opener = source.find_key()
    sealer = destination.key(keys, destination_key_id)
    most = most_plaintext_length(destination_profile)
    source.check_size(most)
    plaintext = source.open(opening)
    if len(plaintext) > most:
        del plaintext  # an error reporter can show the variables of this frame
        raise DecryptionError
    return ReEncryptResult(
        None if dry_run else destination.seal(sealer, plaintext, sealing),
        opener.key_id,
        opener.key_version_id,
        sealer.key_id,
        sealer.key_version_id,
        algorithm,
        sealer.suite,
    )

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
from kmscore.alibaba.profile import Profile
from kmscore.alibaba.sides import (
    AsymmetricSource,
    ServiceSource,
    V1Source,
    destination_of,
)
from kmscore.alibaba.version_index import check_version_provider
from kmscore.context import ContextLike
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

    With both profiles v1 it is that function. A source in the service's layout needs `keys` to be a
    `KeyVersionProvider`, such as `VersionIndex`. An asymmetric source has no layout, and
    `source_profile` stays v1 beside `source_algorithm`. For a context on a side of the service's
    layout, `None` and `{}` differ unless the profile says otherwise.

    **An ambiguous context** (see `is_ambiguous`) on a side of the service's layout needs
    `allow_ambiguous`. Under the service's rule the source opens with every reading of its context
    that the caller may choose, and v1 would then vouch for the one that was chosen.

    Returns a `ReEncryptResult`; `source_algorithm` is `None` for a blob of either layout.

    Raises as `kmscore.reencrypt` does, in the same order; in the service's layout also
    `InvalidContextError` for an ambiguous context that is not allowed, `KeyUsageError` for a key
    version bound to `XAES_256_GCM` and, at the destination, for one whose ID is not a UUID, and
    `DecryptionError` if what was sealed is not the strict Base64 that is due.
    """
    for name, value in (
        ("source_profile", source_profile),
        ("destination_profile", destination_profile),
    ):
        check_instance(value, Profile, name)
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    if source_profile.is_v1 and destination_profile.is_v1:
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
        if not source_profile.is_v1:
            raise TypeError("an asymmetric ciphertext has no layout: source_profile must be v1")
        if source_key_id is None or source_key_version_id is None:
            raise TypeError("source_algorithm needs source_key_id and source_key_version_id")
        algorithm = EncryptionAlgorithm.of(source_algorithm, "source_algorithm")
        source = AsymmetricSource(
            keys, ciphertext_blob, algorithm, source_key_id, source_key_version_id
        )
    elif source_profile.is_v1:
        source = V1Source(keys, ciphertext_blob, *ids)
    else:
        finder = check_version_provider(keys)
        source = ServiceSource(finder, ciphertext_blob, source_profile, *ids)
    opening = source.bind(source_context, allow_ambiguous=allow_ambiguous)
    sealing = destination.bind(destination_context, allow_ambiguous=allow_ambiguous)
    opener = source.find_key()
    sealer = destination.key(keys, destination_key_id)
    source.check_size()
    plaintext = source.open(opening)
    return ReEncryptResult(
        None if dry_run else destination.seal(sealer, plaintext, sealing),
        opener.key_id,
        opener.key_version_id,
        sealer.key_id,
        sealer.key_version_id,
        algorithm,
        sealer.suite,
    )

"""Re-encryption from one layout to another: the service's to v1, the reverse, or within one."""

from typing import Any

import kmscore
from kmscore._typecheck import BytesLike, check_instance, check_optional_text
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.alibaba.payloads import as_sealed, layout_of
from kmscore.alibaba.profile import Profile
from kmscore.context import ContextLike
from kmscore.keyring import KeyProvider
from kmscore.layouts import V1, BlobLayout
from kmscore.reencryption import ReEncryptResult, prepare


def layouts_between(
    source_profile: Profile, destination_profile: Profile, *, allow_ambiguous: bool
) -> tuple[BlobLayout, BlobLayout]:
    """Return the layouts of both sides of the re-encryption of a blob, equal ones as one object.

    Between two profiles with the same payload, the encrypted text is not decoded.
    """
    if source_profile.payload is destination_profile.payload:
        source_profile, destination_profile = map(as_sealed, (source_profile, destination_profile))
    source = layout_of(source_profile, allow_ambiguous=allow_ambiguous)
    if source_profile == destination_profile:
        return source, source
    return source, layout_of(destination_profile, allow_ambiguous=allow_ambiguous)


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
    """Re-encrypt a ciphertext from the layout of one profile into the layout of another.

    If both profiles are `Profile.V1`, this function does the same as `kmscore.reencrypt`.

    **Payloads.** Between two profiles with the same payload, the encrypted text is re-encrypted
    unchanged, without decoding. From `Payload.BASE64` into `Profile.V1` the text must be strict
    Base64, and its bytes are re-encrypted. A plain text that happens to be strict Base64, such as
    `password` or `4711`, is decoded too. For archives that also contain plain texts, use
    `Payload.RAW` for the source. All texts are then re-encrypted unchanged, in UTF-8.

    **Ambiguous contexts** (see `is_ambiguous`) in the service's layout require `allow_ambiguous`.
    Under the service's rule, every context with the same joined text decrypts the source. The
    caller can choose one of these contexts, and v1 then authenticates the chosen context.

    **Sizes.** A v1 blob contains at most 6,144 encrypted bytes, and a blob of the service's layout
    at most 8,192. With the payload `BASE64`, these bytes are the Base64 text of the plaintext.

    Args:
        keys: The key provider for both keys. For a source in the service's layout a
            `KeyVersionProvider`, such as `VersionIndex`.
        ciphertext_blob: The source, a blob of the source profile's layout. With `source_algorithm`
            an asymmetric ciphertext.
        destination_key_id: The ID of a symmetric key. Its primary version encrypts.
        source_profile: The layout and payload of the source (default v1). It must be `Profile.V1`
            with `source_algorithm`, because an asymmetric ciphertext has no layout.
        destination_profile: The layout and payload of the new blob (default v1).
        source_context: The encryption context of the source. In the service's layout `None` and
            `{}` are different, unless the profile sets `empty_is_absent`.
        destination_context: The encryption context of the new blob, with the same difference. For
            `None` the new blob has no context; the source context is not kept.
        source_key_id: The expected key ID of the source. Required with `source_algorithm`.
        source_key_version_id: The expected key version ID of the source. Required with
            `source_algorithm`.
        source_algorithm: The algorithm of an asymmetric source; `None` for a blob.
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.
        dry_run: Whether to stop before the IV is generated. The source is decrypted also in a dry
            run.

    Returns:
        The new blob, `None` in a dry run, and the key versions of both sides. `source_algorithm` is
        `None` for a blob of either layout.

    Raises:
        TypeError: If an argument has the wrong type, or if `keys` returns a value that is not a
            key. With `source_algorithm` also if `source_profile` is not `Profile.V1`, or if a
            source ID is missing.
        UnsupportedAlgorithmError: If `source_algorithm` is unknown, or not available in this build
            of the libraries. The second case is checked after the source key.
        InvalidBlobError: If the source is not a blob of the source profile's layout.
        InvalidContextError: If a context breaks the rules of `EncryptionContext`, the source
            context before the destination context. In the service's layout also if the context is
            ambiguous and `allow_ambiguous` is false. With `source_algorithm` also if the source
            context is not empty.
        KeyNotFoundError: If a key ID of the caller is not 1 to 255 printable ASCII characters
            without space, or if `keys` raises it. The source key is checked before the destination
            key, also for the next four errors. The form of `source_key_id` is checked only with
            `source_algorithm`.
        KeyVersionNotFoundError: If `source_key_version_id` has another form than an ID and
            `source_algorithm` is given, or if `keys` raises it.
        IncorrectKeyError: If a source ID is not the ID of the key or key version that the blob
            names, or if `keys` returns another key or key version. For a v1 source also if the key
            version is bound to another suite than the header names.
        KeyStateError: If a key is not enabled.
        KeyUsageError: If a key is asymmetric where a symmetric key is required, or the reverse, or
            if `source_algorithm` does not fit the source key. In the service's layout also if the
            key version is bound to `XAES_256_GCM` or if the ID of the destination key version is
            not a UUID.
        PlaintextSizeError: If the length of a source blob shows that its plaintext is too long for
            the layout of the source or the destination.
        DecryptionError: If the source cannot be decrypted. From `Payload.BASE64` to `Payload.RAW`
            also if the encrypted text is not strict Base64. Also if only the decryption shows that
            the plaintext is too long for the destination, as with an asymmetric source.
    """
    for name, value in (
        ("source_profile", source_profile),
        ("destination_profile", destination_profile),
    ):
        check_instance(value, Profile, name)
    check_instance(allow_ambiguous, bool, "allow_ambiguous")
    check_optional_text(source_algorithm, "source_algorithm")
    if source_algorithm is None:
        layouts = layouts_between(
            source_profile, destination_profile, allow_ambiguous=allow_ambiguous
        )
    else:
        layouts = (
            layout_of(source_profile, allow_ambiguous=allow_ambiguous),
            layout_of(destination_profile, allow_ambiguous=allow_ambiguous),
        )
    source_layout, destination_layout = layouts
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

"""Re-encryption: open a ciphertext under one key, seal it under another, let no plaintext out.

The way of the ciphertext is one line: parse, contexts, keys of both sides, sizes, open, seal. Each
stage looks only at what the stages before it have let through, so that the first thing wrong in
that order is what is raised. Both sides are complete before the source is opened: a destination
that is missing or disabled costs no decryption and tells nothing about the source's plaintext.
"""

import os
from typing import NamedTuple, TypeAlias

from cryptography.exceptions import InvalidTag

from kmscore import asymmetric, envelope
from kmscore._arguments import (
    BytesLike,
    check_bytes,
    check_instance,
    check_mapping,
    check_optional_text,
    check_text,
)
from kmscore._immutable import make_result
from kmscore.algorithms import EncryptionAlgorithm, Suite
from kmscore.blob import CiphertextBlob, blob_bytes
from kmscore.context import ContextLike, EncryptionContext, canonical_bytes
from kmscore.errors import DecryptionError, InvalidContextError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, SymmetricKey
from kmscore.lookup import (
    check_provider,
    check_source_ids,
    decrypting_key,
    opening_key,
    sealing_key,
)


class ReEncryptResult(NamedTuple):
    """What was re-encrypted from where to where."""

    ciphertext_blob: bytes | None
    """The new v1 ciphertext blob; `None` in a dry run."""

    source_key_id: str
    source_key_version_id: str
    destination_key_id: str
    destination_key_version_id: str
    source_algorithm: EncryptionAlgorithm | None
    """How the source was encrypted; `None` for a v1 ciphertext blob."""

    destination_suite: Suite


_Opened: TypeAlias = tuple[Key, bytes, SymmetricKey, bytes]
"""The source key, the plaintext, the destination key and the canonical context to seal under."""


def reencrypt(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    destination_key_id: str,
    *,
    source_context: ContextLike = None,
    destination_context: ContextLike = None,
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    source_algorithm: EncryptionAlgorithm | str | None = None,
    dry_run: bool = False,
) -> ReEncryptResult:
    """Open a ciphertext and seal its plaintext under another key, key version or context.

    Without `source_algorithm` the source is a v1 ciphertext blob: its header names the key version
    that opens it, `source_context` must equal the context it was sealed under, and
    `source_key_id` and `source_key_version_id`, if given, must be the header's.

    With `source_algorithm` the source is a bare asymmetric ciphertext (RSA: as many bytes as the
    modulus; SM2PKE: ASN1_DER of at most 6,159 bytes or C1C3C2 of at most 6,144). It names nothing,
    so both source IDs are required, and it binds nothing, so there can be no source context.

    The destination is a symmetric key; its primary version seals, under `destination_context`.
    `None` is the empty context and never means that the source's is kept. To move a ciphertext to
    the primary version of its own key, name that key as the destination.

    A dry run does everything but draw the IV and seal. It opens the source: whoever may run it
    learns from it just what a real call tells, a decryption oracle's answer included.

    Returns a `ReEncryptResult`; its blob has at most 6,701 bytes.

    Raises, the first of these that applies:

    - `TypeError` for a wrong type, or a source ID missing beside `source_algorithm`, and
      `UnsupportedAlgorithmError` if that algorithm is unknown;
    - `InvalidBlobError` if the source is not a v1 blob;
    - `InvalidContextError` for either context;
    - `IncorrectKeyError` if a source ID is not the header's;
    - for the source key, then for the destination key: `KeyNotFoundError` or
      `KeyVersionNotFoundError` for an ID of the caller's that no key can have, what `keys` raises
      (`KeyNotFoundError`, `KeyVersionNotFoundError`), `IncorrectKeyError` if `keys` answers another
      key or the header's suite is not the key's, `KeyStateError`, `KeyUsageError`, and for the
      source's algorithm `UnsupportedAlgorithmError` if this build of the libraries lacks it;
    - `PlaintextSizeError` if the blob holds more than 6,144 bytes;
    - `DecryptionError` if the source does not open, whatever the reason.
    """
    # The usual call, for which the ring vouches for every check on either key. It opens and seals
    # as `envelope` does, written out: each call costs a fiftieth of the cryptography. For all else,
    # and for whatever is wrong but the tag, the checks are gone through one by one.
    if (
        type(keys) is Keyring
        and type(ciphertext_blob) is bytes
        and type(destination_key_id) is str
        and source_key_id is None
        and source_key_version_id is None
        and source_algorithm is None
        and dry_run is False
        and (source := keys.find_opener(ciphertext_blob)) is not None
        and (destination := keys._sealers.get(destination_key_id)) is not None
    ):
        if (
            type(source_context) is EncryptionContext
            and type(destination_context) is EncryptionContext
        ):
            opening, sealing = source_context.canonical, destination_context.canonical
        else:
            if type(source_context) is not dict:
                check_mapping(source_context, "source_context")
            if type(destination_context) is not dict:
                check_mapping(destination_context, "destination_context")
            opening, sealing = canonical_bytes(source_context), canonical_bytes(destination_context)
        open_, seal, header = source._open, destination._seal, destination.header
        try:
            plaintext = open_(
                ciphertext_blob[source._iv],
                ciphertext_blob[source._sealed],
                source.header + opening,
            )
        except InvalidTag:
            pass
        else:
            iv = os.urandom(destination._iv_length)
            return make_result(
                ReEncryptResult,
                (
                    header + iv + seal(iv, plaintext, header + sealing),
                    source.key_id,
                    source.key_version_id,
                    destination.key_id,
                    destination.key_version_id,
                    None,
                    destination.suite,
                ),
            )
        raise DecryptionError
    return reencrypt_with_iv(
        keys,
        ciphertext_blob,
        destination_key_id,
        source_context=source_context,
        destination_context=destination_context,
        source_key_id=source_key_id,
        source_key_version_id=source_key_version_id,
        source_algorithm=source_algorithm,
        dry_run=dry_run,
        iv=None,
    )


def reencrypt_with_iv(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    destination_key_id: str,
    *,
    source_context: ContextLike,
    destination_context: ContextLike,
    source_key_id: str | None,
    source_key_version_id: str | None,
    source_algorithm: EncryptionAlgorithm | str | None,
    dry_run: bool,
    iv: bytes | None,
) -> ReEncryptResult:
    """`reencrypt` with the IV given, or a fresh one for `None`; `kmscore.hazmat` calls it."""
    check_provider(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_text(destination_key_id, "destination_key_id")
    check_mapping(source_context, "source_context")
    check_mapping(destination_context, "destination_context")
    check_optional_text(source_key_id, "source_key_id")
    check_optional_text(source_key_version_id, "source_key_version_id")
    check_instance(dry_run, bool, "dry_run")
    if source_algorithm is None:
        algorithm = None
        opened = _open_blob(
            keys,
            ciphertext_blob,
            destination_key_id,
            source_context,
            destination_context,
            source_key_id,
            source_key_version_id,
            iv,
        )
    else:
        if source_key_id is None or source_key_version_id is None:
            raise TypeError("source_algorithm needs source_key_id and source_key_version_id")
        algorithm = EncryptionAlgorithm.of(source_algorithm, "source_algorithm")
        opened = _open_asymmetric(
            keys,
            ciphertext_blob,
            destination_key_id,
            source_context,
            destination_context,
            source_key_id,
            source_key_version_id,
            algorithm,
            iv,
        )
    source, plaintext, destination, sealing = opened
    new_blob = None
    if not dry_run:
        new_blob = envelope.seal(destination, plaintext, sealing, iv)
    return make_result(
        ReEncryptResult,
        (
            new_blob,
            source.key_id,
            source.key_version_id,
            destination.key_id,
            destination.key_version_id,
            algorithm,
            destination.suite,
        ),
    )


def _open_blob(
    keys: KeyProvider,
    ciphertext_blob: BytesLike,
    destination_key_id: str,
    source_context: ContextLike,
    destination_context: ContextLike,
    source_key_id: str | None,
    source_key_version_id: str | None,
    iv: bytes | None,
) -> _Opened:
    """Open a v1 blob, after everything but its tag has been checked."""
    raw = blob_bytes(ciphertext_blob)
    blob = CiphertextBlob.parse(raw)
    opening, sealing = canonical_bytes(source_context), canonical_bytes(destination_context)
    check_source_ids(blob, source_key_id, source_key_version_id)
    source = opening_key(keys, blob)
    destination = sealing_key(keys, destination_key_id)
    envelope.check_plaintext_length(envelope.plaintext_length(source, raw))
    envelope.check_iv(destination, iv)
    plaintext = envelope.open_blob(source, raw, opening)
    return source, plaintext, destination, sealing


def _open_asymmetric(
    keys: KeyProvider,
    ciphertext: BytesLike,
    destination_key_id: str,
    source_context: ContextLike,
    destination_context: ContextLike,
    source_key_id: str,
    source_key_version_id: str,
    algorithm: EncryptionAlgorithm,
    iv: bytes | None,
) -> _Opened:
    """Open a bare asymmetric ciphertext, after everything but its own bytes has been checked."""
    if canonical_bytes(source_context):
        raise InvalidContextError("an asymmetric ciphertext binds no encryption context")
    sealing = canonical_bytes(destination_context)
    source = decrypting_key(keys, source_key_id, source_key_version_id, algorithm)
    asymmetric.check_supported(algorithm)
    destination = sealing_key(keys, destination_key_id)
    envelope.check_iv(destination, iv)
    plaintext = asymmetric.decrypt_with(source, algorithm, ciphertext)
    return source, plaintext, destination, sealing

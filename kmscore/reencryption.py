"""Re-encryption: open a ciphertext under one key, seal it under another, let no plaintext out.

The way of the ciphertext is one line: parse, contexts, keys of both sides, sizes, open, seal. Each
stage looks only at what the stages before it have let through, so that the first thing wrong in
that order is what is raised. Both sides are complete before the source is opened: a destination
that is missing or disabled costs no decryption and tells nothing about the source's plaintext.
"""

from typing import NamedTuple

from kmscore import envelope
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_instance,
    check_optional_text,
    check_text,
)
from kmscore._values import new_tuple
from kmscore.algorithms import EncryptionAlgorithm, Suite
from kmscore.context import ContextLike, check_context
from kmscore.errors import DecryptionError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, SymmetricKey
from kmscore.layouts import V1, Bare, Destination, Source, SourceLayout
from kmscore.lookup import check_provider


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

    - `TypeError` for a wrong type, or a source ID missing with `source_algorithm`, and
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
    # The usual call: the keyring has already made every check on either key. For all else, and for
    # whatever is wrong but the tag, the checks are gone through one by one.
    if (
        type(keys) is Keyring
        and type(ciphertext_blob) is bytes
        and type(destination_key_id) is str
        and source_algorithm is None
        and dry_run is False
        and (source := keys._find_opener(ciphertext_blob)) is not None
        and (destination := keys._find_sealer(destination_key_id)) is not None
        and (source_key_id is None or _is_same(source_key_id, source.key_id))
        and (
            source_key_version_id is None or _is_same(source_key_version_id, source.key_version_id)
        )
    ):
        return new_tuple(
            ReEncryptResult,
            (
                envelope.reseal(
                    source, destination, ciphertext_blob, source_context, destination_context
                ),
                source.key_id,
                source.key_version_id,
                destination.key_id,
                destination.key_version_id,
                None,
                destination.suite,
            ),
        )
    return prepare(
        V1,
        V1,
        keys,
        ciphertext_blob,
        destination_key_id,
        source_context=source_context,
        destination_context=destination_context,
        source_key_id=source_key_id,
        source_key_version_id=source_key_version_id,
        source_algorithm=source_algorithm,
        dry_run=dry_run,
    ).finish()


def _is_same(given: str, key_id: str) -> bool:
    """Tell whether an ID of the caller is plain text and the one of the key."""
    return type(given) is str and given == key_id


class Prepared(NamedTuple):
    """A re-encryption of which everything is checked but the tag."""

    source: Source
    opener: Key
    opening: bytes
    """What the source's context adds to the associated data."""

    destination: Destination
    sealer: SymmetricKey
    sealing: bytes
    """What the destination's context adds to the associated data."""

    algorithm: EncryptionAlgorithm | None
    iv: bytes | None
    dry_run: bool

    def finish(self) -> ReEncryptResult:
        """Open the source and seal. Raises `DecryptionError`."""
        source, opener, opening, destination, sealer, sealing, algorithm, iv, dry_run = self
        plaintext = source.open(opening)
        if len(plaintext) > destination.max_plaintext_length:
            del plaintext  # an error reporter can show the variables of this frame
            raise DecryptionError
        return new_tuple(
            ReEncryptResult,
            (
                None if dry_run else destination.seal(sealer, plaintext, sealing, iv),
                opener.key_id,
                opener.key_version_id,
                sealer.key_id,
                sealer.key_version_id,
                algorithm,
                sealer.suite,
            ),
        )


def prepare(
    source_layout: SourceLayout,
    destination_layout: Destination,
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
    iv: bytes | None = None,
) -> Prepared:
    """Take every step of a re-encryption before the source is opened.

    Every re-encryption but the usual one goes this way. The IV is drawn unless it is given.

    Raises as `kmscore.reencrypt` does, and `ValueError` for an IV of another length, among the
    sizes.
    """
    check_provider(keys)
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_text(destination_key_id, "destination_key_id")
    check_context(source_context, "source_context")
    check_context(destination_context, "destination_context")
    check_optional_text(source_key_id, "source_key_id")
    check_optional_text(source_key_version_id, "source_key_version_id")
    check_instance(dry_run, bool, "dry_run")
    algorithm = None
    if source_algorithm is not None:
        if source_layout is not V1:
            raise TypeError("an asymmetric ciphertext has no layout: source_profile must be v1")
        if source_key_id is None or source_key_version_id is None:
            raise TypeError("source_algorithm needs source_key_id and source_key_version_id")
        algorithm = EncryptionAlgorithm.of(source_algorithm, "source_algorithm")
        source_layout = Bare(algorithm)
    source = source_layout.read(keys, ciphertext_blob, (source_key_id, source_key_version_id))
    opening = sealing = source.bind(source_context)
    is_kept = source_context is destination_context
    if not (is_kept and source_layout is V1 and destination_layout is V1):
        sealing = destination_layout.bind(destination_context)
    opener = source.find_key()
    sealer = destination_layout.find_destination(keys, destination_key_id)
    source.check_size(destination_layout.max_plaintext_length)
    envelope.check_iv(sealer, iv)
    return new_tuple(
        Prepared,
        (
            source,
            opener,
            opening,
            destination_layout,
            sealer,
            sealing,
            algorithm,
            iv,
            dry_run,
        ),
    )

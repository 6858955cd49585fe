"""Re-encryption: decrypt under one key and encrypt under another, without returning the plaintext.

A ciphertext passes these stages: parsing, encryption contexts, both keys, sizes, decryption,
encryption. The first failure in this order is raised. Both sides are checked before decryption.
Therefore a destination key that is missing or disabled costs no decryption, and its error does not
depend on the plaintext.
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
    """The new ciphertext blob, and the key versions that decrypted and encrypted."""

    ciphertext_blob: bytes | None
    """The new v1 ciphertext blob, at most 6,701 bytes; `None` in a dry run."""

    source_key_id: str
    """The key ID of the source key."""

    source_key_version_id: str
    """The ID of the key version that decrypted the source."""

    destination_key_id: str
    """The key ID of the destination key."""

    destination_key_version_id: str
    """The ID of the primary version, which encrypted the new blob."""

    source_algorithm: EncryptionAlgorithm | None
    """The algorithm of an asymmetric source; `None` for a ciphertext blob."""

    destination_suite: Suite
    """The suite of the new blob."""


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
    """Decrypt a ciphertext and encrypt its plaintext under another key, version or context.

    Without `source_algorithm` the source is a v1 ciphertext blob, whose header names the key
    version that decrypts it. With `source_algorithm` the source is an asymmetric ciphertext. It has
    no header, so both source IDs are required, and it cannot have an encryption context.

    The primary version of the destination key encrypts. To move a ciphertext to the primary version
    of its own key, pass the ID of that key. A dry run makes every check, decryption included, but
    does not draw an IV and does not encrypt. It gives the same answers as a decryption oracle, so
    it needs the same permissions as a real call.

    Args:
        keys: The keyring or other provider that has both keys.
        ciphertext_blob: A v1 blob of at most 6,701 bytes. With `source_algorithm`, an RSA
            ciphertext with the length of the modulus, or an SM2PKE ciphertext: ASN1_DER of at most
            6,159 bytes or C1C3C2 of at most 6,144 bytes.
        destination_key_id: The key ID of the destination key, a symmetric key.
        source_context: The encryption context of the source. `None` is the empty context.
        destination_context: The encryption context of the new blob. `None` is the empty context;
            the source's context is never kept by default.
        source_key_id: The key ID that the header must name; `None` accepts every key.
        source_key_version_id: The key version ID that the header must name; `None` accepts every
            version.
        source_algorithm: The algorithm of an asymmetric source, as a member or its name.
        dry_run: Whether to skip the encryption.

    Returns:
        The new v1 blob, at most 6,701 bytes, and the key versions, algorithm and suite that were
        used.

    Raises:
        TypeError: If an argument has the wrong type, or if a source ID is missing with
            `source_algorithm`.
        UnsupportedAlgorithmError: If the algorithm is unknown.
        InvalidBlobError: If the source is not exactly one v1 blob.
        InvalidContextError: If a context cannot be serialised within 65,535 bytes, or if an
            asymmetric source has a context that is not empty.
        IncorrectKeyError: If a given source ID differs from the header's.
        KeyNotFoundError: If no key can have a given ID, or if `keys` has no such key. This and the
            next five errors are raised for the source key first, then for the destination key.
        KeyVersionNotFoundError: If no key version can have a given ID, or if the source key has no
            such version.
        TypeError: If `keys` returns a value that is not a key.
        IncorrectKeyError: If `keys` returns a different key or key version, or if the source key
            version is bound to a suite other than the header's.
        KeyStateError: If a key version is not enabled.
        KeyUsageError: If a key is of the wrong kind: the destination key is asymmetric, or the
            source key does not fit the source.
        UnsupportedAlgorithmError: If the installed libraries lack the algorithm. This error
            is raised after the checks of the source key and before those of the destination key.
        PlaintextSizeError: If the source holds more than 6,144 bytes of ciphertext.
        DecryptionError: If the source cannot be decrypted, for any reason.
    """
    # The usual call: `_find_opener` and `_find_sealer` replace parsing, the checks of both keys and
    # the check of the size. Every other call, and every failure except a wrong tag, takes the steps
    # of `prepare`.
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
    """Return whether an ID of the caller is exactly `str` and equals the ID of the key."""
    return type(given) is str and given == key_id


class Prepared(NamedTuple):
    """A re-encryption that has passed every check before decryption; `finish` it once."""

    source: Source
    opener: Key
    opening: bytes
    """The bytes that the source context adds to the associated data."""

    destination: Destination
    sealer: SymmetricKey
    sealing: bytes
    """The bytes that the destination context adds to the associated data."""

    algorithm: EncryptionAlgorithm | None
    iv: bytes | None
    dry_run: bool

    def finish(self) -> ReEncryptResult:
        """Decrypt the source and encrypt. Raises `DecryptionError`."""
        source, opener, opening, destination, sealer, sealing, algorithm, iv, dry_run = self
        plaintext = source.open(opening)
        if len(plaintext) > destination.max_plaintext_length:
            del plaintext  # an error reporter can show the local variables of this frame
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
    """Make every check of a re-encryption that precedes decryption.

    Every re-encryption takes these steps, except on the short path of `reencrypt` and of bulk
    jobs. A given `iv` replaces the IV that `Prepared.finish` draws.

    Raises the errors of `kmscore.reencrypt`, and `ValueError` for an IV of the wrong length.
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
    # One map for both sides is read once, so that it cannot change between two readings.
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

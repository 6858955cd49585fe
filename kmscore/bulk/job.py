"""Re-encryption of many ciphertexts: one item in, one outcome out, nothing kept between them."""

from collections.abc import Iterator
from types import NoneType
from typing import Final, final

from cryptography.exceptions import InvalidTag

from kmscore import envelope
from kmscore._typecheck import check_bytes, check_instance, check_mapping, check_optional_text
from kmscore._values import new_tuple
from kmscore.blob import CiphertextBlob, blob_bytes
from kmscore.bulk.item import KEEP_CONTEXT, Item, KeepContext, Outcome, Status
from kmscore.context import ContextLike, EncryptionContext, canonical_bytes
from kmscore.errors import DecryptionError, IncorrectKeyError, KmsCoreError
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, SymmetricKey
from kmscore.layouts import V1
from kmscore.lookup import check_source_ids, opening_key
from kmscore.reencryption import reencrypt_between

# Read for every item, and a member of an enum costs the look-up in its class as well.
_REWRITTEN: Final = Status.REWRITTEN

_PLAIN_CONTEXTS: Final = frozenset({EncryptionContext, KeepContext, dict, NoneType})
"""Types of a destination context that need no look before the source's is read."""


@final
class _Pinned:
    """A provider whose primary version is the one that the job began with."""

    def __init__(self, keys: KeyProvider, destination: SymmetricKey) -> None:
        self._destination = destination
        self.version = keys.version

    def primary(self, key_id: str) -> Key:
        """Return the destination, the only key that is ever asked for here."""
        del key_id
        return self._destination


@final
class Job:
    """Everything that stays the same from item to item."""

    __slots__ = (
        *("_destination", "_destination_ids", "_dry_run"),
        *("_find_opener", "_keys", "_skip_current", "_upgradable"),
    )

    def __init__(
        self,
        keys: KeyProvider,
        destination: SymmetricKey,
        upgradable: frozenset[str] | None,
        *,
        skip_current: bool,
        dry_run: bool,
    ) -> None:
        """Take what `reencrypt_many` does, with the destination and its older versions found.

        `upgradable` has the key version IDs that the destination may take over from among its own
        key's; `None` lets it take over from all.
        """
        self._keys = keys
        self._destination = destination
        self._destination_ids = destination.key_id, destination.key_version_id
        self._upgradable = upgradable
        self._skip_current = skip_current
        self._dry_run = dry_run
        # Without a ring there is no usual item.
        self._find_opener = (keys if type(keys) is Keyring else Keyring([]))._find_opener

    def outcomes(self, items: Iterator[Item]) -> Iterator[Outcome]:
        """Yield the outcome of each item."""
        move = self._move
        for item in items:
            # Around the work alone: what the source of the items, or the caller between two
            # outcomes, raises is no item's failure.
            try:
                outcome = move(item)
            except KmsCoreError as error:
                outcome = self._failure(item.reference, error)
            yield outcome

    def _move(self, item: Item) -> Outcome:
        """Return the outcome of an item, or raise why there is none."""
        # The usual item: the keyring has already made every check on the source. It opens and
        # seals as `envelope` does, written out: a call costs a fiftieth of the cryptography. For
        # all else, and for whatever is wrong but the tag, the checks are gone through one by one.
        if type(item) is not Item:
            return self._move_checked(item)
        reference, raw, source_context, destination_context, key_id, version_id, algorithm = item
        if not (
            type(raw) is bytes
            and key_id is None
            and version_id is None
            and algorithm is None
            and (source := self._find_opener(raw)) is not None
            and (self._upgradable is None or self._is_upgrade(source))
            and type(destination_context) in _PLAIN_CONTEXTS
        ):
            return self._move_checked(item)
        opening, sealing = _canonical_pair(source_context, destination_context)
        if source is self._destination:
            return self._stay(reference, source, raw, opening, sealing)
        try:
            plaintext = source._open(raw[source._iv], raw[source._sealed], source.header + opening)
        except InvalidTag:
            pass
        else:
            return self._rewritten(reference, source, plaintext, sealing)
        # Here, where nothing of the cipher's error is left.
        raise DecryptionError

    def _move_checked(self, item: Item) -> Outcome:
        """`_move` for any item, step by step in the order of `kmscore.reencrypt`."""
        check_instance(item, Item, "item")
        if item.source_algorithm is not None:
            return self._move_asymmetric(item)
        check_bytes(item.ciphertext_blob, "ciphertext_blob")
        check_mapping(item.source_context, "source_context")
        if item.destination_context is not KEEP_CONTEXT:
            check_mapping(item.destination_context, "destination_context")
        check_optional_text(item.source_key_id, "source_key_id")
        check_optional_text(item.source_key_version_id, "source_key_version_id")
        raw = blob_bytes(item.ciphertext_blob)
        blob = CiphertextBlob.parse(raw)
        opening, sealing = _canonical_pair(item.source_context, item.destination_context)
        check_source_ids(blob, item.source_key_id, item.source_key_version_id)
        if not self._is_upgrade(blob):
            raise IncorrectKeyError(
                f"version {self._destination.key_version_id} of the key is not known to be newer"
                f" than the ciphertext's version {blob.key_version_id}"
            )
        source = opening_key(self._keys, blob)
        envelope.check_length(envelope.plaintext_length(source, raw))
        if source.header == self._destination.header:
            # Opened by the version that the job has: a provider may answer another one of that
            # name, and what that opens is not where it belongs.
            return self._stay(item.reference, self._destination, raw, opening, sealing)
        plaintext = envelope.open_blob(source, raw, opening)
        return self._rewritten(item.reference, source, plaintext, sealing)

    def _stay(
        self, reference: object, source: SymmetricKey, raw: bytes, opening: bytes, sealing: bytes
    ) -> Outcome:
        """Return the outcome of a blob that the destination's version has sealed already."""
        # Opened with its own context first: a change of contexts that is run again finds its own
        # results.
        plaintext = None
        try:
            plaintext = envelope.open_own_blob(source, raw, sealing)
        except DecryptionError:
            if opening == sealing:
                raise
        if plaintext is None:
            plaintext = envelope.open_own_blob(source, raw, opening)
        elif self._skip_current:
            return self._outcome(
                Status.UNCHANGED, reference, raw, source.key_id, source.key_version_id
            )
        return self._rewritten(reference, source, plaintext, sealing)

    def _move_asymmetric(self, item: Item) -> Outcome:
        """Return the outcome of a bare asymmetric ciphertext."""
        destination_context = item.destination_context
        if destination_context is KEEP_CONTEXT:
            destination_context = item.source_context
        result = reencrypt_between(
            V1,
            V1,
            _Pinned(self._keys, self._destination),
            item.ciphertext_blob,
            self._destination.key_id,
            source_context=item.source_context,
            destination_context=destination_context,
            source_key_id=item.source_key_id,
            source_key_version_id=item.source_key_version_id,
            source_algorithm=item.source_algorithm,
            dry_run=self._dry_run,
        )
        return self._outcome(
            _REWRITTEN,
            item.reference,
            result.ciphertext_blob,
            result.source_key_id,
            result.source_key_version_id,
        )

    def _is_upgrade(self, source: SymmetricKey | CiphertextBlob) -> bool:
        """Tell whether the destination is another key, or a version that is no older."""
        return (
            self._upgradable is None
            or source.key_id != self._destination.key_id
            or source.key_version_id in self._upgradable
        )

    def _rewritten(
        self, reference: object, source: SymmetricKey, plaintext: bytes, sealing: bytes
    ) -> Outcome:
        """Return the outcome of a blob that has been opened: sealed afresh, but in a dry run."""
        destination = self._destination
        new_blob = None
        if not self._dry_run:
            new_blob = envelope.seal(destination, plaintext, sealing)
        # As `_outcome` does, without the call: this one is for every item.
        return new_tuple(
            Outcome,
            (
                _REWRITTEN,
                reference,
                new_blob,
                None,
                source.key_id,
                source.key_version_id,
                destination.key_id,
                destination.key_version_id,
            ),
        )

    def _failure(self, reference: object, error: KmsCoreError) -> Outcome:
        """Return the outcome of an item that was refused."""
        # The error may be kept for as long as the report is: without the frames it came through,
        # what they hold, and whatever a provider has put behind it.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        return self._outcome(Status.FAILED, reference, None, None, None, error)

    def _outcome(
        self,
        status: Status,
        reference: object,
        ciphertext_blob: bytes | None,
        source_key_id: str | None,
        source_key_version_id: str | None,
        error: KmsCoreError | None = None,
    ) -> Outcome:
        """Return an outcome of this job."""
        key_ids = (source_key_id, source_key_version_id, *self._destination_ids)
        return Outcome(status, reference, ciphertext_blob, error, *key_ids)


def _canonical_pair(
    source_context: ContextLike, destination_context: "ContextLike | KeepContext"
) -> tuple[bytes, bytes]:
    """Return the canonical bytes to open under and those to seal under."""
    if type(source_context) is EncryptionContext:
        opening = source_context.canonical
    else:
        opening = canonical_bytes(source_context)
    if destination_context is KEEP_CONTEXT or destination_context is source_context:
        return opening, opening
    return opening, canonical_bytes(destination_context)

"""The re-encryption of one item after another; no item is kept."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, final

from kmscore._typecheck import check_instance, to_bytes
from kmscore._values import new_tuple
from kmscore.bulk.conversion import Conversion
from kmscore.bulk.item import KEEP_CONTEXT, Item, Outcome, Status
from kmscore.context import ContextLike
from kmscore.envelope import canonical_pair, open_blob, reseal
from kmscore.errors import (
    DecryptionError,
    IncorrectKeyError,
    InvalidBlobError,
    KeyVersionNotFoundError,
    KmsCoreError,
)
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, SymmetricKey, check_key
from kmscore.layouts import V1, V1Source
from kmscore.reencryption import prepare

# A module constant, because it is read for every item: `Status.REWRITTEN` costs a second lookup.
_REWRITTEN: Final = Status.REWRITTEN


@final
class _JobKeys:
    """A provider whose primary version is always the destination of the job."""

    def __init__(
        self, keys: KeyProvider, destination: SymmetricKey, upgradable: frozenset[str] | None
    ) -> None:
        self._keys = keys
        self._destination = destination
        self._upgradable = upgradable

    def primary(self, key_id: str) -> Key:
        """Return the destination, because a job requests no other primary version."""
        del key_id
        return self._destination

    def version(self, key_id: str, key_version_id: str) -> Key:
        """Return the key version of the provider; reject a possible downgrade."""
        self._check_upgrade(key_id, key_version_id)
        destination = self._destination
        if (key_id, key_version_id) == (destination.key_id, destination.key_version_id):
            # A provider may return other material for the same IDs, and a blob under that must
            # not be `unchanged`.
            return destination
        return self._keys.version(key_id, key_version_id)

    def version_by_id(self, key_version_id: str) -> Key:
        """Return the key version of a blob that has no key ID; reject a possible downgrade."""
        if key_version_id == self._destination.key_version_id:
            return self._destination
        find = getattr(self._keys, "version_by_id", None)
        if find is None:
            # Only the results have this layout.
            raise KeyVersionNotFoundError("another key version than the destination")
        found: Key = find(key_version_id)
        check_key(found)
        self._check_upgrade(found.key_id, key_version_id)
        return found

    def _check_upgrade(self, key_id: str, key_version_id: str) -> None:
        """Raise `IncorrectKeyError` for a possible downgrade."""
        if not self.is_upgrade(key_id, key_version_id):
            raise IncorrectKeyError(
                f"version {self._destination.key_version_id} of the key is not known to be newer"
                f" than the ciphertext's version {key_version_id}"
            )

    def is_upgrade(self, key_id: str, key_version_id: str) -> bool:
        """Return whether the destination is another key or a version that is not older."""
        return (
            self._upgradable is None
            or key_id != self._destination.key_id
            or key_version_id in self._upgradable
        )


@final
class Job:
    """The settings that are the same for all items of a job."""

    __slots__ = (
        *("_any_keys", "_conversion", "_destination", "_dry_run", "_find_opener", "_keys"),
        *("_skip_current", "_upgradable"),
    )

    def __init__(
        self,
        keys: KeyProvider,
        destination: SymmetricKey,
        upgradable: frozenset[str] | None,
        conversion: Conversion,
        *,
        skip_current: bool,
        dry_run: bool,
    ) -> None:
        """Take the arguments of `reencrypt_many`, with the destination key version and the layouts.

        `upgradable` has the key version IDs of the destination key from which a v1 blob may be
        re-encrypted. `None` allows all versions.
        """
        self._destination = destination
        self._skip_current = skip_current
        self._dry_run = dry_run
        self._keys = _JobKeys(keys, destination, upgradable)
        # For asymmetric ciphertexts: they never use the destination key, which is symmetric, so no
        # version order applies to them.
        self._any_keys = _JobKeys(keys, destination, None)
        self._conversion = conversion
        # Only a keyring, and only v1, allow the short path; an empty one finds no decryption key.
        is_v1 = conversion.source is conversion.destination is V1
        self._find_opener = (keys if type(keys) is Keyring and is_v1 else Keyring([]))._find_opener
        self._upgradable = upgradable

    def outcomes(self, items: Iterator[Item]) -> Iterator[Outcome]:
        """Yield the outcome of each item."""
        move = self._move
        for item in items:
            # Only around the work: an exception of `items`, or of the caller between two outcomes,
            # must not make an item `failed`.
            try:
                outcome = move(item)
            except KmsCoreError as error:
                outcome = self._failure(item.reference, error)
            yield outcome

    def _move(self, item: Item) -> Outcome:
        """Return the outcome of an item, or raise the error that makes it fail."""
        # The short path: the keyring has already made all checks on the source. For other items,
        # and for all errors except a wrong tag, `_move_checked` makes the checks one by one.
        if type(item) is not Item:
            return self._move_checked(item)
        reference, raw, source_context, destination_context, key_id, version_id, algorithm = item
        if not (
            type(raw) is bytes
            and key_id is None
            and version_id is None
            and algorithm is None
            and (source := self._find_opener(raw)) is not None
            and (
                self._upgradable is None
                or self._keys.is_upgrade(source.key_id, source.key_version_id)
            )
        ):
            return self._move_checked(item)
        if destination_context is KEEP_CONTEXT:
            destination_context = source_context
        destination = self._destination
        if source is not destination and not self._dry_run:
            new_blob = reseal(source, destination, raw, source_context, destination_context)
            return self._success(_REWRITTEN, reference, new_blob, source)
        opening, sealing = canonical_pair(source_context, destination_context)
        if source is destination:
            return self._stay(reference, raw, partial(open_blob, source, raw), opening, sealing)
        open_blob(source, raw, opening)
        return self._success(_REWRITTEN, reference, None, source)

    def _move_checked(self, item: Item) -> Outcome:
        """Return the outcome of any item, with all checks made one by one."""
        check_instance(item, Item, "item")
        source_context, destination_context = item.source_context, item.destination_context
        if destination_context is KEEP_CONTEXT:
            destination_context = source_context
        is_asymmetric = item.source_algorithm is not None
        layouts = self._conversion
        try:
            prepared = prepare(
                layouts.source,
                layouts.asymmetric_destination if is_asymmetric else layouts.destination,
                self._any_keys if is_asymmetric else self._keys,
                item.ciphertext_blob,
                self._destination.key_id,
                source_context=source_context,
                destination_context=destination_context,
                source_key_id=item.source_key_id,
                source_key_version_id=item.source_key_version_id,
                source_algorithm=item.source_algorithm,
                dry_run=self._dry_run,
            )
        except InvalidBlobError:
            outcome = None if is_asymmetric else self._converted(item, destination_context)
            if outcome is None:
                raise
            return outcome
        source = prepared.source
        if layouts.source is layouts.destination and prepared.opener is self._destination:
            raw = source.raw if isinstance(source, V1Source) else to_bytes(item.ciphertext_blob)
            return self._stay(item.reference, raw, source.open, prepared.opening, prepared.sealing)
        new_blob = prepared.finish().ciphertext_blob
        return self._success(_REWRITTEN, item.reference, new_blob, prepared.opener)

    def _converted(self, item: Item, context: ContextLike) -> Outcome | None:
        """Return the outcome of a blob that is already a result of this job, or `None`."""
        layout = self._conversion.destination
        if layout is self._conversion.source:
            return None
        try:
            blob = layout.read(self._keys, item.ciphertext_blob)
            bound = layout.bind(context)
            if blob.find_key() is not self._destination:
                return None
            blob.check_size(layout.max_plaintext_length)
            plaintext = blob.open(bound)
        except KmsCoreError:
            return None
        if self._skip_current:
            raw = to_bytes(item.ciphertext_blob)
            return self._success(Status.UNCHANGED, item.reference, raw, self._destination)
        new_blob = None if self._dry_run else layout.seal(self._destination, plaintext, bound)
        return self._success(_REWRITTEN, item.reference, new_blob, self._destination)

    def _stay(
        self,
        reference: object,
        raw: bytes,
        opens: Callable[[bytes], bytes],
        opening: bytes,
        sealing: bytes,
    ) -> Outcome:
        """Return the outcome of a blob whose header names the destination."""
        # `opens` has the key of the job (see `_JobKeys`). Try the destination context first, so
        # that a second run of a change of contexts recognises its own results.
        plaintext = None
        try:
            plaintext = opens(sealing)
        except DecryptionError:
            if opening == sealing:
                raise
        if plaintext is None:
            plaintext = opens(opening)
        elif self._skip_current:
            return self._success(Status.UNCHANGED, reference, raw, self._destination)
        layout = self._conversion.destination
        new_blob = None if self._dry_run else layout.seal(self._destination, plaintext, sealing)
        return self._success(_REWRITTEN, reference, new_blob, self._destination)

    def _failure(self, reference: object, error: KmsCoreError) -> Outcome:
        """Return the outcome of a failed item."""
        # A report may keep the error for a long time: remove the frames, whose variables can hold
        # secrets, and the cause and context that a provider may have set.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        destination = self._destination
        ids = None, None, destination.key_id, destination.key_version_id
        return Outcome(Status.FAILED, reference, None, error, *ids)

    def _success(
        self, status: Status, reference: object, ciphertext_blob: bytes | None, source: Key
    ) -> Outcome:
        """Return the outcome of an item that `source` decrypted."""
        destination = self._destination
        return new_tuple(
            Outcome,
            (
                status,
                reference,
                ciphertext_blob,
                None,
                source.key_id,
                source.key_version_id,
                destination.key_id,
                destination.key_version_id,
            ),
        )

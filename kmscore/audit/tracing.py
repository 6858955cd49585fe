"""Traces of the four operations.

An operation of the library runs on the same input. The trace computes it again from the
specification, with the arithmetic of `kmscore.audit`, and compares the two.
"""

from typing import TypeVar, cast

from kmscore import alibaba
from kmscore._typecheck import (
    BytesLike,
    check_bytes,
    check_instance,
    check_mapping,
    to_bytes,
)
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, EncryptionAlgorithm
from kmscore.alibaba import JsonContext, Profile, VersionIndex
from kmscore.audit.notes import Notes, attempt
from kmscore.audit.records import Secrecy, Trace
from kmscore.audit.sides import (
    AsymmetricSource,
    BlobForm,
    BlobSource,
    Destination,
    Source,
)
from kmscore.context import ContextLike, EncryptionContext
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key
from kmscore.operations import DecryptResult, asymmetric_decrypt

_MaybeText = TypeVar("_MaybeText", bound=str | None)


def trace_encrypt(
    keys: Keyring,
    key_id: str,
    plaintext: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> Trace:
    """Encrypt as `kmscore.alibaba.encrypt` does, and return every step.

    Args:
        keys: The keyring with the key.
        key_id: The key ID.
        plaintext: The plaintext. Its maximum length is that of the operation.
        context: The encryption context. `None` is the empty context, except in the service's
            layout.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The trace. If the operation fails, the trace ends with the check that failed.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(plaintext, "plaintext")
    data, context, key_id = to_bytes(plaintext), _snapshot(context, "context"), _exact(key_id)
    outcome, result = attempt(
        lambda: alibaba.encrypt(
            keys, key_id, data, context, profile=profile, allow_ambiguous=allow_ambiguous
        )
    )
    notes = Notes()
    form = BlobForm(profile, allow_ambiguous=allow_ambiguous, moves_text=False)
    side = Destination(notes, keys, form)

    def work() -> None:
        side.bind(context)
        key = side.find_key(key_id)
        if result is not None:
            _tie_ids(notes, key, (result.key_id, result.key_version_id))
        notes.step("size", "Check the length", "5.5" if form.is_v1 else "13.5")
        is_short = len(data) <= form.most
        notes.check(f"the plaintext has at most {form.most:,} bytes", is_short, "plaintext_size")
        value = notes.give(
            "P",
            "plaintext",
            data,
            "the caller",
            Secrecy.PLAINTEXT,
            has_public_length=not form.has_text,
        )
        if result is not None:
            side.seal(value, result.ciphertext_blob)

    return notes.finish("encrypt", outcome, work)


def trace_decrypt(
    keys: Keyring,
    ciphertext_blob: BytesLike,
    context: ContextLike = None,
    *,
    profile: Profile = Profile.V1,
    allow_ambiguous: bool = False,
) -> Trace:
    """Decrypt as `kmscore.alibaba.decrypt` does, and return every step.

    Args:
        keys: The keyring with the key version.
        ciphertext_blob: The blob, of any length.
        context: The encryption context of the blob. `None` is the empty context, except in the
            service's layout.
        profile: The layout and payload of the blob (default v1).
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The trace. If the operation fails, the trace ends with the check that failed, and has no
        value that was computed with a key.

    Raises:
        TypeError: If an argument has the wrong type.
        InvalidKeyError: If the profile is one of the service's layout, and two keys have the same
            key version ID.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(ciphertext_blob, "ciphertext_blob")
    check_instance(profile, Profile, "profile")
    data, context = to_bytes(ciphertext_blob), _snapshot(context, "context")
    provider = _provider(keys, profile)
    outcome, result = attempt(
        lambda: alibaba.decrypt(
            provider, data, context, profile=profile, allow_ambiguous=allow_ambiguous
        )
    )
    notes = Notes()
    form = BlobForm(profile, allow_ambiguous=allow_ambiguous, moves_text=False)
    source = BlobSource(notes, keys, form, (None, None))

    def work() -> None:
        source.read(data)
        source.bind(context)
        _open(notes, source, form.most, result)

    return notes.finish("decrypt", outcome, work)


def trace_asymmetric_decrypt(
    keys: Keyring,
    key_id: str,
    key_version_id: str,
    algorithm: EncryptionAlgorithm | str,
    ciphertext: BytesLike,
) -> Trace:
    """Decrypt as `kmscore.asymmetric_decrypt` does, and return every step.

    Args:
        keys: The keyring with the key version.
        key_id: The key ID.
        key_version_id: The key version ID.
        algorithm: The encryption algorithm, as a member or its name.
        ciphertext: The ciphertext, of any length.

    Returns:
        The trace. If the operation fails, the trace ends with the check that failed, and has no
        value that was computed with a key.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(ciphertext, "ciphertext")
    data, key_id, key_version_id = to_bytes(ciphertext), _exact(key_id), _exact(key_version_id)
    algorithm = _exact(algorithm)
    outcome, result = attempt(
        lambda: asymmetric_decrypt(keys, key_id, key_version_id, algorithm, data)
    )
    notes = Notes()

    def work() -> None:
        known = _known_algorithm(notes, algorithm)
        source = AsymmetricSource(notes, keys, known, (key_id, key_version_id))
        source.read(data)
        _open(notes, source, MAX_PLAINTEXT_LENGTH, result)

    return notes.finish("asymmetric_decrypt", outcome, work)


def trace_reencrypt(
    keys: Keyring,
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
) -> Trace:
    """Re-encrypt as `kmscore.alibaba.reencrypt` does, and return every step of both sides.

    Args:
        keys: The keyring with both keys.
        ciphertext_blob: The source, of any length.
        destination_key_id: The key ID of the destination key.
        source_profile: The layout and payload of the source (default v1).
        destination_profile: The layout and payload of the new blob (default v1).
        source_context: The encryption context of the source.
        destination_context: The encryption context of the new blob.
        source_key_id: The expected key ID; required with `source_algorithm`.
        source_key_version_id: The expected key version ID; required with `source_algorithm`.
        source_algorithm: The algorithm of an asymmetric source; `None` for a blob.
        allow_ambiguous: Whether to accept an ambiguous context in the service's layout.

    Returns:
        The trace. If the operation fails, the trace ends with the check that failed, and has no
        value that was computed with a key.

    Raises:
        TypeError: If an argument has the wrong type, or if a source ID is missing with
            `source_algorithm`.
        InvalidKeyError: If `source_profile` is one of the service's layout, and two keys have the
            same key version ID.
    """
    check_instance(keys, Keyring, "keys")
    check_bytes(ciphertext_blob, "ciphertext_blob")
    for name, value in (
        ("source_profile", source_profile),
        ("destination_profile", destination_profile),
    ):
        check_instance(value, Profile, name)
    data = to_bytes(ciphertext_blob)
    opening = _snapshot(source_context, "source_context")
    sealing = _snapshot(destination_context, "destination_context")
    destination_key_id, source_algorithm = _exact(destination_key_id), _exact(source_algorithm)
    source_key_id, source_key_version_id = _exact(source_key_id), _exact(source_key_version_id)
    provider = _provider(keys, source_profile)
    outcome, result = attempt(
        lambda: alibaba.reencrypt(
            provider,
            data,
            destination_key_id,
            source_profile=source_profile,
            destination_profile=destination_profile,
            source_context=opening,
            destination_context=sealing,
            source_key_id=source_key_id,
            source_key_version_id=source_key_version_id,
            source_algorithm=source_algorithm,
            allow_ambiguous=allow_ambiguous,
        )
    )
    moves_text = source_algorithm is None and source_profile.payload is destination_profile.payload
    notes = Notes()
    reading = notes.of_side("source")
    form = BlobForm(destination_profile, allow_ambiguous=allow_ambiguous, moves_text=moves_text)
    destination = Destination(notes.of_side("destination"), keys, form)

    def work() -> None:
        source: Source
        if source_algorithm is None:
            read = BlobForm(source_profile, allow_ambiguous=allow_ambiguous, moves_text=moves_text)
            source = BlobSource(reading, keys, read, (source_key_id, source_key_version_id))
        else:
            known = _known_algorithm(reading, source_algorithm)
            ids = cast("tuple[str, str]", (source_key_id, source_key_version_id))
            source = AsymmetricSource(reading, keys, known, ids)
        source.read(data)
        source.bind(opening)
        destination.bind(sealing)
        opener = source.find_key()
        sealer = destination.find_key(destination_key_id)
        if result is not None:
            _tie_ids(notes, opener, (result.source_key_id, result.source_key_version_id))
            new = result.destination_key_id, result.destination_key_version_id
            _tie_ids(notes, sealer, new)
        source.check_size(form.most)
        plaintext = source.open(form.most)
        if result is not None and result.ciphertext_blob is not None:
            destination.seal(plaintext, result.ciphertext_blob)

    return notes.finish("reencrypt", outcome, work)


def _open(notes: Notes, source: Source, most: int, result: DecryptResult | None) -> None:
    """Add the steps from the key on, and compare the plaintext with that of the library."""
    key = source.find_key()
    if result is not None:
        _tie_ids(notes, key, (result.key_id, result.key_version_id))
    source.check_size(most)
    plaintext = source.open(most)
    if result is not None:
        notes.tie("the plaintext", notes.data(plaintext) == result.plaintext)


def _tie_ids(notes: Notes, key: Key, ids: tuple[str, str]) -> None:
    """Compare the IDs in the result of the library with those of the key version."""
    notes.tie("the IDs of the key version", ids == (key.key_id, key.key_version_id))


def _exact(text: _MaybeText) -> _MaybeText:
    """Return an ID as exactly `str`, because a subclass can override comparison and formatting."""
    return cast("_MaybeText", str.__str__(text)) if isinstance(text, str) else text


def _known_algorithm(notes: Notes, algorithm: EncryptionAlgorithm | str) -> EncryptionAlgorithm:
    """Add the check that the algorithm is known; return it."""
    notes.step("algorithm", "Look the algorithm up", "6.2")
    known = {member.value: member for member in EncryptionAlgorithm}
    code = "unsupported_algorithm"
    notes.check("the algorithm is one of " + ", ".join(known), algorithm in known, code)
    return known[algorithm]


def _snapshot(context: ContextLike, name: str) -> ContextLike:
    """Return a copy of a context, so that the library and the trace read the same pairs."""
    check_mapping(context, name)
    if context is None or isinstance(context, (EncryptionContext, JsonContext)):
        return context
    return dict(context)


def _provider(keys: Keyring, profile: Profile) -> KeyProvider:
    """Return keys that can find those of a blob."""
    return keys if profile.is_v1 else VersionIndex(keys)

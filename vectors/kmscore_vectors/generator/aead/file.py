"""The vectors of the five suites: whole blobs, sealed with a given IV, and opened again."""

from collections.abc import Iterator

from kmscore_vectors.generator.aead.contexts import other_contexts
from kmscore_vectors.generator.aead.derivations import other_associated_data, other_derivations
from kmscore_vectors.generator.aead.forgeries import forgeries
from kmscore_vectors.generator.aead.headers import other_headers
from kmscore_vectors.generator.aead.maker import (
    MOST_PLAINTEXT,
    AeadMaker,
    context_field,
    wide_context,
)
from kmscore_vectors.generator.aead.messages import messages
from kmscore_vectors.generator.aead.notes import NOTES
from kmscore_vectors.generator.aead.order import (
    two_defects_in_decryption,
    two_defects_in_encryption,
)
from kmscore_vectors.generator.aead.similar_keys import similar_key_groups
from kmscore_vectors.generator.aead.special_keys import key_groups
from kmscore_vectors.generator.model import Case, Fields, Group, VectorFile
from kmscore_vectors.generator.shared_texts import TEST_KEYS
from kmscore_vectors.tables import ErrorCode, Suite


def make() -> VectorFile:
    """Return the file."""
    return VectorFile(
        name="aead",
        algorithm="kmscore-v1-aead",
        header=(
            "Whole ciphertext blobs of every suite: sealed with the IV given, and opened.",
            TEST_KEYS,
        ),
        notes=NOTES,
        groups=tuple(group for suite in Suite for group in _groups(suite)),
    )


def _groups(suite: Suite) -> Iterator[Group]:
    """Yield the groups of one suite."""
    maker = AeadMaker(suite)
    yield Group("encrypt", tuple(_sealing(maker)), maker.shared)
    yield Group("decrypt", tuple(_opening(maker)), maker.shared)
    yield from key_groups(suite)
    yield from similar_key_groups(suite)


def _sealing(maker: AeadMaker) -> Iterator[Case]:
    """Yield the tests of encryption."""
    rights = [maker.sealed(*message) for message in messages(maker)]
    yield from rights
    longest = rights[-1]
    for more in ("00", "00" * 256):
        plaintext = f"{longest.inputs['plaintext']}{more}"
        comment = f"{len(plaintext) // 2:,} bytes"
        fields: Fields = {"plaintext": plaintext}
        yield longest.rejected(ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", comment, fields)
    widest = maker.sealed("a context of 65,535 bytes", "Boundary", b"", wide_context(0))
    yield widest
    yield widest.rejected(
        ErrorCode.INVALID_CONTEXT,
        "ContextSize",
        "a context of 65,536 bytes",
        context_field(wide_context(1)),
    )
    yield from two_defects_in_encryption(maker)


def _opening(maker: AeadMaker) -> Iterator[Case]:
    """Yield the tests of decryption."""
    rights = [maker.opened(*message) for message in messages(maker)]
    yield from rights
    yield from forgeries(maker, rights[1])
    yield from other_contexts(maker, rights[1])
    yield from other_headers(maker, rights[1])
    yield from other_associated_data(maker, rights[1])
    yield from other_derivations(maker, rights[1])
    yield from _too_long(maker)
    yield from two_defects_in_decryption(maker)


def _too_long(maker: AeadMaker) -> Iterator[Case]:
    """Yield blobs with a plaintext that is too long, and a correct tag."""
    right = maker.opened("6,144 bytes", "Boundary", bytes(MOST_PLAINTEXT), ())
    for length in (MOST_PLAINTEXT + 1, 6_600):
        comment = f"{length:,} bytes"
        blob = maker.sealed(comment, "Boundary", bytes(length), ()).outputs["blob"]
        fields = {"blob": blob}
        yield right.rejected(ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", comment, fields)

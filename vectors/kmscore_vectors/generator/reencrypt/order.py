"""Requests to re-encrypt with two defects: the steps of SPEC.md section 8 have one order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final

from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey
from kmscore_vectors.generator.model import Case, Fields, pairs_field
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    MOST_PLAINTEXT,
    OLD,
    WIDE,
    XAES,
    blob_field,
    dry_run_of,
    move,
    right_asymmetric,
)
from kmscore_vectors.generator.reencrypt.rings import short_key, unknown_spec, usual
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode, Suite


@dataclass(frozen=True)
class _Source:
    """The parts of a source blob, each of which can have a defect."""

    key: SymmetricTestKey = AES
    header: bytes = AES.header
    length: int = len(MESSAGE)
    version: int = 1
    last_bit: int = 0

    def field(self) -> Fields:
        """Return the blob as a field."""
        plaintext = (MESSAGE * (self.length // len(MESSAGE) + 1))[: self.length]
        iv = self.key.iv("to be rejected")
        rest = self.key.blob(plaintext, OLD, iv)[len(self.key.header) :]
        header = self.header[:3] + bytes([self.version]) + self.header[4:]
        return blob_field(header + rest[:-1] + bytes([rest[-1] ^ self.last_bit]))


@dataclass(frozen=True)
class _Defect:
    """A defect of a request: of the source blob, or of another field."""

    comment: str
    error: ErrorCode
    step: int
    """The step of section 8 that finds it."""

    source: dict[str, Any] | None = None
    field: Fields | None = None

    def is_before(self, later: "_Defect") -> bool:
        """Return whether this defect is found first, and has an error of its own."""
        return self.step < later.step and self.error is not later.error


def _named(key_id: bytes, version_id: bytes = b"v1", suite: Suite = Suite.AES_256_GCM) -> bytes:
    """Return a header."""
    return header_bytes(suite.value, key_id, version_id)


_GONE: Final = keyring.symmetric("gone", "v1", Suite.AES_256_GCM)
_CLOSED: Final = keyring.RETIRED[0]
_WIDE: Final = pairs_field(WIDE)
_DESTINATIONS: Final = (
    _Defect(
        "an unknown destination key",
        ErrorCode.KEY_NOT_FOUND,
        6,
        field={"destination_key_id": "gone"},
    ),
    _Defect(
        "a disabled destination key",
        ErrorCode.KEY_STATE,
        6,
        field={"destination_key_id": keyring.UNUSABLE[0].key_id},
    ),
    _Defect(
        "an asymmetric destination key",
        ErrorCode.KEY_USAGE,
        6,
        field={"destination_key_id": keyring.SM2.key_id},
    ),
)
_BLOBS: Final = (
    _Defect("format version 02", ErrorCode.INVALID_BLOB, 2, source={"version": 2}),
    _Defect(
        "a wide destination context",
        ErrorCode.INVALID_CONTEXT,
        3,
        field={"destination_pairs": _WIDE},
    ),
    _Defect(
        "another source key ID", ErrorCode.INCORRECT_KEY, 4, field={"source_key_id": "another"}
    ),
    _Defect(
        "another source key version ID",
        ErrorCode.INCORRECT_KEY,
        4,
        field={"source_key_version_id": "another"},
    ),
    _Defect(
        "an unknown source key",
        ErrorCode.KEY_NOT_FOUND,
        5,
        source={"key": _GONE, "header": _GONE.header},
    ),
    _Defect(
        "an unknown source key version",
        ErrorCode.KEY_VERSION_NOT_FOUND,
        5,
        source={"header": _named(AES.key_id.encode(), b"v0")},
    ),
    _Defect(
        "a disabled source key",
        ErrorCode.KEY_STATE,
        5,
        source={"key": _CLOSED, "header": _CLOSED.header},
    ),
    _Defect("an asymmetric source key", ErrorCode.KEY_USAGE, 5, source={"header": _named(b"sm2")}),
    _Defect(
        "another suite",
        ErrorCode.INCORRECT_KEY,
        5,
        source={"header": _named(AES.key_id.encode(), suite=Suite.AES_128_GCM)},
    ),
    *_DESTINATIONS,
    _Defect("6,145 bytes", ErrorCode.PLAINTEXT_SIZE, 7, source={"length": MOST_PLAINTEXT + 1}),
    _Defect("a wrong tag", ErrorCode.DECRYPTION, 8, source={"last_bit": 1}),
)


_SHA_256: Final = EncryptionAlgorithm.RSAES_OAEP_SHA_256
_BARE: Final = (
    _Defect(
        "an unknown algorithm",
        ErrorCode.UNSUPPORTED_ALGORITHM,
        1,
        field={"source_algorithm": "RSAES_PKCS1_V1_5"},
    ),
    _Defect(
        "a source context", ErrorCode.INVALID_CONTEXT, 3, field={"source_pairs": pairs_field(OLD)}
    ),
    _Defect(
        "a wide destination context",
        ErrorCode.INVALID_CONTEXT,
        3,
        field={"destination_pairs": _WIDE},
    ),
    _Defect("an unknown source key", ErrorCode.KEY_NOT_FOUND, 5, field={"source_key_id": "gone"}),
    _Defect(
        "an unknown source key version",
        ErrorCode.KEY_VERSION_NOT_FOUND,
        5,
        field={"source_key_version_id": "v0"},
    ),
    _Defect(
        "a disabled source key",
        ErrorCode.KEY_STATE,
        5,
        field={"source_key_id": keyring.RSA_DISABLED.key_id},
    ),
    _Defect("a symmetric source key", ErrorCode.KEY_USAGE, 5, field={"source_key_id": AES.key_id}),
    *_DESTINATIONS,
    _Defect("a ciphertext of 0", ErrorCode.DECRYPTION, 8, field=blob_field(bytes(256))),
)
_RINGS: Final = (
    _Defect("a key of 31 bytes", ErrorCode.INVALID_KEY, 0, field=short_key()),
    _Defect("an unknown key spec", ErrorCode.UNSUPPORTED_ALGORITHM, 0, field=unknown_spec()),
)


def two_defects() -> Iterator[Case]:
    """Yield requests with two defects, each of which has its own error."""
    right = move("to be rejected", "Valid", AES, XAES)
    for earlier, later in combinations(_BLOBS, 2):
        if earlier.is_before(later):
            yield _pair(right, earlier, later)
    wrong_tag = _BLOBS[-1]
    for earlier in _narrow(_BLOBS[:-1]):
        yield _pair(dry_run_of(right), earlier, wrong_tag, ", dry run")
    bare = right_asymmetric()
    for earlier, later in combinations(_BARE, 2):
        if earlier.is_before(later):
            yield _pair(bare[_SHA_256], earlier, later, ", RSA")
    for earlier in _narrow(_BARE[:7]):
        yield _pair(dry_run_of(bare[_SHA_256]), earlier, _BARE[-1], ", RSA, dry run")
    wrong = replace(_BARE[-1], comment="no ciphertext", field=blob_field(b""))
    for earlier in _BARE[:5]:
        yield _pair(bare[EncryptionAlgorithm.SM2PKE], earlier, wrong, ", SM2")
    wide = {"source_pairs": _WIDE}
    context = _Defect("a wide source context", ErrorCode.INVALID_CONTEXT, 3, field=wide)
    yield _pair(right, _BLOBS[0], context)
    yield _pair(right, context, _BLOBS[2])
    yield _pair(right, context, wrong_tag)
    yield _pair(dry_run_of(right), context, wrong_tag, ", dry run")
    yield from _within_one_check(right)


def _narrow(defects: Iterable[_Defect]) -> Iterator[_Defect]:
    """Yield the defects without a wide context, which takes 65 KB."""
    return (defect for defect in defects if _WIDE not in (defect.field or {}).values())


def two_defects_with_rings() -> Iterator[Case]:
    """Yield requests whose keyring has a defect, and that have another one."""
    for earlier in _RINGS:
        for later in _narrow(_BLOBS):
            if later.error is not ErrorCode.KEY_STATE:  # the keyring has no disabled key
                yield _pair(usual(), earlier, later)


def _within_one_check(right: Case) -> Iterator[Case]:
    """Yield source keys with two defects: the state is checked before the suite and the kind."""
    closed = _CLOSED.key_id.encode()
    for comment, usable, disabled in (
        (
            "another suite",
            _named(AES.key_id.encode(), suite=Suite.SM4_GCM),
            _named(closed, suite=Suite.SM4_GCM),
        ),
        ("an asymmetric key", _named(b"rsa"), _named(b"rsa-disabled")),
    ):
        error = ErrorCode.KEY_USAGE if usable == _named(b"rsa") else ErrorCode.INCORRECT_KEY
        later = right.rejected(error, "KeyUsage", comment, _Source(header=usable).field())
        yield later.also(
            ErrorCode.KEY_STATE, "a disabled source key", _Source(header=disabled).field()
        )


def _pair(right: Case, earlier: _Defect, later: _Defect, suffix: str = "") -> Case:
    """Return a request with both defects."""
    fields = later.field or _source(later)
    one = right.rejected(later.error, "TwoDefects", later.comment + suffix, fields)
    return one.also(earlier.error, earlier.comment, earlier.field or _source(later, earlier))


def _source(*defects: _Defect) -> Fields:
    """Return a source blob with the defects that are defects of the blob."""
    source = _Source()
    for defect in defects:
        source = replace(source, **(defect.source or {}))
    return source.field()

"""The vectors of the service's own layout: its blob, its context rule, and decryption."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from kmscore_vectors.generator.model import Case, Fields, Group, Note, VectorFile, hex_fields
from kmscore_vectors.generator.service_blob import context_rule, failure_notes, opening, payloads
from kmscore_vectors.generator.service_blob.encoder import INSTANCE_PREFIX, blob_bytes
from kmscore_vectors.generator.shared_texts import (
    NO_ROOM,
    TEST_KEYS,
)
from kmscore_vectors.tables import BugType, ErrorCode, Severity

_VERSION: Final = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
_IV: Final = bytes(range(12))
_CIPHERTEXT: Final = bytes(range(0x30, 0x50))
_TAG: Final = bytes(range(0xE0, 0xF0))
_MOST_BYTES: Final = 8259
_FIXED: Final = 36 + 12 + 16

_NOTES: Final = {
    "Layout": Note(
        "A blob with the fields at their places.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "Prefix": Note(
        "A blob of a KMS instance: three bytes stand before the key version ID.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "LayoutBoundary": Note(
        "The shortest or the longest blob that can be one.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "Truncated": Note(
        NO_ROOM,
        "A tag of fewer bytes is easier to guess, and a read beyond the end.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "TooLong": Note(
        "The blob has more than 8,259 bytes.",
        "Memory and time for what can be no ciphertext of the service.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "NotAUuid": Note(
        "The bytes in the place of the key version ID are not 36 characters of a UUID.",
        "Any text is looked up as a key version: in a path, a query or a log line.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "OtherPrefix": Note(
        "The prefix is another than is due, or there is one where none is due, or none.",
        "With guesses between layouts, an attacker who writes the blob chooses its reading.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "OtherLayout": Note(
        "A v1 blob.",
        "With guesses between layouts, an attacker who writes the blob chooses whether its header"
        " and context are authenticated as in v1 or hashed as in the service.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    return VectorFile(
        name="service_blob",
        algorithm="kmscore-service-blob",
        header=(
            "The service's own ciphertext blob, its context rule, and both together.",
            "The rule does not tell all contexts apart: what it confuses is listed by collisions.",
            TEST_KEYS,
        ),
        notes={
            **_NOTES,
            **context_rule.NOTES,
            **opening.NOTES,
            **failure_notes.NOTES,
            **payloads.NOTES,
        },
        groups=(
            Group("parse_service_blob", tuple(chain(_right(), _wrong()))),
            *context_rule.groups(),
            *opening.groups(),
        ),
    )


def _parsed(
    comment: str,
    flag: str,
    *,
    version: str = _VERSION,
    ciphertext: bytes = _CIPHERTEXT,
    prefix: bytes = b"",
) -> Case:
    """Return a test of a blob that parses."""
    blob = blob_bytes(version, _IV, (ciphertext, _TAG), prefix)
    return Case(
        comment,
        flag,
        hex_fields(blob=blob, prefix=prefix),
        {"key_version_id": version, **hex_fields(iv=_IV, ciphertext=ciphertext, tag=_TAG)},
        hex_fields(keyVersionIdBytes=version.encode("ascii")),
    )


def _right() -> Iterator[Case]:
    """Yield blobs that parse."""
    yield _parsed("32 bytes of ciphertext", "Layout")
    yield _parsed("a UUID of digits", "Layout", version="00000000-0000-0000-0000-000000000000")
    yield _parsed("a UUID in capitals", "Layout", version=_VERSION.upper())
    yield _parsed("a UUID of no version", "Layout", version="ffffffff-ffff-ffff-ffff-ffffffffffff")
    yield _parsed("a ciphertext of zeros", "Layout", ciphertext=bytes(44))
    yield _parsed("a ciphertext like a blob", "Layout", ciphertext=_VERSION.encode() + _IV)
    yield _parsed("24 00 02", "Prefix", prefix=INSTANCE_PREFIX)
    yield _parsed("00 00 00", "Prefix", prefix=bytes(3))
    yield _parsed("a prefix of letters", "Prefix", prefix=b"KMS")
    yield _parsed("no ciphertext", "LayoutBoundary", ciphertext=b"")
    yield _parsed("one byte of ciphertext", "LayoutBoundary", ciphertext=b"\x00")
    yield _parsed(
        "no ciphertext behind a prefix", "LayoutBoundary", ciphertext=b"", prefix=INSTANCE_PREFIX
    )
    longest = bytes(_MOST_BYTES - _FIXED)
    yield _parsed("8,259 bytes", "LayoutBoundary", ciphertext=longest)
    yield _parsed(
        "8,259 bytes with a prefix", "LayoutBoundary", ciphertext=longest[3:],
        prefix=INSTANCE_PREFIX,
    )  # fmt: skip


def _wrong() -> Iterator[Case]:
    """Yield blobs that do not parse, and prefixes that do not match."""
    yield from _wrong_lengths()
    yield from _wrong_ids()
    right = _parsed("32 bytes of ciphertext", "Layout")
    instance = _parsed("24 00 02", "Prefix", prefix=INSTANCE_PREFIX)
    blob, prefixed = (bytes.fromhex(str(case.inputs["blob"])) for case in (right, instance))
    for comment, data in (
        ("24 00 01", b"\x24\x00\x01" + blob),
        ("24 00 03", b"\x24\x00\x03" + blob),
        ("the bytes in another order", b"\x02\x00\x24" + blob),
        ("twice", INSTANCE_PREFIX + prefixed),
        ("only two bytes of it", INSTANCE_PREFIX[:2] + blob),
    ):
        yield _reject(instance, "OtherPrefix", comment, data)
    yield _reject(right, "OtherPrefix", "24 00 02 where none is due", prefixed)
    yield right.rejected(
        ErrorCode.INVALID_BLOB,
        "OtherPrefix",
        "a prefix is due and there is none",
        hex_fields(prefix=INSTANCE_PREFIX),
    )
    header = b"KMS\x01\x01\x03key\x02v1"
    yield _reject(right, "OtherLayout", "AES_256_GCM", header + _IV + _CIPHERTEXT + _TAG)
    uuid_header = b"KMS\x01\x01\x24" + _VERSION.encode() + b"\x24" + _VERSION.encode()
    comment = "AES_256_GCM, IDs that are UUIDs"
    yield _reject(right, "OtherLayout", comment, uuid_header + _IV + _CIPHERTEXT + _TAG)


def _wrong_lengths() -> Iterator[Case]:
    """Yield blobs that are too short or too long."""
    shortest = _parsed("no ciphertext", "LayoutBoundary", ciphertext=b"")
    blob = bytes.fromhex(str(shortest.inputs["blob"]))
    for length in (0, 1, 35, 36, 37, 47, 48, 49, 62, 63):
        yield _reject(shortest, "Truncated", f"{length} bytes", blob[:length])
    prefixed = _parsed("no ciphertext", "LayoutBoundary", ciphertext=b"", prefix=INSTANCE_PREFIX)
    blob = bytes.fromhex(str(prefixed.inputs["blob"]))
    for length in (2, 3, 64, 66):
        yield _reject(prefixed, "Truncated", f"{length} bytes with a prefix", blob[:length])
    longest = _parsed("8,259 bytes", "LayoutBoundary", ciphertext=bytes(_MOST_BYTES - _FIXED))
    blob = bytes.fromhex(str(longest.inputs["blob"]))
    yield _reject(longest, "TooLong", "8,260 bytes", blob + b"\x00")
    yield _reject(longest, "TooLong", "16,384 bytes", blob + bytes(16_384 - len(blob)))
    longest = _parsed(
        "8,259 bytes with a prefix", "LayoutBoundary",
        ciphertext=bytes(_MOST_BYTES - _FIXED - 3), prefix=INSTANCE_PREFIX,
    )  # fmt: skip
    blob = bytes.fromhex(str(longest.inputs["blob"]))
    yield _reject(longest, "TooLong", "8,260 bytes with a prefix", blob + b"\x00")


def _wrong_ids() -> Iterator[Case]:
    """Yield blobs whose first 36 bytes are not a UUID."""
    right = _parsed("32 bytes of ciphertext", "Layout")
    rest = bytes.fromhex(str(right.inputs["blob"]))[36:]
    hyphens = _VERSION.encode()
    for comment, identifier in {
        "no hyphens": hyphens.replace(b"-", b"") + b"0000",
        "the hyphens elsewhere": b"86a9efd93-d16-4894-bd4f-1fc43f3f2abf",
        "a letter beyond f": b"g" + hyphens[1:],
        "a space first": b" " + hyphens[:-1],
        "a line feed last": hyphens[:-1] + b"\n",
        "NUL last": hyphens[:-1] + b"\x00",
        "braces": b"{" + hyphens[:34] + b"}",
        "a digit of two bytes in UTF-8": hyphens[:-2] + "\u0665".encode(),
        "a digit of three bytes in UTF-8": hyphens[:-3] + "\uff11".encode(),
        "no ASCII": b"\xff" * 36,
        "a key ID of the service": b"key-hzz65f1cb66fa42qo9n1o".ljust(36, b"0"),
        "underscores": hyphens.replace(b"-", b"_"),
        "zeros": bytes(36),
    }.items():
        yield _reject(right, "NotAUuid", comment, identifier + rest)
    shifted = bytes.fromhex(str(right.inputs["blob"]))
    yield _reject(right, "NotAUuid", "the first byte is missing", shifted[1:])
    yield _reject(right, "NotAUuid", "a byte stands before it", b"\x00" + shifted)


def _reject(right: Case, flag: str, comment: str, blob: bytes) -> Case:
    """Return `right` as a negative test, with a blob that does not parse."""
    fields: Fields = hex_fields(blob=blob)
    return right.rejected(ErrorCode.INVALID_BLOB, flag, comment, fields)

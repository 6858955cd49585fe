"""The vectors of requests with two defects: the first check in the order of section 9 decides."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

from kmscore_vectors.generator.aead.maker import (
    KEY_ID,
    KEY_VERSION_ID,
    MESSAGE,
    MOST_PLAINTEXT,
    PAIRS,
    AeadMaker,
    context_field,
    wide_context,
)
from kmscore_vectors.generator.ciphers import seal
from kmscore_vectors.generator.model import TWO_DEFECTS, Case, Fields, hex_fields
from kmscore_vectors.generator.suite_properties import iv_length
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import ErrorCode, Suite

DEFECTS: Final = {
    ErrorCode.INVALID_BLOB: "a blob that does not parse",
    ErrorCode.INVALID_CONTEXT: "a context of 65,536 bytes",
    ErrorCode.KEY_NOT_FOUND: "another key ID",
    ErrorCode.KEY_VERSION_NOT_FOUND: "another key version ID",
    ErrorCode.INCORRECT_KEY: "another suite",
    ErrorCode.PLAINTEXT_SIZE: "a plaintext of 6,200 bytes",
    ErrorCode.DECRYPTION: "a wrong tag",
}
"""The defects of a blob, in the order in which they are found."""

_OTHER_SUITES: Final = {
    Suite.AES_256_GCM: Suite.XAES_256_GCM,
    Suite.AES_192_GCM: Suite.AES_256_GCM,
    Suite.AES_128_GCM: Suite.SM4_GCM,
    Suite.SM4_GCM: Suite.AES_128_GCM,
    Suite.XAES_256_GCM: Suite.AES_256_GCM,
}
_TOO_LONG: Final = 6702  # bytes of a blob
_WIDE: Final = context_field(wide_context(1))


def two_defects_in_encryption(maker: AeadMaker) -> Iterator[Case]:
    """Yield a plaintext that is too long, with a context that is too long."""
    if _has_wide_contexts(maker):
        right = maker.sealed("one block", "Valid", MESSAGE[:16], PAIRS)
        long = hex_fields(plaintext=bytes(MOST_PLAINTEXT + 1))
        comment = "a plaintext of 6,145 bytes"
        wrong = right.rejected(ErrorCode.PLAINTEXT_SIZE, "PlaintextSize", comment, long)
        error = ErrorCode.INVALID_CONTEXT
        yield wrong.also(error, DEFECTS[error], _WIDE)


def two_defects_in_decryption(maker: AeadMaker) -> Iterator[Case]:
    """Yield blobs with each two of the defects."""
    right = maker.opened("one block", "Valid", MESSAGE, PAIRS)
    for first, second in combinations(DEFECTS, 2):
        if ErrorCode.INVALID_CONTEXT in {first, second} and not _has_wide_contexts(maker):
            continue
        wrong = right.rejected(second, TWO_DEFECTS, DEFECTS[second], _fields(maker, second))
        yield wrong.also(first, DEFECTS[first], _fields(maker, first, second))


def _has_wide_contexts(maker: AeadMaker) -> bool:
    """Return whether a suite has tests with a long context: one does, because they are long."""
    return maker.suite is Suite.XAES_256_GCM


def _fields(maker: AeadMaker, added: ErrorCode, present: ErrorCode | None = None) -> Fields:
    """Return the input that adds a defect to a request, which can have another already."""
    if added is ErrorCode.INVALID_CONTEXT:
        return _WIDE
    blob = _blob(maker, {added, present})
    if added is ErrorCode.INVALID_BLOB:
        blob = _broken(maker, present, blob)
    return hex_fields(blob=blob)


def _blob(maker: AeadMaker, errors: set[ErrorCode | None]) -> bytes:
    """Return a blob with the given defects, which parses. The tag fits the header."""
    suite = _OTHER_SUITES[maker.suite] if ErrorCode.INCORRECT_KEY in errors else maker.suite
    key_id = b"other" if ErrorCode.KEY_NOT_FOUND in errors else KEY_ID
    version_id = b"v2" if ErrorCode.KEY_VERSION_NOT_FOUND in errors else KEY_VERSION_ID
    header = header_bytes(suite.value, key_id, version_id)
    context = maker.associated_data(PAIRS)[len(maker.header) :]
    plaintext = bytes(6200) if ErrorCode.PLAINTEXT_SIZE in errors else MESSAGE
    iv = maker.iv("two defects")
    sealed = seal(maker.suite, maker.material, iv, plaintext, header + context)
    tag = sealed.tag
    if ErrorCode.DECRYPTION in errors:
        tag = tag[:-1] + bytes([tag[-1] ^ 0x01])
    return header + iv + sealed.ciphertext + tag


def _broken(maker: AeadMaker, second: ErrorCode | None, blob: bytes) -> bytes:
    """Return a blob that does not parse, at another step of section 3.3 for each second defect."""
    match second:
        case ErrorCode.INVALID_CONTEXT:
            return b"kms" + blob[3:]
        case ErrorCode.KEY_NOT_FOUND:
            header = header_bytes(maker.suite.value, b"other", KEY_VERSION_ID)
            return blob[: len(header) + iv_length(maker.suite) + 15]
        case ErrorCode.KEY_VERSION_NOT_FOUND:
            return blob[:6] + b"\x20" + blob[7:]  # in the key ID
        case ErrorCode.INCORRECT_KEY:
            return blob[:3] + b"\x02" + blob[4:]
        case ErrorCode.PLAINTEXT_SIZE:
            return blob + bytes(_TOO_LONG - len(blob))
        case _:
            return blob[:4] + b"\x06" + blob[5:]

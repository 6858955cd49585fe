"""The vectors of blobs with another header, whose rest is right."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.aead.maker import KEY_ID, KEY_VERSION_ID, AeadMaker, flip
from kmscore_vectors.generator.model import Case, blob_of, hex_fields
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import ErrorCode, Suite


def other_headers(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs with another value in the header; the rest fits that header."""
    blob = blob_of(right)
    rest = blob[len(maker.header) :]
    for comment, (error, ids) in _IDS.items():
        changed = header_bytes(maker.suite.value, *ids) + rest
        yield right.rejected(error, "OtherKey", comment, hex_fields(blob=changed))
    for other in Suite:
        if other is not maker.suite:
            changed = header_bytes(other.value, KEY_ID, KEY_VERSION_ID) + rest
            yield right.rejected(
                ErrorCode.INCORRECT_KEY, "OtherSuite", other.name, hex_fields(blob=changed)
            )
    for offset, (mask, error) in enumerate(_HEADER_BITS):
        comment = f"byte {offset} of the header, bits {mask:02x}"
        changed = flip(blob, offset, mask)
        yield right.rejected(error, "ModifiedHeader", comment, hex_fields(blob=changed))


_HEADER_BITS: Final = (
    (0x01, ErrorCode.INVALID_BLOB),  # magic
    (0x20, ErrorCode.INVALID_BLOB),
    (0x80, ErrorCode.INVALID_BLOB),
    (0x02, ErrorCode.INVALID_BLOB),  # format version
    (0x80, ErrorCode.INVALID_BLOB),  # suite
    (0x80, ErrorCode.INVALID_BLOB),  # length of the key ID
    (0x20, ErrorCode.KEY_NOT_FOUND),  # key ID
    (0x01, ErrorCode.KEY_NOT_FOUND),
    (0x08, ErrorCode.KEY_NOT_FOUND),
    (0x03, ErrorCode.KEY_VERSION_NOT_FOUND),  # length of the key version ID: 1
    (0x20, ErrorCode.KEY_VERSION_NOT_FOUND),  # key version ID
    (0x04, ErrorCode.KEY_VERSION_NOT_FOUND),
)
"""The bits to invert in each byte of the header, and the error."""

_IDS: Final = {
    "another key ID": (ErrorCode.KEY_NOT_FOUND, (b"kez", b"v1")),
    "a longer key ID": (ErrorCode.KEY_NOT_FOUND, (b"keyv", b"v1")),
    "a shorter key ID": (ErrorCode.KEY_NOT_FOUND, (b"ke", b"v1")),
    "the key ID in capitals": (ErrorCode.KEY_NOT_FOUND, (b"KEY", b"v1")),
    "the IDs exchanged": (ErrorCode.KEY_NOT_FOUND, (b"v1", b"key")),
    "the key version ID as both": (ErrorCode.KEY_NOT_FOUND, (b"v1", b"v1")),
    "a pattern for the key ID": (ErrorCode.KEY_NOT_FOUND, (b"*", b"v1")),
    "a key ID of 255 bytes": (ErrorCode.KEY_NOT_FOUND, (b"key" * 85, b"v1")),
    "another key version ID": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v2")),
    "a longer key version ID": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v11")),
    "a shorter key version ID": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"v")),
    "the key ID as both": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"key")),
    "a number as the key version ID": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"1")),
    "a pattern for the key version ID": (ErrorCode.KEY_VERSION_NOT_FOUND, (b"key", b"*")),
}

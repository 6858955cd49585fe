"""Builders of the tests of the blob format."""

import base64
from typing import Final

from kmscore_vectors.generator.model import Case, blob_of, hex_fields
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import ErrorCode, Suite

TAG: Final = bytes(range(0xA0, 0xB0))
SHORT: Final = (b"key", b"v1")
LONGEST_ID: Final = 255
LONGEST: Final = (b"k" * LONGEST_ID, b"v" * LONGEST_ID)
MOST_PLAINTEXT: Final = 6144
MOST_BYTES: Final = 6701
MOST_CHARACTERS: Final = 8936


def body(
    comment: str, flag: str, suite: Suite, ids: tuple[bytes, bytes], ciphertext: bytes
) -> Case:
    """Return a test of a valid blob."""
    header = header_bytes(suite.value, *ids)
    iv = bytes(range(1, 1 + (24 if suite is Suite.XAES_256_GCM else 12)))
    fields = {"key_id": ids[0].decode(), "key_version_id": ids[1].decode()}
    return Case(
        comment,
        flag,
        hex_fields(blob=header + iv + ciphertext + TAG),
        {
            **hex_fields(suite_id=bytes([suite.value])),
            **fields,
            **hex_fields(iv=iv, ciphertext=ciphertext, tag=TAG),
        },
        hex_fields(header=header),
    )


def filled(comment: str, suite: Suite, ids: tuple[bytes, bytes]) -> Case:
    """Return a blob of 6,701 bytes, the longest one that parses."""
    empty = len(blob_of(body("", "", suite, ids, b"")))
    return body(comment, "Boundary", suite, ids, bytes(MOST_BYTES - empty))


def plain(suite: Suite = Suite.AES_256_GCM, ids: tuple[bytes, bytes] = SHORT) -> Case:
    """Return a blob with an empty ciphertext, so that every missing byte matters."""
    return body("empty ciphertext", "Valid", suite, ids, b"")


def bad_blob(right: Case, flag: str, comment: str, blob: bytes) -> Case:
    """Return `right` as a negative test, with other bytes."""
    return right.rejected(ErrorCode.INVALID_BLOB, flag, comment, hex_fields(blob=blob))


def text_of(comment: str, flag: str, case: Case) -> Case:
    """Return a test of the same blob as text."""
    text = base64.b64encode(blob_of(case)).decode()
    return Case(comment, flag, {"text": text}, {"blob": case.inputs["blob"]})


def bad_text(right: Case, flag: str, comment: str, text: str) -> Case:
    """Return `right` as a negative test, with another text."""
    return right.rejected(ErrorCode.INVALID_BLOB, flag, comment, {"text": text})

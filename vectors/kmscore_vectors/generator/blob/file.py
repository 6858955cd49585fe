"""The vectors of the blob format: valid and invalid blobs, with their fields, not decrypted."""

from collections.abc import Iterator

from kmscore_vectors.generator.blob.cases import (
    LONGEST,
    MOST_PLAINTEXT,
    SHORT,
    bad_blob,
    body,
    filled,
    plain,
)
from kmscore_vectors.generator.blob.ids import id_cases
from kmscore_vectors.generator.blob.notes import NOTES
from kmscore_vectors.generator.blob.text import base64_cases
from kmscore_vectors.generator.model import Case, Group, VectorFile, blob_of
from kmscore_vectors.tables import Suite


def make() -> VectorFile:
    """Return the file."""
    bodies = (*_valid(), *_longest(), *_truncated(), *_wrong_prefixes(), *id_cases())
    return VectorFile(
        name="blob",
        algorithm="kmscore-v1-blob",
        header=("Ciphertext blobs of format v1 and the fields that they parse to.",),
        notes=NOTES,
        groups=(
            Group("parse_blob", bodies),
            Group("parse_blob_base64", tuple(base64_cases())),
        ),
    )


def _valid() -> Iterator[Case]:
    """Yield blobs that parse."""
    for suite in Suite:
        for length in (0, 1, 32):
            yield body(f"{suite.name}, {length} bytes", "Valid", suite, SHORT, bytes(length))
    uuid = b"08c33a6f-4e0a-4a1b-a3fa-7ddfa1d4fb73"
    yield body("IDs as the service gives them", "Valid", Suite.XAES_256_GCM, (uuid, uuid), b"x")
    header = b"KMS\x01\x01\x03key\x02v1"
    for comment, ciphertext in {
        "a header as the ciphertext": header,
        "a whole blob as the ciphertext": blob_of(plain()),
        "a ciphertext of printable characters": b"abcdefgh" * 8,
        "a ciphertext that ends with line feeds": b"ab\n\n",
        "a ciphertext that ends with zeros": b"ab\x00\x00",
        "a ciphertext that begins with zeros": b"\x00\x00ab",
        "a ciphertext of equals signs": b"=" * 16,
        "a ciphertext of FF": b"\xff" * 32,
    }.items():
        yield body(comment, "Valid", Suite.AES_256_GCM, SHORT, ciphertext)


def _longest() -> Iterator[Case]:
    """Yield blobs at the limit of 6,701 bytes, and blobs one byte longer."""
    for suite in Suite:
        comment = f"{suite.name}, a ciphertext of 6,144 bytes and the longest IDs"
        if suite is not Suite.XAES_256_GCM:
            yield body(comment, "Boundary", suite, LONGEST, bytes(MOST_PLAINTEXT))
        comment = f"{suite.name}, a ciphertext of 6,145 bytes, which parses"
        yield body(comment, "Boundary", suite, SHORT, bytes(MOST_PLAINTEXT + 1))
        for name, ids in (("short", SHORT), ("the longest", LONGEST)):
            right = filled(f"{suite.name}, 6,701 bytes with {name} IDs", suite, ids)
            yield right
            comment = f"{suite.name}, 6,702 bytes with {name} IDs"
            yield bad_blob(right, "TooLong", comment, blob_of(right) + b"\x00")
    right = plain()
    yield bad_blob(right, "TooLong", "100,000 bytes", blob_of(right) + bytes(100_000))


def _truncated() -> Iterator[Case]:
    """Yield blobs that end too early."""
    whole = plain()
    blob = blob_of(whole)
    for end in range(len(blob) - 1):
        yield bad_blob(whole, "Truncated", f"the first {end} of {len(blob)} bytes", blob[:end])
    for suite in Suite:
        right = plain(suite)
        yield bad_blob(right, "Truncated", f"{suite.name}, one byte too short", blob_of(right)[:-1])
    right = plain(Suite.XAES_256_GCM)
    comment = "XAES_256_GCM, with an IV of 12 bytes"
    yield bad_blob(right, "Truncated", comment, blob_of(right)[:12] + blob_of(right)[24:])
    right = plain(Suite.AES_128_GCM, LONGEST)
    comment = "one byte too short, with the longest IDs"
    yield bad_blob(right, "Truncated", comment, blob_of(right)[:-1])


def _wrong_prefixes() -> Iterator[Case]:
    """Yield blobs with an invalid byte before the IDs, or with bytes before the blob."""
    whole = plain()
    blob = blob_of(whole)
    for offset, value in (
        (0, b"k"), (1, b"m"), (2, b"s"), (0, b"\xcb"), (1, b"\xcd"), (2, b"\xd3"),
        (0, b"\x00"), (1, b"\x00"), (2, b"\x00"), (0, b"J"), (1, b"L"), (2, b"R"),
        (0, b"SMK"), (0, b"MKS"), (0, b"KMSKMS"), (0, b"\x00\x00\x00"),
    ):  # fmt: skip
        comment = f"{value.hex()} at offset {offset}"
        yield bad_blob(whole, "Magic", comment, _with(blob, offset, value))
    for version in (0x00, 0x02, 0x03, 0x09, 0x10, 0x11, 0x21, 0x31, 0x41, 0x7F, 0x80, 0x81, 0xFF):
        changed = _with(blob, 3, bytes([version]))
        yield bad_blob(whole, "FormatVersion", f"version {version:02x}", changed)
    for suite_id in (
        0x00, 0x06, 0x07, 0x08, 0x09, 0x0D, 0x10, 0x11, 0x15, 0x21, 0x31, 0x41, 0x7F, 0x80, 0x81,
        0x85, 0xFE, 0xFF,
    ):  # fmt: skip
        changed = _with(blob, 4, bytes([suite_id]))
        yield bad_blob(whole, "UnknownSuite", f"suite {suite_id:02x}", changed)
    for prefix in (b"\x00", b"\n", b" ", b"K", b"KMS", b"KMS\x01", b"\xef\xbb\xbf"):
        comment = f"{prefix.hex()} before the magic"
        yield bad_blob(whole, "Prefixed", comment, prefix + blob)
    for comment, changed in {
        "no magic": blob[3:],
        "no format version, or no suite ID": blob[:3] + blob[4:],
        "the suite ID before the format version": blob[:3] + b"\x05\x01" + blob[5:],
        "the bytes in reverse order": blob[::-1],
    }.items():
        yield bad_blob(whole, "Prefixed", comment, changed)


def _with(data: bytes, offset: int, replacement: bytes) -> bytes:
    """Return `data` with the bytes at `offset` replaced."""
    return data[:offset] + replacement + data[offset + len(replacement) :]

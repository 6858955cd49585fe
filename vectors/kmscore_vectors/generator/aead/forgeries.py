"""The vectors of blobs that were changed after the header."""

from collections.abc import Iterator

from kmscore_vectors.generator.aead.maker import (
    MESSAGE,
    MOST_PLAINTEXT,
    PAIRS,
    TAG_LENGTH,
    AeadMaker,
    bad_blob,
    context_field,
    flip,
)
from kmscore_vectors.generator.model import Case, blob_of, hex_fields
from kmscore_vectors.generator.suite_properties import iv_length
from kmscore_vectors.tables import ErrorCode


def forgeries(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs with bits inverted, and with bytes removed, added or moved."""
    yield from _bits(maker, right)
    yield from _tags(maker, right)
    yield from _lengths(maker, right)
    yield from _empty(maker)
    yield from _long_ciphertexts(maker)


def _bits(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs with one bit inverted: in each byte of IV and tag, and in the ciphertext."""
    blob = blob_of(right)
    iv = len(maker.header)
    ciphertext = iv + iv_length(maker.suite)
    tag = len(blob) - TAG_LENGTH
    for flag, field, start, offsets in (
        ("ModifiedIv", "IV", iv, range(iv, ciphertext)),
        (
            "ModifiedCiphertext",
            "ciphertext",
            ciphertext,
            (ciphertext, *_around(ciphertext), tag - 1),
        ),
        ("ModifiedTag", "tag", tag, range(tag, len(blob))),
    ):
        for offset in offsets:
            # Another bit in each byte, beginning with the highest of the first.
            mask = 1 << (7 - 3 * (offset - start)) % 8
            comment = f"byte {offset - start} of the {field}, bits {mask:02x}"
            yield bad_blob(right, flag, comment, flip(blob, offset, mask))
        last = offsets[-1]
        comment = f"byte {last - start} of the {field}, bits 01"
        yield bad_blob(right, flag, comment, flip(blob, last, 0x01))


def _around(ciphertext: int) -> tuple[int, ...]:
    """Return the offsets of the bytes around the end of the first block."""
    return ciphertext + 15, ciphertext + 16


def _tags(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs with another tag."""
    blob = blob_of(right)
    body, tag = blob[:-TAG_LENGTH], blob[-TAG_LENGTH:]
    another = blob_of(maker.opened("another message", "Valid", MESSAGE, PAIRS))[-TAG_LENGTH:]
    summed = bytes([(tag[0] + 1) % 256, (tag[1] - 1) % 256]) + tag[2:]
    for comment, changed in {
        "a tag of zeros": bytes(TAG_LENGTH),
        "a tag of ones": b"\xff" * TAG_LENGTH,
        "the first 4 bytes of the tag, and zeros": tag[:4] + bytes(12),
        "the first 8 bytes of the tag, and zeros": tag[:8] + bytes(8),
        "the first 12 bytes of the tag, and zeros": tag[:12] + bytes(4),
        "the first 15 bytes of the tag, and another": tag[:15] + bytes([tag[15] ^ 0xFF]),
        "zeros, and the last 8 bytes of the tag": bytes(8) + tag[8:],
        "every bit of the tag inverted": bytes(byte ^ 0xFF for byte in tag),
        "the tag backwards": tag[::-1],
        "the tag with its first two bytes exchanged": tag[1::-1] + tag[2:],
        "the tag with its first and last bytes exchanged": tag[-1:] + tag[1:-1] + tag[:1],
        "the tag with its halves exchanged": tag[8:] + tag[:8],
        "the tag rotated by a byte": tag[1:] + tag[:1],
        "the words of the tag backwards": b"".join(
            tag[start : start + 4][::-1] for start in range(0, TAG_LENGTH, 4)
        ),
        "the bytes of the tag sorted": bytes(sorted(tag)),
        "a tag with the same sum of its bytes": summed,
        "a tag with the same XOR of its bytes": flip(flip(tag, 3, 0x5A), 11, 0x5A),
        "a tag with the same XOR of its words": flip(flip(tag, 0, 0x80), 4, 0x80),
        "the highest bit of every byte inverted": bytes(byte ^ 0x80 for byte in tag),
        "the case bit of every byte inverted": bytes(byte ^ 0x20 for byte in tag),
        "the tag of another message": another,
        "the first block of the ciphertext as the tag": body[-32:-16],
    }.items():
        yield bad_blob(right, "ModifiedTag", comment, body + changed)


def _lengths(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield blobs with bytes removed, added or moved."""
    blob = blob_of(right)
    start = len(maker.header)
    iv, body, tag = blob[start : start + iv_length(maker.suite)], blob[:-TAG_LENGTH], blob[-16:]
    ciphertext = body[start + len(iv) :]
    for comment, data in {
        "the last byte is missing": blob[:-1],
        "the last 4 bytes of the tag are missing": blob[:-4],
        "the last 8 bytes of the tag are missing": blob[:-8],
        "the last 12 bytes of the tag are missing": blob[:-12],
        "the whole tag is missing": body,
        "the first byte after the IV is missing": maker.header + iv + ciphertext[1:] + tag,
        "the last byte of the ciphertext is missing": body[:-1] + tag,
        "the last block of the ciphertext is missing": body[:-16] + tag,
        "the ciphertext is missing": maker.header + iv + tag,
        "00 after it": blob + b"\x00",
        "0a after it": blob + b"\n",
        "0d 0a after it": blob + b"\r\n",
        "20 after it": blob + b" ",
        "16 bytes of 00 after it": blob + bytes(16),
        "the tag a second time": blob + tag,
        "the blob a second time": blob + blob,
        "00 between the ciphertext and the tag": body + b"\x00" + tag,
        "16 bytes of 00 between the ciphertext and the tag": body + bytes(16) + tag,
        "the tag before the ciphertext": maker.header + iv + tag + ciphertext,
        "the IV after the ciphertext": maker.header + ciphertext + iv + tag,
        "the blocks of the ciphertext exchanged": maker.header
        + iv
        + ciphertext[16:]
        + ciphertext[:16]
        + tag,
    }.items():
        yield bad_blob(right, "Length", comment, data)


def _empty(maker: AeadMaker) -> Iterator[Case]:
    """Yield changed blobs of the empty plaintext, which consist of header, IV and tag alone."""
    empty = maker.opened("empty", "Boundary", b"", ())
    blob = blob_of(empty)
    for missing in (1, 4, 12, 16):
        yield empty.rejected(
            ErrorCode.INVALID_BLOB,
            "Truncated",
            f"{missing} bytes of the tag are missing",
            hex_fields(blob=blob[:-missing]),
        )
    body, tag = blob[:-TAG_LENGTH], blob[-TAG_LENGTH:]
    for comment, flag, data in (
        ("the first bit of the tag, no plaintext", "ModifiedTag", flip(blob, len(body), 0x80)),
        ("the last bit of the tag, no plaintext", "ModifiedTag", flip(blob, -1, 0x01)),
        ("a tag of zeros, no plaintext", "ModifiedTag", body + bytes(TAG_LENGTH)),
        (
            "the first bit of the IV, no plaintext",
            "ModifiedIv",
            flip(blob, len(maker.header), 0x80),
        ),
        ("a byte of ciphertext, no plaintext", "Length", body + b"\x00" + tag),
    ):
        yield bad_blob(empty, flag, comment, data)
    fields = context_field(PAIRS)
    comment = "a context where none was, no plaintext"
    yield empty.rejected(ErrorCode.DECRYPTION, "OtherContext", comment, fields)


def _long_ciphertexts(maker: AeadMaker) -> Iterator[Case]:
    """Yield blobs with one bit inverted in a later block of the ciphertext."""
    start = len(maker.header) + iv_length(maker.suite)
    partial = maker.opened("49 bytes", "Boundary", bytes(49), PAIRS)
    for offset in (31, 32, 47, 48):
        comment = f"byte {offset} of 49 of the ciphertext"
        changed = flip(blob_of(partial), start + offset, 0x04)
        yield bad_blob(partial, "ModifiedCiphertext", comment, changed)
    longest = maker.opened("6,144 bytes", "Boundary", bytes(MOST_PLAINTEXT), ())
    for offset in (4096, MOST_PLAINTEXT - 1):
        comment = f"byte {offset:,} of 6,144 of the ciphertext"
        changed = flip(blob_of(longest), start + offset, 0x40)
        yield bad_blob(longest, "ModifiedCiphertext", comment, changed)

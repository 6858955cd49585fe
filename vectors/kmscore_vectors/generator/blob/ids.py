"""The vectors of the two IDs in a blob: their characters and their lengths."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.blob.cases import LONGEST_ID, SHORT, bad_blob, body, plain
from kmscore_vectors.generator.model import Case, blob_of
from kmscore_vectors.generator.wire import header_bytes, length8
from kmscore_vectors.tables import Suite

_FIELDS: Final = ("key ID", "key version ID")
_OUTSIDE: Final = {
    "00": b"\x00",
    "09": b"\x09",
    "0a": b"\x0a",
    "0d": b"\x0d",
    "1f": b"\x1f",
    "20": b"\x20",
    "7f": b"\x7f",
    "80": b"\x80",
    "a1, which is 21 with the highest bit": b"\xa1",
    "e9, an accented letter of Latin-1": b"\xe9",
    "fe, which is 7e with the highest bit": b"\xfe",
    "ff": b"\xff",
    "an accented letter in UTF-8": "\u00e9".encode(),
    "a full-width letter in UTF-8": "\uff4b".encode(),
}
_LENGTHS: Final = (16, 64, 127, 128, 129, 160, 192, 193, 223, 224, 240, 254, LONGEST_ID)
_TEXTS: Final = {
    "a quote": b'"',
    "a reverse solidus": b"\\",
    "a path": b"../../key",
    "a format": b"%s%00%n",
    "an injection": b"';--",
    "a JSON text": b'{"a":"b"}',
    "an alias": b"alias/key",
    "a resource name": b"acs:kms:cn-hangzhou:123456:key/key",
    "the magic": b"KMS",
    "a number": b"0",
    "null": b"null",
    "__proto__": b"__proto__",
}


def id_cases() -> Iterator[Case]:
    """Yield blobs with special IDs, and with invalid ones."""
    yield from _characters()
    yield from _texts()
    yield from _outside()
    yield from _lengths()
    yield from _wrong_lengths()


def _ids(index: int, value: bytes) -> tuple[bytes, bytes]:
    """Return the usual IDs with one of them replaced."""
    return (value, SHORT[1]) if index == 0 else (SHORT[0], value)


def _characters() -> Iterator[Case]:
    """Yield the first and the last allowed character in every place."""
    for index, field in enumerate(_FIELDS):
        for value in (b"!", b"~", b"!a", b"~a", b"a!", b"a~", b"a!~a"):
            comment = f"the {field} {value.decode()}"
            yield body(comment, "Boundary", Suite.AES_256_GCM, _ids(index, value), b"x")
    printable = bytes(range(0x21, 0x7F))
    yield body("every character of an ID", "Boundary", Suite.SM4_GCM, (printable, printable), b"x")


def _texts() -> Iterator[Case]:
    """Yield IDs that mean something to other programs, and IDs that are equal or swapped."""
    for name, value in _TEXTS.items():
        yield body(f"{name} as both IDs", "Valid", Suite.XAES_256_GCM, (value, value), b"x")
    for comment, ids in {
        "the usual IDs, swapped": SHORT[::-1],
        "IDs whose join is that of others": (b"keyv", b"1"),
        "IDs in capitals": (b"KEY", b"V1"),
    }.items():
        yield body(comment, "Valid", Suite.AES_256_GCM, ids, b"x")


def _outside() -> Iterator[Case]:
    """Yield IDs with a byte that is not allowed, in every place."""
    whole = plain()
    tail = blob_of(whole)[len(header_bytes(1, *SHORT)) :]
    for index, field in enumerate(_FIELDS):
        empty = header_bytes(1, *_ids(index, b"")) + tail
        yield bad_blob(whole, "EmptyId", f"no {field}", empty)
        for name, outside in _OUTSIDE.items():
            for place, value in (
                ("at the beginning of", outside + b"ab"),
                ("within", b"a" + outside + b"b"),
                ("at the end of", b"ab" + outside),
                ("alone as", outside),
            ):
                blob = header_bytes(1, *_ids(index, value)) + tail
                yield bad_blob(whole, "IdCharacter", f"{name} {place} the {field}", blob)
        for place, position in (("128th", 127), ("last", LONGEST_ID - 1)):
            long = bytearray(b"a" * LONGEST_ID)
            long[position] = 0x20
            blob = header_bytes(1, *_ids(index, bytes(long))) + tail
            yield bad_blob(whole, "IdCharacter", f"20 as the {place} byte of the {field}", blob)


def _lengths() -> Iterator[Case]:
    """Yield lengths around those whose highest bit is set."""
    for index, field in enumerate(_FIELDS):
        for length in _LENGTHS:
            comment = f"a {field} of {length} bytes"
            yield body(comment, "Boundary", Suite.AES_128_GCM, _ids(index, b"i" * length), b"x")
    for length in (128, LONGEST_ID):
        ids = (b"k" * length, b"v" * length)
        yield body(f"both IDs of {length} bytes", "Boundary", Suite.AES_128_GCM, ids, b"")


def _wrong_lengths() -> Iterator[Case]:
    """Yield lengths of IDs that are not those of the bytes behind them."""
    whole = plain()
    blob = blob_of(whole)
    positions = {"key ID": 5, "key version ID": 9}
    for field, position in positions.items():
        for length in (0, 64, 127, 128, 129, 254, LONGEST_ID):
            comment = f"the length of the {field} is {length}"
            changed = blob[:position] + bytes([length]) + blob[position + 1 :]
            yield bad_blob(whole, "IdLength", comment, changed)
    start, tail = b"KMS\x01\x01", blob[12:]
    key_id, version_id = (length8(value) for value in SHORT)
    for comment, data in {
        "lengths in two bytes": start + b"\x00" + key_id + b"\x00" + version_id + tail,
        "both lengths first": start + b"\x03\x02keyv1" + tail,
        "the key version ID alone": start + version_id + tail,
        "a key ID of 256 bytes with the length 0": start + b"\x00" + b"k" * 256 + version_id + tail,
        "a key ID that ends with the blob": start + bytes([len(blob) - 6]) + b"k" * (len(blob) - 6),
        "a key version ID that ends with the blob": start + key_id + b"\x1e" + b"v" * 30,
    }.items():
        yield bad_blob(whole, "IdLength", comment, data)

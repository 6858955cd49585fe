"""The vectors of the blob format: valid and invalid blobs, with their fields, not decrypted."""

import base64
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Group, Note, VectorFile, hex_fields
from kmscore_vectors.generator.wire import header_bytes
from kmscore_vectors.tables import BugType, ErrorCode, Severity, Suite

_TAG: Final = bytes(range(0xA0, 0xB0))
_SHORT: Final = (b"key", b"v1")
_LONGEST: Final = 255
_MOST_PLAINTEXT: Final = 6144
_OUTSIDE_IDS: Final = {
    "NUL": b"\x00",
    "unit separator": b"\x1f",
    "space": b"\x20",
    "delete": b"\x7f",
    "80": b"\x80",
    "e9, an accented letter of Latin-1": b"\xe9",
    "ff": b"\xff",
    "an accented letter in UTF-8": "é".encode(),
    "line feed": b"\n",
}

_NOTES: Final = {
    "Valid": Note(
        "A well-formed blob.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 3.1",
    ),
    "Boundary": Note(
        "A well-formed blob with a field at the limit of its length or its values.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 3.1",
    ),
    "Truncated": Note(
        "The blob ends before a field does.",
        "Reading beyond the end: a crash, or bytes of other memory taken for a field.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "Magic": Note(
        "The first three bytes are not KMS.",
        "Ciphertexts of other formats are taken for this one, and their bytes for its fields.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "FormatVersion": Note(
        "The format version is not 01.",
        "A later format, whose fields may mean something else, is read as this one.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "UnknownSuite": Note(
        "No suite has this ID.",
        "A default takes the place of what the blob names: algorithm confusion.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "EmptyId": Note(
        "An ID of no bytes.",
        "A lookup without an ID may answer a default key.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "IdCharacter": Note(
        "An ID has a byte outside 21 to 7E.",
        "IDs that look alike or end early, and bytes that break into a query, a path or a log.",
        ("https://cwe.mitre.org/data/definitions/117.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "TooLong": Note(
        "The blob is longer than any can be.",
        "Work and memory in proportion to whatever a stranger sends.",
        ("https://cwe.mitre.org/data/definitions/770.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.2",
    ),
    "Prefixed": Note(
        "The blob does not begin at the first byte.",
        "A parser that searches for the magic takes many texts for one blob.",
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="SPEC section 3.3",
    ),
    "Base64": Note(
        "The text is not the one strict Base64 encoding of the blob.",
        "Many texts for one blob: a signature, a cache or a block list that goes by the text"
        " is got round.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-3.5",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 sections 3.3 and 3.5; SPEC section 3.5",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    bodies = (*_valid(), *_truncated(), *_wrong_prefixes(), *_wrong_ids(), *_wrong_lengths())
    return VectorFile(
        name="blob",
        algorithm="kmscore-v1-blob",
        header=("Ciphertext blobs of format v1 and the fields that they parse to.",),
        notes=_NOTES,
        groups=(
            Group("parse_blob", bodies),
            Group("parse_blob_base64", tuple(_base64())),
        ),
    )


def _case(
    comment: str, flag: str, suite: Suite, ids: tuple[bytes, bytes], ciphertext: bytes
) -> Case:
    """Return a test of a valid blob."""
    header = header_bytes(suite.value, *ids)
    iv = bytes(range(1, 1 + (24 if suite is Suite.XAES_256_GCM else 12)))
    fields = {"key_id": ids[0].decode(), "key_version_id": ids[1].decode()}
    return Case(
        comment,
        flag,
        hex_fields(blob=header + iv + ciphertext + _TAG),
        {
            **hex_fields(suite_id=bytes([suite.value])),
            **fields,
            **hex_fields(iv=iv, ciphertext=ciphertext, tag=_TAG),
        },
        hex_fields(header=header),
    )


def _plain(suite: Suite = Suite.AES_256_GCM, ids: tuple[bytes, bytes] = _SHORT) -> Case:
    """Return a blob with an empty ciphertext, so that every missing byte matters."""
    return _case("empty ciphertext", "Valid", suite, ids, b"")


def _valid() -> Iterator[Case]:
    """Yield blobs that parse."""
    for suite in Suite:
        for length in (0, 1, 32):
            yield _case(f"{suite.name}, {length} bytes", "Valid", suite, _SHORT, bytes(length))
    uuid = b"08c33a6f-4e0a-4a1b-a3fa-7ddfa1d4fb73"
    yield _case("IDs as the service gives them", "Valid", Suite.XAES_256_GCM, (uuid, uuid), b"x")
    printable = bytes(range(0x21, 0x7F))
    yield _case("every character of an ID", "Boundary", Suite.SM4_GCM, (printable, printable), b"x")
    longest = (b"k" * _LONGEST, b"v" * _LONGEST)
    for ids in ((b"!", b"~"), (longest[0], b"v"), (b"k", longest[1]), longest):
        comment = f"IDs of {len(ids[0])} and {len(ids[1])} bytes"
        yield _case(comment, "Boundary", Suite.AES_128_GCM, ids, b"")
    for suite in (Suite.AES_256_GCM, Suite.XAES_256_GCM):
        comment = f"{suite.name}, the longest blob"
        yield _case(comment, "Boundary", suite, longest, bytes(_MOST_PLAINTEXT))


def _truncated() -> Iterator[Case]:
    """Yield blobs that end too early."""
    whole = _plain()
    blob = _bytes(whole)
    ends = {
        "nothing at all": 0,
        "within the magic": 2,
        "before the format version": 3,
        "before the suite ID": 4,
        "before the length of the key ID": 5,
        "before the key ID": 6,
        "within the key ID": 8,
        "before the length of the key version ID": 9,
        "before the key version ID": 10,
        "within the key version ID": 11,
        "before the IV": 12,
        "within the IV": 17,
        "before the tag": 24,
    }
    for comment, end in ends.items():
        yield _refuse(whole, "Truncated", f"ends: {comment}", blob[:end])
    for suite in Suite:
        right = _plain(suite)
        data = _bytes(right)
        yield _refuse(right, "Truncated", f"{suite.name}, one byte short", data[:-1])


def _wrong_prefixes() -> Iterator[Case]:
    """Yield blobs with an invalid byte before the IDs, or with bytes before the blob."""
    whole = _plain()
    blob = _bytes(whole)
    for offset, byte in ((0, b"k"), (1, b"m"), (2, b"s"), (0, b"\xcb"), (1, b"\x00")):
        comment = f"byte {offset} is {byte.hex()}"
        yield _refuse(whole, "Magic", comment, _with(blob, offset, byte))
    for version in (0x00, 0x02, 0x81, 0xFF):
        comment = f"version {version:02x}"
        yield _refuse(whole, "FormatVersion", comment, _with(blob, 3, bytes([version])))
    for suite_id in (0x00, 0x06, 0x41, 0x80, 0xFF):
        comment = f"suite {suite_id:02x}"
        yield _refuse(whole, "UnknownSuite", comment, _with(blob, 4, bytes([suite_id])))
    for prefix in (b"\x00", b"\n", b"KMS", b"\xef\xbb\xbf"):
        comment = f"{prefix.hex()} before the magic"
        yield _refuse(whole, "Prefixed", comment, prefix + blob)


def _wrong_ids() -> Iterator[Case]:
    """Yield blobs with an invalid ID."""
    whole = _plain()
    tail = _bytes(whole)[12:]
    for comment, ids in {"key ID": (b"", b"v1"), "key version ID": (b"key", b"")}.items():
        yield _refuse(whole, "EmptyId", f"no {comment}", header_bytes(1, *ids) + tail)
    for name, character in _OUTSIDE_IDS.items():
        for comment, ids in {
            "key ID": (b"k" + character + b"y", b"v1"),
            "key version ID": (b"key", b"v" + character),
        }.items():
            yield _refuse(
                whole, "IdCharacter", f"{comment} with {name}", header_bytes(1, *ids) + tail
            )


def _wrong_lengths() -> Iterator[Case]:
    """Yield blobs one byte longer than the limit."""
    for ids in (_SHORT, (b"k" * _LONGEST, b"v" * _LONGEST)):
        for suite in (Suite.AES_256_GCM, Suite.XAES_256_GCM):
            right = _case("the longest", "Boundary", suite, ids, bytes(_MOST_PLAINTEXT))
            data = _bytes(right)
            more = bytes(6702 - len(data))
            yield _refuse(right, "TooLong", f"{suite.name}, 6,702 bytes", data + more)


def _bytes(case: Case) -> bytes:
    """Return the blob of a test."""
    return bytes.fromhex(str(case.inputs["blob"]))


def _refuse(right: Case, flag: str, comment: str, blob: bytes) -> Case:
    """Return `right` as a negative test, with other bytes."""
    return right.refused(ErrorCode.INVALID_BLOB, flag, comment, hex_fields(blob=blob))


def _with(data: bytes, offset: int, replacement: bytes) -> bytes:
    """Return `data` with the bytes at `offset` replaced."""
    return data[:offset] + replacement + data[offset + len(replacement) :]


def _base64() -> Iterator[Case]:
    """Yield blobs as text, whose Base64 has zero, one and two characters of padding."""
    rights = {}
    for length in (0, 1, 2):
        blob = str(_case("", "", Suite.AES_256_GCM, _SHORT, bytes(length)).inputs["blob"])
        text = base64.b64encode(bytes.fromhex(blob)).decode()
        right = Case(f"{text.count('=')} of padding", "Valid", {"text": text}, {"blob": blob})
        rights[text.count("=")] = right
        yield right
    texts = {padding: str(right.inputs["text"]) for padding, right in rights.items()}
    one, two = texts[1], texts[2]
    special = _case("", "", Suite.AES_256_GCM, _SHORT, b"\xff" * 3)
    special_blob = str(special.inputs["blob"])
    special_text = base64.b64encode(bytes.fromhex(special_blob)).decode()
    slashes = Case("the character /", "Valid", {"text": special_text}, {"blob": special_blob})
    yield slashes
    defects = (
        (rights[1], "no padding", one[:-1]),
        (rights[2], "half of the padding", two[:-1]),
        (rights[2], "padding too long", two + "="),
        (rights[0], "padding where none is due", texts[0] + "===="),
        (rights[1], "stray bits before the padding", one[:-2] + _next(one[-2]) + "="),
        (rights[2], "stray bits before the padding", two[:-3] + _next(two[-3]) + "=="),
        (rights[0], "a line feed at the end", texts[0] + "\n"),
        (rights[0], "a space before", " " + texts[0]),
        (rights[0], "a line feed within", texts[0][:8] + "\n" + texts[0][8:]),
        (rights[0], "a NUL at the end", texts[0] + "\x00"),
        (rights[0], "a character outside ASCII", texts[0][:-1] + "\u0100"),
        (rights[0], "a full-width letter", "\uff33" + texts[0][1:]),
        (slashes, "the alphabet for URLs", special_text.replace("/", "_")),
        (rights[0], "something after the padding", one + texts[0]),
    )
    for right, comment, text in defects:
        yield right.refused(ErrorCode.INVALID_BLOB, "Base64", comment, {"text": text})
    yield rights[0].refused(ErrorCode.INVALID_BLOB, "Truncated", "no text", {"text": ""})
    yield rights[0].refused(
        ErrorCode.INVALID_BLOB, "TooLong", "8,940 characters", {"text": "S01T" * 2235}
    )


def _next(character: str) -> str:
    """Return the character of the alphabet with the same value and the lowest bit set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return alphabet[alphabet.index(character) | 1]

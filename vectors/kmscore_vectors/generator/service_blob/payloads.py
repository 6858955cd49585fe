"""The vectors of sealed payloads that are not strict Base64."""

import base64
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note, hex_fields
from kmscore_vectors.generator.service_blob.encoder import (
    payload_of,
)
from kmscore_vectors.generator.service_blob.failures import reject
from kmscore_vectors.generator.service_blob.messages import (
    MESSAGE,
    MOST_PLAINTEXT,
    Maker,
)
from kmscore_vectors.generator.shared_texts import DIFFERENT_LIMITS
from kmscore_vectors.tables import BugType, ErrorCode, Severity

NOTES: Final = {
    "NotBase64": Note(
        "What was sealed is not strict Base64, and the profile says that it is.",
        "Many texts for one plaintext, or bytes that are dropped on the way.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-12",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.5; SPEC section 13.5",
    ),
    "PayloadSize": Note(
        "The text of 6,145 bytes or more was sealed, and makes a blob that is too long.",
        DIFFERENT_LIMITS,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
}


def payloads(maker: Maker) -> Iterator[Case]:
    """Yield blobs whose payload is not strict Base64."""
    right = maker.opened("31 bytes, whose text is padded", "Opens", MESSAGE[:31], None)
    yield right
    text = payload_of(MESSAGE[:31])
    stray = text[:-2] + bytes([text[-2] + 1]) + b"="
    urlsafe = base64.urlsafe_b64encode(b"\xfb\xff" + MESSAGE[:28])
    for comment, payload in {
        "a line feed behind it": text + b"\n",
        "CR LF behind it": text + b"\r\n",
        "a space before it": b" " + text,
        "a line feed within": text[:20] + b"\n" + text[20:],
        "a tab within": text[:20] + b"\t" + text[20:],
        "NUL behind it": text + b"\x00",
        "no padding": text.rstrip(b"="),
        "a sign of padding too many": text + b"=",
        "a group of padding behind it": text + b"====",
        "padding alone": b"====",
        "text behind the padding": text + b"QUJD",
        "padding within": text[:4] + b"QQ==" + text[4:],
        "stray bits before one sign": stray,
        "stray bits before two signs": b"QR==",
        "the alphabet for URLs": urlsafe,
        "one character": b"Q",
        "five characters": b"QUJDR",
        "the bytes as they are": MESSAGE[:31],
        "hexadecimal digits and a colon": b"64:65:66",
        "bytes outside ASCII": "\u00e9".encode() * 4,
        "full-width letters": "\uff21".encode() * 4,
        "a byte order mark": b"\xef\xbb\xbf" + text,
    }.items():
        blob = maker.key.seal(payload, maker.iv(comment), b"")
        yield reject(right, "NotBase64", comment, hex_fields(blob=blob))
    longest = maker.opened("6,144 bytes", "PayloadBoundary", bytes(MOST_PLAINTEXT), None)
    yield longest
    text = payload_of(bytes(MOST_PLAINTEXT + 1))
    iv = maker.iv(longest.comment)
    yield reject(
        longest, "PayloadSize", "6,145 bytes",
        hex_fields(blob=maker.key.seal(text, iv, b"")), ErrorCode.INVALID_BLOB,
    )  # fmt: skip
    text = payload_of(bytes(MOST_PLAINTEXT))
    for comment, payload in (
        ("three characters behind 8,192", text + b"QUI"),
        ("one character behind 8,192", text + b"Q"),
    ):
        blob = maker.key.seal(payload, iv, b"")
        yield reject(longest, "NotBase64", comment, hex_fields(blob=blob))

"""Hypotheses about the transport of a ciphertext: encodings, lost bytes and added bytes."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from kmscore.audit.explanation import Finding, Verdict
from kmscore.audit.wording import count

_LONGEST: Final = 1 << 16  # bytes; every form of the longest ciphertext is shorter
_TAIL: Final = 8  # most bytes that are taken off at the end
_HEAD: Final = 64  # most bytes that are taken off before the magic
_REPLACEMENT: Final = b"\xef\xbf\xbd"  # U+FFFD in UTF-8
_MAGIC: Final = b"KMS\x01"


class Transport(NamedTuple):
    """Bytes from which a transport would have made the given ones."""

    code: str
    fact: str
    """The end of the sentence `it decrypts if it is …`."""

    reading: str
    data: bytes
    remedy: str = "decode the ciphertext before decryption"


_Decode = Callable[[bytes], bytes]


def _base64(text: bytes) -> bytes:
    """Decode Base64 with line breaks, with or without padding, but without any other character."""
    text = re.sub(rb"[\r\n\t]", b"", text)
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def _url_safe(text: bytes) -> bytes:
    return _base64(text.translate(bytes.maketrans(b"-_", b"+/")))


def _hexadecimal(text: bytes) -> bytes:
    digits = re.sub(rb"^(0x|\\x)|[\s:]", b"", text)
    return bytes.fromhex(digits.decode("ascii"))


def _member(text: bytes) -> bytes:
    return _base64(str(json.loads(text)["CiphertextBlob"]).encode("ascii"))


def _marked(text: bytes) -> bytes:
    """Decode Base64 after the marker of another system."""
    rest = re.sub(rb"^(vault:v\d+:|\{cipher\}|ENC\(|data:[\w/;+-]*,)", b"", text)
    return _base64(rest.rstrip(b")"))


_COPIED: Final = "copy the ciphertext in binary mode"
_GIVEN_AS_TEXT: Final = "the text was passed, not the bytes that it encodes"

_DECODERS: Final[tuple[tuple[str, str, str, _Decode], ...]] = (
    ("base64", "decoded from Base64", _GIVEN_AS_TEXT, lambda raw: _base64(raw.strip())),
    (
        "base64url",
        "decoded from URL-safe Base64",
        _GIVEN_AS_TEXT,
        lambda raw: _url_safe(raw.strip()),
    ),
    (
        "base64_spaces",
        "decoded from Base64 with + in place of its spaces",
        "a form or a URL made spaces of +",
        lambda raw: _base64(raw.strip(b"\r\n").replace(b" ", b"+")),
    ),
    (
        "percent",
        "decoded from percent-encoding, then from Base64",
        "it was encoded for a URL, and not decoded",
        lambda raw: _base64(unquote_to_bytes(raw.strip())),
    ),
    (
        "percent_bytes",
        "decoded from percent-encoding",
        "it was encoded for a URL, and not decoded",
        unquote_to_bytes,
    ),
    (
        "base64_twice",
        "decoded from Base64 twice",
        "it was encoded twice",
        lambda raw: _base64(_base64(raw.strip())),
    ),
    ("hex", "decoded from hexadecimal", _GIVEN_AS_TEXT, lambda raw: _hexadecimal(raw.strip())),
    (
        "hex_of_base64",
        "decoded from hexadecimal, then from Base64",
        "it was encoded twice",
        lambda raw: _base64(_hexadecimal(raw.strip())),
    ),
    (
        "quoted",
        "taken out of quotes, and decoded from Base64",
        "a JSON string was passed with its quotes",
        lambda raw: _base64(str(json.loads(raw)).encode("ascii")),
    ),
    (
        "response",
        "the member CiphertextBlob of the response",
        "the whole response was stored",
        _member,
    ),
    (
        "marked",
        "decoded from Base64 after a marker",
        "another system put a marker before it",
        lambda raw: _marked(raw.strip()),
    ),
    (
        "latin1",
        "decoded from UTF-8 to Latin-1",
        "the bytes were written as a text in UTF-8",
        lambda raw: raw.decode("utf-8").encode("latin-1"),
    ),
    (
        "utf16",
        "decoded from UTF-16, then from Base64",
        "a shell wrote its output in UTF-16",
        lambda raw: _base64(raw.decode("utf-16").strip().encode("ascii")),
    ),
    (
        "crlf",
        "written with LF in place of CR LF",
        "it was copied in text mode",
        lambda raw: raw.replace(b"\r\n", b"\n"),
    ),
    (
        "lf",
        "written with CR LF in place of LF",
        "it was copied in text mode",
        lambda raw: raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    ),
)


def transports(raw: bytes) -> Iterator[Transport]:
    """Yield the other byte strings that a ciphertext could have been, each of them once."""
    if len(raw) > _LONGEST:
        return
    seen = {raw, b""}
    for code, fact, reading, decode in _DECODERS:
        try:
            data = decode(raw)
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
        if data not in seen:
            seen.add(data)
            remedy = _COPIED if code in {"crlf", "lf"} else Transport._field_defaults["remedy"]
            yield Transport(f"transport.{code}", fact, reading, data, remedy)
    if raw[:3] == _MAGIC[1:]:
        reading = "the first character was lost"
        fact, remedy = "given its first byte 4b", "read the ciphertext from its first byte on"
        yield Transport("transport.first_lost", fact, reading, b"K" + raw, remedy)
    start = raw.find(_MAGIC, 1, _HEAD + len(_MAGIC))
    if start > 0:
        fact = f"taken without its first {count(start, 'byte')}"
        reading = "a prefix was put before it"
        yield Transport("transport.head", fact, reading, raw[start:], "remove these bytes")
    for length in range(1, min(_TAIL, len(raw) - 1) + 1):
        fact = f"taken without its last {count(length, 'byte')}, {raw[-length:].hex(' ')}"
        reading = "bytes were added at its end"
        yield Transport("transport.tail", fact, reading, raw[:-length], "remove these bytes")


def lost_bytes(raw: bytes) -> Iterator[Finding]:
    """Yield a finding if bytes were replaced by U+FFFD."""
    number = raw.count(_REPLACEMENT)
    if number > 1:
        yield Finding(
            code="transport.replaced",
            verdict=Verdict.LOST,
            fact=f"the bytes ef bf bd (U+FFFD) occur {number} times",
            reading="it was decoded as UTF-8, and invalid bytes were replaced",
            remedy="restore the ciphertext from another copy: these bytes are lost",
            evidence=f"structure, {number} times 24 bits",
        )

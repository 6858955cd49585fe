"""A decoder of blobs and encryption contexts, written only from vectors/SPEC.md.

The numbers in the comments are its sections and steps.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_IV_LENGTHS = {1: 12, 2: 12, 3: 12, 4: 12, 5: 24}  # 5.1
_TOKEN = re.compile(
    r"[ \t\n\r]*"  # 4.2 step 2
    r'(?:(?P<mark>[{}:,])|"(?P<string>(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*)")'
)
_UNIT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)|(.)", re.DOTALL)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class FailedError(Exception):
    """An error with its code from section 9."""


def answer(operation: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of an operation of section 11.2, or its error."""
    try:
        match operation:
            case "parse_blob":
                return parse_blob(bytes.fromhex(inputs["blob"]))
            case "parse_blob_base64":
                data = from_base64(inputs["text"])
                parse_blob(data)
                return {"blob": data.hex()}
            case "canonicalize":
                return {"canonical": canonical(inputs["pairs"]).hex()}
            case "canonicalize_json":
                return {"canonical": canonical(members(inputs["json"])).hex()}
            case _:
                return {"unsupported": True}
    except FailedError as failure:
        return {"error": str(failure)}


def _require(condition: bool, code: str) -> None:
    if not condition:
        raise FailedError(code)


def parse_blob(x: bytes) -> dict[str, str]:
    """Parse a blob (section 3.3)."""
    code = "invalid_blob"
    _require(len(x) <= 6701, code)
    _require(x[0:4] == bytes.fromhex("4B4D5301"), code)
    _require(len(x) > 4 and x[4] in _IV_LENGTHS, code)
    n, offset, ids = _IV_LENGTHS[x[4]], 5, []
    for _ in range(2):
        _require(len(x) > offset and x[offset] > 0, code)
        end = offset + 1 + x[offset]
        identifier, offset = x[offset + 1 : end], end
        _require(len(x) >= end, code)
        _require(all(0x21 <= byte <= 0x7E for byte in identifier), code)
        ids.append(identifier.decode("ascii"))
    _require(len(x) - offset >= n + 16, code)
    return {
        "suite_id": x[4:5].hex(),
        "key_id": ids[0],
        "key_version_id": ids[1],
        "iv": x[offset : offset + n].hex(),
        "ciphertext": x[offset + n : -16].hex(),
        "tag": x[-16:].hex(),
    }


def from_base64(text: str) -> bytes:
    """Decode Base64 (section 3.5, steps 1 and 2)."""
    _require(len(text) <= 8936, "invalid_blob")
    _require(re.fullmatch(r"[A-Za-z0-9+/]*={0,2}", text) is not None, "invalid_blob")
    _require(len(text) % 4 == 0, "invalid_blob")
    data = base64.b64decode(text)
    _require(base64.b64encode(data).decode("ascii") == text, "invalid_blob")
    return data


def canonical(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return the canonical bytes (section 4.1)."""
    try:
        encoded = sorted((key.encode("utf-8"), value.encode("utf-8")) for key, value in pairs)
    except UnicodeEncodeError:
        raise FailedError("invalid_context") from None
    if not encoded:
        return b""
    length = 2 + sum(4 + len(key) + len(value) for key, value in encoded)
    _require(length <= 65_535, "invalid_context")
    fields = [field for pair in encoded for field in pair]
    return len(encoded).to_bytes(2, "big") + b"".join(
        len(field).to_bytes(2, "big") + field for field in fields
    )


def members(text: str) -> list[tuple[str, str]]:
    """Parse an object of strings: `{`, strings with `:` and `,` in turns, `}` (section 4.2)."""
    _require(len(text) <= 8192, "invalid_context")
    tokens = list(_tokens(text))
    marks = "".join(mark or "s" for mark, _ in tokens)
    _require(re.fullmatch(r"\{(?:s:s(?:,s:s)*)?\}", marks) is not None, "invalid_context")
    strings = [_unescape(string) for mark, string in tokens if not mark]
    pairs = list(zip(strings[::2], strings[1::2], strict=True))
    _require(len({key for key, _ in pairs}) == len(pairs), "invalid_context")
    return pairs


def _tokens(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield each punctuation mark, or the characters of each string between its quotes."""
    end = len(text.rstrip(" \t\n\r"))
    offset = 0
    while offset < end:
        token = _TOKEN.match(text, offset)
        if token is None:
            raise FailedError("invalid_context")
        yield token["mark"], token["string"]
        offset = token.end()


def _unescape(string: str) -> str:
    """Apply steps 3 and 4; escaped surrogates form pairs only with escaped ones."""
    units = [
        (int(number, 16), True) if number else (ord(_ESCAPES.get(short, short) or plain), False)
        for number, short, plain in _UNIT.findall(string)
    ]
    characters, index = [], 0
    while index < len(units):
        unit, _ = units[index]
        if 0xD800 <= unit < 0xDC00 and units[index][1] and index + 1 < len(units):
            low, escaped = units[index + 1]
            if escaped and 0xDC00 <= low < 0xE000:
                unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                index += 1
        _require(not 0xD800 <= unit < 0xE000, "invalid_context")
        characters.append(chr(unit))
        index += 1
    return "".join(characters)

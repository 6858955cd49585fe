"""Hypotheses about an SM2 ciphertext: its encoding, lost zeros, and lax DER."""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.hashes import SM3, Hash

from kmscore.audit.causes.damage import RUN
from kmscore.audit.notes import attempt
from kmscore.audit.primitives import multiple, sm3, xor
from kmscore.audit.wording import count
from kmscore.keys import Sm2Key
from kmscore.sm2.curve import COORDINATE_LENGTH, P, Point, encode_point, is_on_curve
from kmscore.sm2.encodings import (
    C3_LENGTH,
    MAX_C2_LENGTH,
    MAX_LENGTHS,
    Sm2Ciphertext,
    Sm2Encoding,
    parse,
    serialize,
)

_ACCEPTED: Final = {0x30: Sm2Encoding.ASN1_DER, 0x04: Sm2Encoding.C1C3C2}
_LONG_FORM: Final = 0x80
_DIGEST_LENGTH: Final = 32
_LOST: Final = 2  # most leading zeros of a coordinate that are put back


class Reading(NamedTuple):
    """One reading of a ciphertext."""

    code: str
    fact: str
    """The end of the sentence `it decrypts if it is …`."""

    reason: str
    parts: Sm2Ciphertext

    @property
    def repaired(self) -> bytes:
        """The ciphertext in C1C3C2."""
        return serialize(self.parts, Sm2Encoding.C1C3C2)


def readings(raw: bytes) -> Iterator[Reading]:
    """Yield all readings of a ciphertext whose C1 is on the curve."""
    for encoding in Sm2Encoding:
        _, parts = attempt(partial(parse, raw, encoding))
        if parts is not None:
            is_usual = raw[:1] and _ACCEPTED.get(raw[0]) is encoding
            code = "" if is_usual else "sm2.encoding"
            reason = "" if is_usual else "another library writes the parts in another order"
            yield Reading(code, f"read as {encoding.name}", reason, parts)
    parts = _lax_der(raw)
    if parts is not None:
        reason = "another library wrote it, or bytes were added behind it"
        yield Reading("sm2.der_lax", "read as DER that is not strict", reason, parts)
    yield from _with_zeros(raw)


def _lax_der(raw: bytes) -> Sm2Ciphertext | None:
    """Return the parts of DER with any form of lengths and INTEGERs, and with bytes behind it."""
    if raw[:1] != b"\x30" or len(raw) > 2 * MAX_LENGTHS[Sm2Encoding.ASN1_DER]:
        return None
    contents, offset = [], _content(raw, 0)[0]
    for _ in range(4):
        start, end = _content(raw, offset)
        contents.append(raw[start:end])
        offset = end
    if offset > len(raw):
        return None
    x, y = (int.from_bytes(each, "big") for each in contents[:2])
    return _checked(x, y, contents[2], contents[3])


def _content(raw: bytes, offset: int) -> tuple[int, int]:
    """Return start and end of the content of an element; the end can be beyond the bytes."""
    head = raw[offset : offset + 2]
    if len(head) <= 1:
        return len(raw), len(raw)
    size = max(0, head[1] - _LONG_FORM)
    start = offset + 2 + size
    length = int.from_bytes(raw[offset + 2 : start], "big") if size else head[1]
    return start, start + length


def _with_zeros(raw: bytes) -> Iterator[Reading]:
    """Yield readings in which a coordinate without its leading zeros gets them back."""
    for prefix in (b"\x04", b""):
        body = raw.removeprefix(prefix) if raw.startswith(prefix) else raw
        for lost_x in range(_LOST + 1):
            for lost_y in range(_LOST + 1):
                if not lost_x + lost_y:
                    continue
                middle = COORDINATE_LENGTH - lost_x
                end = middle + COORDINATE_LENGTH - lost_y
                x, y = (int.from_bytes(each, "big") for each in (body[:middle], body[middle:end]))
                rest = body[end:]
                for order, c3, c2 in (
                    ("C1C3C2", rest[:C3_LENGTH], rest[C3_LENGTH:]),
                    ("C1C2C3", rest[-C3_LENGTH:], rest[:-C3_LENGTH]),
                ):
                    parts = _checked(x, y, c3, c2)
                    if parts is not None:
                        zeros = f"{count(lost_x, 'zero byte')} before x1 and {lost_y} before y1"
                        fact = f"read as {order}, with {zeros}"
                        reason = "a coordinate was written without its leading zeros"
                        yield Reading("sm2.zeros_lost", fact, reason, parts)


def _checked(x: int, y: int, c3: bytes, c2: bytes) -> Sm2Ciphertext | None:
    """Return the parts if they are those of a ciphertext."""
    is_valid = len(c3) == C3_LENGTH and 1 <= len(c2) <= MAX_C2_LENGTH and is_on_curve(Point(x, y))
    return Sm2Ciphertext(Point(x, y), c3, c2) if is_valid else None


class Opened(NamedTuple):
    """The secret values of a ciphertext under one key."""

    x2: bytes
    y2: bytes
    message: bytes


def multiply(key: Sm2Key, parts: Sm2Ciphertext) -> Opened:
    """Return the values of a decryption before C3 is compared."""
    d = key._scalar.to_bytes(COORDINATE_LENGTH, "big")
    point = encode_point(parts.c1)
    x1, y1 = point[:COORDINATE_LENGTH], point[COORDINATE_LENGTH:]
    x2, y2 = multiple(d, x1, y1)
    stream = b"".join(
        sm3(x2, y2, number.to_bytes(4, "big"))
        for number in range(1, 1 + -(-len(parts.c2) // _DIGEST_LENGTH))
    )
    return Opened(x2, y2, xor(parts.c2, stream[: len(parts.c2)]))


def digest_form(opened: Opened, c2: bytes, c3: bytes) -> str | None:
    """Return the form of C3, empty for the standard one, or `None` if it is wrong.

    A key stream of zeros is wrong too (SPEC section 7.5 step 6).
    """
    x2, y2, message = opened
    if message == c2:
        return None
    forms = {
        "": (x2, message, y2),
        "SM3(M)": (message,),
        "SM3(x2 ‖ y2 ‖ M)": (x2, y2, message),
        "SM3(M ‖ x2 ‖ y2)": (message, x2, y2),
    }
    return next((name for name, parts in forms.items() if sm3(*parts) == c3), None)


def damaged_digest(opened: Opened, c3: bytes) -> tuple[int, int] | None:
    """Return offset and length of the one place at which C3 is wrong, of at most 8 bytes."""
    x2, y2, message = opened
    difference = xor(sm3(x2, message, y2), c3)
    mask = difference.lstrip(b"\x00")
    offset = len(difference) - len(mask)
    length = len(mask.rstrip(b"\x00"))
    return (offset, length) if 0 < length <= RUN else None


def damaged_byte(opened: Opened, c3: bytes, offset: int) -> int | None:
    """Return the XOR of the byte of C2 at an offset with which C3 is right, or `None`."""
    x2, y2, message = opened
    start = Hash(SM3())
    start.update(x2 + message[:offset])
    end = message[offset + 1 :] + y2
    for mask in range(1, 256):
        digest = start.copy()
        digest.update(bytes([message[offset] ^ mask]) + end)
        if digest.finalize() == c3:
            return mask
    return None


def has_point(raw: bytes) -> bool:
    """Return whether the bytes begin with a point of the curve, with or without 04."""
    for start in (0, 1):
        point = raw[start : start + 2 * COORDINATE_LENGTH]
        x = int.from_bytes(point[:COORDINATE_LENGTH], "big")
        y = int.from_bytes(point[COORDINATE_LENGTH:], "big")
        if len(point) == 2 * COORDINATE_LENGTH and x < P and is_on_curve(Point(x, y)):
            return True
    return False

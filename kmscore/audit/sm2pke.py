"""The steps of SM2PKE decryption (SPEC sections 7.3 and 7.5)."""

from typing import Final, NamedTuple

from kmscore.audit.notes import Notes, Part
from kmscore.audit.records import Secrecy
from kmscore.audit.wording import count
from kmscore.errors import InvalidBlobError
from kmscore.keys import Sm2Key
from kmscore.sm2.curve import COORDINATE_LENGTH, P, encode_point
from kmscore.sm2.encodings import C3_LENGTH, MAX_C2_LENGTH, MAX_LENGTHS, Sm2Encoding, parse

_CODE: Final = "decryption"
_DIGEST_LENGTH: Final = 32
_LONG_FORM: Final = 0x80  # flag of a DER length above 127 (X.690 section 8.1.3.5)
_ENCODINGS: Final = {b"\x30": Sm2Encoding.ASN1_DER, b"\x04": Sm2Encoding.C1C3C2}
_LONGEST: Final = max(MAX_LENGTHS.values())
_MEANINGS: Final = {
    "x1": "first coordinate of C1",
    "y1": "second coordinate of C1",
    "C3": "SM3(x2 ‖ M ‖ y2)",
    "C2": "M ⊕ t",
}
_INTEGER: Final = 0x02
_TAGS: Final = {"x1": _INTEGER, "y1": _INTEGER, "C3": 0x04, "C2": 0x04}
_KINDS: Final = {0x30: "SEQUENCE", _INTEGER: "INTEGER", 0x04: "OCTET STRING"}


class _Place(NamedTuple):
    """The place of a part in a ciphertext, in bytes."""

    start: int
    end: int


def decrypt(notes: Notes, key: Sm2Key, raw: bytes, most: int) -> str:
    """Add the steps of decryption; return the ID of the plaintext.

    The plaintext has at most `most` bytes, the limit of a re-encryption.
    """
    encoding, (x1, y1, c3, c2) = _read(notes, raw)
    notes.step("curve", "Check that C1 is on the curve", "7.3", "y1² = x1³ + a·x1 + b (mod p)")
    left = notes.compute("left", "left side", "curve_left", y1)
    right = notes.compute("right", "right side", "curve_right", x1)
    notes.check("both sides are equal", notes.data(left) == notes.data(right), _CODE)
    ours = b"".join(map(notes.data, (x1, y1, c3, c2)))
    notes.tie("the parts of the ciphertext", ours == _parts_of_the_library(raw, encoding))

    message, plain = Secrecy.MESSAGE, Secrecy.PLAINTEXT
    notes.step("multiply", "Multiply C1 by the private scalar", "7.5", "(x2, y2) = [d]C1")
    scalar = key._scalar.to_bytes(COORDINATE_LENGTH, "big")
    d = notes.give("d", "private scalar", scalar, "the keyring", Secrecy.KEY)
    x2 = notes.compute("x2", "first coordinate", "point_x", d, x1, y1, secrecy=message)
    y2 = notes.compute("y2", "second coordinate", "point_y", d, x1, y1, secrecy=message)

    notes.step(
        "kdf",
        "Derive as many bytes as C2 has",
        "7.4",
        "t = SM3(x2 ‖ y2 ‖ 00000001) ‖ SM3(x2 ‖ y2 ‖ 00000002) ‖ …",
    )
    length = len(notes.data(c2))
    blocks = [
        notes.compute(
            f"SM3_x2_y2_{number}",
            f"block {number} of the KDF",
            "sm3",
            x2,
            y2,
            number.to_bytes(4, "big"),
            secrecy=plain,
        )
        for number in range(1, 1 + -(-length // _DIGEST_LENGTH))
    ]
    t = notes.compute("t", "KDF output", "first", length, *blocks, secrecy=plain)

    notes.step("digest", "Compare the digest", "7.5", "M = C2 ⊕ t\nu = SM3(x2 ‖ M ‖ y2)")
    m = notes.compute("M", "plaintext", "xor", c2, t, secrecy=plain)
    u = notes.compute("u", "computed digest", "sm3", x2, m, y2)
    # One check: SPEC 7.5 forbids to show which part is wrong.
    notes.check(
        "t is not all zeros, u is C3, and the plaintext fits the destination",
        any(notes.data(t)) and notes.data(u) == notes.data(c3) and length <= most,
        _CODE,
    )
    return m


def _parts_of_the_library(raw: bytes, encoding: Sm2Encoding) -> bytes | None:
    """Return the parts that the library reads, joined, or `None` if it rejects them."""
    try:
        parts = parse(raw, encoding)
    except InvalidBlobError:
        return None
    return encode_point(parts.c1) + parts.c3 + parts.c2


def _read(notes: Notes, raw: bytes) -> tuple[Sm2Encoding, list[str]]:
    """Add the step that reads the parts; return the IDs of x1, y1, C3 and C2."""
    notes.step("parts", "Read C1, C3 and C2", "7.3")
    notes.check(f"the ciphertext has at most {_LONGEST:,} bytes", len(raw) <= _LONGEST, _CODE)
    ciphertext = notes.give("ciphertext", "ciphertext", raw, "the caller")
    is_known = raw[:1] in _ENCODINGS
    notes.check("the first byte is 30 (ASN1_DER) or 04 (C1C3C2)", is_known, _CODE)
    encoding = _ENCODINGS[raw[:1]]
    limit = MAX_LENGTHS[encoding]
    notes.check(f"{encoding.name} has at most {limit:,} bytes", len(raw) <= limit, _CODE)
    is_der = encoding is Sm2Encoding.ASN1_DER
    places = _der_places(raw) if is_der else _raw_places(raw)
    form = "strict DER of two INTEGERs and two OCTET STRINGs" if is_der else "04, C1, C3 and C2"
    notes.check(f"the ciphertext is {form}, and nothing else", bool(places), _CODE)
    length = places["C2"].end - places["C2"].start
    notes.check(f"C2 has 1 to {MAX_C2_LENGTH:,} bytes", 1 <= length <= MAX_C2_LENGTH, _CODE)
    is_digest = places["C3"].end - places["C3"].start == C3_LENGTH
    notes.check(f"C3 has {C3_LENGTH} bytes", is_digest, _CODE)
    numbers = (
        int.from_bytes(raw[start:end], "big", signed=is_der)
        for start, end in (places["x1"], places["y1"])
    )
    is_reduced = all(0 <= number < P for number in numbers)
    notes.check("x1 and y1 are not negative and less than p", is_reduced, _CODE)
    notes.map(f"SM2 ciphertext, {encoding.name}", ciphertext, _fields(raw, places))
    return encoding, [_give_part(notes, ciphertext, name, places[name]) for name in _MEANINGS]


def _give_part(notes: Notes, ciphertext: str, name: str, place: _Place) -> str:
    """Add one part; a coordinate in DER is brought to 32 bytes."""
    meaning, (start, end) = _MEANINGS[name], place
    missing = COORDINATE_LENGTH - (end - start)
    if name not in {"x1", "y1"} or not missing:
        return notes.compute(name, meaning, "cut", ciphertext, start, end)
    if missing < 0:
        return notes.compute(name, meaning, "cut", ciphertext, start - missing, end)
    number = notes.compute(f"{name}_INTEGER", f"content of {name}", "cut", ciphertext, start, end)
    return notes.compute(name, meaning, "join", bytes(missing), number)


def _raw_places(raw: bytes) -> dict[str, _Place]:
    """Return the places of the parts of C1C3C2, or none if it is too short."""
    x1, y1, c3, c2 = (1 + part * COORDINATE_LENGTH for part in range(4))
    if len(raw) < c2:
        return {}
    ends = (y1, c3, c2, len(raw))
    return dict(zip(_MEANINGS, map(_Place, (x1, y1, c3, c2), ends), strict=True))


def _der_places(raw: bytes) -> dict[str, _Place]:
    """Return the places of the parts of DER, or none if it is not strict DER of the four parts."""
    outer = _element(raw, 0, 0x30)
    if outer is None or outer.end != len(raw):
        return {}
    places, offset = {}, outer.start
    for name, tag in _TAGS.items():
        place = _element(raw, offset, tag)
        if place is None:
            return {}
        places[name] = place
        offset = place.end
    return places if offset == len(raw) else {}


def _element(raw: bytes, offset: int, tag: int) -> _Place | None:
    """Return the place of the content of an element, or `None` if it is not strict DER."""
    head = raw[offset : offset + 2]
    size = max(0, head[1] - _LONG_FORM) if len(head) > 1 else 0
    start = offset + 2 + size
    length = int.from_bytes(raw[offset + 2 : start], "big") if size else int.from_bytes(head[1:])
    place = _Place(start, start + length)
    content = raw[place.start : place.end]
    # The shortest form of the length, and of an INTEGER (X.690 sections 8.3.2 and 10.1).
    is_short = raw[offset:start] == _head(tag, length)
    is_minimal = tag != _INTEGER or (
        bool(content) and not (content[0] in {0, 0xFF} and _sign(content[:1]) == _sign(content[1:]))
    )
    return place if is_short and is_minimal and place.end <= len(raw) else None


def _sign(content: bytes) -> int | None:
    """Return the first bit of bytes; `None` for no bytes."""
    return content[0] >> 7 if content else None


def _head(tag: int, length: int) -> bytes:
    """Return tag and length bytes (X.690 section 10.1)."""
    if length < _LONG_FORM:
        return bytes([tag, length])
    size = -(-length.bit_length() // 8)
    return bytes([tag, _LONG_FORM | size]) + length.to_bytes(size, "big")


def _fields(raw: bytes, places: dict[str, _Place]) -> list[Part]:
    """Return the fields of a ciphertext."""
    if raw[:1] == b"\x04":
        fields = [Part("04", 1, "an uncompressed point", b"\x04", is_neutral=True)]
        heads = False
    else:
        start, end = places["x1"]
        start -= len(_head(_TAGS["x1"], end - start))
        fields = [_head_part("the SEQUENCE", 0x30, len(raw) - start)]
        heads = True
    for name, (start, end) in places.items():
        if heads:
            fields.append(_head_part(name, _TAGS[name], end - start))
        fields.append(Part(name, end - start, _MEANINGS[name]))
    return fields


def _head_part(name: str, tag: int, length: int) -> Part:
    """Return the field of tag and length bytes."""
    head = _head(tag, length)
    meaning = f"{_KINDS[tag]}, {count(length, 'byte')} follow{'s' if length == 1 else ''}"
    return Part(f"head of {name}", len(head), meaning, head, is_neutral=True)

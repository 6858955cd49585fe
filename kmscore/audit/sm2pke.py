"""The steps of SM2PKE decryption (SPEC sections 7.3 and 7.5)."""

from collections.abc import Iterator
from typing import Final

from kmscore.audit.notes import Notes, Part
from kmscore.audit.records import Secrecy
from kmscore.errors import InvalidBlobError
from kmscore.keys import Sm2Key
from kmscore.sm2.curve import COORDINATE_LENGTH, P, encode_point
from kmscore.sm2.encodings import C3_LENGTH, MAX_LENGTHS, Sm2Ciphertext, Sm2Encoding, parse

_CODE: Final = "decryption"
_LONG_FORM: Final = 0x80  # flag of a DER length above 127 (X.690 section 8.1.3.5)
_OFF_CURVE: Final = "C1 is not a point on the curve"
_DIGEST_LENGTH: Final = 32
_ENCODINGS: Final = {0x30: Sm2Encoding.ASN1_DER, 0x04: Sm2Encoding.C1C3C2}
_MEANINGS: Final = {
    "x1": "first coordinate of C1",
    "y1": "second coordinate of C1",
    "C3": "SM3(x2 ‖ M ‖ y2)",
    "C2": "M ⊕ t",
}


def decrypt(notes: Notes, key: Sm2Key, ciphertext: str, most: int) -> str:
    """Add the steps of decryption; return the ID of the plaintext.

    The plaintext has at most `most` bytes, the limit of a re-encryption.
    """
    x1, y1, c3, c2 = _read(notes, notes.data(ciphertext), ciphertext)
    notes.step("curve", "Check that C1 is on the curve", "7.3", "y1² = x1³ + a·x1 + b (mod p)")
    is_reduced = all(notes.data(each) < P.to_bytes(32, "big") for each in (x1, y1))
    notes.check("both coordinates are less than p", is_reduced, _CODE)
    left = notes.compute("left", "left side", "curve_left", y1)
    right = notes.compute("right", "right side", "curve_right", x1)
    notes.check("both sides are equal", notes.data(left) == notes.data(right), _CODE)

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
            *("sm3", x2, y2, number.to_bytes(4, "big")),
            secrecy=plain,
        )
        for number in range(1, 1 + -(-length // _DIGEST_LENGTH))
    ]
    t = notes.compute("t", "KDF output", "first", length, *blocks, secrecy=plain)

    notes.step("digest", "Compare the digest", "7.5", "M = C2 ⊕ t\nu = SM3(x2 ‖ M ‖ y2) = C3")
    m = notes.compute("M", "plaintext", "xor", c2, t, secrecy=plain)
    u = notes.compute("u", "computed digest", "sm3", x2, m, y2)
    # One check: SPEC 7.5 forbids to show which part is wrong.
    notes.check(
        "t is not all zeros, and u is C3",
        any(notes.data(t)) and notes.data(u) == notes.data(c3) and length <= most,
        _CODE,
    )
    return m


def _read(notes: Notes, raw: bytes, ciphertext: str) -> tuple[str, str, str, str]:
    """Add the step that reads the parts; return the IDs of x1, y1, C3 and C2."""
    notes.step("parts", "Read C1, C3 and C2", "7.3")
    encoding = _ENCODINGS.get(raw[0]) if raw else None
    notes.check("the first byte is 30 (ASN1_DER) or 04 (C1C3C2)", encoding is not None, _CODE)
    encoding = _ENCODINGS[raw[0]]
    limit = MAX_LENGTHS[encoding]
    notes.check(f"{encoding.name} has at most {limit:,} bytes", len(raw) <= limit, _CODE)
    reason, known = "", None
    try:
        known = parse(raw, encoding)
    except InvalidBlobError as error:
        reason = str(error).rpartition(": ")[2]
    fields = [] if reason not in {"", _OFF_CURVE} else _fields(raw, encoding)
    # A point that is not on the curve is shown in a step of its own, if it has coordinates.
    is_exact = bool(fields) and all(
        0 <= int.from_bytes(part, "big", signed=encoding is Sm2Encoding.ASN1_DER) < 1 << 256
        for part in _coordinates(raw, fields)
    )
    statement = "the ciphertext is complete and exact"
    notes.check(statement if is_exact else f"{statement}: {reason}", is_exact, _CODE)
    notes.map(f"SM2 ciphertext, {encoding.name}", ciphertext, fields)
    ids, offset = {}, 0
    for part in fields:
        if part.name in _MEANINGS:
            ids[part.name] = _give_part(notes, ciphertext, part.name, offset, part.length)
        offset += part.length
    result = ids["x1"], ids["y1"], ids["C3"], ids["C2"]
    if known is not None:
        ours = b"".join(map(notes.data, result))
        notes.tie("the parts of the ciphertext", ours == _joined(known))
    return result


def _give_part(notes: Notes, ciphertext: str, name: str, offset: int, length: int) -> str:
    """Add one part; a coordinate in DER is brought to 32 bytes."""
    meaning, end = _MEANINGS[name], offset + length
    if name not in {"x1", "y1"}:
        return notes.compute(name, meaning, "cut", ciphertext, offset, end)
    missing = COORDINATE_LENGTH - length
    if missing <= 0:
        return notes.compute(name, meaning, "cut", ciphertext, end - COORDINATE_LENGTH, end)
    number = notes.compute(f"{name}_INTEGER", f"content of {name}", "cut", ciphertext, offset, end)
    return notes.compute(name, meaning, "join", bytes(missing), number)


def _joined(parts: Sm2Ciphertext) -> bytes:
    return encode_point(parts.c1) + parts.c3 + parts.c2


def _fields(raw: bytes, encoding: Sm2Encoding) -> list[Part]:
    """Return the fields of a ciphertext that the library has accepted, but for its point."""
    return _der_fields(raw) if encoding is Sm2Encoding.ASN1_DER else _raw_fields(raw)


def _coordinates(raw: bytes, fields: list[Part]) -> Iterator[bytes]:
    """Yield the bytes of x1 and y1."""
    offset = 0
    for part in fields:
        if part.name in {"x1", "y1"}:
            yield raw[offset : offset + part.length]
        offset += part.length


def _raw_fields(raw: bytes) -> list[Part]:
    """Return the fields of C1C3C2."""
    return [
        Part("04", 1, "an uncompressed point", b"\x04"),
        *(
            Part(name, length, _MEANINGS[name])
            for name, length in (
                *(("x1", COORDINATE_LENGTH), ("y1", COORDINATE_LENGTH), ("C3", C3_LENGTH)),
                ("C2", len(raw) - 1 - 2 * COORDINATE_LENGTH - C3_LENGTH),
            )
        ),
    ]


def _der_fields(raw: bytes) -> list[Part]:
    """Return the fields of DER that the library has accepted."""
    size, length = _der_length(raw, 0)
    fields = [_head_part("the SEQUENCE", 0x30, length)]
    offset = size
    for name, meaning in _MEANINGS.items():
        size, length = _der_length(raw, offset)
        tag = 0x02 if name in {"x1", "y1"} else 0x04
        fields += [_head_part(name, tag, length), Part(name, length, meaning)]
        offset += size + length
    return fields


def _head_part(name: str, tag: int, length: int) -> Part:
    """Return the field of tag and length bytes (X.690 sections 8.1.3 and 10.1)."""
    if length < _LONG_FORM:
        head = bytes([tag, length])
    else:
        size = -(-length.bit_length() // 8)
        head = bytes([tag, _LONG_FORM | size]) + length.to_bytes(size, "big")
    kind = {0x30: "SEQUENCE", 0x02: "INTEGER", 0x04: "OCTET STRING"}[tag]
    return Part(f"head of {name}", len(head), f"{kind}, {length} bytes follow", head)


def _der_length(raw: bytes, offset: int) -> tuple[int, int]:
    """Return the length of tag and length bytes, and the length of the content."""
    short = raw[offset + 1]
    if short < _LONG_FORM:
        return 2, short
    size = short - _LONG_FORM
    return 2 + size, int.from_bytes(raw[offset + 2 : offset + 2 + size], "big")

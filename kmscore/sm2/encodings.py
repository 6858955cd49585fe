"""The five encodings of an SM2 ciphertext, and the conversion between them.

A ciphertext is a point C1 = (x, y), a digest C3 of 32 bytes and C2, as long as the plaintext.

    ===========  ==============================================================
    encoding     bytes
    ===========  ==============================================================
    ASN1_DER     SEQUENCE { INTEGER x, INTEGER y, OCTET STRING C3,
                 OCTET STRING C2 } in DER (GM/T 0009-2012 section 7.2)
    C1C3C2       04, x, y, C3, C2 (GB/T 32918.4-2016)
    C1C2C3       04, x, y, C2, C3 (the order of the drafts before 2012)
    C1C3C2_BARE  x, y, C3, C2
    C1C2C3_BARE  x, y, C2, C3
    ===========  ==============================================================

The caller must name the encoding, because it cannot be detected: a bare x can begin with 04 or
30, and C3 can have any bytes.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from cryptography.hazmat import asn1

from kmscore._typecheck import BytesLike, check_bytes, take_bytes
from kmscore.algorithms import Vocabulary
from kmscore.errors import InvalidBlobError
from kmscore.sm2.curve import (
    COORDINATE_LENGTH,
    UNCOMPRESSED,
    Point,
    decode_point,
    encode_point,
    is_on_curve,
)

C3_LENGTH: Final = 32
MAX_C2_LENGTH: Final = 6047
"""Maximum length of a plaintext of SM2PKE, in bytes.

A C1C3C2 ciphertext of this plaintext has 6,144 bytes, the limit of the service.
"""

_POINT_LENGTH: Final = 2 * COORDINATE_LENGTH
_LONG_FORM: Final = 0x80  # flag of a DER length above 127 (X.690 section 8.1.3.5)


class Sm2Encoding(Vocabulary):
    """An encoding of an SM2 ciphertext, which defines the order and form of its parts."""

    ASN1_DER = "ASN1_DER"
    C1C3C2 = "C1C3C2"
    C1C2C3 = "C1C2C3"
    C1C3C2_BARE = "C1C3C2_BARE"
    C1C2C3_BARE = "C1C2C3_BARE"


class Sm2Ciphertext(NamedTuple):
    """The parts of an SM2 ciphertext. `parse` returns them after every check without a key."""

    c1: Point
    """Point k·G."""

    c3: bytes
    """SM3 digest, 32 bytes."""

    c2: bytes
    """Encrypted bytes, as long as the plaintext."""


class _RawLayout(NamedTuple):
    """The form of an encoding that is a concatenation."""

    prefix: bytes
    """Bytes before x."""

    c3_first: bool
    """Whether C3 comes before C2."""


_RAW_LAYOUTS: Final[Mapping[Sm2Encoding, _RawLayout]] = MappingProxyType(
    {
        Sm2Encoding.C1C3C2: _RawLayout(UNCOMPRESSED, c3_first=True),
        Sm2Encoding.C1C2C3: _RawLayout(UNCOMPRESSED, c3_first=False),
        Sm2Encoding.C1C3C2_BARE: _RawLayout(b"", c3_first=True),
        Sm2Encoding.C1C2C3_BARE: _RawLayout(b"", c3_first=False),
    }
)

# Headers of 4, 2, 2, 2 and 4 bytes; an INTEGER of 256 bits needs a leading zero.
_MAX_DER_LENGTH: Final = 4 + 2 * (2 + 1 + COORDINATE_LENGTH) + 2 + C3_LENGTH + 4 + MAX_C2_LENGTH

MAX_LENGTHS: Final[Mapping[Sm2Encoding, int]] = MappingProxyType(
    {Sm2Encoding.ASN1_DER: _MAX_DER_LENGTH}
    | {
        encoding: len(layout.prefix) + _POINT_LENGTH + C3_LENGTH + MAX_C2_LENGTH
        for encoding, layout in _RAW_LAYOUTS.items()
    }
)
"""Maximum length of a ciphertext by encoding: 6,159 bytes in DER, otherwise 6,144 or 6,143."""


@asn1.sequence
class _DerCiphertext:
    x: int
    y: int
    c3: bytes
    c2: bytes


def convert(ciphertext: BytesLike, source: Sm2Encoding | str, target: Sm2Encoding | str) -> bytes:
    """Convert an SM2 ciphertext to another encoding, without a key.

    C3 is not checked, because this requires the private key.

    Args:
        ciphertext: The ciphertext in the encoding `source`. At most 6,159 bytes in ASN1_DER, 6,144
            bytes in C1C3C2 and C1C2C3, and 6,143 bytes in C1C3C2_BARE and C1C2C3_BARE.
        source: The encoding of `ciphertext`, as a member or its value.
        target: The encoding of the result, as a member or its value.

    Returns:
        The ciphertext in the encoding `target`, at most 6,159 bytes.

    Raises:
        TypeError: If an argument has the wrong type, or if `ciphertext` is a released `memoryview`.
        UnsupportedAlgorithmError: If `source` or `target` is not a known encoding.
        InvalidBlobError: If `ciphertext` is too long, or is not exactly one ciphertext in `source`
            (for ASN1_DER, strict DER). Also if C2 is not 1 to 6,047 bytes long, or if C3 is not 32
            bytes long. Also if a coordinate of C1 is not in 0..p-1, or if C1 is not on the curve.

    GB/T 32918.4-2016, GM/T 0009-2012 section 7.2.
    """
    check_bytes(ciphertext, "ciphertext")
    source, target = Sm2Encoding.of(source, "source"), Sm2Encoding.of(target, "target")
    return serialize(parse(ciphertext, source), target)


def parse(ciphertext: BytesLike, encoding: Sm2Encoding) -> Sm2Ciphertext:
    """Return the parts of `ciphertext` after every check that does not need a key.

    Raises `InvalidBlobError` for the causes that `convert` lists.
    """
    # The length is checked first, so that input that is too long is not copied or parsed.
    length, data = take_bytes(ciphertext, MAX_LENGTHS[encoding])
    if length > MAX_LENGTHS[encoding]:
        raise _invalid(f"longer than {MAX_LENGTHS[encoding]} bytes")
    layout = _RAW_LAYOUTS.get(encoding)
    parts = _parse_der(data) if layout is None else _parse_raw(data, layout)
    if not 1 <= len(parts.c2) <= MAX_C2_LENGTH:
        raise _invalid(f"C2 is not 1 to {MAX_C2_LENGTH} bytes long")
    if len(parts.c3) != C3_LENGTH:
        raise _invalid(f"C3 is not {C3_LENGTH} bytes long")
    # Invalid-curve attack: a point that is not on this curve can be on a weak curve. Its product
    # with the private scalar then reveals a part of the scalar.
    if not is_on_curve(parts.c1):
        raise _invalid("C1 is not a point on the curve")
    return parts


def serialize(parts: Sm2Ciphertext, encoding: Sm2Encoding) -> bytes:
    """Return the bytes of `parts` in `encoding`."""
    layout = _RAW_LAYOUTS.get(encoding)
    if layout is None:
        return _encode_der(parts)
    tail = (parts.c3, parts.c2) if layout.c3_first else (parts.c2, parts.c3)
    return b"".join((layout.prefix, encode_point(parts.c1), *tail))


def _parse_der(data: bytes) -> Sm2Ciphertext:
    """Return the parts of strict DER. The INTEGERs can have any sign and size."""
    try:
        value = asn1.decode_der(_DerCiphertext, data)
    except ValueError:
        value = None
    if value is None:
        raise _invalid("not DER of GM/T 0009")
    return Sm2Ciphertext(Point(value.x, value.y), value.c3, value.c2)


def _encode_der(parts: Sm2Ciphertext) -> bytes:
    """Return DER (X.690 section 10).

    Written here for speed: a library that inspects the class takes ten times as long.
    """
    (x, y), c3, c2 = parts
    fields = b"".join((_der_integer(x), _der_integer(y), _der(0x04, c3), _der(0x04, c2)))
    return _der(0x30, fields)


def _der_integer(value: int) -> bytes:
    """Return a non-negative INTEGER. The first bit of its content is always 0."""
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _der(tag: int, content: bytes) -> bytes:
    """Return tag, length and content. A length above 127 has the long form."""
    length = len(content)
    if length < _LONG_FORM:
        return b"%c%c%b" % (tag, length, content)
    size = (length.bit_length() + 7) // 8
    return b"%c%c%b%b" % (tag, _LONG_FORM | size, length.to_bytes(size, "big"), content)


def _parse_raw(data: bytes, layout: _RawLayout) -> Sm2Ciphertext:
    """Return the parts of a concatenation."""
    start = len(layout.prefix)
    tail = start + _POINT_LENGTH
    if len(data) < tail + C3_LENGTH:
        raise _invalid("too short")
    if not data.startswith(layout.prefix):
        raise _invalid("does not begin with 04")
    point = decode_point(data[start:tail])
    if layout.c3_first:
        return Sm2Ciphertext(point, data[tail : tail + C3_LENGTH], data[tail + C3_LENGTH :])
    return Sm2Ciphertext(point, data[-C3_LENGTH:], data[tail:-C3_LENGTH])


def _invalid(reason: str) -> InvalidBlobError:
    """Return the error for an invalid ciphertext, with the reason, because no key was used."""
    return InvalidBlobError(f"not an SM2 ciphertext in the encoding named: {reason}")

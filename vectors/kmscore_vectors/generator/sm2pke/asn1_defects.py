"""Defects of ASN1_DER: BER that is not DER, other elements, and lengths that do not fit."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import PRIME, Sm2Parts
from kmscore_vectors.generator.model import Rule
from kmscore_vectors.generator.sm2pke import ber
from kmscore_vectors.generator.sm2pke.ber import Defect, Elements, Pairs, elements_of, with_changes
from kmscore_vectors.generator.sm2pke.cases import encrypt
from kmscore_vectors.generator.sm2pke.invalid_ciphertexts import with_sha_256
from kmscore_vectors.generator.wire import der, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import Severity

_END: Final = b"\x00\x00"  # the end-of-contents of an indefinite length
_NULL: Final = b"\x05\x00"

_NOT_BER: Final = Rule(Severity.STANDARD, "X.690 section 8")
_NOT_THE_TYPE: Final = Rule(Severity.STANDARD, "GM/T 0009-2012 section 7.2")
# BER does not allow this form for a number below 31, but OpenSSL reads the same tag from it.
_LONG_TAG: Final = Rule(Severity.STRICT, "X.690 section 8.1.2.2; SPEC section 7.3")


def defects() -> Iterator[Defect]:
    """Yield all defects."""
    parts = encrypt()
    elements = elements_of(parts)
    exchanged = with_changes(elements, c3=elements.c2, c2=elements.c3)
    for flag, rule, pairs in (
        ("LengthForm", None, ber.length_forms(elements)),
        ("IndefiniteLength", None, ber.indefinite(elements)),
        ("IndefiniteLength", _NOT_BER, ber.wrong_indefinite(elements)),
        ("ConstructedString", None, ber.constructed(elements)),
        ("ConstructedString", _NOT_BER, ber.wrong_constructed(elements)),
        ("WrongTag", None, _tags(elements, parts)),
        ("WrongTag", _LONG_TAG, _long_tags(elements)),
        ("IntegerForm", None, ber.integers(elements)),
        ("IntegerForm", _NOT_BER, ber.wrong_integers(elements)),
        ("MissingSignByte", None, ber.signs()),
        ("WrongLength", None, _lengths(elements)),
        ("Elements", None, _rearranged(elements, parts)),
        ("Trailing", None, _trailing(elements)),
        ("Trailing", _NOT_THE_TYPE, _trailing_within(elements)),
        ("Truncated", None, _truncated(elements)),
        ("CoordinateRange", None, _ranges(elements, parts)),
        ("WrongC3Length", None, _digests(elements, parts)),
        ("WrongOrder", None, _pair("C2 before C3", exchanged)),
        ("OtherHash", None, _pair("SHA-256", affine.asn1(with_sha_256(parts)))),
    ):
        for comment, wrong in pairs:
            yield Defect(flag, comment, wrong, parts, rule=rule)
    yield from ber.long_messages()
    yield from ber.padded_coordinates()


def _pair(comment: str, wrong: bytes) -> Pairs:
    """Yield one pair."""
    yield comment, wrong


def _tags(elements: Elements, parts: Sm2Parts) -> Pairs:
    """Yield other tags: of other types, and of other classes."""
    whole = der_sequence(elements)
    for comment, tag in {
        "a SET": 0x31,
        "a primitive SEQUENCE": 0x10,
        "a constructed OCTET STRING": 0x24,
        "of the class application": 0x70,
        "of the class context-specific": 0xB0,
        "of the class private": 0xF0,
    }.items():
        yield f"the whole is {comment}", bytes([tag]) + whole[1:]
    for comment, changes in {
        "x is an OCTET STRING": {"x": der_octets(parts.x1.to_bytes(32, "big"))},
        "x is an ENUMERATED": {"x": b"\x0a" + elements.x[1:]},
        "y is a REAL": {"y": b"\x09" + elements.y[1:]},
        "c3 is a BIT STRING": {"c3": der(0x03, b"\x00" + parts.c3)},
        "c3 is an INTEGER": {"c3": b"\x02" + elements.c3[1:]},
        "c2 is a UTF8String": {"c2": b"\x0c" + elements.c2[1:]},
        "c2 is a BIT STRING": {"c2": der(0x03, b"\x00" + parts.c2)},
        "c2 is a NULL": {"c2": b"\x05" + elements.c2[1:]},
    }.items():
        yield comment, with_changes(elements, **changes)
    for comment, bits in {"application": 0x40, "context-specific": 0x80, "private": 0xC0}.items():
        for name in ("x", "c2"):
            element: bytes = getattr(elements, name)
            changed = bytes([element[0] | bits]) + element[1:]
            yield f"{name} is of the class {comment}", with_changes(elements, **{name: changed})


def _long_tags(elements: Elements) -> Pairs:
    """Yield the right tags in the form for high numbers."""
    yield "the whole has a tag for high numbers", b"\x3f\x10" + der_sequence(elements)[1:]
    x = b"\x1f\x02" + elements.x[1:]
    yield "x has a tag for high numbers", with_changes(elements, x=x)


def _lengths(elements: Elements) -> Pairs:
    """Yield lengths that are not those of the content."""
    whole = der_sequence(elements)
    for comment, length in {
        "one more": bytes([whole[1] + 1]),
        "one less": bytes([whole[1] - 1]),
        "0": b"\x00",
        "ff, which is reserved": b"\xff",
        "2^32 - 1": b"\x84" + b"\xff" * 4,
        "2^31": b"\x84\x80\x00\x00\x00",
        "2^64 - 1": b"\x88" + b"\xff" * 8,
        "of two bytes that are missing": b"\x82",
    }.items():
        yield f"the whole: {comment}", whole[:1] + length + whole[2:]
    for name, element in elements._asdict().items():
        for comment, change in {"one more": 1, "one less": -1}.items():
            changed = element[:1] + bytes([element[1] + change]) + element[2:]
            yield f"{name}: {comment}", with_changes(elements, **{name: changed})
    for comment, length in {
        "2^32 - 1": b"\x84" + b"\xff" * 4,
        "2^64 - 1": b"\x88" + b"\xff" * 8,
        "ff, which is reserved": b"\xff",
        "80 without an end": b"\x80",
    }.items():
        yield f"c2: {comment}", with_changes(elements, c2=b"\x04" + length + elements.c2[2:])


def _rearranged(elements: Elements, parts: Sm2Parts) -> Pairs:
    """Yield other elements, fewer of them, or the same ones in another order or depth."""
    x, y, c3, c2 = elements
    whole = der_sequence(elements)
    for name in elements._fields:
        yield f"no {name}", with_changes(elements, **{name: b""})
    yield "nothing within", der_sequence(())
    yield "a NULL before x", der_sequence((_NULL, *elements))
    yield "a NULL between y and c3", der_sequence((x, y, _NULL, c3, c2))
    yield "a second c3", der_sequence((x, y, c3, c3, c2))
    yield "a second c2", der_sequence((*elements, c2))
    yield "in a SEQUENCE of its own", der_sequence((whole,))
    yield "C1 in a SEQUENCE", der_sequence((der_sequence((x, y)), c3, c2))
    point = b"\x04" + affine.coordinates(parts)
    yield "C1 as an OCTET STRING", der_sequence((der_octets(point), c3, c2))
    yield "C1 as a BIT STRING", der_sequence((der(0x03, b"\x00" + point), c3, c2))
    yield "c3 and c2 in one OCTET STRING", der_sequence((x, y, der_octets(parts.c3 + parts.c2)))
    yield "c3 and c2 before C1", der_sequence((c3, c2, x, y))
    yield "C1C3C2 in an OCTET STRING", der_octets(affine.c1c3c2(parts))


def _trailing(elements: Elements) -> Pairs:
    """Yield bytes after the whole."""
    whole = der_sequence(elements)
    yield "00 after it", whole + b"\x00"
    yield "00 00 after it", whole + _END
    yield "a line feed after it", whole + b"\n"
    yield "a second one after it", whole * 2


def _trailing_within(elements: Elements) -> Pairs:
    """Yield bytes after the last element, within the whole."""
    yield "a NULL within it", der_sequence((*elements, _NULL))
    yield "00 within it", der_sequence((*elements, b"\x00"))
    yield "half an element within it", der_sequence((*elements, b"\x04"))


def _truncated(elements: Elements) -> Pairs:
    """Yield the beginning of a ciphertext."""
    whole = der_sequence(elements)
    for comment, end in {
        "30 alone": 1,
        "tag and length alone": 2,
        "ends after the tag of x": 3,
        "ends after x": 2 + len(elements.x),
        "ends within c3": len(whole) - len(elements.c2) - 1,
        "the last byte is missing": len(whole) - 1,
    }.items():
        yield comment, whole[:end]


def _ranges(elements: Elements, parts: Sm2Parts) -> Pairs:
    """Yield coordinates that are congruent to the right ones, or end like them."""
    x, y = parts.x1, parts.y1
    for comment, number in {
        "x negative": -x,
        "x - p": x - PRIME,
        "x + p": x + PRIME,
        "x + 2^256": x + (1 << 256),
        "x - 2^256": x - (1 << 256),
        "x + 2^256 p": x + (PRIME << 256),
        "x + 2^8000 p": x + (PRIME << 8000),
    }.items():
        yield comment, with_changes(elements, x=der_integer(number))
    for comment, number in {
        "y negative": -y,
        "y - p": y - PRIME,
        "y + p": y + PRIME,
        "y + 2^256": y + (1 << 256),
        "y + 2^256 p": y + (PRIME << 256),
    }.items():
        yield comment, with_changes(elements, y=der_integer(number))


def _digests(elements: Elements, parts: Sm2Parts) -> Pairs:
    """Yield digests of other lengths."""
    for comment, digest in {
        "no byte": b"",
        "one byte": parts.c3[:1],
        "20 bytes": parts.c3[:20],
        "31 bytes": parts.c3[:-1],
        "33 bytes": parts.c3 + b"\x00",
        "33 bytes, 00 first": b"\x00" + parts.c3,
        "64 bytes": parts.c3 * 2,
    }.items():
        yield f"c3 of {comment}", with_changes(elements, c3=der_octets(digest))

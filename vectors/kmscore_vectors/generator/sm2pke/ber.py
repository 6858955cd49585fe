"""The elements of ASN1_DER, BER that is not DER, and bytes that are not even BER."""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from kmscore_vectors.generator.affine import Sm2Parts
from kmscore_vectors.generator.model import Rule
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.cases import MESSAGE, encrypt, text
from kmscore_vectors.generator.wire import der, der_integer, der_octets, der_sequence

_END: Final = b"\x00\x00"  # the end-of-contents of an indefinite length

Pairs: TypeAlias = Iterator[tuple[str, bytes]]
"""Comments and ciphertexts."""


class Defect(NamedTuple):
    """A flag, a comment, the wrong bytes, and the ciphertext that they were made of."""

    flag: str
    comment: str
    wrong: bytes
    parts: Sm2Parts
    message: bytes = MESSAGE
    rule: Rule | None = None


class Elements(NamedTuple):
    """The elements of the SEQUENCE, encoded."""

    x: bytes
    y: bytes
    c3: bytes
    c2: bytes


def elements_of(parts: Sm2Parts) -> Elements:
    """Return the four elements of the SEQUENCE."""
    return Elements(
        der_integer(parts.x1),
        der_integer(parts.y1),
        der_octets(parts.c3),
        der_octets(parts.c2),
    )


def with_changes(elements: Elements, **changes: bytes) -> bytes:
    """Return the SEQUENCE with some elements replaced."""
    return der_sequence(elements._replace(**changes))


def length_forms(elements: Elements) -> Pairs:
    """Yield lengths that have a longer form than is needed."""
    whole = der_sequence(elements)
    for size in (1, 2, 3, 4, 5, 8):
        yield f"the length of the whole after {0x80 + size:02x}", _long(whole, size)
    for name, element in elements._asdict().items():
        yield f"the length of {name} after 81", with_changes(elements, **{name: _long(element, 1)})
    for size in (2, 4, 5, 126):
        comment = f"the length of c2 after {0x80 + size:02x}"
        yield comment, with_changes(elements, c2=_long(elements.c2, size))


def _long(element: bytes, size: int) -> bytes:
    """Return an element whose length, below 128, is in the long form with `size` bytes."""
    return element[:1] + bytes([0x80 + size]) + element[1:2].rjust(size, b"\x00") + element[2:]


def indefinite(elements: Elements) -> Pairs:
    """Yield indefinite lengths of the whole and of its elements."""
    content = b"".join(elements)
    yield "the whole", b"\x30\x80" + content + _END
    yield "the whole, its end twice", b"\x30\x80" + content + _END * 2
    for name in ("c3", "c2"):
        parted = b"\x24\x80" + getattr(elements, name) + _END
        yield f"{name} in one part", with_changes(elements, **{name: parted})
    yield "the whole and c2", b"\x30\x80" + _with_parted_c2(elements) + _END


def _with_parted_c2(elements: Elements) -> bytes:
    """Return the elements, of which C2 has an indefinite length."""
    return b"".join(elements[:3]) + b"\x24\x80" + elements.c2 + _END


def wrong_indefinite(elements: Elements) -> Pairs:
    """Yield indefinite lengths without their end, or of a primitive element: not BER."""
    content = b"".join(elements)
    yield "the whole, without its end", b"\x30\x80" + content
    yield "the whole, half of its end", b"\x30\x80" + content + _END[:1]
    yield "an end in a definite length", der(0x30, content + _END)
    for name in ("c3", "c2"):
        element: bytes = getattr(elements, name)
        parted = b"\x24\x80" + element
        yield f"{name} in one part, without its end", with_changes(elements, **{name: parted})
        primitive = b"\x04\x80" + element[2:] + _END
        yield f"{name} as one primitive string", with_changes(elements, **{name: primitive})
    yield "the whole and c2, with one end", b"\x30\x80" + _with_parted_c2(elements)
    yield "x", with_changes(elements, x=b"\x02\x80" + elements.x[2:] + _END)


def constructed(elements: Elements) -> Pairs:
    """Yield strings in parts."""
    octets = elements.c2[2:]
    halves = der_octets(octets[:4]) + der_octets(octets[4:])
    yield "c2 in two parts", with_changes(elements, c2=der(0x24, halves))
    yield "c2 in one part", with_changes(elements, c2=der(0x24, elements.c2))
    yield "c2 in parts of parts", with_changes(elements, c2=der(0x24, der(0x24, halves)))
    yield (
        "c2 in a part and an empty part",
        with_changes(elements, c2=der(0x24, elements.c2 + b"\x04\x00")),
    )
    yield "c3 in one part", with_changes(elements, c3=der(0x24, elements.c3))
    yield (
        "c3 in two parts",
        with_changes(
            elements, c3=der(0x24, der_octets(elements.c3[2:18]) + der_octets(elements.c3[18:]))
        ),
    )


def wrong_constructed(elements: Elements) -> Pairs:
    """Yield a constructed string without parts, and an INTEGER in parts: not BER."""
    octets = elements.c2[2:]
    yield "c2 marked as parts, with its bytes", with_changes(elements, c2=der(0x24, octets))
    yield "x in one part", with_changes(elements, x=der(0x22, elements.x))


def integers(elements: Elements) -> Pairs:
    """Yield INTEGERs with zeros that their value does not need."""
    for name in ("x", "y"):
        element: bytes = getattr(elements, name)
        padded = der(0x02, b"\x00" + element[2:])
        yield f"{name} with 00 before it", with_changes(elements, **{name: padded})
    yield (
        "x with 00 00 before it",
        with_changes(elements, x=der(0x02, b"\x00\x00" + elements.x[2:])),
    )
    padded = der(0x02, bytes(64) + elements.x[2:])
    yield "x with 64 bytes of 00 before it", with_changes(elements, x=padded)


def wrong_integers(elements: Elements) -> Pairs:
    """Yield INTEGERs that are not a coordinate in any reading: without a byte, or negative."""
    for name in ("x", "y"):
        yield f"{name} of no byte", with_changes(elements, **{name: b"\x02\x00"})
    negative = der_integer(-int.from_bytes(elements.x[2:], "big"))[2:]
    filled = b"\xff" * (2 if negative[0] & 0x80 else 1) + negative
    yield "x negative, with ff before it", with_changes(elements, x=der(0x02, filled))


def signs() -> Pairs:
    """Yield coordinates whose first bit is set, without the 00 before it."""
    elements = elements_of(encrypt(MESSAGE, points.SIGN_BITS[3].k))
    bare = {name: der(0x02, getattr(elements, name)[3:]) for name in ("x", "y")}
    yield "x1 of 256 bits", with_changes(elements, x=bare["x"])
    yield "y1 of 256 bits", with_changes(elements, y=bare["y"])
    yield "x1 and y1 of 256 bits", with_changes(elements, **bare)


def long_messages() -> Iterator[Defect]:
    """Yield lengths of 128 and 300 bytes with a leading 00."""
    for size in (128, 300):
        message = text(size)
        parts = encrypt(message)
        elements = elements_of(parts)
        content = b"".join(elements)
        length = (len(content).bit_length() + 7) // 8
        whole = b"\x30" + bytes([0x81 + length, 0]) + len(content).to_bytes(length, "big") + content
        yield Defect("LengthForm", f"the whole, 00 before {len(content)}", whole, parts, message)
        old = elements.c2
        form = bytes([old[1] + 1, 0]) + old[2:]
        padded = with_changes(elements, c2=old[:1] + form)
        yield Defect("LengthForm", f"c2, 00 before {size}", padded, parts, message)


def padded_coordinates() -> Iterator[Defect]:
    """Yield coordinates of 31 bytes that are filled up to 32 or 33."""
    for name, index in (("x", 1), ("y", 5)):
        multiple = points.SHORT_C1[index]
        parts = encrypt(MESSAGE, multiple.k)
        elements = elements_of(parts)
        element: bytes = getattr(elements, name)
        for size in (32, 33):
            filled = der(0x02, element[2:].rjust(size, b"\x00"))
            comment = f"{name} of 31 bytes, filled up to {size}"
            yield Defect("IntegerForm", comment, with_changes(elements, **{name: filled}), parts)

"""Conversions between the five encodings of a ciphertext of SM2."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.affine import PRIME, Sm2Parts
from kmscore_vectors.generator.keys.sm2_private import POINT_FORM
from kmscore_vectors.generator.model import Case, Rule, hex_fields
from kmscore_vectors.generator.sm2pke import points
from kmscore_vectors.generator.sm2pke.asn1_defects import defects
from kmscore_vectors.generator.sm2pke.cases import (
    ENCODERS,
    MESSAGE,
    MOST_PLAINTEXT,
    encrypt,
    from_point,
    text,
)
from kmscore_vectors.generator.sm2pke.valid_ciphertexts import zero_bytes
from kmscore_vectors.tables import ErrorCode

_X, _Y, _BOTH = (points.SHORT_C1[index].k for index in (0, 5, 9))
_UNKNOWN: Final = (
    "",
    "ASN1",
    "asn1_der",
    "C1C2C3_bare",
    "C1C3C2 ",
    "C2C3C1",
    "null",
    "__proto__",
    "constructor",
)


def conversions() -> Iterator[Case]:
    """Yield all conversions, valid and not."""
    yield from _every_pair()
    yield from _unusual()
    yield from _unchecked()
    for source in ENCODERS:
        yield from _invalid(source)
    yield from _invalid_der()
    yield from _unknown_encodings()


def _convert(comment: str, flag: str, parts: Sm2Parts, source: str, target: str) -> Case:
    """Return the conversion of a ciphertext."""
    return Case(
        f"{comment}: {source} to {target}",
        flag,
        {"source": source, "target": target, **hex_fields(ciphertext=ENCODERS[source](parts))},
        hex_fields(converted=ENCODERS[target](parts)),
    )


def _every_pair() -> Iterator[Case]:
    """Yield ciphertexts with and without short coordinates, in every pair of encodings."""
    for which, flag, chosen in (
        ("usual", "Convert", encrypt()),
        ("x begins with 00", "ShortCoordinate", encrypt(MESSAGE, _X)),
        ("y begins with 00", "ShortCoordinate", encrypt(MESSAGE, _Y)),
        ("x and y begin with 00", "ShortCoordinate", encrypt(MESSAGE, _BOTH)),
    ):
        for source in ENCODERS:
            for target in ENCODERS:
                yield _convert(which, flag, chosen, source, target)


def _unusual() -> Iterator[Case]:
    """Yield ciphertexts with extreme fields, once from every encoding and once to it."""
    names = tuple(ENCODERS)
    pairs = tuple(zip(names, names[1:] + names[:1], strict=True))
    for flag, comment, parts in _unusual_parts():
        for source, target in pairs:
            yield _convert(comment, flag, parts, source, target)
    bare = tuple(name for name in names if name.endswith("BARE"))
    for first, k in {"04": points.FIRST_04_K, "30": points.FIRST_30_K}.items():
        for source in bare:
            for target in (source, "C1C3C2", "ASN1_DER"):
                comment = f"x begins with {first}"
                yield _convert(comment, "Convert", encrypt(MESSAGE, k), source, target)


def _unusual_parts() -> Iterator[tuple[str, str, Sm2Parts]]:
    """Yield ciphertexts at the limits of lengths and coordinates, or with zeros at an end."""
    for length in (1, 127, 128, 256, MOST_PLAINTEXT):
        yield "Boundary", f"C2 of {length} bytes", encrypt(text(length))
    for multiple in points.SHORT_C1[2:4] + points.SHORT_C1[6:8]:
        comment = f"x1 of {multiple.x_bits} bits, y1 of {multiple.y_bits}"
        yield "ShortCoordinate", comment, encrypt(MESSAGE, multiple.k)
    for comment, point in {
        "x = 0": points.ZERO_X,
        "x = p - 2": points.LARGEST_X,
        "y = 1": points.SMALL_Y,
        "y = p - 1": points.LARGEST_Y,
    }.items():
        yield "ExtremePoint", comment, from_point(point)
    messages = zero_bytes()
    for comment in ("C2 is 00 throughout, 19 bytes", "C2 begins with 00", "C3 begins with 00"):
        yield "ZeroBytes", comment, encrypt(messages[comment])


def _unchecked() -> Iterator[Case]:
    """Yield ciphertexts that can be converted and do not open."""
    parts = encrypt()
    for comment, wrong in {
        "another C3": parts._replace(c3=bytes(32)),
        "another C1": parts._replace(y1=PRIME - parts.y1),
        "t is all zero": encrypt(b"x", points.FIRST_00_K),
    }.items():
        for source, target in (("C1C3C2", "ASN1_DER"), ("ASN1_DER", "C1C2C3")):
            yield _convert(comment, "UncheckedC3", wrong, source, target)


def _rejected(
    right: Case, flag: str, comment: str, ciphertext: bytes, rule: Rule | None = None
) -> Case:
    """Return a ciphertext that cannot be converted."""
    if flag == "FirstByte" and ciphertext[0] in {2, 3, 6, 7}:
        rule = POINT_FORM
    fields = hex_fields(ciphertext=ciphertext)
    return right.rejected(ErrorCode.INVALID_BLOB, flag, comment, fields, rule)


def _invalid(source: str) -> Iterator[Case]:
    """Yield ciphertexts of one encoding that are not converted."""
    encode, parts = ENCODERS[source], encrypt()
    right = _convert("usual", "Convert", parts, source, "C1C3C2")
    coordinates = len(encode(parts)) - len(parts.c3) - len(parts.c2)
    for flag, comment, wrong in (
        ("OffCurve", "y + 1", encode(parts._replace(y1=parts.y1 + 1))),
        ("OffCurve", "x and y are 0", encode(parts._replace(x1=0, y1=0))),
        ("OffCurve", "on the quadratic twist", encode(from_point(points.TWISTED))),
        ("SmallOrder", "C1 of order 7", encode(from_point(points.SMALL_ORDERS[7]))),
        ("CoordinateRange", "x = p", encode(from_point((PRIME, points.ZERO_X[1])))),
        ("CoordinateRange", "x = 2^256 - 1", encode(from_point(points.LONGEST_X))),
        ("CoordinateRange", "y = 2^256 - 1", encode(from_point(points.LONGEST_Y))),
        ("EmptyC2", "no C2", encode(parts._replace(c2=b""))),
        ("TooLong", "C2 of 6,048 bytes", encode(parts._replace(c2=bytes(6048)))),
        ("TooLong", "C2 of 20,000 bytes", encode(parts._replace(c2=bytes(20_000)))),
        ("Truncated", "half of it", encode(parts)[:50]),
        ("Truncated", "C1 alone", encode(parts)[:coordinates]),
        ("Truncated", "empty", b""),
    ):
        yield _rejected(right, flag, f"{source}, {comment}", wrong)
    if source != "C1C3C2":
        same = _convert("usual", "Convert", parts, source, source)
        wrong = encode(parts._replace(x1=parts.x1 + 1))
        yield _rejected(same, "OffCurve", f"{source} to itself, x + 1", wrong)
    if source in {"C1C3C2", "C1C2C3"}:
        for first in (0x00, 0x02, 0x05, 0x06, 0x07):
            wrong = bytes([first]) + encode(parts)[1:]
            yield _rejected(right, "FirstByte", f"{source}, {first:02x}", wrong)
        yield _rejected(right, "FirstByte", f"{source}, 04 is missing", encode(parts)[1:])


def _invalid_der() -> Iterator[Case]:
    """Yield the defects of ASN1_DER: without a key, only the parser can find them."""
    for defect in defects():
        if defect.flag != "OtherHash":
            right = _convert("usual", "Convert", defect.parts, "ASN1_DER", "C1C3C2")
            comment = f"ASN1_DER, {defect.comment}"
            yield _rejected(right, defect.flag, comment, defect.wrong, defect.rule)


def _unknown_encodings() -> Iterator[Case]:
    """Yield names of no encoding, alone and with a ciphertext that does not parse."""
    right = _convert("usual", "Convert", encrypt(), "C1C3C2", "ASN1_DER")
    error = ErrorCode.UNSUPPORTED_ALGORITHM
    for name in _UNKNOWN:
        for field in ("source", "target"):
            yield right.rejected(error, "UnknownEncoding", f"{field} {name!r}", {field: name})
    parts = encrypt()
    for comment, wrong in {
        "C1 off the curve": affine.c1c3c2(parts._replace(y1=parts.y1 + 1)),
        "no ciphertext": b"",
        "more than 6,144 bytes": affine.c1c3c2(parts._replace(c2=bytes(6048))),
    }.items():
        later = _rejected(right, "OffCurve", comment, wrong)
        for field in ("source", "target"):
            yield later.also(error, f"{field} of an unknown name", {field: "C1"})

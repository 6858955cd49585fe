"""The flags of the tests of ASN1_DER."""

from typing import Final

from kmscore_vectors.generator.model import Note
from kmscore_vectors.tables import BugType, Severity

_X690: Final = ("https://www.itu.int/rec/T-REC-X.690",)
_MANY: Final = (
    "Many ciphertexts for one: block lists, caches and signatures of ciphertexts can be evaded."
)
_OTHER_PARSER: Final = "Two parsers that read different fields from the same bytes."
_MEMORY: Final = "Reading beyond the end, or an allocation of the given length."

DER_NOTES: Final = {
    "SignByte": Note(
        "The first bit of a coordinate decides whether a 00 precedes it.",
        "Half of all coordinates are read as negative, or are written with a byte too many.",
        _X690,
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="X.690 section 8.3",
    ),
    "DerLength": Note(
        "A length that is the last in one form, or the first in the next.",
        "Ciphertexts of a few lengths cannot be read or are written wrong.",
        _X690,
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="X.690 section 10.1",
    ),
    "LengthForm": Note(
        "A length in more bytes than are needed: BER, but not DER.",
        _MANY,
        _X690,
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STRICT,
        section="X.690 section 10.1; SPEC section 7.3",
    ),
    "IndefiniteLength": Note(
        "An indefinite length, with and without the end that it needs.",
        _MANY,
        _X690,
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STRICT,
        section="X.690 section 10.1; SPEC section 7.3",
    ),
    "ConstructedString": Note(
        "A string in parts: BER, but not DER.",
        _MANY,
        _X690,
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STRICT,
        section="X.690 section 10.2; SPEC section 7.3",
    ),
    "IntegerForm": Note(
        "A coordinate with more leading bytes than its sign needs, or with none at all.",
        _MANY,
        _X690,
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STRICT,
        section="X.690 section 8.3.2; SPEC section 7.3",
    ),
    "MissingSignByte": Note(
        "A coordinate of 256 bits without the 00 before it, which is a negative number.",
        "A parser that ignores the sign takes two ciphertexts for one.",
        _X690,
        bug_type=BugType.BER_ENCODING,
        severity=Severity.STANDARD,
        section="X.690 section 8.3",
    ),
    "WrongTag": Note(
        "An element has another type or class.",
        _OTHER_PARSER,
        _X690,
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
    "WrongLength": Note(
        "A length that is not that of the content.",
        _MEMORY,
        ("https://cwe.mitre.org/data/definitions/130.html",),
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="X.690 section 8.1.3",
    ),
    "Elements": Note(
        "An element is missing, added, nested or at another place.",
        _OTHER_PARSER,
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
}

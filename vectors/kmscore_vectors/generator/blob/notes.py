"""The meaning of the flags in the vectors of the blob format."""

from typing import Final

from kmscore_vectors.generator.model import Note
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "Valid": Note(
        "A well-formed blob.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 3.1",
    ),
    "Boundary": Note(
        "A well-formed blob with a field at the limit of its length or its values.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 3.1",
    ),
    "Truncated": Note(
        "The blob ends before a field does.",
        "Reading beyond the end: a crash, or bytes of other memory taken for a field.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "Magic": Note(
        "The first three bytes are not KMS.",
        "Ciphertexts of other formats are taken for this one, and their bytes for its fields.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "FormatVersion": Note(
        "The format version is not 01.",
        "A later format, whose fields may mean something else, is read as this one.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "UnknownSuite": Note(
        "No suite has this ID.",
        "A default takes the place of what the blob names: algorithm confusion.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "EmptyId": Note(
        "An ID of no bytes.",
        "A lookup without an ID may answer a default key.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "IdCharacter": Note(
        "An ID has a byte outside 21 to 7E.",
        "IDs that look alike or end early, and bytes that break into a query, a path or a log.",
        ("https://cwe.mitre.org/data/definitions/117.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "TooLong": Note(
        "The blob is longer than any can be.",
        "Work and memory in proportion to whatever a stranger sends.",
        ("https://cwe.mitre.org/data/definitions/770.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.2",
    ),
    "Prefixed": Note(
        "The blob does not begin at the first byte.",
        "A parser that searches for the magic takes many texts for one blob.",
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="SPEC section 3.3",
    ),
    "Alphabet": Note(
        "A text with every character of the alphabet, or one whose decoded bytes are a long blob.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.STANDARD,
        section="RFC 4648 section 4",
    ),
    "UnusedBits": Note(
        "A bit of the last character is 1 that carries no data.",
        "Many texts for one blob: a signature, a cache or a block list that goes by the text"
        " is evaded.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-3.5",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.5; SPEC section 2",
    ),
    "Padding": Note(
        "Padding that is missing, too long, or in another place than the end.",
        "Many texts for one blob, and text after the end that some decoders ignore.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-3.2",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.2; SPEC section 2",
    ),
    "LineBreak": Note(
        "White space or a line break in the text.",
        "Many texts for one blob, and line breaks of the attacker in logs and headers.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-3.1",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.1; SPEC section 2",
    ),
    "OtherAlphabet": Note(
        "A character that another alphabet has, or that a decoder ignores.",
        "Many texts for one blob, some of which other programs read as another one.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-3.3",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.3; SPEC section 2",
    ),
    "IdLength": Note(
        "The length of an ID is not that of the bytes which follow.",
        "Reading beyond the end, or bytes of one field taken for another.",
        ("https://cwe.mitre.org/data/definitions/125.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
}

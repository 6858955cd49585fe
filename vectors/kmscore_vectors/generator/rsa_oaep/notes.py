"""The flags of the tests of RSAES-OAEP."""

from typing import Final

from kmscore_vectors.generator.model import TWO_DEFECTS, TWO_DEFECTS_NOTE, Note
from kmscore_vectors.generator.shared_texts import (
    CIPHERTEXT_BIT,
    DEFAULT_ALGORITHM,
    KEY_OF_ANOTHER_ALGORITHM,
    UNKNOWN_ALGORITHM,
    USUAL_LENGTH,
)
from kmscore_vectors.tables import BugType, Severity

_MANGER: Final = "https://doi.org/10.1007/3-540-44647-8_14"

_PARTLY_COMPARED: Final = (
    "Padding that is not compared whole makes ciphertexts malleable, and gives information"
    " about EM."
)

NOTES: Final = {
    "Valid": Note(
        USUAL_LENGTH,
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2",
    ),
    "Boundary": Note(
        "A message of no byte, or the longest that there is room for.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2",
    ),
    "LeadingZeros": Note(
        "The ciphertext, or the message, begins with zeros.",
        "An implementation that drops them on the way through an integer rejects valid messages.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 4.1",
    ),
    "FirstByte": Note(
        "The first byte of the encoded message is not 00.",
        "An attacker who sees it by another error or another time can decrypt: Manger's attack.",
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "LabelHash": Note(
        "lHash is not the hash of the empty label.",
        _PARTLY_COMPARED,
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "Label": Note(
        "The ciphertext was made for another label.",
        "What was encrypted for one purpose opens for another.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "Padding": Note(
        "A byte other than 00 precedes the 01.",
        _PARTLY_COMPARED,
        (_MANGER,),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "NoSeparator": Note(
        "No 01 ends the zeros.",
        "A search that runs out of the block reads other memory, or takes no message for an empty"
        " one.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "OtherHash": Note(
        "Another hash was used for OAEP, for MGF1, or for both.",
        "An implementation that tries several is an oracle, and takes what was weakened.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3",
    ),
    "Pkcs1": Note(
        "Padding of PKCS #1 v1.5.",
        "A fallback to it brings Bleichenbacher's attack back.",
        ("https://www.rfc-editor.org/rfc/rfc3218",),
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "CiphertextRange": Note(
        "The ciphertext as an integer is not below the modulus.",
        "Two ciphertexts for one: c and c + n.",
        ("https://www.rfc-editor.org/rfc/rfc8017#section-5.1.2",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 5.1.2 step 1",
    ),
    "CiphertextLength": Note(
        "The ciphertext is shorter or longer than the modulus.",
        "Many ciphertexts for one, and numbers as large as an attacker likes.",
        ("https://www.rfc-editor.org/rfc/rfc8017#section-7.1.2",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 1b",
    ),
    "Modified": Note(
        CIPHERTEXT_BIT,
        "Bytes that were not encrypted are taken for a message.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "MessageBytes": Note(
        "The message is not a text, or looks like padding.",
        "A message that passes through a text or a number, or a second search for 01, loses bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "ExtremeSeed": Note(
        "The seed is 00 or ff throughout.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3",
    ),
    "NoPadding": Note(
        "The message was encrypted without padding.",
        "Textbook RSA: equal messages have equal ciphertexts, and products can be decrypted.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2 step 3g",
    ),
    "KeyUsage": Note(
        "An algorithm that does not fit the key.",
        KEY_OF_ANOTHER_ALGORITHM,
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 6.2",
    ),
    "UnknownAlgorithm": Note(
        UNKNOWN_ALGORITHM,
        DEFAULT_ALGORITHM,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 6.2",
    ),
    TWO_DEFECTS: TWO_DEFECTS_NOTE,
}

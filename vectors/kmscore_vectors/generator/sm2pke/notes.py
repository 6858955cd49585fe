"""The flags of the tests of SM2PKE."""

from typing import Final

from kmscore_vectors.generator.model import TWO_DEFECTS, TWO_DEFECTS_NOTE, Note
from kmscore_vectors.generator.shared_texts import (
    DEFAULT_ALGORITHM,
    KEY_OF_ANOTHER_ALGORITHM,
    UNKNOWN_ALGORITHM,
    USUAL_LENGTH,
)
from kmscore_vectors.generator.sm2pke.der_notes import DER_NOTES
from kmscore_vectors.tables import BugType, Severity

_INVALID_CURVE: Final = (
    "https://doi.org/10.1007/3-540-44598-6_8",
    "https://github.com/JuneAndGreen/sm-crypto/security/advisories/GHSA-pgx9-497m-6c4v",
    "https://github.com/RustCrypto/elliptic-curves/security/advisories/GHSA-78p6-6878-8mj6",
)
_MALLEABLE: Final = (
    "An attacker who changes bits of C2 changes the same bits of the plaintext, unnoticed."
)

NOTES: Final = {
    "Valid": Note(
        USUAL_LENGTH,
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
    ),
    "Boundary": Note(
        "The shortest or the longest message, or one that ends a block of the KDF.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
    ),
    "HashPadding": Note(
        "A message for which the input of C3 ends near the end of a block of SM3.",
        "SM3 with a fault in its padding gives another C3 for one message of 64 or more: it is"
        " lost to every other implementation.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32905-2016 section 5.2",
    ),
    "ShortCoordinate": Note(
        "A coordinate begins with zeros.",
        "Zeros that are dropped shift every field behind them, and one message of 128 is lost. A"
        " buffer that is measured by the full length, where DER has less, is too small.",
        ("https://www.openssl.org/news/secadv/20210824.txt",),
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
        cves=("CVE-2021-3711",),
    ),
    "OffCurve": Note(
        "C1 is not on the curve; C3 and C2 are right for its product with d.",
        "The product lies on a weak curve and gives part of the private key away; a few such"
        " ciphertexts give all of it.",
        _INVALID_CURVE,
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B1",
        cves=("CVE-2026-22699", "CVE-2026-23966"),
    ),
    "CoordinateRange": Note(
        "A coordinate is not below p, or is negative.",
        "Several ciphertexts for one, and points that slip past a check made modulo p.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
    ),
    "WrongC3": Note(
        "C3 is another digest.",
        _MALLEABLE,
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B6",
    ),
    "ModifiedC2": Note(
        "One bit of C2 is another; C3 is as it was.",
        _MALLEABLE,
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B6",
    ),
    "WrongC3Length": Note(
        "C3 has not 32 bytes.",
        "A comparison over the shorter length accepts the first bytes of a digest, or no byte.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
    "ZeroKdf": Note(
        "The KDF gives zeros, so C2 is the plaintext in clear.",
        "C2 shows the message to everyone. A sender without the key can make such a ciphertext.",
        ("https://github.com/openssl/openssl/pull/23210",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B4",
    ),
    "PartlyZeroKdf": Note(
        "The KDF gives zeros at the beginning or the end, and others.",
        "A search for zeros in a part of it loses one message in 256.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B4",
    ),
    "WrongOrder": Note(
        "C2 comes before C3, as in the drafts before 2012.",
        "An implementation that tries both orders opens what was made for neither.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 6.1 step A8",
    ),
    "OtherHash": Note(
        "SHA-256 was used instead of SM3.",
        "An implementation that takes any hash is not one of SM2PKE.",
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="GM/T 0009-2012 section 7.2",
    ),
    "Trailing": Note(
        "Bytes after the ciphertext, or between its elements.",
        "Many ciphertexts for one, and room for data that is not checked.",
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="SPEC section 7.3",
    ),
    "Truncated": Note(
        "The ciphertext ends too early.",
        "Reading beyond the end: a crash.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
        cves=("CVE-2026-22700",),
    ),
    "FirstByte": Note(
        "The first byte is not that of an encoding that is taken.",
        "A parser that guesses reads x as something else.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
    ),
    "TooLong": Note(
        "The message has more than 6,047 bytes.",
        "Work and memory in proportion to the length of the input.",
        ("https://cwe.mitre.org/data/definitions/770.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 7.2",
    ),
    "EmptyC2": Note(
        "C2 has no bytes.",
        "Zero bytes of KDF output are all zero: a check that forgets the length divides here.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STRICT,
        section="SPEC section 7.3",
    ),
    "EmptyPlaintext": Note(
        "The message has no byte.",
        "A ciphertext without C2, which every receiver has to reject.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STRICT,
        section="SPEC section 7.4",
    ),
    "KeyUsage": Note(
        "A good key of another algorithm.",
        KEY_OF_ANOTHER_ALGORITHM,
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 7.4",
    ),
    "BadPublicKey": Note(
        "A public key that is not a point of the curve in the one encoding, or not a key of SM2.",
        "The plaintext is encrypted under a key that its owner did not choose and others can find.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 6.2.1; RFC 5480 section 2",
    ),
    "Convert": Note(
        "One ciphertext in two encodings.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 7.6",
    ),
    "GivenK": Note(
        "Encryption with k given.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 6.1",
    ),
    "ShortSharedPoint": Note(
        "x2 or y2 begins with zeros.",
        "An implementation that hashes numbers without their zeros gives another t and another C3:"
        " one message of 128 cannot be decrypted by others.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 4.2",
    ),
    "ExtremeK": Note(
        "k is at the limits of its range, begins with zeros, or has long runs of equal bits.",
        "A multiplication that is wrong for such a factor gives ciphertexts that do not open.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 6.1 step A1",
    ),
    "ExtremePoint": Note(
        "C1 is a valid point with the least or largest coordinates, or another special point.",
        "A check that takes x = 0 for the point at infinity loses valid ciphertexts.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B1",
    ),
    "ExtremePublicKey": Note(
        "The public key is a valid point with the least or largest coordinates.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.1-2016 section 6.2.1",
    ),
    "MessageBytes": Note(
        "The message is not a text, or begins or ends with zeros.",
        "A message that passes through a text, a number or a C string loses bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1",
    ),
    "ZeroBytes": Note(
        "C2 or C3 begins or ends with zeros, or C2 has only zeros because the message is t.",
        "An implementation that looks for zeros in C2 in place of t rejects valid messages.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B4",
    ),
    "SmallOrder": Note(
        "C1 has a small order, on a curve with another b.",
        "Each answer shows d modulo that order. Answers for enough small orders show all of d.",
        _INVALID_CURVE,
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B1",
        cves=("CVE-2026-22699", "CVE-2026-23966"),
    ),
    "OtherC1": Note(
        "C1 is another point of the curve; C2 and C3 are as they were.",
        "Several ciphertexts for one, if only x of the product is used, or C3 is not compared.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="GB/T 32918.4-2016 section 7.1 step B6",
    ),
    "UncheckedC3": Note(
        "A ciphertext that does not open, and that can be converted because that takes no key.",
        "A conversion that fails here has used a key, or compares other bytes than C3.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 7.6",
    ),
    "UnknownEncoding": Note(
        "No encoding has this name.",
        "A default takes its place, and the fields are read in another order.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 7.6",
    ),
    "UnknownAlgorithm": Note(
        UNKNOWN_ALGORITHM,
        DEFAULT_ALGORITHM,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 6.2",
    ),
    TWO_DEFECTS: TWO_DEFECTS_NOTE,
    **DER_NOTES,
}

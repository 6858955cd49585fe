"""The flags of the tests of XAES-256-GCM."""

from typing import Final

from kmscore_vectors.generator.model import VALID_FAILS, Note
from kmscore_vectors.generator.shared_texts import CIPHERTEXT_BIT, PARTIAL_CACHE, SIMILAR_KEY
from kmscore_vectors.tables import BugType, Severity

_SECTION: Final = "C2SP XAES-256-GCM"


def _note(bug_type: BugType, description: str, effect: str = VALID_FAILS, *links: str) -> Note:
    """Return the note of a flag; all tests are about one standard."""
    return Note(
        description,
        effect,
        links,
        bug_type=bug_type,
        severity=Severity.STANDARD,
        section=_SECTION,
    )


NOTES: Final = {
    "Published": _note(
        BugType.BASIC,
        "A test of the specification.",
        VALID_FAILS,
        "https://c2sp.org/XAES-256-GCM",
    ),
    "Ktv": _note(BugType.BASIC, "A message and associated data of usual lengths."),
    "MostSignificantBit": _note(
        BugType.EDGE_CASE,
        "Keys for which the highest bit of AES_K(0) is 1, and keys for which it is 0.",
        "Without the constant 87, or with it always, half of all keys give another ciphertext.",
    ),
    "SimilarKey": _note(
        BugType.EDGE_CASE,
        SIMILAR_KEY,
        PARTIAL_CACHE,
        "https://cwe.mitre.org/data/definitions/1023.html",
    ),
    "SpecialNonce": _note(
        BugType.EDGE_CASE,
        "A nonce of one value throughout, or one whose last four bytes are all one bits.",
        "A counter that runs into the nonce uses one key stream twice.",
    ),
    "SpecialPlaintext": _note(
        BugType.EDGE_CASE,
        "A message that is not text, or begins or ends with zeros.",
        "A message that passes through a text or a number comes out as another.",
    ),
    "ModifiedTag": _note(
        BugType.AUTH_BYPASS,
        "One byte of the tag is another.",
        "A comparison that leaves out a byte lets an attacker forge a tag with fewer trials.",
    ),
    "TruncatedTag": _note(
        BugType.AUTH_BYPASS,
        "The tag has fewer than 16 bytes.",
        "A comparison over the shorter length accepts every tag of no bytes.",
    ),
    "ModifiedCiphertext": _note(
        BugType.AUTH_BYPASS,
        CIPHERTEXT_BIT,
        "An attacker who changes a bit of the ciphertext changes the same bit of the message.",
    ),
    "ModifiedAad": _note(
        BugType.AUTH_BYPASS,
        "The associated data is not that of the message.",
        "A ciphertext that is bound to one purpose opens for another.",
    ),
    "ModifiedNonce": _note(
        BugType.AUTH_BYPASS,
        "One bit of the nonce is another, in its first or its second half.",
        "A part of the nonce is not used: two messages get one key stream.",
    ),
    "WrongDerivation": _note(
        BugType.WRONG_PRIMITIVE,
        "Sealed under a key that another derivation gives, or without a derivation.",
        "The implementation opens ciphertexts that no other implementation makes.",
    ),
    "InvalidNonceSize": _note(
        BugType.MODIFIED_PARAMETER,
        "The nonce has another length than 24 bytes.",
        "A nonce of 12 bytes selects AES-256-GCM under the same key, which breaks both.",
    ),
    "InvalidKeySize": _note(
        BugType.MODIFIED_PARAMETER,
        "The key has another length than 32 bytes.",
        "The message is protected by a key of fewer bits than its user was promised.",
    ),
}

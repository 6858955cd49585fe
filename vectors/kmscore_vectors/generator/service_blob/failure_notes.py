"""The flags of the tests of decryption that fails in the service's layout."""

from typing import Final

from kmscore_vectors.generator.model import Note
from kmscore_vectors.generator.shared_texts import (
    CIPHERTEXT_BIT,
    CONFUSED_DEPUTY,
    DIFFERENT_LIMITS,
    FORGED_PLAINTEXTS,
    MISPLACED_TAG,
    NO_ROOM,
    OTHER_CONTEXT,
    OTHER_KEY_STREAM,
    OTHER_LENGTH,
    SAME_TEXT,
    SHORT_TAG,
    TRIAL_DECRYPTION,
)
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "Ambiguous": Note(
        "A context that the rule confuses with others, and that the caller has not allowed.",
        SAME_TEXT,
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.4",
    ),
    "ModifiedIv": Note(
        "One bit of the IV is another.",
        OTHER_KEY_STREAM,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedCiphertext": Note(
        CIPHERTEXT_BIT,
        "Counter mode is malleable: the same bit of what was sealed is another.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedTag": Note(
        "One bit of the tag is another.",
        FORGED_PLAINTEXTS,
        ("https://cwe.mitre.org/data/definitions/347.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "Length": Note(
        OTHER_LENGTH,
        MISPLACED_TAG,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "NoRoom": Note(
        NO_ROOM,
        SHORT_TAG,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.2",
    ),
    "OtherContext": Note(
        OTHER_CONTEXT,
        CONFUSED_DEPUTY,
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "NullAndEmpty": Note(
        "No context at all where an empty one was, or the reverse, and the profile tells them"
        " apart.",
        "Two contexts that differ become one.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "OtherRule": Note(
        "The profile says another rule than the message was sealed under.",
        "Rules that are tried one after the other: more contexts than one open a ciphertext.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "AssociatedData": Note(
        "Sealed with associated data that no rule of the profile gives.",
        "The service cannot decrypt its blobs, and it decrypts blobs that the service rejects.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "OtherDerivation": Note(
        "Sealed with another key, or with another cipher under the same key.",
        "Trial decryption with whatever fits.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "PlaintextSize": Note(
        "More than 8,192 bytes were sealed as they are.",
        DIFFERENT_LIMITS,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
    "UnknownVersion": Note(
        "The blob names a key version that is not there.",
        TRIAL_DECRYPTION,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
    "KeyUsage": Note(
        "The key version is bound to XAES_256_GCM.",
        "GCM under the very key of XAES-256-GCM: its hash key is the block that XAES derives from.",
        ("https://c2sp.org/XAES-256-GCM",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.5",
    ),
}

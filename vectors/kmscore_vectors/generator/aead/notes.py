"""The meaning of the flags in the vectors of the five suites."""

from typing import Final

from kmscore_vectors.generator.model import TWO_DEFECTS, TWO_DEFECTS_NOTE, Note
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "Valid": Note(
        "A message sealed under a context of few pairs, or none.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.1",
    ),
    "Boundary": Note(
        "A plaintext, associated data or IDs of a length at a limit or around a block.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.1",
    ),
    "Iv": Note(
        "An IV with a pattern: no IV is special, and the counter behind it does not change it.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 5.2.1.1",
    ),
    "PlaintextSize": Note(
        "The plaintext has more than 6,144 bytes.",
        "A limit that one operation keeps and another does not leaves blobs that cannot be moved.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "ContextSize": Note(
        "The canonical context would have more than 65,535 bytes.",
        "A length that wraps around in its two bytes: another context with the same bytes.",
        ("https://cwe.mitre.org/data/definitions/190.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "ModifiedTag": Note(
        "The tag is another, in one bit or in more.",
        "A tag that is compared in part, or not at all: forged plaintexts.",
        ("https://cwe.mitre.org/data/definitions/347.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedCiphertext": Note(
        "One bit of the ciphertext is another.",
        "Counter mode is malleable: the same bit of the plaintext is another.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "ModifiedIv": Note(
        "A bit of the IV is another.",
        "Another key stream decrypts.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "Length": Note(
        "A byte was removed or added, and the lengths still allow a blob.",
        "A tag that is looked for where the ciphertext ends, or a tag of fewer bytes, which is"
        " easier to guess.",
        ("https://csrc.nist.gov/pubs/sp/800/38/d/final",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "Truncated": Note(
        "The blob ends before its tag is whole.",
        "A tag of fewer bytes is easier to guess.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 3.3",
    ),
    "OtherContext": Note(
        "Another context than the message was sealed under.",
        "A confused deputy: a ciphertext of one tenant, table or purpose opens for another.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "OtherKey": Note(
        "The header names a key or a key version that is not there.",
        "Trial decryption, or a default key in its place.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "OtherSuite": Note(
        "The header names a suite that is not the key's.",
        "One key under two algorithms: what is safe under each need not be under both.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    "AssociatedData": Note(
        "Sealed with associated data that is not the header followed by the context.",
        "Without the header, an attacker who can write the blob chooses the key and the suite that"
        " open it. Without lengths, a blob of one context opens under another.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.2",
    ),
    "OtherDerivation": Note(
        "Sealed with a key, a nonce or a counter that is not the suite's.",
        "Other implementations cannot decrypt its blobs, and it cannot decrypt theirs.",
        ("https://c2sp.org/XAES-256-GCM",),
        bug_type=BugType.WRONG_PRIMITIVE,
        severity=Severity.STANDARD,
        section="C2SP XAES-256-GCM",
    ),
    "Plaintext": Note(
        "A plaintext that looks like text of a known form, or begins or ends with a special byte.",
        "A plaintext that is trimmed, decoded, padded or cut is another one.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 5.2.1.1",
    ),
    "SpecialKey": Note(
        "A key with a pattern, or with a hash subkey H whose first and last bits are given.",
        "A key that is decoded, cut or rejected, or a multiplication that is wrong for some keys.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 6.4",
    ),
    "SubkeyShift": Note(
        "A key for which the shift of L to K1 has a special form: both values of the highest bit,"
        " and all or no bits that go from one byte to the next.",
        "A branch that only half of the keys take, or a shift that loses a bit.",
        ("https://c2sp.org/XAES-256-GCM",),
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="C2SP XAES-256-GCM",
    ),
    "SpecialTag": Note(
        "A tag, its hash S or a ciphertext that begins or ends with a special byte.",
        "A tag that is compared as a text or a number, or a blob that is trimmed.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.1",
    ),
    "ModifiedHeader": Note(
        "One bit of the header is another.",
        "A header that is not read, or not authenticated: the attacker chooses key and suite.",
        bug_type=BugType.MODIFIED_PARAMETER,
        severity=Severity.POLICY,
        section="SPEC section 5.6",
    ),
    TWO_DEFECTS: TWO_DEFECTS_NOTE,
}

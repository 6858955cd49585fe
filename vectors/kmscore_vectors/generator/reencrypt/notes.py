"""The flags of the tests of re-encryption."""

from dataclasses import replace
from typing import Final

from kmscore_vectors.generator.keys.notes import KEY_NOTES
from kmscore_vectors.generator.model import TWO_DEFECTS, TWO_DEFECTS_NOTE, Note
from kmscore_vectors.generator.shared_texts import (
    DIFFERENT_LIMITS,
    IGNORED_CONTEXT,
    IGNORED_DRY_RUN,
    IGNORED_SOURCE_ID,
    KEY_OF_ANOTHER_ALGORITHM,
    KEY_STILL_IN_USE,
    LENGTH_WRAPS,
    OTHER_SUITE,
    TRIAL_DECRYPTION,
    TWO_ALGORITHMS,
    UNBOUND_CONTEXT,
    UNKNOWN_ALGORITHM,
)
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "Valid": Note(
        "A ciphertext moves to another key, another version or another context.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Rotation": Note(
        "The destination is the source's own key, and its primary version seals.",
        "Ciphertexts stay under an older key version: after a compromise, a rotation does not take"
        " them out of reach.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Context": Note(
        "The key stays, and the encryption context changes.",
        "A blob that keeps its old context, or has none, opens for those who had access to it"
        " before, and not for its new owner.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Asymmetric": Note(
        "The source is a bare ciphertext of RSA or SM2.",
        "Data that was encrypted with a public key cannot be moved to a symmetric key.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "SourceId": Note(
        "The caller says which source key or version it means, and it is that.",
        "Callers leave the source key out, and permission for it is not asked for.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "DryRun": Note(
        "Everything is checked and nothing is sealed: there is no new blob.",
        IGNORED_DRY_RUN,
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Boundary": Note(
        "The shortest or longest plaintext, or IDs of 255 bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "InvalidBlob": Note(
        "The source does not parse as a v1 blob.",
        "What does not parse is taken for another format, by guessing.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "ContextSize": Note(
        "The canonical form of a context would have more than 65,535 bytes.",
        LENGTH_WRAPS,
        ("https://cwe.mitre.org/data/definitions/190.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "AsymmetricContext": Note(
        UNBOUND_CONTEXT,
        IGNORED_CONTEXT,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownKey": Note(
        "No key has this ID.",
        TRIAL_DECRYPTION,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownVersion": Note(
        "The key has no version of this ID.",
        "Trial decryption over the versions that there are.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "KeyState": Note(
        "A key version is disabled, pending deletion or pending import.",
        KEY_STILL_IN_USE,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "KeyUsage": Note(
        "A symmetric key where an asymmetric one is due, the reverse, or another algorithm's key.",
        KEY_OF_ANOTHER_ALGORITHM,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "OtherSource": Note(
        "The caller names another source key or version than the header does.",
        IGNORED_SOURCE_ID,
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "OtherSuite": Note(
        OTHER_SUITE,
        TWO_ALGORITHMS,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "UnknownAlgorithm": Note(
        UNKNOWN_ALGORITHM,
        "A default takes its place, and another algorithm runs than the answer says.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "PlaintextSize": Note(
        "The source holds more than 6,144 bytes.",
        DIFFERENT_LIMITS,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 8",
    ),
    "Modified": Note(
        "One bit of IV, ciphertext or tag is another.",
        "A forged plaintext is encrypted again, and then has a valid tag.",
        ("https://cwe.mitre.org/data/definitions/347.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "OtherContext": Note(
        "Another source context than the ciphertext was sealed under.",
        "A ciphertext that is bound to one context becomes one that is bound to another.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="NIST SP 800-38D section 7.2",
    ),
    "MovedHeader": Note(
        "The header of another key or version that has the same material.",
        "A header that is not authenticated: policies by key ID can be evaded.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 5.2",
    ),
    "ModifiedAsymmetric": Note(
        "A bare ciphertext that does not open.",
        "Chosen ciphertexts are answered: padding oracles, and for SM2 the private key.",
        ("https://archiv.infsec.ethz.ch/education/fs08/secsem/manger01.pdf",),
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.STANDARD,
        section="RFC 8017 section 7.1.2; GB/T 32918.4-2016 section 7.1",
    ),
    "BadKey": Note(
        "A keyring, or a symmetric key, that is not valid.",
        "Material that is cut, padded or hashed to fit; or one ID for two keys, of which either may"
        " be found.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 11.3",
    ),
    TWO_DEFECTS: replace(TWO_DEFECTS_NOTE, section="SPEC section 8"),
    **KEY_NOTES,
}

"""The sentences that several vector files contain, in headers and in notes."""

from typing import Final

# Headers of files.
TEST_KEYS: Final = "The keys are test keys, published."
SM2_TEST_KEY: Final = "The key is the TEST KEY of GM/T 0003.5-2012 Annex C, published."
LAST_IS_PRIMARY: Final = "The last version that is given for a key ID is its primary one."

# Descriptions of tests and defects.
CIPHERTEXT_BIT: Final = "One bit of the ciphertext is another."
OTHER_LENGTH: Final = "A byte was removed or added, and the lengths still allow a blob."
NO_ROOM: Final = "The blob ends before there is room for IV and tag."
OTHER_CONTEXT: Final = "Another context than the message was sealed under."
OTHER_SUITE: Final = "The header names a suite that is not the key's."
SIMILAR_KEY: Final = "A key or a nonce that differs little from the one that is asked before it."
UNBOUND_CONTEXT: Final = "A source context for a ciphertext that binds none."
UNKNOWN_ALGORITHM: Final = "No algorithm has this name."
USUAL_LENGTH: Final = "A message of a usual length."

# Effects, if an implementation accepts the defect.
DIFFERENT_LIMITS: Final = (
    "A limit that one operation keeps and another does not leaves blobs that cannot be moved."
)
TRIAL_DECRYPTION: Final = "Trial decryption, or a default key in its place."
KEY_OF_ANOTHER_ALGORITHM: Final = "Bytes of one algorithm are computed on with the key of another."
LENGTH_WRAPS: Final = (
    "A length that wraps around in its two bytes: another context with the same bytes."
)
FORGED_PLAINTEXTS: Final = "A tag that is compared in part, or not at all: forged plaintexts."
OTHER_KEY_STREAM: Final = "Another key stream decrypts."
MISPLACED_TAG: Final = (
    "A tag that is looked for where the ciphertext ends, or a tag of fewer bytes, which is"
    " easier to guess."
)
SHORT_TAG: Final = "A tag of fewer bytes is easier to guess."
CONFUSED_DEPUTY: Final = (
    "A confused deputy: a ciphertext of one tenant, table or purpose opens for another."
)
SAME_TEXT: Final = (
    "A ciphertext of one tenant, table or purpose opens for another, whose context has the"
    " same text."
)
PARTIAL_CACHE: Final = (
    "A cache that compares only a part of a key or of a nonce: messages are encrypted with the key"
    " of another tenant, and its ciphertexts open."
)
TWO_ALGORITHMS: Final = (
    "One key under two algorithms: what is safe under each need not be under both."
)
IGNORED_DRY_RUN: Final = "A dry run that is ignored changes what it should only have tried."
IGNORED_CONTEXT: Final = (
    "A context that is accepted and ignored: the caller believes in a binding that is not."
)
KEY_STILL_IN_USE: Final = "A key that was taken out of use after a compromise still opens or seals."
IGNORED_SOURCE_ID: Final = (
    "A source ID that is accepted and never compared: permission is asked for one key and"
    " another one opens."
)
DEFAULT_ALGORITHM: Final = (
    "A default takes its place, and another algorithm runs than the caller named."
)

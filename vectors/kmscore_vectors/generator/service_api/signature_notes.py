"""The flags of the tests of signed requests."""

from typing import Final

from kmscore_vectors.generator.model import Note
from kmscore_vectors.tables import BugType, Severity

_OTHER_SIGNED_TEXT: Final = (
    "Right requests of the vendor's clients are rejected, or two requests have one signature."
)

NOTES: Final = {
    "SignedRequest": Note(
        "A request with a right signature.",
        "An implementation that rejects it serves no client of this kind.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Malformed": Note(
        "A request that has no single reading.",
        "Parameter smuggling: a proxy, a log and the service read different requests.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "UnknownAccessKey": Note(
        "There is no such access key, or its secret is empty.",
        "Everybody can sign with an empty secret.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "UnsignedPart": Note(
        "The signature lacks a part, or does not cover what it has to.",
        "An attacker who sees a request can change the part that is not signed.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "WrongSignature": Note(
        "The signature is not that of the request.",
        "Anybody can send requests in the name of another.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Expired": Note(
        "The date is more than 15 minutes from the present, or is no date.",
        "A request that was recorded is valid for ever.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Replayed": Note(
        "The nonce was used before.",
        "A request that was recorded can be sent again.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "CanonicalQuery": Note(
        "Names and values that other orders or other encodings give another signed text.",
        _OTHER_SIGNED_TEXT,
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "SignedHeaders": Note(
        "Signed headers whose names or values other orders or other readings change.",
        _OTHER_SIGNED_TEXT,
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
}

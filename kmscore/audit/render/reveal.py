"""The choice of the values that a rendered trace shows."""

from collections.abc import Collection
from typing import Final

from kmscore._typecheck import check_instance
from kmscore.audit.records import OK, Secrecy, Trace, Value

WORDS = {
    Secrecy.PLAINTEXT: "plaintext",
    Secrecy.MESSAGE: "secrets of this message",
    Secrecy.KEY: "key material",
}
"""The description of a value that is not shown."""

_NOUNS: Final = {
    "encrypt": "Encryption",
    "decrypt": "Decryption",
    "reencrypt": "Re-encryption",
    "asymmetric_decrypt": "Asymmetric decryption",
}


def check_rendering(trace: Trace, reveal: Collection[Secrecy]) -> frozenset[Secrecy]:
    """Return the levels of secrecy to show.

    Raises `TypeError` for a wrong type, and `ValueError` for `Secrecy.KEY`.
    """
    check_instance(trace, Trace, "trace")
    check_instance(reveal, Collection, "reveal")
    for level in reveal:
        check_instance(level, Secrecy, "reveal")
    if Secrecy.KEY in reveal:
        raise ValueError("reveal: key material is never shown")
    return frozenset({Secrecy.PUBLIC, *reveal})


def hidden_words(value: Value) -> str:
    """Return the description of a value that is not shown."""
    length = f", {len(value.data):,} bytes" if value.has_public_length else ""
    return f"{WORDS[value.secrecy]}{length}, not shown"


def name_of(trace: Trace) -> str:
    """Return the operation as a noun."""
    return _NOUNS[trace.operation]


def verdict(trace: Trace) -> str:
    """Return the outcome of the operation in one sentence."""
    name = name_of(trace)
    if trace.outcome == OK:
        return f"{name} succeeds."
    failed = [step for step in trace.steps if step.verdict is False]
    where = f" in the step “{failed[-1].title}”" if failed else ""
    return f"{name} fails{where}, with the error {trace.outcome}."

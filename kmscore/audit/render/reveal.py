"""The choice of the values that a rendered trace shows, and the sentences of every form."""

from collections.abc import Collection
from typing import Final, NamedTuple

from kmscore._typecheck import check_instance
from kmscore.audit.records import OK, Secrecy, Step, Trace, Value
from kmscore.audit.replaying import replay
from kmscore.audit.wording import count

WORDS: Final = {
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

_FIRST, _LAST = 8, 4  # values of a step that has more than both together


class Judgement(NamedTuple):
    """The outcome of an operation, and whether its trace can be trusted."""

    is_trusted: bool
    """Whether the trace agrees with the library and with its replay."""

    outcome: str
    """The outcome of the operation in one sentence."""

    evidence: str
    """The comparisons in one sentence."""


def check_rendering(trace: Trace, reveal: Collection[Secrecy]) -> frozenset[Secrecy]:
    """Return the levels of secrecy to show. `MESSAGE` includes `PLAINTEXT`, which it gives away.

    Raises `TypeError` for a wrong type, and `ValueError` for `Secrecy.KEY`.
    """
    check_instance(trace, Trace, "trace")
    check_instance(reveal, Collection, "reveal")
    if isinstance(reveal, str):  # a member of `Secrecy` is a collection of letters
        raise TypeError("reveal must be a collection of Secrecy, not one text")
    levels = frozenset(reveal)
    for level in levels:
        check_instance(level, Secrecy, "each level of reveal")
    if Secrecy.KEY in levels:
        raise ValueError("reveal: key material is never shown")
    implied = {Secrecy.PLAINTEXT} if Secrecy.MESSAGE in levels else set()
    return frozenset({Secrecy.PUBLIC, *levels, *implied})


def judge(trace: Trace) -> Judgement:
    """Return the outcome of a trace, and whether it can be trusted."""
    name, failed = name_of(trace), trace.failed
    if trace.outcome == OK:
        outcome = f"{name} succeeds."
    else:
        where = "" if failed is None else f" in the step “{title_of(failed)}”"
        outcome = f"{name} fails{where}, with the error {trace.outcome}."
    recomputed, wrong = replay(trace)
    is_trusted = trace.agrees and not wrong
    evidence = (
        f"Computed apart from the library, and equal to it in {_all(len(trace.ties))};"
        f" values computed again: {recomputed:,}, all equal."
        if is_trusted
        else "The trace and the library disagree: trust neither, and report it."
        f" Values computed again: {recomputed:,}; different: {len(wrong):,}."
    )
    return Judgement(is_trusted, outcome, evidence)


def _all(comparisons: int) -> str:
    return "the one comparison" if comparisons == 1 else f"all {comparisons} comparisons"


def name_of(trace: Trace) -> str:
    """Return the operation as a noun."""
    return _NOUNS.get(trace.operation, trace.operation)


def title_of(step: Step) -> str:
    """Return the title of a step, with its side of a re-encryption."""
    return f"{step.side}: {step.title}" if step.side else step.title


def warning(trace: Trace, shown: frozenset[Secrecy]) -> str:
    """Return the sentence on the secrets that a form shows or hides."""
    if trace.outcome != OK:
        return (
            "After a failure, no value is shown that was computed with a key: it could help to"
            " forge or to decrypt a ciphertext."
        )
    if Secrecy.MESSAGE in shown:
        return (
            "This shows the plaintext and the secrets of this message, with which ciphertexts can"
            " be forged. Protect it as you protect the key."
        )
    if Secrecy.PLAINTEXT in shown:
        return "This shows the plaintext. Protect it as you protect the plaintext itself."
    return "Key material, plaintext and other secrets are not shown; ciphertext and context are."


def hidden_words(value: Value) -> str:
    """Return the description of a value that is not shown."""
    length = f", {count(len(value.data), 'byte')}" if value.has_public_length else ""
    return f"{WORDS[value.secrecy]}{length}, not shown"


def abridge(step: Step) -> tuple[tuple[Value, ...], int, tuple[Value, ...]]:
    """Return the first values of a step, the number of values left out, and the last ones."""
    left_out = len(step.values) - _FIRST - _LAST
    if left_out <= 0:
        return step.values, 0, ()
    return step.values[:_FIRST], left_out, step.values[-_LAST:]

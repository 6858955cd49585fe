"""The records of an explanation, and the budget of its search."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from types import MappingProxyType
from typing import Final, NamedTuple, final

from kmscore._typecheck import check_instance, check_positive
from kmscore._values import Record
from kmscore.audit.records import OK

_FAMILY_SHARE: Final = 2  # a family of hypotheses may use one half of the trials
_HYPOTHESES: Final = 5  # hypotheses for each trial; most others are equal to an earlier one


class Verdict(StrEnum):
    """The strength of a finding."""

    OPENS = "opens"
    """With the change of the finding, the ciphertext decrypts."""

    AUTHENTICATES_PARTLY = "authenticates_partly"
    """A part of the tag is right; the rest of it is missing."""

    LOST = "lost"
    """The bytes were destroyed, and no change brings them back."""

    SUGGESTS = "suggests"
    """The structure points to a cause; no tag or digest proves it."""


class Budget(NamedTuple):
    """The limits of a search."""

    trials: int = 20_000
    """Maximum number of hypotheses that are tried. Each family of them may use one half."""

    seconds: float = 30.0
    """Maximum time, checked before each trial. A search that it ends is not reproducible."""


@final
@dataclass(frozen=True, kw_only=True, repr=False)
class Finding(Record):
    """One change with which the ciphertext would decrypt, or a hint to a cause."""

    code: str
    """A stable identifier of the cause, for example `context.empty`."""

    verdict: Verdict
    """The strength of the finding."""

    fact: str
    """The computed result, for example `it decrypts if the context is empty`."""

    reading: str
    """The probable reason, which is a guess."""

    remedy: str
    """The advice for the owner of the keys."""

    evidence: str
    """The value that proves the fact, with its length in bits."""

    change: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """The change for programs, for example the context that decrypts."""


@final
@dataclass(frozen=True, repr=False)
class Explanation(Record):
    """The answer to the question why a ciphertext does not decrypt."""

    stopped_by: str
    """`ok`, or the code of the error that the operation raises."""

    check: str
    """The check that failed, with its section of the specification; empty after a success."""

    findings: tuple[Finding, ...]
    """The findings, the strongest first."""

    tried: Mapping[str, int]
    """Number of trials by family of hypotheses."""

    exhausted: bool
    """Whether the budget ended the search."""

    @property
    def opens(self) -> bool:
        """Whether the ciphertext decrypts, as it is or with the change of a finding."""
        return self.stopped_by == OK or any(
            finding.verdict is Verdict.OPENS for finding in self.findings
        )


class Exhausted(Exception):  # noqa: N818 (not an error of the caller)
    """The budget is used up."""


class FamilyExhausted(Exception):  # noqa: N818 (not an error of the caller)
    """A family of hypotheses has used its part of the budget."""


class Ledger:
    """The count of the trials of one search."""

    def __init__(self, budget: Budget) -> None:
        """Begin without trials. Raises `TypeError` and `ValueError` for a wrong budget."""
        check_instance(budget, Budget, "budget")
        check_positive(budget.trials, "budget.trials")
        if not isfinite(budget.seconds):
            raise ValueError("budget.seconds must be finite")
        self._left = budget.trials
        self._family_limit = max(1, budget.trials // _FAMILY_SHARE)
        self._hypotheses = budget.trials * _HYPOTHESES
        self._until = time.monotonic() + budget.seconds
        self.tried: dict[str, int] = {}
        self.exhausted: bool = False

    def note(self) -> None:
        """Count a hypothesis, also one that needs no trial. Raises `Exhausted`."""
        self._hypotheses -= 1
        if self._hypotheses < 0 or time.monotonic() > self._until:
            self.exhausted = True
            raise Exhausted

    def take(self, family: str) -> None:
        """Count a trial. Raises `Exhausted` or `FamilyExhausted` if it may not be made."""
        if self._left <= 0 or time.monotonic() > self._until:
            self.exhausted = True
            raise Exhausted
        used = self.tried.get(family, 0)
        if used >= self._family_limit:
            self.exhausted = True
            raise FamilyExhausted
        self.tried[family] = used + 1
        self._left -= 1


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings, the strongest first."""
    order = list(Verdict)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.verdict)))

"""The verdict on each answer to a test, and the results of a run."""

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

from kmscore_vectors.accumulation import is_accumulated, operation_of, run_accumulated
from kmscore_vectors.answers import Answer, Ask
from kmscore_vectors.difference import Difference, first_difference
from kmscore_vectors.excerpt import bounded
from kmscore_vectors.generator.streams import CASES
from kmscore_vectors.vector_test import VectorTest

_Operation: TypeAlias = tuple[str, str, str]  # implementation, file, operation


class Verdict(enum.Enum):
    """The result of a test."""

    RIGHT = "right"
    WRONG = "wrong"
    OTHER_ERROR = "rejected with another error code"
    ACCEPTED = "accepted though invalid"
    CRASHED = "crashed"
    NO_ANSWER = "no answer"
    UNPROVEN = "rejected without proof"
    """A right rejection, by an operation of which no valid test was right."""
    UNSUPPORTED = "not supported"

    @property
    def is_failure(self) -> bool:
        """Whether the implementation differs from the specification."""
        return self not in {Verdict.RIGHT, Verdict.UNPROVEN, Verdict.UNSUPPORTED}

    @property
    def is_answered(self) -> bool:
        """Whether the implementation gave an answer."""
        return self not in {Verdict.CRASHED, Verdict.NO_ANSWER, Verdict.UNSUPPORTED}


@dataclass(frozen=True)
class Judgement:
    """A test, the name of the implementation, its answer or an excerpt of it, and the verdict."""

    subject: str
    test: VectorTest
    answer: Answer
    verdict: Verdict
    difference: Difference | None = None
    """The first difference of the whole answer, if its outputs are wrong."""


class Unproven(NamedTuple):
    """An operation with answers, of which no valid test was right although some were asked."""

    subject: str
    file: str
    operation: str
    rejections: int
    """The number of its tests that it rejected with the right error."""

    @property
    def words(self) -> str:
        """The finding as a sentence, without the implementation."""
        words = f"{self.file} {self.operation}: no valid test was right"
        if not self.rejections:
            return words
        if self.rejections == 1:
            return f"{words}; its one rejection proves nothing"
        return f"{words}; its {self.rejections:,} rejections prove nothing"


class Results:
    """All judgements of a run.

    Attributes:
        judgements: All of them, in the order of the run.
        failures: Those that differ from the specification.
        unproven: The operations of which no valid test was right.
        by_flag: The number of tests for each verdict, by file and flag.
        by_severity: The number of tests for each verdict, by severity.
        by_subject: The number of tests, by implementation.
    """

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        """Count judgements. Right rejections count only if a valid test was right."""
        given = list(judgements)
        self.unproven: list[Unproven] = _unproven(given)
        names = {(each.subject, each.file, each.operation) for each in self.unproven}
        self.judgements: list[Judgement] = [_prove(each, names) for each in given]
        self.failures: list[Judgement] = [
            each for each in self.judgements if each.verdict.is_failure
        ]
        self.by_flag: dict[tuple[str, str], Counter[Verdict]] = {}
        self.by_severity: dict[str, Counter[Verdict]] = {}
        self.by_subject: Counter[str] = Counter(each.subject for each in given)
        for judgement in self.judgements:
            test, verdict = judgement.test, judgement.verdict
            self.by_flag.setdefault((test.file, test.flag), Counter())[verdict] += 1
            self.by_severity.setdefault(str(test.severity), Counter())[verdict] += 1

    @property
    def total(self) -> Counter[Verdict]:
        """The number of tests for each verdict."""
        return sum(self.by_flag.values(), Counter())

    @property
    def is_success(self) -> bool:
        """Whether no test failed, a test was right, and every operation has a right valid test.

        An operation that is not supported, or of which no valid test was asked, needs none.
        """
        return not self.failures and not self.unproven and self.total[Verdict.RIGHT] > 0


def _unproven(judgements: Sequence[Judgement]) -> list[Unproven]:
    """Return the operations with answers of which no valid test was right though some were asked.

    Otherwise, an implementation that rejects everything would be right on each invalid test.
    """
    counts: dict[_Operation, Counter[str]] = {}
    for judgement in judgements:
        counter = counts.setdefault(_operation(judgement), Counter())
        kind = "valid" if must_succeed(judgement.test) else "invalid"
        counter[kind] += 1
        counter["answered"] += judgement.verdict.is_answered
        counter[f"right {kind}"] += judgement.verdict is Verdict.RIGHT
    return [
        Unproven(*name, counter["right invalid"])
        for name, counter in counts.items()
        if counter["valid"] and counter["answered"] and not counter["right valid"]
    ]


def _prove(judgement: Judgement, unproven: set[_Operation]) -> Judgement:
    """Return a judgement, with another verdict if it is a right rejection that proves nothing."""
    if judgement.verdict is Verdict.RIGHT and _operation(judgement) in unproven:
        return replace(judgement, verdict=Verdict.UNPROVEN)
    return judgement


def _operation(judgement: Judgement) -> _Operation:
    return judgement.subject, judgement.test.file, operation_of(judgement.test)


def must_succeed(test: VectorTest) -> bool:
    """Return whether a right answer is not a rejection.

    In `api_call` and `verify_request`, a rejection is an output too.
    """
    match test.operation, test.expected:
        case "api_call", {"response": {"status": status}}:
            return bool(status == "200")
        case "verify_request", {"verified": {"code": code}}:
            return bool(code == "OK")
    return test.is_valid


def run(
    subject: str, ask: Ask, tests: Sequence[VectorTest], advance: Callable[[int], None]
) -> Iterator[Judgement]:
    """Yield the judgement of each test; call `advance` with the number of answered questions.

    A judgement holds an excerpt of a long answer, because a run has thousands of them.
    """
    for test in tests:
        answer = _answer(ask, test, advance)
        verdict = judge(test, answer)
        different = first_difference(test.expected, answer) if verdict is Verdict.WRONG else None
        yield Judgement(subject, test, _kept(test, answer, verdict), verdict, different)


def _kept(test: VectorTest, answer: Answer, verdict: Verdict) -> Answer:
    """Return the part of an answer that a judgement holds."""
    if verdict is Verdict.RIGHT:
        return test.expected
    # The answer to an accumulated test is of this package, and bounded already.
    return answer if is_accumulated(test) else bounded(answer)


def questions(tests: Iterable[VectorTest]) -> int:
    """Return the number of questions: one per test, and one per case of an accumulated test."""
    return sum(CASES if is_accumulated(test) else 1 for test in tests)


def _answer(ask: Ask, test: VectorTest, advance: Callable[[int], None]) -> Answer:
    """Return the answer to a test; an accumulated test asks all its cases."""
    asked = 0

    def ask_one(operation: str, inputs: Mapping[str, Any]) -> Answer:
        nonlocal asked
        answer = ask(operation, inputs)
        asked += 1
        advance(1)
        return answer

    if not is_accumulated(test):
        return ask_one(test.operation, test.inputs)
    answer = run_accumulated(ask_one, test)
    advance(CASES - asked)
    return answer


def judge(test: VectorTest, answer: Answer) -> Verdict:
    """Return the verdict on an answer."""
    for name, verdict in _WITHOUT_ANSWER.items():
        if name in answer:
            return verdict
    if dict(answer) == test.expected:
        return Verdict.RIGHT
    if test.is_valid:
        return Verdict.WRONG
    return Verdict.OTHER_ERROR if "error" in answer else Verdict.ACCEPTED


_WITHOUT_ANSWER = {
    "unsupported": Verdict.UNSUPPORTED,
    "crash": Verdict.CRASHED,
    "failure": Verdict.NO_ANSWER,
}

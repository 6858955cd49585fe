"""The verdict on each answer to a test, and the results of a run."""

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from kmscore_vectors.accumulation import is_accumulated, run_accumulated
from kmscore_vectors.files import VectorTest
from kmscore_vectors.generator.streams import CASES

Answer: TypeAlias = Mapping[str, Any]
"""Outputs by name; or `error` with a code; or `unsupported`; or `failure` with the reason."""

Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Answer]
"""A function from an operation and its inputs to the answer of the implementation under test."""


class Verdict(enum.Enum):
    """The result of a test."""

    RIGHT = "right"
    WRONG = "wrong"
    OTHER_ERROR = "refused with another class"
    ACCEPTED = "accepted though invalid"
    UNSUPPORTED = "not supported"

    @property
    def is_failure(self) -> bool:
        """Whether the implementation differs from the specification."""
        return self not in {Verdict.RIGHT, Verdict.UNSUPPORTED}


@dataclass(frozen=True)
class Judgement:
    """A test, the name of the implementation, its answer and the verdict."""

    subject: str
    test: VectorTest
    answer: Answer
    verdict: Verdict


class Results:
    """All judgements of a run."""

    def __init__(self, judgements: Iterable[Judgement]) -> None:
        """Count judgements, and keep those that are failures."""
        self.by_flag: dict[tuple[str, str], Counter[Verdict]] = {}
        self.by_subject: Counter[str] = Counter()
        self.failures: list[Judgement] = []
        for judgement in judgements:
            name = (judgement.test.file, judgement.test.flag)
            self.by_flag.setdefault(name, Counter())[judgement.verdict] += 1
            self.by_subject[judgement.subject] += 1
            if judgement.verdict.is_failure:
                self.failures.append(judgement)

    @property
    def total(self) -> Counter[Verdict]:
        """The number of tests for each verdict."""
        return sum(self.by_flag.values(), Counter())

    @property
    def is_success(self) -> bool:
        """Whether no test failed and at least one was right: no support is not a success."""
        return not self.failures and self.total[Verdict.RIGHT] > 0


def run(
    subject: str, ask: Ask, tests: Sequence[VectorTest], advance: Callable[[int], None]
) -> Iterator[Judgement]:
    """Yield the judgement of each test; call `advance` with the number of answered questions."""
    for test in tests:
        answer = _answer(ask, test, advance)
        yield Judgement(subject, test, answer, judge(test, answer))


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
    if "unsupported" in answer:
        return Verdict.UNSUPPORTED
    if dict(answer) == test.expected:
        return Verdict.RIGHT
    if test.is_valid or "failure" in answer:
        return Verdict.WRONG
    return Verdict.OTHER_ERROR if "error" in answer else Verdict.ACCEPTED

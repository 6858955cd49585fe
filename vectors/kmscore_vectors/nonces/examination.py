"""The examination of an implementation: ask, check and recover, and look for patterns."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from kmscore_vectors.answers import GIVEN_UP, Answer, Ask, missing
from kmscore_vectors.excerpt import bounded
from kmscore_vectors.nonces.findings import Finding
from kmscore_vectors.nonces.questions import OUTPUTS, Operation, Question

_REASONS: Final = 100  # different reasons that are counted for one question


@dataclass(frozen=True)
class Outcome:
    """The answers to one question, in numbers, and the weaknesses of their random values."""

    operation: Operation
    variant: str
    asked: int
    right: int
    reasons: Counter[str]
    """The number of wrong answers, by reason."""

    findings: tuple[Finding, ...]
    is_supported: bool = True


@dataclass(frozen=True)
class Report:
    """The outcomes of all questions."""

    outcomes: tuple[Outcome, ...]

    @property
    def is_success(self) -> bool:
        """Whether no answer was wrong, no weakness was found, and some answers were right."""
        faulty = any(outcome.reasons or outcome.findings for outcome in self.outcomes)
        return not faulty and any(outcome.right for outcome in self.outcomes)


def check(
    ask: Ask,
    questions: Iterable[Question],
    count: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Report:
    """Ask each question many times, and examine the random values in the right answers.

    Args:
        ask: The implementation.
        questions: The questions.
        count: How often each question is asked; by default, as often as the question says.
        advance: A function that is called with the number of further questions that are done.

    Returns:
        The outcome of each question, in the same order.
    """
    earlier: dict[str, set[bytes]] = {}
    return Report(
        tuple(
            _examine(
                ask,
                question,
                question.times if count is None else count,
                advance,
                earlier.setdefault(question.variant, set()),
            )
            for question in questions
        )
    )


def _examine(
    ask: Ask,
    question: Question,
    count: int,
    advance: Callable[[int], None],
    earlier: set[bytes],
) -> Outcome:
    """Ask one question; ask no more if the implementation does not know it, or was given up.

    `earlier` has the values of earlier questions under the same key, and gets those of this one.
    """
    outputs, reasons, asked = [], Counter[str](), 0
    names = (question.operation, question.variant)
    while asked < count:
        answer = bounded(ask(question.operation, question.inputs))
        if missing(answer) == GIVEN_UP:
            reasons[GIVEN_UP] += 1
            break
        if asked == 0 and "unsupported" in answer:
            advance(count)
            return Outcome(*names, 0, 0, reasons, (), is_supported=False)
        asked += 1
        advance(1)
        output = OUTPUTS[question.operation]
        if answer.keys() == {output}:
            outputs.append(answer[output])
        else:
            _count(reasons, _reason(answer))
    advance(count - asked)
    values = question.recover(outputs)
    right = [value for value in values if value is not None]
    if len(right) < len(values):
        reasons["not an encryption of the message under the key"] += len(values) - len(right)
    findings = [*question.examine(right), *_repeated(earlier.intersection(right))]
    earlier.update(right)
    return Outcome(*names, asked, len(right), reasons, tuple(findings))


def _count(reasons: Counter[str], reason: str) -> None:
    """Count a reason; after many different ones, only their number."""
    is_counted = reason in reasons or len(reasons) < _REASONS
    reasons[reason if is_counted else "another reason"] += 1


def _repeated(values: set[bytes]) -> Iterator[Finding]:
    """Yield a finding for values that another operation has drawn under the same key."""
    if values:
        detail = f"{len(values)} values occurred in another operation under the same key"
        yield Finding("RepeatedIv", detail)


def _reason(answer: Answer) -> str:
    """Return why an answer without the one output is wrong."""
    reason = missing(answer)
    if reason is not None:
        return reason
    if "error" in answer:
        return f"error {answer['error']}"
    return "unsupported, after an answer" if "unsupported" in answer else "other outputs"

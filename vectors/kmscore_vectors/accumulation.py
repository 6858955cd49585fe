"""Run accumulated tests: draw the cases, ask them one by one, and digest the answers.

The implementation gets only the operation and the inputs of a case. Its answer is compared with the
generator's, so that a wrong digest is narrowed to the first wrong case.
"""

import hashlib
from typing import Any, Final

from kmscore_vectors.answers import GIVEN_UP, Answer, Ask, missing
from kmscore_vectors.excerpt import bounded
from kmscore_vectors.generator import accumulated
from kmscore_vectors.generator.streams import Drawn
from kmscore_vectors.vector_test import VectorTest

FIRST_WRONG: Final = "first_wrong"
"""The field of an answer to an accumulated test with the first case that was wrong."""

WRONG_CASES: Final = "wrong_cases"
"""The field of an answer to an accumulated test with the number of wrong cases."""

_OPERATION: Final = "accumulated"
_DIGEST_BYTES: Final = 32


def is_accumulated(test: VectorTest) -> bool:
    """Return whether a test covers many cases."""
    return test.operation == _OPERATION


def operation_of(test: VectorTest) -> str:
    """Return the operation that a test asks for; an accumulated test names that of its cases."""
    return str(test.inputs["operation"]) if is_accumulated(test) else test.operation


def run_accumulated(ask: Ask, test: VectorTest) -> Answer:
    """Return the digest of the answers to all cases, with the first wrong case if there is one.

    If a case has no answer, its reason is the answer to the whole test. If a case is unsupported,
    the whole test is, unless a case before it was wrong.
    """
    digest, wrong = hashlib.shake_128(), _WrongCases()
    for number, case in enumerate(accumulated.draw(test.file)):
        answer = ask(case.operation, case.inputs)
        if (reason := missing(answer)) is not None:
            if reason != GIVEN_UP:
                wrong.add(number, case, answer)
            return {**bounded(answer), **wrong.fields()}
        if "unsupported" in answer:
            return wrong.fields() or answer
        line = accumulated.line(case.operation, answer)
        digest.update(line)
        if line != accumulated.line(case.operation, case.due):
            wrong.add(number, case, answer)
    return {"digest": digest.hexdigest(_DIGEST_BYTES), **wrong.fields()}


class _WrongCases:
    """The number of wrong cases, and the first of them."""

    def __init__(self) -> None:
        self._number = 0
        self._first: dict[str, Any] = {}

    def add(self, number: int, case: Drawn, answer: Answer) -> None:
        """Count a wrong case, and keep it if it is the first."""
        self._number += 1
        self._first = self._first or {
            "case": number,
            "operation": case.operation,
            "inputs": case.inputs,
            "expected": case.due,
            "answer": dict(bounded(answer)),
        }

    def fields(self) -> Answer:
        """Return the fields for the answer to the test; nothing if no case was wrong."""
        if not self._number:
            return {}
        return {WRONG_CASES: self._number, FIRST_WRONG: self._first}

"""The texts that all reports share: bounded, and without control characters."""

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from kmscore_vectors.accumulation import FIRST_WRONG, WRONG_CASES, is_accumulated
from kmscore_vectors.answers import GIVEN_UP, PATIENCE, missing
from kmscore_vectors.difference import Difference, first_difference
from kmscore_vectors.excerpt import cut, left_out
from kmscore_vectors.generator.streams import CASES
from kmscore_vectors.judgement import Judgement, Results, Verdict
from kmscore_vectors.terminal import printable

_REASON, _COMPLAINT = 70, 330  # characters of a failure: its start, and the end of standard error
_FIELDS: Final = 20  # fields of an object that are shown
_NAME: Final = 40  # characters of the name of a field


class Evidence(NamedTuple):
    """The inputs, the expected result and the answer of a test, or of its first wrong case."""

    case: str
    """The case and its operation, for an accumulated test; otherwise empty."""
    inputs: Mapping[str, Any]
    expected: Mapping[str, Any]
    answer: Mapping[str, Any]
    reason: str | None
    """The reason of a missing answer; None if there is an answer."""
    difference: Difference | None
    """The first difference of wrong outputs."""


def evidence(judgement: Judgement) -> Evidence:
    """Return the evidence of a judgement, for its first wrong case if it has one."""
    test, answer = judgement.test, judgement.answer
    if not is_accumulated(test) or FIRST_WRONG not in answer:
        different = judgement.difference
        return Evidence("", test.inputs, test.expected, answer, missing(answer), different)
    first = answer[FIRST_WRONG]
    case = (
        f"case {first['case']:,} of {CASES:,}, {first['operation']}, is the first of"
        f" {answer[WRONG_CASES]:,} wrong"
    )
    expected, given = first["expected"], first["answer"]
    different = first_difference(expected, given)
    return Evidence(case, first["inputs"], expected, given, missing(given), different)


def lines(fields: Mapping[str, Any], longest: int) -> list[str]:
    """Return one line for each field: its name and its value as JSON, cut to a length."""
    shown = [
        f"{printable(cut(name, _NAME))}: {cut(json.dumps(value), longest, left_out(value))}"
        for name, value in list(fields.items())[:_FIELDS]
    ]
    more = len(fields) - len(shown)
    return [*shown, f"and {more:,} more fields"] if more else shown


def reason_text(reason: str) -> str:
    """Return a reason line by line; keep its end, because an exception is shown there."""
    if len(reason) > _REASON + _COMPLAINT:
        reason = f"{reason[:_REASON]} … {reason[-_COMPLAINT:]}"
    return "\n".join(map(printable, reason.splitlines()))


def is_not_asked(judgement: Judgement) -> bool:
    """Return whether the runner had given up the implementation before this test."""
    return missing(judgement.answer) == GIVEN_UP


def summary(results: Results) -> str:
    """Return the number of tests for each verdict; count tests that were not asked separately."""
    total = results.total
    not_asked = sum(map(is_not_asked, results.failures))
    total[Verdict.NO_ANSWER] -= not_asked
    counts = ", ".join(
        f"{number} {verdict.value}" for verdict in Verdict if (number := total[verdict])
    )
    if not results.is_success and not results.failures and not results.unproven:
        return f"{counts or 'no test'}: nothing was right."
    given_up = f"; given up after {PATIENCE} failures; {not_asked} not asked" if not_asked else ""
    return f"{counts}{given_up}."


def unproven_lines(results: Results) -> list[str]:
    """Return a line for each operation of which no valid test was right."""
    several = len(results.by_subject) > 1
    return [
        f"{printable(each.subject)}: {each.words}" if several else each.words
        for each in results.unproven
    ]

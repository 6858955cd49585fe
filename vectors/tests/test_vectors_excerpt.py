"""The answers in memory and the values in reports are bounded, and the bound is shown."""

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from vector_files import files, make_test

from kmscore_vectors import inprocess, judgement
from kmscore_vectors.accumulation import FIRST_WRONG
from kmscore_vectors.excerpt import LONGEST, Excerpt, bounded, cut, excerpt, left_out, shown
from kmscore_vectors.judgement import Results, Verdict
from kmscore_vectors.nonces import examination
from kmscore_vectors.nonces.questions import questions
from kmscore_vectors.report import Heading, console
from kmscore_vectors.report.document import to_json
from kmscore_vectors.report.junit import to_junit
from kmscore_vectors.report.markdown import to_markdown
from kmscore_vectors.report.texts import reason_text

_LONG = 10_000_000
_HEADING = Heading("peer", "", Path())


def test_a_short_value_is_kept() -> None:
    """Texts, objects and nulls up to the limit are unchanged."""
    answer = {"a": "x" * LONGEST, "b": {"c": None}, "d": None}
    assert bounded(answer) == shown(answer) == answer
    assert left_out(answer["a"]) == 0


def test_a_long_value_is_an_excerpt() -> None:
    """The start of a text, or of the JSON of an object, with the number of other characters."""
    kept = excerpt("x" * (LONGEST + 7))
    assert (kept, left_out(kept)) == ("x" * LONGEST, 7)
    assert excerpt(kept) is kept
    value = {"ciphertext_blob": "x" * LONGEST}
    text = json.dumps(value)
    assert (excerpt(value), left_out(excerpt(value))) == (text[:LONGEST], len(text) - LONGEST)
    assert shown({"a": value}) == {"a": f"{text[:LONGEST]}… (23 more characters)"}


def test_the_number_of_left_out_characters_is_that_of_the_value() -> None:
    """An excerpt that a report cuts again has the sum."""
    assert cut(Excerpt("x" * _LONG), 5) == "xxxxx… (9,999,995 more characters)"
    assert cut(Excerpt("x" * _LONG), LONGEST).endswith("x… (9,999,000 more characters)")
    assert cut("xx", 5, 3) == "xx… (3 more characters)"


@pytest.mark.parametrize("name", ["crash", "failure"])
def test_a_long_reason_has_its_end(name: str) -> None:
    """The exception is at the end; the number of characters between is in the text."""
    kept = bounded({name: "x" * _LONG + " the end"})
    assert re.fullmatch(r"x{450} … \(9,999,108 more characters\) … x{442} the end", kept[name])
    assert shown(kept) == bounded(kept) == kept
    assert reason_text(kept[name]).endswith("the end")
    assert bounded({name: "x" * LONGEST}) == {name: "x" * LONGEST}


@pytest.mark.parametrize(
    "answer", [{f"name {number}": "y" for number in range(50_000)}, {"x" * _LONG: "y"}]
)
def test_an_answer_with_many_fields_or_a_long_name_is_one_excerpt(answer: dict[str, str]) -> None:
    """Its only field is the start of its JSON."""
    kept = bounded(answer)
    assert kept == {"outputs": json.dumps(answer)[:LONGEST]}
    assert left_out(kept["outputs"]) == len(json.dumps(answer)) - LONGEST


def _answers(number: int) -> Any:
    """Return long answers of each kind in turn."""
    text = "x" * 1_000_000
    kinds: tuple[Any, ...] = (
        {"plaintext": text},
        {"response": {"ciphertext_blob": text}},
        {"error": text},
        {"crash": text},
        {"failure": text},
        {text: text},
    )
    return kinds[number % len(kinds)]


def test_a_run_with_long_answers_is_bounded() -> None:
    """300 answers of a million characters take a few MB of memory, and of each report."""
    tests = [make_test(tc_id=number) for number in range(300)]
    numbers = iter(range(300))
    tracemalloc.start()
    try:
        outcomes = judgement.run("p", lambda *_: _answers(next(numbers)), tests, lambda _: None)
        results = Results(outcomes)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 3_000_000
    assert len(results.failures) == 300
    for make in (to_json, to_junit, to_markdown):
        assert len(make(results, _HEADING)) < 3_000_000
    first = json.loads(to_json(results, _HEADING))["failures"][0]["answer"]
    assert first == {"plaintext": f"{'x' * LONGEST}… (999,000 more characters)"}
    terminal = Console(width=300, record=True)
    console.show(results, _HEADING, terminal)
    assert "(999,897 more characters)" in terminal.export_text()
    assert "(999,702 more characters)" in to_markdown(results, _HEADING).replace("\\", "")


def test_the_report_on_an_implementation_that_is_always_wrong_is_bounded() -> None:
    """Inputs and expected results are cut too; the vector files have the whole ones."""

    def ask(_operation: str, _inputs: dict[str, Any]) -> dict[str, str]:
        return {"plaintext": "x" * 100_000}

    results = inprocess.run(ask)
    document = json.loads(to_json(results, _HEADING))
    assert len(document["failures"]) > 9000
    for failure in document["failures"]:
        for part in ("inputs", "expected", "answer"):
            for value in failure[part].values():
                assert len(value if isinstance(value, str) else json.dumps(value)) < LONGEST + 40


def test_a_right_answer_is_not_held_twice() -> None:
    """The judgement refers to the expected result."""
    test = make_test(expected={"blob": "00" * LONGEST})
    (outcome,) = judgement.run("p", lambda *_: {"blob": "00" * LONGEST}, [test], lambda _: None)
    assert outcome.verdict is Verdict.RIGHT
    assert outcome.answer is test.expected


@pytest.mark.thorough
def test_the_first_wrong_case_is_bounded() -> None:
    """Its answer is an excerpt, or the reason of the missing answer is."""
    test = files()["encryption_context"][-1]
    answer = {"canonical": "00" * 100_000}
    (outcome,) = judgement.run("p", lambda *_: answer, [test], lambda _: None)
    assert left_out(outcome.answer[FIRST_WRONG]["answer"]["canonical"]) == 199_000
    failure = json.loads(to_json(Results([outcome]), _HEADING))["failures"][0]["answer"]
    assert failure[FIRST_WRONG]["answer"]["canonical"].endswith("… (199,000 more characters)")
    assert failure[FIRST_WRONG]["case"] == 0
    crash = {"crash": "x" * 200_000}
    (outcome,) = judgement.run("p", lambda *_: crash, [test], lambda _: None)
    assert len(outcome.answer["crash"]) < LONGEST
    assert outcome.answer[FIRST_WRONG]["answer"] == {"crash": outcome.answer["crash"]}


def test_the_examination_of_random_values_is_bounded() -> None:
    """Long outputs are wrong, and of many different reasons most are only counted."""
    question, *_ = questions()
    numbers = iter(range(1000))
    report = examination.check(lambda *_: {"error": str(next(numbers))}, [question], 400)
    (outcome,) = report.outcomes
    assert len(outcome.reasons) == 101
    assert outcome.reasons["another reason"] == 300
    report = examination.check(lambda *_: {"error": "x" * 200_000}, [question], 2)
    ((reason, number),) = report.outcomes[0].reasons.items()
    assert (len(reason) < 1100, number) == (True, 2)
    report = examination.check(lambda *_: {"blob": "00" * 100_000}, [question], 2)
    assert report.outcomes[0].reasons.total() == 2

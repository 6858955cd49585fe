"""The first difference of wrong outputs: its field, its offset, and both values from there."""

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from vector_files import files, make_test

from kmscore_vectors import judgement
from kmscore_vectors.difference import first_difference
from kmscore_vectors.judgement import Results
from kmscore_vectors.report import Heading, console
from kmscore_vectors.report.document import to_json
from kmscore_vectors.report.junit import to_junit
from kmscore_vectors.report.markdown import to_markdown
from kmscore_vectors.vector_test import VectorTest

_HEADING = Heading("peer", "", Path("vectors"))
_HOSTILE = "\x1b[31m\u202e\ud800" * 100_000
_LONG = "0123456789" * 20


@pytest.mark.parametrize(
    ("expected", "answer", "difference"),
    [
        ({"a": "00"}, {"a": "01"}, ("a differs at character 1 of 2", "00", "01")),
        ({"a": "00"}, {"a": ""}, ("a differs at character 0 of 2", "00", "nothing")),
        (
            {"a": f"{_LONG}a"},
            {"a": f"{_LONG}b"},
            ("a differs at character 200 of 201", "…23456789a", "…23456789b"),
        ),
        (
            {"a": _LONG},
            {"a": f"x{_LONG}"},
            ("a differs at character 0 of 200", f"{_LONG[:80]}…", f"x{_LONG[:79]}…"),
        ),
        ({"a": "", "b": "1"}, {"b": "2"}, ("a is missing", '""', "nothing")),
        ({"a": "1"}, {"a": "1", "b": 2}, ("b is not an output", "nothing", "2")),
        ({"a": "1"}, {"a": None}, ("a", '"1"', "null")),
        (
            {"response": {"blob": "1", "key": "x"}},
            {"response": {"key": "y", "blob": "1"}},
            ("response.key differs at character 0 of 1", "x", "y"),
        ),
        ({"response": {"blob": None}}, {"response": "x"}, ("response", '{"blob": null}', '"x"')),
        ({"a": "1"}, {"a": "1"}, None),
        ({"a": "1"}, {"error": "decryption"}, None),
        ({"error": "decryption"}, {"a": "1"}, None),
    ],
)
def test_the_first_field_that_differs(
    expected: dict[str, Any], answer: dict[str, Any], difference: tuple[str, str, str] | None
) -> None:
    """Texts are shown from the first different character, other values from their start."""
    assert first_difference(expected, answer) == difference


def _wrong(test: VectorTest, answer: dict[str, Any]) -> Results:
    """Return the results of an implementation that gives one answer."""
    return Results(judgement.run("peer", lambda *_: answer, [test], lambda _: None))


def _text_of(results: Results, width: int = 100) -> str:
    """Return what a terminal shows."""
    terminal = Console(width=width, record=True)
    console.show(results, _HEADING, terminal)
    return terminal.export_text()


def test_a_long_response_is_shown_from_the_first_difference() -> None:
    """Its field and offset are named, also if the part before is longer than an excerpt."""
    test = next(
        test
        for test in files()["reencrypt"]
        if test.comment == "6144 bytes" and test.flag == "Boundary"
    )
    blob = test.expected["response"]["ciphertext_blob"]
    response = test.expected["response"] | {"ciphertext_blob": f"{blob[:-1]}x"}
    results = _wrong(test, {"response": response})
    place = f"response.ciphertext_blob differs at character {len(blob) - 1:,} of {len(blob):,}"
    for text in (
        _text_of(results, 400),
        to_junit(results, _HEADING),
        to_markdown(results, _HEADING).replace("\\", ""),
        to_json(results, _HEADING),
    ):
        assert place in text
    shown = " ".join(_text_of(results, 400).split())
    assert f"expected …{blob[-9:]}" in shown
    assert f"answered …{blob[-9:-1]}x" in shown
    (failure,) = json.loads(to_json(results, _HEADING))["failures"]
    assert failure["difference"]["answered"] == f"…{blob[-9:-1]}x"


def test_a_short_answer_is_shown_whole() -> None:
    """The JSON of both is enough if neither is cut."""
    text = _text_of(_wrong(make_test(expected={"plaintext": "00"}), {"plaintext": "01"}))
    assert 'expected {"plaintext": "00"}' in text
    assert "differs at" not in text


@pytest.mark.parametrize(
    "answer", [{"plaintext": _HOSTILE}, {_HOSTILE: _HOSTILE}, {"plaintext": [_HOSTILE]}]
)
def test_a_hostile_answer_is_shown_bounded(answer: dict[str, Any]) -> None:
    """A difference has no control characters, and a bounded length."""
    results = _wrong(make_test(expected={"plaintext": "00" * 200}), answer)
    for text in (
        _text_of(results),
        to_junit(results, _HEADING),
        to_markdown(results, _HEADING),
        to_json(results, _HEADING),
    ):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert len(text) < 20_000


def test_a_failure_names_its_section_and_the_next_step() -> None:
    """The rule is named next to the test, and one line has the options that show more."""
    text = _text_of(_wrong(make_test(), {"plaintext": "00"}))
    assert "SPEC section 3.3" in text
    assert "--report FILE.md writes the inputs" in text
    assert "--report" not in _text_of(_wrong(make_test(), {"error": "invalid_blob"}))

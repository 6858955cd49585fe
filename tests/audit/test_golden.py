"""The forms of fixed traces and explanations are those of the golden files, byte for byte."""

import pytest
from support.golden import EXPLANATIONS, FILES, FOLDER, golden_explanations


def test_every_golden_file_has_a_case() -> None:
    """The folder has the files of the cases and no others, and so has the file of explanations."""
    assert {file.name for file in FOLDER.iterdir()} == {*FILES, "explanations.txt"}
    assert list(golden_explanations()) == list(EXPLANATIONS)


@pytest.mark.parametrize("name", FILES)
def test_a_form_of_a_trace_is_that_of_its_file(name: str) -> None:
    """`python -m support.golden` writes the file again."""
    assert FILES[name]() == (FOLDER / name).read_text("utf-8")


@pytest.mark.parametrize("name", EXPLANATIONS)
def test_an_explanation_is_that_of_the_file(name: str) -> None:
    """Facts, reasons, advice, evidence, changes and trials are the same."""
    assert EXPLANATIONS[name]() == golden_explanations()[name]

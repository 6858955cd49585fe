"""The page of the mutation score: its explained survivors are mutants of the code as it is."""

import json
import tomllib
from pathlib import Path

import pytest

import kmscore

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "explanation"
_CLASSES = tomllib.loads((_FOLDER / "mutation.toml").read_text("utf-8"))["classes"]
_PAGE = (_FOLDER / "mutation.md").read_text("utf-8")
_INSTALLED = Path(kmscore.__file__).resolve().parents[1]


def _words(text: str) -> str:
    """Return a text without line breaks and with single spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize("reason", _CLASSES, ids=lambda reason: reason["title"])
def test_the_code_of_explained_survivors_exists(reason: dict[str, list[list[str]]]) -> None:
    """A survivor whose code has changed has to be explained again."""
    for module, _operator, before, _after in reason["survivors"]:
        source = _words((_INSTALLED / module).read_text("utf-8"))
        assert _words(before) in source, f"{module}: {before}"


def test_the_page_has_every_class_of_survivors() -> None:
    """The page is what the command has written from the file of explanations."""
    for reason in _CLASSES:
        assert f"### {reason['title']}\n\n{reason['reason'].strip()}\n" in _PAGE
    explained = _PAGE.split("## Survivors without an explanation")[0]
    rows = [line for line in explained.splitlines() if line.startswith("| `kmscore/")]
    assert len(rows) == sum(len(reason["survivors"]) for reason in _CLASSES)


def test_the_page_has_the_results() -> None:
    """The table of scores has the counts of the last run."""
    results = json.loads((_FOLDER / "mutation.json").read_text("utf-8"))
    for name, counts in results.items():
        start = f"| {name} | {counts['mutants']:,} | {counts['tested']:,} | {counts['killed']:,} |"
        assert start in _PAGE
        lost = counts["tested"] - counts["killed"] - counts["explained"]
        assert len(counts["survivors"]) == lost

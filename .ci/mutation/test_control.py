"""The campaign on a tiny package: it notices a mutant that is killed and one that survives."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.mutation

_COMMAND = Path(__file__).parent
_PACKAGE = """LIMIT = 4


def is_long(text: str) -> bool:
    return len(text) > LIMIT


def first(text: str) -> str:
    if not text:
        raise ValueError
    return text[0]
"""
# The limit itself has no test.
_TESTS = """import tiny


def test_long_and_short():
    assert tiny.is_long("abcde")
    assert not tiny.is_long("abc")


def test_the_first_letter():
    assert tiny.first("ab") == "a"
"""
_TEST_OF_THE_LIMIT = """

def test_the_limit():
    assert not tiny.is_long("abcd")
"""
_PAGE = "# Page\n\n<!-- mutation: nox -s mutation writes this -->\n<!-- /mutation -->\n\nEnd.\n"
_MUTANTS = 8
_SURVIVORS = [
    ["tiny/__init__.py", "NumberReplacer", "LIMIT = 4", "LIMIT = 3"],
    [
        *("tiny/__init__.py", "ReplaceComparisonOperator_Gt_GtE"),
        *("return len(text) > LIMIT", "return len(text) >= LIMIT"),
    ],
]
_REASONS = "[[classes]]\ntitle = 'Untested'\nreason = 'A control.'\nsurvivors = {}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with an installed package, its tests and an empty page."""
    for name, text in {
        "installed/tiny/__init__.py": _PACKAGE,
        "tests/test_tiny.py": _TESTS,
        "pages/mutation.md": _PAGE,
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return tmp_path


def _run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the campaign in a folder."""
    places = ("--package", "tiny", "--tests", "tests", "--pages", "pages")
    return subprocess.run(
        [sys.executable, str(_COMMAND), "engine", *arguments, *places],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )


def _counts(project: Path) -> tuple[int, int]:
    """Return how many mutants were tested, and how many of them killed."""
    results = json.loads((project / "pages/mutation.json").read_text("utf-8"))["engine"]
    return results["tested"], results["killed"]


def _not_explained(output: str) -> list[list[str]]:
    """Return the survivors that a run shows."""
    start = "not explained: "
    lines = [line for line in output.splitlines() if line.startswith(start)]
    return [json.loads(line.removeprefix(start).removesuffix(",")) for line in lines]


def test_killed_mutants_and_survivors_are_told_apart(project: Path) -> None:
    """The survivors fail the run and are shown with their diffs; the other mutants are killed."""
    result = _run(project)
    assert result.returncode == 1, result.stderr
    assert sorted(_not_explained(result.stdout)) == sorted(_SURVIVORS)
    assert "+    return len(text) >= LIMIT" in result.stdout
    assert _counts(project) == (_MUTANTS, _MUTANTS - len(_SURVIVORS))
    page = (project / "pages/mutation.md").read_text("utf-8")
    rest = page.partition("## Survivors without an explanation")[2]
    assert "| `tiny/__init__.py` | `LIMIT = 4` | `LIMIT = 3` |" in rest


def test_explained_survivors_pass(project: Path) -> None:
    """Survivors with a reason do not fail the run, and the page shows them."""
    text = _REASONS.format(json.dumps(_SURVIVORS))
    (project / "pages/mutation.toml").write_text(text, "utf-8")
    result = _run(project)
    assert result.returncode == 0, result.stdout + result.stderr
    page = (project / "pages/mutation.md").read_text("utf-8")
    assert "### Untested\n\nA control." in page
    assert "| `tiny/__init__.py` | `LIMIT = 4` | `LIMIT = 3` |" in page
    assert page.endswith("<!-- /mutation -->\n\nEnd.\n")


def test_an_interrupted_run_goes_on(project: Path) -> None:
    """A longer sample has the mutants of a shorter one, and nothing is tested twice."""
    _run(project, "--sample", "3")
    assert _counts(project)[0] == 3
    result = _run(project, "--sample", "5")
    assert _counts(project)[0] == 5
    assert sum(map(int, _numbers(result.stdout))) == 2
    _run(project)
    assert "nothing to test" in _run(project).stdout


def _numbers(output: str) -> list[str]:
    """Return the numbers in the line of the module."""
    (line,) = (line for line in output.splitlines() if line.startswith("tiny/__init__.py: "))
    return [word for word in line.replace(":", " ").split() if word.isdecimal()]


def test_a_new_test_kills_the_survivors(project: Path) -> None:
    """On request, survivors are tested again with the tests that were added."""
    _run(project)
    (project / "tests/test_tiny.py").write_text(_TESTS + _TEST_OF_THE_LIMIT, "utf-8")
    result = _run(project, "--retry")
    assert result.returncode == 0, result.stdout + result.stderr
    assert _counts(project) == (_MUTANTS, _MUTANTS)


def test_wrong_verdicts_are_noticed(project: Path) -> None:
    """A test that fails without a mutant kills nothing."""
    wrong = "\n\ndef test_wrong():\n    assert tiny.is_long('')\n"
    (project / "tests/test_tiny.py").write_text(_TESTS + wrong, "utf-8")
    _run(project)
    assert _counts(project) == (_MUTANTS, _MUTANTS - len(_SURVIVORS))

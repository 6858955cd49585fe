"""README: its examples run, its commands are those of the checks, and its links lead to files."""

import doctest
import re
from pathlib import Path

import pytest

_README = Path(__file__).resolve().parents[2] / "README.md"
_CODE_LINE = re.compile(r"^```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_example_gives_what_the_readme_shows() -> None:
    """The examples of the README run from top to bottom, the failing case included."""
    failed, attempted = doctest.testfile(
        str(_README), module_relative=False, optionflags=doctest.REPORT_NDIFF
    )
    assert attempted > 15
    assert failed == 0


def test_the_readme_is_short() -> None:
    """It has at most 150 lines; the rest is in docs/."""
    assert len(_README.read_text("utf-8").splitlines()) <= 150


def test_every_link_leads_to_a_file() -> None:
    """Relative links name files of the project."""
    links = re.findall(r"\]\((?!https?://)([^)#]+)", _README.read_text("utf-8"))
    assert len(links) > 10
    assert [link for link in links if not (_README.parent / link).exists()] == []


@pytest.mark.parametrize(("words", "extra"), [("kmscore demo", "cli"), ("pytest", "test")])
def test_the_first_line_with_a_command_is_the_whole_command(words: str, extra: str) -> None:
    """The first code line that mentions a command makes an environment and installs its extra."""
    lines = "".join(_CODE_LINE.findall(_README.read_text("utf-8"))).splitlines()
    line = next(line for line in lines if words in line)
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert f"'.[{extra}]'" in line
    assert line.endswith(f"&& .venv/bin/{words}")

"""README: its examples run, its commands are those of the checks, and it links every page."""

import doctest
import re
from pathlib import Path

import pytest

_README = Path(__file__).resolve().parents[2] / "README.md"
_DOCS = _README.parent / "docs"
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


def _roles(path: Path) -> dict[str, set[Path]]:
    """Return the table of readers: the purpose of each, and the pages for it."""
    rows = re.findall(
        r"^\| ((?!You)[a-z][^|]+) \| (.*\]\(.*) \|$", path.read_text("utf-8"), re.MULTILINE
    )
    return {
        purpose: {(path.parent / link).resolve() for link in re.findall(r"\]\(([^)#]+)", pages)}
        for purpose, pages in rows
    }


def test_the_table_of_roles_has_every_page() -> None:
    """Each guide and explanation is linked from the README, and the site has the same table."""
    readme, site = _roles(_README), _roles(_DOCS / "index.md")
    assert len(readme) == 5
    assert list(readme) == list(site)
    for purpose, pages in readme.items():
        assert {page for page in pages if page.is_relative_to(_DOCS)} == site[purpose]
    links = re.findall(r"\]\((docs/[^)#]+)", _README.read_text("utf-8"))
    guides = [*_DOCS.glob("howto/*.md"), *_DOCS.glob("explanation/*.md"), _DOCS / "tutorial.md"]
    assert {_README.parent / link for link in links} >= set(guides)


@pytest.mark.parametrize(("words", "extra"), [("kmscore demo", "cli"), ("pytest", "test")])
def test_the_first_line_with_a_command_is_the_whole_command(words: str, extra: str) -> None:
    """The first code line that mentions a command makes an environment and installs its extra."""
    lines = "".join(_CODE_LINE.findall(_README.read_text("utf-8"))).splitlines()
    line = next(line for line in lines if words in line)
    assert line.startswith("python3 -m venv .venv && .venv/bin/pip install ")
    assert f"'.[{extra}]'" in line
    assert line.endswith(f"&& .venv/bin/{words}")

"""The page "Evidence": its figures are those of the files, and each has a command and a date."""

import json
import re
from pathlib import Path

from kmscore_vectors.files import installed_folder, load

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = (_ROOT / "docs" / "explanation" / "evidence.md").read_text("utf-8")
_VECTORS = _ROOT / "vectors"


def _rows() -> list[list[str]]:
    """Return the cells of all rows of tables that have figures with a date."""
    tables = re.findall(r"^\| Figure \|.* Date \|\n\|[-|]+\|\n((?:\|.*\n)+)", _PAGE, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_figure_has_a_command_and_a_date() -> None:
    """The last cell is a date, and the cell before it a command, or that of the row above."""
    rows = _rows()
    assert len(rows) > 15
    for cells in rows:
        assert re.search(r"\d", cells[0]), cells
        assert cells[-2].startswith("`") or cells[-2] == "as above", cells
        assert re.fullmatch(r"2\d{3}-[01]\d-[0-3]\d", cells[-1]), cells


def test_every_path_in_a_command_exists() -> None:
    """Files, folders and modules of benchmarks are those of the project."""
    commands = [cells[-2] for cells in _rows()]
    paths = {
        path for text in commands for path in re.findall(r"\b(?:tests|vectors)/[\w./*]+", text)
    }
    modules = {name for text in commands for name in re.findall(r"-m (benchmarks\.\w+)", text)}
    assert len(paths) > 3
    assert len(modules) > 3
    assert [path for path in paths if not list(_ROOT.glob(path))] == []
    files = [_ROOT / name.replace(".", "/") for name in modules]
    assert [file for file in files if not (file.is_dir() or file.with_suffix(".py").exists())] == []


def test_the_numbers_of_vectors_are_those_of_the_files() -> None:
    """The number of tests, of invalid ones, and of the answers of other implementations."""
    tests = [test for _, tests in load(installed_folder()) for test in tests]
    invalid = [test for test in tests if not test.is_valid]
    assert f"{len(tests):,} tests, {len(invalid):,} of them invalid" in _PAGE
    results = (_VECTORS / "harnesses" / "RESULTS.md").read_text("utf-8")
    found = re.findall(r"^\| ([\w.-]+) \| [^|]+ \| (\d+) \| (\d+) \|", results, re.MULTILINE)
    (asked, right), *others = [tuple(map(int, numbers)) for _, *numbers in found]
    assert f"{right:,} of {asked:,} tests right, without the accumulated ones" in _PAGE
    assert asked == len(tests) - sum(test.flag == "Accumulated" for test in tests)
    assert f"the totals of {len(others)} other libraries and settings" in _PAGE


def test_the_numbers_of_noticed_mistakes_are_those_of_the_files() -> None:
    """The scores of the lists of mistakes, and the number of checks that vectors notice."""
    readme = (_VECTORS / "README.md").read_text("utf-8")
    authors = {
        "listed": "listed mistakes",
        "blind": "by an author",
        "planted": "planted in another implementation",
    }
    for name, author in authors.items():
        row = rf"^\| `{name}\.json`: .* \| (\d+) noticed [^|]+ \|$"
        (score,) = re.findall(row, readme, re.MULTILINE)
        text = (_VECTORS / "harnesses" / "mutants" / f"{name}.json").read_text("utf-8")
        number = len(json.loads(text)["mutants"])
        assert f"{score} of {number} {author}" in _PAGE
    checks = (_VECTORS / "CHECKS.md").read_text("utf-8").partition("## ")[0]
    number = len(re.findall(r"^\| `", checks, re.MULTILINE))
    assert f"{number} checks of the engine are noticed" in _PAGE

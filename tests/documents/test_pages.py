"""The pages under docs/: their examples run as shown, and print the output that is shown."""

import doctest
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from support.commands import ENVIRONMENT, environment, invoke
from support.time_limits import PATIENCE

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_PAGES = sorted(_DOCS.rglob("*.md"))

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_NEEDS = re.compile(r"^<!-- needs: (.+?) -->$", re.MULTILINE)
_NO_EXAMPLE = re.compile(r"^(?:```|:::)\{(?:toctree|include)\}", re.MULTILINE)
"""The directives of a page that only holds other pages or another file."""

_PROGRAMS = {"kmscore", "printf", "cat", "chmod", "cp", "head", "ls", "mkdir", "python3", "rm"}
"""The commands of a transcript that runs. A transcript with any other command does not run."""

_SPARK = """
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.codegen.wholeStage false
spark.sql.shuffle.partitions 2
spark.ui.enabled false
"""
"""Settings for a quick start: most of the time goes into compiling what runs once."""

_SHELL = re.compile(r"[|&;<>$*?`]")
"""The characters with which a command needs a shell, wherever they are."""

_CODE = "echo $?"
"""Shows the exit code of the command before it. Without it, that code is 0."""

_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Command(NamedTuple):
    """One command of a transcript, and what the page shows after it."""

    text: str
    output: str
    code: int


_RECIPES = {"polars", "duckdb", "deltalake", "pyiceberg"}
"""Packages of the pages that run only in nox's session `recipes`."""


def _needs(text: str) -> list[str]:
    """Return the packages and programs that a page needs."""
    return [name for found in _NEEDS.findall(text) for name in re.split(r",\s*", found)]


def _marks(page: Path) -> list[pytest.MarkDecorator]:
    """Return the marker of a recipe for another engine, or no marker."""
    is_recipe = not _RECIPES.isdisjoint(_needs(page.read_text("utf-8")))
    return [pytest.mark.recipe] if is_recipe else []


@pytest.fixture(
    params=[
        pytest.param(page, id=page.relative_to(_DOCS).as_posix(), marks=_marks(page))
        for page in _PAGES
    ]
)
def page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the text of a page, in a temporary folder; skip it if it needs what is missing."""
    text: str = request.param.read_text("utf-8")
    for name in _needs(text):
        # A program of a package on the path does not make the package importable.
        find = shutil.which if name == "java" else importlib.util.find_spec
        if find(name) is None:
            pytest.skip(f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    return text


def _examples(text: str) -> str:
    """Return a page without the lines of its fences, which would count as output."""
    return re.sub(r"^```.*$", "", text, flags=re.MULTILINE)


def _transcripts(text: str) -> list[Command]:
    """Return the commands of all transcripts of a page that run, in order."""
    transcripts = (body for kind, body in _FENCE.findall(text) if kind == "console")
    found = (list(_commands(body)) for body in transcripts)
    return [
        command
        for commands in found
        if all(command.text.split()[0] in _PROGRAMS for command in commands)
        for command in commands
    ]


def _commands(transcript: str) -> Iterator[Command]:
    """Yield the commands of a transcript with their output and exit codes."""
    parts = re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]
    split = [re.match(r"((?:[^\n]*\\\n)*[^\n]*)\n?(.*)", part, re.DOTALL) for part in parts]
    shown = [(part[1].strip(), part[2]) for part in split if part]
    for (text, output), (following, code) in zip(shown, [*shown[1:], ("", "")], strict=True):
        if text != _CODE:
            yield Command(text, output, int(code) if following == _CODE else 0)


def _run_in_shell(command: Command) -> tuple[int, str]:
    """Run a command with the `kmscore` that is tested; both streams come as a terminal has them."""
    python = f'"{sys.executable}" -P'
    functions = f'kmscore() {{ {python} -m kmscore "$@"; }}\npython3() {{ {python} "$@"; }}'
    done = subprocess.run(
        ["sh", "-c", f"{functions}\n{command.text}"],
        env=environment(COLUMNS="100"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


def _run_here(command: Command) -> tuple[int, str]:
    """Run a command of `kmscore` in this process if it needs no shell: each start takes long."""
    name, *arguments = shlex.split(command.text.replace("\\\n", ""))
    if name != "kmscore" or _SHELL.search(command.text):
        return _run_in_shell(command)
    result = invoke(*arguments, env=ENVIRONMENT | {"COLUMNS": "100"})
    return result.exit_code, result.output


def _stable(text: str) -> str:
    """Return output without the parts that differ each time: rates, durations, random bytes."""
    text = re.sub(r"[\d,]+ a second|\"seconds\": [\d.]+|\b[0-9a-f]{2}\b", "", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _matches(shown: str, printed: str) -> bool:
    """Compare output; `...` on the page is any text."""
    return doctest.OutputChecker().check_output(f"{shown}\n", f"{printed}\n", _FLAGS)


def test_page_has_an_example_that_runs(page: str) -> None:
    """A page shows at least one Python example or one transcript that the tests below run."""
    examples = doctest.DocTestParser().get_examples(_examples(page))
    assert _NO_EXAMPLE.search(page) or examples or _transcripts(page)


def test_python_examples_print_what_the_page_shows(page: str, tmp_path: Path) -> None:
    """All Python examples of a page run from top to bottom, as in one interactive session."""
    file = tmp_path / "page.md"
    file.write_text(_examples(page), "utf-8")
    (tmp_path / "spark-defaults.conf").write_text(_SPARK, "utf-8")
    variables = {
        "PYTHONPATH": str(_DOCS.parent / "examples"),  # some pages show an example, and import it
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONUTF8": "1",
        "SPARK_CONF_DIR": str(tmp_path),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    # In a process of its own: only one session of Spark can be in a process.
    done = subprocess.run(
        [sys.executable, "-P", "-m", "doctest", "-o", "REPORT_NDIFF", "-o", "ELLIPSIS", file],
        env=os.environ | variables,
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(_run_here, id="here"),
        pytest.param(_run_in_shell, id="shell", marks=pytest.mark.thorough),
    ],
)
def test_transcripts_print_what_the_page_shows(
    page: str, run: Callable[[Command], tuple[int, str]]
) -> None:
    """All commands of a page run in one folder, with the exit codes and the output shown."""
    for command in _transcripts(page):
        code, output = run(command)
        assert code == command.code, f"$ {command.text}\n{output}"
        shown, printed = _stable(command.output), _stable(output)
        assert _matches(shown, printed), f"$ {command.text}\n{output}"


def test_every_named_test_exists() -> None:
    """The page about the vendor's page names tests; a renamed test must be renamed there too."""
    text = (_DOCS / "reference" / "reencrypt-page.md").read_text("utf-8")
    named = re.findall(r"`([a-z_/]+\.py)::(test_\w+)`", text)
    assert len(named) > 30
    missing = [
        f"{path}::{name}"
        for path, name in named
        if f"\ndef {name}(" not in (_DOCS.parent / "tests" / path).read_text("utf-8")
    ]
    assert missing == []

"""The pages under docs/: their examples run as shown, and print the output that is shown."""

import doctest
import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from cli_support import environment
from patience import PATIENCE

# Spark warns of conversions to pandas, which the pages do not make.
pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas:FutureWarning:pyspark"
)

_DOCS = Path(__file__).resolve().parent.parent / "docs"
_PAGES = sorted(_DOCS.rglob("*.md"))
_NAMES = [page.relative_to(_DOCS).as_posix() for page in _PAGES]

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_NEEDS = re.compile(r"^<!-- needs: (.+?) -->$", re.MULTILINE)
_NO_EXAMPLE = re.compile(r"^(?:```|:::)\{(?:toctree|include)\}", re.MULTILINE)
"""The directives of a page that only holds other pages or another file."""

_PROGRAMS = {"kmscore", "printf", "cat", "cp", "head", "ls", "mkdir", "rm"}
"""The commands of a transcript that runs. A transcript with any other command does not run."""

_CODE = "echo $?"
"""Shows the exit code of the command before it. Without it, that code is 0."""

_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Command(NamedTuple):
    """One command of a transcript, and what the page shows after it."""

    text: str
    output: str
    code: int


@pytest.fixture(params=_PAGES, ids=_NAMES)
def page(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Return the text of a page, in a temporary folder; skip it if a module is not installed."""
    text: str = request.param.read_text("utf-8")
    for needed in ", ".join(_NEEDS.findall(text)).replace(",", " ").split():
        if importlib.util.find_spec(needed) is None and shutil.which(needed) is None:
            pytest.skip(f"{needed} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    yield text
    spark = sys.modules.get("pyspark.sql")
    session = spark and spark.SparkSession.getActiveSession()
    if session:
        session.stop()


def _session(text: str) -> doctest.DocTest:
    """Return all Python examples of a page as one test with one namespace."""
    # The lines of a fence are no output of the example before them.
    examples = re.sub(r"^```.*$", "", text, flags=re.MULTILINE)
    # As in an interactive session: Spark sends functions of this module by value.
    namespace = {"__name__": "__main__"}
    return doctest.DocTestParser().get_doctest(examples, namespace, "page", None, 0)


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


def _run(command: Command) -> subprocess.CompletedProcess[str]:
    """Run a command with the `kmscore` that is tested; both streams come as a terminal has them."""
    return subprocess.run(
        ["sh", "-c", f'kmscore() {{ "{sys.executable}" -P -m kmscore "$@"; }}\n{command.text}'],
        env=environment(COLUMNS="100"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )


def _stable(text: str) -> str:
    """Return output without the parts that differ each time: rates, durations, random bytes."""
    text = re.sub(r"[\d,]+ a second|\"seconds\": [\d.]+|\b[0-9a-f]{2}\b", "", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines() if line.strip())


def _matches(shown: str, printed: str) -> bool:
    """Compare output; `...` on the page is any text."""
    return doctest.OutputChecker().check_output(f"{shown}\n", f"{printed}\n", _FLAGS)


def test_page_has_an_example_that_runs(page: str) -> None:
    """A page shows at least one Python example or one transcript that the tests below run."""
    assert _NO_EXAMPLE.search(page) or _session(page).examples or _transcripts(page)


def test_python_examples_print_what_the_page_shows(page: str) -> None:
    """All Python examples of a page run in one namespace, from top to bottom."""
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF | doctest.ELLIPSIS)
    failed, _ = runner.run(_session(page), out=report.append, clear_globs=False)
    assert failed == 0, "".join(report)


def test_transcripts_print_what_the_page_shows(page: str) -> None:
    """All commands of a page run in one folder, with the exit codes and the output shown."""
    for command in _transcripts(page):
        done = _run(command)
        assert done.returncode == command.code, f"$ {command.text}\n{done.stdout}"
        shown, printed = _stable(command.output), _stable(done.stdout)
        assert _matches(shown, printed), f"$ {command.text}\n{done.stdout}"

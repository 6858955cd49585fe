"""Run tests on implementations with progress, print the results and write the reports."""

import importlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer
from rich.console import Console

from kmscore_vectors import inprocess, judgement
from kmscore_vectors.accumulation import is_accumulated
from kmscore_vectors.answers import Ask, Configuration
from kmscore_vectors.judgement import Results
from kmscore_vectors.report import Heading
from kmscore_vectors.report.console import show
from kmscore_vectors.report.destination import Destination, ReportError
from kmscore_vectors.report.document import to_json
from kmscore_vectors.runner import Peer
from kmscore_vectors.terminal import progress, say, stop
from kmscore_vectors.vector_test import VectorTest

_SCRIPTS: Final = frozenset(
    (".cjs", ".jar", ".js", ".lua", ".mjs", ".php", ".pl", ".ps1", ".py", ".rb", ".sh", ".ts")
)
"""The suffixes of the files that interpreters run."""


class Step(NamedTuple):
    """An implementation, or one way to run it, and its tests."""

    subject: str
    ask: Ask
    tests: Sequence[VectorTest]


def plan(
    configurations: Iterable[Configuration], files: Mapping[str, Sequence[VectorTest]]
) -> Iterator[Step]:
    """Yield a step for each configuration; only the first has the accumulated tests.

    They take most of the time, and the first configuration has all files.
    """
    for number, configuration in enumerate(configurations):
        tests = [test for name in configuration.files for test in files.get(name, ())]
        if number:
            tests = [test for test in tests if not is_accumulated(test)]
        yield Step(configuration.name, configuration.ask, tests)


@contextmanager
def start_command(command: Sequence[str], timeout: float) -> Iterator[Ask]:
    """Start a command, and end it after the run; give the function that asks it."""
    with Peer(command, timeout=timeout) as peer:
        yield peer.ask


@contextmanager
def load_function(name: str) -> Iterator[Ask]:
    """Import a function; give the function that asks it.

    Its output goes to standard error, because standard output has the results.
    """
    with redirect_stdout(sys.stderr):
        yield inprocess.answering(inprocess.load(name))


def run(steps: Sequence[Step], description: str, *, quiet: bool) -> Results:
    """Return the results of all steps; show the progress."""
    total = sum(judgement.questions(step.tests) for step in steps)
    with progress(description, total, quiet=quiet) as advance:
        return Results(
            each
            for step in steps
            for each in judgement.run(step.subject, step.ask, step.tests, advance)
        )


def finish(
    results: Results, heading: Heading, reports: Iterable[Destination], *, as_json: bool
) -> int:
    """Write the reports, print the results, and return the exit code."""
    # The reports come first, because standard output can fail. Their errors come last.
    reasons = list(_write(results, heading, reports))
    if as_json:
        typer.echo(to_json(results, heading))
    else:
        show(results, heading, Console())
    codes = [say(reason) for reason in reasons]
    return max([0 if results.is_success else 1, *codes])


def _write(results: Results, heading: Heading, reports: Iterable[Destination]) -> Iterator[str]:
    """Write the reports; yield the reason for each that cannot be written."""
    for report in reports:
        try:
            report.write(results, heading)
        except ReportError as error:
            yield str(error)


def program_name(command: Sequence[str]) -> str:
    """Return the name of the script that a command runs, else of its program, without a folder."""
    scripts = [part for part in command[1:] if Path(part).suffix in _SCRIPTS and part[0] != "-"]
    name = (*scripts, command[0])[0]
    return Path(name).name or name


def load_adapter() -> Any:  # noqa: ANN401 (a module that is there only with the library)
    """Return the module that runs the library, or stop if the library is missing or incomplete."""
    try:
        return importlib.import_module("kmscore_vectors.adapter")
    except ImportError as error:
        package, *_ = (error.name or "").split(".")
        if package != "kmscore":
            raise
        if error.name == package and isinstance(error, ModuleNotFoundError):
            reason = "is not installed"
        else:
            reason = f"is another version, or not whole: {error}"
    return stop(f"the library kmscore {reason}; `run` takes any other implementation")

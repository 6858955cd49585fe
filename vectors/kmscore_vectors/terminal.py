"""Terminal output: escaped text, one line for each problem, and the progress of a run."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import Final, NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column

_INTERVAL: Final = 10.0  # seconds between two lines of progress


def printable(text: str) -> str:
    """Return a text without control characters, so that it cannot control the terminal."""
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def say(reason: str, code: int = 2) -> int:
    """Print one line on standard error, if it is open; return the exit code."""
    with suppress(OSError):  # after SIGHUP there may be no terminal
        typer.echo(f"kmscore-vectors: {printable(reason)}", err=True)
    return code


def stop(reason: str) -> NoReturn:
    """Print one line on standard error, and exit with 2."""
    raise typer.Exit(say(reason))


def write_any_character() -> None:
    """Write characters that are not in the encoding of a standard stream as escapes."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_output() -> None:
    """Redirect standard output to the null device, so that Python's flush at exit succeeds."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def bar() -> Iterator[Progress]:
    """Show a progress bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        # The bar takes the remaining width, so that a narrow terminal cuts no figure.
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, expand=True, disable=not console.is_terminal
    ) as progress:
        yield progress


@contextmanager
def progress(
    description: str, total: int, *, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Show the progress of a run on standard error: a bar on a terminal, otherwise a few lines.

    Args:
        description: The name of the activity.
        total: The number of questions.
        quiet: Whether to show nothing.

    Yields:
        A function that takes the number of questions that were answered since its last call.
    """
    if quiet:
        yield lambda _: None
    elif Console(stderr=True).is_terminal:
        with bar() as shown:
            task = shown.add_task(description, total=total)
            yield lambda steps: shown.advance(task, steps)
    else:
        lines = _Lines(description, total)
        yield lines.advance
        lines.write()


class _Lines:
    """The progress of a run as lines of text, for a pipe or a log."""

    def __init__(self, description: str, total: int) -> None:
        self._description = description
        self._total = total
        self._done = 0
        self._last = time.monotonic()

    def advance(self, steps: int) -> None:
        """Count answered questions; write a line if the last one is long ago."""
        self._done += steps
        if time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            self.write()

    def write(self) -> None:
        """Write a line. A closed standard error does not end the run."""
        line = f"{self._description}: {self._done:,} of {self._total:,}"
        with suppress(OSError):
            typer.echo(line, err=True)

"""Terminal output: escaped text, one line for each problem, and a progress bar."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import NoReturn

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


def printable(text: str) -> str:
    """Return a text without control characters, so that it cannot control the terminal."""
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def say(reason: str, code: int = 2) -> int:
    """Print one line on standard error; return the exit code."""
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

"""What people see: one line for what cannot be done, a bar on a terminal only, safe text."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from kmscore.cli.files import FileProblem
from kmscore.errors import KmsCoreError


def printable(text: str) -> str:
    """Return a text in which nothing can drive a terminal or begin a new line."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def stop(reason: str, code: int = 2) -> NoReturn:
    """Say in one line why nothing can be done, and exit."""
    typer.echo(f"kmscore: {printable(reason)}", err=True)
    raise typer.Exit(code)


@contextmanager
def problems_in_one_line() -> Iterator[None]:
    """End a command with one line and exit code 2 for what its user can mend."""
    try:
        yield
    except FileProblem as error:
        reason = str(error)
    except KmsCoreError as error:
        reason = f"{error.code}: {error}"
    except OSError as error:
        reason = f"{error.filename or 'the system'}: {error.strerror or error}"
    else:
        return
    stop(reason)


class _RowsColumn(ProgressColumn):
    """How many rows are done, and how many a second."""

    def render(self, task: Task) -> Text:
        """Return the figures."""
        rows = int(task.fields.get("rows", 0))
        rate = rows / task.elapsed if task.elapsed else 0.0
        return Text(f"{rows:,} rows, {rate:,.0f}/s")


@contextmanager
def progress(description: str) -> Iterator[tuple[Progress, TaskID]]:
    """Show a bar on standard error, if that is a terminal; yield it and its task of length 1."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        _RowsColumn(),
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        yield bar, bar.add_task(description, total=1.0, rows=0)

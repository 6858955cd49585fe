"""What people see: one line for what cannot be done, a bar on a terminal only, safe text."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Any, Final, NoReturn, cast

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
from rich.table import Column
from rich.text import Text
from typer.core import TyperGroup

from kmscore.cli.files import give_up_output
from kmscore.cli.problems import FileProblem
from kmscore.errors import KmsCoreError

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as shells have it."""

_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""What all mistakes in options and arguments have in common; typer keeps its name to itself."""


class Commands(TyperGroup):
    """Commands that end in one line for all that their user can mend."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 (typer's own)
        """Run a command, and exit."""
        code: Any
        write_any_character()
        try:
            code = super().main(*args, **extra | {"standalone_mode": False})
        except _UsageError as error:
            code = _explain(error)
        except (KeyboardInterrupt, typer.Abort):
            code = _say("interrupted", INTERRUPTED)
        except OSError as error:  # of writing to standard output
            give_up_output()
            code = _say(f"standard output: {error.strerror or error}")
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own)
        """Run what stands on the command line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Before typer makes an exit without words of it.
            raise typer.Abort from None


def _explain(error: typer.BadParameter) -> int:
    """Say what is wrong with the command line; return the exit code."""
    reason = error.format_message()
    # Without any argument the help has been shown, which is all there is to say.
    if reason:
        path = "kmscore" if error.ctx is None else error.ctx.command_path
        _say(f"{reason.rstrip('.')}; see {path} --help")
    return 2


def write_any_character() -> None:
    """Have what the encoding of a standard stream lacks written as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def printable(text: str) -> str:
    """Return a text in which nothing can drive a terminal or begin a new line."""
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def _say(reason: str, code: int = 2) -> int:
    typer.echo(f"kmscore: {printable(reason)}", err=True)
    return code


def stop(reason: str, code: int = 2) -> NoReturn:
    """Say in one line why nothing can be done, and exit."""
    raise typer.Exit(_say(reason, code))


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


@contextmanager
def surprises_in_one_line() -> Iterator[None]:
    """End a command with one line and exit code 2 for what nobody foresaw.

    Nothing but the name of the error is said: what it holds may be a row, or a key.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, FileProblem, KmsCoreError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 (whatever it is, 1 would say that rows failed)
        name = type(error).__name__
    else:
        return
    stop(f"an error that was not foreseen: {name}")


class RowsColumn(ProgressColumn):
    """How many rows are done, and how many a second."""

    def render(self, task: Task) -> Text:
        """Return the figures."""
        rows = int(task.fields["rows"])
        rate = rows / task.elapsed if task.elapsed else 0.0
        return Text(f"{rows:,} rows, {rate:,.0f}/s")


@contextmanager
def bar(*figures: ProgressColumn) -> Iterator[Progress]:
    """Show a bar on standard error, if that is a terminal, with figures before what remains."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        # It takes what the others leave: on a narrow terminal no figure is cut for it.
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TaskProgressColumn(),
        *figures,
        TimeRemainingColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, expand=True, disable=not console.is_terminal
    ) as progress:
        yield progress


@contextmanager
def progress(description: str) -> Iterator[tuple[Progress, TaskID]]:
    """Show how far a table is; yield the bar and its task, of length 1, with a field `rows`."""
    with bar(RowsColumn()) as shown:
        yield shown, shown.add_task(description, total=1.0, rows=0)

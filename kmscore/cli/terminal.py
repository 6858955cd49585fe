"""The terminal output of commands, such as messages of one line and progress bars."""

import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from io import TextIOWrapper
from typing import Any, Final, NoReturn, TextIO, cast

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

from kmscore._printable import printable
from kmscore.cli.problems import FileProblem
from kmscore.cli.signals import end_of
from kmscore.errors import KmsCoreError
from kmscore.tables import Progress as TableProgress
from kmscore.tables import TableError
from kmscore.tables.errors import with_options

INTERRUPTED: Final = 130
"""The exit code after Ctrl-C, as in shells."""

BROKEN_PIPE: Final = 141
"""The exit code if the reader of standard output has gone, as shells show it for other programs."""

_MAX_WIDTH: Final = 200

_SECONDS: Final = 30
"""The time between two lines of progress without a terminal."""

_URL: Final = re.compile(r"[\w+.-]+://.*?(\)?)$", re.DOTALL)
"""A URL, and all text after it: its password can have any character."""

_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""The base class of all errors in options and arguments, which typer does not export."""


class Commands(TyperGroup):
    """Commands that report every problem that the user can correct in one line."""

    def main(self, *args: Any, **extra: Any) -> Any:  # noqa: ANN401 (typer's own)
        """Run a command and exit."""
        code: Any
        open_output()
        write_any_character()
        try:
            # The help fills the terminal; typer would stop at 80 columns.
            width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
            options = {"standalone_mode": False, "terminal_width": width}
            code = super().main(*args, **extra | options)
        except _UsageError as error:
            code = _explain(error)
        except typer.Abort:  # at a prompt
            code = say("interrupted", INTERRUPTED)
        except OSError as error:  # from writing to standard output
            code = _report_output(error)
        except SystemExit as error:
            # Raised by typer and rich for a broken pipe; otherwise, the end of a completion.
            if not isinstance(error.__context__, BrokenPipeError):
                raise
            code = _report_output(error)
        sys.exit(code or 0)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own)
        """Run the command of the command line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            # typer would exit without a message.
            stop(*end_of(interrupt))


def _explain(error: typer.BadParameter) -> int:
    """Print the problem with the command line; return the exit code."""
    # A URL of a database has its password.
    reason = _URL.sub(r"a URL, which is not shown\1", error.format_message())
    # Some versions of typer show the kind of an error of pydantic.
    reason = reason.replace(": Value error, ", ": ")
    if reason.startswith("Usage: "):
        # A group without a command; the reason is its help.
        return _print_error(reason, 2)
    path = "kmscore" if error.ctx is None else error.ctx.command_path
    return say(f"{reason.rstrip('.')}; see {path} --help")


def open_output() -> None:
    """Open a standard output that was closed at start, so that each write to it fails.

    Otherwise results would be lost without an error, and the next file that is opened would get
    the number of standard output.
    """
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")


def write_any_character() -> None:
    """Write characters that the encoding of a standard stream lacks as escape sequences."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(reason: str, code: int = 2) -> int:
    """Print one line on standard error, if it can be written; return the exit code."""
    return _print_error(f"kmscore: {printable(reason)}", code)


def _print_error(text: str, code: int) -> int:
    """Print on standard error. Without a reader of its messages, a command still does its work."""
    try:
        typer.echo(text, err=True)
    except OSError:
        give_up(sys.stderr)
    return code


def stop(reason: str, code: int = 2) -> NoReturn:
    """Print the reason in one line, and exit."""
    raise typer.Exit(say(reason, code))


@contextmanager
def problems_in_one_line() -> Iterator[None]:
    """End a command with one line and exit code 2 if the user can correct the problem."""
    try:
        yield
    except FileProblem as error:
        reason = str(error)
    except TableError as error:
        # A column of a database: the names of the arguments, as options.
        text = re.sub("`(where|schema|encoding)`", r"--\1", str(error))
        reason = f"{text}; --resume finishes the job" if error.can_resume else text
    except KmsCoreError as error:
        text = with_options(str(error)).replace(
            "unknown EncryptionAlgorithm", "unknown --algorithm"
        )
        reason = f"{error.code}: {text}"
    except OSError as error:
        reason = f"{error.filename or 'the system'}: {error.strerror or error}"
    else:
        return
    stop(reason)


@contextmanager
def surprises_in_one_line() -> Iterator[None]:
    """End a command with one line and exit code 2 for an unexpected exception.

    The line has only the class of the exception, because its message could contain a row or a key.
    """
    try:
        yield
    except (typer.Exit, typer.Abort, FileProblem, TableError, KmsCoreError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 (the exit code 1 means that rows failed)
        name = type(error).__name__
    else:
        return
    stop(f"an unexpected error: {name}")


def tell(show: Callable[[], None], hint: str = "") -> None:
    """Write a result to standard output; if this fails, end the command.

    The hint says what the command has changed.
    """
    try:
        show()
    except (OSError, SystemExit) as error:
        code = _report_output(error, hint)
    else:
        return
    raise typer.Exit(code)


def _report_output(error: OSError | SystemExit, hint: str = "") -> int:
    """Report that standard output cannot be written, and return the exit code.

    Without a hint, a reader that has gone is not reported, as for other programs in a pipe.
    """
    give_up(sys.stdout)
    if isinstance(error, (BrokenPipeError, SystemExit)):  # rich and typer exit
        return say(f"standard output: Broken pipe{hint}", BROKEN_PIPE) if hint else BROKEN_PIPE
    reason = "it is closed" if error.errno == errno.EBADF else error.strerror or error
    return say(f"standard output: {reason}{hint}")


def give_up(stream: TextIO) -> None:
    """Discard the buffer of a standard stream, because writing it at exit would fail again."""
    with suppress(OSError, ValueError):  # a stream without a file descriptor, or a closed one
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


class RowsColumn(ProgressColumn):
    """A column with the number of rows done, and of rows per second."""

    def render(self, task: Task) -> Text:
        """Return the text of the column."""
        rows = int(task.fields["rows"])
        if not rows:  # the input is checked
            return Text("")
        rate = rows / task.elapsed if task.elapsed else 0.0
        return Text(f"{rows:,} rows, {rate:,.0f}/s")


def _lines() -> Callable[[TableProgress], None]:
    """Return a function that prints the progress in a line every 30 seconds."""
    begin = last = time.monotonic()
    starts: dict[str, tuple[float, float]] = {}

    def show(now: TableProgress) -> None:
        nonlocal last
        seconds = time.monotonic()
        start, fraction = starts.setdefault(now.phase, (seconds, now.fraction))
        if seconds - last >= _SECONDS:
            last = seconds
            rate = now.rows / (seconds - begin)
            words = f"{now.phase}, {now.fraction:.0%}, {now.rows:,} rows, {rate:,.0f} per second"
            if now.fraction > fraction:
                left = (seconds - start) / (now.fraction - fraction) * (1 - now.fraction)
                words += f", {timedelta(seconds=round(left))} left"
            say(words)

    return show


@contextmanager
def progress() -> Iterator[Callable[[TableProgress], None]]:
    """Show the progress of a table on standard error: a bar, or without a terminal some lines."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    columns = (
        TextColumn("{task.description}"),
        # The bar takes the remaining width, so that no number is cut on a narrow terminal.
        BarColumn(bar_width=None, table_column=Column(ratio=1)),
        TaskProgressColumn(),
        RowsColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as bar:
        tasks: dict[str, TaskID] = {}

        def show(now: TableProgress) -> None:
            if now.phase not in tasks:
                for task in tasks.values():
                    bar.update(task, visible=False)
                tasks[now.phase] = bar.add_task(now.phase.capitalize(), total=1.0, rows=0)
            bar.update(tasks[now.phase], completed=now.fraction, rows=now.rows)

        yield show

"""The command `kmscore-vectors`: make the test vectors, list them, and run them.

Exit codes: 0, success; 1, a test failed or no test was right; 2, the command cannot run;
130, 143 and 129, Ctrl-C, SIGTERM and SIGHUP.
"""

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from typer.core import TyperGroup

import kmscore_vectors
from kmscore_vectors import execution
from kmscore_vectors import options as shared
from kmscore_vectors.answers import Ask
from kmscore_vectors.execution import Step
from kmscore_vectors.files import NAMES, VectorFileError, choose_folder
from kmscore_vectors.generator.all_files import make_files
from kmscore_vectors.inprocess import FunctionError
from kmscore_vectors.mutants import command as mutants_command
from kmscore_vectors.nonces import command as nonces_command
from kmscore_vectors.report import Heading, listing
from kmscore_vectors.report.destination import ReportError, destinations
from kmscore_vectors.runner import CommandError
from kmscore_vectors.selection import SelectionError, load_selected
from kmscore_vectors.signals import end_of, raise_at_signals
from kmscore_vectors.terminal import bar, give_up_output, say, stop, write_any_character

_PROBLEMS: Final = (CommandError, FunctionError, ReportError, SelectionError, VectorFileError)
"""The errors that the user can solve: one line each."""


class _Commands(TyperGroup):
    """The commands, with a message of one line for a signal; typer exits without a message."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 (typer's own)
        with _one_line():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own)
        with _one_line():
            return super().invoke(ctx)


@contextmanager
def _one_line() -> Iterator[None]:
    """Exit with one line at an interrupt."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise typer.Exit(say(*end_of(interrupt))) from None


app: typer.Typer = typer.Typer(
    name="kmscore-vectors",
    cls=_Commands,
    # By default, typer keeps the line breaks of a docstring in the help.
    rich_markup_mode="markdown",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command. A problem that the user can solve gives one line and exit code 2."""
    write_any_character()
    try:
        raise_at_signals()
        code = app(standalone_mode=False)
    except shared.UsageError as error:
        code = _explain(error)
    except typer.Abort as abort:  # an interrupt while typer reads the command line
        code = say(*end_of(abort.__cause__))
    except KeyboardInterrupt as interrupt:
        code = say(*end_of(interrupt))
    except OSError as error:  # from writing to standard output
        give_up_output()
        code = say(f"standard output: {error.strerror or error}")
    sys.exit(code or 0)


def _explain(error: typer.BadParameter) -> int:
    """Print the error in the command line; return the exit code."""
    # Some versions of typer show the kind of an error of pydantic.
    reason = error.format_message().replace(": Value error, ", ": ")
    # Without any argument, typer has printed the help, and the message is empty.
    if reason:
        path = app.info.name if error.ctx is None else error.ctx.command_path
        if reason.startswith("Got unexpected extra argument") and str(path).endswith(" run"):
            reason = f"{reason}; the command of an implementation comes after --"
        say(f"{reason.rstrip('.')}; see {path} --help")
    return 2


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (typer's form of a callback)
    """Print the version and stop."""
    if wanted:
        typer.echo(f"kmscore-vectors {kmscore_vectors.__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Version of kmscore-vectors."
        ),
    ] = False,
) -> None:
    """Make the test vectors for the ciphertexts of a KMS, list them, and run them."""


@app.command()
def generate(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write to; created if needed.")
    ],
) -> None:
    """Write the vector files into DIR, with the same bytes every time.

    Example: kmscore-vectors generate --out vectors
    """
    path = out
    try:
        out.mkdir(parents=True, exist_ok=True)
        with bar() as progress:
            for file in progress.track(make_files(), total=len(NAMES), description="Generating"):
                path = out / f"{file.name}.json"
                path.write_bytes(file.serialize())
    except OSError as error:  # an error from a write, for example on a full disk, names no file
        stop(f"{error.filename or path}: {error.strerror}")


@app.command(name="list")
def list_tests(
    folder: shared.Folder = None,
    *,
    severity: shared.Severities = None,
    file: shared.Files = None,
    operation: shared.Operations = None,
    flag: shared.Flags = None,
    test: shared.Tests = None,
    as_json: shared.Json = False,
) -> None:
    """List the files with their operations, and the number of tests of each.

    Example: kmscore-vectors list --severity strict
    """
    try:
        folder = choose_folder(folder)
        selection = shared.make_selection(severity, file, operation, flag, test)
        files = load_selected(folder, selection, accumulated=True)
    except _PROBLEMS as error:
        stop(str(error))
    if as_json:
        typer.echo(listing.listing_to_json(files, folder))
    else:
        listing.show_listing(files, folder, Console())


@app.command()
def verify(
    folder: shared.Folder = None,
    *,
    severity: shared.Severities = None,
    file: shared.Files = None,
    operation: shared.Operations = None,
    flag: shared.Flags = None,
    test: shared.Tests = None,
    no_accumulated: shared.WithoutAccumulated = False,
    report: shared.Reports = None,
    as_json: shared.Json = False,
    quiet: shared.Quiet = False,
) -> None:
    """Run the vectors on kmscore with each usable SM2 backend and with another key provider.

    The tests of 10,000 cases each run on the best backend only.

    Example: kmscore-vectors verify --no-accumulated
    """
    adapter = execution.load_adapter()
    try:
        folder = choose_folder(folder)
        selection = shared.make_selection(severity, file, operation, flag, test)
        files = load_selected(folder, selection, accumulated=not no_accumulated, proofs=True)
        with destinations(report or ()) as reports:
            steps = list(execution.plan(adapter.configurations(), files))
            results = execution.run(steps, "Verifying", quiet=quiet)
            library = adapter.library()
            heading = Heading("kmscore", library.version, folder, library)
            code = execution.finish(results, heading, reports, as_json=as_json)
    except _PROBLEMS as error:
        stop(str(error))
    raise typer.Exit(code)


@app.command(
    cls=shared.CommandAfterDashes,
    epilog="The protocol is in README.md, in the folder that `kmscore-vectors list` prints.",
)
def run(
    context: typer.Context,
    folder: shared.Folder = None,
    *,
    python: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="Python function in place of COMMAND.",
        ),
    ] = None,
    severity: shared.Severities = None,
    file: shared.Files = None,
    operation: shared.Operations = None,
    flag: shared.Flags = None,
    test: shared.Tests = None,
    no_accumulated: shared.WithoutAccumulated = False,
    timeout: shared.Timeout = 10.0,
    label: shared.Label = None,
    implementation_version: shared.Version = "",
    report: shared.Reports = None,
    as_json: shared.Json = False,
    quiet: shared.Quiet = False,
) -> None:
    """Run the vectors on any implementation: COMMAND reads and writes one JSON object per line.

    In reports, `--implementation-version TEXT` follows the name of the implementation.

    Example: kmscore-vectors run --no-accumulated -- node answer.js
    """
    name, implementation = _choose_implementation(context, python, timeout)
    label = label or name
    try:
        folder = choose_folder(folder)
        selection = shared.make_selection(severity, file, operation, flag, test)
        files = load_selected(folder, selection, accumulated=not no_accumulated, proofs=True)
        tests = [test for group in files.values() for test in group]
        with destinations(report or ()) as reports:
            with implementation as ask:
                results = execution.run([Step(label, ask, tests)], "Running", quiet=quiet)
            heading = Heading(label, implementation_version, folder)
            code = execution.finish(results, heading, reports, as_json=as_json)
    except _PROBLEMS as error:
        stop(str(error))
    raise typer.Exit(code)


def _choose_implementation(
    context: typer.Context, python: str | None, timeout: float
) -> tuple[str, AbstractContextManager[Ask]]:
    """Return the name of the implementation, and the way to ask it; or reject the options."""
    command = context.meta[shared.COMMAND]
    if python is not None and command:
        stop("--python and -- COMMAND exclude each other")
    if python is not None:
        return python, execution.load_function(python)
    if not command:
        form = "kmscore-vectors run [DIR] -- COMMAND..., or --python MODULE:FUNCTION"
        stop(f"no implementation: {form}")
    return execution.program_name(command), execution.start_command(command, timeout)


app.command(cls=shared.CommandAfterDashes, epilog=mutants_command.EPILOG)(mutants_command.mutants)
app.command(cls=shared.CommandAfterDashes, epilog=nonces_command.EPILOG)(nonces_command.nonces)

"""The command `kmscore-vectors`: make the test vectors, list them, and run them.

Exit codes: 0, success; 1, a test failed or no test was right; 2, the command cannot run.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

import kmscore_vectors
from kmscore_vectors import judgement, report
from kmscore_vectors.accumulation import is_accumulated
from kmscore_vectors.files import NAMES, VectorFileError, VectorTest, choose_folder, load
from kmscore_vectors.generator.suite import make_files
from kmscore_vectors.judgement import Ask, Results
from kmscore_vectors.nonces.command import add_command
from kmscore_vectors.runner import CommandError, Peer
from kmscore_vectors.terminal import bar, give_up_output, say, stop, write_any_character

_INTERRUPTED: Final = 130  # the exit code of shells after Ctrl-C
_COMMAND: Final = "kmscore_vectors.command"
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__base__)
"""The base class of all errors in options and arguments; typer has no public name for it."""


class _Commands(TyperGroup):
    """The commands, with a message of one line for Ctrl-C; typer exits without a message."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 (typer's own)
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None


app: typer.Typer = typer.Typer(
    name="kmscore-vectors",
    cls=_Commands,
    # By default, typer keeps the line breaks of a docstring in the help.
    rich_markup_mode="markdown",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_Folder = Annotated[
    Path | None,
    typer.Argument(metavar="DIR", help="Folder of vectors (default: the vectors in the package)."),
]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")]
_WithoutAccumulated = Annotated[
    bool,
    typer.Option(
        "--no-accumulated",
        help="Skip the tests of 10,000 cases each, which take 1 to 2 minutes (default: all tests).",
    ),
]


def main() -> None:
    """Run the command. A problem that the user can solve gives one line and exit code 2."""
    write_any_character()
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        code = _explain(error)
    except typer.Abort:
        code = say("interrupted", _INTERRUPTED)
    except OSError as error:  # from writing to standard output
        give_up_output()
        code = say(f"standard output: {error.strerror or error}")
    sys.exit(code or 0)


def _explain(error: typer.BadParameter) -> int:
    """Print the error in the command line; return the exit code."""
    reason = error.format_message()
    # Without any argument, typer has printed the help, and the message is empty.
    if reason:
        path = app.info.name if error.ctx is None else error.ctx.command_path
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


class _CommandAfterDashes(TyperCommand):
    """A command whose arguments end at the first `--`; the rest is the command to run."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (click's own)
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[end + 1 :]
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 (click's own)
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


@app.command()
def generate(
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder to write to; created if needed.")
    ],
) -> None:
    """Write only the vector files into DIR, with the same bytes every time.

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
def list_tests(folder: _Folder = None, *, as_json: _Json = False) -> None:
    """List the files with their operations, and the number of tests of each.

    Example: kmscore-vectors list
    """
    folder = _choose(folder)
    files = _load(folder, accumulated=True)
    if as_json:
        typer.echo(report.listing_to_json(files, folder))
    else:
        report.show_listing(files, folder, Console())


@app.command()
def verify(
    folder: _Folder = None, *, as_json: _Json = False, no_accumulated: _WithoutAccumulated = False
) -> None:
    """Run the vectors on kmscore with each usable SM2 backend and with another key provider.

    The tests of 10,000 cases each run on the best backend only.

    Example: kmscore-vectors verify --no-accumulated
    """
    adapter = _load_adapter()
    folder = _choose(folder)
    files = _load(folder, accumulated=not no_accumulated)
    # The tests of 10,000 cases take most of the time, so they run once, in the first configuration,
    # which has all files.
    plan = [
        (
            configuration.name,
            configuration.ask,
            [
                test
                for name in configuration.files
                for test in files[name]
                if number == 0 or not is_accumulated(test)
            ],
        )
        for number, configuration in enumerate(adapter.configurations())
    ]
    _finish(_run(plan, "Verifying"), folder, as_json=as_json, library=adapter.library())


@app.command(
    cls=_CommandAfterDashes,
    epilog="The protocol is in README.md, in the folder that `kmscore-vectors list` prints.",
)
def run(
    context: typer.Context,
    folder: _Folder = None,
    *,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, max=3600, metavar="SECONDS", help="Seconds for one answer."),
    ] = 10.0,
    as_json: _Json = False,
    no_accumulated: _WithoutAccumulated = False,
) -> None:
    """Run the vectors on any implementation: COMMAND reads and writes one JSON object per line.

    Example: kmscore-vectors run --no-accumulated -- node answer.js
    """
    command = context.meta[_COMMAND]
    if not command:
        stop("no command: kmscore-vectors run [DIR] -- COMMAND...")
    folder = _choose(folder)
    tests = [
        test for tests in _load(folder, accumulated=not no_accumulated).values() for test in tests
    ]
    try:
        with Peer(command, timeout=timeout) as peer:
            results = _run([(command[0], peer.ask, tests)], "Running")
    except CommandError as error:
        stop(str(error))
    _finish(results, folder, as_json=as_json)


def _load_adapter() -> Any:  # noqa: ANN401 (a module that is there only with the library)
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


def _choose(given: Path | None) -> Path:
    """Return the folder of vectors, or stop."""
    try:
        return choose_folder(given)
    except VectorFileError as error:
        stop(str(error))


def _load(folder: Path, *, accumulated: bool) -> dict[str, list[VectorTest]]:
    """Return the tests of every file, by its name, or stop."""
    try:
        return {
            name: [test for test in tests if accumulated or not is_accumulated(test)]
            for name, tests in load(folder)
        }
    except VectorFileError as error:
        stop(str(error))


def _run(plan: list[tuple[str, Ask, list[VectorTest]]], description: str) -> Results:
    """Return the results of all tests; show a progress bar."""
    with bar() as progress:
        total = sum(judgement.questions(tests) for _, _, tests in plan)
        task = progress.add_task(description, total=total)

        def judgements() -> Iterator[judgement.Judgement]:
            for name, ask, tests in plan:
                yield from judgement.run(
                    name, ask, tests, lambda steps: progress.advance(task, steps)
                )

        return Results(judgements())


def _finish(
    results: Results, folder: Path, *, as_json: bool, library: report.Library | None = None
) -> None:
    """Print the results; exit with 1 if they are not a success."""
    if as_json:
        typer.echo(report.to_json(results, folder, library))
    else:
        report.show(results, folder, Console(), library)
    if not results.is_success:
        raise typer.Exit(1)


add_command(app, _CommandAfterDashes, _COMMAND, _load_adapter)

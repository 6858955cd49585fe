"""The commands of `kmscore vectors`: to make the test vectors, and to run them.

Exit codes: 0, nothing failed; 1, something did; 2, it could not be run at all.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import MofNCompleteColumn
from typer.core import TyperCommand

from kmscore.cli import vectors_report
from kmscore.cli.terminal import bar, stop
from kmscore.vectors import judgement
from kmscore.vectors.accumulation import is_accumulated
from kmscore.vectors.files import (
    NAMES,
    VectorFileError,
    VectorTest,
    choose_folder,
    installed_folder,
    load,
)
from kmscore.vectors.generator.suite import make_files
from kmscore.vectors.judgement import Results
from kmscore.vectors.runner import CommandError, Peer
from kmscore.vectors.verifier import configurations

app: typer.Typer = typer.Typer(
    name="vectors",
    no_args_is_help=True,
    help="Make the test vectors, and run an implementation on them.",
)

_COMMAND: Final = "kmscore.command"
_Folder = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="The folder of vectors: ./vectors by default, else the installed one."
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
_Accumulated = Annotated[
    bool,
    typer.Option(
        "--accumulated/--no-accumulated",
        help="Also run the tests of 10,000 cases each, which takes a minute or two.",
    ),
]


class _CommandAfterDashes(TyperCommand):
    """A command whose arguments end at the first `--`; what stands behind it is another's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (click's own)
        end = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[end + 1 :]
        return super().parse_args(ctx, args[:end])

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401 (click's own)
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


@app.command()
def generate(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Created if it is not there.")],
) -> None:
    """Write the vector files into DIR, the same bytes every time, and nothing else.

    Example: kmscore vectors generate --out vectors
    """
    path = out
    try:
        out.mkdir(parents=True, exist_ok=True)
        with bar(MofNCompleteColumn()) as progress:
            for file in progress.track(make_files(), total=len(NAMES), description="Generating"):
                path = out / f"{file.name}.json"
                path.write_bytes(file.serialize())
    except OSError as error:  # one of writing, as on a full disk, names no file
        stop(f"{error.filename or path}: {error.strerror}")


@app.command()
def verify(
    folder: _Folder = None, *, as_json: _Json = False, accumulated: _Accumulated = True
) -> None:
    """Run the vectors on this library, on every SM2 backend and with a foreign key store.

    The tests of 10,000 cases each run on the best backend only.

    Example: kmscore vectors verify --no-accumulated
    """
    folder = choose_folder(folder)
    files = _load(folder, accumulated=accumulated)
    # The tests of 10,000 cases take most of the time: once is enough, and the first has all files.
    plan = [
        (
            configuration,
            [
                test
                for name in configuration.files
                for test in files[name]
                if number == 0 or not is_accumulated(test)
            ],
        )
        for number, configuration in enumerate(configurations())
    ]
    with bar(MofNCompleteColumn()) as progress:
        total = sum(judgement.questions(tests) for _, tests in plan)
        task = progress.add_task("Verifying", total=total)
        results = Results(
            outcome
            for configuration, tests in plan
            for outcome in judgement.run(
                configuration.name,
                configuration.ask,
                tests,
                lambda steps: progress.advance(task, steps),
            )
        )
    _finish(results, folder, as_json=as_json)


@app.command(
    cls=_CommandAfterDashes,
    epilog=f"The protocol: {escape(str(installed_folder() / 'README.md'))}",
)
def run(
    context: typer.Context,
    folder: _Folder = None,
    *,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="SECONDS", help="For one answer.")
    ] = 10.0,
    as_json: _Json = False,
    accumulated: _Accumulated = True,
) -> None:
    """Run the vectors on any implementation: COMMAND reads and writes a JSON object a line.

    Example: kmscore vectors run --no-accumulated -- node answer.js
    """
    command = context.meta[_COMMAND]
    if not command:
        stop("no command: kmscore vectors run [DIR] -- COMMAND...")
    folder = choose_folder(folder)
    tests = [test for tests in _load(folder, accumulated=accumulated).values() for test in tests]
    try:
        with Peer(command, timeout=timeout) as peer, bar(MofNCompleteColumn()) as progress:
            task = progress.add_task("Running", total=judgement.questions(tests))
            results = Results(
                judgement.run(
                    command[0], peer.ask, tests, lambda steps: progress.advance(task, steps)
                )
            )
    except CommandError as error:
        stop(str(error))
    _finish(results, folder, as_json=as_json)


def _load(folder: Path, *, accumulated: bool) -> dict[str, list[VectorTest]]:
    """Return the tests of every file, by its name, or stop."""
    try:
        return {
            name: [test for test in tests if accumulated or not is_accumulated(test)]
            for name, tests in load(folder)
        }
    except VectorFileError as error:
        stop(str(error))


def _finish(results: Results, folder: Path, *, as_json: bool) -> None:
    """Print the results; exit with 1 if they are no success."""
    if as_json:
        typer.echo(vectors_report.to_json(results, folder))
    else:
        vectors_report.show(results, folder, Console())
    if not results.is_success:
        raise typer.Exit(1)

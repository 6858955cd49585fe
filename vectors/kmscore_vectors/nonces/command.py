"""The command `kmscore-vectors nonces`."""

from typing import Annotated

import typer
from rich.console import Console

from kmscore_vectors import execution
from kmscore_vectors import options as shared
from kmscore_vectors.answers import Ask
from kmscore_vectors.nonces import report
from kmscore_vectors.nonces.examination import Report, check
from kmscore_vectors.nonces.questions import Operation, Question, questions
from kmscore_vectors.runner import CommandError, Peer
from kmscore_vectors.terminal import progress, stop

EPILOG = "SPEC.md, in the folder that `kmscore-vectors list` prints, has the questions."


def nonces(
    context: typer.Context,
    *,
    count: Annotated[
        int | None,
        typer.Option(
            min=300,
            max=10_000,
            metavar="N",
            help="Number of answers to each question (default: 1,000 for IVs, 300 for SM2,"
            " 500 for OAEP).",
        ),
    ] = None,
    operation: Annotated[
        list[Operation] | None,
        typer.Option(
            metavar="NAME",
            help=f"Operation to ask: {', '.join(Operation)} (default: all). May be repeated.",
        ),
    ] = None,
    kmscore: Annotated[
        bool, typer.Option("--kmscore", help="The library kmscore, in place of COMMAND.")
    ] = False,
    timeout: shared.Timeout = 10.0,
    as_json: shared.Json = False,
    quiet: shared.Quiet = False,
) -> None:
    """Ask for many encryptions, and look for repeated, short or biased IVs, seeds and k.

    Example: kmscore-vectors nonces --operation fresh_encrypt -- node answer.js
    """
    command = context.meta[shared.COMMAND]
    if kmscore == bool(command):
        stop("give one implementation: kmscore-vectors nonces -- COMMAND..., or --kmscore")
    chosen = [each for each in questions() if not operation or each.operation in operation]
    if kmscore:
        # The first configuration has the keyring and the backend that programs use.
        examined = _run(
            next(execution.load_adapter().configurations()).ask, chosen, count, quiet=quiet
        )
    else:
        examined = _run_command(command, timeout, chosen, count, quiet=quiet)
    _finish(examined, as_json=as_json)


def _run_command(
    command: list[str], timeout: float, chosen: list[Question], count: int | None, *, quiet: bool
) -> Report:
    """Return the report on the implementation that a command starts, or stop."""
    try:
        with Peer(command, timeout=timeout) as peer:
            return _run(peer.ask, chosen, count, quiet=quiet)
    except CommandError as error:
        stop(str(error))


def _run(ask: Ask, chosen: list[Question], count: int | None, *, quiet: bool) -> Report:
    """Return the report; show the progress."""
    total = sum(question.times if count is None else count for question in chosen)
    with progress("Asking", total, quiet=quiet) as advance:
        return check(ask, chosen, count, advance)


def _finish(examined: Report, *, as_json: bool) -> None:
    """Print the report; exit with 1 if it is not a success."""
    if as_json:
        typer.echo(report.to_json(examined))
    else:
        report.show(examined, Console())
    if not examined.is_success:
        raise typer.Exit(1)

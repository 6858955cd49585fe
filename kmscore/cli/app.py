"""The commands of `kmscore`."""

from typing import Annotated

import typer
from rich.console import Console

import kmscore
from kmscore.cli import census, crypt, demo, inspection, keys, rotate
from kmscore.cli.terminal import Commands
from kmscore.errors import KmsCoreError

app: typer.Typer = typer.Typer(
    name="kmscore",
    cls=Commands,
    # The default mode keeps the line breaks of the docstrings.
    rich_markup_mode="markdown",
    no_args_is_help=True,
    # A traceback with the values of local variables could show key material.
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.command("encrypt")(crypt.encrypt)
app.command("decrypt")(crypt.decrypt)
app.command("reencrypt")(crypt.reencrypt)
app.command("inspect")(inspection.inspect)
app.command("rotate")(rotate.rotate_table)
app.command("census")(census.count_tables)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (typer requires this form)
    """Print the version and exit."""
    if wanted:
        typer.echo(f"kmscore {kmscore.__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Encrypt, decrypt and re-encrypt as a cloud KMS does, with keys in a file."""


@app.command("demo")
def run_demo() -> None:
    """Re-encrypt published ciphertexts in memory, and show three rejected attempts.

    Exit codes: 0, all results are as expected; 1, a result differs.

    Example: kmscore demo
    """
    try:
        succeeded = demo.show(Console())
    except KmsCoreError as error:
        typer.echo(f"kmscore: {error.code}: {error}", err=True)
        succeeded = False
    if not succeeded:
        raise typer.Exit(1)

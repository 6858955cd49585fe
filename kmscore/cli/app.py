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
    # As it is by default, lines of a docstring end where they do in the source.
    rich_markup_mode="markdown",
    no_args_is_help=True,
    # A traceback with the values of local variables would show key material.
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.command("encrypt")(crypt.encrypt)
app.command("decrypt")(crypt.decrypt)
app.command("reencrypt")(crypt.reencrypt)
app.command("inspect")(inspection.inspect)
app.command("rotate")(rotate.rotate_table)
app.command("census")(census.count_tables)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 (typer's form of a callback)
    """Print the version and stop."""
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
    """Re-encrypt ciphertexts as a cloud KMS does."""


@app.command("demo")
def run_demo() -> None:
    """Re-encrypt real, published ciphertexts in memory, and show what is refused.

    Exits with 1 if anything comes out other than it must.

    Example: kmscore demo
    """
    try:
        succeeded = demo.show(Console())
    except KmsCoreError as error:
        typer.echo(f"kmscore: {error.code}: {error}", err=True)
        succeeded = False
    if not succeeded:
        raise typer.Exit(1)

"""The commands of `kmscore`."""

from typing import Annotated

import typer
from rich.console import Console

import kmscore
from kmscore.cli import (
    census,
    census_column,
    crypt,
    demo,
    explain,
    inspection,
    keys,
    rotate,
    rotate_column,
    serve,
    trace,
)
from kmscore.cli.terminal import Commands, say
from kmscore.errors import KmsCoreError

app: typer.Typer = typer.Typer(
    name="kmscore",
    cls=Commands,
    # The tables of rich cut the names of long options on a terminal of 80 columns.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    # A traceback with the values of local variables could show key material.
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app, name="keys")
app.command("encrypt")(crypt.encrypt)
# The list of commands has one line for each of them, also on a terminal of 80 columns.
app.command("decrypt", short_help="Decrypt a v1 ciphertext blob.")(crypt.decrypt)
app.command("reencrypt", short_help="Change key, key version or context of a ciphertext.")(
    crypt.reencrypt
)
app.add_typer(trace.app, name="trace")
app.command("explain", short_help="Find out why a ciphertext does not decrypt.")(
    explain.explain_ciphertext
)
app.command("inspect")(inspection.inspect)
app.command("rotate", short_help="Re-encrypt all ciphertexts of a table or folder.")(
    rotate.rotate_table
)
app.command("rotate-column", short_help="Re-encrypt a column of a live database table.")(
    rotate_column.rotate_column
)
app.command("census", short_help="Count the key versions that ciphertexts name.")(
    census.count_tables
)
app.command("census-column", short_help="Count the key versions that a column names.")(
    census_column.count_column
)
app.command("serve", short_help="Serve a local stand-in of the service for tests.")(
    serve.serve_tests
)


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


@app.command("demo", short_help="Re-encrypt published ciphertexts in memory.")
def run_demo() -> None:
    """Re-encrypt published ciphertexts in memory, and show three rejected attempts.

    Exit codes: 0, all results are as expected; 1, a result differs.

    Example: kmscore demo
    """
    try:
        succeeded = demo.show(Console())
    except KmsCoreError as error:
        say(f"{error.code}: {error}")
        succeeded = False
    if not succeeded:
        raise typer.Exit(1)

"""The command `census`: counts the headers in tables and lists the unused key versions."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from kmscore._printable import printable
from kmscore.bulk import Census, Retirement
from kmscore.cli.keyring_file import read_keyring
from kmscore.cli.options import BlobColumnOption, DelimiterOption, JsonOption, delimiter_of
from kmscore.cli.passphrase import Descriptor, check_no_descriptor
from kmscore.cli.terminal import (
    problems_in_one_line,
    progress,
    surprises_in_one_line,
)
from kmscore.tables import Columns, TableCensus, census, check_columns, retirable_versions
from kmscore.tables.counts import NO_CIPHERTEXT

# Not from the environment: without this option, no passphrase is needed.
CountedKeyringOption = Annotated[
    Path | None,
    typer.Option(
        "--keyring", "-k", metavar="FILE", help="A keyring file, to list unused versions."
    ),
]


def count_tables(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="IN",
            help="Tables: .csv, .jsonl or .ndjson, also .gz or .zst; .parquet; or folders.",
        ),
    ],
    blob_column: BlobColumnOption = "ciphertext_blob",
    delimiter: DelimiterOption = None,
    keyring: CountedKeyringOption = None,
    *,
    as_json: JsonOption = False,
    passphrase_fd: Descriptor = None,
) -> None:
    """Count the suites, keys and key versions that the ciphertexts of tables name. Needs no key.

    With a keyring, the command also lists the versions that may be retired: versions of the counted
    keys that are not primary and that no ciphertext names. The list is valid only if the tables
    contain all ciphertexts, including backups, failed rows and rows that are not rotated yet.

    Example: kmscore census orders.csv invoices.parquet -k team.keys
    """
    with problems_in_one_line(), surprises_in_one_line():
        check_no_descriptor(keyring, passphrase_fd)
        sign = delimiter_of(delimiter, sources)
        for source in sources:
            # Report a problem with a table before the prompt for the passphrase.
            check_columns(source, Columns(blob_column), delimiter=sign)
        keys = None if keyring is None else read_keyring(keyring, passphrase_fd)
        with progress() as show:
            counted = census(sources, blob_column=blob_column, delimiter=sign, on_progress=show)
        retirement = None if keys is None else retirable_versions(keys, counted, sources)
    if as_json:
        document = census_document(counted.census, retirement)
        typer.echo(json.dumps({**document, "rows_without": dict(counted.unread)}))
    else:
        show_census(counted.census, retirement, _others(counted))


def _others(counted: TableCensus) -> str:
    """Return the line about rows that are not in the counts of headers."""
    empty = counted.unread.get(NO_CIPHERTEXT, 0)
    return (
        f"{counted.census.other:,} other; {_rows_of(empty)} without a ciphertext;"
        f" {_rows_of(sum(counted.unread.values()) - empty)} that cannot be read"
    )


def _rows_of(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _rows(counted: Census) -> list[dict[str, Any]]:
    """Return the counts of the headers, sorted by key ID and key version ID."""
    return [
        {
            "suite": header.suite.name,
            "key_id": header.key_id,
            "key_version_id": header.key_version_id,
            "blobs": number,
        }
        for header, number in sorted(
            counted.headers.items(), key=lambda row: (row[0].key_id, row[0].key_version_id)
        )
    ]


def census_document(counted: Census, retirement: Retirement | None) -> dict[str, Any]:
    """Return a census as a JSON object."""
    document: dict[str, Any] = {
        "authenticated": False,
        "headers": _rows(counted),
        "other": counted.other,
        "guessed_service_versions": dict(counted.guesses),
    }
    if retirement is not None:
        document["retirable_versions"] = [name._asdict() for name in retirement.versions]
        document["not_retirable_because"] = retirement.reason
    return document


def show_census(counted: Census, retirement: Retirement | None, others: str) -> None:
    """Print a census as a table, and a line about the other rows."""
    grid = Grid(box=None, pad_edge=False)
    for name in ("blobs", "suite", "key", "version"):
        grid.add_column(name, justify="right" if name == "blobs" else "left", overflow="fold")
    for row in _rows(counted):
        names = (row["suite"], row["key_id"], row["key_version_id"])
        # As `Text`, so that rich does not interpret an ID as markup.
        grid.add_row(*map(Text, (f"{row['blobs']:,}", *names)))
    Console().print(grid)
    typer.echo(others)
    for version_id, number in sorted(counted.guesses.items()):
        words = "looks like a blob" if number == 1 else "look like blobs"
        typer.echo(
            f"Of the others, {number:,} {words} of the service of version {version_id}; this is a"
            " guess"
        )
    if retirement is not None:
        _show_retirement(retirement)
    typer.echo(f"{Census.note[0].upper()}{Census.note[1:]}.")


def _show_retirement(retirement: Retirement) -> None:
    """Print the versions that may be retired, or the reason why there are none."""
    if retirement.reason is not None:
        typer.echo(printable(f"No version may be retired: {retirement.reason}"))
    elif not retirement.versions:
        typer.echo(
            "No version may be retired: each version of these keys is primary, or is named by a"
            " ciphertext"
        )
    for key_id, version_id in retirement.versions:
        line = f"May be retired if these are all: version {version_id} of key {key_id}"
        typer.echo(printable(line))

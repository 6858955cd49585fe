"""The command `census`: counts the headers in tables and lists the unused key versions."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from kmscore import Keyring
from kmscore.bulk import Census, Item, Retirement, census, retirable_versions
from kmscore.cli.keyring_file import read_keyring
from kmscore.cli.options import BlobColumnOption, JsonOption
from kmscore.cli.passphrase import Descriptor
from kmscore.cli.rotation.columns import Columns
from kmscore.cli.rotation.formats import input_of
from kmscore.cli.rotation.job_folder import partial_path
from kmscore.cli.rotation.table import Table
from kmscore.cli.rotation.whole_table import failed_path
from kmscore.cli.terminal import (
    printable,
    problems_in_one_line,
    progress,
    surprises_in_one_line,
)

_NO_CIPHERTEXT: Final = "no ciphertext"


def count_tables(
    sources: Annotated[
        list[Path], typer.Argument(metavar="IN", help="Tables: .jsonl, .ndjson, .csv or .parquet.")
    ],
    blob_column: BlobColumnOption = "ciphertext_blob",
    # Not from the environment: without this option, no passphrase is needed.
    keyring: Annotated[
        Path | None,
        typer.Option(
            "--keyring", "-k", metavar="FILE", help="A keyring file, to list unused versions."
        ),
    ] = None,
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
        columns = Columns(blob_column)
        tables = [(input_of(source), source) for source in sources]
        for table, source in tables:
            table.check_columns(source, columns)
        keys = None if keyring is None else read_keyring(keyring, passphrase_fd)[0]
        unread: Counter[str] = Counter()
        counted = census(_blobs(tables, columns, unread))
        retirement = None if keys is None else _retirement(counted, unread, keys, sources)
    if as_json:
        typer.echo(json.dumps(_document(counted, unread, retirement)))
    else:
        _show(counted, unread, retirement)


def _retirement(
    counted: Census, unread: Counter[str], keys: Keyring, sources: Sequence[Path]
) -> Retirement:
    """Return the versions that may be retired if the tables contain all ciphertexts."""
    for source in sources:
        for beside, what in ((failed_path(source), "failed rows"), (partial_path(source), "a job")):
            if beside.exists() and not any(beside.samefile(other) for other in sources):
                return Retirement(
                    (), f"{beside} is there, {what} of {source.name} not counted here"
                )
    # A row that cannot be read could need any version.
    lost = Census({}, unread.total() - unread[_NO_CIPHERTEXT])
    versions, reason = retirable_versions(keys, census=counted + lost)
    # The ciphertexts of a key that no row names are not in these tables.
    return Retirement(tuple(name for name in versions if name.key_id in counted.keys), reason)


def _blobs(
    tables: Iterable[tuple[Table, Path]], columns: Columns, unread: Counter[str]
) -> Iterator[bytes]:
    """Yield the ciphertexts of all tables; count in `unread` the rows without one."""
    for table, source in tables:
        with progress("Counting") as (bar, task):
            for chunk in table.chunks(source):
                rows = bar.tasks[task].fields["rows"]
                for record in table.records(chunk, columns):
                    rows += 1
                    item = columns.read(0, record)
                    if isinstance(item, Item):
                        yield bytes(item.ciphertext_blob)
                    else:
                        unread[_NO_CIPHERTEXT if item is None else item.code] += 1
                bar.update(task, completed=chunk.position, rows=rows)


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


def _document(
    counted: Census, unread: Counter[str], retirement: Retirement | None
) -> dict[str, Any]:
    """Return a census as a JSON object."""
    document: dict[str, Any] = {
        "authenticated": False,
        "headers": _rows(counted),
        "other": counted.other,
        "rows_without": dict(unread),
    }
    if retirement is not None:
        document["retirable_versions"] = [name._asdict() for name in retirement.versions]
        document["not_retirable_because"] = retirement.reason
    return document


def _show(counted: Census, unread: Counter[str], retirement: Retirement | None) -> None:
    """Print a census as a table."""
    grid = Grid(box=None, pad_edge=False)
    for name in ("blobs", "suite", "key", "version"):
        grid.add_column(name, justify="right" if name == "blobs" else "left", overflow="fold")
    for row in _rows(counted):
        names = (row["suite"], row["key_id"], row["key_version_id"])
        # As `Text`, so that rich does not interpret an ID as markup.
        grid.add_row(*map(Text, (f"{row['blobs']:,}", *names)))
    Console().print(grid)
    empty = unread[_NO_CIPHERTEXT]
    typer.echo(
        f"{counted.other:,} other; {empty:,} rows without a ciphertext;"
        f" {unread.total() - empty:,} rows that cannot be read"
    )
    if retirement is not None:
        _show_retirement(retirement)
    typer.echo(f"{Census.note[0].upper()}{Census.note[1:]}.")


def _show_retirement(retirement: Retirement) -> None:
    """Print the versions that may be retired, or the reason why there are none."""
    if retirement.reason is not None:
        typer.echo(printable(f"No version may be retired: {retirement.reason}"))
    elif not retirement.versions:
        typer.echo("No version may be retired: each of the keys here is a primary or is named")
    for key_id, version_id in retirement.versions:
        told = f"May be retired if these are all: version {version_id} of key {key_id}"
        typer.echo(printable(told))

"""The report of a rotation of a column, as a table or as JSON."""

import json
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from kmscore._printable import printable
from kmscore.tables.database import ColumnReport
from kmscore.tables.unusable_versions import version_names


class ColumnResult(NamedTuple):
    """A report, and what the command adds to it."""

    report: ColumnReport
    rows: int
    """The number of rows that were read, in all passes."""

    seconds: float
    failed_rows: Path | None
    is_dry_run: bool

    @property
    def is_complete(self) -> bool:
        """Whether no row failed and, except in a dry run, no ciphertext remains."""
        return not self.report.failed and (self.is_dry_run or not self.report.remaining)


def show_column(result: ColumnResult, *, as_json: bool) -> None:
    """Print the report of a rotation."""
    if as_json:
        typer.echo(json.dumps(_document(result)))
        return
    report = result.report
    Console().print(_table(result))
    if result.is_dry_run:
        typer.echo("a dry run: nothing is written")
    elif report.remaining > sum(report.failed.values()):
        typer.echo("ciphertexts remain: run the same command again")
    if report.unusable_versions:
        words = version_names(report.unusable_versions)
        typer.echo(printable(f"missing or not enabled: {words}"))
    if result.failed_rows is not None:
        typer.echo(printable(f"failed rows: {result.failed_rows}"))


def _counts(report: ColumnReport) -> dict[str, int]:
    return {
        name: getattr(report, name)
        for name in ("rewritten", "skipped", "unchanged", "conflicts", "retried", "remaining")
    }


def _document(result: ColumnResult) -> dict[str, object]:
    """Return the report as a JSON object."""
    return {
        "rows": result.rows,
        **_counts(result.report),
        "failed": dict(result.report.failed),
        "unusable_versions": [name._asdict() for name in result.report.unusable_versions],
        "passes": result.report.passes,
        "seconds": round(result.seconds, 3),
        "failed_rows": None if result.failed_rows is None else str(result.failed_rows),
    }


def _table(result: ColumnResult) -> Table:
    """Return the report as a table."""
    table = Table("rows", "", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    words = {
        "skipped": "skipped: they name the destination version, and are not authenticated",
        "conflicts": "conflicts: the row was changed by another program",
        "retried": "transactions that were repeated",
        "remaining": "remaining: they do not name the destination version",
    }
    counts = _counts(result.report)
    remaining = counts.pop("remaining")
    rare = {"conflicts", "retried"}
    for name, number in counts.items():
        if number or name not in rare:
            table.add_row(f"{number:,}", words.get(name, name))
    for code, number in result.report.failed.items():
        table.add_row(f"{number:,}", f"failed: {code}")
    table.add_row(f"{remaining:,}", words["remaining"])
    rate = result.rows / result.seconds if result.seconds else 0.0
    passes = "1 pass" if result.report.passes == 1 else f"{result.report.passes} passes"
    table.add_row(f"{result.rows:,}", f"read in {passes}, {rate:,.0f} a second")
    return table

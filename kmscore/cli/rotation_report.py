"""What a rotation came to, for people and for machines."""

import json

import typer
from rich.console import Console
from rich.table import Table

from kmscore.cli.rotation.job import Report
from kmscore.cli.terminal import printable


def show_rotation(report: Report, *, as_json: bool) -> None:
    """Print what a rotation came to."""
    statuses = {name: report.counts[name] for name in ("rewritten", "unchanged")}
    failures = {
        name.partition(": ")[2]: number
        for name, number in sorted(report.counts.items())
        if name.startswith("failed")
    }
    if as_json:
        document = {
            "rows": report.rows,
            **statuses,
            "failed": failures,
            "seconds": round(report.seconds, 3),
            "out": None if report.out is None else str(report.out),
            "failed_rows": None if report.failed is None else str(report.failed),
        }
        typer.echo(json.dumps(document))
        return
    table = Table("rows", "", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    for name, number in statuses.items():
        table.add_row(f"{number:,}", name)
    for code, number in failures.items():
        table.add_row(f"{number:,}", f"failed: {code}")
    rate = report.rows / report.seconds if report.seconds else 0.0
    table.add_row(f"{report.rows:,}", f"in all, {rate:,.0f} a second")
    console = Console()
    console.print(table)
    if report.out is None:
        typer.echo("a dry run: nothing is written")
    else:
        typer.echo(printable(f"written: {report.out}"))
    if report.failed is not None:
        typer.echo(printable(f"failed rows: {report.failed}"))

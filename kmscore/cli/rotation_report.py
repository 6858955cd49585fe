"""The report of a rotation, as a table or as JSON."""

import json

import typer
from rich.console import Console
from rich.table import Table

from kmscore._printable import printable
from kmscore.tables import Report


def show_rotation(report: Report, *, as_json: bool) -> None:
    """Print the report of a rotation."""
    if as_json:
        typer.echo(json.dumps(_rotation_document(report)))
        return
    Console().print(_rotation_table(report))
    if report.out is None:
        typer.echo("a dry run: nothing is written")
    else:
        typer.echo(printable(f"written: {report.out}"))
    if report.other_files:
        typer.echo(printable(f"not copied: {', '.join(report.other_files)}"))
    if report.failed_rows is not None:
        typer.echo(printable(f"failed rows: {report.failed_rows}"))


def _rotation_document(report: Report) -> dict[str, object]:
    """Return the report as a JSON object."""
    return {
        "rows": report.rows,
        "resumed": report.resumed,
        **_statuses(report),
        "failed": dict(report.failed),
        "seconds": round(report.seconds, 3),
        "out": None if report.out is None else str(report.out),
        "failed_rows": None if report.failed_rows is None else str(report.failed_rows),
        "other_files": list(report.other_files),
    }


def _rotation_table(report: Report) -> Table:
    """Return the report as a table."""
    table = Table("rows", "", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    for name, number in _statuses(report).items():
        table.add_row(f"{number:,}", name)
    for code, number in report.failed.items():
        table.add_row(f"{number:,}", f"failed: {code}")
    rate = (report.rows - report.resumed) / report.seconds if report.seconds else 0.0
    earlier = f" ({report.resumed:,} by an earlier run)" if report.resumed else ""
    table.add_row(f"{report.rows:,}", f"in all{earlier}, {rate:,.0f} a second")
    return table


def _statuses(report: Report) -> dict[str, int]:
    """Return the number of rewritten and of unchanged rows."""
    return {"rewritten": report.rewritten, "unchanged": report.unchanged}

"""The report on random values, as tables and as JSON."""

import json
from itertools import groupby
from operator import attrgetter
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore_vectors.nonces.examination import Outcome, Report
from kmscore_vectors.nonces.findings import WEAKNESSES
from kmscore_vectors.terminal import printable

_START, _END = 70, 230  # characters of a reason; an exception is at its end
_REASONS: Final = 3  # reasons for each question; --json has all


def to_json(report: Report) -> str:
    """Return the report as one JSON object."""
    document = {
        "success": report.is_success,
        "operations": [
            {
                "operation": outcome.operation,
                "variant": outcome.variant,
                "supported": outcome.is_supported,
                "asked": outcome.asked,
                "right": outcome.right,
                "wrong": outcome.reasons,
                "findings": [
                    finding._asdict() | WEAKNESSES[finding.name]._asdict()
                    for finding in outcome.findings
                ],
            }
            for outcome in report.outcomes
        ],
    }
    return json.dumps(document, indent=2)


def show(report: Report, console: Console) -> None:
    """Print a table of all questions, the effects of the findings, and the missing operations."""
    supported = [outcome for outcome in report.outcomes if outcome.is_supported]
    if supported:
        console.print(_outcome_table(supported))
    effects = _effect_table(report)
    if effects.row_count:
        console.print(effects)
    missing = [
        f"{outcome.operation} {outcome.variant}"
        for outcome in report.outcomes
        if not outcome.is_supported
    ]
    if missing:
        console.print(Text(f"not supported: {', '.join(missing)}"))
    console.print(_last_line(report))


def _outcome_table(outcomes: list[Outcome]) -> Table:
    """Return a table of the questions: how many answers are right, and the findings."""
    table = Table(title="Random values", pad_edge=False)
    table.add_column("operation", no_wrap=True)
    for head in ("asked", "right"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("findings", overflow="fold")
    for operation, group in groupby(outcomes, attrgetter("operation")):
        table.add_section()
        table.add_row(operation.value, style="bold")
        for outcome in group:
            text = _faults(outcome)
            numbers = (str(outcome.asked), str(outcome.right))
            row = (f"  {outcome.variant}", *numbers, Text(text))
            table.add_row(*row, style="red" if text else None)
    return table


def _faults(outcome: Outcome) -> str:
    """Return the findings, and the most frequent reasons for wrong answers, in lines."""
    findings = [f"{finding.name}: {finding.detail}" for finding in outcome.findings]
    wrong = [
        f"{number} wrong: {printable(_brief(reason))}"
        for reason, number in outcome.reasons.most_common(_REASONS)
    ]
    return "\n".join([*findings, *wrong])


def _brief(reason: str) -> str:
    """Return a reason, cut to a readable length."""
    short = len(reason) <= _START + _END
    return reason if short else f"{reason[:_START]} … {reason[-_END:]}"


def _effect_table(report: Report) -> Table:
    """Return a table of the attacks that the findings allow."""
    table = Table(title="Possible effects", show_lines=True)
    for name in ("finding", "effect"):
        table.add_column(name, overflow="fold")
    names = (finding.name for outcome in report.outcomes for finding in outcome.findings)
    for name in dict.fromkeys(names):
        weakness = WEAKNESSES[name]
        effect = "\n".join((weakness.description, weakness.effect, *weakness.links))
        table.add_row(Text(f"{name}\n({weakness.severity})"), Text(effect))
    return table


def _last_line(report: Report) -> Text:
    """Return the sums."""
    right = sum(outcome.right for outcome in report.outcomes)
    wrong = sum(outcome.reasons.total() for outcome in report.outcomes)
    found = sum(len(outcome.findings) for outcome in report.outcomes)
    if report.is_success:
        return Text(f"{right} right, no finding.", style="green")
    if not wrong and not found:
        return Text("nothing was right.", style="bold red")
    findings = "1 finding" if found == 1 else f"{found} findings"
    return Text(f"{right} right, {wrong} wrong, {findings}.", style="bold red")

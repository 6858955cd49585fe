"""The outcomes of a run of the vectors, for people and for machines."""

import json
from collections import Counter
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore.vectors.judgement import Outcome, Results, Verdict

_LISTED: Final = 20  # failing tests; --json has them all
_LONGEST: Final = 120  # characters of an answer


def printable(text: str) -> str:
    """Return a text in which nothing can drive a terminal: as in JSON, without the quotes."""
    return json.dumps(text)[1:-1].replace('\\"', '"').replace("\\\\", "\\")


def to_json(results: Results) -> str:
    """Return the results as one JSON object."""
    flags: dict[str, dict[str, dict[str, int]]] = {}
    for (file, flag), counter in results.by_flag.items():
        flags.setdefault(file, {})[flag] = _by_name(counter)
    document = {
        "success": results.is_success,
        "total": _by_name(results.total),
        "subjects": results.by_subject,
        "flags": flags,
        "failures": [
            {
                "subject": outcome.subject,
                "file": outcome.test.file,
                "tcId": outcome.test.tc_id,
                "flag": outcome.test.flag,
                "comment": outcome.test.comment,
                "verdict": outcome.verdict.value,
                "expected": outcome.test.expected,
                "answer": outcome.answer,
            }
            for outcome in results.failures
        ],
    }
    return json.dumps(document, indent=2)


def show(results: Results, console: Console) -> None:
    """Print a table by flag, then what failed and what that means."""
    console.print(_flag_table(results))
    if results.failures:
        console.print(_failure_table(results))
        effects = _effect_table(results.failures)
        if effects.row_count:
            console.print(effects)
    for subject, number in results.by_subject.items():
        console.print(Text(f"{printable(subject)}: {number} tests"))
    console.print(_last_line(results))


def _by_name(counter: Counter[Verdict]) -> dict[str, int]:
    return {verdict.value: counter[verdict] for verdict in Verdict}


def _flag_table(results: Results) -> Table:
    """Return the table by flag, file after file."""
    table = Table(title="Tests by flag")
    table.add_column("flag", no_wrap=True)
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right", max_width=9)
    last_file = ""
    for (file, flag), counter in results.by_flag.items():
        if file != last_file:
            table.add_section()
            table.add_row(file, style="bold")
            last_file = file
        failed = any(counter[verdict] for verdict in Verdict if verdict.is_failure)
        counts = (str(counter[verdict] or "") for verdict in Verdict)
        table.add_row(f"  {flag}", *counts, style="red" if failed else None)
    return table


def _failure_table(results: Results) -> Table:
    """Return a table of the first failing tests."""
    more = len(results.failures) - _LISTED
    table = Table(
        title="What failed",
        caption=f"and {more} more; --json has all" if more > 0 else None,
        show_lines=True,
    )
    for name in ("test", "what it is", "answer"):
        table.add_column(name, overflow="fold")
    for outcome in results.failures[:_LISTED]:
        test = outcome.test
        subject = f"\n{printable(outcome.subject)}" if len(results.by_subject) > 1 else ""
        table.add_row(
            Text(f"{test.file} {test.tc_id}\n{test.flag}"),
            Text(f"{test.comment}{subject}"),
            Text(f"{outcome.verdict.value}\n{_answer(outcome)}"),
        )
    return table


def _answer(outcome: Outcome) -> str:
    """Return what came back, cut to what can be read."""
    text = json.dumps(dict(outcome.answer))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _effect_table(failures: list[Outcome]) -> Table:
    """Return what an implementation is open to that fails as this one does, by the notes."""
    table = Table(title="What that is open to", show_lines=True)
    for name in ("file", "flag", "effect"):
        table.add_column(name, overflow="fold")
    # Nothing is known of one that gave no answer.
    tests = (outcome.test for outcome in failures if "failure" not in outcome.answer)
    effects = {(test.file, test.flag): test.effect for test in tests if test.effect}
    for (file, flag), effect in effects.items():
        table.add_row(file, flag, Text(effect))
    return table


def _last_line(results: Results) -> Text:
    """Return how many tests came to what."""
    counts = ", ".join(
        f"{number} {verdict.value}" for verdict in Verdict if (number := results.total[verdict])
    )
    if results.is_success:
        return Text(f"{counts}.", style="green")
    if not results.failures:
        return Text(f"{counts or 'no test'}: nothing was right.", style="bold red")
    return Text(f"{counts}.", style="bold red")

"""The judgements of a run, as tables for a terminal."""

import json
from collections import Counter
from collections.abc import Mapping
from operator import itemgetter
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore_vectors.answers import missing
from kmscore_vectors.excerpt import cut, left_out
from kmscore_vectors.judgement import Judgement, Results
from kmscore_vectors.report import Heading, flags
from kmscore_vectors.report.listing import folder_line
from kmscore_vectors.report.texts import (
    evidence,
    is_not_asked,
    lines,
    reason_text,
    summary,
    unproven_lines,
)
from kmscore_vectors.terminal import printable

_LISTED: Final = 20  # rows of the table of failures; the reports have more
_LONGEST: Final = 120  # characters of a value
_NEXT: Final = "--report FILE.md writes the inputs; --test FILE:TCID runs one test again."


def show(results: Results, heading: Heading, console: Console) -> None:
    """Print the flags, the failures with their effects, the implementation and the folder."""
    _show_flags(results, console)
    if results.failures:
        console.print(_failure_table(results))
        effects = _effect_table(results.failures)
        if effects.row_count:
            console.print(effects)
        console.print(Text(_NEXT))
    for subject, number in results.by_subject.items():
        name = heading.implementation if subject == heading.label else subject
        console.print(Text(f"{printable(name)}: {number} tests"))
    if (library := heading.library) is not None:
        for reason in library.unusable_backends.values():
            console.print(Text(printable(reason), style="yellow"))
        place = printable(str(library.folder))
        console.print(Text(f"library: kmscore {library.version}, {place}", overflow="fold"))
    console.print(folder_line(heading.folder))
    for line in unproven_lines(results):
        console.print(Text(f"{line}.", style="bold red"))
    console.print(Text(summary(results), style="green" if results.is_success else "bold red"))


def _show_flags(results: Results, console: Console) -> None:
    """Print a table of the flags with a failure, and lines with the number of the others."""
    files = list(flags.by_file(results))
    if any(counts.failed for counts in files):
        console.print(_flag_table(files))
    for counts in files:
        for line in counts.lines():
            console.print(Text(line))


def _flag_table(files: list[flags.FileCounts]) -> Table:
    """Return the table of counts by flag, file after file."""
    table = Table(
        title="Flags with a failure",
        title_justify="left",
        caption=flags.LEGEND,
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )
    table.add_column("flag", no_wrap=True)
    for head in flags.COLUMNS:
        table.add_column(head, justify="right", no_wrap=True)
    for counts in files:
        if counts.failed:
            table.add_row(counts.file, style="bold")
        for flag, counter in counts.failed.items():
            table.add_row(f"  {flag}", *flags.row(counter))
    return table


def _failure_table(results: Results) -> Table:
    """Return a table of the first failed tests; tests without an answer are one row per reason."""
    rows: dict[tuple[object, ...], list[Judgement]] = {}
    for judgement in results.failures:
        if not is_not_asked(judgement):
            reason = missing(judgement.answer)
            place = (judgement.test.file, judgement.test.tc_id) if reason is None else (reason,)
            rows.setdefault((judgement.subject, *place), []).append(judgement)
    shown = _spread(list(rows.values()))
    more = sum(map(len, rows.values())) - sum(map(len, shown))
    table = Table(
        title="What failed",
        caption=f"and {more} more; --json has all" if more > 0 else None,
        show_lines=True,
    )
    for name in ("test", "what it is", "answer"):
        table.add_column(name, overflow="fold")
    for judgement, *others in shown:
        test = judgement.test
        subject = f"\n{printable(judgement.subject)}" if len(results.by_subject) > 1 else ""
        alike = f"\nand {len(others)} more" if others else ""
        table.add_row(
            Text(f"{test.file} {test.tc_id}\n{test.flag}{alike}"),
            Text("\n".join(filter(None, (f"{test.comment}{subject}", test.section)))),
            Text(f"{judgement.verdict.value}\n{_answer(judgement)}"),
        )
    return table


def _spread(rows: list[list[Judgement]]) -> list[list[Judgement]]:
    """Return the rows to show, in order: as many of each flag as there is space for all flags."""
    seen: Counter[tuple[object, ...]] = Counter()
    ranks: list[tuple[int, int]] = []  # the number of earlier rows of the flag, the position
    for position, (judgement, *_) in enumerate(rows):
        flag = judgement.subject, judgement.test.file, judgement.test.flag
        ranks.append((seen[flag], position))
        seen[flag] += 1
    return [rows[position] for _, position in sorted(sorted(ranks)[:_LISTED], key=itemgetter(1))]


def _answer(judgement: Judgement) -> str:
    """Return the expected and the actual answer, or the reason for a missing answer."""
    found = evidence(judgement)
    parts = [found.case, *lines(found.inputs, _LONGEST)] if found.case else []
    if found.reason is not None:
        return "\n".join([*parts, reason_text(found.reason)])
    expected, answer = (_brief(fields) for fields in (found.expected, found.answer))
    if found.difference is not None and max(len(expected), len(answer)) > _LONGEST:
        place, expected, answer = map(printable, found.difference)
        parts.append(place)
    return "\n".join([*parts, f"expected {expected}", f"answered {answer}"])


def _brief(fields: Mapping[str, object]) -> str:
    """Return fields as JSON, cut to a readable length."""
    return cut(json.dumps(fields), _LONGEST, sum(map(left_out, fields.values())))


def _effect_table(failures: list[Judgement]) -> Table:
    """Return a table of the attacks that the failures allow, from the notes of the flags."""
    table = Table(title="Possible effects", show_lines=True)
    for name in ("file", "flag", "effect"):
        table.add_column(name, overflow="fold")
    # A test without an answer shows no weakness.
    tests = (judgement.test for judgement in failures if missing(judgement.answer) is None)
    effects = {(test.file, test.flag): test.effect for test in tests if test.effect}
    for (file, flag), effect in effects.items():
        table.add_row(file, flag, Text(effect))
    return table

"""The judgements of a run of the vectors, as tables and as JSON."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore_vectors.files import VectorTest
from kmscore_vectors.judgement import Judgement, Results, Verdict
from kmscore_vectors.runner import GIVEN_UP, PATIENCE
from kmscore_vectors.terminal import printable

_LISTED: Final = 20  # rows of the table of failures; --json has all
_LONGEST: Final = 120  # characters of an answer
_REASON, _COMPLAINT = 70, 330  # characters of a failure: its start, and the end of standard error
_HEADS: Final = {
    Verdict.RIGHT: "right",
    Verdict.WRONG: "wrong",
    Verdict.OTHER_ERROR: "class",
    Verdict.ACCEPTED: "taken",
    Verdict.UNSUPPORTED: "n/a",
}
"""The column heads of the counts; they are short, so that 60 columns are enough for all."""


class Library(NamedTuple):
    """The library under test."""

    version: str
    folder: Path
    unusable_backends: Mapping[str, str]
    """The reason why an SM2 backend cannot be used here, by its name."""


def listing_to_json(files: Mapping[str, Sequence[VectorTest]], folder: Path) -> str:
    """Return the operations of every file, with the number of their tests, as one JSON object."""
    document = {
        "folder": str(folder),
        "files": {
            name: {
                operation: {"valid": valid, "invalid": invalid}
                for operation, (valid, invalid) in _count_operations(tests).items()
            }
            for name, tests in files.items()
        },
    }
    return json.dumps(document, indent=2)


def show_listing(files: Mapping[str, Sequence[VectorTest]], folder: Path, console: Console) -> None:
    """Print the operations of every file, with the number of their tests, and the folder."""
    table = Table(
        caption="accumulated: 10,000 cases each, valid and invalid", caption_justify="left"
    )
    table.add_column("operation", no_wrap=True)
    for head in ("valid", "invalid"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, tests in files.items():
        table.add_section()
        table.add_row(name, style="bold")
        for operation, (valid, invalid) in _count_operations(tests).items():
            table.add_row(f"  {operation}", str(valid or ""), str(invalid or ""))
    console.print(table)
    console.print(Text(f"{sum(map(len, files.values()))} tests"))
    console.print(_folder_line(folder))


def _count_operations(tests: Sequence[VectorTest]) -> dict[str, tuple[int, int]]:
    """Return how many tests of each operation are valid and invalid, in the order of the file."""
    counts: dict[str, tuple[int, int]] = {}
    for test in tests:
        valid, invalid = counts.get(test.operation, (0, 0))
        counts[test.operation] = (valid + test.is_valid, invalid + (not test.is_valid))
    return counts


def _folder_line(folder: Path) -> Text:
    return Text(f"vectors: {printable(str(folder))}", overflow="fold")


def to_json(results: Results, folder: Path, library: Library | None = None) -> str:
    """Return the results as one JSON object, with the library if `verify` ran it."""
    flags: dict[str, dict[str, dict[str, int]]] = {}
    for (file, flag), counter in results.by_flag.items():
        flags.setdefault(file, {})[flag] = _by_name(counter)
    document: dict[str, object] = {
        "success": results.is_success,
        "folder": str(folder),
        "total": _by_name(results.total),
        "subjects": results.by_subject,
        "flags": flags,
        "failures": [
            {
                "subject": judgement.subject,
                "file": judgement.test.file,
                "tcId": judgement.test.tc_id,
                "flag": judgement.test.flag,
                "comment": judgement.test.comment,
                "verdict": judgement.verdict.value,
                "expected": judgement.test.expected,
                "answer": judgement.answer,
            }
            for judgement in results.failures
        ],
    }
    if library is not None:
        document["library"] = library._asdict() | {"folder": str(library.folder)}
    return json.dumps(document, indent=2)


def show(results: Results, folder: Path, console: Console, library: Library | None = None) -> None:
    """Print a table by flag, the failures with their effects, the library and the folder."""
    console.print(_flag_table(results))
    if results.failures:
        console.print(_failure_table(results))
        effects = _effect_table(results.failures)
        if effects.row_count:
            console.print(effects)
    for subject, number in results.by_subject.items():
        console.print(Text(f"{printable(subject)}: {number} tests"))
    if library is not None:
        for reason in library.unusable_backends.values():
            console.print(Text(printable(reason), style="yellow"))
        place = printable(str(library.folder))
        console.print(Text(f"library: kmscore {library.version}, {place}", overflow="fold"))
    console.print(_folder_line(folder))
    console.print(_last_line(results))


def _by_name(counter: Counter[Verdict]) -> dict[str, int]:
    return {verdict.value: counter[verdict] for verdict in Verdict}


def _flag_table(results: Results) -> Table:
    """Return the table of counts by flag, file after file."""
    legend = "; ".join(
        f"{head}: {verdict.value}" for verdict, head in _HEADS.items() if head != verdict.value
    )
    table = Table(title="Tests by flag", caption=legend, caption_justify="left", pad_edge=False)
    table.add_column("flag", no_wrap=True)
    for verdict in Verdict:
        table.add_column(_HEADS[verdict], justify="right", no_wrap=True)
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
    """Return a table of the first failed tests; tests without an answer are one row per reason."""
    rows: dict[tuple[object, ...], list[Judgement]] = {}
    for judgement in results.failures:
        if not _is_not_asked(judgement):
            reason = judgement.answer.get("failure")
            place = (judgement.test.file, judgement.test.tc_id) if reason is None else (reason,)
            rows.setdefault((judgement.subject, *place), []).append(judgement)
    shown = list(rows.values())[:_LISTED]
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
            Text(f"{test.comment}{subject}"),
            Text(f"{judgement.verdict.value}\n{_answer(judgement)}"),
        )
    return table


def _is_not_asked(judgement: Judgement) -> bool:
    """Return whether the runner had given up the implementation before this test."""
    return judgement.answer.get("failure") == GIVEN_UP


def _answer(judgement: Judgement) -> str:
    """Return the expected and the actual answer, or the reason for a missing answer."""
    if "failure" in judgement.answer:
        return _failure(judgement.answer["failure"])
    expected, answer = (_brief(dict(each)) for each in (judgement.test.expected, judgement.answer))
    return f"expected {expected}\nanswered {answer}"


def _brief(fields: dict[str, object]) -> str:
    """Return fields as JSON, cut to a readable length."""
    text = json.dumps(fields)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _failure(reason: str) -> str:
    """Return a failure as text, line by line; keep its end, because an exception is shown there."""
    if len(reason) > _REASON + _COMPLAINT:
        reason = f"{reason[:_REASON]} … {reason[-_COMPLAINT:]}"
    return "\n".join(map(printable, reason.splitlines()))


def _effect_table(failures: list[Judgement]) -> Table:
    """Return a table of the attacks that the failures allow, from the notes of the flags."""
    table = Table(title="What that is open to", show_lines=True)
    for name in ("file", "flag", "effect"):
        table.add_column(name, overflow="fold")
    # A test without an answer shows no weakness.
    tests = (judgement.test for judgement in failures if "failure" not in judgement.answer)
    effects = {(test.file, test.flag): test.effect for test in tests if test.effect}
    for (file, flag), effect in effects.items():
        table.add_row(file, flag, Text(effect))
    return table


def _last_line(results: Results) -> Text:
    """Return the number of tests for each verdict; count tests that were not asked separately."""
    total = results.total
    not_asked = sum(map(_is_not_asked, results.failures))
    total[Verdict.WRONG] -= not_asked
    counts = ", ".join(
        f"{number} {verdict.value}" for verdict in Verdict if (number := total[verdict])
    )
    if results.is_success:
        return Text(f"{counts}.", style="green")
    if not results.failures:
        return Text(f"{counts or 'no test'}: nothing was right.", style="bold red")
    given_up = f"; given up after {PATIENCE} failures; {not_asked} not asked" if not_asked else ""
    return Text(f"{counts}{given_up}.", style="bold red")

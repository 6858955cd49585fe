"""The score of each group on disk, and the part of the page that is made from it."""

import datetime as dt
import importlib.metadata
import json
import math
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from survivors import Reason, Survivor

ALL, RANDOM = "all", "a random sample"
START, END = "<!-- mutation: nox -s mutation writes this -->", "<!-- /mutation -->"
_QUANTILE = 1.96  # of the normal distribution, for 95 %
_LONGEST = 90  # characters of code in a cell
_HEAD = (
    "| part | mutants | tested | killed | explained | not explained | killed, of all tested"
    " | killed, without the explained | selection | date |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|---|---|"
)


_OPEN = (
    "## Survivors without an explanation\n\nA test is missing, or the tests that notice the mutant"
    " need more time than the limit."
)


class Score(NamedTuple):
    """The counts of a group; the explained mutants are survivors."""

    mutants: int
    tested: int
    killed: int
    explained: int
    selection: str
    """The mutants that were tested, in words."""


def interval(killed: int, tested: int) -> tuple[float, float]:
    """Return the 95 % interval of a share, by the formula of E. B. Wilson (1927)."""
    share, square = killed / tested, _QUANTILE**2 / tested
    half = _QUANTILE * math.sqrt(share * (1 - share) / tested + square / (4 * tested))
    middle = share + square / 2
    return (middle - half) / (1 + square), (middle + half) / (1 + square)


def percent(part: float, whole: float) -> str:
    """Return a share in percent, cut after one digit: 96.99 % is not 97 %."""
    return f"{math.floor(part / whole * 1000) / 10:.1f} %" if whole else "-"


def _row(name: str, score: Score, date: str) -> str:
    """Return the row of a group."""
    lost = score.tested - score.killed - score.explained
    numbers = (score.mutants, score.tested, score.killed, score.explained, lost)
    selection = score.selection
    if selection == RANDOM and score.tested:
        low, high = (percent(share, 1) for share in interval(score.killed, score.tested))
        selection = f"a random sample; 95 % interval {low} to {high}"
    shares = (score.tested, score.tested - score.explained)
    cells = [
        *(name, *(f"{number:,}" for number in numbers)),
        *(percent(score.killed, whole) for whole in shares),
        *(selection, date),
    ]
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Return code for a cell of a table."""
    if not text:
        return "(nothing)"
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
    return "`" + short.replace("|", "\\|") + "`"


def _table(survivors: Iterable[Survivor]) -> str:
    """Return the table of some survivors."""
    rows = (
        f"| `{item.module}` | {_code(item.before)} | {_code(item.after)} |" for item in survivors
    )
    return "\n".join(("| module | code | mutant |", "|---|---|---|", *rows))


def _section(reason: Reason) -> str:
    """Return the section of a class of survivors."""
    return f"### {reason.title}\n\n{reason.text.strip()}\n\n{_table(reason.survivors)}"


def content(results: Mapping[str, Mapping[str, Any]], reasons: list[Reason]) -> str:
    """Return the part of the page that is made from results and explanations."""
    rows = [
        _row(name, Score(**{field: item[field] for field in Score._fields}), item["date"])
        for name, item in results.items()
    ]
    tools = sorted({str(item["tools"]) for item in results.values()})
    parts = ["\n".join((_HEAD, *rows)), "; ".join(tools) + ".", "## Explained survivors"]
    parts += map(_section, reasons)
    rest = [Survivor(*row) for item in results.values() for row in item.get("survivors", [])]
    return "\n\n".join((*parts, *((_OPEN, _table(rest)) if rest else ())))


def put(page: str, results: Mapping[str, Mapping[str, Any]], reasons: list[Reason]) -> str:
    """Return a page with the part between the marks made again."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    return f"{before}{START}\n\n{content(results, reasons)}\n\n{END}{after}"


def write(
    folder: Path,
    groups: Mapping[str, tuple[Score, list[Survivor]]],
    reasons: list[Reason],
) -> None:
    """Write the results of groups and the page; the results of other groups are kept.

    Each group has its score and its survivors without an explanation.
    """
    file, page = folder / "mutation.json", folder / "mutation.md"
    results = json.loads(file.read_text("utf-8")) if file.exists() else {}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    version = importlib.metadata.version("cosmic-ray")
    tools = f"Cosmic Ray {version}, Python {platform.python_version()}"
    for name, (score, rest) in groups.items():
        counts = {**score._asdict(), "survivors": [list(item) for item in rest]}
        if {key: results.get(name, {}).get(key) for key in counts} != counts:
            results[name] = {**counts, "date": today, "tools": tools}
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if page.exists():
        page.write_text(put(page.read_text("utf-8"), results, reasons), "utf-8")

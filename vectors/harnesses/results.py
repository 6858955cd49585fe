"""The results of a campaign as one page of Markdown.

The page has totals only. A flag is named if the weakness that it shows has a public reference in
`references.json`: anything else is first reported to the maintainers.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

SEVERITIES: Final = ("standard", "strict", "policy")
REFERENCES: Final = Path(__file__).with_name("references.json")

_HEAD: Final = (
    "implementation",
    "version",
    "asked",
    "right",
    *(f"wrong: {severity}" for severity in SEVERITIES),
    "crashed",
    "not supported",
)


class Run(NamedTuple):
    """An implementation, and either its results or the reason why it was not run."""

    name: str
    version: str = ""
    results: Mapping[str, Any] | None = None
    """The output of `kmscore-vectors run --json`."""

    reason: str = ""


class Reference(NamedTuple):
    """A public reference for the weakness that a flag shows in an implementation."""

    implementation: str
    file: str
    flag: str
    url: str


def references(path: Path = REFERENCES) -> list[Reference]:
    """Return the public references.

    Args:
        path: The file (default: the one next to this module).

    Returns:
        The references, in the order of the file.
    """
    return [Reference(**fields) for fields in json.loads(path.read_text("utf-8"))]


def page(runs: Sequence[Run], known: Sequence[Reference]) -> str:
    """Return the page of a campaign.

    Args:
        runs: The implementations, in the order of the table.
        known: The public references.

    Returns:
        Markdown, with a line feed at its end.
    """
    lines = [
        "# Results",
        "",
        "Made by `campaign.py`; [README.md](README.md) explains the columns.",
        "",
        *_table(_HEAD, (_cells(run) for run in runs if run.results is not None)),
    ]
    if published := list(_published(runs, known)):
        lines += ["", "## Weaknesses with a public reference", ""]
        lines += _table(("implementation", "version", "file", "flag", "reference"), published)
    if missing := [(run.name, run.reason) for run in runs if run.results is None]:
        lines += ["", "## Not run", "", *_table(("implementation", "reason"), missing)]
    return "\n".join(lines) + "\n"


def row(run: Run) -> str:
    """Return the line of the page that has the totals of an implementation.

    Args:
        run: An implementation that was run.

    Returns:
        The line, without a line feed.
    """
    return _line(_cells(run))


def changes(runs: Sequence[Run], published: str) -> list[str]:
    """Return the rows that differ from those of a page for the same versions.

    Args:
        runs: The implementations.
        published: The page.

    Returns:
        The rows. An implementation of another version, or one that was not run, has none.
    """
    lines = published.splitlines()
    rows = [(run, row(run)) for run in runs if run.results is not None]
    return [
        line
        for run, line in rows
        if line not in lines and any(old.startswith(_start(run)) for old in lines)
    ]


def _start(run: Run) -> str:
    """Return the beginning of the row of an implementation in this version."""
    return f"| {run.name} | {run.version} |"


def _cells(run: Run) -> Sequence[str]:
    """Return the cells of `_HEAD` for an implementation."""
    results = run.results or {}
    total = results["total"]
    wrong = Counter(
        failure["severity"] for failure in results["failures"] if failure["verdict"] != "crashed"
    )
    counts = (
        sum(total.values()),
        total["right"],
        *(wrong[name] for name in SEVERITIES),
        total["crashed"],
        total["not supported"],
    )
    return (run.name, run.version, *map(str, counts))


def _published(runs: Sequence[Run], known: Sequence[Reference]) -> Iterator[Sequence[str]]:
    """Yield a row for each reference whose flag has a failure in its implementation."""
    for run in runs:
        failures = () if run.results is None else run.results["failures"]
        failed = {(run.name, failure["file"], failure["flag"]) for failure in failures}
        for reference in known:
            if reference[:3] in failed:
                yield (run.name, run.version, reference.file, reference.flag, reference.url)


def _table(
    head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]
) -> list[str]:
    """Return the lines of a table; the columns of counts are aligned to the right."""
    rule = [" ---: " if name in _HEAD[2:] else " --- " for name in head]
    return [_line(head), f"|{'|'.join(rule)}|", *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""The results of a run as a page in Markdown, for a person who was not there."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import kmscore_vectors
from kmscore_vectors.answers import missing
from kmscore_vectors.excerpt import cut
from kmscore_vectors.judgement import Judgement, Results
from kmscore_vectors.report import Heading, flags
from kmscore_vectors.report.texts import (
    evidence,
    lines,
    reason_text,
    summary,
    unproven_lines,
)
from kmscore_vectors.terminal import printable

_VALUE: Final = 300  # characters of a value
_TEXT: Final = 1000  # characters of a text of one line
_PER_FLAG: Final = 3  # failures of a flag that are shown whole
_NUMBERED: Final = 50  # other failures of a flag of which the numbers are shown
_MARKS: Final = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$@])")
_LINK: Final = re.compile(r"https?://[!-;=?-~]+", re.ASCII)
_INDENT: Final = "    "  # the form of a code block that no text in it can end


def to_markdown(results: Results, heading: Heading) -> str:
    """Return the results as a page in Markdown."""
    return "\n".join(_page(results, heading)) + "\n"


def _page(results: Results, heading: Heading) -> Iterator[str]:
    """Yield the lines of the page."""
    outcome = "passed" if results.is_success else "failed"
    yield f"# Test vectors on {_text(heading.label)}: {outcome}"
    yield from ("", f"{_text(summary(results))}", "")
    yield f"- Implementation: {_text(heading.label)}"
    yield f"- Version: {_text(heading.version or 'not given')}"
    yield f"- Vectors: kmscore-vectors {kmscore_vectors.__version__}, {_text(str(heading.folder))}"
    if len(results.by_subject) > 1:
        for subject, number in results.by_subject.items():
            yield f"- {_text(subject)}: {number:,} tests"
    for line in unproven_lines(results):
        yield f"- **{_text(line)}**"
    yield from _severities(results)
    yield from _flags(results)
    yield from _failures(results)


def _severities(results: Results) -> Iterator[str]:
    """Yield the table of totals by severity."""
    yield from ("", "## Totals by severity", "")
    yield from _header("severity")
    for severity, counter in results.by_severity.items():
        yield _row(_text(severity), *flags.row(counter))
    yield from ("", f"{_text(flags.LEGEND)}")


def _flags(results: Results) -> Iterator[str]:
    """Yield the table of flags with failures, and the number of the other flags."""
    files = list(flags.by_file(results))
    yield from ("", "## Flags", "")
    if any(counts.failed for counts in files):
        yield from _header("flag")
        for counts in files:
            for flag, counter in counts.failed.items():
                yield _row(_text(f"{counts.file} {flag}"), *flags.row(counter))
        yield ""
    for counts in files:
        for line in counts.lines():
            yield f"- {_text(line)}"


def _failures(results: Results) -> Iterator[str]:
    """Yield the failures of each flag, with its effect and its links."""
    groups: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in results.failures:
        groups.setdefault((judgement.test.file, judgement.test.flag), []).append(judgement)
    if groups:
        yield from ("", "## Failures")
    for (file, flag), judgements in groups.items():
        yield from ("", f"### {_text(f'{file} {flag}')}")
        test = judgements[0].test
        # A test without an answer shows no weakness.
        if test.effect and any(missing(judgement.answer) is None for judgement in judgements):
            yield from ("", f"Effect: {_text(test.effect)}")
        for link in test.links:
            yield from ("", f"<{link}>" if _LINK.fullmatch(link) else _text(link))
        for judgement in judgements[:_PER_FLAG]:
            yield from _failure(judgement)
        if others := judgements[_PER_FLAG:]:
            numbers = ", ".join(str(other.test.tc_id) for other in others[:_NUMBERED])
            more = f" and {len(others) - _NUMBERED:,} more" if len(others) > _NUMBERED else ""
            yield from ("", f"Also failed: {numbers}{more}")


def _failure(judgement: Judgement) -> Iterator[str]:
    """Yield a failed test: its verdict, inputs, expected result and answer."""
    test, found = judgement.test, evidence(judgement)
    yield from ("", f"#### {_text(f'{test.file}:{test.tc_id}: {test.comment}')}", "")
    yield f"- Implementation: {_text(judgement.subject)}"
    yield f"- Verdict: {_text(judgement.verdict.value)}"
    yield f"- Severity: {_text(test.severity)}"
    if test.section:
        yield f"- Section: {_text(test.section)}"
    if found.case:
        yield f"- {_text(found.case)}"
    yield from _block("Inputs:", found.inputs)
    yield from _block("Expected:", found.expected)
    if found.reason is None:
        yield from _block("Answer:", found.answer)
        if found.difference is not None:
            yield from _block("First difference:", found.difference._asdict())
    else:
        yield from ("", "No answer:", "")
        yield from (f"{_INDENT}{line}" for line in reason_text(found.reason).splitlines())


def _block(title: str, fields: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", title, "")
    yield from (f"{_INDENT}{line}" for line in lines(fields, _VALUE))


def _header(first: str) -> Iterator[str]:
    yield _row(first, *flags.COLUMNS)
    yield _row("---", *("---:" for _ in flags.COLUMNS))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Return a text on one line that has no meaning in Markdown or HTML."""
    return _MARKS.sub(r"\\\1", cut(printable(text), _TEXT))

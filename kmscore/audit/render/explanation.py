"""An explanation as text, as a JSON document, and as a part of a page."""

from collections.abc import Iterator, Mapping
from html import escape
from json import dumps
from textwrap import wrap
from typing import Final

from kmscore._printable import printable
from kmscore._typecheck import check_instance
from kmscore.audit.explanation import Explanation, Finding, Verdict
from kmscore.audit.records import OK, Trace

_WIDTH: Final = 80
_HEADINGS: Final = {
    Verdict.OPENS: "Found",
    Verdict.AUTHENTICATES_PARTLY: "Found in part",
    Verdict.SUGGESTS: "A hint",
    Verdict.LOST: "Lost",
}
_UNKNOWN: Final = (
    "The cause was not found. This does not show that the ciphertext was changed on purpose."
)


def findings_text(explanation: Explanation) -> str:
    """Return an explanation as a text with lines of at most 80 characters.

    Args:
        explanation: The explanation.

    Returns:
        The text, which ends with a line feed.

    Raises:
        TypeError: If `explanation` is not an `Explanation`.
    """
    check_instance(explanation, Explanation, "explanation")
    return "".join(f"{line}\n" for line in _lines(explanation))


def findings_json(explanation: Explanation) -> str:
    """Return an explanation as a JSON document.

    Args:
        explanation: The explanation.

    Returns:
        One JSON object in ASCII, indented by two spaces.

    Raises:
        TypeError: If `explanation` is not an `Explanation`.
    """
    check_instance(explanation, Explanation, "explanation")
    document = {
        "opens": explanation.opens,
        "stopped_by": explanation.stopped_by,
        "check": explanation.check,
        "findings": [
            {
                "code": finding.code,
                "verdict": finding.verdict.value,
                "fact": finding.fact,
                "reading": finding.reading,
                "remedy": finding.remedy,
                "evidence": finding.evidence,
                "change": dict(finding.change),
            }
            for finding in explanation.findings
        ],
        "tried": dict(explanation.tried),
        "exhausted": explanation.exhausted,
    }
    return dumps(document, indent=2) + "\n"


def findings_card(explanation: Explanation) -> str:
    """Return the part of a page with the heading `What would open it`."""
    check_instance(explanation, Explanation, "explanation")
    if explanation.stopped_by == OK:
        return ""
    findings = "".join(map(_item, explanation.findings)) or f"<p>{_UNKNOWN}</p>"
    return (
        '<section class="card"><h3>What would open it</h3>'
        f'{findings}<p class="more">{_text(_trials(explanation))}</p></section>'
    )


def wrong_bytes(explanation: Explanation | None, trace: Trace) -> frozenset[tuple[str, int]]:
    """Return value and offset of the bytes that differ from those of a finding."""
    found: set[tuple[str, int]] = set()
    for finding in () if explanation is None else explanation.findings:
        change = finding.change
        if "transport" in change:
            continue  # the offsets are those of the decoded bytes
        if "offset" in change:
            length = len(str(change["xor"])) // 2 if "xor" in change else _number(change, "length")
            start = _number(change, "offset")
            found |= {("blob", start + index) for index in range(length)}
        own = trace.values.get("canonical")
        if "canonical" in change and own is not None:
            right = bytes.fromhex(str(change["canonical"]))
            if len(right) == len(own.data):
                pairs = enumerate(zip(own.data, right, strict=True))
                found |= {("canonical", index) for index, (was, now) in pairs if was != now}
    return frozenset(found)


def _number(change: Mapping[str, object], name: str) -> int:
    return int(str(change.get(name, 0)))


def _lines(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of the text."""
    if explanation.stopped_by == OK:
        yield "It decrypts."
        return
    yield from _wrapped(f"It does not decrypt (error {explanation.stopped_by}).")
    if explanation.check:
        yield from _wrapped(explanation.check, 2)
    yield ""
    for finding in explanation.findings:
        yield from _wrapped(f"{_HEADINGS[finding.verdict]}: {finding.fact}.")
        for name, words in _details(finding):
            yield from _wrapped(f"{name}: {words}", 2)
        yield ""
    if not explanation.findings:
        yield from _wrapped(_UNKNOWN)
    yield from _wrapped(_trials(explanation))


def _details(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yield name and text of the details of a finding."""
    yield "probably", finding.reading
    yield "advice", finding.remedy
    yield "evidence", finding.evidence
    yield "code", finding.code


def _trials(explanation: Explanation) -> str:
    """Return the sentence on the trials."""
    number = sum(explanation.tried.values())
    families = ", ".join(f"{name} {count:,}" for name, count in explanation.tried.items())
    end = " The budget ended the search." if explanation.exhausted else ""
    return f"Trials: {number:,}{f' ({families})' if families else ''}.{end}"


def _item(finding: Finding) -> str:
    """Return a finding as a part of a page."""
    details = "".join(
        f"<small>{_text(name)}: {_text(words)}</small>" for name, words in _details(finding)
    )
    heading = _HEADINGS[finding.verdict]
    return (
        f'<div class="finding {finding.verdict.value}"><p><b>{heading}:</b>'
        f" {_text(finding.fact)}.</p>{details}</div>"
    )


def _text(value: str) -> str:
    return escape(printable(value))


def _wrapped(sentence: str, indent: int = 0) -> list[str]:
    """Return a text in lines, with escapes."""
    space = " " * indent
    return wrap(
        printable(sentence),
        _WIDTH,
        initial_indent=space,
        subsequent_indent=space * 2,
        break_on_hyphens=False,
    )

"""The results of a run as JUnit XML: a suite for each file and operation, a case for each test.

All texts are in ASCII without control characters, so that every answer gives valid XML.
"""

from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kmscore_vectors.excerpt import cut
from kmscore_vectors.judgement import Judgement, Results, Verdict
from kmscore_vectors.report import Heading
from kmscore_vectors.report.texts import evidence, lines, reason_text
from kmscore_vectors.terminal import printable

_ATTRIBUTE: Final = 200  # characters
_VALUE: Final = 1000  # characters of a value


def to_junit(results: Results, heading: Heading) -> str:
    """Return the results as a JUnit XML document."""
    suites: dict[tuple[str, str], list[Judgement]] = {}
    for judgement in results.judgements:
        test = judgement.test
        suites.setdefault((f"{test.file}.{test.operation}", judgement.subject), []).append(
            judgement
        )
    root = Element("testsuites", _counts(heading.implementation, results.judgements))
    for (name, subject), judgements in suites.items():
        title = f"{name} ({subject})" if len(results.by_subject) > 1 else name
        suite = SubElement(root, "testsuite", _counts(title, judgements))
        properties = SubElement(suite, "properties")
        for key, value in (("label", heading.label), ("version", heading.version)):
            SubElement(properties, "property", {"name": key, "value": _attribute(value)})
        for judgement in judgements:
            _add_case(suite, name, judgement)
    indent(root)
    document: bytes = tostring(root, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _counts(name: str, judgements: Iterable[Judgement]) -> dict[str, str]:
    """Return the attributes of a suite."""
    verdicts = [judgement.verdict for judgement in judgements]
    return {
        "name": _attribute(name),
        "tests": str(len(verdicts)),
        "failures": str(sum(map(_is_failure, verdicts))),
        "errors": "0",
        "skipped": str(verdicts.count(Verdict.UNSUPPORTED)),
    }


def _is_failure(verdict: Verdict) -> bool:
    """Return whether a verdict fails the run."""
    return verdict.is_failure or verdict is Verdict.UNPROVEN


def _add_case(suite: Element, name: str, judgement: Judgement) -> None:
    """Add a test to its suite."""
    test, verdict = judgement.test, judgement.verdict
    title = _attribute(f"{test.file}:{test.tc_id} {test.flag}: {test.comment}")
    case = SubElement(suite, "testcase", {"classname": name, "name": title})
    if verdict is Verdict.UNSUPPORTED:
        SubElement(case, "skipped", {"message": verdict.value})
    elif _is_failure(verdict):
        message = f"{verdict.value}: {test.comment}"
        attributes = {"type": verdict.value, "message": _attribute(message)}
        SubElement(case, "failure", attributes).text = _details(judgement)


def _details(judgement: Judgement) -> str:
    """Return the verdict, the inputs, the expected result, the answer and the effect."""
    test, found = judgement.test, evidence(judgement)
    parts = [
        f"verdict: {judgement.verdict.value}",
        f"severity: {test.severity}",
        f"section: {test.section}" if test.section else "",
        found.case,
        *_block("inputs", lines(found.inputs, _VALUE)),
        *_block("expected", lines(found.expected, _VALUE)),
    ]
    if found.reason is None:
        parts += _block("answer", lines(found.answer, _VALUE))
        if found.difference is not None:
            parts += _block("first difference", lines(found.difference._asdict(), _VALUE))
    else:
        parts += _block("no answer", reason_text(found.reason).splitlines())
    if test.effect:
        parts.append(f"effect: {printable(test.effect)}")
    return "\n".join(part for part in parts if part)


def _block(title: str, content: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in content)]


def _attribute(text: str) -> str:
    return cut(printable(text), _ATTRIBUTE)

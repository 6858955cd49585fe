"""The results of a run as one JSON object."""

import json
from collections import Counter
from typing import Any

from kmscore_vectors.accumulation import FIRST_WRONG
from kmscore_vectors.answers import Answer
from kmscore_vectors.excerpt import shown
from kmscore_vectors.judgement import Judgement, Results, Verdict
from kmscore_vectors.report import Heading
from kmscore_vectors.report.texts import evidence


def to_json(results: Results, heading: Heading) -> str:
    """Return the results as one JSON object, with the library if `verify` ran it.

    The values of inputs, expected results and answers are cut to `excerpt.LONGEST` characters.
    """
    by_flag: dict[str, dict[str, dict[str, int]]] = {}
    for (file, flag), counter in results.by_flag.items():
        by_flag.setdefault(file, {})[flag] = _by_name(counter)
    document: dict[str, object] = {
        "success": results.is_success,
        "label": heading.label,
        "version": heading.version or None,
        "folder": str(heading.folder),
        "total": _by_name(results.total),
        "severities": {
            severity: _by_name(counter) for severity, counter in results.by_severity.items()
        },
        "subjects": results.by_subject,
        "flags": by_flag,
        "unproven": [each._asdict() for each in results.unproven],
        "failures": [_failure(judgement) for judgement in results.failures],
    }
    if (library := heading.library) is not None:
        document["library"] = library._asdict() | {"folder": str(library.folder)}
    return json.dumps(document, indent=2)


def _failure(judgement: Judgement) -> dict[str, Any]:
    """Return a failed test with its question, its expected result and its answer."""
    test, different = judgement.test, evidence(judgement).difference
    return {
        "subject": judgement.subject,
        "file": test.file,
        "tcId": test.tc_id,
        "operation": test.operation,
        "flag": test.flag,
        "severity": test.severity,
        "section": test.section,
        "comment": test.comment,
        "verdict": judgement.verdict.value,
        "inputs": shown(test.inputs),
        "expected": shown(test.expected),
        "answer": _answer(judgement.answer),
        "difference": different and different._asdict(),
        "effect": test.effect,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    """Return an answer with bounded values, also those of its first wrong case."""
    fields = {name: value for name, value in answer.items() if name != FIRST_WRONG}
    if (first := answer.get(FIRST_WRONG)) is None:
        return shown(fields)
    groups = {name: shown(first[name]) for name in ("inputs", "expected", "answer")}
    return {**shown(fields), FIRST_WRONG: {**first, **groups}}


def _by_name(counter: Counter[Verdict]) -> dict[str, int]:
    return {verdict.value: counter[verdict] for verdict in Verdict}

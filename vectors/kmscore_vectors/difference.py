"""The first difference between the expected outputs and those of an answer."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kmscore_vectors.answers import Answer

_BEFORE: Final = 8  # equal characters that are shown before the first different one
_AFTER: Final = 80  # characters that are shown from there
_PLACE: Final = 80  # characters of the names of fields


class Difference(NamedTuple):
    """The field that differs, and a part of both values."""

    place: str
    """The names of the fields, joined with points, and the offset or another reason."""
    expected: str
    answered: str


def first_difference(expected: Answer, answer: Answer) -> Difference | None:
    """Return the first field that differs, in the order of the expected result.

    Args:
        expected: The expected outputs.
        answer: The outputs of the implementation.

    Returns:
        The difference; `None` if there is none, or if either is an error.
    """
    if "error" in expected or "error" in answer:
        return None
    return next(_differences(expected, answer, ""), None)


def _differences(
    expected: Mapping[str, Any], answer: Mapping[str, Any], prefix: str
) -> Iterator[Difference]:
    """Yield the differences of the fields of two objects."""
    for name in {**expected, **answer}:
        place = f"{prefix}{name}"[:_PLACE]
        if name not in answer:
            yield Difference(f"{place} is missing", _start(expected[name]), "nothing")
        elif name not in expected:
            yield Difference(f"{place} is not an output", "nothing", _start(answer[name]))
        elif isinstance(expected[name], Mapping) and isinstance(answer[name], Mapping):
            yield from _differences(expected[name], answer[name], f"{place}.")
        elif expected[name] != answer[name]:
            yield _of_values(place, expected[name], answer[name])


def _of_values(place: str, expected: object, answered: object) -> Difference:
    """Return the difference of two values: of texts, from the first different character."""
    if not (isinstance(expected, str) and isinstance(answered, str)):
        return Difference(place, _start(expected), _start(answered))
    pairs = enumerate(zip(expected, answered, strict=False))
    shorter = min(len(expected), len(answered))
    offset = next((number for number, (due, given) in pairs if due != given), shorter)
    reason = f"{place} differs at character {offset:,} of {len(expected):,}"
    return Difference(reason, _part(expected, offset), _part(answered, offset))


def _start(value: object) -> str:
    """Return the start of the JSON of a value."""
    return _part(json.dumps(value), 0)


def _part(text: str, offset: int) -> str:
    """Return a text from a few characters before an offset, with a mark for each part left out."""
    start = max(0, offset - _BEFORE)
    more = "…" if len(text) > offset + _AFTER else ""
    return f"{'…' if start else ''}{text[start : offset + _AFTER]}{more}" or "nothing"

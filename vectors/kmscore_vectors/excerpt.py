"""Excerpts of long values: bounds for the answers in memory, and for the values in reports."""

import json
from collections.abc import Mapping
from typing import Any, Final, Self

from kmscore_vectors.answers import REASONS, Answer

LONGEST: Final = 1000
"""Characters of a value: of a text, or of the JSON of another value."""

_END: Final = 450  # characters at each end of a long reason
_FIELDS: Final = 20
"""Fields of an answer. No operation has so many outputs."""


class Excerpt(str):
    """The first `LONGEST` characters of a longer text.

    Attributes:
        left_out: The number of the other characters.
    """

    __slots__ = ("left_out",)
    left_out: int

    def __new__(cls, text: str) -> Self:
        """Keep the start of a text."""
        kept = super().__new__(cls, text[:LONGEST])
        kept.left_out = len(text) - len(kept)
        return kept


def excerpt(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    """Return a value; of one that is too long, the start of the text or of the JSON."""
    if isinstance(value, Excerpt):
        return value
    text = value if isinstance(value, str) else json.dumps(value)
    return value if len(text) <= LONGEST else Excerpt(text)


def bounded(answer: Answer) -> Answer:
    """Return an answer with excerpts of its long values.

    Args:
        answer: The answer.

    Returns:
        The same fields; or, if there are too many fields or a name is too long, the single field
        `outputs` with the start of the JSON.
    """
    if len(answer) > _FIELDS or any(len(name) > LONGEST for name in answer):
        return {"outputs": Excerpt(json.dumps(answer))}
    return {
        name: _short_reason(value) if name in REASONS else excerpt(value)
        for name, value in answer.items()
    }


def _short_reason(reason: str) -> str:
    """Return the start and the end of a reason, because an exception is at its end."""
    if len(reason) <= LONGEST:
        return reason
    return f"{reason[:_END]} … ({len(reason) - 2 * _END:,} more characters) … {reason[-_END:]}"


def cut(text: str, longest: int, others: int = 0) -> str:
    """Return the start of a text, with the number of the characters that are left out.

    Args:
        text: The text, or an excerpt.
        longest: The number of characters to keep.
        others: The number of characters that had already been left out of its parts.

    Returns:
        The text, if it is complete and short enough; otherwise its start and the number.
    """
    more = max(0, len(text) - longest) + left_out(text) + others
    return f"{text[:longest]}… ({more:,} more characters)" if more else text


def left_out(value: object) -> int:
    """Return the number of characters that a value does not have, because it is an excerpt."""
    return value.left_out if isinstance(value, Excerpt) else 0


def shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields for a JSON report: each long value is cut to `LONGEST` characters."""
    excerpts = {name: excerpt(value) for name, value in fields.items()}
    return {
        name: cut(value, LONGEST) if isinstance(value, str) else value
        for name, value in excerpts.items()
    }

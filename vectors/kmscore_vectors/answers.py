"""The forms of an answer, of one that is missing, and of the implementations that answer."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

Answer: TypeAlias = Mapping[str, Any]
"""Outputs by name; or `error` with a code; or `unsupported`; or the reason of a missing answer.

The reason is in `crash` if the implementation ended, or reports an exception that it does not
document; or else in `failure`.
"""

Ask: TypeAlias = Callable[[str, Mapping[str, Any]], Answer]
"""A function from an operation and its inputs to the answer of the implementation under test."""


class Configuration(NamedTuple):
    """One way to run a library."""

    name: str
    """Its name in the reports."""

    files: tuple[str, ...]
    """The names of the files whose results depend on it."""

    ask: Ask
    """The function that asks the library."""


REASONS: Final = ("crash", "failure")
"""The fields with the reason of a missing answer."""

PATIENCE: Final = 10
"""The number of failures in a row after which the process is not started again."""

GIVEN_UP: Final = f"not asked any more, after {PATIENCE} failures in a row"
"""The failure of each question that is not asked for this reason."""

_RESERVED: Final = frozenset({"error", "unsupported", "id", "outputs", *REASONS})


def are_outputs(outputs: Mapping[str, Any]) -> bool:
    """Return whether outputs are texts, or objects of texts and nulls, as in every operation."""
    if not _RESERVED.isdisjoint(outputs):
        return False
    groups = [value if isinstance(value, dict) else {"": value} for value in outputs.values()]
    return all(isinstance(name, str) for group in (outputs, *groups) for name in group) and all(
        value is None or isinstance(value, str) for group in groups for value in group.values()
    )


def missing(answer: Answer) -> str | None:
    """Return the reason of a missing answer; None if there is an answer."""
    return next((answer[name] for name in REASONS if name in answer), None)

"""A trace as a text for a terminal of 80 columns."""

from collections.abc import Collection, Iterator
from textwrap import wrap
from typing import Final

from kmscore._printable import letters, printable
from kmscore.audit.notation import formula_text, short_id
from kmscore.audit.records import Secrecy, Step, Trace, Value
from kmscore.audit.render.reveal import check_rendering, hidden_words, verdict
from kmscore.audit.replaying import Replay, replay

_WIDTH: Final = 80
_ROW: Final = 16  # bytes in a line
_SHOWN: Final = 96  # most bytes of a value
_FIRST, _LAST = 8, 4  # values of a step that has more than both together


def text(trace: Trace, *, reveal: Collection[Secrecy] = frozenset()) -> str:
    """Return a trace as a text with lines of at most 80 characters.

    Control characters, and marks that change the direction of a text, are escaped. The text leaves
    out the middle of a long value and of a long list of values; the JSON form has all.

    Args:
        trace: The trace.
        reveal: The levels above `Secrecy.PUBLIC` whose values are shown.

    Returns:
        The text, which ends with a line feed.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `reveal` contains `Secrecy.KEY`.
    """
    shown = check_rendering(trace, reveal)
    lines = [verdict(trace)]
    for number, step in enumerate(trace.steps, 1):
        lines += ["", *_step_lines(number, step, shown)]
    lines += ["", *_end(trace, replay(trace))]
    return "\n".join(map(printable, lines)) + "\n"


def _step_lines(number: int, step: Step, shown: frozenset[Secrecy]) -> Iterator[str]:
    """Yield the lines of a step."""
    side = step.id.rpartition(".")[0]
    title = f"{number:2}  {f'{side}: ' if side else ''}{step.title}"
    yield f"{title}{f'SPEC {step.section}':>{_WIDTH - len(title)}}"
    for line in step.formula.splitlines():
        yield from _wrapped(line, 4)
    values = step.values
    left_out = len(values) - _FIRST - _LAST
    if left_out > 0:
        for value in values[:_FIRST]:
            yield from _value_lines(value, shown)
        yield f"    … {left_out:,} more values"
        values = values[-_LAST:]
    for value in values:
        yield from _value_lines(value, shown)
    for check in step.checks:
        mark = "✓" if check.passed else "✕"
        yield from _wrapped(f"{mark} {check.statement}", 4)


def _value_lines(value: Value, shown: frozenset[Secrecy]) -> Iterator[str]:
    """Yield the lines of a value."""
    yield from _wrapped(f"{short_id(value.id)}: {value.name}; {formula_text(value)}", 4)
    if value.secrecy not in shown:
        yield f"        ({hidden_words(value)})"
        return
    data = value.data[:_SHOWN]
    for start in range(0, len(data), _ROW):
        row = data[start : start + _ROW]
        yield f"        {row.hex(' '):{3 * _ROW}} {letters(row)}"
    if not data:
        yield "        (no bytes)"
    elif len(value.data) > _SHOWN:
        yield f"        … {len(value.data) - _SHOWN:,} more bytes"


def _end(trace: Trace, replayed: Replay) -> Iterator[str]:
    """Yield the comparisons with the library, and the result of the replay."""
    yield "Compared with the library"
    for tie in trace.ties:
        yield from _wrapped(f"{'✓' if tie.agrees else '✕'} {tie.statement}", 4)
    yield from _wrapped(
        f"{'✕' if replayed.wrong else '✓'} {replayed.recomputed:,} values computed again,"
        f" {len(replayed.wrong)} of them differ",
        4,
    )
    if replayed.wrong or not trace.agrees:
        yield "The trace and the library disagree: trust neither, and report it."


def _wrapped(line: str, indent: int) -> list[str]:
    """Return a text in lines, each with an indent."""
    first, rest = " " * indent, " " * (indent + 4)
    return wrap(printable(line), _WIDTH, initial_indent=first, subsequent_indent=rest) or [first]

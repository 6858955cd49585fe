"""A trace as a text for a terminal of 80 columns."""

from collections.abc import Collection, Iterator
from enum import Enum, auto
from textwrap import wrap
from typing import Final, NamedTuple

from kmscore._printable import ascii_column, printable
from kmscore.audit.notation import formula_text
from kmscore.audit.records import ByteMap, Check, Secrecy, Step, Trace, Value
from kmscore.audit.render.reveal import (
    abridge,
    check_rendering,
    hidden_words,
    judge,
    title_of,
    warning,
)
from kmscore.audit.wording import count

_WIDTH: Final = 80
_ROW: Final = 16  # bytes in a line
_SHOWN: Final = 96  # most bytes of a value without fields
_ROW_OF_FIELD: Final = 8  # bytes in a line of a field
_SHOWN_OF_FIELD: Final = 64  # most bytes of a field
_FIELDS: Final = 40  # most fields of a value


class Kind(Enum):
    """The kind of a line."""

    TITLE = auto()
    PASSED = auto()
    FAILED = auto()
    OTHER = auto()


class Line(NamedTuple):
    """One line of a text."""

    kind: Kind
    text: str


def text(trace: Trace, *, reveal: Collection[Secrecy] = frozenset()) -> str:
    """Return a trace as a text with lines of at most 80 characters.

    Control characters, and marks that change the direction of a text, are escaped. The text leaves
    out the middle of a long value and of a long list of values; the JSON form has all.

    Args:
        trace: The trace.
        reveal: The levels above `Secrecy.PUBLIC` whose values are shown. `Secrecy.MESSAGE` includes
            `Secrecy.PLAINTEXT`.

    Returns:
        The text, which ends with a line feed.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `reveal` contains `Secrecy.KEY`.
    """
    return "".join(f"{line.text}\n" for line in lines(trace, check_rendering(trace, reveal)))


def lines(trace: Trace, shown: frozenset[Secrecy]) -> Iterator[Line]:
    """Yield the lines of a trace, each with its kind."""
    judgement = judge(trace)
    kind = Kind.PASSED if judgement.is_trusted and trace.failed is None else Kind.FAILED
    yield from _wrapped(kind, judgement.outcome, 0)
    yield from _wrapped(Kind.OTHER, warning(trace, shown), 0)
    maps = {each.value_id: each for each in trace.maps}
    for number, step in enumerate(trace.steps, 1):
        yield Line(Kind.OTHER, "")
        yield from _step_lines(number, step, shown, maps)
    yield Line(Kind.OTHER, "")
    yield Line(Kind.TITLE, "Compared with the library")
    for tie in trace.ties:
        yield from _check_lines(tie.statement, passed=tie.agrees)
    yield from _wrapped(Kind.PASSED if judgement.is_trusted else Kind.FAILED, judgement.evidence, 0)


def _step_lines(
    number: int, step: Step, shown: frozenset[Secrecy], maps: dict[str, ByteMap]
) -> Iterator[Line]:
    """Yield the lines of a step."""
    title = f"{number:2}  {title_of(step)}"
    yield Line(Kind.TITLE, f"{title}{f'SPEC {step.section}':>{_WIDTH - len(title)}}")
    for line in step.formula.splitlines():
        yield from _wrapped(Kind.OTHER, line, 4)
    first, left_out, last = abridge(step)
    for value in first:
        yield from _value_lines(value, shown, maps.get(value.id))
    if left_out:
        yield Line(Kind.OTHER, f"    … {count(left_out, 'more value')}")
    for value in last:
        yield from _value_lines(value, shown, maps.get(value.id))
    for check in step.checks:
        yield from _check_lines(_with_code(check), passed=check.passed)


def _with_code(check: Check) -> str:
    """Return a statement, with the code of the error if it is false."""
    return check.statement if check.passed else f"{check.statement} (else {check.code})"


def _check_lines(statement: str, *, passed: bool) -> list[Line]:
    kind, mark = (Kind.PASSED, "✓") if passed else (Kind.FAILED, "✕")
    return _wrapped(kind, f"{mark} {statement}", 4)


def _value_lines(
    value: Value, shown: frozenset[Secrecy], byte_map: ByteMap | None
) -> Iterator[Line]:
    """Yield the lines of a value."""
    yield from _wrapped(Kind.OTHER, f"{value.symbol}: {value.name}; {formula_text(value)}", 4)
    if value.secrecy not in shown:
        yield Line(Kind.OTHER, f"        ({hidden_words(value)})")
    elif not value.data:
        yield Line(Kind.OTHER, "        (no bytes)")
    elif byte_map is not None:
        yield from _field_lines(value.data, byte_map)
    else:
        for start in range(0, min(len(value.data), _SHOWN), _ROW):
            row = value.data[start : min(start + _ROW, _SHOWN)]
            yield Line(Kind.OTHER, f"        {row.hex(' '):{3 * _ROW}} {ascii_column(row)}")
        yield from _more_bytes(len(value.data) - _SHOWN)


def _field_lines(data: bytes, byte_map: ByteMap) -> Iterator[Line]:
    """Yield the bytes of a value, field by field."""
    for field in byte_map.fields[:_FIELDS]:
        words = _wrapped_texts(f"{field.name}: {field.meaning}", 41)
        content = data[field.offset : field.offset + min(field.length, _SHOWN_OF_FIELD)]
        rows = [
            content[start : start + _ROW_OF_FIELD]
            for start in range(0, len(content), _ROW_OF_FIELD)
        ]
        for index in range(max(len(rows), len(words))):
            row = rows[index].hex(" ") if index < len(rows) else ""
            offset = f"{field.offset + index * _ROW_OF_FIELD:04x}" if row or not index else ""
            word = words[index] if index < len(words) else ""
            yield Line(Kind.OTHER, f"        {offset:4}  {row:23}  {word}".rstrip())
        yield from _more_bytes(field.length - _SHOWN_OF_FIELD)
    if len(byte_map.fields) > _FIELDS:
        yield Line(Kind.OTHER, f"        … {count(len(byte_map.fields) - _FIELDS, 'more field')}")


def _more_bytes(number: int) -> Iterator[Line]:
    if number > 0:
        yield Line(Kind.OTHER, f"        … {count(number, 'more byte')}")


def _wrapped_texts(sentence: str, width: int) -> list[str]:
    """Return a text in lines, with escapes."""
    return wrap(printable(sentence), width, break_on_hyphens=False)


def _wrapped(kind: Kind, sentence: str, indent: int) -> list[Line]:
    """Return a text in lines, each with an indent."""
    first, rest = " " * indent, " " * (indent + 4 * bool(indent))
    texts = wrap(
        printable(sentence),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )
    return [Line(kind, each) for each in texts]

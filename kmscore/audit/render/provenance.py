"""The place of each byte of a trace in a ciphertext or context, for the colours of a page."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from kmscore.audit.records import Formula, Trace, Value
from kmscore.audit.render.style import COLOURS


class Mark(NamedTuple):
    """The place of a byte in a map."""

    map: int
    """The number of the map."""

    field: int
    """The number of the field."""

    offset: int
    """The offset in the map, in bytes."""


Marks: TypeAlias = tuple[Mark | None, ...]
"""The place of each byte of a value; `None` for a byte that is in no map."""


def colours_of(trace: Trace) -> tuple[tuple[str, ...], ...]:
    """Return the class of each field of each map: a colour, or neutral.

    Fields that are not neutral have different colours until all are used.
    """
    used = 0
    result = []
    for each in trace.maps:
        classes = []
        for field in each.fields:
            if field.is_neutral:
                classes.append("n")
            else:
                classes.append(f"h{used % COLOURS}")
                used += 1
        result.append(tuple(classes))
    return tuple(result)


def marks_of(trace: Trace) -> Mapping[str, Marks]:
    """Return the places of the bytes of all values that have some."""
    values = trace.values
    marks: dict[str, Marks] = {}
    for number, each in enumerate(trace.maps):
        # The bytes of the associated data keep their places in blob and context.
        if not all(field.is_neutral for field in each.fields):
            marks[each.value_id] = tuple(
                Mark(number, index, field.offset + place)
                for index, field in enumerate(each.fields)
                for place in range(field.length)
            )
    for value_id in list(marks):
        _push_down(values[value_id], values, marks)
    for value in values.values():
        if value.id not in marks and value.formula is not None:
            inherited = _inherit(value.formula, values, marks)
            if any(inherited):
                marks[value.id] = inherited
    return marks


def _push_down(value: Value, values: Mapping[str, Value], marks: dict[str, Marks]) -> None:
    """Give the inputs of a mapped value their places: parts that were joined, or one operand."""
    formula, own = value.formula, marks[value.id]
    if formula is None or formula.function not in {"join", "canonical", "xor"}:
        return
    # In a canonical context, 2 bytes precede all texts, and 2 bytes each text.
    gap = 2 if formula.function == "canonical" else 0
    offset = gap
    for argument in formula.arguments:
        size = len(argument if isinstance(argument, bytes) else values[str(argument)].data)
        offset += gap
        if isinstance(argument, str) and argument not in marks:
            marks[argument] = own[offset : offset + size]
            _push_down(values[argument], values, marks)
        if formula.function == "xor":
            return
        offset += size


def _inherit(formula: Formula, values: Mapping[str, Value], marks: Mapping[str, Marks]) -> Marks:
    """Return the places of the bytes that a formula takes unchanged, or masks."""
    if formula.function == "cut":  # first, so that no long value is copied for each of its blocks
        source, start, end = formula.arguments
        return marks.get(str(source), ())[int(start) : int(end)]
    parts: list[Marks] = []
    numbers = []
    for argument in formula.arguments:
        if isinstance(argument, int):
            numbers.append(argument)
        elif isinstance(argument, bytes):
            parts.append((None,) * len(argument))
        else:
            parts.append(marks.get(argument, (None,) * len(values[argument].data)))
    joined = tuple(mark for part in parts for mark in part)
    if formula.function == "first":
        return joined[: numbers[0]]
    if formula.function in {"join", "pad", "counter"}:
        return joined
    if formula.function == "xor":
        return parts[0]
    return ()

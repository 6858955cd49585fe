"""A trace as a JSON document."""

from collections.abc import Collection, Mapping
from json import dumps

from kmscore.audit.commands import command
from kmscore.audit.notation import formula_text
from kmscore.audit.records import Argument, Secrecy, Step, Trace, Value
from kmscore.audit.render.reveal import check_rendering, judge
from kmscore.audit.replaying import replay


def json(trace: Trace, *, reveal: Collection[Secrecy] = frozenset()) -> str:
    """Return a trace as a JSON document, with every step and every value.

    Args:
        trace: The trace.
        reveal: The levels above `Secrecy.PUBLIC` whose values are shown. `Secrecy.MESSAGE` includes
            `Secrecy.PLAINTEXT`.

    Returns:
        One JSON object in ASCII, indented by two spaces. A value that is not shown has no `data`.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `reveal` contains `Secrecy.KEY`.
    """
    shown = check_rendering(trace, reveal)
    replayed = replay(trace)
    document = {
        "operation": trace.operation,
        "outcome": trace.outcome,
        "trusted": judge(trace).is_trusted,
        "steps": [_step(step, trace.values, shown) for step in trace.steps],
        "maps": [
            {
                "name": each.name,
                "value": each.value_id,
                "fields": [field._asdict() for field in each.fields],
            }
            for each in trace.maps
        ],
        "ties": [tie._asdict() for tie in trace.ties],
        "replay": {"recomputed": replayed.recomputed, "wrong": list(replayed.wrong)},
    }
    return dumps(document, indent=2) + "\n"


def _step(step: Step, values: Mapping[str, Value], shown: frozenset[Secrecy]) -> dict[str, object]:
    """Return a step as an object."""
    return {
        "id": step.id,
        "title": step.title,
        "section": step.section,
        "formula": step.formula,
        "checks": [check._asdict() for check in step.checks],
        "verdict": step.verdict,
        "values": [_value(value, values, shown) for value in step.values],
    }


def _value(
    value: Value, values: Mapping[str, Value], shown: frozenset[Secrecy]
) -> dict[str, object]:
    """Return a value as an object."""
    fields: dict[str, object] = {"id": value.id, "name": value.name, "secrecy": value.secrecy.value}
    if value.formula is None:
        fields["source"] = value.source
    else:
        fields["formula"] = formula_text(value)
        fields["function"] = value.formula.function
        fields["arguments"] = [_argument(each) for each in value.formula.arguments]
    if value.secrecy in shown or value.has_public_length:
        fields["length"] = len(value.data)
    if value.secrecy in shown:
        fields["data"] = value.data.hex()
    line = command(value, values)
    if line is not None:
        fields["command"] = line
    return fields


def _argument(argument: Argument) -> object:
    """Return an argument: a number, the ID of a value, or hexadecimal digits."""
    if isinstance(argument, str):
        return {"value": argument}
    return {"hex": argument.hex()} if isinstance(argument, bytes) else argument

"""The notes from which a trace is made: steps, values, checks, maps and ties, in their order."""

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import NamedTuple, TypeVar

from kmscore.audit.primitives import PRIMITIVES
from kmscore.audit.records import (
    OK,
    Argument,
    ByteMap,
    Check,
    Field,
    Formula,
    Secrecy,
    Step,
    Tie,
    Trace,
    Value,
)
from kmscore.errors import KmsCoreError

_Result = TypeVar("_Result")


class Stopped(Exception):  # noqa: N818 (not an error of the caller)
    """The first check that failed, with the code of the error that it causes."""

    def __init__(self, code: str) -> None:
        """Take the code."""
        super().__init__(code)
        self.code = code


class Part(NamedTuple):
    """One field of a value, with the bytes that its meaning requires, if it requires some."""

    name: str
    length: int
    meaning: str
    expected: bytes | None = None
    is_neutral: bool = False


def number_part(name: str, number: int, length: int) -> Part:
    """Return a field with a number, big-endian."""
    return Part(name, length, str(number), number.to_bytes(length, "big"), is_neutral=True)


def text_part(name: str, text: str) -> Part:
    """Return a field with a text in UTF-8."""
    data = text.encode("utf-8")
    return Part(name, len(data), text, data)


class _Draft(NamedTuple):
    """A step that is being written."""

    id: str
    title: str
    section: str
    formula: str
    values: list[Value]
    checks: list[Check]


class _Pages(NamedTuple):
    """All that has been written down so far."""

    values: dict[str, Value]
    drafts: list[_Draft]
    maps: list[ByteMap]
    ties: list[Tie]


class Notes:
    """The trace of one operation while it is being written, or one side of it."""

    def __init__(self) -> None:
        """Begin without steps."""
        self._side = ""
        self._pages = _Pages({}, [], [], [])

    def of_side(self, side: str) -> "Notes":
        """Return the same notes for one side of a re-encryption, which begins all IDs."""
        notes = Notes()
        notes._side, notes._pages = f"{side}.", self._pages
        return notes

    def step(self, step_id: str, title: str, section: str, formula: str = "") -> None:
        """Begin a step."""
        self._pages.drafts.append(_Draft(self._side + step_id, title, section, formula, [], []))

    def give(
        self,
        name: str,
        meaning: str,
        data: bytes,
        source: str,
        secrecy: Secrecy = Secrecy.PUBLIC,
        *,
        has_public_length: bool = True,
    ) -> str:
        """Add a value that was given; return its ID."""
        return self._add(
            Value(
                self._side + name,
                meaning,
                data,
                secrecy,
                source=source,
                has_public_length=has_public_length,
            )
        )

    def compute(
        self,
        name: str,
        meaning: str,
        function: str,
        *arguments: Argument,
        secrecy: Secrecy = Secrecy.PUBLIC,
        has_public_length: bool = True,
    ) -> str:
        """Add the value of a formula; return its ID. Every text is the ID of a value."""
        inputs = (self.data(each) if isinstance(each, str) else each for each in arguments)
        return self._add(
            Value(
                self._side + name,
                meaning,
                PRIMITIVES[function](*inputs),
                secrecy,
                formula=Formula(function, arguments),
                has_public_length=has_public_length,
            )
        )

    def _add(self, value: Value) -> str:
        if value.id in self._pages.values:
            raise KeyError(value.id)
        self._pages.values[value.id] = value
        self._pages.drafts[-1].values.append(value)
        return value.id

    def data(self, value_id: str) -> bytes:
        """Return the bytes of a value."""
        return self._pages.values[value_id].data

    def check(self, statement: str, passed: bool, code: str) -> None:  # noqa: FBT001 (the result)
        """Add a check; raise `Stopped` with the code of the error if it failed."""
        self._pages.drafts[-1].checks.append(Check(statement, passed, code))
        if not passed:
            raise Stopped(code)

    def map(self, name: str, value_id: str, parts: Iterable[Part]) -> None:
        """Add the fields of a value, and the comparison of its bytes with their meanings."""
        data, fields, offset, agrees = self.data(value_id), [], 0, True
        for part in parts:
            fields.append(Field(part.name, offset, part.length, part.meaning, part.is_neutral))
            end = offset + part.length
            agrees &= part.expected in {None, data[offset:end]}
            offset = end
        self.tie(f"the {name} and the fields in it", agrees and offset == len(data))
        self._pages.maps.append(ByteMap(name, value_id, tuple(fields)))

    def tie(self, statement: str, agrees: bool) -> None:  # noqa: FBT001 (the result)
        """Add a comparison with the library."""
        side = f"{self._side[:-1]}: " if self._side else ""
        self._pages.ties.append(Tie(side + statement, agrees))

    def finish(self, operation: str, outcome: str, work: Callable[[], None]) -> Trace:
        """Do the work of an operation, and return its trace.

        `outcome` is the result of the library. If the work or the library failed, the trace has
        only the public values that do not depend on a secret one.
        """
        own = OK
        try:
            work()
        except Stopped as stopped:
            own = stopped.code
        pages, keyless = self._pages, self._keyless()
        self.tie("how the operation ends: success, or the code of the error", own == outcome)
        allowed = set(pages.values) if own == outcome == OK else keyless
        drafts = pages.drafts
        if own != outcome:
            # The library stopped elsewhere. Checks that follow from a key would be an oracle.
            drafts = list(takewhile(lambda draft: _is_keyless(draft, keyless), drafts))
        steps = tuple(
            Step(
                draft.id,
                draft.title,
                draft.section,
                draft.formula,
                tuple(value for value in draft.values if value.id in allowed),
                tuple(draft.checks),
            )
            for draft in drafts
        )
        shown = {value.id for step in steps for value in step.values}
        maps = tuple(each for each in pages.maps if each.value_id in shown)
        return Trace(operation, outcome, steps, maps, tuple(pages.ties))

    def _keyless(self) -> set[str]:
        """Return the IDs of the public values that are not computed from a secret one."""
        keyless: set[str] = set()
        for value in self._pages.values.values():
            inputs = () if value.formula is None else value.formula.inputs
            if value.secrecy is Secrecy.PUBLIC and keyless.issuperset(inputs):
                keyless.add(value.id)
        return keyless


def _is_keyless(draft: _Draft, keyless: set[str]) -> bool:
    """Return whether no value of a step was computed with a secret one."""
    return keyless.issuperset(value.id for value in draft.values)


def attempt(call: Callable[[], _Result]) -> tuple[str, _Result | None]:
    """Call an operation of the library; return `ok` and the result, or the code of the error."""
    try:
        return OK, call()
    except KmsCoreError as error:
        return error.code, None

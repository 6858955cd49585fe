"""The records of a trace: values with their secrecy, steps, byte maps and ties.

A value above `Secrecy.PUBLIC` is in a trace so that `replay` can compute it again. The `repr` of a
record does not show it, and no record can be pickled or copied with `copy`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias, final

from kmscore._values import Secret, representation

OK: Final = "ok"
"""The outcome of an operation that succeeds."""


class Secrecy(StrEnum):
    """The secrecy of a value, by the damage that it does in the wrong hands."""

    PUBLIC = "public"
    """Part of the ciphertext or the context, or computed from them without a key."""

    PLAINTEXT = "plaintext"
    """The plaintext of one ciphertext, or a value that reveals it."""

    MESSAGE = "message"
    """A value that decrypts the ciphertexts of one nonce or one C1.

    The derived key of XAES-256-GCM also forges: anyone who has it can encrypt any plaintext under
    the key version, with nonces that begin with the same 12 bytes.
    """

    KEY = "key"
    """Key material, or a value that forges or decrypts other ciphertexts. It is never shown."""


Argument: TypeAlias = str | bytes | int
"""The ID of a value, constant bytes, or a number."""


class Formula(NamedTuple):
    """The computation of a value from other values."""

    function: str
    """The name of the function, for example `xor`."""

    arguments: tuple[Argument, ...]
    """The arguments in their order."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """The IDs of the values that the formula uses."""
        return tuple(each for each in self.arguments if isinstance(each, str))


@final
@dataclass(frozen=True, repr=False)
class Value(Secret):
    """One value of a step, with its formula or its source."""

    id: str
    """The ID, with the name that the specification gives to the value, for example `derived_key`.

    In a re-encryption, it begins with `source.` or `destination.`.
    """

    name: str
    """The meaning of the value in words."""

    data: bytes
    """The bytes of the value."""

    secrecy: Secrecy
    """The secrecy of the bytes."""

    formula: Formula | None = None
    """The computation of the value; `None` for a value that was given."""

    source: str | None = None
    """The origin of a value that was given; `None` for a computed value."""

    has_public_length: bool = True
    """Whether the ciphertext already shows the length of the value."""

    @property
    def side(self) -> str:
        """The side of a re-encryption, `source` or `destination`; empty in other operations."""
        return self.id.rpartition(".")[0]

    @property
    def symbol(self) -> str:
        """The ID without the side."""
        return self.id.rpartition(".")[2]

    @representation
    def __repr__(self) -> str:
        """Show the ID and the secrecy, and the bytes only if they are public."""
        shown = self.data.hex() if self.secrecy is Secrecy.PUBLIC else f"<{self.secrecy}>"
        return f"<Value {self.id}: {shown}>"


class Check(NamedTuple):
    """One check of an operation."""

    statement: str
    """The statement that must be true."""

    passed: bool
    """Whether it is true."""

    code: str
    """The code of the error that an operation raises if it is false."""


@final
@dataclass(frozen=True, repr=False)
class Step(Secret):
    """One step of an operation."""

    id: str
    """The ID of the step, for example `source.tag`."""

    title: str
    """A short description."""

    section: str
    """The section of the specification, vectors/SPEC.md."""

    formula: str
    """The formula of the whole step; empty if the step only reads or compares."""

    values: tuple[Value, ...]
    """The values in their order."""

    checks: tuple[Check, ...]
    """The checks in their order. After a check that fails, there are no others."""

    @property
    def verdict(self) -> bool | None:
        """Whether all checks passed; `None` for a step without checks."""
        return all(check.passed for check in self.checks) if self.checks else None

    @property
    def side(self) -> str:
        """The side of a re-encryption, `source` or `destination`; empty in other operations."""
        return self.id.rpartition(".")[0]

    @representation
    def __repr__(self) -> str:
        """Show the ID and the verdict."""
        return f"<Step {self.id}: {self.verdict}>"


class Field(NamedTuple):
    """One field of a byte map."""

    name: str
    """The name of the field."""

    offset: int
    """The offset of the first byte."""

    length: int
    """The length in bytes."""

    meaning: str
    """The content of the field in words."""

    is_neutral: bool
    """Whether the field is a length or a constant, or consists of other fields."""


class ByteMap(NamedTuple):
    """The fields of a public value."""

    name: str
    """The name of the map, for example `ciphertext blob`."""

    value_id: str
    """The ID of the value."""

    fields: tuple[Field, ...]
    """The fields in their order, without gaps."""


class Tie(NamedTuple):
    """A comparison of the trace with a result of the library."""

    statement: str
    """The two things that must be equal."""

    agrees: bool
    """Whether they are equal."""


@final
@dataclass(frozen=True, repr=False)
class Trace(Secret):
    """All steps of one operation.

    If the operation failed, the trace has no value that was computed with a key, and no plaintext.
    """

    operation: str
    """The name of the operation, for example `decrypt`."""

    outcome: str
    """`ok`, or the code of the error that the library raised."""

    steps: tuple[Step, ...]
    """The steps in the order of the operation."""

    maps: tuple[ByteMap, ...]
    """The fields of the ciphertexts, contexts and associated data."""

    ties: tuple[Tie, ...]
    """The comparisons with the library."""

    @property
    def agrees(self) -> bool:
        """Whether all comparisons with the library agree."""
        return all(tie.agrees for tie in self.ties)

    @property
    def values(self) -> dict[str, Value]:
        """All values by ID, in the order of the steps."""
        return {value.id: value for step in self.steps for value in step.values}

    @property
    def failed(self) -> Step | None:
        """The step with the check that failed; `None` if all checks passed."""
        return next((step for step in self.steps if step.verdict is False), None)

    @representation
    def __repr__(self) -> str:
        """Show the operation and its outcome."""
        return f"<Trace {self.operation}: {self.outcome}, {len(self.steps)} steps>"

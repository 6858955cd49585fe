"""Notes: the comparison of a value with its fields and parts, and the limits of a search."""

import pytest
from support.audit_cases import blob_of, keyring

from kmscore import audit
from kmscore.audit import Budget
from kmscore.audit.blobs import ReadBlob, _tie_parts
from kmscore.audit.commands import command
from kmscore.audit.explanation import Exhausted, FamilyExhausted, Ledger
from kmscore.audit.notes import Notes, Part
from kmscore.audit.records import Formula, Secrecy, Value


@pytest.mark.parametrize(
    ("parts", "agrees"),
    [
        ([Part("a", 1, "", b"x"), Part("b", 1, "")], True),
        ([Part("a", 1, "", b"y"), Part("b", 1, "")], False),
        ([Part("a", 1, ""), Part("b", 1, "", b"x")], False),
        ([Part("a", 1, "", b"y"), Part("b", 1, "", b"y")], False),
        ([Part("a", 1, "", b"x")], False),
        ([Part("a", 1, "", b"x"), Part("b", 2, "")], False),
    ],
)
def test_a_map_agrees_if_all_its_fields_do(parts: list[Part], agrees: bool) -> None:
    """Every field has the bytes that its meaning requires, and together they are the value."""
    notes = Notes()
    notes.step("s", "", "")
    notes.map("text", notes.give("v", "", b"xy", ""), parts)
    (tie,) = notes.finish("o", "ok", lambda: None).ties[:1]
    assert tie == ("the text and the fields in it", agrees)


@pytest.mark.parametrize(("raw", "agrees"), [(b"abcd", True), (b"abce", False), (b"abcc", False)])
def test_the_parts_of_a_blob_are_equal_to_it(raw: bytes, agrees: bool) -> None:
    """Parts that are greater or less than the blob in the order of bytes are reported."""
    notes = Notes()
    notes.step("s", "", "")
    ids = [notes.give(name, "", name.encode(), "") for name in "abcd"]
    _tie_parts(notes, ReadBlob(None, None, "", *ids), raw)
    assert notes.finish("o", "ok", lambda: None).ties[0].agrees == agrees


def test_the_default_budget() -> None:
    """20,000 trials and 30 seconds."""
    assert Budget() == (20_000, 30.0)


@pytest.mark.parametrize(("trials", "share"), [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_a_family_may_use_half_of_the_trials(trials: int, share: int) -> None:
    """The next one gets the rest, and no family gets less than one."""
    ledger = Ledger(Budget(trials))
    for _ in range(share):
        ledger.take("a")
    with pytest.raises(FamilyExhausted if trials > share else Exhausted):
        ledger.take("a")
    assert ledger.exhausted
    assert ledger.tried == {"a": share}
    for number in range(trials - share):
        ledger.take(f"b{number}")
    with pytest.raises(Exhausted):
        ledger.take("c")


@pytest.mark.parametrize(("number", "has_command"), [(64, True), (65, False)])
def test_a_command_has_at_most_64_arguments(number: int, has_command: bool) -> None:
    """More would be too long for a shell."""
    formula = Formula("join", (b"x",) * number)
    value = Value("v", "", b"x" * number, Secrecy.PUBLIC, formula=formula)
    assert (command(value, {"v": value}) is not None) == has_command


@pytest.mark.parametrize(("length", "word"), [(64, "61" * 64), (65, '"$A"')])
def test_a_command_contains_at_most_64_bytes_of_a_value(length: int, word: str) -> None:
    """A longer value is a variable."""
    given = Value("a", "", b"a" * length, Secrecy.PUBLIC, source="")
    value = Value("v", "", b"x", Secrecy.PUBLIC, formula=Formula("join", ("a",)))
    assert str(command(value, {"a": given})).endswith(f" {word}")


@pytest.mark.parametrize(("length", "has_command"), [(60_000, True), (60_001, False)])
def test_an_argument_of_a_command_has_at_most_60_000_bytes(length: int, has_command: bool) -> None:
    """Linux limits the length of an argument."""
    given = Value("a", "", b"a" * length, Secrecy.PUBLIC, source="")
    value = Value("v", "", b"x", Secrecy.PUBLIC, formula=Formula("join", ("a",)))
    assert (command(value, {"a": given}) is not None) == has_command


class _Own(str):
    """A text that equals only itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def test_a_context_in_which_a_text_occurs_twice_as_a_key_is_rejected() -> None:
    """Library and trace agree, although the keys are not equal."""
    context = {_Own("a"): "1", _Own("a"): "2"}
    assert len(context) == 2
    trace = audit.trace_decrypt(keyring(), blob_of("gcm"), context)
    assert (trace.outcome, trace.agrees) == ("invalid_context", True)

"""The text of each formula: operands in their order, numbers, and long concatenations."""

import pytest

from kmscore.audit import Formula, Secrecy, Value
from kmscore.audit.notation import formula_text
from kmscore.audit.records import Argument

ZEROS = bytes(12)


def text(function: str, *arguments: Argument, side: str = "") -> str:
    """Return the text of a formula."""
    formula = Formula(function, arguments)
    return formula_text(Value(f"{side}value", "", b"", Secrecy.PUBLIC, formula=formula))


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("cut", ("blob", 5, 9), "blob[5:9]"),
        ("join", ("a", "b"), "a ‖ b"),
        ("join", tuple("abcdef"), "a ‖ b ‖ c ‖ d ‖ e ‖ f"),
        ("join", tuple("abcdefg"), "a ‖ b ‖ c ‖ … ‖ g"),
        ("join", ("a", ZEROS), "a ‖ 0^12"),
        ("join", ("a", b"\x00"), "a ‖ 00"),
        ("join", ("a", b"\x00\x01"), "a ‖ 0001"),
        ("first", (3, "a", "b"), "first 3 bytes of a ‖ b"),
        ("first", (3,), "first 3 bytes of nothing"),
        ("canonical", ("k", "v"), "u16(1), then u16(length) ‖ text for each text"),
        ("canonical", ("k", "v", "l", "w"), "u16(2), then u16(length) ‖ text for each text"),
        ("pairs_text", ("k", "v"), "1 times key=value, joined with &"),
        ("pairs_text", ("k", "v", "l", "w"), "2 times key=value, joined with &"),
        ("sha256", ("a", "b"), "SHA-256(a ‖ b)"),
        ("private_power", ("c", "d", "e", "n"), "c^d mod n"),
    ],
)
def test_a_formula_has_its_text(
    function: str, arguments: tuple[Argument, ...], expected: str
) -> None:
    """Zeros are counted, and a concatenation of more than six terms is shortened."""
    assert text(function, *arguments) == expected


def test_an_id_of_the_same_side_is_short() -> None:
    """An ID of the other side has the name of the side."""
    mixed = text("xor", "source.key", "destination.key", side="source.")
    assert mixed == "key ⊕ destination.key"


def test_a_given_value_has_its_source() -> None:
    """A value without a formula names its origin."""
    value = Value("iv", "", b"", Secrecy.PUBLIC, source="the header")
    assert formula_text(value) == "from the header"

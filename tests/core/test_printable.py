"""Texts and bytes for terminals and pages: what could change the display is replaced."""

import pytest

from kmscore._printable import ascii_column, printable


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("orders 1/ü/杭州", "orders 1/ü/杭州"),
        ("\n", "\\n"),
        ("a\tb\x1b[31m", "a\\tb\\u001b[31m"),
        ("\x7f\x80", "\\u007f\\u0080"),
        ("\u202e\u2028\ud800", "\\u202e\\u2028\\ud800"),
        ("\U000e0001", "\\udb40\\udc01"),
    ],
)
def test_unprintable_characters_are_escaped(text: str, expected: str) -> None:
    """The escapes are those of JSON, and all other characters stay as they are."""
    assert printable(text) == expected


def test_a_column_has_one_character_for_each_byte() -> None:
    """The bytes from 20 to 7E are themselves, and all others a dot."""
    shown = ascii_column(bytes(range(256)))
    assert shown == "·" * 0x20 + bytes(range(0x20, 0x7F)).decode("ascii") + "·" * 0x81

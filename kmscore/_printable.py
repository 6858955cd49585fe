"""Escapes for text on a terminal or on a page."""

import json
from typing import Final

_ASCII: Final = 0x7F


def printable(text: str) -> str:
    """Return a text with escapes for control characters and other unprintable characters.

    The marks that change the direction of a text are among them.
    """
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def ascii_column(data: bytes) -> str:
    """Return bytes as text of the same length, with `·` for all but printable ASCII."""
    return "".join(chr(byte) if chr(byte).isprintable() and byte < _ASCII else "·" for byte in data)

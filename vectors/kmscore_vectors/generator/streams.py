"""The stream of bytes from which one case is drawn, and the values that are drawn from it.

Case i of a file is drawn from SHAKE-128 (FIPS 202) of `kmscore ‖ file name ‖ u32 i`, front to back.
"""

import hashlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from kmscore_vectors.generator.model import Fields
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import ErrorCode

CASES: Final = 10_000
_DRAWN: Final = 1024  # bytes, more than any case takes
CHARACTERS: Final = (
    "a", "b", "A", "~", "\x00", "\x7f", "\x80", "\u00e9", "\u07ff", "\u0800", "\u20ac", "\ud7ff",
    "\ue000", "\uffff", "\U00010000", "\U0010ffff",
)  # fmt: skip


class Drawn(NamedTuple):
    """One case: the operation, its inputs and the expected result."""

    operation: str
    inputs: Fields
    due: Fields


class Stream:
    """The bytes from which one case is drawn."""

    def __init__(self, name: str, number: int) -> None:
        """Begin the stream of a case of a file."""
        seed = b"kmscore" + name.encode() + number.to_bytes(4, "big")
        self._bytes = hashlib.shake_128(seed).digest(_DRAWN)
        self._position = 0

    def take(self, length: int) -> bytes:
        """Return the next bytes."""
        self._position += length
        return self._bytes[self._position - length : self._position]

    def below(self, limit: int) -> int:
        """Return the next two bytes, big-endian, modulo a limit."""
        return int.from_bytes(self.take(2), "big") % limit

    def flip(self, data: bytes, start: int = 0) -> bytes:
        """Return data with one bit flipped, at or after byte `start`; bit 0 is the highest."""
        bit = 8 * start + self.below(8 * (len(data) - start))
        changed = bytearray(data)
        changed[bit // 8] ^= 0x80 >> bit % 8
        return bytes(changed)

    def pairs(self) -> Pairs:
        """Return a context of up to four pairs; a pair with a repeated key is left out."""
        drawn: dict[str, str] = {}
        for _ in range(self.below(5)):
            key, value = self._text(), self._text()
            drawn.setdefault(key, value)
        return tuple(drawn.items())

    def _text(self) -> str:
        return "".join(CHARACTERS[self.below(16)] for _ in range(self.below(4)))


def streams(name: str) -> Iterator[Stream]:
    """Yield the streams of a file."""
    return (Stream(name, number) for number in range(CASES))


def another(pairs: Pairs) -> Pairs:
    """Return another context."""
    return () if pairs else (("a", ""),)


def rejected(error: ErrorCode) -> Fields:
    """Return the expected result of a case that is rejected."""
    return {"error": error.value}

"""A file in memory, in place of a path."""

import io
from types import SimpleNamespace


class MemoryFile:
    """A file in memory with the methods of a path that the formats use."""

    def __init__(self, data: bytes = b"") -> None:
        """Take the content."""
        self.data = data

    def __str__(self) -> str:
        """Return a name."""
        return "table"

    def __truediv__(self, name: str) -> "MemoryFile":
        """Return the same file for every name."""
        return self

    def open(self, _mode: str) -> io.BytesIO:
        """Return the content as an open file."""
        return io.BytesIO(self.data)

    def stat(self) -> SimpleNamespace:
        """Return the size."""
        return SimpleNamespace(st_size=len(self.data))

    def read_bytes(self) -> bytes:
        """Return the content."""
        return self.data

    def write_bytes(self, data: bytes) -> None:
        """Replace the content."""
        self.data = data

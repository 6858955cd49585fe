"""The input and output of a command, as a file or a standard stream."""

import sys
from pathlib import Path
from typing import Final

from kmscore.cli.new_file import NewFile
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import tell
from kmscore.tables.errors import describe

STANDARD: Final = Path("-")
"""Standard input or output."""


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file, or of standard input for `-`.

    Raises `FileProblem`, also for more than `limit` bytes.
    """
    try:
        if path == STANDARD:
            if sys.stdin is None:
                raise FileProblem("standard input is closed")
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with path.open("rb") as file:
                data = file.read(limit + 1)
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    if len(data) > limit:
        raise FileProblem(f"{path}: more than {limit:,} bytes")
    return data


def write_output(path: Path, data: bytes) -> None:
    """Write bytes to a new file that only its owner can read, or to standard output for `-`.

    Raises `FileProblem`, also if the file exists already; it is then not changed. The command ends
    if standard output cannot be written.
    """
    if path != STANDARD:
        with NewFile(path) as new:
            new.create(data)
        return
    tell(lambda: _write_standard(data))


def check_no_terminal(path: Path, advice: str = "") -> None:
    """Raise `FileProblem` if raw bytes would be written to a terminal, which can obey them."""
    if path == STANDARD and sys.stdout.isatty():
        raise FileProblem(f"raw bytes are not written to a terminal: give {advice}OUT, or a pipe")


def _write_standard(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()

"""The input and output of a command, as a file or a standard stream."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from kmscore.cli.new_file import NewFile
from kmscore.cli.problems import FileProblem
from kmscore.tables.errors import describe

STANDARD: Final = Path("-")
"""Standard input or output."""


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file, or of standard input for `-`.

    Raises `FileProblem`, also for more than `limit` bytes.
    """
    try:
        if path == STANDARD:
            data = _binary(sys.stdin, "input").read(limit + 1)
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

    Raises `FileProblem`, also if the file exists already; it is then not changed.
    """
    if path != STANDARD:
        with NewFile(path) as new:
            new.create(data)
        return
    out = _binary(sys.stdout, "output")
    try:
        out.write(data)
        out.flush()
    except OSError as error:
        give_up_output()
        raise FileProblem(describe(error, path)) from None


def check_no_terminal(path: Path, advice: str = "") -> None:
    """Raise `FileProblem` if raw bytes would be written to a terminal, which can obey them."""
    if path == STANDARD and sys.stdout is not None and sys.stdout.isatty():
        raise FileProblem(f"raw bytes are not written to a terminal: give {advice}OUT, or a pipe")


def give_up_output() -> None:
    """Discard the buffer of standard output, because writing it at exit would fail again."""
    with suppress(OSError, ValueError):  # a stream without a file descriptor, or a closed one
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _binary(stream: TextIO | None, name: str) -> BinaryIO:
    """Return the binary form of a standard stream, which is `None` if it was closed at start."""
    if stream is None:
        raise FileProblem(f"standard {name} is closed")
    return stream.buffer

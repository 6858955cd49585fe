"""The passphrase of a keyring file, from a file descriptor, the environment or a prompt."""

import os
import sys
from typing import Annotated, Final

import typer

from kmscore.cli.problems import FileProblem

VARIABLE: Final = "KMSCORE_PASSPHRASE"
_LONGEST: Final = 4096  # bytes
_LAST_STANDARD: Final = 2  # descriptors of standard input, output and error
_LAST: Final = (1 << 31) - 1

Descriptor = Annotated[
    int | None,
    typer.Option(
        "--passphrase-fd",
        metavar="N",
        min=0,
        max=_LAST,
        help=f"File descriptor of the passphrase (default: ${VARIABLE}, then a prompt).",
    ),
]


def get_passphrase(descriptor: int | None, *, is_new: bool = False) -> bytes:
    """Return the passphrase; the prompt for a new one asks for it twice.

    Raises `FileProblem` if there is no source for it, or if it is empty, too long or not readable.
    """
    if descriptor is not None:
        passphrase = _read(descriptor)
    elif VARIABLE in os.environ:
        passphrase = os.environb[VARIABLE.encode()] if os.supports_bytes_environ else _variable()
    elif sys.stdin is not None and sys.stdin.isatty():
        passphrase = typer.prompt(
            "Passphrase", hide_input=True, confirmation_prompt=is_new, err=True
        ).encode("utf-8", "surrogateescape")
    else:
        raise FileProblem(
            f"no passphrase: give --passphrase-fd, set {VARIABLE}, or run this in a terminal"
        )
    if not passphrase:
        raise FileProblem("the passphrase is empty")
    return passphrase


def _variable() -> bytes:
    return os.environ[VARIABLE].encode("utf-8", "surrogateescape")


def _read(descriptor: int) -> bytes:
    """Return the first line from a file descriptor, and leave the other bytes unread."""
    try:
        # Without a buffer, because the input of the command can follow the line.
        with os.fdopen(descriptor, "rb", buffering=0, closefd=descriptor > _LAST_STANDARD) as file:
            line = file.readline(_LONGEST + 2)
    except OSError as error:
        raise FileProblem(f"file descriptor {descriptor}: {error.strerror}") from None
    line = line.rstrip(b"\r\n")
    if len(line) > _LONGEST:
        raise FileProblem(f"file descriptor {descriptor}: more than {_LONGEST:,} bytes")
    return line

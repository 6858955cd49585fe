"""The passphrase of a keyring file, from a file descriptor, the environment or a prompt."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import say

VARIABLE: Final = "KMSCORE_PASSPHRASE"
NEW_VARIABLE: Final = "KMSCORE_NEW_PASSPHRASE"
_SHORT: Final = 12  # characters
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


NewDescriptor = Annotated[
    int | None,
    typer.Option(
        "--new-passphrase-fd",
        metavar="N",
        min=0,
        max=_LAST,
        help=f"File descriptor of the new passphrase (default: ${NEW_VARIABLE}, then a prompt).",
    ),
]

MaterialDescriptor = Annotated[
    int | None,
    typer.Option(
        "--material-passphrase-fd",
        metavar="N",
        min=0,
        max=_LAST,
        help="File descriptor of the passphrase of an encrypted PEM file (default: a prompt).",
    ),
]


def check_descriptors(*descriptors: int | None) -> None:
    """Raise `FileProblem` unless the given descriptors are open and different.

    A file that the command opens would get the number of a closed one. Only standard input can
    give a second line.
    """
    given = [number for number in descriptors if number is not None]
    for number in given:
        try:
            os.fstat(number)
        except OSError as error:
            raise FileProblem(f"file descriptor {number}: {error.strerror}") from None
        if number > _LAST_STANDARD and given.count(number) > 1:
            raise FileProblem(f"file descriptor {number} is given twice; use two, or 0 for both")


def check_no_descriptor(keyring: Path | None, descriptor: int | None) -> None:
    """Raise `FileProblem` for a descriptor of the passphrase without a keyring."""
    if keyring is None and descriptor is not None:
        raise FileProblem("--passphrase-fd needs --keyring")


def get_passphrase(descriptor: int | None, *, is_new: bool = False) -> bytes:
    """Return the passphrase; the prompt for a new one asks for it twice.

    Raises `FileProblem` if there is no source for it, or if it is empty, too long or not readable.
    """
    passphrase = _get("Passphrase", "--passphrase-fd", descriptor, VARIABLE, is_new=is_new)
    if is_new:
        _warn_if_short(passphrase)
    return passphrase


def get_new_passphrase(descriptor: int | None) -> bytes:
    """Return the new passphrase of an existing keyring. Raises `FileProblem` as above."""
    passphrase = _get(
        "New passphrase", "--new-passphrase-fd", descriptor, NEW_VARIABLE, is_new=True
    )
    _warn_if_short(passphrase)
    return passphrase


def get_material_passphrase(descriptor: int | None) -> bytes:
    """Return the passphrase of an encrypted key file. Raises `FileProblem` as above."""
    return _get("Passphrase of the key file", "--material-passphrase-fd", descriptor, None)


def _get(
    prompt: str, option: str, descriptor: int | None, variable: str | None, *, is_new: bool = False
) -> bytes:
    """Return a passphrase from the first of its sources. Raises `FileProblem`."""
    if descriptor is not None:
        passphrase = _read(descriptor)
    elif variable is not None and variable in os.environ:
        passphrase = _variable(variable)
    elif sys.stdin is not None and sys.stdin.isatty():
        passphrase = typer.prompt(
            prompt, hide_input=True, confirmation_prompt=is_new, err=True
        ).encode("utf-8", "surrogateescape")
    else:
        setting = f", set {variable}" if variable else ""
        raise FileProblem(f"no passphrase: give {option}{setting}, or run this in a terminal")
    if not passphrase:
        raise FileProblem("the passphrase is empty")
    return passphrase


def _warn_if_short(passphrase: bytes) -> None:
    """Print a warning for a passphrase that can be guessed."""
    # Zero bytes alone are rejected later.
    if passphrase.strip(b"\0") and len(passphrase.decode("utf-8", "replace")) < _SHORT:
        say(f"warning: a passphrase under {_SHORT} characters")


def _variable(name: str) -> bytes:
    """Return the bytes of an environment variable."""
    if os.supports_bytes_environ:
        return os.environb[name.encode()]
    return os.environ[name].encode("utf-8", "surrogateescape")


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

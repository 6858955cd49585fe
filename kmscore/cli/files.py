"""Files as the commands write them: whole or not at all, never over another one.

What is written goes into a file beside, is synced, and takes its name only then. Whoever is
interrupted leaves the old file, or none, and at most the file beside.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

STANDARD: Final = Path("-")
"""Standard input or output."""

OWNER_ONLY: Final = 0o600


class FileProblem(Exception):  # noqa: N818 (it is told to a person, not caught as an error)
    """A file that cannot be read or written; its text is the one line to say so."""


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file, or of standard input for `-`, if there are not too many.

    Raises `FileProblem`.
    """
    try:
        if path == STANDARD:
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
    """Write bytes to a new file that only its owner may read, or to standard output for `-`.

    Raises `FileProblem`; a file that is there already is left alone.
    """
    if path != STANDARD:
        create_file(path, data)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        raise FileProblem(describe(error, path)) from None


def create_file(path: Path, data: bytes) -> None:
    """Write a new file that only its owner may read, whole or not at all. Raises `FileProblem`."""
    with _beside(path, data) as new:
        # A second name, which fails where a rename would take the place of what is there.
        os.link(new, path)


def replace_file(path: Path, data: bytes) -> None:
    """Write a file anew, whole or not at all. Raises `FileProblem`."""
    with _beside(path, data) as new:
        new.replace(path)


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """Write a file beside another one, synced; what is left of it in the end is removed.

    Its name is the same for everyone, so that two cannot be at work on one file.
    """
    new = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except FileExistsError:
        raise FileProblem(
            f"{new} is there: another command is changing {path.name}, or was killed;"
            " if none is running, remove it"
        ) from None
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            sync(file)
        yield new
        sync_folder(path.parent)
    except OSError as error:
        raise FileProblem(describe(error, path)) from None
    finally:
        new.unlink(missing_ok=True)


def sync(file: BinaryIO) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where a folder can be opened."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def describe(error: OSError, path: Path) -> str:
    """Return what an error of the system says, with the file that it is about."""
    return f"{error.filename or path}: {error.strerror or error}"

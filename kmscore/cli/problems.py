"""What a user can mend, told in one line."""

from pathlib import Path


class FileProblem(Exception):  # noqa: N818 (it is told to a person, not caught as an error)
    """What a user can mend, most often about a file; its text is the one line to say so."""


def describe(error: OSError, path: Path) -> str:
    """Return what an error of the system says, with the file that it is about."""
    return f"{error.filename or path}: {error.strerror or error}"

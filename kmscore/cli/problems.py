"""Problems that the user can correct, each described in one line."""

from pathlib import Path


class FileProblem(Exception):  # noqa: N818 (a message for the user)
    """A problem that the user can correct, mostly with a file; its text is one line."""


def describe(error: OSError, path: Path) -> str:
    """Return the message of a system error, with the name of the file."""
    return f"{error.filename or path}: {error.strerror or error}"

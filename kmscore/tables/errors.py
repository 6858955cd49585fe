"""The error of tables, and the texts of other errors."""

from pathlib import Path


class TableError(Exception):
    """A table cannot be read, or its result cannot be written.

    The text is one line with the name of the file and the reason.

    Args:
        reason: The text.
        can_resume: Whether the same call with `resume` can finish the job.
    """

    def __init__(self, reason: str, *, can_resume: bool = False) -> None:
        """Create the error."""
        super().__init__(reason)
        self.can_resume: bool = can_resume

    def __reduce__(self) -> tuple[type["TableError"], tuple[str]]:
        """Return the reason alone: an error of a worker process never has `can_resume`."""
        return type(self), (str(self),)


class JobError(TableError):
    """A system failure, such as a full disk, ended a job; see `can_resume`."""


def describe(error: OSError, path: Path) -> str:
    """Return the message of a system error, with the name of the file."""
    return f"{error.filename or path}: {error.strerror or error}"


def with_options(text: str) -> str:
    """Return the text of an error with the options of the command instead of the arguments."""
    return text.replace("pass allow_ambiguous=True", "give --allow-ambiguous")

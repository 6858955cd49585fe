"""One at work at a time, where the system has locks that end with the process that holds them."""

import os
from pathlib import Path

from kmscore.tables.errors import TableError


def lock(path: Path) -> int | None:
    """Be the only one with a file, until the descriptor that this returns is closed.

    Raises `TableError` if somebody else is, and errors of the system.
    """
    try:
        import fcntl  # noqa: PLC0415 (not everywhere)
    except ModuleNotFoundError:
        return None
    # Of somebody else it may be a pipe, which would be waited for, or a link.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TableError(f"another command is at work in {path.parent}") from None
    return descriptor

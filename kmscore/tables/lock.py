"""A lock that ends with its process, on systems that have such locks."""

import os
from pathlib import Path

from kmscore.tables.errors import TableError


def lock(path: Path) -> int | None:
    """Lock a file until the returned descriptor is closed; return `None` without locks.

    Raises `TableError` if another process has the lock, and `OSError`.
    """
    try:
        import fcntl  # noqa: PLC0415 (POSIX only)
    except ModuleNotFoundError:
        return None
    # The file of another user can be a pipe, which would block, or a link.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TableError(f"another command is at work in {path.parent}") from None
    return descriptor

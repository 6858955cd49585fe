"""Syncing to disk, and renaming that never overwrites another file."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from kmscore.tables.permissions import OWNER_ONLY

_NO_LINKS: Final = frozenset(
    getattr(errno, name, None) for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")
)
"""The errors of file systems without hard links."""


def place(new: Path, target: Path, mark: Path | None = None) -> bool:
    """Give `new` the name `target`, which must be free; return whether the old name also remains.

    Without hard links, an empty file first reserves the name. If the process is killed then, this
    empty file remains. A `mark` is a file that exists from before the reservation until `new` has
    its name. If it exists at the call, an empty `target` is taken as such a remainder and is
    replaced. The mark does not identify the file, because inode numbers can differ after the next
    mount of a file system without hard links. But an empty file has no data to lose.

    Raises `FileExistsError` if the name is not free, and other subclasses of `OSError`.
    """
    # Checked first: if the name exists, `os.link` does not report that hard links are missing.
    if mark is not None and mark.exists() and is_empty(target):
        new.replace(target)
        return False
    try:
        # A hard link fails if `target` exists; a rename would overwrite it.
        os.link(new, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        return True
    if mark is not None:
        mark.touch(OWNER_ONLY)
        sync_folder(mark.parent)
    try:
        # Only one process can create this file, so this process may replace it.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        new.replace(target)
    except FileExistsError:
        raise
    except BaseException:
        # An interrupt can come before or after each of the two calls.
        if new.exists() and is_empty(target):
            target.unlink()
        raise
    return False


def is_empty(path: Path, *, or_missing: bool = False) -> bool:
    """Return whether a path is a regular file without content; a symbolic link is not."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return or_missing
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


def sync(file: BinaryIO) -> None:
    """Wait until the data written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk; do nothing on Windows."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

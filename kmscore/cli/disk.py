"""What has come to the disk, and a name that a file there takes from no other one."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Final

from kmscore.cli.permissions import OWNER_ONLY

_NO_LINKS: Final = frozenset(
    getattr(errno, name, None) for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")
)
"""What file systems without hard links answer."""


def place(new: Path, target: Path, mark: Path | None = None) -> bool:
    """Give a file another name, at which nothing may be; tell whether it keeps the old one as well.

    Without hard links the name is taken by an empty file first, and who is killed then leaves that.
    A `mark` is a file that is there from before until `new` has its name: with it, an empty file is
    taken for what was left, and replaced. It says nothing of which file, as inodes may be others
    after the next mount where there are no links; but one that is empty holds nothing to lose.

    Raises `FileExistsError`, and other errors of the system.
    """
    # Asked first: of a name that is taken a system does not say that it has no links.
    if mark is not None and mark.exists() and is_empty(target):
        new.replace(target)
        return False
    try:
        # A second name, which fails where a rename would take the place of what is there.
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
        # Only one can make it; that one may be replaced.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
        new.replace(target)
    except FileExistsError:
        raise
    except BaseException:
        # An interrupt may come before and after either of them.
        if new.exists() and is_empty(target):
            target.unlink()
        raise
    return False


def is_empty(path: Path, *, or_missing: bool = False) -> bool:
    """Tell whether a file has nothing in it; a link is none, whatever it leads to."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return or_missing
    return stat.S_ISREG(status.st_mode) and status.st_size == 0


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

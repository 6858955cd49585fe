"""Who may read a file that a command makes."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

OWNER_ONLY: Final = 0o600

_NO_PROGRAM: Final = 0o666
"""Permissions that a file of data may have."""

_ACCESS_LIST: Final = "system.posix_acl_access"


class Permissions(NamedTuple):
    """Who may read a file, and a file made from it then as well; nobody else."""

    mode: int
    group: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return those of a file. Raises `OSError`."""
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode) & _NO_PROGRAM
        if _has_access_list(path):
            # What stands for the group is the most that anybody on the list may do.
            mode &= ~stat.S_IRWXG
        return cls(mode, status.st_gid)

    def create(self, path: Path) -> BinaryIO:
        """Make a file, and open it to be written. Raises `OSError`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        status = os.fstat(descriptor)
        if status.st_gid != self.group:
            try:
                os.fchown(descriptor, -1, self.group)
            except OSError:
                # It stays of another group, which had no part in the first file.
                os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~stat.S_IRWXG)
        return os.fdopen(descriptor, "wb")


def _has_access_list(path: Path) -> bool:
    """Tell whether more than owner, group and others are told apart."""
    try:
        return bool(os.getxattr(path, _ACCESS_LIST))
    except (AttributeError, OSError):  # of a system or file without
        return False

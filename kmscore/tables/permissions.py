"""The permissions of the files that a command creates."""

import os
import stat
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self

OWNER_ONLY: Final = 0o600

_NO_PROGRAM: Final = 0o666
"""The mode bits that a data file may have."""

_ACCESS_LIST: Final = "system.posix_acl_access"


class Permissions(NamedTuple):
    """The permissions of a file, for another file that must not have more readers."""

    mode: int
    group: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return the permissions of a file. Raises `OSError`."""
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode) & _NO_PROGRAM
        if _has_access_list(path):
            # The bits of the group are the maximum of all entries of the list.
            mode &= ~stat.S_IRWXG
        return cls(mode, status.st_gid)

    def create(self, path: Path) -> BinaryIO:
        """Create a file, and open it for writing. Raises `OSError`."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, self.mode)
        status = os.fstat(descriptor)
        if status.st_gid != self.group:
            try:
                os.fchown(descriptor, -1, self.group)
            except OSError:
                # The file keeps another group, which may not have had access to the first file.
                os.fchmod(descriptor, stat.S_IMODE(status.st_mode) & ~stat.S_IRWXG)
        return os.fdopen(descriptor, "wb")


def copy_to_folder(original: Path, folder: Path) -> None:
    """Give a folder the group and the mode of another one. Raises `OSError`."""
    status = original.stat()
    mode = stat.S_IMODE(status.st_mode)
    if _has_access_list(original):
        mode &= ~stat.S_IRWXG
    if folder.stat().st_gid != status.st_gid:
        try:
            os.chown(folder, -1, status.st_gid)
        except OSError:
            mode &= ~stat.S_IRWXG
    folder.chmod(mode)


def _has_access_list(path: Path) -> bool:
    """Return whether a file has a POSIX access control list."""
    try:
        return bool(os.getxattr(path, _ACCESS_LIST))
    except (AttributeError, OSError):  # a system or a file without lists
        return False

"""Files as the commands write them: whole or not at all, never over another one.

What is written goes into a file beside, is synced, and takes its name only then. Whoever is
interrupted leaves the old file, or none, and at most the file beside.
"""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Self, TextIO

STANDARD: Final = Path("-")
"""Standard input or output."""

OWNER_ONLY: Final = 0o600

_NO_LINKS: Final = frozenset(
    getattr(errno, name, None) for name in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")
)
"""What file systems without hard links answer."""


_NO_PROGRAM: Final = 0o666
"""Permissions that a file of data may have."""

_ACCESS_LIST: Final = "system.posix_acl_access"


class FileProblem(Exception):  # noqa: N818 (it is told to a person, not caught as an error)
    """What a user can mend, most often about a file; its text is the one line to say so."""


def read_file(path: Path, *, limit: int) -> bytes:
    """Return the bytes of a file, or of standard input for `-`, if there are not too many.

    Raises `FileProblem`.
    """
    try:
        if path == STANDARD:
            data = _binary(sys.stdin, "input").read(limit + 1)
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
        with NewFile(path) as new:
            new.create(data)
        return
    out = _binary(sys.stdout, "output")
    try:
        out.write(data)
        out.flush()
    except OSError as error:
        give_up_output()
        raise FileProblem(describe(error, path)) from None


def give_up_output() -> None:
    """Let what standard output still holds go nowhere: at the exit it would fail once more."""
    with suppress(OSError, ValueError):  # of a stream that is no file, or closed
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _binary(stream: TextIO | None, name: str) -> BinaryIO:
    """Return the bytes of a standard stream, which is `None` if it was closed from outside."""
    if stream is None:
        raise FileProblem(f"standard {name} is closed")
    return stream.buffer


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


class NewFile:
    """The file beside another one. It is made at once, only its owner may read it.

    Its name is the same for everyone: while it is there, nobody else changes the other one. Used
    as a context manager, it removes what has not taken the other one's name.
    """

    def __init__(self, path: Path) -> None:
        """Make the file. Raises `FileProblem`, also if it is there."""
        self._path = path
        self._beside: Path | None = path.with_name(f".{path.name}.new")
        try:
            descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            advice = "remove it"
            if is_empty(path, or_missing=True) and not is_empty(self._beside, or_missing=True):
                # Where a killed command has left it, it may be all that there is.
                advice = f"it may be the only copy: keep it, or rename it to {path.name}"
            raise FileProblem(
                f"{self._beside} is there: another command is changing {path.name}, or was killed;"
                f" if none is running, {advice}"
            ) from None
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        self._file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> Self:
        """Return this file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it if it is still beside."""
        try:
            self._file.close()
        finally:
            if self._beside is not None:
                self._beside.unlink(missing_ok=True)

    def create(self, data: bytes) -> None:
        """Write the other file, which must not be there. Raises `FileProblem`."""
        self._write(data, is_new=True)

    def replace(self, data: bytes) -> None:
        """Write the other file in the place of what is there. Raises `FileProblem`."""
        self._write(data, is_new=False)

    def _write(self, data: bytes, *, is_new: bool) -> None:
        beside = self._beside
        if beside is None:
            raise FileProblem(f"{self._path} has been written")
        try:
            if not is_new:
                self._keep_owner()
            self._file.write(data)
            sync(self._file)
            self._check_own(beside)
            if is_new:
                is_free = not place(beside, self._path)
            else:
                beside.replace(self._path)
                is_free = True
            if is_free:
                # The name may be another command's from now on.
                self._beside = None
            sync_folder(self._path.parent)
        except FileExistsError:
            raise FileProblem(f"{self._path} is there already, and is left alone") from None
        except OSError as error:
            raise FileProblem(describe(error, self._path)) from None

    def _keep_owner(self) -> None:
        """Let the file that replaces another one belong to whom that one does."""
        # Who may not give a file away keeps it; and where there is none, there is nobody.
        with suppress(OSError):
            owner = self._path.stat().st_uid
            if owner != os.fstat(self._file.fileno()).st_uid:
                os.fchown(self._file.fileno(), owner, -1)

    def _check_own(self, beside: Path) -> None:
        """Raise `FileProblem` if the name beside is no longer this file's, but another command's.

        What that one has there would be taken for what was written here.
        """
        try:
            is_own = os.path.samestat(beside.lstat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            is_own = False
        if not is_own:
            self._beside = None
            raise FileProblem(
                f"{beside} has been removed, or is another command's: nothing is done"
            )


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


def describe(error: OSError, path: Path) -> str:
    """Return what an error of the system says, with the file that it is about."""
    return f"{error.filename or path}: {error.strerror or error}"

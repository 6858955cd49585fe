"""Files that are written completely or not at all, and that overwrite a file only on request.

The data is written to a temporary file in the same folder and is synced. Then the temporary file
takes the name of the target. An interrupted command leaves the old target, or no target if there
was none, and possibly the temporary file.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from kmscore.cli.problems import FileProblem
from kmscore.tables.disk import is_empty, place, sync, sync_folder
from kmscore.tables.errors import describe
from kmscore.tables.permissions import OWNER_ONLY


class NewFile:
    """The temporary file of a target. Only its owner can read it.

    The constructor creates the file. All commands use the same name for it, so that it is a lock:
    while it exists, no other command changes the target. As a context manager, it removes the
    temporary name at the end.
    """

    def __init__(self, path: Path) -> None:
        """Create the temporary file. Raises `FileProblem`, also if it exists."""
        if not path.name:
            raise FileProblem(f"{path}: not the name of a file")
        self._path = path
        self._beside: Path | None = path.with_name(f".{path.name}.new")
        try:
            descriptor = os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            advice = "remove it"
            if is_empty(path, or_missing=True) and not is_empty(self._beside, or_missing=True):
                # After a killed command, it can be the only copy of the data.
                advice = f"it may be the only copy: keep it, or rename it to {path.name}"
            raise FileProblem(
                f"{self._beside} is there: another command is changing {path.name}, or was killed;"
                f" if none is running, {advice}"
            ) from None
        except FileNotFoundError as error:
            # The error has the name of the temporary file.
            raise FileProblem(f"{path.parent}: {error.strerror}") from None
        except PermissionError as error:
            folder = path.absolute().parent
            raise FileProblem(f"{folder}: {error.strerror} to create a file") from None
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        self._file = os.fdopen(descriptor, "wb")

    def __enter__(self) -> Self:
        """Return this file."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the temporary name, unless a rename has already removed it."""
        try:
            self._file.close()
        finally:
            if self._beside is not None:
                self._beside.unlink(missing_ok=True)

    def create(self, data: bytes) -> None:
        """Write the target, which must not exist. Raises `FileProblem`."""
        self._write(data, is_new=True)

    def replace(self, data: bytes) -> None:
        """Write the target, and replace an existing one. Raises `FileProblem`."""
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
                # From now on, another command can use this name.
                self._beside = None
            sync_folder(self._path.parent)
        except FileExistsError:
            raise FileProblem(f"{self._path} exists already; use another output path") from None
        except OSError as error:
            raise FileProblem(describe(error, self._path)) from None

    def _keep_owner(self) -> None:
        """Give the temporary file the owner of the target, if possible."""
        # Ignore errors: a user may lack the permission, and the target may not exist.
        with suppress(OSError):
            owner = self._path.stat().st_uid
            if owner != os.fstat(self._file.fileno()).st_uid:
                os.fchown(self._file.fileno(), owner, -1)

    def _check_own(self, beside: Path) -> None:
        """Raise `FileProblem` if the temporary name no longer belongs to this file.

        Otherwise the file of another command would become the target.
        """
        try:
            is_own = os.path.samestat(beside.lstat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            is_own = False
        if not is_own:
            self._beside = None
            raise FileProblem(
                f"{beside} was removed, or belongs to another command; nothing was changed"
            )

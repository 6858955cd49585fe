"""A file that is written whole or not at all, and never over another one unless that is meant.

What is written goes into a file beside, is synced, and takes its name only then. Whoever is
interrupted leaves the old file, or none, and at most the file beside.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from kmscore.cli.disk import is_empty, place, sync, sync_folder
from kmscore.cli.permissions import OWNER_ONLY
from kmscore.cli.problems import FileProblem, describe


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

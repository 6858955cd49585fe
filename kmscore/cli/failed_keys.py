"""The file of the primary keys of failed rows."""

import json
import os
import shutil
import tempfile
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Self

from kmscore.cli.problems import FileProblem
from kmscore.tables.database.report import Key
from kmscore.tables.disk import sync, sync_folder
from kmscore.tables.errors import describe
from kmscore.tables.permissions import OWNER_ONLY


class FailedKeys:
    """The primary keys and error codes of failed rows, as JSON Lines.

    The file is written at the end, and only if rows failed. Until then, the lines are in a file
    without a name, so that a killed command leaves no file. The next one finds the same rows again.
    """

    def __init__(self, path: Path | None) -> None:
        """Prepare the file. Raises `FileProblem` if it exists or cannot be created."""
        self._path = path
        self._number = 0
        if path is None:
            return
        if os.path.lexists(path):
            raise _exists(path)
        try:
            self._lines = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115 (this is one)
        except OSError as error:
            raise FileProblem(f"{path}: {error.strerror or error}") from None

    def __enter__(self) -> Self:
        """Return this object."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the lines that were not written."""
        if self._path is not None:
            self._lines.close()

    def add(self, names: tuple[str, ...], key: Key, code: str) -> None:
        """Add a row. Raises `OSError`."""
        if self._path is None:
            return
        self._number += 1
        values = dict(zip(names, map(_plain, key), strict=True))
        line = json.dumps({"primary_key": values, "error": code})
        self._lines.write(f"{line}\n".encode())

    def write(self) -> Path | None:
        """Write the file if a row failed, and return its path. Raises `FileProblem`."""
        path = self._path
        if path is None or not self._number:
            return None
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            raise _exists(path) from None
        except OSError as error:
            raise FileProblem(describe(error, path)) from None
        try:
            self._lines.seek(0)
            with os.fdopen(descriptor, "wb") as file:
                shutil.copyfileobj(self._lines, file)
                sync(file)
            sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                path.unlink()
            raise FileProblem(describe(error, path)) from None
        return path


def _exists(path: Path) -> FileProblem:
    return FileProblem(f"{path} exists already; use another file for --failed")


def _plain(value: object) -> object:
    """Return a value of a key as JSON has it: bytes in hexadecimal, other values as text."""
    if isinstance(value, (int, str)) or (isinstance(value, float) and isfinite(value)):
        return value
    return value.hex() if isinstance(value, (bytes, bytearray, memoryview)) else str(value)

"""A table that a job leaves: joined in the folder of the job, and then given its name."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from kmscore.tables.disk import place, sync, sync_folder
from kmscore.tables.errors import TableError
from kmscore.tables.permissions import Permissions

KINDS: Final = ("good", "bad")
"""What there is of every part and result: the rows that stay in the table, and the failed ones."""

Join: TypeAlias = Callable[[Sequence[Path], BinaryIO, bool], None]
"""Writes parts as one table, of failed rows if so told."""


class Target:
    """What is to be one file: `good` or `bad`, in a folder, until it has its name."""

    def __init__(self, folder: Path, kind: str, path: Path, permissions: Permissions) -> None:
        """Take the name that it is to have, and who may do what with it."""
        self._folder = folder
        self._kind = kind
        self._path = path
        self._permissions = permissions
        self._whole: Path = folder / f"all.{kind}"

    def check_free(self) -> None:
        """Raise `TableError` if a file has the name already."""
        if os.path.lexists(self._path):
            raise self._taken()

    def write(self, parts: Sequence[Path], join: Join) -> None:
        """Join the parts, from the start if that was interrupted."""
        self._whole.unlink(missing_ok=True)
        with self._permissions.create(self._whole) as file:
            join(parts, file, self._kind == "bad")
            sync(file)

    def take_name(self) -> None:
        """Give it its name, which must not be another file's. Raises `TableError`."""
        if not self._whole.exists():  # it has its name, and no other one any more
            if not self._path.exists():
                raise TableError(
                    f"{self._path} was written, and is gone: remove {self._folder} to begin again"
                )
            return
        try:
            place(self._whole, self._path, self._folder / f"placing.{self._kind}")
        except FileExistsError:
            if not self._path.samefile(self._whole):
                raise self._taken() from None
        sync_folder(self._path.parent)

    def _taken(self) -> TableError:
        return TableError(f"{self._path} is there already, and is left alone")

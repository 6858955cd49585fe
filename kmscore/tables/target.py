"""A new table: joined in the folder of its job, and then renamed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from kmscore.tables.disk import place, sync, sync_folder
from kmscore.tables.job_folder import check_free, check_present, taken
from kmscore.tables.permissions import Permissions

KINDS: Final = ("good", "bad")
"""The two files of every part and result: the good rows, and the failed rows."""

Join: TypeAlias = Callable[[Sequence[Path], BinaryIO, bool], None]
"""A function that writes parts as one table; the last argument is `True` for failed rows."""


class Target:
    """One of the two new tables, in the folder until it gets its name."""

    def __init__(self, folder: Path, kind: str, path: Path, permissions: Permissions) -> None:
        """Create the object from the folder, the kind, the final path and the permissions."""
        self._folder = folder
        self._kind = kind
        self._path = path
        self._permissions = permissions
        self._whole: Path = folder / f"all.{kind}"

    def check_free(self) -> None:
        """Raise `TableError` if the path exists."""
        check_free(self._path)

    def write(self, parts: Sequence[Path], join: Join) -> None:
        """Join the parts, again from the start if an earlier attempt was interrupted."""
        self._whole.unlink(missing_ok=True)
        with self._permissions.create(self._whole) as file:
            join(parts, file, self._kind == "bad")
            sync(file)

    def take_name(self) -> None:
        """Rename the table; no other file is overwritten. Raises `TableError`."""
        if not self._whole.exists():  # renamed earlier
            check_present(self._path, self._folder)
            return
        try:
            place(self._whole, self._path, self._folder / f"placing.{self._kind}")
        except FileExistsError:
            if not self._path.samefile(self._whole):
                raise taken(self._path) from None
        sync_folder(self._path.parent)

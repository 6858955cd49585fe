"""The file of a report: opened before the run, and written whole or not at all."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias, cast

from kmscore_vectors.judgement import Results
from kmscore_vectors.report import Heading
from kmscore_vectors.report.document import to_json
from kmscore_vectors.report.junit import to_junit
from kmscore_vectors.report.markdown import to_markdown

_Make: TypeAlias = Callable[[Results, Heading], str]
_KINDS: Final[Mapping[str, _Make]] = {".json": to_json, ".xml": to_junit, ".md": to_markdown}


class ReportError(Exception):
    """A report cannot be written."""


class Destination:
    """The file of a report.

    The report is written to a temporary file in the same folder, which then replaces the file. A
    file that is replaced keeps its mode.
    """

    def __init__(self, path: Path) -> None:
        """Check the path.

        Args:
            path: The file; its suffix is the kind of the report.

        Raises:
            ReportError: If the suffix is unknown, if it is not a regular file, or if the system
                cannot look it up, for example because the name is too long.
        """
        make = _KINDS.get(path.suffix.lower())
        if make is None:
            raise ReportError(f"{path}: unknown kind of report; use .json, .xml or .md")
        self._make = make
        self._path = path
        # A symbolic link is followed, so that the link is kept and its target is written.
        self._target = Path(os.path.realpath(path))
        try:
            is_other = self._target.exists() and not self._target.is_file()
        except OSError as error:
            raise ReportError(f"{path}: {error.strerror}") from None
        if is_other:
            raise ReportError(f"{path} is not a regular file")
        self._temporary = self._target.with_name(f".kmscore-vectors-{secrets.token_hex(8)}")
        self._file: BinaryIO | None = None

    def open(self) -> None:
        """Open the temporary file.

        Raises:
            ReportError: If the file cannot be written.
        """
        try:
            mode = stat.S_IMODE(self._target.stat().st_mode) if self._target.exists() else None
            # No other user can read the file before it has the mode of the older one.
            self._temporary.touch(0o666 if mode is None else 0o600, exist_ok=False)
            self._file = self._temporary.open("r+b")
            if mode is not None:
                self._temporary.chmod(mode)
        except OSError as error:
            raise ReportError(f"{self._path}: {error.strerror}") from None

    def write(self, results: Results, heading: Heading) -> None:
        """Write the report to the open file.

        Args:
            results: The results of the run.
            heading: The implementation and the folder of the vectors.

        Raises:
            ReportError: If the report cannot be written; an older file is unchanged then.
        """
        data = self._make(results, heading).encode("utf-8")
        try:
            with cast("BinaryIO", self._file) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._temporary.replace(self._target)
        except OSError as error:
            raise ReportError(f"{self._path}: {error.strerror}") from None

    def close(self) -> None:
        """Remove the temporary file, if it was not written whole."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        with suppress(OSError):
            self._temporary.unlink()


@contextmanager
def destinations(paths: Sequence[Path]) -> Iterator[list[Destination]]:
    """Open the files of reports.

    Args:
        paths: The files.

    Yields:
        The destinations, in the same order.

    Raises:
        ReportError: If a file cannot be written.
    """
    with ExitStack() as stack:
        opened = []
        for path in paths:
            opened.append(Destination(path))
            # Before the file is made, so that an interrupt leaves none.
            stack.callback(opened[-1].close)
            opened[-1].open()
        yield opened

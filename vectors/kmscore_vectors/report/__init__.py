"""The reports on a run: tables for a terminal, JSON, JUnit XML and Markdown."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Library(NamedTuple):
    """The library under test."""

    version: str
    folder: Path
    unusable_backends: Mapping[str, str]
    """The reason why an SM2 backend cannot be used here, by its name."""


class Heading(NamedTuple):
    """The implementation under test, and the folder of the vectors."""

    label: str
    version: str
    """The version of the implementation; empty if it is not known."""
    folder: Path
    library: Library | None = None
    """The library, if `verify` ran it."""

    @property
    def implementation(self) -> str:
        """The label, with the version if there is one."""
        return f"{self.label} {self.version}".rstrip()

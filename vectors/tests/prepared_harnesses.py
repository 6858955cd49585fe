"""The harnesses of `vectors/harnesses`, prepared once per session as the campaign prepares them."""

import importlib
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from support.time_limits import PATIENCE

from kmscore_vectors.runner import Peer

HARNESSES = Path(__file__).resolve().parents[1] / "harnesses"


def _module(name: str) -> ModuleType:
    """Return a module of the harnesses, which are scripts and not a package."""
    sys.path.insert(0, str(HARNESSES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(HARNESSES))


campaign = _module("campaign")
implementations = _module("implementations")
results = _module("results")


class Harness(NamedTuple):
    """A command, and the folder that it runs in."""

    command: tuple[str, ...]
    folder: Path

    def start(self) -> Peer:
        """Start the command as an implementation."""
        return Peer(self.command, timeout=PATIENCE, folder=self.folder)

    def version(self) -> str:
        """Return the output for `--version`."""
        command = (*self.command, "--version")
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=True, timeout=PATIENCE
        ).stdout


def python_harness(library: str) -> Harness:
    """Return the Python harness with a library of this environment."""
    folder = HARNESSES / "python"
    return Harness((sys.executable, str(folder / "responder.py"), library), folder)


@pytest.fixture(scope="session")
def harness(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Harness]:
    """Return a function from the name of an implementation to its prepared harness."""

    @cache
    def prepared(family: str) -> Path:
        (found,) = {each.family for each in implementations.load() if each.family.name == family}
        folder = campaign._prepared(found, tmp_path_factory.mktemp("harnesses") / family)
        if isinstance(folder, campaign.NotRunError):
            if "is missing" in str(folder):
                pytest.skip(str(folder))
            raise folder
        return folder

    def find(name: str) -> Harness:
        (found,) = (each for each in implementations.load() if each.name == name)
        return Harness(tuple(campaign._resolve(found.command)), prepared(found.family.name))

    return find

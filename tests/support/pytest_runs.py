"""Runs of pytest in a process of its own, for tests of fixtures and of examples."""

import subprocess
import sys
from pathlib import Path

from support.time_limits import PATIENCE


def run_pytest(folder: Path) -> str:
    """Run the tests in a folder, which must pass; return the output."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout

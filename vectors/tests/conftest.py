"""Fixtures for all tests of the vectors, and the checks for the whole run."""

from pathlib import Path

import pytest
from prepared_harnesses import harness
from support.time_limits import in_time, prepare

import kmscore_vectors

__all__ = ["harness", "in_time"]


def pytest_configure(config: pytest.Config) -> None:
    """Reject a test of the checkout, because users get the wheel."""
    prepare(config)
    if Path(kmscore_vectors.__file__).is_relative_to(Path(__file__).resolve().parents[1]):
        raise pytest.UsageError("the tests run on the installed wheel: pip install ./vectors")

"""Fixtures for all tests of the vectors, and the checks for the whole run."""

from pathlib import Path

import pytest
from hypothesis import settings
from prepared_harnesses import harness
from support.time_limits import in_time

import kmscore_vectors

__all__ = ["harness", "in_time"]

settings.load_profile("kmscore")


def pytest_configure() -> None:
    """Reject a test of the checkout, because users get the wheel."""
    if Path(kmscore_vectors.__file__).is_relative_to(Path(__file__).resolve().parents[1]):
        raise pytest.UsageError("the tests run on the installed wheel: pip install ./vectors")

"""What every test may use, and the two promises that hold for the whole run."""

from pathlib import Path
from typing import Any

import pytest
from fixtures import (
    backend,
    count_known_answers,
    in_time,
    known_answers,
    rsa_key,
    rsa_keys,
    sm2_key,
)
from hypothesis import settings

import kmscore

__all__ = ["backend", "count_known_answers", "in_time", "rsa_key", "rsa_keys", "sm2_key"]

# No deadline: the machines are shared, and a slow second is not a failed law.
settings.register_profile("kmscore", deadline=None, print_blob=True)
settings.load_profile("kmscore")

_CHECKOUT = Path(__file__).resolve().parent.parent
_COUNTS = "known answers"
_SHOWN = 16  # bytes of a parameter


def pytest_configure() -> None:
    """Refuse to test the checkout: what users get is the wheel."""
    if Path(kmscore.__file__).resolve().is_relative_to(_CHECKOUT / "kmscore"):
        raise pytest.UsageError("the tests run on the installed wheel: pip install '.[test]'")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name long bytes by their length: those with a random IV are others in every process."""
    return f"{len(val)} bytes" if isinstance(val, bytes) and len(val) > _SHOWN else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many published cases ran, by source."""
    if known_answers:
        terminalreporter.section("known answers by others")
        for source, number in sorted(known_answers.items()):
            terminalreporter.line(f"{number:6} {source}")
        terminalreporter.line(f"{known_answers.total():6} in all")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the counts of a process that runs some of the tests to the one that shares them out."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_COUNTS] = dict(known_answers)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the counts of such a process."""
    known_answers.update(getattr(node, "workeroutput", {}).get(_COUNTS, {}))

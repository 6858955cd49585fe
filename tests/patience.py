"""How long the tests wait, with room for a machine that is busy with other work."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

PATIENCE = 600
"""Seconds after which something is taken to wait for what never comes.

The longest step takes 5 seconds on an idle machine. At a load of 20 on two processors it takes ten
times as long.
"""

_LONGEST = 3 * PATIENCE  # seconds of a test that waits for others
_AGAIN = 20  # seconds for what it clears away

# No deadline: the machines are shared, and a slow second is not a failed law.
settings.register_profile("kmscore", deadline=None, print_blob=True)


@pytest.fixture
def in_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have a test fail that waits for what never comes, whatever it is, and show where it did."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def fail(*_: object) -> None:
        pytest.fail(f"{request.node.nodeid} has not ended after {_LONGEST} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, _LONGEST, _AGAIN)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)

"""The settings of a run of tests, and its time limits on a busy machine."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

PATIENCE = 600
"""The time limit of one step, in seconds.

The longest step takes 5 seconds on an idle machine. At a load of 20 on two processors it takes ten
times as long.
"""

_LONGEST = 3 * PATIENCE  # seconds for a test that waits for other processes
_AGAIN = 20  # seconds for its cleanup

_EXAMPLES = 30  # of 100, in a run without the marker `thorough`

# No deadline, because a slow example on a shared machine is not a failed property.
settings.register_profile("kmscore", deadline=None, print_blob=True, max_examples=_EXAMPLES)
settings.register_profile("kmscore thorough", settings.get_profile("kmscore"), max_examples=100)


def prepare(config: pytest.Config) -> None:
    """Load the settings of hypothesis, with fewer examples if `thorough` is deselected.

    A shell starts a process in the background without Ctrl-C, which commands under test would
    inherit: a test that interrupts one would wait until its time limit.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    is_short = "not thorough" in config.option.markexpr
    settings.load_profile("kmscore" if is_short else "kmscore thorough")


@pytest.fixture
def in_time(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that runs too long, and show where it waits."""
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

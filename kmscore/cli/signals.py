"""Ctrl-C and SIGTERM: both end a command with one line, and with the exit code of a shell."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command in the same places as Ctrl-C."""


def raise_at_sigterm() -> None:
    """Raise `Terminated` at SIGTERM, unless the caller has set another handler."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)


def _terminate(*_: object) -> NoReturn:
    # `timeout` sends the signal twice, and the second one would interrupt the cleanup.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C, for a cleanup that ends soon and that must not be left half done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        # None is a handler that another library has set.
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def end_of(interrupt: BaseException) -> tuple[str, int]:
    """Return the word and the exit code for an interrupt."""
    is_sigterm = isinstance(interrupt, Terminated)
    number = signal.SIGTERM if is_sigterm else signal.SIGINT
    return "terminated" if is_sigterm else "interrupted", 128 + number

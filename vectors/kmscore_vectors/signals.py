"""Ctrl-C, SIGTERM and SIGHUP: each ends a command with one line and the exit code of a shell."""

import signal
import threading
from typing import Final, NoReturn

_NAMES: Final = tuple(name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""The signals that end a command as Ctrl-C does; Windows has no SIGHUP."""

_WORDS: Final = {"SIGTERM": "terminated", "SIGHUP": "hung up"}


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP, which ends a command in the same places as Ctrl-C.

    Attributes:
        signal: The signal.
    """

    def __init__(self, number: int) -> None:
        """Keep the signal."""
        super().__init__()
        self.signal: signal.Signals = signal.Signals(number)


def raise_at_signals() -> None:
    """Raise `Terminated` at SIGTERM and SIGHUP, unless the caller has set other handlers.

    `nohup` ignores SIGHUP, and that is kept.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    for name in _NAMES:
        number = signal.Signals[name]
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def _terminate(number: int, _: object) -> NoReturn:
    """Raise `Terminated`; the end of a terminal gives several signals, so others do nothing."""
    for name in _NAMES:
        if signal.getsignal(signal.Signals[name]) is _terminate:
            signal.signal(signal.Signals[name], _continue)
    raise Terminated(number)


def _continue(*_: object) -> None:
    """Do nothing. Unlike `SIG_IGN`, programs that are started later do not inherit this."""


def end_of(interrupt: BaseException | None) -> tuple[str, int]:
    """Return the word and the exit code for an interrupt."""
    if isinstance(interrupt, Terminated):
        return _WORDS[interrupt.signal.name], 128 + interrupt.signal
    return "interrupted", 128 + signal.SIGINT

"""Commands at a pseudo-terminal, with lines typed at their prompts."""

import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.commands import command, environment
from support.time_limits import PATIENCE

# In a new session, this makes standard input the terminal, where passphrases are read.
# A program does this, because a process with threads can deadlock between fork and exec.
_AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def at_terminal(
    *arguments: str | Path,
    width: int = 80,
    typed: bytes = b"",
    is_over: Callable[[bytes], bool] | None = None,
    **variables: str,
) -> tuple[int, str]:
    """Run a command at a pseudo-terminal of this width; return its exit code and its output.

    `is_over` decides from the output whether the test gives up; by default, time decides.
    """
    pty = pytest.importorskip("pty")
    fcntl = pytest.importorskip("fcntl")
    termios = pytest.importorskip("termios")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _AT_TERMINAL, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment(TERM="xterm-256color", **variables),
    )
    os.close(theirs)
    try:
        until = time.monotonic() + PATIENCE
        shown = _converse(ours, typed, is_over or (lambda _: time.monotonic() > until))
        return process.wait(PATIENCE), shown.decode()
    finally:
        # Kill the process first; the end of `with Popen` would wait for it.
        process.kill()
        os.close(ours)
        process.wait(PATIENCE)


def _converse(ours: int, typed: bytes, is_over: Callable[[bytes], bool]) -> bytes:
    """Type a line at each prompt; return the output when the other side has ended.

    Ctrl-C is typed again until it has an effect: Python misses a signal between its last check for
    signals and the start of the system call that waits for input.
    """
    shown, line = b"", b""
    while not is_over(shown):
        if not select.select([ours], [], [], 1.0)[0]:
            if line == b"\x03":
                os.write(ours, line)
            continue
        try:
            data = os.read(ours, 65536)
        except OSError:  # the end of the terminal on Linux
            data = b""
        if not data:
            return shown
        shown += data
        if typed and shown.endswith(b": "):
            line, _, typed = typed.partition(b"\n")
            os.write(ours, line if line == b"\x03" else line + b"\n")
    return pytest.fail(f"it has not ended; it has shown {shown!r}, not yet typed is {typed!r}")


def without_variable(*arguments: str | Path, typed: bytes) -> tuple[int, str]:
    """Run a command at a terminal, without a passphrase in the environment."""
    return at_terminal("env", "-u", "KMSCORE_PASSPHRASE", *command(*arguments), typed=typed)

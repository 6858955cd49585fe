"""Jobs in processes that are forked from this one, which has the libraries loaded already."""

import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MEMORY = 6 << 30  # bytes; a mutant that multiplies instead of dividing asks for more


def become_child(log: Path) -> None:
    """Leave the terminal, limit the memory and write everything to a file."""
    os.setsid()
    # A command in the background ignores it, and so would the tests of Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    silent = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((silent, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  (for this process)
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _read(channel: int, seconds: float) -> bytes | None:
    """Read all that a child writes; None if it takes too long."""
    parts: list[bytes] = []
    end = time.monotonic() + seconds
    while select.select([channel], [], [], max(0.0, end - time.monotonic()))[0]:
        part = os.read(channel, 1 << 20)
        if not part:
            return b"".join(parts)
        parts.append(part)
    return None


def run_forked(
    job: Callable[[], Mapping[str, Any]], seconds: float, log: Path
) -> dict[str, Any] | str:
    """Run a job in a forked process.

    Args:
        job: A function whose result is written as JSON.
        seconds: The time limit.
        log: The file for the output of the process.

    Returns:
        The result of the job, or `timeout` or `crash`.
    """
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:  # pragma: no cover
        try:
            os.close(reader)
            become_child(log)
            result = json.dumps(job()).encode()
            with os.fdopen(writer, "wb") as channel:
                channel.write(result)
        except BaseException:  # noqa: BLE001  (the process ends here in any case)
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    os.close(writer)
    try:
        data = _read(reader, seconds)
    finally:
        os.close(reader)
        # The group has also the processes that the tests started.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)
    if data is None:
        return "timeout"
    return json.loads(data) if data else "crash"

"""Anyone's implementation as a process: a line of JSON in, a line of JSON out.

Nothing that the process does may end the run: it may hang, die, close its output, or print what is
no answer. It is then killed with all of its process group, and the next question starts it anew.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, cast

from kmscore_vectors.files import unique_names
from kmscore_vectors.judgement import Answer

if TYPE_CHECKING:
    from io import BufferedReader

MAX_LINE: Final = 1 << 18  # bytes of one answer; the longest that is right has some 131,100
PATIENCE: Final = 10
"""After so many failures in a row without one answer the process is not started any more."""

GIVEN_UP: Final = f"not asked any more, after {PATIENCE} failures in a row"
"""The failure of every question that is not asked because of that."""

_RESERVED: Final = frozenset({"error", "unsupported", "failure"})
_PARTING: Final = 2.0  # seconds to end by itself, once there are no more questions
_KEPT: Final = 500  # bytes of what it says on standard error


class CommandError(Exception):
    """The command cannot be started at all."""


class Peer:
    """An implementation behind a command. A context manager: none of its process group is left."""

    def __init__(self, command: Sequence[str], *, timeout: float) -> None:
        """Start the command, or raise `CommandError`; `timeout` is in seconds for one answer."""
        self._command = tuple(command)
        self._timeout = timeout
        self._last_id = 0
        self._failures = 0
        self._process: _Process | None = self._start()

    def __enter__(self) -> Self:
        """Return this peer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the process: with time to do so by itself, unless the run was broken off."""
        if self._process is not None:
            self._process.end(_PARTING if kind is None else 0.0)

    def ask(self, operation: str, inputs: Mapping[str, Any]) -> Answer:
        """Return the answer to a question, or `failure` with the reason why there is none."""
        if self._failures == PATIENCE:
            return {"failure": GIVEN_UP}
        try:
            if self._process is None:
                self._process = self._start()
            self._last_id += 1
            question = {"id": self._last_id, "operation": operation, "inputs": inputs}
            line = self._process.exchange(json.dumps(question).encode("ascii"), self._timeout)
            answer = _read(line, self._last_id)
        except (CommandError, _NoAnswerError) as error:
            self._failures += 1
            return {"failure": f"{error}{self._complaint()}"}
        self._failures = 0
        return answer

    def _complaint(self) -> str:
        """End a process that is of no use any more; return what it complained of, if it did."""
        complaint = "" if self._process is None else self._process.end(0.0)
        self._process = None
        return f" ({complaint})" if complaint else ""

    def _start(self) -> "_Process":
        try:
            return _Process(self._command)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CommandError(f"{self._command[0]} cannot be started: {reason}") from None


class _NoAnswerError(Exception):
    """A question was not answered, or by something that is no answer."""


class _Process:
    """One life of the command, with a thread that talks to it and one that hears it complain."""

    def __init__(self, command: Sequence[str]) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 (to run this command is what we are asked)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # with a process group of its own, which can be killed whole
        )
        self._questions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._complaints = b""
        self._talking = threading.Thread(target=self._talk, daemon=True)
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._talking.start()
        self._listening.start()

    def exchange(self, question: bytes, timeout: float) -> bytes:
        """Return the line that follows a question, or raise `_NoAnswerError`."""
        self._questions.put(question + b"\n")
        try:
            line = self._answers.get(timeout=timeout)
        except queue.Empty:
            raise _NoAnswerError(f"no answer in {timeout:g} seconds") from None
        if len(line) > MAX_LINE:
            raise _NoAnswerError(f"a line of more than {MAX_LINE:,} bytes")
        if not line.endswith(b"\n"):
            raise _NoAnswerError("it ended, or closed its output, in place of an answer")
        return line

    def end(self, patience: float) -> str:
        """End the process and its group; return the end of what it complained of."""
        self._questions.put(None)
        if patience:
            self._talking.join(patience)
        # The process is not waited for before this, so that its number cannot be another's by now.
        _kill(self._popen)
        self._popen.wait()
        # What it has started and moved to another group may still hold its output.
        deadline = time.monotonic() + _PARTING
        for thread in (self._talking, self._listening):
            thread.join(max(0.0, deadline - time.monotonic()))
        return self._complaints.decode("utf-8", "backslashreplace").strip()

    def _talk(self) -> None:
        """Write each question and read the line that follows, until there is none to ask."""
        stdin = cast("BinaryIO", self._popen.stdin)
        stdout = cast("BufferedReader", self._popen.stdout)
        with stdout:
            with contextlib.suppress(OSError), stdin:
                while question := self._questions.get():
                    stdin.write(question)
                    stdin.flush()
                    self._answers.put(stdout.readline(MAX_LINE + 1))
            self._answers.put(b"")  # to a question that could not be written
            while stdout.read1():
                pass  # it is done when its output is

    def _listen(self) -> None:
        """Read all that it complains of, so that it never has to wait, and keep the end."""
        with cast("BinaryIO", self._popen.stderr) as stderr:
            while data := os.read(stderr.fileno(), 1 << 16):
                self._complaints = (self._complaints + data)[-_KEPT:]


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and where there are process groups all of its own."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _read(line: bytes, number: int) -> Answer:
    """Return the answer in a line, or raise `_NoAnswerError`."""
    try:
        document = json.loads(line, object_pairs_hook=unique_names)
    except (ValueError, RecursionError):
        document = None
    match document:
        case {"id": int(given), "outputs": dict(outputs), **rest} if not rest:
            answer = outputs if _RESERVED.isdisjoint(outputs) and _is_flat(outputs) else None
        case {"id": int(given), "error": str(), **rest} if not rest:
            answer = {"error": document["error"]}
        case {"id": int(given), "unsupported": True, **rest} if not rest:
            answer = {"unsupported": True}
        case _:
            given, answer = 0, None
    if answer is None:
        raise _NoAnswerError(f"not an answer: {line[:_KEPT].decode('utf-8', 'backslashreplace')}")
    if given != number or isinstance(given, bool):
        raise _NoAnswerError(f"the answer to question {given}, when {number} was asked")
    return answer


def _is_flat(outputs: Mapping[str, Any]) -> bool:
    """Return whether outputs are texts, or objects of texts and nulls: no operation has others."""
    fields = [value.values() if isinstance(value, dict) else (value,) for value in outputs.values()]
    return all(value is None or isinstance(value, str) for group in fields for value in group)

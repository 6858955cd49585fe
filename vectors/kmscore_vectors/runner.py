"""Run an implementation as a process: one line of JSON in, one line of JSON out.

The run continues whatever the process does: it may hang, end, close its output, or print a line
that is not an answer. Then the runner kills the whole process group, and the next question starts
the process again.
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
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self, cast

from kmscore_vectors.answers import GIVEN_UP, PATIENCE, Answer, are_outputs
from kmscore_vectors.files import unique_names

if TYPE_CHECKING:
    from io import BufferedReader

MAX_LINE: Final = 1 << 18  # bytes of one answer; the longest right answer has some 131,100
_PARTING: Final = 2.0  # seconds that the process has to end by itself after the last question.
_ENDING: Final = 2.0  # seconds from the end of the output of a process to its own end.
_POLLING: Final = 0.01  # seconds between two checks of its end.
_KEPT: Final = 500  # bytes of its standard error that are kept


class CommandError(Exception):
    """The command cannot be started."""


class Peer:
    """An implementation that a command starts.

    Use it as a context manager: at the end, no process of its process group is left.
    """

    def __init__(
        self, command: Sequence[str], *, timeout: float, folder: Path | None = None
    ) -> None:
        """Start the command.

        Args:
            command: The program and its arguments.
            timeout: Seconds for one answer.
            folder: The folder that the command runs in (default: the current folder).

        Raises:
            CommandError: If the command cannot be started.
        """
        self._command = tuple(command)
        self._folder = folder
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
        """End the process; let it end by itself, unless the run was interrupted."""
        if self._process is not None:
            self._process.end(_PARTING if kind is None else 0.0)

    def ask(self, operation: str, inputs: Mapping[str, Any]) -> Answer:
        """Return the answer to a question, or the reason if it has no answer."""
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
            return self._give_up(error)
        self._failures = 0
        return answer

    def _give_up(self, error: Exception) -> Answer:
        """End a process that failed; return the reason, with the end of its standard error."""
        process = self._process
        if process is None:
            return {"failure": str(error)}
        complaint = process.end(0.0)
        self._process = None  # not before: an interrupt must leave it for `__exit__`
        complaint = f" ({complaint})" if complaint else ""
        if isinstance(error, _EndedError):
            return {"crash": f"it ended with {process.exit_name} before an answer{complaint}"}
        return {"failure": f"{error}{complaint}"}

    def _start(self) -> "_Process":
        try:
            return _Process(self._command, self._folder)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            is_script = (self._folder or Path()).joinpath(self._command[0]).is_file()
            hint = "; a script needs its interpreter before it" if is_script else ""
            raise CommandError(f"{self._command[0]} cannot be started: {reason}{hint}") from None


class _NoAnswerError(Exception):
    """A question has no answer, or its answer is malformed."""


class _EndedError(_NoAnswerError):
    """The process ended in place of an answer."""


class _Process:
    """A running command, with one thread for questions and answers and one for standard error."""

    def __init__(self, command: Sequence[str], folder: Path | None) -> None:
        self._popen = subprocess.Popen(  # noqa: S603 (the user asks for this command)
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # its own process group, so that the whole group can be killed
        )
        self._questions: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._complaints = b""
        self._is_killed = False
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
            if self._ends_by_itself():
                raise _EndedError
            raise _NoAnswerError("it closed its output before an answer")
        return line

    def _ends_by_itself(self) -> bool:
        """Return whether the process, whose output is at its end, ends soon."""
        deadline = time.monotonic() + _ENDING
        while not _has_ended(self._popen):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLLING)
        return True

    @property
    def exit_name(self) -> str:
        """The exit code of the process, or the name of the signal that ended it."""
        code = self._popen.returncode
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):  # some signals of Linux have no name
            return signal.Signals(-code).name
        return f"signal {-code}"

    def end(self, patience: float) -> str:
        """End the process and its group; return the end of its standard error."""
        self._questions.put(None)
        try:
            if patience:
                self._talking.join(patience)
        finally:  # also after an interrupt
            self._stop()
        # A child that moved to another process group can still hold the output open.
        deadline = time.monotonic() + _PARTING
        for thread in (self._talking, self._listening):
            thread.join(max(0.0, deadline - time.monotonic()))
        return self._complaints.decode("utf-8", "backslashreplace").strip()

    def _stop(self) -> None:
        """Kill the process and its group, once."""
        if not self._is_killed:
            # Kill before the wait: until then the process ID cannot belong to another process.
            _kill(self._popen)
            self._popen.wait()
            self._is_killed = True

    def _talk(self) -> None:
        """Write each question and read the line that follows, until the last question."""
        stdin = cast("BinaryIO", self._popen.stdin)
        stdout = cast("BufferedReader", self._popen.stdout)
        with stdout:
            with contextlib.suppress(OSError), stdin:
                while question := self._questions.get():
                    stdin.write(question)
                    stdin.flush()
                    self._answers.put(stdout.readline(MAX_LINE + 1))
            self._answers.put(b"")  # for a question that could not be written
            while stdout.read1():
                pass  # the process is done when its output ends

    def _listen(self) -> None:
        """Read all of standard error, so that the process never blocks, and keep the end."""
        with cast("BinaryIO", self._popen.stderr) as stderr:
            while data := os.read(stderr.fileno(), 1 << 16):
                self._complaints = (self._complaints + data)[-_KEPT:]


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Return whether a process has ended."""
    if hasattr(os, "waitid"):
        # WNOWAIT keeps the process ID in use until the process group is killed.
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, process.pid, options) is not None
    return process.poll() is not None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and its process group where the system has process groups."""
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
            answer = outputs if are_outputs(outputs) else None
        case {"id": int(given), "error": str(), **rest} if not rest:
            answer = {"error": document["error"]}
        case {"id": int(given), "crash": str(), **rest} if not rest:
            answer = {"crash": document["crash"]}
        case {"id": int(given), "unsupported": True, **rest} if not rest:
            answer = {"unsupported": True}
        case _:
            given, answer = 0, None
    if answer is None:
        raise _NoAnswerError(f"not an answer: {line[:_KEPT].decode('utf-8', 'backslashreplace')}")
    if given != number or isinstance(given, bool):
        raise _NoAnswerError(f"the answer to question {given}, when {number} was asked")
    return answer

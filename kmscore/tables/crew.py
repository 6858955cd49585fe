"""Worker processes: they get tasks, and return the results.

The standard library's pools need semaphores. If the first process is killed, their resource tracker
then writes a warning to standard error. Pipes need none, and end with the first process.
"""

import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import connection
from types import ModuleType
from typing import Any, Final, NamedTuple

from kmscore.tables.errors import JobError, TableError

_AT_ONCE: Final = 2
"""Maximum tasks of a process, one in work and one waiting, so that memory use has a limit."""

_DIED: Final = "a worker process died"

_LACKS_MEMORY: Final = "a worker process has too little memory; fewer jobs need less"

_FROZEN: Final = (
    "; the main module of a frozen application must call multiprocessing.freeze_support()"
)

Begin = Callable[..., Callable[[Any], Any]]
"""A function that runs once in each process, and returns the function that performs a task.

Both are sent to the process, so they must be importable.
"""


class Note(NamedTuple):
    """A value that a worker process has sent before the end of a task."""

    value: Any


class WorkerError(JobError):
    """A worker process failed; another call can repeat its task."""


def in_processes(
    begin: Begin, tasks: Iterable[Any], number: int, *, with_notes: bool = False
) -> Generator[Any, None, None]:
    """Yield the result of each task, in the order of completion, from `number` processes.

    With `with_notes`, `begin` gets a function that sends a value at once, for example the progress
    of a task. Such a value is yielded as a `Note`.

    Raises `WorkerError` if a process dies, and the `TableError` or `OSError` of a task.
    """
    crew = _Crew(begin, number, with_notes=with_notes)
    try:
        for task in tasks:
            while crew.is_full:
                yield from crew.receive()
            crew.give(task)
        while crew.is_busy:
            yield from crew.receive()
    finally:
        crew.dismiss()


class _Crew:
    """The processes, and the number of tasks of each."""

    def __init__(self, begin: Begin, number: int, *, with_notes: bool = False) -> None:
        self._begin = begin
        self._with_notes = with_notes
        self._number = number
        # Spawned processes inherit no memory of this process, and so no key.
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[Any] = []
        self._loads: dict[Any, int] = {}
        self._has_results = False

    @property
    def is_full(self) -> bool:
        """Whether no process can take another task."""
        return len(self._loads) == self._number and min(self._loads.values(), default=0) == _AT_ONCE

    @property
    def is_busy(self) -> bool:
        """Whether a process has a task."""
        return any(self._loads.values())

    def give(self, task: Any) -> None:  # noqa: ANN401 (any task)
        """Give a task to the process with the fewest tasks, or to a new process."""
        idle = [end for end, load in self._loads.items() if not load]
        if not idle and len(self._loads) < self._number:
            self._hire()
        end = min(self._loads, key=self._loads.__getitem__)
        try:
            _send(end, task)
        except OSError:
            raise self._died() from None
        self._loads[end] += 1

    def receive(self) -> list[Any]:
        """Wait for results and notes, and return them."""
        results = []
        for end in connection.wait([end for end, load in self._loads.items() if load]):
            result = self._receive_from(end)
            results.append(result)
            if not isinstance(result, Note):
                self._loads[end] -= 1
        return results

    def _receive_from(self, end: Any) -> Any:  # noqa: ANN401 (any task)
        try:
            result = _receive(end)
        except (EOFError, OSError):
            raise self._died() from None
        if isinstance(result, Exception):
            raise result
        self._has_results = True
        return result

    def _died(self) -> WorkerError:
        is_first = getattr(sys, "frozen", False) and not self._has_results
        return WorkerError(_DIED + _FROZEN if is_first else _DIED)

    def _hire(self) -> None:
        """Start a process."""
        with without_interrupts(), _without_main_module():
            end, other = self._context.Pipe()
            process = self._context.Process(
                target=serve, args=(other, self._begin, self._with_notes), daemon=True
            )
            self._processes.append(process)
            self._loads[end] = 0
            with _safe_path():
                process.start()
            other.close()

    def dismiss(self) -> None:
        """End all processes at once; a task without a received result has no effect."""
        for process in self._processes:
            if process.pid is not None:
                process.terminate()
                process.join()
        for end in self._loads:
            end.close()


@contextmanager
def _safe_path() -> Iterator[None]:
    """Start processes that import no module from the current folder."""
    name = "PYTHONSAFEPATH"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM; a process that starts then ignores Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread gets signals, and only it can set a handler.
        yield
        return
    received: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: received.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    # A new process starts with the mask of this thread, if the system has masks.
    mask = getattr(signal, "pthread_sigmask", None)
    blocked = mask and mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, blocked)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
    for missed in received:
        signal.raise_signal(missed)


@contextmanager
def _without_main_module() -> Iterator[None]:
    """Start processes that do not import the main module.

    They do not need it. A script that calls `rotate` outside `if __name__ == "__main__"` would
    start again in each process.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _send(end: Any, value: Any) -> None:  # noqa: ANN401 (any task or result)
    """Send a value. Raises `OSError` if the other process has ended."""
    # As bytes: after an error, `Connection.send` leaves a buffer whose removal prints a warning.
    end.send_bytes(pickle.dumps(value))


def _tell(end: Any, value: Any) -> None:  # noqa: ANN401 (any value)
    """Send a note. Raises `OSError` if the other process has ended."""
    _send(end, Note(value))


def _receive(end: Any) -> Any:  # noqa: ANN401 (any task or result)
    """Return a value. Raises `EOFError` or `OSError` if the other process has ended."""
    return pickle.loads(end.recv_bytes())  # noqa: S301 (from a process of this job)


def serve(
    end: Any,  # noqa: ANN401 (a connection has no common type)
    begin: Begin,
    with_notes: bool = False,  # noqa: FBT001, FBT002 (sent to the process by position)
) -> None:
    """Perform tasks in a worker process, which ignores Ctrl-C and ends with the first process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_fetch, args=(end, tasks), daemon=True).start()
    result: Any
    try:
        perform = begin(partial(_tell, end)) if with_notes else begin()
        while (task := tasks.get()) is not None:
            _send(end, perform(task))
    except MemoryError:
        result = WorkerError(_LACKS_MEMORY)
    except (OSError, TableError) as error:
        result = error
    except Exception as error:  # noqa: BLE001 (a traceback would show the values of rows)
        result = TableError(f"an unexpected error: {type(error).__name__}")
    else:
        return
    try:
        _send(end, result)
    except OSError:
        # The first process has ended.
        return


def _fetch(end: Any, tasks: "queue.SimpleQueue[Any]") -> None:  # noqa: ANN401
    """Receive the tasks; `None` is the end, also if the first process was killed."""
    try:
        while True:
            tasks.put(_receive(end))
    except (EOFError, OSError):
        tasks.put(None)

"""Processes that take tasks and give back what became of them."""

import multiprocessing
import os
import queue
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import connection
from typing import Any, Final

from kmscore.tables.errors import TableError

_AT_ONCE: Final = 2
"""Tasks for each process, one at work and one waiting: memory does not grow with their number."""

_DIED: Final = "a process at work has died"

_LACKS_MEMORY: Final = "a process at work lacks memory, of which fewer --jobs take less"

Begin = Callable[[], Callable[[Any], Any]]
"""Runs once in each process, and returns what does a task there. Both are sent there."""


class WorkerError(TableError):
    """A process could not go on; what it was at can be done again."""


def in_processes(begin: Begin, tasks: Iterable[Any], number: int) -> Generator[Any, None, None]:
    """Yield what becomes of each task, as it comes out of the hands of so many processes.

    Raises `WorkerError` if one of them dies, and what one of them raises of this or the system.
    """
    crew = _Crew(begin, number)
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
    """The processes, and how many tasks each of them has."""

    def __init__(self, begin: Begin, number: int) -> None:
        self._begin = begin
        self._number = number
        # Nothing of this process is copied into the others.
        self._context = multiprocessing.get_context("spawn")
        self._processes: list[Any] = []
        self._loads: dict[Any, int] = {}

    @property
    def is_full(self) -> bool:
        """Whether nobody can take another task."""
        return len(self._loads) == self._number and min(self._loads.values(), default=0) == _AT_ONCE

    @property
    def is_busy(self) -> bool:
        """Whether somebody has a task."""
        return any(self._loads.values())

    def give(self, task: Any) -> None:  # noqa: ANN401 (whatever is sent)
        """Give a task to who has least to do, or to a new process."""
        idle = [end for end, load in self._loads.items() if not load]
        if not idle and len(self._loads) < self._number:
            self._hire()
        end = min(self._loads, key=self._loads.__getitem__)
        try:
            end.send(task)
        except OSError:
            raise WorkerError(_DIED) from None
        self._loads[end] += 1

    def receive(self) -> list[Any]:
        """Return what has been done, once there is something."""
        results = []
        for end in connection.wait([end for end, load in self._loads.items() if load]):
            results.append(self._receive_from(end))
            self._loads[end] -= 1
        return results

    def _receive_from(self, end: Any) -> Any:  # noqa: ANN401 (whatever is sent)
        try:
            result = end.recv()
        except (EOFError, OSError):
            raise WorkerError(_DIED) from None
        if isinstance(result, Exception):
            raise result
        return result

    def _hire(self) -> None:
        """Start a process."""
        with without_interrupts():
            end, other = self._context.Pipe()
            process = self._context.Process(target=serve, args=(other, self._begin), daemon=True)
            self._processes.append(process)
            self._loads[end] = 0
            with _safe_path():
                process.start()
            other.close()

    def dismiss(self) -> None:
        """End all processes, whatever they are at: nothing is whole before it has been received."""
        for process in self._processes:
            if process.pid is not None:
                process.terminate()
                process.join()
        for end in self._loads:
            end.close()


@contextmanager
def _safe_path() -> Iterator[None]:
    """Begin processes that import nothing from the folder that the command is run in."""
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
    """Put Ctrl-C off: a process that begins meanwhile leaves it to this one for good."""
    received: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    # A new process begins with the mask of this thread, where the system has one.
    mask = getattr(signal, "pthread_sigmask", None)
    blocked = mask and mask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        if mask:
            mask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, handler)
    if received:
        raise KeyboardInterrupt


def serve(end: Any, begin: Begin) -> None:  # noqa: ANN401 (a connection has no common type)
    """Do tasks in a new process, which leaves Ctrl-C to the first one and ends when it does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tasks: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_fetch, args=(end, tasks), daemon=True).start()
    result: Any
    try:
        perform = begin()
        while (task := tasks.get()) is not None:
            end.send(perform(task))
    except MemoryError:
        result = WorkerError(_LACKS_MEMORY)
    except (OSError, TableError) as error:
        result = error
    except Exception as error:  # noqa: BLE001 (a traceback from here would show what it holds)
        result = TableError(f"an error that was not foreseen: {type(error).__name__}")
    else:
        return
    try:
        end.send(result)
    except OSError:
        # Nobody is there any more to be told.
        return


def _fetch(end: Any, tasks: "queue.SimpleQueue[Any]") -> None:  # noqa: ANN401
    """Have the next task ready; when the first process is no more, there is none."""
    try:
        while True:
            tasks.put(end.recv())
    except (EOFError, OSError):
        tasks.put(None)

"""Tasks and their measurement: all contenders of a task take turns, in one run, on one core."""

import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

Call = Callable[[], object]

OURS: Final = "kmscore"

_BATCH_NS: Final = 10_000_000
_LEAST_ROUNDS: Final = 15
_MOST_ROUNDS: Final = 400


class Missing(Exception):  # noqa: N818 (not an error: the peer is not installed)
    """A peer that is not installed."""


@dataclass(frozen=True)
class Task:
    """One piece of work and its contenders: the call of `kmscore` under `OURS`, and the others."""

    name: str
    """The name of the task in the table."""

    against: Mapping[str, float | None]
    """The maximum ratio for each of the others; `None` if there is no limit."""

    build: Callable[[], Mapping[str, Call]]
    """The function that creates the calls, by contender."""

    cores: int = 1
    """The number of processor cores that the task may use."""

    remark: str = ""
    """A note that the reader of the ratios needs, or an empty text."""

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """The calls of all installed contenders, created at the first use."""
        return self.build()

    @property
    def contenders(self) -> tuple[str, ...]:
        """The names of all contenders, `OURS` first, including those that are not installed."""
        return (OURS, *self.against)


class Tasks:
    """The tasks of a subject, in order; the decorator `add` adds a task."""

    def __init__(self, subject: str) -> None:
        """Create an empty list of tasks for a subject."""
        self.subject = subject
        self._tasks: list[Task] = []

    def add(
        self, name: str, against: Mapping[str, float | None], *, cores: int = 1, remark: str = ""
    ) -> Callable[[Callable[[], Mapping[str, Call]]], Task]:
        """Return a decorator that turns the function that builds the calls into a task."""

        def make(build: Callable[[], Mapping[str, Call]]) -> Task:
            task = Task(name, against, build, cores, remark)
            self._tasks.append(task)
            return task

        return make

    def __iter__(self) -> Iterator[Task]:
        """Iterate over the tasks in the order in which they were added."""
        return iter(self._tasks)


class Comparison(NamedTuple):
    """The times of `kmscore` and of one other contender in a task, and their ratio."""

    task: str
    """The name of the task."""

    against: str
    """The name of the other contender."""

    ours_ns: float
    """The time of `kmscore` in nanoseconds per call, the median of all rounds."""

    other_ns: float
    """The time of the other contender in nanoseconds per call, the median of all rounds."""

    ratio: float
    """The median of the ratios of all rounds.

    In a round, all contenders run one after the other, so a slow machine affects all of them.
    """

    limit: float | None
    """The maximum ratio, or `None`."""

    remark: str = ""
    """A note about the ratios of the task, the same in all rows of the task."""

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within its limit, or has no limit."""
        return self.limit is None or self.ratio <= self.limit


@dataclass
class Measurement:
    """The times of all contenders of a task."""

    task: Task
    """The task."""

    rounds: dict[str, list[float]] = field(default_factory=dict)
    """The time in nanoseconds per call for each round, by contender."""

    def comparisons(self) -> list[Comparison]:
        """Return the comparison of `kmscore` with each of the others."""
        ours = self.rounds[OURS]
        return [
            Comparison(
                self.task.name,
                name,
                statistics.median(ours),
                statistics.median(other),
                statistics.median(map(_divide, ours, other)),
                self.task.against[name],
                self.task.remark,
            )
            for name, other in self.rounds.items()
            if name != OURS
        ]


def measure(task: Task, seconds: float, report: Callable[[float], object]) -> Measurement:
    """Run all contenders in turns for about `seconds` seconds, and report the share done."""
    measurement = Measurement(task, {name: [] for name in task.calls})
    with on_cores(task.cores):
        batches = {name: _batch_size(call) for name, call in task.calls.items()}
        one_round = sum(
            _time(call, batches[name]) * batches[name] for name, call in task.calls.items()
        )
        rounds = min(max(int(seconds * 1e9 / one_round), _LEAST_ROUNDS), _MOST_ROUNDS)
        # Each round begins with the next contender, so that no contender is always the first.
        order = itertools.cycle(task.calls.items())
        for number in range(rounds):
            for _ in task.calls:
                name, call = next(order)
                measurement.rounds[name].append(_time(call, batches[name]))
            next(order)
            report((number + 1) / rounds)
    return measurement


def _divide(left: float, right: float) -> float:
    return left / right


def _batch_size(call: Call) -> int:
    """Return a number of calls that takes long enough for the clock."""
    size = 1
    while size < 1 << 20 and _time(call, size) * size < _BATCH_NS:
        size *= 2
    return size


def _time(call: Call, number: int) -> float:
    """Return the nanoseconds per call of `number` calls, without garbage collection."""
    gc.collect(0)
    gc.disable()
    try:
        start = time.perf_counter_ns()
        for _ in itertools.repeat(None, number):
            call()
        return (time.perf_counter_ns() - start) / number
    finally:
        gc.enable()


@contextmanager
def on_cores(number: int) -> Iterator[None]:
    """Limit the process to `number` cores, if the system supports it."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-number:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)

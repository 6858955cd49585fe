"""What is measured, and how: everyone who does a task takes turns, in one run, on one core."""

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


class Missing(Exception):  # noqa: N818 (no error: the peer is not installed)
    """A contender that is not there."""


@dataclass(frozen=True)
class Task:
    """One piece of work and those who do it: our call under `OURS`, and the others.

    `against` gives for each of the others the ratio that ours may reach at most, if there is one.
    `remark` says what the reader of the ratios has to know.
    """

    name: str
    against: Mapping[str, float | None]
    build: Callable[[], Mapping[str, Call]]
    cores: int = 1
    remark: str = ""

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """Our call and those of the others that are installed, made at the first use."""
        return self.build()

    @property
    def contenders(self) -> tuple[str, ...]:
        """Ours, then the others, whether installed or not."""
        return (OURS, *self.against)


class Tasks:
    """A subject's tasks, in order; `add` is the decorator that fills it."""

    def __init__(self, subject: str) -> None:
        """Take the subject's name."""
        self.subject = subject
        self._tasks: list[Task] = []

    def add(
        self, name: str, against: Mapping[str, float | None], *, cores: int = 1, remark: str = ""
    ) -> Callable[[Callable[[], Mapping[str, Call]]], Task]:
        """Make a task of the function that builds its calls."""

        def make(build: Callable[[], Mapping[str, Call]]) -> Task:
            task = Task(name, against, build, cores, remark)
            self._tasks.append(task)
            return task

        return make

    def __iter__(self) -> Iterator[Task]:
        """Iterate over the tasks in the order in which they were added."""
        return iter(self._tasks)


class Comparison(NamedTuple):
    """Our call beside one of the others: medians in nanoseconds a call, and their ratio.

    The ratio is the median of the rounds' ratios: within a round the two ran one after the other,
    so that what slowed the machine down slowed both.
    """

    task: str
    against: str
    ours_ns: float
    other_ns: float
    ratio: float
    limit: float | None
    remark: str = ""
    """What there is to say of the task's ratios; the same in all rows of a task."""

    @property
    def is_met(self) -> bool:
        """Whether the ratio is within its limit, if it has one."""
        return self.limit is None or self.ratio <= self.limit


@dataclass
class Measurement:
    """Nanoseconds a call, round by round, for everyone who did a task."""

    task: Task
    rounds: dict[str, list[float]] = field(default_factory=dict)

    def comparisons(self) -> list[Comparison]:
        """Return ours beside each of the others."""
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
    """Let everyone take turns for about so many seconds, and report the share that is done."""
    measurement = Measurement(task, {name: [] for name in task.calls})
    with _on_cores(task.cores):
        batches = {name: _batch_size(call) for name, call in task.calls.items()}
        one_round = sum(
            _time(call, batches[name]) * batches[name] for name, call in task.calls.items()
        )
        rounds = min(max(int(seconds * 1e9 / one_round), _LEAST_ROUNDS), _MOST_ROUNDS)
        # Each round begins with another one, so that nobody always runs after the same neighbour.
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
    """Return how many calls take long enough for the clock."""
    size = 1
    while size < 1 << 20 and _time(call, size) * size < _BATCH_NS:
        size *= 2
    return size


def _time(call: Call, number: int) -> float:
    """Return nanoseconds a call, over so many calls, without the garbage collector."""
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
def _on_cores(number: int) -> Iterator[None]:
    """Keep the process on so many cores, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[-number:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)

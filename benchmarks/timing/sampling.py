"""The measurement: all classes of a subject in random order, with new inputs in each round."""

import gc
import itertools
import random
import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.measure import on_cores
from kmscore import DecryptionError

BLOCK: Final = 20
"""The number of inputs of each class in a round."""

_CALLS: Final = 500  # of a turn of the calibration
_TURNS: Final = 21

Input = tuple[Any, ...]
"""The arguments of a call: bytes and dicts, which are copied."""


class NotRejectedError(Exception):
    """An input that was decrypted, so its class is not one of rejections."""


@dataclass(frozen=True)
class Subject:
    """An operation, and the classes of inputs that it rejects."""

    name: str

    call: Callable[..., object]
    """The operation, which raises `DecryptionError` for each input."""

    original: Callable[[], Any]
    """Function that returns a new, valid original."""

    classes: Mapping[str, Callable[[Any], Input]]
    """Functions from an original to an input with a fault, by the name of the fault."""

    samples: int
    """Number of inputs of each class in a long measurement."""


def measure(
    subject: Subject, samples: int, report: Callable[[float], object] = lambda _: None
) -> dict[str, "array[int]"]:
    """Return the time of each rejection in nanoseconds, by class, in the order of measurement.

    Args:
        subject: The operation and its classes.
        samples: The minimum number of inputs of each class.
        report: Function that receives the share done, 0 to 1, after each round.

    Returns:
        The times by class, equally many for each class.

    Raises:
        NotRejectedError: If an input is decrypted.
    """
    times = {name: array("q") for name in subject.classes}
    rounds = -(-samples // BLOCK)
    with on_cores(1), _no_collection():
        for number in range(rounds):
            names, inputs = _inputs(subject)
            # Between two measurements, no object of a class is touched: its place in the caches
            # would show in the next time.
            elapsed = [time_rejection(subject.call, arguments) for arguments in inputs]
            for name, each in zip(names, elapsed, strict=True):
                times[name].append(each)
            gc.collect(0)
            report((number + 1) / rounds)
    return times


def time_rejection(call: Callable[..., object], arguments: Input) -> int:
    """Return the nanoseconds until a call has been rejected and its error has been handled."""
    rejected = False
    start = time.perf_counter_ns()
    try:
        call(*arguments)
    except DecryptionError:
        rejected = True
    elapsed = time.perf_counter_ns() - start
    if not rejected:
        raise NotRejectedError
    return elapsed


def _inputs(subject: Subject) -> tuple[list[str], list[Input]]:
    """Return new inputs of all classes in random order, at random places in memory."""
    made = [
        (name, defect(original))
        for original in (subject.original() for _ in range(BLOCK))
        for name, defect in subject.classes.items()
    ]
    # Twice: the order of the copies in memory, and the order of the measurement.
    random.shuffle(made)
    copies = [(name, tuple(map(_copy, arguments))) for name, arguments in made]
    random.shuffle(copies)
    return [name for name, _ in copies], [arguments for _, arguments in copies]


def _copy(value: object) -> object:
    """Return a copy at another place in memory; also of the texts of a context."""
    if isinstance(value, bytes):
        return bytes(bytearray(value))
    if isinstance(value, dict):
        return {name: text.encode().decode() for name, text in value.items()}
    return value


@contextmanager
def _no_collection() -> Iterator[None]:
    """Collect garbage only between the rounds."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def spend(iterations: int) -> None:
    """Spend time in an empty loop."""
    for _ in itertools.repeat(None, iterations):
        pass


def length_of(iterations: int) -> float:
    """Return the nanoseconds by which `spend` takes longer than without an iteration."""
    return _shortest(iterations) - _shortest(0)


def _shortest(iterations: int) -> float:
    """Return the nanoseconds of `spend`, the shortest mean of several turns."""
    turns = []
    for _ in range(_TURNS):
        start = time.perf_counter_ns()
        for _ in itertools.repeat(None, _CALLS):
            spend(iterations)
        turns.append((time.perf_counter_ns() - start) / _CALLS)
    return min(turns)

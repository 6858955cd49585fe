"""Faults of the file system: a step of a job that fails, or the end of the process there."""

import errno
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

_STEPS = ("fsync", "link", "rename", "replace", "mkdir", "truncate", "unlink")


class Killed(BaseException):
    """The simulated end of the process; no later step runs."""


def full_disk() -> OSError:
    """Return the error of a full disk."""
    return OSError(errno.ENOSPC, "No space left on device")


def break_at(monkeypatch: pytest.MonkeyPatch, number: int, error: Callable[[], Any]) -> list[str]:
    """Make the step with this number fail; if the process ends there, all later steps fail too."""
    steps: list[str] = []

    def watch(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            steps.append(name)
            due = len(steps) >= number if error is Killed else len(steps) == number
            if due:
                raise error()
            return original(*arguments, **options)

        return step

    for name in _STEPS:
        monkeypatch.setattr(os, name, watch(name, getattr(os, name)))
    monkeypatch.setattr(shutil, "rmtree", watch("rmtree", shutil.rmtree))
    return steps


@contextmanager
def without_collector() -> Iterator[None]:
    """Disable the garbage collector, because its cleanup would count as steps."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

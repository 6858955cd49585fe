"""The tasks as tests of pytest-benchmark."""

from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measure import Task, Tasks


def cases(tasks: Tasks) -> list[Any]:
    """Return a parameter set for each contender of each task."""
    return [
        pytest.param(task, contender, id=f"{task.name}: {contender}")
        for task in tasks
        for contender in task.contenders
    ]


def run(benchmark: BenchmarkFixture, task: Task, contender: str) -> None:
    """Run the call of one contender: once, or as often as the measurement needs."""
    benchmark.group = task.name
    call = task.calls.get(contender)
    if call is None:
        pytest.skip(f"{contender} is not installed")
    assert benchmark(call) is not None

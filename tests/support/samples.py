"""Samples: some cases of a long list run in each run, and the others only with `thorough`."""

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings


def sampled(values: Iterable[Any], step: int) -> list[Any]:
    """Return parameters for all values; only each `step`-th one has no marker `thorough`."""
    return sampled_rows(((value,) for value in values), step)


def sampled_rows(rows: Iterable[tuple[Any, ...]], step: int) -> list[Any]:
    """Return the same for tests with several parameters."""
    return [
        pytest.param(*row, marks=[pytest.mark.thorough] if number % step else [])
        for number, row in enumerate(rows)
    ]


def examples(number: int) -> settings:
    """Return settings with a number of examples; a run without `thorough` has fewer."""
    return settings(max_examples=number * settings.default.max_examples // 100)

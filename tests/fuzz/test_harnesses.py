"""The harnesses without libFuzzer: on their seeds, on changed seeds, and with a fault planted."""

import itertools
import random
from importlib import import_module
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.strategies import mutations

from fuzz import harness as common
from fuzz.harness import Harness, outcome_of
from fuzz.harnesses import MODULE_OF, load
from fuzz.mutation import mutants
from fuzz.planted import PLANTED, SUBTLE, Planted, planted

_ENOUGH = 5000
"""Number of inputs that find each planted fault; the most that one needs is 3,703."""


def test_every_harness_is_in_the_list_and_has_a_planted_fault() -> None:
    """A new harness takes part in campaigns and in the control."""
    for module in set(MODULE_OF.values()):
        names = import_module(f"fuzz.harnesses.{module}").HARNESSES
        assert {name for name, found in MODULE_OF.items() if found == module} == set(names)
    assert set(PLANTED) == set(MODULE_OF)


@pytest.mark.parametrize("name", MODULE_OF)
def test_seeds_are_few_and_short(name: str) -> None:
    """LibFuzzer cuts an input that is longer than the maximum."""
    harness = load(name)
    seeds = list(harness.seeds())
    assert 3 < len(seeds) == len(set(seeds)) < 300
    assert max(map(len, seeds)) <= harness.max_length


@pytest.mark.parametrize("name", MODULE_OF)
def test_the_library_keeps_its_promises(name: str) -> None:
    """The seeds and changes of them show no fault."""
    harness = load(name)
    seeds = list(harness.seeds())
    for data in seeds:
        harness.run(data)

    @settings(max_examples=50, suppress_health_check=list(HealthCheck))
    @given(data=st.sampled_from(seeds).flatmap(mutations) | st.binary(max_size=40))
    def check(data: bytes) -> None:
        harness.run(data)

    check()


@pytest.mark.parametrize(("name", "fault"), [*PLANTED.items(), *SUBTLE.items()])
def test_a_planted_fault_is_found(name: str, fault: Planted) -> None:
    """A harness fails if the library has a fault, and only then, on the same inputs."""
    harness = load(name)
    with planted(fault):
        found = _first_failure(harness)
    assert found is not None
    harness.run(found)


def _first_failure(harness: Harness) -> bytes | None:
    """Return the first input that shows a fault."""
    for data in itertools.islice(mutants(harness, random.Random(7)), _ENOUGH):
        try:
            harness.run(data)
        except Exception:  # noqa: BLE001 (a fault can raise any exception)
            return data
    return None


def test_a_planted_fault_is_removed() -> None:
    """The other tests use the right library."""
    for fault in (*PLANTED.values(), *SUBTLE.values()):
        module, _, path = fault.place.partition(":")
        before = _value(module, path)
        with planted(fault):
            assert _value(module, path) is not before
        assert _value(module, path) is before


def _value(module: str, path: str) -> Any:
    value: Any = import_module(module)
    for each in path.split("."):
        value = getattr(value, each)
    return value


def _count(_data: bytes) -> int:
    return sum(range(1_000_000))


def test_an_input_that_takes_long_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is one of the processor time, because a machine can be busy."""
    harness = Harness(_count, list)
    harness.run(b"")
    monkeypatch.setattr(common, "CPU_SECONDS", 0.001)
    with pytest.raises(AssertionError, match="s for 3 bytes"):
        harness.run(b"abc")


def test_only_documented_errors_are_outcomes() -> None:
    """An error of another class leaves, and a subclass is not the documented class."""
    assert outcome_of(lambda: int("x"), ValueError).kind is ValueError
    with pytest.raises(ZeroDivisionError):
        outcome_of(lambda: 1 // 0, ValueError)
    with pytest.raises(AssertionError, match="UnicodeEncodeError is not documented"):
        outcome_of("\ud800".encode, ValueError)

"""A context that is too large is rejected before it is sorted."""

import random
import time

from support.strategies import raises_exactly

from kmscore import InvalidContextError
from kmscore.context import canonical_bytes


def test_a_large_map_is_rejected_in_a_fraction_of_the_time_that_sorting_takes() -> None:
    """Its keys have a long common prefix, so that every comparison of a sort is slow."""
    prefix = "k" * 2_000
    keys = [f"{prefix}{number}" for number in range(50_000)]
    random.Random(1).shuffle(keys)
    large = dict.fromkeys(keys, "v")
    start = time.perf_counter()
    sorted(keys)
    sorting = time.perf_counter() - start
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        with raises_exactly(InvalidContextError, "longer than 65535 bytes"):
            canonical_bytes(large)
        best = min(best, time.perf_counter() - start)
    assert best < sorting / 3

"""The request limit: tokens over time, one bucket for each account."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmscore.alibaba import Throttle, TokenBucket, throttling


def test_the_limit_is_that_of_the_page() -> None:
    """750 requests pass at once, and 750 more in each second after it."""
    throttle = Throttle()
    assert sum(throttle("account", 5.0) for _ in range(2000)) == 750
    assert sum(throttle("account", 6.0) for _ in range(2000)) == 750
    assert sum(throttle("account", 6.1) for _ in range(2000)) in {74, 75}


def test_accounts_have_their_own_limits() -> None:
    """One account does not use the tokens of another."""
    throttle = Throttle(rate=1, burst=2)
    assert [throttle(account, 0.0) for account in "aabbab"] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    """The time of a bucket never goes back."""
    bucket = TokenBucket(rate=1, burst=1).take(100.0)
    assert bucket is not None
    assert bucket.take(50.0) is None
    assert bucket.take(100.5) is None
    assert bucket.take(101.0) == TokenBucket(1, 1, 1.0, 101.0)


@given(
    st.floats(0.1, 1000),
    st.integers(1, 50),
    st.lists(st.floats(0, 20), min_size=1, max_size=80).map(sorted),
)
def test_no_span_of_time_has_more_than_its_tokens(
    rate: float, burst: int, times: list[float]
) -> None:
    """Between any two requests that pass, at most burst + rate * time pass."""
    throttle = Throttle(rate, burst)
    passed = [time for time in times if throttle("account", time)]
    assert passed[0] == times[0]
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            most = burst + rate * (passed[last] - passed[first])
            assert last - first + 1 <= most + 1e-6


def test_a_new_bucket_has_the_limit_of_the_page() -> None:
    """It is full from the first moment, whatever the clock shows then."""
    assert TokenBucket() == (750, 750, 0.0, 0.0)


def test_a_bucket_is_full_as_soon_as_it_has_its_last_token() -> None:
    """Three missing tokens need 1.5 seconds at two tokens per second."""
    bucket = TokenBucket(rate=2, burst=5, taken=3.0, time=10.0)
    assert [bucket.is_full(time) for time in (10.0, 11.25, 11.5, 12.0)] == [
        *(False, False, True, True)
    ]


def test_full_buckets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many accounts need little memory, and no account gains by it."""
    monkeypatch.setattr(throttling, "_MANY", 3)
    throttle = Throttle(rate=1, burst=2)
    for account in "abc":
        assert throttle(account, 0.0)
    assert (len(throttle._buckets), throttle._most) == (3, 3)
    assert throttle("d", 0.5)
    # None is full, so they are not looked at again before there are as many new ones.
    assert (len(throttle._buckets), throttle._most) == (4, 8)
    for account in "efgh":
        assert throttle(account, 0.75)
    assert throttle("i", 1.25)
    assert set(throttle._buckets) == {*"defghi"}
    assert [throttle("d", 1.25), throttle("d", 1.25)] == [True, False]


def test_ten_thousand_accounts_are_kept() -> None:
    """One more account, and those with a full bucket are forgotten."""
    throttle = Throttle(rate=1, burst=1)
    for account in range(10_000):
        assert throttle(account, float(account))
    assert len(throttle._buckets) == 10_000
    assert throttle("another", 20_000.0)
    assert [*throttle._buckets] == ["another"]


def test_threads_share_the_tokens() -> None:
    """Many threads together get as many tokens as one."""
    throttle, passed = Throttle(rate=1, burst=500), []

    def use() -> None:
        passed.extend(throttle("account", 0.0) for _ in range(300))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 500


@pytest.mark.parametrize("name", ["rate", "burst"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 10**400])
def test_a_limit_out_of_range_is_rejected(name: str, value: float) -> None:
    """A limit of nothing would reject every request."""
    with pytest.raises(ValueError, match=rf"^{name} must be (more than 0|1 to)"):
        Throttle(**{name: value})
    with pytest.raises(TypeError, match=rf"^{name} must be "):
        Throttle(**{name: "750"})  # type: ignore[arg-type]


def test_the_limits_of_a_limit() -> None:
    """The ends of both ranges are accepted, and no number beyond them."""
    Throttle(rate=10**9, burst=10**9)
    Throttle(rate=1e-9, burst=1)
    for name, value in {"rate": 10**9 + 1, "burst": 10**9 + 1}.items():
        with pytest.raises(ValueError, match=rf"^{name} must be .* 1,000,000,000$"):
            Throttle(**{name: value})
    with pytest.raises(ValueError, match=r"^burst must be 1 to 1,000,000,000$"):
        Throttle(burst=0.999)

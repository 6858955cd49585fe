"""The request limit of an account, as a token bucket. The caller gives the time."""

import threading
from collections.abc import Hashable
from typing import Any, Final, NamedTuple, final

RATE: Final = 750
"""The limit that the page of ReEncrypt documents: requests per second and account."""

_MOST: Final = 1_000_000_000

_MANY: Final = 10_000
"""Number of accounts after which those with a full bucket are forgotten."""


@final
class TokenBucket(NamedTuple):
    """A bucket that gains `rate` tokens per second, up to `burst`; a request takes one."""

    rate: float = RATE
    """Tokens per second, greater than 0."""

    burst: float = RATE
    """Maximum number of tokens, at least 1. A new bucket has as many."""

    taken: float = 0.0
    """The tokens that are missing, 0 to `burst`."""

    time: float = 0.0
    """The time of the last request in seconds, from any start."""

    def take(self, now: float) -> "TokenBucket | None":
        """Take a token.

        Args:
            now: The present time in seconds. An earlier time than that of the last request counts
                as that time.

        Returns:
            The bucket with one token less, or `None` if it has no token.
        """
        time = max(now, self.time)
        taken = max(0.0, self.taken - (time - self.time) * self.rate) + 1
        return None if taken > self.burst else self._replace(taken=taken, time=time)

    def is_full(self, now: float) -> bool:
        """Return whether the bucket has all its tokens.

        Args:
            now: The present time in seconds.

        Returns:
            `True` if it has.
        """
        return (now - self.time) * self.rate >= self.taken


@final
class Throttle:
    """One bucket for each account. Threads can share it."""

    def __init__(self, rate: float = RATE, burst: float = RATE) -> None:
        """Create the limit.

        Args:
            rate: The tokens per second and account, more than 0 and at most 1,000,000,000 (default
                750).
            burst: The maximum number of tokens, 1 to 1,000,000,000 (default 750).

        Raises:
            TypeError: If an argument is not a number.
            ValueError: If an argument is out of range.
        """
        for name, value in (("rate", rate), ("burst", burst)):
            if type(value) not in {int, float}:
                raise TypeError(f"{name} must be a number, not {type(value).__name__}")
        if not 0 < rate <= _MOST:
            raise ValueError(f"rate must be more than 0, and at most {_MOST:,}")
        if not 1 <= burst <= _MOST:
            raise ValueError(f"burst must be 1 to {_MOST:,}")
        self._new = TokenBucket(rate, burst)
        self._buckets: dict[Any, TokenBucket] = {}
        self._lock = threading.Lock()
        self._most = _MANY

    def __call__(self, account: Hashable, now: float) -> bool:
        """Take a token of an account.

        Args:
            account: The account, or another principal.
            now: The present time in seconds.

        Returns:
            `True` if the bucket had a token.
        """
        with self._lock:
            bucket = self._buckets.get(account, self._new._replace(time=now)).take(now)
            if bucket is None:
                return False
            self._buckets[account] = bucket
            if len(self._buckets) > self._most:
                self._forget_full(now)
            return True

    def _forget_full(self, now: float) -> None:
        """Forget the accounts with a full bucket; do it again only after as many new ones."""
        for account in [name for name, each in self._buckets.items() if each.is_full(now)]:
            del self._buckets[account]
        self._most = max(_MANY, 2 * len(self._buckets))

"""Functions that return keys in the process that uses them, so that no key is sent to it."""

import os
import threading
from collections.abc import Callable
from typing import Final, TypeAlias, final

from kmscore._typecheck import check_callable
from kmscore.keyring import KeyProvider

KeyFactory: TypeAlias = Callable[[], KeyProvider]
"""A function without arguments that returns the keys; the process that uses them calls it."""

_NAME_LENGTH: Final = 16

_MAX_PROVIDERS: Final = 8
"""Maximum number of providers that a process keeps. A process can outlive many jobs."""


@final
class _Providers:
    """The providers of this process, by the name of their factory."""

    def __init__(self) -> None:
        self._providers: dict[bytes, KeyProvider] = {}
        # Reentrant, because a factory can call another cached factory.
        self._lock = threading.RLock()

    def get(self, name: bytes, factory: KeyFactory) -> KeyProvider:
        """Return the provider of a name; call the factory if there is none."""
        with self._lock:
            # The last one is the one that was used last.
            provider = self._providers.pop(name, None)
            if provider is None:
                provider = factory()
            self._providers[name] = provider
            while len(self._providers) > _MAX_PROVIDERS:
                del self._providers[next(iter(self._providers))]
            return provider


_providers = _Providers()


def _start_again() -> None:
    """Replace the providers of a forked process by new ones, with a lock that is free.

    Another thread of the parent process can hold the lock at the time of the fork. A provider can
    have a connection, which two processes must not share.
    """
    global _providers  # noqa: PLW0603 (there is one cache for each process)
    _providers = _Providers()


def _ignore(*, after_in_child: Callable[[], None]) -> None:
    """Do nothing, on a system without forks."""
    del after_in_child


getattr(os, "register_at_fork", _ignore)(after_in_child=_start_again)


@final
class _CachedKeyFactory:
    """A factory with a name. Its state has no provider, so that none is pickled with it."""

    __slots__ = ("_factory", "_name")

    def __init__(self, factory: KeyFactory) -> None:
        self._factory = factory
        self._name = os.urandom(_NAME_LENGTH)

    def __call__(self) -> KeyProvider:
        return _providers.get(self._name, self._factory)


def cached_key_factory(key_factory: KeyFactory) -> KeyFactory:
    """Return a factory that calls `key_factory` once in each process, and keeps its result there.

    The result can be pickled if `key_factory` can. All copies of it in a process share one
    provider. The provider is never pickled, and a forked process calls `key_factory` again. Threads
    can call the result at the same time: one of them calls `key_factory`, and the others wait.

    A process keeps the providers of the last 8 factories. Therefore keys that `key_factory` could
    load later stay unknown to the job: make a new cached factory for each job.

    Args:
        key_factory: A function without arguments that returns the provider of the keys. If it
            raises, the next call tries again.

    Returns:
        A function without arguments that returns the provider. It raises the exceptions of
        `key_factory`.

    Raises:
        TypeError: If `key_factory` is not callable.
    """
    check_callable(key_factory, "key_factory")
    return _CachedKeyFactory(key_factory)

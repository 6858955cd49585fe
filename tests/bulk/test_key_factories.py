"""Cached key factories: one call in each process, and no key in the pickled bytes."""

import importlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.strategies import raises_exactly
from support.time_limits import PATIENCE

from kmscore import Keyring
from kmscore.bulk.key_factories import cached_key_factory

key_factories = importlib.import_module("kmscore.bulk.key_factories")

IN_CHILD = """
import os, signal, sys, threading
from kmscore import Keyring
from kmscore.bulk.key_factories import cached_key_factory

entered, leave = threading.Event(), threading.Event()

def slow():
    entered.set()
    leave.wait()
    return Keyring([])

made = cached_key_factory(lambda: Keyring([]))
before = made()
assert made() is before
thread = threading.Thread(target=cached_key_factory(slow))
thread.start()
entered.wait()
child = os.fork()
if child == 0:
    signal.alarm(60)  # if the lock of the parent is still held
    os._exit(0 if made() is not before and made() is made() else 9)
_, status = os.waitpid(child, 0)
leave.set()
thread.join()
assert made() is before
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Calls:
    """A factory that counts its calls."""

    def __init__(self, *failures: Exception, work: Callable[[], object] = list) -> None:
        """Take the exceptions of the first calls, and the work of each call."""
        self.number = 0
        self._failures, self._work = list(failures), work

    def __call__(self) -> Keyring:
        """Return new keys."""
        self.number += 1
        self._work()
        if self._failures:
            raise self._failures.pop(0)
        return Keyring([])


def test_a_process_calls_the_factory_once() -> None:
    """All calls return the same provider."""
    calls = Calls()
    factory = cached_key_factory(calls)
    assert calls.number == 0
    assert factory() is factory()
    assert calls.number == 1


def test_each_cached_factory_has_its_own_keys() -> None:
    """Two cached factories of one function call it twice, so that a new job loads new keys."""
    calls = Calls()
    assert cached_key_factory(calls)() is not cached_key_factory(calls)()
    assert calls.number == 2


def test_threads_share_one_call() -> None:
    """While a thread is in the factory, the others wait for its result."""
    number = 6
    # The first call waits until every thread has started.
    started = threading.Barrier(number + 1)
    calls = Calls(work=partial(threading.Event().wait, 0.2))
    factory = cached_key_factory(calls)
    found: list[Any] = []

    def use() -> None:
        started.wait(PATIENCE)
        found.append(factory())

    threads = [threading.Thread(target=use) for _ in range(number)]
    for thread in threads:
        thread.start()
    started.wait(PATIENCE)
    for thread in threads:
        thread.join(PATIENCE)
    assert calls.number == 1
    assert [keys is found[0] for keys in found] == [True] * number


def test_copies_of_a_pickled_factory_share_the_keys() -> None:
    """Every task unpickles the factory again; all copies in a process have one provider."""
    factory = cached_key_factory(partial(Keyring, []))
    first, second = (pickle.loads(pickle.dumps(factory)) for _ in range(2))  # noqa: S301
    assert first() is second() is factory()


def test_no_key_is_pickled(tmp_path: Path) -> None:
    """After the call too, the pickled bytes have the function and not its result."""
    material = os.urandom(32)
    (tmp_path / "key").write_bytes(material)
    read: Any = partial(Path.read_bytes, tmp_path / "key")
    factory: Any = cached_key_factory(read)
    assert factory() == material
    data = pickle.dumps(factory)
    assert b"read_bytes" in data
    assert material not in data
    assert pickle.loads(data)() == material  # noqa: S301


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_makes_its_own_keys() -> None:
    """The keys are made again in the child process, also while a thread of the parent is busy."""
    subprocess.run(
        [sys.executable, "-P", "-W", "ignore", "-c", IN_CHILD], check=True, timeout=PATIENCE
    )


def test_keys_are_made_again_after_a_fork() -> None:
    """The hook of a fork removes all providers, whether it is installed or not."""
    factory = cached_key_factory(Calls())
    before = factory()
    key_factories._ignore(after_in_child=key_factories._start_again)
    assert factory() is before
    key_factories._start_again()
    assert factory() is not before


def test_a_process_keeps_the_keys_of_few_factories() -> None:
    """The keys that were unused for the longest time are removed."""
    calls = [Calls() for _ in range(9)]
    first, second, *others = [cached_key_factory(each) for each in calls]
    first()
    second()
    first()
    for factory in others:
        factory()
    first()
    assert [each.number for each in calls] == [1] * 9
    second()
    assert calls[1].number == 2


def test_a_failed_call_is_tried_again() -> None:
    """An exception of the factory propagates and is not kept."""
    calls = Calls(OSError("the secret is not mounted"))
    factory = cached_key_factory(calls)
    with raises_exactly(OSError, "the secret is not mounted"):
        factory()
    assert factory() is factory()
    assert calls.number == 2


def test_a_cached_factory_can_use_another_one() -> None:
    """The lock is reentrant."""
    inner = cached_key_factory(Calls())
    outer = cached_key_factory(lambda: inner())  # noqa: PLW0108 (a function of its own)
    assert outer() is inner()


def test_only_a_function_is_accepted() -> None:
    """A keyring is rejected by the call, before a job starts."""
    with raises_exactly(TypeError, "key_factory must be callable, not Keyring"):
        cached_key_factory(Keyring([]))  # type: ignore[arg-type]

"""Hostile key files cost at most three times as much as good ones, also in other threads."""

import threading
import time
from collections.abc import Callable

import pytest
from support.hostile_keys import (
    HostileFile,
    Numbers,
    fields_of,
    hostile_files,
    pkcs1,
    pkcs8,
)

from kmscore import InvalidKeyError, KeySpec, RsaKey

pytestmark = pytest.mark.thorough

MOST = 3  # multiple of the cost of a good RSA_4096 key


@pytest.fixture(scope="module")
def good(rsa_keys: dict[KeySpec, RsaKey]) -> Numbers:
    """Return the numbers of a good RSA_4096 key."""
    return fields_of(rsa_keys[KeySpec.RSA_4096]._private_key)


@pytest.fixture(scope="module")
def files(good: Numbers) -> list[HostileFile]:
    """Return every hostile file."""
    return list(hostile_files(good))


def accepted(file: HostileFile) -> bool:
    """Return whether a file is read; an error other than `InvalidKeyError` fails the test."""
    try:
        file.load()
    except InvalidKeyError:
        return False
    return True


def cpu_time(call: Callable[[], object]) -> float:
    """Return the CPU time of one call, which depends little on other processes."""
    start = time.thread_time()
    call()
    return time.thread_time() - start


def test_there_are_hostile_files_of_every_kind(files: list[HostileFile]) -> None:
    """There are more than 500 files of all kinds, and the longest has about 64 KB."""
    assert len(files) > 1500
    assert {file.read.__qualname__ for file in files} == {
        f"{kind}.from_{form}"
        for kind in ("RsaKey", "Sm2Key", "PublicKey")
        for form in ("pem", "der")
    }
    lengths = [len(file.data) for file in files]
    assert sum(1000 < length <= 65_536 for length in lengths) > 500
    assert max(lengths) > 65_536


def test_no_hostile_file_costs_three_times_a_good_one(
    good: Numbers, files: list[HostileFile]
) -> None:
    """Every file is rejected or read within the CPU time of three good RSA_4096 keys."""
    der = pkcs8(pkcs1(good))

    def baseline() -> float:
        return cpu_time(lambda: RsaKey.from_der("k", "v", der))

    unit = baseline()
    for number, file in enumerate(files):
        if number % 100 == 0:
            unit = min(unit, baseline())
        outcomes: list[bool] = []
        cost = cpu_time(lambda file=file, outcomes=outcomes: outcomes.append(accepted(file)))
        # The load of the machine can change after the first measurement: repeat both, in turns.
        for _ in range(5):
            if cost <= MOST / 2 * unit:
                break
            unit = min(unit, baseline())
            cost = min(cost, cpu_time(lambda file=file: accepted(file)))
        assert cost <= MOST * unit, f"{file.name}: {cost / unit:.1f} times"
        assert file.legal in {None, *outcomes}, f"{file.name}: read is {outcomes}"


def longest_pause(call: Callable[[], object]) -> float:
    """Return the longest pause of another thread during `call`, in seconds."""
    pauses, begun, ended = [0.0], threading.Event(), threading.Event()

    def work() -> None:
        last = time.perf_counter()
        while not ended.is_set():
            now = time.perf_counter()
            pauses.append(now - last)
            last = now
            begun.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    call()
    ended.set()
    thread.join()
    return max(pauses)


@pytest.mark.campaign
def test_no_hostile_file_blocks_another_thread(good: Numbers, files: list[HostileFile]) -> None:
    """No file stops a second thread for longer than three good RSA_4096 keys do."""
    der = pkcs8(pkcs1(good))
    unit = min(longest_pause(lambda: RsaKey.from_der("k", "v", der)) for _ in range(5))
    for file in files:
        # The shortest of several pauses, because another process can cause a pause.
        pauses = (longest_pause(lambda file=file: accepted(file)) for _ in range(5))
        assert any(pause <= MOST * unit for pause in pauses), file.name

"""The memory growth of the process over many calls."""

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import kmscore
from benchmarks import floors
from benchmarks.fixtures import CONTEXT, DATA_KEY, PAIRS, symmetric_key
from benchmarks.measure import Call
from kmscore import Keyring, Suite

_WARM_UP: Final = 100_000
_STEP: Final = 10_000


def growth(calls: int, report: Callable[[float], object]) -> tuple[int, int]:
    """Return the resident memory of the process before and after `calls` calls, in bytes.

    The calls take turns: three suites, prepared contexts and dicts, calls that succeed and calls
    that fail.
    """
    turns = itertools.cycle(_turns())
    _repeat(turns, _WARM_UP)
    before = _resident()
    done = 0
    while done < calls:
        step = min(_STEP, calls - done)
        _repeat(turns, step)
        done += step
        report(done / calls)
    return before, _resident()


def _turns() -> list[Call]:
    """Return the calls that take turns."""
    turns: list[Call] = []
    for suite in (Suite.AES_256_GCM, Suite.XAES_256_GCM, Suite.SM4_GCM):
        source, destination = symmetric_key(1, suite), symmetric_key(2, suite)
        keys = Keyring([source, destination])
        blob = kmscore.encrypt(keys, source.key_id, DATA_KEY, CONTEXT).ciphertext_blob
        turns += _calls(keys, blob, destination.key_id)
    return turns


def _calls(keys: Keyring, blob: bytes, key_id: str) -> list[Call]:
    """Return a call that succeeds, one that fails, and one that does not use the short path."""
    wrong = floors.with_wrong_tag(blob)

    def accepted() -> object:
        return kmscore.reencrypt(
            keys, blob, key_id, source_context=CONTEXT, destination_context=PAIRS
        )

    def rejected() -> object:
        try:
            return kmscore.decrypt(keys, wrong, CONTEXT)
        except kmscore.DecryptionError as error:
            return error

    def step_by_step() -> object:
        return kmscore.decrypt(keys, bytearray(blob), PAIRS)

    return [accepted, rejected, step_by_step]


def _repeat(turns: Iterator[Call], number: int) -> None:
    for call in itertools.islice(turns, number):
        call()


def _resident() -> int:
    """Return the resident memory of the process in bytes."""
    status = Path("/proc/self/statm")
    if not status.exists():
        raise OSError("/proc/self/statm does not exist on this system")
    return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

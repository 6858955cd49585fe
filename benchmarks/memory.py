"""Whether calls leave anything behind in the process."""

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
    """Return the resident bytes of the process before and after so many calls.

    Calls of every suite, with prepared contexts and dicts, accepted and refused, take turns.
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
    """Return an accepted, a refused and a step-by-step call."""
    wrong = floors.with_wrong_tag(blob)

    def accepted() -> object:
        return kmscore.reencrypt(
            keys, blob, key_id, source_context=CONTEXT, destination_context=PAIRS
        )

    def refused() -> object:
        try:
            return kmscore.decrypt(keys, wrong, CONTEXT)
        except kmscore.DecryptionError as error:
            return error

    def step_by_step() -> object:
        return kmscore.decrypt(keys, bytearray(blob), PAIRS)

    return [accepted, refused, step_by_step]


def _repeat(turns: Iterator[Call], number: int) -> None:
    for call in itertools.islice(turns, number):
        call()


def _resident() -> int:
    """Return the bytes of the process that are in memory."""
    status = Path("/proc/self/statm")
    if not status.exists():
        raise OSError("this system does not tell a process's memory under /proc")
    return int(status.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

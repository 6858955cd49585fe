"""`python -m benchmarks.bulk --items N`: the rotation of N blobs in three ways.

The three ways are `reencrypt_many`, a loop that calls `reencrypt`, and the bare cryptography. The
benchmark creates the blobs in chunks, each blob under its own context. All three rotate every
chunk, and each chunk begins with the next of the three. A ratio is the median of the ratios of all
chunks. The memory of a job is measured in separate processes, which stream the items and keep no
result.
"""

import argparse
import gc
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import kmscore
from benchmarks.fixtures import DATA_KEY, KEY_ID, VERSION_ID
from kmscore import EncryptionContext, Keyring, KeySpec, Suite, SymmetricKey
from kmscore.bulk import Item, Status, reencrypt_many

LOOP: Final = "a loop that calls reencrypt"
FLOOR: Final = "two AES-GCM calls and an IV"
LIMITS: Final = {LOOP: 1.2, FLOOR: 3.0}
MEMORY_LIMIT: Final = 20_000_000
"""Maximum additional memory, in bytes, of a job of any length, compared with `FEW` items."""

FEW: Final = 10_000
_CHUNK: Final = 10_000
_OURS: Final = "reencrypt_many"
_KEY_ID: Final = KEY_ID.format("0001")

# The folder is last in the path, so that the installed package is measured.
_IN_CHILD: Final = f"""
import sys
sys.path.append({str(Path(__file__).resolve().parent.parent)!r})
from benchmarks.bulk import peak_of_job
print(peak_of_job(int(sys.argv[1])))
"""

Contender = Callable[[], object]


class Figures(NamedTuple):
    """The times per item of `reencrypt_many` and of another way, and their ratio."""

    ours_ns: float
    """The time of `reencrypt_many` in nanoseconds per item, the median of all chunks."""

    other_ns: float
    """The time of the other way in nanoseconds per item, the median of all chunks."""

    ratio: float
    """The median of the ratios of all chunks; below 1, `reencrypt_many` is faster."""


class Rotation:
    """A key with an old and a new version, and blobs of the old version."""

    def __init__(self) -> None:
        """Create the key."""
        self.old, self.new = (
            SymmetricKey(
                _KEY_ID,
                VERSION_ID.format(f"{number:05x}"),
                KeySpec.AES_256,
                os.urandom(32),
                suite=Suite.AES_256_GCM,
            )
            for number in (1, 2)
        )
        self.keys = Keyring([self.old, self.new])

    def items(self, start: int, number: int) -> Iterator[Item]:
        """Yield `number` items to rotate, each under its own context."""
        before = Keyring([self.old])
        for row in range(start, start + number):
            context = EncryptionContext({"tenant": "acme", "row": str(row)})
            blob = kmscore.encrypt(before, _KEY_ID, DATA_KEY, context).ciphertext_blob
            yield Item(row, blob, context)

    def contenders(self, items: list[Item]) -> dict[str, Contender]:
        """Return the three ways to rotate these items, with all arguments prepared."""
        keys, start = self.keys, len(self.old.header)
        old, new = AESGCM(self.old.export_material()), AESGCM(self.new.export_material())
        contexts = [item.source_context for item in items]
        ready = [
            (
                item.ciphertext_blob[start : start + 12],
                item.ciphertext_blob[start + 12 :],
                self.old.header + context.canonical,
                self.new.header + context.canonical,
            )
            for item, context in zip(items, contexts, strict=True)
            if isinstance(context, EncryptionContext)
        ]

        def ours() -> object:
            outcomes = []
            for outcome in reencrypt_many(keys, items, _KEY_ID):
                outcomes.append(outcome)  # noqa: PERF402 (same as in `loop`)
            return outcomes

        def loop() -> object:
            results = []
            for item in items:
                context = item.source_context
                result = kmscore.reencrypt(
                    keys,
                    item.ciphertext_blob,
                    _KEY_ID,
                    source_context=context,
                    destination_context=context,
                )
                results.append(result)
            return results

        def floor() -> object:
            for iv, sealed, opening, sealing in ready:
                new.encrypt(os.urandom(12), old.decrypt(iv, sealed, opening), sealing)
            return ready

        return {_OURS: ours, LOOP: loop, FLOOR: floor}


def compare(number: int) -> dict[str, Figures]:
    """Rotate `number` items in all three ways, and compare the first with each of the others."""
    rotation = Rotation()
    times: dict[str, list[float]] = {name: [] for name in (_OURS, LOOP, FLOOR)}
    for turn, start in enumerate(range(0, number, _CHUNK)):
        size = min(_CHUNK, number - start)
        contenders = rotation.contenders(list(rotation.items(start, size)))
        names = itertools.islice(itertools.cycle(times), turn % 3, turn % 3 + 3)
        for name in names:
            times[name].append(_time(contenders[name]) / size)
    return {
        name: Figures(
            statistics.median(times[_OURS]),
            statistics.median(times[name]),
            statistics.median(
                ours / other for ours, other in zip(times[_OURS], times[name], strict=True)
            ),
        )
        for name in (LOOP, FLOOR)
    }


def _time(contender: Contender) -> int:
    """Return the time of one call in nanoseconds, without garbage collection."""
    gc.collect(0)
    gc.disable()
    try:
        start = time.perf_counter_ns()
        kept = contender()
        elapsed = time.perf_counter_ns() - start
    finally:
        gc.enable()
    del kept
    return elapsed


def peak_of_job(number: int) -> int:
    """Rotate `number` items in this process, keep none, and return its peak memory in bytes."""
    import resource  # not on every system

    rotation = Rotation()
    for outcome in reencrypt_many(rotation.keys, rotation.items(0, number), _KEY_ID):
        assert outcome.status is Status.REWRITTEN
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_in_child(number: int) -> int:
    """Return the result of `peak_of_job` in a new process.

    On Linux, a new process inherits the peak of its parent process. So call this function before
    the memory of this process grows.
    """
    command = [sys.executable, "-P", "-c", _IN_CHILD, str(number)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bulk", description=__doc__)
    parser.add_argument("--items", type=int, default=1_000_000, metavar="N")
    number = parser.parse_args(arguments).items
    if number < 1:
        parser.error("there must be at least one item")
    few, many = peak_in_child(min(FEW, number)), peak_in_child(number)
    for name, (ours, other, ratio) in compare(number).items():
        _show(
            f"{number:,} items next to {name}: {ours / 1e3:.2f} µs / {other / 1e3:.2f} µs an item,"
            f" ratio {ratio:.3f} (at most {LIMITS[name]})"
        )
    _show(
        f"peak memory: {many / 1e6:.1f} MB for {number:,} items, {few / 1e6:.1f} MB for"
        f" {min(FEW, number):,} (at most {MEMORY_LIMIT / 1e6:.0f} MB more)"
    )
    return 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks.rotate_table --rows N`: `kmscore rotate` by one process and by two.

The table is made here, JSON Lines with a context of its own in each row. One job and two take
turns, and a ratio is that of the medians of their times, which are those of the whole command. The
memory is the sum of the peaks of all its processes.
"""

import argparse
import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.bulk import FEW, MEMORY_LIMIT, Rotation
from kmscore import keyfile
from kmscore.keyfile import ScryptParameters

LEAST_RATIO: Final = 1.7
_JOBS: Final = (1, 2)
_PASSPHRASE: Final = b"of no worth"
_CHEAP: Final = ScryptParameters(n=1 << 14)


def write_table(rotation: Rotation, path: Path, rows: int) -> None:
    """Write so many rows of the old version."""
    with path.open("w", encoding="ascii") as file:
        for item in rotation.items(0, rows):
            blob = base64.b64encode(item.ciphertext_blob).decode("ascii")
            context = dict(item.source_context or {})
            row = {"id": item.reference, "ciphertext_blob": blob, "context": context}
            file.write(f"{json.dumps(row)}\n")


def rotate(folder: Path, source: Path, key_id: str, jobs: int) -> tuple[float, int]:
    """Run the command; return its seconds, and the bytes of the peaks of its processes."""
    out = folder / f"out{source.suffix}"
    command = [
        *(sys.executable, "-P", "-m", "kmscore", "rotate", str(source), str(out)),
        *("-k", str(folder / "keys"), "--destination", key_id, "--context-column", "context"),
        *("--jobs", str(jobs)),
    ]
    begin = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 (our own command)
        command,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"KMSCORE_PASSPHRASE": _PASSPHRASE.decode()},
    ) as process:
        peaks: dict[int, int] = {}
        while process.poll() is None:
            peaks |= dict(_peaks(process.pid))
            time.sleep(0.02)
    seconds = time.perf_counter() - begin
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    out.unlink()
    return seconds, sum(peaks.values())


def _peaks(pid: int) -> Iterator[tuple[int, int]]:
    """Yield a process and those below it, each with the most bytes it has had (Linux only)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    except OSError:
        return
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            yield pid, int(line.split()[1]) * 1024
    for child in children:
        yield from _peaks(int(child))


def main(arguments: list[str] | None = None) -> int:
    """Measure and show; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rotate_table", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    options = parser.parse_args(arguments)
    if min(options.rows, options.turns) < 1:
        parser.error("there must be at least one row and one turn")
    rotation = Rotation()
    key_id = rotation.new.key_id
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed = keyfile.seal_keyring(rotation.keys, _PASSPHRASE, parameters=_CHEAP)
        (folder / "keys").write_bytes(sealed)
        few, many = folder / "few.jsonl", folder / "many.jsonl"
        write_table(rotation, few, min(FEW, options.rows))
        write_table(rotation, many, options.rows)
        times: dict[int, list[float]] = {jobs: [] for jobs in _JOBS}
        for jobs in _JOBS:
            _, least = rotate(folder, few, key_id, jobs)
            seconds, most = rotate(folder, many, key_id, jobs)
            times[jobs].append(seconds)
            _show(
                f"--jobs {jobs}: {most / 1e6:.1f} MB for {options.rows:,} rows,"
                f" {least / 1e6:.1f} MB for {min(FEW, options.rows):,}"
                f" (at most {MEMORY_LIMIT / 1e6:.0f} MB more)"
            )
        for _ in range(options.turns - 1):
            for jobs in _JOBS:
                times[jobs].append(rotate(folder, many, key_id, jobs)[0])
    one, two = (statistics.median(times[jobs]) for jobs in _JOBS)
    _show(
        f"{options.rows:,} rows: {options.rows / one:,.0f} a second by one,"
        f" {options.rows / two:,.0f} by two, ratio {one / two:.2f} (at least {LEAST_RATIO})"
    )
    return 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

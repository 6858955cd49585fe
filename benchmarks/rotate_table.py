"""`python -m benchmarks.rotate_table --rows N`: `kmscore rotate` with one process and with two.

The benchmark writes the table: JSON Lines, with its own context in each row. A time is the time of
the whole command, from its start to its end. Three ways take turns: one process, two processes, and
two independent commands at once with half of the rows each. Each ratio is the median of the ratios
of all turns. The last ratio shows the gain from two processors of this machine; it is less than 2
if other programs use them too. The memory is the sum of the peaks of all processes of a command.
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.bulk import FEW, MEMORY_LIMIT, Rotation
from kmscore import keyfile
from kmscore.keyfile import ScryptParameters

LEAST_RATIO: Final = 1.7
_PASSPHRASE: Final = b"of no worth"
_CHEAP: Final = ScryptParameters(n=1 << 14)


def write_table(rotation: Rotation, path: Path, start: int, number: int) -> Path:
    """Write `number` rows with blobs of the old version, and return the path."""
    with path.open("w", encoding="ascii") as file:
        for item in rotation.items(start, number):
            blob = base64.b64encode(item.ciphertext_blob).decode("ascii")
            context = dict(item.source_context or {})
            row = {"id": item.reference, "ciphertext_blob": blob, "context": context}
            file.write(f"{json.dumps(row)}\n")
    return path


def rotate(folder: Path, sources: Sequence[Path], key_id: str, jobs: int) -> tuple[float, int]:
    """Run one command for each table, all at once.

    Returns the seconds until the last command ends, and the sum of the peaks of all processes in
    bytes.
    """
    outs = [folder / f"out-{source.name}" for source in sources]
    environment = os.environ | {"KMSCORE_PASSPHRASE": _PASSPHRASE.decode()}
    begin = time.perf_counter()
    processes = [
        subprocess.Popen(  # noqa: S603 (our own command)
            [
                *(sys.executable, "-P", "-m", "kmscore", "rotate", str(source), str(out)),
                *("-k", str(folder / "keys"), "--destination", key_id),
                *("--context-column", "context", "--jobs", str(jobs)),
            ],
            stdout=subprocess.DEVNULL,
            env=environment,
        )
        for source, out in zip(sources, outs, strict=True)
    ]
    peaks: dict[int, int] = {}
    while any(process.poll() is None for process in processes):
        for process in processes:
            peaks |= dict(_peaks(process.pid))
        time.sleep(0.02)
    seconds = time.perf_counter() - begin
    for process, out in zip(processes, outs, strict=True):
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, process.args)
        out.unlink()
    return seconds, sum(peaks.values())


def _peaks(pid: int) -> Iterator[tuple[int, int]]:
    """Yield a process and its descendants, each with its peak memory in bytes (Linux only)."""
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
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rotate_table", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    options = parser.parse_args(arguments)
    if min(options.rows, options.turns) < 1:
        parser.error("there must be at least one row and one turn")
    rotation = Rotation()
    key_id = rotation.new.key_id
    few = min(FEW, options.rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed = keyfile.seal_keyring(rotation.keys, _PASSPHRASE, parameters=_CHEAP)
        (folder / "keys").write_bytes(sealed)
        small = write_table(rotation, folder / "few.jsonl", 0, few)
        whole = write_table(rotation, folder / "all.jsonl", 0, options.rows)
        middle = options.rows // 2
        halves = [
            write_table(rotation, folder / "a.jsonl", 0, middle),
            write_table(rotation, folder / "b.jsonl", middle, options.rows - middle),
        ]
        for jobs in (1, 2):
            _, most = rotate(folder, [whole], key_id, jobs)
            _, least = rotate(folder, [small], key_id, jobs) if few < options.rows else (0, most)
            _show(
                f"--jobs {jobs}: {most / 1e6:.1f} MB for {options.rows:,} rows,"
                f" {least / 1e6:.1f} MB for {few:,} (at most {MEMORY_LIMIT / 1e6:.0f} MB more)"
            )
        turns = [
            (
                rotate(folder, [whole], key_id, 1)[0],
                rotate(folder, [whole], key_id, 2)[0],
                rotate(folder, halves, key_id, 1)[0],
            )
            for _ in range(options.turns)
        ]
    one = statistics.median(one for one, _, _ in turns)
    together = statistics.median(one / two for one, two, _ in turns)
    apart = statistics.median(one / apart for one, _, apart in turns)
    _show(
        f"{options.rows:,} rows: {options.rows / one:,.0f} a second by one process;"
        f" by two {together:.2f} x that (at least {LEAST_RATIO});"
        f" by two commands at once, half of the rows each, {apart:.2f} x"
    )
    return 0


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())

"""Memory does not grow with the number of rows, in every format and for both commands."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import NEW, OLD, base64_of, command, environment, seal, write_ring

from kmscore import Keyring

pytestmark = pytest.mark.campaign

_FEW, _MANY = 1_000_000, 3_000_000
_MAX_GROWTH = 20 << 20  # bytes
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def _rows(number: int) -> Iterator[tuple[int, bytes, str]]:
    """Yield rows with few different ciphertexts and a random text."""
    chance = random.Random(number)
    blobs = [seal(bytes(40), {"tenant": "acme"}) for _ in range(1000)]
    for row in range(number):
        yield row, blobs[row % len(blobs)], f"{chance.getrandbits(128):032x}"


def _write(path: Path, number: int) -> None:
    if path.suffix == ".parquet":
        arrow: Any = pytest.importorskip("pyarrow")
        parquet: Any = pytest.importorskip("pyarrow.parquet")
        schema = arrow.schema([("id", "int64"), ("ciphertext_blob", "binary"), ("note", "string")])
        schema = schema.append(arrow.field("tenant", arrow.string()))
        rows = _rows(number)
        with parquet.ParquetWriter(path, schema) as writer:
            for _ in range(number // 100_000):
                part = [next(rows) for _ in range(100_000)]
                columns = [list(column) for column in zip(*part, strict=True)]
                columns.append(["acme"] * len(part))
                writer.write_table(arrow.table(columns, schema=schema))
        return
    with path.open("w", encoding="ascii") as file:
        if path.suffix == ".csv":
            file.write("id,ciphertext_blob,note,tenant\n")
        for row, blob, note in _rows(number):
            if path.suffix == ".csv":
                file.write(f"{row},{base64_of(blob)},{note},acme\n")
            else:
                text = {"id": row, "ciphertext_blob": base64_of(blob), "note": note}
                file.write(f"{json.dumps(text | {'tenant': 'acme'})}\n")


def _peak(*arguments: str | Path) -> int:
    """Return the peak of the resident memory of a command in bytes."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PEAK, *command(*arguments)],
        env=environment(),
        capture_output=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three million rows need at most 20 MB more than one million."""
    ring = write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    peaks: dict[str, list[int]] = {"rotate": [], "census": []}
    for number in (_FEW, _MANY):
        source, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
        _write(source, number)
        options = ("-k", ring, "--destination", "orders", "--context-columns", "tenant")
        peaks["rotate"].append(_peak("rotate", source, out, *options))
        peaks["census"].append(_peak("census", source))
        out.unlink()
        source.unlink()
    with capsys.disabled():
        print(f"\n{suffix}", {name: [peak >> 20 for peak in each] for name, each in peaks.items()})
    for name, (few, many) in peaks.items():
        assert many - few <= _MAX_GROWTH, (name, few, many)

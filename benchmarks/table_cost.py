"""`python -m benchmarks.table_cost --rows N`: the processor time of `kmscore rotate` per row.

The time of a row is compared with the time of an item of `reencrypt_many` with the same ciphertexts
and contexts, in three formats. The time of a short table is subtracted, so that the start of the
command does not count. The command has one process. The formats and `reencrypt_many` take turns;
each ratio is the median of the ratios of all turns.
"""

import argparse
import base64
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.bulk import Rotation
from kmscore import keyfile
from kmscore.bulk import Item, reencrypt_many
from kmscore.keyfile import ScryptParameters

MAX_RATIO: Final = 3.5
FORMATS: Final = ("csv", "jsonl", "parquet")
_PASSPHRASE: Final = b"of no worth"
_CHEAP: Final = ScryptParameters(n=1 << 14)
_CONTEXT: Final = ("tenant", "row")
_START: Final = 4096
"""The rows of the short table: one chunk."""


def write_tables(folder: Path, items: Sequence[Item]) -> None:
    """Write a table in each format, with a column for each key of the context."""
    import pyarrow  # noqa: ICN001 (for its own table alone)
    from pyarrow import parquet

    core: Any = pyarrow
    contexts = [dict(item.source_context or {}) for item in items]
    columns = {name: [context[name] for context in contexts] for name in _CONTEXT}
    blobs = [bytes(item.ciphertext_blob) for item in items]
    texts = [base64.b64encode(blob).decode("ascii") for blob in blobs]
    name = str(len(items))
    with (folder / f"{name}.csv").open("w", encoding="ascii", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("ciphertext_blob", *_CONTEXT))
        writer.writerows(zip(texts, *columns.values(), strict=True))
    with (folder / f"{name}.jsonl").open("w", encoding="ascii") as file:
        for text, context in zip(texts, contexts, strict=True):
            file.write(f"{json.dumps({'ciphertext_blob': text, **context})}\n")
    table = core.table({"ciphertext_blob": core.array(blobs, core.binary()), **columns})
    parquet.write_table(table, folder / f"{name}.parquet")


def rotate(folder: Path, source: Path, key_id: str) -> float:
    """Return the processor time of a command in seconds."""
    out = folder / f"out{source.suffix}"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(  # noqa: S603 (our own command)
        [
            *(sys.executable, "-P", "-m", "kmscore", "rotate", str(source), str(out)),
            *("-k", str(folder / "keys"), "--destination", key_id, "--jobs", "1"),
            *("--context-columns", ",".join(_CONTEXT)),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"KMSCORE_PASSPHRASE": _PASSPHRASE.decode()},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    out.unlink()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def bare(rotation: Rotation, items: Sequence[Item]) -> float:
    """Return the processor time of `reencrypt_many` per item in seconds."""
    begin = time.process_time()
    for _ in reencrypt_many(rotation.keys, items, rotation.new.key_id):
        pass
    return (time.process_time() - begin) / len(items)


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.table_cost", description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000, metavar="N")
    parser.add_argument("--turns", type=int, default=5, metavar="N")
    options = parser.parse_args(arguments)
    if options.rows <= _START or options.turns < 1:
        parser.error(f"there must be more than {_START:,} rows, and at least one turn")
    rotation = Rotation()
    # A dict for each item, as a program has it that reads contexts from a table.
    items = [
        item._replace(source_context=dict(item.source_context or {}))
        for item in rotation.items(0, options.rows)
    ]
    ratios: dict[str, list[float]] = {name: [] for name in FORMATS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sealed = keyfile.seal_keyring(rotation.keys, _PASSPHRASE, parameters=_CHEAP)
        (folder / "keys").touch(0o600)
        (folder / "keys").write_bytes(sealed)
        write_tables(folder, items)
        write_tables(folder, items[:_START])
        for _ in range(options.turns):
            for each in FORMATS:
                base = bare(rotation, items)
                whole, start = (
                    rotate(folder, folder / f"{number}.{each}", rotation.new.key_id)
                    for number in (options.rows, _START)
                )
                ratios[each].append((whole - start) / (options.rows - _START) / base)
    for each, found in ratios.items():
        sys.stdout.write(
            f"{each}: {statistics.median(found):.2f} x reencrypt_many, {min(found):.2f} to"
            f" {max(found):.2f} (at most {MAX_RATIO})\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())

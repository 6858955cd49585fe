"""`python -m benchmarks.engine_cost --rows N`: the cost per row in Arrow batches and on Spark.

The processor time of `reencrypt_batch` is compared with that of `reencrypt_many` with the same
ciphertexts and contexts: all contexts different, or few different ones, in structs and in maps. The
items of `reencrypt_many` have a dict each. With `--spark`, the time of a job with
`reencrypt_dataframe` is compared with that of the same job with an identity function in
`mapInArrow`; both read and write Parquet. All contenders take turns; each ratio is the median of
the ratios of all turns.
"""

import argparse
import gc
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import kmscore
from benchmarks.bulk import Rotation
from benchmarks.fixtures import DATA_KEY
from kmscore import Keyring, keyfile
from kmscore.bulk import Item, reencrypt_many
from kmscore.keyfile import ScryptParameters

LIMITS: Final = {"different": 1.6, "few": 1.15}
"""The maximum ratio of a batch, by its contexts."""

SPARK_LIMIT: Final = 3.5
KINDS: Final = ("struct", "map")
_FEW: Final = 20
_CHUNK: Final = 10_000
_PASSPHRASE: Final = b"of no worth"
_CHEAP: Final = ScryptParameters(n=1 << 14)
_COLUMNS: Final[dict[str, Any]] = {"blob_column": "blob", "source_context_column": "context"}


def make_items(rotation: Rotation, contexts: str, number: int) -> list[Item]:
    """Return items whose contexts are all different, or have few different values."""
    before, different = Keyring([rotation.old]), number if contexts == "different" else _FEW
    items = []
    for row in range(number):
        context = {"tenant": "acme", "row": str(row % different)}
        blob = kmscore.encrypt(before, rotation.old.key_id, DATA_KEY, context).ciphertext_blob
        items.append(Item(row, blob, context))
    return items


def make_batch(items: list[Item], kind: str) -> Any:  # noqa: ANN401 (pyarrow has no types)
    """Return the items as a record batch with contexts as structs or maps."""
    import pyarrow as pa

    contexts = [dict(item.source_context or {}) for item in items]
    column = pa.array(contexts)
    if kind == "map":
        pairs = [list(context.items()) for context in contexts]
        column = pa.array(pairs, pa.map_(pa.string(), pa.string()))
    blobs = pa.array([item.ciphertext_blob for item in items], pa.binary())
    return pa.record_batch({"blob": blobs, "context": column})


def compare_batches(rows: int, turns: int) -> dict[tuple[str, str], list[float]]:
    """Return the ratios of all turns, by contexts and kind of column."""
    from kmscore.bulk.arrow import reencrypt_batch

    rotation = Rotation()
    keys, key_id = rotation.keys, rotation.new.key_id
    ratios: dict[tuple[str, str], list[float]] = {}
    for contexts in LIMITS:
        items = make_items(rotation, contexts, rows)
        batches = {kind: make_batch(items, kind) for kind in KINDS}
        for _ in range(turns):
            base = _processor_time(lambda: list(reencrypt_many(keys, items, key_id)))  # noqa: B023
            for kind, batch in batches.items():
                call = partial(reencrypt_batch, batch, keys, key_id, **_COLUMNS)
                found = ratios.setdefault((contexts, kind), [])
                found.append(_processor_time(call) / base)
    return ratios


def _processor_time(call: Callable[[], object]) -> float:
    """Return the processor time of one call in seconds, without garbage collection."""
    gc.collect(0)
    gc.disable()
    try:
        start = time.process_time()
        kept = call()
        elapsed = time.process_time() - start
    finally:
        gc.enable()
    del kept
    return elapsed


def compare_spark(rows: int, turns: int) -> list[float]:
    """Return the ratios of all turns of a Spark job; the first turn is not measured."""
    from pyspark.sql import SparkSession

    from kmscore.bulk.spark import cached_key_factory, reencrypt_dataframe

    # The workers need this interpreter.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rotation = Rotation()
        sealed = keyfile.seal_keyring(rotation.keys, _PASSPHRASE, parameters=_CHEAP)
        (folder / "keys").write_bytes(sealed)
        _write_parts(folder / "source", make_items(rotation, "different", rows))
        spark = SparkSession.builder.master("local[2]").getOrCreate()
        try:
            spark.sparkContext.setLogLevel("ERROR")
            df = spark.read.parquet(str(folder / "source"))
            keys = cached_key_factory(partial(_open_keys, str(folder / "keys")))
            moved = reencrypt_dataframe(df, keys, rotation.new.key_id, **_COLUMNS)
            jobs = (moved, df.mapInArrow(_identity, df.schema))
            times = [[_write(job, folder / "out") for job in jobs] for _ in range(turns + 1)]
        finally:
            spark.stop()
    return [ours / identity for ours, identity in times[1:]]


def _write_parts(folder: Path, items: list[Item]) -> None:
    """Write a table in Parquet with two parts, one for each worker."""
    import pyarrow as pa
    from pyarrow import parquet

    folder.mkdir()
    for part in (0, 1):
        batch = make_batch(items[part::2], "struct")
        parquet.write_table(pa.Table.from_batches([batch]), folder / f"{part}.parquet")


def _open_keys(path: str) -> Keyring:
    """Return the keys in a worker."""
    return keyfile.open_keyring(Path(path).read_bytes(), _PASSPHRASE)


def _identity(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield each batch as it is."""
    yield from batches


def _write(df: Any, folder: Path) -> float:  # noqa: ANN401 (a DataFrame)
    """Write a DataFrame, and return the time in seconds."""
    start = time.perf_counter()
    df.write.mode("overwrite").parquet(str(folder))
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_cost", description=__doc__)
    parser.add_argument("--rows", type=int, default=_CHUNK, metavar="N")
    parser.add_argument("--turns", type=int, default=15, metavar="N")
    parser.add_argument("--spark", action="store_true", help="measure Spark instead of batches")
    options = parser.parse_args(arguments)
    if options.rows < 1 or options.turns < 1:
        parser.error("there must be at least one row and one turn")
    if options.spark:
        found = compare_spark(options.rows, options.turns)
        _show("Spark", found, "identity in mapInArrow", SPARK_LIMIT)
        return 0
    for (contexts, kind), found in compare_batches(options.rows, options.turns).items():
        _show(f"{kind}, {contexts} contexts", found, "reencrypt_many", LIMITS[contexts])
    return 0


def _show(name: str, ratios: list[float], other: str, limit: float) -> None:
    """Write a line with the median and the range of the ratios."""
    sys.stdout.write(
        f"{name}: {statistics.median(ratios):.2f} x {other}, {min(ratios):.2f} to"
        f" {max(ratios):.2f} (at most {limit})\n"
    )


if __name__ == "__main__":
    sys.exit(main())

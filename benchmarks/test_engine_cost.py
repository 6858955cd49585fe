"""Tests of the benchmark of Arrow batches and Spark: the command runs, its output is complete."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.bulk import Rotation
from benchmarks.engine_cost import KINDS, LIMITS, main, make_batch, make_items

_IN_CHILD = f"""
import sys
sys.path.append({str(Path(__file__).resolve().parent.parent)!r})
from benchmarks.engine_cost import main
main(["--rows", "20", "--turns", "1", "--spark"])
"""
_RATIOS = r"\d+\.\d\d x {}, \d+\.\d\d to \d+\.\d\d \(at most [\d.]+\)"


def test_the_command_shows_a_ratio_per_column(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has a line for each kind of column, for different and for few contexts."""
    pytest.importorskip("pyarrow")
    assert main(["--rows", "50", "--turns", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    wanted = [f"{kind}, {contexts} contexts" for contexts in LIMITS for kind in KINDS]
    assert [line.partition(":")[0] for line in lines] == wanted
    assert all(re.search(f": {_RATIOS.format('reencrypt_many')}$", line) for line in lines)


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_of_the_batch_is_rewritten(kind: str) -> None:
    """The batch has the blobs and the contexts of the items."""
    pytest.importorskip("pyarrow")
    from kmscore.bulk.arrow import reencrypt_batch

    rotation = Rotation()
    for contexts, number in zip(LIMITS, (30, 20), strict=True):
        items = make_items(rotation, contexts, 30)
        assert len({str(item.source_context) for item in items}) == number
        moved = reencrypt_batch(
            make_batch(items, kind),
            rotation.keys,
            rotation.new.key_id,
            blob_column="blob",
            source_context_column="context",
        )
        assert moved["status"].to_pylist() == ["rewritten"] * 30


def test_the_command_measures_spark() -> None:
    """With `--spark`, the output has one line with the ratio to an identity function."""
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    # In a process of its own: only one session of Spark can be in a process.
    done = subprocess.run(  # noqa: S603 (our own command)
        [sys.executable, "-P", "-W", "ignore", "-c", _IN_CHILD],
        env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert re.search(f"^Spark: {_RATIOS.format('identity in mapInArrow')}$", done.stdout.strip())


def test_the_command_rejects_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "0"])
    assert "at least one row" in capsys.readouterr().err

"""Tests of the benchmark of the cost per row: the command runs, and its output is complete."""

import re

import pytest

from benchmarks.table_cost import FORMATS, main


@pytest.mark.thorough
def test_the_command_shows_a_ratio_per_format(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has a line with a ratio for each format."""
    pytest.importorskip("typer")
    pytest.importorskip("pyarrow")
    assert main(["--rows", "4200", "--turns", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(FORMATS)
    ratio = r"-?\d+\.\d\d"
    for line in lines:
        assert re.search(rf": {ratio} x reencrypt_many, {ratio} to {ratio} \(at most 3\.5\)$", line)


def test_the_command_rejects_too_few_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "4096"])
    assert "more than 4,096 rows" in capsys.readouterr().err

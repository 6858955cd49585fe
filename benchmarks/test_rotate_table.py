"""Tests of the benchmark of table rotation: the command runs, and its output is complete."""

import re

import pytest

from benchmarks.rotate_table import main


@pytest.mark.thorough
def test_the_command_shows_memory_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has three lines: the peaks of one process and of two, and the ratios."""
    pytest.importorskip("typer")
    assert main(["--rows", "50", "--turns", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["--jobs 1:", "--jobs 2:", "50 rows: "]
    ratio = r"\d+\.\d\d x"
    shown = rf"by two {ratio} that \(at least 1\.7\); by two commands .*, {ratio}$"
    assert re.search(shown, lines[2])


def test_the_command_rejects_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "0"])
    assert "at least one row" in capsys.readouterr().err

"""The rotation of a table: that the command does it, and that what is shown is there."""

import re

import pytest

from benchmarks.rotate_table import main


def test_the_command_shows_memory_and_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    """Three lines: the peaks of one process and of two, and how the rates compare."""
    pytest.importorskip("typer")
    assert main(["--rows", "50", "--turns", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:9] for line in lines] == ["--jobs 1:", "--jobs 2:", "50 rows: "]
    ratio = r"\d+\.\d\d x"
    shown = rf"by two {ratio} that \(at least 1\.7\); by two commands .*, {ratio}$"
    assert re.search(shown, lines[2])


def test_the_command_refuses_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2, and a line that says why."""
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "0"])
    assert "at least one row" in capsys.readouterr().err

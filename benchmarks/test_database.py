"""Tests of the benchmark of databases: the command runs, and its output is complete."""

import re
import sys

import pytest

pytest.importorskip("sqlalchemy")

from benchmarks.database import main


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of the memory is read from /proc")
def test_the_command_shows_ratios_and_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has three lines: the ratio to the floor, the empty pass, and the memory."""
    assert main(["--rows", "50", "--turns", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"sqlite, 50 rows: [\d,]+ a second, \d+\.\d\d of the floor \(at least 0\.45\)", lines[0]
    )
    assert lines[1].startswith("a call with nothing to do: ")
    assert re.fullmatch(r"memory: \d+\.\d MB for 50 rows, \d+\.\d MB for 5 \(.*\)", lines[2])


def test_the_command_rejects_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--rows", "0"])
    assert "at least one row" in capsys.readouterr().err

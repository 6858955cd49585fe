"""Tests of the benchmark of requests: the command runs, and its output is complete."""

import re

import pytest

from benchmarks.service import main


def test_the_command_shows_the_ratio_and_the_shares(capsys: pytest.CaptureFixture[str]) -> None:
    """The output has the ratio, and the share of each part."""
    assert main(["--requests", "20", "--turns", "1"]) == 0
    first, *parts = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"a signed ReEncrypt: [\d.]+ x a constant, [\d.]+ to [\d.]+ \(at most 3\.0\)", first
    )
    assert [line.partition("  ")[2].strip() for line in map(str.strip, parts)] == [
        *("parse", "verify", "throttle", "KmsApi.handle", "response", "all the rest"),
    ]


def test_the_command_rejects_no_requests(capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 2, and a line gives the reason."""
    with pytest.raises(SystemExit, match="2"):
        main(["--requests", "0"])
    assert "at least one request" in capsys.readouterr().err

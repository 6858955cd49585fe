"""The source of the passphrase of a keyring file, and a missing passphrase."""

import os
import subprocess
from pathlib import Path

import pytest
from support.commands import (
    ENVIRONMENT,
    PASSPHRASE,
    command,
    environment,
    invoke,
    problem,
    seal,
)

from kmscore.cli import passphrase
from kmscore.cli.passphrase import check_descriptors
from kmscore.cli.problems import FileProblem

_NONE = {"KMSCORE_PASSPHRASE": None}


def _descriptor(data: bytes) -> int:
    """Return a file descriptor of a pipe that contains the data."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nmore"])
def test_a_descriptor_gives_its_first_line(ring_file: Path, end: bytes) -> None:
    """It overrides the environment, and the line end is not part of the passphrase."""
    number = _descriptor(PASSPHRASE + end)
    options = ("--passphrase-fd", str(number))
    result = invoke("keys", "list", ring_file, *options, env={"KMSCORE_PASSPHRASE": "wrong"})
    assert result.exit_code == 0, result
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(number)


def test_standard_input_can_have_passphrase_and_data(ring_file: Path) -> None:
    """The command gets the data after the first line."""
    result = subprocess.run(
        command("decrypt", "-k", ring_file, "--passphrase-fd", "0"),
        input=PASSPHRASE + b"\n" + seal(b"4711\n"),
        capture_output=True,
        check=False,
        env=environment(KMSCORE_PASSPHRASE="wrong"),
    )
    assert (result.stdout, result.stderr) == (b"4711\n", b"")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the passphrase is empty"),
        (b"\nbehind", "the passphrase is empty"),
        (b"x" * 4097, "file descriptor {}: more than 4,096 bytes"),
        (b"wrong", "the passphrase is wrong, or the file has been changed"),
    ],
)
def test_a_descriptor_without_a_valid_passphrase_is_rejected(
    ring_file: Path, data: bytes, reason: str
) -> None:
    """One line gives the reason; the limit of a line is 4,096 bytes."""
    number = _descriptor(data)
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", str(number)))
    assert said.endswith(reason.format(number))


@pytest.mark.parametrize("number", ["999", "2147483647"])
def test_a_closed_descriptor_is_reported(ring_file: Path, number: str) -> None:
    """One line has the message of the system."""
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", number))
    assert said == f"file descriptor {number}: Bad file descriptor"


def test_two_descriptors_must_be_open_and_different() -> None:
    """A file that the command opens would get the number of a closed one."""
    check_descriptors(None, 0, 0)
    number = _descriptor(PASSPHRASE)
    try:
        check_descriptors(number, None)
        with pytest.raises(FileProblem, match=f"^file descriptor {number} is given twice; use two"):
            check_descriptors(number, number)
    finally:
        os.close(number)
    with pytest.raises(FileProblem, match=f"^file descriptor {number}: Bad file descriptor$"):
        check_descriptors(0, number)


@pytest.mark.parametrize("number", ["-1", "2147483648", "1" * 40, "x"])
def test_an_invalid_descriptor_number_is_rejected(ring_file: Path, number: str) -> None:
    """One line names the option and the help page."""
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", number))
    assert "--passphrase-fd" in said
    assert said.endswith("; see kmscore keys list --help")


def test_a_missing_passphrase_is_reported(ring_file: Path) -> None:
    """Without a terminal there is no prompt, and the line lists the options."""
    said = problem(invoke("keys", "list", ring_file, env=_NONE))
    assert (
        said == "no passphrase: give --passphrase-fd, set KMSCORE_PASSPHRASE, or run this in a"
        " terminal"
    )


def test_an_empty_variable_is_an_empty_passphrase(ring_file: Path) -> None:
    """An empty variable is not the same as a missing variable."""
    said = problem(invoke("keys", "list", ring_file, env={"KMSCORE_PASSPHRASE": ""}))
    assert said == "the passphrase is empty"


def test_a_passphrase_of_zero_bytes_is_rejected(tmp_path: Path) -> None:
    """The keyring file is not created."""
    path, number = tmp_path / "team.keys", _descriptor(b"\x00\x00\n")
    said = problem(invoke("keys", "new", path, "--passphrase-fd", str(number)))
    assert said == "invalid_key: the passphrase is empty or contains only zero bytes"
    assert list(tmp_path.iterdir()) == []


def test_the_variable_can_be_text(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, environment variables are text, which is encoded as UTF-8."""
    monkeypatch.setattr(os, "supports_bytes_environ", False)
    assert invoke("keys", "list", ring_file, env=ENVIRONMENT).exit_code == 0


def test_a_terminal_gets_a_prompt(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One prompt for an existing file, two prompts for a new file, without echo."""
    asked: list[dict[str, object]] = []

    def answer(_: str, **options: object) -> str:
        asked.append(options)
        return PASSPHRASE.decode()

    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(passphrase.typer, "prompt", answer)
    monkeypatch.setattr(passphrase.sys, "stdin", Terminal())
    monkeypatch.delenv("KMSCORE_PASSPHRASE", raising=False)
    assert passphrase.get_passphrase(None) == PASSPHRASE
    assert passphrase.get_passphrase(None, is_new=True) == PASSPHRASE
    assert [options["confirmation_prompt"] for options in asked] == [False, True]
    assert all(options["hide_input"] and options["err"] for options in asked)
    assert ring_file.exists()

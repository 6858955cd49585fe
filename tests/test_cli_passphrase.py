"""Where the passphrase of a keyring file comes from, and what happens where there is none."""

import os
import subprocess
from pathlib import Path

import pytest
from cli_support import (
    ENVIRONMENT,
    PASSPHRASE,
    command,
    environment,
    invoke,
    problem,
    seal,
    write_ring,
)

from kmscore.cli import passphrase

_NONE = {"KMSCORE_PASSPHRASE": None}


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    """Return a keyring file."""
    return write_ring(tmp_path / "team.keys")


def _descriptor(data: bytes) -> int:
    """Return the end of a pipe from which that can be read."""
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return reading


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\nmore"])
def test_a_descriptor_gives_its_first_line(ring_file: Path, end: bytes) -> None:
    """It goes before the environment, and a line end is no part of the passphrase."""
    number = _descriptor(PASSPHRASE + end)
    options = ("--passphrase-fd", str(number))
    result = invoke("keys", "list", ring_file, *options, env={"KMSCORE_PASSPHRASE": "wrong"})
    assert result.exit_code == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.close(number)


def test_standard_input_may_hold_passphrase_and_data(ring_file: Path) -> None:
    """What stands behind the first line is left for the command."""
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
def test_a_descriptor_that_gives_none(ring_file: Path, data: bytes, reason: str) -> None:
    """One line; the longest line that is taken has 4,096 bytes."""
    number = _descriptor(data)
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", str(number)))
    assert said.endswith(reason.format(number))


@pytest.mark.parametrize("number", ["999", "2147483647"])
def test_a_descriptor_that_is_closed(ring_file: Path, number: str) -> None:
    """The system's word for it, in one line."""
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", number))
    assert said == f"file descriptor {number}: Bad file descriptor"


@pytest.mark.parametrize("number", ["-1", "2147483648", "1" * 40, "x"])
def test_a_descriptor_that_is_none(ring_file: Path, number: str) -> None:
    """A mistake on the command line is one line too, and names the help."""
    said = problem(invoke("keys", "list", ring_file, "--passphrase-fd", number))
    assert "--passphrase-fd" in said
    assert said.endswith("; see kmscore keys list --help")


def test_no_passphrase_at_all(ring_file: Path) -> None:
    """Without a terminal nobody is asked: the line says what there is to do."""
    said = problem(invoke("keys", "list", ring_file, env=_NONE))
    assert (
        said == "no passphrase: give --passphrase-fd, set KMSCORE_PASSPHRASE, or run this in a"
        " terminal"
    )


def test_an_empty_variable(ring_file: Path) -> None:
    """It is an empty passphrase, and not none."""
    said = problem(invoke("keys", "list", ring_file, env={"KMSCORE_PASSPHRASE": ""}))
    assert said == "the passphrase is empty"


def test_a_passphrase_of_zeros_protects_nothing(tmp_path: Path) -> None:
    """A new file is not sealed under it, and not made."""
    path, number = tmp_path / "team.keys", _descriptor(b"\x00\x00\n")
    said = problem(invoke("keys", "new", path, "--passphrase-fd", str(number)))
    assert said == "invalid_key: the passphrase is empty or contains only zero bytes"
    assert list(tmp_path.iterdir()) == []


def test_the_variable_as_text_where_there_are_no_bytes(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows an environment has text, which is taken as UTF-8."""
    monkeypatch.setattr(os, "supports_bytes_environ", False)
    assert invoke("keys", "list", ring_file, env=ENVIRONMENT).exit_code == 0


def test_who_is_at_a_terminal_is_asked(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for a file that is there, and twice for one that is new; nothing is echoed."""
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

"""The commands of the README run as they stand there, and print what it shows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import environment

_README = Path(__file__).resolve().parent.parent / "README.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which there was nothing before the README's first commands."""
    folder = tmp_path_factory.mktemp("newcomer")
    text = _README.read_text("utf-8")
    (commands,) = re.findall(r"^```sh\n(kmscore keys new .*?)^```", text, re.MULTILINE | re.DOTALL)
    assert _printed(folder, f"set -e\n{commands}") != ""
    return folder


def _printed(folder: Path, commands: str, code: int = 0) -> str:
    """Return what a shell prints of commands, in which `kmscore` is the one that is tested."""
    done = subprocess.run(
        ["sh", "-c", f'kmscore() {{ "{sys.executable}" -P -m kmscore "$@"; }}\n{commands}'],
        cwd=folder,
        env=environment(COLUMNS="100"),
        capture_output=True,
        check=False,
        text=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def _transcript(name: str) -> tuple[str, str]:
    """Return a command of the README and what it shows after it."""
    ((command, shown),) = re.findall(
        rf"^\$ (kmscore {name}[^\n]*)\n(.*?)^(?:```|\$ )",
        _README.read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return command, shown


def _shape(text: str) -> list[str]:
    """Return lines without what is different each time: random bytes, rates, and spaces."""
    text = re.sub(r"[\d,]+ a second|\b[0-9a-f]{2}\b", "", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(("name", "code"), [("inspect", 0), ("rotate", 1)])
def test_a_transcript(folder: Path, name: str, code: int) -> None:
    """Fields, meanings and notes of `inspect`, statuses and files of `rotate`, line by line."""
    command, shown = _transcript(name)
    assert _shape(_printed(folder, command, code)) == _shape(shown)

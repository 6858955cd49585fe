"""The transcripts of the README are what the commands print."""

import base64
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_support import ENVIRONMENT, PASSPHRASE, base64_of, environment, invoke, seal, write_ring

import kmscore
from kmscore import keyfile

_README = Path(__file__).resolve().parent.parent / "README.md"


def _text() -> str:
    return _README.read_text("utf-8")


def _transcript(command: str) -> str:
    """Return what the README shows after a command."""
    (shown,) = re.findall(
        rf"^\$ kmscore {command}[^\n]*\n(.*?)^(?:```|\$ )", _text(), re.MULTILINE | re.DOTALL
    )
    return str(shown)


def _shape(text: str) -> list[str]:
    """Return lines without what is different each time: random bytes, rates, and spaces."""
    text = re.sub(r"[\d,]+ a second|\b[0-9a-f]{2}\b", "", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_transcripts(tmp_path: Path) -> None:
    """Fields, meanings and notes of `inspect`, statuses and files of `rotate`, line by line."""
    blob = seal(b"4711", {"tenant": "acme"})
    wide = ENVIRONMENT | {"COLUMNS": "100"}
    printed = invoke("inspect", data=blob, env=wide).stdout
    assert _shape(printed) == _shape(_transcript("inspect"))
    rows = [f"{tenant}-1,{tenant},{base64_of(seal(b'', {'tenant': tenant}))}" for tenant in "abc"]
    source = tmp_path / "orders.csv"
    source.write_text("\n".join(["id,tenant,ciphertext_blob", *rows, "broken,a,S01T\n"]))
    ring = write_ring(tmp_path / "team.keys")
    options = ("--destination", "orders", "--context-columns", "tenant")
    result = invoke("rotate", source, tmp_path / "rotated.csv", "-k", ring, *options, env=wide)
    assert result.exit_code == 1
    printed = result.stdout.replace(f"{tmp_path}/", "")
    assert _shape(printed) == _shape(_transcript("rotate"))


def test_the_first_commands(tmp_path: Path) -> None:
    """They run one after the other as they stand there, and leave a table under the new version."""
    if shutil.which("sh") is None:
        pytest.skip("this system has no sh")
    (script,) = re.findall(r"^```sh\n(kmscore keys new.*?)^```", _text(), re.MULTILINE | re.DOTALL)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["sh", "-e", "-u", "-c", script]
    result = subprocess.run(
        command, cwd=tmp_path, env=environment(PATH=path), capture_output=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, b"")
    keys = keyfile.open_keyring((tmp_path / "team.keys").read_bytes(), PASSPHRASE)
    (row,) = csv.DictReader((tmp_path / "rotated.csv").read_text().splitlines())
    blob = base64.b64decode(row["ciphertext_blob"])
    opened = kmscore.decrypt(keys, blob, {"tenant": row["tenant"]})
    assert (opened.key_version_id, opened.plaintext) == ("2", b"4711")

"""The transcripts of the README are what the commands print."""

import re
from pathlib import Path

from cli_support import ENVIRONMENT, base64_of, invoke, seal, write_ring

_README = Path(__file__).resolve().parent.parent / "README.md"


def _transcript(command: str) -> str:
    """Return what the README shows after a command."""
    text = _README.read_text("utf-8")
    (shown,) = re.findall(
        rf"^\$ kmscore {command}[^\n]*\n(.*?)^(?:```|\$ )", text, re.MULTILINE | re.DOTALL
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

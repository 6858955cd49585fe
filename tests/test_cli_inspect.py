"""`kmscore inspect`: what a blob says of itself, without any key."""

import json
from pathlib import Path

import pytest
from cli_support import base64_of, invoke, problem, run, seal

from kmscore import CiphertextBlob, KeySpec, SymmetricKey

_UNAUTHENTICATED = "Nothing of this is authenticated"


@pytest.mark.parametrize("width", [60, 120])
def test_every_field_stands_there(width: int) -> None:
    """Offset, bytes, name and meaning of each, with the note, into a pipe without colours."""
    blob = seal(b"4711")
    result = run("inspect", data=blob, COLUMNS=str(width))
    text = result.stdout.decode()
    assert (result.returncode, result.stderr) == (0, b"")
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= width
    for field in CiphertextBlob.parse(blob).layout():
        assert f"{field.offset:,} " in text
        assert field.name in text
    for words in ("XAES_256_GCM", "orders", "24 bytes", f"{len(blob)} bytes. {_UNAUTHENTICATED}"):
        assert words in " ".join(text.split())
    row = 16 if width == 120 else 8
    assert blob[-16:][:row].hex(" ") in text


def test_ids_are_shown_as_they_are_and_nothing_is_cut() -> None:
    """No markup in an ID, and a long one goes over several lines; a long field says so."""
    name = "[red]:smile:" + "k" * 90
    key = SymmetricKey.generate(KeySpec.AES_256, key_id=name, key_version_id="[/]")
    result = invoke("inspect", data=seal(bytes(100), key=key), env={"COLUMNS": "60"})
    text = result.stdout
    assert "…" not in text
    column = text.splitlines()[0].index("field")
    assert name in "".join(line[column:].strip() for line in text.splitlines())
    assert "[/]" in text
    assert "..." in text
    assert "100 bytes, as long as the plaintext" in " ".join(
        line[column:].strip() for line in text.splitlines()
    )


def test_for_machines() -> None:
    """One object that has every byte, and says that it is not authenticated."""
    blob = seal(bytes(100))
    document = json.loads(invoke("inspect", "--json", data=blob).stdout)
    assert document["authenticated"] is False
    assert "".join(field["hex"] for field in document["fields"]) == blob.hex()
    assert [field["offset"] for field in document["fields"]][:3] == [0, 3, 4]
    assert (document["suite"], document["key_id"], document["key_version_id"]) == (
        "XAES_256_GCM",
        "orders",
        "1",
    )
    assert document["length"] == len(blob)


def test_a_file_in_base64(tmp_path: Path) -> None:
    """White space around it does no harm, as a file has it at its end."""
    path = tmp_path / "blob.txt"
    path.write_text(base64_of(seal(b"")) + "\n", "ascii")
    assert _UNAUTHENTICATED in invoke("inspect", "--base64", path).stdout


@pytest.mark.parametrize(
    ("options", "data", "reason"),
    [
        ([], b"", "invalid_blob: "),
        ([], seal(b"")[:-20], "invalid_blob: "),
        (["--base64"], b"KMS", "-: not strict Base64"),
        ([], bytes(70_000), "-: more than 65,536 bytes"),
    ],
)
def test_what_is_no_blob(options: list[str], data: bytes, reason: str) -> None:
    """One line, exit code 2, nothing shown."""
    assert problem(invoke("inspect", *options, data=data)).startswith(reason)

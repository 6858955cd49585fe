"""`kmscore inspect`: the fields of a blob, without a key."""

import json
from pathlib import Path

import pytest
from support.commands import base64_of, invoke, problem, run, seal

from kmscore import CiphertextBlob, KeySpec, SymmetricKey

_UNAUTHENTICATED = "These fields are not authenticated"


@pytest.mark.parametrize("width", [60, 120])
def test_every_field_is_shown(width: int) -> None:
    """Offset, bytes, name and meaning of each field, with a note, without colours in a pipe."""
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


def test_ids_are_shown_unchanged_and_not_cut() -> None:
    """IDs are not read as markup; a long ID takes several lines, and a long field is marked."""
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


def test_inspect_as_json() -> None:
    """One object has every byte, and states that it is not authenticated."""
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


def test_a_base64_file_can_end_with_white_space(tmp_path: Path) -> None:
    """White space around the Base64 text is ignored, such as a final line end."""
    path = tmp_path / "blob.txt"
    path.write_text(base64_of(seal(b"")) + "\n", "ascii")
    assert _UNAUTHENTICATED in invoke("inspect", "--base64", path).stdout


@pytest.mark.parametrize(
    ("options", "data", "reason"),
    [
        ([], b"", "invalid_blob: not a v1 ciphertext blob: "),
        ([], seal(b"")[:-20], "invalid_blob: not a v1 ciphertext blob: "),
        (
            [],
            base64_of(seal(b"")).encode() + b"\n",
            "invalid_blob: not a v1 ciphertext blob, but Base64 of one: give --base64",
        ),
        (
            [],
            b"11112222-3333-4444-5555-666677778888" + bytes(28),
            (
                "invalid_blob: not a v1 ciphertext blob, but like one of the service: give"
                " --source-profile alibaba"
            ),
        ),
        (["--base64"], b"KMS", "-: not strict Base64; leave out --base64 for raw bytes"),
        ([], bytes(70_000), "-: more than 65,536 bytes"),
    ],
)
def test_an_invalid_blob_is_rejected(options: list[str], data: bytes, reason: str) -> None:
    """One line, exit code 2, and no output."""
    assert problem(invoke("inspect", *options, data=data)).startswith(reason)

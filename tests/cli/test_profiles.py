"""The commands with blobs of the service: rotate, reencrypt, decrypt, inspect and census."""

import base64
import csv
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import base64_of, invoke, problem, write_lines, write_ring

from kmscore import Keyring, KeySpec, Suite, SymmetricKey, alibaba
from kmscore.alibaba import Profile, VersionIndex
from kmscore.tables import json_lines

OLD, NEW = (
    SymmetricKey.generate(
        KeySpec.AES_256,
        key_id="orders",
        key_version_id=f"86a9efd9-3d16-4894-bd4f-1fc43f3f2a0{number}",
        suite=Suite.AES_256_GCM,
    )
    for number in range(2)
)
BEFORE, KEYS = VersionIndex(Keyring([OLD])), VersionIndex(Keyring([OLD, NEW]))


def seal(context: Any, plaintext: bytes = b"secret", profile: Profile = Profile.ALIBABA) -> bytes:
    """Return a blob of the old version."""
    return alibaba.encrypt(
        *(BEFORE, "orders", plaintext, context), profile=profile, allow_ambiguous=True
    ).ciphertext_blob


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring and a table of blobs of the service."""
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    with (tmp_path / "in.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("ciphertext_blob", "tenant"))
        writer.writerow((base64_of(seal({"tenant": "acme"})), "acme"))
        writer.writerow((base64_of(seal({"tenant": "umbrella"})), "umbrella"))
        writer.writerow((base64_of(seal(None)), ""))
    return tmp_path


def _rotate(folder: Path, *options: str, name: str = "in.csv", out: str = "out.csv") -> Any:
    where = ("rotate", folder / name, folder / out, "-k", folder / "team.keys")
    context = ("--destination", "orders", "--context-columns", "tenant", "--json")
    return invoke(*where, *context, *options)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("destination", ["v1", "v1-text", "alibaba", "alibaba-raw"])
def test_a_table_is_converted(folder: Path, destination: str, jobs: str) -> None:
    """The rows come out in the layout of the destination, and a second run changes nothing."""
    source = ("--source-profile", "alibaba", "--jobs", jobs)
    options = (*source, "--destination-profile", destination)
    result = _rotate(folder, *options)
    if destination == "alibaba-raw":
        assert "--source-profile alibaba and --destination-profile alibaba-raw" in problem(result)
        return
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["rewritten"] == 3
    profile = {
        "v1": Profile.V1,
        "v1-text": Profile.V1_TEXT,
        "alibaba": Profile.ALIBABA,
    }[destination]
    with (folder / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        context = {"tenant": row["tenant"]} if row["tenant"] else None
        blob = base64.b64decode(row["ciphertext_blob"], validate=True)
        opened = alibaba.decrypt(KEYS, blob, context, profile=profile)
        assert (opened.plaintext, opened.key_version_id) == (b"secret", NEW.key_version_id)
    again = _rotate(folder, *options, name="out.csv", out="again.csv")
    assert json.loads(again.stdout)["unchanged"] == 3


def test_one_blob_is_decrypted_and_re_encrypted(folder: Path) -> None:
    """The payload decides what comes out: the bytes, or the text that was encrypted."""
    blob, keys = folder / "blob", folder / "team.keys"
    blob.write_bytes(seal({"a": "1"}))
    context = ("-k", keys, "--context", '{"a":"1"}')
    for profile, text in (("alibaba", b"secret"), ("alibaba-raw", b"c2VjcmV0")):
        out = folder / profile
        result = invoke("decrypt", blob, out, *context, "--source-profile", profile)
        assert result.exit_code == 0, result.output
        assert out.read_bytes() == text
    said = problem(invoke("decrypt", blob, folder / "x", *context))
    assert said == (
        "invalid_blob: not a v1 ciphertext blob, but like one of the service: give"
        " --source-profile alibaba"
    )
    moved = folder / "moved"
    options = ("--destination", "orders", "--keep-context", "--source-profile", "alibaba")
    result = invoke("reencrypt", blob, moved, *context, *options)
    assert result.exit_code == 0, result.output
    assert invoke("decrypt", moved, folder / "plain", *context).exit_code == 0
    assert (folder / "plain").read_bytes() == b"secret"
    back = folder / "back"
    options = ("--destination", "orders", "--keep-context", "--destination-profile", "alibaba")
    assert invoke("reencrypt", moved, back, *context, *options).exit_code == 0
    opened = alibaba.decrypt(KEYS, back.read_bytes(), {"a": "1"}, profile=Profile.ALIBABA)
    assert opened.plaintext == b"secret"


def test_an_ambiguous_context_needs_the_option(folder: Path) -> None:
    """Without it, the code says that the context is invalid."""
    blob, context = folder / "blob", {"a": "1", "b": "2"}
    blob.write_bytes(seal(context))
    where = ("decrypt", blob, folder / "out", "-k", folder / "team.keys")
    options = ("--context", json.dumps(context), "--source-profile", "alibaba")
    said = problem(invoke(*where, *options))
    assert said.startswith("invalid_context: ")
    assert said.endswith("give --allow-ambiguous to accept it")
    assert invoke(*where, *options, "--allow-ambiguous").exit_code == 0


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_failed_rows_with_an_ambiguous_context_name_the_option(folder: Path, suffix: str) -> None:
    """The message of a row is that of a command, and the option makes the rows succeed."""
    context = {"tenant": "acme", "table": "orders"}
    row = {"ciphertext_blob": base64_of(seal(context)), **context}
    paths = [folder / f"{name}.{suffix}" for name in ("in", "out", "out.failed", "again")]
    if suffix == "csv":
        lines = ",".join(row), *[",".join(row.values())] * 2
        paths[0].write_text("\n".join(lines))
    elif suffix == "jsonl":
        write_lines(paths[0], [row, row])
    else:
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra arrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist([row, row]), paths[0])
    where = ("-k", folder / "team.keys", "--destination", "orders", "--source-profile", "alibaba")
    options = (*where, "--context-columns", "tenant,table")
    assert invoke("rotate", *paths[:2], *options).exit_code == 1
    assert b"give --allow-ambiguous to accept it" in paths[2].read_bytes()
    result = invoke("rotate", paths[2], paths[3], *options, "--allow-ambiguous")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--source-profile", "alibaba"), "or contexts are ambiguous in the layout of the service"),
        (("--destination-profile", "alibaba"), "contexts are ambiguous in the layout of the serv"),
        (("--source-profile", "alibaba", "--allow-ambiguous"), "has other values than JSON obj"),
        ((), "has other values than JSON objects"),
    ],
)
def test_first_rows_with_an_ambiguous_context_name_the_option(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], reason: str
) -> None:
    """Without it, a larger table would be read as a whole, for no row."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 2)
    context: Any = {"tenant": "acme", "table": "orders"}
    if "ambiguous" not in reason:
        context = "no context"
    is_v1 = "--source-profile" not in options
    blob = seal({"a": "1"}, profile=Profile.V1 if is_v1 else Profile.ALIBABA)
    write_lines(folder / "in.jsonl", [{"ciphertext_blob": base64_of(blob), "context": context}] * 3)
    where = ("rotate", folder / "in.jsonl", folder / "out.jsonl", "-k", folder / "team.keys")
    columns = ("--destination", "orders", "--context-column", "context")
    said = problem(invoke(*where, *columns, *options))
    assert reason in said
    assert ("--allow-ambiguous accepts those" in said) == ("ambiguous" in reason)


def test_allow_ambiguous_needs_a_layout_of_the_service(folder: Path) -> None:
    """A v1 blob binds its context in an injective form."""
    where = ("-k", folder / "team.keys", "--allow-ambiguous")
    table = ("rotate", folder / "in.jsonl", "--destination", "orders", "--dry-run")
    for command in (("decrypt",), ("reencrypt", "--destination", "orders"), table):
        said = problem(invoke(*command, *where))
        assert said == "--allow-ambiguous needs a profile of the service, such as alibaba"
        name = "source" if command[0] == "decrypt" else "destination"
        result = invoke(*command, *where, f"--{name}-profile", "alibaba")
        assert "--allow-ambiguous" not in result.stderr


def test_an_asymmetric_source_has_no_profile(folder: Path) -> None:
    """The layout of the service is one of symmetric ciphertexts."""
    ids = ("--source-key-id", "a", "--source-version-id", "1", "--algorithm", "SM2PKE")
    said = problem(_rotate(folder, *ids, "--source-profile", "alibaba"))
    assert said == "--algorithm needs --source-profile v1"
    where = ("reencrypt", folder / "in.csv", folder / "out", "-k", folder / "team.keys")
    options = ("--destination", "orders", *ids, "--source-profile", "alibaba")
    assert problem(invoke(*where, *options)) == "--algorithm needs --source-profile v1"


def test_a_blob_of_the_service_is_inspected(folder: Path) -> None:
    """The fields are shown with their places; no key is needed."""
    blob = folder / "blob"
    blob.write_bytes(seal(None))
    assert problem(invoke("inspect", blob)).startswith("invalid_blob: ")
    document = json.loads(invoke("inspect", blob, "--source-profile", "alibaba", "--json").stdout)
    assert document["key_version_id"] == OLD.key_version_id
    assert [(each["name"], each["offset"], each["length"]) for each in document["fields"]] == [
        ("key version ID", 0, 36),
        ("IV", 36, 12),
        ("ciphertext", 48, 8),
        ("tag", 56, 16),
    ]
    assert "".join(each["hex"] for each in document["fields"]) == blob.read_bytes().hex()
    shown = invoke("inspect", blob, "--source-profile", "alibaba").stdout
    assert "as long as the encrypted text" in shown


def test_a_census_guesses(folder: Path) -> None:
    """The line says that it is a guess, and no version may be retired."""
    shown = invoke("census", folder / "in.csv").stdout
    assert (
        f"Of the others, 3 look like blobs of the service of version {OLD.key_version_id};"
        " this is a guess" in " ".join(shown.split())
    )
    document = json.loads(invoke("census", folder / "in.csv", "--json").stdout)
    assert document["guessed_service_versions"] == {OLD.key_version_id: 3}
    lines = (folder / "in.csv").read_text().splitlines(keepends=True)
    (folder / "one.csv").write_text("".join(lines[:2]))
    shown = invoke("census", folder / "one.csv").stdout
    assert "Of the others, 1 looks like a blob of the service of version " in shown
    assert document["other"] == 3


def test_a_blob_of_an_instance_is_read(folder: Path) -> None:
    """Three bytes come before the key version ID."""
    blob = folder / "blob"
    blob.write_bytes(seal(None, profile=Profile(prefix=b"\x24\x00\x02")))
    where = ("decrypt", blob, folder / "out", "-k", folder / "team.keys")
    assert invoke(*where, "--source-profile", "alibaba-instance").exit_code == 0
    assert (folder / "out").read_bytes() == b"secret"
    shown = invoke("inspect", blob, "--source-profile", "alibaba-instance", "--json").stdout
    fields = json.loads(shown)["fields"]
    assert [each["offset"] for each in fields] == [0, 3, 39, 51, 59]

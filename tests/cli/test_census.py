"""`kmscore census`: key versions in tables, and versions that can be retired."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    FOREIGN,
    NEW,
    OLD,
    base64_of,
    invoke,
    problem,
    seal,
    write_lines,
    write_ring,
)
from support.strategies import flip_last_bit

from kmscore import Keyring, KeySpec, SymmetricKey


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    """Return a keyring file with two versions of one key."""
    return write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))


_UNREAD = "1 row cannot be read, and could need any version"


def _write(path: Path, *keys: SymmetricKey) -> Path:
    """Write a table with a ciphertext under each key."""
    rows = [{"ciphertext_blob": base64_of(seal(b"", key=key))} for key in keys]
    if path.suffix == ".jsonl":
        return write_lines(path, rows)
    path.write_text("\n".join(["ciphertext_blob", *(row["ciphertext_blob"] for row in rows)]))
    return path


def _count(ring_file: Path, *sources: Path) -> tuple[list[Any], str | None]:
    """Return the retirable versions and the reason from JSON, and compare them with the text."""
    where = ("census", *sources, "-k", ring_file)
    document = json.loads(invoke(*where, "--json").stdout)
    versions, reason = document["retirable_versions"], document["not_retirable_because"]
    lines = invoke(*where).stdout.splitlines()[-1 - max(1, len(versions)) : -1]
    due = [
        f"May be retired if these are all: version {name['key_version_id']} of key {name['key_id']}"
        for name in versions
    ]
    nothing = reason or "each version of these keys is primary, or is named by a ciphertext"
    assert lines == (due or [f"No version may be retired: {nothing}"])
    return versions, reason


def test_the_census_as_text(ring_file: Path) -> None:
    """The text has headers, counts and a note on authentication; IDs are not read as markup."""
    name = "[red]:smile:" + "k" * 60
    key = SymmetricKey.generate(KeySpec.AES_256, key_id=name, key_version_id="[/]")
    rows = [{"ciphertext_blob": base64_of(seal(b"", key=key))}] * 3
    source = write_lines(ring_file.with_name("in.jsonl"), [*rows, {"ciphertext_blob": None}, {}])
    with source.open("a") as file:
        file.write('junk\n{"ciphertext_blob": "S01T"}\n')
    result = invoke("census", source, env={"COLUMNS": "60"})
    lines = result.stdout.splitlines()
    assert max(map(len, lines[:-2])) <= 60
    start, end = lines[0].index("key"), lines[0].index("version")
    assert name in "".join(line[start:end].strip() for line in lines[1:-2])
    assert "[/]" in result.stdout
    assert lines[-2] == "1 other; 1 row without a ciphertext; 2 rows that cannot be read"
    assert lines[-1] == "The headers are not authenticated: a count is what the blobs claim."
    document = json.loads(invoke("census", source, "--json").stdout)
    due = {"no ciphertext": 1, "missing_column": 1, "damaged_row": 1}
    assert document["rows_without"] == due


def test_a_version_in_no_table_can_be_retired(ring_file: Path) -> None:
    """A version in one of several tables cannot be retired, and neither can a primary version."""
    first = _write(ring_file.with_name("a.jsonl"), NEW, NEW)
    second = _write(ring_file.with_name("b.csv"), NEW, OLD)
    old = {"key_id": "orders", "key_version_id": "1"}
    assert _count(ring_file, first) == ([old], None)
    assert _count(ring_file, first, second) == ([], None)
    document = json.loads(invoke("census", first, second, "--json").stdout)
    assert [row["blobs"] for row in document["headers"]] == [1, 3]
    assert "retirable_versions" not in document


@pytest.mark.parametrize(
    ("row", "due"),
    [
        ('{"ciphertext_blob": "S01T"}', "1 of 2 ciphertexts is not a v1 blob"),
        ('{"ciphertext_blob": "no Base64"}', _UNREAD),
        ('{"ciphertext_blob": 5}', _UNREAD),
        ("{}", _UNREAD),
        ("junk", _UNREAD),
        ("junk\njunk", "2 rows cannot be read, and could need any version"),
        ('{"ciphertext_blob": null}', None),
    ],
)
def test_an_unreadable_row_keeps_every_version(ring_file: Path, row: str, due: str | None) -> None:
    """No version can be retired then; a row without a ciphertext needs no version."""
    source = _write(ring_file.with_name("in.jsonl"), NEW)
    with source.open("a") as file:
        file.write(f"{row}\n")
    versions, reason = _count(ring_file, source)
    assert reason == due
    assert len(versions) == (due is None)


def test_an_unknown_version_keeps_every_version(ring_file: Path) -> None:
    """No version can be retired, because the keyring is incomplete."""
    versions, reason = _count(ring_file, _write(ring_file.with_name("in.jsonl"), FOREIGN))
    assert (versions, reason is None) == ([], False)


def test_tables_are_checked_before_the_passphrase_prompt(ring_file: Path) -> None:
    """Every table is checked before a passphrase is requested."""
    source = _write(ring_file.with_name("in.jsonl"), NEW)
    missing = ring_file.with_name("no.csv")
    assert problem(invoke("census", source, missing)) == f"{missing}: No such file or directory"
    said = problem(invoke("census", source, "-k", source))
    assert said.startswith(f"{source}: not a sealed keyring: ")
    # The keyring in the environment is for other commands; a census does not need it.
    result = invoke("census", source, env={"KMSCORE_KEYRING": str(missing)})
    assert (result.exit_code, "retired" in result.stdout) == (0, False)


def test_a_delimiter_needs_csv(ring_file: Path) -> None:
    """Other formats have none; one CSV file of several tables, or of a folder, is enough."""
    folder = ring_file.with_name("folder")
    folder.mkdir()
    lines = _write(folder / "in.jsonl", NEW)
    message = "--delimiter is only for CSV, and no table has a name with .csv"
    for source in (lines, folder, folder / "in.parquet"):
        assert problem(invoke("census", source, "--delimiter", ",")) == message
        rotate = ("rotate", source, "-k", ring_file, "--destination", "orders", "--dry-run")
        assert problem(invoke(*rotate, "--delimiter", ",")) == message
    (folder / "in.CSV").write_text("a;ciphertext_blob\n")
    for sources in ([folder], [lines, folder / "in.CSV"]):
        assert invoke("census", *sources, "--delimiter", ";").exit_code == 0


def test_a_passphrase_descriptor_needs_a_keyring(ring_file: Path) -> None:
    """Without a keyring, no passphrase is read."""
    for command in (
        ("census", ring_file),
        ("census-column", "--table", "t"),
        ("serve", "--anonymous"),
    ):
        said = problem(invoke(*command, "--passphrase-fd", "0"))
        assert said == "--passphrase-fd needs --keyring"


def test_uncounted_failed_rows_keep_every_version(ring_file: Path) -> None:
    """The result lacks the failed rows, so that their file must be counted too."""
    for suffix in (".jsonl", ".csv"):
        source = _write(ring_file.with_name(f"in{suffix}"), OLD, OLD)
        text, _, last = source.read_text().rstrip().rpartition("S01T")
        damaged = base64_of(flip_last_bit(seal(b"", key=OLD)))
        source.write_text(text + damaged + last[len(damaged) - 4 :])
        out, failed = (ring_file.with_name(f"{name}{suffix}") for name in ("out", "out.failed"))
        options = ("-k", ring_file, "--destination", "orders")
        assert invoke("rotate", source, out, *options).exit_code == 1
        versions, reason = _count(ring_file, out)
        assert versions == []
        assert reason == f"{failed} is there, failed rows of {out.name} not counted here"
        assert _count(ring_file, out, failed) == ([], None)
        names = json.loads(invoke("census", out, failed, "--json").stdout)["headers"]
        assert [name["key_version_id"] for name in names] == ["1", "2"]


def test_failed_rows_that_are_not_objects_are_counted(ring_file: Path) -> None:
    """The file of failed rows is accepted, also if its first row is not a JSON object."""
    source = _write(ring_file.with_name("in.jsonl"), NEW)
    source.write_text(source.read_text() + "junk\n")
    out, failed = (ring_file.with_name(f"{name}.jsonl") for name in ("out", "out.failed"))
    assert invoke("rotate", source, out, "-k", ring_file, "--destination", "orders").exit_code == 1
    versions, reason = _count(ring_file, out, failed)
    assert (versions, reason) == ([], _UNREAD)


def test_an_unfinished_job_keeps_every_version(ring_file: Path) -> None:
    """The rows of the job are not counted."""
    source = _write(ring_file.with_name("in.jsonl"), NEW)
    ring_file.with_name("in.jsonl.partial").mkdir()
    versions, reason = _count(ring_file, source)
    assert versions == []
    assert reason is not None
    assert reason.endswith("in.jsonl.partial is there, a job of in.jsonl not counted here")


def test_versions_of_a_key_without_rows_are_not_listed(tmp_path: Path) -> None:
    """The ciphertexts of that key are elsewhere."""
    elsewhere = [
        SymmetricKey.generate(KeySpec.AES_256, key_id="invoices", key_version_id=version)
        for version in ("1", "2")
    ]
    ring_file = write_ring(tmp_path / "team.keys", Keyring([OLD, NEW, *elsewhere]))
    old = {"key_id": "orders", "key_version_id": "1"}
    assert _count(ring_file, _write(tmp_path / "in.jsonl", NEW)) == ([old], None)


def test_an_unexpected_error_is_reported_by_its_class(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line and exit code 2, without a traceback."""
    source = _write(ring_file.with_name("in.jsonl"), NEW)
    monkeypatch.setattr("kmscore.cli.census.census", lambda *_, **__: 1 // 0)
    assert problem(invoke("census", source)) == "an unexpected error: ZeroDivisionError"


def test_a_folder_of_files_with_one_ciphertext_is_not_a_table(tmp_path: Path) -> None:
    """The line names the commands for such a file."""
    (tmp_path / "card.bin").write_bytes(seal(b""))
    assert problem(invoke("census", tmp_path)).endswith(
        ": `kmscore reencrypt` re-encrypts it, and `kmscore inspect` shows its key version"
    )

"""A rotation stops if all of the first rows fail, and says the likely reason."""

from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    FOREIGN,
    NEW,
    OFF,
    OLD,
    base64_of,
    invoke,
    problem,
    seal,
    write_lines,
    write_ring,
)

from kmscore import Keyring
from kmscore.tables import Columns, Options, Progress, TableError, json_lines, rotate

_CONTEXT = {"tenant": "acme"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a keyring; a table is worked on in chunks of three rows."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 3)
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW, OFF]))
    return tmp_path


def _rotate(folder: Path, blobs: list[bytes], *options: str) -> Any:
    rows = [{"ciphertext_blob": base64_of(blob), "tenant": "acme", "id": "1"} for blob in blobs]
    write_lines(folder / "in.jsonl", rows)
    where = ("rotate", folder / "in.jsonl", folder / "out.jsonl", "-k", folder / "team.keys")
    return invoke(*where, "--destination", "orders", *options)


GOOD = seal(b"text", _CONTEXT)
UNBOUND = seal(b"text")
NAMES = "'ciphertext_blob', 'tenant', 'id'"
CASES = {
    "no context column": (
        [GOOD] * 4,
        (),
        "(3 decryption): no column of contexts is given; the columns are " + NAMES,
    ),
    "wrong context column": (
        [GOOD] * 4,
        ("--context-columns", "id"),
        "(3 decryption): the columns of contexts, or the keys, are probably wrong",
    ),
    "column of contexts without JSON": (
        [GOOD] * 4,
        ("--context-column", "tenant"),
        (
            "(3 invalid_context): column 'tenant' has other values than JSON objects of strings"
            " (--context-columns takes one pair of each column)"
        ),
    ),
    "disabled key version": (
        [seal(b"text", key=OFF)] * 4,
        (),
        (
            "(3 key_state): key versions are missing or not enabled: version 1 of key off"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "key of another kind": (
        [b"\0" * 256] * 4,
        (
            *("--algorithm", "RSAES_OAEP_SHA_256"),
            *("--source-key-id", "orders", "--source-version-id", "1"),
        ),
        (
            "(3 key_usage): the keys have another suite or kind"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "foreign key": (
        [seal(b"text", key=FOREIGN)] * 4,
        (),
        (
            "(3 key_not_found): key versions are missing or not enabled: version 1 of key foreign"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "foreign asymmetric key": (
        [bytes(256)] * 4,
        (
            *("--algorithm", "RSAES_OAEP_SHA_256"),
            *("--source-key-id", "foreign", "--source-version-id", "1"),
        ),
        (
            "(3 key_not_found): the keyring lacks the keys"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "another column": (
        [GOOD] * 4,
        ("--blob-column", "id"),
        (
            "(3 invalid_blob): column 'id' probably has no ciphertexts of this library, or has them"
            " in an encoding that is not read, such as hexadecimal"
        ),
    ),
    "another reason": (
        [GOOD] * 4,
        ("--context-columns", "tenant", "--source-key-id", "orders", "--source-version-id", "9"),
        "(3 incorrect_key): the file of failed rows would have the reason for each",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_job_stops_if_all_first_rows_fail(folder: Path, case: str) -> None:
    """One line has the codes and the likely reason, and nothing is left behind."""
    blobs, options, reason = CASES[case]
    for mode in ((), ("--jobs", "2")):
        said = problem(_rotate(folder, blobs, *options, *mode))
        assert said == (
            f"{folder / 'in.jsonl'}: all of the first 3 rows fail {reason}; --keep-going goes on"
        )
        assert {path.name for path in folder.iterdir()} == {"in.jsonl", "team.keys"}


def test_a_first_row_without_a_ciphertext_does_not_count(folder: Path) -> None:
    """An empty cell is unchanged, and says nothing about the options and the keys."""
    rows = [{"ciphertext_blob": base64_of(GOOD)} for _ in range(4)]
    rows[1]["ciphertext_blob"] = None
    write_lines(folder / "in.jsonl", rows)
    where = (folder / "in.jsonl", folder / "out.jsonl", Keyring([OLD, NEW]))
    with pytest.raises(TableError, match=r"all of the first 2 rows fail \(2 decryption\)"):
        rotate(*where, Options(destination_key_id="orders"))
    report = rotate(*where, Options(destination_key_id="orders", keep_going=True))
    assert (report.rows, report.unchanged, report.failed) == (4, 1, {"decryption": 3})


@pytest.mark.parametrize(
    ("blobs", "options"),
    [
        pytest.param([UNBOUND, GOOD, GOOD, GOOD], (), id="one of the first rows is good"),
        pytest.param([GOOD] * 3, (), id="the table has only these rows"),
        pytest.param([GOOD] * 4, ("--keep-going",), id="keep going"),
    ],
)
def test_a_job_goes_on_if_a_first_row_is_good_or_on_request(
    folder: Path, blobs: list[bytes], options: tuple[str, ...]
) -> None:
    """The failed rows are then in their file."""
    assert _rotate(folder, blobs, *options).exit_code == 1
    assert (folder / "out.failed.jsonl").read_bytes().count(b"decryption") >= 3


def test_many_names_of_columns_are_cut(folder: Path) -> None:
    """The message has at most 20 names, each of at most 80 characters."""
    blob = base64_of(GOOD)
    row = {"ciphertext_blob": blob} | {f"{number:02}" + "n" * 99: "" for number in range(30)}
    write_lines(folder / "in.jsonl", [row] * 4)
    options = Options(destination_key_id="orders", columns=Columns())
    with pytest.raises(TableError) as caught:
        rotate(folder / "in.jsonl", folder / "out.jsonl", Keyring([OLD, NEW]), options)
    assert len(str(caught.value)) < 2000
    assert "'18nnn" in str(caught.value)
    assert "'19nnn" not in str(caught.value)


def test_resume_does_not_skip_the_check(folder: Path) -> None:
    """A script that always gives `--resume` stops at each call, and nothing remains."""
    for _ in range(3):
        said = problem(_rotate(folder, [UNBOUND] * 4, "--resume", "--context-columns", "id"))
        assert "all of the first 3 rows fail" in said
        assert not said.endswith("--resume finishes the job")
        assert sorted(path.name for path in folder.iterdir()) == ["in.jsonl", "team.keys"]


def test_a_folder_keeps_finished_files(folder: Path) -> None:
    """If a later file fails its first rows, the files before it are not done again."""
    (folder / "in").mkdir()
    for name, blob in (("a.jsonl", GOOD), ("b.jsonl", UNBOUND)):
        rows = [{"ciphertext_blob": base64_of(blob), "tenant": "acme"}] * 4
        write_lines(folder / "in" / name, rows)
    where = ("rotate", folder / "in", folder / "out", "-k", folder / "team.keys")
    options = ("--destination", "orders", "--context-columns", "tenant")
    said = problem(invoke(*where, *options))
    assert said.endswith("--keep-going goes on; --resume finishes the job")
    assert (folder / "out.partial").is_dir()
    result = invoke(*where, *options, "--resume", "--keep-going", "--json")
    assert result.exit_code == 1, result.output
    assert '"rewritten": 4, "unchanged": 0, "failed": {"decryption": 4}' in result.output


def test_finished_parts_are_kept_if_the_first_is_done_again(folder: Path) -> None:
    """The first part was changed by someone, so its rows are checked again; the others stay."""
    rows = [{"ciphertext_blob": base64_of(blob)} for blob in [GOOD] * 3 + [seal(b"text")] * 6]
    write_lines(folder / "in.jsonl", rows)
    where = (folder / "in.jsonl", folder / "out.jsonl", Keyring([OLD, NEW]))
    seen: list[float] = []

    def stop(now: Progress) -> None:
        seen.append(now.fraction)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate(*where, Options(destination_key_id="orders", keep_going=True), on_progress=stop)
    (first,) = (folder / "out.jsonl.partial").glob("00000000.*.bad")
    first.write_bytes(b"changed")
    with pytest.raises(TableError, match="all of the first 3 rows fail"):
        rotate(*where, Options(destination_key_id="orders"), resume=True)
    options = Options(destination_key_id="orders", keep_going=True)
    report = rotate(*where, options, resume=True)
    assert (report.rewritten, report.failed) == (6, {"decryption": 3})

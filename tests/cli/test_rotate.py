"""`kmscore rotate`: results, rejected input, and reports."""

import json
import os
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    FOREIGN,
    NEW,
    OFF,
    OTHER,
    RING,
    base64_of,
    check_rotated,
    environment,
    invoke,
    opened,
    problem,
    read_lines,
    run,
    seal,
    sealed_rows,
    write_lines,
    write_ring,
)
from support.strategies import flip_last_bit

import kmscore
from kmscore import EncryptionAlgorithm, Keyring, RsaKey
from kmscore.tables import columns, crew, json_lines, parquet_file, permissions
from kmscore.tables.worker_keys import WorkerKeys


def _rotate(ring_file: Path, source: Path, out: Path, *options: str) -> Any:
    where = ("rotate", source, out, "-k", ring_file, "--destination", "orders")
    return invoke(*where, *options)


def _mixed() -> list[tuple[str, bytes, dict[str, str]]]:
    """Return rows with the expected status or error code of each."""
    here, there = {"tenant": "acme"}, {"tenant": "evil"}
    rows = [
        ("rewritten", seal(b"old", here), here),
        ("unchanged", seal(b"new", here, NEW), here),
        ("rewritten", seal(b"other", here, OTHER), here),
        ("decryption", seal(b"old", here), there),
        ("decryption", seal(b"new", here, NEW), there),
        ("decryption", flip_last_bit(seal(b"old", here)), here),
        ("invalid_blob", seal(b"old", here)[:20], here),
        ("invalid_blob", b"", here),
        ("key_not_found", seal(b"foreign", here, FOREIGN), here),
        ("key_state", seal(b"off", here, OFF), here),
        ("plaintext_size", _too_long(here), here),
    ]
    return rows * 5


def _too_long(context: dict[str, str]) -> bytes:
    """Return a blob that parses and is longer than the largest allowed blob."""
    blob = kmscore.CiphertextBlob.parse(seal(b"", context))
    return blob.header + bytes(24 + 6145 + 16)


def _write(path: Path, rows: list[tuple[str, bytes, dict[str, str]]]) -> Path:
    """Write rows in the format of the file name."""
    if path.suffix == ".parquet":
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
        table = {
            "id": list(range(len(rows))),
            "ciphertext_blob": [blob for _, blob, _ in rows],
            "context": [context for _, _, context in rows],
        }
        arrow.parquet = pytest.importorskip("pyarrow.parquet")
        arrow.parquet.write_table(arrow.table(table), path)
    elif path.suffix == ".csv":
        quoted = ('"' + json.dumps(context).replace('"', '""') + '"' for _, _, context in rows)
        lines = [
            f"{row},{base64_of(blob) or 'junk'},{context}"
            for row, ((_, blob, _), context) in enumerate(zip(rows, quoted, strict=True))
        ]
        path.write_text("\n".join(["id,ciphertext_blob,context", *lines]) + "\n", "utf-8")
    else:
        write_lines(
            path,
            (
                {"id": row, "ciphertext_blob": base64_of(blob), "context": context}
                for row, (_, blob, context) in enumerate(rows)
            ),
        )
    return path


def _content(path: Path) -> object:
    """Return the content that must be equal after a second run: bytes or a table."""
    if path.suffix != ".parquet":
        return path.read_bytes()
    file = parquet_file.load_arrow()[1].ParquetFile(path)
    return file.read().to_pydict()


def _counts(result: Any) -> dict[str, int]:
    document = json.loads(result.stdout)
    return {"rewritten": document["rewritten"], "unchanged": document["unchanged"]} | document[
        "failed"
    ]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_every_row_is_rewritten_or_reported_with_its_code(
    ring_file: Path, suffix: str, jobs: str
) -> None:
    """Every good row is rewritten, every bad row is reported; a second run changes no row.

    The census before and after agrees with the report.
    """
    rows = _mixed()
    source = _write(ring_file.with_name(f"in{suffix}"), rows)
    before = source.read_bytes()
    first, second = (ring_file.with_name(f"{name}{suffix}") for name in ("first", "second"))
    options = ("--context-column", "context", "--json", "--jobs", jobs)
    result = _rotate(ring_file, source, first, *options)
    assert result.exit_code == 1, result
    due = Counter(status for status, _, _ in rows)
    assert _counts(result) == due
    assert json.loads(result.stdout)["rows"] == len(rows)
    assert json.loads(result.stdout)["failed_rows"] == str(first.with_name(f"first.failed{suffix}"))
    assert source.read_bytes() == before
    result = _rotate(ring_file, first, second, *options)
    assert result.exit_code == 0, result
    assert _counts(result) == {"rewritten": 0, "unchanged": due["rewritten"] + due["unchanged"]}
    assert _content(first) == _content(second)
    assert not second.with_name(f"second.failed{suffix}").exists()
    _check_census(source, first, due)


def _check_census(source: Path, out: Path, due: Counter[str]) -> None:
    """Compare the headers before and after with a report."""
    before, after = (json.loads(invoke("census", path, "--json").stdout) for path in (source, out))
    assert before["authenticated"] is after["authenticated"] is False
    (header,) = after["headers"]
    assert (header["key_id"], header["key_version_id"]) == ("orders", "2")
    assert header["blobs"] == due["rewritten"] + due["unchanged"]
    assert (after["other"], after["rows_without"]) == (0, {})
    versions = {
        (header["key_id"], header["key_version_id"]): header["blobs"]
        for header in before["headers"]
    }
    # The new version has the unchanged rows, and 5 rows with the wrong context.
    assert versions[("orders", "2")] == due["unchanged"] + 5
    assert versions[("foreign", "1")] == due["key_not_found"]
    assert versions[("off", "1")] == due["key_state"]
    total = sum(versions.values()) + before["other"] + sum(before["rows_without"].values())
    assert total == due.total()


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_second_change_of_contexts_changes_nothing(ring_file: Path, suffix: str) -> None:
    """The second run recognizes the results of the first run, and its output is the same."""
    rows = [seal(b"%d" % row, {"old": f"{row}"}) for row in range(9)]
    source = ring_file.with_name(f"in{suffix}")
    old, new = ([json.dumps({name: f"{row}"}) for row in range(9)] for name in ("old", "new"))
    if suffix == ".parquet":
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
        file = pytest.importorskip("pyarrow.parquet")
        file.write_table(arrow.table({"ciphertext_blob": rows, "old": old, "new": new}), source)
    elif suffix == ".jsonl":
        write_lines(
            source,
            (
                {"ciphertext_blob": base64_of(blob), "old": a, "new": b}
                for blob, a, b in zip(rows, old, new, strict=True)
            ),
        )
    else:
        quoted = [
            ",".join('"' + text.replace('"', '""') + '"' for text in pair)
            for pair in zip(old, new, strict=True)
        ]
        lines = [f"{base64_of(b)},{q}" for b, q in zip(rows, quoted, strict=True)]
        source.write_text("\n".join(["ciphertext_blob,old,new", *lines]) + "\n", "utf-8")
    options = ("--context-column", "old", "--destination-context-column", "new", "--json")
    first, second = (ring_file.with_name(f"{name}{suffix}") for name in ("first", "second"))
    assert _counts(_rotate(ring_file, source, first, *options)) == {"rewritten": 9, "unchanged": 0}
    assert _counts(_rotate(ring_file, first, second, *options)) == {"rewritten": 0, "unchanged": 9}
    assert _content(first) == _content(second)
    if suffix == ".jsonl":
        for row, line in enumerate(read_lines(first)):
            assert opened(line["ciphertext_blob"], {"new": f"{row}"}).plaintext == b"%d" % row


def test_the_report_as_text(ring_file: Path) -> None:
    """The report shows counts by status and code, the rate, and the output files."""
    source = _write(ring_file.with_name("in.jsonl"), _mixed())
    out = ring_file.with_name("out.jsonl")
    result = _rotate(ring_file, source, out, "--context-column", "context")
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "10 rewritten" in lines
    assert "5 unchanged" in lines
    assert "15 failed: decryption" in lines
    assert any(line.startswith("55 in all, ") and line.endswith(" a second") for line in lines)
    assert lines[-2:] == [f"written: {out}", f"failed rows: {ring_file.parent}/out.failed.jsonl"]
    assert result.stderr == ""


def test_a_dry_run_writes_no_file(ring_file: Path) -> None:
    """The report has the same counts, and OUT and `--resume` are rejected."""
    source = _write(ring_file.with_name("in.jsonl"), _mixed())
    where = ("rotate", source, "-k", ring_file, "--destination", "orders", "--dry-run")
    options = ("--context-column", "context")
    before = sorted(ring_file.parent.iterdir())
    result = invoke(*where, *options, "--json")
    assert result.exit_code == 1, result
    assert _counts(result) == Counter(status for status, _, _ in _mixed())
    assert json.loads(result.stdout)["out"] is None
    assert invoke(*where, *options).stdout.endswith("a dry run: nothing is written\n")
    assert sorted(ring_file.parent.iterdir()) == before
    for extra in ((ring_file.with_name("out.jsonl"),), ("--resume",)):
        said = problem(invoke(*where, *options, *extra))
        assert said == "a dry run writes nothing: it takes neither OUT nor --resume"


def test_again_reencrypts_current_rows(ring_file: Path) -> None:
    """With `--again`, a row under the primary version is rewritten too."""
    source = write_lines(
        ring_file.with_name("in.jsonl"), [{"ciphertext_blob": base64_of(seal(b"", key=NEW))}]
    )
    out = ring_file.with_name("out.jsonl")
    assert "1 rewritten" in " ".join(_rotate(ring_file, source, out, "--again").stdout.split())
    assert out.read_bytes() != source.read_bytes()


def test_upgrade_only_rejects_an_older_destination(tmp_path: Path) -> None:
    """The order of versions is that of the keyring file, and the error code is reported."""
    old, new = (version for version in RING if version.key_id == "orders")
    ring_file = write_ring(tmp_path / "team.keys", Keyring([old, new], primary={"orders": "1"}))
    source = write_lines(
        tmp_path / "in.jsonl", [{"ciphertext_blob": base64_of(seal(b"", key=NEW))}]
    )
    result = _rotate(ring_file, source, tmp_path / "out.jsonl", "--upgrade-only", "--json")
    assert _counts(result) == {"rewritten": 0, "unchanged": 0, "incorrect_key": 1}


def test_asymmetric_ciphertexts_are_rotated(tmp_path: Path, rsa_key: RsaKey) -> None:
    """Source key and algorithm are given once for all rows; each blob can have its context."""
    ring_file = write_ring(tmp_path / "team.keys", Keyring([*RING, rsa_key]))
    algorithm = EncryptionAlgorithm.RSAES_OAEP_SHA_256
    rows = [
        {
            "ciphertext_blob": base64_of(
                kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, b"%d" % row)
            ),
            "new": {"row": f"{row}"},
        }
        for row in range(3)
    ]
    source, out = write_lines(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl"
    options = ("--algorithm", algorithm.value, "--destination-context-column", "new")
    names = ("--source-key-id", "rsa-2048", "--source-version-id", "v1")
    assert _rotate(ring_file, source, out, *options, *names).exit_code == 0
    for row, line in enumerate(read_lines(out)):
        assert opened(line["ciphertext_blob"], line["new"]).plaintext == b"%d" % row
    again = tmp_path / "again.jsonl"
    said = problem(_rotate(ring_file, source, again, *options, *names[:2]))
    assert said == "--algorithm needs --source-key-id and --source-version-id"
    said = problem(_rotate(ring_file, source, again, "--algorithm", "RSA", *names))
    assert said.startswith("unsupported_algorithm: unknown --algorithm: ")
    for name in ("--context-column", "--context-columns"):
        said = problem(_rotate(ring_file, source, again, *options, *names, name, "id"))
        assert said.startswith("--algorithm excludes --context-column and --context-columns;")
    assert not again.exists()


def test_an_asymmetric_destination_is_rejected(tmp_path: Path, rsa_key: RsaKey) -> None:
    """The destination is rejected before a file is written."""
    ring_file = write_ring(tmp_path / "team.keys", Keyring([rsa_key]))
    source = write_lines(tmp_path / "in.jsonl", sealed_rows(1))
    where = ("rotate", source, tmp_path / "out.jsonl", "-k", ring_file)
    assert problem(invoke(*where, "--destination", "rsa-2048")).startswith("key_usage: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "team.keys"]


_ROTATE = ("rotate", "{in}", "{out}", "-k", "{keys}", "--destination", "orders")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((*_ROTATE[:2], *_ROTATE[3:]), "OUT is missing; give a new file or folder, or --dry-run"),
        (("rotate", "{in}", "{in}", *_ROTATE[3:]), "{in} exists already; use another output path"),
        (("rotate", "{in}", "{keys}", *_ROTATE[3:]), "{keys}: the name must end in .jsonl, "),
        (("rotate", "{in}", "x.csv", *_ROTATE[3:]), "x.csv: OUT must have the same format as IN"),
        (("rotate", "{keys}", "{out}", *_ROTATE[3:]), "{keys}: the name must end in .jsonl, "),
        (("rotate", "no.jsonl", "{out}", *_ROTATE[3:]), "no.jsonl: No such file or directory"),
        ((*_ROTATE[:3], "-k", "no", *_ROTATE[5:]), "no: No such file or directory"),
        ((*_ROTATE[:3], "-k", "{in}", *_ROTATE[5:]), "{in}: not a sealed keyring: "),
        ((*_ROTATE[:6], "nobody"), "key_not_found: "),
        (
            (*_ROTATE[:6], "off"),
            "key_state: version 1 of key off is primary and is in the state Disabled; see `kmscore",
        ),
        ((*_ROTATE[:6], ""), "key_not_found: "),
        ((*_ROTATE, "--blob-column", "x"), "{in}: no column 'x' in line 1"),
        ((*_ROTATE, "--blob-column", ""), "{in}: no column '' in line 1"),
        ((*_ROTATE, "--context-column", "x\n"), "{in}: no column 'x\\n' in line 1"),
        ((*_ROTATE, "--context-columns", "tenant,x"), "{in}: no column 'x' in line 1"),
        (
            (*_ROTATE, "--context-columns", "x", "--context-columns", "tenant"),
            "{in}: no column 'x' in line 1",
        ),
        ((*_ROTATE, "--context-columns", "tenant,"), "--context-columns requires different names"),
        ((*_ROTATE, "--context-columns", "a,a"), "--context-columns requires different names"),
        ((*_ROTATE, "--context-columns", ""), "--context-columns requires different names"),
        ((*_ROTATE, "--destination-context-column", "x"), "{in}: no column 'x' in line 1"),
        (
            (*_ROTATE, "--context-columns", "tenant", "--context-column", "c"),
            "--context-column and --context-columns exclude each other",
        ),
        ((*_ROTATE, "--jobs", "0"), "Invalid value for '--jobs': "),
        ((*_ROTATE, "--jobs", "257"), "Invalid value for '--jobs': "),
        ((*_ROTATE, "--nonsense"), "No such option: --nonsense"),
        ((*_ROTATE[:3], *_ROTATE[5:]), "Missing option '--keyring' / '-k'"),
        (_ROTATE[:5], "Missing option '--destination'"),
        (("rotate", "-k", "x", "--destination", "y"), "Missing argument 'IN'"),
        (("census",), "Missing argument 'IN'"),
        (("nonsense",), "No such command 'nonsense'; see kmscore --help"),
        (("--nonsense",), "No such option: --nonsense"),
        (("rotate", "{in}", "no/out.jsonl", *_ROTATE[3:]), "no: No such file or directory"),
        (("rotate", "{in}", "{in}/out.jsonl", *_ROTATE[3:]), "{in}: Not a directory"),
        (("census", "{keys}"), "{keys}: the name must end in .jsonl, .ndjson, .csv, .parquet"),
        (("census", "{folder}"), "{folder}: no file of the folder ends in .jsonl, "),
    ],
)
def test_a_wrong_command_line_is_rejected(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], reason: str
) -> None:
    """One line gives the reason, the exit code is 2, and no file changes."""
    monkeypatch.chdir(ring_file.parent)
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(1))
    ring_file.with_name("folder.csv").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in Path.cwd().iterdir()}
    names = {
        "{in}": str(source),
        "{out}": str(source.with_name("out.jsonl")),
        "{keys}": str(ring_file),
        "{folder}": str(ring_file.with_name("folder.csv")),
    }
    for name, path in names.items():
        arguments = tuple(argument.replace(name, path) for argument in arguments)
        reason = reason.replace(name, path)
    said = problem(invoke(*arguments))
    assert reason in said
    assert {path: path.is_file() and path.read_bytes() for path in Path.cwd().iterdir()} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("rotate", "a\x00.jsonl", "out.jsonl", "-k", "x", "--destination", "y"),
        ("rotate", "in.jsonl", "a\x00.jsonl", "-k", "x", "--destination", "y"),
        ("census", "a\x00.csv"),
        ("keys", "list", "a\x00"),
        ("keys", "new", "a\x00"),
        ("inspect", "a\x00"),
        ("encrypt", "--key-id", "k", "-k", "x", "-", "a\x00"),
    ],
)
def test_a_path_with_nul_is_rejected(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Every command reports the path in one line."""
    monkeypatch.chdir(ring_file.parent)
    write_lines(ring_file.with_name("in.jsonl"), sealed_rows(1))
    ring_file.rename("x")
    assert "null" in problem(invoke(*arguments))


def test_an_existing_file_of_failed_rows_is_not_overwritten(ring_file: Path) -> None:
    """If the file exists, the job does not start."""
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(1))
    failed = ring_file.with_name("out.failed.jsonl")
    failed.touch()
    said = problem(_rotate(ring_file, source, ring_file.with_name("out.jsonl")))
    assert said == f"{failed} exists already; use another output path"


def test_an_empty_table_is_rotated(ring_file: Path) -> None:
    """The result of an empty table is an empty table."""
    source = write_lines(ring_file.with_name("in.jsonl"), [])
    out = ring_file.with_name("out.jsonl")
    result = _rotate(ring_file, source, out)
    assert (result.exit_code, out.read_bytes()) == (0, b"")


def test_a_result_has_the_permissions_of_its_source(ring_file: Path) -> None:
    """The result has the permissions of the input, without those to execute."""
    usual = os.umask(0o002)
    try:
        for mode, left in ((0o600, 0o600), (0o640, 0o640), (0o664, 0o664), (0o757, 0o644)):
            source = write_lines(ring_file.with_name(f"in{mode:o}.jsonl"), sealed_rows(1))
            source.chmod(mode)
            out = ring_file.with_name(f"out{mode:o}.jsonl")
            assert _rotate(ring_file, source, out, "--context-columns", "tenant").exit_code == 0
            assert out.stat().st_mode & 0o777 == left
    finally:
        os.umask(usual)


def test_real_processes_rotate_every_row(ring_file: Path) -> None:
    """Two worker processes write plain lines to a pipe and nothing to standard error."""
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(9000))
    out = ring_file.with_name("out.jsonl")
    options = ("--destination", "orders", "--context-columns", "tenant", "--jobs", "2")
    result = run("rotate", source, out, "-k", ring_file, *options)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"\x1b" not in result.stdout
    check_rotated(read_lines(out), 9000)


def test_the_error_of_a_row_has_no_traceback() -> None:
    """The error can live as long as the report, so that it must not refer to the row."""
    failure = columns.ItemReader(columns.Columns("blob")).read(0, {"blob": 5})
    assert isinstance(failure, kmscore.InvalidBlobError)
    assert failure.__traceback__ is None


def test_the_error_of_a_damaged_row_is_kept() -> None:
    """An error that the format found is the error of the row."""
    failure = columns.damaged_row("reason")
    assert columns.ItemReader(columns.Columns("blob")).read(0, failure) is failure
    assert columns.reason_of(columns.damaged_row("\ud800")) == "\\ud800"


@pytest.mark.parametrize("is_dry", [False, True])
def test_a_dry_run_does_not_suggest_resume(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, is_dry: bool
) -> None:
    """The message suggests `--resume` only if a job exists to resume."""

    def fail(*_: object) -> None:
        raise crew.WorkerError("gone")

    monkeypatch.setattr(crew._Crew, "give", fail)
    # The first chunk needs no worker.
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 1)
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(2))
    out = ("--dry-run",) if is_dry else (ring_file.with_name("out.jsonl"),)
    columns = ("--destination", "orders", "--context-columns", "tenant")
    options = ("-k", ring_file, *columns, "--jobs", "2")
    hint = "" if is_dry else "; --resume finishes the job"
    assert problem(invoke("rotate", source, *out, *options)) == f"gone{hint}"


def test_the_repr_of_the_keys_of_workers_has_no_secret() -> None:
    """The object that the worker processes get shows neither keyring nor passphrase."""
    assert repr(WorkerKeys(b"file", b"secret")) == "<WorkerKeys>"


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("command", ["rotate", "census"])
def test_a_pipe_as_table_is_rejected(ring_file: Path, command: str, suffix: str) -> None:
    """A table is read more than once, so that a pipe is rejected without waiting for data."""
    source = ring_file.with_name(f"in{suffix}")
    os.mkfifo(source)
    rest = (ring_file.with_name(f"out{suffix}"), "-k", ring_file, "--destination", "orders")
    said = problem(invoke(command, source, *(rest if command == "rotate" else ())))
    assert said == f"{source}: not a regular file; a table is read more than once"


def test_no_code_is_imported_from_the_current_folder(ring_file: Path) -> None:
    """Neither the first process nor a worker process imports a module from that folder."""
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(9))
    told = ring_file.with_name("told")
    for name in ("signal", "typing", "kmscore", "json", "secrets"):
        ring_file.with_name(f"{name}.py").write_text(f"open({str(told)!r}, 'w')\n")
    options = ("-k", str(ring_file), "--destination", "orders", "--context-columns", "tenant")
    script = "import sys; sys.path.remove(''); from kmscore.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", script, "rotate", str(source), "out.jsonl", *options, "--jobs", "2"],
        cwd=ring_file.parent,
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, b"")
    assert not told.exists()
    check_rotated(read_lines(ring_file.with_name("out.jsonl")), 9)


@pytest.mark.parametrize("before", [None, "0"])
def test_the_start_of_a_worker_restores_the_environment(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """`PYTHONSAFEPATH` is set only while a worker process starts."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    if before is not None:
        monkeypatch.setenv("PYTHONSAFEPATH", before)
    with crew._safe_path():
        assert os.environ["PYTHONSAFEPATH"] == "1"
    assert os.environ.get("PYTHONSAFEPATH") == before


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(os.name == "nt", reason="groups are POSIX's")
@pytest.mark.parametrize("may_give", [True, False])
def test_a_result_has_the_group_of_its_source(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, may_give: bool
) -> None:
    """Without the right to set the group, both output files give the group no permission."""
    source = _write(ring_file.with_name("in.jsonl"), _mixed())
    try:
        os.chown(source, -1, 4242)
    except PermissionError:
        pytest.skip("to give a file to another group takes rights")
    source.chmod(0o664)
    before = os.umask(0)
    try:
        if not may_give:
            monkeypatch.setattr(os, "fchown", _fail)
        _rotate(ring_file, source, ring_file.with_name("out.jsonl"))
    finally:
        os.umask(before)
    due = (4242, 0o664) if may_give else (os.getgid(), 0o604)
    for name in ("out.jsonl", "out.failed.jsonl"):
        path = ring_file.with_name(name)
        assert (path.stat().st_gid, _mode(path)) == due


def _fail(*_: object) -> None:
    raise PermissionError


@pytest.mark.parametrize("listed", [b"an access list", b""])
def test_an_access_list_removes_the_permissions_of_the_group(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, listed: bytes
) -> None:
    """With an access list, the group bits of the mode are its mask, not rights of the group."""
    source = write_lines(ring_file.with_name("in.jsonl"), sealed_rows(1))
    source.chmod(0o660)
    monkeypatch.setattr(os, "getxattr", lambda *_: listed, raising=False)
    _rotate(ring_file, source, ring_file.with_name("out.jsonl"), "--context-columns", "tenant")
    assert _mode(ring_file.with_name("out.jsonl")) & stat.S_IRWXG == (0 if listed else 0o040)


def test_a_system_without_getxattr_has_no_access_lists(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `os.getxattr`, a file has no access list."""
    monkeypatch.delattr(os, "getxattr", raising=False)
    assert not permissions._has_access_list(ring_file)

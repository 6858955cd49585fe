"""An interrupted rotation: the remaining files, `--resume`, and the cases that are rejected."""

import csv
import errno
import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    NEW,
    OLD,
    base64_of,
    check_rotated,
    invoke,
    opened,
    problem,
    read_lines,
    seal,
    sealed_rows,
    write_lines,
    write_ring,
)
from support.faults import Killed, break_at, full_disk, without_collector
from support.samples import sampled, sampled_rows

from kmscore import Keyring, KeySpec, SymmetricKey
from kmscore.cli import rotate
from kmscore.tables import (
    Report,
    comma_separated,
    file_rotation,
    job_folder,
    journal,
    json_lines,
    parquet_file,
    result,
)
from kmscore.tables.disk import place
from kmscore.tables.errors import TableError
from kmscore.tables.lock import lock
from kmscore.tables.permissions import Permissions

_ROWS = 9


@pytest.fixture
def _without_collector() -> Iterator[None]:
    """Count no steps of the garbage collector."""
    with without_collector():
        yield


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a keyring and a table that has three parts."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 3)
    monkeypatch.setattr(journal, "_AT_ONCE", 2)
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    rows = sealed_rows(_ROWS)
    rows[4]["ciphertext_blob"] = "junk"
    write_lines(tmp_path / "in.jsonl", rows)
    return tmp_path


def _rotate(
    folder: Path, *options: str | Path, name: str = "in.jsonl", out: str = "out.jsonl"
) -> Any:
    where = ("rotate", folder / name, folder / out, "-k", folder / "team.keys")
    columns = ("--destination", "orders", "--context-columns", "tenant")
    return invoke(*where, *columns, *options)


def _check_all(folder: Path) -> None:
    """Check that every good row occurs once, and the bad row in a separate file."""
    rows = read_lines(folder / "out.jsonl")
    (failed,) = read_lines(folder / "out.failed.jsonl")
    assert (failed["kmscore_row"], failed["kmscore_error"]) == (5, "invalid_blob")
    assert [row["id"] for row in rows] == [0, 1, 2, 3, 5, 6, 7, 8]
    for row in rows:
        result = opened(row["ciphertext_blob"], {"tenant": row["tenant"]})
        assert (result.key_version_id, result.plaintext) == ("2", b"%d" % row["id"])
    assert not any(path.name.endswith(".partial") for path in folder.iterdir())


def _without_links(patch: pytest.MonkeyPatch) -> None:
    """Disable hard links; for an existing name, the error is `EEXIST`, as on such a system."""

    def fail(_: object, target: Path) -> None:
        code = errno.EEXIST if os.path.lexists(target) else errno.EPERM
        raise OSError(code, os.strerror(code))

    patch.setattr(os, "link", fail)


@pytest.mark.parametrize(
    ("links", "is_slow"),
    sampled_rows([(True, False), (True, True), (False, True), (False, False)], 4),
)
@pytest.mark.usefixtures("_without_collector")
def test_a_job_killed_at_any_step_is_resumed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool, is_slow: bool
) -> None:
    """After `--resume`, the result has every row once, and the input has not changed.

    The exit code and the counts are those of the whole job, unless they were already reported. In
    the slow case, a run also removes the files of an earlier run, with the same steps.
    """
    if not links:
        _without_links(monkeypatch)
    before = (folder / "in.jsonl").read_bytes()
    for number in range(1, 99):
        with pytest.MonkeyPatch.context() as patch:
            told = _watch_reports(patch)
            break_at(patch, number, Killed)
            if is_slow:
                patch.setattr(job_folder, "_A_WHILE", 0)
            try:
                assert _rotate(folder).exit_code == 1
            except Killed:
                is_dead = True
            else:
                is_dead = False
        assert (folder / "in.jsonl").read_bytes() == before
        if not is_dead:
            break
        if links and (folder / "out.jsonl").exists():
            _check_whole(folder)
        is_forgotten = _is_named(folder) and not (folder / "out.jsonl.partial").exists()
        result = _rotate(folder, "--resume", "--json")
        if is_forgotten:
            assert told == [_ROWS]
            assert problem(result).endswith("exists already; use another output path")
        else:
            assert result.exit_code == 1, result
            assert json.loads(result.stdout)["rows"] == _ROWS
        _check_all(folder)
        for path in ("out.jsonl", "out.failed.jsonl"):
            (folder / path).unlink()
    assert number > 20
    _check_all(folder)


def _watch_reports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that receives the number of rows of each later report."""
    told: list[int] = []
    original = rotate.show_rotation

    def show(report: Report, **options: Any) -> None:
        original(report, **options)
        told.append(report.rows)

    monkeypatch.setattr(rotate, "show_rotation", show)
    return told


def _is_named(folder: Path) -> bool:
    return (folder / "out.jsonl").exists()


def _check_whole(folder: Path) -> None:
    """Check that a result that has its final name is complete."""
    assert len(read_lines(folder / "out.jsonl")) == _ROWS - 1
    assert (folder / "out.failed.jsonl").exists()


@pytest.mark.parametrize("is_slow", sampled([False, True], 2))
@pytest.mark.usefixtures("_without_collector")
def test_a_job_on_afull_disk_is_resumed(folder: Path, is_slow: bool) -> None:
    """A full disk gives one line and exit code 2, and `--resume` completes the result."""
    before = (folder / "in.jsonl").read_bytes()
    for number in range(1, 99):
        with pytest.MonkeyPatch.context() as patch:
            steps = break_at(patch, number, full_disk)
            if is_slow:
                patch.setattr(job_folder, "_A_WHILE", 0)
            result = _rotate(folder)
        assert (folder / "in.jsonl").read_bytes() == before
        if len(steps) < number:
            break
        if result.exit_code == 2:
            said = problem(result)
            assert "No space left on device" in said
            if (folder / "out.jsonl.partial").exists():
                assert said.endswith("; --resume finishes the job")
            if not (folder / "out.jsonl").exists() or (folder / "out.jsonl.partial").exists():
                assert _rotate(folder, "--resume").exit_code == 1
        else:
            # Cleanup is not part of the job.
            assert steps[number - 1] in {"rmtree", "rename", "unlink"}
            if (folder / "out.jsonl.partial").exists():
                assert _rotate(folder, "--resume").exit_code == 1
        _check_all(folder)
        for path in ("out.jsonl", "out.failed.jsonl"):
            (folder / path).unlink()
    assert number > 20


def _interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Leave an unfinished job."""
    with monkeypatch.context() as patch:
        break_at(patch, number, Killed)
        with pytest.raises(Killed):
            _rotate(folder)
    assert (folder / "out.jsonl.partial").is_dir()


def _watch(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that receives the number of each part that is processed from now on."""
    done: list[int] = []
    original = file_rotation.work

    def watched(*arguments: Any) -> Iterator[Any]:
        for each in original(*arguments):
            done.append(each.number)
            yield each

    monkeypatch.setattr(file_rotation, "work", watched)
    return done


def test_finished_parts_are_not_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that the journal names are reused with their counts."""
    _interrupted(folder, monkeypatch, 13)
    lines = (folder / "out.jsonl.partial" / "journal").read_bytes().splitlines()
    assert 0 < len(lines) < 3
    done = _watch(monkeypatch)
    result = _rotate(folder, "--resume", "--json")
    assert done == list(range(len(lines), 3))
    assert json.loads(result.stdout)["rows"] == _ROWS
    _check_all(folder)


def _shorten(good: list[Path]) -> None:
    good[0].write_bytes(good[0].read_bytes()[:-1])


def _swap(good: list[Path]) -> None:
    first, second = (path.read_bytes() for path in good)
    good[0].write_bytes(second)
    good[1].write_bytes(first)


def _forge(good: list[Path]) -> None:
    bad = good[1].with_suffix(".bad")
    bad.write_bytes(bad.read_bytes() + b"{}\n")


@pytest.mark.parametrize(
    ("damage", "again"),
    [
        (_shorten, [0, 2]),
        (lambda good: good[1].unlink(), [1, 2]),
        (_swap, [0, 1, 2]),
        (_forge, [1, 2]),
    ],
    ids=["shortened", "gone", "swapped", "forged"],
)
def test_a_changed_part_is_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Any, again: list[int]
) -> None:
    """A part that was changed or removed is processed again, and the others are not."""
    _interrupted(folder, monkeypatch, 13)
    damage(sorted((folder / "out.jsonl.partial").glob("0000000[01].*.good")))
    done = _watch(monkeypatch)
    result = _rotate(folder, "--resume", "--json")
    assert done == again
    assert json.loads(result.stdout)["rows"] == _ROWS
    _check_all(folder)


def test_a_truncated_journal_line_is_ignored(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The part is processed again, and unknown files of the earlier run are removed first."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    stray = partial / "00000004.dead0000.good"
    stray.write_bytes(b"stray")
    with (partial / "journal").open("ab") as file:
        file.write(b'[4, "dead0000", {"rewr')
    seen: list[bool] = []
    original = file_rotation.work

    def watched(*arguments: Any) -> Iterator[Any]:
        seen.append(stray.exists())
        yield from original(*arguments)

    monkeypatch.setattr(file_rotation, "work", watched)
    assert _rotate(folder, "--resume").exit_code == 1
    assert set(seen) == {False}
    _check_all(folder)


def test_a_truncated_journal_line_does_not_join_the_next_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next job can read the journal lines that a resumed job writes."""
    _interrupted(folder, monkeypatch, 13)
    with (folder / "out.jsonl.partial" / "journal").open("ab") as file:
        file.write(b'[4, "dead0000", {"rewr')
    with monkeypatch.context() as patch:
        patch.setattr(file_rotation, "_check_unchanged", _fail)
        assert problem(_rotate(folder, "--resume")) == "not yet"
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def _fail(*_: object) -> None:
    raise TableError("not yet")


def test_resume_without_a_job_starts_a_job(folder: Path) -> None:
    """The command with `--resume` works after an interruption at any time."""
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def test_an_unfinished_job_requires_resume(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `--resume`, the job does not change, and the message says what to do."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    before = sorted(partial.iterdir())
    said = problem(_rotate(folder))
    assert said == f"{partial} is there: an unfinished job; --resume finishes the job"
    assert sorted(partial.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        pytest.param(
            lambda folder: (folder / "in.jsonl").write_text("{}\n"), "input size", id="another size"
        ),
        pytest.param(
            lambda folder: os.utime(folder / "in.jsonl", (1, 1)), "input time", id="another time"
        ),
        pytest.param(
            lambda folder: write_ring(folder / "team.keys", Keyring([OLD, NEW, _newest()])),
            "destination",
            id="another primary version",
        ),
        ("--again", "skip current"),
        ("--upgrade-only", "upgrade only"),
        ("--blob-column=tenant", "blob column"),
        ("--context-columns=owner=id", "context columns"),
        ("--source-profile=alibaba", "source profile"),
        ("--allow-ambiguous", "allow ambiguous"),
    ],
)
def test_resume_rejects_a_different_job(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Any, name: str
) -> None:
    """One line names the different input, destination or option, and no file changes."""
    # Another profile, which this option needs, would be the first difference.
    monkeypatch.setattr("kmscore.cli.rotate.check_ambiguous", lambda *_, **__: None)
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    before = {path: path.read_bytes() for path in partial.iterdir()}
    options = [change] if isinstance(change, str) else []
    if not isinstance(change, str):
        change(folder)
    if name == "input size":
        write_lines(folder / "in.jsonl", sealed_rows(1))
    said = problem(_rotate(folder, "--resume", *options))
    if name.startswith("input "):
        assert said == (
            f"{partial} belongs to a job with another input: its {name.split()[1]} is different, so"
            " the file was changed, copied or touched; remove out.jsonl.partial, and start again"
        )
    else:
        assert said.startswith(f"{partial} belongs to a different job: {name} was ")
    assert {path: path.read_bytes() for path in partial.iterdir()} == before


def test_a_folder_without_write_permission_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the folder of the output, and not a temporary one."""

    def fail(path: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", fail)
    assert problem(_rotate(folder)) == f"{folder}: Permission denied to create a folder"


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("change", ["reversed", "shorter"])
def test_other_rows_with_the_same_size_and_time_are_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, change: str
) -> None:
    """An input with equal size and time but other rows is rejected; the right input still works."""
    for module in (comma_separated, parquet_file):
        monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    name, out = f"rows{suffix}", folder / f"out{suffix}"
    rows = sealed_rows(_ROWS)
    _write_table(folder / name, rows)
    whole = (folder / name).read_bytes()
    with monkeypatch.context() as patch:
        break_at(patch, 13, Killed)
        with pytest.raises(Killed):
            _rotate(folder, name=name, out=out.name)
    status = (folder / name).stat()
    _write_table(folder / name, rows[::-1] if change == "reversed" else rows[:3])
    if (folder / name).stat().st_size != len(whole):
        # Report the old size, because some formats change the size with the rows.
        identity = file_rotation._identity
        monkeypatch.setattr(
            file_rotation,
            "_identity",
            functools.partial(_as_before, status, identity),
        )
        monkeypatch.setattr(file_rotation, "_check_unchanged", lambda *_: None)
    os.utime(folder / name, ns=(status.st_atime_ns, status.st_mtime_ns))
    said = problem(_rotate(folder, "--resume", name=name, out=out.name))
    assert said == (
        f"{out}.partial was begun with other rows, in an input of the same size and time:"
        " resume with that one, or remove the folder"
    )
    assert not out.exists()
    (folder / name).write_bytes(whole)
    os.utime(folder / name, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _rotate(folder, "--resume", name=name, out=out.name).exit_code == 0
    check_rotated(_read_table(out), _ROWS)


def _as_before(status: os.stat_result, original: Callable[..., Any], *arguments: Any) -> Any:
    return original(*arguments) | {"input size": status.st_size}


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows in the format of the file name."""
    if path.suffix == ".jsonl":
        write_lines(path, rows)
    elif path.suffix == ".csv":
        lines = [",".join(map(str, row.values())) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines]) + "\n", "utf-8")
    else:
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
        file = pytest.importorskip("pyarrow.parquet")
        file.write_table(arrow.Table.from_pylist(rows), path)


def _read_table(path: Path) -> list[Any]:
    """Read rows in the format of the file name."""
    if path.suffix == ".jsonl":
        return read_lines(path)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [row | {"id": int(row["id"])} for row in csv.DictReader(file)]
    table: list[Any] = parquet_file.load_arrow()[1].ParquetFile(path).read().to_pylist()
    return table


def test_earlier_parts_are_compared_before_new_parts_are_recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of another input must not enter the journal; the right input would then fail."""
    monkeypatch.setattr(journal, "_AT_ONCE", 1)
    _interrupted(folder, monkeypatch, 19)
    path = folder / "out.jsonl.partial" / "journal"
    _, *others = path.read_bytes().splitlines(keepends=True)
    assert others, "a part after the gap"
    path.write_bytes(b"".join(others))
    source = folder / "in.jsonl"
    status, whole = source.stat(), source.read_bytes()
    source.write_bytes(b"".join(whole.splitlines(keepends=True)[::-1]))
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert " was begun with other rows" in problem(_rotate(folder, "--resume"))
    assert path.read_bytes() == b"".join(others)
    source.write_bytes(whole)
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


@pytest.mark.parametrize("sealed", [None, "", "S01T"])
def test_another_keyring_with_the_same_ids_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sealed: str | None
) -> None:
    """One result never has rows under two keys; one line gives the reason, and no file changes."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    if sealed is None:
        other = SymmetricKey.generate(KeySpec.AES_256, key_id="orders", key_version_id="2")
        ring = (folder / "team.keys").read_bytes()
        write_ring(folder / "team.keys", Keyring([OLD, other]))
    else:
        known = (partial / "job.json").read_bytes()
        (partial / "job.json").write_text(json.dumps(json.loads(known) | {"check": sealed}))
    before = {path: path.read_bytes() for path in partial.iterdir()}
    assert problem(_rotate(folder, "--resume")) == (
        f"{partial} belongs to a different keyring: its destination version has the same ID and"
        " another key"
    )
    assert {path: path.read_bytes() for path in partial.iterdir()} == before
    if sealed is None:
        (folder / "team.keys").write_bytes(ring)
    else:
        (partial / "job.json").write_bytes(known)
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def _newest() -> SymmetricKey:
    return SymmetricKey.generate(KeySpec.AES_256, key_id="orders", key_version_id="3")


def test_a_result_of_another_process_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with the name of the result is kept; `--resume` works after its removal."""
    _interrupted(folder, monkeypatch, 13)
    (folder / "out.jsonl").write_text("another's")
    said = problem(_rotate(folder, "--resume"))
    assert said == f"{folder / 'out.jsonl'} exists already; use another output path"
    assert (folder / "out.jsonl").read_text() == "another's"
    (folder / "out.jsonl").unlink()
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def test_an_input_that_changes_during_the_job_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job writes no result, because it could mix rows of two states of the table."""
    original = file_rotation.work

    def watched(*arguments: Any) -> Iterator[Any]:
        yield from original(*arguments)
        os.utime(folder / "in.jsonl", (1, 1))

    monkeypatch.setattr(file_rotation, "work", watched)
    said = problem(_rotate(folder))
    assert said == f"{folder / 'in.jsonl'} was changed while it was read; start again"
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("change", ["content", "mode"])
def test_a_change_of_the_content_is_found_although_the_time_was_set_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """The input is read again if its inode changed; a new mode alone does not end the job."""
    source, original = folder / "in.jsonl", file_rotation.work
    status = source.stat()

    def watched(*arguments: Any) -> Iterator[Any]:
        yield from original(*arguments)
        if change == "mode":
            source.chmod(0o640)
            return
        data = source.read_bytes()
        source.write_bytes(data.replace(b'"id": 1', b'"id": 9'))
        os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))

    monkeypatch.setattr(file_rotation, "work", watched)
    result = _rotate(folder)
    assert source.stat().st_mtime_ns == status.st_mtime_ns
    if change == "mode":
        assert result.exit_code == 1, result
        _check_all(folder)
    else:
        assert problem(result) == f"{source} was changed while it was read; start again"
        assert not (folder / "out.jsonl").exists()


def test_a_few_parts_are_kept_if_they_took_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two seconds, parts are recorded that are fewer than the usual number."""
    monkeypatch.setattr(journal, "_AT_ONCE", 99)
    monkeypatch.setattr(journal.time, "monotonic", iter(range(0, 99, 2)).__next__)
    lines: list[int] = []
    original = journal.Journal.flush

    def flush(each: journal.Journal) -> None:
        original(each)
        lines.append(len((folder / "out.jsonl.partial" / "journal").read_bytes().splitlines()))

    monkeypatch.setattr(journal.Journal, "flush", flush)
    assert _rotate(folder).exit_code == 1
    assert lines[:3] == [1, 2, 3]


@pytest.mark.parametrize("spoil", ["empty", "file", "junk", "no journal"])
def test_a_path_without_a_job_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    """A folder or file without a job is reported, and it does not change."""
    partial = folder / "out.jsonl.partial"
    if spoil == "empty":
        partial.mkdir()
    elif spoil == "file":
        partial.touch()
    else:
        _interrupted(folder, monkeypatch, 13)
        if spoil == "junk":
            (partial / "job.json").write_text("{")
        else:
            (partial / "journal").unlink()
    assert problem(_rotate(folder, "--resume")) == f"{partial} holds no job: remove it"


_DEEP = "[" * 100_000

_NO_PARTS = {
    "a number": "7",
    "nothing": "null",
    "two": '[0, "dead0000"]',
    "six": '[0, "dead0000", {}, "", "", ""]',
    "names": '{"number": 0}',
    "a text for the number": '["0", "dead0000", {}, "", ""]',
    "a number for the run": '[0, 7, {}, "", ""]',
    "a path for the run": '[0, "../../00", {}, "", ""]',
    "a list of counts": '[0, "dead0000", [], "", ""]',
    "a text as a count": '[0, "dead0000", {"rewritten": "3"}, "", ""]',
    "true as a count": '[0, "dead0000", {"rewritten": true}, "", ""]',
    "less than none": '[0, "dead0000", {"rewritten": -3}, "", ""]',
    "no digest of the chunk": '[0, "dead0000", {}, null, ""]',
    "no digest of the files": '[0, "dead0000", {}, "", 7]',
    "nested": _DEEP,
    "no JSON": "junk",
    "no text": "\x00",
}


@pytest.mark.parametrize("line", _NO_PARTS.values(), ids=_NO_PARTS)
def test_an_invalid_journal_line_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """The whole folder is rejected and does not change, with valid or invalid JSON in the line."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    with (partial / "journal").open("a") as file:
        file.write(line + "\n")
    before = {path: path.read_bytes() for path in partial.iterdir()}
    assert problem(_rotate(folder, "--resume")) == f"{partial} holds no job: remove it"
    assert {path: path.read_bytes() for path in partial.iterdir()} == before


_NO_JOBS = ["[]", "7", "null", '"check"', "{}", '{"check": 7}', '{"check": "\\u00e4"}', _DEEP]


@pytest.mark.parametrize("text", _NO_JOBS, ids=[text[:20] for text in _NO_JOBS])
def test_a_job_file_with_the_wrong_structure_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Valid JSON without a job is rejected like a folder without a job."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    (partial / "job.json").write_text(text)
    assert problem(_rotate(folder, "--resume")) == f"{partial} holds no job: remove it"


_NO_COUNTS = ["", "{", "7", "[]", '{"rewritten": "8"}', '{"rewritten": true}', _DEEP]


@pytest.mark.parametrize("text", _NO_COUNTS, ids=[text[:20] for text in _NO_COUNTS])
def test_damaged_counts_are_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """One line names the damaged file and the action, and the result stays."""
    _leave_untold(folder, monkeypatch)
    partial = folder / "out.jsonl.partial"
    (partial / "done.json").write_text(text)
    assert problem(_rotate(folder, "--resume")) == (
        f"{partial / 'done.json'} is damaged:"
        f" remove {partial}, and start again if the result is missing"
    )
    shutil.rmtree(partial)
    _check_all(folder)


def _leave_untold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a finished job without a report."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.rotate.show_rotation", fail)
        problem(_rotate(folder))
    assert (folder / "out.jsonl.partial" / "done.json").exists()


def test_a_second_process_for_a_job_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a process runs the job, another process with `--resume` fails with one line."""
    pytest.importorskip("fcntl")
    said: list[str] = []
    original = file_rotation.work

    def watched(*arguments: Any) -> Iterator[Any]:
        if not said:
            said.append(problem(_rotate(folder, "--resume")))
        yield from original(*arguments)

    monkeypatch.setattr(file_rotation, "work", watched)
    assert _rotate(folder).exit_code == 1
    assert said == [f"another command is at work in {folder / 'out.jsonl.partial'}"]
    _check_all(folder)


def test_only_one_of_two_simultaneous_starts_gets_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other start fails with one line, and does not change the folder."""
    original = job_folder.lock

    def meanwhile(path: Path) -> int | None:
        monkeypatch.setattr(job_folder, "lock", original)
        (folder / "out.jsonl.partial").mkdir()
        (folder / "out.jsonl.partial" / "job.json").touch()
        return original(path)

    monkeypatch.setattr(job_folder, "lock", meanwhile)
    assert "out.jsonl.partial" in problem(_rotate(folder))
    assert (folder / "out.jsonl.partial" / "job.json").read_bytes() == b""


def test_unused_hidden_folders_are_removed(folder: Path) -> None:
    """A hidden folder of a killed command is removed, unless a process uses it."""
    hidden = [folder / f".out.jsonl.partial.{name}" for name in ("done-1", "new-1", "new-2")]
    begun, cut_off = (folder / f".out.jsonl.partial.{name}" for name in ("new-3", "new-4"))
    for path in (*hidden, begun, cut_off):
        path.mkdir()
    for path in (*hidden, begun):
        (path / "job.json").touch()
    pipe = folder / ".out.jsonl.partial.new-5"
    pipe.mkdir()
    os.mkfifo(pipe / "job.json")
    linked = folder / ".out.jsonl.partial.new-6"
    linked.mkdir()
    (linked / "job.json").symlink_to(folder / "in.jsonl")
    for path in (*hidden, cut_off, pipe, linked):
        # More than a minute old; a newer folder is possibly not locked yet.
        os.utime(path, (path.stat().st_mtime - 61,) * 2)
    held = lock(hidden[2] / "job.json")
    assert _rotate(folder).exit_code == 1
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
    # The owner of the file behind a link is unknown, so that folder stays.
    assert left == [f".out.jsonl.partial.new-{number}" for number in (2, 3, 6)]
    assert held is not None
    os.close(held)


def test_a_job_with_a_slow_start_is_not_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command that starts between any two steps does not remove the new job."""
    pytest.importorskip("fcntl")
    path = folder / "out.jsonl.partial"
    out, bad = folder / "out.jsonl", folder / "out.failed.jsonl"
    contents = result.TableResult(path, out, bad, Permissions.of(folder / "in.jsonl"))
    other = job_folder.JobFolder(path, contents)
    swept: list[str] = []

    def begin_meanwhile(name: str, original: Callable[..., Any], *arguments: Any) -> Any:
        if any(folder.glob(".out.jsonl.partial.new-*")):
            other._sweep()
            swept.append(name)
        return original(*arguments)

    monkeypatch.setattr(job_folder, "_A_WHILE", 0)
    for module, name in (
        (job_folder, "write_synced"),
        (result, "begin_journal"),
        (job_folder, "sync"),
        (job_folder, "sync_folder"),
    ):
        step = functools.partial(begin_meanwhile, name, getattr(module, name))
        monkeypatch.setattr(module, name, step)
    assert _rotate(folder).exit_code == 1
    assert swept == ["write_synced", "sync", "begin_journal", "sync_folder"]
    _check_all(folder)


def test_a_job_started_by_another_command_is_not_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later command fails with one line and leaves no file; the earlier job does not change."""
    begin_journal, earlier = result.begin_journal, folder / "out.jsonl.partial"

    def begin_after_another(new: Path) -> None:
        begin_journal(new)
        earlier.mkdir()
        (earlier / "job.json").write_bytes(b"of the other command")

    monkeypatch.setattr(result, "begin_journal", begin_after_another)
    ended = _rotate(folder)
    assert ended.exit_code == 2
    assert problem(ended).endswith("another command began this job at the same time")
    assert not list(folder.glob(".out.jsonl.partial.new-*"))
    assert [path.read_bytes() for path in earlier.iterdir()] == [b"of the other command"]


def test_a_job_succeeds_without_file_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job does not use `fcntl`, and removes no folder that is possibly in use."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    left = folder / ".out.jsonl.partial.new-1"
    left.mkdir()
    (left / "job.json").touch()
    os.utime(left, (left.stat().st_mtime - 61,) * 2)
    assert _rotate(folder).exit_code == 1
    _check_all(folder)
    assert (folder / ".out.jsonl.partial.new-1").exists()


def test_an_empty_file_of_another_process_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without hard links, only an empty file that the job itself created is replaced."""
    _without_links(monkeypatch)
    _interrupted(folder, monkeypatch, 13)
    (folder / "out.jsonl").touch()
    said = problem(_rotate(folder, "--resume"))
    assert said == f"{folder / 'out.jsonl'} exists already; use another output path"


def test_place_without_hard_links_keeps_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that appears at the target is not overwritten, even if it is empty."""
    _without_links(monkeypatch)
    original = os.link

    def meanwhile(new: Path, target: Path) -> None:
        try:
            original(new, target)
        finally:
            target.touch()

    monkeypatch.setattr(os, "link", meanwhile)
    new, target = tmp_path / "new", tmp_path / "target"
    new.write_bytes(b"data")
    with pytest.raises(FileExistsError):
        place(new, target)
    assert (new.read_bytes(), target.read_bytes()) == (b"data", b"")


@pytest.mark.parametrize("is_replaced", [True, False])
def test_an_interrupt_during_place_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    """Without hard links, an interrupt leaves no empty file and removes no complete file."""
    _without_links(monkeypatch)
    new, target = tmp_path / "new", tmp_path / "target"
    new.write_bytes(b"data")
    original = Path.replace

    def interrupted(*paths: Any) -> None:
        if is_replaced:
            original(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place(new, target)
    (left,) = tmp_path.iterdir()
    assert (left, left.read_bytes()) == (target if is_replaced else new, b"data")


def test_result_deleted_before_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result cannot be made again, so that one line reports this instead of success."""
    _leave_untold(folder, monkeypatch)
    (folder / "out.jsonl").unlink()
    partial = folder / "out.jsonl.partial"
    said = problem(_rotate(folder, "--resume"))
    assert (
        said == f"{folder / 'out.jsonl'} was written, and is gone: remove {partial} to begin again"
    )


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device", 2),
        (OSError("odd"), "odd", 2),
        (SystemExit(1), "Broken pipe", 141),
    ],
)
def test_a_failed_report_is_repeated_by_resume(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str, code: int
) -> None:
    """One line says that the result is complete; `--resume` shows its counts again."""

    def fail(*_: object, **__: object) -> None:
        raise error

    dry = ("rotate", folder / "in.jsonl", "-k", folder / "team.keys", "--destination", "orders")
    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.rotate.show_rotation", fail)
        said = problem(_rotate(folder), code)
        result = invoke(*dry, "--dry-run", "--keep-going")
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == ("" if code == 141 else f"kmscore: standard output: {reason}\n")
    out = folder / "out.jsonl"
    assert said == f"standard output: {reason}; {out} is complete, --resume tells its counts"
    names = {path.name for path in (folder / "out.jsonl.partial").iterdir()}
    assert names == {"job.json", "journal", "done.json"}, "and no row, which would take room"
    result = _rotate(folder, "--resume", "--json")
    assert (result.exit_code, json.loads(result.stdout)["rows"]) == (1, _ROWS)
    _check_all(folder)


def test_an_unexpected_error_is_reported_by_its_class(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line does not show the text of the error; exit code 1 is only for failed rows."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(file_rotation, "work", fail)
    assert problem(_rotate(folder)) == "an unexpected error: ZeroDivisionError"


def test_a_job_without_failures_writes_no_file_of_failed_rows(folder: Path) -> None:
    """The result is the only new file."""
    write_lines(folder / "good.jsonl", [{"ciphertext_blob": base64_of(seal(b"")), "tenant": None}])
    assert _rotate(folder, name="good.jsonl").exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"good.jsonl", "in.jsonl", "out.jsonl", "team.keys"}

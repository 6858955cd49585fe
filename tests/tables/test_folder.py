"""Folders of part files: names, partitions, failed rows, marks, interruptions, and rejections."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    NEW,
    OLD,
    base64_of,
    invoke,
    opened,
    problem,
    read_lines,
    seal,
    write_lines,
    write_ring,
)
from support.faults import Killed, break_at, full_disk, without_collector
from support.samples import sampled

from kmscore import Keyring
from kmscore.tables import (
    Columns,
    Options,
    TableError,
    file_rotation,
    folder_rotation,
    json_lines,
    permissions,
    rotate,
)
from kmscore.tables.folder import check_folder
from kmscore.tables.folder_result import FolderResult, Task
from kmscore.tables.worker_keys import WorkerKeys

_FILES = {
    "part-0.jsonl": ["acme", "acme"],
    "part-1.csv": ["acme"],
    "region=eu%20west/part-0.jsonl": ["acme", "umbrella"],
    "region=__HIVE_DEFAULT_PARTITION__/part-0.jsonl": ["acme"],
    "plain/part-0.jsonl": ["acme"],
}
NO_COLUMN = " (--blob-column); the columns are none"
_REGIONS = {"region=eu%20west/part-0.jsonl": "eu west"}


def _context(name: str, tenant: str) -> dict[str, str]:
    return {"tenant": tenant} | ({"region": _REGIONS[name]} if name in _REGIONS else {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring and a folder of part files."""
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    for name, tenants in _FILES.items():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"ciphertext_blob": base64_of(seal(b"text", _context(name, tenant))), "tenant": tenant}
            for tenant in tenants
        ]
        if path.suffix == ".csv":
            lines = [f"{row['ciphertext_blob']},{row['tenant']}" for row in rows]
            path.write_text("\n".join(["ciphertext_blob,tenant", *lines, ""]))
        else:
            write_lines(path, rows)
    (tmp_path / "in" / "_SUCCESS").touch()
    (tmp_path / "in" / "empty.csv").touch()
    (tmp_path / "in" / ".part-0.jsonl.crc").write_text("checksum")
    (tmp_path / "in" / "_metadata").mkdir()
    (tmp_path / "in" / "_metadata" / "part-0.jsonl").write_text("junk")
    (tmp_path / "in" / "readme.txt").write_text("words")
    return tmp_path


def _rotate(folder: Path, *options: str, columns: str = "tenant") -> Any:
    where = ("rotate", folder / "in", folder / "out", "-k", folder / "team.keys")
    return invoke(*where, "--destination", "orders", "--context-columns", columns, *options)


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _check(folder: Path) -> None:
    """Check that every file is there with every row under the new version."""
    out = folder / "out"
    assert _names(out) == {*_FILES, "empty.csv", "_SUCCESS"}
    for name, tenants in _FILES.items():
        path = out / name
        if path.suffix == ".csv":
            _, *lines = path.read_text().splitlines()
            rows = [dict(zip(("blob", "tenant"), line.split(","), strict=True)) for line in lines]
        else:
            rows = [row | {"blob": row["ciphertext_blob"]} for row in read_lines(path)]
        assert [row["tenant"] for row in rows] == tenants, name
        for row in rows:
            result = opened(row["blob"], _context(name, row["tenant"]))
            assert (result.key_version_id, result.plaintext) == ("2", b"text"), name
    assert (out / "empty.csv").read_bytes() == b""
    left = {path.name for path in folder.iterdir() if ".partial.done-" not in path.name}
    assert left == {"in", "out", "team.keys"}


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_keeps_its_names_and_its_mark(folder: Path, jobs: str) -> None:
    """Partitions are context columns; ignored and other files are not copied."""
    (folder / "in" / "plain").chmod(0o750)
    _add_region(folder)
    result = _rotate(folder, "--jobs", jobs, "--json", columns="tenant,region")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["rows"], report["rewritten"], report["failed"]) == (7, 7, {})
    assert report["other_files"] == ["readme.txt"]
    assert stat.S_IMODE((folder / "out" / "plain").stat().st_mode) == 0o750
    _check_region(folder)


def _add_region(folder: Path) -> None:
    """Give the files without a partition an empty `region`, which is left out of the context."""
    for name in ("part-0.jsonl", "plain/part-0.jsonl"):
        path = folder / "in" / name
        write_lines(path, [row | {"region": None} for row in read_lines(path)])
    path = folder / "in" / "part-1.csv"
    lines = path.read_text().splitlines()
    path.unlink()
    write_lines(
        path.with_suffix(".jsonl"),
        [
            dict(zip(("ciphertext_blob", "tenant"), line.split(","), strict=True))
            | {"region": None}
            for line in lines[1:]
        ],
    )


def _check_region(folder: Path) -> None:
    for name in _FILES:
        for row in read_lines((folder / "out" / name).with_suffix(".jsonl")):
            opened(row["ciphertext_blob"], _context(name, row["tenant"]))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_failed_rows_are_in_a_folder_that_engines_ignore(folder: Path, jobs: str) -> None:
    """They have the names of their files; folders without failed rows are not made."""
    result = _rotate(folder, "--jobs", jobs)
    assert result.exit_code == 1, result
    assert f"failed rows: {folder / 'out' / '_failed'}" in result.stdout
    assert "not copied: readme.txt" in result.stdout
    name = "region=eu%20west/part-0.jsonl"
    assert _names(folder / "out" / "_failed") == {name}
    failed = read_lines(folder / "out" / "_failed" / name)
    assert [row["kmscore_row"] for row in failed] == [1, 2]
    assert read_lines(folder / "out" / name) == []


def test_a_census_counts_a_folder(folder: Path) -> None:
    """The failed rows of a folder must be counted too before a version can be retired."""
    _rotate(folder)
    options = ("-k", folder / "team.keys", "--json")
    counted = json.loads(invoke("census", folder / "in", *options).stdout)
    assert [(row["key_version_id"], row["blobs"]) for row in counted["headers"]] == [("1", 7)]
    counted = json.loads(invoke("census", folder / "out", *options).stdout)
    assert counted["not_retirable_because"].startswith(f"{folder / 'out' / '_failed'} is there")
    both = (folder / "out", folder / "out" / "_failed")
    counted = json.loads(invoke("census", *both, *options).stdout)
    assert counted["not_retirable_because"] is None
    assert [row["blobs"] for row in counted["headers"]] == [2, 5]


def test_a_dry_run_of_a_folder_writes_nothing(folder: Path) -> None:
    """All rows are decrypted."""
    where = ("rotate", folder / "in", "-k", folder / "team.keys", "--destination", "orders")
    for jobs in ("1", "2"):
        result = invoke(
            *where, "--context-columns", "tenant", "--dry-run", "--jobs", jobs, "--json"
        )
        assert json.loads(result.stdout)["failed"] == {"decryption": 2}
    assert {path.name for path in folder.iterdir()} == {"in", "team.keys"}


@pytest.fixture
def _without_collector() -> Iterator[None]:
    """Count no steps of the garbage collector."""
    with without_collector():
        yield


def _leave_two_files(folder: Path) -> None:
    """Remove all other files, so that a job has fewer steps."""
    for name in _FILES.keys() - {"part-0.jsonl", "plain/part-0.jsonl"}:
        (folder / "in" / name).unlink()


@pytest.mark.usefixtures("_without_collector")
@pytest.mark.parametrize("error", sampled([Killed, full_disk], 2), ids=["killed", "full disk"])
def test_a_folder_that_fails_at_any_step_is_resumed(folder: Path, error: Any) -> None:
    """No row is lost or occurs twice, and the new folder has its name only when it is complete."""
    _leave_two_files(folder)
    for number in range(1, 199):
        with pytest.MonkeyPatch.context() as patch:
            steps = break_at(patch, number, error)
            try:
                result = _rotate(folder, "--json")
            except Killed:
                result = None
        if (folder / "out").exists():
            assert len(_names(folder / "out")) == 4
        if result is not None and result.exit_code == 0 and len(steps) < number:
            break
        partial = folder / "out.partial"
        if result is not None and result.exit_code == 2:
            hint = "; --resume finishes the job" if partial.exists() else ""
            assert problem(result).endswith(f": No space left on device{hint}")
        if not (folder / "out").exists() or partial.exists():
            again = _rotate(folder, "--resume", "--json")
            assert json.loads(again.stdout)["rows"] == 3
        for name in ("part-0.jsonl", "plain/part-0.jsonl"):
            found = [row["tenant"] for row in read_lines(folder / "out" / name)]
            assert found == _FILES[name], (number, name)
        _remove(folder / "out")
    assert number > 30


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def _interrupt(folder: Path, files: int) -> None:
    """Start a job that is killed after some files."""
    done: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        original = file_rotation.TableResult.finish

        def finish(result: file_rotation.TableResult) -> object:
            if len(done) == files:
                raise Killed
            done.append(result)
            return original(result)

        patch.setattr(file_rotation.TableResult, "finish", finish)
        with pytest.raises(Killed):
            _rotate(folder)


def test_an_unfinished_folder_requires_resume(folder: Path) -> None:
    """Finished files are not rotated again, and are counted."""
    _interrupt(folder, 2)
    assert problem(_rotate(folder)).endswith("an unfinished job; --resume finishes the job")
    before = (folder / "out.partial" / "data" / "part-0.jsonl").read_bytes()
    result = _rotate(folder, "--resume", "--json", "--keep-going")
    report = json.loads(result.stdout)
    assert (report["rows"], report["resumed"]) == (7, 4)
    assert (folder / "out" / "part-0.jsonl").read_bytes() == before


@pytest.mark.parametrize("change", ["time", "gone"])
def test_a_finished_file_that_changed_is_rejected(folder: Path, change: str) -> None:
    """The new folder would have rows of two states of the input."""
    _interrupt(folder, 2)
    path = folder / "in" / "part-0.jsonl"
    os.utime(path, (1, 1)) if change == "time" else path.unlink()
    said = problem(_rotate(folder, "--resume"))
    assert said.startswith(f"{path} was changed after it was rotated: remove ")


def test_other_options_are_rejected_by_resume(folder: Path) -> None:
    """The names of the differing option are shown."""
    _interrupt(folder, 2)
    said = problem(_rotate(folder, "--resume", "--again"))
    assert said.endswith(
        "belongs to a different job: skip current was True, and is False; give the same options, or"
        " remove out.partial and start again"
    )
    (folder / "out.partial" / "journal").write_text("{}\n")
    assert problem(_rotate(folder, "--resume")).endswith("holds no job: remove it")


def test_a_file_that_is_added_during_the_job_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new folder would lack it."""
    original = file_rotation.TableResult.finish

    def finish(result: file_rotation.TableResult) -> object:
        (folder / "in" / "late.jsonl").write_text("{}\n")
        return original(result)

    monkeypatch.setattr(file_rotation.TableResult, "finish", finish)
    said = problem(_rotate(folder))
    assert said == f"{folder / 'in'}/late.jsonl: no column 'ciphertext_blob' in line 1" + NO_COLUMN
    (folder / "in" / "late.jsonl").write_text("")
    _remove(folder / "out.partial")
    monkeypatch.setattr(
        file_rotation.TableResult, "finish", lambda result: _touch(folder) or original(result)
    )
    assert problem(_rotate(folder)) == f"{folder / 'in'} was changed while it was read; start again"


def _touch(folder: Path) -> None:
    os.utime(folder / "in" / "part-0.jsonl", (1, 1))


def test_a_folder_whose_first_rows_all_fail_is_not_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is that of the file, and nothing is left behind."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 1)
    result = _rotate(folder, columns="ciphertext_blob")
    assert "part-0.jsonl: all of the first 1 rows fail" in problem(result)
    assert {path.name for path in folder.iterdir()} == {"in", "team.keys"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            lambda folder: (folder / "out").mkdir(),
            "{folder}/out exists already; use another output path",
            id="existing folder",
        ),
        pytest.param(
            lambda folder: (folder / "in" / "link").symlink_to(folder / "in" / "plain"),
            "{folder}/in/link: a link to a folder; give the folder itself",
            id="link",
        ),
        pytest.param(
            lambda folder: (folder / "in" / "plain" / "bad.jsonl").write_text("{}\n"),
            "{folder}/in/plain/bad.jsonl: no column 'ciphertext_blob' in line 1" + NO_COLUMN,
            id="file without the column",
        ),
        pytest.param(
            lambda folder: (folder / "in" / "plain").rename(folder / "in" / "tenant=acme"),
            "{folder}/in/tenant=acme/part-0.jsonl: 'tenant' is a column and also a partition"
            " in the path",
            id="partition of a column",
        ),
    ],
)
def test_an_unusable_folder_is_rejected(folder: Path, change: Any, reason: str) -> None:
    """One line says why, and nothing is written."""
    change(folder)
    before = _names(folder)
    assert problem(_rotate(folder)) == reason.format(folder=folder)
    assert _names(folder) == before


def test_the_counts_of_a_complete_folder_are_repeated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the report failed, `--resume` shows it again; a missing folder is reported."""

    def fail(*_: object, **__: object) -> None:
        raise full_disk()

    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.rotate.show_rotation", fail)
        assert "is complete, --resume tells its counts" in problem(_rotate(folder))
    (folder / "out").rename(folder / "elsewhere")
    assert "was written, and is gone: remove" in problem(_rotate(folder, "--resume"))
    (folder / "elsewhere").rename(folder / "out")
    done = folder / "out.partial" / "done.json"
    counts = done.read_bytes()
    done.write_text("junk")
    assert problem(_rotate(folder, "--resume")).startswith(f"{done} is damaged: remove ")
    done.write_bytes(counts)
    assert json.loads(_rotate(folder, "--resume", "--json").stdout)["rows"] == 7
    assert not (folder / "out.partial").exists()


def test_the_progress_of_a_folder_never_decreases(folder: Path) -> None:
    """It counts the rows of this call, and ends at 1."""
    seen: list[tuple[float, int]] = []
    options = Options(destination_key_id="orders", columns=Columns(contexts=("tenant",)))
    report = rotate(
        *(folder / "in", folder / "out", Keyring([OLD, NEW]), options),
        on_progress=lambda now: seen.append((now.fraction, now.rows)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (1.0, report.rows)
    assert not (folder / "out.partial").exists()


def test_a_folder_without_mark_and_without_progress(folder: Path) -> None:
    """The new folder has no mark either, and no callback is needed."""
    (folder / "in" / "_SUCCESS").unlink()
    options = Options(destination_key_id="orders", columns=Columns(contexts=("tenant",)))
    report = rotate(folder / "in", folder / "out", Keyring([OLD, NEW]), options)
    assert report.rows == 7
    assert not (folder / "out" / "_SUCCESS").exists()


def test_a_resumed_folder_is_kept_if_all_first_rows_fail(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The finished files could be needed."""
    with monkeypatch.context() as patch:
        break_at(patch, 8, Killed)
        with pytest.raises(Killed):
            _rotate(folder, columns="ciphertext_blob")
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 1)
    said = problem(_rotate(folder, "--resume", columns="ciphertext_blob"))
    assert "all of the first 1 rows fail" in said
    assert (folder / "out.partial").exists()


def test_a_worker_rotates_whole_files(folder: Path) -> None:
    """The function that a worker process runs returns the counts of a file."""
    job = folder_rotation._Job(
        Options(destination_key_id="orders", columns=Columns(contexts=("tenant",))),
        is_dry_run=True,
    )
    perform = folder_rotation._begin(job, WorkerKeys.of(Keyring([OLD, NEW])))
    parts, _, _ = check_folder(folder / "in", job.options.columns)
    rows = {}
    for part in parts:
        files = file_rotation.Files(folder / "in" / part.name, Path(), Path())
        task = Task(part, files)
        same, done = perform(task)
        assert same is task
        rows[part.name] = done.counts.total()
    assert rows == {name: len(tenants) for name, tenants in _FILES.items()} | {"empty.csv": 0}


def test_a_system_error_of_the_input_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be listed gives one line."""

    def fail(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(folder / "in"))

    monkeypatch.setattr(Path, "iterdir", fail)
    options = Options(destination_key_id="orders")
    with pytest.raises(TableError, match="in: Permission denied"):
        rotate(folder / "in", folder / "out", Keyring([OLD, NEW]), options)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can choose another group")
def test_a_new_folder_has_the_group_of_the_old_one(folder: Path) -> None:
    """The names of partitions are visible to those who could see them before."""
    for path in (folder / "in", folder / "in" / "plain"):
        os.chown(path, -1, 1234)
        path.chmod(0o2750)
    assert _rotate(folder).exit_code == 1
    for path in (folder / "out", folder / "out" / "plain"):
        status = path.stat()
        assert (status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 0o2750), path


def test_a_new_folder_without_the_group_is_closed_to_groups(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the group cannot be set, or an access list says more, no group may look inside."""
    (folder / "in").chmod(0o775)

    def fail(*_: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(permissions, "_has_access_list", lambda path: path == folder / "in")
        assert _rotate(folder).exit_code == 1
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o705
    if os.geteuid() == 0:
        os.chown(folder / "in", -1, 1234)
        monkeypatch.setattr(os, "chown", fail)
        (folder / "out").rename(folder / "before")
        assert _rotate(folder).exit_code == 1
        assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o705


def test_constants_hold_in_a_folder_too(tmp_path: Path) -> None:
    """Pairs that are the same for all rows are added to those of partitions."""
    context = {"tenant": "acme", "region": "eu", "stage": "test"}
    rows = [{"ciphertext_blob": base64_of(seal(b"text", context)), "tenant": "acme"}]
    (tmp_path / "in" / "region=eu").mkdir(parents=True)
    write_lines(tmp_path / "in" / "region=eu" / "a.jsonl", rows)
    columns = Columns(contexts=("tenant", "region"), constants=(("stage", "test"),))
    options = Options(destination_key_id="orders", columns=columns)
    report = rotate(tmp_path / "in", tmp_path / "out", Keyring([OLD, NEW]), options)
    assert (report.rewritten, report.failed) == (1, {})


def test_the_folder_of_a_job_among_the_files_is_rejected(folder: Path) -> None:
    """Its name is that of the job of a part, whose folder is removed when the part is finished."""
    (folder / "in" / "part-1.csv.partial").mkdir()
    rows = [{"ciphertext_blob": base64_of(seal(b"text", {"tenant": "acme"})), "tenant": "acme"}]
    write_lines(folder / "in" / "part-1.csv.partial" / "b.jsonl", rows)
    for options in ((), ("--jobs", "2")):
        said = problem(_rotate(folder, *options))
        name = folder / "in" / "part-1.csv.partial"
        assert said == f"{name}: the folder of an unfinished job; finish it, or remove it"
    assert not (folder / "out").exists()


def test_a_finished_file_that_is_gone_is_noticed(folder: Path) -> None:
    """A new folder without it would lose its rows."""
    _interrupt(folder, 2)
    path = folder / "out.partial" / "data" / "part-0.jsonl"
    path.unlink()
    said = problem(_rotate(folder, "--resume", "--keep-going"))
    assert said.startswith(f"{path} was written, and is gone: remove ")
    assert not (folder / "out").exists()


def test_a_finished_file_that_changed_with_its_time_set_back_is_noticed(folder: Path) -> None:
    """The content decides, so another mode of the file alone has no effect."""
    _interrupt(folder, 2)
    path = folder / "in" / "part-0.jsonl"
    status, content = path.stat(), path.read_bytes()
    path.chmod(0o640)
    path.write_bytes(content.replace(b"acme", b"ACME"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    said = problem(_rotate(folder, "--resume"))
    assert said.startswith(f"{path} was changed after it was rotated: remove ")
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert json.loads(_rotate(folder, "--resume", "--json", "--keep-going").stdout)["rows"] == 7


@pytest.mark.parametrize("change", ["content", "another file", "mode"])
def test_a_change_during_the_job_is_noticed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Also if it comes after the file was finished, with its time set back."""
    path, commit = folder / "in" / "part-0.jsonl", FolderResult.commit

    def changing(result: Any, task: Any, done: Any) -> None:
        commit(result, task, done)
        if task.part.name != "part-0.jsonl":
            return
        status = path.stat()
        if change == "content":
            path.write_bytes(path.read_bytes().replace(b"acme", b"ACME"))
        elif change == "mode":
            path.chmod(0o640)
        else:
            (folder / "in" / "more.txt").touch()
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    monkeypatch.setattr(FolderResult, "commit", changing)
    result = _rotate(folder)
    if change == "mode":
        assert result.exit_code == 1, result.output
    else:
        assert problem(result) == f"{folder / 'in'} was changed while it was read; start again"


def test_a_pipe_among_the_files_is_rejected(folder: Path) -> None:
    """It has no size, as an empty table has none."""
    os.mkfifo(folder / "in" / "pipe.csv")
    said = problem(_rotate(folder))
    assert said == (
        f"{folder / 'in' / 'pipe.csv'}: not a regular file; a table is read more than once"
    )


def test_too_many_folders_in_each_other_are_rejected(tmp_path: Path) -> None:
    """One line, and no error of recursion."""
    deep = tmp_path / "in" / Path(*["d"] * 101)
    deep.mkdir(parents=True)
    (deep / "a.csv").touch()
    options = Options(destination_key_id="orders", columns=Columns())
    with pytest.raises(TableError, match="more than 100 folders, one in the other"):
        rotate(tmp_path / "in", tmp_path / "out", Keyring([OLD, NEW]), options)

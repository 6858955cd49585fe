"""A rotation that is interrupted: what is left, what takes it up, and what is refused."""

import csv
import errno
import functools
import gc
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_support import (
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

from kmscore import Keyring, KeySpec, SymmetricKey
from kmscore.cli import rotate
from kmscore.cli.disk import place
from kmscore.cli.permissions import Permissions
from kmscore.cli.problems import FileProblem
from kmscore.cli.rotation import (
    comma_separated,
    job_folder,
    journal,
    json_lines,
    parquet_file,
    whole_table,
)
from kmscore.cli.rotation.lock import lock
from kmscore.cli.sealed_keyring import Sealed

_ROWS = 9


class Killed(BaseException):
    """Stands for the end of the process: nothing that it was to do is done any more."""


@pytest.fixture
def _without_collector() -> Iterator[None]:
    """Keep what others have left from being cleared away, by the same steps, meanwhile."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a keyring and a table, which has three parts."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 3)
    monkeypatch.setattr(journal, "_AT_ONCE", 2)
    # The KDF takes most of the time, and is the same each time.
    monkeypatch.setattr(Sealed, "open", functools.cache(Sealed.open))
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
    """Check that every good row is there once, and the bad one in a file of its own."""
    rows = read_lines(folder / "out.jsonl")
    (failed,) = read_lines(folder / "out.failed.jsonl")
    assert (failed["kmscore_row"], failed["kmscore_error"]) == (5, "invalid_blob")
    assert [row["id"] for row in rows] == [0, 1, 2, 3, 5, 6, 7, 8]
    for row in rows:
        result = opened(row["ciphertext_blob"], {"tenant": row["tenant"]})
        assert (result.key_version_id, result.plaintext) == ("2", b"%d" % row["id"])
    assert not any(path.name.endswith(".partial") for path in folder.iterdir())


_STEPS = ("fsync", "link", "rename", "replace", "mkdir", "truncate", "unlink")


def _break_at(monkeypatch: pytest.MonkeyPatch, number: int, error: Callable[[], Any]) -> list[str]:
    """Have the step of that number fail, and if the process dies of it, all after it."""
    steps: list[str] = []

    def watch(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:
            steps.append(name)
            due = len(steps) >= number if error is Killed else len(steps) == number
            if due:
                raise error()
            return original(*arguments, **options)

        return step

    for name in _STEPS:
        monkeypatch.setattr(os, name, watch(name, getattr(os, name)))
    monkeypatch.setattr(shutil, "rmtree", watch("rmtree", shutil.rmtree))
    return steps


def _full_disk() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def _without_links(patch: pytest.MonkeyPatch) -> None:
    """Have no hard links, as a system says it: of a name that is taken it says only that."""

    def refuse(_: object, target: Path) -> None:
        code = errno.EEXIST if os.path.lexists(target) else errno.EPERM
        raise OSError(code, os.strerror(code))

    patch.setattr(os, "link", refuse)


@pytest.mark.parametrize("is_slow", [False, True])
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.usefixtures("_without_collector")
def test_a_process_that_dies_at_any_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch, links: bool, is_slow: bool
) -> None:
    """The same command with --resume ends with every row once; the input is never touched.

    Its exit code and its counts are those of the whole job, unless they had been told already. On a
    slow machine, a run also removes what an earlier one left, by the same steps.
    """
    if not links:
        _without_links(monkeypatch)
    before = (folder / "in.jsonl").read_bytes()
    for number in range(1, 99):
        with pytest.MonkeyPatch.context() as patch:
            told = _watch_reports(patch)
            _break_at(patch, number, Killed)
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
            assert problem(result).endswith("is there already, and is left alone")
        else:
            assert result.exit_code == 1
            assert json.loads(result.stdout)["rows"] == _ROWS
        _check_all(folder)
        for path in ("out.jsonl", "out.failed.jsonl"):
            (folder / path).unlink()
    assert number > 20
    _check_all(folder)


def _watch_reports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the numbers of rows that are reported from now on."""
    told: list[int] = []
    original = rotate.show_rotation

    def show(report: whole_table.Report, **options: Any) -> None:
        original(report, **options)
        told.append(report.rows)

    monkeypatch.setattr(rotate, "show_rotation", show)
    return told


def _is_named(folder: Path) -> bool:
    return (folder / "out.jsonl").exists()


def _check_whole(folder: Path) -> None:
    """Check that what has its name already is whole."""
    assert len(read_lines(folder / "out.jsonl")) == _ROWS - 1
    assert (folder / "out.failed.jsonl").exists()


@pytest.mark.parametrize("is_slow", [False, True])
@pytest.mark.usefixtures("_without_collector")
def test_a_disk_that_is_full_at_any_step(folder: Path, is_slow: bool) -> None:
    """One line and exit code 2; the input is untouched, and --resume ends with every row once."""
    before = (folder / "in.jsonl").read_bytes()
    for number in range(1, 99):
        with pytest.MonkeyPatch.context() as patch:
            steps = _break_at(patch, number, _full_disk)
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
            # Clearing away is no part of the job.
            assert steps[number - 1] in {"rmtree", "rename", "unlink"}
            if (folder / "out.jsonl.partial").exists():
                assert _rotate(folder, "--resume").exit_code == 1
        _check_all(folder)
        for path in ("out.jsonl", "out.failed.jsonl"):
            (folder / path).unlink()
    assert number > 20


def _interrupted(folder: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Leave a job unfinished."""
    with monkeypatch.context() as patch:
        _break_at(patch, number, Killed)
        with pytest.raises(Killed):
            _rotate(folder)
    assert (folder / "out.jsonl.partial").is_dir()


def _watch(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that tells which parts are done from now on."""
    done: list[int] = []
    original = whole_table.work

    def watched(*arguments: Any) -> Iterator[Any]:
        for each in original(*arguments):
            done.append(each.number)
            yield each

    monkeypatch.setattr(whole_table, "work", watched)
    return done


def test_what_is_whole_is_not_done_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts that the journal names are taken as they are, their counts too."""
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
def test_a_part_that_was_changed_is_done_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, damage: Any, again: list[int]
) -> None:
    """Whatever the disk or another process has made of it; the others stay."""
    _interrupted(folder, monkeypatch, 13)
    damage(sorted((folder / "out.jsonl.partial").glob("0000000[01].*.good")))
    done = _watch(monkeypatch)
    result = _rotate(folder, "--resume", "--json")
    assert done == again
    assert json.loads(result.stdout)["rows"] == _ROWS
    _check_all(folder)


def test_a_line_of_the_journal_that_was_cut_off(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says nothing, and the part is done again; strays of the run that died are removed."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    stray = partial / "00000004.dead0000.good"
    stray.write_bytes(b"stray")
    with (partial / "journal").open("ab") as file:
        file.write(b'[4, "dead0000", {"rewr')
    seen: list[bool] = []
    original = whole_table.work

    def watched(*arguments: Any) -> Iterator[Any]:
        seen.append(stray.exists())
        yield from original(*arguments)

    monkeypatch.setattr(whole_table, "work", watched)
    assert _rotate(folder, "--resume").exit_code == 1
    assert seen == [False]
    _check_all(folder)


def test_a_line_that_was_cut_off_is_no_part_of_the_next_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a resumed job writes to the journal can be read by the one after it."""
    _interrupted(folder, monkeypatch, 13)
    with (folder / "out.jsonl.partial" / "journal").open("ab") as file:
        file.write(b'[4, "dead0000", {"rewr')
    with monkeypatch.context() as patch:
        patch.setattr(whole_table, "_check_unchanged", _fail)
        assert problem(_rotate(folder, "--resume")) == "not yet"
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def _fail(*_: object) -> None:
    raise FileProblem("not yet")


def test_resume_without_a_job_begins_one(folder: Path) -> None:
    """So the command with --resume is right after an interruption at any moment."""
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def test_an_unfinished_job_is_not_begun_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --resume it is left alone, and the line says what to do."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    before = sorted(partial.iterdir())
    said = problem(_rotate(folder))
    assert said == f"{partial} is there: an unfinished job; finish it with --resume, or remove it"
    assert sorted(partial.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda folder: (folder / "in.jsonl").write_text("{}\n"), "input size"),
        (lambda folder: os.utime(folder / "in.jsonl", (1, 1)), "input time"),
        (
            lambda folder: write_ring(folder / "team.keys", Keyring([OLD, NEW, _newest()])),
            "destination",
        ),
        ("--again", "skip current"),
        ("--upgrade-only", "upgrade only"),
        ("--blob-column=tenant", "columns"),
    ],
)
def test_another_job_is_not_taken_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Any, name: str
) -> None:
    """Another input, destination or option: one line says what differs, and nothing changes."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    before = {path: path.read_bytes() for path in partial.iterdir()}
    options = [change] if isinstance(change, str) else []
    if not isinstance(change, str):
        change(folder)
    if name == "input size":
        write_lines(folder / "in.jsonl", sealed_rows(1))
    said = problem(_rotate(folder, "--resume", *options))
    assert said.startswith(f"{partial} is of another job: {name} was ")
    assert {path: path.read_bytes() for path in partial.iterdir()} == before


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("change", ["reversed", "shorter"])
def test_other_rows_of_the_same_size_and_time_are_not_mixed_with_these(
    folder: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, change: str
) -> None:
    """Size and time are not all of an input: one line, and the right one is still taken up."""
    for module in (comma_separated, parquet_file):
        monkeypatch.setattr(module, "CHUNK_ROWS", 3)
    name, out = f"rows{suffix}", folder / f"out{suffix}"
    rows = sealed_rows(_ROWS)
    _write_table(folder / name, rows)
    whole = (folder / name).read_bytes()
    with monkeypatch.context() as patch:
        _break_at(patch, 13, Killed)
        with pytest.raises(Killed):
            _rotate(folder, name=name, out=out.name)
    status = (folder / name).stat()
    _write_table(folder / name, rows[::-1] if change == "reversed" else rows[:3])
    if (folder / name).stat().st_size != len(whole):
        # As long as it was, whatever a format makes of it.
        monkeypatch.setattr(
            whole_table, "_identity", functools.partial(_as_before, status, whole_table._identity)
        )
        monkeypatch.setattr(whole_table, "_check_unchanged", lambda *_: None)
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
    """Write rows in the format that the name says."""
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
    """Read rows in the format that the name says."""
    if path.suffix == ".jsonl":
        return read_lines(path)
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [row | {"id": int(row["id"])} for row in csv.DictReader(file)]
    table: list[Any] = parquet_file.load_arrow()[1].ParquetFile(path).read().to_pylist()
    return table


def test_nothing_is_counted_before_the_earlier_parts_are_compared(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that was filled from another input would keep the right one from being taken up."""
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
def test_another_keyring_with_the_same_ids(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sealed: str | None
) -> None:
    """Rows under two keys are not mixed in one result: one line, and nothing changes."""
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
        f"{partial} is of another keyring: its destination version has the same ID and another key"
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


def test_a_result_that_appears_meanwhile_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written over at the end either; once it is out of the way, --resume goes on."""
    _interrupted(folder, monkeypatch, 13)
    (folder / "out.jsonl").write_text("another's")
    said = problem(_rotate(folder, "--resume"))
    assert said == f"{folder / 'out.jsonl'} is there already, and is left alone"
    assert (folder / "out.jsonl").read_text() == "another's"
    (folder / "out.jsonl").unlink()
    assert _rotate(folder, "--resume").exit_code == 1
    _check_all(folder)


def test_an_input_that_changes_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of two states of a table are not mixed: there is no result."""
    original = whole_table.work

    def watched(*arguments: Any) -> Iterator[Any]:
        yield from original(*arguments)
        os.utime(folder / "in.jsonl", (1, 1))

    monkeypatch.setattr(whole_table, "work", watched)
    said = problem(_rotate(folder))
    assert said == f"{folder / 'in.jsonl'} has been changed while it was read; start again"
    assert not (folder / "out.jsonl").exists()


@pytest.mark.parametrize("spoil", ["empty", "file", "junk", "no journal"])
def test_what_is_no_job(folder: Path, monkeypatch: pytest.MonkeyPatch, spoil: str) -> None:
    """A folder or file of that name that holds none is told as such, and left alone."""
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
def test_a_line_of_the_journal_that_is_no_part(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Nothing can be said of a folder with such a one, valid JSON or not; it is left alone."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    with (partial / "journal").open("a") as file:
        file.write(line + "\n")
    before = {path: path.read_bytes() for path in partial.iterdir()}
    assert problem(_rotate(folder, "--resume")) == f"{partial} holds no job: remove it"
    assert {path: path.read_bytes() for path in partial.iterdir()} == before


_NO_JOBS = ["[]", "7", "null", '"check"', "{}", '{"check": 7}', '{"check": "\\u00e4"}', _DEEP]


@pytest.mark.parametrize("text", _NO_JOBS, ids=[text[:20] for text in _NO_JOBS])
def test_a_job_that_is_of_another_shape(
    folder: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """What is valid JSON and no job is told as such, too."""
    _interrupted(folder, monkeypatch, 13)
    partial = folder / "out.jsonl.partial"
    (partial / "job.json").write_text(text)
    assert problem(_rotate(folder, "--resume")) == f"{partial} holds no job: remove it"


_NO_COUNTS = ["", "{", "7", "[]", '{"rewritten": "8"}', '{"rewritten": true}', _DEEP]


@pytest.mark.parametrize("text", _NO_COUNTS, ids=[text[:20] for text in _NO_COUNTS])
def test_counts_that_are_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """One line names their file, and says what to do; the result has its name and stays."""
    _leave_untold(folder, monkeypatch)
    partial = folder / "out.jsonl.partial"
    (partial / "done.json").write_text(text)
    assert problem(_rotate(folder, "--resume")) == (
        f"{partial / 'done.json'} is damaged:"
        f" remove {partial}, and begin again if the result is missing"
    )
    shutil.rmtree(partial)
    _check_all(folder)


def _leave_untold(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a job that is done, but of which nobody has been told."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.rotate.show_rotation", refuse)
        problem(_rotate(folder))
    assert (folder / "out.jsonl.partial" / "done.json").exists()


def test_two_at_once_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is at work, another one with --resume ends in one line."""
    pytest.importorskip("fcntl")
    said: list[str] = []
    original = whole_table.work

    def watched(*arguments: Any) -> Iterator[Any]:
        if not said:
            said.append(problem(_rotate(folder, "--resume")))
        yield from original(*arguments)

    monkeypatch.setattr(whole_table, "work", watched)
    assert _rotate(folder).exit_code == 1
    assert said == [f"another command is at work in {folder / 'out.jsonl.partial'}"]
    _check_all(folder)


def test_two_that_begin_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only one gets the folder: the other one ends in one line."""
    original = job_folder.lock

    def meanwhile(path: Path) -> int | None:
        monkeypatch.setattr(job_folder, "lock", original)
        (folder / "out.jsonl.partial").mkdir()
        (folder / "out.jsonl.partial" / "job.json").touch()
        return original(path)

    monkeypatch.setattr(job_folder, "lock", meanwhile)
    assert "out.jsonl.partial" in problem(_rotate(folder))
    assert (folder / "out.jsonl.partial" / "job.json").read_bytes() == b""


def test_leftovers_are_cleared_away_unless_somebody_is_at_work_there(folder: Path) -> None:
    """A kill at the begin or the end leaves a hidden folder, which the next one removes."""
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
        # A minute ago; what has just been made may not have been locked yet.
        os.utime(path, (path.stat().st_mtime - 61,) * 2)
    held = lock(hidden[2] / "job.json")
    assert _rotate(folder).exit_code == 1
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
    # Of a link nobody knows whose file is behind it.
    assert left == [f".out.jsonl.partial.new-{number}" for number in (2, 3, 6)]
    assert held is not None
    os.close(held)


def test_a_job_that_takes_long_to_begin_is_not_cleared_away(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between any two steps more than a minute may go by, in which other commands begin."""
    pytest.importorskip("fcntl")
    out, bad = folder / "out.jsonl", folder / "out.failed.jsonl"
    other = job_folder.JobFolder(out, bad, Permissions.of(folder / "in.jsonl"))
    swept: list[str] = []

    def begin_meanwhile(name: str, original: Callable[..., Any], *arguments: Any) -> Any:
        if any(folder.glob(".out.jsonl.partial.new-*")):
            other._sweep()
            swept.append(name)
        return original(*arguments)

    monkeypatch.setattr(job_folder, "_A_WHILE", 0)
    for name in ("_write", "begin_journal", "sync", "sync_folder"):
        step = functools.partial(begin_meanwhile, name, getattr(job_folder, name))
        monkeypatch.setattr(job_folder, name, step)
    assert _rotate(folder).exit_code == 1
    assert swept == ["_write", "sync", "begin_journal", "sync_folder"]
    _check_all(folder)


def test_two_commands_that_begin_one_job_at_the_same_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The later one says so in one line, leaves nothing behind, and the earlier one as it is."""
    begin_journal, earlier = job_folder.begin_journal, folder / "out.jsonl.partial"

    def begin_after_another(new: Path) -> None:
        begin_journal(new)
        earlier.mkdir()
        (earlier / "job.json").write_bytes(b"of the other command")

    monkeypatch.setattr(job_folder, "begin_journal", begin_after_another)
    result = _rotate(folder)
    assert result.exit_code == 2
    assert problem(result).endswith("another command began this job at the same time")
    assert not list(folder.glob(".out.jsonl.partial.new-*"))
    assert [path.read_bytes() for path in earlier.iterdir()] == [b"of the other command"]


def test_where_there_are_no_locks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the job works all the same, and removes nothing that may be in use."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    left = folder / ".out.jsonl.partial.new-1"
    left.mkdir()
    (left / "job.json").touch()
    os.utime(left, (left.stat().st_mtime - 61,) * 2)
    assert _rotate(folder).exit_code == 1
    _check_all(folder)
    assert (folder / ".out.jsonl.partial.new-1").exists()


def test_an_empty_file_that_is_not_ours_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what a job has begun to name is replaced, where there are no links either."""
    _without_links(monkeypatch)
    _interrupted(folder, monkeypatch, 13)
    (folder / "out.jsonl").touch()
    said = problem(_rotate(folder, "--resume"))
    assert said == f"{folder / 'out.jsonl'} is there already, and is left alone"


def test_a_file_that_appears_where_there_are_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left alone even if there is nothing in it."""
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
def test_an_interrupt_while_a_result_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    """Where there are no links, it leaves no empty file, and does not remove a whole one."""
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


def test_a_result_that_is_gone_before_it_was_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing left to make it from: one line says so, and nobody is told of success."""
    _leave_untold(folder, monkeypatch)
    (folder / "out.jsonl").unlink()
    partial = folder / "out.jsonl.partial"
    said = problem(_rotate(folder, "--resume"))
    assert (
        said == f"{folder / 'out.jsonl'} was written, and is gone: remove {partial} to begin again"
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
        (SystemExit(1), "Broken pipe"),
    ],
)
def test_a_report_that_cannot_be_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, reason: str
) -> None:
    """One line says that, and that the result is complete; --resume tells the counts again."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    dry = ("rotate", folder / "in.jsonl", "-k", folder / "team.keys", "--destination", "orders")
    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.rotate.show_rotation", refuse)
        said = problem(_rotate(folder))
        assert problem(invoke(*dry, "--dry-run")) == f"standard output: {reason}"
    out = folder / "out.jsonl"
    assert said == f"standard output: {reason}; {out} is complete, --resume tells its counts"
    names = {path.name for path in (folder / "out.jsonl.partial").iterdir()}
    assert names == {"job.json", "journal", "done.json"}, "and no row, which would take room"
    result = _rotate(folder, "--resume", "--json")
    assert (result.exit_code, json.loads(result.stdout)["rows"]) == (1, _ROWS)
    _check_all(folder)


def test_an_error_that_nobody_foresaw(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names its class and nothing of what it holds; exit code 1 is for failed rows."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(whole_table, "work", fail)
    assert problem(_rotate(folder)) == "an error that was not foreseen: ZeroDivisionError"


def test_one_without_failures_leaves_no_file_of_them(folder: Path) -> None:
    """There is nothing but the result."""
    write_lines(folder / "good.jsonl", [{"ciphertext_blob": base64_of(seal(b"")), "tenant": None}])
    assert _rotate(folder, name="good.jsonl").exit_code == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"good.jsonl", "in.jsonl", "out.jsonl", "team.keys"}

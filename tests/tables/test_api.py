"""The functions of `kmscore.tables` in a program: arguments, results, and progress."""

import json
import threading
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from support.commands import NEW, OLD, sealed_rows, write_lines
from support.strategies import Store, raises_exactly

from kmscore import Keyring, UnsupportedAlgorithmError, alibaba, bulk, tables
from kmscore.cli.rotation_report import show_rotation
from kmscore.tables import crew, file_rotation, json_lines
from kmscore.tables.options import identity_of

OPTIONS = tables.Options(destination_key_id="orders", columns=tables.Columns(contexts=("tenant",)))
KEYS = Keyring([OLD, NEW])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a table of nine rows."""
    write_lines(tmp_path / "in.jsonl", sealed_rows(9))
    return tmp_path


def test_a_rotation_and_a_census_in_a_program(folder: Path) -> None:
    """Without callbacks; the folder of the job is removed."""
    report = tables.rotate(folder / "in.jsonl", folder / "out.jsonl", KEYS, OPTIONS)
    assert report[:4] == (9, 9, 0, {})
    assert (report.out, report.failed_rows) == (folder / "out.jsonl", None)
    assert {path.name for path in folder.iterdir()} == {"in.jsonl", "out.jsonl"}
    counted = tables.census([folder / "out.jsonl"])
    assert [header.key_version_id for header in counted.census.headers] == ["2"]
    retirement = tables.retirable_versions(KEYS, counted, [folder / "out.jsonl"])
    assert [version.key_version_id for version in retirement.versions] == ["1"]


def test_a_provider_of_your_own_is_accepted_for_one_process(folder: Path) -> None:
    """Worker processes need a keyring, because keys cannot be pickled."""
    store = Store(KEYS)
    report = tables.rotate(folder / "in.jsonl", None, store, OPTIONS)
    assert (report.rewritten, report.out) == (9, None)
    with raises_exactly(TypeError, "keys must be Keyring"):
        tables.rotate(folder / "in.jsonl", None, store, OPTIONS, jobs=2)


def test_a_kept_job_is_reported_again_until_it_is_forgotten(folder: Path) -> None:
    """`keep_job` is for a program whose own report can fail."""
    where = (folder / "in.jsonl", folder / "out.jsonl", KEYS, OPTIONS)
    first = tables.rotate(*where, keep_job=True)
    again = tables.rotate(*where, resume=True, keep_job=True)
    assert again._replace(seconds=0, resumed=0) == first._replace(seconds=0)
    assert again.resumed == again.rows
    tables.forget_job(folder / "out.jsonl")
    with raises_exactly(tables.TableError, "out.jsonl exists already; use another output path"):
        tables.rotate(*where, resume=True)


def test_the_progress_and_the_report_count_the_rows_of_this_call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of an earlier call do not count, so that a rate is right."""
    monkeypatch.setattr(json_lines, "CHUNK_ROWS", 3)
    monkeypatch.setattr("kmscore.tables.journal._AT_ONCE", 1)
    seen: list[tables.Progress] = []
    where = (folder / "in.jsonl", folder / "out.jsonl", KEYS, OPTIONS)

    def stop(now: tables.Progress) -> None:
        if now.rows == 6:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tables.rotate(*where, on_progress=stop)
    assert tables.is_unfinished(folder / "out.jsonl")
    report = tables.rotate(*where, resume=True, on_progress=seen.append)
    assert seen[-1] == tables.Progress("rotating", 1.0, 3)
    assert (report.rows, report.resumed) == (9, 6)
    report = report._replace(rows=2_000, resumed=1_500, seconds=0.5)
    show_rotation(report, as_json=False)
    show_rotation(report, as_json=True)
    shown = capsys.readouterr().out
    assert "2,000  in all (1,500 by an earlier run), 1,000 a second" in shown
    assert '"rows": 2000, "resumed": 1500, ' in shown


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"source": "in.jsonl"}, TypeError, "source must be"),
        ({"out": "out.jsonl"}, TypeError, "out must be"),
        ({"keys": {}}, TypeError, "keys"),
        ({"options": "orders"}, TypeError, "options must be Options"),
        ({"jobs": True}, TypeError, "jobs must be int"),
        ({"jobs": 0}, ValueError, "jobs of 0, 1 to 256 allowed"),
        ({"jobs": 257}, ValueError, "jobs of 257, 1 to 256 allowed"),
        ({"out": None, "resume": True}, ValueError, "a dry run cannot be resumed"),
    ],
)
def test_a_wrong_argument_is_rejected_before_the_file_is_read(
    changes: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Types are checked first, then values."""
    arguments = {
        "source": Path("no.jsonl"),
        "out": Path("out.jsonl"),
        "keys": KEYS,
        "options": OPTIONS,
    } | changes
    with pytest.raises(error, match=text):
        tables.rotate(**arguments)


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        (
            tables.Columns(contexts=("a", "b"), context_keys=("a",)),
            ValueError,
            "one key for each column",
        ),
        (tables.Columns(source=tables.Source("a", "1", "RSA")), UnsupportedAlgorithmError, "RSA"),
        (
            tables.Columns(context="c", contexts=("a",)),
            ValueError,
            "context excludes contexts and constants",
        ),
        (
            tables.Columns(context="c", constants=(("a", "1"),)),
            ValueError,
            "context excludes contexts and constants",
        ),
        (
            tables.Columns(contexts=("a", "b"), context_keys=("k", "k")),
            ValueError,
            "two values for one key",
        ),
        (
            tables.Columns(contexts=("a",), constants=(("a", "1"),)),
            ValueError,
            "two values for one key",
        ),
    ],
    ids=[
        "numbers of keys",
        "algorithm",
        "both contexts",
        "context and constants",
        "a key twice",
        "a constant twice",
    ],
)
def test_impossible_columns_are_rejected(
    columns: tables.Columns, error: type[Exception], text: str
) -> None:
    """They are checked before the file is read."""
    options = tables.Options(destination_key_id="orders", columns=columns)
    with pytest.raises(error, match=text):
        tables.rotate(Path("no.jsonl"), None, KEYS, options)


@pytest.mark.parametrize(
    "delimiter", ["", "ab", '"', "\n", "\r", "ü", ";;", "+", "/", "=", "a", "7"]
)
def test_an_impossible_delimiter_is_rejected(tmp_path: Path, delimiter: str) -> None:
    """Every function that takes a delimiter checks it, before the file is read."""
    source = tmp_path / "in.csv"
    options = tables.Options(destination_key_id="orders", delimiter=delimiter)
    for call in (
        partial(tables.rotate, source, None, KEYS, options),
        partial(tables.check_columns, source, tables.Columns(), delimiter=delimiter),
        partial(tables.census, [source], delimiter=delimiter),
    ):
        with pytest.raises(ValueError, match=r"^the delimiter must be one ASCII character"):
            call()


def test_an_asymmetric_source_has_no_profile() -> None:
    """The layout of the service is one of symmetric ciphertexts."""
    columns = tables.Columns(source=tables.Source("a", "1", "SM2PKE"))
    options = tables.Options(
        destination_key_id="orders", columns=columns, source_profile=alibaba.Profile.ALIBABA
    )
    with pytest.raises(ValueError, match="source_profile must be v1"):
        tables.rotate(Path("no.jsonl"), None, KEYS, options)


def test_v1_by_name_and_by_default_is_one_job() -> None:
    """A job of the command line can be resumed by a program, and profiles differ by their text."""
    profiles = [
        None,
        alibaba.Profile.V1_TEXT,
        alibaba.Profile.ALIBABA,
        alibaba.Profile(payload=alibaba.Payload.RAW),
        alibaba.Profile(prefix=b"abc"),
        alibaba.Profile(empty_is_absent=True),
    ]
    named = [
        identity_of(tables.Options(destination_key_id="o", source_profile=each), "1")
        for each in profiles
    ]
    assert all(one != other for one, other in combinations(named, 2))
    by_name = tables.Options(destination_key_id="o", source_profile=alibaba.Profile.V1)
    assert identity_of(by_name, "1") == named[0]
    assert named[3]["source profile"] == "service payload=raw"


def test_other_columns_have_another_identity() -> None:
    """Names with commas and equals signs are not mixed up, so that no other job is resumed."""
    seen = [
        identity_of(tables.Options(destination_key_id="orders", columns=columns), "1")
        for columns in (
            tables.Columns(contexts=("a,b",)),
            tables.Columns(contexts=("a", "b")),
            tables.Columns(contexts=("k=c",)),
            tables.Columns(contexts=("c",), context_keys=("k",)),
            tables.Columns(constants=(("a", "b"),)),
            tables.Columns(constants=(("a", None),)),
        )
    ]
    assert all(one != other for one, other in combinations(seen, 2))
    assert [json.loads(json.dumps(each)) for each in seen] == seen


def test_paths_must_be_paths() -> None:
    """A text is a mistake of the program."""
    for function in (tables.failed_path, tables.is_unfinished):
        with pytest.raises(TypeError, match=r"^out must be Path, not str$"):
            function("out.csv")  # type: ignore[arg-type]
    counted = tables.TableCensus(bulk.Census({}, 0), {})
    with pytest.raises(tables.TableError, match="the name must end in"):
        tables.retirable_versions(KEYS, counted, [Path("x")])


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    """The format of a folder with the name of a table is not known."""
    (tmp_path / "in.csv").mkdir()
    with pytest.raises(tables.TableError, match="Is a directory"):
        file_rotation.input_of(tmp_path / "in.csv")


def test_too_little_memory_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and the job can be resumed."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(file_rotation, "work", fail)
    with raises_exactly(file_rotation.JobError, "too little memory") as caught:
        tables.rotate(folder / "in.jsonl", folder / "out.jsonl", KEYS, OPTIONS)
    error: Any = caught.value
    assert error.can_resume


def test_workers_can_be_started_from_another_thread() -> None:
    """There, no signal handler is set."""
    results: list[int] = []
    begin = partial(partial, abs)
    thread = threading.Thread(target=lambda: results.extend(crew.in_processes(begin, [-1, -2], 1)))
    thread.start()
    thread.join()
    assert results == [1, 2]

"""`kmscore rotate-column`: results, progress, interruptions, and URLs that are never shown."""

import base64
import inspect
import io
import json
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from support.commands import ENVIRONMENT, command, environment, invoke, problem, run, write_ring
from support.databases import (
    KEY_ID,
    KEYS,
    KINDS,
    NEW,
    OLD,
    POSTGRESQL,
    SQLITE,
    Live,
    live,
    seal,
    unseal,
)
from support.samples import sampled, sampled_rows
from support.terminal import at_terminal
from support.time_limits import PATIENCE

from kmscore import Keyring, KeySpec, KeyState, SymmetricKey
from kmscore.alibaba import Profile
from kmscore.cli import (
    column_jobs,
    column_report,
    column_rotation,
    database_engine,
    failed_keys,
    terminal,
)
from kmscore.cli.database_options import DatabaseUrl
from kmscore.cli.problems import FileProblem
from kmscore.tables import Progress
from kmscore.tables.database import ColumnReport, passes, reencrypt_column
from kmscore.tables.worker_keys import WorkerKeys

pytestmark = pytest.mark.usefixtures("in_time")

SECRET = "kmssecret"
"""A part of each wrong URL, which must not be shown."""

AGAIN = "; the same command again continues"


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    """Return an empty database of each kind."""
    with live(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Live]:
    """Return an empty database of SQLite."""
    with live(SQLITE, tmp_path) as found:
        yield found


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    """Return a keyring file with both versions of the key."""
    return write_ring(tmp_path / "team.keys", KEYS)


def make_table(database: Live, number: int = 20) -> None:
    """Create a table `t` with blobs of the old version, each with a context of its own."""
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')}, tenant varchar(9))"
    )
    if number:
        database.insert(
            "t",
            [
                {"id": each, "b": seal(b"%d" % each, {"tenant": f"t{each}"}), "tenant": f"t{each}"}
                for each in range(number)
            ],
        )


def check_rotated(database: Live, number: int) -> None:
    """Check that each row is under the new version."""
    rows = database.select("SELECT id, b, tenant FROM t ORDER BY id")
    assert [row[0] for row in rows] == list(range(number))
    for each, blob, tenant in rows:
        assert unseal(blob, {"tenant": tenant}) == b"%d" % each


def arguments(ring_file: Path, *options: str | Path) -> tuple[str | Path, ...]:
    """Return the command line for the table `t`."""
    names = ("--destination", KEY_ID, "--table", "t", "--blob-column", "b")
    return ("rotate-column", "-k", ring_file, *names, "--context-columns", "tenant", *options)


def rotate(url: str, ring_file: Path, *options: str | Path) -> Any:
    """Run the command in this process."""
    return invoke(*arguments(ring_file, *options), env=ENVIRONMENT | {"KMSCORE_DATABASE_URL": url})


def counts(result: Any) -> dict[str, Any]:
    """Return a report without its rate and duration."""
    document: dict[str, Any] = json.loads(result.stdout)
    assert document.pop("seconds") >= 0
    return document


def report_of(**counts: Any) -> ColumnReport:
    """Return a report with some counts."""
    zeros = dict.fromkeys(ColumnReport.__dataclass_fields__, 0)
    others = {"failed": {}, "seconds": 0.0, "unusable_versions": ()}
    return ColumnReport(**{**zeros, **others, **counts})


@pytest.mark.parametrize("jobs", sampled(["2", "1"], 2))
def test_every_row_is_rotated_and_the_same_command_again_skips_all(
    database: Live, ring_file: Path, jobs: str
) -> None:
    """The exit code is 0 each time, also with several processes, and the counts add up."""
    make_table(database, 60)
    options = ("--json", "--jobs", jobs, "--batch-rows", "7")
    result = rotate(database.url, ring_file, *options)
    assert result.exit_code == 0, result
    assert counts(result) == {
        "rows": 60,
        "rewritten": 60,
        "skipped": 0,
        "unchanged": 0,
        "conflicts": 0,
        "retried": 0,
        "remaining": 0,
        "failed": {},
        "unusable_versions": [],
        "passes": 1,
        "failed_rows": None,
    }
    check_rotated(database, 60)
    result = rotate(database.url, ring_file, "--json")
    assert result.exit_code == 0, result
    assert counts(result)["rows"] == counts(result)["rewritten"] == 0
    assert counts(result)["skipped"] == 60


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_failed_rows_are_in_a_new_file(sqlite: Live, ring_file: Path, jobs: str) -> None:
    """The file has each primary key with its code, no blob, and only its owner can read it.

    An existing file is rejected before the first row is changed.
    """
    make_table(sqlite)
    sqlite.run("UPDATE t SET tenant = 'other' WHERE id IN (3, 11)")
    path = ring_file.with_name("failed.jsonl")
    path.touch()
    blobs = sqlite.blobs()
    said = problem(rotate(sqlite.url, ring_file, "--failed", path))
    assert said == f"{path} exists already; use another file for --failed"
    assert sqlite.blobs() == blobs
    path.unlink()
    before = os.umask(0)
    try:
        result = rotate(sqlite.url, ring_file, "--failed", path, "--json", "--jobs", jobs)
    finally:
        os.umask(before)
    assert result.exit_code == 1, result
    document = counts(result)
    assert document["failed"] == {"decryption": 2}
    assert (document["remaining"], document["failed_rows"]) == (2, str(path))
    lines = sorted(map(json.loads, path.read_text("utf-8").splitlines()), key=str)
    assert lines == [{"primary_key": {"id": each}, "error": "decryption"} for each in (11, 3)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_failed_rows_there_is_no_file(sqlite: Live, ring_file: Path) -> None:
    """The file for failed rows is not created, and no other file remains."""
    make_table(sqlite)
    before = set(ring_file.parent.iterdir())
    result = rotate(sqlite.url, ring_file, "--failed", ring_file.with_name("failed.jsonl"))
    assert result.exit_code == 0, result
    left = {path for path in ring_file.parent.iterdir() if not path.name.endswith(("-wal", "-shm"))}
    assert left <= before


def test_a_key_that_json_has_no_number_for_is_a_text(sqlite: Live, ring_file: Path) -> None:
    """Other programs must be able to read the file."""
    sqlite.run("CREATE TABLE t (id real PRIMARY KEY, b blob, tenant text)")
    sqlite.insert("t", [{"id": float("inf"), "b": b"damaged", "tenant": "acme"}])
    path = ring_file.with_name("failed.jsonl")
    rotate(sqlite.url, ring_file, "--failed", path)
    assert json.loads(path.read_text("utf-8"))["primary_key"] == {"id": "inf"}


def test_a_composite_key_has_the_names_of_its_columns(database: Live, ring_file: Path) -> None:
    """The values of a key are numbers, texts, or bytes in hexadecimal."""
    kind = {"postgresql": "bytea", "mariadb": "varbinary(4)"}.get(database.kind, "blob")
    database.run(
        f"CREATE TABLE t (place {kind}, day date, b {database.type_of('blob')},"
        " tenant varchar(9), PRIMARY KEY (place, day))"
    )
    row = {"place": b"\x01\xff", "day": "2030-05-06", "b": b"damaged", "tenant": "acme"}
    database.insert("t", [row])
    path = ring_file.with_name("failed.jsonl")
    result = rotate(database.url, ring_file, "--failed", path)
    assert result.exit_code == 1, result
    assert result.stdout.splitlines()[-1] == f"failed rows: {path}"
    assert json.loads(path.read_text("utf-8")) == {
        "primary_key": {"place": "01ff", "day": "2030-05-06"},
        "error": "invalid_blob",
    }


def test_a_file_for_failed_rows_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing folder, a name that is taken since, and a full disk are one line each."""
    with pytest.raises(FileProblem, match="No such file"):
        failed_keys.FailedKeys(tmp_path / "no" / "failed.jsonl")
    path = tmp_path / "failed.jsonl"
    with failed_keys.FailedKeys(path) as failed:
        failed.add(("id",), (1,), "decryption")
        path.write_bytes(b"")
        with pytest.raises(FileProblem, match="exists already"):
            failed.write()
        path.unlink()
        tmp_path.joinpath("sub").mkdir()
        failed._path = tmp_path / "no" / "failed.jsonl"
        with pytest.raises(FileProblem, match="No such file"):
            failed.write()
        failed._path = path

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(failed_keys, "sync", fail)
        with pytest.raises(FileProblem, match="No space left on device"):
            failed.write()
    assert not path.exists()


def test_the_report_as_a_table(sqlite: Live, ring_file: Path) -> None:
    """The table has the counts; conflicts and repeated transactions only if there are some."""
    make_table(sqlite, 5)
    sqlite.run("UPDATE t SET tenant = 'other' WHERE id = 3")
    shown = [
        [" ".join(line.split()) for line in rotate(sqlite.url, ring_file).stdout.splitlines()]
        for _ in range(2)
    ]
    assert shown[0][:-1] == [
        "rows",
        "4 rewritten",
        "0 skipped: they name the destination version, and are not authenticated",
        "0 unchanged",
        "1 failed: decryption",
        "1 remaining: they do not name the destination version",
    ]
    assert re.fullmatch(r"6 read in 2 passes, [\d,]+ a second", shown[0][-1])
    assert shown[1][2].startswith("4 skipped")
    assert shown[1][-1].startswith("1 read in 1 pass, ")


def test_first_rows_that_all_fail_stop_the_command(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has the reason and the option to go on; the same command would stop again."""
    monkeypatch.setattr(passes, "FIRST_ROWS", 3)
    make_table(sqlite)
    sqlite.run("UPDATE t SET tenant = 'other'")
    options = ("--batch-rows", "3")
    said = problem(rotate(sqlite.url, ring_file, *options))
    assert said == (
        "table 't': all of the first 3 rows fail (3 decryption): the columns of contexts, or the"
        " keys, are probably wrong; --keep-going goes on"
    )
    assert rotate(sqlite.url, ring_file, *options, "--keep-going").exit_code == 1


def test_missing_key_versions_are_named(sqlite: Live, tmp_path: Path) -> None:
    """The keyring is an older copy, which lacks the version of the ciphertexts."""
    make_table(sqlite)
    ring_file = write_ring(tmp_path / "copy.keys", Keyring([NEW]))
    result = rotate(sqlite.url, ring_file)
    assert result.stdout.splitlines()[-1] == "missing or not enabled: version v1 of key orders"
    document = counts(rotate(sqlite.url, ring_file, "--json"))
    assert document["unusable_versions"] == [{"key_id": KEY_ID, "key_version_id": "v1"}]


def test_a_disabled_destination_is_named(sqlite: Live, tmp_path: Path) -> None:
    """The line has the key and the version, and no row is read."""
    make_table(sqlite)
    off = SymmetricKey(KEY_ID, "v2", KeySpec.AES_256, bytes(32), state=KeyState.DISABLED)
    said = problem(rotate(sqlite.url, write_ring(tmp_path / "off.keys", Keyring([OLD, off]))))
    assert said == (
        "key_state: version v2 of key orders is primary and is in the state Disabled; see `kmscore"
        " keys enable` and `kmscore keys rotate`"
    )


def test_rare_counts_are_shown_if_there_are_some(capsys: pytest.CaptureFixture[str]) -> None:
    """Conflicts and repeated transactions have their own lines."""
    report = report_of(conflicts=2, retried=3, remaining=2)
    result = column_report.ColumnResult(report, 9, 0.0, None, is_dry_run=False)
    column_report.show_column(result, as_json=False)
    shown = capsys.readouterr().out
    assert "2  conflicts: the row was changed by another program" in shown
    assert "3  transactions that were repeated" in shown
    assert shown.splitlines()[-1] == "ciphertexts remain: run the same command again"
    assert not result.is_complete


def test_a_dry_run_is_complete_with_ciphertexts_that_remain(sqlite: Live, ring_file: Path) -> None:
    """It writes nothing, and its exit code is 1 only if rows fail."""
    make_table(sqlite)
    before = sqlite.blobs()
    result = rotate(sqlite.url, ring_file, "--dry-run")
    assert result.exit_code == 0, result
    assert result.stdout.splitlines()[-1] == "a dry run: nothing is written"
    assert sqlite.blobs() == before
    sqlite.run("UPDATE t SET tenant = 'other' WHERE id = 3")
    assert rotate(sqlite.url, ring_file, "--dry-run").exit_code == 1


def test_ciphertexts_that_remain_give_exit_code_1(sqlite: Live, ring_file: Path) -> None:
    """Another program inserts an old ciphertext for each new one, before the place of reading."""
    make_table(sqlite)
    sqlite.run(
        "CREATE TRIGGER t AFTER UPDATE ON t BEGIN"
        " INSERT INTO t VALUES (OLD.id - 1000, OLD.b, OLD.tenant); END"
    )
    result = rotate(sqlite.url, ring_file, "--passes", "1")
    assert result.exit_code == 1, result
    assert "20  remaining" in result.stdout
    assert result.stdout.splitlines()[-1] == "ciphertexts remain: run the same command again"


def test_every_parameter_of_the_library_is_an_option(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options have the defaults of `reencrypt_column`, and are given to it."""
    make_table(sqlite)
    sqlite.run("ALTER TABLE t ADD changed int", "ALTER TABLE t ADD ctx text")
    calls: list[dict[str, Any]] = []

    def take(*_: object, **options: Any) -> ColumnReport:
        calls.append(options)
        return report_of()

    monkeypatch.setattr(column_jobs, "reencrypt_column", take)
    names = ("rotate-column", "-k", ring_file, "--destination", KEY_ID, "--table", "t")
    url = {"KMSCORE_DATABASE_URL": sqlite.url}
    result = invoke(*names, "--blob-column", "b", env=ENVIRONMENT | url)
    assert result.exit_code == 0, result
    given = calls.pop()
    for name, parameter in inspect.signature(reencrypt_column).parameters.items():
        if parameter.default not in (inspect.Parameter.empty, None, ()) and name != "order":
            assert given[name] == parameter.default, name
    assert given["context_columns"] == {}
    assert given["source_profile"] == Profile.V1
    assert set(inspect.signature(reencrypt_column).parameters) - set(given) == {
        *("engine", "keys", "destination_key_id"),
        "order",  # a keyring has the order
    }
    options = {
        "--blob-column": "b",
        "--schema": "main",
        "--encoding": "base64",
        "--context-columns": "tenant,KEY=ctx",
        "--destination-context-column": "changed",
        "--where": "id > 30",
        "--source-profile": "alibaba",
        "--max-rows-per-second": "5",
        "--transaction-seconds": "0.25",
        "--batch-rows": "7",
        "--passes": "2",
    }
    words = [word for pair in options.items() for word in pair]
    flags = ("--verify", "--upgrade-only")
    result = invoke(*names, *words, *flags, env=ENVIRONMENT | url)
    assert result.exit_code == 0, result
    given = calls.pop()
    assert (given["blob_column"], given["schema"], given["encoding"]) == ("b", "main", "base64")
    assert given["context_columns"] == {"tenant": "tenant", "KEY": "ctx"}
    assert (given["destination_context_column"], given["where"]) == ("changed", "id > 30")
    assert given["source_profile"] == Profile()
    assert (given["rows_per_second"], given["target_seconds"]) == (5, 0.25)
    assert (given["batch_rows"], given["passes"]) == (7, 2)
    assert (given["verify"], given["upgrade_only"], given["dry_run"]) == (True, True, False)
    result = invoke(
        *(*names, "--blob-column", "b", "--context-column", "ctx", "--dry-run"),
        *("--preserve-columns", "changed", "--preserve-columns", "tenant"),
        env=ENVIRONMENT | url,
    )
    assert result.exit_code == 0, result
    given = calls.pop()
    assert (given["context_column"], given["dry_run"]) == ("ctx", True)
    assert list(given["preserve_columns"]) == ["changed", "tenant"]
    repeated = ("--context-columns", "tenant", "--context-columns", "KEY=ctx,changed")
    result = invoke(*names, "--blob-column", "b", *repeated, env=ENVIRONMENT | url)
    assert result.exit_code == 0, result
    pairs = {"tenant": "tenant", "KEY": "ctx", "changed": "changed"}
    assert calls.pop()["context_columns"] == pairs


@pytest.mark.parametrize(("number", "rate"), [(100, 3.0), (3, 4.0), (0, 12.0)])
def test_the_rate_is_divided_over_the_jobs_that_have_work(
    sqlite: Live, monkeypatch: pytest.MonkeyPatch, number: int, rate: float
) -> None:
    """Fewer ranges than jobs take fewer processes, each with a larger part of the rate."""
    make_table(sqlite, number)
    begun: list[Any] = []

    def take(begin: Any, ranges: Any, jobs: int, **_: object) -> Iterator[Any]:
        begun.append((begin.args[0].rows_per_second, jobs))
        for _ in ranges:
            yield report_of()

    monkeypatch.setattr(column_jobs, "in_processes", take)
    options = {"blob_column": "b"}
    job = column_jobs.ColumnJob(KEY_ID, "t", None, 12, options)
    column_jobs.run_job(job, (DatabaseUrl(sqlite.url), sqlite.engine), KEYS, 4, print)
    assert begun == [(rate, 12 / rate)]


def test_a_worker_opens_the_keyring_and_the_database_itself(sqlite: Live) -> None:
    """It gets the URL and an encrypted keyring, and sends its progress with the failed rows."""
    make_table(sqlite)
    sqlite.run("UPDATE t SET tenant = 'other' WHERE id = 3")
    options = {"blob_column": "b", "context_columns": ("tenant",), "batch_rows": 8}
    job = column_jobs.ColumnJob(KEY_ID, "t", None, None, {**options, "target_seconds": None})
    told: list[column_jobs.Batch] = []
    url = DatabaseUrl(sqlite.url)
    perform = column_jobs._begin(job, url, WorkerKeys.of(KEYS), told.append)
    report = perform(((1,), (12,)))
    perform.args[0].dispose()  # type: ignore[attr-defined]
    assert (report.rewritten, dict(report.failed)) == (10, {"decryption": 1})
    assert told == [(8, (((3,), "decryption"),)), (3, ()), (1, ())]
    assert SECRET not in repr(DatabaseUrl(f"sqlite:///{SECRET}"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "KMSCORE_DATABASE_URL: the URL is empty"),
        (f"sqlite://\nx{SECRET}", "KMSCORE_DATABASE_URL: more than one line"),
        (f"{SECRET}", "the URL cannot be read; its form is postgresql+psycopg://"),
        (f"mysql+pymysql://root:{SECRET}@h:port/d", "the URL cannot be read; its form is"),
        (f"{SECRET}://h/d", "the URL cannot be used (NoSuchModuleError); its form is"),
        (f"sqlite:///{SECRET}.db", "the file of the SQLite database does not exist"),
        ("sqlite://", "a database in memory is empty"),
        (
            f"sqlite://{SECRET}.db",
            "sqlite:// needs a third slash before the name of the file: sqli",
        ),
        (f"sqlite://{SECRET}/a.db", "sqlite:// needs a third slash before the name of the file"),
        (f"sqlite:///file:{SECRET}?mode=ro&uri=true", "it cannot be opened: OperationalError"),
        (f"mysql+pymysql://a:{SECRET}@127.0.0.1:1/d", "it cannot be opened: OperationalError 2003"),
        (
            f"mysql+pymysql://a@127.0.0.1:1/d?{SECRET}=1",
            "it cannot be opened: TypeError; check the",
        ),
        (
            f"postgresql+psycopg://a:{SECRET}@127.0.0.1:1/d",
            "it cannot be opened: OperationalError (no server at this host and port); check the",
        ),
        (
            f"postgresql+psycopg://a:{SECRET}@{SECRET}.invalid/d",
            "it cannot be opened: OperationalError (the host is not known); check the host",
        ),
        (f"oracle+oracledb://a:{SECRET}@h/d", "the driver oracledb cannot be loaded; for Postgre"),
    ],
)
def test_a_wrong_url_is_not_shown(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    """One line says the problem, and nothing of the URL; no file is created."""
    monkeypatch.chdir(ring_file.parent)
    before = list(ring_file.parent.iterdir())
    said = problem(rotate(url, ring_file))
    assert reason in said
    assert SECRET not in said
    assert list(ring_file.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("part", "reason"), [("database", "no such database"), ("username", "no such user")]
)
def test_a_wrong_part_of_a_url_is_named(
    tmp_path: Path, ring_file: Path, part: str, reason: str
) -> None:
    """PostgreSQL has no code for it, and its text has the value, which is not shown."""
    with live(POSTGRESQL, tmp_path) as database:
        url = sa.make_url(database.url).set(**{part: SECRET})  # type: ignore[arg-type]
        said = problem(rotate(url.render_as_string(hide_password=False), ring_file))
    assert f"it cannot be opened: OperationalError ({reason}); check the" in said
    assert SECRET not in said


def test_a_missing_right_is_named_before_the_advice(tmp_path: Path, ring_file: Path) -> None:
    """The same command cannot continue before the right is granted."""
    role = f"kmscore_{uuid4().hex}"
    with live(POSTGRESQL, tmp_path) as database:
        make_table(database)
        schema = str(sa.make_url(database.url).query["options"]).partition("=")[2]
        database.run(
            f"CREATE ROLE {role} LOGIN",
            f"GRANT USAGE ON SCHEMA {schema} TO {role}",
            f"GRANT SELECT ON t TO {role}",
        )
        try:
            url = sa.make_url(database.url).set(username=role)
            result = rotate(url.render_as_string(hide_password=False), ring_file)
        finally:
            database.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    assert problem(result) == (
        "table 't': InsufficientPrivilege 42501 (permission denied: the user needs SELECT, and"
        f" UPDATE for a rotation); correct the cause first{AGAIN}"
    )


@pytest.mark.parametrize("jobs", ["--jobs", "--url"])
def test_a_url_among_the_arguments_is_not_shown(ring_file: Path, jobs: str) -> None:
    """A mistake in the arguments is reported without the URL and all that follows it."""
    url = f"postgresql://a:x y{SECRET})@h/d"
    for words in ((url,), ("--encoding", url), (f"{jobs}={url}",), ("--url-file", url)):
        said = problem(rotate("", ring_file, *words))
        assert SECRET not in said
        assert "postgresql" not in said


def test_a_url_without_a_source(ring_file: Path) -> None:
    """The line names both sources."""
    said = problem(invoke(*arguments(ring_file), env={"KMSCORE_DATABASE_URL": None}))
    assert said == "no URL of a database: set KMSCORE_DATABASE_URL, or give --url-file"


def test_a_file_with_the_url(sqlite: Live, ring_file: Path, tmp_path: Path) -> None:
    """It goes before the variable. If other users can read it, there is a warning."""
    make_table(sqlite)
    path = tmp_path / "url"
    path.write_text(f"{sqlite.url}\n", "utf-8")
    path.chmod(0o600)
    result = rotate("sqlite:///wrong", ring_file, "--url-file", path)
    assert (result.exit_code, result.stderr) == (0, ""), result
    path.chmod(0o644)
    result = rotate("", ring_file, "--url-file", path)
    assert "warning: other users can read" in result.stderr
    result = invoke(
        *arguments(ring_file, "--url-file", "-"), data=sqlite.url.encode(), env=ENVIRONMENT
    )
    assert (result.exit_code, result.stderr) == (0, ""), result
    path.write_bytes(b"sqlite:///\xff")
    path.chmod(0o600)
    assert problem(rotate("", ring_file, "--url-file", path)) == f"{path}: not UTF-8"
    path.write_bytes(b"\n")
    assert problem(rotate("", ring_file, "--url-file", path)) == f"{path}: the URL is empty"
    path.unlink()
    said = problem(rotate("", ring_file, "--url-file", path))
    assert said == f"{path}: No such file or directory"


def test_a_driver_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver that cannot load a library says no name of a module."""

    def fail(_: object) -> None:
        raise ImportError("no libpq")

    monkeypatch.setattr(database_engine, "make_engine", fail)
    with (
        pytest.raises(FileProblem, match="the driver of the URL cannot be loaded"),
        database_engine.open_database(DatabaseUrl("postgresql+psycopg://h/d")),
    ):
        pass


NO_TABLE = "table 't': there is no such table; in another schema, give the schema too"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--table", "no"), "table 'no': there is no such table; in another schema, give"),
        (
            ("--table", "sales.t"),
            "table 'sales.t': there is no such table; give the table 't' and the schema 'sales'",
        ),
        (
            ("--table", "no", "--schema", "main"),
            "table 'no': there is no such table in the schema 'main'",
        ),
        (("--blob-column", "no"), "table 't': no column 'no'; the columns are 'id', 'b', 'tenant'"),
        (("--preserve-columns", "b"), "column 'b' is given twice"),
        (("--context-column", "b"), "--context-column and --context-columns exclude each other"),
        (("--context-columns", "a,,b"), "--context-columns requires different names separated by"),
        (
            ("--where", "x y z"),
            (
                "table 't': OperationalError SQLITE_ERROR (an error in the"
                " statement, for example in --where or --schema)"
            ),
        ),
        *(
            (("--transaction-seconds", number), "--transaction-seconds requires a positive and")
            for number in ("nan", "inf", "0", "-1")
        ),
        (("--preserve-columns", "id,,b"), "--preserve-columns requires names separated by commas"),
        (("--batch-rows", "1000001"), "Invalid value for '--batch-rows': "),
        (("--source-profile", "v1-text"), "--source-profile v1-text has the layout of the result"),
        (("--destination", "no"), "key_not_found: no key 'no'"),
        (("--batch-rows", "0"), "Invalid value for '--batch-rows': "),
        (("--encoding", "hex"), "Invalid value for '--encoding': "),
    ],
)
def test_a_mistake_is_one_line(
    sqlite: Live, ring_file: Path, options: tuple[str, ...], reason: str
) -> None:
    """The exit code is 2, no row is changed, and the same command is not suggested."""
    make_table(sqlite)
    before = sqlite.blobs()
    assert problem(rotate(sqlite.url, ring_file, *options)).startswith(reason)
    assert sqlite.blobs() == before


def test_the_column_is_found_before_the_passphrase_is_asked_for(
    sqlite: Live, ring_file: Path
) -> None:
    """A wrong table is reported although there is no passphrase."""
    sqlite.run("CREATE TABLE u (id int)")
    said = problem(invoke(*arguments(ring_file), env={"KMSCORE_DATABASE_URL": sqlite.url}))
    assert said == NO_TABLE


@pytest.mark.parametrize("name", ["rotate-column", "census-column"])
def test_a_database_that_is_not_supported(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    """The line names the kinds that are supported."""
    (tmp_path / "x.db").touch()
    make = database_engine.make_engine

    def make_other(url: DatabaseUrl) -> Any:
        engine = make(url)
        engine.dialect.name = "other"
        return engine

    monkeypatch.setattr(database_engine, "make_engine", make_other)
    words = {
        "rotate-column": arguments(ring_file),
        "census-column": ("census-column", "--table", "t"),
    }[name]
    url = {"KMSCORE_DATABASE_URL": f"sqlite:///{tmp_path / 'x.db'}"}
    said = problem(invoke(*words, env=ENVIRONMENT | url))
    assert said == "engine of other, only sqlite, postgresql and mysql are supported"


@pytest.mark.parametrize("name", ["rotate-column", "census-column"])
def test_without_the_extra_the_line_says_what_to_install(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """SQLAlchemy is loaded by these commands alone."""
    for module in ("column_rotation", "database_engine"):
        monkeypatch.delitem(sys.modules, f"kmscore.cli.{module}")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    words = {"rotate-column": arguments(ring_file), "census-column": (name, "--table", "t")}[name]
    said = problem(invoke(*words, env=ENVIRONMENT))
    assert said == "databases need the extra database: pip install 'kmscore[cli,database]'"
    monkeypatch.setitem(sys.modules, "kmscore.cli.column_rotation", None)
    monkeypatch.setitem(sys.modules, "kmscore.cli.database_engine", None)
    assert problem(invoke(*words)) == "an unexpected error: ModuleNotFoundError"
    code = "import sys, kmscore.cli.app; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)
    assert done.stdout.split() == [b"False"]


def _start(sqlite: Live, ring_file: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Start a slow command in its own process group; return when it has rewritten rows."""
    slow = ("--batch-rows", "20", "--max-rows-per-second", "100", *options)
    process = subprocess.Popen(
        command(*arguments(ring_file, *slow)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment(KMSCORE_DATABASE_URL=sqlite.url),
        start_new_session=True,
    )
    _await(process, lambda: rewritten(sqlite))
    return process


def rewritten(sqlite: Live) -> int:
    """Return the number of rows under the new version."""
    return sum(blob.startswith(NEW.header) for blob in sqlite.blobs())


def _await(process: "subprocess.Popen[bytes]", is_so: Callable[[], object]) -> None:
    """Return when a condition is true; fail if the process has ended."""
    until = time.monotonic() + PATIENCE
    while not is_so():
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"it has said {_kill(process)!r}")
        time.sleep(0.01)


def _kill(process: "subprocess.Popen[bytes]") -> bytes:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate(timeout=PATIENCE)[0]


def _end(process: "subprocess.Popen[bytes]") -> bytes:
    """Return the output after the last process has ended, which keeps the pipe open."""
    try:
        return process.communicate(timeout=PATIENCE)[0]
    except BaseException:
        _kill(process)
        raise


_ROWS = 400


@pytest.mark.parametrize(
    ("number", "jobs"),
    sampled_rows(
        [
            (signal.SIGINT, "2"),
            (signal.SIGINT, "1"),
            (signal.SIGTERM, "1"),
            (signal.SIGTERM, "2"),
        ],
        2,
    ),
)
def test_an_interrupted_command_is_continued_by_the_same_command(
    sqlite: Live, ring_file: Path, jobs: str, number: signal.Signals
) -> None:
    """One line with the exit code of a shell; no file remains, and no row is lost."""
    make_table(sqlite, _ROWS)
    path = ring_file.with_name("failed.jsonl")
    process = _start(sqlite, ring_file, "--jobs", jobs, "--failed", str(path))
    process.send_signal(number)
    word = "interrupted" if number == signal.SIGINT else "terminated"
    assert _end(process).decode() == f"kmscore: {word}{AGAIN}\n"
    assert process.returncode == 128 + number
    assert 0 < rewritten(sqlite) < _ROWS
    assert not path.exists()
    result = rotate(sqlite.url, ring_file, "--failed", path)
    assert result.exit_code == 0, result
    check_rotated(sqlite, _ROWS)


def test_workers_end_after_the_first_process_is_killed(sqlite: Live, ring_file: Path) -> None:
    """A worker notices it after its batch, and the same command continues."""
    make_table(sqlite, _ROWS)
    process = _start(sqlite, ring_file, "--jobs", "2")
    os.kill(process.pid, signal.SIGKILL)
    assert _end(process) == b""
    assert rewritten(sqlite) < _ROWS
    assert rotate(sqlite.url, ring_file).exit_code == 0
    check_rotated(sqlite, _ROWS)


def test_no_process_has_the_url_in_its_arguments(sqlite: Live, ring_file: Path) -> None:
    """Other users can see the arguments of each process."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("the arguments of processes are not in /proc")
    make_table(sqlite, _ROWS)
    process = _start(sqlite, ring_file, "--jobs", "2")
    lines = [
        path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if _group_of(path.parent) == process.pid
    ]
    _kill(process)
    assert len(lines) >= 3  # also the resource tracker of Python
    assert not any(sqlite.url.removeprefix("sqlite://").encode() in line for line in lines)


def _group_of(folder: Path) -> int | None:
    with suppress(OSError):
        return os.getpgid(int(folder.name))
    return None


def _after_each_batch(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object]) -> None:
    """Call a function after each batch, in place of the progress."""

    @contextmanager
    def progress() -> Iterator[Callable[[Progress], None]]:
        def show(now: Progress) -> None:
            if now.rows:
                action()

        yield show

    monkeypatch.setattr(column_rotation, "progress", progress)


@pytest.mark.parametrize("is_dry", [True, False])
def test_a_killed_worker_is_reported(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch, is_dry: bool
) -> None:
    """The line suggests the same command, except in a dry run."""
    make_table(sqlite, _ROWS)

    def kill() -> None:
        for child in multiprocessing.active_children():
            child.kill()

    _after_each_batch(monkeypatch, kill)
    options = ("--jobs", "2", "--batch-rows", "20", *(("--dry-run",) if is_dry else ()))
    said = problem(rotate(sqlite.url, ring_file, *options))
    assert said == "a worker process died" + ("" if is_dry else AGAIN)
    monkeypatch.undo()
    assert rotate(sqlite.url, ring_file).exit_code == 0
    check_rotated(sqlite, _ROWS)


def test_a_lost_database_is_reported_with_the_same_command(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that disappears during the rotation gives one line."""
    make_table(sqlite)

    _after_each_batch(monkeypatch, lambda: sqlite.run("DROP TABLE t"))
    said = problem(rotate(sqlite.url, ring_file))
    assert said.startswith("table 't': OperationalError SQLITE_ERROR")
    assert said.endswith(AGAIN)


def test_an_interrupted_dry_run_has_nothing_to_continue(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line has one word, and the exit code is 130."""
    make_table(sqlite)

    def interrupt() -> None:
        raise KeyboardInterrupt

    _after_each_batch(monkeypatch, interrupt)
    assert problem(rotate(sqlite.url, ring_file, "--dry-run"), 130) == "interrupted"


@pytest.mark.parametrize("width", [60, 120])
def test_the_progress_bar_at_a_terminal(sqlite: Live, ring_file: Path, width: int) -> None:
    """The bar shows percent, rows, rate and remaining time without cuts, and is then removed."""
    make_table(sqlite, 1000)
    words = command(*arguments(ring_file, "--batch-rows", "100", "--max-rows-per-second", "1000"))
    code, shown = at_terminal(*words, width=width, KMSCORE_DATABASE_URL=sqlite.url)
    assert code == 0
    frames = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", frame) for frame in re.split(r"\r|\n", shown)]
    bars = [frame for frame in frames if frame.startswith("Rotating")]
    assert any(
        re.fullmatch(r"Rotating [━╸╺ ]+ +\d+% [\d,]+ rows, [\d,]+/s \d:\d\d:\d\d *", bar)
        for bar in bars
    ), bars
    assert all(len(bar) <= width for bar in bars)
    assert "\x1b[2K" in shown, "the bar is wiped"
    assert "1,000  rewritten" in shown


def test_without_a_terminal_the_progress_is_in_lines(
    sqlite: Live, ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line has the part that is done, the rows, the rate and the remaining time."""
    make_table(sqlite, 60)
    sqlite.run("UPDATE t SET tenant = 'other' WHERE id = 3")
    monkeypatch.setattr(terminal, "_SECONDS", 0)
    result = rotate(sqlite.url, ring_file, "--batch-rows", "20", "--transaction-seconds", "0.0001")
    lines = result.stderr.splitlines()
    assert lines[0].startswith("kmscore: counting, 0%, 0 rows, 0 per second")
    done = [re.fullmatch(r"kmscore: rotating, (\d+)%, (\d+) rows, .*", line) for line in lines[1:]]
    # The last line is of the second pass, which reads the failed row again.
    assert [(each[1], each[2]) for each in done if each] == [
        *(("33", "20"), ("67", "40"), ("100", "60"), ("100", "61")),
    ]
    assert re.search(r" per second, 0:00:\d\d left$", lines[2])
    # With this option, the rows that name the destination version are read too.
    lines = rotate(sqlite.url, ring_file, "--verify", "--batch-rows", "30").stderr.splitlines()
    assert lines[1].startswith("kmscore: rotating, 50%, 30 rows, ")


@pytest.mark.parametrize("name", ["rotate-column", "census-column"])
def test_a_column_of_base64_needs_the_option(database: Live, ring_file: Path, name: str) -> None:
    """The line has the option, before the prompt for the passphrase of a rotation."""
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('text')}, tenant text)")
    text = base64.b64encode(seal(b"0", {"tenant": "t0"})).decode()
    database.insert("t", [{"id": 0, "b": text, "tenant": "t0"}])
    line = arguments(ring_file)
    if name == "census-column":
        line = (name, "--table", "t", "--blob-column", "b")
    url = {"KMSCORE_DATABASE_URL": database.url, "KMSCORE_PASSPHRASE": None}
    assert problem(invoke(*line, env=url)).endswith("; give --encoding base64")
    result = invoke(*line, "--encoding", "base64", env=url | ENVIRONMENT)
    assert result.exit_code == 0, result


def test_a_closed_pipe_gives_exit_code_141(sqlite: Live, ring_file: Path) -> None:
    """A result that cannot be printed is not reported as failed rows, and one line says so."""
    make_table(sqlite)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            command(*arguments(ring_file, "--json")),
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(KMSCORE_DATABASE_URL=sqlite.url),
            timeout=PATIENCE,
        )
    finally:
        os.close(writer)
    hint = b"the rotation has ended, the same command again counts what remains"
    assert done.returncode == 141
    assert done.stderr == b"kmscore: standard output: Broken pipe; " + hint + b"\n"
    check_rotated(sqlite, 20)


def census(database: Live, *options: str | Path) -> Any:
    """Run the command `census-column` in this process."""
    url = {"KMSCORE_DATABASE_URL": database.url}
    words = ("census-column", "--table", "t", "--blob-column", "b")
    return invoke(*words, *options, env=ENVIRONMENT | url)


def test_a_census_of_a_column(database: Live, ring_file: Path) -> None:
    """It counts the versions, and with a keyring lists those that may be retired."""
    make_table(database)
    database.run("DELETE FROM t WHERE id > 17")
    rotate(database.url, ring_file, "--where", "id < 5")
    database.run("UPDATE t SET b = NULL WHERE id = 17")
    document = json.loads(census(database, "--json").stdout)
    assert [(each["key_version_id"], each["blobs"]) for each in document["headers"]] == [
        *(("v1", 12), ("v2", 5)),
    ]
    assert "retirable_versions" not in document
    assert json.loads(census(database, "--where", "id > 4", "--json").stdout)["headers"] == [
        {"suite": "XAES_256_GCM", "key_id": KEY_ID, "key_version_id": "v1", "blobs": 12}
    ]
    rotate(database.url, ring_file)
    document = json.loads(census(database, "-k", ring_file, "--json").stdout)
    assert document["retirable_versions"] == [{"key_id": KEY_ID, "key_version_id": "v1"}]
    shown = census(database, "-k", ring_file).stdout
    assert "0 other\nMay be retired if these are all: version v1 of key orders\n" in shown


def test_a_wrong_table_for_a_census(sqlite: Live) -> None:
    """One line says the problem."""
    sqlite.run("CREATE TABLE u (id int)")
    assert problem(census(sqlite)) == NO_TABLE


def test_the_command_in_a_separate_process(sqlite: Live, ring_file: Path) -> None:
    """The standard streams have the report alone."""
    make_table(sqlite)
    done = run(*arguments(ring_file, "--json", "--jobs", "2"), KMSCORE_DATABASE_URL=sqlite.url)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.load(io.BytesIO(done.stdout))["rewritten"] == 20

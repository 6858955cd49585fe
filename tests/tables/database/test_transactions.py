"""Transactions: repeated, read-only, committed by the driver itself, or on a forked connection."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError
from support.databases import KEY_ID, KEYS, Live, seal, unseal

from kmscore.tables.database import (
    ColumnReport,
    DatabaseError,
    census_column,
    key_ranges,
    reencrypt_column,
    transactions,
)
from kmscore.tables.database.errors import fault_of


def make_table(database: Live, number: int = 20) -> None:
    """Create a table `t` with blobs of the old version."""
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')})")
    database.insert("t", [{"id": each, "b": seal(b"%d" % each)} for each in range(number)])


def rotate(engine: sa.Engine, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`."""
    return reencrypt_column(engine, KEYS, KEY_ID, table="t", blob_column="b", **options)


@contextmanager
def failing(engine: sa.Engine, errors: list[BaseException], word: str) -> Iterator[None]:
    """Raise errors of the driver, one for each statement that begins with a word."""

    def before(*arguments: Any) -> None:
        if errors and arguments[2].startswith(word):
            raise errors.pop(0)

    sa.event.listen(engine, "before_cursor_execute", before)
    yield
    sa.event.remove(engine, "before_cursor_execute", before)


def sqlite_error(name: str) -> sqlite3.OperationalError:
    """Return an error of SQLite with a code."""
    error = sqlite3.OperationalError("a row")
    error.sqlite_errorname = name
    return error


def wrapped(error: BaseException) -> DBAPIError:
    """Return the error in the form in which SQLAlchemy raises it."""
    return OperationalError("a statement", {"a": "parameter"}, error)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of pauses, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr(transactions.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("word", ['SELECT "t"', "UPDATE", "PRAGMA"])
def test_a_busy_database_is_asked_again(sqlite: Live, no_pause: list[float], word: str) -> None:
    """Reads and writes are repeated with growing pauses, and counted."""
    make_table(sqlite)
    errors: list[BaseException] = [
        wrapped(sqlite_error(f"SQLITE_{name}"))
        for name in ("BUSY", "LOCKED", "BUSY_SNAPSHOT", "LOCKED_SHAREDCACHE")
    ]
    with failing(sqlite.engine, errors, word):
        report = rotate(sqlite.engine)
    assert (report.rewritten, report.retried, report.conflicts) == (20, 4, 0)
    assert no_pause == [0.01, 0.02, 0.04, 0.08]


def test_attempts_are_bounded(sqlite: Live, no_pause: list[float]) -> None:
    """After ten attempts the rotation ends, and rows of earlier batches stay written."""
    make_table(sqlite)
    errors: list[BaseException] = [wrapped(sqlite_error("SQLITE_BUSY")) for _ in range(99)]
    with (
        failing(sqlite.engine, errors, "UPDATE"),
        pytest.raises(DatabaseError, match=r"SQLITE_BUSY \(the database is locked\), 10 times"),
    ):
        rotate(sqlite.engine)
    assert len(errors) == 89
    assert len(no_pause) == 9
    assert max(no_pause) == 1.0


def test_another_error_is_not_repeated(sqlite: Live, no_pause: list[float]) -> None:
    """A damaged file stays damaged."""
    make_table(sqlite)
    errors: list[BaseException] = [wrapped(sqlite_error("SQLITE_CORRUPT")) for _ in range(9)]
    with failing(sqlite.engine, errors, "UPDATE"), pytest.raises(DatabaseError, match="damaged"):
        rotate(sqlite.engine)
    assert len(errors) == 8
    assert no_pause == []


def test_the_codes_of_drivers_are_read() -> None:
    """SQLSTATE, number or name; an error without a code has only its class."""

    class DriverError(Exception):
        sqlstate = "40001"

    assert str(fault_of(wrapped(DriverError("a row")))) == (
        "DriverError 40001 (a serialization failure)"
    )
    assert fault_of(wrapped(DriverError(1213, "a row"))).code == 1213
    assert str(fault_of(wrapped(Exception("a row")))) == "Exception"
    fault = fault_of(wrapped(Exception('FATAL:  password authentication failed for user "a row"')))
    assert str(fault) == "Exception (a wrong password or user)"
    assert "a row" not in repr(fault)
    assert str(fault_of(wrapped(Exception()))) == "Exception"
    # A host with two addresses, the first of which has no server.
    both = 'port 5432 failed: Connection refused\nFATAL:  role "a row" does not exist'
    meanings = "no server at this host and port; no such user"
    assert str(fault_of(wrapped(Exception(both)))) == f"Exception ({meanings})"
    for text in ('role "a" is not permitted to log in', 'database "a" is not currently accepting'):
        assert str(fault_of(wrapped(Exception(f"FATAL:  {text}")))) == "Exception"
    assert str(fault_of(sa.exc.TimeoutError("a row"))) == "TimeoutError"
    assert str(fault_of(wrapped(sqlite_error("SQLITE_IOERR_READ")))) == (
        "OperationalError SQLITE_IOERR"
    )


@contextmanager
def locked_row(database: Live) -> Iterator[None]:
    """Hold a lock on one row, or on the whole database of SQLite."""
    engine = database.another()
    with engine.connect() as connection:
        connection.execute(sa.text("UPDATE t SET b = b WHERE id = 7"))
        yield
        connection.rollback()
    engine.dispose()


LOCKS: dict[str, Callable[[str], dict[str, Any]]] = {
    "sqlite": lambda _: {"connect_args": {"timeout": 0.05}},
    "postgresql": lambda url: {
        "connect_args": {"options": f"{sa.make_url(url).query['options']} -c lock_timeout=100ms"}
    },
    "mariadb": lambda _: {"connect_args": {"init_command": "SET innodb_lock_wait_timeout = 1"}},
}


def test_a_lock_that_is_never_released_ends_the_rotation(
    database: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time limit of the server is an error after a bounded number of attempts."""
    make_table(database)
    monkeypatch.setattr(transactions, "MAX_ATTEMPTS", 2)
    engine = sa.create_engine(database.url, **LOCKS[database.kind](database.url))
    with locked_row(database), pytest.raises(DatabaseError, match="2 times"):
        rotate(engine)
    assert rotate(engine).rewritten == 20
    engine.dispose()


def test_a_read_only_engine_can_make_a_dry_run(postgresql: Live) -> None:
    """A dry run and a census only read; a rotation is an error."""
    make_table(postgresql)
    engine = postgresql.another(execution_options={"postgresql_readonly": True})
    assert rotate(engine, dry_run=True).rewritten == 20
    with pytest.raises(DatabaseError, match=r"25006 .the transaction is read-only"):
        rotate(engine)
    engine.dispose()


def test_a_read_only_session_can_make_a_dry_run(mariadb: Live) -> None:
    """The same for a session of MariaDB."""
    make_table(mariadb)
    engine = mariadb.another(connect_args={"init_command": "SET SESSION TRANSACTION READ ONLY"})
    assert rotate(engine, dry_run=True).rewritten == 20
    with pytest.raises(DatabaseError, match=r"1792 .the transaction is read-only"):
        rotate(engine)
    engine.dispose()


def test_a_read_only_file_can_have_a_dry_run(sqlite: Live) -> None:
    """The same for a file that is opened for reading."""
    make_table(sqlite)
    path = sa.make_url(sqlite.url).database
    engine = sa.create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert rotate(engine, dry_run=True).rewritten == 20
    with pytest.raises(DatabaseError, match=r"SQLITE_READONLY .the database is read-only"):
        rotate(engine)
    engine.dispose()


def begin_itself(engine: sa.Engine) -> None:
    """Let SQLAlchemy begin the transactions of SQLite, as its documentation shows."""

    @sa.event.listens_for(engine, "connect")
    def connect(connection: Any, _: object) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")


MODES: dict[str, tuple[dict[str, Any], ...]] = {
    "sqlite": ({"isolation_level": "AUTOCOMMIT"}, {"connect_args": {"isolation_level": None}}),
    "postgresql": ({"isolation_level": "AUTOCOMMIT"}, {"connect_args": {"autocommit": True}}),
    "mariadb": ({"isolation_level": "AUTOCOMMIT"}, {"connect_args": {"autocommit": True}}),
}


@pytest.mark.parametrize("number", [0, 1])
def test_a_batch_is_one_transaction_also_with_autocommit(database: Live, number: int) -> None:
    """A rejected row undoes its batch, so the other rows do not count as conflicts after it."""
    database.run(f"CREATE TABLE t (id varchar(9) PRIMARY KEY, b {database.type_of('blob')})")
    database.insert("t", [{"id": f"{each:02}", "b": seal(b"%d" % each)} for each in range(20)])
    database.run(*REJECTIONS[database.kind])
    engine = database.another(**MODES[database.kind][number])
    report = rotate(engine)
    assert (report.rewritten, report.conflicts) == (19, 0)
    assert report.failed == {"rejected_by_database": 1}
    database.run("DROP TRIGGER reject" + (" ON t" if database.kind == "postgresql" else ""))
    assert rotate(engine).rewritten == 1
    assert [unseal(blob) for blob in database.blobs()] == [b"%d" % each for each in range(20)]
    with engine.connect() as connection:
        connection.exec_driver_sql("UPDATE t SET b = NULL WHERE id = '01'")
    engine.dispose()
    # The mode of the engine is unchanged.
    assert database.blobs()[1] is None


@pytest.mark.parametrize("options", MODES["sqlite"])
def test_a_trigger_that_undoes_the_transaction_rejects_its_row_alone(
    sqlite: Live, options: dict[str, Any]
) -> None:
    """A second ROLLBACK is an error, which must not replace that of the row."""
    make_table(sqlite)
    sqlite.run(REJECTIONS["sqlite"][0].replace("ABORT", "ROLLBACK").replace("'15'", "15"))
    engine = sqlite.another(**options)
    report = rotate(engine)
    assert (report.rewritten, report.failed) == (19, {"rejected_by_database": 1})
    engine.dispose()


@pytest.mark.usefixtures("no_pause")
def test_a_commit_that_fails_is_undone_and_repeated(sqlite: Live) -> None:
    """The transaction does not stay open in the connection."""
    make_table(sqlite)
    engine = sqlite.another(isolation_level="AUTOCOMMIT", pool_reset_on_return=None)
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *each: statements.append(each[2]))
    with failing(engine, [sqlite_error("SQLITE_BUSY")], "COMMIT"):
        report = rotate(engine)
    assert (report.rewritten, report.retried, report.conflicts) == (20, 1, 0)
    assert statements.count("BEGIN") == 2
    assert statements.count("ROLLBACK") == 1
    engine.dispose()


def test_an_error_that_a_trigger_invents_is_one_of_its_row(postgresql: Live) -> None:
    """A trigger can raise an error with a code of the program."""
    make_table(postgresql)
    function, trigger = REJECTIONS["postgresql"]
    function = function.replace("'no'", "'no' USING ERRCODE = 'KM001'")
    postgresql.run(function.replace("'15'", "15"), trigger)
    assert rotate(postgresql.engine).failed == {"rejected_by_database": 1}


REJECTIONS = {
    "sqlite": (
        (
            "CREATE TRIGGER reject BEFORE UPDATE ON t WHEN NEW.id = '15'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.id = '15' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$"
        ),
        "CREATE TRIGGER reject BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION reject()",
    ),
    "mariadb": (
        (
            "CREATE TRIGGER reject BEFORE UPDATE ON t FOR EACH ROW BEGIN"
            " IF NEW.id = '15' THEN SIGNAL SQLSTATE '45000'; END IF; END"
        ),
    ),
}


def test_sqlalchemy_may_begin_the_transactions_of_sqlite(sqlite: Live) -> None:
    """A listener that sends BEGIN is not disturbed by a second one."""
    make_table(sqlite)
    engine = sqlite.another()
    begin_itself(engine)
    assert rotate(engine).rewritten == 20
    engine.dispose()


def test_the_autocommit_of_python_may_be_used(sqlite: Live) -> None:
    """Python 3.12 and newer have an attribute of this name, with which `commit` does nothing."""
    make_table(sqlite)
    if not hasattr(sqlite3, "LEGACY_TRANSACTION_CONTROL"):
        pytest.skip("sqlite3 has no attribute autocommit before Python 3.12")
    engine = sqlite.another(connect_args={"autocommit": True})
    assert rotate(engine).rewritten == 20
    engine.dispose()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_connection_is_not_carried_over_a_fork(database: Live) -> None:
    """A new process must not use the connection of its parent, which stays usable."""
    make_table(database)
    assert len(key_ranges(database.engine, "t", 2)) == 2
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            rotate(database.engine)
        except DatabaseError as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(process, 0)
    os.close(writer)
    text = os.read(reader, 1000).decode()
    os.close(reader)
    assert "call engine.dispose(close=False) after the fork" in text
    assert rotate(database.engine).rewritten == 20


def test_a_connection_of_another_process_is_kept_but_not_used(database: Live) -> None:
    """It is not closed, because that would end it in the other process too."""
    make_table(database)
    with database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        connection.info["kmscore_process"] = -1
    with pytest.raises(DatabaseError, match="a connection of another process"):
        rotate(database.engine)
    cursor = driver.cursor()
    cursor.execute("SELECT count(*) FROM t")
    assert cursor.fetchone() == (20,)
    assert rotate(database.engine).rewritten == 20
    transactions._INHERITED.pop().close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_engine_without_connections_is_used(database: Live) -> None:
    """After `dispose(close=False)`, the new process opens its own connections."""
    make_table(database)
    assert len(key_ranges(database.engine, "t", 2)) == 2
    process = os.fork()
    if process == 0:
        code = 1
        try:
            database.engine.dispose(close=False)
            code = 0 if rotate(database.engine).rewritten == 20 else 2
        finally:
            os._exit(code)
    assert os.waitpid(process, 0)[1] == 0
    assert rotate(database.engine).skipped == 20


def test_an_engine_that_replaces_schemas_is_rejected(sqlite: Live) -> None:
    """Otherwise the table of another schema would be rotated, and nothing would remain."""
    make_table(sqlite)
    engine = sqlite.engine.execution_options(schema_translate_map={None: "tenant"})
    calls: list[Callable[[], object]] = [
        lambda: rotate(engine),
        lambda: key_ranges(engine, "t", 2),
        lambda: census_column(engine, KEYS, table="t", blob_column="b"),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="give the schema of the table"):
            call()


def test_an_unsupported_database_is_rejected() -> None:
    """Only three kinds are supported; the error names the other one."""
    engine = sa.create_mock_engine("sqlite://", print)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        rotate(engine)  # type: ignore[arg-type]
    other = sa.create_engine("sqlite://")
    other.dialect.name = "oracle"
    with pytest.raises(ValueError, match="engine of oracle"):
        rotate(other)
    other.dispose()

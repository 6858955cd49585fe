"""Errors, tracebacks and logs show no row, no ciphertext and no key."""

import base64
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import pytest
import sqlalchemy as sa
from support.databases import KEY_ID, KEYS, Live, seal

from kmscore.tables.database import (
    ColumnReport,
    DatabaseError,
    census_column,
    key_ranges,
    reencrypt_column,
)

ROW_KEY = "the-key-of-a-row"
TENANT = "the-tenant-of-a-row"

FAULTS = {
    "sqlite": (
        ("CREATE TRIGGER stop BEFORE UPDATE ON t BEGIN INSERT INTO missing VALUES (NEW.id); END"),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'row %% %%', NEW.id, NEW.b USING ERRCODE = '58000'; END $$"
        ),
        "CREATE TRIGGER stop BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stop()",
    ),
    "mariadb": (
        (
            "CREATE TRIGGER stop BEFORE UPDATE ON t FOR EACH ROW BEGIN"
            " INSERT INTO missing VALUES (NEW.id); END"
        ),
    ),
}


@pytest.fixture
def secrets(database: Live) -> list[str]:
    """Create a table `t`; return texts of its row that must be shown nowhere."""
    database.run(
        f"CREATE TABLE t (id varchar(40) PRIMARY KEY, b {database.type_of('blob')},"
        " tenant varchar(40))"
    )
    blob = seal(b"text", {"tenant": TENANT})
    database.insert("t", [{"id": ROW_KEY, "b": blob, "tenant": TENANT}])
    # The start of a blob is its header, which is public.
    return [
        ROW_KEY,
        TENANT,
        repr(blob)[-20:-1],
        blob.hex()[-20:],
        base64.b64encode(blob).decode()[-20:],
    ]


def rotate(engine: sa.Engine, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`."""
    return reencrypt_column(
        engine,
        KEYS,
        KEY_ID,
        **{"table": "t", "blob_column": "b", "context_columns": ["tenant"], **options},
    )


def _frames(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def shown_by(error: BaseException) -> str:
    """Return all that a reporter of errors can show: texts, chains, and variables of frames."""
    assert error.__cause__ is None
    assert error.__context__ is None
    variables = [
        repr(each.tb_frame.f_locals)
        for each in _frames(error.__traceback__)
        if "kmscore" in each.tb_frame.f_code.co_filename.split("site-packages")[-1]
        and "tests" not in each.tb_frame.f_code.co_filename
    ]
    assert variables
    return "\n".join([*traceback.format_exception(error), repr(error), str(error), *variables])


def test_an_error_of_a_write_shows_no_row(database: Live, secrets: list[str]) -> None:
    """The drivers quote the row, and SQLAlchemy the parameters."""
    database.run(*FAULTS[database.kind])
    with pytest.raises(DatabaseError) as caught:
        rotate(database.engine)
    shown = shown_by(caught.value)
    assert [secret for secret in secrets if secret in shown] == []
    with pytest.raises(sa.exc.DBAPIError) as original:
        database.run("UPDATE t SET b = b")
    assert original.value.orig is not None


CALLS: dict[str, Callable[[sa.Engine], object]] = {
    "range": lambda engine: rotate(engine, where="missing = 1", key_range=((ROW_KEY,), (TENANT,))),
    "census": lambda engine: census_column(
        engine,
        KEYS,
        table="t",
        blob_column="b",
        where="missing = 1",
        key_range=((ROW_KEY,), None),
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_error_of_a_read_shows_no_key(
    database: Live, secrets: list[str], call: Callable[[sa.Engine], object]
) -> None:
    """Keys of rows are parameters of a query; the caller's own variables still have them."""
    with pytest.raises(DatabaseError, match="where") as caught:
        call(database.engine)
    assert caught.value.__context__ is None
    assert [secret for secret in secrets if secret in str(caught.value)] == []


@contextmanager
def all_logs() -> Iterator[list[str]]:
    """Collect what any logger of SQLAlchemy or a driver writes, at every level."""
    lines: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Collect()
    logger = logging.getLogger()
    sqlalchemy = logging.getLogger("sqlalchemy")
    levels = logger.level, sqlalchemy.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    sqlalchemy.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(levels[0])
        sqlalchemy.setLevel(levels[1])


@pytest.mark.parametrize("echo", [False, "debug"])
def test_logs_show_no_row(database: Live, secrets: list[str], echo: Any) -> None:
    """SQLAlchemy logs parameters and rows; only the statements are logged here."""
    with all_logs() as lines:
        engine = database.another(echo=echo)
        assert rotate(engine, batch_rows=1).rewritten == 1
        assert len(key_ranges(engine, "t", 2)) == 1
        ours = "\n".join(lines)
        assert "UPDATE" in ours
        assert [secret for secret in secrets if secret in ours] == []
        with engine.connect() as connection:
            connection.execute(sa.text("SELECT id FROM t WHERE id = :id"), {"id": ROW_KEY})
            connection.execute(sa.text("SELECT id FROM t")).all()
        # The engine of the caller logs as before.
        assert ROW_KEY in "\n".join(lines)
        engine.dispose()


REJECTIONS = {
    "a check": ("ALTER TABLE t ADD CHECK (id = 'good' OR length(b) < 90) NOT VALID", None),
    "no right to update": (
        (
            "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION USING ERRCODE = '42501'; END $$;"
            " CREATE TRIGGER stop BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION stop()"
        ),
        "42501",
    ),
}


@pytest.mark.parametrize("case", REJECTIONS)
def test_rejected_writes_log_no_address(
    postgresql: Live, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    """The driver logs the host, user and database of a pipeline that ends with an error."""
    statement, code = REJECTIONS[case]
    postgresql.run("CREATE TABLE t (id varchar(40) PRIMARY KEY, b bytea)")
    blob = seal(b"x" * 40)
    postgresql.insert("t", [{"id": f"{number:03}", "b": blob} for number in range(200)])
    postgresql.run(statement)
    if code is None:
        report = rotate(postgresql.engine, context_columns=())
        assert report.failed == {"rejected_by_database": 200}
    else:
        with pytest.raises(DatabaseError, match=code):
            rotate(postgresql.engine, context_columns=())
    assert caplog.messages == []
    # The caller's own statements are logged as before.
    logging.getLogger("psycopg").warning("a line of the caller")
    assert caplog.messages == ["a line of the caller"]


def test_another_thread_logs_during_a_write(postgresql: Live) -> None:
    """Only the thread that writes drops the lines of psycopg."""
    postgresql.run("CREATE TABLE t (id int PRIMARY KEY, b bytea)")
    postgresql.insert("t", [{"id": 1, "b": seal()}])
    logger = logging.getLogger("psycopg")

    def log(*_: object) -> None:
        logger.warning("this thread")
        other = threading.Thread(target=logger.warning, args=("another thread",))
        other.start()
        other.join()

    engine = postgresql.another()
    sa.event.listen(engine, "before_cursor_execute", log)
    with all_logs() as lines:
        rotate(engine, context_columns=())
    assert "another thread" in lines
    assert "this thread" not in lines
    engine.dispose()


def test_the_report_shows_no_row(database: Live, secrets: list[str]) -> None:
    """The report has counts only; the key of a failed row goes to the callback alone."""
    keys: list[Any] = []
    report = rotate(database.engine, context_columns=(), on_failure=lambda key, _: keys.append(key))
    assert keys == [(ROW_KEY,)]
    assert [secret for secret in secrets if secret in repr(report)] == []


def test_an_error_of_the_callback_passes_unchanged(database: Live, secrets: list[str]) -> None:
    """An exception of the caller's function ends the rotation."""
    assert secrets

    class StopError(Exception):
        pass

    def stop(*_: object) -> None:
        raise StopError

    with pytest.raises(StopError):
        rotate(database.engine, on_batch=stop)
    with pytest.raises(StopError):
        rotate(database.engine, context_columns=(), verify=True, on_failure=stop)


def test_a_wrong_password_is_not_shown(database: Live) -> None:
    """A failed connection has only the class and the code of the error."""
    if database.kind == "sqlite":
        url = "sqlite:////nowhere/at-all/orders.db"
    else:
        url = str(
            sa.make_url(database.url)
            .set(username="nobody", password="secret", port=1)
            .render_as_string(hide_password=False)
        )
    engine = sa.create_engine(url)
    with pytest.raises(DatabaseError) as caught:
        rotate(engine)
    assert "secret" not in shown_by(caught.value)
    engine.dispose()

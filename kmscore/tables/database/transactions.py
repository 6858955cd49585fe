"""Short transactions on an engine: one read, or one write, each repeated if it may be."""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from kmscore.tables.database.errors import DatabaseError, Fault, fault_of

MAX_ATTEMPTS: Final = 10
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 1.0
_PROCESS: Final = "kmscore_process"

_INHERITED: Final[list[sa.Connection]] = []
"""Connections of another process. They are kept, because closing them would end them there."""

_Result = TypeVar("_Result")


class _Silence(threading.local):
    is_on = False


_silence = _Silence()
# Once for the process: to add and remove filters while other threads log would skip some.
logging.getLogger("psycopg").addFilter(lambda _: not _silence.is_on)

Rows = Sequence[Sequence[Any]]


class RejectedWrite(Exception):  # noqa: N818 (a result of a write, which the caller handles)
    """A write that the database rejected because of the values of a row."""


class Database:
    """An engine that shows no parameter and no row, and that counts repeated transactions."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        """Create the object; `name` is the table in messages."""
        self.engine: sa.Engine = _silent(engine)
        self.name: str = name
        self.retried: int = 0

    def error(self, reason: str) -> DatabaseError:
        """Return an error about the table."""
        return DatabaseError(f"table {self.name!r}: {reason}")

    def read(self, statement: sa.Executable, parameters: Mapping[str, Any] | None = None) -> Rows:
        """Return the rows of a query, and leave its transaction. Raises `DatabaseError`."""

        def work() -> Rows:
            with self._connect() as connection:
                return [tuple(row) for row in connection.execute(statement, parameters)]

        return self._succeed(work)

    def write(self, work: Callable[[sa.Connection], int]) -> int:
        """Return the result of one write transaction.

        Raises `RejectedWrite` if the database rejects the values of a row, and `DatabaseError`.
        """

        def transaction() -> int:
            with self._connect() as connection:
                return _in_transaction(connection, work)

        result = self._repeat(transaction)
        if isinstance(result, Fault):
            if result.is_of_row:
                raise RejectedWrite
            raise self._failure(result)
        return result

    def inspect(self, work: Callable[[sa.Inspector], _Result]) -> _Result:
        """Return the result of a function of the schema. Raises `DatabaseError`."""

        def reflect() -> _Result:
            with self._connect() as connection:
                return work(sa.inspect(connection))

        return self._succeed(reflect)

    def _succeed(self, work: Callable[[], _Result]) -> _Result:
        """Return the result of a transaction. Raises `DatabaseError`."""
        result = self._repeat(work)
        if isinstance(result, Fault):
            raise self._failure(result)
        return result

    def _failure(self, fault: Fault) -> DatabaseError:
        again = f", {MAX_ATTEMPTS} times" if fault.is_transient else ""
        return self.error(f"{fault}{again}")

    def _repeat(self, work: Callable[[], _Result]) -> _Result | Fault:
        """Return the result of a transaction, which is repeated after a transient fault."""
        fault = Fault("", None)
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                self.retried += 1
                time.sleep(min(_FIRST_PAUSE * 2 ** (attempt - 1), _LONGEST_PAUSE))
            try:
                with _without_lines_of_psycopg():
                    return work()
            except SQLAlchemyError as error:
                # The error has the statement and its parameters, so that it must not be chained.
                fault = fault_of(error)
            if not fault.is_transient:
                break
        return fault

    def _connect(self) -> sa.Connection:
        """Return a connection. Raises `DatabaseError` if it was opened before a fork.

        Two processes would then share one connection, which damages an SQLite database.
        """
        connection = self.engine.connect()
        if connection.info.setdefault(_PROCESS, os.getpid()) == os.getpid():
            return connection
        connection.detach()
        _INHERITED.append(connection)
        raise self.error(
            "a connection of another process; call engine.dispose(close=False) after the fork"
        )


def _silent(engine: sa.Engine) -> sa.Engine:
    """Return an engine with the same connections that logs neither parameters nor rows."""
    silent = engine.execution_options()
    silent.hide_parameters = True
    # `hide_parameters` does not hide the rows that SQLAlchemy logs with the level DEBUG.
    silent._should_log_debug = lambda: False  # type: ignore[method-assign] # noqa: SLF001
    return silent


@contextmanager
def _without_lines_of_psycopg() -> Iterator[None]:
    """Keep psycopg from logging the host, user and database of a connection in this thread.

    It does so for each error that ends a pipeline, and `executemany` always uses a pipeline.
    """
    before, _silence.is_on = _silence.is_on, True
    try:
        yield
    finally:
        _silence.is_on = before


def _in_transaction(connection: sa.Connection, work: Callable[[sa.Connection], _Result]) -> _Result:
    """Return the result of a function in a transaction, also if the driver commits by itself."""
    with connection.begin():
        if not _commits_by_itself(connection):
            return work(connection)
        connection.exec_driver_sql("BEGIN")
        try:
            result = work(connection)
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            # The database can have undone the transaction, and this error is of no interest.
            with suppress(SQLAlchemyError):
                connection.exec_driver_sql("ROLLBACK")
            raise
        return result


def _commits_by_itself(connection: sa.Connection) -> bool:
    """Return whether each statement of a new transaction would be committed by itself."""
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        # Without the mode of automatic commits, sqlite3 sends its own BEGIN before a change.
        return not driver.in_transaction and (
            driver.isolation_level is None or getattr(driver, "autocommit", None) is True
        )
    if hasattr(driver, "get_autocommit"):
        return bool(driver.get_autocommit())
    return getattr(driver, "autocommit", None) is True

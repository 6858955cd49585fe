"""The error of databases, without the texts of drivers and servers.

Servers and drivers quote rows, keys and parts of statements in their messages. Therefore only the
class and the code of an error are shown.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from kmscore.tables.errors import TableError
from kmscore.tables.first_rows import AllRowsFailedError

_Result = TypeVar("_Result")


class DatabaseError(TableError):
    """A column cannot be rotated, or the database rejected a statement.

    The text is one line with the name of the table and the reason. It contains no row, no
    ciphertext and no key.
    """


class AllFirstRowsFailedError(DatabaseError, AllRowsFailedError):
    """All of the first rows of a column failed."""


Code = str | int
"""An SQLSTATE, a number of MySQL and MariaDB, or a name of SQLite or of a class."""

_NO_RIGHT: Final = "permission denied: the user needs SELECT, and UPDATE for a rotation"

_MEANINGS: Final[dict[Code, str]] = {
    "08006": "the connection was lost",
    "25006": "the transaction is read-only",
    "42501": _NO_RIGHT,
    "42601": "a syntax error, for example in `where`",
    "42703": "no such column, for example in `where`",
    "42P01": "no such table, for example in `where`",
    "42883": "no such function or operator, for example in `where`",
    "53100": "the disk is full",
    "53300": "too many connections",
    "55P03": "a lock was not available",
    "57014": "the statement was cancelled, for example by a time limit",
    "57P01": "the server is shutting down",
    "40001": "a serialization failure",
    "40P01": "a deadlock",
    1044: "access denied",
    1045: "access denied",
    1049: "no such database",
    1054: "no such column, for example in `where`",
    1064: "a syntax error, for example in `where`",
    1142: _NO_RIGHT,
    1143: _NO_RIGHT,
    1146: "no such table, for example in `where`",
    1205: "a lock was not available",
    1213: "a deadlock",
    1290: "the server is read-only",
    1698: "access denied",
    1792: "the transaction is read-only",
    2003: "the server cannot be reached",
    2006: "the connection was lost",
    2013: "the connection was lost",
    "SQLITE_BUSY": "the database is locked",
    "SQLITE_CANTOPEN": "the file cannot be opened",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_ERROR": "an error in the statement, for example in `where` or `schema`",
    "ProgrammingError": "an error in the statement, for example in `where`",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_LOCKED": "the table is locked",
    "SQLITE_NOTADB": "the file is not a database",
    "SQLITE_READONLY": "the database is read-only",
}

_CONNECTING: Final = {
    "failed to resolve host": "the host is not known",
    "Connection refused": "no server at this host and port",
    "timeout expired": "the server did not answer in time",
    r'FATAL:  database ".*" does not exist': "no such database",
    r'FATAL:  role ".*" does not exist': "no such user",
    "password authentication failed": "a wrong password or user",
    "no password supplied": "the server requires a password",
    r"no pg_hba\.conf entry": "the server does not accept this user from this address",
    "does not support SSL": "the server does not support TLS",
    "server closed the connection": "the connection was lost",
    "the connection is lost": "the connection was lost",
}
"""Patterns in the texts of psycopg, which has no code for most errors of a connection."""

_TRANSIENT: Final[frozenset[Code]] = frozenset(
    {"40001", "40P01", "55P03", 1020, 1205, 1213, "SQLITE_BUSY", "SQLITE_LOCKED"}
)
"""Deadlocks, serialization failures and busy databases; the transaction can be repeated."""

_ROW_STATES: Final = ("22", "23", "44", *"IJKLMNOPQRSTUVWYZ")
"""Classes of SQLSTATE for a value, a constraint, a check option, or an error of a trigger.

A trigger can raise an error of any class, and programs have their own from the letter I on.
"""

_ROW_CODES: Final[frozenset[Code]] = frozenset(
    {1048, 1062, 1264, 1265, 1366, 1369, 1406, 1451, 1452, 1644, 3819, 4025, "SQLITE_CONSTRAINT"}
)
"""The same for MySQL, MariaDB and SQLite."""


def without_frames(work: Callable[[], _Result]) -> _Result:
    """Return the result of a function, or raise its `DatabaseError` without the frames.

    Error reporters show the variables of frames, and these have rows.
    """
    try:
        return work()
    except DatabaseError as error:
        failure = error.with_traceback(None)
    raise failure


class Fault(NamedTuple):
    """The class and the code of an error of the database."""

    kind: str
    code: Code | None
    meaning: str | None = None

    @property
    def is_transient(self) -> bool:
        """Whether the transaction can be repeated."""
        return self.code in _TRANSIENT

    @property
    def is_of_row(self) -> bool:
        """Whether the database rejected the values of a row."""
        code = self.code
        if isinstance(code, str) and not code.startswith("SQLITE"):
            return code.startswith(_ROW_STATES)
        return code in _ROW_CODES

    def __str__(self) -> str:
        """Return the class, the code and its meaning."""
        code = "" if self.code is None else f" {self.code}"
        return f"{self.kind}{code}" + (f" ({self.meaning})" if self.meaning else "")


def fault_of(error: SQLAlchemyError) -> Fault:
    """Return the class and the code of an error."""
    original = error.orig if isinstance(error, DBAPIError) else None
    if original is None:
        original = error
    kind, code = type(original).__name__, _code_of(original)
    return Fault(kind, code, _meaning_of(kind, code, str(original)))


def _meaning_of(kind: str, code: Code | None, text: str) -> str | None:
    """Return the meaning of an error; its text is only read if there is no code."""
    if code is not None:
        return _MEANINGS.get(code)
    # The text has a line for each address of the host.
    found = [words for pattern, words in _CONNECTING.items() if re.search(pattern, text)]
    return "; ".join(found) or _MEANINGS.get(kind)


def _code_of(error: BaseException) -> Code | None:
    """Return the code of a driver's error, without the extended part of SQLite."""
    first = error.args[0] if error.args else None
    if isinstance(first, int):
        # Before the SQLSTATE, which is the same for many errors of MySQL.
        return first
    name = getattr(error, "sqlite_errorname", None)
    if isinstance(name, str):
        return "_".join(name.split("_")[:2])
    state = getattr(error, "sqlstate", None)
    return state if isinstance(state, str) else None

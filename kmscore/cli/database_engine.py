"""The engine of a database, from a URL that is never shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from kmscore.cli.database_options import DatabaseUrl
from kmscore.cli.problems import FileProblem
from kmscore.tables.database.errors import fault_of

__all__ = ["Engine", "make_engine", "open_database"]

_EXAMPLE: Final = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or sqlite:///FILE"

_DRIVERS: Final = (
    "for PostgreSQL: pip install 'psycopg[binary]', with a URL of postgresql+psycopg://; for MySQL"
    " and MariaDB: pip install pymysql, with a URL of mysql+pymysql://"
)


def make_engine(url: DatabaseUrl) -> Engine:
    """Return an engine with one connection, which is checked before each use.

    A pause for `--max-rows-per-second` can be longer than a server keeps an idle connection.
    """
    return sa.create_engine(
        url.text, hide_parameters=True, pool_size=1, max_overflow=0, pool_pre_ping=True
    )


@contextmanager
def open_database(url: DatabaseUrl) -> Iterator[Engine]:
    """Give an engine whose database can be reached. Raises `FileProblem` otherwise."""
    engine = _engine_of(url)
    try:
        _connect(engine)
        yield engine
    finally:
        engine.dispose()


def _engine_of(url: DatabaseUrl) -> Engine:
    """Return an engine. Raises `FileProblem` for a wrong URL and for a missing driver."""
    _check(url)
    try:
        return make_engine(url)
    except ImportError as error:
        reason = f"the driver {error.name or 'of the URL'} cannot be loaded; {_DRIVERS}"
    except (SQLAlchemyError, ValueError, TypeError) as error:
        reason = f"the URL cannot be used ({type(error).__name__}); its form is {_EXAMPLE}"
    raise _problem(reason)


def _connect(engine: Engine) -> None:
    """Open the first connection. Raises `FileProblem`."""
    try:
        with engine.connect():
            return
    except SQLAlchemyError as error:
        words = str(fault_of(error))
    except (ImportError, OSError, TypeError, ValueError) as error:  # from options in the URL
        words = type(error).__name__
    raise _problem(
        f"it cannot be opened: {words}; check the host, port, database, user, password and options"
        " in the URL, in which a password has %40 for @ and %2F for /"
    )


def _check(url: DatabaseUrl) -> None:
    """Raise `FileProblem` for a text that is not a URL, and for a new database of SQLite."""
    try:
        parsed = sa.make_url(url.text)
    except (SQLAlchemyError, ValueError):  # a port that is not a number
        parsed = None
    if parsed is None:
        # Not in the handler: drivers and SQLAlchemy quote the URL in their errors.
        raise _problem(f"the URL cannot be read; its form is {_EXAMPLE}")
    if parsed.get_backend_name() != "sqlite" or str(parsed.database).startswith("file:"):
        return
    # SQLite would create the file.
    if parsed.host:
        raise _problem("sqlite:// needs a third slash before the name of the file: sqlite:///FILE")
    if parsed.database in {None, "", ":memory:"}:
        raise _problem("a database in memory is empty")
    if not Path(str(parsed.database)).is_file():
        raise _problem("the file of the SQLite database does not exist")


def _problem(reason: str) -> FileProblem:
    return FileProblem(f"the database: {reason}")

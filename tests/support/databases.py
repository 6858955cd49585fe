"""Databases for the tests: SQLite always, PostgreSQL and MariaDB where they are reachable.

`KMSCORE_TEST_POSTGRESQL` and `KMSCORE_TEST_MARIADB` are the URLs of the servers. A server in such a
variable must be reachable. Each test gets a schema or database of its own, which is dropped at its
end.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest
import sqlalchemy as sa

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey

SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
MARIADB: Final = "mariadb"
KINDS: Final = (SQLITE, POSTGRESQL, MARIADB)

_SERVERS: Final = {
    POSTGRESQL: (
        "KMSCORE_TEST_POSTGRESQL",
        "postgresql+psycopg://postgres@127.0.0.1:5432/postgres",
    ),
    MARIADB: ("KMSCORE_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/?charset=utf8mb4"),
}

KEY_ID: Final = "orders"
OLD, NEW, NEWER = (
    SymmetricKey(KEY_ID, f"v{number}", KeySpec.AES_256, bytes([number]) * 32)
    for number in (1, 2, 3)
)
BEFORE: Final = Keyring([OLD])
KEYS: Final = Keyring([OLD, NEW])


def seal(plaintext: bytes = b"text", context: Any = None, keys: Keyring = BEFORE) -> bytes:
    """Return a blob under the primary version of a keyring, by default the old one."""
    return kmscore.encrypt(keys, KEY_ID, plaintext, context).ciphertext_blob


def unseal(blob: bytes, context: Any = None) -> bytes:
    """Return the plaintext of a blob, which must be under the new version."""
    result = kmscore.decrypt(KEYS, blob, context)
    assert result.key_version_id == "v2"
    return result.plaintext


class Live(NamedTuple):
    """A database of one test."""

    kind: str
    url: str
    engine: sa.Engine

    def run(self, *statements: str) -> int:
        """Execute statements in one transaction; return the number of rows of the last one."""
        number = 0
        with self.engine.begin() as connection:
            for statement in statements:
                number = connection.exec_driver_sql(statement).rowcount
        return number

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows with the same columns, with the values as the driver takes them."""
        names = list(rows[0])
        quote = self.engine.dialect.identifier_preparer.quote_identifier
        mark = "?" if self.kind == SQLITE else "%s"
        text = (
            f"INSERT INTO {table} ({', '.join(map(quote, names))})"
            f" VALUES ({', '.join([mark] * len(names))})"
        )
        with self.engine.begin() as connection:
            connection.exec_driver_sql(text, [tuple(row[name] for name in names) for row in rows])

    def select(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def blobs(self, table: str = "t", column: str = "b", key: str = "id") -> list[bytes]:
        """Return the ciphertexts in the order of a key."""
        return [row[0] for row in self.select(f"SELECT {column} FROM {table} ORDER BY {key}")]

    def another(self, **options: Any) -> sa.Engine:
        """Return another engine of the same database; the caller disposes of it."""
        return engine_of(self.url, **options)

    def type_of(self, name: str) -> str:
        """Return the name of a type in this database: `blob`, `text` or `json`."""
        names = {
            POSTGRESQL: {"blob": "bytea"},
            MARIADB: {"text": "text character set utf8mb4"},
        }
        return names.get(self.kind, {}).get(name, name)


def engine_of(url: str, **options: Any) -> sa.Engine:
    """Return an engine; one of SQLite waits for a locked database and has a write-ahead log."""
    engine = sa.create_engine(url, **options)
    if engine.dialect.name == SQLITE:

        @sa.event.listens_for(engine, "connect")
        def configure(connection: Any, _: object) -> None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA busy_timeout = 20000")

    return engine


@contextmanager
def live(kind: str, folder: Path) -> Iterator[Live]:
    """Give a database of its own to a test; skip the test if the server is not reachable."""
    name = f"kmscore_{uuid4().hex}"
    url = _create(kind, folder, name)
    engine = engine_of(url)
    try:
        yield Live(kind, url, engine)
    finally:
        engine.dispose()
        if kind != SQLITE:
            _on_server(kind, _DROP[kind].format(name))


_CREATE: Final = {POSTGRESQL: "CREATE SCHEMA {}", MARIADB: "CREATE DATABASE {}"}
_DROP: Final = {POSTGRESQL: "DROP SCHEMA {} CASCADE", MARIADB: "DROP DATABASE {}"}


def missing_servers() -> list[str]:
    """Return the reason for each kind of server whose tests are skipped."""
    return [reason for kind in _SERVERS if (reason := _unreachable(kind)) is not None]


def _create(kind: str, folder: Path, name: str) -> str:
    """Create a schema or a database, and return its URL."""
    if kind == SQLITE:
        return f"sqlite:///{folder / name}.db"
    reason = _unreachable(kind)
    if reason is not None:
        pytest.skip(reason)
    _on_server(kind, _CREATE[kind].format(name))
    url = sa.make_url(_server(kind))
    if kind == POSTGRESQL:
        url = url.update_query_dict({"options": f"-csearch_path={name}"})
    else:
        url = url.set(database=name)
    return url.render_as_string(hide_password=False)


@cache
def _unreachable(kind: str) -> str | None:
    """Return the reason why a server cannot be used, or `None`.

    Raises:
        sqlalchemy.exc.DBAPIError: The URL of the server is in the environment, and the server is
            not reachable: the tests must not be skipped.
    """
    variable, _ = _SERVERS[kind]
    try:
        _on_server(kind, "SELECT 1")
    except (sa.exc.DBAPIError, ModuleNotFoundError) as error:
        if variable in os.environ:
            raise
        return f"{kind} is not reachable; set {variable} ({type(error).__name__})"
    return None


def _server(kind: str) -> str:
    variable, default = _SERVERS[kind]
    return os.environ.get(variable, default)


def _on_server(kind: str, statement: str) -> None:
    engine = sa.create_engine(_server(kind), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)

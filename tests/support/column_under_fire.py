"""One process of the tests under fire: a writer, or a rotation, of a table in a database.

Usage: column_under_fire.py ROLE URL ENCODING PATH. The writer writes to PATH what it committed. The
rotation writes its report to the standard output, and a line for each batch. With the role
`waiting`, it starts when it gets a line.
"""

import base64
import json
import os
import random
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

import kmscore
from kmscore import Keyring
from kmscore.tables.database import reencrypt_column, swap
from kmscore.tables.database.batches import Batches
from kmscore.tables.database.errors import fault_of

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.databases import BEFORE, KEY_ID, KEYS, engine_of

TENANTS = 50
TABLE = "t"
_INSERTS, _DELETES, _PAUSES = 0.15, 0.1, 0.3
"""The parts of the changes, and of the transactions that take longer."""


def make_table(is_base64: bool) -> sa.Table:
    """Return the table: blobs with the tenant of their context, which can be NULL."""
    return sa.Table(
        TABLE,
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("blob", sa.Text if is_base64 else sa.LargeBinary),
        sa.Column("tenant", sa.String(20)),
    )


def context_of(tenant: str | None) -> dict[str, str] | None:
    """Return the context of a row."""
    return None if tenant is None else {"tenant": tenant}


def row(keys: Keyring, number: int, tenant: str | None, plaintext: bytes, is_base64: bool) -> Any:
    """Return a row with a new blob."""
    blob = kmscore.encrypt(keys, KEY_ID, plaintext, context_of(tenant)).ciphertext_blob
    stored = base64.b64encode(blob).decode() if is_base64 else blob
    return {"id": number, "blob": stored, "tenant": tenant}


class Writer:
    """Changes the table at random, and knows what it must have after that."""

    def __init__(self, url: str, is_base64: bool) -> None:
        """Start with the plaintexts that are in the table."""
        self._engine = engine_of(url)
        self._is_base64 = is_base64
        self._table = make_table(is_base64)
        self._random = random.Random(5)
        with self._engine.connect() as connection:
            numbers = list(connection.execute(sa.select(self._table.c.id)).scalars())
        self.truth: dict[int, str] = {number: (b"%d" % number).hex() for number in numbers}
        self._next = max(numbers) + 1

    def _new(self, number: int) -> tuple[Any, str]:
        plaintext = os.urandom(8)
        keys = self._random.choice((BEFORE, KEYS))
        tenant = self._random.choice((None, f"t{self._random.randrange(TENANTS)}"))
        return row(keys, number, tenant, plaintext, self._is_base64), plaintext.hex()

    def step(self) -> None:
        """Commit up to 20 changes, or none if the database ends the transaction."""
        changes: dict[int, str | None] = {}
        try:
            with self._engine.begin() as connection:
                for _ in range(self._random.randint(1, 20)):
                    self._change(connection, changes)
                if self._random.random() < _PAUSES:
                    time.sleep(0.01)  # with its locks
        except DBAPIError as error:
            if not fault_of(error).is_transient:
                raise
            return
        self.truth |= {number: text for number, text in changes.items() if text is not None}
        for number, text in changes.items():
            if text is None:
                del self.truth[number]

    def _change(self, connection: sa.Connection, changes: dict[int, str | None]) -> None:
        """Insert, delete or update one row."""
        table, kind = self._table, self._random.random()
        if kind < _INSERTS:
            values, changes[self._next] = self._new(self._next)
            self._next += 1
            connection.execute(table.insert(), values)
            return
        number = self._random.randrange(self._next)
        if number in changes:
            return
        if kind < _INSERTS + _DELETES:
            if connection.execute(table.delete().where(table.c.id == number)).rowcount:
                changes[number] = None
            return
        values, text = self._new(number)
        if connection.execute(table.update().where(table.c.id == number).values(values)).rowcount:
            changes[number] = text


def write(url: str, is_base64: bool, path: Path) -> None:
    """Change the table until SIGTERM, and write the truth."""
    ended: list[object] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(None))
    writer = Writer(url, is_base64)
    print("ready", flush=True)
    while not ended:
        writer.step()
        time.sleep(0.005)  # so that a rotation gets the lock of SQLite
    path.write_text(json.dumps(writer.truth), "utf-8")


def _without_swap() -> None:
    """Write blobs whatever the row has, as the control of the test."""

    def parts(column: Any, names: list[str]) -> Any:
        return sa.update(column.table).where(
            *(key == sa.bindparam(name) for key, name in zip(column.keys, names, strict=False))
        )

    def blind(database: Any, column: Any) -> Any:
        del database

        def run(connection: sa.Connection, swaps: Any) -> int:
            statement = parts(column, ["p_key"]).values({column.target: sa.bindparam("p_new")})
            rows = [{"p_key": each[0], "p_new": each[-1]} for each in swaps]
            return connection.execute(statement, rows).rowcount

        return run

    swap._row_by_row = swap._joined = blind


def _slowly(seconds: float) -> None:
    """Wait between the read and the write of a batch, so that the writer gets between them."""
    original = Batches.reencrypt

    def reencrypt(self: Batches, rows: Any) -> Any:
        result = original(self, rows)
        time.sleep(seconds)
        return result

    Batches.reencrypt = reencrypt  # type: ignore[method-assign]


def rotate(url: str, is_base64: bool) -> None:
    """Rotate the table, and print the report."""
    engine = engine_of(url)
    report = reencrypt_column(
        engine,
        KEYS,
        KEY_ID,
        table=TABLE,
        blob_column="blob",
        encoding="base64" if is_base64 else "binary",
        context_columns=("tenant",),
        batch_rows=200,
        target_seconds=None,
        passes=4,
        on_batch=lambda _: print("batch", flush=True),
    )
    print(json.dumps(asdict(report)), flush=True)
    engine.dispose()


def main() -> None:
    """Run one role."""
    role, url, encoding, path = sys.argv[1:]
    is_base64 = encoding == "base64"
    if role == "writer":
        write(url, is_base64, Path(path))
        return
    if role == "control":
        _without_swap()
    if role == "waiting":
        print("ready", flush=True)
        sys.stdin.readline()
    _slowly(0.03)
    rotate(url, is_base64)


if __name__ == "__main__":
    main()

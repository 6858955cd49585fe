"""`python -m benchmarks.database --rows N --url URL`: the rotation of a column and its floor.

The benchmark creates two equal tables in the database of the URL (default: SQLite in a temporary
folder), and drops them at the end. Each row has a data key of 32 bytes, encrypted under the context
of its tenant. In each turn, one table is rotated to the next key version. In the other table, the
same statements read the same rows and write blobs of the same length, without cryptography: the
floor. The two take turns to be first. A ratio is the rate of the rotation divided by that of the
floor, the median of all turns. A call with nothing to do is a second call after a rotation. The
memory is the peak of a process that rotates the table once, and of one that rotates a tenth of it.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest import mock

import sqlalchemy as sa

import kmscore
from benchmarks.fixtures import DATA_KEY, KEY_ID, VERSION_ID
from kmscore import Keyring, KeySpec, Suite, SymmetricKey
from kmscore.tables.database import ColumnReport, reencrypt_column
from kmscore.tables.database.batches import Batches, Reencrypted
from kmscore.tables.database.transactions import Rows

LEAST: Final = {"postgresql": 0.65, "mysql": 0.7, "mariadb": 0.7, "sqlite": 0.45}
"""Minimum of the ratio, by the kind of database."""

LEAST_OF_NOTHING: Final = 50
"""Minimum of the time of a rotation divided by that of a pass with nothing to do."""

MOST_GROWTH: Final = 5_000_000
"""Maximum additional memory, in bytes, for ten times as many rows."""

_TENANTS: Final = 1000
_CHUNK: Final = 10_000
_TABLE: Final = "kmscore_benchmark"
_FLOOR: Final = "kmscore_benchmark_floor"
_KEY_ID: Final = KEY_ID.format("0001")

# The folder is last in the path, so that the installed package is measured.
_IN_CHILD: Final = f"""
import sys
sys.path.append({str(Path(__file__).resolve().parent.parent)!r})
from benchmarks.database import peak_of_rotation
print(peak_of_rotation(*sys.argv[1:3], *map(int, sys.argv[3:])))
"""


def keys_until(version: int, suite: Suite) -> Keyring:
    """Return a keyring whose primary version has a number, with all versions before it."""
    return Keyring(
        SymmetricKey(
            _KEY_ID,
            VERSION_ID.format(f"{number:05x}"),
            KeySpec.AES_256,
            bytes([number]) * 32,
            suite=suite,
        )
        for number in range(1, version + 1)
    )


def engine_of(url: str) -> sa.Engine:
    """Return an engine; SQLite has a write-ahead log, as on a live server."""
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def configure(connection: Any, _: object) -> None:  # noqa: ANN401 (of the driver)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")

    return engine


def _table(name: str) -> sa.Table:
    return sa.Table(
        name,
        sa.MetaData(),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("blob", sa.LargeBinary(400)),
        sa.Column("tenant", sa.String(20)),
    )


class Turn(NamedTuple):
    """The seconds of a rotation, of its floor, and of a call with nothing to do."""

    rotation: float
    floor: float
    nothing: float


class Tables(NamedTuple):
    """Two equal tables: one is rotated, and the other one has the same reads and writes."""

    engine: sa.Engine
    suite: Suite

    def fill(self, rows: int) -> None:
        """Create the tables with the same blobs of version 1."""
        keys = keys_until(1, self.suite)
        for name in (_TABLE, _FLOOR):
            _table(name).drop(self.engine, checkfirst=True)
            _table(name).create(self.engine)
        for start in range(0, rows, _CHUNK):
            chunk = []
            for number in range(start, min(rows, start + _CHUNK)):
                tenant = f"tenant-{number % _TENANTS}"
                blob = kmscore.encrypt(keys, _KEY_ID, DATA_KEY, {"tenant": tenant}).ciphertext_blob
                chunk.append({"id": number, "blob": blob, "tenant": tenant})
            with self.engine.begin() as connection:
                for name in (_TABLE, _FLOOR):
                    connection.execute(_table(name).insert(), chunk)

    def rotate(self, version: int, table: str = _TABLE, last: int | None = None) -> ColumnReport:
        """Rotate a table, or its rows up to a key, to a version."""
        return reencrypt_column(
            self.engine,
            keys_until(version, self.suite),
            _KEY_ID,
            table=table,
            blob_column="blob",
            context_columns=("tenant",),
            key_range=(None, None if last is None else (last,)),
        )

    def floor(self, version: int) -> ColumnReport:
        """Make the same reads and writes in the other table, without cryptography."""
        new = keys_until(version, self.suite).primary(_KEY_ID)
        header = new.header if isinstance(new, SymmetricKey) else b""

        def copy(batches: Batches, rows: Rows) -> Reencrypted:
            del batches
            end = len(header)
            swaps = [(*row, header + row[1][end:]) for row in rows]
            size = sum(len(row[1]) + len(row[2]) for row in rows)
            return Reencrypted(swaps, 0, 0, size)

        with mock.patch.object(Batches, "reencrypt", copy):
            return self.rotate(version, _FLOOR)

    def turns(self, rows: int, number: int) -> Iterator[Turn]:
        """Yield the times of each turn, to one version after another."""
        ways = {"rotation": self.rotate, "floor": self.floor}
        for turn in range(number):
            version = turn + 2
            seconds = {}
            for name in reversed(ways) if turn % 2 else ways:
                _tidy(self.engine)
                start = time.perf_counter()
                report = ways[name](version)
                seconds[name] = time.perf_counter() - start
                if report.rewritten != rows or report.remaining:
                    raise RuntimeError(f"the {name} is incomplete: {report}")
            _tidy(self.engine)
            start = time.perf_counter()
            self.rotate(version)
            yield Turn(**seconds, nothing=time.perf_counter() - start)


def _tidy(engine: sa.Engine) -> None:
    """Remove dead rows, which the turn before has left in PostgreSQL."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in (_TABLE, _FLOOR):
                connection.exec_driver_sql(f"VACUUM ANALYZE {name}")


def peak_of_rotation(url: str, suite: str, rows: int, version: int) -> int:
    """Return the peak memory of this process in bytes, after a rotation of the first rows."""
    engine = engine_of(url)
    report = Tables(engine, Suite[suite]).rotate(version, last=rows - 1)
    if report.rewritten != rows:
        raise RuntimeError(f"the rotation is incomplete: {report}")
    engine.dispose()
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def _peak(url: str, suite: Suite, rows: int, version: int) -> int:
    command = [sys.executable, "-P", "-c", _IN_CHILD, url, suite.name, str(rows), str(version)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own command)
    return int(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.database", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, metavar="N")
    parser.add_argument("--turns", type=int, default=3, metavar="N")
    parser.add_argument("--url", help="the URL of SQLAlchemy (default: SQLite)")
    suites = [suite.name for suite in Suite if suite.name.endswith("256_GCM")]
    parser.add_argument("--suite", choices=suites, default=Suite.AES_256_GCM.name)
    options = parser.parse_args(arguments)
    if min(options.rows, options.turns) < 1:
        parser.error("there must be at least one row and one turn")
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/benchmark.db"
        engine = engine_of(url)
        try:
            _measure(Tables(engine, Suite[options.suite]), url, options.rows, options.turns)
        finally:
            for name in (_TABLE, _FLOOR):
                _table(name).drop(engine, checkfirst=True)
            engine.dispose()
    return 0


def _measure(tables: Tables, url: str, rows: int, number: int) -> None:
    """Measure one database, and show the results."""
    kind = tables.engine.dialect.name
    tables.fill(rows)
    found = list(tables.turns(rows, number))
    ratio = statistics.median(each.floor / each.rotation for each in found)
    rate = rows / statistics.median(each.rotation for each in found)
    _show(
        f"{kind}, {rows:,} rows: {rate:,.0f} a second, {ratio:.2f} of the floor"
        f" (at least {LEAST[kind]})"
    )
    nothing = statistics.median(each.rotation / each.nothing for each in found)
    _show(f"a call with nothing to do: {nothing:.0f} x as fast (at least {LEAST_OF_NOTHING})")
    few = max(1, rows // 10)
    least = _peak(url, tables.suite, few, number + 2)
    most = _peak(url, tables.suite, rows, number + 3)
    _show(
        f"memory: {most / 1e6:.1f} MB for {rows:,} rows, {least / 1e6:.1f} MB for {few:,}"
        f" (at most {MOST_GROWTH / 1e6:.0f} MB more)"
    )


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""Rows that change between the read and the write of a rotation, and rows that are rejected."""

import base64
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from support.databases import BEFORE, KEY_ID, KEYS, POSTGRESQL, Live, seal, unseal

from kmscore import KeySpec, SymmetricKey
from kmscore.tables.database import ColumnReport, reencrypt_column
from kmscore.tables.database.batches import Batches

LEVELS = {
    "sqlite": ("SERIALIZABLE", "READ UNCOMMITTED"),
    "postgresql": ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"),
    "mariadb": ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"),
}


@pytest.fixture
def before_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Return a function that plans an action after the read of the first batch."""

    def plan(action: Callable[[], object]) -> None:
        original = Batches.reencrypt
        waiting = [action]

        def reencrypt(self: Batches, rows: Any) -> Any:
            if waiting:
                waiting.pop()()
            return original(self, rows)

        monkeypatch.setattr(Batches, "reencrypt", reencrypt)

    return plan


def rotate(database: Live, engine: sa.Engine | None = None, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`, whose context is in the column `tenant`."""
    return reencrypt_column(
        database.engine if engine is None else engine,
        KEYS,
        KEY_ID,
        **{"table": "t", "blob_column": "b", "context_columns": ("tenant",), **options},
    )


def make_table(database: Live, tenants: list[str | None], key: str = "id int") -> None:
    """Create a table `t` with a blob for each tenant."""
    database.run(
        f"CREATE TABLE t ({key} PRIMARY KEY, b {database.type_of('blob')},"
        f" tenant {database.type_of('text')})"
    )
    database.insert(
        "t",
        [
            {"id": number, "b": seal(b"old", context_of(tenant)), "tenant": tenant}
            for number, tenant in enumerate(tenants)
        ],
    )


def context_of(tenant: str | None) -> dict[str, str] | None:
    """Return the context of a row."""
    return None if tenant is None else {"tenant": tenant}


@pytest.mark.parametrize("key", ["id int", "id varchar(20)"])
def test_a_concurrent_write_is_never_lost(database: Live, before_write: Any, key: str) -> None:
    """Another blob, another context, NULL, a deletion: each stays, and counts as a conflict."""
    make_table(database, ["a", "a", None, None, "a", "a"], key)
    other, current = seal(b"new", {"tenant": "a"}), seal(b"new", {"tenant": "a"}, KEYS)

    def write() -> None:
        update = sa.text("UPDATE t SET b = :b, tenant = :tenant WHERE id = :id")
        with database.another().begin() as connection:
            for row in (
                {"id": "0", "b": other, "tenant": "a"},
                {"id": "1", "b": current, "tenant": "a"},
                {"id": "2", "b": other, "tenant": "a"},
                {"id": "4", "b": seal(b"new"), "tenant": None},
            ):
                connection.execute(update, row)
            connection.execute(sa.text("DELETE FROM t WHERE id = '5'"))
        connection.engine.dispose()

    before_write(write)
    report = rotate(database)
    assert (report.rewritten, report.conflicts, report.passes) == (4, 5, 2)
    assert (report.failed, report.remaining, report.skipped) == ({}, 0, 1)
    found = database.select("SELECT b, tenant FROM t ORDER BY id")
    plaintexts = [unseal(blob, context_of(tenant)) for blob, tenant in found]
    assert plaintexts == [b"new", b"new", b"new", b"old", b"new"]


def test_a_changed_context_alone_is_a_conflict(database: Live, before_write: Any) -> None:
    """The swap compares the contexts too: a blob must not be bound to a context that is gone."""
    make_table(database, ["a", None, "a"])
    before_write(
        lambda: database.run(
            "UPDATE t SET tenant = 'b' WHERE id = 0",
            "UPDATE t SET tenant = 'a' WHERE id = 1",
            "UPDATE t SET tenant = NULL WHERE id = 2",
        )
    )
    before = database.blobs()
    report = rotate(database)
    assert (report.rewritten, report.conflicts) == (0, 3)
    assert report.failed == {"decryption": 3}
    assert database.blobs() == before


@pytest.mark.parametrize("kind", ["text", "json"])
def test_a_whole_context_is_compared(database: Live, before_write: Any, kind: str) -> None:
    """The source and the destination column are compared as texts, also of type JSON."""
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')},"
        f" c {database.type_of(kind)}, d {database.type_of(kind)})"
    )
    row = {"b": seal(b"x", {"k": "1"}), "c": '{"k":"1"}', "d": '{"k":"2"}'}
    database.insert("t", [{"id": number, **row} for number in range(3)])
    before_write(
        lambda: database.run(
            """UPDATE t SET c = '{"k":"3"}' WHERE id = 0""",
            """UPDATE t SET d = '{"k":"4"}' WHERE id = 1""",
        )
    )
    report = rotate(
        database, context_columns=(), context_column="c", destination_context_column="d"
    )
    assert (report.rewritten, report.conflicts) == (2, 2)
    blobs = database.blobs()
    assert blobs[0] == row["b"]
    assert unseal(blobs[1], {"k": "4"}) == unseal(blobs[2], {"k": "2"}) == b"x"


COLLATIONS = {
    "sqlite": "text COLLATE NOCASE",
    "postgresql": "text COLLATE ci",
    "mariadb": "varchar(400) CHARACTER SET utf8mb4",
}


def test_a_collation_does_not_make_other_texts_equal(database: Live, before_write: Any) -> None:
    """Base64 and contexts in other letters of case, or with blanks, are other values."""
    kind = COLLATIONS[database.kind]
    if database.kind == POSTGRESQL:
        database.run(
            "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2',"
            " deterministic = false)"
        )
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {kind}, tenant {kind})")
    texts = [base64.b64encode(seal(b"x", {"tenant": "a"})).decode() for _ in range(4)]
    database.insert(
        "t", [{"id": number, "b": text, "tenant": "a"} for number, text in enumerate(texts)]
    )
    swapped = texts[0].swapcase()
    if database.kind != "sqlite":
        assert database.select(f"SELECT id FROM t WHERE b = '{swapped}'") == [(0,)]
    before_write(
        lambda: database.run(
            f"UPDATE t SET b = '{swapped}' WHERE id = 0",
            "UPDATE t SET tenant = 'A' WHERE id = 1",
            "UPDATE t SET tenant = 'a ' WHERE id = 2",
        )
    )
    report = rotate(database, encoding="base64")
    assert (report.rewritten, report.conflicts) == (1, 3)
    assert report.failed == {"decryption": 2, "invalid_blob": 1}
    assert database.blobs()[:3] == [swapped, texts[1], texts[2]]


@pytest.mark.parametrize("number", range(4))
def test_a_swap_is_right_at_every_isolation_level(
    database: Live, before_write: Any, number: int
) -> None:
    """A concurrent writer keeps its value, whatever the isolation level of the engine is."""
    levels = LEVELS[database.kind]
    if number >= len(levels):
        pytest.skip(f"{database.kind} has no more levels")
    make_table(database, ["a"] * 10)
    new = seal(b"new", {"tenant": "a"})

    def write() -> None:
        with database.engine.begin() as connection:
            connection.execute(sa.text("UPDATE t SET b = :b WHERE id = 3"), {"b": new})

    before_write(write)
    engine = database.another(isolation_level=levels[number])
    report = rotate(database, engine)
    engine.dispose()
    assert (report.rewritten, report.conflicts, report.remaining) == (10, 1, 0)
    found = [unseal(blob, {"tenant": "a"}) for blob in database.blobs()]
    assert found == [b"old"] * 3 + [b"new"] + [b"old"] * 6


def test_no_lock_is_held_while_a_batch_is_encrypted(database: Live, before_write: Any) -> None:
    """Between read and write, another connection can change the schema of the table."""
    make_table(database, ["a"] * 3)
    before_write(lambda: database.run("ALTER TABLE t ADD COLUMN later int"))
    assert rotate(database).rewritten == 3


def test_a_row_that_a_check_rejects_fails_alone(database: Live) -> None:
    """The other rows of its batch are written; the failed row stays in the count at the end."""
    size = len(seal(b"x"))
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')},"
        f" CHECK (id NOT IN (5, 11) OR length(b) < {size + 2}))"
    )
    longer = SymmetricKey(KEY_ID, "v-longer", KeySpec.AES_256, bytes(32))
    database.insert("t", [{"id": number, "b": seal(b"x")} for number in range(30)])
    told: list[Any] = []
    report = reencrypt_column(
        database.engine,
        BEFORE.with_version(longer),
        KEY_ID,
        table="t",
        blob_column="b",
        on_failure=lambda *each: told.append(each),
    )
    assert told == [((5,), "rejected_by_database"), ((11,), "rejected_by_database")]
    assert (report.rewritten, report.failed, report.conflicts, report.remaining) == (
        28,
        {"rejected_by_database": 2},
        0,
        2,
    )


TRIGGERS = {
    "sqlite": (
        (
            "CREATE TRIGGER reject BEFORE UPDATE ON t WHEN NEW.id = 5"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF NEW.id = 5 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$"
        ),
        "CREATE TRIGGER reject BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION reject()",
    ),
    "mariadb": (
        (
            "CREATE TRIGGER reject BEFORE UPDATE ON t FOR EACH ROW BEGIN"
            " IF NEW.id = 5 THEN SIGNAL SQLSTATE '45000'; END IF; END"
        ),
    ),
}


def test_a_row_that_a_trigger_rejects_fails_alone(database: Live) -> None:
    """An error of a trigger is one of its row."""
    make_table(database, ["a"] * 8)
    database.run(*TRIGGERS[database.kind])
    report = rotate(database)
    assert (report.rewritten, report.failed) == (7, {"rejected_by_database": 1})


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_a_longer_blob_is_never_cut(mariadb: Live, encoding: str) -> None:
    """Without the strict mode, MariaDB stores the first bytes of a value that is too long."""
    blob: Any = seal()
    kind = f"varbinary({len(blob)})"
    if encoding == "base64":
        blob = base64.b64encode(blob).decode()
        kind = f"varchar({len(blob)}) CHARACTER SET ascii"
    mariadb.run(f"CREATE TABLE t (id int PRIMARY KEY, b {kind})")
    mariadb.insert("t", [{"id": 1, "b": blob}])
    engine = mariadb.another(connect_args={"init_command": "SET sql_mode = ''"})
    keys = BEFORE.with_version(SymmetricKey(KEY_ID, "v-longer", KeySpec.AES_256, bytes(32)))
    with engine.connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cut = connection.execute(sa.text("UPDATE t SET b = :b"), {"b": f"{'x' * 999}"})
        assert cut.rowcount == 1
        connection.rollback()
    report = reencrypt_column(engine, keys, KEY_ID, table="t", blob_column="b", encoding=encoding)
    engine.dispose()
    assert (report.failed, report.remaining) == ({"does_not_fit": 1}, 1)
    assert mariadb.blobs() == [blob]


@pytest.mark.parametrize(("charset", "fits"), [("ucs2", 0), ("utf8mb4", 1)])
def test_the_length_of_a_small_text_depends_on_its_character_set(
    mariadb: Live, charset: str, fits: int
) -> None:
    """A TINYTEXT has 255 bytes, which are 127 characters in UCS-2."""
    blob = base64.b64encode(seal(b"")).decode()
    keys = BEFORE.with_version(SymmetricKey(KEY_ID, "v" * 50, KeySpec.AES_256, bytes(32)))
    mariadb.run(f"CREATE TABLE t (id int PRIMARY KEY, b tinytext) CHARACTER SET {charset}")
    engine = mariadb.another(connect_args={"init_command": "SET sql_mode = ''"})
    with engine.begin() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        connection.exec_driver_sql("INSERT INTO t VALUES (1, %s)", (blob,))
    schema = sa.make_url(mariadb.url).database
    before = mariadb.blobs()
    report = reencrypt_column(
        *(engine, keys, KEY_ID), table="t", schema=schema, blob_column="b", encoding="base64"
    )
    engine.dispose()
    assert report.rewritten == fits
    assert report.failed == ({} if fits else {"does_not_fit": 1})
    assert (mariadb.blobs() == before) is not bool(fits)


@pytest.mark.parametrize("kind", ["tinyblob", "binary"])
def test_a_blob_must_fit_small_and_fixed_columns(mariadb: Live, kind: str) -> None:
    """A TINYBLOB has 255 bytes, and BINARY adds zeros to a shorter value."""
    plaintext = bytes(150)
    blob = seal(plaintext)
    last = "v" * 80 if kind == "tinyblob" else "x"
    keys = BEFORE.with_version(SymmetricKey(KEY_ID, last, KeySpec.AES_256, bytes(32)))
    kind = kind if kind == "tinyblob" else f"binary({len(blob)})"
    mariadb.run(f"CREATE TABLE t (id int PRIMARY KEY, b {kind})")
    mariadb.insert("t", [{"id": 1, "b": blob}])
    report = reencrypt_column(mariadb.engine, keys, KEY_ID, table="t", blob_column="b")
    assert report.failed == {"does_not_fit": 1}
    assert mariadb.blobs() == [blob]


def test_a_blob_of_the_same_length_is_written_to_a_fixed_column(mariadb: Live) -> None:
    """BINARY(n) takes a blob of n bytes."""
    blob = seal()
    mariadb.run(f"CREATE TABLE t (id int PRIMARY KEY, b binary({len(blob)}))")
    mariadb.insert("t", [{"id": 1, "b": blob}])
    report = reencrypt_column(mariadb.engine, KEYS, KEY_ID, table="t", blob_column="b")
    assert report.rewritten == 1
    assert unseal(mariadb.blobs()[0]) == b"text"


def test_a_length_of_sqlite_is_no_limit(sqlite: Live) -> None:
    """SQLite ignores the length of a type."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b varchar(10))")
    sqlite.insert("t", [{"id": 1, "b": base64.b64encode(seal()).decode()}])
    report = reencrypt_column(
        sqlite.engine, KEYS, KEY_ID, table="t", blob_column="b", encoding="base64"
    )
    assert report.rewritten == 1


def test_a_time_of_the_last_change_can_be_preserved(mariadb: Live) -> None:
    """`preserve_columns` keeps a column with ON UPDATE CURRENT_TIMESTAMP."""
    for key in ("id int", "id varchar(9)"):
        mariadb.run(
            "DROP TABLE IF EXISTS t",
            f"CREATE TABLE t ({key} PRIMARY KEY, b blob, u timestamp NOT NULL"
            " DEFAULT current_timestamp ON UPDATE current_timestamp)",
        )
        for number, preserved in enumerate(([], ["u"])):
            mariadb.insert("t", [{"id": number, "b": seal(), "u": "2020-01-01 00:00:00"}])
            report = reencrypt_column(
                mariadb.engine, KEYS, KEY_ID, table="t", blob_column="b", preserve_columns=preserved
            )
            assert report.rewritten == 1
        years = [row[0].year for row in mariadb.select("SELECT u FROM t ORDER BY id")]
        assert years[0] > 2020
        assert years[1] == 2020


def test_many_large_rows_need_several_statements(mariadb: Live) -> None:
    """One statement has at most 500 rows and about 1 MiB."""
    mariadb.run("CREATE TABLE t (id int PRIMARY KEY, b blob)")
    mariadb.insert("t", [{"id": number, "b": seal(bytes(6000))} for number in range(400)])
    mariadb.insert("t", [{"id": number, "b": seal()} for number in range(1000, 2300)])
    report = reencrypt_column(
        mariadb.engine, KEYS, KEY_ID, table="t", blob_column="b", batch_rows=1500
    )
    assert (report.rewritten, report.remaining) == (1700, 0)


def test_a_batch_can_be_one_full_statement(mariadb: Live) -> None:
    """No empty statement follows."""
    mariadb.run("CREATE TABLE t (id int PRIMARY KEY, b blob)")
    mariadb.insert("t", [{"id": number, "b": seal()} for number in range(500)])
    report = reencrypt_column(mariadb.engine, KEYS, KEY_ID, table="t", blob_column="b")
    assert (report.rewritten, report.remaining) == (500, 0)


def test_an_engine_of_mariadb_has_the_same_result(mariadb: Live) -> None:
    """The URL can begin with `mariadb+pymysql`."""
    make_table(mariadb, ["a"] * 3)
    url = sa.make_url(mariadb.url).set(drivername="mariadb+pymysql")
    engine = sa.create_engine(url)
    assert rotate(mariadb, engine).rewritten == 3
    engine.dispose()

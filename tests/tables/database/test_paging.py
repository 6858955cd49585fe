"""Primary keys: the order of batches, the ranges of keys, and keys that are rejected."""

import uuid
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from support.databases import KEY_ID, KEYS, SQLITE, Live, seal
from support.samples import sampled_rows

from kmscore import Keyring
from kmscore.tables.database import (
    ColumnReport,
    DatabaseError,
    census_column,
    key_ranges,
    reencrypt_column,
)

_LETTERS = [
    f"{first}{second}{third}" for first in "aAäÄzZé-_ " for second in "ab." for third in "12"
]


def rotate(database: Live, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`, in batches of seven rows."""
    return reencrypt_column(
        database.engine,
        KEYS,
        KEY_ID,
        **{"table": "t", "blob_column": "b", "batch_rows": 7, "target_seconds": None, **options},
    )


def make_table(database: Live, kind: str, values: Sequence[Any]) -> None:
    """Create a table `t` with a key of a type, and a row for each value."""
    database.run(f"CREATE TABLE t (k {kind} PRIMARY KEY, b {database.type_of('blob')})")
    database.insert("t", [{"k": value, "b": seal()} for value in values])


PAGED = {
    "postgresql": {
        "uuid": [str(uuid.UUID(int=number << 100)) for number in range(30)],
        'text COLLATE "und-x-icu"': _LETTERS,
        'varchar(20) COLLATE "C"': _LETTERS,
        "char(5)": _LETTERS,
        "bigint": [-(2**63), *range(-9, 9), 2**63 - 1],
        "numeric": ["NaN", *(f"{number}.{number:03}" for number in range(30))],
        "double precision": [repr(1 / (number + 3)) for number in range(30)],
        "timestamptz": [f"2024-10-27 00:{number:02}:00.000001+00" for number in range(30)],
        "timestamp": [f"2024-10-27 00:{number:02}:00.000001" for number in range(30)],
        "date": [f"2024-01-{number:02}" for number in range(1, 30)],
        "bytea": [f"\\x{number * 7919 % 65536:04x}" for number in range(30)],
        "inet": [f"10.0.{number}.0/24" for number in range(30)],
        "boolean": ["t", "f"],
        "mood": list("bacdefghijklmnopq"),
        "word": _LETTERS,
    },
    "mariadb": {
        "varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin": _LETTERS,
        "varchar(20) CHARACTER SET utf8mb4": [f"{a}{b}" for a in "äzé- " for b in range(9)],
        "varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci": [
            *(f"ä{number}" for number in range(20)),
            *(f"b{number}" for number in range(20)),
        ],
        "bigint unsigned": [2**64 - 1 - number for number in range(20)],
        "tinyint": list(range(-9, 9)),
        "decimal(10, 3)": [f"{number}.125" for number in range(30)],
        "double": [repr(1 / (number + 3)) for number in range(30)],
        "datetime(6)": [f"2024-10-27 02:{number:02}:00.000001" for number in range(30)],
        "date": [f"2024-01-{number:02}" for number in range(1, 30)],
        "binary(16)": [uuid.UUID(int=number << 100).bytes for number in range(30)],
        "varbinary(16)": [bytes([number]) * (number % 5 + 1) for number in range(30)],
        "year": list(range(1990, 2010)),
    },
    "sqlite": {
        "integer": list(range(-9, 9)),
        "text COLLATE NOCASE": [text for text in _LETTERS if text == text.lower()],
        "text": _LETTERS,
        "real": [1 / (number + 3) for number in range(30)],
        "blob": [bytes([number]) for number in range(30)],
        "datetime": ["2024-01-01", "2024-01-01 10:00:00", 17, "x", *range(20, 40)],
        "": [1, "1", 1.5, b"1", "z", *range(2, 20), *map(str, range(2, 20))],
    },
}


@pytest.mark.parametrize(
    ("kind", "type_name"),
    sampled_rows(((kind, name) for kind, types in PAGED.items() for name in types), 3),
)
def test_batches_cover_every_row_once(
    request: pytest.FixtureRequest, kind: str, type_name: str
) -> None:
    """The order of the database is used, so the collation of a text does not matter."""
    database: Live = request.getfixturevalue(kind)
    if kind == "postgresql":
        letters = ", ".join(f"'{letter}'" for letter in PAGED[kind]["mood"])
        database.run(f"CREATE TYPE mood AS ENUM ({letters})", "CREATE DOMAIN word AS text")
    values = PAGED[kind][type_name]
    make_table(database, type_name, values)
    keys: list[Any] = []
    report = rotate(database, on_batch=lambda each: keys.append(each.last_key))
    assert (report.rewritten, report.conflicts, report.remaining) == (len(values), 0, 0)
    assert len(keys) == len(set(keys)) == -(-len(values) // 7)
    ranges = key_ranges(database.engine, "t", 3)
    counts = [
        census_column(database.engine, KEYS, table="t", blob_column="b", key_range=each).total
        for each in ranges
    ]
    assert sum(counts) == len(values)
    assert max(counts) - min(counts) <= 1


REJECTED = {
    "postgresql": {"real": "REAL", "interval": "INTERVAL", "time": "TIME", "money": "MONEY"},
    "mariadb": {
        "float": "FLOAT",
        "bit(8)": "BIT",
        "enum('b', 'a')": "ENUM",
        "set('b', 'a')": "SET",
        "timestamp": "TIMESTAMP",
        "time": "TIME",
    },
}


@pytest.mark.parametrize(
    ("kind", "type_name", "shown"),
    [(kind, *pair) for kind, types in REJECTED.items() for pair in types.items()],
)
def test_a_key_by_which_rows_have_no_order_is_rejected(
    request: pytest.FixtureRequest, kind: str, type_name: str, shown: str
) -> None:
    """The error names the column and the type, before a row is read."""
    database: Live = request.getfixturevalue(kind)
    blob = database.type_of("blob")
    database.run(f"CREATE TABLE t (i int, k {type_name}, b {blob}, PRIMARY KEY (i, k))")
    for call in (rotate, lambda each: key_ranges(each.engine, "t", 2)):
        with pytest.raises(DatabaseError, match=rf"'k' is of type {shown}"):
            call(database)


def test_a_key_of_an_unknown_type_is_rejected(postgresql: Live) -> None:
    """SQLAlchemy does not know every type."""
    postgresql.run("CREATE TABLE t (k pg_lsn PRIMARY KEY, b bytea)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DatabaseError, match="'k' is of type"):
            rotate(postgresql)


KEYS_OF_THREE = [(a, f"{b}", c) for a in range(4) for b in "aBé" for c in range(4)]


@pytest.mark.parametrize("order", ["x, y, z", "z, y, x", "y, x"])
def test_batches_cover_every_row_of_a_composite_key(database: Live, order: str) -> None:
    """Keys of two and three columns, of numbers and texts, in each order."""
    blob = database.type_of("blob")
    database.run(f"CREATE TABLE t (x int, y varchar(9), z int, b {blob}, PRIMARY KEY ({order}))")
    rows = [row for row in KEYS_OF_THREE if "z" in order or row[2] == 0]
    database.insert("t", [{"x": x, "y": y, "z": z, "b": seal()} for x, y, z in rows])
    ranges = key_ranges(database.engine, "t", 5)
    assert len(ranges) == 5
    reports = [rotate(database, key_range=each, batch_rows=2) for each in ranges]
    assert sum(each.rewritten for each in reports) == len(rows)
    assert {each.conflicts for each in reports} == {0}
    assert {each.remaining for each in reports} == {0}
    # All rows are read again, so that a row in two batches would count twice.
    assert rotate(database, verify=True, batch_rows=2).unchanged == len(rows)


def test_batches_cover_every_row_of_a_key_of_numbers(mariadb: Live) -> None:
    """Rows with a composite key of numbers are joined."""
    mariadb.run("CREATE TABLE t (x int, y bigint, b blob, PRIMARY KEY (x, y))")
    mariadb.insert("t", [{"x": x, "y": y, "b": seal()} for x in range(5) for y in range(-5, 5)])
    assert rotate(mariadb, batch_rows=3).rewritten == 50
    assert rotate(mariadb, batch_rows=3, verify=True).unchanged == 50


def test_few_rows_have_few_ranges(database: Live) -> None:
    """An empty table has one range, and no range is empty."""
    database.run(f"CREATE TABLE t (k int PRIMARY KEY, b {database.type_of('blob')})")
    assert key_ranges(database.engine, "t", 4) == [(None, None)]
    database.insert("t", [{"k": 5, "b": None}, {"k": 7, "b": None}])
    assert key_ranges(database.engine, "t", 4) == [(None, (5,)), ((5,), None)]
    with pytest.raises(ValueError, match="n must be positive"):
        key_ranges(database.engine, "t", 0)
    with pytest.raises(TypeError, match="table"):
        key_ranges(database.engine, 1, 2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="engine"):
        key_ranges("sqlite://", "t", 2)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="schema"):
        key_ranges(database.engine, "t", 2, schema=2)  # type: ignore[arg-type]


def test_rows_that_are_deleted_while_ranges_are_made_are_no_error(sqlite: Live) -> None:
    """There are fewer ranges then."""
    make_table(sqlite, "int", range(6))

    def delete(*arguments: Any) -> None:
        if "OFFSET" in arguments[2]:
            arguments[1].execute("DELETE FROM t WHERE k > 2")

    sa.event.listen(sqlite.engine, "before_cursor_execute", delete)
    assert key_ranges(sqlite.engine, "t", 3) == [(None, (1,)), ((1,), None)]


def test_a_range_needs_a_value_for_each_column(sqlite: Live) -> None:
    """A key of another length is an error, without its values."""
    sqlite.run("CREATE TABLE t (x int, y int, b blob, PRIMARY KEY (x, y))")
    with pytest.raises(DatabaseError, match="1 values in key_range"):
        rotate(sqlite, key_range=(None, (1,)))


@pytest.mark.parametrize("keys", ["k text PRIMARY KEY, i int", "k text, i int, PRIMARY KEY (i, k)"])
def test_null_in_a_key_of_sqlite_is_rejected(sqlite: Live, keys: str) -> None:
    """No batch would have such a row, because NULL is not before or after any key."""
    columns, _, constraint = keys.partition(", PRIMARY")
    text = f"{columns}, b blob" + (f", PRIMARY{constraint}" if constraint else "")
    sqlite.run(f"CREATE TABLE t ({text})")
    sqlite.insert("t", [{"k": None, "i": 1, "b": seal()}, {"k": "a", "i": 2, "b": seal()}])
    for call in (rotate, lambda each: key_ranges(each.engine, "t", 2)):
        with pytest.raises(DatabaseError, match="NULL in its primary key"):
            call(sqlite)


def test_a_row_that_is_read_twice_ends_a_rotation_and_a_census(database: Live) -> None:
    """A batch with the same last key twice would be read for ever."""
    make_table(database, "int", [1, 2])
    where = "1 = 1) OR (1 = 1"
    with pytest.raises(DatabaseError, match="a row is read twice"):
        rotate(database, where=where, verify=True)
    with pytest.raises(DatabaseError, match="a row is read twice"):
        census_column(database.engine, Keyring([]), table="t", blob_column="b", where=where)


def test_a_key_of_text_needs_a_connection_for_all_characters(mariadb: Live) -> None:
    """Other keys come back as question marks, after which the batches would begin again."""
    make_table(mariadb, "varchar(9) CHARACTER SET utf8mb4", ["a", "b", "c", "中", "文"])
    engine = sa.create_engine(sa.make_url(mariadb.url).update_query_dict({"charset": "latin1"}))
    with pytest.raises(DatabaseError, match="character set utf8mb4"):
        reencrypt_column(engine, KEYS, KEY_ID, table="t", blob_column="b", batch_rows=2)
    with pytest.raises(DatabaseError, match="character set utf8mb4"):
        key_ranges(engine, "t", 2)
    mariadb.run("ALTER TABLE t MODIFY k varbinary(9)")
    assert len(key_ranges(engine, "t", 2)) == 2
    engine.dispose()
    assert rotate(mariadb, verify=True).rewritten == 5


def test_a_table_must_exist_and_fit(database: Live) -> None:
    """The table, the columns and their types are checked; the error names them."""
    blob, text = database.type_of("blob"), database.type_of("text")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {blob}, c {text}, n int)",
        f"CREATE TABLE without_key (b {blob})",
        f"CREATE TABLE blob_key (b {'varbinary(9)' if database.kind == 'mariadb' else blob}"
        " PRIMARY KEY)",
        "CREATE VIEW v AS SELECT * FROM t",
    )
    for options, reason in (
        (
            {"table": "nothing"},
            "'nothing': there is no such table; in another schema, give the schema too",
        ),
        ({"table": "without_key"}, "there is no primary key"),
        ({"table": "blob_key"}, "'b' is part of the primary key"),
        ({"table": "v"}, "'v': a view"),
        ({"blob_column": "x"}, "no column 'x'; the columns are 'id', 'b', 'c', 'n'"),
        ({"context_columns": ("x",)}, "no column 'x'"),
        ({"destination_context_column": "x"}, "no column 'x'"),
        ({"preserve_columns": ("x",)}, "no column 'x'"),
        ({"preserve_columns": ("id",)}, "'id' is part of the primary key"),
    ):
        with pytest.raises(DatabaseError, match=reason):
            rotate(database, **options)
    if database.kind == SQLITE:
        return
    for options, reason in (
        (
            {"encoding": "base64"},
            "'b' is of type (BYTEA|BLOB), which does not fit the encoding 'base64'$",
        ),
        ({"blob_column": "c"}, "'c' is of type TEXT, .* 'binary'; give `encoding` base64$"),
        ({"blob_column": "n"}, "'n' is of type INTEGER"),
        ({"blob_column": "n", "encoding": "base64"}, "'n' is of type INTEGER"),
        ({"blob_column": "c", "encoding": "base64", "context_columns": ("b",)}, "is binary"),
    ):
        with pytest.raises(DatabaseError, match=reason):
            rotate(database, **options)


def test_a_generated_column_is_rejected(database: Live) -> None:
    """A generated column cannot be written."""
    blob = database.type_of("blob")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, a {blob}, b {blob} GENERATED ALWAYS AS (a) STORED)"
    )
    with pytest.raises(DatabaseError, match="'b' is generated"):
        rotate(database)

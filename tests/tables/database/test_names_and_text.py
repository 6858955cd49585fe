"""Names, conditions and contexts that SQL or a driver could read in another way."""

import base64
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from support.databases import KEY_ID, KEYS, MARIADB, POSTGRESQL, SQLITE, Live, live, seal, unseal
from support.samples import sampled, sampled_rows
from support.strategies import IDS

import kmscore
from kmscore import Keyring, KeySpec, SymmetricKey
from kmscore.tables.database import (
    ColumnReport,
    DatabaseError,
    census_column,
    key_ranges,
    reencrypt_column,
)
from kmscore.tables.database.predicates import base64_prefix


def rotate(database: Live, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`."""
    return reencrypt_column(
        database.engine, KEYS, KEY_ID, **{"table": "t", "blob_column": "b", **options}
    )


@given(IDS, IDS, st.binary(max_size=8), st.binary(min_size=40, max_size=60))
def test_a_prefix_of_base64_is_exact_to_the_bit(
    key_id: str, version_id: str, wrong: bytes, rest: bytes
) -> None:
    """It matches the Base64 of all bytes that begin with the header, and of no others."""
    header = SymmetricKey(key_id, version_id, KeySpec.AES_256, bytes(32)).header
    text, last = base64_prefix(header)

    def begins(data: bytes) -> bool:
        encoded = base64.b64encode(data).decode()
        following = encoded[len(text) : len(text) + 1]
        return encoded.startswith(text) and (not last or following in last)

    assert begins(header + rest)
    for bit in range(8):
        other = bytearray(header)
        other[-1] ^= 1 << bit
        assert not begins(bytes(other) + rest)
    assert begins(header[:-1] + wrong + rest) == (header[:-1] + wrong + rest).startswith(header)


@pytest.mark.parametrize("length", [1, 2, 3])
def test_versions_that_differ_in_their_last_bits_are_told_apart(
    database: Live, length: int
) -> None:
    """The Base64 of both headers has the same whole groups of three bytes."""
    key_id = "k" * length
    old, new = (SymmetricKey(key_id, name, KeySpec.AES_256, bytes(32)) for name in ("v1", "v2"))
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('text')})")
    both = Keyring([old, new])
    blobs = [base64.b64encode(kms_seal(Keyring([key]), key_id)).decode() for key in (old, new, old)]
    database.insert("t", [{"id": number, "b": blob} for number, blob in enumerate(blobs)])
    options: dict[str, Any] = {"table": "t", "blob_column": "b", "encoding": "base64"}
    counted = census_column(database.engine, both, **options)
    assert {name.key_version_id: found for name, found in counted.versions.items()} == {
        "v1": 2,
        "v2": 1,
    }
    report = reencrypt_column(database.engine, both, key_id, **options)
    assert (report.rewritten, report.skipped, report.remaining) == (2, 1, 0)


def kms_seal(keys: Keyring, key_id: str) -> bytes:
    """Return a blob of another key."""
    return kmscore.encrypt(keys, key_id, b"text").ciphertext_blob


@pytest.mark.parametrize("key_id", ["k" * 37, "k" * 95, "a%b_c\\'\"$", "%" * 37])
@pytest.mark.parametrize("kind", ["blob", "text"])
def test_bytes_of_a_header_are_no_wildcards(database: Live, key_id: str, kind: str) -> None:
    """A length of 37 is the byte `%`, and one of 95 is `_`."""
    old, new, other = (
        SymmetricKey(name, version, KeySpec.AES_256, bytes([number]) * 32)
        for number, (name, version) in enumerate(
            [(key_id, "1"), (key_id, "2"), (key_id[:-1] + "x", "2")]
        )
    )
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of(kind)})")
    blobs: list[Any] = [kms_seal(Keyring([key]), key.key_id) for key in (old, new, other)]
    if kind == "text":
        blobs = [base64.b64encode(blob).decode() for blob in blobs]
    database.insert("t", [{"id": number, "b": blob} for number, blob in enumerate(blobs)])
    report = reencrypt_column(
        database.engine,
        Keyring([old, new, other]),
        key_id,
        table="t",
        blob_column="b",
        encoding="base64" if kind == "text" else "binary",
    )
    assert (report.rewritten, report.skipped, report.remaining) == (2, 1, 0)


_OLD = sa.__version__.startswith("2.0.")
"""SQLAlchemy 2.0 takes `%(b)s` in a statement of SQLite for a parameter of its own."""

STRANGE = (
    "kms_0",
    "%(b)s",
    "%s",
    ":b",
    "?",
    "a b",
    'quo"te',
    "back`tick",
    "select",
    "nothing",
    "Ünicode",
)


@pytest.mark.parametrize("name", sampled(STRANGE, 3))
def test_names_are_quoted(database: Live, name: str) -> None:
    """Tables and columns can have names like parameters, words of SQL or with quotes."""
    if _OLD and database.kind == SQLITE and name == "%(b)s":
        pytest.skip("SQLAlchemy 2.0 takes this name for a parameter")
    if database.kind == MARIADB and name == "Ünicode":
        name = "ünicode"  # names of tables can be case-insensitive there
    if database.kind == MARIADB and "`" in name:
        pytest.skip("SQLAlchemy reads such names of columns from MariaDB with one quote too many")
    table = sa.Table(
        sa.sql.quoted_name(name, quote=True),
        sa.MetaData(),
        sa.Column(f"{name}k", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column(sa.sql.quoted_name(name, quote=True), sa.LargeBinary),
        sa.Column(f"{name}c", sa.String(20)),
        sa.Column(f"{name}p", sa.Integer),
    )
    table.create(database.engine)
    with database.engine.begin() as connection:
        connection.execute(
            table.insert().values([[number, seal(b"x", {"t": "a"}), "a", 7] for number in range(9)])
        )
    options: dict[str, Any] = {"table": name, "blob_column": name}
    report = rotate(
        database,
        **options,
        context_columns={"t": f"{name}c"},
        preserve_columns=[f"{name}p"],
        batch_rows=4,
    )
    assert (report.rewritten, report.failed, report.remaining) == (9, {}, 0)
    assert census_column(database.engine, KEYS, **options).total == 9
    assert len(key_ranges(database.engine, name, 3)) == 3
    with database.engine.connect() as connection:
        found = connection.execute(sa.select(table.c[name])).scalars().all()
    assert [unseal(blob, {"t": "a"}) for blob in found] == [b"x"] * 9


@pytest.mark.parametrize("key", ["id int", "id varchar(20)"])
def test_a_column_can_have_the_name_of_a_parameter(database: Live, key: str) -> None:
    """SQLAlchemy rejects some parameters with the name of a column that it sets."""
    names = [f"kms_{number}" for number in range(4)]
    database.run(
        f"CREATE TABLE t ({key} PRIMARY KEY, kms_0 {database.type_of('blob')},"
        f" kms_1 varchar(9), kms_2 int, kms__ int)"
    )
    database.insert("t", [{"id": 1, "kms_0": seal(b"x", {"kms_1": "a"}), "kms_1": "a", "kms_2": 1}])
    report = rotate(
        database,
        blob_column=names[0],
        context_columns=names[1:2],
        preserve_columns=["kms_2", "kms__"],
    )
    assert (report.rewritten, report.remaining) == (1, 0)


def test_a_schema_is_part_of_the_name(postgresql: Live) -> None:
    """A table of another schema, with quotes, partitions and a composite key, is rotated."""
    try:
        postgresql.run(
            'CREATE SCHEMA "We.ird"',
            'CREATE TABLE "We.ird"."T" (id int, p int, b bytea, PRIMARY KEY (id, p))'
            " PARTITION BY RANGE (p)",
            'CREATE TABLE "We.ird".p1 PARTITION OF "We.ird"."T" FOR VALUES FROM (0) TO (50)',
            'CREATE TABLE "We.ird".p2 PARTITION OF "We.ird"."T" FOR VALUES FROM (50) TO (100)',
        )
        postgresql.insert(
            '"We.ird"."T"', [{"id": each // 3, "p": each, "b": seal()} for each in range(90)]
        )
        options: dict[str, Any] = {"table": "T", "schema": "We.ird", "blob_column": "b"}
        assert rotate(postgresql, **options, batch_rows=7).rewritten == 90
        assert census_column(postgresql.engine, KEYS, **options).total == 90
        ranges = key_ranges(postgresql.engine, "T", 2, schema="We.ird")
        assert ranges == [(None, (14, 44)), ((14, 44), None)]
        with pytest.raises(DatabaseError, match="no such table"):
            rotate(postgresql, table="T")
    finally:
        postgresql.run('DROP SCHEMA IF EXISTS "We.ird" CASCADE')


def test_a_schema_of_mariadb_is_a_database(mariadb: Live, tmp_path: Any) -> None:
    """A table of another database is rotated, and one with partitions."""
    mariadb.run(
        "CREATE TABLE t (id int, p int, b blob, PRIMARY KEY (id, p))"
        " PARTITION BY RANGE (p) (PARTITION p1 VALUES LESS THAN (50),"
        " PARTITION p2 VALUES LESS THAN (100))"
    )
    mariadb.insert("t", [{"id": each // 3, "p": each, "b": seal()} for each in range(90)])
    schema = sa.make_url(mariadb.url).database
    with live(MARIADB, tmp_path) as other:
        assert rotate(other, schema=schema, batch_rows=7).rewritten == 90


CONDITIONS = (
    ("s LIKE 'a%'", 1),
    ("s LIKE '%x'", 1),
    ("s = '12:30'", 1),
    ("s = ' :b'", 1),
    ("s = '%(b)s'", 1),
    ("s = '?' OR s = '%s'", 2),
    ("s = 'b' -- and id = 99", 1),
    ("s = 'b' /* a comment */", 1),
    ("id < 2 OR id > 100", 2),
)


@pytest.mark.parametrize(("where", "number"), sampled_rows(CONDITIONS, 3))
def test_a_condition_is_taken_as_it_is(database: Live, where: str, number: int) -> None:
    """Percent signs, colons and question marks have no meaning, and a comment ends."""
    if _OLD and database.kind == SQLITE and "%(b)s" in where:
        pytest.skip("SQLAlchemy 2.0 takes this text for a parameter")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')}, s varchar(20))"
    )
    texts = ["a%:x", "12:30", " :b", "%(b)s", "?", "%s", "b"]
    database.insert("t", [{"id": each, "b": seal(), "s": text} for each, text in enumerate(texts)])
    options: dict[str, Any] = {"table": "t", "blob_column": "b", "where": where}
    assert census_column(database.engine, KEYS, **options).total == number
    assert rotate(database, where=where, batch_rows=1).rewritten == number
    assert rotate(database).rewritten == len(texts) - number


def test_a_cast_of_postgresql_is_no_parameter(postgresql: Live) -> None:
    """`::` is an operator there."""
    postgresql.run("CREATE TABLE t (id int PRIMARY KEY, b bytea)")
    postgresql.insert("t", [{"id": each, "b": seal()} for each in range(3)])
    assert rotate(postgresql, where="id::text = '1'").rewritten == 1


@pytest.mark.parametrize(
    "where",
    ["id = 1) --", "id = 1 /*", "id =", "nothing = 1", "id = 1;", "id = 1); DELETE FROM t --"],
)
def test_a_wrong_condition_is_an_error(database: Live, where: str) -> None:
    """The database rejects the statement; no row is changed."""
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')})")
    database.insert("t", [{"id": 1, "b": seal()}])
    before = database.blobs()
    with pytest.raises(DatabaseError, match="where"):
        rotate(database, where=where)
    assert database.blobs() == before


def test_a_value_that_a_condition_cannot_read_is_an_error(postgresql: Live) -> None:
    """It is an error of the query, and not of a row that is written."""
    postgresql.run("CREATE TABLE t (id int PRIMARY KEY, b bytea, s text)")
    postgresql.insert("t", [{"id": 1, "b": seal(), "s": "secret"}])
    with pytest.raises(DatabaseError) as caught:
        rotate(postgresql, where="s::int = 1")
    assert "22P02" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_types_of_the_program_do_not_run(database: Live) -> None:
    """A `TypeDecorator` could decode or decrypt the ciphertext; only the database is asked."""

    class Reversed(sa.TypeDecorator[bytes]):
        impl = sa.LargeBinary
        cache_ok = True

        def process_bind_param(self, value: bytes | None, dialect: Any) -> bytes | None:
            del dialect
            return None if value is None else value[::-1]

        def process_result_value(self, value: bytes | None, dialect: Any) -> bytes | None:
            del dialect
            return None if value is None else value[::-1]

    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("b", Reversed),
    )
    table.create(database.engine)
    database.insert("t", [{"id": 1, "b": seal()}])
    assert rotate(database).rewritten == 1
    assert unseal(database.blobs()[0]) == b"text"


@pytest.mark.parametrize("kind", ["text", "json", "jsonb"])
def test_a_context_of_json_is_read_as_text(database: Live, kind: str) -> None:
    """A driver's own objects lose repeated names, and take numbers for texts."""
    if kind == "jsonb" and database.kind != POSTGRESQL:
        pytest.skip("only PostgreSQL has jsonb")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')},"
        f" c {database.type_of(kind)})"
    )
    contexts = ['{"a":"é"}', '{"a":"1","a":"2"}', '{"a":1}', "[]", '"a"', "null", "{}"]
    contexts_of_blobs: list[Any] = [{"a": "é"}, {"a": "2"}, {"a": "1"}, None, None, None, None]
    database.insert(
        "t",
        [
            {"id": number, "b": seal(b"x", context), "c": text}
            for number, (text, context) in enumerate(zip(contexts, contexts_of_blobs, strict=True))
        ],
    )
    told: dict[int, str] = {}
    rotate(database, context_column="c", on_failure=lambda key, code: told.update({key[0]: code}))
    expected = dict.fromkeys((1, 2, 3, 4, 5), "invalid_context")
    if kind == "jsonb":
        del expected[1]  # the type itself removes the first value
    assert told == expected


def test_values_of_sqlite_that_are_not_bytes_fail_alone(sqlite: Live) -> None:
    """Numbers, texts and texts that are not UTF-8 are failed rows, and the others are written."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b blob, c text)")
    sqlite.insert(
        "t",
        [
            {"id": 1, "b": seal(), "c": None},
            {"id": 2, "b": 5, "c": None},
            {"id": 3, "b": "text", "c": None},
            {"id": 4, "b": seal(), "c": b"\xff"},
        ],
    )
    sqlite.run("UPDATE t SET c = CAST(c AS text) WHERE id = 4")
    report = rotate(sqlite, context_columns=("c",))
    assert report.rewritten == 1
    assert report.failed == {"invalid_blob": 2, "invalid_context": 1}
    report = rotate(sqlite, context_column="c", where="id = 4")
    assert report.failed == {"invalid_context": 1}


def test_texts_of_sqlite_that_are_not_base64_fail_alone(sqlite: Live) -> None:
    """A text that is not UTF-8 is one of them."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b text)")
    good = base64.b64encode(seal()).decode()
    sqlite.insert("t", [{"id": 1, "b": good}, {"id": 2, "b": b"\xff\xfe"}, {"id": 3, "b": "é"}])
    sqlite.run("UPDATE t SET b = CAST(b AS text)")
    report = rotate(sqlite, encoding="base64")
    assert (report.rewritten, report.failed) == (1, {"invalid_blob": 2})


def test_texts_of_sqlite_must_be_in_utf_8(sqlite: Live) -> None:
    """Otherwise their bytes are not those of the context, and each row would fail."""
    sqlite.engine.dispose()
    Path(sqlite.engine.url.database or "").unlink(missing_ok=True)
    engine = sa.create_engine(sqlite.url)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA encoding = 'UTF-16le'")
        connection.exec_driver_sql("CREATE TABLE t (id int PRIMARY KEY, b blob, c text)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1, ?, 'x')", (seal(),))
    engine.dispose()
    options: tuple[dict[str, Any], ...] = ({"encoding": "base64"}, {"context_columns": ("c",)})
    for each in options:
        with pytest.raises(DatabaseError, match="UTF-16le, UTF-8 required"):
            rotate(sqlite, **each)
    assert rotate(sqlite).rewritten == 1


def test_a_context_can_be_in_another_character_set(mariadb: Live) -> None:
    """Texts are compared and read as UTF-8, whatever the character set of the column is."""
    mariadb.run(
        "CREATE TABLE t (id int PRIMARY KEY, b varchar(300) CHARACTER SET ucs2,"
        " c varchar(30) CHARACTER SET latin1)"
    )
    mariadb.insert(
        "t",
        [{"id": 1, "b": base64.b64encode(seal(b"x", {"c": "é"})).decode(), "c": "é"}],
    )
    assert rotate(mariadb, encoding="base64", context_columns=("c",)).rewritten == 1
    assert rotate(mariadb, encoding="base64", context_columns=("c",)).skipped == 1


def test_a_context_of_other_types_is_its_text(database: Live) -> None:
    """The text is the one of the database."""
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')}, d date, e char(5))"
    )
    context = {"d": "2024-02-29", "e": "ab"}
    database.insert("t", [{"id": 1, "b": seal(b"x", context), "d": "2024-02-29", "e": "ab"}])
    assert rotate(database, context_columns=("d", "e")).rewritten == 1

"""The census of a column equals the census of its values."""

import base64
import tracemalloc
from typing import Any

import pytest
from support.databases import BEFORE, KEY_ID, KEYS, NEW, OLD, Live, seal
from support.strategies import symmetric_key

import kmscore
from kmscore import Keyring, KeyState, Suite, bulk
from kmscore.tables.database import DatabaseError, census_column, key_ranges


def blobs_of_all_kinds() -> list[bytes]:
    """Return blobs of known and unknown versions, and other bytes."""
    known = seal()
    other = Keyring([symmetric_key(Suite.SM4_GCM, "other", "1")])
    unknown = kmscore.encrypt(other, "other", b"x").ciphertext_blob
    short, long = known[: len(OLD.header) + 39], seal(bytes(6144))
    return [
        *([known] * 3),
        seal(keys=KEYS),
        unknown,
        short,
        long,
        known[:9],
        b"",
        b"KMS",
        bytes(7000),
        b"11111111-2222-3333-4444-555555555555" + bytes(40),
    ]


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_the_database_counts_as_the_library_does(database: Live, encoding: str) -> None:
    """Also for blobs that are too short, unknown versions, and the guesses of other bytes."""
    kind = database.type_of("blob" if encoding == "binary" else "text")
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {kind})")
    blobs = blobs_of_all_kinds()
    values: list[Any] = (
        list(blobs) if encoding == "binary" else [base64.b64encode(blob).decode() for blob in blobs]
    )
    database.insert("t", [{"id": number, "b": value} for number, value in enumerate(values)])
    database.insert("t", [{"id": 99, "b": None}])
    disabled = symmetric_key(Suite.SM4_GCM, "disabled", "1", state=KeyState.DISABLED)
    options: dict[str, Any] = {"table": "t", "blob_column": "b", "encoding": encoding}
    for keys in (KEYS, BEFORE, Keyring([disabled]), Keyring([])):
        counted = census_column(database.engine, keys, **options)
        assert counted == bulk.census(blobs)
    part = census_column(database.engine, KEYS, **options, where="id > 2", key_range=((4,), (5,)))
    assert part == bulk.census(blobs[5:6])
    ranges = key_ranges(database.engine, "t", 3)
    parts = [census_column(database.engine, KEYS, **options, key_range=each) for each in ranges]
    assert parts[0] + parts[1] + parts[2] == bulk.census(blobs)


_SERVICE_BLOB = b"11111111-2222-3333-4444-555555555555" + bytes(40)


@pytest.mark.parametrize("blob", [seal(), _SERVICE_BLOB], ids=["v1", "service"])
@pytest.mark.parametrize(
    ("encoding", "form", "advice"), [("binary", "Base64", "base64"), ("base64", "bytes", "binary")]
)
def test_first_values_in_the_other_encoding_are_an_error(
    sqlite: Live, blob: bytes, encoding: str, form: str, advice: str
) -> None:
    """Other databases declare the encoding. One other value among the first is not an error."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b)")
    text = base64.b64encode(blob).decode()
    value = text if encoding == "binary" else blob
    sqlite.insert("t", [{"id": number, "b": None if number < 3 else value} for number in range(20)])
    options: dict[str, Any] = {"table": "t", "blob_column": "b", "encoding": encoding}
    reason = f"table 't': column 'b' begins with ciphertexts in {form}; give `encoding` {advice}"
    with pytest.raises(DatabaseError, match=f"^{reason}$"):
        census_column(sqlite.engine, KEYS, **options)
    assert census_column(sqlite.engine, KEYS, **options, where="id < 3") == bulk.census([])
    sqlite.run("UPDATE t SET b = 'x' WHERE id = 18")
    assert census_column(sqlite.engine, KEYS, **options).other == 17


def test_the_first_values_are_not_read_whole(sqlite: Live) -> None:
    """One value can have a gigabyte, and 16 of them are looked at."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b)")
    sqlite.insert("t", [{"id": 0, "b": None}])
    sqlite.run("UPDATE t SET b = zeroblob(20000000)")
    tracemalloc.start()
    try:
        assert census_column(sqlite.engine, KEYS, table="t", blob_column="b").other == 1
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_another_provider_has_every_ciphertext_read(
    sqlite: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a keyring can name its key versions; the rows are read in batches."""
    monkeypatch.setattr("kmscore.tables.database.counting._BATCH_ROWS", 2)
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b blob)")
    sqlite.insert("t", [{"id": number, "b": seal()} for number in range(5)])

    class Store:
        def primary(self, key_id: str) -> kmscore.SymmetricKey:
            raise AssertionError(key_id)

        def version(self, key_id: str, key_version_id: str) -> kmscore.SymmetricKey:
            raise AssertionError(key_id, key_version_id)

    counted = census_column(sqlite.engine, Store(), table="t", blob_column="b")
    assert counted.keys == {KEY_ID: 5}


def test_a_key_that_is_not_symmetric_has_no_header(sqlite: Live, sm2_key: kmscore.Sm2Key) -> None:
    """A keyring can have other keys too."""
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b blob)")
    sqlite.insert("t", [{"id": 1, "b": seal(keys=KEYS)}])
    counted = census_column(sqlite.engine, Keyring([OLD, sm2_key, NEW]), table="t", blob_column="b")
    assert counted.versions == {(KEY_ID, "v2"): 1}


def test_wrong_arguments_of_a_census_are_rejected(sqlite: Live) -> None:
    """They are checked before the database is asked."""
    call: Any = census_column
    with pytest.raises(TypeError, match="engine"):
        call("sqlite://", KEYS, table="t", blob_column="b")
    with pytest.raises(TypeError, match="keys"):
        call(sqlite.engine, None, table="t", blob_column="b")
    with pytest.raises(ValueError, match="encoding"):
        call(sqlite.engine, KEYS, table="t", blob_column="b", encoding="hex")
    with pytest.raises(TypeError, match="where"):
        call(sqlite.engine, KEYS, table="t", blob_column="b", where=1)
    with pytest.raises(ValueError, match="key_range"):
        call(sqlite.engine, KEYS, table="t", blob_column="b", key_range=(None,))
    with pytest.raises(DatabaseError, match="no such table"):
        call(sqlite.engine, KEYS, table="t", blob_column="b")

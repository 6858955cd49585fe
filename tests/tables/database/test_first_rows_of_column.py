"""A rotation of a column stops if all of the first rows fail, and says the likely reason."""

from typing import Any

import pytest
from support.databases import BEFORE, KEY_ID, KEYS, NEW, Live, seal

from kmscore import Keyring, KeySpec, KeyState, SymmetricKey
from kmscore.tables.database import ColumnProgress, ColumnReport, DatabaseError, reencrypt_column
from kmscore.tables.database import passes as passes_of_columns

CONTEXT = {"tenant": "acme"}
OFF = SymmetricKey(KEY_ID, "v1", KeySpec.AES_256, bytes([1]) * 32, state=KeyState.DISABLED)
LONGER = SymmetricKey(KEY_ID, "v-longer", KeySpec.AES_256, bytes(32))


@pytest.fixture
def column(database: Live, monkeypatch: pytest.MonkeyPatch) -> Live:
    """Return a database with 20 rows; the first three or four of them are the first ones."""
    monkeypatch.setattr(passes_of_columns, "FIRST_ROWS", 3)
    blobs = [seal(b"text", CONTEXT) for _ in range(20)]
    kind = database.type_of("blob")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {kind}, tenant varchar(9), other {kind},"
        f" CHECK (length(b) <= {len(blobs[0])}))"
    )
    row = {"tenant": "acme", "other": b"text"}
    database.insert("t", [{"id": each, "b": blob, **row} for each, blob in enumerate(blobs)])
    return database


def rotate(database: Live, keys: Keyring = KEYS, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t` in batches of two."""
    names = {"table": "t", "blob_column": "b", "batch_rows": 2, "target_seconds": None}
    return reencrypt_column(database.engine, keys, KEY_ID, **{**names, **options})


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "no column of contexts": (
        {},
        "no column of contexts is given; the columns are 'id', 'b', 'tenant', 'other'",
    ),
    "wrong column of contexts": (
        {"context_columns": ["id"]},
        "the columns of contexts, or the keys, are probably wrong",
    ),
    "another column": (
        {"blob_column": "other"},
        (
            "column 'other' probably has no ciphertexts of this library, or has them in an encoding"
            " that is not read, such as hexadecimal"
        ),
    ),
    "old copy of the keyring": (
        {"keys": Keyring([NEW])},
        (
            "key versions are missing or not enabled: version v1 of key orders"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "disabled version": (
        {"keys": Keyring([OFF, NEW])},
        (
            "key versions are missing or not enabled: version v1 of key orders"
            "; `kmscore keys list` shows those of the keyring"
        ),
    ),
    "longer ciphertexts": (
        {"keys": BEFORE.with_version(LONGER), "context_columns": ["tenant"]},
        "the database rejects the new ciphertexts, for example in a CHECK or a trigger",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_rotation_stops_if_all_first_rows_fail(column: Live, case: str) -> None:
    """The error has the likely reason, and the remaining rows are not read."""
    options, reason = CASES[case]
    read: list[int] = []

    def count(now: ColumnProgress) -> None:
        read.append(now.rows)

    with pytest.raises(DatabaseError, match="'t': all of the first 4 rows fail") as caught:
        rotate(column, **options, on_batch=count)
    assert str(caught.value).endswith(f"): {reason}; --keep-going goes on")
    assert caught.value.__context__ is None
    assert read == [2, 4]
    assert sum(rotate(column, **options, keep_going=True).failed.values()) == 20


EXCEPTIONS: dict[str, tuple[dict[str, Any], int]] = {
    "a good row": ({"context_columns": ["tenant"]}, 19),
    "only these rows": ({"where": "id < 3"}, 3),
    "a row of an earlier call": ({}, 19),
    "a later range of keys": ({"key_range": ((0,), None)}, 19),
    "a first range of keys": ({"key_range": (None, (18,))}, 19),
}


@pytest.mark.parametrize("case", EXCEPTIONS)
def test_a_rotation_goes_on_otherwise(column: Live, case: str) -> None:
    """After an interruption, the same call can begin with the rows that failed before."""
    if case == "a good row":
        column.run("UPDATE t SET tenant = 'other' WHERE id <> 3")
    elif case == "a row of an earlier call":
        assert rotate(column, context_columns=["tenant"], where="id = 19").rewritten == 1
    options, failed = EXCEPTIONS[case]
    assert rotate(column, **options).failed == {"decryption": failed}


def test_newer_versions_and_empty_ciphertexts_do_not_stop_a_rotation(column: Live) -> None:
    """Nothing is wrong with the options if the first rows are newer, or have no ciphertext."""
    newer = {"keys": BEFORE.with_version(LONGER), "order": {KEY_ID: ["v-longer", "v1"]}}
    report = rotate(column, **newer, upgrade_only=True, context_columns=["tenant"])
    assert report.failed == {"incorrect_key": 20}
    column.run("UPDATE t SET b = '' WHERE id < 10")
    assert rotate(column, context_columns=["tenant"]).rewritten == 10


def test_the_report_names_unusable_key_versions(database: Live) -> None:
    """Each version that is missing or not enabled is named once, and at most 10 are."""
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')})")
    rows = [{"id": number, "b": seal()} for number in range(3)]
    database.insert("t", [*rows, {"id": 4, "b": b"damaged"}])
    for keys in (Keyring([NEW]), Keyring([OFF, NEW])):
        report = rotate(database, keys)
        assert report.unusable_versions == ((KEY_ID, "v1"),)
        assert (report + report).unusable_versions == ((KEY_ID, "v1"),)
    assert rotate(database).unusable_versions == ()
    for number in range(10, 22):
        version = SymmetricKey(KEY_ID, f"v{number}", KeySpec.AES_256, bytes(32))
        database.insert("t", [{"id": number, "b": seal(keys=Keyring([version]))}])
    assert len(rotate(database, Keyring([NEW])).unusable_versions) == 10

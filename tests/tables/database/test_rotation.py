"""The rotation of a column: the result of each row, the counts, and the options."""

import base64
import json
import math
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from support.databases import BEFORE, KEY_ID, KEYS, NEW, NEWER, OLD, Live, seal, unseal
from support.rows_by_outcome import RING, rows_by_outcome, text_of

import kmscore
from kmscore import Keyring, SymmetricKey
from kmscore.alibaba import Profile, VersionIndex
from kmscore.alibaba import encrypt as encrypt_as_service
from kmscore.errors import KeyNotFoundError, KeyStateError
from kmscore.tables.database import ColumnProgress, ColumnReport, key_ranges, reencrypt_column
from kmscore.tables.database.pace import Pace


def make_table(database: Live, number: int = 20, kind: str = "blob", **columns: str) -> None:
    """Create a table `t` with blobs of the old version, each with its number as plaintext."""
    more = "".join(f", {name} {kind}" for name, kind in columns.items())
    database.run(f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of(kind)}{more})")
    if number:
        is_text = kind != "blob"
        database.insert(
            "t",
            [
                {"id": each, "b": encoded(seal(b"%d" % each)) if is_text else seal(b"%d" % each)}
                for each in range(number)
            ],
        )


def encoded(blob: bytes) -> str:
    """Return a blob in Base64."""
    return base64.b64encode(blob).decode()


def rotate(database: Live, **options: Any) -> ColumnReport:
    """Rotate the column `b` of the table `t`."""
    return reencrypt_column(
        database.engine, KEYS, KEY_ID, **{"table": "t", "blob_column": "b", **options}
    )


def counts(report: ColumnReport) -> tuple[int, int, int, dict[str, int], int]:
    """Return the numbers of rewritten, skipped, unchanged, failed and remaining rows."""
    return (
        report.rewritten,
        report.skipped,
        report.unchanged,
        dict(report.failed),
        report.remaining,
    )


def test_each_row_has_the_result_of_a_rotation_of_a_table(database: Live) -> None:
    """Rows are rewritten, left or reported as in a file, and failed rows keep their bytes."""
    rows = [row for row in rows_by_outcome() if row.blob is not None]
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')},"
        f" c {database.type_of('text')})"
    )
    database.insert(
        "t",
        [
            {
                "id": number,
                "b": row.blob,
                "c": None if row.context is None else json.dumps(row.context),
            }
            for number, row in enumerate(rows)
        ],
    )
    failures: dict[str, str] = {}
    report = reencrypt_column(
        database.engine,
        RING,
        "orders",
        table="t",
        blob_column="b",
        context_column="c",
        verify=True,
        on_failure=lambda key, code: failures.update({rows[key[0]].name: code}),
    )
    assert failures == {row.name: row.error for row in rows if row.status == "failed"}
    assert sum(report.failed.values()) == len(failures)
    for row, blob in zip(rows, database.blobs(), strict=True):
        if row.status == "rewritten":
            text_of(bytes(blob), row.context)
        else:
            assert bytes(blob) == row.blob
    assert report.unchanged == len([row for row in rows if row.status == "unchanged"]) + len(
        [row for row in rows if row.status == "rewritten"]
    ) * (report.passes > 1)


@pytest.mark.parametrize("kind", ["blob", "text"])
def test_a_rotated_column_has_every_plaintext_under_the_new_version(
    database: Live, kind: str
) -> None:
    """All rows are rewritten in one pass, after which the database finds no other row."""
    make_table(database, 50, kind)
    encoding = "base64" if kind == "text" else "binary"
    report = rotate(database, batch_rows=7, encoding=encoding)
    assert counts(report) == (50, 0, 0, {}, 0)
    assert (report.passes, report.conflicts, report.retried) == (1, 0, 0)
    found = [base64.b64decode(blob) if kind == "text" else blob for blob in database.blobs()]
    assert [unseal(blob) for blob in found] == [b"%d" % each for each in range(50)]


@pytest.mark.parametrize("kind", ["blob", "text"])
def test_a_second_rotation_reads_no_row(database: Live, kind: str) -> None:
    """Rows under the destination version are skipped in the database, and counted there."""
    make_table(database, 12, kind)
    encoding = "base64" if kind == "text" else "binary"
    rotate(database, encoding=encoding)
    read: list[ColumnProgress] = []
    report = rotate(database, encoding=encoding, on_batch=read.append)
    assert read == []
    assert counts(report) == (0, 12, 0, {}, 0)
    assert report.passes == 0


def test_skipped_rows_are_authenticated_only_with_verify(database: Live) -> None:
    """A damaged blob under the destination version is skipped, and fails with `verify`."""
    make_table(database, 5)
    rotate(database)
    damaged = database.blobs()[3][:-1] + b"?"
    database.run("DELETE FROM t WHERE id = 3")
    database.insert("t", [{"id": 3, "b": damaged}])
    assert counts(rotate(database)) == (0, 5, 0, {}, 0)
    assert counts(rotate(database, verify=True)) == (0, 0, 4, {"decryption": 1}, 0)


def test_a_dry_run_writes_nothing(database: Live) -> None:
    """A dry run counts the rows that would be rewritten, in one pass, and changes no byte."""
    make_table(database, 9)
    before = database.blobs()
    report = rotate(database, dry_run=True)
    assert counts(report) == (9, 0, 0, {}, 9)
    assert report.passes == 1
    assert database.blobs() == before


def test_rows_without_a_ciphertext_are_left_out(database: Live) -> None:
    """NULL stays NULL, and such a row is in no count."""
    make_table(database, 3)
    database.insert("t", [{"id": 7, "b": None}])
    assert counts(rotate(database)) == (3, 0, 0, {}, 0)
    assert database.blobs()[-1] is None


def test_the_columns_of_a_context_are_its_pairs(database: Live) -> None:
    """Names or a mapping give the pairs, numbers are text, and NULL leaves a pair out."""
    text = database.type_of("text")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')}, tenant {text}, n int)"
    )
    contexts: list[dict[str, str]] = [{"tenant": "é", "shard": "7"}, {"shard": "-1"}, {}]
    database.insert(
        "t",
        [
            {
                "id": number,
                "b": seal(b"text", context),
                "tenant": context.get("tenant"),
                "n": int(context["shard"]) if "shard" in context else None,
            }
            for number, context in enumerate(contexts)
        ],
    )
    report = rotate(database, context_columns={"tenant": "tenant", "shard": "n"})
    assert counts(report) == (3, 0, 0, {}, 0)
    for blob, context in zip(database.blobs(), contexts, strict=True):
        assert unseal(blob, context) == b"text"
    # Under the names of the columns, the contexts are others.
    names = rotate(database, context_columns=("tenant", "n"), verify=True)
    assert counts(names) == (0, 0, 1, {"decryption": 2}, 0)


def test_repeated_contexts_have_the_results_of_single_ones(
    sqlite: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contexts are kept, up to a limit; invalid ones fail each time, after an invalid blob."""
    monkeypatch.setattr("kmscore.tables.database.items._CONTEXTS", 3)
    sqlite.run("CREATE TABLE t (id int PRIMARY KEY, b blob, tenant text)")
    rows = [
        {"id": each, "b": seal(b"%d" % each, {"tenant": f"t{each % 5}"}), "tenant": f"t{each % 5}"}
        for each in (0, 0, 0, 1, 1, 1, 2, 3, 4, 0, 0, 0)
    ]
    rows = [{**row, "id": number} for number, row in enumerate(rows)]
    wrong = [{"id": 20 + each, "b": seal(), "tenant": b"\xff"} for each in range(3)]
    broken = [{"id": 30 + each, "b": b"KMS", "tenant": b"\xff"} for each in range(3)]
    sqlite.insert("t", [*rows, *wrong, *broken])
    report = rotate(sqlite, context_columns=("tenant",))
    assert report.rewritten == 12
    assert report.failed == {"invalid_blob": 3, "invalid_context": 3}
    for blob, row in zip(sqlite.blobs(), rows, strict=False):
        assert unseal(blob, {"tenant": row["tenant"]})


def test_a_change_of_contexts_reads_all_rows_and_is_harmless_twice(database: Live) -> None:
    """Rows get the new context, or keep theirs without a value; a second call changes no byte."""
    text = database.type_of("text")
    database.run(
        f"CREATE TABLE t (id int PRIMARY KEY, b {database.type_of('blob')}, c {text}, d {text})"
    )
    old, new = '{"tenant":"a"}', '{"tenant":"b"}'
    database.insert(
        "t",
        [
            {"id": 0, "b": seal(b"0", {"tenant": "a"}), "c": old, "d": new},
            {"id": 1, "b": seal(b"1", {"tenant": "a"}, KEYS), "c": old, "d": new},
            {"id": 2, "b": seal(b"2", {"tenant": "a"}), "c": old, "d": None},
            {"id": 3, "b": seal(b"3"), "c": None, "d": "{}"},
        ],
    )
    options = {"context_column": "c", "destination_context_column": "d"}
    assert counts(rotate(database, **options)) == (4, 0, 4, {}, 0)
    blobs = database.blobs()
    contexts: list[Any] = [{"tenant": "b"}, {"tenant": "b"}, {"tenant": "a"}, None]
    for number, (blob, context) in enumerate(zip(blobs, contexts, strict=True)):
        assert unseal(blob, context) == b"%d" % number
    assert counts(rotate(database, **options)) == (0, 0, 4, {}, 0)
    assert database.blobs() == blobs


def test_a_failed_row_is_reported_once_and_stays(database: Live) -> None:
    """The callback gets key and code once, although two passes read the row."""
    make_table(database, 6)
    database.insert("t", [{"id": 90, "b": b"KMS"}, {"id": 91, "b": b""}])
    told: list[tuple[tuple[Any, ...], str]] = []
    report = rotate(database, batch_rows=2, on_failure=lambda *each: told.append(each))
    assert told == [((90,), "invalid_blob"), ((91,), "invalid_blob")]
    assert counts(report) == (6, 0, 0, {"invalid_blob": 2}, 2)
    assert report.passes == 2


def test_more_failures_than_are_remembered_are_reported_in_each_pass(
    sqlite: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of keys that are remembered has a limit."""
    monkeypatch.setattr("kmscore.tables.database.failures._MOST_KEYS", 1)
    make_table(sqlite, 1)
    sqlite.insert("t", [{"id": 90, "b": b"KMS"}, {"id": 91, "b": b""}])
    told: list[Any] = []
    rotate(sqlite, on_failure=lambda key, _: told.append(key[0]))
    assert told == [90, 91, 91]


def test_the_range_of_keys_limits_reads_and_counts(database: Live) -> None:
    """Ranges of keys cover the table exactly once, and their reports add up."""
    make_table(database, 23)
    ranges = key_ranges(database.engine, "t", 4)
    assert len(ranges) == 4
    assert (ranges[0][0], ranges[-1][1]) == (None, None)
    reports = [rotate(database, key_range=each, batch_rows=4) for each in ranges]
    assert [each.rewritten for each in reports] == [5, 6, 6, 6]
    assert [each.skipped for each in reports] == [0, 0, 0, 0]
    total = reports[0] + reports[1] + reports[2] + reports[3]
    assert counts(total) == (23, 0, 0, {}, 0)
    assert total.passes == 1
    with pytest.raises(TypeError):
        total + 1  # type: ignore[operator]


def test_the_report_of_two_ranges_adds_their_failures(sqlite: Live) -> None:
    """Failures of one code are added."""
    make_table(sqlite, 0)
    sqlite.insert("t", [{"id": 1, "b": b"x"}, {"id": 2, "b": b"y"}])
    first, second = (rotate(sqlite, key_range=each) for each in key_ranges(sqlite.engine, "t", 2))
    assert (first + second).failed == {"invalid_blob": 2}


def test_a_condition_selects_the_rows(database: Live) -> None:
    """Only selected rows are rewritten and counted."""
    make_table(database, 10)
    assert counts(rotate(database, where="id % 2 = 0 OR id = 1")) == (6, 0, 0, {}, 0)
    read: list[int] = []
    report = rotate(database, on_batch=lambda each: read.append(each.batch_rows))
    assert counts(report) == (4, 6, 0, {}, 0)
    assert read == [4]


def test_the_progress_is_reported_after_each_batch(database: Live) -> None:
    """Rows, passes and keys grow in the order of the table."""
    make_table(database, 10)
    seen: list[ColumnProgress] = []
    rotate(database, batch_rows=4, target_seconds=None, on_batch=seen.append)
    assert [each.batch_rows for each in seen] == [4, 4, 2]
    assert [each.rows for each in seen] == [each.rewritten for each in seen] == [4, 8, 10]
    assert [each.last_key for each in seen] == [(3,), (7,), (9,)]
    assert {each.pass_number for each in seen} == {1}
    assert all(each.seconds > 0 for each in seen)


def test_a_limit_of_rows_per_second_slows_the_rotation(sqlite: Live) -> None:
    """The duration is at least rows divided by the limit."""
    make_table(sqlite, 20)
    assert rotate(sqlite, batch_rows=5, rows_per_second=100).seconds >= 0.2


@pytest.mark.parametrize(("limit", "rows"), [(20.5, 20), (0.5, 1), (math.inf, 1000), (None, 1000)])
def test_a_batch_has_at_most_the_rows_of_one_second(limit: float | None, rows: int) -> None:
    """A larger batch would be a burst, and a long pause after it."""
    pace = Pace(1000, 0.5, limit)
    assert pace.rows == rows
    pace.learn(rows, rows, 0.5)
    assert pace.rows == rows
    pace.learn(rows, rows, 0.01)
    assert pace.rows == (rows if rows < 1000 else 2000)


def test_upgrade_only_rejects_newer_versions(sqlite: Live) -> None:
    """A blob of a newer version fails, with the order of the keyring or a given order."""
    make_table(sqlite, 1)
    keys = Keyring([OLD, NEW, NEWER], primary={KEY_ID: "v2"})
    sqlite.insert("t", [{"id": 9, "b": seal(keys=Keyring([NEWER]))}])
    for more in ({}, {"order": {KEY_ID: ["v1", "v2", "v3"]}}):
        report = reencrypt_column(
            sqlite.engine, keys, KEY_ID, table="t", blob_column="b", upgrade_only=True, **more
        )
        assert report.failed == {"incorrect_key": 1}
        assert report.remaining == 1


def test_blobs_of_the_service_become_v1_blobs(database: Live) -> None:
    """`source_profile` reads the layout of the service; a second call skips the results."""
    version = "11111111-2222-3333-4444-555555555555"
    source = SymmetricKey(
        "k", version, kmscore.KeySpec.AES_256, bytes(32), suite=kmscore.Suite.AES_256_GCM
    )
    keys = Keyring([source, OLD])
    blob = encrypt_as_service(
        VersionIndex(keys), "k", b"text", profile=Profile.ALIBABA
    ).ciphertext_blob
    make_table(database, 0)
    database.insert("t", [{"id": 1, "b": blob}])
    for expected in ((1, 0), (0, 1)):
        report = reencrypt_column(
            database.engine,
            keys,
            KEY_ID,
            table="t",
            blob_column="b",
            source_profile=Profile.ALIBABA,
        )
        assert (report.rewritten, report.skipped) == expected
    assert kmscore.decrypt(BEFORE, database.blobs()[0]).plaintext == b"text"


def test_the_destination_stays_the_same_while_another_version_becomes_primary(
    sqlite: Live,
) -> None:
    """The primary version is requested at the start, and not for each batch."""
    make_table(sqlite, 6)

    class Store:
        def __init__(self) -> None:
            self.asked = 0

        def primary(self, key_id: str) -> SymmetricKey:
            assert key_id == KEY_ID
            self.asked += 1
            return NEW

        def version(self, key_id: str, key_version_id: str) -> SymmetricKey:
            assert (key_id, key_version_id) == (KEY_ID, "v1")
            return OLD

    store = Store()
    report = reencrypt_column(
        sqlite.engine, store, KEY_ID, table="t", blob_column="b", batch_rows=2
    )
    assert report.rewritten == 6
    assert store.asked <= 3


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"table": b"t"}, TypeError, "table"),
        ({"blob_column": None}, TypeError, "blob_column"),
        ({"schema": 1}, TypeError, "schema"),
        ({"encoding": 1}, TypeError, "encoding"),
        ({"encoding": "hex"}, ValueError, "encoding"),
        ({"context_column": 1}, TypeError, "context_column"),
        ({"context_columns": "ab"}, TypeError, "context_columns"),
        ({"context_columns": 1}, TypeError, "context_columns"),
        ({"context_columns": (1,)}, TypeError, "context_columns"),
        ({"context_columns": {"a": 1}}, TypeError, "column"),
        ({"context_columns": ("x",), "context_column": "y"}, ValueError, "excludes"),
        ({"context_columns": ("x", "x")}, ValueError, "twice"),
        ({"context_columns": {"a": "x", "c": "x"}}, ValueError, "twice"),
        ({"context_columns": ("b",)}, ValueError, "twice"),
        ({"destination_context_column": 1}, TypeError, "destination_context_column"),
        ({"where": 1}, TypeError, "where"),
        ({"preserve_columns": "u"}, TypeError, "preserve_columns"),
        ({"preserve_columns": 1}, TypeError, "preserve_columns"),
        ({"preserve_columns": (1,)}, TypeError, "column"),
        ({"preserve_columns": ("b",)}, ValueError, "twice"),
        ({"source_profile": "v1"}, TypeError, "source_profile"),
        ({"verify": 1}, TypeError, "verify"),
        ({"upgrade_only": 1}, TypeError, "upgrade_only"),
        ({"order": {}}, TypeError, "order"),
        ({"dry_run": 1}, TypeError, "dry_run"),
        ({"batch_rows": 0}, ValueError, "batch_rows"),
        ({"batch_rows": 1.5}, TypeError, "batch_rows"),
        ({"target_seconds": 0}, ValueError, "target_seconds"),
        ({"target_seconds": "1"}, TypeError, "target_seconds"),
        ({"target_seconds": True}, TypeError, "target_seconds"),
        ({"rows_per_second": -1}, ValueError, "rows_per_second"),
        ({"key_range": None}, TypeError, "key_range"),
        ({"key_range": (1, None)}, TypeError, "key_range"),
        ({"key_range": (None, None, None)}, ValueError, "key_range"),
        ({"passes": 0}, ValueError, "passes"),
        ({"on_failure": 1}, TypeError, "on_failure"),
        ({"on_batch": 1}, TypeError, "on_batch"),
    ],
)
def test_a_wrong_argument_is_rejected(
    sqlite: Live, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Each argument is checked before a row is read."""
    make_table(sqlite, 1)
    with pytest.raises(error, match=text):
        rotate(sqlite, **options)
    assert kmscore.decrypt(BEFORE, sqlite.blobs()[0])


def test_a_wrong_engine_or_key_is_rejected(sqlite: Live) -> None:
    """The engine, the provider and the destination key are checked."""
    make_table(sqlite, 1)
    call: Callable[..., ColumnReport] = reencrypt_column
    with sqlite.engine.connect() as connection, pytest.raises(TypeError, match="engine"):
        call(connection, KEYS, KEY_ID, table="t", blob_column="b")
    with pytest.raises(TypeError, match="keys"):
        call(sqlite.engine, {}, KEY_ID, table="t", blob_column="b")
    with pytest.raises(KeyNotFoundError):
        call(sqlite.engine, KEYS, "other", table="t", blob_column="b")
    disabled = SymmetricKey(
        KEY_ID, "v9", kmscore.KeySpec.AES_256, bytes(32), state=kmscore.KeyState.DISABLED
    )
    with pytest.raises(KeyStateError):
        call(sqlite.engine, Keyring([disabled]), KEY_ID, table="t", blob_column="b")


def test_the_size_of_a_batch_follows_the_time_of_its_write(sqlite: Live) -> None:
    """Fast writes double the batches, up to 4,096 rows; large rows make them smaller."""
    make_table(sqlite, 400)
    sizes: list[int] = []
    rotate(sqlite, batch_rows=50, target_seconds=100, on_batch=lambda each: sizes.append(each[3]))
    assert sizes == [50, 100, 200, 50]
    sizes.clear()
    sqlite.run("DELETE FROM t")
    sqlite.insert("t", [{"id": each, "b": seal()} for each in range(400)])
    rotate(sqlite, batch_rows=200, target_seconds=1e-9, on_batch=lambda each: sizes.append(each[3]))
    assert sizes[:3] == [200, 100, 50]
    assert set(sizes[3:]) == {50}


def test_large_rows_make_a_batch_smaller(sqlite: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bytes of a batch are limited."""
    monkeypatch.setattr("kmscore.tables.database.pace._MOST_BYTES", 10_000)
    make_table(sqlite, 0)
    sqlite.insert("t", [{"id": each, "b": seal(bytes(900))} for each in range(30)])
    sizes: list[int] = []
    rotate(sqlite, batch_rows=20, on_batch=lambda each: sizes.append(each[3]))
    assert sizes[0] == 20
    assert sum(sizes) == 30
    assert sizes[1] == 10


_LONG = {
    "sqlite": "zeroblob(1000000)",
    "postgresql": "convert_to(repeat('x', 1000000), 'UTF8')",
    "mysql": "repeat('x', 1000000)",
}


def test_long_values_do_not_need_memory_for_a_whole_batch(database: Live) -> None:
    """Values that are too long for a ciphertext fail, and are not read as a whole."""
    make_table(database, 50)
    dialect = database.engine.dialect.name
    if dialect == "mysql":
        database.run("ALTER TABLE t MODIFY b longblob")
    database.run(f"UPDATE t SET b = {_LONG[dialect]} WHERE id > 0")
    tracemalloc.start()
    try:
        report = rotate(database)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counts(report) == (1, 0, 0, {"invalid_blob": 49}, 49)
    assert peak < 20_000_000
    assert len(database.blobs()[1]) == 1_000_000

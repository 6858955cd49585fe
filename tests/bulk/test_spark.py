"""Spark DataFrames: two workers give the outcomes of one process, and the driver sends no key."""

import base64
import importlib
import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.rows_by_outcome import FULL, OLD, PART, RING, Row, rows_by_outcome, seal, text_of
from support.strategies import raises_exactly
from support.time_limits import PATIENCE

from kmscore import Keyring, SymmetricKey, alibaba, keyfile
from kmscore.bulk import Item, census, reencrypt_many, retirable_versions

REASON = "the extra spark is not installed: pip install '.[spark]'"
pa: Any = pytest.importorskip("pyarrow", reason=REASON)
parquet: Any = importlib.import_module("pyarrow.parquet")
sql: Any = pytest.importorskip("pyspark.sql", reason=REASON)
pyspark_errors = importlib.import_module("pyspark.errors")
spark = importlib.import_module("kmscore.bulk.spark")
reencrypt_dataframe, census_dataframe = spark.reencrypt_dataframe, spark.census_dataframe
collect_census, cached_key_factory = spark.collect_census, spark.cached_key_factory

pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none"),
    # The warning is about conversions to pandas, which these tests do not use.
    pytest.mark.filterwarnings(
        "ignore:PySpark does not yet fully support pandas:FutureWarning:pyspark"
    ),
]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "spark_job.py"
SCHEMA = pa.schema(
    [
        ("name", pa.string()),
        ("blob", pa.binary()),
        ("context", pa.struct([("tenant", pa.string()), ("region", pa.string())])),
    ]
)
PASSPHRASE = os.urandom(16).hex().encode()  # without a line end, which the example removes
LOGGING = """
rootLogger.level = info
rootLogger.appenderRef.all.ref = all
appender.all.type = Console
appender.all.name = all
appender.all.target = SYSTEM_ERR
appender.all.layout.type = PatternLayout
appender.all.layout.pattern = %p %c %m%n%ex
logger.spark.name = org.apache.spark
logger.spark.level = debug
"""


class Cluster(NamedTuple):
    """Spark with two workers, and its files."""

    session: Any
    folder: Path
    """The working directory of the driver's JVM and of the workers."""

    log: Path
    """The output of the JVM and the workers, with the log of Spark."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Start Spark on loopback, with a keyring file that the workers get, and stop it."""
    folder = tmp_path_factory.mktemp("spark")
    log = folder / "log"
    (folder / "log4j2.properties").write_text(LOGGING)
    (folder / "events").mkdir()
    (folder / "passphrase").write_bytes(PASSPHRASE)
    cheap = keyfile.ScryptParameters(n=1 << 14)
    (folder / "orders.keyring").write_bytes(
        keyfile.seal_keyring(RING, PASSPHRASE, parameters=cheap)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("KEYRING_PASSPHRASE_FILE", str(folder / "passphrase"))
        patch.delenv("SPARK_HOME", raising=False)
        session = start_spark(folder, log)
    session.sparkContext.addFile(str(folder / "orders.keyring"))
    yield Cluster(session, folder, log)
    gateway = session.sparkContext._gateway
    session.stop()
    gateway.shutdown()
    # The JVM ends when its standard input is closed.
    gateway.proc.stdin.close()
    gateway.proc.wait(PATIENCE)


def start_spark(folder: Path, log: Path) -> Any:
    """Return a session whose JVM and worker processes write to `log`."""
    options = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # These options save compilation, which takes most of the time of a short run.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        f" -Dlog4j2.configurationFile=file:{folder}/log4j2.properties",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.local.dir": f"{folder}/local",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": f"file:{folder}/events",
    }
    builder = sql.SparkSession.builder.master("local[2]").config(map=options)
    saved = os.dup(1), os.dup(2)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            return builder.getOrCreate()
        finally:
            for number, descriptor in enumerate(saved, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Return the rows of every job."""
    return rows_by_outcome()


@pytest.fixture(scope="module")
def orders(cluster: Cluster, rows: list[Row]) -> Any:
    """Return the rows as a DataFrame from two Parquet files, which are two partitions."""
    (cluster.folder / "orders").mkdir()
    for part in (0, 1):
        table = pa.Table.from_pylist(
            [{"name": row.name, "blob": row.blob, "context": row.context} for row in rows[part::2]],
            SCHEMA,
        )
        parquet.write_table(table, cluster.folder / "orders" / f"{part}.parquet")
    return cluster.session.read.parquet(f"{cluster.folder}/orders")


@pytest.fixture
def open_keys(tmp_path: Path) -> Callable[[], Keyring]:
    """Return a factory that records its call, and waits for a call in another process."""
    meeting = str(tmp_path)

    def factory() -> Keyring:
        import os  # noqa: PLC0415 (all this function needs is imported where it runs)
        import sys  # noqa: PLC0415
        import time  # noqa: PLC0415
        from pathlib import Path  # noqa: PLC0415

        from kmscore import keyfile  # noqa: PLC0415

        Path(meeting, str(os.getpid())).touch()
        end = time.monotonic() + PATIENCE
        while len(list(Path(meeting).iterdir())) < 2:
            assert time.monotonic() < end, "there is no other worker"
            time.sleep(0.01)
        print(f"made by {os.getpid()}: {b'the keys'.hex()}", file=sys.stderr, flush=True)
        passphrase = Path(os.environ["KEYRING_PASSPHRASE_FILE"]).read_bytes()
        return keyfile.open_keyring(Path("orders.keyring").read_bytes(), passphrase)

    return factory


def move(df: Any, factory: Any, **options: Any) -> Any:
    """Re-encrypt the DataFrame above."""
    options = {"blob_column": "blob", "source_context_column": "context"} | options
    return reencrypt_dataframe(df, factory, "orders", **options)


def check_rows(rows: list[Row], found: list[Any]) -> None:
    """Compare the rows with the outcomes of `reencrypt_many` in one process."""
    present = {row.name: row for row in rows if row.blob is not None}
    items = [Item(row.name, row.blob or b"", row.context) for row in present.values()]
    outcomes = {outcome.reference: outcome for outcome in reencrypt_many(RING, items, "orders")}
    assert sorted(row["name"] for row in found) == sorted(row.name for row in rows)
    for row in found:
        if row["name"] not in present:
            assert (row["blob"], row["status"], row["error"]) == (None, None, None)
            continue
        outcome, before = outcomes[row["name"]], present[row["name"]]
        assert row["status"] == outcome.status == before.status
        assert row["error"] == (outcome.error and outcome.error.code) == before.error
        if row["status"] == "rewritten":
            assert text_of(bytes(row["blob"]), before.context) == b"text"
        else:
            assert bytes(row["blob"]) == before.blob


def example_keys() -> Any:
    """Return the key factory of the example, as in a script."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(EXAMPLE.read_text("utf-8").partition("if len(")[0], names)  # noqa: S102 (it is the example)
    return names["open_keys"]


def shipped(df: Any) -> bytes:
    """Return the function that Spark sends to the workers, in its pickled form."""
    plan = df._jdf.queryExecution().analyzed().child()
    command: bytes = bytes(plan.functionExpr().func().command().unsafeArray())
    return command


# --- jobs ---


def test_two_workers_give_the_outcomes_of_one_process(
    orders: Any, rows: list[Row], open_keys: Callable[[], Keyring], tmp_path: Path
) -> None:
    """Every row has the outcome of `reencrypt_many`, and each worker creates its own keys."""
    moved = move(orders, open_keys)
    assert moved.columns == ["name", "blob", "status", "error", "context"]
    assert list(tmp_path.iterdir()) == []
    check_rows(rows, moved.collect())
    workers = {int(path.name) for path in tmp_path.iterdir()}
    assert len(workers) == 2
    assert os.getpid() not in workers


def test_the_readme_example_runs(
    cluster: Cluster,
    orders: Any,
    rows: list[Row],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The example job re-encrypts a Parquet file, and counts the written blobs."""
    del orders
    monkeypatch.chdir(cluster.folder)
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE), "orders", "orders-moved"])
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(EXAMPLE.read_text("utf-8"), names)  # noqa: S102 (it is the example)
    written = parquet.read_table(cluster.folder / "orders-moved").to_pylist()
    check_rows(rows, written)
    shown = capsys.readouterr().out
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in shown.splitlines()]
    assert ["rewritten", "NULL", "4"] in cells
    assert ["failed", "decryption", "3"] in cells
    assert ["v1", "XAES_256_GCM", "orders", "v2", "6"] in cells
    assert ["other", "NULL", "NULL", "NULL", "2"] in cells
    assert names["census"] == census(row["blob"] for row in written if row["blob"] is not None)
    assert (
        retirable_versions(RING, census=names["census"]).reason
        == "2 of 13 ciphertexts are not v1 blobs"
    )
    again = cluster.session.read.parquet("orders-moved").drop("status", "error")
    second = move(again, example_keys()).collect()
    assert sorted((row["name"], row["blob"]) for row in second if row["blob"]) == sorted(
        (row["name"], row["blob"]) for row in written if row["blob"]
    )
    assert "rewritten" not in {row["status"] for row in second}


@pytest.mark.thorough
def test_the_example_is_a_job_for_spark_submit(
    cluster: Cluster, orders: Any, rows: list[Row], tmp_path: Path
) -> None:
    """From an empty folder, with the keyring file sent by `--files`, the job writes its table."""
    del orders
    (tmp_path / "empty").mkdir()
    out = tmp_path / "orders-moved"
    done = subprocess.run(
        [
            str(Path(sysconfig.get_path("scripts"), "spark-submit")),
            *("--master", "local[2]", "--files", str(cluster.folder / "orders.keyring")),
            *("--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=2"),
            *(str(EXAMPLE), str(cluster.folder / "orders"), str(out)),
        ],
        env=os.environ
        | {
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_HOME": str(Path(sql.__file__).parents[1]),
            "KEYRING_PASSPHRASE_FILE": str(cluster.folder / "passphrase"),
        },
        cwd=tmp_path / "empty",
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    check_rows(rows, parquet.read_table(out).to_pylist())
    assert "XAES_256_GCM" in done.stdout


def test_a_cached_factory_is_called_once_per_worker(
    orders: Any, rows: list[Row], tmp_path: Path
) -> None:
    """Many partitions and two actions need one call in each worker process."""
    meeting, opens = str(tmp_path), example_keys()

    def factory() -> Keyring:
        import os  # noqa: PLC0415 (all this function needs is imported where it runs)
        from pathlib import Path  # noqa: PLC0415

        Path(meeting, f"{os.getpid()}-{os.urandom(8).hex()}").touch()
        return opens()

    many = orders.repartition(8)
    cached = cached_key_factory(factory)
    for _ in range(2):
        check_rows(rows, move(many, cached).collect())
    calls = [path.name.partition("-")[0] for path in tmp_path.iterdir()]
    assert 1 <= len(calls) <= 2
    assert len(set(calls)) == len(calls)
    move(many, factory).collect()
    assert len(list(tmp_path.iterdir())) == len(calls) + 8


def test_a_census_matches_that_of_one_process(orders: Any, rows: list[Row]) -> None:
    """The counts match, also for a column name that must be quoted."""
    name = "the `blob`.x"
    counted = census_dataframe(orders.withColumnRenamed("blob", name), blob_column=name)
    assert counted.columns == ["format", "suite", "key_id", "key_version_id", "count"]
    expected = census(row.blob for row in rows if row.blob is not None)
    wanted = {
        ("v1", header.suite.name, header.key_id, header.key_version_id, number)
        for header, number in expected.headers.items()
    } | {("other", None, None, None, expected.other)}
    found = [tuple(row) for row in counted.collect()]
    assert set(found) == wanted
    assert len(found) == len(wanted)
    assert collect_census(counted) == expected
    twice = counted.union(counted)
    assert collect_census(twice) == expected + expected


def test_only_a_census_can_be_collected(orders: Any) -> None:
    """A DataFrame with other columns is rejected."""
    with raises_exactly(TypeError, "counted must have the columns format, suite, key_id, "):
        collect_census(orders)
    with raises_exactly(TypeError, "counted must be DataFrame, not Census"):
        collect_census(census([]))


def test_other_columns_can_have_any_name(cluster: Cluster) -> None:
    """Names with dots, backticks or repetition stay, and so does the order of columns."""
    df = cluster.session.createDataFrame(
        [((1,), seal(OLD), 2, 3, 4)], "a struct<b:int>, blob binary, b int, c int, d int"
    ).toDF("a", "blob", "a.b", "twice `", "twice `")
    moved = move(df, example_keys(), source_context_column=None)
    assert moved.columns == ["a", "blob", "status", "error", "a.b", "twice `", "twice `"]
    (row,) = moved.collect()
    assert row[0] == (1,)
    assert text_of(bytes(row[1]), None) == b"text"
    assert row[2:] == ("rewritten", None, 2, 3, 4)


def test_contexts_change_with_map_and_struct_columns(
    cluster: Cluster, open_keys: Callable[[], Keyring]
) -> None:
    """Maps, a destination column, large Arrow types and other column names are supported."""
    schema = "blob binary, a map<string,string>, b struct<tenant:string>"
    data = [(seal(OLD, FULL), FULL, PART)] * 4
    cluster.session.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    try:
        found = move(
            cluster.session.createDataFrame(data, schema).repartition(2),
            open_keys,
            source_context_column="a",
            destination_context_column="b",
            status_column="s",
            error_column="e",
        ).collect()
    finally:
        cluster.session.conf.unset("spark.sql.execution.arrow.useLargeVarTypes")
    assert [(row["s"], row["e"]) for row in found] == [("rewritten", None)] * 4
    assert {text_of(bytes(row["blob"]), PART) for row in found} == {b"text"}


def test_every_option_is_sent_to_the_workers(orders: Any) -> None:
    """The function for the workers has the options of the call."""
    options = {
        "skip_current": False,
        "upgrade_only": True,
        "order": {"orders": ["v1", "v2"]},
        "dry_run": True,
        "source_profile": alibaba.Profile.ALIBABA,
        "destination_profile": alibaba.Profile.V1_TEXT,
        "allow_ambiguous": True,
    }
    sent, _ = pickle.loads(shipped(move(orders, lambda: None, **options)))  # noqa: S301 (our own)
    _, move_batch = sent.args
    assert move_batch.keywords == options | {
        "destination_key_id": "orders",
        "blob_column": "column 1",
        "source_context_column": "column 2",
        "destination_context_column": None,
    }


def test_a_failing_factory_ends_the_job(orders: Any) -> None:
    """The job gives no rows, and the error of Spark has the message of the factory."""

    def factory() -> Keyring:
        raise OSError("the secret is not mounted")

    with pytest.raises(pyspark_errors.PythonException, match="the secret is not mounted"):
        move(orders, factory).collect()


# --- functions of the workers, in this process ---


def test_keys_are_created_once_per_partition() -> None:
    """One call of the factory, before the first batch is read, serves all batches."""
    made = []

    def move_batch(batch: int, keys: Any) -> tuple[int, Any]:
        return batch, keys

    def batches() -> Iterator[int]:
        assert made == [1]
        yield from (1, 2)

    moved = spark._move_batches(lambda: made.append(1) or RING, move_batch, batches())
    assert list(moved) == [(1, RING), (2, RING)]
    assert made == [1]


@pytest.mark.parametrize("other", [0, 2])
def test_a_census_covers_all_batches_of_a_partition(other: int) -> None:
    """Equal headers of several batches give one row; a count of zero gives no row."""
    batches = [
        pa.record_batch({"blob": pa.array(blobs, pa.binary())})
        for blobs in ([seal(OLD), None], [], [seal(OLD)] + [b"x"] * other)
    ]
    (counted,) = spark._count_batches(batches)
    expected = [["v1", "AES_256_GCM", "orders", "v1", 2]]
    if other:
        expected.append(["other", None, None, None, 2])
    assert [list(row.values()) for row in counted.to_pylist()] == expected


# --- errors of the call ---


@pytest.fixture(scope="module")
def odd(cluster: Cluster) -> Any:
    """Return a DataFrame with a column of each kind that can be rejected."""
    return cluster.session.createDataFrame(
        [],
        "blob binary, name string, context struct<a:string>, numbers struct<n:int>,"
        " counts map<string,int>, counted map<int,string>, twice binary, twice binary,"
        " texts array<string>",
    )


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (KeyError, "no column 'x'", {"blob_column": "x"}),
        (KeyError, "no column 'x'", {"source_context_column": "x"}),
        (KeyError, "no column 'x'", {"destination_context_column": "x"}),
        (ValueError, "2 columns 'twice'", {"blob_column": "twice"}),
        (ValueError, "2 columns 'twice'", {"source_context_column": "twice"}),
        (ValueError, "'blob' already", {"status_column": "blob"}),
        # By default, Spark ignores case in column names.
        (ValueError, "'blob' already", {"status_column": "Blob"}),
        (ValueError, "both are ", {"status_column": "S", "error_column": "s"}),
        (ValueError, "'name' already", {"error_column": "name"}),
        (ValueError, "both", {"status_column": "x", "error_column": "x"}),
        (TypeError, "'name' must be binary, not string", {"blob_column": "name"}),
        (TypeError, "'name' must be a struct or a map", {"source_context_column": "name"}),
        (TypeError, "'texts' must be a struct or a map", {"destination_context_column": "texts"}),
        (TypeError, "not struct<n:int>", {"source_context_column": "numbers"}),
        (TypeError, "not map<string,int>", {"source_context_column": "counts"}),
        (TypeError, "not map<int,string>", {"source_context_column": "counted"}),
        (TypeError, "key_factory must be callable, not Keyring", {"key_factory": RING}),
        (TypeError, "destination_key_id must be str", {"destination_key_id": 1}),
        (TypeError, "blob_column must be str", {"blob_column": 1}),
        (TypeError, "source_context_column must be str", {"source_context_column": 1}),
        (TypeError, "destination_context_column must be str", {"destination_context_column": 1}),
        (TypeError, "skip_current must be bool", {"skip_current": None}),
        (TypeError, "source_profile must be Profile", {"source_profile": "alibaba"}),
        (TypeError, "upgrade_only must be bool", {"upgrade_only": 1}),
        (TypeError, "order must be Mapping", {"order": ["v1"]}),
        (TypeError, "dry_run must be bool", {"dry_run": "no"}),
        (TypeError, "status_column must be str", {"status_column": None}),
        (TypeError, "error_column must be str", {"error_column": None}),
        (TypeError, "df must be DataFrame", {"df": pa.table({})}),
    ],
)
def test_a_wrong_argument_is_rejected_by_the_call(
    odd: Any, error: type[Exception], text: str, changes: dict[str, Any]
) -> None:
    """The errors are those of `reencrypt_batch`, and no job starts."""
    arguments = {
        "df": odd,
        "key_factory": lambda: pytest.fail("a key was asked for"),
        "destination_key_id": "orders",
        "blob_column": "blob",
        "source_context_column": "context",
    }
    with raises_exactly(error, text):
        reencrypt_dataframe(**arguments | changes)


def test_a_repeated_field_is_rejected_by_the_call(cluster: Cluster) -> None:
    """As in `reencrypt_batch`, a context has each key one time."""
    df = cluster.session.sql("select binary('') blob, named_struct('a', '1', 'a', '2') context")
    with raises_exactly(ValueError, "repeated field"):
        move(df, list)


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (KeyError, "no column 'x'", {"blob_column": "x"}),
        (ValueError, "2 columns 'twice'", {"blob_column": "twice"}),
        (TypeError, "'name' must be binary", {"blob_column": "name"}),
        (TypeError, "blob_column must be str", {"blob_column": None}),
        (TypeError, "df must be DataFrame", {"df": None}),
    ],
)
def test_a_census_of_a_wrong_column_is_rejected_by_the_call(
    odd: Any, error: type[Exception], text: str, changes: dict[str, Any]
) -> None:
    """The column must exist, must have a unique name, and must be binary."""
    with raises_exactly(error, text):
        census_dataframe(**{"df": odd, "blob_column": "blob"} | changes)


# --- secrecy ---


def forms(secret: bytes) -> list[bytes]:
    """Return the forms in which text or bytes can contain a secret."""
    found = [secret, secret.hex().encode(), secret.hex().upper().encode()]
    found += [repr(secret)[2:-1].encode(), repr(secret)[2:-1].replace("\\", "\\\\").encode()]
    # Base64 of data with the secret inside: the whole groups, for each of three offsets.
    for skipped in range(3):
        inner = secret[skipped : skipped + (len(secret) - skipped) // 3 * 3]
        found += [base64.b64encode(inner), base64.urlsafe_b64encode(inner)]
    for separator in (",", ", "):
        found.append(separator.join(str(byte) for byte in secret).encode())
        found.append(separator.join(str((byte ^ 128) - 128) for byte in secret).encode())
    return found


def holds_secret(data: bytes, secrets: list[bytes]) -> bool:
    """Return whether the data contains one of the secrets in any form."""
    return any(form in data for secret in secrets for form in forms(secret))


def test_no_key_material_is_sent_or_logged(
    cluster: Cluster, orders: Any, rows: list[Row], open_keys: Callable[[], Keyring]
) -> None:
    """The sent function, the plan, the log, the events and the output contain no secret."""
    secrets = [PASSPHRASE]
    secrets += [key.export_material() for key in RING if isinstance(key, SymmetricKey)]
    assert len(secrets) == 5
    cached = cached_key_factory(open_keys)
    moved = move(orders, cached)
    check_rows(rows, moved.collect())
    sent = shipped(moved)
    plan = moved._jdf.queryExecution().toString().encode()
    log = cluster.log.read_bytes()
    (events,) = (path.read_bytes() for path in cluster.folder.glob("events/*/events_*"))
    for data in (sent, plan, log, events):
        assert not holds_secret(data, secrets)
    # Check that all four have the expected content, and that the search works.
    assert b"KEYRING_PASSPHRASE_FILE" in sent
    assert b"MapInArrow" in plan
    assert b"MapInArrow" in events
    assert holds_secret(log, [b"the keys"])
    assert log.count(b"made by ") >= 2
    assert b"DEBUG org.apache.spark" in log


def test_the_search_finds_key_material(orders: Any) -> None:
    """A factory that contains key material is found by the search above."""
    spec, material = OLD.spec, OLD.export_material()

    def careless() -> Keyring:
        return Keyring([SymmetricKey("orders", "v1", spec, material)])

    assert holds_secret(shipped(move(orders, careless)), [material])
    assert not holds_secret(shipped(move(orders, lambda: Keyring([]))), [material])
    for held in (material.hex(), base64.b64encode(b"?" + material).decode(), str([*material])):
        assert holds_secret(b"before" + held.encode() + b"after", [material])


def test_keys_that_the_driver_has_cached_are_not_sent(
    cluster: Cluster, orders: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cached factory that was called on the driver is sent without its result."""
    monkeypatch.setenv("KEYRING_PASSPHRASE_FILE", str(cluster.folder / "passphrase"))
    cached = cached_key_factory(example_keys())
    secrets = [PASSPHRASE]
    secrets += [key.export_material() for key in cached() if isinstance(key, SymmetricKey)]
    assert len(secrets) == 5
    sent = shipped(move(orders, cached))
    assert b"KEYRING_PASSPHRASE_FILE" in sent
    assert not holds_secret(sent, secrets)


def test_a_keyring_cannot_be_sent_to_workers(orders: Any) -> None:
    """A factory that contains keys is rejected before a job starts."""
    keys = RING
    with pytest.raises(pickle.PicklingError, match="holds key material"):
        move(orders, lambda: keys)

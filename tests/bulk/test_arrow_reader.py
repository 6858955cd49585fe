"""Streams of Arrow batches: read lazily, one after the other, and closed at the end."""

import gc
import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.rows_by_outcome import NEW, OLD, RING, rows_by_outcome, seal
from support.strategies import Oracle, raises_exactly

from kmscore import KeyNotFoundError, Keyring

REASON = "the extra arrow is not installed: pip install '.[arrow]'"
pa: Any = pytest.importorskip("pyarrow", reason=REASON)
arrow = importlib.import_module("kmscore.bulk.arrow")

CONTEXT = pa.struct([("tenant", pa.string()), ("region", pa.string())])
SCHEMA = pa.schema([("blob", pa.binary()), ("context", CONTEXT)], {"table": "orders"})
ROWS = [{"blob": row.blob, "context": row.context} for row in rows_by_outcome()]


class Source:
    """A source of batches that records its reads and its end."""

    def __init__(self, batches: Sequence[Any], failure: Exception | None = None) -> None:
        """Take the batches, and the exception that follows them."""
        self.events: list[Any] = []
        self._batches, self._failure = batches, failure

    def reader(self) -> Any:
        """Return a reader whose only reference is the one that is returned."""
        return pa.RecordBatchReader.from_batches(SCHEMA, self._read())

    def _read(self) -> Iterator[Any]:
        try:
            for number, batch in enumerate(self._batches):
                self.events.append(number)
                yield batch
            if self._failure is not None:
                raise self._failure
        finally:
            self.events.append("end")


def batches_of(size: int) -> list[Any]:
    """Return the rows in batches."""
    return pa.Table.from_pylist(ROWS, SCHEMA).to_batches(max_chunksize=size)


def move(reader: Any, keys: Any = RING, **options: Any) -> Any:
    """Re-encrypt a stream of the columns above."""
    options = {"blob_column": "blob", "source_context_column": "context"} | options
    return arrow.reencrypt_reader(reader, keys, "orders", **options)


def test_a_stream_has_the_batches_of_reencrypt_batch() -> None:
    """Sizes, schema, statuses and errors are those of `reencrypt_batch` for each batch."""
    batches = batches_of(4)
    moved = move(Source(batches).reader())
    assert moved.schema.metadata == {b"table": b"orders"}
    for batch, got in zip(batches, moved, strict=True):
        wanted = arrow.reencrypt_batch(
            batch, RING, "orders", blob_column="blob", source_context_column="context"
        )
        assert got.schema.equals(wanted.schema, check_metadata=True)
        assert got.schema.equals(moved.schema, check_metadata=True)
        assert got.drop_columns(["blob"]).equals(wanted.drop_columns(["blob"]))


@pytest.mark.parametrize("kind", ["table", "reader"])
def test_a_source_can_be_any_arrow_stream(kind: str) -> None:
    """An object with the stream interface of Arrow is read like a reader."""
    table = pa.Table.from_pylist(ROWS, SCHEMA)
    moved = move(table if kind == "table" else table.to_reader()).read_all()
    assert moved.column("status").to_pylist() == [row.status for row in rows_by_outcome()]


def test_one_batch_is_read_for_each_result() -> None:
    """The call reads no batch, and the source is never ahead of the result."""
    source = Source(batches_of(5))
    moved = move(source.reader())
    for number in range(3):
        assert source.events == list(range(number))
        moved.read_next_batch()
    with pytest.raises(StopIteration):
        moved.read_next_batch()
    assert source.events == [0, 1, 2, "end"]


def test_a_stream_without_batches_has_the_schema_of_the_result() -> None:
    """The result of an empty source is empty, and has its two new columns."""
    moved = move(Source([]).reader())
    assert moved.schema.names == ["blob", "status", "error", "context"]
    assert moved.read_all().num_rows == 0


def test_a_result_that_is_deleted_closes_its_source() -> None:
    """After a part of the batches, the source ends with the last reference to the result."""
    source = Source(batches_of(2))
    moved = move(source.reader())
    moved.read_next_batch()
    moved.close()
    del moved
    gc.collect()
    assert source.events == [0, "end"]


@pytest.mark.parametrize("number", [1, 7, 8])
def test_a_source_that_the_caller_still_has_is_closed(number: int) -> None:
    """The source of another library is released, whether all its batches were read or not."""
    source = Source(batches_of(2))
    held = pa.RecordBatchReader.from_stream(source.reader())
    moved = move(held)
    for _ in zip(range(number), moved, strict=False):
        pass
    del moved, _
    gc.collect()
    assert source.events == [*range(min(number, 7)), "end"]
    del held


def test_an_error_of_the_source_propagates() -> None:
    """The batches before the error are delivered, the exception is unchanged, the source ends."""
    failure = ConnectionError("the source is gone")
    source = Source(batches_of(10), failure)
    moved = move(source.reader())
    assert [moved.read_next_batch().num_rows for _ in range(2)] == [10, 4]
    with pytest.raises(ConnectionError) as caught:
        moved.read_next_batch()
    assert caught.value is failure
    assert source.events == [0, 1, "end"]
    with pytest.raises(StopIteration):
        moved.read_next_batch()


def test_an_error_of_the_provider_closes_the_source() -> None:
    """The exception of the provider is unchanged, and the source is closed."""
    source = Source(batches_of(1))
    moved = move(source.reader(), Oracle(version=ConnectionError("no store"), primary=NEW))
    with pytest.raises(ConnectionError, match="no store"):
        moved.read_all()
    gc.collect()
    assert source.events == [0, "end"]


def test_a_batch_of_another_schema_is_rejected() -> None:
    """Arrow does not compare the batches of a source with its schema, so the job does."""
    other = batches_of(3)[0].rename_columns(["context", "blob"])
    moved = move(Source([batches_of(3)[0], other]).reader())
    moved.read_next_batch()
    with raises_exactly(TypeError, "batch: its schema is not the one of its reader"):
        moved.read_next_batch()


def test_a_stream_has_one_destination() -> None:
    """The primary version is looked up once, so a rotation during the stream has no effect."""

    class Provider:
        """Keys whose primary version changes after the first lookup."""

        lookups = 0

        def primary(self, key_id: str) -> Any:
            self.lookups += 1
            assert (key_id, self.lookups) == ("orders", 1)
            return NEW

        def version(self, key_id: str, key_version_id: str) -> Any:
            return RING.version(key_id, key_version_id)

    batch = pa.record_batch([pa.array([seal(OLD)]), pa.nulls(1, CONTEXT)], schema=SCHEMA)
    moved = move(Source([batch] * 3).reader(), Provider()).read_all()
    assert moved.column("status").to_pylist() == ["rewritten"] * 3


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (TypeError, "__arrow_c_stream__", {"reader": [1]}),
        (KeyError, "no column 'x'", {"blob_column": "x"}),
        (KeyError, "no column 'x'", {"source_context_column": "x"}),
        (TypeError, "'context' must be binary", {"blob_column": "context"}),
        (TypeError, "'blob' must be a struct", {"destination_context_column": "blob"}),
        (ValueError, "'blob' already", {"status_column": "blob"}),
        (ValueError, "'context' already", {"error_column": "context"}),
        (TypeError, "dry_run must be bool", {"dry_run": 1}),
        (KeyNotFoundError, None, {"keys": Keyring([])}),
    ],
)
def test_a_wrong_argument_is_rejected_by_the_call(
    error: type[Exception], text: str | None, changes: dict[str, Any]
) -> None:
    """The errors are those of `reencrypt_batch`, and no batch is read."""
    source = Source(batches_of(3))
    with raises_exactly(error, text):
        move(**{"reader": source.reader()} | changes)
    assert 0 not in source.events


@pytest.mark.parametrize("options", [{"dry_run": True}, {"skip_current": False}], ids=str)
def test_options_reach_the_job(options: dict[str, bool]) -> None:
    """The options of `reencrypt_batch` have the same effect on a stream."""
    batch = pa.record_batch([pa.array([seal(NEW)]), pa.nulls(1, CONTEXT)], schema=SCHEMA)
    moved = move(Source([batch]).reader(), status_column="s", **options).read_all()
    assert moved.column("s").to_pylist() == ["unchanged" if "dry_run" in options else "rewritten"]


# --- the schema of the results ---


@pytest.mark.parametrize(
    ("kind", "after"),
    [
        (pa.binary(), pa.binary()),
        (pa.binary(40), pa.binary()),
        (pa.large_binary(), pa.large_binary()),
        (pa.dictionary(pa.int8(), pa.binary()), pa.dictionary(pa.int8(), pa.binary())),
    ],
    ids=str,
)
def test_the_output_schema_is_that_of_the_result(kind: Any, after: Any) -> None:
    """Types, order, nullability and metadata are those of a batch that was re-encrypted."""
    described = pa.field("blob", kind, nullable=False, metadata={"about": "blob"})
    schema = pa.schema([pa.field("id", pa.int8()), described], {"table": "orders"})
    found = arrow.output_schema(schema, blob_column="blob", status_column="s", error_column="e")
    assert found.names == ["id", "blob", "s", "e"]
    assert found.field("blob").type == after
    assert found.field("blob").metadata == {b"about": b"blob"}
    empty = pa.RecordBatch.from_arrays(
        [pa.array([], field.type) for field in schema], schema=schema
    )
    moved = arrow.reencrypt_batch(
        *(empty, RING, "orders"), blob_column="blob", status_column="s", error_column="e"
    )
    assert found.equals(moved.schema, check_metadata=True)


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (TypeError, "schema must be Schema, not Table", {"schema": pa.table({})}),
        (TypeError, "blob_column must be str", {"blob_column": 1}),
        (TypeError, "status_column must be str", {"status_column": 1}),
        (TypeError, "error_column must be str", {"error_column": None}),
        (TypeError, "'context' must be binary", {"blob_column": "context"}),
        (KeyError, "no column 'x'", {"blob_column": "x"}),
        (ValueError, "'context' already", {"status_column": "context"}),
        (ValueError, "both are 'x'", {"status_column": "x", "error_column": "x"}),
        (ValueError, "2 columns 'blob'", {"schema": pa.schema([SCHEMA.field(0)] * 2)}),
    ],
)
def test_a_wrong_schema_is_rejected(
    error: type[Exception], text: str, changes: dict[str, Any]
) -> None:
    """The errors are those of `reencrypt_batch` for the blob column and the new columns."""
    with raises_exactly(error, text):
        arrow.output_schema(**{"schema": SCHEMA, "blob_column": "blob"} | changes)

"""Arrow batches: outcomes in columns next to the blobs, and all other columns unchanged."""

import importlib
from collections.abc import Sequence
from typing import Any

import pytest
from support.rows_by_outcome import FULL, NEW, OLD, PART, RING, Row, rows_by_outcome, seal, text_of
from support.strategies import Oracle, Store, raises_exactly

from kmscore import KeyNotFoundError, Keyring, KeySpec, SymmetricKey, decrypt
from kmscore.bulk import Item, reencrypt_many

REASON = "the extra arrow is not installed: pip install '.[arrow]'"
pa: Any = pytest.importorskip("pyarrow", reason=REASON)
arrow = importlib.import_module("kmscore.bulk.arrow")
arrow_columns = importlib.import_module("kmscore.bulk.arrow_columns")
reencrypt_batch = arrow.reencrypt_batch

STRUCT = pa.struct([("tenant", pa.string()), ("region", pa.string())])
MAP = pa.map_(pa.string(), pa.string())
NO_KEYS = Oracle(AssertionError("a key was asked for"), AssertionError("a key was asked for"))


def contexts(values: Sequence[dict[str, str] | None], kind: Any) -> Any:
    """Return a column of contexts."""
    if pa.types.is_map(kind):
        return pa.array([value and list(value.items()) for value in values], kind)
    return pa.array(values, kind)


def dictionaries(values: Sequence[dict[str, str] | None], texts: Any) -> Any:
    """Return a column of structs whose fields are dictionary-encoded texts of a type."""
    fields = []
    for name in ("tenant", "region"):
        column = [value and value.get(name) for value in values]
        distinct = sorted({text for text in column if text is not None})
        indices = [text and distinct.index(text) for text in column]
        fields.append(
            pa.DictionaryArray.from_arrays(pa.array(indices, pa.int8()), pa.array(distinct, texts))
        )
    return pa.StructArray.from_arrays(fields, ["tenant", "region"])


def batch_of(rows: Sequence[Row], kind: Any = STRUCT, blobs: Any = None) -> Any:
    """Return rows as a batch with a column before, between and after the relevant columns."""
    return pa.record_batch(
        {
            "before": pa.array(range(len(rows)), pa.int16()),
            "blob": pa.array([row.blob for row in rows], blobs or pa.binary()),
            "name": pa.array([row.name for row in rows], pa.string()).dictionary_encode(),
            "context": contexts([row.context for row in rows], kind),
        }
    )


def move(batch: Any, keys: Any = RING, **options: Any) -> Any:
    """Re-encrypt a batch of the columns above."""
    options = {"blob_column": "blob", "source_context_column": "context"} | options
    return reencrypt_batch(batch, keys, "orders", **options)


def one(context: Any, blob: bytes | None = None) -> Any:
    """Return the result for a single row with a column of one context."""
    blobs = pa.array([seal(OLD) if blob is None else blob])
    moved = move(pa.record_batch({"blob": blobs, "context": context}))
    (row,) = moved.drop_columns(["context"]).to_pylist()
    return row


def check_rows(rows: Sequence[Row], moved: Any) -> None:
    """Check every row of a result."""
    for row, got in zip(rows, moved.to_pylist(), strict=True):
        assert (got["name"], got["status"], got["error"]) == (row.name, row.status, row.error)
        if row.status == "rewritten":
            assert text_of(got["blob"], row.context) == b"text"
        else:
            assert got["blob"] == row.blob


# --- outcomes ---


@pytest.mark.parametrize(
    "kind",
    [
        STRUCT,
        MAP,
        pa.struct([("region", pa.large_string()), ("tenant", pa.string_view())]),
        pa.map_(pa.large_string(), pa.string_view()),
        pa.map_(pa.string_view(), pa.large_string()),
        pa.map_(pa.string(), pa.dictionary(pa.int32(), pa.string())),
    ],
    ids=str,
)
def test_each_row_has_its_outcome(kind: Any) -> None:
    """Good rows are rewritten, and bad rows keep their blob, for each type of context column."""
    rows = rows_by_outcome()
    check_rows(rows, move(batch_of(rows, kind)))


@pytest.mark.parametrize("texts", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_dictionary_encoded_contexts_are_read(texts: Any) -> None:
    """The fields of a struct can be dictionary-encoded and can contain nulls."""
    rows = rows_by_outcome()
    column = dictionaries([row.context for row in rows], texts)
    check_rows(rows, move(batch_of(rows).set_column(3, "context", column)))


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_the_blob_column_keeps_its_type(kind: Any) -> None:
    """The column of the result has the binary type of the input."""
    rows = rows_by_outcome()
    moved = move(batch_of(rows, blobs=kind))
    assert moved.schema.field("blob").type == kind
    check_rows(rows, moved)


def test_blobs_of_a_fixed_size_become_binary() -> None:
    """The type is `binary`, because blobs under another key can have another length."""
    blobs = [seal(OLD), None, seal(OLD)]
    column = pa.array(blobs, pa.binary(len(blobs[0] or b"")))
    moved = reencrypt_batch(pa.record_batch({"b": column}), RING, "orders", blob_column="b")
    assert moved.schema.field("b").type == pa.binary()
    first, missing, last = moved.column("b").to_pylist()
    assert (text_of(first, None), missing, text_of(last, None)) == (b"text", None, b"text")


def test_a_batch_matches_reencrypt_many() -> None:
    """The outcomes are those of `reencrypt_many` for the same items."""
    rows = [row for row in rows_by_outcome() if row.blob is not None]
    items = [Item(row.name, row.blob or b"", row.context) for row in rows]
    outcomes = list(reencrypt_many(RING, items, "orders"))
    moved = move(batch_of(rows))
    assert moved.column("status").to_pylist() == [outcome.status.value for outcome in outcomes]
    assert moved.column("error").to_pylist() == [
        outcome.error and outcome.error.code for outcome in outcomes
    ]


def test_other_columns_and_metadata_do_not_change() -> None:
    """Order, types, nullability and metadata stay, of each column and of the batch."""
    batch = batch_of(rows_by_outcome())
    described = [field.with_metadata({"about": field.name}) for field in batch.schema]
    described[0] = described[0].with_nullable(False)
    batch = batch.cast(pa.schema(described, {"table": "orders"}))
    moved = move(batch)
    names = ["before", "blob", "status", "error", "name", "context"]
    assert moved.schema.names == names
    assert moved.schema.metadata == {b"table": b"orders"}
    for name in ("before", "name", "context"):
        assert moved.column(name).equals(batch.column(name))
        assert moved.schema.field(name).equals(batch.schema.field(name), check_metadata=True)
    assert moved.schema.field("blob").equals(batch.schema.field("blob"), check_metadata=True)
    assert [moved.schema.field(name).type for name in ("status", "error")] == [pa.string()] * 2
    moved.validate(full=True)


def test_a_second_run_changes_nothing() -> None:
    """A rewritten row is then unchanged, a failed row fails again, and no blob changes."""
    first = move(batch_of(rows_by_outcome()))
    second = move(first.drop_columns(["status", "error"]))
    assert second.column("blob").equals(first.column("blob"))
    assert second.column("error").equals(first.column("error"))
    assert "rewritten" not in second.column("status").to_pylist()


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_a_destination_context_column_changes_contexts(kind: Any) -> None:
    """Each row gets its new context, and keeps its context if the new one is null.

    A struct of nulls counts as null, because a join without a match gives such a struct.
    """
    batch = batch_of([Row("a", seal(OLD, FULL), FULL, None)] * 4)
    after = [PART, None, {}, FULL]
    batch = batch.append_column("after", contexts(after, kind))
    moved = move(batch, destination_context_column="after")
    kept = [PART, FULL, FULL if kind is STRUCT else {}, FULL]
    for blob, context in zip(moved.column("blob").to_pylist(), kept, strict=True):
        assert text_of(blob, context) == b"text"
    again = move(moved.drop_columns(["status", "error"]), destination_context_column="after")
    assert again.column("status").to_pylist() == ["unchanged"] * 4


def test_contexts_are_empty_without_a_context_column() -> None:
    """Other columns are not used as contexts."""
    batch = batch_of([Row("a", seal(OLD), FULL, None), Row("b", seal(OLD, FULL), FULL, None)])
    moved = move(batch, source_context_column=None)
    assert moved.column("status").to_pylist() == ["rewritten", "failed"]
    moved = move(batch, source_context_column=None, destination_context_column="context")
    assert text_of(moved.column("blob")[0].as_py(), FULL) == b"text"


# --- options ---


def test_a_dry_run_keeps_the_blobs() -> None:
    """Each row has the status of the real run, and its blob does not change."""
    batch = batch_of(rows_by_outcome())
    moved = move(batch, dry_run=True)
    assert moved.column("blob").equals(batch.column("blob"))
    assert moved.column("status").equals(move(batch).column("status"))


def test_a_current_blob_is_rewritten_on_request() -> None:
    """With `skip_current=False`, a current blob is encrypted again."""
    batch = batch_of([Row("a", seal(NEW, FULL), FULL, None)])
    moved = move(batch, skip_current=False)
    assert moved.column("status").to_pylist() == ["rewritten"]
    assert not moved.column("blob").equals(batch.column("blob"))


def test_an_upgrade_follows_the_order() -> None:
    """With `upgrade_only`, a row of a newer version fails; `order` defines the newer versions."""
    batch = batch_of([Row("a", seal(OLD), None, None)])
    for order, error in (
        ({"orders": ["v1", "v2"]}, None),
        ({"orders": ["v2", "v1"]}, "incorrect_key"),
    ):
        moved = move(batch, Store(RING), upgrade_only=True, order=order)
        assert moved.column("error").to_pylist() == [error]


def test_the_new_columns_have_the_given_names() -> None:
    """With other names, the columns of a second run are next to those of the first."""
    first = move(batch_of(rows_by_outcome()))
    second = move(first, status_column="status 2", error_column="error 2")
    assert second.schema.names[1:6] == ["blob", "status 2", "error 2", "status", "error"]


# --- the shapes of batches ---


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_a_slice_gives_only_its_own_rows(kind: Any) -> None:
    """A slice shares the buffers of its batch, but only its rows are processed."""
    rows = rows_by_outcome()
    batch = batch_of(rows, kind)
    for start in range(len(rows)):
        for end in (start, start + 1, len(rows) - 1, len(rows)):
            if start <= end:
                check_rows(rows[start:end], move(batch.slice(start, end - start)))


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_a_batch_without_rows_has_the_same_columns(kind: Any) -> None:
    """The schema of the result is that of a result with rows."""
    empty = move(batch_of([], kind))
    assert empty.num_rows == 0
    assert empty.schema == move(batch_of(rows_by_outcome(), kind)).schema


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary_view(), pa.binary(3), pa.null()], ids=str)
def test_null_blobs_stay_null(kind: Any) -> None:
    """A null blob has no status and no error."""
    batch = pa.record_batch({"blob": pa.nulls(2, kind), "context": pa.nulls(2, STRUCT)})
    assert (
        move(batch).to_pylist()
        == [{"blob": None, "status": None, "error": None, "context": None}] * 2
    )


@pytest.mark.parametrize(
    "kind",
    [STRUCT, MAP, pa.struct([]), pa.struct([("a", pa.null())]), pa.map_(pa.string(), pa.null())],
    ids=str,
)
def test_null_contexts_are_empty(kind: Any) -> None:
    """A null context is equal to no context."""
    assert one(pa.nulls(1, kind))["status"] == "rewritten"


def test_a_struct_of_nulls_is_the_empty_context() -> None:
    """A null field is not a pair of the context, and a field with empty text is a pair."""
    nulls, blank = {"tenant": None, "region": None}, {"tenant": "", "region": None}
    assert one(pa.array([nulls], STRUCT))["status"] == "rewritten"
    assert one(pa.array([blank], STRUCT))["error"] == "decryption"
    assert one(pa.array([blank], STRUCT), seal(OLD, {"tenant": ""}))["status"] == "rewritten"


def test_hidden_values_of_a_null_are_ignored() -> None:
    """A null map is the empty context, although its offsets cover pairs."""
    mask = pa.array([True, False])
    hidden = pa.MapArray.from_arrays([0, 1, 2], ["a", "b"], ["1", "2"], mask=mask)
    assert hidden.to_pylist() == [None, [("b", "2")]]
    assert hidden.offsets.to_pylist() == [0, 1, 2]
    blobs = pa.array([seal(OLD), seal(OLD, {"b": "2"})])
    moved = move(pa.record_batch({"blob": blobs, "context": hidden}))
    assert moved.column("status").to_pylist() == ["rewritten"] * 2


# --- invalid contexts ---


BROKEN = pa.array([b"\xff", b"a"]).view(pa.string())


@pytest.mark.parametrize(
    "context",
    [
        pa.array([[("a", "1"), ("a", "2")]], MAP),
        pa.array([[("a", "1"), ("a", "1")]], MAP),
        pa.array([[("a", None)]], MAP),
        pa.array([[("a", "1" * 65_536)]], MAP),
        pa.array([{"tenant": "1" * 65_536}], STRUCT),
        pa.StructArray.from_arrays([BROKEN[:1]], ["a"]),
        pa.MapArray.from_arrays([0, 1], BROKEN[:1], BROKEN[1:]),
        pa.MapArray.from_arrays([0, 1], BROKEN[1:], BROKEN[:1]),
    ],
    ids=[
        "two values of a key",
        "a pair twice",
        "a null value in a map",
        "too long in a map",
        "too long in a struct",
        "no UTF-8 in a struct",
        "no UTF-8 in a key",
        "no UTF-8 in a value",
    ],
)
def test_an_invalid_context_fails_only_its_row(context: Any) -> None:
    """An invalid context is an error of the row, and is reported after an invalid blob."""
    blob = seal(OLD)
    got = one(context, blob)
    assert (got["status"], got["error"], got["blob"]) == ("failed", "invalid_context", blob)
    assert one(context, b"no blob")["error"] == "invalid_blob"


@pytest.mark.parametrize("kind", ["string", "dictionary", "JSON"])
def test_contexts_can_be_json_texts(kind: str) -> None:
    """A text is a JSON object of strings; a null destination keeps the source context."""
    if kind == "JSON" and not hasattr(pa, "json_"):
        pytest.skip("this pyarrow has no JSON type")
    sources = pa.array(['{"tenant": "acme"}', '{"tenant": "acme"}', "{", None])
    news = pa.array(['{"tenant": "umbrella"}', None, None, "{}"])
    columns = [sources, news]
    if kind == "dictionary":
        columns = [column.dictionary_encode() for column in columns]
    elif kind == "JSON":
        columns = [column.cast(pa.json_()) for column in columns]
    blobs = [seal(OLD, {"tenant": "acme"})] * 3 + [seal(OLD)]
    batch = pa.RecordBatch.from_arrays([pa.array(blobs), *columns], ["blob", "source", "new"])
    moved = arrow.reencrypt_batch(
        *(batch, RING, NEW.key_id),
        blob_column="blob",
        source_context_column="source",
        destination_context_column="new",
    )
    assert moved.column("status").to_pylist() == ["rewritten", "rewritten", "failed", "rewritten"]
    assert moved.column("error").to_pylist() == [None, None, "invalid_context", None]
    contexts = ({"tenant": "umbrella"}, {"tenant": "acme"}, None, {})
    for blob, context in zip(moved.column("blob").to_pylist(), contexts, strict=True):
        if context is not None:
            assert decrypt(RING, blob, context).key_version_id == NEW.key_version_id


def test_blobs_can_be_in_a_dictionary() -> None:
    """The column keeps its type, and equal blobs get different new blobs."""
    blobs = pa.array([seal(OLD), None, seal(OLD)]).dictionary_encode()
    batch = pa.RecordBatch.from_arrays([blobs.cast(pa.dictionary(pa.int16(), pa.binary()))], ["b"])
    moved = arrow.reencrypt_batch(batch, RING, NEW.key_id, blob_column="b")
    assert moved.schema.field("b").type == pa.dictionary(pa.int16(), pa.binary())
    first, empty, last = moved.column("b").to_pylist()
    assert empty is None
    assert first != last
    for blob in (first, last):
        assert decrypt(RING, blob).key_version_id == NEW.key_version_id


def test_blobs_of_a_fixed_size_can_be_in_a_dictionary() -> None:
    """Their new type is `binary`; an error of Arrow would show a blob."""
    kind = pa.dictionary(pa.int8(), pa.binary(len(seal(OLD))), ordered=True)
    column = pa.DictionaryArray.from_arrays(
        pa.array([0, None], pa.int8()), pa.array([seal(OLD)], kind.value_type), ordered=True
    )
    longer = RING.with_version(SymmetricKey(NEW.key_id, "v" * 40, KeySpec.AES_256, bytes(32)))
    moved = reencrypt_batch(pa.record_batch({"b": column}), longer, NEW.key_id, blob_column="b")
    assert moved.schema.field("b").type == pa.dictionary(pa.int8(), pa.binary(), ordered=True)
    assert [text and decrypt(longer, text).key_version_id for text in moved["b"].to_pylist()] == [
        "v" * 40,
        None,
    ]


def test_a_dictionary_with_too_few_indices_is_rejected() -> None:
    """Equal blobs become different ones; the error shows their number, and not a blob."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 129, pa.int8()), [seal(OLD)])
    batch = pa.record_batch({"b": column})
    with raises_exactly(ValueError, "int8 cannot hold 129 different blobs"):
        arrow.reencrypt_batch(batch, RING, NEW.key_id, blob_column="b")
    moved = arrow.reencrypt_batch(batch.slice(0, 128), RING, NEW.key_id, blob_column="b")
    assert moved.schema.field("b").type == column.type


# --- errors of the whole batch ---


@pytest.mark.parametrize(
    ("error", "text", "changes"),
    [
        (KeyError, "no column 'x'", {"blob_column": "x"}),
        (KeyError, "no column 'x'", {"source_context_column": "x"}),
        (KeyError, "no column 'x'", {"destination_context_column": "x"}),
        (ValueError, "2 columns 'twice'", {"blob_column": "twice"}),
        (ValueError, "2 columns 'twice'", {"source_context_column": "twice"}),
        (ValueError, "'blob' already", {"status_column": "blob"}),
        (ValueError, "'before' already", {"error_column": "before"}),
        (ValueError, "both", {"status_column": "x", "error_column": "x"}),
        (TypeError, "'name' must be binary, not dict", {"blob_column": "name"}),
        (TypeError, "'context' must be binary, not struct", {"blob_column": "context"}),
        (TypeError, "'blob' must be a struct or a map", {"source_context_column": "blob"}),
        (TypeError, "'blob' must be a struct or a map", {"destination_context_column": "blob"}),
        (TypeError, "field 'n' of 'numbers'", {"source_context_column": "numbers"}),
        (TypeError, "'counts' must be a map of strings", {"source_context_column": "counts"}),
        (TypeError, "'counted' must be a map of strings", {"source_context_column": "counted"}),
        (ValueError, "repeated field", {"source_context_column": "repeated"}),
        (TypeError, "blob_column must be str", {"blob_column": 1}),
        (TypeError, "source_context_column must be str", {"source_context_column": 1}),
        (TypeError, "destination_context_column must be str", {"destination_context_column": 1}),
        (TypeError, "status_column must be str", {"status_column": None}),
        (TypeError, "error_column must be str", {"error_column": None}),
    ],
)
def test_a_wrong_column_is_rejected(
    error: type[Exception], text: str, changes: dict[str, Any]
) -> None:
    """One clear error is raised before a key is requested."""
    batch = batch_of(rows_by_outcome()[:1])
    for name, column in (
        ("twice", pa.array([b"1"])),
        ("twice", pa.array([b"2"])),
        ("numbers", pa.array([{"n": 1}])),
        ("counts", pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))),
        ("counted", pa.array([[(1, "a")]], pa.map_(pa.int8(), pa.string()))),
        ("repeated", pa.StructArray.from_arrays([pa.array(["1"]), pa.array(["2"])], ["a", "a"])),
    ):
        batch = batch.append_column(name, column)
    with raises_exactly(error, text):
        move(batch, NO_KEYS, **changes)


def test_only_a_record_batch_is_accepted() -> None:
    """A table is rejected, although it consists of batches."""
    with raises_exactly(TypeError, "batch must be RecordBatch"):
        move(pa.table({"blob": [b""]}), NO_KEYS)


def test_the_destination_is_looked_up_without_rows_too() -> None:
    """A job with a wrong destination fails at its first batch, also an empty batch."""
    with raises_exactly(KeyNotFoundError):
        move(batch_of([]), Keyring([]))


def test_an_exception_of_a_provider_propagates() -> None:
    """If the provider fails, the batch has no result."""
    with pytest.raises(ConnectionError):
        move(batch_of(rows_by_outcome()), Oracle(version=ConnectionError(), primary=NEW))


def test_a_result_over_the_limit_of_its_type_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """New blobs can be longer than the old blobs; the large types do not have this limit."""
    rows = rows_by_outcome()[:5]
    length = sum(len(blob) for blob in move(batch_of(rows)).column("blob").to_pylist() if blob)
    monkeypatch.setattr(arrow_columns, "_MAX_BINARY_LENGTH", length)
    check_rows(rows, move(batch_of(rows)))
    monkeypatch.setattr(arrow_columns, "_MAX_BINARY_LENGTH", length - 1)
    with raises_exactly(ValueError, f"{length} bytes"):
        move(batch_of(rows))
    check_rows(rows, move(batch_of(rows, blobs=pa.large_binary())))

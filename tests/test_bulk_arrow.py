"""A batch of Arrow: the outcomes of its blobs beside them, and everything else as it was."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from mixed_rows import FULL, NEW, OLD, PART, RING, Row, mixed_rows, seal, text_of
from strategies import Oracle, Store, raises_exactly

from kmscore import InvalidContextError, KeyNotFoundError, Keyring
from kmscore.bulk import Item, reencrypt_many

REASON = "the extra arrow is not installed: pip install '.[arrow]'"
pa: Any = pytest.importorskip("pyarrow", reason=REASON)
arrow = importlib.import_module("kmscore.bulk.arrow")
arrow_contexts = importlib.import_module("kmscore.bulk.arrow_contexts")
reencrypt_batch = arrow.reencrypt_batch

README = Path(__file__).resolve().parent.parent / "README.md"
STRUCT = pa.struct([("tenant", pa.string()), ("region", pa.string())])
MAP = pa.map_(pa.string(), pa.string())
NO_KEYS = Oracle(AssertionError("a key was asked for"), AssertionError("a key was asked for"))


def contexts(values: Sequence[dict[str, str] | None], kind: Any) -> Any:
    """Return a column of contexts."""
    if pa.types.is_map(kind):
        return pa.array([value and list(value.items()) for value in values], kind)
    return pa.array(values, kind)


def dictionaries(values: Sequence[dict[str, str] | None], texts: Any) -> Any:
    """Return a column of structs whose fields are dictionaries of texts of a type."""
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
    """Return rows as a batch with a column before, between and after those that matter."""
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
    """Good rows move, bad ones keep their bytes beside the code, whatever form contexts have."""
    rows = mixed_rows()
    check_rows(rows, move(batch_of(rows, kind)))


@pytest.mark.parametrize("texts", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_contexts_of_dictionaries_are_read(texts: Any) -> None:
    """The fields of a struct may be dictionary-encoded, with nulls among them."""
    rows = mixed_rows()
    column = dictionaries([row.context for row in rows], texts)
    check_rows(rows, move(batch_of(rows).set_column(3, "context", column)))


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
def test_the_blob_column_keeps_its_type(kind: Any) -> None:
    """What went in as one type of binary comes out as that."""
    rows = mixed_rows()
    moved = move(batch_of(rows, blobs=kind))
    assert moved.schema.field("blob").type == kind
    check_rows(rows, moved)


def test_blobs_of_a_fixed_size_become_binary() -> None:
    """Under another key they may have another length."""
    blobs = [seal(OLD), None, seal(OLD)]
    column = pa.array(blobs, pa.binary(len(blobs[0] or b"")))
    moved = reencrypt_batch(pa.record_batch({"b": column}), RING, "orders", blob_column="b")
    assert moved.schema.field("b").type == pa.binary()
    first, missing, last = moved.column("b").to_pylist()
    assert (text_of(first, None), missing, text_of(last, None)) == (b"text", None, b"text")


def test_a_batch_agrees_with_the_same_items_one_by_one() -> None:
    """The outcomes are those of `reencrypt_many`."""
    rows = [row for row in mixed_rows() if row.blob is not None]
    items = [Item(row.name, row.blob or b"", row.context) for row in rows]
    outcomes = list(reencrypt_many(RING, items, "orders"))
    moved = move(batch_of(rows))
    assert moved.column("status").to_pylist() == [outcome.status.value for outcome in outcomes]
    assert moved.column("error").to_pylist() == [
        outcome.error and outcome.error.code for outcome in outcomes
    ]


def test_everything_else_stays_as_it_was() -> None:
    """Other columns, their order and types, what is said about each column and the batch."""
    batch = batch_of(mixed_rows())
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
    """What was moved is unchanged, what failed fails again, and the bytes are the same."""
    first = move(batch_of(mixed_rows()))
    second = move(first.drop_columns(["status", "error"]))
    assert second.column("blob").equals(first.column("blob"))
    assert second.column("error").equals(first.column("error"))
    assert "rewritten" not in second.column("status").to_pylist()


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_contexts_change_where_a_column_says_so(kind: Any) -> None:
    """Each row is bound to its new context, and keeps its own where nothing stands.

    A struct cannot leave a field out: with none but nulls it is what a join without a match gives.
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


def test_without_a_column_of_contexts_they_are_empty() -> None:
    """Nothing is guessed from the other columns."""
    batch = batch_of([Row("a", seal(OLD), FULL, None), Row("b", seal(OLD, FULL), FULL, None)])
    moved = move(batch, source_context_column=None)
    assert moved.column("status").to_pylist() == ["rewritten", "failed"]
    moved = move(batch, source_context_column=None, destination_context_column="context")
    assert text_of(moved.column("blob")[0].as_py(), FULL) == b"text"


# --- options ---


def test_a_dry_run_leaves_the_blobs() -> None:
    """It says what would become of each row, and each keeps the bytes it had."""
    batch = batch_of(mixed_rows())
    moved = move(batch, dry_run=True)
    assert moved.column("blob").equals(batch.column("blob"))
    assert moved.column("status").equals(move(batch).column("status"))


def test_what_is_current_is_sealed_afresh_on_request() -> None:
    """`skip_current=False` rewrites it."""
    batch = batch_of([Row("a", seal(NEW, FULL), FULL, None)])
    moved = move(batch, skip_current=False)
    assert moved.column("status").to_pylist() == ["rewritten"]
    assert not moved.column("blob").equals(batch.column("blob"))


def test_an_upgrade_follows_the_order() -> None:
    """`upgrade_only` refuses a row of a newer version, and `order` says what is newer."""
    batch = batch_of([Row("a", seal(OLD), None, None)])
    for order, error in (
        ({"orders": ["v1", "v2"]}, None),
        ({"orders": ["v2", "v1"]}, "incorrect_key"),
    ):
        moved = move(batch, Store(RING), upgrade_only=True, order=order)
        assert moved.column("error").to_pylist() == [error]


def test_the_new_columns_have_the_names_given() -> None:
    """So that a second run can stand beside the first."""
    first = move(batch_of(mixed_rows()))
    second = move(first, status_column="status 2", error_column="error 2")
    assert second.schema.names[1:6] == ["blob", "status 2", "error 2", "status", "error"]


# --- the shapes of batches ---


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_any_slice_gives_its_own_rows(kind: Any) -> None:
    """A slice shares its buffers with what it was cut from, and only its rows are seen."""
    rows = mixed_rows()
    batch = batch_of(rows, kind)
    for start in range(len(rows)):
        for end in (start, start + 1, len(rows) - 1, len(rows)):
            if start <= end:
                check_rows(rows[start:end], move(batch.slice(start, end - start)))


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_a_batch_without_rows_has_the_same_columns(kind: Any) -> None:
    """Its schema is that of any other."""
    empty = move(batch_of([], kind))
    assert empty.num_rows == 0
    assert empty.schema == move(batch_of(mixed_rows(), kind)).schema


@pytest.mark.parametrize("kind", [pa.binary(), pa.binary_view(), pa.binary(3), pa.null()], ids=str)
def test_blobs_that_are_all_null_stay_so(kind: Any) -> None:
    """No blob, no status, no error."""
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
def test_contexts_that_are_all_null_are_empty(kind: Any) -> None:
    """The same as no context at all."""
    assert one(pa.nulls(1, kind))["status"] == "rewritten"


def test_a_struct_of_nulls_is_the_empty_context() -> None:
    """A null field is no pair, an empty text is one."""
    nulls, blank = {"tenant": None, "region": None}, {"tenant": "", "region": None}
    assert one(pa.array([nulls], STRUCT))["status"] == "rewritten"
    assert one(pa.array([blank], STRUCT))["error"] == "decryption"
    assert one(pa.array([blank], STRUCT), seal(OLD, {"tenant": ""}))["status"] == "rewritten"


def test_what_lies_behind_a_null_is_not_seen() -> None:
    """A null map is the empty context, though its offsets span pairs."""
    mask = pa.array([True, False])
    hidden = pa.MapArray.from_arrays([0, 1, 2], ["a", "b"], ["1", "2"], mask=mask)
    assert hidden.to_pylist() == [None, [("b", "2")]]
    assert hidden.offsets.to_pylist() == [0, 1, 2]
    blobs = pa.array([seal(OLD), seal(OLD, {"b": "2"})])
    moved = move(pa.record_batch({"blob": blobs, "context": hidden}))
    assert moved.column("status").to_pylist() == ["rewritten"] * 2


# --- contexts that cannot be one ---


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
def test_a_context_that_cannot_be_fails_its_row(context: Any) -> None:
    """It is the row's failure and not the batch's, after what is wrong with the blob itself."""
    blob = seal(OLD)
    got = one(context, blob)
    assert (got["status"], got["error"], got["blob"]) == ("failed", "invalid_context", blob)
    assert one(context, b"no blob")["error"] == "invalid_blob"


@pytest.mark.parametrize("use", [dict, len, lambda context: context["a"]])
def test_what_stands_for_no_context_refuses_every_use(use: Callable[[Any], Any]) -> None:
    """It is never taken for the empty one."""
    with raises_exactly(InvalidContextError, "repeated key"):
        use(arrow_contexts._make_context(((b"a", b"1"), (b"a", b"2"))))


@pytest.mark.parametrize("kind", [STRUCT, MAP], ids=["struct", "map"])
def test_equal_contexts_are_prepared_once(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column with two different contexts costs two, however many rows it has."""
    prepared = []
    make = arrow_contexts._make_context
    monkeypatch.setattr(
        arrow_contexts, "_make_context", lambda pairs: prepared.append(pairs) or make(pairs)
    )
    rows = [Row("a", None, FULL, None), Row("b", None, PART, None)] * 50
    move(batch_of(rows, kind))
    assert len(prepared) == 2


# --- what is refused as a whole ---


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
        (TypeError, "'name' must be a struct or a map", {"destination_context_column": "name"}),
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
def test_a_column_that_is_not_as_said_is_refused(
    error: type[Exception], text: str, changes: dict[str, Any]
) -> None:
    """With one clear error, before any key is asked for."""
    batch = batch_of(mixed_rows()[:1])
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


def test_only_a_batch_is_taken() -> None:
    """A table, which has batches, is none."""
    with raises_exactly(TypeError, "batch must be RecordBatch"):
        move(pa.table({"blob": [b""]}), NO_KEYS)


def test_the_destination_is_looked_for_without_rows_too() -> None:
    """A job with a wrong destination ends at its first batch, not at its first row."""
    with raises_exactly(KeyNotFoundError):
        move(batch_of([]), Keyring([]))


def test_what_the_store_raises_passes() -> None:
    """A store that is down fails the batch: nothing is given."""
    with pytest.raises(ConnectionError):
        move(batch_of(mixed_rows()), Oracle(version=ConnectionError(), primary=NEW))


def test_more_than_a_column_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """New blobs may be longer than the old ones; the wide types have no such limit."""
    rows = mixed_rows()[:5]
    length = sum(len(blob) for blob in move(batch_of(rows)).column("blob").to_pylist() if blob)
    monkeypatch.setattr(arrow, "_MAX_BINARY_LENGTH", length)
    check_rows(rows, move(batch_of(rows)))
    monkeypatch.setattr(arrow, "_MAX_BINARY_LENGTH", length - 1)
    with raises_exactly(ValueError, f"{length} bytes"):
        move(batch_of(rows))
    check_rows(rows, move(batch_of(rows, blobs=pa.large_binary())))


# --- README ---


def test_the_example_runs() -> None:
    """The README's batch is moved as it says."""
    (example,) = [
        block.partition("```")[0]
        for block in README.read_text("utf-8").split("```python\n")[1:]
        if "reencrypt_batch" in block
    ]
    rows = mixed_rows()
    names: dict[str, Any] = {"batch": batch_of(rows), "keys": RING}
    exec(example, names)  # noqa: S102 (it is the README's)
    check_rows(rows, names["moved"])

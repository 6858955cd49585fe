"""Contexts in Arrow columns: for any values, a batch has the outcomes of one call for each row."""

import importlib
import json
import operator
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rows_by_outcome import FULL, OLD, PART, RING
from support.strategies import flip_last_bit, raises_exactly

import kmscore
from kmscore import EncryptionContext, InvalidContextError, Keyring, KmsCoreError

REASON = "the extra arrow is not installed: pip install '.[arrow]'"
pa: Any = pytest.importorskip("pyarrow", reason=REASON)
arrow = importlib.import_module("kmscore.bulk.arrow")
arrow_contexts = importlib.import_module("kmscore.bulk.arrow_contexts")

NAMES = ("tenant", "ü", "")
MAP = pa.map_(pa.string(), pa.string())

# Few different texts, so that rows repeat; two are not UTF-8, and one is too long.
TEXTS = st.sampled_from([b"", b"acme", "ü".encode(), b"\xff", b"\xed\xa0\x80", b"x" * 65_536])
VALUES = st.none() | TEXTS
STRUCTS = st.none() | st.tuples(VALUES, VALUES, VALUES)
PAIRS = st.tuples(st.sampled_from([b"a", b"b", b"\xff"]), VALUES)
MAPS = st.none() | st.lists(PAIRS, max_size=3)
GOOD = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["", "1", "ü"]), max_size=2)
JSON = st.none() | st.one_of(
    st.sampled_from(
        [
            '{"a": 1}',
            '{"a": null}',
            '{"a": {}}',
            '{"a": "1", "a": "2"}',
            "{",
            "[]",
            '{"a": "\\ud800"}',
            " " * 9000,
        ]
    ),
    GOOD.map(json.dumps),
)


def texts_of(values: Sequence[bytes | None]) -> Any:
    """Return a column of strings, which Arrow does not check to be UTF-8."""
    return pa.array(values, pa.binary()).view(pa.string())


def structs_of(rows: Sequence[tuple[bytes | None, ...] | None]) -> Any:
    """Return a column of structs."""
    columns = [texts_of([row and row[place] for row in rows]) for place in range(len(NAMES))]
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.StructArray.from_arrays(columns, NAMES, mask=mask)


def maps_of(rows: Sequence[list[tuple[bytes, bytes | None]] | None]) -> Any:
    """Return a column of maps."""
    pairs = [pair for row in rows for pair in row or ()]
    offsets = [0]
    for row in rows:
        offsets.append(offsets[-1] + len(row or ()))
    keys, values = (texts_of([pair[place] for pair in pairs]) for place in (0, 1))
    mask = pa.array([row is None for row in rows], pa.bool_())
    return pa.MapArray.from_arrays(offsets, keys, values, mask=mask)


def as_text(value: bytes | None) -> Any:
    """Return the text of a value; bytes that are not UTF-8 become surrogates."""
    return None if value is None else value.decode("utf-8", "surrogateescape")


def context_of_struct(row: tuple[bytes | None, ...]) -> EncryptionContext:
    """Return the context of one struct."""
    pairs = {name: as_text(value) for name, value in zip(NAMES, row, strict=True)}
    return EncryptionContext({name: text for name, text in pairs.items() if text is not None})


def context_of_map(row: list[tuple[bytes, bytes | None]]) -> EncryptionContext:
    """Return the context of one map."""
    if len({key for key, _ in row}) != len(row):
        raise InvalidContextError("encryption context with a repeated key")
    return EncryptionContext({as_text(key): as_text(value) for key, value in row})


def expected(blob: bytes, row: Any, read: Callable[[Any], EncryptionContext]) -> tuple[str, Any]:
    """Return the status of a row and its plaintext or error code, from one call of `reencrypt`."""
    try:
        kmscore.CiphertextBlob.parse(blob)
        context = EncryptionContext() if row is None else read(row)
        result = kmscore.reencrypt(
            RING, blob, "orders", source_context=context, destination_context=context
        )
    except KmsCoreError as error:
        return "failed", error.code
    assert result.ciphertext_blob is not None
    return "rewritten", kmscore.decrypt(RING, result.ciphertext_blob, context).plaintext


def make_blob(row: Any, read: Callable[[Any], EncryptionContext], fault: str) -> bytes:
    """Return a blob under the context of a row, or under the empty one if it has none."""
    try:
        context = EncryptionContext() if row is None else read(row)
    except InvalidContextError:
        context = EncryptionContext()
    blob = kmscore.encrypt(Keyring([OLD]), "orders", b"text", context).ciphertext_blob
    return {"none": blob, "damaged": flip_last_bit(blob), "cut off": blob[:9]}[fault]


FAULTS = st.sampled_from(["none"] * 4 + ["damaged", "cut off"])


def check(rows: Sequence[Any], faults: Sequence[str], column: Any, read: Any) -> None:
    """Compare a batch with calls for one row each."""
    blobs = [make_blob(row, read, fault) for row, fault in zip(rows, faults, strict=True)]
    batch = pa.record_batch({"blob": pa.array(blobs, pa.binary()), "context": column})
    moved = arrow.reencrypt_batch(
        *(batch, RING, "orders"), blob_column="blob", source_context_column="context"
    ).drop_columns(["context"])
    for old, row, got in zip(blobs, rows, moved.to_pylist(), strict=True):
        status, value = expected(old, row, read)
        assert got["status"] == status
        if status == "failed":
            assert (got["blob"], got["error"]) == (old, value)
        else:
            context = None if row is None else read(row)
            opened = kmscore.decrypt(RING, got["blob"], context)
            assert (opened.plaintext, opened.key_version_id, got["error"]) == (value, "v2", None)


def rows_with_faults(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Any, str]]]:
    """Return lists of rows, most of which have a good blob."""
    return st.lists(st.tuples(rows, FAULTS), min_size=1, max_size=12)


@given(rows_with_faults(STRUCTS), st.booleans())
def test_structs_have_the_outcomes_of_single_calls(
    drawn: list[tuple[Any, str]], is_dictionary: bool
) -> None:
    """For any structs, each row has the result of `reencrypt`, also with dictionaries of texts."""
    rows, faults = zip(*drawn, strict=True)
    column = structs_of(rows)
    if is_dictionary:
        # The encoding does not check the texts.
        fields = [
            pa.DictionaryArray.from_arrays(pa.array(range(len(rows)), pa.int8()), part, safe=False)
            for part in column.flatten()
        ]
        column = pa.StructArray.from_arrays(fields, NAMES)
    check(rows, faults, column, context_of_struct)


@given(rows_with_faults(MAPS))
def test_maps_have_the_outcomes_of_single_calls(drawn: list[tuple[Any, str]]) -> None:
    """For any maps, each row has the result of `reencrypt`; a null value is invalid."""
    rows, faults = zip(*drawn, strict=True)
    check(rows, faults, maps_of(rows), context_of_map)


@given(rows_with_faults(JSON))
def test_json_texts_have_the_outcomes_of_single_calls(drawn: list[tuple[Any, str]]) -> None:
    """For any texts, each row has the result of `reencrypt` with `EncryptionContext.from_json`."""
    rows, faults = zip(*drawn, strict=True)
    check(rows, faults, pa.array(rows, pa.string()), EncryptionContext.from_json)


@pytest.mark.parametrize(
    ("row", "text"),
    [(("a", "a", "1", "2"), "repeated key"), (("a", None), "must be str")],
    ids=["repeated key", "null value"],
)
@pytest.mark.parametrize("use", [dict, len, operator.itemgetter("a")])
def test_the_placeholder_for_an_invalid_context_always_fails(
    use: Callable[[Any], Any], row: Any, text: str
) -> None:
    """The placeholder is never used as the empty context."""
    *_, context = arrow_contexts._share([row, row], arrow_contexts._make_context)
    with raises_exactly(InvalidContextError, text):
        use(context)


@pytest.mark.parametrize("kind", ["struct", "map", "JSON"])
def test_equal_rows_share_one_context(kind: str) -> None:
    """The second of two equal rows creates the context; a context that occurs once is a dict."""
    once, pairs = {"tenant": "x"}, [FULL, PART, FULL, FULL, PART]
    column = {
        "struct": pa.array,
        "map": lambda rows: pa.array([list(row.items()) for row in rows], MAP),
        "JSON": lambda rows: pa.array([json.dumps(row) for row in rows]),
    }[kind]([once, *pairs])
    batch = pa.record_batch({"context": column})
    first, *rest = arrow_contexts.read_contexts(batch, "context", absent=None)
    assert (type(first), first) == (dict, once)
    assert [dict(context) for context in rest] == pairs
    assert [type(context) for context in rest] == [
        *[dict] * 2,
        *[EncryptionContext] * 3,
    ]
    assert rest[2] is rest[3]

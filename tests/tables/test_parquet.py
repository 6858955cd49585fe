"""Parquet: ciphertexts as binary or text, contexts as struct, map or JSON, other columns copied."""

import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import base64_of, invoke, opened, problem, seal

from kmscore.tables import parquet_file
from kmscore.tables.columns import Columns
from kmscore.tables.errors import TableError
from kmscore.tables.parquet import Parquet
from kmscore.tables.table import CHUNK_BYTES

arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra arrow")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra arrow")

_CONTEXT = {"tenant": "acme"}
_BLOB = seal(b"4711", _CONTEXT)
_OPTIONS = ("--destination", "orders", "--context-column", "context")


def _rotate(
    ring_file: Path, table: Any, *options: str, code: int = 0, name: str = "in.parquet"
) -> Any:
    """Return the result of a rotation of a table."""
    source = ring_file.with_name(name)
    out = ring_file.with_name(f"out-of-{name}")
    parquet.write_table(table, source)
    result = invoke("rotate", source, out, "-k", ring_file, *(options or _OPTIONS))
    assert (result.exit_code, result.stderr) == (code, ""), result
    return parquet.ParquetFile(out).read()


def _contexts() -> Iterator[Any]:
    pair = arrow.struct([("tenant", arrow.string()), ("table", arrow.string())])
    yield arrow.array([_CONTEXT | {"table": None}], pair)
    yield arrow.array([list(_CONTEXT.items())], arrow.map_(arrow.string(), arrow.string()))
    yield arrow.array(['{"tenant": "acme"}'])
    yield arrow.array(['{"tenant": "acme"}'], arrow.large_string())


@pytest.mark.parametrize(
    "kind", ["binary", "large_binary", "string", "large_string", "fixed", "required"]
)
@pytest.mark.parametrize("form", range(4))
def test_ciphertexts_and_contexts_of_every_type_are_rotated(
    ring_file: Path, kind: str, form: int
) -> None:
    """Types other than a fixed size stay, and so do schema, metadata and other columns."""
    types = {
        "fixed": arrow.binary(len(_BLOB)),
        "required": arrow.binary(),
    }
    kind_type = types.get(kind) or getattr(arrow, kind)()
    value = base64_of(_BLOB) if "string" in kind else _BLOB
    blob = arrow.field("ciphertext_blob", kind_type, kind != "required", {"a": "b"})
    context = list(_contexts())[form]
    schema = arrow.schema(
        [
            ("price", arrow.decimal128(6, 2)),
            blob,
            ("context", context.type),
            ("when", arrow.timestamp("us", "UTC")),
        ],
        {"owner": "orders"},
    )
    columns = [arrow.array([None], schema.field(0).type), arrow.array([value], kind_type)]
    columns += [context, arrow.array([0], schema.field(3).type)]
    table = arrow.table(columns, schema=schema)
    out = _rotate(ring_file, table)
    # Read the table again, because Parquet has its own names for the fields of a map.
    table = parquet.ParquetFile(ring_file.with_name("in.parquet")).read()
    schema = table.schema
    assert schema.metadata == {b"owner": b"orders"}
    if kind == "fixed":
        schema = schema.set(1, blob.with_type(arrow.binary()))
    assert out.schema.equals(schema, check_metadata=True)
    assert out.drop_columns("ciphertext_blob").equals(table.drop_columns("ciphertext_blob"))
    (result,) = out.column("ciphertext_blob").to_pylist()
    assert opened(result, _CONTEXT).key_version_id == "2"


def test_nulls_stay_and_failed_rows_are_separated(ring_file: Path) -> None:
    """A failed row is in a table of its own, with number, code and reason."""
    maps = arrow.map_(arrow.string(), arrow.string())
    good, twice = list(_CONTEXT.items()), [("a", "1"), ("a", "2")]
    table = arrow.table(
        {
            "id": [1, 2, 3, 4, 5],
            "ciphertext_blob": [_BLOB, None, b"junk", _BLOB, _BLOB],
            "context": arrow.array([good, None, good, twice, None], maps),
        }
    )
    out = _rotate(ring_file, table, code=1)
    assert out.column("id").to_pylist() == [1, 2]
    assert out.column("ciphertext_blob").to_pylist()[1] is None
    failed = parquet.ParquetFile(ring_file.with_name("out-of-in.failed.parquet")).read()
    assert failed.column_names == [
        *("kmscore_row", "kmscore_error", "kmscore_message"),
        *table.column_names,
    ]
    assert failed.column("kmscore_row").to_pylist() == [3, 4, 5]
    assert failed.column("kmscore_error").to_pylist() == [
        *("invalid_blob", "invalid_context", "decryption"),
    ]
    assert all(failed.column("kmscore_message").to_pylist())
    assert failed.select(table.column_names).equals(table.slice(2))


def _text(values: list[bytes | None], kind: Any = None) -> Any:
    """Return a text column from bytes without a check for UTF-8."""
    return arrow.array(values, arrow.large_binary()).cast(kind or arrow.string(), safe=False)


def _strange_contexts() -> Iterator[Any]:
    """Yield columns of a row with a good context, and one with a byte that is not UTF-8."""
    texts = _text([b"acme", b"acme\xff"])
    yield arrow.StructArray.from_arrays([texts, arrow.nulls(2)], ["tenant", "table"])
    yield arrow.MapArray.from_arrays([0, 1, 2], _text([b"tenant"] * 2), texts)
    yield arrow.MapArray.from_arrays([0, 1, 2], _text([b"tenant", b"\xff"]), _text([b"acme"] * 2))
    yield _text([b'{"tenant": "acme"}', b'{"tenant": "acme\xff"}'])
    yield _text([b'{"tenant": "acme"}', b'{"tenant": "acme"}\xff'], arrow.large_string())


@pytest.mark.parametrize("form", range(5))
def test_a_context_that_is_not_utf8_fails_only_its_row(ring_file: Path, form: int) -> None:
    """The table of failed rows has the same bytes as the input."""
    context = list(_strange_contexts())[form]
    table = arrow.table({"ciphertext_blob": [_BLOB, _BLOB], "context": context})
    assert _rotate(ring_file, table, code=1).num_rows == 1
    failed = parquet.ParquetFile(ring_file.with_name("out-of-in.failed.parquet")).read()
    assert failed.column("kmscore_error").to_pylist() == ["invalid_context"]
    original = parquet.ParquetFile(ring_file.with_name("in.parquet")).read()
    assert failed.column("context").equals(original.column("context").slice(1))


def test_texts_that_are_not_utf8_fail_only_their_rows(ring_file: Path) -> None:
    """An invalid ciphertext or context value fails; a column that is not read stays."""
    blob = base64_of(_BLOB).encode()
    table = arrow.table(
        {
            "ciphertext_blob": _text([blob, b"\xff", blob, None]),
            "tenant": _text([b"acme", b"acme", b"\xff", b"\xff"]).dictionary_encode(),
            "note": _text([b"\xff"] * 4),
        }
    )
    out = _rotate(
        ring_file, table, "--destination", "orders", "--context-columns", "tenant", code=1
    )
    assert out.column("note").cast(arrow.binary()).to_pylist() == [b"\xff"] * 2
    failed = parquet.ParquetFile(ring_file.with_name("out-of-in.failed.parquet")).read()
    assert failed.column("kmscore_error").to_pylist() == ["invalid_blob", "invalid_context"]
    assert failed.column("ciphertext_blob").cast(arrow.binary()).to_pylist() == [b"\xff", blob]
    source = ring_file.with_name("in.parquet")
    said = "1 row without a ciphertext; 1 row that cannot be read"
    assert said in invoke("census", source).stdout


def test_the_context_of_a_null_ciphertext_is_ignored(ring_file: Path) -> None:
    """A row without a ciphertext stays, even with an invalid context."""
    maps = arrow.array([[("a", "1"), ("a", "2")]], arrow.map_(arrow.string(), arrow.string()))
    blobs = arrow.array([None], arrow.binary())
    table = arrow.table({"ciphertext_blob": blobs, "context": maps})
    assert _rotate(ring_file, table).num_rows == 1


def _no_contexts() -> Iterator[Any]:
    """Yield columns whose types are not allowed for contexts."""
    yield arrow.array([["ab"]])
    yield arrow.array([5])
    yield arrow.array([b"{}"])
    yield arrow.array([1 << 62], arrow.timestamp("us"))
    yield arrow.array([{"tenant": 5}])
    yield arrow.array([{"tenant": {"deep": "acme"}}])
    yield arrow.array([[(1, "acme")]], arrow.map_(arrow.int64(), arrow.string()))
    yield arrow.array([[("tenant", 1)]], arrow.map_(arrow.string(), arrow.int64()))
    texts = arrow.array(["acme"])
    yield arrow.StructArray.from_arrays([texts, texts], ["tenant", "tenant"])


@pytest.mark.parametrize("form", range(9))
def test_a_context_column_of_a_wrong_type_is_rejected(ring_file: Path, form: int) -> None:
    """One line names the column and its type, before rows are read or files are written."""
    context = list(_no_contexts())[form]
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    parquet.write_table(arrow.table({"ciphertext_blob": [_BLOB], "context": context}), source)
    kind = parquet.read_schema(source).field("context").type
    where = ("rotate", source, out, "-k", ring_file, "--destination", "orders")
    said = problem(invoke(*where, "--context-column", "context"))
    assert said == f"{source}: column 'context' is of {kind}: not text, no struct or map of text"
    said = problem(invoke(*where, "--context-columns", "context"))
    assert said == f"{source}: column 'context' is of {kind}: not text"
    assert sorted(path.name for path in source.parent.iterdir()) == ["in.parquet", "team.keys"]


@pytest.mark.parametrize("is_once", [True, False])
def test_memory_is_bounded_for_long_values_in_a_short_file(tmp_path: Path, is_once: bool) -> None:
    """With shared or compressed values, at most about one chunk of rows is in memory."""
    source, number = tmp_path / "in.parquet", 1024
    blobs = arrow.array([b"%05d" % (0 if is_once else n) + bytes(1 << 16) for n in range(number)])
    names = arrow.array(["a" * 1000] * number).dictionary_encode()
    numbers = arrow.array([1] * number).dictionary_encode()
    table = arrow.table({"ciphertext_blob": blobs, "name": names, "number": numbers})
    # A compressed page is decompressed as a whole; pages usually have 1 MiB.
    form = {"compression": "zstd", "use_dictionary": is_once, "write_batch_size": 16}
    parquet.write_table(table, source, **form)
    assert source.stat().st_size < 1 << 18
    del table, blobs
    before = arrow.total_allocated_bytes()
    rows = most = 0
    for chunk in Parquet().chunks(source):
        assert chunk.first_row == rows + 1
        most = max(most, len(chunk.payload), arrow.total_allocated_bytes() - before)
        rows += sum(1 for _ in Parquet().records(chunk, Columns("ciphertext_blob", "name")))
    assert rows == number
    assert most < 4 * CHUNK_BYTES


def test_a_chunk_has_a_limit_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A longer row has its own chunk, and no row is lost between two chunks."""
    monkeypatch.setattr(parquet_file, "CHUNK_BYTES", 100)
    source = tmp_path / "in.parquet"
    blobs = [b"x" * length for length in (200, 30, 30, 200, 1, 1, 1)]
    parquet.write_table(arrow.table({"ciphertext_blob": blobs}), source)
    table = Parquet()
    columns, chunks = Columns("ciphertext_blob"), list(table.chunks(source))
    read = [[row["ciphertext_blob"] for row in table.records(c, columns)] for c in chunks]
    assert [blob for chunk in read for blob in chunk] == blobs
    assert [chunk.first_row for chunk in chunks] == [1, 2, 4, 5]
    assert chunks[-1].position == 1.0


def _within(name: str, times: list[int]) -> Any:
    """Return a column of timestamps, one in each row, inside the named type."""
    kind = arrow.timestamp("us")
    pair = arrow.struct([("at", kind)])
    forms: dict[str, tuple[Callable[[int], Any], Any]] = {
        "nothing": (lambda time: time, kind),
        "list": (lambda time: [time], arrow.list_(kind)),
        "large list": (lambda time: [time], arrow.large_list(kind)),
        "list of one": (lambda time: [time], arrow.list_(kind, 1)),
        "struct": (lambda time: {"at": time}, pair),
        "map": (lambda time: [("at", time)], arrow.map_(arrow.string(), kind)),
        "list of structs": (lambda time: [{"at": time}], arrow.list_(pair)),
    }
    wrap, form = forms[name]
    return arrow.array([wrap(time) for time in times], form)


_FORMS = ("nothing", "list", "large list", "list of one", "struct", "map", "list of structs")
# Microseconds since 1970: the first of the year 1, and the last of 9999.
_FIRST, _NEAR, _LAST = -62_135_596_800_000_000, 1_767_225_600_000_000, 253_402_300_799_999_999


def _write_old(path: Path, table: Any, *, is_plain: bool = True) -> None:
    """Write INT96 timestamps, by default without the schema that Arrow adds."""
    form = {"use_deprecated_int96_timestamps": True, "store_schema": not is_plain}
    parts = {"row_group_size": 1, "compression": "none", "use_dictionary": False}
    parquet.write_table(table, path, **form, **parts)
    types = {column.physical_type for column in parquet_file._columns(parquet.read_metadata(path))}
    assert "INT96" in types


@pytest.mark.parametrize("is_plain", [True, False])
def test_int96_timestamps_keep_their_range(ring_file: Path, is_plain: bool) -> None:
    """The first and last timestamps are kept in every type, which nanoseconds cannot represent."""
    times = [_FIRST, _LAST]
    columns = {name: _within(name, times) for name in _FORMS}
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    table = arrow.table({"ciphertext_blob": [seal(b"4711"), None]} | columns)
    _write_old(source, table, is_plain=is_plain)
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert (result.exit_code, result.stderr) == (0, ""), result
    written = parquet.ParquetFile(out).read()
    for name in _FORMS:
        assert written.column(name).to_pylist() == table.column(name).to_pylist()


def _as_of_old(time: int, nanoseconds: int = 0) -> bytes:
    """Return an INT96 timestamp as its bytes: nanoseconds of the day, and the Julian day."""
    day, clock = divmod(time, 86_400_000_000)
    return struct.pack("<qi", clock * 1000 + nanoseconds, day + 2_440_588)


@pytest.mark.parametrize(
    ("name", "time"),
    [("nothing", _FIRST), ("nothing", _NEAR), *((name, _LAST) for name in _FORMS)],
)
def test_an_int96_timestamp_with_nanoseconds_is_rejected(
    ring_file: Path, name: str, time: int
) -> None:
    """One line says so before a file is written, for every type and row group."""
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    times = _within(name, [0, time])
    _write_old(source, arrow.table({"ciphertext_blob": [seal(b"4711")] * 2, "when": times}))
    data = source.read_bytes()
    assert data.count(_as_of_old(time)) == 1
    source.write_bytes(data.replace(_as_of_old(time), _as_of_old(time, 1)))
    said = problem(invoke("rotate", source, out, "-k", ring_file, "--destination", "orders"))
    assert said == (
        f"{source}: an INT96 timestamp finer than a microsecond; convert the column to a timestamp"
        " of today first"
    )
    assert sorted(path.name for path in source.parent.iterdir()) == ["in.parquet", "team.keys"]


def test_a_second_column_with_the_name_of_a_timestamp(ring_file: Path) -> None:
    """A column of text with the same name is not read as an INT96 timestamp."""
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    columns = [[seal(b"4711")], _within("nothing", [_LAST]), ["today"]]
    names = ["ciphertext_blob", "when", "when"]
    _write_old(source, arrow.Table.from_arrays([arrow.array(each) for each in columns], names))
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert (result.exit_code, result.stderr) == (0, ""), result
    assert parquet.ParquetFile(out).read().column(2).to_pylist() == ["today"]


_PAIR = arrow.struct([("empty", arrow.null()), ("full", arrow.string())])
UNREAD = {
    "struct with nulls": arrow.array([{"empty": None, "full": "acme"}] * 4, _PAIR),
    "struct": arrow.array([{"full": "acme"}] * 4),
    "list": arrow.array([["acme"]] * 4),
    "map": arrow.array([[("tenant", "acme")]] * 4, arrow.map_(arrow.string(), arrow.string())),
    "null": arrow.nulls(4),
    "string view": arrow.array(["acme"] * 4, arrow.string_view()),
    "binary view": arrow.array([b"acme"] * 4, arrow.binary_view()),
    "fixed-size binary": arrow.array([b"acme"] * 4, arrow.binary(4)),
    "dictionary": arrow.array(["acme"] * 4).dictionary_encode(),
}
"""Columns that are only copied; each has one value in four rows."""


@pytest.mark.parametrize("form", UNREAD)
def test_other_columns_are_copied(ring_file: Path, form: str) -> None:
    """Columns that are not read stay equal over two row groups, with dictionaries and nulls."""
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    blobs = [seal(b"4711"), b"junk", b"junk", seal(b"4712")]
    table = arrow.table({"ciphertext_blob": blobs, "other": UNREAD[form]})
    try:
        parquet.write_table(table, source, row_group_size=2, use_dictionary=True)
    except arrow.ArrowNotImplementedError:
        pytest.skip(f"this pyarrow writes no {form}")
    assert parquet.read_metadata(source).num_row_groups == 2
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    if "view" in form and result.exit_code == 2:
        # A pyarrow that writes views and does not copy them.
        assert "view" in problem(result)
        return
    assert (result.exit_code, result.stderr) == (1, ""), result
    before, good, bad = (
        parquet.ParquetFile(path).read()
        for path in (source, out, ring_file.with_name("out.failed.parquet"))
    )
    assert good.schema.equals(before.schema, check_metadata=True)
    assert good.column("other").equals(before.column("other").slice(0, 2))
    assert bad.column("other").equals(before.column("other").slice(1, 2))
    assert bad.column("ciphertext_blob").to_pylist() == [b"junk"] * 2


@pytest.mark.parametrize("is_struct", [True, False])
def test_only_a_null_destination_context_keeps_the_context(
    ring_file: Path, is_struct: bool
) -> None:
    """A struct of nulls, like null, keeps the source context; an empty map removes it."""
    text = arrow.string()
    pair = arrow.struct([("tenant", text), ("table", text)])
    if is_struct:
        empty: Any = {"tenant": None, "table": None}
        new = arrow.array([empty, {"tenant": None, "table": "new"}, None], pair)
    else:
        new = arrow.array([[], [("table", "new")], None], arrow.map_(text, text))
    columns = {"ciphertext_blob": [_BLOB] * 3, "context": [_CONTEXT] * 3, "new": new}
    out = _rotate(ring_file, arrow.table(columns), *_OPTIONS, "--destination-context-column", "new")
    due = [_CONTEXT if is_struct else {}, {"table": "new"}, _CONTEXT]
    for blob, context in zip(out.column("ciphertext_blob").to_pylist(), due, strict=True):
        assert opened(blob, context).key_version_id == "2"


def test_a_table_without_rows_keeps_its_schema(ring_file: Path) -> None:
    """A table without rows is valid."""
    table = arrow.table({"ciphertext_blob": arrow.array([], arrow.binary())})
    out = _rotate(ring_file, table, "--destination", "orders")
    assert (out.num_rows, out.schema) == (0, table.schema)


def test_names_of_folders_add_no_columns(ring_file: Path) -> None:
    """A folder that is named like a partition is an ordinary folder."""
    (ring_file.parent / "day=1").mkdir()
    table = arrow.table({"ciphertext_blob": [seal(b"4711")]})
    source = ring_file.parent / "day=1" / "in.parquet"
    parquet.write_table(table, source)
    out = source.with_name("out.parquet")
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert result.exit_code == 0, result
    assert parquet.ParquetFile(out).read().column_names == ["ciphertext_blob"]


def test_rows_in_several_chunks_keep_their_order(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Order and number of rows stay, and a second run changes no row."""
    monkeypatch.setattr(parquet_file, "CHUNK_ROWS", 3)
    blobs = [seal(b"%d" % row, {"tenant": f"{row}"}) for row in range(10)]
    tenants = [f"{row}" for row in range(10)]
    table = arrow.table({"ciphertext_blob": blobs, "tenant": tenants})
    options = ("--destination", "orders", "--context-columns", "tenant")
    out = _rotate(ring_file, table, *options)
    assert out.column("tenant").to_pylist() == tenants
    for row, blob in enumerate(out.column("ciphertext_blob").to_pylist()):
        assert opened(blob, {"tenant": f"{row}"}).plaintext == b"%d" % row
    assert _rotate(ring_file, out, *options, name="again.parquet").equals(out)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"a": [1]}, "no column 'ciphertext_blob'"),
        ({"ciphertext_blob": [1]}, "column 'ciphertext_blob' is of int64: not binary, not text"),
        (
            {"ciphertext_blob": [b""], "kmscore_row": [1]},
            "a column 'kmscore_row', which is only in tables of failed rows",
        ),
    ],
)
def test_a_wrong_column_is_rejected(ring_file: Path, table: Any, reason: str) -> None:
    """One line names the column."""
    source = ring_file.with_name("in.parquet")
    parquet.write_table(arrow.table(table), source)
    out = source.with_name("out.parquet")
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert problem(result).startswith(f"{source}: {reason}")


def test_two_columns_with_the_same_name_are_rejected(ring_file: Path) -> None:
    """The command does not guess which of the columns is right."""
    source = ring_file.with_name("in.parquet")
    names = ["ciphertext_blob", "ciphertext_blob"]
    parquet.write_table(arrow.Table.from_arrays([arrow.array([b""])] * 2, names), source)
    said = problem(invoke("census", source))
    assert said == f"{source}: more than one column 'ciphertext_blob'"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"id,ciphertext_blob\n", b"PAR1" + bytes(99)])
def test_a_file_that_is_not_parquet_is_rejected(ring_file: Path, data: bytes) -> None:
    """One line names the file."""
    source = ring_file.with_name("in.parquet")
    source.write_bytes(data)
    said = problem(invoke("census", source))
    assert said.startswith(f"{source}: not Parquet that can be read and written: ")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The line has the message of the system."""
    said = problem(invoke("census", tmp_path / "in.parquet"))
    assert said.startswith(f"{tmp_path / 'in.parquet'}: ")
    assert "No such file" in said


def test_a_file_deleted_before_the_read_is_reported(tmp_path: Path) -> None:
    """The line has the message of the system, and does not say that the file is not Parquet."""
    source = tmp_path / "in.parquet"
    with pytest.raises(TableError, match="No such file") as raised:
        list(Parquet().chunks(source))
    assert str(raised.value).startswith(f"{source}: ")
    assert "not Parquet" not in str(raised.value)


@pytest.mark.parametrize("command", ["rotate", "census"])
def test_a_column_name_that_is_not_utf8_is_rejected(ring_file: Path, command: str) -> None:
    """One line names the file, also for a column that is not used."""
    source = ring_file.with_name("in.parquet")
    table = arrow.table({"ciphertext_blob": [_BLOB], "some column": ["acme"]})
    parquet.write_table(table, source, store_schema=False)
    source.write_bytes(source.read_bytes().replace(b"some column", b"some c\xfflumn"))
    rest = (ring_file.with_name("out.parquet"), "-k", ring_file, "--destination", "orders")
    said = problem(invoke(command, source, *(rest if command == "rotate" else ())))
    assert said.startswith(f"{source}: not Parquet that can be read and written: 'utf-8' codec ")
    assert sorted(path.name for path in source.parent.iterdir()) == ["in.parquet", "team.keys"]


def test_damage_inside_a_file_is_reported(ring_file: Path) -> None:
    """Damage that is found during the read gives one line."""
    source = ring_file.with_name("in.parquet")
    table = arrow.table({"ciphertext_blob": [seal(b"%d" % row) for row in range(99)]})
    parquet.write_table(table, source, compression="none", use_dictionary=False)
    data = bytearray(source.read_bytes())
    data[4:60] = b"\xff" * 56
    source.write_bytes(data)
    out = source.with_name("out.parquet")
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert problem(result).startswith(f"{source}: not Parquet that can be read and written: ")
    assert not out.exists()


def test_census_counts_rows_without_ciphertexts(ring_file: Path) -> None:
    """The census needs no key, and counts nulls."""
    source = ring_file.with_name("in.parquet")
    parquet.write_table(arrow.table({"ciphertext_blob": [_BLOB, None, b"junk"]}), source)
    assert "1 other; 1 row without a ciphertext" in invoke("census", source).stdout


def test_failed_rows_are_counted(ring_file: Path) -> None:
    """The census counts failed rows, whose versions are still needed."""
    table = arrow.table({"ciphertext_blob": [_BLOB, b"junk", _BLOB], "context": ["{}"] * 3})
    assert _rotate(ring_file, table, code=1).num_rows == 0
    failed = ring_file.with_name("out-of-in.failed.parquet")
    (header,) = json.loads(invoke("census", failed, "--json").stdout)["headers"]
    assert (header["key_version_id"], header["blobs"]) == ("1", 2)


def test_a_missing_extra_is_named(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names the extra to install."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    source = ring_file.with_name("in.parquet")
    source.touch()
    said = problem(invoke("census", source))
    assert said == "Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'"


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        ([("a", "1"), ("a", "2")], "encryption context with a repeated key"),
        ([("a", None)], "encryption context keys and values must be str, not NoneType"),
        ([("a", "x" * 70_000)], "encryption context longer than 65535 bytes"),
    ],
    ids=["repeated key", "null", "too long"],
)
def test_the_reason_of_a_context_is_that_of_the_engine(
    ring_file: Path, context: Any, reason: str
) -> None:
    """No name of a private class is shown."""
    maps = arrow.array([context], arrow.map_(arrow.string(), arrow.string()))
    blob = seal(b"text", {"a": "1"})
    table = arrow.table({"ciphertext_blob": arrow.array([blob]), "context": maps})
    source, out = ring_file.with_name("in.parquet"), ring_file.with_name("out.parquet")
    parquet.write_table(table, source)
    options = ("-k", ring_file, "--destination", "orders", "--context-column", "context")
    assert invoke("rotate", source, out, *options).exit_code == 1
    (row,) = parquet.read_table(ring_file.with_name("out.failed.parquet")).to_pylist()
    assert (row["kmscore_error"], row["kmscore_message"]) == ("invalid_context", reason)

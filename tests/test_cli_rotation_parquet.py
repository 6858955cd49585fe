"""Parquet: ciphertexts as binary or text, contexts as struct, map or JSON, everything else kept."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cli_support import base64_of, invoke, opened, problem, seal, write_ring

from kmscore.cli.rotation import parquet as module

arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra arrow")
parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: the extra arrow")

_CONTEXT = {"tenant": "acme"}
_BLOB = seal(b"4711", _CONTEXT)
_OPTIONS = ("--destination", "orders", "--context-column", "context")


@pytest.fixture
def ring_file(tmp_path: Path) -> Path:
    """Return a keyring file."""
    return write_ring(tmp_path / "team.keys")


def _rotate(
    ring_file: Path, table: Any, *options: str, code: int = 0, name: str = "in.parquet"
) -> Any:
    """Return what a rotation makes of a table."""
    source = ring_file.with_name(name)
    out = ring_file.with_name(f"out-of-{name}")
    parquet.write_table(table, source)
    result = invoke("rotate", source, out, "-k", ring_file, *(options or _OPTIONS))
    assert (result.exit_code, result.stderr) == (code, "")
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
def test_ciphertexts_and_contexts_of_any_type(ring_file: Path, kind: str, form: int) -> None:
    """The type of the column stays, but a fixed size; schema, metadata and other columns too."""
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
    # As it is read: the names within a map are Parquet's own.
    table = parquet.ParquetFile(ring_file.with_name("in.parquet")).read()
    schema = table.schema
    assert schema.metadata == {b"owner": b"orders"}
    if kind == "fixed":
        schema = schema.set(1, blob.with_type(arrow.binary()))
    assert out.schema.equals(schema, check_metadata=True)
    assert out.drop_columns("ciphertext_blob").equals(table.drop_columns("ciphertext_blob"))
    (result,) = out.column("ciphertext_blob").to_pylist()
    assert opened(result, _CONTEXT).key_version_id == "2"


def test_nulls_and_rows_that_fail(ring_file: Path) -> None:
    """Null in, null out; what fails stands in a table of its own, with number, code and reason."""
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


@pytest.mark.parametrize(
    ("context", "code"),
    [
        (["ab"], "invalid_context"),
        (5, "invalid_context"),
        ({"tenant": 5}, "invalid_context"),
        ({"tenant": {"deep": "acme"}}, "invalid_context"),
    ],
)
def test_contexts_that_are_none(ring_file: Path, context: Any, code: str) -> None:
    """A list, a number, or values that are no text: nothing is made to fit."""
    table = arrow.table({"ciphertext_blob": [_BLOB], "context": [context]})
    assert _rotate(ring_file, table, code=1).num_rows == 0
    failed = parquet.ParquetFile(ring_file.with_name("out-of-in.failed.parquet")).read()
    assert failed.column("kmscore_error").to_pylist() == [code]


def test_a_map_with_keys_that_are_no_text(ring_file: Path) -> None:
    """It is no context, and cannot be mistaken for one."""
    maps = arrow.map_(arrow.int64(), arrow.string())
    table = arrow.table({"ciphertext_blob": [_BLOB], "context": arrow.array([[(1, "acme")]], maps)})
    assert _rotate(ring_file, table, code=1).num_rows == 0


def test_a_table_without_rows_keeps_its_schema(ring_file: Path) -> None:
    """No rows are no mistake."""
    table = arrow.table({"ciphertext_blob": arrow.array([], arrow.binary())})
    out = _rotate(ring_file, table, "--destination", "orders")
    assert (out.num_rows, out.schema) == (0, table.schema)


def test_names_of_folders_make_no_columns(ring_file: Path) -> None:
    """A folder named as a partition is a folder."""
    (ring_file.parent / "day=1").mkdir()
    table = arrow.table({"ciphertext_blob": [seal(b"4711")]})
    source = ring_file.parent / "day=1" / "in.parquet"
    parquet.write_table(table, source)
    out = source.with_name("out.parquet")
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert result.exit_code == 0
    assert parquet.ParquetFile(out).read().column_names == ["ciphertext_blob"]


def test_many_rows_in_parts(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their order and number stay, and a second run changes nothing."""
    monkeypatch.setattr(module, "CHUNK_ROWS", 3)
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
            "a column 'kmscore_row', which is for failed rows",
        ),
    ],
)
def test_columns_that_do_not_fit(ring_file: Path, table: Any, reason: str) -> None:
    """One line that names the column."""
    source = ring_file.with_name("in.parquet")
    parquet.write_table(arrow.table(table), source)
    out = source.with_name("out.parquet")
    result = invoke("rotate", source, out, "-k", ring_file, "--destination", "orders")
    assert problem(result) == f"{source}: {reason}"


def test_two_columns_of_one_name(ring_file: Path) -> None:
    """It is not guessed which is meant."""
    source = ring_file.with_name("in.parquet")
    names = ["ciphertext_blob", "ciphertext_blob"]
    parquet.write_table(arrow.Table.from_arrays([arrow.array([b""])] * 2, names), source)
    said = problem(invoke("census", source))
    assert said == f"{source}: more than one column 'ciphertext_blob'"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"id,ciphertext_blob\n", b"PAR1" + bytes(99)])
def test_what_is_no_parquet(ring_file: Path, data: bytes) -> None:
    """One line that names the file."""
    source = ring_file.with_name("in.parquet")
    source.write_bytes(data)
    said = problem(invoke("census", source))
    assert said.startswith(f"{source}: not Parquet that can be read and written: ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The system's word for it."""
    said = problem(invoke("census", tmp_path / "in.parquet"))
    assert said.startswith(f"{tmp_path / 'in.parquet'}: ")
    assert "No such file" in said


def test_damage_within_a_file(ring_file: Path) -> None:
    """What is found when the rows are read ends in one line too."""
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


def test_census(ring_file: Path) -> None:
    """It needs no key, and counts what has no ciphertext."""
    source = ring_file.with_name("in.parquet")
    parquet.write_table(arrow.table({"ciphertext_blob": [_BLOB, None, b"junk"]}), source)
    assert "1 other; 1 rows without a ciphertext" in invoke("census", source).stdout


def test_without_the_extra(ring_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line names it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = problem(invoke("census", ring_file.with_name("in.parquet")))
    assert said == "Parquet needs the extra arrow: pip install 'kmscore[cli,arrow]'"

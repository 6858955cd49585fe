"""The layout of a Parquet file is kept, or the file is rejected with the name of a column."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.commands import NEW, OLD, base64_of, invoke, opened, problem, seal, write_ring

from kmscore import Keyring
from kmscore.tables import parquet_file

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: the extra arrow")
parquet = pytest.importorskip("pyarrow.parquet")

CASES = Path(__file__).parent / "cases"
_CONTEXT = {"tenant": "acme"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring."""
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    return tmp_path


def _rotate(folder: Path, source: Path, *options: str) -> Any:
    where = ("rotate", source, folder / "out.parquet", "-k", folder / "team.keys")
    return invoke(*where, "--destination", "orders", *options)


_IS_OLD = int(pa.__version__.split(".")[0]) < 24  # some types are not read, or not written


def _is_rejected_by_old_pyarrow(result: Any, column: str) -> bool:
    """Return whether an old pyarrow cannot keep a type, which one line says with the column."""
    if not (_IS_OLD and result.exit_code == 2):
        return False
    said = problem(result)
    return (
        f"column {column!r} would change" in said
        or "not Parquet that can be read and written" in said
    )


def _tree(path: Path) -> str:
    """Return the columns of a file, without the name of the root."""
    tree = str(parquet.ParquetFile(path).schema).split("\n", 2)[2]
    # A plain int64 has the same meaning with and without this annotation.
    return tree.replace(" (Int(bitWidth=64, isSigned=true))", "")


def _table(rows: int = 4, **columns: Any) -> Any:
    blobs = [seal(b"text", _CONTEXT) for _ in range(rows)]
    return pa.table({"tenant": ["acme"] * rows, "ciphertext_blob": blobs, **columns})


@pytest.mark.parametrize("name", ["f01_datafusion_views", "f02_duckdb_json_context"])
def test_files_of_other_engines_are_read(folder: Path, name: str) -> None:
    """Views and JSON columns are read; the keyring lacks the keys of these files."""
    column = "tenant" if name.startswith("f01") else "ctx"
    option = "--context-columns" if column == "tenant" else "--context-column"
    result = _rotate(folder, CASES / f"{name}.parquet", option, column, "--json")
    if _is_rejected_by_old_pyarrow(result, column):
        return
    failed = json.loads(result.stdout)["failed"]
    assert set(failed) <= {"key_not_found", "key_version_not_found", "decryption"}, result
    assert sum(failed.values()) == (3 if column == "tenant" else 1)
    assert _tree(folder / "out.parquet") == _tree(CASES / f"{name}.parquet")


def test_a_type_that_pyarrow_cannot_keep_is_rejected(folder: Path) -> None:
    """One line names the column and both types, and no file is written."""
    source = CASES / "f03_duckdb_types.parquet"
    said = problem(_rotate(folder, source))
    assert {path.name for path in folder.iterdir()} == {"team.keys"}
    if _IS_OLD:
        assert "not Parquet that can be read and written" in said
        return
    assert re.match(
        rf"{re.escape(str(source))}: column 'iv' would change from 'required fixed_len_byte_array"
        r"\(12\) field_id=-1 iv \(Interval\);' to '.*'; this pyarrow cannot keep it",
        said,
    ), said


def test_a_file_without_row_groups_is_copied(folder: Path) -> None:
    """The result has the same columns and no row."""
    source = CASES / "f04_zero_row_groups.parquet"
    result = _rotate(folder, source)
    if _is_rejected_by_old_pyarrow(result, "u"):
        return
    assert result.exit_code == 0, result
    assert parquet.read_metadata(folder / "out.parquet").num_rows == 0
    assert _tree(folder / "out.parquet") == _tree(source)


def test_compression_metadata_and_field_ids_are_kept(folder: Path) -> None:
    """Each column keeps its codec; the Arrow schema is stored only if it was."""
    fields = [
        pa.field("tenant", pa.string(), metadata={b"PARQUET:field_id": b"7"}),
        pa.field("ciphertext_blob", pa.binary(), nullable=False),
        pa.field("tags", pa.list_(pa.field("element", pa.int32()))),
    ]
    table = _table(tags=[[1]] * 4).cast(pa.schema(fields, {b"owner": b"me"}))
    codecs = {"tenant": "ZSTD", "ciphertext_blob": "NONE", "tags.list.element": "GZIP"}
    for store in (True, False):
        for compliant in (True, False):
            source = folder / "in.parquet"
            names = codecs if compliant else codecs | {"tags.list.item": "GZIP"}
            with parquet.ParquetWriter(
                *(source, table.schema),
                compression=names,
                store_schema=store,
                use_compliant_nested_type=compliant,
            ) as writer:
                writer.add_key_value_metadata({"owner": "me"})
                writer.write_table(table)
            assert _rotate(folder, source, "--context-columns", "tenant").exit_code == 0
            before, after = (parquet.ParquetFile(path) for path in (source, folder / "out.parquet"))
            assert _tree(source) == _tree(folder / "out.parquet")
            assert "field_id=7" in _tree(source)
            assert after.metadata.metadata[b"owner"] == b"me"
            assert (b"ARROW:schema" in after.metadata.metadata) is store
            for number in range(3):
                columns = (file.metadata.row_group(0).column(number) for file in (before, after))
                assert len({column.compression for column in columns}) == 1, number
            (folder / "out.parquet").unlink()


@pytest.mark.parametrize("sizes", [[4], [1, 3, 2], [2, 2, 2]])
def test_row_groups_are_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    """A chunk never has rows of two groups; a group without a good row is left out."""
    monkeypatch.setattr(parquet_file, "CHUNK_ROWS", 2)
    table = _table(sum(sizes))
    with parquet.ParquetWriter(folder / "in.parquet", table.schema) as writer:
        row = 0
        for size in sizes:
            writer.write_table(table.slice(row, size), row_group_size=size)
            row += size
    assert _rotate(folder, folder / "in.parquet", "--context-columns", "tenant").exit_code == 0
    after = parquet.read_metadata(folder / "out.parquet")
    assert [after.row_group(each).num_rows for each in range(after.num_row_groups)] == sizes


def test_a_long_row_group_is_divided(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, so that a group has at most 64 MiB."""
    monkeypatch.setattr(parquet_file, "CHUNK_ROWS", 2)
    monkeypatch.setattr(parquet_file, "_GROUP_BYTES", 1)
    parquet.write_table(_table(5), folder / "in.parquet")
    assert _rotate(folder, folder / "in.parquet", "--context-columns", "tenant").exit_code == 0
    after = parquet.read_metadata(folder / "out.parquet")
    assert [after.row_group(each).num_rows for each in range(after.num_row_groups)] == [2, 2, 1]


def test_metadata_that_would_change_is_rejected(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is named."""
    parquet.write_table(_table().replace_schema_metadata({"owner": "me"}), folder / "in.parquet")
    original = parquet_file._written

    def without(*arguments: Any) -> Any:
        return original(*arguments)._replace(metadata={})

    monkeypatch.setattr(parquet_file, "_written", without)
    said = problem(_rotate(folder, folder / "in.parquet", "--context-columns", "tenant"))
    assert said == f"{folder / 'in.parquet'}: the metadata 'owner' would change"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param(lambda: pa.dictionary(pa.int32(), pa.binary()), bytes, id="dictionary"),
        pytest.param(lambda: pa.dictionary(pa.int8(), pa.string()), str, id="dictionary of texts"),
        pytest.param(pa.binary_view, bytes, id="binary view"),
        pytest.param(pa.string_view, str, id="string view"),
    ],
)
def test_ciphertexts_of_other_types_are_rotated(folder: Path, kind: Any, value: type) -> None:
    """A dictionary and a view keep their type."""
    blobs = [seal(b"text", _CONTEXT), b"junk", seal(b"text", _CONTEXT)]
    values = blobs if value is bytes else [base64_of(blob) for blob in blobs]
    plain = pa.array(values, pa.binary() if value is bytes else pa.string())
    is_dictionary = pa.types.is_dictionary(kind())
    column = plain.dictionary_encode().cast(kind()) if is_dictionary else plain.cast(kind())
    table = pa.table({"tenant": ["acme"] * 3, "ciphertext_blob": column})
    try:
        parquet.write_table(table, folder / "in.parquet")
        read = parquet.read_schema(folder / "in.parquet").field("ciphertext_blob").type
    except pa.ArrowNotImplementedError:
        pytest.skip("this pyarrow writes no views")
    result = _rotate(folder, folder / "in.parquet", "--context-columns", "tenant")
    if result.exit_code == 2 and "view" in str(kind()):
        assert "view" in problem(result)
        return
    assert result.exit_code == 1, result
    out = parquet.ParquetFile(folder / "out.parquet").read()
    assert out.schema.field("ciphertext_blob").type == read
    for blob in out.column("ciphertext_blob").to_pylist():
        assert opened(blob, _CONTEXT).key_version_id == "2"
    assert _tree(folder / "in.parquet") == _tree(folder / "out.parquet")


def test_the_columns_are_named_if_all_first_rows_fail(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from the schema."""
    monkeypatch.setattr(parquet_file, "CHUNK_ROWS", 2)
    parquet.write_table(_table(4), folder / "in.parquet")
    said = problem(_rotate(folder, folder / "in.parquet"))
    assert "the columns are 'tenant', 'ciphertext_blob'; --keep-going goes on" in said


def test_a_census_reads_only_the_ciphertexts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other columns are not decoded, so that memory and time stay low."""
    parquet.write_table(_table(4, note=["n"] * 4), folder / "in.parquet")
    read: list[Any] = []
    original = parquet_file.read_pieces

    def watched(path: Path, columns: Any = None) -> Any:
        read.append(columns)
        return original(path, columns)

    monkeypatch.setattr("kmscore.tables.parquet.read_pieces", watched)
    result = invoke("census", folder / "in.parquet", "--json")
    assert json.loads(result.stdout)["headers"][0]["blobs"] == 4
    assert read == [["ciphertext_blob"]]

"""Compressed line formats, other delimiters, and files under a wrong name."""

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commands import (
    NEW,
    OLD,
    base64_of,
    check_rotated,
    invoke,
    problem,
    seal,
    sealed_rows,
    write_ring,
)

from kmscore import Keyring
from kmscore.tables import Columns, Options, TableError, check_columns, rotate
from kmscore.tables.compression import compressed, open_source
from kmscore.tables.rotation import failed_path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring."""
    write_ring(tmp_path / "team.keys", Keyring([OLD, NEW]))
    return tmp_path


def _rotate(folder: Path, name: str, out: str, *options: str) -> Any:
    where = ("rotate", folder / name, folder / out, "-k", folder / "team.keys")
    columns = ("--destination", "orders", "--context-columns", "tenant")
    return invoke(*where, *columns, *options)


def _compress(data: bytes, ending: str) -> bytes:
    if ending == ".gz":
        return gzip.compress(data)
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
    sink = arrow.BufferOutputStream()
    with arrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    result: bytes = sink.getvalue().to_pybytes()
    return result


def _decompress(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    with pytest.importorskip("pyarrow").input_stream(str(path), compression="zstd") as stream:
        data: bytes = stream.read()
    return data


def _table(kind: str, delimiter: str = ",") -> bytes:
    rows = sealed_rows(9)
    rows[4]["ciphertext_blob"] = "junk"
    if kind == ".jsonl":
        return "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    lines = [delimiter.join(map(str, row.values())) for row in rows]
    return "\n".join([delimiter.join(rows[0]), *lines, ""]).encode()


def _check(data: bytes, kind: str, delimiter: str = ",") -> None:
    """Check that the eight good rows are under the new version."""
    if kind == ".jsonl":
        rows = [json.loads(line) for line in data.splitlines()]
    else:
        names, *lines = (line.split(delimiter) for line in data.decode().splitlines())
        rows = [dict(zip(names, line, strict=True)) for line in lines]
    ids = [int(row["id"]) for row in rows]
    assert ids == [0, 1, 2, 3, 5, 6, 7, 8]
    check_rotated([row | {"id": int(row["id"])} for row in rows[:4]], 4)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_table_stays_compressed(
    folder: Path, kind: str, ending: str, jobs: str
) -> None:
    """The result and the failed rows have the compression of the input."""
    (folder / f"in{kind}{ending}").write_bytes(_compress(_table(kind), ending))
    result = _rotate(folder, f"in{kind}{ending}", f"out{kind}{ending}", "--jobs", jobs)
    assert result.exit_code == 1, result
    _check(_decompress(folder / f"out{kind}{ending}"), kind)
    assert b"invalid_blob" in _decompress(folder / f"out.failed{kind}{ending}")
    counted = invoke("census", folder / f"out{kind}{ending}", "--json")
    assert [row["blobs"] for row in json.loads(counted.stdout)["headers"]] == [8]


@pytest.mark.parametrize("kind", [".jsonl", ".csv"])
@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("damage", ["truncated", "not compressed", "a changed byte"])
def test_a_damaged_compressed_table_writes_no_result(
    folder: Path, kind: str, ending: str, damage: str
) -> None:
    """One line says so, and no result gets its name."""
    data = _compress(_table(kind) * 50, ending)
    if damage == "truncated":
        data = data[:-9]
    elif damage == "a changed byte":
        data = data[:-6] + bytes([data[-6] ^ 0xFF]) + data[-5:]
    else:
        data = _table(kind)
    (folder / f"in{kind}{ending}").write_bytes(data)
    problem(_rotate(folder, f"in{kind}{ending}", f"out{kind}{ending}", "--keep-going"))
    assert not (folder / f"out{kind}{ending}").exists()


def test_equal_tables_give_equal_compressed_files(tmp_path: Path) -> None:
    """A gzip file has no name and no time in its head."""
    for name in ("a", "b"):
        with (tmp_path / name).open("wb") as file, compressed(file, ".gz") as content:
            content.write(b"text")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_decompression_bomb_uses_little_memory(folder: Path) -> None:
    """A line of gigabytes is one failed row, and is not kept in memory."""
    with gzip.open(folder / "in.jsonl.gz", "wb", compresslevel=1) as file:
        file.write(_table(".jsonl"))
        for _ in range(64):
            file.write(bytes(1 << 20))
        file.write(b"\n")
    result = _rotate(folder, "in.jsonl.gz", "out.jsonl.gz", "--json")
    assert json.loads(result.stdout)["failed"] == {"damaged_row": 1, "invalid_blob": 1}
    assert (folder / "out.failed.jsonl.gz").stat().st_size < 10_000


def test_without_the_extra_zstandard_names_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the extra to install."""
    (folder / "in.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    said = problem(_rotate(folder, "in.jsonl.zst", "out.jsonl.zst"))
    assert said == "Zstandard needs the extra arrow: pip install 'kmscore[arrow]'"


def test_the_result_has_the_compression_of_the_input(folder: Path) -> None:
    """Another compression is another format."""
    (folder / "in.csv").write_bytes(_table(".csv"))
    said = problem(_rotate(folder, "in.csv", "out.csv.gz"))
    assert said == f"{folder / 'out.csv.gz'}: OUT must have the same format as IN"


@pytest.mark.parametrize(
    ("name", "failed"),
    [
        ("out.csv", "out.failed.csv"),
        ("out.CSV.GZ", "out.failed.CSV.GZ"),
        ("a.b.jsonl.zst", "a.b.failed.jsonl.zst"),
        (".parquet", ".failed.parquet"),
    ],
)
def test_the_failed_rows_are_named_after_the_result(name: str, failed: str) -> None:
    """The ending of the format stays at the end."""
    assert failed_path(Path(name)) == Path(failed)


@pytest.mark.parametrize("name", ["out", "out.txt", "out.parquet.gz", "out.gz"])
def test_another_ending_is_rejected(name: str) -> None:
    """The endings that are possible are named."""
    with pytest.raises(TableError, match=r"must end in \.jsonl, \.ndjson, \.csv, \.parq"):
        failed_path(Path(name))


@pytest.mark.parametrize(("option", "sign"), [(";", ";"), ("tab", "\t"), ("|", "|")])
def test_another_delimiter_is_kept(folder: Path, option: str, sign: str) -> None:
    """Results and failed rows have the delimiter of the input."""
    (folder / "in.csv").write_bytes(_table(".csv", sign))
    result = _rotate(folder, "in.csv", "out.csv", "--delimiter", option)
    assert result.exit_code == 1, result
    _check((folder / "out.csv").read_bytes(), ".csv", sign)
    head, row = (folder / "out.failed.csv").read_text().splitlines()
    assert head.split(sign)[:3] == ["kmscore_row", "kmscore_error", "kmscore_message"]
    assert row.split(sign)[:2] == ["5", "invalid_blob"]
    counted = invoke("census", folder / "out.csv", "--delimiter", option, "--json")
    assert json.loads(counted.stdout)["headers"][0]["blobs"] == 8


@pytest.mark.parametrize("option", ["", ";;", '"', "\n", "\u00a7", "tabs"])
def test_an_impossible_delimiter_is_rejected(folder: Path, option: str) -> None:
    """A delimiter is one ASCII character."""
    (folder / "in.csv").write_bytes(_table(".csv"))
    said = problem(_rotate(folder, "in.csv", "out.csv", "--delimiter", option))
    assert said == "--delimiter: one ASCII character that is not in Base64, or tab"
    options = Options(destination_key_id="orders", delimiter=option)
    with pytest.raises(ValueError, match="one ASCII character"):
        rotate(folder / "in.csv", folder / "out.csv", Keyring([OLD]), options)


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8)


@given(st.lists(st.tuples(_CELLS, _CELLS), max_size=4), st.sampled_from(",;|\t:"))
def test_any_other_cell_stays_the_same(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], delimiter: str
) -> None:
    """Only the ciphertext changes, with every delimiter and every text in the other cells."""
    folder = tmp_path_factory.mktemp("cells")
    blob = base64_of(seal(b"text"))
    quoted = [[f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row] for row in cells]
    lines = [delimiter.join([first, blob, last]) + "\r\n" for first, last in quoted]
    head = delimiter.join(["a", "ciphertext_blob", "b"]) + "\r\n"
    (folder / "in.csv").write_bytes("".join([head, *lines]).encode())
    options = Options(destination_key_id="orders", columns=Columns(), delimiter=delimiter)
    report = rotate(folder / "in.csv", folder / "out.csv", Keyring([OLD, NEW]), options)
    assert report.rewritten == len(cells)
    out = (folder / "out.csv").read_bytes().decode()
    for line in lines:
        before, _, after = line.partition(blob)
        assert out.count(before) >= 1
        assert out.count(after) >= 1
    assert len(out) == len(head) + sum(map(len, lines))


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """The functions for files give the same error as those for tables."""
    with pytest.raises(TableError, match="No such file"), open_source(tmp_path / "no", ".gz"):
        pass
    with pytest.raises(TableError, match="No such file"):
        check_columns(tmp_path / "no.csv.gz", Columns())

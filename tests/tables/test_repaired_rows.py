"""A table of failed rows is rotated again after a repair, in every format."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    OLD,
    base64_of,
    invoke,
    opened,
    read_lines,
    seal,
    write_lines,
    write_ring,
)

from kmscore import Keyring
from kmscore.tables.json_members import find_members, without_members

_FOREIGN_CONTEXT = {"tenant": "umbrella"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a keyring."""
    write_ring(tmp_path / "team.keys", Keyring([OLD]))
    return tmp_path


def _rotate(folder: Path, name: str, out: str) -> Any:
    where = ("rotate", folder / name, folder / out, "-k", folder / "team.keys")
    return invoke(*where, "--destination", "orders", "--context-columns", "tenant", "--again")


def _rows() -> list[dict[str, Any]]:
    """Return five rows; the second and the fourth have the context of another tenant."""
    contexts = [{"tenant": "acme"}, _FOREIGN_CONTEXT] * 2 + [{"tenant": "acme"}]
    return [
        {"id": number, "ciphertext_blob": base64_of(seal(b"text", context)), "tenant": "acme"}
        for number, context in enumerate(contexts, 1)
    ]


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        write_lines(path, rows)
    elif path.suffix == ".csv":
        lines = [",".join(map(str, row.values())) for row in rows]
        path.write_text("\n".join([",".join(rows[0]), *lines, ""]))
    else:
        arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
        pytest.importorskip("pyarrow.parquet").write_table(arrow.Table.from_pylist(rows), path)


def _read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".jsonl":
        return read_lines(path)
    if path.suffix == ".csv":
        names, *lines = (line.split(",") for line in path.read_text().splitlines())
        return [dict(zip(names, line, strict=True)) for line in lines]
    table = pytest.importorskip("pyarrow.parquet").ParquetFile(path).read()
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_repaired_rows_are_rotated_without_the_added_columns(folder: Path, suffix: str) -> None:
    """A row that fails again keeps its first number, and gets the new reason."""
    _write(folder / f"in{suffix}", _rows())
    assert _rotate(folder, f"in{suffix}", f"out{suffix}").exit_code == 1
    failed = _read(folder / f"out.failed{suffix}")
    assert [int(row["kmscore_row"]) for row in failed] == [2, 4]
    failed[1]["tenant"] = "umbrella"
    _write(folder / f"repaired{suffix}", failed)
    assert _rotate(folder, f"repaired{suffix}", f"again{suffix}").exit_code == 1
    (row,) = _read(folder / f"again{suffix}")
    assert list(row) == ["id", "ciphertext_blob", "tenant"]
    assert int(row["id"]) == 4
    assert opened(row["ciphertext_blob"], _FOREIGN_CONTEXT).plaintext == b"text"
    (still,) = _read(folder / f"again.failed{suffix}")
    assert list(still)[:3] == ["kmscore_row", "kmscore_error", "kmscore_message"]
    assert (int(still["kmscore_row"]), still["kmscore_error"]) == (2, "decryption")
    assert len(still) == 6


def test_a_repaired_line_keeps_every_other_byte(folder: Path) -> None:
    """Only the three added members and the old ciphertext go."""
    blob = base64_of(seal(b"text", {"tenant": "acme"}))
    rest = f'"n" : 1.0 ,\t"ciphertext_blob":"{blob}", "tenant": "acme" '
    added = '"kmscore_row": 7, "kmscore_error": "decryption", "kmscore_message": "a \\"b\\""'
    (folder / "in.jsonl").write_text(f" {{ {added}, {rest}}}\n")
    assert _rotate(folder, "in.jsonl", "out.jsonl").exit_code == 0
    out = (folder / "out.jsonl").read_text()
    new = read_lines(folder / "out.jsonl")[0]["ciphertext_blob"]
    assert out == f" {{ {rest.replace(blob, new)}}}\n"


def test_a_failed_row_that_was_not_an_object_asks_for_a_repair(folder: Path) -> None:
    """It fails again with its first number, and nothing is lost."""
    lines = [json.dumps(row) for row in _rows()]
    (folder / "in.jsonl").write_text(f"{lines[0]}\njunk\n")
    assert _rotate(folder, "in.jsonl", "out.jsonl").exit_code == 1
    assert _rotate(folder, "out.failed.jsonl", "again.jsonl").exit_code == 1
    (row,) = read_lines(folder / "again.failed.jsonl")
    assert row == {
        "kmscore_row": 2,
        "kmscore_error": "damaged_row",
        "kmscore_message": "a failed row that was not an object; repair it in place of 'record'",
        "record": "junk",
    }


@pytest.mark.parametrize("number", ['"2"', "-1", "1.5", "null", "9" * 20, "[1]"])
def test_a_changed_row_number_is_replaced(folder: Path, number: str) -> None:
    """A number that is not one of a row is replaced by the number in this file."""
    (folder / "in.jsonl").write_text(f'{{"kmscore_row": {number}, "ciphertext_blob": "junk"}}\n')
    where = ("rotate", folder / "in.jsonl", folder / "out.jsonl", "-k", folder / "team.keys")
    assert invoke(*where, "--destination", "orders").exit_code == 1
    (row,) = read_lines(folder / "out.failed.jsonl")
    assert (row["kmscore_row"], row["ciphertext_blob"]) == (1, "junk")


@pytest.mark.parametrize("name", ["kmscore_error", "kmscore_message"])
def test_a_failed_row_has_each_added_member_once(folder: Path, name: str) -> None:
    """A member that was left without its row number is replaced, so that the row can be read."""
    (folder / "in.jsonl").write_text(
        f'{{"{name}": "a", "ciphertext_blob": "junk", "tenant": "b"}}\n'
    )
    assert _rotate(folder, "in.jsonl", "out.jsonl").exit_code == 1
    text = (folder / "out.failed.jsonl").read_text().strip()
    assert [member.name for member in find_members(text)] == [
        *("kmscore_row", "kmscore_error", "kmscore_message", "ciphertext_blob", "tenant")
    ]
    assert _rotate(folder, "out.failed.jsonl", "again.jsonl").exit_code == 1
    assert read_lines(folder / "again.failed.jsonl") == read_lines(folder / "out.failed.jsonl")


def test_a_failed_row_that_lacked_a_column_can_lack_it_again(folder: Path) -> None:
    """It fails again with its first number."""
    (folder / "in.jsonl").write_text('{"kmscore_row": 5, "id": 1}\n')
    assert _rotate(folder, "in.jsonl", "out.jsonl").exit_code == 1
    (row,) = read_lines(folder / "out.failed.jsonl")
    assert (row["kmscore_row"], row["kmscore_error"], row["id"]) == (5, "missing_column", 1)


def test_columns_of_failed_rows_in_another_place_are_rejected(folder: Path) -> None:
    """The result would have a column twice."""
    (folder / "in.csv").write_text("ciphertext_blob,tenant,kmscore_row\nx,y,1\n")
    result = _rotate(folder, "in.csv", "out.csv")
    assert "only in tables of failed rows, in front" in result.stderr


def test_members_are_removed_from_any_place() -> None:
    """The order of the members does not matter."""
    text = '{"a": 1, "b": [2], "c": "3"}'
    assert without_members(text, find_members(text), ["a"]) == '{"b": [2], "c": "3"}'
    assert without_members(text, find_members(text), ["b"]) == '{"a": 1, "c": "3"}'
    assert without_members(text, find_members(text), ["c"]) == '{"a": 1, "b": [2]}'
    assert without_members(text, find_members(text), ["a", "c"]) == '{"b": [2]}'
    assert without_members(text, find_members(text), ["a", "b", "c"]) == "{}"
    assert without_members(text, find_members(text), ["d"]) == text
    assert [text[each.value : each.end] for each in find_members(text)] == ["1", "[2]", '"3"']


def test_a_damaged_row_that_lacks_the_added_fields_keeps_its_text(folder: Path) -> None:
    """A failed file that was cut or edited loses nothing, and no row joins another one."""
    good = base64_of(seal(b"text", {"tenant": "acme"}))
    lines = ["1,x,y,umbrella,bad", "foo", "bar,baz", "1,2,3", f"9,a,b,acme,{good}"]
    for end in ("\n", "\r\n"):
        head = "kmscore_row,kmscore_error,kmscore_message,tenant,ciphertext_blob"
        (folder / "in.csv").write_bytes(end.join([head, *lines, ""]).encode())
        result = _rotate(folder, "in.csv", "out.csv")
        assert result.exit_code == 1
        text = (folder / "out.failed.csv").read_bytes().decode()
        assert text.split(end) == [
            head,
            "1,invalid_blob,ciphertext: not strict Base64,umbrella,bad",
            '2,damaged_row,"1 fields, and 5 columns",foo',
            '3,damaged_row,"2 fields, and 5 columns",bar,baz',
            '4,damaged_row,"3 fields, and 5 columns",1,2,3',
            "",
        ]
        assert (folder / "out.csv").read_bytes().decode().startswith(f"tenant,ciphertext_blob{end}")
        for name in ("out.csv", "out.failed.csv"):
            (folder / name).unlink()


def test_a_long_row_number_in_csv_is_replaced(folder: Path) -> None:
    """Python does not read a number of 5,000 digits."""
    head = "kmscore_row,kmscore_error,kmscore_message,tenant,ciphertext_blob"
    (folder / "in.csv").write_text(f"{head}\n{'9' * 5000},a,b,acme,bad\n")
    assert _rotate(folder, "in.csv", "out.csv").exit_code == 1
    assert (folder / "out.failed.csv").read_text().splitlines()[1].startswith("1,invalid_blob,")


@pytest.mark.parametrize("column", [["a"], [[2]], [1.5]], ids=["text", "list", "fraction"])
def test_a_row_number_of_another_type_in_parquet_is_rejected(folder: Path, column: Any) -> None:
    """One line, before any row is read."""
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is missing: the extra arrow")
    names = ["kmscore_row", "kmscore_error", "kmscore_message", "tenant", "ciphertext_blob"]
    table = arrow.table([column, ["a"], ["b"], ["acme"], [b"blob"]], names=names)
    pytest.importorskip("pyarrow.parquet").write_table(table, folder / "in.parquet")
    result = _rotate(folder, "in.parquet", "out.parquet")
    assert "column 'kmscore_row' is of " in result.stderr
    assert result.stderr.endswith(": not an integer\n")

"""Harnesses of tables: CSV and JSON Lines."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from fuzz.harness import Failed, Harness, outcome_of
from fuzz.memory_file import MemoryFile
from kmscore.errors import KmsCoreError
from kmscore.tables.columns import Columns, ItemReader, RowError
from kmscore.tables.comma_separated import CommaSeparated
from kmscore.tables.csv_records import Form
from kmscore.tables.errors import TableError
from kmscore.tables.json_lines import JsonLines
from kmscore.tables.table import OWN_COLUMNS, Chunk, Result

_COLUMNS = (
    Columns("c"),
    Columns("c", context="x"),
    Columns("c", contexts=("a", "b")),
    Columns("c", context="x", destination_context="y"),
)
_DELIMITERS = ",;\t|"
_WHITE_SPACE = " \t\r\n"
_NEW = b"a new ciphertext"
_NEW_TEXT = "YSBuZXcgY2lwaGVydGV4dA=="
_REASON = RowError("damaged_row", 'a "reason", with \ud800')


class Read:
    """A table that was read, with each row as a record and as an item."""

    def __init__(self, table: Any, data: bytes, columns: Columns, *, again: bool = False) -> None:
        """Read the table. Raises `TableError`, for JSON also if the first row lacks a column.

        In a result, another row can be the first, so that this row is not checked `again`.
        """
        self.table, self.columns, self.path = table, columns, MemoryFile(data)
        if not (again and isinstance(table, JsonLines)):
            table.check_columns(self.path, columns)
        for _ in table.check_rows(self.path, columns):
            pass
        self.chunks: list[Chunk] = list(table.chunks(self.path))
        self.records = [list(table.records(chunk, columns)) for chunk in self.chunks]
        read = ItemReader(columns).read
        self.items = [[read(0, record) for record in records] for records in self.records]
        for chunk in self.chunks:
            table.digest(chunk)

    def rows(self) -> list[Any]:
        """Return all records."""
        return [record for records in self.records for record in records]

    def write(self, results: Sequence[Sequence[Result]]) -> tuple[bytes, bytes]:
        """Return the table of the good rows, and that of the failed ones."""
        parts = []
        for chunk, records, found in zip(self.chunks, self.records, results, strict=True):
            good, bad = MemoryFile(), MemoryFile()
            self.table.write(chunk, records, found, self.columns.blob, good, bad)
            parts.append((good, bad))
        tables = []
        for place, is_bad in ((0, False), (1, True)):
            out = io.BytesIO()
            files = [each[place] for each in parts]
            self.table.join(files, self.path, out, is_bad=is_bad)
            tables.append(out.getvalue())
        return tables[0], tables[1]


def check_csv(data: bytes) -> None:
    """Read a CSV file, and write it in all ways."""
    option = data[0] if data else 0
    form = Form(delimiter=_DELIMITERS[option >> 2 & 3])
    _check_table(CommaSeparated(form), data[1:], _COLUMNS[option & 3])


def check_json_lines(data: bytes) -> None:
    """Read a file of JSON Lines, and write it in all ways."""
    option = data[0] if data else 0
    _check_table(JsonLines(), data[1:], _COLUMNS[option & 3])


def _check_table(table: Any, data: bytes, columns: Columns) -> None:
    read = outcome_of(lambda: Read(table, data, columns), TableError)
    if isinstance(read, Failed):
        return
    kept = [
        [Result(None, item if isinstance(item, KmsCoreError | RowError) else None) for item in each]
        for each in read.items
    ]
    good, bad = read.write(kept)
    errors = [result.error for each in kept for result in each]
    is_second = b"kmscore_" in data
    expected = [row for row, error in zip(read.rows(), errors, strict=True) if error is None]
    if expected:
        again = Read(table, good, columns, again=True).rows()
        assert len(again) == len(expected)
        if not is_second:
            assert repr(again) == repr(expected)
    if len(expected) < len(errors):
        assert len(Read(table, bad, columns, again=True).rows()) == len(errors) - len(expected)
    _check_rewritten(read)
    if not is_second:
        _check_repaired(read)


def _check_rewritten(read: Read) -> None:
    """Replace each ciphertext; only its column changes."""
    results, expected = [], []
    for records, items in zip(read.records, read.items, strict=True):
        found = []
        for record, item in zip(records, items, strict=True):
            if isinstance(item, KmsCoreError | RowError):
                found.append(Result(None, item))
            elif item is None or not item.ciphertext_blob:
                found.append(Result(None))
                expected.append(record)
            else:
                found.append(Result(_NEW))
                expected.append({**record, read.columns.blob: _NEW_TEXT})
        results.append(found)
    if not expected:
        return
    good, _ = read.write(results)
    rows = Read(read.table, good, read.columns, again=True).rows()
    own = set(OWN_COLUMNS)
    assert repr([_without(row, own) for row in rows]) == repr(
        [_without(row, own) for row in expected]
    )
    kept = [[result._replace(blob=None) for result in found] for found in results]
    unchanged, _ = read.write(kept)
    pairs = zip(_all_pairs(read, good), _all_pairs(read, unchanged), strict=True)
    for (name, new), (same_name, old) in pairs:
        assert name == same_name
        assert new == (_NEW_TEXT if name == read.columns.blob and old else old)


def _all_pairs(read: Read, data: bytes) -> list[tuple[str, Any]]:
    """Return name and value of every field of a table, by another parser."""
    if isinstance(read.table, CommaSeparated):
        text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=read.table._form.delimiter)
        head = next(rows)
        return [pair for row in rows if row for pair in zip(head, row, strict=True)]
    pairs: list[tuple[str, Any]] = []
    for line in data.split(b"\n"):
        if line.strip(b" \t\r"):
            text = line.decode("utf-8").removeprefix("\ufeff")
            pairs += _DECODER.decode(text.strip(_WHITE_SPACE))
    return pairs


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, also repeated ones."""


# Numbers as texts, because NaN is not equal to itself.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str
)


def _without(row: Any, names: set[str]) -> Any:
    return {name: text for name, text in row.items() if name not in names}


def _check_repaired(read: Read) -> None:
    """Let all rows fail, and then succeed: each is as it was."""
    if not read.chunks:
        return
    everything = [[Result(None, _REASON) for _ in records] for records in read.records]
    _, bad = read.write(everything)
    second = Read(read.table, bad, read.columns, again=True)
    kept, _ = second.write([[Result(None) for _ in records] for records in second.records])
    again, _ = read.write([[Result(None) for _ in records] for records in read.records])
    if isinstance(read.table, CommaSeparated):
        assert kept == again
    else:
        rows = zip(read.rows(), kept.split(b"\n"), again.split(b"\n"), strict=False)
        for row, new, old in rows:
            if not isinstance(row, RowError):
                assert _stripped(new) == _stripped(old)
    assert len(second.rows()) == len(read.rows())


def _stripped(line: bytes) -> bytes:
    """Return a line without white space that has no meaning at its ends."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip(b" \t\r\n")
    return b"{" + text[1:].strip(b" \t\r\n")


def _csv_files() -> Iterator[bytes]:
    yield b"\x00id,c\n1,QUJD\n2,\n3,REVG\n"
    yield b"\x00id,c\r\n1,QUJD\r\n\r\n2,REVG"
    yield b'\x01c,x\nQUJD,"{""a"":""b""}"\nREVG,\n'
    yield b'\x02c,a,b\nQUJD,1,""\nREVG,,"x\ny"\n'
    yield b'\x03c,x,y\nQUJD,{},"{""a"":""1""}"\n'
    yield b'\x04id;c\n1;QUJD\n"2;2";REVG\n'
    yield b"\x08id\tc\nQUJD\tQUJD\n"
    yield b"\x0cid|c\n1|QUJD|3\n4|R\n"
    yield b'\x00id,c\n1"2,QUJD\n"1"2,REVG\n'
    yield b"\x00\xef\xbb\xbfid,c\n\xff,QUJD\n\xc3\xa9,QUJD\n"
    yield b"\x00kmscore_row,kmscore_error,kmscore_message,id,c\n7,damaged_row,a,1,QUJD\n"


def json_files() -> Iterator[bytes]:
    """Yield inputs of JSON Lines; the first byte chooses the columns."""
    yield b'\x00{"id":1,"c":"QUJD"}\n{"c":null}\n{"id":2,"c":"REVG"}'
    yield b'\x01{"c":"QUJD","x":"{\\"a\\":\\"b\\"}"}\r\n{"c":"REVG","x":{"a":"b"}}\n'
    yield b'\x02{"a":"1","b":"","c":"QUJD"}\n\n{"a":null,"b":"2","c":"REVG"}\n'
    yield b'\x03 {"c":"QUJD", "x":{}, "y":{"a":"1"}} \n'
    yield b'\x00\xef\xbb\xbf{"c":"QUJ\\u0044","d":"QUJD"}\nnot JSON\n\xff\n'
    yield b'\x00{"c":"QUJD","c":"REVG"}\n{"c":"QUJD","d":{"e":[1,2.5,true,null,"QUJD"]}}\n'
    yield (
        b'\x00{"kmscore_row":7,"kmscore_error":"damaged_row","kmscore_message":"a","c":"QUJD"}\n'
        b'{"kmscore_row":8,"kmscore_error":"damaged_row","kmscore_message":"a","record":"QUJD"}\n'
    )


JSON_TOKENS = (b'"c":"QUJD"', b'{"', b'":"', b'","', b"\\u0063", b"null", b"\n", b"NaN", b"1e9")
_OWN_TOKENS = (b"kmscore_row", b"kmscore_error", b"kmscore_message")

HARNESSES = {
    "csv": Harness(
        check_csv, _csv_files, 192, (*_OWN_TOKENS, b'"', b'""', b"\r\n", b",QUJD", b"\xef\xbb\xbf")
    ),
    "json-lines": Harness(
        check_json_lines, json_files, 256, (*JSON_TOKENS, *_OWN_TOKENS, b'"record"')
    ),
}

"""JSON Lines and CSV: only the ciphertext of a row changes, and no other byte of the file."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from support.commands import base64_of, invoke, opened, problem, read_lines, seal

from kmscore.tables import Columns, TableError, comma_separated, csv_records, json_lines

_BLOB = base64_of(seal(b"4711"))
_SEALED = base64_of(seal(b"4711", {"tenant": "acme"}))


def _rotate(ring_file: Path, data: bytes, suffix: str, *options: str, code: int = 0) -> bytes:
    """Return the result of a rotation of a file."""
    source, out = ring_file.with_name(f"in{suffix}"), ring_file.with_name(f"out{suffix}")
    source.write_bytes(data)
    where = ("rotate", source, out, "-k", ring_file, "--destination", "orders")
    result = invoke(*where, *options)
    assert (result.exit_code, result.stderr) == (code, ""), result
    assert source.read_bytes() == data
    return out.read_bytes()


def _rejected(ring_file: Path, data: bytes, suffix: str, *options: str) -> str:
    """Return the reason why a file is rejected, and check that no result exists."""
    source, out = ring_file.with_name(f"in{suffix}"), ring_file.with_name(f"out{suffix}")
    source.write_bytes(data)
    where = ("rotate", source, out, "-k", ring_file, "--destination", "orders")
    said = problem(invoke(*where, *options))
    assert source.read_bytes() == data
    assert not out.exists()
    return said


@pytest.mark.parametrize(
    "line",
    [
        '{"n": 1.50, "big": 1E400, "ciphertext_blob": "%s", "deep": {"a": [1.0, {"b": null}]}}',
        '\t{ "ciphertext_blob":"%s" , "text" : "\\u00e4\\/\\n\\ud83d\\ude00" }  \r',
        '{"copy": "%s", "ciphertext_blob": "%s", "nested": {"ciphertext_blob": "%s"}}',
        '{"list": ["ciphertext_blob", "x", {"ciphertext_blob": "no"}], "ciphertext_blob": "%s"}',
        '{"a\\"b": "\\\\", "cipher\\u0074ext_blob"  :  "%s", "z": "}]"}',
        '{"%s": 1, "ciphertext_blob": "%s", "é鑰": "ü"}',
        '{"b": 5, "b": "%s", "ciphertext_blob": "%s", "c": {"ciphertext_blob": 5}}',
        '{"x%s": "in a longer text, %sy", "ciphertext_blob": "%s"}',
        '\ufeff{"a": "\\\\", "ciphertext_blob": "%s"}',
    ],
)
def test_json_lines_keep_every_other_byte(ring_file: Path, line: str) -> None:
    """Numbers, escapes, spaces, order, names and copies of the ciphertext do not change."""
    text = line.replace("%s", _BLOB) + "\n"
    out = _rotate(ring_file, text.encode(), ".jsonl").decode()
    new = json.loads(out.removeprefix("\ufeff"))["ciphertext_blob"]
    assert opened(new).key_version_id == "2"
    # The new ciphertext occurs once, and the text before and after it is that of the input.
    before, _, after = out.partition(new)
    assert out.count(new) == 1
    assert (text.startswith(before), text.endswith(after)) == (True, True)
    assert before + _BLOB + after == text


def test_json_lines_replace_an_escaped_ciphertext(ring_file: Path) -> None:
    """A ciphertext with escaped characters is replaced at its place."""
    blob = next(blob for blob in (base64_of(seal(b"%d" % n)) for n in range(99)) if "/" in blob)
    escaped = blob.replace("/", "\\/").replace("K", "\\u004b")
    # The note has the same text without escapes, but it is not the ciphertext.
    text = '{"note": "%s", "ciphertext_blob": "%s", "n": 1.0}\n' % (blob, escaped)  # noqa: UP031
    out = _rotate(ring_file, text.encode(), ".jsonl").decode()
    assert out.startswith(f'{{"note": "{blob}", "ciphertext_blob": "')
    assert out.endswith('", "n": 1.0}\n')
    assert opened(json.loads(out)["ciphertext_blob"]).key_version_id == "2"


def test_json_lines_keep_null_and_add_the_last_line_end(ring_file: Path) -> None:
    """Null is not a ciphertext, blank lines are not rows, and the last line gets a line end."""
    text = f'{{"ciphertext_blob": null}}\n\n  \r\n{{"ciphertext_blob": "{_BLOB}"}}'
    lines = _rotate(ring_file, text.encode(), ".ndjson").splitlines(keepends=True)
    assert lines[0] == b'{"ciphertext_blob": null}\n'
    assert len(lines) == 2
    assert lines[1][-1:] == b"\n", "the last line lacks its line end"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"[]", "damaged_row"),
        (b"{", "damaged_row"),
        (b'{"ciphertext_blob": "\xff"}', "damaged_row"),
        (b"[" * 100_000, "damaged_row"),
        (b'{"ciphertext_blob": "x", "c": null, "ciphertext_blob": null}', "damaged_row"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": {{"a": ""}}, "c": null}}'.encode(), "damaged_row"),
        (
            f'{{"ciphertext_blob": "{_SEALED}", "c": {{"tenant": "", "tenant": "acme"}}}}'.encode(),
            "invalid_context",
        ),
        (b"{}", "missing_column"),
        (f'{{"ciphertext_blob": "{_BLOB}"}}'.encode(), "missing_column"),
        (b'{"ciphertext_blob": 5, "c": null}', "invalid_blob"),
        (b'{"ciphertext_blob": "", "c": null}', "invalid_blob"),
        (b'{"ciphertext_blob": "S01T AQ==", "c": null}', "invalid_blob"),
        ('{"ciphertext_blob": "ä\\ud800", "c": null}'.encode(), "invalid_blob"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": 5}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": [["a", "b"]]}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": {{"a": null}}}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": {{"\\ud800": ""}}}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": "{{}}x"}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": ""}}'.encode(), "invalid_context"),
        (f'{{"ciphertext_blob": "{_BLOB}", "c": {{"a": "b"}}}}'.encode(), "decryption"),
        (b'{"x": ' + b"[" * 3000 + b"}", "damaged_row"),
        (b'{"ciphertext_blob": ' + b"[" * 10**5 + b"]" * 10**5 + b', "c": null}', "damaged_row"),
    ],
)
def test_failed_json_lines_are_written_whole(ring_file: Path, line: bytes, code: str) -> None:
    """The file of failed rows has the whole row with its number, code and reason.

    An object is written as an object, so that the census can count its ciphertext.
    """
    good = f'{{"ciphertext_blob": "{_BLOB}", "c": null}}\n'.encode()
    data = good + line + b"\n" + good
    out = _rotate(ring_file, data, ".jsonl", "--context-column", "c", code=1)
    assert out.count(b"\n") == 2
    if line.startswith(b'{"ciphertext_blob": [['):
        # The standard library does not read so many levels.
        text = ring_file.with_name("out.failed.jsonl").read_bytes()
        assert text.startswith(b'{"kmscore_row": 2, "kmscore_error": "damaged_row", ')
        assert text.endswith(b", " + line[1:] + b"\n")
        return
    (failed,) = read_lines(ring_file.with_name("out.failed.jsonl"))
    assert (failed["kmscore_row"], failed["kmscore_error"]) == (2, code)
    assert failed["kmscore_message"]
    if "record" in failed:
        assert failed["record"].encode() == line
    elif "record_base64" not in failed:
        text = ring_file.with_name("out.failed.jsonl").read_bytes()
        members = line.removeprefix(b"{") if line == b"{}" else b", " + line[1:]
        assert text.endswith(b'"' + members + b"\n")
        assert len(failed) == 3 + len(json.loads(line))
    else:
        assert failed["record_base64"] == base64_of(line + b"\n")


def test_contexts_are_objects_or_json_text(ring_file: Path) -> None:
    """One column can have objects, JSON texts and nulls."""
    contexts = ({"tenant": "acme"}, '{"tenant":"acme"}', None, {}, "{}")
    blobs = (_SEALED, _SEALED, _BLOB, _BLOB, _BLOB)
    rows = [
        json.dumps({"ciphertext_blob": blob, "c": context})
        for blob, context in zip(blobs, contexts, strict=True)
    ]
    data = ("\n".join(rows) + "\n").encode()
    lines = _rotate(ring_file, data, ".jsonl", "--context-column", "c").splitlines()
    for line, context in zip(lines, ({"tenant": "acme"},) * 2 + (None,) * 3, strict=True):
        assert opened(json.loads(line)["ciphertext_blob"], context).key_version_id == "2"


def test_the_context_of_a_null_ciphertext_is_ignored(ring_file: Path) -> None:
    """A row without a ciphertext stays, even with an invalid context."""
    line = b'{"ciphertext_blob": null, "c": {"a": "1", "a": "2"}}\n'
    assert _rotate(ring_file, line, ".jsonl", "--context-column", "c") == line


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_an_empty_destination_context_cell_keeps_the_context(ring_file: Path, suffix: str) -> None:
    """An empty cell or null keeps the source context; an empty object removes it."""
    options = ("--context-column", "c", "--destination-context-column", "new")
    old = '{"tenant": "acme"}'
    if suffix == ".csv":
        quoted = old.replace('"', '""')
        text = f'ciphertext_blob,c,new\n{_SEALED},"{quoted}",\n{_SEALED},"{quoted}",{{}}\n'
        rows = _csv_of(_rotate(ring_file, text.encode(), suffix, *options).decode())
        kept, stripped = (row[0] for row in rows[1:])
    else:
        text = "".join(
            f'{{"ciphertext_blob": "{_SEALED}", "c": {old}, "new": {new}}}\n'
            for new in ("null", "{}")
        )
        lines = _rotate(ring_file, text.encode(), suffix, *options).splitlines()
        kept, stripped = (json.loads(line)["ciphertext_blob"] for line in lines)
    assert opened(kept, {"tenant": "acme"}).key_version_id == "2"
    assert opened(stripped).key_version_id == "2"


def _csv_of(text: str) -> list[list[str]]:
    return list(csv.reader(text.splitlines(keepends=True), strict=True))


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("is_ended", [True, False])
def test_csv_keeps_every_other_byte(ring_file: Path, mark: str, end: str, is_ended: bool) -> None:
    """Quotes, line ends, spaces, copies of the ciphertext and a byte order mark do not change."""
    records = [
        f'"id",note,ciphertext_blob,"copy"{end}',
        f'1,"a ""quoted"", text\n with\r\nlines",{_BLOB},{_BLOB}{end}',
        f'"2", spaces ,"{_BLOB}",""{end}',
        f'3,5" pipe,{_BLOB},x{_BLOB}y{end}',
        f"4,,{_BLOB},é鑰{end}",
        f"5,no ciphertext,,{end}",
        f'6,"",{_BLOB},"{_BLOB}"' + (end if is_ended else ""),
    ]
    text = mark + "".join(records)
    out = _rotate(ring_file, text.encode(), ".csv").decode()
    names, *before = _csv_of(text.removeprefix(mark))
    _, *after = _csv_of(out.removeprefix(mark))
    changed = {
        (row[0], name)
        for row, new_row in zip(before, after, strict=True)
        for name, cell, new_cell in zip(names, row, new_row, strict=True)
        if cell != new_cell
    }
    assert changed == {(row, "ciphertext_blob") for row in "12346"}
    fresh = {blob for row in after for blob in row if blob.startswith("S01T") and blob != _BLOB}
    for blob in fresh:
        assert opened(blob).key_version_id == "2"
        out = out.replace(blob, _BLOB)
    assert out == text + ("" if is_ended else end)


def test_csv_without_rows_is_valid(ring_file: Path) -> None:
    """A file with only a header is valid, and the header gets a line end."""
    assert _rotate(ring_file, b"ciphertext_blob", ".csv") == b"ciphertext_blob\n"


def test_csv_blank_lines_are_not_rows(ring_file: Path) -> None:
    """Blank lines are removed from the result."""
    data = f"ciphertext_blob\n\n\r\n{_BLOB}\n\n".encode()
    assert _rotate(ring_file, data, ".csv").count(b"\n") == 2


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_failed_csv_rows_are_written_unchanged(ring_file: Path, mark: str) -> None:
    """Three columns come before the unchanged row; an empty field is not a value."""
    wrong = f'"{_SEALED}","{{""tenant"": ""evil""}}",1'
    rows = [
        f'{_SEALED},"{{""tenant"": ""acme""}}",1',
        f"{_BLOB},,2",
        f"{_BLOB},{{}}",
        wrong,
        '"junk",,"a\n""b"""',
        ",,nothing",
        f"{_BLOB},{{}},x,y",
    ]
    head = "ciphertext_blob,context,x"
    data = (mark + "\n".join([head, *rows]) + "\n").encode()
    out = _rotate(ring_file, data, ".csv", "--context-column", "context", code=1).decode()
    assert out.startswith(mark + head + "\n")
    assert [row[2] for row in _csv_of(out)[1:]] == ["1", "2", "nothing"]
    failed = ring_file.with_name("out.failed.csv").read_bytes().decode()
    names, *records = _csv_of(failed.removeprefix(mark))
    assert names == ["kmscore_row", "kmscore_error", "kmscore_message", *head.split(",")]
    assert [record[:2] for record in records] == [
        ["3", "damaged_row"],
        ["4", "decryption"],
        ["5", "invalid_blob"],
        ["7", "damaged_row"],
    ]
    assert failed.startswith(mark + "kmscore_row,")
    for row in rows[2:5]:
        assert row in failed


def test_csv_context_columns_give_pairs(ring_file: Path) -> None:
    """The key is the name of the column, or is given.

    An empty field without quotes is left out, as databases write NULL; with quotes it is a value.
    """
    contexts = ({"tenant": "acme", "kind": ""}, {"tenant": "acme"}, {"kind": "x"})
    blobs = [base64_of(seal(b"4711", context)) for context in contexts]
    fields = ('acme,{},""', '"acme",{},', ',{},"x"')
    rows = [row.format(blob) for row, blob in zip(fields, blobs, strict=True)]
    data = "\n".join(["tenant,ciphertext_blob,table", *rows, ""]).encode()
    out = _rotate(ring_file, data, ".csv", "--context-columns", "kind=table,tenant").decode()
    for row, context in zip(_csv_of(out)[1:], contexts, strict=True):
        assert opened(row[1], context).key_version_id == "2", context


def test_a_null_context_member_is_left_out(ring_file: Path) -> None:
    """In JSON Lines null is left out, and an empty text is a value."""
    contexts = ({"tenant": "acme", "table": ""}, {"tenant": "acme"})
    rows = [
        {"ciphertext_blob": base64_of(seal(b"4711", context)), "tenant": "acme", "table": value}
        for context, value in zip(contexts, ("", None), strict=True)
    ]
    data = "".join(f"{json.dumps(row)}\n" for row in rows).encode()
    options = ("--context-columns", "tenant,table")
    for line, context in zip(
        _rotate(ring_file, data, ".jsonl", *options).splitlines(), contexts, strict=True
    ):
        assert opened(json.loads(line)["ciphertext_blob"], context).key_version_id == "2"


@pytest.mark.parametrize(
    "member",
    [
        pytest.param("9" * 5000, id="a long number"),
        pytest.param("[" * 3000 + "]" * 3000, id="many levels"),
        pytest.param('{"a": ' * 3000 + "-1.5e3" + "}" * 3000, id="many objects"),
    ],
)
def test_a_member_that_is_not_read_can_be_long_or_deep(ring_file: Path, member: str) -> None:
    """The row is rotated, and the member does not change."""
    line = '{"x": %s, "ciphertext_blob": "%s", "note": "\\u00e9"}\n'
    out = _rotate(ring_file, (line % (member, _BLOB)).encode(), ".jsonl").decode()
    new = out.split('"')[5 if "{" not in member else -6]
    assert out == line % (member, new)
    assert opened(new).key_version_id == "2"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no column names in the first line"),
        (b"\xef\xbb\xbf\n", "no column names in the first line"),
        (b"\nciphertext_blob\n", "no column names in the first line"),
        (b"a,b\n", "no column 'ciphertext_blob' in the first line"),
        (b"ciphertext_blob,ciphertext_blob\n", "more than one column 'ciphertext_blob' in the"),
        (b"\xff\n", "no column 'ciphertext_blob' in the first line"),
        (b'"ciphertext_blob"x\n', "not CSV: the head: ',' expected after"),
        (b'ciphertext_blob\n\na\n"a', "not CSV: row 2: unexpected end of data"),
        (b'ciphertext_blob\n"a"b"\n', "not CSV: row 1: ',' expected after"),
        (b'ciphertext_blob\n"a"b,"",c,"\nx"\n', "not CSV: row 1: ',' expected after"),
        (b'ciphertext_blob\n"a"b"c,"\nx"\n', "not CSV: row 1: ',' expected after"),
        (b'ciphertext_blob\n"a\nb"c\n', "not CSV: row 1: ',' expected after"),
        (b'"a', "not CSV: the head: unexpected end of data"),
        (b"PAR1\x00\x15\x04\xff", "a Parquet file; its name must end in .parquet"),
        (b"\xff\xfei\x00d\x00", "encoded in UTF-16; convert it to UTF-8"),
        (b"i\x00d\x00,\x00", "contains zero bytes, perhaps UTF-16; convert it to UTF-8"),
        (b"ciphertext_blob,\x00\n", "contains zero bytes, perhaps UTF-16; convert it to UTF-8"),
        (b"\x1f\x8b\x08\x00", "compressed with gzip; its name must end in .gz"),
        (b"\x28\xb5\x2f\xfd", "compressed with Zstandard; its name must end in .zst"),
        (b"id;ciphertext_blob\n", "separated by ';'; give --delimiter ';'"),
        (b"id\tciphertext_blob\n", "separated by '\\t'; give --delimiter 'tab'"),
    ],
)
def test_a_file_that_is_not_csv_is_rejected(ring_file: Path, data: bytes, reason: str) -> None:
    """One line names the file and the reason."""
    said = _rejected(ring_file, data, ".csv")
    assert said.startswith(f"{ring_file.with_name('in.csv')}: {reason}")
    assert not ring_file.with_name("out.csv.partial").exists()


def test_a_zero_byte_in_a_row_is_no_reason_to_reject_a_file(ring_file: Path) -> None:
    """The head decides whether a file is UTF-16, also if it is short and the row is near."""
    data = f"c\n\0\n{_BLOB}\n".encode()
    out = _rotate(ring_file, data, ".csv", "--blob-column", "c", code=1)
    assert out.startswith(b"c\nS01T")
    assert b"\n1,invalid_blob," in ring_file.with_name("out.failed.csv").read_bytes()


def test_malformed_csv_records_are_failed_rows(ring_file: Path) -> None:
    """Each malformed record is a failed row, written unchanged; other rows are read."""
    wrong = (f'1,"abc"d,{_BLOB}', f'2,"say \\"hi\\"",{_BLOB}', f'3,"a" ,"{_BLOB}"')
    good = f'4,"lines\nwithin",{_BLOB}\n'
    rows = "".join(good + row + "\n" for row in wrong)
    data = "id,note,ciphertext_blob\n" + rows + good
    out = _rotate(ring_file, data.encode(), ".csv", code=1).decode()
    assert [row[1] for row in _csv_of(out)[1:]] == ["lines\nwithin"] * 4
    _, *failed = ring_file.with_name("out.failed.csv").read_text("utf-8").splitlines()
    for number, (line, row) in enumerate(zip(failed, wrong, strict=True), 1):
        assert line.startswith(f"{2 * number},damaged_row,\"not CSV: ',' expected after ")
        assert line.endswith("," + row)


def test_csv_bytes_that_are_not_utf8_fail_only_columns_that_are_read(ring_file: Path) -> None:
    """Bytes that are not read do not change; in a column that is read they fail the row."""
    blob, strange = _BLOB.encode(), b"\xff\xc3(\xed\xb2\x80\xe9"
    head = b"ciphertext_blob,tenant," + strange + b"\n"
    kept = b",acme," + strange + b"\n" + _SEALED.encode() + b",acme,\xc3\xa4" + strange + b"\n"
    failed = [strange + b",acme,\n", blob + b"," + strange + b",x" + strange + b"\n"]
    options = ("--context-columns", "tenant")
    out = _rotate(ring_file, head + kept + b"".join(failed), ".csv", *options, code=1)
    rows = out.removeprefix(head)
    assert rows[: len(kept)].startswith(b",acme," + strange + b"\n")
    assert rows.endswith(b",acme,\xc3\xa4" + strange + b"\n")
    assert opened(rows.splitlines()[1].split(b",")[0].decode(), {"tenant": "acme"})
    bad = ring_file.with_name("out.failed.csv").read_bytes()
    assert bad == (
        b"kmscore_row,kmscore_error,kmscore_message,"
        + head
        + b"3,damaged_row,not UTF-8 in column 'ciphertext_blob',"
        + failed[0]
        + b"4,damaged_row,not UTF-8 in column 'tenant',"
        + failed[1]
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{}\n", "no column 'ciphertext_blob' in line 1 (--blob-column); the columns are none"),
        (b"[]\n", "line 1 is not a JSON object"),
        (
            b'{"ciphertext_blob": "", "ciphertext_blob": ""}\n',
            "line 1 is an object with more than one 'ciphertext_blob'",
        ),
        (b"a,b\n", "line 1 is not a JSON object"),
        (b"\xff\xfe{\x00}\x00\n\x00", "encoded in UTF-16; convert it to UTF-8"),
        (b"\x1f\x8b\x08\x00" * 9, "compressed with gzip; its name must end in .gz"),
    ],
)
def test_a_file_that_is_not_json_lines_is_rejected(
    ring_file: Path, data: bytes, reason: str
) -> None:
    """One line names the file and the reason."""
    assert _rejected(ring_file, data, ".jsonl") == f"{ring_file.with_name('in.jsonl')}: {reason}"


@pytest.mark.parametrize("length", [999, 1000, 1001, 3456])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_over_the_limit_is_a_failed_row(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch, length: int, end: bytes
) -> None:
    """The line is not kept in memory, and the rows around it are rewritten."""
    monkeypatch.setattr(json_lines, "LONGEST_ROW", 1000)
    good = f'{{"ciphertext_blob": "{_BLOB}"}}\n'.encode()
    line = b"x" * (length - len(end)) + end
    after = good if end else b""
    out = _rotate(ring_file, good + b"\n" + line + after, ".jsonl", code=1)
    assert out.count(b"\n") == 1 + len(after[:1])
    (failed,) = read_lines(ring_file.with_name("out.failed.jsonl"))
    assert (failed["kmscore_row"], failed["kmscore_error"]) == (2, "damaged_row")
    if length <= 1000:
        assert failed["record"] == line.decode().rstrip()
        return
    assert "record" not in failed
    said = f"too long to be copied: line 3 of the input has {length:,} bytes, more than 1,000"
    assert failed["kmscore_message"] == said


def test_a_first_line_over_the_limit_is_rejected(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first line must show the columns, so that the job does not start."""
    monkeypatch.setattr(json_lines, "LONGEST_ROW", 1000)
    said = _rejected(ring_file, b"x" * 2000, ".jsonl")
    assert "in.jsonl: line 1 is too long to be copied: " in said


def test_csv_rows_over_the_limit_are_rejected(
    ring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit applies to lines, fields and records, so that memory is bounded."""
    monkeypatch.setattr(csv_records, "LONGEST_ROW", 1000)
    said = _rejected(ring_file, b"ciphertext_blob\n" + b"x" * 2000, ".csv")
    assert said.endswith("not CSV: row 1: a line of 1,000 characters or more")
    for field in (b'"' + b"x\n" * 1000, b'a,"\n",' * 1000):
        said = _rejected(ring_file, b"ciphertext_blob\n" + field, ".csv")
        assert said.endswith("not CSV: row 1: a record of 1,000 characters or more")
    record = b'"' + b"x\n" * 498 + b'"\n'
    _rotate(ring_file, b"ciphertext_blob\n" + record, ".csv", code=1)


def test_the_position_in_a_file_increases_to_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position never decreases, and ends at 1.0."""
    monkeypatch.setattr(comma_separated, "CHUNK_ROWS", 100)
    path = tmp_path / "in.csv"
    path.write_text("a\n" + "x\n" * 9999)
    positions = list(comma_separated.CommaSeparated().check_rows(path, Columns()))
    assert positions == sorted(positions)
    assert (len(positions), positions[-1]) == (99, 1.0)
    assert list(json_lines.JsonLines().check_rows(path, Columns())) == []


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_chunk_has_a_limit_in_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Long rows give smaller chunks, and no row is lost between two chunks."""
    module: Any = json_lines if suffix == ".jsonl" else comma_separated
    monkeypatch.setattr(module, "CHUNK_BYTES", 100)
    monkeypatch.setattr(module, "CHUNK_ROWS", 4)
    path = tmp_path / f"in{suffix}"
    path.write_text("a\n" + "".join("x" * length + "\n" for length in (60, 60, 1, 1, 1, 1, 1)))
    table: Any = json_lines.JsonLines() if suffix == ".jsonl" else comma_separated.CommaSeparated()
    chunks = list(table.chunks(path))
    sizes = [len(c.payload if suffix == ".jsonl" else c.payload.texts) for c in chunks]
    assert sizes == ([3, 4, 1] if suffix == ".jsonl" else [2, 4, 1])
    assert [chunk.first_row for chunk in chunks] == [1, 1 + sizes[0], 1 + sizes[0] + 4]
    assert chunks[-1].position == 1.0


@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
def test_a_missing_file_is_reported(tmp_path: Path, suffix: str) -> None:
    """One line has the message of the system."""
    path = tmp_path / f"in{suffix}"
    assert problem(invoke("census", path)) == f"{path}: No such file or directory"
    table: Any = json_lines.JsonLines() if suffix == ".jsonl" else comma_separated.CommaSeparated()
    with pytest.raises(TableError, match="No such file"):
        next(table.chunks(path))

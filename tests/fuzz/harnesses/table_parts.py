"""Harnesses of parts of tables: the members of a JSON object, and the files of a job."""

import json
from collections.abc import Iterator
from typing import Any

from fuzz.harness import Failed, Harness, outcome_of
from fuzz.harnesses.tables import JSON_TOKENS, json_files
from fuzz.memory_file import MemoryFile
from kmscore.tables.errors import TableError
from kmscore.tables.job_folder import JobFolder, read_done
from kmscore.tables.journal import Journal
from kmscore.tables.json_members import find_members, without_members


def check_members(data: bytes) -> None:
    """Find the members of an object as Python's parser does, and remove them one by one."""
    text = data.decode("utf-8", "replace")
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: pairs, parse_int=str)
    except ValueError:
        value = None
    is_object = text.lstrip(" \t\r\n").startswith("{") and isinstance(value, list)
    members = outcome_of(lambda: find_members(text), ValueError)
    if isinstance(members, Failed):
        assert not is_object
        return
    assert is_object
    assert [member.name for member in members] == [name for name, _ in value]
    for member, (_, expected) in zip(members, value, strict=True):
        found = json.loads(
            text[member.value : member.end],
            object_pairs_hook=lambda pairs: pairs,
            parse_int=str,
        )
        assert repr(found) == repr(expected)
    for name in {member.name for member in members}:
        rest = without_members(text, members, [name])
        assert [each.name for each in find_members(rest)] == [
            each.name for each in members if each.name != name
        ]


def check_job_files(data: bytes) -> None:
    """Read a journal, a record of a complete job, or the identity of a job."""
    kind, folder = (data[0] if data else 0) % 3, MemoryFile(data[1:])
    if kind == 0:
        _check_journal(folder)
    elif kind == 1:
        counts = outcome_of(lambda: read_done(folder), TableError)
        assert isinstance(counts, Failed) or all(type(each) is int for each in counts.values())
    else:
        job: Any = JobFolder(folder, None)  # type: ignore[arg-type]
        try:
            known, sealed = job._read_job()
        except (ValueError, RecursionError):
            return
        assert "check" not in known
        assert sealed.isascii()


def _check_journal(folder: MemoryFile) -> None:
    journal: Any = Journal(folder)  # type: ignore[arg-type]
    try:
        journal.read()
    except (ValueError, RecursionError):
        return
    lines = [
        json.dumps([number, run, *part]) + "\n" for number, (run, part) in journal._known.items()
    ]
    again: Any = Journal(MemoryFile("".join(lines).encode("ascii")))  # type: ignore[arg-type]
    again.read()
    assert again._known == journal._known


def _objects() -> Iterator[bytes]:
    for line in json_files():
        yield from line[1:].splitlines()
    yield b'{"a":[{"b":[]},{}],"c":-1.5e+3,"d":NaN,"e":"\\"\\u00e9"}'


def _job_files() -> Iterator[bytes]:
    digest = b'"' + b"0a" * 32 + b'"'
    part = b'[0,"0123abcd",{"rewritten":4096,"failed: decryption":1},' + digest + b"," + digest
    yield b"\x00" + part + b"]\n" + part.replace(b"[0", b"[1") + b"]\n"
    yield b"\x00" + part
    yield b'\x01{"rewritten":true}'
    yield b'\x01{"rewritten":4096,"unchanged":2,"failed: decryption":1}'
    yield b'\x02{"source":"a.csv","size":1,"check":"S01TAQ=="}'


HARNESSES = {
    "json-members": Harness(check_members, _objects, 192, JSON_TOKENS),
    "job-files": Harness(check_job_files, _job_files, 384, (b"rewritten", b'":', b"true", b"\n")),
}

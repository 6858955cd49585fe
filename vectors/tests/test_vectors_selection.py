"""A selection takes exactly the tests that match every kind of name, and rejects other names."""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from support.time_limits import PATIENCE
from typer.testing import CliRunner, Result
from vector_files import files, make_test

from kmscore_vectors import cli
from kmscore_vectors.files import installed_folder
from kmscore_vectors.selection import Numbers, Selection, SelectionError, load_selected
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

_FOLDER = installed_folder()
_REJECTING = (
    "import json, sys\nfor line in sys.stdin:\n"
    " print(json.dumps({'id': json.loads(line)['id'], 'error': 'invalid_blob'}), flush=True)"
)


def _invoke(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, list(arguments))


def _select(**names: tuple[object, ...]) -> list[VectorTest]:
    chosen = load_selected(_FOLDER, Selection(**names), accumulated=True)  # type: ignore[arg-type]
    return [test for tests in chosen.values() for test in tests]


_ALL = [test for tests in files().values() for test in tests]


def test_an_empty_selection_has_all_tests() -> None:
    """Without names, every test is selected; `accumulated` decides on the tests of many cases."""
    assert _select() == _ALL
    chosen = load_selected(_FOLDER, Selection(), accumulated=False)
    assert [test for tests in chosen.values() for test in tests] == [
        test for test in _ALL if test.operation != "accumulated"
    ]


@pytest.mark.parametrize(
    ("names", "matches"),
    [
        ({"files": ("aead", "blob")}, lambda test: test.file in {"aead", "blob"}),
        ({"operations": ("decrypt",)}, lambda test: test.operation == "decrypt"),
        ({"flags": ("Valid", "Magic")}, lambda test: test.flag in {"Valid", "Magic"}),
        (
            {"tests": (Numbers("blob", 2, 4), Numbers("aead", 7, 7))},
            lambda test: (
                (test.file == "blob" and 2 <= test.tc_id <= 4)
                or (test.file == "aead" and test.tc_id == 7)
            ),
        ),
        (
            {"files": ("aead",), "operations": ("decrypt", "encrypt"), "flags": ("Boundary",)},
            lambda test: test.file == "aead" and test.flag == "Boundary",
        ),
    ],
)
def test_a_test_must_match_each_kind(names: dict[str, tuple[object, ...]], matches: object) -> None:
    """Within a kind one name is enough; the kinds restrict each other."""
    assert callable(matches)
    assert _select(**names) == [test for test in _ALL if matches(test)] != []


def test_severities_are_selected() -> None:
    """A test has one severity, and several can be asked for."""
    strict, policy = make_test(severity="strict"), make_test(severity="policy")
    for wanted, matches in (
        ((Severity.STRICT,), [True, False]),
        ((Severity.STRICT, Severity.POLICY), [True, True]),
        ((Severity.STANDARD,), [False, False]),
        ((), [True, True]),
    ):
        assert [Selection(wanted).matches(test) for test in (strict, policy)] == matches


def test_a_selection_of_a_file_matches_no_other_file() -> None:
    """Also without the loader, which reads only the selected files."""
    assert Selection(files=("blob",)).matches(make_test())
    assert not Selection(files=("aead",)).matches(make_test())


def test_names_are_exact() -> None:
    """A part of a name selects nothing."""
    for kind, name in (("operations", "decryp"), ("flags", "valid"), ("files", "blo")):
        with pytest.raises(SelectionError, match=f"^unknown {kind[:-1]} {name}; known: "):
            _select(**{kind: (name,)})


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    """Operations and flags are those of the selected files."""
    with pytest.raises(SelectionError) as caught:
        _select(files=("encryption_context",), operations=("decrypt",))
    assert str(caught.value) == (
        "unknown operation decrypt; known: canonicalize, canonicalize_json, accumulated"
    )
    with pytest.raises(SelectionError, match=r"^unknown file aed; known: blob, encryption_context"):
        _select(tests=(Numbers("aed", 1, 1),))
    with pytest.raises(SelectionError, match=r"known: .*Accumulated, .*Magic, .*Valid"):
        _select(flags=("Nope",))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("blob:1", Numbers("blob", 1, 1)), ("blob:2-30", Numbers("blob", 2, 30))],
)
def test_numbers_are_read_and_written(text: str, numbers: Numbers) -> None:
    """FILE:TCID is one test, and FILE:FIRST-LAST several."""
    assert Numbers.parse(text) == numbers
    assert str(numbers) == text


@pytest.mark.parametrize(
    "text", ["blob", "blob:", ":1", "blob:1-", "blob:-1", "blob:x", "blob:1-2-3", "blob:\u0661", ""]
)
def test_other_forms_of_a_number_are_rejected(text: str) -> None:
    """The message has the two forms."""
    reason = f"test {text}: use FILE:TCID or FILE:FIRST-LAST"
    with pytest.raises(SelectionError, match=f"^{re.escape(reason)}$"):
        Numbers.parse(text)


@pytest.mark.parametrize("text", ["blob:0", "blob:1-9999", "blob:9999", "blob:5-4", "blob:0-3"])
def test_numbers_outside_the_file_are_rejected(text: str) -> None:
    """The message has the numbers of the file."""
    last = len(files()["blob"])
    with pytest.raises(SelectionError, match=f"^test {text}: blob has the tests 1 to {last}$"):
        _select(tests=(Numbers.parse(text),))


def test_a_selection_without_a_test_is_an_error() -> None:
    """No success without a test."""
    for names in (
        {"files": ("aead",), "tests": (Numbers("blob", 1, 1),)},
        {"severities": (Severity.STRICT,), "flags": ("Valid",), "tests": (Numbers("blob", 1, 1),)},
    ):
        with pytest.raises(SelectionError, match=r"^no test is selected$"):
            _select(**names)
    last = Numbers("blob", len(files()["blob"]), len(files()["blob"]))
    with pytest.raises(SelectionError, match=r"^no test is selected$"):
        load_selected(_FOLDER, Selection(tests=(last,)), accumulated=False)


def test_only_selected_files_are_read(tmp_path: Path) -> None:
    """A folder with one file is enough for a selection of that file."""
    shutil.copy(_FOLDER / "blob.json", tmp_path)
    for names in (
        Selection(files=("blob",)),
        Selection(tests=(Numbers("blob", 1, len(files()["blob"])),)),
        Selection(files=("aead", "blob"), tests=(Numbers("blob", 1, len(files()["blob"])),)),
    ):
        chosen = load_selected(tmp_path, names, accumulated=True)
        assert chosen == {"blob": list(files()["blob"])}


@pytest.mark.parametrize("command", ["list", "verify", "run"])
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--file", "blop"], "unknown file blop; known: blob, encryption_context, aead"),
        (["--file", "aead", "--operation", "x"], "unknown operation x; known: encrypt, decrypt"),
        (["--flag", "\x1b[2J"], r"unknown flag \u001b[2J; known: Accumulated, "),
        (["--test", "blob"], "test blob: use FILE:TCID or FILE:FIRST-LAST"),
        (["--test", "blob:1", "--flag", "Magic"], "no test is selected"),
    ],
)
def test_a_wrong_selection_is_a_usage_error(command: str, options: list[str], reason: str) -> None:
    """One line and exit code 2, in each command."""
    result = _invoke(command, *options, *(["--", "true"] if command == "run" else []))
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"kmscore-vectors: {reason}")


def test_an_unknown_severity_is_a_usage_error() -> None:
    """The message has the three severities."""
    result = _invoke("list", "--severity", "lax")
    assert result.exit_code == 2
    for severity in Severity:
        assert severity in " ".join(result.stderr.split())


def test_list_counts_the_selected_tests() -> None:
    """Other operations and other files are not in the list."""
    options = ("--operation", "decrypt", "--operation", "parse_blob", "--flag", "Valid")
    document = json.loads(_invoke("list", "--json", *options).stdout)
    assert document["files"].keys() == {"blob", "aead"}
    assert document["files"]["blob"].keys() == {"parse_blob"}
    number = sum(test.operation == "parse_blob" for test in files()["blob"] if test.flag == "Valid")
    assert document["files"]["blob"]["parse_blob"] == {"valid": number, "invalid": 0}


def test_the_exit_code_depends_on_the_selected_tests_only() -> None:
    """One that rejects everything fails also on one flag, because a valid test is added."""
    command = ["--", sys.executable, "-c", _REJECTING]
    options = ["--timeout", str(PATIENCE), "--no-accumulated", "--json", "--quiet"]
    magic = sum(test.flag == "Magic" for test in files()["blob"])
    parsed = sum(test.operation == "parse_blob" for test in files()["blob"])
    for names, code, number in (
        (["--flag", "Magic"], 1, magic + 2),
        (["--flag", "Magic", "--test", f"blob:1-{len(files()['blob'])}"], 1, magic + 2),
        (["--file", "blob", "--operation", "parse_blob"], 1, parsed),
    ):
        result = _invoke("run", *options, *names, *command)
        document = json.loads(result.stdout)
        assert sum(document["total"].values()) == number
        assert (result.exit_code, document["success"]) == (code, code == 0)


def test_verify_runs_the_selected_tests_in_each_configuration() -> None:
    """A configuration has the selected tests of its files."""
    document = json.loads(_invoke("verify", "--quiet", "--json", "--test", "aead:1-3").stdout)
    assert {*document["subjects"].values()} == {3}
    assert len(document["subjects"]) == 2
    document = json.loads(_invoke("verify", "--quiet", "--json", "--test", "blob:1").stdout)
    assert [*document["subjects"].values()] == [1]

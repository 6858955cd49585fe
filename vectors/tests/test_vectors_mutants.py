"""The command `mutants`: which mistakes in an implementation do the tests notice?"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from prepared_harnesses import HARNESSES
from rich.console import Console
from support.time_limits import PATIENCE
from typer.testing import CliRunner, Result
from vector_files import files

from kmscore_vectors import cli
from kmscore_vectors.files import VectorFileError
from kmscore_vectors.mutants import report
from kmscore_vectors.mutants.laboratory import Edit, Fate, Mutant, MutantError, load_mutants

_MAIN = """\
import json
import sys
import time

from canonical import canonicalize

for line in sys.stdin:
    question = json.loads(line)
    if question["operation"] == "canonicalize":
        answer = canonicalize(question["inputs"]["pairs"])
    else:
        answer = {"unsupported": True}
    print(json.dumps({"id": question["id"], **answer}), flush=True)
"""
_CANONICAL = """\
def field(data):
    return len(data).to_bytes(2, "big") + data


def canonicalize(pairs):
    try:
        fields = sorted((key.encode(), value.encode()) for key, value in pairs)
    except UnicodeEncodeError:
        return {"error": "invalid_context"}
    if 2 + sum(4 + len(key) + len(value) for key, value in fields) > 65535:
        return {"error": "invalid_context"}
    data = len(fields).to_bytes(2, "big") if fields else b""
    data += b"".join(field(key) + field(value) for key, value in fields)
    return {"outputs": {"canonical": data.hex()}}
"""
_UNSORTED = {"file": "canonical.py", "find": "sorted((key", "replace": "list((key"}
_LIMIT = {"file": "canonical.py", "find": "> 65535", "replace": "> 65534"}
_EQUAL = {"file": "canonical.py", "find": "> 65535", "replace": ">= 65536"}
_CRASH = {"file": "canonical.py", "find": "fields = sorted(", "replace": "fields = absent("}


def _mutant(name: str, *edits: dict[str, str], **others: str) -> dict[str, Any]:
    words = {"section": "4.1", "mistake": f"It is {name}.", "effect": "None."}
    return {"id": name, **words, "edits": list(edits), **others}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return the folder of an implementation of one operation."""
    folder = tmp_path / "implementation"
    folder.mkdir()
    (folder / "main.py").write_text(_MAIN, "utf-8")
    (folder / "canonical.py").write_text(_CANONICAL, "utf-8")
    return folder


def _try(source: Path, *mutants: dict[str, Any], options: tuple[str, ...] = ()) -> Result:
    """Run the command on mutants of the implementation."""
    path = source.parent / "mistakes.json"
    path.write_text(json.dumps({"mutants": mutants}), "utf-8")
    tests = ("--file", "encryption_context", "--operation", "canonicalize", "--quiet")
    rest = ("--source", str(source), "--timeout", str(PATIENCE), *tests, *options)
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        cli.app, ["mutants", str(path), *rest, "--", sys.executable, "main.py"]
    )


def test_every_mistake_that_a_test_notices_counts(source: Path) -> None:
    """A wrong order, a limit that is off by one and a crash are noticed."""
    mutants = (_mutant("unsorted", _UNSORTED), _mutant("limit", _LIMIT), _mutant("crash", _CRASH))
    result = _try(source, *mutants, options=("--jobs", "3"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "mistakes.json: 3 of 3 noticed (100.0%)\n"


def test_a_survivor_without_an_explanation_is_a_failure(source: Path) -> None:
    """The table has the mistake, and the exit code is 1."""
    result = _try(source, _mutant("unsorted", _UNSORTED), _mutant("equal", _EQUAL))
    assert result.exit_code == 1
    assert "Mistakes that no test noticed" in result.stdout
    assert "It is equal." in result.stdout
    assert "It is unsorted." not in result.stdout
    assert "mistakes.json: 1 of 2 noticed (50.0%)\n" in result.stdout


def test_a_survivor_with_an_explanation_is_a_success(source: Path) -> None:
    """The table has the explanation."""
    explained = _mutant("equal", _EQUAL, survives="It is the same comparison.")
    result = _try(source, explained, _mutant("unsorted", _UNSORTED))
    assert result.exit_code == 0
    assert "It is the same comparison." in result.stdout
    assert "mistakes.json: 1 of 2 noticed (50.0%); 1 cannot be noticed\n" in result.stdout


def test_an_explanation_that_is_wrong_is_a_failure(source: Path) -> None:
    """A mistake that is said to be invisible, and is noticed."""
    result = _try(source, _mutant("unsorted", _UNSORTED, survives="It cannot be seen."))
    assert result.exit_code == 1
    assert "unsorted is explained as one that no test can notice" in result.stdout


def test_json_has_the_test_that_noticed_a_mistake(source: Path) -> None:
    """File, number, flag and verdict; null and the explanation for a survivor."""
    explained = _mutant("equal", _EQUAL, survives="The same.")
    result = _try(source, _mutant("unsorted", _UNSORTED), explained, options=("--json",))
    (document,) = json.loads(result.stdout).values()
    assert (document["mutants"], document["noticed"]) == (2, 1)
    noticed, survivor = document["fates"]
    assert survivor["noticed"] is None
    assert survivor["explanation"] == "The same."
    assert noticed["noticed"]["file"] == "encryption_context"
    assert noticed["noticed"]["flag"] in {"Order", "Valid"}
    assert noticed["noticed"]["verdict"] == "wrong"


def test_only_named_mistakes_are_tried(source: Path) -> None:
    """Others are not in the score; an unknown name is an error."""
    mutants = (_mutant("unsorted", _UNSORTED), _mutant("equal", _EQUAL))
    result = _try(source, *mutants, options=("--only", "unsorted"))
    assert result.stdout == "mistakes.json: 1 of 1 noticed (100.0%)\n"
    result = _try(source, *mutants, options=("--only", "other"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "kmscore-vectors: other: no mistake has this ID\n"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_UNSORTED | {"find": "field("}, "occurs 3 times in canonical.py, not once"),
        (_UNSORTED | {"find": "nowhere"}, "occurs 0 times in canonical.py, not once"),
        (_UNSORTED | {"file": "absent.py"}, "occurs 0 times in absent.py, not once"),
    ],
    ids=["three times", "never", "no such file"],
)
def test_an_edit_has_to_apply_exactly_once(source: Path, edit: dict[str, str], reason: str) -> None:
    """Otherwise a mistake would be counted that is not in the copy, or is another one."""
    result = _try(source, _mutant("odd", edit))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"kmscore-vectors: odd: the text to replace {reason}\n"


def test_a_mutant_that_does_not_start_is_an_error(source: Path) -> None:
    """Broken syntax is not a mistake that a test notices."""
    broken = {"file": "main.py", "find": "for line in", "replace": "for for line in"}
    result = _try(source, _mutant("broken", broken))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("kmscore-vectors: broken: the mutant does not start: ")


def test_an_error_ends_the_mutants_that_are_running(source: Path) -> None:
    """They end at their next question, and not after their last one."""
    late = {
        "file": "main.py",
        "find": "import sys",
        "replace": "import sys, time; time.sleep(2); x",
    }
    slow = {"file": "main.py", "find": "question =", "replace": "time.sleep(0.1); question ="}
    slow_import = {"file": "main.py", "find": "import sys", "replace": "import sys\nimport time"}
    mutants = (_mutant("late", late), _mutant("slow", slow_import, slow))
    began = time.monotonic()
    result = _try(source, *mutants)
    assert result.stderr.startswith("kmscore-vectors: late: the mutant does not start: ")
    number = sum(test.operation == "canonicalize" for test in files()["encryption_context"])
    assert time.monotonic() - began < 0.1 * number


def test_a_file_whose_mistakes_are_not_named_has_no_score(source: Path) -> None:
    """Of two files, the name selects a mistake of one."""
    path = source.parent / "others.json"
    path.write_text(json.dumps({"mutants": [_mutant("limit", _LIMIT)]}), "utf-8")
    result = _try(source, _mutant("unsorted", _UNSORTED), options=("--only", "limit", str(path)))
    assert result.stdout == (
        "mistakes.json: 0 of 0 noticed\nothers.json: 1 of 1 noticed (100.0%)\n"
    )


def test_an_operation_that_is_lost_is_noticed(source: Path) -> None:
    """`unsupported` is a failure where the implementation without a mistake has an answer."""
    lost = {"file": "main.py", "find": '"canonicalize"', "replace": '"other"'}
    assert _try(source, _mutant("lost", lost)).exit_code == 0


def test_a_test_without_an_answer_is_asked_once_more(source: Path, tmp_path: Path) -> None:
    """A mutant that is slow only once, as on a busy machine, is not noticed."""
    mark = tmp_path / "mark"
    slow = (
        "line in sys.stdin:\n"
        f"    if '\"canonicalize\"' in line and not os.path.exists({str(mark)!r}):"
        f"\n        open({str(mark)!r}, 'w').close(); time.sleep(30)"
    )
    edits = (
        {"file": "main.py", "find": "line in sys.stdin:", "replace": slow},
        {"file": "main.py", "find": "import sys", "replace": "import os\nimport sys\nimport time"},
    )
    result = _try(source, _mutant("slow", *edits), options=("--timeout", "3"))
    assert "mistakes.json: 0 of 1 noticed" in result.stdout
    assert mark.exists()


def test_a_copy_that_cannot_be_made_is_an_error(source: Path) -> None:
    """A file that is not UTF-8, and a link to nothing."""
    (source / "canonical.py").write_bytes(b"\xff")
    path = source.parent / "mistakes.json"
    path.write_text(json.dumps({"mutants": [_mutant("odd", _UNSORTED)]}), "utf-8")
    (mutant,) = load_mutants(path)
    with pytest.raises(MutantError, match=r"^odd: the copy cannot be made: "):
        mutant.write(source, source.parent / "copy")
    (source / "link").symlink_to("nowhere")
    with pytest.raises(MutantError, match=r"^odd: the copy cannot be made: "):
        mutant.write(source, source.parent / "other")


def test_the_folder_for_temporary_files_is_not_in_the_source(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise each copy would contain the copies."""
    monkeypatch.setattr("tempfile.tempdir", str(source))
    result = _try(source, _mutant("unsorted", _UNSORTED))
    assert result.exit_code == 2
    assert result.stderr.endswith("it contains the folder for temporary files\n")


def test_a_source_that_is_not_a_folder_is_a_usage_error(source: Path) -> None:
    """The message names the folder."""
    arguments = ["mutants", "x.json", "--source", str(source / "nowhere"), "--", "true"]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


def test_the_implementation_itself_has_to_be_right(source: Path) -> None:
    """A mistake of the original would be noticed in every mutant."""
    (source / "canonical.py").write_text(_CANONICAL.replace("sorted((", "list(("), "utf-8")
    result = _try(source, _mutant("limit", _LIMIT))
    assert (result.exit_code, result.stdout) == (2, "")
    start = "kmscore-vectors: the implementation without a mistake fails test encryption_context "
    assert result.stderr.startswith(start)


def test_an_implementation_without_the_operation_is_an_error(source: Path) -> None:
    """If no test is supported, no mistake can be noticed."""
    (source / "main.py").write_text(_MAIN.replace('"canonicalize"', '"other"'), "utf-8")
    result = _try(source, _mutant("limit", _LIMIT))
    assert result.exit_code == 2
    assert result.stderr == "kmscore-vectors: the implementation supports no test\n"


def test_a_command_is_needed(source: Path) -> None:
    """Without `--`, the message has the form of the command."""
    result = CliRunner().invoke(cli.app, ["mutants", "x.json", "--source", str(source)])
    assert result.exit_code == 2
    assert result.stderr.startswith("kmscore-vectors: no command: kmscore-vectors mutants MUTANTS")


def test_the_source_is_unchanged_and_no_copy_is_left(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each mistake has a copy in a temporary folder, which is removed."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    _try(source, _mutant("unsorted", _UNSORTED), _mutant("crash", _CRASH))
    assert (source / "main.py").read_text("utf-8") == _MAIN
    assert (source / "canonical.py").read_text("utf-8") == _CANONICAL
    assert [*scratch.iterdir()] == []


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"mutants": []}, "mutants: [] should be non-empty"),
        ({"mutants": [_mutant("a")]}, "mutants/0/edits: [] should be non-empty"),
        (
            {"mutants": [_mutant("a", _UNSORTED | {"file": "../main.py"})]},
            "mutants/0/edits/0/file: '../main.py' does not match",
        ),
        (
            {"mutants": [_mutant("a", _UNSORTED), _mutant("a", _LIMIT)]},
            "two mutants have the same id",
        ),
        ({"mutants": [_mutant("a", _UNSORTED, unheard="")]}, "mutants/0: Additional properties"),
    ],
    ids=["none", "no edit", "another folder", "same id", "unknown field"],
)
def test_a_file_that_is_not_as_its_schema_says(
    tmp_path: Path, document: dict[str, Any], reason: str
) -> None:
    """The message has the place of the fault."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(VectorFileError) as caught:
        load_mutants(path)
    assert str(caught.value).startswith(f"{path}: {reason}")


def test_what_a_file_says_cannot_drive_the_terminal() -> None:
    """Escape sequences come out as text."""
    hostile = "\x1b[2J"
    mutant = Mutant(hostile, hostile, hostile, hostile, (Edit("a", "b", "c"),))
    console = Console(width=80, record=True)
    report.show({Path(hostile): [Fate(mutant, None)]}, console)
    assert "\x1b" not in console.export_text()


@pytest.mark.parametrize("name", ["listed", "blind", "planted"])
def test_each_listed_mistake_applies_to_the_javascript_code(name: str, tmp_path: Path) -> None:
    """Every edit finds its text once, and its chapter is one of the specification."""
    mutants = load_mutants(HARNESSES / "mutants" / f"{name}.json")
    assert len(mutants) >= {"listed": 100, "blind": 50, "planted": 6}[name]
    for mutant in mutants:
        mutant.write(HARNESSES / "javascript", tmp_path / mutant.mutant_id)
        assert mutant.section[0].isdigit()
        assert mutant.mistake.endswith(".")


@pytest.mark.campaign
@pytest.mark.parametrize("name", ["listed", "blind", "planted"])
def test_the_vectors_notice_the_listed_mistakes(name: str) -> None:
    """At least 97 percent, and each other one is explained."""
    path = HARNESSES / "mutants" / f"{name}.json"
    command = ["mutants", str(path), "--source", str(HARNESSES / "javascript"), "--json"]
    result = CliRunner().invoke(cli.app, [*command, "--timeout", "60", "--", "node", "main.mjs"])
    assert result.exit_code == 0
    (document,) = json.loads(result.stdout).values()
    assert document["noticed"] >= 0.97 * document["mutants"]

"""`kmscore-vectors` on the command line: its output, its files and its exit codes."""

import json
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from prepared_harnesses import python_harness
from rich.console import Console
from support.samples import sampled
from support.time_limits import PATIENCE
from typer.testing import CliRunner, Result
from vector_files import make_test

import kmscore
from kmscore_vectors import adapter, cli
from kmscore_vectors.answers import GIVEN_UP
from kmscore_vectors.files import installed_folder, load
from kmscore_vectors.generator.all_files import make_files
from kmscore_vectors.judgement import Judgement, Results, Verdict
from kmscore_vectors.report import Heading, console
from kmscore_vectors.terminal import printable

_RESPONDERS = Path(__file__).parent / "responders"
_README = Path(__file__).resolve().parents[1] / "README.md"


def _invoke(name: str, *arguments: str) -> Result:
    if name == "run" and "--timeout" not in arguments:
        # A time that is enough for an answer on a busy machine.
        arguments = ("--timeout", str(PATIENCE), *arguments)
    return CliRunner().invoke(cli.app, [name, *arguments])


def test_a_wrong_operation_is_reported_without_the_words_of_the_parser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Some versions of typer add the kind of an error of pydantic."""
    words = ["kmscore-vectors", "nonces", "--kmscore", "--operation", "no"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        cli.main()
    said = "kmscore-vectors: Invalid value for '--operation': 'no' is not one of 'fresh_encrypt'"
    assert capsys.readouterr().err.startswith(said)


def _python(name: str) -> list[str]:
    return [sys.executable, "-P", str(_RESPONDERS / name)]


def _write_few(name: str, folder: Path, *more: int) -> None:
    """Write a vector file with few tests: those of the first two groups and of named groups."""
    document = json.loads((installed_folder() / name).read_bytes())
    kept: list[Any] = []
    for group in (document["testGroups"][index] for index in (0, 1, *more)):
        valid = [test for test in group["tests"] if test["result"] == "valid"]
        invalid = [test for test in group["tests"] if test["result"] == "invalid"]
        kept.append(group | {"tests": [*valid[:1], *invalid[:1]]})
    tests = [test for group in kept for test in group["tests"]]
    for number, test in enumerate(tests, 1):
        test["tcId"] = number
    flags = {flag for test in tests for flag in test["flags"]}
    document |= {
        "numberOfTests": len(tests),
        "testGroups": kept,
        "notes": {flag: note for flag, note in document["notes"].items() if flag in flags},
    }
    (folder / name).write_text(json.dumps(document), "ascii")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a folder of vectors with few tests in each file, without tests of 10,000 cases."""
    for path in installed_folder().glob("*.json"):
        _write_few(path.name, tmp_path)
    return tmp_path


def test_generate_writes_the_files_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is created with its parents; a second run overwrites the files."""
    out = tmp_path / "a" / "b"
    assert cli.make_files is make_files
    # It takes long to make all files.
    files = tuple(islice(make_files(), 2))
    monkeypatch.setattr(cli, "make_files", lambda: iter(files))
    for _ in range(2):
        result = _invoke("generate", "--out", str(out))
        assert (result.exit_code, result.output) == (0, "")
    names = ("blob.json", "encryption_context.json")
    due = {name: (installed_folder() / name).read_bytes() for name in names}
    assert {path.name: path.read_bytes() for path in out.iterdir()} == due


def test_generate_where_nothing_can_be_written(tmp_path: Path) -> None:
    """One line and exit code 2."""
    (tmp_path / "file").touch()
    result = _invoke("generate", "--out", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert result.stderr == f"kmscore-vectors: {tmp_path / 'file'}: File exists\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_generate_on_a_full_disk(tmp_path: Path) -> None:
    """The message names the file that could not be written, though the error has no file name."""
    (tmp_path / "blob.json").symlink_to("/dev/full")
    result = _invoke("generate", "--out", str(tmp_path))
    assert result.exit_code == 2
    assert result.stderr == f"kmscore-vectors: {tmp_path / 'blob.json'}: No space left on device\n"


def test_verify(small: Path) -> None:
    """All tests pass: a line for each file and each way to run the library, and the sum."""
    result = _invoke("verify", "--quiet", str(small))
    assert (result.exit_code, result.stderr) == (0, "")
    line = r"^sm2pke: \d flags without a failure \(\d+ tests\)$"
    assert re.search(line, result.stdout, re.MULTILINE)
    assert "Keyring, SM2 by" in result.stdout
    assert "another KeyProvider, SM2 by" in result.stdout
    assert re.search(r"^\d+ right\.$", result.stdout, re.MULTILINE)
    assert "What failed" not in result.stdout
    assert f"library: kmscore {kmscore.__version__}" in result.stdout


def test_verify_says_which_backends_are_unusable(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text and JSON have the reason; fewer tests alone are not a failure."""
    monkeypatch.setattr(adapter, "_BACKENDS", ("portable", "other"))
    result = _invoke("verify", str(small))
    assert result.exit_code == 0
    assert "unknown SM2 backend" in result.stdout
    library = json.loads(_invoke("verify", "--json", str(small)).stdout)["library"]
    assert library["version"] == kmscore.__version__
    assert Path(library["folder"]) == Path(kmscore.__file__).parent
    assert library["unusable_backends"].keys() == {"other"}


def test_verify_for_machines(small: Path) -> None:
    """The same as one JSON object."""
    result = _invoke("verify", "--json", str(small))
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["success"] is True
    assert document["failures"] == []
    assert document["total"]["right"] == sum(document["subjects"].values()) > 60
    assert document["flags"].keys() == {path.stem for path in installed_folder().glob("*.json")}
    for flags in document["flags"].values():
        for counts in flags.values():
            assert counts.keys() == {verdict.value for verdict in Verdict}


def test_verify_tells_what_is_wrong(small: Path) -> None:
    """A wrong vector fails the run: the output has its name and the answer."""
    file = small / "blob.json"
    document = json.loads(file.read_bytes())
    document["testGroups"][0]["tests"][0]["tag"] = "00" * 16
    file.write_text(json.dumps(document), "ascii")
    result = _invoke("verify", str(small))
    assert result.exit_code == 1
    assert "blob 1" in result.stdout
    assert (
        "blob parse_blob: no valid test was right; its one rejection proves nothing."
        in " ".join(result.stdout.split())
    )
    last = r"^\d+ right, 1 wrong, 1 rejected without proof\.$"
    assert re.search(last, result.stdout, re.MULTILINE)
    document = json.loads(_invoke("verify", "--json", str(small)).stdout)
    assert document["success"] is False
    (failure,) = document["failures"]
    assert (failure["file"], failure["tcId"], failure["verdict"]) == ("blob", 1, "wrong")
    assert failure["expected"]["tag"] == "00" * 16 != failure["answer"]["tag"]
    assert document["unproven"] == [
        {
            "subject": failure["subject"],
            "file": "blob",
            "operation": "parse_blob",
            "rejections": 1,
        }
    ]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "file", "command"),
    [
        ("run", "blob", ["--", *_python("library.py")]),
        ("verify", "aead", []),  # a file that more than one configuration has
    ],
)
def test_accumulated_tests_are_run_once_unless_told_otherwise(
    small: Path, name: str, file: str, command: list[str]
) -> None:
    """10,000 questions count as one test, and only `verify`'s first configuration asks them."""
    _write_few(f"{file}.json", small, -1)
    totals = [
        json.loads(_invoke(name, "--json", *options, str(small), *command).stdout)["total"]["right"]
        for options in ([], ["--no-accumulated"])
    ]
    assert totals[0] - totals[1] == 1


@pytest.mark.parametrize("command", sampled([["verify"], ["run", "--", *_python("library.py")]], 2))
def test_what_was_run_is_told(small: Path, command: list[str]) -> None:
    """The footer and the JSON have the folder of the vectors, escaped only where necessary."""
    folder = small / "Vektören \u202e鑰"
    folder.mkdir()
    for path in small.glob("*.json"):
        path.rename(folder / path.name)
    result = _invoke(command[0], str(folder), *command[1:])
    told = f"vectors: {str(folder).replace(chr(0x202E), chr(92) + 'u202e')}"
    # On a narrow terminal the folder needs several lines.
    assert "".join(told.split()) in "".join(result.stdout.split())
    result = _invoke(command[0], "--json", str(folder), *command[1:])
    assert json.loads(result.stdout)["folder"] == str(folder)


@pytest.mark.parametrize("command", sampled([["verify"], ["run"]], 2))
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (shutil.rmtree, "{} is not a folder"),
        (lambda folder: (folder / "aead.json").unlink(), "{}/aead.json is missing"),
        (lambda folder: (folder / "aead.json").write_bytes(b"{"), "{}/aead.json is not JSON"),
        (
            lambda folder: (folder / "aead.json").write_text(
                (folder / "aead.json").read_text("ascii").replace("aead_v1", "aead_v2"), "ascii"
            ),
            "{}/aead.json: schema: 'aead_v1_schema.json' was expected",
        ),
    ],
    ids=["no folder", "a file missing", "damaged", "another version"],
)
def test_vectors_that_cannot_be_run(
    small: Path, command: list[str], spoil: Any, reason: str
) -> None:
    """One clear line, exit code 2, no traceback; in a separate process, as users run it."""
    spoil(small)
    rest = ["--", "true"] if command == ["run"] else []
    result = subprocess.run(
        [sys.executable, "-P", "-m", "kmscore_vectors", *command, str(small), *rest],
        capture_output=True,
        check=False,
        text=True,
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"kmscore-vectors: {reason.format(small)}\n"


def test_run_with_the_library(small: Path) -> None:
    """All tests pass, and the options of COMMAND are not options of `run`."""
    result = _invoke("run", str(small), "--", *_python("library.py"), "--json", "--", "--help")
    assert result.exit_code == 0
    assert re.search(r"^\d+ right\.$", result.stdout, re.MULTILINE)


def test_the_responder_of_the_page_is_right(small: Path, tmp_path: Path) -> None:
    """The example is right on all operations that it supports, and reports the others."""
    (code,) = re.findall(
        r"^```python\n(.*?)^```$", _README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert len(code.splitlines()) < 55
    (tmp_path / "responder.py").write_text(code, "utf-8")
    command = [sys.executable, "-I", str(tmp_path / "responder.py")]
    shutil.copy(installed_folder() / "blob.json", small)
    result = _invoke("run", "--json", str(small), "--", *command)
    document = json.loads(result.stdout)
    assert document["success"] is True, document["failures"]
    assert set(document["flags"]["blob"]) > {"Accumulated", "Magic"}
    assert document["flags"]["blob"]["Accumulated"]["right"] == 1
    assert document["total"]["right"] == sum(
        counts["right"] for counts in document["flags"]["blob"].values()
    )
    number = sum(len(tests) for name, tests in load(small) if name != "blob")
    # In `blob.json`, the unsupported tests are those in Base64.
    number += sum(counts["not supported"] for counts in document["flags"]["blob"].values())
    assert document["total"]["not supported"] == number > 40


def test_the_page_shows_questions_and_answers_as_they_are() -> None:
    """The answer on the page is the library's answer to the question before it."""
    question, *answers = (
        json.loads(line)
        for block in re.findall(
            r"^```json\n(.*?)^```$", _README.read_text("utf-8"), re.DOTALL | re.MULTILINE
        )
        for line in block.splitlines()
    )
    process = subprocess.run(
        _python("library.py"),
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(process.stdout) == answers[0]
    assert [set(answer) - {"id"} for answer in answers] == [
        *({"outputs"}, {"error"}, {"unsupported"}, {"crash"})
    ]


@pytest.mark.thorough
def test_run_with_gmssl(small: Path) -> None:
    """The output counts the accepted invalid ciphertexts, and shows the effect."""
    pytest.importorskip("gmssl")
    shutil.copy(installed_folder() / "sm2pke.json", small)
    result = _invoke("run", "--no-accumulated", str(small), "--", *python_harness("gmssl").command)
    assert result.exit_code == 1
    assert "Possible effects" in result.stdout
    assert "invalid-curve" in " ".join(result.stdout.split()) or "private" in result.stdout
    assert "accepted though invalid" in result.stdout.splitlines()[-1]
    assert "and " in result.stdout
    assert "more; --json has all" in result.stdout


def test_run_with_what_says_nothing(small: Path) -> None:
    """Every test is wrong, and no effect is shown, because there are no answers."""
    result = _invoke("run", str(small), "--", sys.executable, "-c", "")
    assert result.exit_code == 1
    assert "What failed" in result.stdout
    assert "Possible effects" not in result.stdout


def test_run_with_what_crashes(small: Path) -> None:
    """Its exception is shown once, as text; tests that are not asked are counted separately."""
    code = "import sys\nsys.stdin.readline()\nraise ValueError('a' * 400 + ' no key of that ID')"
    command = ["--", sys.executable, "-c", code]
    result = CliRunner(env={"COLUMNS": "100"}).invoke(cli.app, ["run", str(small), *command])
    assert result.exit_code == 1
    shown = "".join(
        line.strip(" │┃").rpartition("│")[2].strip() for line in result.stdout.splitlines()
    )
    assert shown.count("no key of that ID") == 1
    assert "it ended with exit code 1 before an answer" in shown
    assert "\\n" not in result.stdout
    assert "and 9 more" in result.stdout
    total = json.loads(_invoke("run", "--json", str(small), *command).stdout)["total"]
    assert total["crashed"] == 10
    last_line = f"10 crashed; given up after 10 failures; {total['no answer']} not asked.\n"
    assert result.stdout.endswith(last_line)


def test_run_with_what_is_too_slow(small: Path) -> None:
    """`--timeout` is the seconds for one answer."""
    command = ["--timeout", "0.1", str(small), "--"]
    code = "import time; time.sleep(600)"
    result = _invoke("run", "--json", *command, sys.executable, "-c", code)
    reasons = [failure["answer"]["failure"] for failure in json.loads(result.stdout)["failures"]]
    assert reasons[:10] == ["no answer in 0.1 seconds"] * 10
    assert {*reasons[10:]} == {GIVEN_UP}


def test_run_without_an_implementation(small: Path) -> None:
    """No command, or one that cannot be started: one line and exit code 2."""
    none = "no implementation: kmscore-vectors run [DIR] -- COMMAND..., or --python MODULE:FUNCTION"
    for rest, reason in (
        ([], none),
        (["--"], none),
        (["--", "/no/\x1b[2J"], r"/no/\u001b[2J cannot be started: No such file or directory"),
    ):
        result = _invoke("run", str(small), *rest)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == f"kmscore-vectors: {reason}\n"


def test_what_supports_nothing_is_not_right(small: Path) -> None:
    """Nothing failed, and nothing was right."""
    code = (
        "import json, sys\nfor line in sys.stdin:\n"
        " print(json.dumps({'id': json.loads(line)['id'], 'unsupported': True}), flush=True)"
    )
    result = _invoke("run", str(small), "--", sys.executable, "-c", code)
    assert result.exit_code == 1
    assert re.search(r"^\d+ not supported: nothing was right\.$", result.stdout, re.MULTILINE)


def test_what_an_implementation_prints_cannot_drive_the_terminal() -> None:
    """Escape sequences and markup come out as text."""
    hostile = "\x1b[2J\x9b31m[bold]\u202e"
    answer = {"failure": hostile}
    terminal = Console(width=80, record=True)
    results = Results([Judgement(hostile, make_test(), answer, Verdict.NO_ANSWER)])
    console.show(results, Heading(hostile, hostile, Path(hostile)), terminal)
    text = terminal.export_text()
    assert not {"\x1b", "\x9b", "\u202e"} & set(text)
    assert "[bold]" in text


def test_what_can_be_printed_is_printed_as_it_is() -> None:
    """Letters of any language are unchanged; control characters are escaped."""
    assert printable('Schlüssel/鑰匙 \\ "x"') == 'Schlüssel/鑰匙 \\ "x"'
    assert printable("\x1b\x9b\u202e\n\ud800") == r"\u001b\u009b\u202e\n\ud800"


def test_the_tables_can_be_read_in_60_columns() -> None:
    """Flags and heads are complete, with a legend; failures show expectation and answer."""
    tests = [
        make_test(file=name, tc_id=number, flag=flag, expected={"error": "due"})
        for name, loaded in load(installed_folder())
        for number, flag in enumerate(sorted({test.flag for test in loaded}), 1)
    ]
    outcomes = [Judgement("peer", test, {"error": "given"}, Verdict.OTHER_ERROR) for test in tests]
    terminal = Console(width=60, record=True)
    console.show(Results(outcomes), Heading("peer", "", Path()), terminal)
    flags, _, failures = terminal.export_text().partition("What failed")
    assert re.search(r"^flag +right wrong code accept none reject n/a$", flags, re.MULTILINE)
    assert all(re.search(rf"^  {test.flag} +1 +$", flags, re.MULTILINE) for test in tests)
    legend = (
        "code: rejected with another error code; accept: accepted though invalid; none: crashed or"
        " no answer; reject: rejected without proof; n/a: not supported"
    )
    assert legend in " ".join(flags.split())
    answers = " ".join(line.rpartition("│")[0].rpartition("│")[2] for line in failures.splitlines())
    answer = (
        'rejected with another error code expected {"error": "due"} answered {"error": "given"}'
    )
    assert " ".join(answers.split()).count(answer) == 20


def test_no_test_at_all_is_no_success() -> None:
    """A run without tests is not a success, and is not reported as one."""
    terminal = Console(width=80, record=True)
    console.show(Results([]), Heading("", "", Path()), terminal)
    assert "no test: nothing was right." in terminal.export_text()


@pytest.mark.thorough
def test_the_bar_is_for_terminals(monkeypatch: pytest.MonkeyPatch, small: Path) -> None:
    """On a terminal, standard error shows the progress up to the end; tables go elsewhere."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    for command in (
        ("verify", str(small), "--json"),
        ("run", "--json", str(small), "--", *_python("library.py")),
    ):
        result = _invoke(*command)
        assert result.exit_code == 0
        assert "100%" in result.stderr
        json.loads(result.stdout)


def test_help_shows_how_a_command_is_given() -> None:
    """The usage line has the two dashes, and the help names the page with the protocol."""
    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["run", "--help"])
    assert "-- COMMAND..." in result.stdout
    assert "README.md" in result.stdout


def test_each_flag_has_a_row_in_the_table_of_failures() -> None:
    """A flag with many failures does not hide the failure of another one."""
    tests = [make_test(tc_id=number, flag="Magic") for number in range(1, 31)]
    tests.append(make_test(tc_id=31, flag="Suite"))
    outcomes = [Judgement("peer", test, {"outputs": {}}, Verdict.ACCEPTED) for test in tests]
    terminal = Console(width=80, record=True)
    console.show(Results(outcomes), Heading("peer", "", Path()), terminal)
    failures = terminal.export_text().partition("What failed")[2]
    shown = [int(number) for number in re.findall(r"^│ blob (\d+)", failures, re.MULTILINE)]
    assert shown == [*range(1, 20), 31]
    assert "and 11 more; --json has all" in failures

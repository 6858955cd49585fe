"""The reports are complete, bounded, valid for any answer, and written whole or not at all."""

import json
import os
import re
import resource
import stat
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from support.time_limits import PATIENCE
from typer.testing import CliRunner, Result
from vector_files import files, make_test

from kmscore_vectors import cli, execution, judgement
from kmscore_vectors.accumulation import FIRST_WRONG
from kmscore_vectors.excerpt import cut, shown
from kmscore_vectors.files import installed_folder
from kmscore_vectors.judgement import Judgement, Results
from kmscore_vectors.report import Heading, console
from kmscore_vectors.report.destination import Destination, ReportError, destinations
from kmscore_vectors.report.document import to_json
from kmscore_vectors.report.junit import to_junit
from kmscore_vectors.report.markdown import to_markdown
from kmscore_vectors.report.texts import lines
from kmscore_vectors.tables import Severity
from kmscore_vectors.vector_test import VectorTest

_HEADING = Heading("peer", "1.2", Path("vectors"))
_HOSTILE = (
    "\x00\x1b[31m\x9b\u202e\ufffe\ud800\r\n]]>&<x y='\"'> ``` ~~~ | # [a](b) <script> \U0010ffff"
)
_ANSWERS: list[dict[str, Any]] = [
    {"plaintext": _HOSTILE},
    {_HOSTILE: _HOSTILE},
    {"response": {_HOSTILE: _HOSTILE}},
    {"error": _HOSTILE},
    {"failure": _HOSTILE},
    {"crash": _HOSTILE},
    {"plaintext": "x" * 200_000},
    {f"name {number} {'x' * 100}": "y" for number in range(5000)},
    {"x" * 200_000: "y"},
    {"failure": "x" * 200_000},
    {},
]


def _judge(test: VectorTest, answer: dict[str, Any], subject: str = "peer") -> Judgement:
    return Judgement(subject, test, answer, judgement.judge(test, answer))


@pytest.fixture(params=_ANSWERS, ids=[str(number) for number in range(len(_ANSWERS))])
def hostile(request: pytest.FixtureRequest) -> Results:
    """Return the results of an implementation with a hostile answer."""
    return Results([_judge(make_test(effect="an effect"), request.param)])


_HOSTILE_HEADING = Heading(_HOSTILE + "x" * 50_000, _HOSTILE, Path("a\x1bb"))


def test_junit_is_valid_for_any_answer(hostile: Results) -> None:
    """The XML is parsed again, and its texts are bounded and without control characters."""
    text = to_junit(hostile, _HOSTILE_HEADING)
    assert text.isascii()
    assert len(text) < 40_000
    root = ET.fromstring(text)  # noqa: S314 (our own)
    assert len(root.findall("testsuite/testcase/failure")) == 1
    for element in root.iter():
        for value in element.attrib.values():
            assert value.isprintable()
            assert len(value) < 250
        assert (element.text or "").replace("\n", "").isprintable()


def test_markdown_is_text_for_any_answer(hostile: Results) -> None:
    """No answer begins a heading, ends a code block or is HTML; every line is printable."""
    text = to_markdown(hostile, _HOSTILE_HEADING)
    assert len(text) < 30_000
    for line in text.splitlines():
        assert line.isprintable()
        if not line.startswith("    "):
            assert not re.search(r"(?<!\\)[`<>]|(?<!\\)\[", line)
    assert "#### blob:1: a comment" in text


def test_json_is_valid_for_any_answer(hostile: Results) -> None:
    """The answer is in the document, with excerpts of long values."""
    document = json.loads(to_json(hostile, _HOSTILE_HEADING))
    (failure,) = document["failures"]
    assert failure["answer"] == shown(hostile.failures[0].answer)


@pytest.fixture(scope="module")
def results() -> Results:
    """Return results with every verdict, of tests of several severities and operations."""
    flagged = {"effect": "A reader sees *all*.", "links": ("https://example.org/a_b?c=1", "<x>")}
    valid = {"operation": "decrypt", "expected": {"plaintext": "00"}, "flag": "Fine"}
    return Results(
        [
            _judge(make_test(tc_id=1), {"error": "invalid_blob"}),
            _judge(make_test(tc_id=2, severity=Severity.STRICT, **flagged), {"blob": "accepted"}),
            _judge(make_test(tc_id=3, flag="Other"), {"error": "decryption"}),
            _judge(make_test(tc_id=4, flag="Other"), {"unsupported": True}),
            _judge(make_test(tc_id=5, flag="Crash", effect="never"), {"crash": "exit code 3"}),
            _judge(make_test(tc_id=6, flag="Crash", effect="never"), {"failure": "too late"}),
            _judge(make_test(tc_id=7, **valid), {"plaintext": "00"}),
            _judge(make_test(tc_id=8, operation="parse_blob_base64"), {"error": "invalid_blob"}),
            _judge(
                make_test(tc_id=9, operation="parse_blob_base64", expected={"blob": ""}),
                {"blob": "x"},
            ),
            _judge(make_test(tc_id=10, operation="none", flag="None"), {"unsupported": True}),
        ]
    )


def test_junit_has_a_suite_for_each_operation_and_a_case_for_each_test(results: Results) -> None:
    """The counts are those of the run; a rejection that proves nothing is a failure."""
    root = ET.fromstring(to_junit(results, _HEADING))  # noqa: S314 (our own)
    assert root.attrib == {
        "name": "peer 1.2",
        "tests": "10",
        "failures": "6",
        "errors": "0",
        "skipped": "2",
    }
    suites = {suite.attrib["name"]: suite for suite in root}
    assert suites.keys() == {
        "blob.parse_blob",
        "blob.decrypt",
        "blob.parse_blob_base64",
        "blob.none",
    }
    for suite in suites.values():
        cases = suite.findall("testcase")
        assert suite.attrib["tests"] == str(len(cases))
        assert suite.attrib["failures"] == str(len(suite.findall("testcase/failure")))
        assert suite.attrib["skipped"] == str(len(suite.findall("testcase/skipped")))
        assert {prop.attrib["name"]: prop.attrib["value"] for prop in suite.iter("property")} == {
            "label": "peer",
            "version": "1.2",
        }
    types = [failure.attrib["type"] for failure in root.iter("failure")]
    assert types == [
        "accepted though invalid",
        "rejected with another error code",
        "crashed",
        "no answer",
        "rejected without proof",
        "wrong",
    ]
    first = next(root.iter("failure"))
    assert (first.text or "").splitlines() == [
        "verdict: accepted though invalid",
        "severity: strict",
        "section: SPEC section 3.3",
        "inputs:",
        '  blob: "00"',
        "expected:",
        '  error: "invalid_blob"',
        "answer:",
        '  blob: "accepted"',
        "effect: A reader sees *all*.",
    ]
    assert "no answer:\n  exit code 3" in (list(root.iter("failure"))[2].text or "")


def test_junit_leaves_out_an_unknown_section() -> None:
    """A test without a section has no line for it."""
    results = Results([_judge(make_test(section=""), {})])
    assert "section" not in to_junit(results, _HEADING)
    assert "Section" not in to_markdown(results, _HEADING)


def test_several_implementations_have_their_own_suites() -> None:
    """The name of a suite has the implementation, if there are several."""
    judgements = [_judge(make_test(), {}, subject) for subject in ("one", "two")]
    results = Results(judgements)
    root = ET.fromstring(to_junit(results, _HEADING))  # noqa: S314 (our own)
    assert [suite.attrib["name"] for suite in root] == [
        "blob.parse_blob (one)",
        "blob.parse_blob (two)",
    ]
    assert "- one: 1 tests" in to_markdown(results, _HEADING).splitlines()


def test_markdown_has_totals_flags_and_failures(results: Results) -> None:
    """The page names the implementation, and has each flag with a failure and its evidence."""
    page = to_markdown(results, _HEADING).splitlines()
    assert page[0] == "# Test vectors on peer: failed"
    assert "- Implementation: peer" in page
    assert "- Version: 1\\.2" in page
    unproven = (
        "blob parse\\_blob\\_base64: no valid test was right; its one rejection proves nothing"
    )
    assert f"- **{unproven}**" in page
    assert "| standard | 2 | 1 | 1 |  | 2 | 1 | 2 |" in page
    assert "| strict |  |  |  | 1 |  |  |  |" in page
    assert "| blob Magic | 1 | 1 |  | 1 |  | 1 |  |" in page
    assert "- blob: 1 flag without a failure \\(1 test\\)" in page
    assert "- blob: 1 flag not supported \\(1 test\\)" in page
    assert "Effect: A reader sees \\*all\\*\\." in page
    # A test without an answer shows no weakness.
    assert not [line for line in page if "never" in line]
    assert "<https://example.org/a_b?c=1>" in page
    assert "\\<x\\>" in page
    start = page.index("#### blob:2: a comment")
    assert page[start + 2 :][:17] == [
        "- Implementation: peer",
        "- Verdict: accepted though invalid",
        "- Severity: strict",
        "- Section: SPEC section 3\\.3",
        "",
        "Inputs:",
        "",
        '    blob: "00"',
        "",
        "Expected:",
        "",
        '    error: "invalid_blob"',
        "",
        "Answer:",
        "",
        '    blob: "accepted"',
        "",
    ]
    assert "    exit code 3" in page


def test_markdown_shows_some_failures_of_a_flag_whole() -> None:
    """Of the others it has the numbers, up to a limit."""
    judgements = [_judge(make_test(tc_id=number), {}) for number in range(1, 61)]
    text = to_markdown(Results(judgements), _HEADING)
    assert text.count("#### ") == 3
    numbers = ", ".join(map(str, range(4, 54)))
    assert f"\nAlso failed: {numbers} and 7 more\n" in text
    text = to_markdown(Results(judgements[:5]), _HEADING)
    assert "\nAlso failed: 4, 5\n" in text


def test_markdown_of_a_success_has_no_failures() -> None:
    """Without a version, it says so."""
    results = Results([_judge(make_test(), {"error": "invalid_blob"})])
    text = to_markdown(results, Heading("peer", "", Path()))
    assert text.startswith("# Test vectors on peer: passed\n\n1 right\\.\n")
    assert "- Version: not given" in text
    assert "## Failures" not in text
    assert "| flag |" not in text


def test_json_has_everything(results: Results) -> None:
    """Label, version, totals by severity, and inputs, severity, section and effect of failures."""
    document = json.loads(to_json(results, _HEADING))
    assert (document["label"], document["version"]) == ("peer", "1.2")
    assert document["severities"]["strict"]["accepted though invalid"] == 1
    assert document["severities"].keys() == {"standard", "strict"}
    failure = document["failures"][0]
    assert failure == {
        "subject": "peer",
        "file": "blob",
        "tcId": 2,
        "operation": "parse_blob",
        "flag": "Magic",
        "severity": "strict",
        "section": "SPEC section 3.3",
        "comment": "a comment",
        "verdict": "accepted though invalid",
        "inputs": {"blob": "00"},
        "expected": {"error": "invalid_blob"},
        "answer": {"blob": "accepted"},
        "difference": None,
        "effect": "A reader sees *all*.",
    }
    assert json.loads(to_json(results, Heading("peer", "", Path())))["version"] is None


def test_every_report_has_the_first_wrong_case() -> None:
    """Its number, operation, inputs, expected result and answer."""
    test = files()["encryption_context"][-1]
    (outcome,) = judgement.run("peer", lambda *_: {"canonical": "beef"}, [test], lambda _: None)
    first = outcome.answer[FIRST_WRONG]
    results = Results([outcome])
    terminal = Console(width=300, record=True)
    console.show(results, _HEADING, terminal)
    for text in (
        terminal.export_text(),
        to_junit(results, _HEADING),
        to_markdown(results, _HEADING).replace("\\", ""),
    ):
        assert "case 0 of 10,000, canonicalize, is the first of 10,000 wrong" in text
        assert "beef" in text
        assert "pairs: " in text
        assert first["expected"]["canonical"][:60] in text
    assert json.loads(to_json(results, _HEADING))["failures"][0]["answer"][FIRST_WRONG] == first


def test_a_case_without_an_answer_is_shown_with_its_reason() -> None:
    """The terminal shows the case, and the reason instead of an answer."""
    test = files()["encryption_context"][-1]
    (outcome,) = judgement.run("peer", lambda *_: {"crash": "SIGABRT"}, [test], lambda _: None)
    terminal = Console(width=300, record=True)
    console.show(Results([outcome]), _HEADING, terminal)
    text = terminal.export_text()
    assert "case 0 of 10,000, canonicalize, is the first of 1 wrong" in text
    assert "SIGABRT" in text
    assert "answered" not in text


def test_flags_without_a_failure_are_one_line_for_each_file() -> None:
    """The table has only flags with a failure."""
    judgements = [
        *(
            _judge(make_test(tc_id=number, flag=f"F{number % 3}"), {"error": "invalid_blob"})
            for number in range(1200)
        ),
        _judge(make_test(tc_id=5000, flag="F0"), {"unsupported": True}),
        *(
            _judge(make_test(file="aead", flag=f"U{number}"), {"unsupported": True})
            for number in range(2)
        ),
    ]
    terminal = Console(width=100, record=True)
    console.show(Results(judgements), _HEADING, terminal)
    text = terminal.export_text()
    assert "blob: 3 flags without a failure (1,201 tests, 1 of them not supported)\n" in text
    assert "aead: 2 flags not supported (2 tests)\n" in text
    assert "Flags with a failure" not in text
    assert "peer 1.2: 1203 tests" in text
    failed = [*judgements, _judge(make_test(flag="F1"), {"error": "decryption"})]
    terminal = Console(width=100, record=True)
    console.show(Results(failed), _HEADING, terminal)
    text = terminal.export_text()
    assert re.search(r"^  F1 +400 +1 +$", text, re.MULTILINE)
    assert "blob: 2 flags without a failure (801 tests, 1 of them not supported)\n" in text
    assert not re.search(r"^  F[02]", text, re.MULTILINE)


def test_a_flag_with_a_rejection_that_proves_nothing_is_in_the_table() -> None:
    """Otherwise it would count as a flag without a failure."""
    valid = make_test(flag="Valid", expected={"suite_id": "01"})
    judgements = [
        _judge(valid, {"unsupported": True}),
        _judge(make_test(), {"error": "invalid_blob"}),
    ]
    terminal = Console(width=100, record=True)
    console.show(Results(judgements), _HEADING, terminal)
    text = terminal.export_text()
    assert re.search(r"^  Magic +1 *$", text, re.MULTILINE)
    assert "blob parse_blob: no valid test was right; its one rejection proves nothing." in text
    assert text.endswith("1 rejected without proof, 1 not supported.\n")


def test_unproven_operations_of_several_implementations_are_named() -> None:
    """The line has the implementation, if there are several."""
    valid = make_test(expected={"suite_id": "01"})
    judgements = [_judge(valid, {"suite_id": "02"}, subject) for subject in ("one", "two")]
    terminal = Console(width=100, record=True)
    console.show(Results(judgements), _HEADING, terminal)
    assert "one: blob parse_blob: no valid test was right." in terminal.export_text()


def test_long_texts_are_cut() -> None:
    """The number of the other characters or fields is shown."""
    assert cut("x" * 5, 5) == "xxxxx"
    assert cut("x" * 1006, 5) == "xxxxx… (1,001 more characters)"
    assert lines({"a": "x" * 10}, 5) == ['a: "xxxx… (7 more characters)']
    many = lines({str(number): "" for number in range(22)}, 5)
    assert (len(many), many[-1]) == (21, "and 2 more fields")


# --- the files ---


def _results() -> Results:
    return Results([_judge(make_test(), {})])


@pytest.mark.parametrize("name", ["a.json", "a.xml", "a.MD"])
def test_a_report_is_written_whole(tmp_path: Path, name: str) -> None:
    """It replaces an older file, and nothing else is left."""
    path = tmp_path / name
    path.write_text("older", "ascii")
    with destinations([path]) as (report,):
        assert path.read_text("ascii") == "older"
        report.write(_results(), _HEADING)
    makers = {".json": to_json, ".xml": to_junit, ".md": to_markdown}
    assert path.read_text("utf-8") == makers[path.suffix.lower()](_results(), _HEADING)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("mode", [None, 0o600, 0o640, 0o400, 0o666])
@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_an_older_report_keeps_its_mode(tmp_path: Path, mode: int | None, mask: int) -> None:
    """The mode of a new file comes from the umask; no other user can read a file before its end."""
    path = tmp_path / "a.json"
    if mode is not None:
        path.touch()
        path.chmod(mode)
    before = os.umask(mask)
    try:
        with destinations([path]) as (report,):
            (temporary,) = tmp_path.glob(".kmscore-vectors-*")
            expected = 0o666 & ~mask if mode is None else mode
            assert stat.S_IMODE(temporary.stat().st_mode) == expected
            report.write(_results(), _HEADING)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == expected


def test_a_private_report_is_private_from_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before the temporary file has the mode of the older file, only its owner can read it."""
    modes: list[int] = []

    def chmod(path: Path, _: int) -> None:
        modes.append(stat.S_IMODE(path.stat().st_mode))

    path = tmp_path / "a.json"
    path.touch(0o600)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "chmod", chmod)
        with destinations([path]):
            pass
    assert modes == [0o600]


def test_generate_keeps_the_mode_of_an_older_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It writes into the file, so the mode is unchanged."""
    path = tmp_path / "blob.json"
    path.touch(0o600)
    made = SimpleNamespace(name="blob", serialize=lambda: b"{}")
    monkeypatch.setattr(cli, "make_files", lambda: iter([made]))
    assert CliRunner().invoke(cli.app, ["generate", "--out", str(tmp_path)]).exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b"{}"


def test_an_interrupt_before_a_file_is_open_leaves_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file is removed, although `open` did not return."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", interrupt)
        with pytest.raises(KeyboardInterrupt), destinations([tmp_path / "a.json"]):
            pass
    assert [*tmp_path.iterdir()] == []


def test_a_link_to_a_report_is_kept(tmp_path: Path) -> None:
    """The target of the link is written."""
    folder = tmp_path / "folder"
    folder.mkdir()
    link = tmp_path / "link.json"
    link.symlink_to(folder / "target.json")
    with destinations([link]) as (report,):
        report.write(_results(), _HEADING)
    assert link.is_symlink()
    assert [path.name for path in folder.iterdir()] == ["target.json"]
    assert json.loads(link.read_bytes())["success"] is False


def test_a_run_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    """The older file is unchanged."""
    path = tmp_path / "a.json"
    path.write_text("older", "ascii")
    with pytest.raises(KeyboardInterrupt), destinations([path, tmp_path / "b.md"]):
        raise KeyboardInterrupt
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_text("ascii") == "older"


def test_a_place_that_cannot_be_written_is_an_error_before_the_run(tmp_path: Path) -> None:
    """A file opened before is removed."""
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.json")
    for path, reason in (
        (tmp_path / "no" / "a.json", "No such file or directory"),
        (tmp_path / "file" / "a.json", "Not a directory"),
    ):
        with pytest.raises(ReportError) as caught, destinations([tmp_path / "b.md", path]):
            pass
        assert str(caught.value) == f"{path}: {reason}"
    with pytest.raises(ReportError, match=r"\.json: File name too long$"):
        Destination(tmp_path / f"{'a' * 300}.json")
    for name in ("folder.md", "pipe.json"):
        with pytest.raises(ReportError, match=r"is not a regular file$"):
            Destination(tmp_path / name)
    for name in ("a.txt", "a", "json"):
        with pytest.raises(ReportError, match=r"unknown kind of report; use .json, .xml or .md$"):
            Destination(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"folder.md", "file", "pipe.json"}


def _fill_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)


def test_a_full_disk_leaves_the_older_report(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error names the file."""
    _fill_disk(monkeypatch)
    path = tmp_path / "a.json"
    path.write_text("older", "ascii")
    with (
        pytest.raises(ReportError, match=r"a.json: No space left on device$"),
        destinations([path]) as (report,),
    ):
        report.write(_results(), _HEADING)
    assert [*tmp_path.iterdir()] == [path]
    assert path.read_text("ascii") == "older"


def test_a_limit_of_the_system_leaves_the_older_report(tmp_path: Path) -> None:
    """A write that the system cuts does not count as a whole report."""
    path = tmp_path / "a.json"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with destinations([path]) as (report,):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            with pytest.raises(ReportError, match=r"a.json: File too large$"):
                report.write(_results(), _HEADING)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [*tmp_path.iterdir()] == []


# --- the command line ---

_REJECTING = (
    "import json, sys\nfor line in sys.stdin:\n"
    " print(json.dumps({'id': json.loads(line)['id'], 'error': 'invalid_blob'}), flush=True)"
)


_PARSE = ("--file", "blob", "--operation", "parse_blob")
_ASKED = sum(test.operation == "parse_blob" for test in files()["blob"])
_REJECTED = sum(test.operation == "parse_blob" and not test.is_valid for test in files()["blob"])


def _run(*options: str) -> Result:
    command = ["run", "--quiet", "--timeout", str(PATIENCE), *_PARSE, *options]
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        cli.app, [*command, "--", sys.executable, "-c", _REJECTING]
    )


def test_run_writes_all_reports(tmp_path: Path) -> None:
    """Several reports and the tables come from one run, with label and version."""
    paths = [tmp_path / name for name in ("a.json", "a.xml", "a.md")]
    options = [text for path in paths for text in ("--report", str(path))]
    result = _run(*options, "--label", "Mine\x1b", "--implementation-version", "9 beta")
    assert (result.exit_code, result.stderr) == (1, "")
    assert f"Mine\\u001b 9 beta: {_ASKED} tests" in result.stdout
    assert (
        f"parse_blob: no valid test was right; its {_REJECTED} rejections prove nothing."
        in result.stdout
    )
    document = json.loads(paths[0].read_bytes())
    assert (document["label"], document["version"]) == ("Mine\x1b", "9 beta")
    assert document["total"]["rejected without proof"] == _REJECTED
    root = ET.fromstring(paths[1].read_bytes())  # noqa: S314 (our own)
    assert root.attrib["name"] == "Mine\\u001b 9 beta"
    assert root.attrib["failures"] == root.attrib["tests"] == str(_ASKED)
    assert "- Version: 9 beta\n" in paths[2].read_text("utf-8")


def test_by_default_an_implementation_has_the_name_of_its_program() -> None:
    """Without the folder of the program, and without a version."""
    document = json.loads(_run("--json").stdout)
    assert (document["label"], document["version"]) == (Path(sys.executable).name, None)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("env/bin/python", "responder.py"), "responder.py"),
        (("node", "--trace-warnings", "lib/main.mjs", "--fast"), "main.mjs"),
        (("./responder", "settings.toml"), "responder"),
        (("python3", "-m", "responder"), "python3"),
        (("responder", "-c.py", ""), "responder"),
    ],
)
def test_an_implementation_has_the_name_of_its_script(command: tuple[str, ...], name: str) -> None:
    """An interpreter does not say what it runs."""
    assert execution.program_name(command) == name


@pytest.mark.parametrize("command", ["run", "verify"])
def test_a_report_that_cannot_be_written_is_found_before_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """One line and exit code 2, before the first question."""

    def fail(*_: object, **__: object) -> None:
        pytest.fail("a question was asked")

    monkeypatch.setattr(judgement, "run", fail)
    path = tmp_path / "no" / "a.json"
    rest = ["--", "true"] if command == "run" else []
    result = CliRunner().invoke(cli.app, [command, "--report", str(path), *rest])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"kmscore-vectors: {path}: No such file or directory\n"


def test_a_disk_that_is_full_after_the_run_costs_no_result(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The tables are printed, and then one line; exit code 2."""
    _fill_disk(monkeypatch)
    result = _run("--report", str(tmp_path / "a.md"))
    assert result.exit_code == 2
    assert f"{_REJECTED} rejected without proof." in result.stdout
    assert result.stderr == f"kmscore-vectors: {tmp_path / 'a.md'}: No space left on device\n"
    assert [*tmp_path.iterdir()] == []


def test_verify_writes_reports_too(tmp_path: Path) -> None:
    """The label and the version are those of the library."""
    path = tmp_path / "a.json"
    options = ["--quiet", "--test", "blob:1-3", "--report", str(path)]
    assert CliRunner().invoke(cli.app, ["verify", *options]).exit_code == 0
    document = json.loads(path.read_bytes())
    assert document["label"] == "kmscore"
    assert document["version"] == document["library"]["version"]
    assert document["folder"] == str(installed_folder())
    assert stat.S_ISREG(path.stat().st_mode)

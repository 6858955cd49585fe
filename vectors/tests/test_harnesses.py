"""The harnesses of `vectors/harnesses`: their responders, their campaign and its page."""

import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from prepared_harnesses import HARNESSES as _HARNESSES
from prepared_harnesses import Harness, campaign, implementations, results
from processes import is_running, wait_for
from support.time_limits import PATIENCE
from vector_files import files

from kmscore_vectors.answers import GIVEN_UP
from kmscore_vectors.judgement import Verdict, judge
from kmscore_vectors.tables import Severity

pytestmark = pytest.mark.harness

_TABLE = json.loads((_HARNESSES / "implementations.json").read_text("utf-8"))
_REFERENCED = {"implementation": "a", "file": "sm2pke", "flag": "OffCurve", "url": "https://x.test"}

# An implementation that answers each question with the text of a file, or ends without an answer.
_RESPONDER = """
import json, os, sys
from pathlib import Path
if sys.argv[1:] == ["--version"]:
    print("1.2", end="")
    sys.exit()
answer = json.loads(Path("answer.json").read_text())
Path(os.environ["TMPDIR"], "left").touch()
for line in sys.stdin:
    if answer is None:
        sys.exit()
    print(json.dumps({"id": json.loads(line)["id"]} | answer), flush=True)
"""


_Prepare: TypeAlias = Callable[[str], Harness]


def _judge_few(implementation: Harness, **wanted: str) -> dict[str, set[Verdict]]:
    """Return the verdicts on a few tests of each flag and file, by file and kind of result."""
    found: dict[str, set[Verdict]] = {}
    with implementation.start() as peer:
        for file, flags in wanted.items():
            for flag in flags.split():
                chosen = [test for test in files()[file] if test.flag == flag]
                for test in chosen[:: max(1, len(chosen) // 8)]:
                    verdict = judge(test, peer.ask(test.operation, test.inputs))
                    found.setdefault(file, set()).add(verdict)
    return found


_RIGHT = {Verdict.RIGHT}
_PARTLY = {Verdict.RIGHT, Verdict.UNSUPPORTED}
_NO = {Verdict.UNSUPPORTED}
_FLAGS = {
    "aead": "Valid Boundary ModifiedTag OtherContext",
    "rsa_oaep": "Valid LabelHash KeyUsage",
    "sm2pke": "Valid WrongC3 KeyUsage",
    "sm2_decrypt": "Valid WrongC3",
    "xaes_256_gcm": "Published ModifiedTag",
}
_PARTS = {
    "javascript": (_RIGHT, _RIGHT, _RIGHT, _RIGHT, _RIGHT),
    "sm-crypto": (_NO, _NO, _PARTLY, _PARTLY, _NO),
    "sm-crypto-0.3.13": (_NO, _NO, _PARTLY, _PARTLY, _NO),
    "sm-crypto-v2": (_PARTLY, _NO, _PARTLY, _RIGHT, _NO),
    "noble-ciphers": (_PARTLY, _NO, _NO, _NO, _NO),
    "node-crypto": (_PARTLY, _PARTLY, _NO, _NO, _NO),
    "web-crypto": (_PARTLY, _PARTLY, _NO, _NO, _NO),
    "node-forge": (_PARTLY, _PARTLY, _NO, _NO, _NO),
    "openssl": (_NO, _PARTLY, _PARTLY, _PARTLY, _NO),
    "botan": (_PARTLY, _PARTLY, _PARTLY, _PARTLY, _NO),
    "libgcrypt": (_PARTLY, _PARTLY, _PARTLY, _PARTLY, _NO),
}
"""The verdicts for the files of `_FLAGS`, in their order."""


@pytest.mark.parametrize("name", _PARTS)
def test_a_responder_is_right_or_does_not_support_the_operation(
    name: str, harness: _Prepare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Valid and invalid tests without a known difference are right; no temporary key is left."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert tuple(_judge_few(harness(name), **_FLAGS).values()) == _PARTS[name]
    assert list(tmp_path.iterdir()) == []


def test_every_implementation_is_asked() -> None:
    """The table above has all implementations but those of `test_harnesses_python_java.py`."""
    elsewhere = {"python", "java"}
    table = [each for each in _TABLE["implementations"] if each["family"] not in elsewhere]
    assert list(_PARTS) == [each["name"] for each in table]


@pytest.mark.parametrize("name", ["sm-crypto-v2", "libgcrypt"])
def test_both_orders_of_the_parts_are_decrypted(name: str, harness: _Prepare) -> None:
    """A test of C1C2C3 is right, and another order than the one that is named is rejected."""
    right = [test for test in files()["sm2_decrypt"] if test.comment == "19 bytes"]
    orders = {test.inputs["encoding"]: test for test in right if "C1" in test.inputs["encoding"]}
    assert set(orders) == {"C1C3C2", "C1C2C3"}
    with harness(name).start() as peer:
        for encoding, test in orders.items():
            for named in orders:
                answer = peer.ask(test.operation, {**test.inputs, "encoding": named})
                assert answer == (test.expected if named == encoding else {"error": "decryption"})


def test_a_number_of_libgcrypt_is_the_message_without_a_sign(harness: _Prepare) -> None:
    """The byte before a number whose first bit is set is not a part of the message."""
    kind = ("MessageBytes", "ff throughout")
    tests = [test for test in files()["sm2_decrypt"] if (test.flag, test.comment) == kind]
    with harness("libgcrypt").start() as peer:
        verdicts = {judge(test, peer.ask(test.operation, test.inputs)) for test in tests}
    assert verdicts == _PARTLY


def test_openssl_accepts_exactly_the_forms_of_der_that_are_strict(harness: _Prepare) -> None:
    """Strict is BER, or another spelling that OpenSSL reads as the same; standard is the rest."""
    flags = (
        *("LengthForm", "IndefiniteLength", "ConstructedString", "IntegerForm", "Trailing"),
        *("WrongTag", "WrongLength", "Elements", "Truncated"),
    )
    with harness("openssl").start() as peer:
        for test in files()["sm2_decrypt"]:
            if test.flag in flags and test.inputs["encoding"] == "ASN1_DER":
                is_accepted = judge(test, peer.ask(test.operation, test.inputs)).is_failure
                assert is_accepted == (test.severity is Severity.STRICT), test.comment


@pytest.mark.parametrize("name", ["botan", "libgcrypt"])
def test_a_question_that_a_c_responder_cannot_read_is_not_supported(
    name: str, harness: _Prepare
) -> None:
    """The JSON library rejects lone surrogates; they only occur in operations without support."""
    with harness(name).start() as peer:
        assert peer.ask("canonicalize", {"pairs": [["\ud800", ""]]}) == {"unsupported": True}


def test_a_released_weakness_is_found(harness: _Prepare) -> None:
    """The release before the fix accepts points off the curve; the newest one rejects them."""
    for file in ("sm2pke", "sm2_decrypt"):
        old = _judge_few(harness("sm-crypto-0.3.13"), **{file: "OffCurve"})
        new = _judge_few(harness("sm-crypto"), **{file: "OffCurve"})
        assert Verdict.ACCEPTED in old[file]
        assert new[file] == _PARTLY


def test_openssl_that_a_signal_ends_is_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another exit code than 0 is a rejection."""
    (program := tmp_path / "openssl").touch(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    responder = runpy.run_path(str(_HARNESSES / "openssl" / "responder.py"))
    answers = {"kill -SEGV $$": {"crash": "openssl ended with signal 11"}, "exit 1": _REJECTED}
    for line, answer in answers.items():
        program.write_text(f"#!/bin/sh\n{line}\n", "ascii")
        assert responder["_decrypt"]("SM2PKE", "", "", "msg") == answer


_REJECTED = {"error": "decryption"}
_THROWN = {
    "new Error('bad')": _REJECTED,
    "new DOMException('bad', 'OperationError')": _REJECTED,
    "Object.assign(new TypeError('bad'), { code: 'ERR_OSSL' })": _REJECTED,
    "new TypeError('bad')": {"crash": "TypeError: bad"},
    "new RangeError('bad')": {"crash": "RangeError: bad"},
    "'bad'": {"crash": "bad"},
}


@pytest.mark.parametrize("thrown", _THROWN)
def test_an_error_of_the_language_is_a_crash(thrown: str) -> None:
    """A JavaScript library documents an `Error`, and Node.js the errors with a code."""
    code = (
        "import { decryption } from './format.mjs';"
        f"console.log(JSON.stringify(await decryption(() => {{ throw {thrown}; }})))"
    )
    output = subprocess.run(
        ["node", "--input-type=module", "-e", code],
        cwd=_HARNESSES / "node",
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    ).stdout
    assert json.loads(output) == _THROWN[thrown]


def test_an_encryption_that_throws_is_a_crash(tmp_path: Path) -> None:
    """The responder of Node.js answers, and goes on."""
    for name in ("responder.mjs", "format.mjs"):
        shutil.copy(_HARNESSES / "node" / name, tmp_path)
    code = "export const operations = { encrypt() { throw new Error('bad'); } };"
    (tmp_path / "failing.mjs").write_text(code, "ascii")
    with Harness(("node", "responder.mjs", "failing"), tmp_path).start() as peer:
        assert peer.ask("encrypt", {}) == {"crash": "Error: bad"}
        assert peer.ask("decrypt", {}) == {"unsupported": True}


def test_a_test_that_the_format_decides_is_not_supported(harness: _Prepare) -> None:
    """The header, the lengths and the context are not the library's part."""
    flags = "OtherKey OtherSuite Truncated PlaintextSize ContextSize"
    assert _judge_few(harness("noble-ciphers"), aead=flags) == {"aead": _NO}


def test_the_versions_of_the_node_responders_are_those_of_the_package_file(
    harness: _Prepare,
) -> None:
    """All versions are exact, and `--version` shows the installed one."""
    pins = json.loads((_HARNESSES / "node" / "package.json").read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"(npm:[a-z-]+@)?\d+\.\d+\.\d+", pin) for pin in pins.values())
    names = ("sm-crypto", "sm-crypto-0.3.13", "noble-ciphers")
    assert {name: harness(name).version() for name in names} == {
        "sm-crypto": pins["sm-crypto"] + "\n",
        "sm-crypto-0.3.13": pins["sm-crypto-0.3.13"].removeprefix("npm:sm-crypto@") + "\n",
        "noble-ciphers": pins["@noble/ciphers"] + "\n",
    }


def test_the_lock_file_has_no_address_of_a_download() -> None:
    """Each package has a digest, and is taken from the registry that npm is configured for."""
    packages = json.loads((_HARNESSES / "node" / "package-lock.json").read_text("utf-8"))[
        "packages"
    ]
    locked = {name: fields for name, fields in packages.items() if name}
    assert locked
    for fields in locked.values():
        assert "resolved" not in fields
        assert fields["integrity"].startswith("sha512-")


def test_the_table_of_implementations_is_whole() -> None:
    """Each family has its folder, and each name occurs once."""
    found = implementations.load()
    assert [each.name for each in found] == [each["name"] for each in _TABLE["implementations"]]
    assert all(each.family.folder.is_dir() for each in found)
    assert {each.family.name for each in found} == set(_TABLE["families"])


@pytest.fixture
def write_table(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a table with one family, whose harness is `_RESPONDER`."""

    def write(
        answer: dict[str, Any] | None,
        *,
        needs: tuple[str, ...] = (),
        prepare: tuple[tuple[str, ...], ...] = (),
        **fields: Any,
    ) -> Path:
        folder = tmp_path / "family"
        folder.mkdir(exist_ok=True)
        (folder / "responder.py").write_text(_RESPONDER, "ascii")
        (folder / "answer.json").write_text(json.dumps(answer), "ascii")
        family = {"folder": "family", "needs": needs, "install": "advice", "prepare": prepare}
        one = {"name": "a", "family": "f", "command": ["{python}", "responder.py"], **fields}
        table = tmp_path / "table.json"
        table.write_text(json.dumps({"families": {"f": family}, "implementations": [one]}), "ascii")
        return table

    return write


_ANSWER = {"outputs": {"ambiguous": "true"}}  # right for some tests of `is_ambiguous`


@pytest.mark.parametrize(
    ("fields", "error"), [({"speed": 1}, TypeError), ({"family": "g"}, KeyError)]
)
def test_a_table_with_a_wrong_field_is_rejected(
    fields: dict[str, Any], error: type[Exception], write_table: Callable[..., Path]
) -> None:
    """An unknown field, and a family that is not in the table, are errors."""
    with pytest.raises(error):
        implementations.load(write_table(_ANSWER, **fields))


def test_a_name_that_occurs_twice_is_rejected(write_table: Callable[..., Path]) -> None:
    """A reference names one implementation."""
    table = write_table(_ANSWER)
    document = json.loads(table.read_text("ascii"))
    document["implementations"] *= 2
    table.write_text(json.dumps(document), "ascii")
    with pytest.raises(ValueError, match="a name occurs twice"):
        implementations.load(table)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Use a folder for temporary files that has to be empty after the test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("temporary")
def test_a_campaign_writes_the_page_and_the_results(
    tmp_path: Path, write_table: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Preparation runs in a copy; the page is printed and written; no temporary file is left."""
    prepare = ("{python}", "-c", f"open('answer.json', 'w').write({json.dumps(_ANSWER)!r})")
    table = write_table(None, prepare=(prepare,), timeout=PATIENCE)
    page, out = tmp_path / "RESULTS.md", tmp_path / "results.json"
    assert campaign.main(["--out", str(out), "--require", "a"], table=table, results=page) == 0
    assert page.read_text("utf-8") == capsys.readouterr().out
    (run,) = json.loads(out.read_text("utf-8"))
    right = run["results"]["total"]["right"]
    assert (run["name"], run["version"], right > 0) == ("a", "1.2", True)
    assert str(_HARNESSES.parent) not in out.read_text("utf-8")
    assert re.search(rf"^\| a \| 1\.2 \| \d+ \| {right} \|", page.read_text("utf-8"), re.MULTILINE)
    assert json.loads((tmp_path / "family" / "answer.json").read_text("ascii")) is None


@pytest.mark.usefixtures("temporary")
@pytest.mark.parametrize(
    ("answer", "options", "reason"),
    [
        (_ANSWER, {"needs": ("no-such-program",)}, "no-such-program is missing (advice)"),
        (_ANSWER, {"needs": ("/no/such/file",)}, "/no/such/file is missing (advice)"),
        (_ANSWER, {"prepare": (("{python}", "-c", "exit('no network')"),)}, "1: no network"),
        (_ANSWER, {"prepare": (("./no-such-program",),)}, "./no-such-program: "),
        (_ANSWER, {"command": ["{python}", "none.py"]}, "No such file or directory"),
        (None, {}, "the harness is broken: it ends, hangs, or prints anything else"),
        ({"unsupported": True}, {}, "the harness is broken: no test is right"),
    ],
)
def test_an_implementation_that_is_not_run_is_named(
    answer: dict[str, Any] | None,
    options: dict[str, Any],
    reason: str,
    write_table: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page has the reason. The campaign fails only if the implementation is required."""
    table, page = write_table(answer, **options), tmp_path / "RESULTS.md"
    assert campaign.main([], table=table, results=page) == 0
    assert campaign.main(["--require", "a"], table=table, results=page) == 1
    output = capsys.readouterr()
    assert output.err == "a: required, but not run\n"
    (row,) = (line for line in page.read_text("utf-8").splitlines() if line.startswith("| a |"))
    assert reason in row


# A campaign of a table; the arguments are the table and the page of results.
_CAMPAIGN = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(_HARNESSES)!r})
import campaign
table, page = map(Path, sys.argv[1:])
sys.exit(campaign.with_signals(lambda: campaign.main([], table=table, results=page)))
"""

_HANGING = "import os, pathlib, time; pathlib.Path({!r}, str(os.getpid())).touch(); time.sleep(600)"


@pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is read from /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("place", ["prepare", "command"])
def test_a_signal_leaves_no_folder_and_no_process(
    place: str, number: signal.Signals, tmp_path: Path, write_table: Callable[..., Path]
) -> None:
    """Also a responder of the runner, which has its own process group, is ended."""
    for name in ("started", "temporary"):
        (tmp_path / name).mkdir()
    started, page = tmp_path / "started", tmp_path / "RESULTS.md"
    hanging = ("{python}", "-c", _HANGING.format(str(started)))
    if place == "prepare":
        table = write_table(_ANSWER, prepare=(hanging,), timeout=PATIENCE)
    else:
        table = write_table(_ANSWER, timeout=PATIENCE)
        responder = _RESPONDER.replace("answer = json", f"{hanging[2]}\nanswer = json")
        (tmp_path / "family" / "responder.py").write_text(responder, "ascii")
    process = subprocess.Popen(
        [sys.executable, "-c", _CAMPAIGN, str(table), str(page)],
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: [*started.iterdir()])
    process.send_signal(number)
    _, complaint = process.communicate(timeout=PATIENCE)
    word = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}[number]
    assert (process.returncode, complaint) == (128 + number, f"campaign.py: {word}\n")
    assert [*(tmp_path / "temporary").iterdir()] == []
    assert not page.exists()
    assert not any(is_running(int(path.name)) for path in started.iterdir())


def test_a_command_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the time; a command that ignores SIGTERM is killed."""
    monkeypatch.setattr(campaign, "_ENDING", 0.1)
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    with pytest.raises(campaign.NotRunError, match="no end in 2 seconds"):
        campaign._output([sys.executable, "-c", ignoring], tmp_path, timeout=2.0)


@pytest.mark.usefixtures("temporary")
def test_needs_that_are_there_do_not_stop_the_run(
    write_table: Callable[..., Path], tmp_path: Path
) -> None:
    """A program on the path and an absolute path of a file are found."""
    needs = ("sh", str(_HARNESSES / "implementations.json"))
    arguments = ["--require", "a"]
    table = write_table(_ANSWER, needs=needs)
    assert campaign.main(arguments, table=table, results=tmp_path / "RESULTS.md") == 0


@pytest.mark.usefixtures("temporary")
def test_a_check_fails_for_changed_results_and_writes_nothing(
    tmp_path: Path, write_table: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows of the same name and version are compared; another version is another thing."""
    table, page = write_table(_ANSWER), tmp_path / "RESULTS.md"
    assert campaign.main(["--only", "a"], table=table, results=page) == 0
    assert not page.exists()
    text = capsys.readouterr().out
    for published, code in (
        (text, 0),
        (text.replace("| a | 1.2 | ", "| a | 1.2 | 1"), 1),
        (text.replace("| a | 1.2 | ", "| a | 1.3 | 1"), 0),
    ):
        page.write_text(published, "utf-8")
        assert campaign.main(["--check"], table=table, results=page) == code
        assert page.read_text("utf-8") == published
    assert capsys.readouterr().err.startswith("RESULTS.md has other results: | a | 1.2 |")


def _run(name: str, *failures: tuple[str, str], right: int = 1) -> Any:
    """Return a run with these failures of `sm2pke`, each a severity and a flag."""
    crashed = sum(flag == "Crash" for _, flag in failures)
    return results.Run(
        name,
        "1.0",
        {
            "total": {
                "right": right,
                "accepted though invalid": len(failures) - crashed,
                "crashed": crashed,
                "not supported": 5,
            },
            "failures": [
                {
                    "file": "sm2pke",
                    "severity": severity,
                    "flag": flag,
                    "verdict": "crashed" if flag == "Crash" else "accepted though invalid",
                    "answer": {},
                }
                for severity, flag in failures
            ],
        },
    )


def test_the_page_counts_failures_by_severity_and_names_flags_with_a_reference_only() -> None:
    """A flag without a reference for this implementation is not on the page."""
    page = results.page(
        [
            _run(
                "a",
                ("standard", "OffCurve"),
                ("strict", "SloppyDer"),
                ("strict", "SloppyDer"),
                ("policy", "TooLong"),
                ("standard", "Crash"),
            ),
            _run("b", ("standard", "OffCurve")),
            results.Run("c", reason="node is missing"),
        ],
        [
            results.Reference(**_REFERENCED),
            results.Reference("a", "sm2pke", "ZeroKdf", "https://y.test"),
            results.Reference("c", "sm2pke", "OffCurve", "https://z.test"),
        ],
    )
    assert page.split("\n\n", 2)[2] == (
        "| implementation | version | asked | right | wrong: standard | wrong: strict"
        " | wrong: policy | crashed | not supported |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| a | 1.0 | 11 | 1 | 1 | 2 | 1 | 1 | 5 |\n"
        "| b | 1.0 | 7 | 1 | 1 | 0 | 0 | 0 | 5 |\n"
        "\n"
        "## Weaknesses with a public reference\n"
        "\n"
        "| implementation | version | file | flag | reference |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| a | 1.0 | sm2pke | OffCurve | https://x.test |\n"
        "\n"
        "## Not run\n"
        "\n"
        "| implementation | reason |\n"
        "| --- | --- |\n"
        "| c | node is missing |\n"
    )


def test_a_page_without_a_reference_or_a_missing_run_has_one_table() -> None:
    """Empty sections are left out."""
    assert "##" not in results.page([_run("a", ("standard", "OffCurve"))], [])


def test_the_references_are_of_implementations_and_flags_that_exist() -> None:
    """Each has an address, the name of an implementation, and a flag of its file."""
    for reference in results.references():
        assert reference.implementation in {each["name"] for each in _TABLE["implementations"]}
        path = _HARNESSES.parent / f"{reference.file}.json"
        assert reference.flag in json.loads(path.read_text("ascii"))["notes"]
        assert reference.url.startswith("https://")


def test_the_checked_in_page_names_no_flag_without_a_reference() -> None:
    """Only the table of public references has flags."""
    text = (_HARNESSES / "RESULTS.md").read_text("utf-8")
    notes = [
        json.loads(path.read_text("ascii"))["notes"] for path in _HARNESSES.parent.glob("*.json")
    ]
    flags = {flag for note in notes for flag in note if re.search("[a-z][A-Z]", flag)}
    published = {reference.flag for reference in results.references()}
    assert flags & set(re.findall(r"\w+", text)) <= published


def test_a_harness_that_was_given_up_is_recognised() -> None:
    """One question that was not asked is enough, also if others are right."""
    run = _run("a", ("standard", "OffCurve"))
    assert campaign._fault(run.results) == ""
    run.results["failures"][0]["answer"] = {"failure": GIVEN_UP}
    assert campaign._fault(run.results) == "it ends, hangs, or prints anything else"

"""The harnesses of `vectors/harnesses`: their responders, their campaign and its page."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.time_limits import PATIENCE

from kmscore_vectors.files import load
from kmscore_vectors.judgement import Verdict, judge
from kmscore_vectors.runner import GIVEN_UP, Peer
from kmscore_vectors.vector_test import VectorTest

_HARNESSES = Path(__file__).resolve().parents[1] / "harnesses"
_TABLE = json.loads((_HARNESSES / "implementations.json").read_text("utf-8"))
_NODE = [each["name"] for each in _TABLE["implementations"] if each["family"] == "node"]
_SEVERITIES = {("sm2pke", 1): "standard", ("sm2pke", 2): "strict", ("sm2pke", 3): "policy"}
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


def _module(name: str) -> ModuleType:
    """Return a module of the harnesses, which are scripts and not a package."""
    sys.path.insert(0, str(_HARNESSES))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(_HARNESSES))


campaign = _module("campaign")
implementations = _module("implementations")
results = _module("results")


@pytest.fixture(scope="module")
def node_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the Node.js harnesses with their libraries."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    folder = tmp_path_factory.mktemp("harnesses") / "node"
    shutil.copytree(_HARNESSES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    for command in _TABLE["families"]["node"]["prepare"]:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    return folder


@pytest.fixture(scope="module")
def tests() -> dict[str, tuple[VectorTest, ...]]:
    """Return the tests that a harness can answer."""
    return dict(load(_HARNESSES.parent, ("aead", "rsa_oaep", "sm2pke")))


def _judge_few(
    command: list[str], tests: dict[str, tuple[VectorTest, ...]], **wanted: str
) -> dict[str, set[Verdict]]:
    """Return the verdicts on a few tests of each flag and file, by file and kind of result."""
    found: dict[str, set[Verdict]] = {}
    with Peer(command, timeout=PATIENCE) as peer:
        for file, flags in wanted.items():
            for flag in flags.split():
                chosen = [test for test in tests[file] if test.flag == flag]
                for test in chosen[:: max(1, len(chosen) // 8)]:
                    verdict = judge(test, peer.ask(test.operation, test.inputs))
                    found.setdefault(file, set()).add(verdict)
    return found


_RIGHT = {Verdict.RIGHT}
_PARTLY = {Verdict.RIGHT, Verdict.UNSUPPORTED}
_NO = {Verdict.UNSUPPORTED}
_FLAGS = {
    "aead": "Valid Boundary ModifiedTag OtherContext",
    "rsa_oaep": "Valid LabelHash",
    "sm2pke": "Valid WrongC3 ShortCoordinate",
}


@pytest.mark.parametrize(
    ("name", "aead", "rsa_oaep", "sm2pke"),
    [
        ("sm-crypto", _NO, _NO, _PARTLY),
        ("sm-crypto-0.3.13", _NO, _NO, _PARTLY),
        ("sm-crypto-v2", _PARTLY, _NO, _RIGHT),
        ("noble-ciphers", _PARTLY, _NO, _NO),
        ("node-crypto", _PARTLY, _RIGHT, _NO),
        ("web-crypto", _PARTLY, _RIGHT, _NO),
        ("node-forge", _PARTLY, _RIGHT, _NO),
    ],
)
def test_a_node_responder_is_right_or_does_not_support_the_operation(
    name: str,
    aead: set[Verdict],
    rsa_oaep: set[Verdict],
    sm2pke: set[Verdict],
    node_folder: Path,
    tests: dict[str, tuple[VectorTest, ...]],
) -> None:
    """Valid and invalid tests without a known difference are right in every implementation."""
    (command,) = (each["command"] for each in _TABLE["implementations"] if each["name"] == name)
    found = _judge_few(["node", str(node_folder / command[1]), command[2]], tests, **_FLAGS)
    assert found == {"aead": aead, "rsa_oaep": rsa_oaep, "sm2pke": sm2pke}


def test_every_node_implementation_is_asked() -> None:
    """The table of the test above has all of the family."""
    marks = test_a_node_responder_is_right_or_does_not_support_the_operation.pytestmark
    assert [row[0] for row in marks[0].args[1]] == _NODE


def test_the_responder_of_openssl_is_right_or_does_not_support_the_operation(
    tests: dict[str, tuple[VectorTest, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It decrypts RSAES-OAEP, and SM2 in ASN1_DER; no key is left in the temporary folder."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = [sys.executable, str(_HARNESSES / "openssl" / "responder.py")]
    found = _judge_few(command, tests, **_FLAGS)
    assert found == {"aead": _NO, "rsa_oaep": _RIGHT, "sm2pke": _PARTLY}
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Return a function that builds the responder of a C library, and returns its command."""

    @cache
    def built(name: str) -> list[str]:
        (library,) = (each for each in implementations.load() if each.name == name)
        for need in library.family.needs:
            if shutil.which(need) is None and not Path(need).exists():
                pytest.skip(f"{need} is missing")
        folder = tmp_path_factory.mktemp("harnesses") / name
        shutil.copytree(library.family.folder, folder)
        for command in library.family.prepare:
            subprocess.run(command, cwd=folder, check=True, timeout=PATIENCE)
        return [str(folder / library.command[0])]

    return built


@pytest.mark.parametrize("name", ["botan", "libgcrypt"])
def test_the_responder_of_a_c_library_is_right_or_does_not_support_the_operation(
    name: str, build: Callable[[str], list[str]], tests: dict[str, tuple[VectorTest, ...]]
) -> None:
    """It is built by the command of its family, and decrypts SM2 in one encoding."""
    found = _judge_few(build(name), tests, **_FLAGS | {"sm2pke": "Valid WrongC3"})
    assert found == {"aead": _PARTLY, "rsa_oaep": _RIGHT, "sm2pke": _PARTLY}


@pytest.mark.parametrize("name", ["botan", "libgcrypt"])
def test_a_question_that_a_c_responder_cannot_read_is_not_supported(
    name: str, build: Callable[[str], list[str]]
) -> None:
    """The JSON library rejects lone surrogates; they only occur in operations without support."""
    with Peer(build(name), timeout=PATIENCE) as peer:
        assert peer.ask("canonicalize", {"pairs": [["\ud800", ""]]}) == {"unsupported": True}


def test_a_released_weakness_is_found(
    node_folder: Path, tests: dict[str, tuple[VectorTest, ...]]
) -> None:
    """The release before the fix accepts points off the curve; the newest one rejects them."""
    responder = ["node", str(node_folder / "responder.mjs")]
    old = _judge_few([*responder, "sm_crypto_0_3_13"], tests, sm2pke="OffCurve")
    new = _judge_few([*responder, "sm_crypto"], tests, sm2pke="OffCurve")
    assert Verdict.ACCEPTED in old["sm2pke"]
    assert new["sm2pke"] == _PARTLY


def test_a_test_that_the_format_decides_is_not_supported(
    node_folder: Path, tests: dict[str, tuple[VectorTest, ...]]
) -> None:
    """The header, the lengths and the context are not the library's part."""
    flags = "OtherKey OtherSuite Truncated PlaintextSize ContextSize"
    responder = ["node", str(node_folder / "responder.mjs"), "noble_ciphers"]
    assert _judge_few(responder, tests, aead=flags) == {"aead": _NO}


def test_the_versions_of_the_node_responders_are_those_of_the_package_file(
    node_folder: Path,
) -> None:
    """All versions are exact, and `--version` shows the installed one."""
    pins = json.loads((_HARNESSES / "node" / "package.json").read_text("utf-8"))["dependencies"]
    assert all(re.fullmatch(r"(npm:[a-z-]+@)?\d+\.\d+\.\d+", pin) for pin in pins.values())
    shown = {
        name: subprocess.run(
            ["node", str(node_folder / "responder.mjs"), name, "--version"],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        ).stdout
        for name in ("sm_crypto", "sm_crypto_0_3_13", "noble_ciphers")
    }
    assert shown == {
        "sm_crypto": pins["sm-crypto"] + "\n",
        "sm_crypto_0_3_13": pins["sm-crypto-0.3.13"].removeprefix("npm:sm-crypto@") + "\n",
        "noble_ciphers": pins["@noble/ciphers"] + "\n",
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


def _run(name: str, *failures: tuple[int, str], right: int = 1) -> Any:
    """Return a run with these failures, each a test of `sm2pke` and its flag."""
    return results.Run(
        name,
        "1.0",
        {
            "total": {"right": right, "accepted though invalid": len(failures), "not supported": 5},
            "failures": [
                {"file": "sm2pke", "tcId": number, "flag": flag, "answer": {}}
                for number, flag in failures
            ],
        },
    )


def test_the_page_counts_failures_by_severity_and_names_flags_with_a_reference_only() -> None:
    """A flag without a reference for this implementation is not on the page."""
    page = results.page(
        [
            _run("a", (1, "OffCurve"), (2, "SloppyDer"), (2, "SloppyDer"), (3, "TooLong")),
            _run("b", (1, "OffCurve")),
            results.Run("c", reason="node is missing"),
        ],
        [
            results.Reference(**_REFERENCED),
            results.Reference("a", "sm2pke", "ZeroKdf", "https://y.test"),
            results.Reference("c", "sm2pke", "OffCurve", "https://z.test"),
        ],
        _SEVERITIES,
    )
    assert page.split("\n\n", 2)[2] == (
        "| implementation | version | asked | right | wrong: standard | wrong: strict"
        " | wrong: policy | not supported |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| a | 1.0 | 10 | 1 | 1 | 2 | 1 | 5 |\n"
        "| b | 1.0 | 7 | 1 | 1 | 0 | 0 | 5 |\n"
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
    assert "##" not in results.page([_run("a", (1, "OffCurve"))], [], _SEVERITIES)


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
    assert {flag for flag in flags if flag in text} <= published


def test_each_test_has_the_severity_of_its_file(tmp_path: Path) -> None:
    """A test without a severity is `standard`."""
    group = {"tests": [{"tcId": 1, "severity": "policy"}, {"tcId": 2}]}
    (tmp_path / "blob.json").write_text(json.dumps({"testGroups": [group]}), "ascii")
    found = results.severities(tmp_path)
    assert found == {("blob", 1): "policy", ("blob", 2): "standard"}
    assert set(results.severities(_HARNESSES.parent).values()) <= set(results.SEVERITIES)


def test_a_harness_that_was_given_up_is_recognised() -> None:
    """One question that was not asked is enough, also if others are right."""
    run = _run("a", (1, "OffCurve"))
    assert campaign._fault(run.results) == ""
    run.results["failures"][0]["answer"] = {"failure": GIVEN_UP}
    assert campaign._fault(run.results) == "it ends, hangs, or prints anything else"

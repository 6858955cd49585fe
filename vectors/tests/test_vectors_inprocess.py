"""An implementation in Python is run in this process, and its exceptions do not end the run."""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from vector_files import files

from kmscore_vectors import cli, inprocess
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.files import VectorFileError
from kmscore_vectors.inprocess import FunctionError, Rejected, Unsupported
from kmscore_vectors.judgement import Verdict
from kmscore_vectors.selection import Selection, SelectionError

_README = Path(__file__).resolve().parents[1] / "README.md"
_BLOB = Selection(files=("blob",))
_MODULE = """
from kmscore_vectors.adapter.responder import Responder
from kmscore_vectors.inprocess import Rejected

def ask(operation, inputs):
    print("a remark")
    answer = Responder().answer(operation, inputs)
    if "error" in answer:
        raise Rejected(answer["error"])
    return answer

class Nested:
    ask = staticmethod(ask)

number = 7
"""


def _library(operation: str, inputs: dict[str, Any]) -> dict[str, Any]:
    answer = Responder().answer(operation, inputs)
    if "error" in answer:
        raise Rejected(answer["error"])
    return answer


def test_a_right_implementation_is_a_success() -> None:
    """Outputs and `Rejected` are the answers of the library; the name is that of the function."""
    results = inprocess.run(_library, selection=_BLOB)
    assert results.is_success
    assert results.total == {Verdict.RIGHT: len(files()["blob"]) - 1}
    assert results.by_subject.keys() == {"_library"}


def test_accumulated_tests_are_run_if_they_are_asked_for() -> None:
    """10,000 cases count as one test."""
    results = inprocess.run(_library, selection=_BLOB, accumulated=True)
    assert results.is_success
    assert results.total == {Verdict.RIGHT: len(files()["blob"])}


def test_unsupported_is_neither_a_failure_nor_a_success() -> None:
    """An implementation without any operation has no failure, and is not a success."""

    class Nothing:
        def __call__(self, _: str, __: dict[str, Any]) -> dict[str, Any]:
            raise Unsupported

    results = inprocess.run(Nothing(), selection=_BLOB)
    assert results.total.keys() == {Verdict.UNSUPPORTED}
    assert not results.is_success
    assert [name.rpartition(".")[2] for name in results.by_subject] == ["Nothing"]


class _Mute(Exception):  # noqa: N818 (a test)
    def __str__(self) -> str:
        raise ValueError("no message")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("too short"), "ValueError: too short"),
        (AssertionError(), "AssertionError: "),
        (SystemExit(0), "SystemExit: 0"),
        (asyncio.CancelledError("of a task"), "CancelledError: of a task"),
        (RecursionError("deep"), "RecursionError: deep"),
        (_Mute(), "_Mute"),
    ],
)
def test_any_other_exception_is_a_crash(error: BaseException, reason: str) -> None:
    """The answer has its type and its message, and the run continues."""

    def ask(operation: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if operation == "parse_blob":
            raise error
        return _library(operation, inputs)

    results = inprocess.run(ask, selection=_BLOB)
    assert {*(json.dumps(failure.answer) for failure in results.failures)} == {
        json.dumps({"crash": reason})
    }
    assert results.total[Verdict.CRASHED] > 80
    others = [test for test in files()["blob"] if test.operation == "parse_blob_base64"]
    assert results.total[Verdict.RIGHT] == len(others)


def test_a_selection_of_invalid_tests_has_a_valid_one_of_each_operation() -> None:
    """Right rejections are proven by it, and prove nothing without it."""
    selection = Selection(files=("blob",), flags=("Magic",))
    number = sum(test.flag == "Magic" for test in files()["blob"])
    assert inprocess.run(_library, selection=selection).total == {Verdict.RIGHT: number + 2}

    def reject(*_: Any) -> dict[str, Any]:
        raise Rejected("invalid_blob")

    results = inprocess.run(reject, selection=selection)
    assert results.total == {Verdict.WRONG: 2, Verdict.UNPROVEN: number}
    assert not results.is_success


def test_ctrl_c_ends_the_run() -> None:
    """It is not a crash of the implementation."""

    def ask(_: str, __: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        inprocess.run(ask, selection=_BLOB)


@pytest.mark.parametrize(
    "outputs",
    [
        None,
        "00",
        {"blob": b"00"},
        {"blob": 7},
        {"blob": ["00"]},
        {"blob": {"x": 7}},
        {"blob": {7: "x"}},
        {7: "00"},
        {"error": "invalid_blob"},
        {"unsupported": True},
        {"failure": "x"},
        {"crash": "x"},
    ],
)
def test_a_malformed_result_is_no_answer(outputs: Any) -> None:
    """Errors are raised, and outputs are texts by name."""
    answer = inprocess.answering(lambda *_: outputs)("parse_blob", {})
    assert answer == {
        "failure": "not an answer: the function has to return outputs by name, as texts"
    }


def test_an_error_code_of_any_type_is_a_text() -> None:
    """A code that is not a text does not stop the report."""

    def ask(_: str, __: dict[str, Any]) -> dict[str, Any]:
        raise Rejected(7)  # type: ignore[arg-type]

    assert inprocess.answering(ask)("parse_blob", {}) == {"error": "7"}
    assert str(Rejected("invalid_blob")) == Rejected("invalid_blob").code == "invalid_blob"


def test_an_implementation_that_changes_its_inputs_changes_no_test() -> None:
    """It gets a copy, also of lists that several tests share."""

    def ask(_: str, inputs: dict[str, Any]) -> dict[str, Any]:
        inputs["pairs"][0].append("c")
        inputs["pairs"].clear()
        inputs.clear()
        return {}

    inputs = {"pairs": [["a", "b"]]}
    pair = inputs["pairs"][0]
    assert inprocess.answering(ask)("canonicalize", inputs) == {}
    assert inputs == {"pairs": [["a", "b"]]}
    assert pair == ["a", "b"]


def test_folder_and_selection_are_checked(tmp_path: Path) -> None:
    """The errors are those of the command line."""
    with pytest.raises(VectorFileError, match="is missing"):
        inprocess.run(_library, folder=tmp_path)
    with pytest.raises(SelectionError, match="unknown file"):
        inprocess.run(_library, selection=Selection(files=("nope",)))


# --- the command line ---


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module with an implementation, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    name = f"implementation_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(_MODULE, "utf-8")
    return name


def _run(*arguments: str) -> Result:
    options = ("--quiet", "--no-accumulated", "--file", "blob")
    return CliRunner().invoke(cli.app, ["run", *options, *arguments])


@pytest.mark.parametrize("function", ["ask", "Nested.ask"])
def test_run_imports_a_function_from_the_current_folder(module: str, function: str) -> None:
    """All tests pass; the output of the function is not part of the results."""
    result = _run("--json", "--python", f"{module}:{function}")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["success"]) == (0, True)
    assert document["label"] == f"{module}:{function}"
    assert "a remark" in result.stderr
    _run("--json", "--python", f"{module}:{function}")
    assert sys.path.count(str(Path.cwd())) == 1


def test_a_function_that_cannot_be_imported_is_a_usage_error(module: str, tmp_path: Path) -> None:
    """One line and exit code 2, without a traceback."""
    (tmp_path / "broken_one.py").write_text("raise SystemExit(0)", "ascii")
    missing = f"module '{module}' has no attribute 'no'"
    for name, reason in (
        ("no_such_module:ask", "cannot be imported: ModuleNotFoundError: No module named"),
        (f"{module}:no", f"cannot be imported: AttributeError: {missing}"),
        ("broken_one:ask", "cannot be imported: SystemExit: 0"),
        (f"{module}:number", "is not a function"),
    ):
        result = _run("--python", name)
        assert (result.exit_code, result.stdout) == (2, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith(f"kmscore-vectors: {name} {reason}")


@pytest.mark.parametrize("name", ["json", "json:", ":dumps", ""])
def test_a_function_needs_a_module_and_a_name(name: str) -> None:
    """The message has the form."""
    with pytest.raises(FunctionError, match=f"^{name}: use MODULE:FUNCTION$"):
        inprocess.load(name)


def test_a_function_and_a_command_exclude_each_other(module: str) -> None:
    """One line and exit code 2."""
    result = _run("--python", f"{module}:ask", "--", "true")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "kmscore-vectors: --python and -- COMMAND exclude each other\n"


def test_the_example_of_the_page_passes() -> None:
    """The page shows a test for pytest, and it passes on the library."""
    (code,) = re.findall(
        r"^```py\n(.*?)^```$", _README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    assert "import my_blobs" in code
    names: dict[str, Any] = {"my_blobs": _MyBlobs}
    exec(code.replace("import my_blobs\n", ""), names)  # noqa: S102 (our own page)
    names["test_vectors"]()


class _MyBlobs:
    """The module that the page tests."""

    @staticmethod
    def parse(data: bytes) -> dict[str, str]:
        """Return the fields of a blob, or raise `ValueError`."""
        answer = Responder().answer("parse_blob", {"blob": data.hex()})
        if "error" in answer:
            raise ValueError
        return answer

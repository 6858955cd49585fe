"""`kmscore-vectors` on a terminal: its help, its list, and early exits."""

import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.time_limits import PATIENCE
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from kmscore_vectors import cli, execution, files, terminal
from kmscore_vectors.files import installed_folder, load

_COMMANDS = ("generate", "list", "verify", "run", "mutants", "nonces")
_MODULE = [sys.executable, "-P", "-m", "kmscore_vectors"]


def _main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """Run the command in this process, as its script does; return the exit code."""
    monkeypatch.setattr(sys, "argv", ["kmscore-vectors", *arguments])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("kmscore_vectors", run_name="__main__")
    return caught.value.code


@pytest.mark.parametrize("name", _COMMANDS)
@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_help_of_every_command_fits(name: str, width: int) -> None:
    """The help has an example and complete option names, also on a narrow terminal."""
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(cli.app, [name, "--help"])
    assert max(map(len, result.stdout.splitlines())) <= width
    assert "…" not in result.stdout
    assert f"Example: kmscore-vectors {name}" in " ".join(result.stdout.split())


def test_the_commands_are_those_tested_here() -> None:
    """The list here has all commands, so that a new command also needs an example."""
    group = get_command(cli.app)
    assert isinstance(group, TyperGroup)
    assert tuple(group.commands) == _COMMANDS


def test_list_counts_the_tests_of_every_operation() -> None:
    """The table and the JSON have the numbers of the files."""
    number = sum(len(tests) for _, tests in load(installed_folder()))
    result = CliRunner(env={"COLUMNS": "200"}).invoke(cli.app, ["list"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == [f"{number} tests", f"vectors: {installed_folder()}"]
    document = json.loads(CliRunner().invoke(cli.app, ["list", "--json"]).stdout)
    assert document["folder"] == str(installed_folder())
    counts = [count for file in document["files"].values() for count in file.values()]
    assert sum(count["valid"] + count["invalid"] for count in counts) == number
    assert document["files"]["blob"].keys() == {"parse_blob", "parse_blob_base64", "accumulated"}


def test_the_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line."""
    assert _main(monkeypatch, "--version") == 0
    assert capsys.readouterr() == (f"kmscore-vectors {cli.kmscore_vectors.__version__}\n", "")


def test_a_mistake_in_the_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that names the help page; without arguments the help page itself."""
    assert _main(monkeypatch, "list", "--nope") == 2
    reason = "No such option: --nope; see kmscore-vectors list --help"
    assert capsys.readouterr().err == f"kmscore-vectors: {reason}\n"
    assert _main(monkeypatch) == 2
    assert capsys.readouterr().err == ""


def test_a_command_without_the_two_hyphens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says the place of the command of an implementation, for `run` only."""
    place = "; the command of an implementation comes after --; see kmscore-vectors run --help\n"
    assert _main(monkeypatch, "run", "program", "argument") == 2
    assert capsys.readouterr().err.endswith(place)
    assert _main(monkeypatch, "list", "folder", "argument") == 2
    assert " comes after --" not in capsys.readouterr().err


def test_control_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line and exit code 130."""

    def interrupt() -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "make_files", interrupt)
    monkeypatch.setattr(sys, "argv", ["kmscore-vectors", "generate", "--out", "/tmp"])  # noqa: S108
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "kmscore-vectors: interrupted\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written() -> None:
    """One line and exit code 2."""
    with open("/dev/full", "wb") as full:  # noqa: PTH123 (a device)
        done = subprocess.run(
            [*_MODULE, "list"], stdout=full, stderr=subprocess.PIPE, check=False, timeout=PATIENCE
        )
    reason = b"standard output: No space left on device"
    assert (done.returncode, done.stderr) == (2, b"kmscore-vectors: " + reason + b"\n")


def test_an_encoding_that_lacks_characters() -> None:
    """The lines of tables are printed as escapes."""
    done = subprocess.run(
        [*_MODULE, "list"],
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stdout.isascii()


def test_output_that_fails_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Buffered output is dropped, so that Python does not fail again at the end."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    given_up = []
    monkeypatch.setattr(cli.listing, "show_listing", fail)
    monkeypatch.setattr(cli, "give_up_output", lambda: given_up.append(True))
    monkeypatch.setattr(sys, "argv", ["kmscore-vectors", "list"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    assert given_up == [True]
    assert capsys.readouterr().err.count("No space left on device\n") == 1


def test_given_up_output_goes_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Output that was written before and is still buffered is dropped too."""
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        terminal.give_up_output()
        out.write("goes nowhere")
    assert (tmp_path / "out").read_bytes() == b""


def test_streams_of_any_kind_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard output that is not a `TextIOWrapper` is left unchanged."""
    errors = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", errors)
    terminal.write_any_character()
    assert sys.stdout is None
    assert errors.errors == "backslashreplace"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError(name="kmscore"), "is not installed"),
        (
            ModuleNotFoundError("no ring", name="kmscore.ring"),
            "is another version, or not whole: no ring",
        ),
        (ImportError("no name V9", name="kmscore"), "is another version, or not whole: no name V9"),
        (ModuleNotFoundError(name="cryptography"), None),
        (ImportError(), None),
    ],
)
def test_the_library_is_missing(
    monkeypatch: pytest.MonkeyPatch, error: ImportError, reason: str | None
) -> None:
    """A missing library gives one line; other import errors are raised unchanged."""

    def fail(_: str) -> object:
        raise error

    monkeypatch.setattr(execution.importlib, "import_module", fail)
    result = CliRunner().invoke(cli.app, ["verify"])
    if reason is None:
        assert result.exception is error
    else:
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            f"kmscore-vectors: the library kmscore {reason}; `run` takes any other implementation\n"
        )


def test_an_installation_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without DIR, the message asks for DIR; with DIR, it says that the schemas are missing."""
    given = installed_folder()
    monkeypatch.setattr(files, "_PACKAGE", tmp_path / "kmscore_vectors")
    files._validator.cache_clear()
    result = CliRunner().invoke(cli.app, ["list"])
    assert result.exit_code == 2
    assert result.stderr.endswith(": name their folder as DIR\n")
    result = CliRunner().invoke(cli.app, ["list", str(given)])
    assert result.exit_code == 2
    assert result.stderr == (
        "kmscore-vectors: no schemas came with this installation: reinstall it\n"
    )


def _progress_lines(steps: list[int], capsys: pytest.CaptureFixture[str], *, quiet: bool) -> str:
    """Return the standard error of a run in a pipe."""
    with terminal.progress("Running", sum(steps), quiet=quiet) as advance:
        for number in steps:
            advance(number)
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_progress_in_a_pipe_is_a_line_at_most_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a clock on which each question takes 4 seconds, every third gives a line; the end too."""
    clock = SimpleNamespace(seconds=0.0)

    def monotonic() -> float:
        return float(clock.seconds)

    monkeypatch.setattr(terminal, "time", SimpleNamespace(monotonic=monotonic))
    with terminal.progress("Running", 12_000) as advance:
        for _ in range(8):
            clock.seconds += 4
            advance(1500)
    assert capsys.readouterr().err.splitlines() == [
        "Running: 4,500 of 12,000",
        "Running: 9,000 of 12,000",
        "Running: 12,000 of 12,000",
    ]


def test_a_short_run_in_a_pipe_has_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line at the end, without control characters."""
    assert _progress_lines([1] * 100, capsys, quiet=False) == "Running: 100 of 100\n"


def test_quiet_has_no_progress(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a line in a pipe nor a bar on a terminal."""
    assert _progress_lines([1] * 100, capsys, quiet=True) == ""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert _progress_lines([1] * 100, capsys, quiet=True) == ""


def test_progress_that_cannot_be_written_does_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A standard error that fails costs the progress only."""

    def fail(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(terminal.typer, "echo", fail)
    done = []
    with terminal.progress("Running", 1) as advance:
        advance(1)
        done.append(True)
    assert done


def test_an_interrupted_run_has_no_last_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The last line is only for a run that reached its end."""
    with pytest.raises(KeyboardInterrupt), terminal.progress("Running", 2):
        raise KeyboardInterrupt
    assert capsys.readouterr().err == ""


def test_list_of_a_folder_without_vectors(tmp_path: Path) -> None:
    """One line that names the file that is missing."""
    result = CliRunner().invoke(cli.app, ["list", str(tmp_path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"kmscore-vectors: {tmp_path / 'blob.json'} is missing\n"

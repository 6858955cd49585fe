"""Commands at a terminal, in a pipe, and with a limited encoding or a broken stream."""

import builtins
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    PASSPHRASE,
    command,
    environment,
    invoke,
    problem,
    read_ring,
    run,
    seal,
    sealed_rows,
    write_lines,
    write_ring,
)
from support.samples import sampled
from support.terminal import at_terminal, without_variable
from support.time_limits import PATIENCE
from typer.core import TyperGroup
from typer.main import get_command

from kmscore import Keyring, KeySpec, KeyState, SymmetricKey
from kmscore.cli import app, files, main, terminal

pytestmark = pytest.mark.usefixtures("in_time")

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_a_command_that_does_not_end_fails() -> None:
    """The failure shows the output, and the test does not wait for the command."""
    begin = time.monotonic()
    with pytest.raises(pytest.fail.Exception, match=r"has not ended; it has shown b'who\? '"):
        at_terminal("sh", "-c", "printf 'who? '; exec sleep 6000", is_over=b"who? ".__eq__)
    assert time.monotonic() - begin < PATIENCE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a keyring and a table."""
    folder = tmp_path_factory.mktemp("terminal")
    write_ring(folder / "team.keys")
    write_lines(folder / "in.jsonl", sealed_rows(6000))
    return folder


@pytest.mark.parametrize("width", [60, 120])
def test_the_progress_bar_at_a_terminal(folder: Path, width: int) -> None:
    """The bar shows percent, rows, rate and remaining time without cuts, and is then removed."""
    out = folder / f"out{width}.jsonl"
    options = ("--destination", "orders", "--context-columns", "tenant")
    where = ("rotate", folder / "in.jsonl", out, "-k", folder / "team.keys")
    code, shown = at_terminal(*command(*where, *options), width=width)
    assert code == 0
    frames = [_ESCAPE.sub("", frame) for frame in re.split(r"\r|\n", shown)]
    bars = [frame for frame in frames if frame.startswith("Rotating")]
    assert any(
        re.fullmatch(r"Rotating [━╸╺ ]+ +\d+% [\d,]+ rows, [\d,]+/s [-\d:]+ *", bar) for bar in bars
    ), bars
    assert all(len(bar) <= width for bar in bars)
    assert "\x1b[2K" in shown, "the bar is wiped"
    assert "6,000  rewritten" in shown
    assert not any("Rotating" in line for line in shown.splitlines()[-4:])


@pytest.mark.parametrize("width", [60, 120])
def test_inspect_at_a_terminal(tmp_path: Path, width: int) -> None:
    """The output has colours, and no value is cut."""
    name = "key-" + "x" * 150
    key = SymmetricKey.generate(KeySpec.AES_256, key_id=name, key_version_id="1")
    path = tmp_path / "blob"
    path.write_bytes(seal(b"4711", key=key))
    code, shown = at_terminal(*command("inspect", path), width=width)
    assert code == 0
    assert "\x1b[1;32m" in shown or "\x1b[32m" in shown
    lines = _ESCAPE.sub("", shown).splitlines()
    assert max(map(len, lines)) <= width
    column = lines[0].index("field")
    assert name in "".join(line[column:].strip() for line in lines)
    assert "…" not in shown


def test_a_passphrase_is_asked_for_at_a_terminal(tmp_path: Path) -> None:
    """Two prompts for a new file, one prompt for an existing file; the input is not shown."""
    path = tmp_path / "team.keys"
    line = PASSPHRASE + b"\n"
    where = ("keys", "new", path, "--key-id", "orders")
    code, shown = without_variable(*where, typed=line * 2)
    assert code == 0
    assert shown.count("assphrase") >= 1
    assert "orders: version" in shown
    code, listed = without_variable("keys", "list", path, typed=line)
    assert code == 0
    assert "XAES_256_GCM" in listed
    assert PASSPHRASE.decode() not in shown + listed


def test_control_c_at_the_prompt_creates_no_file(tmp_path: Path) -> None:
    """One line, exit code 130, and no file."""
    path = tmp_path / "team.keys"
    code, shown = without_variable("keys", "new", path, typed=b"\x03\n")
    assert code == 130
    assert shown.splitlines()[-1] == "kmscore: interrupted"
    assert list(tmp_path.iterdir()) == []


def test_output_contains_no_control_characters(tmp_path: Path) -> None:
    """Control characters in paths, options and key IDs are written as escapes."""
    hostile = "\x1b[2J\x9b31m\u202e\n"
    folder = tmp_path / hostile
    folder.mkdir()
    ring = write_ring(folder / "team.keys", Keyring([]))
    rows = write_lines(folder / "in.jsonl", [])
    for arguments in (
        ("keys", "list", folder / "no"),
        ("keys", "disable", ring, hostile, "1"),
        ("keys", "new", ring, "--spec", hostile),
        ("rotate", rows, folder / "no" / "out.jsonl", "-k", ring, "--destination", hostile),
        ("census", folder / f"in{hostile}"),
        ("inspect", folder),
        ("census", rows, hostile),
    ):
        assert not set(problem(invoke(*arguments))) & {"\x1b", "\x9b", "\u202e"}
    key = SymmetricKey.generate(KeySpec.AES_256, key_id="k")
    write_ring(ring, Keyring([key]))
    out = folder / "out.jsonl"
    result = invoke("rotate", rows, out, "-k", ring, "--destination", "k")
    assert result.exit_code == 0, result
    assert "\x1b" not in result.stdout
    assert "\\u001b[2J\\u009b31m\\u202e\\n" in result.stdout


def _pages(command: Any, page: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the names of a command and of all its subcommands, also those loaded later."""
    yield page
    if isinstance(command, TyperGroup):
        for name in command.list_commands(None):
            yield from _pages(command.get_command(None, name), (*page, name))


_PAGES = list(_pages(get_command(app.app)))
_GROUPS = {page[:-1] for page in _PAGES if page}


def test_the_list_of_commands_is_complete() -> None:
    """Subcommands of groups are included."""
    assert {(), ("keys",), ("trace",)} == _GROUPS
    assert {("demo",), ("rotate",), ("keys", "new")} < set(_PAGES)


@pytest.mark.parametrize("page", _PAGES, ids=" ".join)
@pytest.mark.parametrize("width", [60, 120])
def test_the_help_of_every_command_has_an_example(page: tuple[str, ...], width: int) -> None:
    """The example is complete at each width of the terminal."""
    result = invoke(*page, "--help", env={"COLUMNS": str(width)})
    assert result.exit_code == 0, result
    assert max(map(len, result.stdout.splitlines())) <= width
    text = " ".join(result.stdout.split())
    if page not in _GROUPS:
        assert f"Example: kmscore {' '.join(page)} " in text
    if page == ("rotate",):
        assert "Exit codes: 0, every row is where it belongs; 1, some rows failed; 2," in text


@pytest.mark.parametrize(
    "arguments",
    sampled([("--help",), ("reencrypt", "--help"), ("rotate", "--help"), ("inspect",)], 2),
)
def test_ascii_output_uses_escapes(arguments: tuple[str, ...]) -> None:
    """With ASCII as the encoding, other characters are escaped, and the command succeeds."""
    result = run(*arguments, data=seal(bytes(100)), PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.isascii()


def test_a_path_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are escaped, also with an ASCII locale."""
    if os.name == "nt":
        pytest.skip("a path is text on Windows")
    path = os.fsencode(tmp_path) + b"/\xff\xc3\xa4.csv"
    for variables in ({}, {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}):
        result = subprocess.run(
            [*command("census"), path],
            capture_output=True,
            check=False,
            env=environment(**variables),
            timeout=PATIENCE,
        )
        assert result.returncode == 2
        assert result.stderr.count(b"\n") == 1
        assert b"No such file or directory" in result.stderr


def _script(*arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the installed script, whose name a shell completes."""
    script = Path(sys.executable).with_name("kmscore")
    if not script.exists():
        pytest.skip("the command is not beside the interpreter")
    # Name the shell, because the parent process is not a shell.
    variables["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    return subprocess.run(
        [script, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        env=environment(**variables),
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("shell", sampled(["bash", "zsh", "fish"], 3))
def test_completion_scripts_are_shown(shell: str) -> None:
    """The completion script of each shell uses the right variable."""
    result = _script("--show-completion", shell)
    assert result.returncode == 0
    assert b"_KMSCORE_COMPLETE" in result.stdout


def test_completion_offers_commands() -> None:
    """The commands that begin with some letters are offered."""
    result = _script(_KMSCORE_COMPLETE="complete_bash", COMP_WORDS="kmscore ro", COMP_CWORD="1")
    assert result.stdout.split() == [b"rotate", b"rotate-column"]
    assert result.returncode == 0


def test_completion_is_installed(tmp_path: Path) -> None:
    """The completion script is written into the home folder."""
    result = _script("--install-completion", "bash", HOME=str(tmp_path))
    assert result.returncode == 0
    assert any("kmscore" in path.name for path in tmp_path.rglob("*"))


_PRINTING = (
    ("--version",),
    ("keys", "list", "team.keys"),
    ("inspect", "blob"),
    ("decrypt", "-k", "team.keys", "blob"),
    ("explain", "-k", "team.keys", "blob"),
)
"""Commands that print with typer, with rich, and as bytes."""


def _run_with(
    way: str, folder: Path, *arguments: str, stream: int = 1
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a folder, with a standard output or error that cannot be written."""
    if way == "full" and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    reader, writer = os.pipe()
    os.close(reader)
    shell = {
        "closed at start": ("sh", "-c", f'exec "$@" {stream}>&-', "sh"),
        "full": ("sh", "-c", f'exec "$@" {stream}>/dev/full', "sh"),
    }
    streams = {1: subprocess.PIPE, 2: subprocess.PIPE, stream: writer}
    try:
        return subprocess.run(
            [*shell.get(way, ()), *command(*arguments)],
            cwd=folder,
            stdout=streams[1],
            stderr=streams[2],
            check=False,
            env=environment(),
            timeout=PATIENCE,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("arguments", _PRINTING, ids=" ".join)
@pytest.mark.parametrize(
    ("way", "code", "line"),
    [
        ("without a reader", 141, b""),
        ("closed at start", 2, b"kmscore: standard output: it is closed\n"),
        ("full", 2, b"kmscore: standard output: No space left on device\n"),
    ],
)
def test_a_result_that_cannot_be_written_does_not_give_exit_code_0(
    folder: Path, way: str, code: int, line: bytes, arguments: tuple[str, ...]
) -> None:
    """All commands have the same exit code and the same line."""
    (folder / "blob").write_bytes(seal(b"4711"))
    result = _run_with(way, folder, *arguments)
    assert (result.returncode, result.stderr) == (code, line)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("blob", "inspect", "missing"), 2),
        (("rotatte",), 2),
        (("keys",), 2),
        (("decrypt", "-k", "team.keys", "blob", "plaintext"), 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
@pytest.mark.parametrize("way", ["without a reader", "closed at start", "full"])
def test_a_message_that_cannot_be_written_does_not_change_the_exit_code(
    tmp_path: Path, way: str, arguments: tuple[str, ...], code: int
) -> None:
    """It is an error, the help of a group, or the warning of a file that others can read."""
    write_ring(tmp_path / "team.keys").chmod(0o644)
    (tmp_path / "blob").write_bytes(seal(b"4711"))
    result = _run_with(way, tmp_path, *arguments, stream=2)
    assert (result.returncode, result.stdout) == (code, b"")
    assert (tmp_path / "plaintext").exists() == (code == 0)


@pytest.mark.parametrize(("way", "code"), [("without a reader", 141), ("closed at start", 2)])
def test_a_changed_keyring_is_reported_without_standard_output(
    tmp_path: Path, way: str, code: int
) -> None:
    """The line says that the file is changed, because the same command would change it again."""
    path = write_ring(tmp_path / "team.keys")
    result = _run_with(way, tmp_path, "keys", "disable", "team.keys", "orders", "1")
    assert result.returncode == code
    assert result.stderr.endswith(b"; team.keys is changed\n")
    assert read_ring(path).version("orders", "1").state is KeyState.DISABLED


def test_a_message_that_cannot_be_written_is_discarded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The exit code is as usual, and the buffer is not written at exit."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(terminal.typer, "echo", fail)
    with (tmp_path / "errors").open("w") as errors:
        monkeypatch.setattr("sys.stderr", errors)
        errors.write("goes nowhere")
        assert terminal.say("a message", 7) == 7
    assert (tmp_path / "errors").read_bytes() == b""


def test_a_standard_output_that_was_closed_at_start_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python uses `None` for it, and printing would then succeed."""
    monkeypatch.setattr("sys.stdout", None)
    terminal.open_output()
    with pytest.raises(terminal.typer.Exit) as caught:
        files.write_output(files.STANDARD, b"data")
    assert caught.value.exit_code == 2
    sys.stdout.close()


@pytest.mark.parametrize("cause", [BrokenPipeError(32, "Broken pipe"), None])
def test_only_the_exit_for_a_broken_pipe_has_another_code(
    monkeypatch: pytest.MonkeyPatch, cause: OSError | None
) -> None:
    """Other exits are kept, such as the one after a completion."""

    def end(_: object) -> None:
        try:
            raise cause or KeyError
        except (OSError, KeyError):
            sys.exit(1)

    monkeypatch.setattr("kmscore.cli.app.demo.show", end)
    monkeypatch.setattr(terminal, "give_up", lambda _: None)
    assert invoke("demo").exit_code == (1 if cause is None else 141)


def test_a_system_error_without_a_file_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The line names the system instead of a file."""
    with pytest.raises(terminal.typer.Exit), terminal.problems_in_one_line():
        raise OSError(24, "Too many open files")
    assert capsys.readouterr().err == "kmscore: the system: Too many open files\n"


def test_other_output_streams_are_not_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard output that is not a text file of Python is not changed."""
    errors = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", errors)
    terminal.write_any_character()
    assert sys.stdout is None
    assert errors.errors == "backslashreplace"


def test_a_failed_write_to_standard_output_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line has the reason, and buffered output is discarded."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kmscore.cli.inspection.typer.echo", fail)
        patch.setattr(terminal, "say", lambda reason: words.append(reason) or 2)
        words: list[str] = []
        assert invoke("inspect", "--json", data=seal(b"")).exit_code == 2
    assert words == ["standard output: No space left on device"]
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        terminal.give_up(sys.stdout)
        out.write("goes nowhere")
    assert (tmp_path / "out").read_bytes() == b""


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (OSError(28, "No space left on device"), "No space left on device", 2),
        (OSError(9, "Bad file descriptor"), "it is closed", 2),
        (OSError("no number"), "no number", 2),
        (SystemExit(1), "Broken pipe", 141),
    ],
)
def test_a_result_that_cannot_be_printed_is_reported(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    reason: str,
    code: int,
) -> None:
    """The line has the reason and the hint; rich exits if the reader has closed the pipe."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(terminal, "give_up", lambda _: None)
    with pytest.raises(terminal.typer.Exit) as caught:
        terminal.tell(fail, "; a hint")
    assert caught.value.exit_code == code
    assert capsys.readouterr().err == f"kmscore: standard output: {reason}; a hint\n"


def test_no_arguments_show_the_help() -> None:
    """The output is only the help, and not an error line."""
    result = invoke()
    assert result.exit_code == 2, result
    assert "kmscore: " not in result.stderr
    assert "rotate" in result.output


@pytest.mark.parametrize("moment", ["import", "run"])
def test_control_c_during_import_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], moment: str
) -> None:
    """One line and exit code 130, during import or directly after it."""

    def interrupt(name: str, *_: object) -> object:
        if name == "kmscore.cli.app":
            raise KeyboardInterrupt
        return original(name, *_)

    original = builtins.__import__
    if moment == "import":
        monkeypatch.setattr(builtins, "__import__", interrupt)
    else:
        monkeypatch.setattr(app, "app", lambda: interrupt("kmscore.cli.app"))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
    assert capsys.readouterr() == ("", "kmscore: interrupted\n")


def test_the_progress_bar_counts_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The bar is written to standard error, and not to standard output."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    ring = write_ring(tmp_path / "team.keys")
    rows = write_lines(tmp_path / "in.jsonl", sealed_rows(3))
    options = ("--destination", "orders", "--context-columns", "tenant", "--json")
    result = invoke("rotate", rows, tmp_path / "out.jsonl", "-k", ring, *options)
    assert "3 rows, " in result.stderr
    assert "rows, " not in result.stdout

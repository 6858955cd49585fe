"""SIGTERM and SIGHUP end a command as Ctrl-C does: nothing that it made or started is left."""

import importlib
import importlib.abc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from processes import is_running, wait_for
from support.samples import sampled
from support.time_limits import PATIENCE
from typer.core import TyperGroup

import kmscore_vectors
from kmscore_vectors import cli, runner, signals, terminal

_SIGNALS = {
    signal.SIGINT: ("interrupted", 130),
    signal.SIGTERM: ("terminated", 143),
    signal.SIGHUP: ("hung up", 129),
}

# An implementation that writes its process ID, and answers nothing.
_HANGING = """
import os, pathlib, sys, time
sys.stdin.readline()
folder = pathlib.Path(sys.argv[1])
(folder / f"{os.getpid()}.new").touch()
(folder / f"{os.getpid()}.new").rename(folder / str(os.getpid()))
time.sleep(600)
"""

# An implementation without a mistake; a mistake makes it hang.
_MUTABLE = """
import json, os, pathlib, sys, time
hangs = False
for line in sys.stdin:
    question = json.loads(line)
    if hangs and question["operation"] == "is_ambiguous":
        pathlib.Path(sys.argv[1], str(os.getpid())).touch()
        time.sleep(600)
    answer = {"unsupported": True}
    if question["operation"] == "is_ambiguous" and question["inputs"] == json.loads(sys.argv[2]):
        answer = {"outputs": json.loads(sys.argv[3])}
    print(json.dumps({"id": question["id"], **answer}), flush=True)
"""


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Start with the default handlers, and set back those from before."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    """Make the folders for the marks of started processes, temporary files and reports."""
    for name in ("started", "temporary", "reports"):
        (tmp_path / name).mkdir()


def _end(arguments: list[str], number: signal.Signals, tmp_path: Path) -> None:
    """Start a command, send the signal when an implementation hangs, and check what is left."""
    started, temporary = tmp_path / "started", tmp_path / "temporary"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "kmscore_vectors", *arguments],
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: [path for path in started.iterdir() if path.name.isdigit()])
        process.send_signal(number)
        output = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    word, code = _SIGNALS[number]
    assert (process.returncode, output) == (code, ("", f"kmscore-vectors: {word}\n"))
    assert [*temporary.iterdir()] == []
    for path in started.iterdir():
        assert not is_running(int(path.name))


@pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is read from /proc")
@pytest.mark.parametrize("number", sampled(_SIGNALS, 3))
@pytest.mark.parametrize("command", sampled(["run", "nonces"], 2))
def test_a_signal_leaves_no_process_and_no_report(
    command: str, number: signal.Signals, tmp_path: Path
) -> None:
    """One line and the exit code of a shell; the older report is unchanged."""
    older = tmp_path / "reports" / "a.json"
    older.write_text("older", "ascii")
    options = ["--quiet", "--timeout", str(PATIENCE)]
    if command == "run":
        options += ["--report", str(older), "--report", str(older.with_suffix(".xml"))]
    hanging = ("--", sys.executable, "-c", _HANGING, str(tmp_path / "started"))
    _end([command, *options, *hanging], number, tmp_path)
    assert [*older.parent.iterdir()] == [older]
    assert older.read_text("ascii") == "older"


@pytest.mark.skipif(sys.platform != "linux", reason="the state of a process is read from /proc")
@pytest.mark.parametrize("number", sampled(_SIGNALS, 3))
def test_a_signal_leaves_no_mutant(number: signal.Signals, tmp_path: Path) -> None:
    """The copies and their processes are gone, also those of other threads."""
    (source := tmp_path / "source").mkdir()
    (source / "main.py").write_text(_MUTABLE, "ascii")
    edit = {"file": "main.py", "find": "hangs = False", "replace": "hangs = True"}
    words = {"section": "13", "mistake": "It hangs.", "effect": "None."}
    mutants = [{"id": name, **words, "edits": [edit]} for name in ("one", "two", "three")]
    path = tmp_path / "mistakes.json"
    path.write_text(json.dumps({"mutants": mutants}), "ascii")
    vectors = json.loads((cli.choose_folder(None) / "service_blob.json").read_bytes())
    (tests,) = (
        group["tests"] for group in vectors["testGroups"] if group["type"] == "is_ambiguous"
    )
    test = tests[0]
    asked, right = (
        json.dumps({"pairs": test["pairs"]}),
        json.dumps({"ambiguous": test["ambiguous"]}),
    )
    options = ["--quiet", "--timeout", "1", "--test", f"service_blob:{test['tcId']}"]
    command = ["--", sys.executable, "main.py", str(tmp_path / "started"), asked, right]
    _end(["mutants", str(path), "--source", str(source), *options, *command], number, tmp_path)


def test_an_interrupt_outside_a_command_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also while typer reads the command line; typer makes an `Abort` of it then."""

    def interrupt(**_: object) -> None:
        os.kill(os.getpid(), signal.SIGHUP)

    def abort(**_: object) -> None:
        raise typer.Abort from signals.Terminated(signal.SIGTERM)

    for function, word, code in ((interrupt, "hung up", 129), (abort, "terminated", 143)):
        monkeypatch.setattr(cli, "app", function)
        with pytest.raises(SystemExit) as caught:
            cli.main()
        assert caught.value.code == code
        assert capsys.readouterr() == ("", f"kmscore-vectors: {word}\n")


def test_an_interrupt_during_the_imports_is_one_line() -> None:
    """The installed command handles signals before it imports its commands."""
    code = (
        "import os, signal, sys, types\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'kmscore_vectors.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "from importlib.metadata import entry_points\n"
        "entry_points(group='console_scripts')['kmscore-vectors'].load()()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        text=True,
    )
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "kmscore-vectors: interrupted\n"


@pytest.mark.parametrize("number", _SIGNALS)
def test_every_signal_during_the_imports_gives_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: signal.Signals
) -> None:
    """In this process, whose imports are done again."""

    class Finder(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, *_: object) -> None:
            if fullname == "kmscore_vectors.cli":
                os.kill(os.getpid(), number)

    command = importlib.import_module("kmscore_vectors.__main__")
    del sys.modules[command.__name__]  # for the tests that run it as a script
    monkeypatch.delitem(sys.modules, "kmscore_vectors.cli")
    monkeypatch.delattr(kmscore_vectors, "cli")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    word, code = _SIGNALS[number]
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == code
    assert capsys.readouterr() == ("", f"kmscore-vectors: {word}\n")


def test_an_interrupt_while_the_command_line_is_read_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Newer versions of typer exit with 130 and without a message then."""

    def interrupt(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(TyperGroup, "make_context", interrupt)
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 143
    assert capsys.readouterr() == ("", "kmscore-vectors: terminated\n")


def test_a_second_signal_does_not_interrupt_the_cleanup() -> None:
    """The end of a terminal gives two signals; Ctrl-C still works."""
    signals.raise_at_signals()
    with pytest.raises(signals.Terminated):
        os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


def test_other_handlers_are_kept() -> None:
    """`nohup` ignores SIGHUP; a second signal leaves the handler of another program alone too."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signals.raise_at_signals()
    with pytest.raises(signals.Terminated):
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_in_another_thread_no_handler_is_set() -> None:
    """Python sets handlers in the main thread only."""
    thread = threading.Thread(target=signals.raise_at_signals)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_an_interrupt_of_the_end_of_a_process_kills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait for a process that does not end by itself can be interrupted."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    process = runner._Process(["sleep", "600"], None)
    with monkeypatch.context() as patch:
        patch.setattr(process._talking, "join", interrupt)
        with pytest.raises(KeyboardInterrupt):
            process.end(1.0)
    assert process._popen.returncode == -signal.SIGKILL
    assert process.end(0.0) == ""


def test_an_interrupt_after_a_failure_leaves_the_process_to_the_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that gave no answer is forgotten only after its end."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    peer = runner.Peer(["sleep", "600"], timeout=0.1)
    process = peer._process
    assert process is not None
    with monkeypatch.context() as patch:
        patch.setattr(process, "end", interrupt)
        with pytest.raises(KeyboardInterrupt):
            peer.ask("parse_blob", {})
    peer.__exit__(KeyboardInterrupt, None, None)
    assert process._popen.returncode == -signal.SIGKILL


def test_a_closed_standard_error_does_not_stop_the_cleanup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After SIGHUP, the terminal may be gone."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(typer, "echo", fail)
    assert terminal.say("hung up", 129) == 129

"""Signals, frozen applications, and the progress of a command without a terminal."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator

import pytest
import typer

from kmscore.cli import app, main, signals, terminal
from kmscore.tables import Progress


@pytest.fixture(autouse=True)
def _handler() -> Iterator[None]:
    """Start with the default handler of SIGTERM, and set back the one from before."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def test_sigterm_ends_a_command_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is that of a shell, 143."""
    monkeypatch.setattr(app, "app", lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 143
    assert capsys.readouterr() == ("", "kmscore: terminated\n")


def test_a_second_sigterm_does_not_interrupt_the_cleanup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`timeout` sends the signal to the command, and then to its group."""
    cleaned: list[bool] = []

    def command() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            cleaned.append(True)

    monkeypatch.setattr(app, "app", command)
    with pytest.raises(SystemExit) as caught:
        main()
    assert (caught.value.code, cleaned) == (143, [True])
    assert capsys.readouterr() == ("", "kmscore: terminated\n")


def test_a_cleanup_without_interrupts_is_completed() -> None:
    """Ctrl-C is ignored in it, and works again after it, also in another thread."""
    with signals.without_interrupts():
        os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    done: list[bool] = []

    def work() -> None:
        with signals.without_interrupts():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def test_another_handler_of_sigterm_is_kept() -> None:
    """A program that embeds the command, or that ignores the signal, keeps its own handler."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signals.raise_at_sigterm()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_in_another_thread_no_handler_is_set() -> None:
    """Python sets handlers in the main thread only."""
    thread = threading.Thread(target=signals.raise_at_sigterm)
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_frozen_application_can_start_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command calls `freeze_support`, with which a worker starts in a frozen application."""
    called: list[str] = []
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(multiprocessing, "freeze_support", lambda: called.append("support"))
    monkeypatch.setattr(app, "app", lambda: called.append("command") or 0)
    with pytest.raises(SystemExit):
        main()
    assert called == ["support", "command"]


def test_without_a_terminal_the_progress_is_a_line_every_30_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rate counts the rows of this run; a short run prints nothing.

    The remaining time is that at the speed of the phase.
    """
    times = iter([100.0, 120.0, 131.0, 140.0, 161.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(times))
    with terminal.progress() as show:
        for rows in (20_000, 31_000, 40_000, 61_000):
            show(Progress("rotating", rows / 100_000, rows))
    out, lines = capsys.readouterr()
    assert out == ""
    assert lines.splitlines() == [
        "kmscore: rotating, 31%, 31,000 rows, 1,000 per second, 0:01:09 left",
        "kmscore: rotating, 61%, 61,000 rows, 1,000 per second, 0:00:39 left",
    ]


def test_the_bar_at_a_terminal_shows_one_phase(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bar of the check is removed when the rotation begins."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with terminal.progress() as show:
        show(Progress("checking", 0.5, 0))
        show(Progress("rotating", 0.5, 10))
        show(Progress("rotating", 1.0, 20))
    shown = capsys.readouterr().err
    assert "Rotating" in shown
    assert "20 rows" in shown
    assert "Checking" not in shown.splitlines()[-1]


def test_a_prompt_without_input_is_an_interrupt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The end of the input at a prompt gives one line and exit code 130."""

    def abort(*_: object, **__: object) -> None:
        raise typer.Abort

    monkeypatch.setattr("kmscore.cli.app.demo.show", abort)
    monkeypatch.setattr(sys, "argv", ["kmscore", "demo"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130
    assert capsys.readouterr().err == "kmscore: interrupted\n"

"""A campaign: its state, its command, and with atheris the search for planted faults."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fcntl", reason="campaigns run on Linux and macOS, as atheris does")

from fuzz import campaign as module
from fuzz import command
from fuzz.campaign import Campaign, CampaignError, Fault, Progress
from fuzz.harness import Harness
from fuzz.harnesses import MODULE_OF, load
from fuzz.planted import PLANTED

_COMMAND = (sys.executable, str(Path(command.__file__).parent))
_HARNESS = Harness(len, lambda: [b"seed", b"\x00"], 7, (b'"\xff',))
_ENDING = """
import signal, sys, time
print("#16\\tINITED cov: 3 ft: 4 corp: 1/1b exec/s: 0 rss: 50Mb", flush=True)
def end(*_):
    print("#30\\tpulse  cov: 5 ft: 6 corp: 2/3b lim: 4 exec/s: 9 rss: 50Mb")
    print("stat::number_of_executed_units: 31", flush=True)
    sys.exit(0)
signal.signal(signal.SIGUSR1, end)
"""
_FAULTY = """
import sys
folder = next(each for each in sys.argv if each.startswith("-artifact_prefix=")).partition("=")[2]
open(folder + "crash-0", "wb").write(b"input")
print(" === Uncaught Python exception: ===\\nAssertionError: wrong\\nTraceback")
print(f"artifact_prefix='./'; Test unit written to {folder}crash-0")
print("stat::number_of_executed_units: 5")
sys.exit(77)
"""


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a program in place of libFuzzer, which the test writes."""
    path = tmp_path / "target.py"
    monkeypatch.setattr(module, "_TARGET", path)
    return path


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    """Return a new campaign with one harness."""
    new = Campaign(tmp_path / "campaign", resume=False)
    new.prepare("one", _HARNESS)
    return new


def test_a_campaign_is_read_as_it_was_saved(campaign: Campaign, tmp_path: Path) -> None:
    """The file is complete after each turn, and can be read by people."""
    campaign.progress["one"] = Progress(7, 1.5, 2, 3, [Fault("crash-0", "wrong")])
    campaign.save()
    again = Campaign(tmp_path / "campaign", resume=True)
    assert (again.progress, again.begun, again.executions) == (
        campaign.progress,
        campaign.begun,
        7,
    )
    state = json.loads((tmp_path / "campaign" / "state.json").read_text())
    assert state["executions"] == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1}'])
def test_a_damaged_state_is_rejected(tmp_path: Path, text: str) -> None:
    """The error names the file."""
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(CampaignError, match=r"state\.json"):
        Campaign(tmp_path, resume=True)


def test_a_campaign_is_neither_replaced_nor_missed(campaign: Campaign, tmp_path: Path) -> None:
    """`--resume` is needed exactly if there is a campaign."""
    campaign.save()
    with pytest.raises(CampaignError, match="--resume goes on"):
        Campaign(tmp_path / "campaign", resume=False)
    with pytest.raises(CampaignError, match="no campaign"):
        Campaign(tmp_path / "another", resume=True)


def test_one_process_runs_a_campaign(campaign: Campaign, tmp_path: Path) -> None:
    """The second one names the first, and the lock ends with it."""
    other = Campaign(tmp_path / "campaign", resume=False)
    with campaign.locked():
        assert (tmp_path / "campaign" / "pid").read_text() == f"{os.getpid()}\n"
        with pytest.raises(CampaignError, match=f"process {os.getpid()} runs"), other.locked():
            pass
    assert not (tmp_path / "campaign" / "pid").exists()


def test_seeds_have_the_inputs_of_earlier_faults(campaign: Campaign, tmp_path: Path) -> None:
    """A fault that is not mended shows at once."""
    folder = tmp_path / "campaign"
    (folder / "faults" / "one" / "crash-0").write_bytes(b"input")
    campaign.prepare("one", _HARNESS)
    seeds = {file.read_bytes() for file in (folder / "seeds" / "one").iterdir()}
    assert seeds == {b"seed", b"\x00", b"input"}
    assert (folder / "seeds" / "one.dict").read_text() == '"\\x22\\xff"\n'


def test_a_turn_adds_the_figures_of_libfuzzer(campaign: Campaign, target: Path) -> None:
    """Each turn counts the executed units of its own process."""
    target.write_text(f"{_ENDING}\nend()")
    for number in (1, 2):
        campaign.turn("one", _HARNESS, 1, 100)
        progress = campaign.progress["one"]
        assert (progress.executions, progress.covered, progress.corpus) == (31 * number, 5, 2)
    assert not progress.faults


def test_a_turn_records_a_fault(campaign: Campaign, target: Path) -> None:
    """The reason is the exception, and the input is kept."""
    target.write_text(_FAULTY)
    campaign.turn("one", _HARNESS, 1, 100)
    assert campaign.progress["one"].faults == [Fault("crash-0", "AssertionError: wrong")]
    assert campaign.executions == 5


def test_a_program_that_does_not_run_is_an_error(campaign: Campaign, target: Path) -> None:
    """It must not look like a harness without faults."""
    target.write_text("raise SystemExit(1)")
    with pytest.raises(CampaignError, match=r"did not run; see .*one\.log"):
        campaign.turn("one", _HARNESS, 1, 100)


def test_an_interrupted_turn_is_counted(
    campaign: Campaign, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LibFuzzer ends by itself, with its figures."""
    target.write_text(f"{_ENDING}\ntime.sleep(600)")
    wait = subprocess.Popen.wait

    def interrupted(process: Any, _timeout: float) -> int:
        monkeypatch.setattr(subprocess.Popen, "wait", wait)
        log = next(Path(process.args[3]).parents[1].glob("logs/one.log"))
        while "INITED" not in log.read_text():
            time.sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        campaign.turn("one", _HARNESS, 600, 100)
    assert campaign.executions == 31


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "--seconds", "1"), "nothing: no such harness; there are blob, "),
        ((), "one of --executions and --seconds is required"),
        (("--seconds", "0"), "less than 1"),
        (("--seconds", "many"), "invalid"),
    ],
)
def test_wrong_arguments_are_rejected(arguments: tuple[str, ...], message: str) -> None:
    """The exit code is 2, and the message has the name or the option."""
    result = _run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_help_names_every_harness_and_option() -> None:
    """The command is usable without this file."""
    shown = " ".join(_run("--help").stdout.split())
    for word in (*MODULE_OF, "--executions", "--seconds", "--turn", "--folder", "--resume"):
        assert word in shown


def test_the_command_names_the_file_of_a_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Atheris is not among the packages of the tests."""
    monkeypatch.setattr(command, "find_spec", lambda _name: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert command.main(["blob", "--seconds", "1", "--folder", str(tmp_path / "campaign")]) == 2
    assert capsys.readouterr().out == "fuzz: atheris is missing: pip install -r .ci/fuzz.txt\n"
    assert not (tmp_path / "campaign").exists()


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "1000"}
    return subprocess.run(
        [*_COMMAND, *arguments], capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for a campaign with atheris."""
    if find_spec("atheris") is None:
        pytest.fail("atheris is missing: pip install -r .ci/fuzz.txt")
    return tmp_path / "campaign"


@pytest.mark.campaign
@pytest.mark.parametrize("name", PLANTED)
def test_atheris_finds_a_planted_fault(name: str, folder: Path) -> None:
    """The whole way works for each harness: seeds, instrumentation, exception, count."""
    campaign = Campaign(folder, resume=False)
    harness = load(name)
    campaign.prepare(name, harness)
    campaign.turn(name, harness, 600, 1_000_000, ["--planted"])
    (fault,) = campaign.progress[name].faults
    assert campaign.executions > 0
    data = (folder / "faults" / name / fault.file).read_bytes()
    harness.run(data)


@pytest.mark.campaign
def test_ctrl_c_stops_a_campaign_that_then_goes_on(folder: Path) -> None:
    """No execution is lost, and no process is left."""
    arguments = ("blob", "pem", "--folder", str(folder), "--executions", "200000", "--turn", "600")
    process = subprocess.Popen([*_COMMAND, *arguments], stdout=subprocess.PIPE, text=True)
    log = folder / "logs" / "blob.log"
    while not (log.exists() and "INITED" in log.read_text("utf-8", "replace")):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    shown, _ = process.communicate(timeout=600)
    assert process.returncode == 130
    assert "--resume" in shown
    done = json.loads((folder / "state.json").read_text())["executions"]
    assert done > 0
    assert not (folder / "pid").exists()
    result = _run(*arguments, "--resume")
    assert result.returncode == 0, result.stdout
    state = json.loads((folder / "state.json").read_text())
    assert state["executions"] >= 200_000
    assert state["harnesses"]["blob"]["executions"] > done

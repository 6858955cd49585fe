"""A campaign: the harnesses in turn, each for some seconds, until a number of executions.

The folder of a campaign has these files:

=====================  ====================================================================
File                   Content
=====================  ====================================================================
state.json             The executions, seconds and faults of each harness.
pid                    The process ID of a running campaign, which locks this file.
corpus/NAME/           The inputs that reached new parts, written by libFuzzer.
seeds/NAME/            The first inputs, written again at each start.
faults/NAME/           The inputs that showed a fault.
logs/NAME.log          The output of libFuzzer in the last turn.
=====================  ====================================================================
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fuzz.harness import CPU_SECONDS, Harness

_TARGET: Final = Path(__file__).resolve().with_name("target.py")
_STATE: Final = "state.json"
_FORMAT: Final = 1
_TIMEOUT: Final = 120
"""The limit of libFuzzer for one input in seconds; `CPU_SECONDS` is the limit of a harness."""

_GRACE: Final = 600
"""Seconds for libFuzzer to start and to end, beyond its time."""

_EXECUTED: Final = re.compile(r"^stat::number_of_executed_units: (\d+)$", re.MULTILINE)
_STATUS: Final = re.compile(r"^#(\d+)\t\S+ +cov: (\d+) ft: \d+ corp: (\d+)/", re.MULTILINE)
_RAISED: Final = re.compile(r"^ === Uncaught Python exception: ===\n(.+)$", re.MULTILINE)
_ARTIFACT: Final = re.compile(r"Test unit written to (\S+)$", re.MULTILINE)


class CampaignError(Exception):
    """A campaign cannot begin, or a harness cannot run."""


@dataclass
class Fault:
    """An input that shows a fault."""

    file: str
    """The name of the file with the input, in the folder `faults`."""

    reason: str
    """The exception, or the other reason of libFuzzer."""


@dataclass
class Progress:
    """The work of one harness until now."""

    executions: int = 0
    """The number of executed units, as libFuzzer reports it."""

    seconds: float = 0.0
    covered: int = 0
    """The number of covered edges."""

    corpus: int = 0
    """The number of inputs in the corpus of libFuzzer."""

    faults: list[Fault] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Executions per second."""
        return self.executions / self.seconds if self.seconds else 0.0


class Campaign:
    """The state of a campaign, and its folder."""

    def __init__(self, folder: Path, *, resume: bool) -> None:
        """Begin a campaign in a folder, or go on with the one that it has.

        Raises `CampaignError`.
        """
        self._folder = folder
        self.progress: dict[str, Progress] = {}
        self.begun: str = _now()
        file = folder / _STATE
        if file.exists() != resume:
            raise CampaignError(
                f"{folder}: {'no campaign' if resume else 'a campaign; --resume goes on with it'}"
            )
        if resume:
            self._read(file)
        folder.mkdir(parents=True, exist_ok=True)

    def _read(self, file: Path) -> None:
        try:
            state = json.loads(file.read_text("utf-8"))
            if state["format"] != _FORMAT:
                raise CampaignError(f"{file}: format {state['format']}, not {_FORMAT}")
            self.begun = state["begun"]
            for name, values in state["harnesses"].items():
                faults = [Fault(**each) for each in values.pop("faults")]
                self.progress[name] = Progress(**values, faults=faults)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CampaignError(f"{file}: damaged: {error!r}") from None

    @property
    def executions(self) -> int:
        """The executions of all harnesses."""
        return sum(each.executions for each in self.progress.values())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder. Raises `CampaignError`."""
        path = self._folder / "pid"
        with path.open("a+", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise CampaignError(
                    f"{self._folder}: process {file.read().strip()} runs this campaign"
                ) from None
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            try:
                yield
            finally:
                path.unlink()

    def save(self) -> None:
        """Write the state, in one step."""
        state = {
            "format": _FORMAT,
            "begun": self.begun,
            "saved": _now(),
            "executions": self.executions,
            "harnesses": {name: asdict(each) for name, each in self.progress.items()},
        }
        new = self._folder / f".{_STATE}"
        new.write_text(json.dumps(state, indent=1) + "\n", "utf-8")
        new.replace(self._folder / _STATE)

    def prepare(self, name: str, harness: Harness) -> None:
        """Write the seeds of a harness."""
        self.progress.setdefault(name, Progress())
        for kind in ("corpus", "seeds", "faults"):
            (self._folder / kind / name).mkdir(parents=True, exist_ok=True)
        seeds = self._folder / "seeds" / name
        for old in seeds.iterdir():
            old.unlink()
        # An input that showed a fault shows at once whether the fault is mended.
        shown = [file.read_bytes() for file in (self._folder / "faults" / name).iterdir()]
        for data in (*harness.seeds(), *shown):
            (seeds / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        tokens = "".join(map(_dictionary_line, harness.tokens))
        (self._folder / "seeds" / f"{name}.dict").write_text(tokens, "ascii")

    def turn(
        self, name: str, harness: Harness, seconds: float, most: int, options: Sequence[str] = ()
    ) -> None:
        """Run one harness for some seconds, and at most a number of executions.

        Raises `CampaignError` if it does not run, and `KeyboardInterrupt`.
        """
        log = self._folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        limits = (f"-max_total_time={max(1, round(seconds))}", f"-runs={most}")
        command = (*self._command(name, harness), *limits, *options)
        begin = time.monotonic()
        with log.open("wb") as file:
            # Of a session of its own, so that Ctrl-C reaches only the campaign.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
            )
            try:
                process.wait(seconds + _GRACE)
            except BaseException as error:
                _end(process)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise CampaignError(f"{name}: libFuzzer does not end; see {log}") from None
                self._take(name, log, time.monotonic() - begin, None)
                raise
        self._take(name, log, time.monotonic() - begin, process.returncode)

    def _command(self, name: str, harness: Harness) -> tuple[str, ...]:
        """Return the command that runs a harness in the folder of the campaign."""
        folder = self._folder
        return (
            *(sys.executable, str(_TARGET), name),
            *(str(folder / kind / name) for kind in ("corpus", "seeds")),
            # libFuzzer rejects an empty dictionary.
            *([f"-dict={folder / 'seeds' / name}.dict"] if harness.tokens else ()),
            f"-artifact_prefix={folder / 'faults' / name}/",
            f"-max_len={harness.max_length}",
            f"-timeout={_TIMEOUT}",
            *("-print_final_stats=1", "-reload=0", "-verbosity=1"),
        )

    def _take(self, name: str, log: Path, seconds: float, code: int | None) -> None:
        """Add the figures of a log to the progress."""
        text = log.read_text("utf-8", "replace")
        progress = self.progress[name]
        executed, status = _EXECUTED.findall(text), _STATUS.findall(text)
        if executed:
            progress.executions += int(executed[-1])
        elif status:
            progress.executions += int(status[-1][0])
        elif code is not None:
            raise CampaignError(f"{name}: libFuzzer did not run; see {log}")
        progress.seconds = round(progress.seconds + seconds, 1)
        if status:
            progress.covered, progress.corpus = int(status[-1][1]), int(status[-1][2])
        if code:
            artifact = _ARTIFACT.search(text)
            raised = _RAISED.search(text)
            reason = raised[1] if raised else f"libFuzzer ended with code {code}"
            progress.faults.append(
                Fault(Path(artifact[1]).name if artifact else log.name, reason[:300])
            )


def _dictionary_line(token: bytes) -> str:
    """Return a word in the form of a dictionary of libFuzzer."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n'


def _end(process: subprocess.Popen[bytes]) -> None:
    """End libFuzzer so that it prints its figures; kill it if it does not end."""
    process.send_signal(signal.SIGUSR1)
    try:
        process.wait(CPU_SECONDS * 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""A rotation in real processes that are killed or interrupted, or whose disk is full."""

import multiprocessing
import operator
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.commands import (
    check_rotated,
    environment,
    invoke,
    problem,
    read_lines,
    read_ring,
    sealed_rows,
    write_lines,
    write_ring,
)
from support.samples import sampled_rows
from support.time_limits import PATIENCE

from kmscore.tables import Options, crew, work, worker_keys
from kmscore.tables.columns import Columns
from kmscore.tables.errors import TableError
from kmscore.tables.journal import Part
from kmscore.tables.json_lines import JsonLines

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals and process groups are POSIX's"),
    pytest.mark.usefixtures("in_time"),
]

_ROWS = 1000
_KILLS = 10
_STARTS = 50
"""Limit of starts, because most processes must be killed before they end."""

_SMALL_PARTS = Path(__file__).resolve().parents[1] / "support" / "command_with_small_parts.py"


@pytest.fixture(scope="module")
def job_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a keyring and a table."""
    folder = tmp_path_factory.mktemp("killed")
    write_ring(folder / "team.keys")
    write_lines(folder / "in.jsonl", sealed_rows(_ROWS))
    return folder


@pytest.fixture
def folder(job_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the folder; after the test only the table and its result must remain."""
    folder = tmp_path / "job"
    shutil.copytree(job_folder, folder)
    yield folder
    assert (folder / "in.jsonl").read_bytes() == (job_folder / "in.jsonl").read_bytes()
    # A job killed at its end leaves this folder, which the next job would remove.
    left = {path.name for path in folder.iterdir() if ".partial.done-" not in path.name}
    assert left == {"in.jsonl", "out.jsonl", "team.keys"}


def _command(folder: Path, *options: str) -> list[str]:
    names = (folder / "in.jsonl", folder / "out.jsonl", "-k", folder / "team.keys")
    columns = ("--destination", "orders", "--context-columns", "tenant", "--resume")
    return [sys.executable, "-P", str(_SMALL_PARTS), "rotate", *map(str, names), *columns, *options]


def _start(folder: Path, *options: str) -> "subprocess.Popen[bytes]":
    """Start a job in its own process group, and return when the job has begun."""
    process = subprocess.Popen(
        _command(folder, *options),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    )
    _await(process, (folder / "out.jsonl.partial" / "journal").exists)
    return process


def _await(process: "subprocess.Popen[bytes]", is_so: Callable[[], object]) -> None:
    """Return when a condition is true or the process has ended; at the time limit, kill it."""
    until = time.monotonic() + PATIENCE
    while process.poll() is None and not is_so():
        if time.monotonic() > until:
            said = _kill(process)
            pytest.fail(f"it waits for what never comes, and has said {said!r}")
        time.sleep(0.002)


def _end(process: "subprocess.Popen[bytes]") -> bytes:
    """Return the standard error of the processes after the last of them has ended."""
    try:
        # Read to the end, because a remaining worker would keep the pipe open.
        _, said = process.communicate(timeout=PATIENCE)
    except BaseException:
        _kill(process)
        raise
    return said


def _kill(process: "subprocess.Popen[bytes]") -> bytes:
    """Kill all processes of a job, and return their standard error."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate(timeout=PATIENCE)[1]


def _finish(folder: Path, *options: str) -> None:
    """Resume the job if necessary, and check that every row is in the result."""
    if not (folder / "out.jsonl").exists() or (folder / "out.jsonl.partial").exists():
        process = _start(folder, *options)
        assert (_end(process), process.returncode) == (b"", 0)
    check_rotated(read_lines(folder / "out.jsonl"), _ROWS)


@pytest.mark.thorough
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_job_killed_at_random_times_loses_no_row(folder: Path, jobs: str) -> None:
    """After kills of the job alone or with its workers, every row occurs once."""
    chance = random.Random(f"kill -9, {jobs}")
    process = _start(folder, "--jobs", jobs)
    begin = time.monotonic()
    assert (_end(process), process.returncode) == (b"", 0)
    whole = time.monotonic() - begin
    kills = starts = 0
    while kills < _KILLS:
        starts += 1
        assert starts <= _STARTS
        (folder / "out.jsonl").unlink(missing_ok=True)
        process = _start(folder, "--jobs", jobs)
        time.sleep(chance.uniform(0, whole))
        if process.poll() is None:
            kills += 1
        is_whole_group = jobs == "1" or kills % 2
        with suppress(ProcessLookupError):
            (os.killpg if is_whole_group else os.kill)(process.pid, signal.SIGKILL)
        # Read to the end, so that no worker remains that keeps the pipe open.
        said = _end(process)
        # A worker that has just started reports the end of its input.
        is_orphan = not is_whole_group and said.endswith(b"EOFError: Ran out of input\n")
        assert said == b"" or is_orphan, said
        if (folder / "out.jsonl").exists():
            assert len(read_lines(folder / "out.jsonl")) == _ROWS
            # The job can lack its report; the next job makes it, and needs the result.
            _finish(folder, "--jobs", jobs)
    _finish(folder, "--jobs", jobs)


@pytest.mark.parametrize(
    ("number", "word", "code", "jobs"),
    sampled_rows(
        [
            (signal.SIGINT, "interrupted", 130, "2"),
            (signal.SIGINT, "interrupted", 130, "1"),
            (signal.SIGTERM, "terminated", 143, "1"),
            (signal.SIGTERM, "terminated", 143, "2"),
        ],
        2,
    ),
)
def test_an_interrupted_job_is_resumed(
    folder: Path, jobs: str, number: signal.Signals, word: str, code: int
) -> None:
    """Ctrl-C reaches all processes, SIGTERM the first; one line, its exit code, no lost row."""
    process = _start(folder, "--jobs", jobs)
    (os.killpg if number is signal.SIGINT else os.kill)(process.pid, number)
    said = f"kmscore: {word}; the same command with --resume finishes it\n"
    assert (_end(process).decode(), process.returncode) == (said, code)
    assert not (folder / "out.jsonl").exists()
    _finish(folder, "--jobs", jobs)


def _children(process: "subprocess.Popen[bytes]") -> list[int]:
    """Return the worker processes of a job, by the command line of `multiprocessing`."""
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [
        int(child)
        for child in path.read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def test_a_full_standard_output_is_reported(folder: Path) -> None:
    """One line says that the result is complete; a resumed job shows its counts."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            _command(folder),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env=environment(),
            timeout=PATIENCE,
        )
    said = f"{folder / 'out.jsonl'} is complete, --resume tells its counts"
    line = f"kmscore: standard output: No space left on device; {said}\n"
    assert (result.stderr.decode(), result.returncode) == (line, 2)
    _finish(folder)


def test_a_killed_worker_ends_the_job(folder: Path) -> None:
    """One line says so and suggests `--resume`; the other worker ends too."""
    process = _start(folder, "--jobs", "2")
    if not Path(f"/proc/{process.pid}/task/{process.pid}/children").exists():
        _end(process)
        pytest.skip("this system does not tell the children of a process")
    _await(process, lambda: _children(process))
    assert process.poll() is None, "it ended without a worker"
    os.kill(_children(process)[0], signal.SIGKILL)
    said = b"kmscore: a worker process died; --resume finishes the job\n"
    assert (_end(process), process.returncode) == (said, 2)
    _finish(folder)


def test_a_full_disk_ends_the_job(job_folder: Path, tmp_path: Path) -> None:
    """One line and exit code 2; with more space, `--resume` completes the job."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(tmp_path)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a file system of its own takes the rights of root")
    try:
        out = tmp_path / "out.jsonl"
        command = _command(job_folder)
        command[command.index(str(job_folder / "out.jsonl"))] = str(out)
        run = partial(subprocess.run, env=environment(), timeout=PATIENCE, capture_output=True)
        result = run(command, check=False)
        assert (result.returncode, result.stdout) == (2, b"")
        assert result.stderr.count(b"\n") == 1
        assert result.stderr.endswith(b": No space left on device; --resume finishes the job\n")
        assert not out.exists()
        more = ["mount", "-o", "remount,size=4m", str(tmp_path)]
        subprocess.run(more, capture_output=True, check=True)
        run(command, check=True)
        check_rotated(read_lines(out), _ROWS)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


class _End:
    """The end of a pipe in a worker process, with the tasks of the first process."""

    def __init__(self, *tasks: object, closed: bool = False) -> None:
        self._tasks = iter(tasks)
        self._closed = closed
        self.sent: list[Any] = []

    def recv_bytes(self) -> bytes:
        """Return the next task."""
        for task in self._tasks:
            return pickle.dumps(task)
        raise EOFError

    def send_bytes(self, result: bytes) -> None:
        """Record a result."""
        if self._closed:
            raise BrokenPipeError
        self.sent.append(pickle.loads(result))  # noqa: S301 (sent by this process)


def _serve(end: _End, begin: Any, *, with_notes: bool = False) -> None:
    """Run the function of a worker in this process."""
    before = signal.getsignal(signal.SIGINT)
    try:
        crew.serve(end, begin, with_notes)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_worker_opens_the_keyring_itself(job_folder: Path) -> None:
    """A worker runs its tasks with its own keyring, and ends when the pipe ends."""
    sealed = worker_keys.WorkerKeys.of(read_ring(job_folder / "team.keys"))
    source = job_folder / "in.jsonl"
    columns = Columns("ciphertext_blob", contexts=("tenant",))
    table = JsonLines()
    job = work.TableJob(
        table, Options(destination_key_id="orders", columns=columns), is_dry_run=True
    )
    chunk = next(table.chunks(source))
    end = _End(work.Task(7, chunk, None))
    _serve(end, partial(work.begin, job, sealed))
    assert end.sent == [work.Done(7, 1.0, Part(Counter(rewritten=_ROWS), "", ""), ())]


_TOLD = [MemoryError(), OSError(28, "full"), TableError("line"), ZeroDivisionError("secret")]


@pytest.mark.parametrize("error", _TOLD)
def test_an_error_of_a_worker_is_sent_to_the_first_process(error: Exception) -> None:
    """The first process gets the error; for an unexpected error, only the name of its class."""

    def begin() -> None:
        raise error

    end = _End()
    _serve(end, begin)
    (sent,) = end.sent
    lines = {
        MemoryError: "a worker process has too little memory; fewer jobs need less",
        ZeroDivisionError: "an unexpected error: ZeroDivisionError",
    }
    assert (type(sent), str(sent)) == (type(error), str(error)) or str(sent) == lines[type(error)]
    _serve(_End(closed=True), begin)


def test_more_tasks_than_workers_are_all_done() -> None:
    """Each task is done one time, and no process remains."""
    begin = partial(operator.methodcaller, "__neg__")
    assert sorted(crew.in_processes(begin, range(9), 2)) == [*range(-8, 1)]
    assert multiprocessing.active_children() == []


def test_a_task_can_send_notes_before_its_result() -> None:
    """A note comes before the result of its task, and does not count as the result."""
    # `partial(tell)` is a task that sends its argument, and has the result `None`.
    end = _End(7)
    _serve(end, partial, with_notes=True)
    assert end.sent == [crew.Note(7), None]
    sent = list(crew.in_processes(partial, range(9), 2, with_notes=True))
    assert sorted(each.value for each in sent if each is not None) == [*range(9)]
    assert sent.count(None) == 9
    assert multiprocessing.active_children() == []


def test_a_worker_that_exits_is_reported() -> None:
    """A worker that exits without a result is an error."""
    with pytest.raises(TableError, match="process died"):
        list(crew.in_processes(partial(partial, os._exit), range(3, 9), 1))


def test_a_dead_worker_of_a_frozen_application_suggests_freeze_support(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without it, the first process of a frozen application gets no result of a worker."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(TableError, match=r"must call multiprocessing\.freeze_support\(\)"):
        list(crew.in_processes(partial(partial, os._exit), [3], 1))


_PLAIN_SCRIPT = """
import sys, threading
from pathlib import Path
from kmscore import keyfile, tables
print("started", flush=True)
keys = keyfile.open_keyring(Path("team.keys").read_bytes(), b"correct horse battery staple")
options = tables.Options(destination_key_id="orders", columns=tables.Columns(contexts=("tenant",)))
def run():
    print(tables.rotate(Path("in.jsonl"), Path("out.jsonl"), keys, options, jobs=2).rewritten)
if sys.argv[1] == "thread":
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
else:
    run()
"""


@pytest.mark.parametrize("where", ["main thread", "thread"])
def test_a_plain_script_can_use_workers(job_folder: Path, tmp_path: Path, where: str) -> None:
    """A script without `if __name__ == "__main__"` starts one time, also with worker processes."""
    for name in ("in.jsonl", "team.keys"):
        shutil.copy(job_folder / name, tmp_path)
    (tmp_path / "script.py").write_text(_PLAIN_SCRIPT)
    result = subprocess.run(
        [sys.executable, "-P", "script.py", where],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (result.stderr, result.stdout) == ("", f"started\n{_ROWS}\n")


def test_an_error_of_a_worker_is_raised_in_the_first_process() -> None:
    """The same error is raised, and no process remains."""
    with pytest.raises(FileNotFoundError, match="No such file"):
        list(crew.in_processes(partial(os.stat, "/no/such/file"), [1], 2))
    assert multiprocessing.active_children() == []


def test_a_worker_that_died_before_its_first_task_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken pipe at the first task gives the same error."""

    class Broken:
        def send_bytes(self, _: bytes) -> None:
            raise BrokenPipeError

    hands = crew._Crew(str, 1)
    monkeypatch.setattr(hands, "_loads", {Broken(): 0})
    with pytest.raises(TableError, match="process died"):
        hands.give(1)


def test_unstarted_processes_are_not_joined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process without a process ID was not started, and the call does not wait for it."""

    class Unstarted:
        pid = None

    hands = crew._Crew(str, 1)
    monkeypatch.setattr(hands, "_processes", [Unstarted()])
    hands.dismiss()
    assert not hands.is_busy


def test_an_interrupt_during_the_start_is_delayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal during the start of a worker process is raised directly after it."""
    done: list[str] = []
    # Not always that of Python: in the same process, a test of Spark has set another one.
    before = signal.getsignal(signal.SIGINT)

    def begin_meanwhile() -> None:
        with crew.without_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("begun")

    with pytest.raises(KeyboardInterrupt):
        begin_meanwhile()
    assert done == ["begun"]
    assert signal.getsignal(signal.SIGINT) is before
    monkeypatch.delattr(signal, "pthread_sigmask")
    with crew.without_interrupts():
        done.append("elsewhere")
    assert done == ["begun", "elsewhere"]


def test_sigterm_to_all_processes_is_resumed(folder: Path) -> None:
    """A service manager ends the workers too; a message suggests `--resume` in each order."""
    process = _start(folder, "--jobs", "2")
    os.killpg(process.pid, signal.SIGTERM)
    said = _end(process).decode().splitlines()
    assert ["--resume" in line for line in said] == [True]
    assert process.returncode in {2, 143}
    _finish(folder, "--jobs", "2")


def test_control_c_suggests_resume_only_for_a_job(
    job_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message suggests `--resume` if a job exists to resume; otherwise it has one word."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kmscore.tables.file_rotation.work", interrupt)
    where = (job_folder / "in.jsonl", tmp_path / "out.jsonl", "-k", job_folder / "team.keys")
    said = problem(invoke("rotate", *where, "--destination", "orders"), 130)
    assert said == "interrupted; the same command with --resume finishes it"
    dry = (where[0], *where[2:], "--destination", "orders", "--dry-run")
    assert problem(invoke("rotate", *dry), 130) == "interrupted"
    monkeypatch.setattr("kmscore.tables.file_rotation.destination_of", interrupt)
    again = (where[0], tmp_path / "again.jsonl", *where[2:], "--destination", "orders")
    assert problem(invoke("rotate", *again), 130) == "interrupted"
    monkeypatch.setattr("kmscore.tables.counting.input_of", interrupt)
    assert problem(invoke("census", where[0]), 130) == "interrupted"

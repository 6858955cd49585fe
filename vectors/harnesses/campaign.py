"""Run the test vectors on all implementations of `implementations.json`, and write RESULTS.md.

    python vectors/harnesses/campaign.py [--only NAME...] [--out RESULTS.json]

It needs the package `kmscore-vectors` in the same Python. Everything that it prepares is in a
temporary folder, which it removes at the end, also after Ctrl-C, SIGTERM and SIGHUP. Exit codes: 0,
success; 1, a required implementation was not run, or a result changed; 2, the command cannot run.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from implementations import HARNESSES, TABLE, Family, Implementation, load
from results import Run, changes, page, references

from kmscore_vectors.answers import GIVEN_UP
from kmscore_vectors.signals import end_of, raise_at_signals

RESULTS: Final = HARNESSES / "RESULTS.md"
_JOBS: Final = 2
_PREPARATION: Final = 600  # seconds for one command that prepares a family
_POLLING: Final = 0.2  # seconds between two checks for an interrupt
_ENDING: Final = 10.0  # seconds that a command has to end after SIGTERM


class NotRunError(Exception):
    """An implementation cannot be run."""


def main(
    arguments: Sequence[str] | None = None, *, table: Path = TABLE, results: Path = RESULTS
) -> int:
    """Run the campaign.

    Args:
        arguments: The arguments (default: those of the process).
        table: The table of implementations.
        results: The page of results.

    Returns:
        The exit code.
    """
    implementations = load(table)
    options = _parse(arguments, [implementation.name for implementation in implementations])
    wanted = options.only or options.names
    chosen = [each for each in implementations if each.name in wanted]
    with tempfile.TemporaryDirectory(prefix="kmscore-campaign-") as scratch:
        runs = run_all(chosen, Path(scratch))
    if options.out is not None:
        documents = [run._asdict() for run in runs]
        options.out.write_text(json.dumps(documents, indent=2) + "\n", "utf-8")
    return _finish(runs, options, results)


def _parse(arguments: Sequence[str] | None, names: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the test vectors on other implementations.")
    choice = partial(parser.add_argument, nargs="+", default=[], choices=names, metavar="NAME")
    choice("--only", help="implementations to run; RESULTS.md is not written (default: all)")
    choice("--require", help="implementations that have to run (default: none)")
    parser.add_argument("--out", type=Path, help="file for all results, as JSON (default: none)")
    parser.add_argument(
        "--check", action="store_true", help="compare with RESULTS.md in place of a write"
    )
    parser.set_defaults(names=names)
    return parser.parse_args(arguments)


def _finish(runs: Sequence[Run], options: argparse.Namespace, results: Path) -> int:
    """Print the page, write or compare it; return the exit code."""
    text = page(runs, references())
    sys.stdout.write(text)
    missing = sorted(set(options.require) - {run.name for run in runs if run.results is not None})
    for name in missing:
        sys.stderr.write(f"{name}: required, but not run\n")
    changed = changes(runs, results.read_text("utf-8")) if options.check else []
    for line in changed:
        sys.stderr.write(f"{results.name} has other results: {line}\n")
    if not options.check and not options.only:
        results.write_text(text, "utf-8")
    return 1 if missing or changed else 0


def run_all(implementations: Sequence[Implementation], scratch: Path) -> list[Run]:
    """Run implementations, two at a time.

    Args:
        implementations: The implementations.
        scratch: An empty folder for everything that is prepared.

    Returns:
        The runs, in the same order.
    """
    families = {each.family.name: each.family for each in implementations}
    prepared = {name: _prepared(family, scratch / name) for name, family in families.items()}
    environment = _environment(scratch)
    stopped = threading.Event()
    with ThreadPoolExecutor(_JOBS) as pool:
        run = partial(_run, prepared=prepared, environment=environment, stopped=stopped)
        try:
            return list(pool.map(run, implementations))
        finally:
            # After an interrupt, the commands of the other threads end at their next check.
            stopped.set()
            pool.shutdown(cancel_futures=True)


def _environment(scratch: Path) -> Mapping[str, str]:
    """Return the environment of the responders; a killed one leaves its files in the folder."""
    folder = scratch / "tmp"
    folder.mkdir()
    return os.environ | {"TMPDIR": str(folder)}


def _prepared(family: Family, copy: Path) -> Path | NotRunError:
    """Copy and prepare the folder of a family; return the copy, or the error."""
    for need in family.needs:
        if shutil.which(need) is None and not (Path(need).is_absolute() and Path(need).exists()):
            return NotRunError(f"{need} is missing ({family.install})")
    ignore = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(family.folder, copy, ignore=ignore)
    try:
        for command in family.prepare:
            _output(_resolve(command), copy, timeout=_PREPARATION)
    except NotRunError as error:
        return error
    return copy


def _run(
    implementation: Implementation,
    *,
    prepared: Mapping[str, Path | NotRunError],
    environment: Mapping[str, str],
    stopped: threading.Event,
) -> Run:
    """Run the vectors on an implementation."""
    folder = prepared[implementation.family.name]
    if isinstance(folder, NotRunError):
        return Run(implementation.name, reason=str(folder))
    command = _resolve(implementation.command)
    vectors = (*(sys.executable, "-P", "-m", "kmscore_vectors", "run"), "--json", "--quiet")
    options = ("--no-accumulated", "--timeout", str(implementation.timeout))
    try:
        version = _output(
            [*command, "--version"], folder, timeout=implementation.timeout, stopped=stopped
        )
        results = json.loads(
            _output(
                [*vectors, *options, "--", *command],
                folder,
                codes=(0, 1),
                environment=environment,
                stopped=stopped,
            )
        )
    except NotRunError as error:
        return Run(implementation.name, reason=str(error))
    if fault := _fault(results):
        return Run(implementation.name, reason=f"the harness is broken: {fault}")
    del results["folder"]  # a path of this machine
    return Run(implementation.name, version.strip(), results)


def _fault(results: Mapping[str, Any]) -> str:
    """Return the fault of the harness that results show, or an empty text."""
    if any(failure["answer"].get("failure") == GIVEN_UP for failure in results["failures"]):
        return "it ends, hangs, or prints anything else"
    return "" if results["total"]["right"] else "no test is right"


def _resolve(command: Sequence[str]) -> list[str]:
    """Return a command of the table with the Python of this process in place of `{python}`."""
    return [sys.executable if part == "{python}" else part for part in command]


def _output(
    command: Sequence[str],
    folder: Path,
    *,
    codes: Sequence[int] = (0,),
    timeout: float = float("inf"),
    environment: Mapping[str, str] | None = None,
    stopped: threading.Event | None = None,
) -> str:
    """Return the output of a command that runs in a folder, or raise `NotRunError`."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        )
    except OSError as error:
        raise NotRunError(f"{command[0]}: {error}") from None
    with process:
        try:
            output, complaint = _communicate(process, timeout, stopped or threading.Event())
        finally:
            _end(process)
    if process.returncode not in codes:
        *_, last = (complaint.strip() or "no message").splitlines()
        raise NotRunError(f"{Path(command[0]).name} ended with {process.returncode}: {last}")
    return output


def _communicate(
    process: subprocess.Popen[str], timeout: float, stopped: threading.Event
) -> tuple[str, str]:
    """Return what a command prints on standard output and standard error until its end.

    Raises `NotRunError` if it takes too long, or if the campaign has been interrupted.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not stopped.is_set():
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_POLLING)
    reason = "interrupted" if stopped.is_set() else f"no end in {timeout:g} seconds"
    raise NotRunError(f"{Path(cast('Sequence[str]', process.args)[0]).name}: {reason}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a command that still runs. At SIGTERM, the runner also ends what it has started."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_ENDING)
        process.kill()


def with_signals(run: Callable[[], int]) -> int:
    """Return the exit code of a function, or that of the signal that ends it.

    Args:
        run: The function.

    Returns:
        The exit code.
    """
    raise_at_signals()
    try:
        return run()
    except KeyboardInterrupt as interrupt:
        word, code = end_of(interrupt)
        sys.stderr.write(f"campaign.py: {word}\n")
        return code


if __name__ == "__main__":
    sys.exit(with_signals(main))

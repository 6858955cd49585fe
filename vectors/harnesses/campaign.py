"""Run the test vectors on all implementations of `implementations.json`, and write RESULTS.md.

    python vectors/harnesses/campaign.py [--only NAME...] [--out RESULTS.json]

It needs the package `kmscore-vectors` in the same Python. Everything that it prepares is in a
temporary folder, which it removes at the end. Exit codes: 0, success; 1, a required implementation
was not run, or a result changed; 2, the command cannot run.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from implementations import HARNESSES, TABLE, Family, Implementation, load
from results import Run, changes, page, references

from kmscore_vectors.answers import GIVEN_UP

RESULTS: Final = HARNESSES / "RESULTS.md"
_JOBS: Final = 2
_PREPARATION: Final = 600  # seconds for one command that prepares a family


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
    with ThreadPoolExecutor(_JOBS) as pool:
        run = partial(_run, prepared=prepared, environment=_environment(scratch))
        return list(pool.map(run, implementations))


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
) -> Run:
    """Run the vectors on an implementation."""
    folder = prepared[implementation.family.name]
    if isinstance(folder, NotRunError):
        return Run(implementation.name, reason=str(folder))
    command = _resolve(implementation.command)
    vectors = (*(sys.executable, "-P", "-m", "kmscore_vectors", "run"), "--json", "--quiet")
    options = ("--no-accumulated", "--timeout", str(implementation.timeout))
    try:
        version = _output([*command, "--version"], folder, timeout=implementation.timeout)
        results = json.loads(
            _output(
                [*vectors, *options, "--", *command], folder, codes=(0, 1), environment=environment
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
    timeout: float | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Return the output of a command that runs in a folder, or raise `NotRunError`."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            encoding="utf-8",
            errors="backslashreplace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotRunError(f"{command[0]}: {error}") from None
    if done.returncode not in codes:
        *_, last = (done.stderr.strip() or "no message").splitlines()
        raise NotRunError(f"{Path(command[0]).name} ended with {done.returncode}: {last}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())

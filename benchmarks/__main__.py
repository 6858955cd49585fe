"""`python -m benchmarks`: the whole comparison in one run."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

try:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
except ImportError:
    sys.exit("the comparison needs the extra bench: pip install '.[bench]'")

from benchmarks import (
    bench_asymmetric,
    bench_blob_and_context,
    bench_data_keys,
    bench_reencryption,
    bench_scale,
)
from benchmarks.measure import Comparison, Task, Tasks, measure
from benchmarks.memory import growth
from benchmarks.report import Report

_Number = TypeVar("_Number", int, float)


def subjects() -> tuple[Tasks, ...]:
    """Return all tasks, grouped by subject, in the order of the table."""
    modules = (
        bench_reencryption,
        bench_blob_and_context,
        bench_asymmetric,
        bench_data_keys,
        bench_scale,
    )
    return tuple(module.TASKS for module in modules)


def main(arguments: list[str] | None = None) -> int:
    """Measure, show the results, write the requested files, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    # Check this now, because the measurement takes minutes.
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs the extra bench: pip install '.[bench]'")
    os.environ[bench_scale.VERSIONS_VARIABLE] = str(options.versions)
    console = Console()
    if options.memory:
        return _show_growth(console, options.memory)
    tasks = [task for subject in subjects() for task in subject if options.only in task.name]
    if not tasks:
        console.print(f"no task's name contains {options.only!r}")
        return 2
    try:
        report = Report.of(_measured(tasks, options.seconds))
    except KeyboardInterrupt:
        console.print("interrupted, nothing is written")
        return 130
    report.print_on(console)
    if options.json:
        report.save(options.json)
    if options.plot:
        report.plot(options.plot)
    if options.markdown:
        report.write_markdown(options.markdown)
    return 0


def _measured(tasks: list[Task], seconds: float) -> list[Comparison]:
    """Measure every task, for about `seconds` seconds each."""
    comparisons: list[Comparison] = []
    with _progress() as progress:
        whole = progress.add_task("", total=len(tasks))
        for number, task in enumerate(tasks):
            progress.update(whole, description=task.name)
            measured = measure(
                task,
                seconds,
                lambda share, number=number: progress.update(whole, completed=number + share),  # type: ignore[misc]
            )
            comparisons += measured.comparisons()
            # Free the objects of this task, for example a million keys, before the next task.
            del task.__dict__["calls"]
    return comparisons


def _show_growth(console: Console, calls: int) -> int:
    """Make `calls` calls, and show the memory of the process before and after."""
    with _progress() as progress:
        bar = progress.add_task(f"{calls:,} calls", total=1)
        before, after = growth(calls, lambda share: progress.update(bar, completed=share))
    console.print(f"{calls:,} calls: {before:,} bytes resident before, {after:,} after")
    return 0


def _writable(text: str) -> Path:
    """Return the path of a writable file, or raise an error that `argparse` shows."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{path} cannot be written")
    return path


def _at_least(least: int, kind: type[_Number]) -> Callable[[str], _Number]:
    """Return a parser of numbers of type `kind` that raises errors for `argparse` to show."""

    def number(text: str) -> _Number:
        value = kind(text)
        if not value >= least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    return number


def _progress() -> Progress:
    """Return a progress bar on the error stream, so that a pipe receives only the table."""
    return Progress(
        TextColumn("{task.percentage:>3.0f} %"),
        BarColumn(bar_width=24),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=Console(stderr=True),
        transient=True,
    )


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure kmscore next to the bare cryptography and next to other libraries,"
        " all calls in turns, on one core.",
    )
    add = parser.add_argument
    add("--json", type=_writable, metavar="FILE", help="write all figures as JSON")
    add("--plot", type=_writable, metavar="FILE.svg", help="draw the ratios as SVG")
    add(
        "--markdown",
        type=_writable,
        metavar="FILE",
        help="write the table as Markdown; between the two marks, if the file has them",
    )
    add(
        "--only",
        default="",
        metavar="TEXT",
        help="only the tasks whose name contains this text (default: all)",
    )
    add(
        "--seconds",
        type=_at_least(0, float),
        default=6.0,
        help="seconds for each task (default: 6)",
    )
    add(
        *("--versions",),
        type=_at_least(2, int),
        default=1_000_000,
        metavar="N",
        help="number of key versions in the large keyring (default: 1,000,000, which take 3 GB)",
    )
    add(
        *("--memory",),
        type=_at_least(1, int),
        default=0,
        metavar="CALLS",
        help="only make this number of calls, and show the process memory before and after",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The command line of a campaign."""

import argparse
import itertools
import signal
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NoReturn

from rich.console import Console

from fuzz.campaign import Campaign, CampaignError, Progress
from fuzz.harnesses import MODULE_OF, load

_FOLDER: Final = Path("fuzz-campaign")
_FAILED, _WRONG, _INTERRUPTED = 1, 2, 130


def main(arguments: Sequence[str]) -> int:
    """Run a campaign, and return the exit code: 0, 1 for faults, 2 for errors, 130 for Ctrl-C."""
    options = _parse(arguments)
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _fuzz(options, console)
    except CampaignError as error:
        console.print(f"fuzz: {error}", markup=False)
        return _WRONG
    except KeyboardInterrupt:
        console.print(f"fuzz: stopped; --resume --folder {options.folder} goes on", markup=False)
        return _INTERRUPTED


def _fuzz(options: argparse.Namespace, console: Console) -> int:
    """Run or go on with the campaign of a folder, and return the exit code."""
    if find_spec("atheris") is None:
        raise CampaignError("atheris is missing: pip install -r .ci/fuzz.txt")
    campaign = Campaign(options.folder, resume=options.resume)
    with campaign.locked():
        try:
            _run(campaign, options, console)
        finally:
            campaign.save()
            faults = sum(len(each.faults) for each in campaign.progress.values())
            total = f"{campaign.executions:,} executions in all, {faults} faults"
            console.print(total, markup=False)
    return _FAILED if faults else 0


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python tests/fuzz",
        description="Fuzz the parsers of kmscore with atheris, one harness after the other.",
    )
    add = parser.add_argument
    positive: dict[str, Any] = {"type": _positive, "metavar": "N"}
    known = ", ".join(MODULE_OF)
    add("names", nargs="*", metavar="NAME", help=f"harnesses (default all): {known}")
    add("--executions", **positive, help="end when the campaign has this number of executions")
    add("--seconds", **positive, help="end after this number of seconds")
    add("--turn", **positive, default=60, help="seconds for each harness in turn (default 60)")
    add("--folder", type=Path, default=_FOLDER, help=f"folder of the campaign (default {_FOLDER})")
    add("--resume", action="store_true", help="go on with the campaign in the folder")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in MODULE_OF:
            parser.error(f"{name}: no such harness; there are {known}")
    if options.executions is None and options.seconds is None:
        parser.error("one of --executions and --seconds is required")
    return options


def _positive(text: str) -> int:
    """Return a number from 1 on; `_` can separate digits."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("less than 1")
    return number


def _run(campaign: Campaign, options: argparse.Namespace, console: Console) -> None:
    """Run the harnesses in turn. A harness with a fault gets no further turn."""
    names = options.names or list(MODULE_OF)
    harnesses = {name: load(name) for name in names}
    for name, harness in harnesses.items():
        campaign.prepare(name, harness)
        campaign.progress[name].faults.clear()
    end = time.monotonic() + (options.seconds or float("inf"))
    for name in itertools.cycle(names):
        rest = (options.executions or campaign.executions + (1 << 31)) - campaign.executions
        seconds = min(options.turn, end - time.monotonic())
        if rest <= 0 or seconds <= 0 or all(campaign.progress[each].faults for each in names):
            return
        if campaign.progress[name].faults:
            continue
        with console.status(name):
            campaign.turn(name, harnesses[name], seconds, min(rest, (1 << 31) - 1))
        campaign.save()
        console.print(_line(name, campaign.progress[name], campaign.executions), markup=False)


def _line(name: str, progress: Progress, total: int) -> str:
    """Return the line of a harness after its turn."""
    line = (
        f"{name:19} {progress.executions:13,} executions {progress.speed:8,.0f}/s"
        f" {progress.covered:5} edges {progress.corpus:5} inputs {total:14,} in all"
    )
    for fault in progress.faults:
        line += f"\n  fault: {fault.reason}\n  input: {fault.file}"
    return line

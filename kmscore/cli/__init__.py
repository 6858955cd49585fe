"""The command line of kmscore. It needs the extra `cli`."""

import multiprocessing
import sys
from contextlib import suppress

from kmscore.cli.signals import end_of, raise_at_sigterm

_EXTRA_PACKAGES = frozenset({"rich", "typer"})


def main() -> None:
    """Run the command `kmscore`; without the extra, print one line and exit with 2."""
    if getattr(sys, "frozen", False):  # a worker process of a frozen application starts here
        multiprocessing.freeze_support()
    try:
        raise_at_sigterm()
        code = _run()
    except KeyboardInterrupt as interrupt:  # before `Commands` can handle it, or after
        word, code = end_of(interrupt)
        _say(word)
    sys.exit(code)


def _run() -> int:
    """Run the command and return the exit code, unless the command itself exits."""
    try:
        from kmscore.cli.app import app  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
    else:
        return int(app())
    _say("the command line needs the extra cli: pip install 'kmscore[cli]'")
    return 2


def _say(reason: str) -> None:
    """Print one line on standard error, if it can be written; `typer` may not be installed."""
    with suppress(AttributeError, OSError):
        sys.stderr.write(f"kmscore: {reason}\n")

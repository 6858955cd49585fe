"""The command line; needs the extra `cli`."""

import sys
from collections.abc import Callable
from typing import NoReturn

_EXTRA_PACKAGES = frozenset({"jsonschema", "rich", "typer"})


def main() -> None:
    """Run the command `kmscore`; without the extra, say so in one line and exit with 2."""
    run: Callable[[], object] = _refuse
    try:
        from kmscore.cli.app import app  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
    else:
        run = app
    run()


def _refuse() -> NoReturn:
    """Say what is missing, and exit."""
    sys.stderr.write("kmscore: the command line needs the extra cli: pip install 'kmscore[cli]'\n")
    sys.exit(2)

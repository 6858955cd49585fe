"""The command line; needs the extra `cli`."""

import sys

_EXTRA_PACKAGES = frozenset({"jsonschema", "rich", "typer"})


def main() -> None:
    """Run the command `kmscore`; without the extra, say so in one line and exit with 2."""
    try:
        from kmscore.cli.app import app  # noqa: PLC0415 (optional)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA_PACKAGES:
            raise
    except KeyboardInterrupt:  # before there is anything that could tell it
        sys.exit(130)
    else:
        sys.exit(app())
    sys.stderr.write("kmscore: the command line needs the extra cli: pip install 'kmscore[cli]'\n")
    sys.exit(2)

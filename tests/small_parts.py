"""`kmscore` with parts of a few rows, so that a small table has many of them."""

import sys
from types import SimpleNamespace

import typer

# The commands for vectors take half the time that a start takes, and are no part of this.
sys.modules["kmscore.cli.vectors"] = SimpleNamespace(app=typer.Typer())  # type: ignore[assignment]

from kmscore.cli import main  # noqa: E402 (after what it must not load)
from kmscore.cli.rotation import journal, json_lines, whole_table  # noqa: E402

json_lines.CHUNK_ROWS = whole_table.CHUNK_ROWS = 20  # type: ignore[misc]
journal._AT_ONCE = 2  # type: ignore[misc]

if __name__ == "__main__":
    main()

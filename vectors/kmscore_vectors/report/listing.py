"""The operations of every file, with the number of their tests, as a table and as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kmscore_vectors.terminal import printable
from kmscore_vectors.vector_test import VectorTest


def listing_to_json(files: Mapping[str, Sequence[VectorTest]], folder: Path) -> str:
    """Return the operations of every file, with the number of their tests, as one JSON object."""
    document = {
        "folder": str(folder),
        "files": {
            name: {
                operation: {"valid": valid, "invalid": invalid}
                for operation, (valid, invalid) in _count_operations(tests).items()
            }
            for name, tests in files.items()
        },
    }
    return json.dumps(document, indent=2)


def show_listing(files: Mapping[str, Sequence[VectorTest]], folder: Path, console: Console) -> None:
    """Print the operations of every file, with the number of their tests, and the folder."""
    table = Table(
        caption="accumulated: 10,000 cases each, valid and invalid", caption_justify="left"
    )
    table.add_column("operation", no_wrap=True)
    for head in ("valid", "invalid"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, tests in files.items():
        table.add_section()
        table.add_row(name, style="bold")
        for operation, (valid, invalid) in _count_operations(tests).items():
            table.add_row(f"  {operation}", str(valid or ""), str(invalid or ""))
    console.print(table)
    console.print(Text(f"{sum(map(len, files.values()))} tests"))
    console.print(folder_line(folder))


def folder_line(folder: Path) -> Text:
    """Return the line that names the folder of the vectors."""
    return Text(f"vectors: {printable(str(folder))}", overflow="fold")


def _count_operations(tests: Sequence[VectorTest]) -> dict[str, tuple[int, int]]:
    """Return how many tests of each operation are valid and invalid, in the order of the file."""
    counts: dict[str, tuple[int, int]] = {}
    for test in tests:
        valid, invalid = counts.get(test.operation, (0, 0))
        counts[test.operation] = (valid + test.is_valid, invalid + (not test.is_valid))
    return counts

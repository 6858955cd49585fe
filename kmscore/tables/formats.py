"""The format of a table, by the name of its file."""

import stat
from pathlib import Path
from typing import Final

from kmscore.tables.comma_separated import CommaSeparated
from kmscore.tables.compression import COMPRESSIONS
from kmscore.tables.csv_records import Form
from kmscore.tables.errors import TableError, describe
from kmscore.tables.json_lines import JsonLines
from kmscore.tables.parquet import Parquet
from kmscore.tables.table import Table

_LINES: Final = (".jsonl", ".ndjson", ".csv")
_PARQUET: Final = ".parquet"

SUFFIXES: Final = (*(line + end for end in COMPRESSIONS for line in _LINES), _PARQUET)
"""The endings of the names of tables, in lower case."""


def suffix_of(path: Path) -> str:
    """Return the ending of the name of a table, as it is in the name. Raises `TableError`."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[-len(suffix) :]
    raise TableError(
        f"{path}: the name must end in {', '.join(_LINES)}, {_PARQUET}, or for compressed lines in"
        f" {', '.join(end for end in COMPRESSIONS if end)}"
    )


def table_of(path: Path, delimiter: str = ",") -> Table:
    """Return the format that the name of a file says. Raises `TableError`."""
    suffix = suffix_of(path).lower()
    if suffix == _PARQUET:
        return Parquet()
    compression = next((end for end in COMPRESSIONS if end and suffix.endswith(end)), "")
    if suffix.startswith(".csv"):
        return CommaSeparated(Form(compression, delimiter))
    return JsonLines(compression)


def input_of(path: Path, delimiter: str = ",") -> Table:
    """Return the format of an input. Raises `TableError`.

    A pipe is rejected, because a table is read more than once.
    """
    table = table_of(path, delimiter)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise TableError(describe(error, path)) from None
    if stat.S_ISDIR(mode):
        raise TableError(f"{path}: Is a directory")
    if not stat.S_ISREG(mode):
        raise TableError(f"{path}: not a regular file; a table is read more than once")
    return table

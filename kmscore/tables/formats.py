"""The format of a table, by the name of its file."""

import stat
from pathlib import Path
from typing import Final

from kmscore.tables.comma_separated import CommaSeparated
from kmscore.tables.errors import TableError, describe
from kmscore.tables.json_lines import JsonLines
from kmscore.tables.parquet import Parquet
from kmscore.tables.table import Table

_TABLES: Final[dict[str, type[Table]]] = {
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".csv": CommaSeparated,
    ".parquet": Parquet,
}

SUFFIXES: Final = tuple(_TABLES)
"""The endings of the names of tables, in lower case."""


def table_of(path: Path) -> Table:
    """Return the format that a file's name says. Raises `TableError`."""
    kind = _TABLES.get(path.suffix.lower())
    if kind is None:
        raise TableError(f"{path}: the name must end in {', '.join(_TABLES)}")
    return kind()


def input_of(path: Path) -> Table:
    """Return the format of a table that is to be read. Raises `TableError`.

    It is read more than once, and what comes through a pipe is there but once: the rows that were
    looked at for the columns would be missing.
    """
    table = table_of(path)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise TableError(describe(error, path)) from None
    if stat.S_ISDIR(mode):
        raise TableError(f"{path}: Is a directory")
    if not stat.S_ISREG(mode):
        raise TableError(f"{path}: no regular file; a table is read more than once")
    return table

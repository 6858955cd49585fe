"""Columns by their names, whatever engine they are of."""

from collections.abc import Sequence


def check_new_columns(names: Sequence[str], status_column: str, error_column: str) -> None:
    """Raise `ValueError` unless the two new columns have names of their own."""
    if status_column == error_column:
        raise ValueError(f"status and error are both to be in a column {status_column!r}")
    for name in (status_column, error_column):
        if name in names:
            raise ValueError(f"there is a column {name!r} already")


def find_column(names: Sequence[str], name: str) -> int:
    """Return the position of a column. Raises `KeyError` without it, `ValueError` if in doubt."""
    if name not in names:
        raise KeyError(f"there is no column {name!r}")
    if names.count(name) > 1:
        raise ValueError(f"there are {names.count(name)} columns {name!r}")
    return names.index(name)


def check_fields(names: Sequence[str], column: str) -> None:
    """Raise `ValueError` if a struct of contexts has two fields of one name."""
    if len(set(names)) != len(names):
        raise ValueError(f"column {column!r} is a struct with a repeated field")

"""Checks of column names, the same for Arrow and Spark."""

from collections.abc import Sequence


def check_new_columns(names: Sequence[str], status_column: str, error_column: str) -> None:
    """Raise `ValueError` unless the two new columns have different and unused names."""
    if status_column == error_column:
        raise ValueError(f"status_column and error_column must differ, both are {status_column!r}")
    for name in (status_column, error_column):
        if name in names:
            raise ValueError(f"there is a column {name!r} already")


def find_column(names: Sequence[str], name: str) -> int:
    """Return the position of a column.

    Raises `KeyError` if it does not exist, and `ValueError` if it exists more than once.
    """
    if name not in names:
        raise KeyError(f"there is no column {name!r}")
    if names.count(name) > 1:
        raise ValueError(f"there are {names.count(name)} columns {name!r}")
    return names.index(name)


def check_fields(names: Sequence[str], column: str) -> None:
    """Raise `ValueError` if a struct of contexts has two fields with the same name."""
    if len(set(names)) != len(names):
        raise ValueError(f"column {column!r} is a struct with a repeated field")

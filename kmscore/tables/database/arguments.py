"""Checks of the arguments of a rotation and of a census."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from kmscore._typecheck import check_instance, check_optional_text, check_text
from kmscore.tables.database.column import Names

_ENCODINGS: Final = {"binary": False, "base64": True}


def is_base64(encoding: str) -> bool:
    """Return whether an encoding is Base64. Raises `TypeError` and `ValueError`."""
    check_text(encoding, "encoding")
    if encoding not in _ENCODINGS:
        raise ValueError(f"encoding {encoding!r}, binary or base64 allowed")
    return _ENCODINGS[encoding]


def check_names(names: Names) -> None:
    """Check the names of columns. Raises `TypeError` and `ValueError`."""
    check_text(names.table, "table")
    check_text(names.blob, "blob_column")
    check_optional_text(names.schema, "schema")
    check_optional_text(names.context, "context_column")
    check_optional_text(names.destination_context, "destination_context_column")
    check_optional_text(names.where, "where")
    if not isinstance(names.contexts, Mapping):
        _check_sequence(names.contexts, "context_columns")
    _check_sequence(names.preserved, "preserve_columns")
    columns = names.columns
    for name in (*columns.pairs, *((each, each) for each in names.preserved)):
        check_text(name[0], "a key of context_columns")
        check_text(name[1], "the name of a column")
    if columns.context is not None and columns.contexts:
        raise ValueError("context_column excludes context_columns")
    _check_different((*columns.names, *names.preserved), "column")
    _check_different(columns.context_keys or (), "the key of the context")


def _check_different(names: Sequence[str], what: str) -> None:
    """Raise `ValueError` if a name occurs twice."""
    for name, number in Counter(names).items():
        if number > 1:
            raise ValueError(f"{what} {name!r} is given twice")


def _check_sequence(value: object, name: str) -> None:
    """Raise `TypeError` unless a sequence is given; a text would be one of single letters."""
    check_instance(value, Sequence, name)
    if isinstance(value, str):
        raise TypeError(f"{name} must be a sequence of names, not str")


def check_rate(value: object, name: str) -> None:
    """Raise `TypeError` unless a number is given, and `ValueError` unless it is positive."""
    if value is None:
        return
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    if not value > 0:
        raise ValueError(f"{name} must be positive")

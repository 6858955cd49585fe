"""The public names of the package, and its extra."""

import importlib
import importlib.util

import pytest

from kmscore.tables import TableError, database


def test_the_names_are_those_of_the_contract() -> None:
    """They are sorted, exist, and have docstrings."""
    assert sorted(set(database.__all__)) == database.__all__
    assert {"reencrypt_column", "census_column", "key_ranges", "ColumnReport"} <= set(
        database.__all__
    )
    assert all(getattr(database, name).__doc__ for name in database.__all__)


def test_an_error_of_a_database_is_one_of_a_table() -> None:
    """A program that handles errors of tables handles these too."""
    assert issubclass(database.DatabaseError, TableError)


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without SQLAlchemy, the import fails with the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'kmscore\[database\]'") as caught:
        importlib.reload(database)
    assert caught.value.name == "sqlalchemy"

"""A database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.databases import KINDS, MARIADB, POSTGRESQL, SQLITE, Live, live


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    """Return an empty database of each kind."""
    with live(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Live]:
    """Return an empty database of SQLite."""
    with live(SQLITE, tmp_path) as found:
        yield found


@pytest.fixture
def postgresql(tmp_path: Path) -> Iterator[Live]:
    """Return an empty schema of PostgreSQL."""
    with live(POSTGRESQL, tmp_path) as found:
        yield found


@pytest.fixture
def mariadb(tmp_path: Path) -> Iterator[Live]:
    """Return an empty database of MariaDB."""
    with live(MARIADB, tmp_path) as found:
        yield found

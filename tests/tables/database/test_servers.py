"""The servers of the tests: a missing one skips its tests, a missing one of a variable fails."""

import pytest
import sqlalchemy as sa
from support import databases
from support.databases import MARIADB, POSTGRESQL

_CLOSED = {
    POSTGRESQL: "postgresql+psycopg://postgres@127.0.0.1:1/postgres",
    MARIADB: "mysql+pymysql://root@127.0.0.1:1/",
}


@pytest.mark.parametrize("kind", _CLOSED)
def test_a_missing_server_skips_its_tests(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the variable that can have another address."""
    variable, _ = databases._SERVERS[kind]
    monkeypatch.delenv(variable, raising=False)
    monkeypatch.setitem(databases._SERVERS, kind, (variable, _CLOSED[kind]))
    reason = databases._unreachable.__wrapped__(kind)
    assert reason is not None
    assert variable in reason


@pytest.mark.parametrize("kind", _CLOSED)
def test_a_missing_server_of_a_variable_is_an_error(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job with servers does not pass without them."""
    monkeypatch.setenv(databases._SERVERS[kind][0], _CLOSED[kind])
    with pytest.raises(sa.exc.DBAPIError):
        databases._unreachable.__wrapped__(kind)

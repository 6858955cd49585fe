"""The types of primary keys by which a table can be read in batches.

The key of the last row of a batch goes back to the database as the driver returned it. It must then
be equal to that key, and comparisons must have the order of `ORDER BY`. This does not hold for all
types: a FLOAT of MySQL is rounded, and its ENUM is sorted by number but compared as text.
"""

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from kmscore.tables.database.dialects import Dialect

_COMMON: Final[tuple[type[TypeEngine[Any]], ...]] = (
    sa.Integer,
    sa.Numeric,
    sa.Double,
    sa.String,
    sa.Uuid,
    sa.LargeBinary,
    sa.BINARY,
    sa.VARBINARY,
    sa.Date,
    sa.DateTime,
    sa.Boolean,
)

_ALSO: Final[dict[Dialect, tuple[type[TypeEngine[Any]], ...]]] = {
    Dialect.POSTGRESQL: (sa.Enum, postgresql.INET),
    Dialect.MYSQL: (mysql.YEAR,),
}

_NEVER: Final[dict[Dialect, tuple[type[TypeEngine[Any]], ...]]] = {
    Dialect.POSTGRESQL: (sa.REAL,),
    # A TIMESTAMP is shown in the time zone of the session, where one hour of a year occurs twice.
    Dialect.MYSQL: (sa.REAL, sa.Enum, mysql.SET, sa.TIMESTAMP),
}


def can_be_paged(dialect: Dialect, kind: TypeEngine[Any]) -> bool:
    """Return whether a table can be read in batches by a key of a type."""
    if dialect is Dialect.SQLITE:
        # There, each value has a type of its own.
        return True
    if isinstance(kind, postgresql.DOMAIN):
        return can_be_paged(dialect, kind.data_type)
    if isinstance(kind, _NEVER[dialect]):
        return False
    if isinstance(kind, sa.Float) and not isinstance(kind, sa.Double):
        return dialect is Dialect.POSTGRESQL and kind.precision == _DOUBLE_BITS
    return isinstance(kind, (*_COMMON, *_ALSO[dialect]))


_DOUBLE_BITS: Final = 53

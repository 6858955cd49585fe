"""Re-encrypt and count the ciphertexts in columns of databases, over SQLAlchemy.

Import this package by name (`from kmscore.tables import database`). It needs the extra `database`,
and the driver of your database: SQLite comes with Python, psycopg 3 is for PostgreSQL, and PyMySQL
for MySQL and MariaDB. Only these drivers are tested.
"""

from importlib.util import find_spec

if find_spec("sqlalchemy") is None:
    raise ModuleNotFoundError(
        "kmscore.tables.database needs the extra database: pip install 'kmscore[database]'",
        name="sqlalchemy",
    )

from kmscore.tables.database.counting import census_column
from kmscore.tables.database.errors import DatabaseError
from kmscore.tables.database.paging import key_ranges
from kmscore.tables.database.report import ColumnProgress, ColumnReport
from kmscore.tables.database.rotation import reencrypt_column

__all__ = [
    "ColumnProgress",
    "ColumnReport",
    "DatabaseError",
    "census_column",
    "key_ranges",
    "reencrypt_column",
]

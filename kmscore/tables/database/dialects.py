"""The differences between SQLite, PostgreSQL, and MySQL with MariaDB."""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

Expression = sa.ColumnElement[Any]


class Dialect(StrEnum):
    """A kind of database."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    MYSQL = "mysql"

    @classmethod
    def of(cls, engine: sa.Engine) -> "Dialect":
        """Return the kind of a database.

        Raises `ValueError` for other kinds, and for an engine that replaces schemas, because only a
        part of the statements would have them replaced.
        """
        if engine.get_execution_options().get("schema_translate_map"):
            raise ValueError("engine with schema_translate_map; give the schema of the table")
        name = engine.dialect.name
        if name == "mariadb":
            return cls.MYSQL
        if name not in set(cls):
            raise ValueError(f"engine of {name}, only sqlite, postgresql and mysql are supported")
        return cls(name)

    def text_bytes(self, column: Expression) -> Expression:
        """Return the value of a column as text, in the bytes of its UTF-8.

        Bytes are compared exactly. A collation can make different texts equal: in the default ones
        of MySQL, two Base64 texts with letters of different case.
        """
        if self is Dialect.SQLITE:
            return sa.cast(column, sa.LargeBinary)
        if self is Dialect.POSTGRESQL:
            return sa.func.convert_to(
                sa.cast(column, sa.Text), sa.literal_column("'UTF8'"), type_=sa.LargeBinary()
            )
        return sa.cast(sa.cast(column, mysql.CHAR(charset="utf8mb4")), sa.LargeBinary)

    def stored_bytes(self, column: Expression) -> Expression:
        """Return the value of a column of bytes. SQLite can have a text in it."""
        return self.text_bytes(column) if self is Dialect.SQLITE else column

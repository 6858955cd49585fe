"""The number of rows that a rotation of a column reads, for its progress."""

import sqlalchemy as sa

from kmscore.tables.database.arguments import check_names
from kmscore.tables.database.column import Column, Names, find_column
from kmscore.tables.database.counting import count_remainder
from kmscore.tables.database.dialects import Dialect
from kmscore.tables.database.errors import without_frames
from kmscore.tables.database.paging import WHOLE_TABLE
from kmscore.tables.database.predicates import begins_with
from kmscore.tables.database.transactions import Database


class Expectation:
    """A column of a table, found before its rotation."""

    def __init__(self, engine: sa.Engine, names: Names) -> None:
        """Find the column.

        Raises `ValueError` for a kind of database that is not supported or a column that is given
        twice, and `DatabaseError` if the column cannot be rotated.
        """
        check_names(names)
        dialect = Dialect.of(engine)
        self._database = Database(engine, names.table)
        self._column: Column = without_frames(lambda: find_column(self._database, dialect, names))

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the columns of the primary key."""
        return tuple(str(key.key) for key in self._column.keys)

    def count(self, header: bytes, *, reads_all: bool) -> int:
        """Return the number of rows that the first pass reads. Raises `DatabaseError`.

        With `reads_all`, these are also the ciphertexts that begin with the header.
        """
        is_current = begins_with(self._column.blob, header, is_base64=self._column.is_base64)
        remainder = without_frames(
            lambda: count_remainder(self._database, self._column, is_current, WHOLE_TABLE)
        )
        return remainder.other + (remainder.current if reads_all else 0)

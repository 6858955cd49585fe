"""Compare and swap: a new ciphertext is written only to a row that did not change."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from kmscore.tables.database.column import Column
from kmscore.tables.database.dialects import Dialect
from kmscore.tables.database.report import Key
from kmscore.tables.database.transactions import Database, RejectedWrite

_JOIN_ROWS: Final = 500
_JOIN_BYTES: Final = 1 << 20
"""Limits of one statement with many rows; `max_allowed_packet` is at least 16 MiB by default."""


Swap = tuple[Any, ...]
"""A row as it was read (the key, the ciphertext and the contexts), and its new ciphertext."""


class Swapped(NamedTuple):
    """The result of some swaps."""

    written: int
    rejected: tuple[Key, ...]
    """The rows whose new ciphertext the database rejected."""


class Swapper:
    """The write statement of a column."""

    def __init__(self, database: Database, column: Column) -> None:
        """Prepare the statement."""
        self._database = database
        self._column = column
        is_join = column.dialect is Dialect.MYSQL and column.has_integer_keys
        self._write: Callable[[sa.Connection, Sequence[Swap]], int] = (
            _joined(database, column) if is_join else _row_by_row(database, column)
        )

    def swap(self, swaps: Sequence[Swap]) -> Swapped:
        """Write new ciphertexts in one transaction.

        If the database rejects a row, the others are written in transactions of their own. Raises
        `DatabaseError`.
        """
        if not swaps:
            return Swapped(0, ())
        try:
            return Swapped(self._database.write(lambda each: self._write(each, swaps)), ())
        except RejectedWrite:
            if len(swaps) == 1:
                return Swapped(0, (swaps[0][: len(self._column.keys)],))
        middle = len(swaps) // 2
        first, second = self.swap(swaps[:middle]), self.swap(swaps[middle:])
        return Swapped(first.written + second.written, (*first.rejected, *second.rejected))


def _row_by_row(
    database: Database, column: Column
) -> Callable[[sa.Connection, Sequence[Swap]], int]:
    """Return a function that sends one statement for each row."""
    number = len(column.keys)
    names = [f"kms_{each}" for each in range(number + len(column.reads) + 1)]
    keys, olds, new = names[:number], names[number:-1], names[-1]
    same_key = (key == sa.bindparam(name) for key, name in zip(column.keys, keys, strict=True))
    same_values = (
        value.is_not_distinct_from(sa.bindparam(name, type_=sa.LargeBinary()))
        for value, name in zip(column.reads, olds, strict=True)
    )
    kind = sa.Text() if column.is_base64 else sa.LargeBinary()
    update = (
        sa.update(column.table)
        .where(*same_key, *same_values)
        .values(
            {
                column.target: sa.bindparam(new, type_=kind),
                **{each: each for each in column.preserved},
            }
        )
    )
    text, order = _positional(database.engine, update, names)
    if database.engine.dialect.driver == "psycopg":
        text = _in_binary(text, order, {*olds, *(() if column.is_base64 else (new,))})
    arrange = itemgetter(*(names.index(name) for name in order))

    def write(connection: sa.Connection, swaps: Sequence[Swap]) -> int:
        # The rows go to the driver as they are, which is faster than through SQLAlchemy.
        return connection.exec_driver_sql(text, [arrange(each) for each in swaps]).rowcount

    return write


def _positional(
    engine: sa.Engine, statement: sa.Update, names: Sequence[str]
) -> tuple[str, list[str]]:
    """Return a statement with parameters by position, and their names in this order."""
    compiled = statement.compile(dialect=engine.dialect)
    order: Sequence[str] | None = getattr(compiled, "positiontup", None)
    if order is not None:
        return str(compiled), list(order)
    found: list[str] = []

    def place(match: re.Match[str]) -> str:
        found.append(match[1])
        return "%s"

    # A percent sign in a name is doubled.
    pattern = rf"(?<!%)%\(({'|'.join(names)})\)s"
    return re.sub(pattern, place, str(compiled)), found


def _in_binary(text: str, order: Sequence[str], names: Collection[str]) -> str:
    """Return a statement of psycopg that sends some parameters in their binary form.

    It is shorter than the text form of bytes.
    """
    marks = iter("%b" if name in names else "%s" for name in order)
    return re.sub(r"(?<!%)%s", lambda _: next(marks), text)


def _joined(database: Database, column: Column) -> Callable[[sa.Connection, Sequence[Swap]], int]:
    """Return a function that sends one statement for many rows, for MySQL and MariaDB.

    There, one statement for each row costs a round trip for each row. A key of text cannot be
    joined in this way, because its value has lost its collation.
    """
    prepare = database.engine.dialect.identifier_preparer
    mark = "?" if database.engine.dialect.paramstyle == "qmark" else "%s"
    keys = [f"k{number}" for number in range(len(column.keys))]
    olds = [f"o{number}" for number in range(len(column.reads))]
    names = [*keys, *olds, "n"]

    def in_table(each: sa.ColumnElement[Any]) -> str:
        return str(each.compile(dialect=database.engine.dialect))

    table = prepare.format_table(column.table)
    same_key = " AND ".join(
        f"{in_table(key)} = v.{name}" for key, name in zip(column.keys, keys, strict=True)
    )
    same_values = " AND ".join(
        f"{in_table(value)} <=> v.{name}" for value, name in zip(column.reads, olds, strict=True)
    )
    assignments = ", ".join(
        [
            f"{in_table(column.target)} = v.n",
            *(f"{in_table(each)} = {in_table(each)}" for each in column.preserved),
        ]
    )
    first = f"SELECT {', '.join(f'{mark} AS {name}' for name in names)}"
    other = f" UNION ALL SELECT {', '.join([mark] * len(names))}"

    def write(connection: sa.Connection, swaps: Sequence[Swap]) -> int:
        written = 0
        for part in _parts(swaps):
            values = f"{first}{other * (len(part) - 1)}"
            text = (
                f"UPDATE ({values}) v STRAIGHT_JOIN {table} ON {same_key} SET {assignments}"  # noqa: S608
                f" WHERE {same_values}"
            )
            parameters = tuple(chain.from_iterable(part))
            written += connection.exec_driver_sql(text, parameters).rowcount
        return written

    return write


def _parts(swaps: Sequence[Swap]) -> Iterator[list[Swap]]:
    """Yield the swaps of each statement."""
    part: list[Swap] = []
    size = 0
    for each in swaps:
        part.append(each)
        size += sum(len(value) for value in each if isinstance(value, (bytes, str)))
        if len(part) == _JOIN_ROWS or size >= _JOIN_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part

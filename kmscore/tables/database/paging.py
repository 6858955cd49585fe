"""Batches of rows in the order of the primary key."""

import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from kmscore._typecheck import check_instance, check_optional_text, check_positive, check_text
from kmscore.tables.database.column import Column, find_keys
from kmscore.tables.database.dialects import Dialect, Expression
from kmscore.tables.database.errors import without_frames
from kmscore.tables.database.predicates import shortened
from kmscore.tables.database.report import Key
from kmscore.tables.database.transactions import Database, Rows

KeyRange = tuple[Key | None, Key | None]
"""The key after which the rows begin, and the key of the last row; `None` is without a limit."""

WHOLE_TABLE: Final[KeyRange] = (None, None)

_BOUNDS: Final = 2
_ROWS: Final = "kms_rows"


def check_key_range(key_range: KeyRange) -> None:
    """Check that a range has two bounds, each `None` or a tuple.

    Raises `TypeError` and `ValueError`.
    """
    check_instance(key_range, tuple, "key_range")
    number = len(tuple(key_range))
    if number != _BOUNDS:
        raise ValueError(f"key_range of {number} values, two required")
    for bound in key_range:
        if bound is not None:
            check_instance(bound, tuple, "a bound of key_range")


def check_bounds(database: Database, key_range: KeyRange, length: int) -> None:
    """Raise `DatabaseError` unless bounds have a value for each column of the primary key."""
    for bound in key_range:
        if bound is not None and len(bound) != length:
            raise database.error(
                f"a key of {len(bound)} values in key_range; the primary key has {length} columns"
            )


class Bounds(NamedTuple):
    """The conditions of a range of keys, with their parameters."""

    conditions: tuple[Expression, ...]
    parameters: dict[str, Any]


def bounds_of(dialect: Dialect, keys: Sequence[Expression], key_range: KeyRange) -> Bounds:
    """Return the conditions that a row is in a range of keys."""
    after, last = key_range
    conditions: list[Expression] = []
    parameters: dict[str, Any] = {}
    for prefix, key, order in (("kms_after", after, _AFTER), ("kms_last", last, _UP_TO)):
        if key is not None:
            names = [f"{prefix}_{number}" for number in range(len(keys))]
            bound: list[Expression] = [sa.bindparam(name) for name in names]
            conditions.append(_compare(dialect, keys, bound, order))
            parameters.update(zip(names, key, strict=True))
    return Bounds(tuple(conditions), parameters)


class _Order(NamedTuple):
    """The operators of a comparison with a bound."""

    whole: Callable[[Any, Any], Expression]
    """That of the whole key, and of its last column."""

    column: Callable[[Any, Any], Expression]
    """That of another column, which decides alone."""

    first: Callable[[Any, Any], Expression]
    """That of the first column, which any key in the range fulfils."""


_AFTER: Final = _Order(operator.gt, operator.gt, operator.ge)
_UP_TO: Final = _Order(operator.le, operator.lt, operator.le)


def _compare(
    dialect: Dialect, keys: Sequence[Expression], bound: Sequence[Expression], order: _Order
) -> Expression:
    """Return the condition that a key is after a bound, or up to it."""
    if len(keys) == 1:
        return order.whole(keys[0], bound[0])
    if dialect is not Dialect.MYSQL:
        return order.whole(sa.tuple_(*keys), sa.tuple_(*bound))
    # MariaDB reads the whole index for a comparison of rows.
    condition = order.whole(keys[-1], bound[-1])
    for key, value in list(zip(keys, bound, strict=True))[-2::-1]:
        condition = sa.or_(order.column(key, value), sa.and_(key == value, condition))
    return sa.and_(order.first(keys[0], bound[0]), condition)


def read_batch(
    database: Database,
    column: Column,
    conditions: Sequence[Expression],
    key_range: KeyRange,
    rows: int,
) -> Rows:
    """Return the first rows of a range: the primary key, then `column.reads`.

    Raises `DatabaseError`, also if the last row is the one before the range, so that batches
    would never end.
    """
    bounds = bounds_of(column.dialect, column.keys, key_range)
    statement = (
        sa.select(*column.keys, *map(shortened, column.reads))
        .select_from(column.table)
        .where(*column.conditions, *conditions, *bounds.conditions)
        .order_by(*column.keys)
        .limit(sa.bindparam(_ROWS, type_=sa.Integer()))
    )
    found = database.read(statement, {**bounds.parameters, _ROWS: rows})
    if found and tuple(found[-1][: len(column.keys)]) == key_range[0]:
        raise database.error(
            "a row is read twice; the driver returns a key that is not equal to itself, or `where`"
            " is not one condition"
        )
    return found


def key_ranges(
    engine: sa.Engine, table: str, n: int, *, schema: str | None = None
) -> list[KeyRange]:
    """Divide a table into ranges of keys with about the same number of rows.

    Several processes can then rotate the ranges at the same time, each with its own engine. Rows
    that are added later are in a range too, because the first and the last range have no limit.

    Args:
        engine: The engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB.
        table: The name of the table.
        n: The number of ranges. There are fewer if the table has fewer rows.
        schema: The schema of the table (default `None`, the one of the connection).

    Returns:
        The ranges in the order of the keys, for `reencrypt_column(key_range=...)`. A range has two
        keys, each a tuple or `None`: the rows begin after the first key and end with the second.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `n` is not positive, if the kind of database is not supported, or if the
            engine has a `schema_translate_map`.
        DatabaseError: If the table does not exist, if it cannot be read in batches by its primary
            key, or if the database rejects a statement.
    """
    check_instance(engine, sa.Engine, "engine")
    check_text(table, "table")
    check_optional_text(schema, "schema")
    check_positive(n, "n")
    dialect = Dialect.of(engine)
    database = Database(engine, table)
    return without_frames(lambda: _divide(database, dialect, n, schema))


def _divide(database: Database, dialect: Dialect, n: int, schema: str | None) -> list[KeyRange]:
    """Find the table and divide it. Raises `DatabaseError`."""
    clause, keys = find_keys(database, dialect, schema)
    number = database.read(sa.select(sa.func.count()).select_from(clause))[0][0]
    n = min(n, max(1, number))
    positions = [each * number // n for each in range(n)]
    bounds: list[Key | None] = [None]
    for before, position in pairwise(positions):
        limits = bounds_of(dialect, keys, (bounds[-1], None))
        statement = sa.select(*keys).where(*limits.conditions).order_by(*keys)
        rows = database.read(statement.limit(1).offset(position - before - 1), limits.parameters)
        if not rows:  # deleted after the count
            break
        bounds.append(tuple(rows[0]))
    return list(zip(bounds, [*bounds[1:], None], strict=True))

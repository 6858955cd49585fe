"""Counts of ciphertexts that the database makes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from kmscore import bulk
from kmscore._base64 import decode_base64
from kmscore._typecheck import check_instance
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH, TAG_LENGTH
from kmscore.bulk import Header
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import SymmetricKey
from kmscore.lookup import check_provider
from kmscore.tables.database.arguments import check_names, is_base64
from kmscore.tables.database.column import Column, Names, find_column
from kmscore.tables.database.dialects import Dialect, Expression
from kmscore.tables.database.errors import without_frames
from kmscore.tables.database.paging import (
    WHOLE_TABLE,
    KeyRange,
    bounds_of,
    check_bounds,
    check_key_range,
    read_batch,
)
from kmscore.tables.database.predicates import begins_with, does_not_hold, has_length
from kmscore.tables.database.transactions import Database

_BATCH_ROWS = 1000


class Remainder(NamedTuple):
    """The ciphertexts of a range of keys, counted by the database."""

    current: int
    """The number that begin with the header of the destination."""

    other: int
    """The number of all others."""


def count_remainder(
    database: Database, column: Column, is_current: Expression, key_range: KeyRange
) -> Remainder:
    """Return the number of ciphertexts that begin with a header, and of the others."""
    bounds = bounds_of(column.dialect, column.keys, key_range)
    number = sa.func.count()
    current = sa.func.count(sa.case((is_current, 1)))
    statement = (
        sa.select(number, current)
        .select_from(column.table)
        .where(*column.conditions, *bounds.conditions)
    )
    ((total, found),) = database.read(statement, bounds.parameters)
    return Remainder(found, total - found)


def census_column(
    engine: sa.Engine,
    keys: KeyProvider,
    *,
    table: str,
    blob_column: str,
    schema: str | None = None,
    encoding: str = "binary",
    where: str | None = None,
    key_range: KeyRange = WHOLE_TABLE,
) -> bulk.Census:
    """Count the suites, keys and key versions that the ciphertexts of a column name.

    The database counts the ciphertexts of the key versions in a `Keyring`, and only the others are
    read. With another provider, all of them are read. Nothing is decrypted or authenticated. See
    `kmscore.bulk.census`.

    Args:
        engine: The engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB.
        keys: The keyring with the known key versions, also those that are not enabled.
        table: The name of the table.
        blob_column: The name of the column of ciphertexts. Rows with NULL are not counted.
        schema: The schema of the table (default `None`, the one of the connection).
        encoding: `binary` (default), or `base64` for a column of text.
        where: A condition of SQL for the rows (default `None`, all rows). It must not come from
            another party.
        key_range: The range of primary keys (default `(None, None)`, the whole table), see
            `key_ranges`.

    Returns:
        The counts. The headers are not authenticated.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If `encoding` is unknown, if `key_range` does not have two values, if the kind
            of database is not supported, or if the engine has a `schema_translate_map`.
        DatabaseError: If the table or the column does not exist or does not fit, or if the database
            rejects a statement.
    """
    check_instance(engine, sa.Engine, "engine")
    check_provider(keys)
    names = Names(table, blob_column, schema=schema, is_base64=is_base64(encoding), where=where)
    check_names(names)
    check_key_range(key_range)
    dialect = Dialect.of(engine)
    database = Database(engine, table)
    return without_frames(lambda: _census(database, dialect, names, keys, key_range))


def _census(
    database: Database, dialect: Dialect, names: Names, keys: KeyProvider, key_range: KeyRange
) -> bulk.Census:
    """Find the column and count. Raises `DatabaseError`."""
    column = find_column(database, dialect, names)
    check_bounds(database, key_range, len(column.keys))
    known = (
        [key for key in keys if isinstance(key, SymmetricKey)] if isinstance(keys, Keyring) else []
    )
    counts = _count_known(database, column, known, key_range)
    is_other = [does_not_hold(_is_blob_of(column, key)) for key in known]
    others = bulk.census(_blobs(database, column, is_other, key_range))
    return bulk.Census(counts, 0) + others


def _count_known(
    database: Database, column: Column, known: Sequence[SymmetricKey], key_range: KeyRange
) -> dict[Header, int]:
    """Return the number of ciphertexts with the header of each key version."""
    if not known:
        return {}
    bounds = bounds_of(column.dialect, column.keys, key_range)
    kind = sa.case(*((_is_blob_of(column, key), number) for number, key in enumerate(known)))
    each = (
        sa.select(kind.label("kms_kind"))
        .select_from(column.table)
        .where(*column.conditions, *bounds.conditions)
        .subquery("kms_kinds")
    )
    statement = sa.select(each.c.kms_kind, sa.func.count()).group_by(each.c.kms_kind)
    counts: Counter[Header] = Counter()
    for number, found in database.read(statement, bounds.parameters):
        if number is not None:
            key = known[number]
            counts[Header(key.suite, key.key_id, key.key_version_id)] += found
    return dict(counts)


def _is_blob_of(column: Column, key: SymmetricKey) -> Expression:
    """Return the condition that a value has the header and a length of a blob of a key version."""
    least = len(key.header) + key.suite.iv_length + TAG_LENGTH
    return sa.and_(
        begins_with(column.blob, key.header, is_base64=column.is_base64),
        has_length(column.blob, least, least + MAX_PLAINTEXT_LENGTH, is_base64=column.is_base64),
    )


def _blobs(
    database: Database, column: Column, conditions: Sequence[Expression], key_range: KeyRange
) -> Iterator[bytes]:
    """Yield the ciphertexts that fulfil conditions, and empty bytes for invalid Base64."""
    after, last = key_range
    while rows := read_batch(database, column, conditions, (after, last), _BATCH_ROWS):
        for row in rows:
            blob = bytes(row[-1])
            decoded = decode_base64(blob) if column.is_base64 else blob
            yield b"" if decoded is None else decoded
        after = tuple(rows[-1][: len(column.keys)])

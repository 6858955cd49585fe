"""A column of ciphertexts: its table, primary key, contexts and declared length."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.engine.interfaces import ReflectedColumn
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.sql import quoted_name
from sqlalchemy.types import TypeEngine

from kmscore.tables.columns import Columns
from kmscore.tables.database.dialects import Dialect, Expression
from kmscore.tables.database.first_values import check_first_values
from kmscore.tables.database.key_types import can_be_paged
from kmscore.tables.database.predicates import of_operator, shortened
from kmscore.tables.database.text_storage import (
    check_character_set,
    check_encoding,
    length_in_mysql,
)
from kmscore.tables.database.transactions import Database
from kmscore.tables.table import quoted

ContextColumns = Sequence[str] | Mapping[str, str]
"""The columns of the pairs of a context: names that are also the keys, or columns by their keys."""

_BINARY: Final = (
    *(sa.LargeBinary, sa.BINARY, sa.VARBINARY),
    *(mysql.TINYBLOB, mysql.MEDIUMBLOB, mysql.LONGBLOB),
)


class Names(NamedTuple):
    """The names that a caller gives, which are not checked."""

    table: str
    blob: str
    schema: str | None = None
    is_base64: bool = False
    context: str | None = None
    contexts: ContextColumns = ()
    destination_context: str | None = None
    where: str | None = None
    preserved: Sequence[str] = ()

    @property
    def columns(self) -> Columns:
        """The columns that are read, in the form that the reader of rows takes."""
        pairs = self.contexts
        keys = tuple(pairs)
        columns = tuple(pairs.values()) if isinstance(pairs, Mapping) else keys
        return Columns(
            self.blob,
            context=self.context,
            contexts=columns,
            context_keys=keys,
            destination_context=self.destination_context,
        )


class Column(NamedTuple):
    """A column of ciphertexts, checked, with the expressions for its statements."""

    dialect: Dialect
    table: sa.TableClause
    keys: tuple[Expression, ...]
    has_integer_keys: bool
    """Whether all columns of the primary key are of integers."""

    target: sa.ColumnClause[Any]
    """The column of ciphertexts."""

    reads: tuple[Expression, ...]
    """The ciphertext and the contexts as bytes, as they are read and compared."""

    columns: Columns
    """The names of the columns in `reads`, as `Columns.names`."""

    is_base64: bool
    limit: int | None
    """The declared length, in bytes or in characters of Base64."""

    is_fixed: bool
    """Whether shorter values are padded to the declared length."""

    preserved: tuple[sa.ColumnClause[Any], ...]
    """The columns that are set to themselves, so that the server does not change them."""

    conditions: tuple[Expression, ...]
    """The rows that have a ciphertext and that the operator selects."""

    @property
    def blob(self) -> Expression:
        """The ciphertext, as bytes."""
        return self.reads[0]


def find_column(database: Database, dialect: Dialect, names: Names) -> Column:
    """Return the column of a table. Raises `DatabaseError` if it cannot be rotated."""
    found, keys = _table_of(database, names.schema)
    _check_names(database, names, found, keys)
    key_types = [found[name]["type"] for name in keys]
    _check_key_types(database, dialect, keys, key_types)
    declared = found[names.blob]["type"]
    _check_kinds(database, dialect, names, found)
    wanted = dict.fromkeys((*keys, *names.columns.names, *names.preserved))
    table = _table_clause(names.table, names.schema, tuple(wanted))
    _check_key_values(database, dialect, table, keys)
    target = table.c[names.blob]
    read = dialect.text_bytes if names.is_base64 else dialect.stored_bytes
    condition = () if names.where is None else (of_operator(names.where),)
    conditions = (target.is_not(None), *condition)
    if dialect is Dialect.SQLITE:
        column = sa.select(shortened(read(target))).select_from(table).where(*conditions)
        check_first_values(database, names.blob, column, is_base64=names.is_base64)
    return Column(
        dialect=dialect,
        table=table,
        keys=tuple(table.c[name] for name in keys),
        has_integer_keys=all(isinstance(kind, sa.Integer) for kind in key_types),
        target=target,
        reads=(read(target), *(dialect.text_bytes(table.c[n]) for n in names.columns.names[1:])),
        columns=names.columns,
        is_base64=names.is_base64,
        limit=_limit_of(database, dialect, names, declared),
        is_fixed=isinstance(declared, sa.BINARY),
        preserved=tuple(table.c[name] for name in names.preserved),
        conditions=conditions,
    )


def find_keys(
    database: Database, dialect: Dialect, schema: str | None
) -> tuple[sa.TableClause, tuple[Expression, ...]]:
    """Return a table and the columns of its primary key. Raises `DatabaseError`."""
    found, keys = _table_of(database, schema)
    _check_key_types(database, dialect, keys, [found[key]["type"] for key in keys])
    table = _table_clause(database.name, schema, keys)
    _check_key_values(database, dialect, table, keys)
    return table, tuple(table.c[key] for key in keys)


def _table_clause(name: str, schema: str | None, columns: Sequence[str]) -> sa.TableClause:
    """Return a table with quoted names and without the types of a program.

    A type of a program (`TypeDecorator`) could decrypt or decode the ciphertext.
    """
    return sa.table(
        quoted_name(name, quote=True),
        *(sa.column(quoted_name(column, quote=True)) for column in columns),
        schema=None if schema is None else quoted_name(schema, quote=True),
    )


def _missing(name: str, schema: str | None) -> str:
    """Return the reason for a table that is not found; its name can contain the schema."""
    if schema is not None:
        return f"there is no such table in the schema {schema!r}"
    before, dot, after = name.rpartition(".")
    if dot:
        return f"there is no such table; give the table {after!r} and the schema {before!r}"
    return "there is no such table; in another schema, give the schema too"


def _table_of(
    database: Database, schema: str | None
) -> tuple[dict[str, ReflectedColumn], tuple[str, ...]]:
    """Return the columns of a table, and the names of its primary key. Raises `DatabaseError`."""
    name = database.name

    def look(inspector: sa.Inspector) -> tuple[list[ReflectedColumn], list[str], bool] | None:
        try:
            columns = inspector.get_columns(name, schema=schema)
        except NoSuchTableError:
            return None
        keys = inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]
        return columns, keys, name in inspector.get_view_names(schema=schema)

    found = database.inspect(look)
    if found is None:
        raise database.error(_missing(name, schema))
    columns, keys, is_view = found
    if is_view:
        raise database.error("a view; name the table")
    if not keys:
        raise database.error("there is no primary key, by which its rows are found")
    return {column["name"]: column for column in columns}, tuple(keys)


def _check_names(
    database: Database, names: Names, found: Mapping[str, ReflectedColumn], keys: tuple[str, ...]
) -> None:
    """Raise `DatabaseError` if a column is missing, or is part of the primary key."""
    for name in (*names.columns.names, *names.preserved):
        if name not in found:
            raise database.error(f"no column {name!r}; the columns are {quoted(list(found))}")
    for name in (names.blob, *names.preserved):
        if name in keys:
            raise database.error(f"column {name!r} is part of the primary key")
    for name in (names.blob, *names.preserved):
        if "computed" in found[name]:
            raise database.error(f"column {name!r} is generated")


def _check_key_types(
    database: Database, dialect: Dialect, keys: Sequence[str], kinds: Sequence[TypeEngine[Any]]
) -> None:
    """Raise `DatabaseError` if the table cannot be read in batches by its primary key."""
    for name, kind in zip(keys, kinds, strict=True):
        if not can_be_paged(dialect, kind):
            raise database.error(
                f"the key column {name!r} is of type {_name_of(kind)}, by which a table cannot be"
                " read in batches"
            )
    if dialect is Dialect.MYSQL and any(isinstance(kind, sa.String) for kind in kinds):
        check_character_set(database)


def _check_key_values(
    database: Database, dialect: Dialect, table: sa.TableClause, keys: Sequence[str]
) -> None:
    """Raise `DatabaseError` for a key with NULL, which only SQLite allows.

    Such a row is neither before nor after any other row, so that no batch would have it.
    """
    if dialect is Dialect.SQLITE:
        missing = sa.or_(*(table.c[key].is_(None) for key in keys))
        if database.read(sa.select(sa.true()).select_from(table).where(missing).limit(1)):
            raise database.error("a row has NULL in its primary key")


def _check_kinds(
    database: Database, dialect: Dialect, names: Names, found: Mapping[str, ReflectedColumn]
) -> None:
    """Raise `DatabaseError` if a column has another type than its content."""
    if dialect is Dialect.SQLITE:
        # There, each value has a type of its own.
        if names.is_base64 or names.columns.names[1:]:
            check_encoding(database)
        return
    kind = found[names.blob]["type"]
    if names.is_base64 is _is_binary(kind) or not (_is_binary(kind) or _is_text(kind)):
        encoding = "base64" if names.is_base64 else "binary"
        advice = "; give `encoding` base64" if _is_text(kind) else ""
        raise database.error(
            f"column {names.blob!r} is of type {_name_of(kind)}, which does not fit the encoding"
            f" {encoding!r}{advice}"
        )
    for name in names.columns.names[1:]:
        if _is_binary(found[name]["type"]):
            raise database.error(f"column {name!r} of a context is binary")


def _is_binary(kind: TypeEngine[Any]) -> bool:
    return isinstance(_base_of(kind), _BINARY)


def _is_text(kind: TypeEngine[Any]) -> bool:
    base = _base_of(kind)
    return isinstance(base, sa.String) and not isinstance(base, sa.Enum)


def _base_of(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return a type, or for a domain of PostgreSQL the type below it."""
    return kind.data_type if isinstance(kind, postgresql.DOMAIN) else kind


def _name_of(kind: TypeEngine[Any]) -> str:
    """Return the name of a type, also of one that SQLAlchemy does not know."""
    return type(kind).__name__ if isinstance(kind, sa.types.NullType) else str(kind)


def _limit_of(
    database: Database, dialect: Dialect, names: Names, kind: TypeEngine[Any]
) -> int | None:
    """Return the declared length of a column."""
    if dialect is Dialect.SQLITE:
        return None
    if dialect is Dialect.MYSQL:
        return length_in_mysql(database, names.schema, names.blob)
    length = getattr(_base_of(kind), "length", None)
    return length if isinstance(length, int) else None

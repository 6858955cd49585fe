"""The encodings and lengths of texts, asked from the database."""

from typing import Final

import sqlalchemy as sa

from kmscore.tables.database.transactions import Database

_UNICODE: Final = "utf8mb4"

_CHARACTER_SETS: Final = sa.text("SELECT @@character_set_client, @@character_set_results")

_LENGTH: Final = sa.text(
    "SELECT MIN(character_maximum_length) FROM information_schema.columns"
    " WHERE table_schema = :kms_schema AND table_name = :kms_table AND column_name = :kms_column"
)
"""There is one row, except that the names of two tables can differ in the case of letters."""


def check_character_set(database: Database) -> None:
    """Raise `DatabaseError` if MySQL could return a key of text as question marks.

    A batch would then begin after another key than that of the last row.
    """
    (found,) = database.read(_CHARACTER_SETS)
    if set(found) != {_UNICODE}:
        raise database.error(
            f"the primary key has text, so the connection must have the character set {_UNICODE};"
            f" add charset={_UNICODE} to the URL"
        )


def check_encoding(database: Database) -> None:
    """Raise `DatabaseError` if SQLite does not store texts in UTF-8."""
    ((encoding,),) = database.read(sa.text("PRAGMA encoding"))
    if encoding != "UTF-8":
        raise database.error(f"texts are stored in {encoding}, UTF-8 required")


def length_in_mysql(database: Database, schema: str | None, column: str) -> int | None:
    """Return the declared length of a column of MySQL. Raises `DatabaseError`.

    The number of characters in a TINYTEXT depends on its character set.
    """
    names = {
        "kms_schema": schema or database.inspect(lambda found: found.default_schema_name),
        "kms_table": database.name,
        "kms_column": column,
    }
    ((length,),) = database.read(_LENGTH, names)
    return None if length is None else int(length)

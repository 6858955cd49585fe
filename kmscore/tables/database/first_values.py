"""The encoding of the first ciphertexts of a column, which SQLite does not declare."""

from typing import Any, Final

import sqlalchemy as sa

from kmscore import bulk
from kmscore._base64 import decode_base64
from kmscore.tables.database.transactions import Database

_NUMBER: Final = 16


def check_first_values(
    database: Database, name: str, column: sa.Select[Any], *, is_base64: bool
) -> None:
    """Raise `DatabaseError` if the first values are all ciphertexts in the other encoding.

    Each row would fail, without the reason.
    """
    values = [bytes(value) for (value,) in database.read(column.limit(_NUMBER))]
    if not is_base64:
        values = [decode_base64(value) or b"" for value in values]
    counted = bulk.census(values)
    # All are blobs of v1, or look like blobs of the service.
    if values and counted.other == sum(counted.guesses.values()):
        form, other = ("bytes", "binary") if is_base64 else ("Base64", "base64")
        raise database.error(
            f"column {name!r} begins with ciphertexts in {form}; give `encoding` {other}"
        )

"""The rotation of a column of a live table."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import sqlalchemy as sa

from kmscore._typecheck import check_instance, check_optional_callable, check_positive
from kmscore.bulk import VersionOrder, reencrypt_many
from kmscore.bulk.conversion import MaybeProfile, conversion_of, keys_for
from kmscore.keyring import KeyProvider
from kmscore.lookup import check_provider, sealing_key
from kmscore.tables.database.arguments import check_names, is_base64
from kmscore.tables.database.batches import Reencrypt
from kmscore.tables.database.column import ContextColumns, Names, find_column
from kmscore.tables.database.dialects import Dialect
from kmscore.tables.database.errors import without_frames
from kmscore.tables.database.pace import Pace
from kmscore.tables.database.paging import WHOLE_TABLE, KeyRange, check_bounds, check_key_range
from kmscore.tables.database.passes import Plan, Rotation
from kmscore.tables.database.report import ColumnReport, OnBatch, OnFailure
from kmscore.tables.database.transactions import Database

DEFAULT_BATCH_ROWS: Final = 1000
DEFAULT_TARGET_SECONDS: Final = 0.5
DEFAULT_PASSES: Final = 3

_AMBIGUOUS: Final = "`kmscore rotate` takes those from a file, with --allow-ambiguous"


def reencrypt_column(
    engine: sa.Engine,
    keys: KeyProvider,
    destination_key_id: str,
    *,
    table: str,
    blob_column: str,
    schema: str | None = None,
    encoding: str = "binary",
    context_column: str | None = None,
    context_columns: ContextColumns = (),
    destination_context_column: str | None = None,
    where: str | None = None,
    preserve_columns: Sequence[str] = (),
    source_profile: MaybeProfile = None,
    verify: bool = False,
    upgrade_only: bool = False,
    order: VersionOrder | None = None,
    dry_run: bool = False,
    batch_rows: int = DEFAULT_BATCH_ROWS,
    target_seconds: float | None = DEFAULT_TARGET_SECONDS,
    rows_per_second: float | None = None,
    key_range: KeyRange = WHOLE_TABLE,
    passes: int = DEFAULT_PASSES,
    keep_going: bool = False,
    on_failure: OnFailure | None = None,
    on_batch: OnBatch | None = None,
) -> ColumnReport:
    """Re-encrypt the ciphertexts in a column of a live table, in place.

    Other programs can read and write the table at the same time. Each batch is read, re-encrypted
    while no transaction is open, and written in one short transaction. A new ciphertext is written
    only if the ciphertext and the contexts of its row are still those that were read. Otherwise the
    row keeps the value of the other program, and the next pass reads it again. This is correct at
    every isolation level. It needs no journal: after an interruption, the same call continues
    with the rows that are left.

    The database skips the rows that begin with the header of the destination version, so a second
    call reads nothing. These rows are not authenticated; with `verify` they are read too. A change
    of contexts also reads all rows, and a second call does not change them again.

    Args:
        engine: The engine of SQLAlchemy for SQLite, PostgreSQL, MySQL or MariaDB.
        keys: The provider of the source keys and of the destination key.
        destination_key_id: The ID of the destination key, a symmetric key.
        table: The name of the table, which must have a primary key. Views are rejected.
        blob_column: The name of the column of ciphertexts. Rows with NULL are left out.
        schema: The schema of the table (default `None`, the one of the connection).
        encoding: `binary` (default), or `base64` for a column of text.
        context_column: The column of the source contexts, each a JSON object (default `None`). NULL
            is the empty context. It excludes `context_columns`.
        context_columns: The columns of the pairs of the source context (default none): names that
            are also the keys, or a mapping of keys to names. A value is the text to which the
            database converts it; NULL leaves the pair out.
        destination_context_column: The column of the new contexts, each a JSON object (default
            `None`). A row without a value keeps its source context.
        where: A condition of SQL for the rows (default `None`, all rows). It must not come from
            another party.
        preserve_columns: The columns that are set to their own values (default none), so that MySQL
            does not change a column with `ON UPDATE CURRENT_TIMESTAMP`.
        source_profile: The layout and payload of the ciphertexts, a `kmscore.alibaba.Profile`
            (default `None`, v1). The results are v1 blobs.
        verify: Whether to read and authenticate also the rows that name the destination version
            (default `False`).
        upgrade_only: Whether to reject a ciphertext whose key version is newer than the destination
            version of the same key, or is of unknown age (default `False`).
        order: The key version IDs of each key ID, oldest first, for `upgrade_only`.
        dry_run: Whether to decrypt only, in one pass, and to write nothing (default `False`).
        batch_rows: The number of rows in the first batch (default 1,000).
        target_seconds: The duration of a write transaction to which the batches are adjusted
            (default 0.5). With `None`, each batch has `batch_rows` rows, or fewer large ones.
        rows_per_second: The maximum number of rows that are read in a second (default `None`). It
            is also the maximum number of rows in a batch.
        key_range: The range of primary keys (default `(None, None)`, the whole table), see
            `key_ranges`.
        passes: The maximum number of passes (default 3). Each reads the rows that remain.
        keep_going: Whether to go on if all of the first rows (1,000 or a few more) fail (default
            `False`). The rule holds for a larger column in which no row names the destination
            version yet, without `key_range` and `upgrade_only`. Empty ciphertexts do not count.
        on_failure: A function that is called with the primary key and the error code of each failed
            row (default `None`). It is called once for each of the first 100,000 failed rows, and
            for others once in each pass.
        on_batch: A function that is called with the progress after each batch (default `None`).

    Returns:
        The counts. Ciphertexts are under the destination version if `remaining` is 0.

    Raises:
        TypeError: If an argument has the wrong type; if `order` is given without `upgrade_only`; if
            `upgrade_only` is given without a `Keyring` or an `order`; or if `keys` returns an
            object that is not a key.
        ValueError: If `encoding` is unknown; if the kind of database is not supported; if the
            engine has a `schema_translate_map`; if a number is not positive; if `key_range` does
            not have two values; if a column or a key of the context is given twice; or if both
            `context_column` and `context_columns` are given.
        DatabaseError: If the table or a column does not exist or does not fit; if the table cannot
            be read in batches by its primary key; if all of the first rows fail and `keep_going`
            is `False`; or if the database rejects a statement, also after 10 attempts for a
            deadlock, a serialization failure or a busy database.
        KeyNotFoundError: If the destination key does not exist.
        IncorrectKeyError: If `keys` returns a destination key with another ID.
        KeyStateError: If the destination key is not enabled.
        KeyUsageError: If the destination key is asymmetric.
        InvalidKeyError: If a key version occurs twice in `order`, or if the source has the
            service's layout and two keys have the same key version ID.
        KeyVersionNotFoundError: If the destination version is not in `order`.
        Exception: Any other exception of `keys`, `on_failure` or `on_batch`, unchanged.
    """
    check_instance(engine, sa.Engine, "engine")
    names = Names(
        table=table,
        blob=blob_column,
        schema=schema,
        is_base64=is_base64(encoding),
        context=context_column,
        contexts=context_columns,
        destination_context=destination_context_column,
        where=where,
        preserved=preserve_columns,
    )
    check_names(names)
    check_key_range(key_range)
    check_instance(verify, bool, "verify")
    check_positive(passes, "passes")
    check_instance(keep_going, bool, "keep_going")
    check_optional_callable(on_failure, "on_failure")
    check_optional_callable(on_batch, "on_batch")
    pace = Pace(batch_rows, target_seconds, rows_per_second)
    check_provider(keys)
    conversion_of(source_profile, None, allow_ambiguous=False)
    reencrypt = partial(
        reencrypt_many,
        keys_for(keys, source_profile),
        destination_key_id=destination_key_id,
        upgrade_only=upgrade_only,
        order=order,
        dry_run=dry_run,
        source_profile=source_profile,
    )
    reencrypt(())  # checks the arguments, before the database is asked
    header = sealing_key(keys, destination_key_id).header
    changes_contexts = destination_context_column is not None
    plan = Plan(
        names=names,
        key_range=key_range,
        passes=passes,
        is_dry_run=dry_run,
        reads_all=verify or changes_contexts,
        changes_contexts=changes_contexts,
        ambiguous="" if source_profile is None or source_profile.is_v1 else _AMBIGUOUS,
        # Rows of newer versions fail too, and nothing is wrong then.
        keep_going=keep_going or upgrade_only,
        on_failure=on_failure,
        on_batch=on_batch,
    )
    return without_frames(lambda: _rotate(engine, plan, pace, header, reencrypt))


def _rotate(
    engine: sa.Engine, plan: Plan, pace: Pace, header: bytes, reencrypt: Reencrypt
) -> ColumnReport:
    """Find the column and rotate it. Raises the errors of `reencrypt_column`."""
    dialect = Dialect.of(engine)
    database = Database(engine, plan.names.table)
    column = find_column(database, dialect, plan.names)
    check_bounds(database, plan.key_range, len(column.keys))
    return Rotation(database, column, plan, pace, header).run(reencrypt)

"""Re-encrypt a column of a PostgreSQL table while other programs use it, and count the versions.

    pip install '.[database]' 'psycopg[binary]'  # in the root of a clone
    export KMSCORE_DATABASE_URL='postgresql+psycopg://USER:PASSWORD@HOST:5432/DATABASE'
    KMSCORE_PASSPHRASE=... python rotate_postgresql.py orders.keyring

The table: CREATE TABLE orders (id bigint PRIMARY KEY, tenant text NOT NULL, card bytea)
After an interruption, run it again. The exit code is 1 if a row has failed or remains.
"""

import json
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from kmscore import keyfile
from kmscore.tables import database


def show_progress(progress: database.ColumnProgress) -> None:
    """Show the number of rows after each batch."""
    print(f"{progress.rows} rows", file=sys.stderr)


def show_failure(primary_key: tuple[object, ...], code: str) -> None:
    """Show a row that keeps its ciphertext."""
    print(f"row {primary_key[0]}: {code}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: rotate_postgresql.py KEYRING", file=sys.stderr)
        sys.exit(2)
    keys = keyfile.open_keyring(
        Path(sys.argv[1]).read_bytes(), os.environ["KMSCORE_PASSPHRASE"].encode()
    )
    engine = sa.create_engine(os.environ["KMSCORE_DATABASE_URL"])
    report = database.reencrypt_column(
        engine,
        keys,
        "orders",
        table="orders",
        blob_column="card",
        context_columns=["tenant"],
        target_seconds=0.2,
        on_batch=show_progress,
        on_failure=show_failure,
    )
    print(json.dumps({"rewritten": report.rewritten, "remaining": report.remaining}))
    census = database.census_column(engine, keys, table="orders", blob_column="card")
    for header, number in census.versions.items():
        print(f"{header.key_id}, version {header.key_version_id}: {number}")
    engine.dispose()
    sys.exit(1 if report.failed or report.remaining else 0)

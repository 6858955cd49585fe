"""Re-encrypt and count the ciphertexts of whole tables: CSV, JSON Lines and Parquet files.

Import this package by name (`from kmscore import tables`). It reads and writes files, in contrast
to the packages below it. Parquet needs the extra `arrow`.
"""

from kmscore.tables.columns import Columns, Source
from kmscore.tables.counting import TableCensus, census, retirable_versions
from kmscore.tables.errors import TableError
from kmscore.tables.options import Options
from kmscore.tables.report import Progress, Report
from kmscore.tables.rotation import (
    check_columns,
    failed_path,
    forget_job,
    is_unfinished,
    rotate,
)

__all__ = [
    "Columns",
    "Options",
    "Progress",
    "Report",
    "Source",
    "TableCensus",
    "TableError",
    "census",
    "check_columns",
    "failed_path",
    "forget_job",
    "is_unfinished",
    "retirable_versions",
    "rotate",
]

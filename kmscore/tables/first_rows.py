"""A stop with a reason if all of the first rows of a table fail."""

from pathlib import Path

from kmscore.tables.columns import Columns
from kmscore.tables.counts import NO_CIPHERTEXT, Counts, failures
from kmscore.tables.errors import TableError
from kmscore.tables.table import Table, quoted


class AllRowsFailedError(TableError):
    """All of the first rows failed, so that an option or the keyring is probably wrong."""


def check_first_rows(counts: Counts, source: Path, table: Table, columns: Columns) -> None:
    """Raise `AllRowsFailedError` if all rows with a ciphertext in the first chunk failed."""
    failed = failures(counts)
    number = sum(failed.values())
    if number == 0 or number < counts.total() - counts[NO_CIPHERTEXT]:
        return
    codes = ", ".join(f"{number:,} {code}" for code, number in failed.items())
    reason = _reason(max(failed, key=failed.__getitem__), source, table, columns)
    raise AllRowsFailedError(
        f"{source}: all of the first {number:,} rows fail ({codes}): {reason}; --keep-going goes on"
    )


def _reason(code: str, source: Path, table: Table, columns: Columns) -> str:
    """Return the likely reason for the most frequent error code."""
    if code in {"decryption", "invalid_context"}:
        return _reason_in_contexts(code, source, table, columns)
    if code in {"key_not_found", "key_version_not_found"}:
        return "the keyring lacks the keys; `kmscore census` shows the key IDs"
    if code == "key_state":
        return "the key version is not enabled; `kmscore keys list` shows the states"
    if code == "invalid_blob":
        return f"column {columns.blob!r} probably has no ciphertexts of this library"
    return "the file of failed rows would have the reason for each"


def _reason_in_contexts(code: str, source: Path, table: Table, columns: Columns) -> str:
    """Return the likely reason for contexts that are wrong."""
    if columns.context is None and not columns.contexts:
        found = quoted(table.column_names(source))
        return f"no column of contexts is given; the columns are {found}"
    if code == "invalid_context" and columns.context is not None:
        return (
            f"column {columns.context!r} has other values than JSON objects of strings;"
            " --context-columns takes one pair of each column"
        )
    return "the columns of contexts, or the keys, are probably wrong"

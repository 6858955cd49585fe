"""A stop with a reason if all of the first rows of a table fail."""

from pathlib import Path
from typing import Final

from kmscore.tables.columns import Columns
from kmscore.tables.counts import Counts, failures
from kmscore.tables.errors import TableError
from kmscore.tables.options import Options
from kmscore.tables.table import Table, quoted

_LACKS_KEYS: Final = "the keyring lacks the keys; `kmscore census` shows the key IDs"
_REASONS: Final = {
    "key_not_found": _LACKS_KEYS,
    "key_version_not_found": _LACKS_KEYS,
    "key_state": "the key version is not enabled; `kmscore keys list` shows the states",
    "key_usage": "the keys have another suite or kind; `kmscore keys list` shows both",
}
"""The likely reason by error code, for codes whose reason is not in the table."""


class AllRowsFailedError(TableError):
    """All of the first rows failed, so that an option or the keyring is probably wrong."""


def check_first_rows(counts: Counts, source: Path, table: Table, options: Options) -> None:
    """Raise `AllRowsFailedError` if all rows of the first chunk failed."""
    failed = failures(counts)
    number = sum(failed.values())
    if number == 0 or number < counts.total():
        return
    codes = ", ".join(f"{number:,} {code}" for code, number in failed.items())
    reason = _reason(max(failed, key=failed.__getitem__), source, table, options)
    raise AllRowsFailedError(
        f"{source}: all of the first {number:,} rows fail ({codes}): {reason}; --keep-going goes on"
    )


def _reason(code: str, source: Path, table: Table, options: Options) -> str:
    """Return the likely reason for the most frequent error code."""
    columns = options.columns
    if code == "invalid_context" and _rejects_ambiguous(options):
        return (
            "the contexts are probably ambiguous in the layout of the service, where"
            " --allow-ambiguous accepts them"
        )
    if code in {"decryption", "invalid_context"}:
        return _reason_in_contexts(code, source, table, columns)
    if code == "invalid_blob":
        return f"column {columns.blob!r} probably has no ciphertexts of this library"
    return _REASONS.get(code, "the file of failed rows would have the reason for each")


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


def _rejects_ambiguous(options: Options) -> bool:
    """Return whether a layout is the service's, and ambiguous contexts are not accepted."""
    profiles = (options.source_profile, options.destination_profile)
    is_v1 = all(profile is None or profile.is_v1 for profile in profiles)
    return not is_v1 and not options.allow_ambiguous

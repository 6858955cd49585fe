"""A stop with a reason if all of the first rows of a table or a column fail."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from kmscore.bulk import KeyVersionName
from kmscore.tables.columns import Columns
from kmscore.tables.counts import NO_CIPHERTEXT, Counts, failures
from kmscore.tables.errors import TableError
from kmscore.tables.options import Options
from kmscore.tables.table import Table, quoted
from kmscore.tables.unusable_versions import version_names

_REASONS: Final = {
    "key_not_found": "the keyring lacks the keys",
    "key_version_not_found": "the keyring lacks the key versions",
    "key_state": "the key version is not enabled",
    "key_usage": "the keys have another suite or kind",
}
"""The likely reasons for codes that concern the keys."""


class AllRowsFailedError(TableError):
    """All of the first rows failed, so that an option or the keyring is probably wrong."""


class FirstRows(NamedTuple):
    """The first rows of a table or a column, all of which failed."""

    failed: Mapping[str, int]
    """The number of rows by error code."""

    columns: Columns
    column_names: Callable[[], Sequence[str]]
    """A function that returns the names of all columns."""

    unusable: tuple[KeyVersionName, ...]
    """The key versions that the rows name, if these are missing or not enabled."""

    ambiguous: str
    """What to do if a context is ambiguous in the layout of the service; empty if none can be."""

    others: Mapping[str, str]
    """The reasons for more codes."""

    otherwise: str
    """The reason for all other codes."""

    def describe(self) -> str:
        """Return the codes and the likely reason."""
        codes = ", ".join(f"{number:,} {code}" for code, number in self.failed.items())
        reason = self._reason(max(self.failed, key=self.failed.__getitem__))
        return (
            f"all of the first {sum(self.failed.values()):,} rows fail ({codes}): {reason};"
            " --keep-going goes on"
        )

    def _reason(self, code: str) -> str:
        """Return the likely reason for the most frequent error code."""
        if code in {"decryption", "invalid_context"}:
            return self._reason_in_contexts(code)
        if code in _REASONS:
            reason = _REASONS[code]
            if self.unusable:
                reason = f"key versions are missing or not enabled: {version_names(self.unusable)}"
            return f"{reason}; `kmscore keys list` shows those of the keyring"
        if code == "invalid_blob":
            return (
                f"column {self.columns.blob!r} probably has no ciphertexts of this library, or has"
                " them in an encoding that is not read, such as hexadecimal"
            )
        return self.others.get(code, self.otherwise)

    def _reason_in_contexts(self, code: str) -> str:
        """Return the likely reason for contexts that are wrong."""
        columns = self.columns
        if columns.context is None and not columns.contexts:
            found = quoted(self.column_names())
            return f"no column of contexts is given; the columns are {found}"
        reason = "the columns of contexts, or the keys, are probably wrong"
        if code == "invalid_context" and columns.context is not None:
            reason = (
                f"column {columns.context!r} has other values than JSON objects of strings"
                " (--context-columns takes one pair of each column)"
            )
        if code == "invalid_context" and self.ambiguous:
            reason += f", or contexts are ambiguous in the layout of the service; {self.ambiguous}"
        return reason


def check_first_rows(
    counts: Counts,
    unusable: tuple[KeyVersionName, ...],
    source: Path,
    table: Table,
    options: Options,
) -> None:
    """Raise `AllRowsFailedError` if all rows with a ciphertext in the first chunk failed."""
    failed = failures(counts)
    number = sum(failed.values())
    if number == 0 or number < counts.total() - counts[NO_CIPHERTEXT]:
        return
    rows = FirstRows(
        failed,
        options.columns,
        lambda: table.column_names(source),
        unusable,
        "--allow-ambiguous accepts those" if _rejects_ambiguous(options) else "",
        {},
        "the file of failed rows would have the reason for each",
    )
    raise AllRowsFailedError(f"{source}: {rows.describe()}")


def _rejects_ambiguous(options: Options) -> bool:
    """Return whether a layout is the service's, and ambiguous contexts are not accepted."""
    profiles = (options.source_profile, options.destination_profile)
    is_v1 = all(profile is None or profile.is_v1 for profile in profiles)
    return not is_v1 and not options.allow_ambiguous

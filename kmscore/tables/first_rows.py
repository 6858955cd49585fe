"""A stop with a reason if all of the first rows of a table or a column fail."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from kmscore.bulk import KeyVersionName
from kmscore.tables.columns import Columns
from kmscore.tables.counts import NO_CIPHERTEXT, Counts, failures
from kmscore.tables.errors import TableError
from kmscore.tables.table import Table, quoted
from kmscore.tables.unusable_versions import in_words


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

    census: str
    """The command that counts the key versions."""

    other_reasons: Mapping[str, str]
    """The reasons for other codes; that for the empty code is the reason for all others."""

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
        versions = in_words(self.unusable)
        if code in {"decryption", "invalid_context"}:
            return self._reason_in_contexts(code)
        if code in {"key_not_found", "key_version_not_found"}:
            lacked = versions or "the keys"
            return f"the keyring lacks {lacked}; `kmscore {self.census}` shows the key IDs"
        if code == "key_state":
            named = versions or "the key version"
            return f"{named} is not enabled; `kmscore keys list` shows the states"
        if code == "invalid_blob":
            return (
                f"column {self.columns.blob!r} probably has no ciphertexts of this library, or has"
                " them in an encoding that is not read, such as hexadecimal"
            )
        return self.other_reasons.get(code, self.other_reasons[""])

    def _reason_in_contexts(self, code: str) -> str:
        """Return the likely reason for contexts that are wrong."""
        columns = self.columns
        if columns.context is None and not columns.contexts:
            found = quoted(self.column_names())
            return f"no column of contexts is given; the columns are {found}"
        if code == "invalid_context" and columns.context is not None:
            return (
                f"column {columns.context!r} has other values than JSON objects of strings;"
                " --context-columns takes one pair of each column"
            )
        return "the columns of contexts, or the keys, are probably wrong"


def check_first_rows(
    counts: Counts,
    unusable: tuple[KeyVersionName, ...],
    source: Path,
    table: Table,
    columns: Columns,
) -> None:
    """Raise `AllRowsFailedError` if all rows with a ciphertext in the first chunk failed."""
    failed = failures(counts)
    number = sum(failed.values())
    if number == 0 or number < counts.total() - counts[NO_CIPHERTEXT]:
        return
    rows = FirstRows(
        failed,
        columns,
        lambda: table.column_names(source),
        unusable,
        "census",
        {"": "the file of failed rows would have the reason for each"},
    )
    raise AllRowsFailedError(f"{source}: {rows.describe()}")

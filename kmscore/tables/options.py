"""The options of a rotation."""

from dataclasses import dataclass, field
from typing import Any, final

from kmscore._values import Record
from kmscore.tables.columns import Columns


@final
@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Options(Record):
    """The instructions for every row of a rotation.

    Args:
        destination_key_id: The ID of the destination key, a symmetric key.
        columns: The names of the columns that are read.
        skip_current: Whether to leave ciphertexts of the primary version in their context as they
            are (default). They are decrypted all the same.
        upgrade_only: Whether to reject a ciphertext whose key version is newer than the primary
            version of the destination key (default `False`).
        delimiter: The delimiter of CSV, one ASCII character (default `,`).
        keep_going: Whether to go on if all of the first rows (4,096 or fewer) of a larger table
            fail (default `False`).
    """

    destination_key_id: str
    """The ID of the destination key."""

    columns: Columns = field(default_factory=Columns)
    """The names of the columns that are read."""

    skip_current: bool = True
    """Whether ciphertexts of the primary version in their context are left as they are."""

    upgrade_only: bool = False
    """Whether a ciphertext of a newer key version is rejected."""

    delimiter: str = ","
    """The delimiter of CSV."""

    keep_going: bool = False
    """Whether the job goes on if all of the first rows fail."""


def identity_of(options: Options, destination_version_id: str) -> dict[str, Any]:
    """Return the options that must be the same to resume a job, in values of JSON, by name."""
    columns = options.columns
    return {
        "blob column": columns.blob,
        "context column": columns.context,
        "context columns": [[key, name] for key, name in columns.pairs],
        "constants": dict(columns.constants),
        "destination context column": columns.destination_context,
        "source key": columns.source.key_id,
        "source version": columns.source.key_version_id,
        "source algorithm": columns.source.algorithm,
        "destination": f"{options.destination_key_id}/{destination_version_id}",
        "delimiter": options.delimiter,
        "skip current": options.skip_current,
        "upgrade only": options.upgrade_only,
    }

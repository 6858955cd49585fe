"""The options of a rotation."""

from dataclasses import dataclass, field, fields
from typing import Any, final

from kmscore._values import Record
from kmscore.bulk.conversion import MaybeProfile, conversion_of
from kmscore.keyring import KeyProvider
from kmscore.keys import SymmetricKey
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
        source_profile: The layout and payload of the ciphertexts, a `kmscore.alibaba.Profile`
            (default `None`, v1).
        destination_profile: The layout and payload of the new ciphertexts (default `None`, v1).
        allow_ambiguous: Whether to accept ambiguous contexts in the service's layout (default
            `False`).
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

    source_profile: MaybeProfile = None
    """The layout and payload of the ciphertexts."""

    destination_profile: MaybeProfile = None
    """The layout and payload of the new ciphertexts."""

    allow_ambiguous: bool = False
    """Whether ambiguous contexts are accepted in the service's layout."""


def _name_of(profile: MaybeProfile) -> str:
    """Return a text that is different for each profile."""
    if profile is None:
        return "v1"
    default = type(profile)(layout=profile.layout)
    changed = [
        f"{each.name}={getattr(profile, each.name)}"
        for each in fields(profile)
        if getattr(profile, each.name) != getattr(default, each.name)
    ]
    return " ".join([profile.layout.value, *changed])


def destination_of(keys: KeyProvider, options: Options) -> SymmetricKey:
    """Return the destination key version of a job. Raises the errors of `kmscore.lookup`."""
    layouts = conversion_of(
        options.source_profile,
        options.destination_profile,
        allow_ambiguous=options.allow_ambiguous,
    )
    return layouts.destination.find_destination(keys, options.destination_key_id)


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
        "source profile": _name_of(options.source_profile),
        "destination profile": _name_of(options.destination_profile),
        "allow ambiguous": options.allow_ambiguous,
        "skip current": options.skip_current,
        "upgrade only": options.upgrade_only,
    }

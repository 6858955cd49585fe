"""The key versions that the headers of failed rows name, if they are missing or not enabled."""

from typing import Final

from kmscore.blob import CiphertextBlob
from kmscore.bulk import Item, KeyVersionName
from kmscore.errors import (
    InvalidBlobError,
    KeyNotFoundError,
    KeyStateError,
    KeyVersionNotFoundError,
    KmsCoreError,
)

MAX_VERSIONS: Final = 10
"""Maximum number of versions that are kept; a header is not authenticated and can name any."""

_ERRORS: Final = (KeyNotFoundError, KeyVersionNotFoundError, KeyStateError)


class UnusableVersions:
    """The first key versions that failed rows name."""

    def __init__(self) -> None:
        """Start without any."""
        self._names: dict[KeyVersionName, None] = {}

    def add(self, item: Item, error: KmsCoreError) -> None:
        """Keep the key version of an item, if it has a v1 header and its key cannot be used."""
        if not isinstance(error, _ERRORS) or len(self._names) == MAX_VERSIONS:
            return
        try:
            blob = CiphertextBlob.parse(item.ciphertext_blob)
        except InvalidBlobError:
            return
        self._names[KeyVersionName(blob.key_id, blob.key_version_id)] = None

    @property
    def names(self) -> tuple[KeyVersionName, ...]:
        """The names, without repetition, in the order of the rows."""
        return tuple(self._names)


def version_names(names: tuple[KeyVersionName, ...]) -> str:
    """Return the names as one text."""
    return ", ".join(f"version {each.key_version_id} of key {each.key_id}" for each in names)

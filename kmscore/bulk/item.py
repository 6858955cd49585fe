"""The input and output of a re-encryption job: items, outcomes and statuses."""

from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple

from kmscore._typecheck import BytesLike
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.context import ContextLike
from kmscore.errors import KmsCoreError


class KeepContext(Enum):
    """The type of `KEEP_CONTEXT`.

    It is an enum with one member, because a member that is pickled keeps its identity in another
    process.
    """

    KEEP_CONTEXT = "the source's encryption context"
    """The only member, which makes the source context the destination context."""


KEEP_CONTEXT: Final = KeepContext.KEEP_CONTEXT
"""The destination context of an item that keeps its source context (default).

`None` is the empty context.
"""


class Status(StrEnum):
    """The result of one item."""

    REWRITTEN = "rewritten"
    """The item was decrypted and encrypted again; in a dry run, it was decrypted only."""

    UNCHANGED = "unchanged"
    """The item is authentic under the destination, and its bytes are returned unchanged."""

    FAILED = "failed"
    """The item was rejected; the outcome has the error."""


class Item(NamedTuple):
    """One ciphertext to re-encrypt, with the arguments of `kmscore.reencrypt` for it."""

    reference: Any
    """Any value that identifies the item for the caller; the outcome has it unchanged."""

    ciphertext_blob: BytesLike
    """A v1 blob of at most 6,701 bytes; with `source_algorithm`, an asymmetric ciphertext."""

    source_context: ContextLike = None
    """The encryption context of the source (default `None`, the empty context).

    It must be empty if `source_algorithm` is given.
    """

    destination_context: "ContextLike | KeepContext" = KEEP_CONTEXT
    """The encryption context of the result (default `KEEP_CONTEXT`, the source context).

    `None` is the empty context.
    """

    source_key_id: str | None = None
    """The expected ID of the source key (default `None`, any key).

    For a v1 blob it must equal the key ID in the header. It is required with `source_algorithm`.
    """

    source_key_version_id: str | None = None
    """The expected ID of the source key version (default `None`, any version).

    For a v1 blob it must equal the key version ID in the header. It is required with
    `source_algorithm`.
    """

    source_algorithm: EncryptionAlgorithm | str | None = None
    """The algorithm of an asymmetric ciphertext; `None` (default) for a v1 blob."""


class Outcome(NamedTuple):
    """The result of one item."""

    status: Status
    """The kind of result."""

    reference: Any
    """The `reference` of the item."""

    ciphertext_blob: bytes | None
    """The v1 blob to keep, at most 6,701 bytes.

    It is `None` for a failed item, and for an item that a dry run would rewrite.
    """

    error: KmsCoreError | None
    """The error of a failed item, without traceback, cause and context; otherwise `None`."""

    source_key_id: str | None
    """The ID of the key that decrypted the item.

    It is `None` for a failed item, because its header is not authenticated.
    """

    source_key_version_id: str | None
    """The ID of the key version that decrypted the item; `None` for a failed item."""

    destination_key_id: str
    """The ID of the destination key of the job, for failed items too."""

    destination_key_version_id: str
    """The ID of the destination key version of the job, for failed items too."""

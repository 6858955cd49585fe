"""What goes into a job and what comes out: items, outcomes, and their vocabulary."""

from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple

from kmscore._typecheck import BytesLike
from kmscore.algorithms import EncryptionAlgorithm
from kmscore.context import ContextLike
from kmscore.errors import KmsCoreError


class KeepContext(Enum):
    """The type of `KEEP_CONTEXT`: an enum of one, so that it is itself in other processes too."""

    KEEP_CONTEXT = "the source's encryption context"


KEEP_CONTEXT: Final = KeepContext.KEEP_CONTEXT
"""As a destination context: the source's, which a rotation keeps. `None` is the empty one."""


class Status(StrEnum):
    """What became of an item."""

    REWRITTEN = "rewritten"
    """It was opened, and sealed afresh; in a dry run, it would have been sealed."""

    UNCHANGED = "unchanged"
    """It is authentic where it belongs already: its very bytes come back."""

    FAILED = "failed"
    """It was refused, for the reason that the error gives."""


class Item(NamedTuple):
    """One ciphertext to re-encrypt, with what `kmscore.reencrypt` takes for it."""

    reference: Any
    """Whatever tells the caller which item this is; handed back as it is, never looked at."""

    ciphertext_blob: BytesLike
    """A v1 blob of at most 6,701 bytes, or beside `source_algorithm` a bare ciphertext."""

    source_context: ContextLike = None
    destination_context: "ContextLike | KeepContext" = KEEP_CONTEXT
    source_key_id: str | None = None
    source_key_version_id: str | None = None
    source_algorithm: EncryptionAlgorithm | str | None = None


class Outcome(NamedTuple):
    """What became of one item. It names no source that was not authenticated."""

    status: Status
    reference: Any
    """The item's."""

    ciphertext_blob: bytes | None
    """The v1 blob to keep; `None` for what failed, and for what a dry run would rewrite."""

    error: KmsCoreError | None
    """Why it failed, without traceback, cause and context; else `None`."""

    source_key_id: str | None
    """The key that opened it; `None` for what failed, whose header is nothing but a claim."""

    source_key_version_id: str | None
    """The key version that opened it; `None` for what failed."""

    destination_key_id: str
    destination_key_version_id: str

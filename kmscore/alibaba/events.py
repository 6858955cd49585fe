"""The record of one call, for an audit log."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

SUCCESS = "OK"
"""The code of a call that succeeded."""

_MOST_CHARACTERS: Final = 64  # of the name of an action


class Event(NamedTuple):
    """One call: who used which keys, and with which outcome. It contains no plaintext.

    A key is the one that the request names, also if it does not exist or is not allowed; `None` for
    a name of more than 512 characters, or with one that is not printable. A version is known only
    after the operation.
    """

    request_id: str
    """The request ID in the response."""

    principal: Any
    """The caller; `None` before authentication."""

    action: str
    """The action that the request names, also if it is not supported.

    It is empty if it is missing, and before authentication. It is also empty for a name of more
    than 64 characters, or with one that is not printable.
    """

    code: str
    """`OK`, or the error code of the response."""

    is_dry_run: bool = False
    """Whether the call is a dry run, whose code is never `OK`."""

    source_key_id: str | None = None
    """The key that decrypts, by ID or by the name in the request."""

    source_key_version_id: str | None = None
    """The version of the key that decrypted."""

    destination_key_id: str | None = None
    """The key that encrypts, by ID or by the name in the request."""

    destination_key_version_id: str | None = None
    """The version of the key that encrypted."""

    contexts: Mapping[str, Mapping[str, str]] | None = None
    """The encryption contexts by the name of their parameter; `None` unless asked for."""


def recorded_action(name: str | None) -> str:
    """Return the name of an action as a record has it."""
    if name is None or len(name) > _MOST_CHARACTERS or not name.isprintable():
        return ""
    return name


class Uses:
    """The keys that one call uses, noted while it runs."""

    __slots__ = ("destination", "source")

    def __init__(self) -> None:
        """Create an empty note."""
        self.source: tuple[str | None, str | None] = (None, None)
        self.destination: tuple[str | None, str | None] = (None, None)

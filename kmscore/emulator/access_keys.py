"""Access keys with their secrets, and the nonces that they have used."""

import re
import threading
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from typing import Final

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Secret, representation
from kmscore.alibaba.http_request import ParsedRequest, RejectedRequest
from kmscore.alibaba.signatures import VerifiedRequest, verify

ANONYMOUS_CALLER = "anonymous"
"""The access key ID of every request without verification, for policy, limit and records."""

_ID: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")  # as `verify` has it, without comma


class AccessKeys(Secret):
    """A verifier of signatures with known access keys, for `wsgi_app`. Threads can share it."""

    __slots__ = ("_expiries", "_lock", "_nonces", "_secrets")

    _secrets: dict[str, str]
    _nonces: set[tuple[str, str]]
    _expiries: list[tuple[datetime, tuple[str, str]]]
    _lock: threading.Lock

    def __init__(self, secrets: dict[str, str]) -> None:
        """Create a verifier.

        Args:
            secrets: The secrets by access key ID. An ID has 1 to 128 printable ASCII characters
                without space and comma. A secret has 1 or more characters.

        Raises:
            TypeError: If `secrets` is not a mapping of texts.
            ValueError: If an ID or a secret is malformed, so that no request could be verified.
        """
        check_mapping(secrets, "secrets")
        for name, secret in secrets.items():
            check_text(name, "an access key ID")
            check_text(secret, "a secret")
            if not _is_usable(name, secret):
                raise ValueError("an access key is malformed")
        self._set(_secrets=dict(secrets), _nonces=set(), _expiries=[], _lock=threading.Lock())

    @classmethod
    def from_text(cls, text: str) -> "AccessKeys":
        """Read access keys from a text with `ID:SECRET`, separated by white space.

        Args:
            text: The text.

        Returns:
            The access keys.

        Raises:
            ValueError: If there is no access key, or if one is malformed or occurs twice. The
                message has the number of the item, and no secret.
        """
        secrets: dict[str, str] = {}
        for number, item in enumerate(text.split(), 1):
            name, _, secret = item.partition(":")
            if not _is_usable(name, secret):
                raise ValueError(f"access key {number}: not ID:SECRET")
            if name in secrets:
                raise ValueError(f"access key {number}: its ID occurs twice")
            secrets[name] = secret
        if not secrets:
            raise ValueError("no access key; give ID:SECRET")
        return cls(secrets)

    @property
    def ids(self) -> list[str]:
        """The IDs of the access keys."""
        return list(self._secrets)

    def __call__(
        self, parsed: ParsedRequest | RejectedRequest, now: datetime
    ) -> VerifiedRequest | RejectedRequest:
        """Verify the signature, the date and the nonce of a request.

        Args:
            parsed: The request.
            now: The present time, with a time zone.

        Returns:
            The verified request, or its rejection.
        """
        return verify(parsed, self._secrets.get, now=now, is_fresh=partial(self._is_fresh, now))

    def _is_fresh(
        self, now: datetime, access_key_id: str, nonce: str, expires: datetime | None
    ) -> bool:
        """Record a nonce; return whether it is new. Expired nonces are forgotten."""
        used = (access_key_id, nonce)
        with self._lock:
            # The heap begins with the nonce that expires first, so that none other is looked at.
            while self._expiries and self._expiries[0][0] < now:
                self._nonces.discard(heappop(self._expiries)[1])
            if used in self._nonces:
                return False
            self._nonces.add(used)
            heappush(self._expiries, (expires or now, used))
        return True

    @representation
    def __repr__(self) -> str:
        """Return the number of access keys."""
        return f"<AccessKeys {len(self._secrets)}>"


def _is_usable(name: str, secret: str) -> bool:
    """Return whether requests can be verified with an access key."""
    # A variable of the environment with other bytes than UTF-8 has surrogates.
    is_utf8 = secret.encode("utf-8", "replace").decode("utf-8") == secret
    return _ID.fullmatch(name) is not None and secret != "" and is_utf8


def accept_all(parsed: ParsedRequest, now: datetime) -> VerifiedRequest:  # noqa: ARG001 (of `wsgi_app`)
    """Accept every request, also without a signature, as the caller `anonymous`.

    Args:
        parsed: The request.
        now: Not used.

    Returns:
        The request with all its parameters.
    """
    return VerifiedRequest(parsed.parameters, access_key_id=ANONYMOUS_CALLER)

"""Access keys with their secrets, and the nonces that they have used."""

import threading
from datetime import datetime
from functools import partial

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Secret, representation
from kmscore.alibaba.http_request import ParsedRequest, RejectedRequest
from kmscore.alibaba.signatures import VerifiedRequest, verify

ANONYMOUS_CALLER = "anonymous"
"""The access key ID of every request without verification, for policy, limit and records."""


class AccessKeys(Secret):
    """A verifier of signatures with known access keys, for `wsgi_app`. Threads can share it."""

    __slots__ = ("_lock", "_nonces", "_secrets")

    _secrets: dict[str, str]
    _nonces: dict[tuple[str, str], datetime]
    _lock: threading.Lock

    def __init__(self, secrets: dict[str, str]) -> None:
        """Create a verifier.

        Args:
            secrets: The secrets by access key ID.

        Raises:
            TypeError: If `secrets` is not a mapping of texts.
        """
        check_mapping(secrets, "secrets")
        for name, secret in secrets.items():
            check_text(name, "an access key ID")
            check_text(secret, "a secret")
        self._set(_secrets=dict(secrets), _nonces={}, _lock=threading.Lock())

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
            if not name or not secret:
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
        with self._lock:
            for used in [each for each, until in self._nonces.items() if until < now]:
                del self._nonces[used]
            is_new = (access_key_id, nonce) not in self._nonces
            self._nonces[access_key_id, nonce] = expires or now
        return is_new

    @representation
    def __repr__(self) -> str:
        """Return the number of access keys."""
        return f"<AccessKeys {len(self._secrets)}>"


def accept_all(parsed: ParsedRequest, now: datetime) -> VerifiedRequest:  # noqa: ARG001 (of `wsgi_app`)
    """Accept every request, also without a signature, as the caller `anonymous`.

    Args:
        parsed: The request.
        now: Not used.

    Returns:
        The request with all its parameters.
    """
    return VerifiedRequest(parsed.parameters, access_key_id=ANONYMOUS_CALLER)

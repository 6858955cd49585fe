"""The verification of signed requests: signature, date and nonce. It has no clock and no cache.

The order of the checks: access key, form of the signature, signature, date, nonce. An unsigned
request therefore never reaches the cache of the nonces.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Final, Never, TypeAlias, final

from kmscore._typecheck import check_instance
from kmscore._values import Secret, representation
from kmscore.alibaba.http_request import VERSION, ParsedRequest, RejectedRequest
from kmscore.alibaba.parameter_names import ACTION
from kmscore.alibaba.service_errors import EXPIRED, NONCE_USED, RequestError
from kmscore.alibaba.signature_schemes import Scheme, SecretOf, verify_acs3, verify_rpc

_DATE: Final = re.compile(  # without 24:00:00, which Python 3.14 also parses
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII
)


class _AnyDate(Enum):
    ANY_DATE = "any date"


ANY_DATE: Final = _AnyDate.ANY_DATE
"""Passed as `now`, it accepts every date. For tests with recorded requests."""


def ACCEPT_REPLAYS(access_key_id: str, nonce: str, expires: datetime | None) -> bool:  # noqa: ARG001, N802
    """Accept a request that was sent before. For tests, and for a server behind another check.

    Args:
        access_key_id: Not used.
        nonce: Not used.
        expires: Not used.

    Returns:
        Always `True`.
    """
    return True


IsFresh: TypeAlias = Callable[[str, str, "datetime | None"], bool]
"""A callable that returns `True` if an access key used a nonce for the first time, and records it.

It takes the access key ID, the nonce (1 to 128 bytes in UTF-8), and the time until which to keep
the nonce. With `ANY_DATE`, this time is `None`, and there is no such time. It is called only for a
request with a right signature and date.
"""


@final
class VerifiedRequest(Secret):
    """A request whose signature is right, with the parameters that the signature covers.

    A parameter can be a plaintext, so `pickle` and `copy` raise `TypeError`, and `repr` shows only
    the access key and the action. Two requests are equal if all attributes are.
    """

    __slots__ = ("access_key_id", "action", "parameters", "scheme", "security_token", "version")

    access_key_id: str | None
    """The ID of the access key; `None` for a request of `ANONYMOUS`."""

    scheme: Scheme | None
    """The scheme of the signature; `None` for a request of `ANONYMOUS`."""

    action: str
    """The action."""

    version: str
    """The version of the API, `2016-01-20`."""

    security_token: str | None
    """The signed token of temporary credentials (STS), which is not checked here; or `None`."""

    parameters: Mapping[str, object]
    """The parameters that are signed, with `Action`, for `KmsApi.call`."""

    def __init__(
        self,
        parameters: Mapping[str, object],
        *,
        access_key_id: str | None = None,
        scheme: Scheme | None = None,
        security_token: str | None = None,
    ) -> None:
        """Create a request from its parts.

        Args:
            parameters: The parameters, with `Action`.
            access_key_id: The ID of the access key.
            scheme: The scheme of the signature.
            security_token: The token of temporary credentials.
        """
        self._set(
            parameters=MappingProxyType(dict(parameters)),
            access_key_id=access_key_id,
            scheme=scheme,
            action=str(parameters[ACTION]),
            version=VERSION,
            security_token=security_token,
        )

    def __eq__(self, other: object) -> bool:
        """Return whether another request has equal attributes."""
        if not isinstance(other, VerifiedRequest):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> Never:
        """Raise `TypeError`, because a parameter can be a mapping."""
        raise TypeError("VerifiedRequest is not hashable")

    @representation
    def __repr__(self) -> str:
        """Return the access key and the action."""
        return f"<VerifiedRequest {self.access_key_id!r} {self.action!r:.80}>"


def verify(
    parsed: ParsedRequest | RejectedRequest,
    secret_of: SecretOf,
    *,
    now: "datetime | _AnyDate",
    is_fresh: IsFresh,
    window: timedelta = timedelta(minutes=15),
) -> VerifiedRequest | RejectedRequest:
    """Verify the signature of a request.

    Args:
        parsed: The result of `parse`. A rejected request is returned unchanged.
        secret_of: A callable that returns the secret of an access key ID, or `None`. An empty
            secret is rejected, because every person knows it.
        now: The present time, with a time zone; or `ANY_DATE`.
        is_fresh: A callable that returns whether a nonce is new, and records it; or
            `ACCEPT_REPLAYS`.
        window: The maximum difference of the date of the request and `now`, both in the past and
            in the future (default 15 minutes).

    Returns:
        The request with the signed parameters, or its rejection. The codes of rejections are
        `InvalidAccessKeyId.NotFound`, `IncompleteSignature`, `SignatureDoesNotMatch`,
        `InvalidTimeStamp.Expired` and `SignatureNonceUsed`, in the order of the checks.

    Raises:
        TypeError: If an argument has the wrong type, or if `now` has no time zone.
        Exception: Any exception of `secret_of` or `is_fresh`.
    """
    if isinstance(parsed, RejectedRequest):
        return parsed
    check_instance(parsed, ParsedRequest, "parsed")
    check_instance(window, timedelta, "window")
    if not isinstance(now, _AnyDate):
        check_instance(now, datetime, "now")
        if now.utcoffset() is None:
            raise TypeError("now must have a time zone")
    try:
        is_acs3 = "authorization" in parsed.headers
        signed = verify_acs3(parsed, secret_of) if is_acs3 else verify_rpc(parsed, secret_of)
        expires = None if isinstance(now, _AnyDate) else _check_date(signed.date, now, window)
    except RequestError as error:
        return RejectedRequest(error.fault, parsed.as_xml)
    if is_fresh(signed.access_key_id, signed.nonce, expires) is not True:
        return RejectedRequest(NONCE_USED, parsed.as_xml)
    return VerifiedRequest(
        signed.parameters,
        access_key_id=signed.access_key_id,
        scheme=signed.scheme,
        security_token=signed.security_token,
    )


def _check_date(text: str, now: datetime, window: timedelta) -> datetime:
    """Return the time until which a request with this date is accepted. Raises `RequestError`."""
    if _DATE.fullmatch(text) is not None:
        with suppress(ValueError, OverflowError):
            date = datetime.fromisoformat(text)
            if abs(now - date) <= window:
                return date + window
    raise RequestError(EXPIRED)

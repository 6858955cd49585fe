"""The verification of the two signatures of requests (ACS3 and RPC). It has no clock and no cache.

=================  ===========================================================================
Scheme             Signed
=================  ===========================================================================
ACS3-HMAC-SHA256   Method, path, query, the headers in `SignedHeaders`, and the body.
RPC 1.0            Method, and the parameters of query and form. No header, so also not `Host`.
=================  ===========================================================================

The order of the checks: access key, form of the signature, signature, date, nonce. An unsigned
request therefore never reaches the cache of the nonces.
"""

import base64
import hmac
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple, Never, TypeAlias, final
from urllib.parse import quote

from kmscore._typecheck import check_instance
from kmscore._values import Secret, representation
from kmscore.alibaba.http_request import VERSION, Pairs, ParsedRequest, RejectedRequest
from kmscore.alibaba.parameter_names import ACTION
from kmscore.alibaba.service_errors import (
    ACCESS_KEY_NOT_FOUND,
    EXPIRED,
    NONCE_USED,
    SIGNATURE_DOES_NOT_MATCH,
    RequestError,
    incomplete_signature,
)

MAX_NONCE_LENGTH: Final = 128
"""Maximum bytes of a nonce, which a cache has to keep."""

_ACCESS_KEY_ID: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")
_AUTHORIZATION: Final = re.compile(
    r"ACS3-HMAC-SHA256 Credential=([^,]*), ?SignedHeaders=([^,]*), ?Signature=([0-9a-f]{64})"
)
_CREDENTIAL: Final = re.compile(r"[A-Z0-9-]+ Credential=([^,]*)(?:,|\Z)")
_DATE: Final = re.compile(  # without 24:00:00, which Python 3.14 also parses
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII
)
_MUST_SIGN: Final = frozenset(
    {
        *("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date"),
        *("x-acs-signature-nonce", "x-acs-version"),
    }
)
_RPC_DIGESTS: Final = MappingProxyType({"HMAC-SHA1": ("sha1", 20), "HMAC-SHA256": ("sha256", 32)})


class Scheme(Enum):
    """A scheme of signatures."""

    ACS3_HMAC_SHA256 = "ACS3-HMAC-SHA256"
    RPC_HMAC_SHA1 = "HMAC-SHA1"
    RPC_HMAC_SHA256 = "HMAC-SHA256"


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


SecretOf: TypeAlias = Callable[[str], "str | bytes | None"]
"""A callable that returns the secret of an access key ID, or `None` if there is no such access key.

The ID comes from the request: 1 to 128 printable ASCII characters without space and comma. An ID in
other letter case is another ID. ACS3 does not sign the ID, so a lookup that ignores case would let
a nonce be used again.
"""

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
        signed = _acs3(parsed, secret_of) if is_acs3 else _rpc(parsed, secret_of)
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


class _Signed(NamedTuple):
    """The signed parts of a request with a right signature."""

    access_key_id: str
    scheme: Scheme
    date: str
    nonce: str
    security_token: str | None
    parameters: dict[str, str]


def _acs3(parsed: ParsedRequest, secret_of: SecretOf) -> _Signed:
    """Check the signature in the header `Authorization`. Raises `RequestError`."""
    headers = parsed.headers
    authorization = headers["authorization"]
    credential = _CREDENTIAL.match(authorization)
    access_key_id = "" if credential is None else credential[1]
    secret = _secret(access_key_id, secret_of)
    match = _AUTHORIZATION.fullmatch(authorization)
    if match is None:
        raise RequestError(incomplete_signature("the header authorization is malformed"))
    names = match[2].split(";")
    due = _MUST_SIGN | {name for name in headers if name.startswith("x-acs-")}
    if "content-type" in headers:
        due |= {"content-type"}
    # Sorted and without repetition: one list of names for one set of headers.
    if names != sorted(set(names)) or not headers.keys() >= set(names):
        raise RequestError(incomplete_signature("SignedHeaders is not a sorted list of headers"))
    for name in sorted(due.difference(names)):
        raise RequestError(incomplete_signature(f"the header {name:.80} is not signed"))
    nonce = _nonce(headers["x-acs-signature-nonce"])
    digest = sha256(parsed.body).hexdigest()
    canonical = "\n".join(
        (
            *(parsed.method, "/", _canonical(parsed.query)),
            *(f"{name}:{headers[name]}" for name in names),
            *("", match[2], digest),
        )
    )
    # The values of headers are texts in Latin-1, so that these are the bytes that were sent.
    hashed = sha256(canonical.encode("latin-1")).hexdigest()
    text = f"{Scheme.ACS3_HMAC_SHA256.value}\n{hashed}".encode("ascii")
    right = hmac.digest(secret, text, "sha256").hex()
    is_body = hmac.compare_digest(
        digest.encode(), headers["x-acs-content-sha256"].encode("latin-1")
    )
    if not (hmac.compare_digest(right, match[3]) and is_body):
        raise RequestError(SIGNATURE_DOES_NOT_MATCH)
    return _Signed(
        access_key_id,
        Scheme.ACS3_HMAC_SHA256,
        headers["x-acs-date"],
        nonce,
        headers.get("x-acs-security-token"),
        dict(parsed.parameters),
    )


def _rpc(parsed: ParsedRequest, secret_of: SecretOf) -> _Signed:
    """Check the signature in the parameter `Signature`. Raises `RequestError`."""
    # Only what is signed is read: pairs of query and form. `parameters` also has headers.
    pairs = (*parsed.query, *(parsed.form or ()))
    given = dict(pairs)
    access_key_id = given.get("AccessKeyId", "")
    secret = _secret(access_key_id, secret_of) if access_key_id else b""
    method = given.get("SignatureMethod", "")
    for is_right, reason in (
        (bool(access_key_id), "there is no access key ID"),
        (method in _RPC_DIGESTS, "SignatureMethod must be HMAC-SHA1 or HMAC-SHA256"),
        (given.get("SignatureVersion") == "1.0", "SignatureVersion must be 1.0"),
        (bool(given.get(ACTION)), "the parameter Action is not signed"),
        (given.get("Version") == VERSION, "the parameter Version is not signed"),
        ("Timestamp" in given, "there is no Timestamp"),
        # Another body than a form is not signed.
        (parsed.form is not None, "a body must be a form"),
    ):
        if not is_right:
            raise RequestError(incomplete_signature(reason))
    name, length = _RPC_DIGESTS[method]
    signature = given.pop("Signature", "")
    if len(signature) != 4 * -(-length // 3) or not signature.isascii():
        raise RequestError(incomplete_signature("Signature has another length"))
    nonce = _nonce(given.get("SignatureNonce", ""))
    canonical = _canonical(tuple(given.items()))
    text = f"{parsed.method}&%2F&{quote(canonical, safe='~')}".encode("ascii")
    right = base64.b64encode(hmac.digest(secret + b"&", text, name))
    if not hmac.compare_digest(right, signature.encode("ascii")):
        raise RequestError(SIGNATURE_DOES_NOT_MATCH)
    return _Signed(
        access_key_id,
        Scheme(method),
        given["Timestamp"],
        nonce,
        given.get("SecurityToken"),
        dict(given),
    )


def _secret(access_key_id: str, secret_of: SecretOf) -> bytes:
    """Return the secret of an access key. Raises `RequestError` if there is none."""
    if _ACCESS_KEY_ID.fullmatch(access_key_id) is None:
        missing = incomplete_signature("there is no access key ID")
        raise RequestError(ACCESS_KEY_NOT_FOUND if access_key_id else missing)
    secret = secret_of(access_key_id)
    if secret is not None and not isinstance(secret, str | bytes):
        raise TypeError(f"secret_of() must return str, bytes or None, not {type(secret).__name__}")
    if not secret:
        raise RequestError(ACCESS_KEY_NOT_FOUND)
    return secret.encode("utf-8") if isinstance(secret, str) else secret


def _nonce(nonce: str) -> str:
    """Return a nonce of 1 to 128 bytes. Raises `RequestError`."""
    if not 1 <= len(nonce.encode("utf-8")) <= MAX_NONCE_LENGTH:
        raise RequestError(incomplete_signature(f"a nonce has 1 to {MAX_NONCE_LENGTH} bytes"))
    return nonce


def _canonical(pairs: Pairs) -> str:
    """Return the pairs in the form that is signed: sorted and percent-encoded."""
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(pairs)
    )


def _check_date(text: str, now: datetime, window: timedelta) -> datetime:
    """Return the time until which a request with this date is accepted. Raises `RequestError`."""
    if _DATE.fullmatch(text) is not None:
        with suppress(ValueError, OverflowError):
            date = datetime.fromisoformat(text)
            if abs(now - date) <= window:
                return date + window
    raise RequestError(EXPIRED)

"""The two schemes of signatures of requests, ACS3 and RPC: their forms and the text that is signed.

=================  ===========================================================================
Scheme             Signed
=================  ===========================================================================
ACS3-HMAC-SHA256   Method, path, query, the headers in `SignedHeaders`, and the body.
RPC 1.0            Method, and the parameters of query and form. No header, so also not `Host`.
=================  ===========================================================================
"""

import base64
import hmac
import re
from collections.abc import Callable
from enum import Enum
from hashlib import sha256
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import quote

from kmscore.alibaba.http_request import VERSION, ParsedRequest
from kmscore.alibaba.parameter_names import ACTION
from kmscore.alibaba.request_pairs import Pairs
from kmscore.alibaba.service_errors import (
    ACCESS_KEY_NOT_FOUND,
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
_MUST_SIGN: Final = frozenset(
    {
        *("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date"),
        *("x-acs-signature-nonce", "x-acs-version"),
    }
)
# The digest, and the length of a signature in Base64.
_RPC_DIGESTS: Final = MappingProxyType({"HMAC-SHA1": ("sha1", 28), "HMAC-SHA256": ("sha256", 44)})


class Scheme(Enum):
    """A scheme of signatures."""

    ACS3_HMAC_SHA256 = "ACS3-HMAC-SHA256"
    RPC_HMAC_SHA1 = "HMAC-SHA1"
    RPC_HMAC_SHA256 = "HMAC-SHA256"


SecretOf: TypeAlias = Callable[[str], "str | bytes | None"]
"""A callable that returns the secret of an access key ID, or `None` if there is no such access key.

The ID comes from the request: 1 to 128 printable ASCII characters without space and comma. An ID in
other letter case is another ID. ACS3 does not sign the ID, so a lookup that ignores case would let
a nonce be used again.
"""


class Signed(NamedTuple):
    """The signed parts of a request with a right signature."""

    access_key_id: str
    scheme: Scheme
    date: str
    nonce: str
    security_token: str | None
    parameters: dict[str, str]


def verify_acs3(parsed: ParsedRequest, secret_of: SecretOf) -> Signed:
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
    if parsed.body and "content-type" in headers:  # the type of an empty body has no effect
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
    return Signed(
        access_key_id,
        Scheme.ACS3_HMAC_SHA256,
        headers["x-acs-date"],
        nonce,
        headers.get("x-acs-security-token"),
        dict(parsed.parameters),
    )


def verify_rpc(parsed: ParsedRequest, secret_of: SecretOf) -> Signed:
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
    if len(signature) != length or not signature.isascii():
        raise RequestError(incomplete_signature("Signature has another length"))
    nonce = _nonce(given.get("SignatureNonce", ""))
    canonical = _canonical(tuple(given.items()))
    text = f"{parsed.method}&%2F&{quote(canonical, safe='~')}".encode("ascii")
    right = base64.b64encode(hmac.digest(secret + b"&", text, name))
    if not hmac.compare_digest(right, signature.encode("ascii")):
        raise RequestError(SIGNATURE_DOES_NOT_MATCH)
    return Signed(
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

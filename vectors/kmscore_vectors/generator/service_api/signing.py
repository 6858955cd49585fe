"""Requests with their signatures, and the tests made of them."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote

from kmscore_vectors.generator.model import Case, Fields, Json

ACCESS_KEY: Final = "LTAIvector"
SECRET: Final = "test secret, known to everybody"  # noqa: S105 (of no worth)
NOW: Final = "2026-11-29T08:00:00Z"
VERSION: Final = "2016-01-20"
ACS3: Final = "ACS3-HMAC-SHA256"
BASE: Final = {"Action": "Encrypt", "Version": VERSION}
"""The parameters that the headers of ACS3 give."""
PARAMS: Final = {"KeyId": "orders", "Plaintext": "+/==", "EncryptionContext": '{"城市":"a ~*"}'}
FORM: Final = "application/x-www-form-urlencoded"

# The codes of rejections (SPEC section 14.7).
NO_ACCESS_KEY: Final = "InvalidAccessKeyId.NotFound"
INCOMPLETE: Final = "IncompleteSignature"
NO_SIGNATURE: Final = "SignatureDoesNotMatch"
EXPIRED: Final = "InvalidTimeStamp.Expired"

Query: TypeAlias = Callable[[Mapping[str, str]], str]
"""A form of the query of parameters."""


@dataclass(frozen=True)
class SignedRequest:
    """A request, and the state of the verifier."""

    method: str = "POST"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    secrets: tuple[tuple[str, str], ...] = ((ACCESS_KEY, SECRET),)
    is_fresh: bool = True
    now: str = NOW

    def fields(self) -> Fields:
        """Return the inputs of a test."""
        return {
            "method": self.method,
            "target": self.target,
            "headers": [[name, value] for name, value in self.headers],
            "body": self.body.hex(),
            "access_keys": dict(self.secrets),
            "now": self.now,
            "is_fresh": self.is_fresh,
        }


def encoded(text: str) -> str:
    """Return a text in percent-encoding."""
    return quote(text, safe="~")


def query_of(params: Mapping[str, str]) -> str:
    """Return the canonical query of parameters, which is also the one that is sent."""
    return "&".join(f"{encoded(name)}={encoded(params[name])}" for name in sorted(params))


def acs3(
    params: Mapping[str, str] = PARAMS,
    *,
    body: bytes = b"",
    method: str = "POST",
    path: str = "/",
    secret: str = SECRET,
    credential: str = ACCESS_KEY,
    unsigned: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
    signed: Query = query_of,
    sent_as: Query = query_of,
) -> SignedRequest:
    """Return a request with the signature ACS3-HMAC-SHA256."""
    digest = hashlib.sha256(body).hexdigest()
    sent = {
        "host": "kms.example",
        "x-acs-action": "Encrypt",
        "x-acs-content-sha256": digest,
        "x-acs-date": NOW,
        "x-acs-signature-nonce": "nonce",
        "x-acs-version": VERSION,
    } | dict(headers or {})
    names = sorted(set(sent) - set(unsigned))
    lines = [method, path, signed(params), *(f"{name}:{sent[name]}" for name in names), ""]
    canonical = "\n".join([*lines, ";".join(names), digest])
    # The values of headers have one character per byte.
    text = f"{ACS3}\n{hashlib.sha256(canonical.encode('latin-1')).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
    sent["authorization"] = (
        f"{ACS3} Credential={credential},SignedHeaders={';'.join(names)},Signature={signature}"
    )
    query = f"?{sent_as(params)}" if params else ""
    return SignedRequest(method, f"{path}{query}", tuple(sent.items()), body)


def rpc(
    params: Mapping[str, str] = PARAMS,
    *,
    digest: str = "sha1",
    method: str = "GET",
    secret: str = SECRET,
    in_form: bool = False,
    signed: Query = query_of,
    sent_as: Query = query_of,
    **changed: str,
) -> SignedRequest:
    """Return a request with the RPC signature 1.0."""
    sent = {**common(digest), **params, **changed}
    text = f"{method}&%2F&{encoded(signed(sent))}"
    signature = hmac.new(f"{secret}&".encode(), text.encode(), digest).digest()
    query = sent_as(sent | {"Signature": base64.b64encode(signature).decode("ascii")})
    if in_form:
        return SignedRequest("POST", "/", (("content-type", FORM),), query.encode("ascii"))
    return SignedRequest(method, f"/?{query}")


def common(digest: str = "sha1") -> dict[str, str]:
    """Return the parameters of an RPC signature, with those of every request."""
    return {
        "AccessKeyId": ACCESS_KEY,
        "Action": "Encrypt",
        "SignatureMethod": f"HMAC-{digest.upper()}",
        "SignatureNonce": "nonce",
        "SignatureVersion": "1.0",
        "Timestamp": NOW,
        "Version": VERSION,
    }


def verified(
    comment: str,
    request: SignedRequest,
    parameters: Mapping[str, str],
    scheme: str,
    flag: str = "SignedRequest",
    **more: str,
) -> Case:
    """Return a test of a request that verifies."""
    verified: Json = {"code": "OK", "access_key_id": ACCESS_KEY, "scheme": scheme, **more}
    outputs: Fields = {"verified": verified, "parameters": dict(parameters)}
    return Case(comment, flag, request.fields(), outputs, {"step": "verified"})


def rejected(comment: str, flag: str, code: str, step: str, request: SignedRequest) -> Case:
    """Return a test of a request that is rejected."""
    outputs: Fields = {"verified": {"code": code}, "parameters": {}}
    return Case(comment, flag, request.fields(), outputs, {"step": step})


def malformed(comment: str, request: SignedRequest, code: str = "InvalidParameter") -> Case:
    """Return a test of a request without a single reading."""
    return rejected(comment, "Malformed", code, "parse", request)


def unsigned(comment: str, request: SignedRequest) -> Case:
    """Return a test of a request whose signature is incomplete, or has another form."""
    return rejected(comment, "UnsignedPart", INCOMPLETE, "form", request)

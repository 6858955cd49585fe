"""Requests with signatures: those that clients sent, and those that a test signs by hand."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from kmscore import alibaba

_FILE = Path(__file__).resolve().parents[1] / "alibaba" / "recorded_requests.json"
_RECORDED = json.loads(_FILE.read_text("ascii"))
RECORDED_SECRETS: Final[dict[str, str]] = _RECORDED["secrets"]

ACCESS_KEY: Final = "LTAImadeup"
SECRET: Final = "a made-up secret"
DATE: Final = "2026-11-29T08:00:00Z"


class Sent(NamedTuple):
    """A request as the arguments of `parse`."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def parsed(self) -> Any:
        """Return the result of `parse`."""
        return alibaba.parse(*self)


def recorded() -> list[tuple[str, Sent]]:
    """Return the recorded requests with the names of their clients."""
    return [
        (
            each["client"],
            Sent(
                each["method"],
                each["target"],
                [(name, value) for name, value in each["headers"]],
                each["body"].encode("ascii"),
            ),
        )
        for each in _RECORDED["requests"]
    ]


def encoded(text: str) -> str:
    """Return a text in percent-encoding, with `~` as it is."""
    return quote(text, safe="~")


def query_of(params: dict[str, str]) -> str:
    """Return the canonical query of parameters."""
    return "&".join(f"{encoded(name)}={encoded(params[name])}" for name in sorted(params))


def sign_acs3(
    params: dict[str, str],
    *,
    action: str = "Encrypt",
    method: str = "POST",
    path: str = "/",
    body: bytes = b"",
    secret: str = SECRET,
    access_key: str = ACCESS_KEY,
    left_out: tuple[str, ...] = (),
    **headers: str,
) -> Sent:
    """Return a request with the signature ACS3-HMAC-SHA256; some headers can be unsigned."""
    digest = hashlib.sha256(body).hexdigest()
    all_headers = {
        "host": "kms.example",
        "x-acs-action": action,
        "x-acs-version": "2016-01-20",
        "x-acs-date": DATE,
        "x-acs-signature-nonce": "a nonce",
        "x-acs-content-sha256": digest,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    names = sorted(set(all_headers) - set(left_out))
    lines = [method, path, query_of(params)]
    lines += [f"{name}:{all_headers[name]}" for name in names]
    lines += ["", ";".join(names), digest]
    hashed = hashlib.sha256("\n".join(lines).encode("latin-1")).hexdigest()
    text = f"ACS3-HMAC-SHA256\n{hashed}".encode()
    signature = hmac.new(secret.encode(), text, "sha256").hexdigest()
    all_headers["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={access_key},"
        f"SignedHeaders={';'.join(names)},Signature={signature}"
    )
    return Sent(method, f"{path}?{query_of(params)}", list(all_headers.items()), body)


def sign_rpc(
    params: dict[str, str],
    *,
    action: str = "Encrypt",
    method: str = "GET",
    digest: str = "sha1",
    secret: str = SECRET,
    as_form: bool = False,
    **more: str,
) -> Sent:
    """Return a request with the RPC signature 1.0, with all parameters in the query or a form."""
    signed = {
        "Action": action,
        "Version": "2016-01-20",
        "AccessKeyId": ACCESS_KEY,
        "SignatureMethod": f"HMAC-{digest.upper()}",
        "SignatureVersion": "1.0",
        "SignatureNonce": "a nonce",
        "Timestamp": DATE,
        **params,
        **more,
    }
    text = f"{method}&%2F&{encoded(query_of(signed))}".encode()
    signature = hmac.new(f"{secret}&".encode(), text, digest).digest()
    query = query_of(signed | {"Signature": base64.b64encode(signature).decode("ascii")})
    if as_form:
        form = [("content-type", "application/x-www-form-urlencoded")]
        return Sent(method, "/", form, query.encode("ascii"))
    return Sent(method, f"/?{query}", [], b"")

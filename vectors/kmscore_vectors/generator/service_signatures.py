"""Signed requests of clients: right ones of each scheme, and one refusal for each check."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from kmscore_vectors.generator.model import Case, Fields, Group, Json, Note
from kmscore_vectors.tables import BugType, Severity

_ACCESS_KEY: Final = "LTAIvector"
_SHARED: Final = "test secret, known to everybody"
_NOW: Final = "2026-11-29T08:00:00Z"
_VERSION: Final = "2016-01-20"
_PARAMS: Final = {"KeyId": "orders", "Plaintext": "+/==", "EncryptionContext": '{"城市":"a ~*"}'}
_FORM: Final = "application/x-www-form-urlencoded"

NOTES: Final = {
    "SignedRequest": Note(
        "A request with a right signature.",
        "An implementation that refuses it serves no client of this kind.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Malformed": Note(
        "A request that has no single reading.",
        "Parameter smuggling: a proxy, a log and the service read different requests.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "UnknownAccessKey": Note(
        "There is no such access key, or its secret is empty.",
        "Everybody can sign with an empty secret.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "UnsignedPart": Note(
        "The signature lacks a part, or does not cover what it has to.",
        "Who sees one request changes the part that is not signed.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "WrongSignature": Note(
        "The signature is not that of the request.",
        "Anybody can send requests in the name of another.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Expired": Note(
        "The date is more than 15 minutes from the present, or is no date.",
        "A request that was recorded is valid for ever.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
    "Replayed": Note(
        "The nonce was used before.",
        "A request that was recorded can be sent again.",
        bug_type=BugType.AUTH_BYPASS,
        severity=Severity.POLICY,
        section="SPEC section 14.7",
    ),
}


@dataclass(frozen=True)
class _Request:
    """A request, and the state of the verifier."""

    method: str = "POST"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    secrets: tuple[tuple[str, str], ...] = ((_ACCESS_KEY, _SHARED),)
    is_fresh: bool = True

    def fields(self) -> Fields:
        """Return the inputs of a test."""
        return {
            "method": self.method,
            "target": self.target,
            "headers": [[name, value] for name, value in self.headers],
            "body": self.body.hex(),
            "access_keys": dict(self.secrets),
            "now": _NOW,
            "is_fresh": self.is_fresh,
        }


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _query(params: Mapping[str, str]) -> str:
    return "&".join(f"{_encoded(name)}={_encoded(params[name])}" for name in sorted(params))


def _acs3(
    params: Mapping[str, str] = _PARAMS,
    *,
    body: bytes = b"",
    method: str = "POST",
    path: str = "/",
    secret: str = _SHARED,
    credential: str = _ACCESS_KEY,
    unsigned: tuple[str, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> _Request:
    """Return a request with the signature ACS3-HMAC-SHA256."""
    digest = hashlib.sha256(body).hexdigest()
    sent = {
        "host": "kms.example",
        "x-acs-action": "Encrypt",
        "x-acs-content-sha256": digest,
        "x-acs-date": _NOW,
        "x-acs-signature-nonce": "nonce",
        "x-acs-version": _VERSION,
    } | dict(headers or {})
    names = sorted(set(sent) - set(unsigned))
    lines = [method, path, _query(params), *(f"{name}:{sent[name]}" for name in names), ""]
    canonical = "\n".join([*lines, ";".join(names), digest])
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
    sent["authorization"] = (
        f"ACS3-HMAC-SHA256 Credential={credential},SignedHeaders={';'.join(names)},"
        f"Signature={signature}"
    )
    query = f"?{_query(params)}" if params else ""
    return _Request(method, f"{path}{query}", tuple(sent.items()), body)


def _rpc(
    params: Mapping[str, str] = _PARAMS,
    *,
    digest: str = "sha1",
    method: str = "GET",
    secret: str = _SHARED,
    in_form: bool = False,
    **changed: str,
) -> _Request:
    """Return a request with the RPC signature 1.0."""
    signed = {**_common(digest), **params, **changed}
    text = f"{method}&%2F&{_encoded(_query(signed))}"
    signature = hmac.new(f"{secret}&".encode(), text.encode(), digest).digest()
    query = _query(signed | {"Signature": base64.b64encode(signature).decode("ascii")})
    if in_form:
        return _Request("POST", "/", (("content-type", _FORM),), query.encode("ascii"))
    return _Request(method, f"/?{query}")


def _common(digest: str = "sha1") -> dict[str, str]:
    """Return the parameters of an RPC signature, with those of every request."""
    return {
        "AccessKeyId": _ACCESS_KEY,
        "Action": "Encrypt",
        "SignatureMethod": f"HMAC-{digest.upper()}",
        "SignatureNonce": "nonce",
        "SignatureVersion": "1.0",
        "Timestamp": _NOW,
        "Version": _VERSION,
    }


def _verified(
    comment: str, request: _Request, parameters: Mapping[str, str], scheme: str, **more: str
) -> Case:
    """Return a test of a request that verifies."""
    verified: Json = {"code": "OK", "access_key_id": _ACCESS_KEY, "scheme": scheme, **more}
    outputs: Fields = {"verified": verified, "parameters": dict(parameters)}
    return Case(comment, "SignedRequest", request.fields(), outputs, {"step": "verified"})


def _refused(comment: str, flag: str, code: str, step: str, request: _Request) -> Case:
    """Return a test of a request that is refused."""
    outputs: Fields = {"verified": {"code": code}, "parameters": {}}
    return Case(comment, flag, request.fields(), outputs, {"step": step})


def group() -> Group:
    """Return the tests of signatures."""
    return Group("verify_request", (*_right(), *_malformed(), *_wrong_acs3(), *_wrong_rpc()))


def _right() -> Iterator[Case]:
    """Yield requests that verify."""
    base = {"Action": "Encrypt", "Version": _VERSION}
    scheme = "ACS3-HMAC-SHA256"
    everything = {**base, **_PARAMS}
    yield _verified("ACS3, query", _acs3(), everything, scheme)
    yield _verified("ACS3, GET", _acs3(method="GET"), everything, scheme)
    form = {"content-type": _FORM}
    yield _verified(
        "ACS3, form",
        _acs3({}, body=_query(_PARAMS).encode("ascii"), headers=form),
        everything,
        scheme,
    )
    yield _verified(
        "ACS3, query and form",
        _acs3({"KeyId": "orders"}, body=b"Plaintext=a+b", headers=form),
        {**base, "KeyId": "orders", "Plaintext": "a b"},
        scheme,
    )
    document = json.dumps({**_PARAMS, "NumberOfBytes": 16, "DryRun": False, "Nothing": None})
    yield _verified(
        "ACS3, JSON",
        _acs3({}, body=document.encode("ascii"), headers={"content-type": "application/json"}),
        {**everything, "NumberOfBytes": "16", "DryRun": "false"},
        scheme,
    )
    yield _verified(
        "ACS3, a token of temporary credentials",
        _acs3(headers={"x-acs-security-token": "token"}),
        everything,
        scheme,
        security_token="token",  # noqa: S106 (of no worth)
    )
    yield _verified(
        "ACS3, a header that is not signed",
        replace(_acs3(), headers=(*_acs3().headers, ("accept", "application/json"))),
        everything,
        scheme,
    )
    for minutes in ("07:45", "08:15"):
        yield _verified(
            f"ACS3, the date at {minutes}",
            _acs3(headers={"x-acs-date": f"2026-11-29T{minutes}:00Z"}),
            everything,
            scheme,
        )
    for digest in ("sha1", "sha256"):
        scheme = f"HMAC-{digest.upper()}"
        everything = {**_common(digest), **_PARAMS}
        yield _verified(f"RPC, {scheme}, query", _rpc(digest=digest), everything, scheme)
        yield _verified(
            f"RPC, {scheme}, form",
            _rpc(digest=digest, method="POST", in_form=True),
            everything,
            scheme,
        )
    token = {"SecurityToken": "token"}
    yield _verified(
        "RPC, a token of temporary credentials",
        _rpc(SecurityToken="token"),
        {**_common(), **_PARAMS, **token},
        "HMAC-SHA1",
        security_token="token",  # noqa: S106 (of no worth)
    )
    yield _verified(
        "RPC, another host",
        replace(_rpc(), headers=(("host", "another.example"),)),
        {**_common(), **_PARAMS},
        "HMAC-SHA1",
    )


def _malformed() -> Iterator[Case]:
    """Yield requests without a single reading; each has a signature that would be right."""

    def case(comment: str, code: str, request: _Request) -> Case:
        return _refused(comment, "Malformed", code, "parse", request)

    right = _acs3()
    for comment, target in {
        "another path": right.target.replace("/?", "/kms?"),
        "an absolute target": f"http://kms.example{right.target}",
        "a fragment": f"{right.target}#fragment",
        "a space": f"{right.target} ",
    }.items():
        yield case(comment, "UnsupportedOperation", replace(right, target=target))
    for method in ("PUT", "HEAD", "post"):
        yield case(f"the method {method}", "UnsupportedHTTPMethod", _acs3(method=method))
    for comment, more in {
        "a parameter twice": "&KeyId=orders",
        "a parameter twice in another spelling": "&%4BeyId=orders",
        "another action than that of the header": "&Action=Decrypt",
        "a value that is not UTF-8": "&a=%FF",
        "a surrogate in UTF-8": "&a=%ED%A0%80",
        "half an escape": "&a=%4",
        "a format that there is not": "&Format=YAML",
    }.items():
        target = f"{right.target}{more}"
        yield case(comment, "InvalidParameter", replace(right, target=target))
    yield case(
        "another version than that of the header",
        "InvalidParameter",
        replace(right, target=f"{right.target}&Version=2015-01-01"),
    )
    yield case("another version", "InvalidVersion", _rpc(Version="2015-01-01"))
    yield case(
        "a header twice",
        "InvalidParameter",
        replace(right, headers=(*right.headers, ("Host", "kms.example"))),
    )
    kinds = {
        "a parameter in query and form": (_FORM, b"KeyId=orders"),
        "JSON with a name twice": ("application/json", b'{"a":"1","a":"1"}'),
        "JSON that is no object": ("application/json", b"[]"),
        "JSON with a fraction": ("application/json", b'{"a":1.5}'),
        "a body of another type": ("text/plain", b"a=b"),
    }
    for comment, (kind, body) in kinds.items():
        headers = {"content-type": kind}
        yield case(comment, "InvalidParameter", _acs3(body=body, headers=headers))
    yield case("no action", "MissingParameter", _Request("GET", "/?KeyId=orders"))
    yield case(
        "both schemes",
        "IncompleteSignature",
        replace(_rpc(), headers=right.headers),
    )


def _wrong_acs3() -> Iterator[Case]:
    """Yield requests whose signature ACS3-HMAC-SHA256 is refused."""

    def unsigned(comment: str, request: _Request) -> Case:
        return _refused(comment, "UnsignedPart", "IncompleteSignature", "form", request)

    def wrong(comment: str, request: _Request) -> Case:
        return _refused(comment, "WrongSignature", "SignatureDoesNotMatch", "signature", request)

    right = _acs3()
    for name, _ in right.headers:
        if name != "authorization":
            yield unsigned(f"ACS3, {name} not signed", _acs3(unsigned=(name,)))
    for name in ("x-acs-security-token", "content-type"):
        headers = {name: "application/json"}
        yield unsigned(f"ACS3, {name} not signed", _acs3(unsigned=(name,), headers=headers))
    for comment, old, new in (
        ("a signature that is too long", "Signature=", "Signature=A"),
        ("a signed header twice", "host;", "host;host;"),
        ("a signed header that is absent", "host;", "absent;host;"),
        ("a further field", "Credential=", "More=1,Credential="),
    ):
        changed = tuple(
            (name, value.replace(old, new) if name == "authorization" else value)
            for name, value in right.headers
        )
        yield unsigned(f"ACS3, {comment}", replace(right, headers=changed))
    for comment, nonce in {"no nonce": "", "a nonce of 129 bytes": "n" * 129}.items():
        yield unsigned(f"ACS3, {comment}", _acs3(headers={"x-acs-signature-nonce": nonce}))
    yield wrong("ACS3, another secret", _acs3(secret="another"))  # noqa: S106 (of no worth)
    yield wrong("ACS3, another method", replace(right, method="GET"))
    yield wrong("ACS3, a parameter more", replace(right, target=f"{right.target}&DryRun=true"))
    yield wrong(
        "ACS3, another body",
        replace(
            _acs3({}, body=b"KeyId=orders", headers={"content-type": _FORM}), body=b"KeyId=others"
        ),
    )
    yield wrong(
        "ACS3, the digest of another body",
        _acs3(headers={"x-acs-content-sha256": hashlib.sha256(b"x").hexdigest()}),
    )
    for name, value in (("host", "another.example"), ("x-acs-signature-nonce", "another")):
        changed = tuple((n, value if n == name else v) for n, v in right.headers)
        yield wrong(f"ACS3, another {name}", replace(right, headers=changed))
    yield from _both("ACS3", right, _acs3(credential="LTAIother"))
    for date in ("2026-11-29T07:44:59Z", "2026-11-29T08:15:01Z", "2026-11-29", ""):
        yield _refused(
            f"ACS3, the date {date}", "Expired", "InvalidTimeStamp.Expired", "date",
            _acs3(headers={"x-acs-date": date}),
        )  # fmt: skip


def _wrong_rpc() -> Iterator[Case]:
    """Yield requests whose RPC signature is refused."""

    def unsigned(comment: str, request: _Request) -> Case:
        return _refused(f"RPC, {comment}", "UnsignedPart", "IncompleteSignature", "form", request)

    yield unsigned("no signature", _Request("GET", "/?Action=Encrypt"))
    yield unsigned("another method of signature", _rpc(SignatureMethod="HMAC-MD5"))
    yield unsigned("another version of signature", _rpc(SignatureVersion="2.0"))
    yield unsigned("no nonce", _rpc(SignatureNonce=""))
    yield unsigned("a nonce of 130 bytes", _rpc(SignatureNonce="ü" * 65))
    yield unsigned(
        "a body in JSON, which is not signed",
        replace(
            _rpc(method="POST"),
            headers=(("content-type", "application/json"),),
            body=b'{"DryRun":"true"}',
        ),
    )
    for comment, request in {
        "another secret": _rpc(secret="another"),  # noqa: S106 (of no worth)
        "another method": replace(_rpc(), method="POST"),
        "a parameter more": replace(_rpc(), target=f"{_rpc().target}&DryRun=true"),
        "a parameter more in the form": replace(
            _rpc(method="POST"), headers=(("content-type", _FORM),), body=b"DryRun=true"
        ),
    }.items():
        yield _refused(
            f"RPC, {comment}", "WrongSignature", "SignatureDoesNotMatch", "signature", request
        )
    yield from _both("RPC", _rpc(), _rpc(AccessKeyId="LTAIother"))
    for date in ("2026-11-29T07:44:59Z", "2026-11-29T08:15:01Z", "2026-11-29T08:00:00+00:00"):
        yield _refused(
            f"RPC, the date {date}", "Expired", "InvalidTimeStamp.Expired", "date",
            _rpc(Timestamp=date),
        )  # fmt: skip


def _both(scheme: str, right: _Request, unknown: _Request) -> Iterator[Case]:
    """Yield the refusals of the access key and the nonce."""
    code = "InvalidAccessKeyId.NotFound"
    yield _refused(
        f"{scheme}, an unknown access key", "UnknownAccessKey", code, "access key", unknown
    )
    empty = _acs3(secret="") if scheme == "ACS3" else _rpc(secret="")
    yield _refused(
        f"{scheme}, an empty secret", "UnknownAccessKey", code, "access key",
        replace(empty, secrets=((_ACCESS_KEY, ""),)),
    )  # fmt: skip
    yield _refused(
        f"{scheme}, a nonce that was used", "Replayed", "SignatureNonceUsed", "nonce",
        replace(right, is_fresh=False),
    )  # fmt: skip

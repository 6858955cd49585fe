"""Harnesses of HTTP requests: the parser, both signatures, and the API behind them.

An input is a request as text in Latin-1: method and target, a line for each header, an empty line,
and the body.
"""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from string import hexdigits
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from support.service_api import INDEX, make_api, valid_requests
from support.signed_requests import ACCESS_KEY, SECRET, Sent, recorded, sign_acs3, sign_rpc

from fuzz.harness import Harness, kind_of, shortest, vectors
from kmscore import alibaba
from kmscore.alibaba import ParsedRequest, Profile, RejectedRequest, VerifiedRequest

_SECRETS = {ACCESS_KEY: SECRET, "LTAIvector": "test secret, known to everybody"}
_NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
_PROFILES = (Profile.V1, Profile.ALIBABA, Profile.V1_TEXT)
_TOKENS = (
    b"GET /?",
    b"POST / \n",
    b"content-type: application/x-www-form-urlencoded\n\n",
    b"content-type: application/json\n\n{",
    b"accept: text/xml\n",
    b"x-acs-action: ",
    b"Action=",
    b"&Format=XML",
    b"Version=2016-01-20",
    b"%7B%22",
    b"%",
    b"&",
    b"null",
    b"authorization: ACS3-HMAC-SHA256 Credential=LTAIvector,SignedHeaders=",
    b",Signature=",
    b"SignatureMethod=HMAC-SHA1",
)


def read_request(data: bytes) -> Sent:
    """Return the request that an input describes."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    headers = [(name, value) for name, _, value in (line.partition(":") for line in lines)]
    return Sent(method, target, headers, body)


def write_request(sent: Sent) -> bytes:
    """Return the input for a request."""
    lines = [f"{sent.method} {sent.target}", *(f"{name}:{value}" for name, value in sent.headers)]
    return "\n".join(lines).encode("latin-1") + b"\n\n" + sent.body


def check_parser(data: bytes) -> None:
    """Parse a request; its parameters in canonical form give the same, and a rejection answers."""
    sent = read_request(data)
    parsed = sent.parsed()
    if isinstance(parsed, RejectedRequest):
        check_response(parsed.response("a-request"), has_plaintext=False)
        return
    assert isinstance(parsed, ParsedRequest)
    for name, value in parsed.parameters.items():
        assert type(name) is type(value) is str
        # This raises an exception for a lone surrogate.
        f"{name}{value}".encode()
    for part in (sent.target.encode("latin-1"), sent.body if parsed.form else b""):
        for escape in part.split(b"%")[1:]:
            assert len(escape) > 1
            assert set(escape[:2]) <= set(hexdigits.encode())
    given = [name for name, _ in (*parsed.query, *(parsed.form or ()))]
    assert len(set(given)) == len(given)
    query = "&".join(f"{quote(name, safe='')}={quote(value)}" for name, value in parsed.query)
    again = Sent(sent.method, f"/?{query}", sent.headers, sent.body).parsed()
    assert isinstance(again, ParsedRequest)
    assert (again.query, again.form, again.as_xml) == (parsed.query, parsed.form, parsed.as_xml)
    assert again.parameters == parsed.parameters
    assert again.headers == parsed.headers


def check_signature(data: bytes) -> None:
    """Verify a request; only one with the right signature passes, and it passes when signed."""
    parsed = read_request(data).parsed()
    result = _verify(parsed)
    if isinstance(parsed, RejectedRequest):
        assert result is parsed
        return
    if isinstance(result, VerifiedRequest):
        assert _signature_of(parsed) == _right_signature(parsed)
        assert result.action == parsed.parameters["Action"]
        _check_accepted(parsed)
        return
    check_response(result.response("a-request"), has_plaintext=False)
    if result.fault.code != "SignatureDoesNotMatch":
        return
    # Everything before the signature is right, so that the right one is accepted, except for a
    # wrong digest of the body, and for the date.
    right = _with_signature(parsed, _right_signature(parsed))
    signed = _verify(right)
    if isinstance(signed, RejectedRequest):
        expected = {"InvalidTimeStamp.Expired"}
        if "authorization" in parsed.headers:
            digest = hashlib.sha256(parsed.body).hexdigest()
            if parsed.headers["x-acs-content-sha256"] != digest:
                expected = {"SignatureDoesNotMatch"}
        assert signed.fault.code in expected
    else:
        assert _signature_of(parsed) != _right_signature(parsed)
        _check_accepted(parsed)


def _check_accepted(parsed: ParsedRequest) -> None:
    """Check the parts that are right in an accepted request, apart from its signature."""
    if "authorization" in parsed.headers:
        date = parsed.headers["x-acs-date"]
        assert parsed.headers["x-acs-content-sha256"] == hashlib.sha256(parsed.body).hexdigest()
    else:
        date = dict((*parsed.query, *(parsed.form or ())))["Timestamp"]
    given = datetime.strptime(date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(_NOW - given) <= timedelta(minutes=15)


def check_api(data: bytes) -> None:
    """Perform the action of a request; each error is a response of the service."""
    parsed = read_request(data[1:]).parsed()
    if isinstance(parsed, RejectedRequest):
        return
    api = _APIS[data[0] % len(_APIS)]
    handled = api.handle(parsed.parameters, with_contexts=True)
    check_response(handled.response, has_plaintext=True)
    assert handled.response.body["RequestId"] == handled.event.request_id


def check_response(response: alibaba.ApiResponse, *, has_plaintext: bool) -> None:
    """Write a response in both formats."""
    assert json.loads(response.json()) == response.body
    try:
        document = ET.fromstring(response.xml())  # noqa: S314 (of the library)
    except ValueError:
        # XML lacks some characters of an opaque plaintext.
        assert has_plaintext
        assert "Plaintext" in response.body
    else:
        assert len(document) == len(response.body)


def _verify(parsed: ParsedRequest | RejectedRequest) -> VerifiedRequest | RejectedRequest:
    return alibaba.verify(parsed, _SECRETS.get, now=_NOW, is_fresh=alibaba.ACCEPT_REPLAYS)


def _signature_of(parsed: ParsedRequest) -> str:
    """Return the signature that a request has."""
    if "authorization" in parsed.headers:
        return parsed.headers["authorization"].rpartition("=")[2]
    return dict((*parsed.query, *(parsed.form or ())))["Signature"]


def _right_signature(parsed: ParsedRequest) -> str:
    """Return the right signature of a request whose form is right."""
    if "authorization" in parsed.headers:
        fields = dict(
            part.strip().split("=", 1)
            for part in parsed.headers["authorization"].partition(" ")[2].split(",")
        )
        names = fields["SignedHeaders"]
        lines = [parsed.method, "/", _canonical(parsed.query)]
        lines += [f"{name}:{parsed.headers[name]}" for name in names.split(";")]
        lines += ["", names, hashlib.sha256(parsed.body).hexdigest()]
        hashed = hashlib.sha256("\n".join(lines).encode("latin-1")).hexdigest()
        key = _SECRETS[fields["Credential"]].encode()
        return hmac.new(key, f"ACS3-HMAC-SHA256\n{hashed}".encode(), "sha256").hexdigest()
    pairs = [each for each in (*parsed.query, *(parsed.form or ())) if each[0] != "Signature"]
    given = dict(pairs)
    text = f"{parsed.method}&%2F&{quote(_canonical(pairs), safe='-_.~')}"
    key = _SECRETS[given["AccessKeyId"]].encode() + b"&"
    digest = given["SignatureMethod"].removeprefix("HMAC-").lower()
    return base64.b64encode(hmac.new(key, text.encode(), digest).digest()).decode("ascii")


def _canonical(pairs: Any) -> str:
    escaped = ((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in pairs)
    # Sorted before the escapes: `~` is greater than each percent-encoded byte.
    ordered = sorted(zip(pairs, escaped, strict=True), key=lambda each: each[0])
    return "&".join(f"{name}={value}" for _, (name, value) in ordered)


def _with_signature(parsed: ParsedRequest, signature: str) -> ParsedRequest | RejectedRequest:
    """Return the request with another signature."""
    headers, query, body = dict(parsed.headers), list(parsed.query), parsed.body
    if "authorization" in headers:
        headers["authorization"] = headers["authorization"][:-64] + signature
    elif "Signature" in dict(query):
        query = [(name, signature if name == "Signature" else text) for name, text in query]
    else:
        form = [
            (name, signature if name == "Signature" else text) for name, text in parsed.form or ()
        ]
        body = _canonical(form).encode("ascii")
    target = f"/?{_canonical(query)}"
    return Sent(parsed.method, target, list(headers.items()), body).parsed()


_NUMBERS = itertools.count()
_APIS = [
    make_api(keys=INDEX, profile=profile, request_id=lambda: f"request-{next(_NUMBERS)}")
    for profile in _PROFILES
]


def _signed_requests() -> Iterator[bytes]:
    found = [each for each in vectors("service_api") if each["type"] == "verify_request"]
    candidates = []
    for each in found:
        headers = [(name, value) for name, value in each["headers"]]
        body = bytes.fromhex(each["body"])
        try:
            data = write_request(Sent(each["method"], each["target"], headers, body))
        except UnicodeEncodeError:
            continue
        candidates.append(((kind_of(each), str(each["trace"]), each["comment"][:8]), data))
    yield from shortest(candidates, 1024)
    for _, sent in recorded():
        yield write_request(sent)
    params = {"KeyId": "orders", "Plaintext": "dGV4dA=="}
    yield write_request(sign_acs3(params))
    yield write_request(sign_acs3({}, body=b'{"KeyId":"a"}', content_type="application/json"))
    for digest in ("sha1", "sha256"):
        yield write_request(sign_rpc(params, digest=digest))
        yield write_request(sign_rpc(params, digest=digest, method="POST", as_form=True))


def _requests() -> Iterator[bytes]:
    yield from _signed_requests()
    for kind in (b"application/json", b"application/x-www-form-urlencoded"):
        head = b"POST /\nx-acs-action: Encrypt\naccept: text/xml\ncontent-type: " + kind + b"\n\n"
        yield head + b'{"KeyId":"a","Number":1,"Is":true,"No":null,"Context":{"a":"b"}}'
        yield head + b"KeyId=a&Plaintext=%C3%A9&Format=JSON"


def _calls() -> Iterator[bytes]:
    for number, api in enumerate(_APIS):
        for action, params in valid_requests(api).items():
            for more in ({}, {"DryRun": "true"}):
                given = {**params, **more, "Action": action}
                query = "&".join(f"{name}={quote(str(text))}" for name, text in given.items())
                yield bytes([number]) + f"GET /?{query}\n\n".encode("ascii")


HARNESSES = {
    "request": Harness(check_parser, _requests, 1024, _TOKENS),
    "signature": Harness(check_signature, _signed_requests, 1024, _TOKENS),
    "api": Harness(check_api, _calls, 1024, _TOKENS),
}

"""Signed requests of clients: right ones of each scheme, and one rejection for each check."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace

from kmscore_vectors.generator.model import Case, Group
from kmscore_vectors.generator.service_api import (
    canonical_forms,
    headers,
    json_bodies,
    part_limits,
    request_checks,
)
from kmscore_vectors.generator.service_api.signing import (
    ACCESS_KEY,
    EXPIRED,
    FORM,
    INCOMPLETE,
    NO_ACCESS_KEY,
    NO_SIGNATURE,
    PARAMS,
    VERSION,
    SignedRequest,
    acs3,
    common,
    malformed,
    query_of,
    rejected,
    rpc,
    unsigned,
    verified,
)


def group() -> Group:
    """Return the tests of signatures."""
    cases = (
        *(*_right(), *_malformed(), *_wrong_acs3(), *_wrong_rpc()),
        *canonical_forms.cases(),
        *json_bodies.cases(),
        *part_limits.cases(),
        *headers.cases(),
        *request_checks.cases(),
    )
    return Group("verify_request", cases)


def _right() -> Iterator[Case]:
    """Yield requests that verify."""
    base = {"Action": "Encrypt", "Version": VERSION}
    scheme = "ACS3-HMAC-SHA256"
    everything = {**base, **PARAMS}
    yield verified("ACS3, query", acs3(), everything, scheme)
    yield verified("ACS3, GET", acs3(method="GET"), everything, scheme)
    form = {"content-type": FORM}
    yield verified(
        "ACS3, form",
        acs3({}, body=query_of(PARAMS).encode("ascii"), headers=form),
        everything,
        scheme,
    )
    yield verified(
        "ACS3, query and form",
        acs3({"KeyId": "orders"}, body=b"Plaintext=a+b", headers=form),
        {**base, "KeyId": "orders", "Plaintext": "a b"},
        scheme,
    )
    document = json.dumps({**PARAMS, "NumberOfBytes": 16, "DryRun": False, "Nothing": None})
    yield verified(
        "ACS3, JSON",
        acs3({}, body=document.encode("ascii"), headers={"content-type": "application/json"}),
        {**everything, "NumberOfBytes": "16", "DryRun": "false"},
        scheme,
    )
    yield verified(
        "ACS3, a token of temporary credentials",
        acs3(headers={"x-acs-security-token": "token"}),
        everything,
        scheme,
        security_token="token",  # noqa: S106 (of no worth)
    )
    yield verified(
        "ACS3, a header that is not signed",
        replace(acs3(), headers=(*acs3().headers, ("accept", "application/json"))),
        everything,
        scheme,
    )
    kind = {"content-type": "application/octet-stream"}
    for comment, left_out in {"signed": (), "not signed": ("content-type",)}.items():
        yield verified(
            f"ACS3, the type of an empty body, {comment}",
            acs3(unsigned=left_out, headers=kind),
            everything,
            scheme,
        )
    for minutes in ("07:45", "08:15"):
        yield verified(
            f"ACS3, the date at {minutes}",
            acs3(headers={"x-acs-date": f"2026-11-29T{minutes}:00Z"}),
            everything,
            scheme,
        )
    for digest in ("sha1", "sha256"):
        scheme = f"HMAC-{digest.upper()}"
        everything = {**common(digest), **PARAMS}
        yield verified(f"RPC, {scheme}, query", rpc(digest=digest), everything, scheme)
        yield verified(
            f"RPC, {scheme}, form",
            rpc(digest=digest, method="POST", in_form=True),
            everything,
            scheme,
        )
    token = {"SecurityToken": "token"}
    yield verified(
        "RPC, a token of temporary credentials",
        rpc(SecurityToken="token"),
        {**common(), **PARAMS, **token},
        "HMAC-SHA1",
        security_token="token",  # noqa: S106 (of no worth)
    )
    yield verified(
        "RPC, another host",
        replace(rpc(), headers=(("host", "another.example"),)),
        {**common(), **PARAMS},
        "HMAC-SHA1",
    )


def _malformed() -> Iterator[Case]:
    """Yield requests without a single reading; each has a signature that would be right."""
    right = acs3()
    for comment, target in {
        "another path": right.target.replace("/?", "/kms?"),
        "an absolute target": f"http://kms.example{right.target}",
        "a fragment": f"{right.target}#fragment",
        "a space": f"{right.target} ",
    }.items():
        yield malformed(comment, replace(right, target=target), "UnsupportedOperation")
    for method in ("PUT", "HEAD", "post"):
        yield malformed(f"the method {method}", acs3(method=method), "UnsupportedHTTPMethod")
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
        yield malformed(comment, replace(right, target=target))
    yield malformed(
        "another version than that of the header",
        replace(right, target=f"{right.target}&Version=2015-01-01"),
    )
    yield malformed("another version", rpc(Version="2015-01-01"), "InvalidVersion")
    yield malformed(
        "a header twice", replace(right, headers=(*right.headers, ("Host", "kms.example")))
    )
    kinds = {
        "a parameter in query and form": (FORM, b"KeyId=orders"),
        "JSON with a name twice": ("application/json", b'{"a":"1","a":"1"}'),
        "JSON that is no object": ("application/json", b"[]"),
        "JSON with a fraction": ("application/json", b'{"a":1.5}'),
        "a body of another type": ("text/plain", b"a=b"),
    }
    for comment, (kind, body) in kinds.items():
        headers = {"content-type": kind}
        yield malformed(comment, acs3(body=body, headers=headers))
    yield malformed("no action", SignedRequest("GET", "/?KeyId=orders"), "MissingParameter")
    yield malformed("both schemes", replace(rpc(), headers=right.headers), INCOMPLETE)


def _wrong_acs3() -> Iterator[Case]:
    """Yield requests whose signature ACS3-HMAC-SHA256 is rejected."""

    def wrong(comment: str, request: SignedRequest) -> Case:
        return rejected(comment, "WrongSignature", NO_SIGNATURE, "signature", request)

    right = acs3()
    for name, _ in right.headers:
        if name != "authorization":
            yield unsigned(f"ACS3, {name} not signed", acs3(unsigned=(name,)))
    for name, body in {"x-acs-security-token": b"", "content-type": b"{}"}.items():
        request = acs3(body=body, unsigned=(name,), headers={name: "application/json"})
        yield unsigned(f"ACS3, {name} not signed", request)
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
        yield unsigned(f"ACS3, {comment}", acs3(headers={"x-acs-signature-nonce": nonce}))
    yield wrong("ACS3, another secret", acs3(secret="another"))  # noqa: S106 (of no worth)
    yield wrong("ACS3, another method", replace(right, method="GET"))
    yield wrong("ACS3, a parameter more", replace(right, target=f"{right.target}&DryRun=true"))
    yield wrong(
        "ACS3, another body",
        replace(
            acs3({}, body=b"KeyId=orders", headers={"content-type": FORM}), body=b"KeyId=others"
        ),
    )
    yield wrong(
        "ACS3, the digest of another body",
        acs3(headers={"x-acs-content-sha256": hashlib.sha256(b"x").hexdigest()}),
    )
    for name, value in (("host", "another.example"), ("x-acs-signature-nonce", "another")):
        changed = tuple((n, value if n == name else v) for n, v in right.headers)
        yield wrong(f"ACS3, another {name}", replace(right, headers=changed))
    yield from _both("ACS3", right, acs3(credential="LTAIother"))
    for date in ("2026-11-29T07:44:59Z", "2026-11-29T08:15:01Z", "2026-11-29", ""):
        yield rejected(
            f"ACS3, the date {date}", "Expired", EXPIRED, "date",
            acs3(headers={"x-acs-date": date}),
        )  # fmt: skip


def _wrong_rpc() -> Iterator[Case]:
    """Yield requests whose RPC signature is rejected."""
    yield unsigned("RPC, no signature", SignedRequest("GET", "/?Action=Encrypt"))
    yield unsigned("RPC, another method of signature", rpc(SignatureMethod="HMAC-MD5"))
    yield unsigned("RPC, another version of signature", rpc(SignatureVersion="2.0"))
    yield unsigned("RPC, no nonce", rpc(SignatureNonce=""))
    yield unsigned("RPC, a nonce of 130 bytes", rpc(SignatureNonce="ü" * 65))
    yield unsigned(
        "RPC, a body in JSON, which is not signed",
        replace(
            rpc(method="POST"),
            headers=(("content-type", "application/json"),),
            body=b'{"DryRun":"true"}',
        ),
    )
    for comment, request in {
        "another secret": rpc(secret="another"),  # noqa: S106 (of no worth)
        "another method": replace(rpc(), method="POST"),
        "a parameter more": replace(rpc(), target=f"{rpc().target}&DryRun=true"),
        "a parameter more in the form": replace(
            rpc(method="POST"), headers=(("content-type", FORM),), body=b"DryRun=true"
        ),
    }.items():
        yield rejected(f"RPC, {comment}", "WrongSignature", NO_SIGNATURE, "signature", request)
    yield from _both("RPC", rpc(), rpc(AccessKeyId="LTAIother"))
    for date in ("2026-11-29T07:44:59Z", "2026-11-29T08:15:01Z", "2026-11-29T08:00:00+00:00"):
        yield rejected(
            f"RPC, the date {date}", "Expired", EXPIRED, "date",
            rpc(Timestamp=date),
        )  # fmt: skip


def _both(scheme: str, right: SignedRequest, unknown: SignedRequest) -> Iterator[Case]:
    """Yield the rejections of the access key and the nonce."""
    yield rejected(
        f"{scheme}, an unknown access key", "UnknownAccessKey", NO_ACCESS_KEY, "access key", unknown
    )
    empty = acs3(secret="") if scheme == "ACS3" else rpc(secret="")
    yield rejected(
        f"{scheme}, an empty secret", "UnknownAccessKey", NO_ACCESS_KEY, "access key",
        replace(empty, secrets=((ACCESS_KEY, ""),)),
    )  # fmt: skip
    yield rejected(
        f"{scheme}, a nonce that was used", "Replayed", "SignatureNonceUsed", "nonce",
        replace(right, is_fresh=False),
    )  # fmt: skip

"""Signatures of requests: recorded and made ones, each forgery, and the order of the checks."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from support.signed_requests import (
    ACCESS_KEY,
    DATE,
    RECORDED_SECRETS,
    SECRET,
    Sent,
    recorded,
    sign_acs3,
    sign_rpc,
)

from kmscore import alibaba
from kmscore.alibaba import ACCEPT_REPLAYS, ANY_DATE, RejectedRequest, Scheme, VerifiedRequest

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
PARAMS = {"KeyId": "orders", "Plaintext": "+/==", "EncryptionContext": '{"城市":"a ~*"}'}
MADE: dict[str, Sent] = {
    "ACS3": sign_acs3(PARAMS),
    "ACS3 with a form": sign_acs3(
        {}, body=b"KeyId=orders", content_type="application/x-www-form-urlencoded"
    ),
    "ACS3 with JSON": sign_acs3({}, body=b'{"KeyId":"orders"}', content_type="application/json"),
    "ACS3 with STS": sign_acs3(PARAMS, x_acs_security_token="token"),
    "RPC with SHA-1": sign_rpc(PARAMS),
    "RPC with SHA-256": sign_rpc(PARAMS, digest="sha256"),
    "RPC with a form": sign_rpc(PARAMS, method="POST", as_form=True),
    "RPC with STS": sign_rpc(PARAMS, SecurityToken="token"),
}
RECORDED = recorded()


def verify(sent: Sent, **options: Any) -> Any:
    """Verify a request that was made by hand."""
    defaults: dict[str, Any] = {"now": NOW, "is_fresh": ACCEPT_REPLAYS}
    secret_of = options.pop("secret_of", {ACCESS_KEY: SECRET}.get)
    return alibaba.verify(sent.parsed(), secret_of, **(defaults | options))


def code(result: Any) -> str:
    """Return the code of a rejection."""
    assert isinstance(result, RejectedRequest), result
    return result.fault.code


@pytest.mark.parametrize("number", range(len(RECORDED)), ids=lambda n: f"{n}: {RECORDED[n][0]}")
def test_a_recorded_request_verifies(number: int) -> None:
    """The requests of nine client set-ups in three languages have right signatures."""
    client, sent = RECORDED[number]
    result = alibaba.verify(
        sent.parsed(), RECORDED_SECRETS.get, now=ANY_DATE, is_fresh=ACCEPT_REPLAYS
    )
    assert isinstance(result, VerifiedRequest), (client, result)
    assert result.scheme is not None
    assert (result.scheme is Scheme.ACS3_HMAC_SHA256) == ("ACS3" in client)
    assert (result.security_token is not None) == ("STS" in client)
    assert result.parameters["Action"] == result.action


def _changed(sent: Sent) -> Any:
    """Yield a request with one changed character, at every place."""
    for place, text in enumerate(sent.target):
        for other in {chr(ord(text) ^ 1), "0" if text != "0" else "1"}:
            target = sent.target[:place] + other + sent.target[place + 1 :]
            yield f"target {place}", sent._replace(target=target)
    for place, text in enumerate(sent.method):
        method = sent.method[:place] + chr(ord(text) ^ 1) + sent.method[place + 1 :]
        yield "method", sent._replace(method=method)
    for index, (name, value) in enumerate(sent.headers):
        for place, text in enumerate(value):
            changed = value[:place] + chr(ord(text) ^ 1) + value[place + 1 :]
            headers = [*sent.headers[:index], (name, changed), *sent.headers[index + 1 :]]
            yield f"header {name} {place}", sent._replace(headers=headers)
    for place, byte in enumerate(sent.body):
        body = sent.body[:place] + bytes([byte ^ 1]) + sent.body[place + 1 :]
        yield f"body {place}", sent._replace(body=body)


@pytest.mark.parametrize("number", range(len(RECORDED)), ids=lambda n: f"{n}: {RECORDED[n][0]}")
def test_a_changed_byte_is_rejected_or_changes_nothing(number: int) -> None:
    """A change at any place gives a rejection, or an equal request if the place is not signed."""
    _, sent = RECORDED[number]
    rejected = 0

    def verified(each: Sent) -> Any:
        return alibaba.verify(
            each.parsed(), RECORDED_SECRETS.get, now=ANY_DATE, is_fresh=ACCEPT_REPLAYS
        )

    right = verified(sent)
    for where, changed in _changed(sent):
        result = verified(changed)
        if isinstance(result, RejectedRequest):
            rejected += 1
        else:
            assert result == right, where
            assert not where.startswith("body"), where
    assert rejected > len(sent.target)


@pytest.mark.parametrize("name", MADE)
def test_a_request_signed_by_hand_verifies(name: str) -> None:
    """Each scheme and each kind of body gives the signed parameters."""
    result = verify(MADE[name])
    assert isinstance(result, VerifiedRequest), result
    assert (result.access_key_id, result.action) == (ACCESS_KEY, "Encrypt")
    assert result.version == "2016-01-20"
    assert result.parameters["KeyId"] == "orders"
    assert "Signature" not in result.parameters
    assert result.security_token == ("token" if "STS" in name else None)


REJECTED: dict[str, tuple[Sent, str]] = {
    "no signature": (Sent("GET", "/?Action=Encrypt", [], b""), "IncompleteSignature"),
    "an unknown access key": (sign_acs3({}, access_key="other"), "InvalidAccessKeyId.NotFound"),
    "an access key with a space": (sign_acs3({}, access_key="a b"), "InvalidAccessKeyId.NotFound"),
    "a long access key": (sign_acs3({}, access_key="a" * 129), "InvalidAccessKeyId.NotFound"),
    "an unknown RPC access key": (
        sign_rpc({}, AccessKeyId="other"),
        "InvalidAccessKeyId.NotFound",
    ),
    "another secret": (sign_acs3({}, secret="other"), "SignatureDoesNotMatch"),
    "another RPC secret": (sign_rpc({}, secret="other"), "SignatureDoesNotMatch"),
    "another scheme": (
        Sent("GET", "/?Action=Encrypt", [("authorization", "Bearer x")], b""),
        "IncompleteSignature",
    ),
    **{
        f"{name} not signed": (sign_acs3({}, left_out=(name,)), "IncompleteSignature")
        for name in (
            *("host", "x-acs-action", "x-acs-version", "x-acs-date"),
            *("x-acs-signature-nonce", "x-acs-content-sha256"),
        )
    },
    "another x-acs header not signed": (
        sign_acs3({}, left_out=("x-acs-security-token",), x_acs_security_token="t"),
        "IncompleteSignature",
    ),
    "a content type not signed": (
        sign_acs3({}, body=b"{}", left_out=("content-type",), content_type="application/json"),
        "IncompleteSignature",
    ),
    "a long nonce": (sign_acs3({}, x_acs_signature_nonce="n" * 129), "IncompleteSignature"),
    "an empty nonce": (sign_acs3({}, x_acs_signature_nonce=""), "IncompleteSignature"),
    "a long RPC nonce": (sign_rpc({}, SignatureNonce="ü" * 65), "IncompleteSignature"),
    "the digest of another body": (
        sign_acs3({}, x_acs_content_sha256="0" * 64),
        "SignatureDoesNotMatch",
    ),
    "another body": (sign_acs3({"KeyId": "a"})._replace(body=b"a=b"), "InvalidParameter"),
    "an unsigned form": (
        sign_acs3({}, body=b"a=b", content_type="application/x-www-form-urlencoded")._replace(
            body=b"a=c"
        ),
        "SignatureDoesNotMatch",
    ),
    "RPC with a body in JSON": (
        sign_rpc({}, method="POST")._replace(
            headers=[("content-type", "application/json")], body=b'{"KeyId":"orders"}'
        ),
        "IncompleteSignature",
    ),
    "RPC with the action in a header": (
        sign_rpc({}, action="")._replace(headers=[("x-acs-action", "Encrypt")]),
        "InvalidParameter",
    ),
    "RPC with another signature version": (
        sign_rpc({}, SignatureVersion="2.0"),
        "IncompleteSignature",
    ),
    "RPC with another method": (sign_rpc({}, SignatureMethod="HMAC-MD5"), "IncompleteSignature"),
    "an RPC signature of another length": (
        sign_rpc({})._replace(target=sign_rpc({}).target.replace("Signature=", "Signature=AAAA")),
        "IncompleteSignature",
    ),
    "both schemes": (
        sign_rpc({})._replace(headers=sign_acs3({}).headers),
        "IncompleteSignature",
    ),
    "an early date": (sign_acs3({}, x_acs_date="2026-11-29T07:44:59Z"), "InvalidTimeStamp.Expired"),
    "a late date": (sign_acs3({}, x_acs_date="2026-11-29T08:15:01Z"), "InvalidTimeStamp.Expired"),
    "an early RPC date": (
        sign_rpc({}, Timestamp="2026-11-29T07:44:59Z"),
        "InvalidTimeStamp.Expired",
    ),
    **{
        f"the date {text!r}": (sign_acs3({}, x_acs_date=text), "InvalidTimeStamp.Expired")
        for text in (
            *(
                "",
                "now",
                "2026-11-29T08:00:00",
                "2026-11-29T08:00:00+00:00",
                "0000-00-00T00:00:00Z",
            ),
            *("2026-11-29 08:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T08:00:00Z"),
        )
    },
}


@pytest.mark.parametrize("name", REJECTED)
def test_a_forged_or_incomplete_signature_is_rejected(name: str) -> None:
    """Each rejection has the code of the service."""
    sent, expected = REJECTED[name]
    assert code(verify(sent)) == expected


def _authorization(change: Callable[[str], str]) -> Sent:
    sent = MADE["ACS3"]
    return sent._replace(
        headers=[
            (name, change(value) if name == "authorization" else value)
            for name, value in sent.headers
        ]
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda a: a.replace(",", ", "), None, id="spaces after the commas"),
        pytest.param(lambda a: a[:-1], "IncompleteSignature", id="a short signature"),
        pytest.param(lambda a: f"{a},More=1", "IncompleteSignature", id="a further field"),
        pytest.param(lambda a: a.upper(), "IncompleteSignature", id="upper case"),
        pytest.param(
            lambda a: a.replace("host;", ""), "IncompleteSignature", id="a missing signed header"
        ),
        pytest.param(
            lambda a: a.replace("SignedHeaders=", "SignedHeaders=authorization;"),
            "SignatureDoesNotMatch",
            id="all headers, also this one",
        ),
        pytest.param(
            lambda a: a.replace("host;", "host;host;"), "IncompleteSignature", id="a header twice"
        ),
        pytest.param(
            lambda a: a.replace("host;", "absent;host;"), "IncompleteSignature", id="no such header"
        ),
        pytest.param(
            lambda a: a.replace("Credential=", "Credential=,Credential="),
            "IncompleteSignature",
            id="an empty credential",
        ),
    ],
)
def test_the_form_of_the_header_is_strict(
    change: Callable[[str], str], expected: str | None
) -> None:
    """Only the form that clients send is accepted."""
    result = verify(_authorization(change))
    assert isinstance(result, VerifiedRequest) if expected is None else code(result) == expected


def _rpc(name: str, value: str | None, digest: str = "sha1") -> str:
    """Return the message for an RPC request with another value of a parameter, or without it."""
    sent = sign_rpc(PARAMS, digest=digest)
    pairs = [pair for pair in sent.target[2:].split("&") if not pair.startswith(f"{name}=")]
    pairs += [] if value is None else [f"{name}={quote(value)}"]
    headers = [("x-acs-action", "Encrypt")] if name == "Action" else []
    result = verify(sent._replace(target="/?" + "&".join(pairs), headers=headers))
    assert code(result) == "IncompleteSignature"
    message: str = result.fault.message
    return message.removeprefix("The signature is not complete: ").removesuffix(".")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("AccessKeyId", "there is no access key ID"),
        ("SignatureMethod", "SignatureMethod must be HMAC-SHA1 or HMAC-SHA256"),
        ("SignatureVersion", "SignatureVersion must be 1.0"),
        ("Action", "the parameter Action is not signed"),
        ("Version", "the parameter Version is not signed"),
        ("Timestamp", "there is no Timestamp"),
        ("SignatureNonce", "a nonce has 1 to 128 bytes"),
        ("Signature", "Signature has another length"),
    ],
)
def test_a_parameter_that_an_rpc_signature_lacks_is_named(name: str, reason: str) -> None:
    """A header is not signed, so it does not replace the parameter."""
    assert _rpc(name, None) == reason


@pytest.mark.parametrize("value", ["", "0.9", "1.00", "2.0"])
def test_the_version_of_an_rpc_signature_is_exact(value: str) -> None:
    """Texts before and after `1.0` are rejected."""
    assert _rpc("SignatureVersion", value) == "SignatureVersion must be 1.0"


@pytest.mark.parametrize(("digest", "length"), [("sha1", 28), ("sha256", 44)])
def test_the_length_of_an_rpc_signature_is_exact(digest: str, length: int) -> None:
    """It is that of the digest in Base64, which is ASCII."""
    for value in ("A" * (length - 1), "A" * (length + 1), "é" * length):
        assert _rpc("Signature", value, digest) == "Signature has another length"
    wrong = sign_rpc(PARAMS, digest=digest, secret="other")
    assert code(verify(wrong)) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_the_window_includes_its_ends(name: str, minutes: int) -> None:
    """A difference of exactly 15 minutes is accepted; the nonce is kept until the last moment."""
    kept: list[Any] = []

    def is_fresh(*args: Any) -> bool:
        kept.append(args)
        return True

    now = NOW + timedelta(minutes=minutes)
    assert isinstance(verify(MADE[name], now=now, is_fresh=is_fresh), VerifiedRequest)
    assert kept == [(ACCESS_KEY, "a nonce", NOW + timedelta(minutes=15))]
    later = now + timedelta(seconds=1 if minutes == 15 else -1 if minutes == -15 else 0)
    expected = "InvalidTimeStamp.Expired"
    if minutes:
        assert code(verify(MADE[name], now=later, is_fresh=is_fresh)) == expected
        assert len(kept) == 1


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("2026-02-30T08:00:00Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-02-29T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-02-28T24:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-11-29T07:59:60Z", NOW),
    ],
)
def test_a_date_that_the_calendar_does_not_have_is_rejected(text: str, now: datetime) -> None:
    """A lenient reader takes each of them for the present time."""
    for sent in (sign_acs3({}, x_acs_date=text), sign_rpc({}, Timestamp=text)):
        assert code(verify(sent, now=now)) == "InvalidTimeStamp.Expired"


@pytest.mark.parametrize("value", ["\u00e9", "\u00c3\u00a9"], ids=["Latin-1", "UTF-8"])
def test_a_header_is_signed_in_the_bytes_that_were_sent(value: str) -> None:
    """A value has one character per byte, whatever the encoding of the client."""
    assert isinstance(verify(sign_acs3({}, x_acs_note=value)), VerifiedRequest)
    changed = sign_acs3({}, x_acs_note="\u00c3\u00a9")
    headers = [(name, "\u00e9" if name == "x-acs-note" else v) for name, v in changed.headers]
    assert code(verify(changed._replace(headers=headers))) == "SignatureDoesNotMatch"


def test_the_type_of_an_empty_body_need_not_be_signed() -> None:
    """It has no effect. A signed one cannot be changed."""
    kind = {"content_type": "application/octet-stream"}
    unsigned = sign_acs3({}, left_out=("content-type",), **kind)
    assert isinstance(verify(unsigned), VerifiedRequest)
    signed = sign_acs3({}, **kind)
    assert isinstance(verify(signed), VerifiedRequest)
    headers = [(n, "text/html" if n == "content-type" else v) for n, v in signed.headers]
    assert code(verify(signed._replace(headers=headers))) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("nonce", ["n", "n" * 128], ids=["1 byte", "128 bytes"])
def test_a_nonce_of_1_to_128_bytes_is_accepted(nonce: str) -> None:
    """The nonce that reaches the cache is that of the request."""
    kept: list[str] = []

    def is_fresh(_access_key: str, found: str, _until: datetime) -> bool:
        kept.append(found)
        return True

    verify(sign_acs3({}, x_acs_signature_nonce=nonce), is_fresh=is_fresh)
    assert kept == [nonce]


def test_only_a_right_signature_reaches_the_nonces() -> None:
    """Every other rejection comes first, so that no unsigned request fills the cache."""

    def forbidden(*_: object) -> bool:
        raise AssertionError("the cache was asked")

    for sent, expected in REJECTED.values():
        assert code(verify(sent, is_fresh=forbidden)) == expected


@pytest.mark.parametrize("answer", [False, None, 1, "yes"])
def test_only_true_is_fresh(answer: object) -> None:
    """Any other answer than `True` is a nonce that was used."""
    assert code(verify(MADE["ACS3"], is_fresh=lambda *_: answer)) == "SignatureNonceUsed"


@pytest.mark.parametrize("secret", ["", b"", None])
def test_an_empty_secret_is_rejected(secret: Any) -> None:
    """Every person knows the empty secret."""
    for sent in (sign_acs3({}, secret=""), sign_rpc({}, secret="")):
        assert code(verify(sent, secret_of=lambda _: secret)) == "InvalidAccessKeyId.NotFound"


def test_a_secret_can_be_bytes() -> None:
    """Bytes are the UTF-8 of the text."""
    assert isinstance(verify(MADE["ACS3"], secret_of=lambda _: SECRET.encode()), VerifiedRequest)
    with pytest.raises(TypeError, match=r"^secret_of\(\) must return str, bytes or None, not int$"):
        verify(MADE["ACS3"], secret_of=lambda _: 5)


def test_the_parameters_are_those_that_are_signed() -> None:
    """The parameters of RPC have no header; those of ACS3 have the action of its header."""
    assert dict(verify(MADE["RPC with SHA-1"]).parameters) == {
        **PARAMS,
        "Action": "Encrypt",
        "Version": "2016-01-20",
        "AccessKeyId": ACCESS_KEY,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": "a nonce",
        "Timestamp": DATE,
    }
    assert dict(verify(MADE["ACS3"]).parameters) == {
        **PARAMS,
        "Action": "Encrypt",
        "Version": "2016-01-20",
    }


def test_wrong_types_are_mistakes_of_the_program() -> None:
    """`now` needs a time zone, and there is no default for `now` and `is_fresh`."""
    with pytest.raises(TypeError, match=r"^now must have a time zone$"):
        verify(MADE["ACS3"], now=NOW.replace(tzinfo=None))
    with pytest.raises(TypeError, match=r"^now must be datetime, not float$"):
        verify(MADE["ACS3"], now=0.0)
    with pytest.raises(TypeError, match=r"^window must be timedelta, not int$"):
        verify(MADE["ACS3"], window=15)
    with pytest.raises(TypeError, match=r"^parsed must be ParsedRequest, not dict$"):
        alibaba.verify({}, {}.get, now=NOW, is_fresh=ACCEPT_REPLAYS)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        alibaba.verify(MADE["ACS3"].parsed(), {}.get)  # type: ignore[call-arg]


def test_a_verified_request_shows_no_parameter() -> None:
    """A parameter can be a plaintext, which `repr`, `pickle` and `copy` do not show."""
    result = verify(MADE["ACS3"])
    assert repr(result) == "<VerifiedRequest 'LTAImadeup' 'Encrypt'>"
    assert repr(MADE["ACS3"].parsed()) == "<ParsedRequest POST 'Encrypt'>"
    for reject in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError):
            reject(result)
    assert (result == verify(MADE["ACS3"]), result == 5) == (True, False)
    with pytest.raises(TypeError):
        hash(result)

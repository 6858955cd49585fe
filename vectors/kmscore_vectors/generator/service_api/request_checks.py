"""Signed requests of both schemes: access keys, dates, signatures, and the order of the checks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.service_api.signing import (
    ACCESS_KEY,
    ACS3,
    BASE,
    EXPIRED,
    INCOMPLETE,
    NO_ACCESS_KEY,
    NO_SIGNATURE,
    NOW,
    PARAMS,
    SECRET,
    VERSION,
    SignedRequest,
    acs3,
    common,
    query_of,
    rejected,
    rpc,
    unsigned,
    verified,
)


class _Scheme(NamedTuple):
    """A scheme, with functions that make requests of it."""

    name: str
    scheme: str
    base: dict[str, str]
    dated: Callable[[str], SignedRequest]
    with_nonce: Callable[[str], SignedRequest]
    with_secret: Callable[[str], SignedRequest]
    of_key: Callable[[str], SignedRequest]


_SCHEMES: Final = (
    _Scheme(
        "ACS3",
        ACS3,
        BASE,
        lambda date: acs3(headers={"x-acs-date": date}),
        lambda nonce: acs3(headers={"x-acs-signature-nonce": nonce}),
        lambda secret: acs3(secret=secret),
        lambda key: acs3(credential=key),
    ),
    _Scheme(
        "RPC",
        "HMAC-SHA1",
        common(),
        lambda date: rpc(Timestamp=date),
        lambda nonce: rpc(SignatureNonce=nonce),
        lambda secret: rpc(secret=secret),
        lambda key: rpc(AccessKeyId=key),
    ),
)


def cases() -> Iterator[Case]:
    """Yield the tests."""
    for scheme in _SCHEMES:
        yield from _access_keys(scheme)
        yield from _secrets(scheme)
        yield from _dates(scheme)
        yield from _order(scheme)
    yield from _rpc_signatures()


def _access_keys(scheme: _Scheme) -> Iterator[Case]:
    """Yield access key IDs at their limits; the verifier knows each of them."""

    def known(key: str) -> SignedRequest:
        return replace(scheme.of_key(key), secrets=((key, SECRET),))

    for comment, key in {
        "one character": "~",
        "128 characters": "k" * 128,
        "marks": "!\"#$%&'()*+-./:;<=>?@[]^_`{|}",
    }.items():
        parameters = scheme.base | PARAMS
        if "AccessKeyId" in parameters:
            parameters = {**parameters, "AccessKeyId": key}
        yield verified(
            f"{scheme.name}, an access key ID of {comment}", known(key), parameters,
            scheme.scheme, access_key_id=key,
        )  # fmt: skip
    for comment, key in {
        "of 129 characters": "k" * 129,
        "of 256 characters": "k" * 256,
        "with a space": "LTAI vector",
        "with a comma": "LTAI,vector",
        "outside ASCII": "LTAI\u00e9",
    }.items():
        yield rejected(
            f"{scheme.name}, an access key ID {comment}", "UnknownAccessKey", NO_ACCESS_KEY,
            "access key", known(key),
        )  # fmt: skip
    yield rejected(
        f"{scheme.name}, an access key that is a member of objects", "UnknownAccessKey",
        NO_ACCESS_KEY, "access key", scheme.of_key("constructor"),
    )  # fmt: skip
    yield rejected(
        f"{scheme.name}, an access key ID in another case", "UnknownAccessKey", NO_ACCESS_KEY,
        "access key", scheme.of_key(ACCESS_KEY.lower()),
    )  # fmt: skip


def _secrets(scheme: _Scheme) -> Iterator[Case]:
    """Yield secrets outside ASCII, which are used in UTF-8."""
    for comment, secret in {
        "a secret in Latin-1": "caf\u00e9",
        "a secret beyond Latin-1": "\u57ce\U0001f511",
    }.items():
        request = replace(scheme.with_secret(secret), secrets=((ACCESS_KEY, secret),))
        yield verified(f"{scheme.name}, {comment}", request, scheme.base | PARAMS, scheme.scheme)


def _dates(scheme: _Scheme) -> Iterator[Case]:
    """Yield dates that a lenient reader takes for the present, or for a time close to it."""
    for now, dates in {
        "2026-03-02T08:00:00Z": ("2026-02-30T08:00:00Z",),
        "2026-03-01T00:00:00Z": ("2026-02-29T00:00:00Z", "2026-02-28T24:00:00Z"),
        "2026-12-01T08:00:00Z": ("2026-11-31T08:00:00Z", "2026-12-00T08:00:00Z"),
        "2027-01-01T08:00:00Z": ("2026-13-01T08:00:00Z", "2027-00-01T08:00:00Z"),
        NOW: (
            "2026-11-29T07:60:00Z",
            "2026-11-29T07:59:60Z",
            "2026-11-29T08:00:00z",
            "2026-11-29t08:00:00Z",
            "2026-11-29 08:00:00Z",
            "2026-11-29T08:00:00",
            "2026-11-29T08:00:00.0Z",
            "2026-11-29T08:00Z",
            "20261129T080000Z",
            "2026-11-29T16:00:00+08:00",
            "+02026-11-29T08:00:00Z",
        ),
    }.items():
        for date in dates:
            request = replace(scheme.dated(date), now=now)
            comment = f"{scheme.name}, the date {date} at {now}"
            yield rejected(comment, "Expired", EXPIRED, "date", request)
    for now, date in (
        ("2028-02-29T08:00:00Z", "2028-02-29T08:00:00Z"),
        ("2027-01-01T00:00:00Z", "2026-12-31T23:59:59Z"),
    ):
        base = {**scheme.base, **({} if scheme.scheme == ACS3 else {"Timestamp": date})}
        request = replace(scheme.dated(date), now=now)
        comment = f"{scheme.name}, the date {date} at {now}"
        yield verified(comment, request, base | PARAMS, scheme.scheme)


def _order(scheme: _Scheme) -> Iterator[Case]:
    """Yield requests with two faults, of which the first check reports one."""
    expired = scheme.dated("2026-11-29T07:44:59Z")
    others = (("LTAIother", SECRET),)
    for comment, flag, code, step, request in (
        (
            "a date of before, and a nonce that was used", "Expired", EXPIRED, "date",
            replace(expired, is_fresh=False),
        ),
        (
            "another secret, and a nonce that was used", "WrongSignature", NO_SIGNATURE,
            "signature", replace(scheme.with_secret("another"), is_fresh=False),
        ),
        (
            "another secret, and a date of before", "WrongSignature", NO_SIGNATURE,
            "signature", replace(expired, secrets=((ACCESS_KEY, "another"),)),
        ),
        (
            "no nonce, and another secret", "UnsignedPart", INCOMPLETE, "form",
            replace(scheme.with_nonce(""), secrets=((ACCESS_KEY, "another"),)),
        ),
        (
            "no nonce, and an unknown access key", "UnknownAccessKey", NO_ACCESS_KEY, "access key",
            replace(scheme.with_nonce(""), secrets=others),
        ),
        (
            "a parameter twice, and an unknown access key", "Malformed", "InvalidParameter",
            "parse", replace(expired, target=f"{expired.target}&KeyId=orders", secrets=others),
        ),
    ):  # fmt: skip
        yield rejected(f"{scheme.name}, {comment}", flag, code, step, request)


def _rpc_signatures() -> Iterator[Case]:
    """Yield signatures of another form than the Base64 of an HMAC."""
    right = rpc()
    start, _, rest = right.target.partition("&Signature=")
    signature, _, end = rest.partition("&")
    for comment, text in {
        "an empty signature": "",
        "a signature of 29 characters": f"A{signature}",
        "a signature without padding": signature.replace("%3D", ""),
        "a signature outside ASCII": "A" * 27 + "%C3%A9",
        "a signature of the other hash": "A" * 43 + "%3D",
    }.items():
        request = replace(right, target=f"{start}&Signature={text}&{end}")
        yield unsigned(f"RPC, {comment}", request)
    headers = (("x-acs-action", "Encrypt"), ("x-acs-version", VERSION))
    for name in common():
        request = replace(_without(name), headers=headers)
        yield unsigned(f"RPC, no {name}", request)


def _without(absent: str) -> SignedRequest:
    """Return a request without a parameter, whose signature is right but for that."""

    def form(params: Mapping[str, str]) -> str:
        return query_of({name: value for name, value in params.items() if name != absent})

    return rpc(signed=form, sent_as=form)

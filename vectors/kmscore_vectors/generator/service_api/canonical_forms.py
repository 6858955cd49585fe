"""Signed requests with unusual queries and headers, and signatures of other canonical forms."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.service_api.signing import (
    ACS3,
    BASE,
    NO_SIGNATURE,
    PARAMS,
    Query,
    SignedRequest,
    acs3,
    common,
    encoded,
    query_of,
    rejected,
    rpc,
    unsigned,
    verified,
)

_ORDERS: Final[dict[str, dict[str, str]]] = {
    "a name and the same with a hyphen": {"a-": "2", "a": "1"},
    "a name and the same with digits and dots": {"a1": "2", "a.1": "3", "a": "1", "a%": "4"},
    "names that are encoded": {"\u00e9": "1", "~": "2", "z": "3", "A": "4"},
    "names beyond the basic plane": {"\U0001f511": "1", "\uff5a": "2", "\ue000": "3"},
    "capitals and small letters": {"a": "1", "B": "2", "_": "3"},
    "names that are numbers": {"9": "a", "10": "b", "1": "c"},
    "names of members of objects": {"constructor": "1", "__proto__": "2", "toString": "3"},
    "an empty name": {"a": "1", "": "2"},
    "one name, composed and decomposed": {"\u00e9": "1", "e\u0301": "2"},
}
"""Parameters whose order depends on the texts that are compared."""

_WRITINGS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "+ for a space": ("Plaintext=+a+b", {"Plaintext": " a b"}),
    "%20 and %2B": ("Plaintext=a%20b%2Bc", {"Plaintext": "a b+c"}),
    "small hexadecimal digits": ("Plaintext=%2f%c3%a9%3d", {"Plaintext": "/\u00e9="}),
    "equals signs in a value": ("Plaintext=QQ==&x==", {"Plaintext": "QQ==", "x": "="}),
    "~ escaped": ("Plaintext=%7e%7E~", {"Plaintext": "~~~"}),
    "marks as they are": ("Plaintext=!'()*:@,;$/?", {"Plaintext": "!'()*:@,;$/?"}),
    "letters escaped": ("%4b%65yId=%6Frders%2d%2E%5f", {"KeyId": "orders-._"}),
    "no equals sign": ("Plaintext&KeyId=", {"Plaintext": "", "KeyId": ""}),
    "empty parts": ("&&KeyId=orders&&", {"KeyId": "orders"}),
    "a space in a name": ("Key+Id%20=orders", {"Key Id ": "orders"}),
    "an escaped percent sign": ("Plaintext=%2541%25", {"Plaintext": "%41%"}),
    "control characters": ("Plaintext=%00%0A%7f", {"Plaintext": "\x00\n\x7f"}),
    "an escaped ampersand": ("Plaintext=a%26KeyId%3Db", {"Plaintext": "a&KeyId=b"}),
}
"""Queries as they are sent, each with its parameters."""


def cases() -> Iterator[Case]:
    """Yield the tests of both schemes."""
    for number, (comment, params) in enumerate(_ORDERS.items()):
        yield from _signed(comment, params, number)
    for number, (comment, (raw, params)) in enumerate(_WRITINGS.items()):
        yield from _signed(comment, params, number, _as_sent(raw, params))
    yield from _other_forms()
    yield from _right_headers()
    yield from _wrong_headers()


def _as_sent(raw: str, params: Mapping[str, str]) -> Query:
    """Return the form of a query in which some of the parameters are written as given."""

    def form(sent: Mapping[str, str]) -> str:
        others = {name: value for name, value in sent.items() if name not in params}
        return "&".join(filter(None, (query_of(others), raw)))

    return form


def _signed(
    comment: str, params: dict[str, str], number: int, sent_as: Query = query_of
) -> Iterator[Case]:
    """Yield a right request in each scheme; methods and hashes take turns."""
    method = ("POST", "GET")[number % 2]
    request = acs3(params, method=method, sent_as=sent_as)
    comment = f"{comment}, {method}"
    yield verified(f"ACS3, {comment}", request, BASE | params, ACS3, "CanonicalQuery")
    digest = ("sha1", "sha256")[number % 2]
    request = rpc(params, digest=digest, method=method, in_form=method == "POST", sent_as=sent_as)
    scheme = f"HMAC-{digest.upper()}"
    everything = common(digest) | params
    yield verified(f"RPC, {scheme}, {comment}", request, everything, scheme, "CanonicalQuery")


def _sorted_by(key: Callable[[str], object]) -> Query:
    """Return the form of a query that is sorted by a key of the names."""

    def form(params: Mapping[str, str]) -> str:
        names = sorted(params, key=key)  # type: ignore[arg-type]  # each key has one type
        return "&".join(f"{encoded(name)}={encoded(params[name])}" for name in names)

    return form


def _encoded_by(encode: Callable[[str], str]) -> Query:
    """Return the form of a query in another encoding."""
    return lambda params: "&".join(
        f"{encode(name)}={encode(params[name])}" for name in sorted(params)
    )


def _other_forms() -> Iterator[Case]:
    """Yield requests whose signature is that of another form of the same parameters."""
    value = {"Plaintext": "a b+~*\u00e9/"}
    forms: dict[str, tuple[dict[str, str], Query]] = {
        "sorted as name=value": (
            _ORDERS["a name and the same with a hyphen"],
            lambda params: "&".join(sorted(query_of(params).split("&"))),
        ),
        "sorted by encoded names": (_ORDERS["names that are encoded"], _sorted_by(encoded)),
        "sorted by UTF-16 units": (
            _ORDERS["names beyond the basic plane"],
            _sorted_by(lambda name: name.encode("utf-16-be")),
        ),
        "sorted without regard to case": (
            _ORDERS["capitals and small letters"], _sorted_by(str.lower),
        ),
        "sorted as numbers": (
            _ORDERS["names that are numbers"],
            _sorted_by(lambda name: (not name.isdigit(), name.zfill(2))),
        ),
        "in the order of the request": (
            {"b": "2", "a": "1"},
            lambda params: "&".join(f"{encoded(n)}={encoded(v)}" for n, v in params.items()),
        ),
        "+ for a space": (value, _encoded_by(lambda text: quote_plus(text, safe="~"))),
        "~ escaped": (value, _encoded_by(lambda text: encoded(text).replace("~", "%7E"))),
        "* not escaped": (value, _encoded_by(lambda text: quote(text, safe="~*"))),
        "/ not escaped": (value, _encoded_by(lambda text: quote(text, safe="~/"))),
        "small hexadecimal digits": (
            value, _encoded_by(lambda text: encoded(text).replace("%C3%A9", "%c3%a9")),
        ),
        "no equals sign for an empty value": (
            {"Plaintext": ""}, lambda params: query_of(params).replace("Plaintext=", "Plaintext"),
        ),
    }  # fmt: skip
    for number, (comment, (params, signed)) in enumerate(forms.items()):
        request = acs3(params, signed=signed) if number % 2 else rpc(params, signed=signed)
        scheme = "ACS3" if number % 2 else "RPC"
        yield rejected(
            f"{scheme}, signed {comment}", "CanonicalQuery", NO_SIGNATURE, "signature", request
        )


def with_authorization(old: str, new: str) -> SignedRequest:
    """Return a right request with a change in the header that has the signature."""
    request = acs3()
    headers = tuple(
        (name, value.replace(old, new) if name == "authorization" else value)
        for name, value in request.headers
    )
    return replace(request, headers=headers)


def _right_headers() -> Iterator[Case]:
    """Yield requests with unusual headers."""
    capitals = replace(acs3(), headers=tuple((name.title(), v) for name, v in acs3().headers))
    for comment, request in {
        "names of headers in capitals": capitals,
        "headers in the reverse order": replace(acs3(), headers=acs3().headers[::-1]),
        "spaces after the commas": with_authorization(",", ", "),
        "spaces within a value": acs3(headers={"x-acs-note": "a  b   c"}),
        "colons, commas and semicolons in a value": acs3(headers={"x-acs-note": "a:b=c,d;e"}),
        "an empty value": acs3(headers={"x-acs-note": ""}),
        "names that begin with others": acs3(
            headers={"x-acs-date-2": "2", "x-acs-date.3": "3", "x-acs-date4": "4"}
        ),
        "another header that is signed": acs3(headers={"accept": "application/json"}),
    }.items():
        yield verified(f"ACS3, {comment}", request, BASE | PARAMS, ACS3, "SignedHeaders")


def _wrong_headers() -> Iterator[Case]:
    """Yield signatures of headers in another form."""
    for comment, old, new in (
        ("names that are not sorted", "host;x-acs-action", "x-acs-action;host"),
        ("names in capitals", "host;", "Host;"),
        ("a semicolon at the end", ",Signature", ";,Signature"),
        ("two spaces after a comma", ",Signature", ",  Signature"),
        ("another scheme", "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3"),
    ):
        request = with_authorization(old, new)
        yield unsigned(f"ACS3, {comment}", request)
    request = acs3(headers={"x-acs-note": "a b"})
    headers = tuple((n, "a  b" if n == "x-acs-note" else v) for n, v in request.headers)
    yield rejected(
        "ACS3, signed with one space where two are sent", "SignedHeaders", NO_SIGNATURE,
        "signature", replace(request, headers=headers),
    )  # fmt: skip

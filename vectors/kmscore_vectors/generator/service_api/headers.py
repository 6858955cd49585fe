"""Signed requests with unusual headers: values, limits, empty ones, and the signature itself."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.service_api.canonical_forms import with_authorization
from kmscore_vectors.generator.service_api.signing import (
    ACCESS_KEY,
    ACS3,
    BASE,
    NO_ACCESS_KEY,
    NO_SIGNATURE,
    PARAMS,
    SignedRequest,
    acs3,
    common,
    malformed,
    rejected,
    rpc,
    unsigned,
    verified,
)

_MOST_HEADERS: Final = 65_536


def cases() -> Iterator[Case]:
    """Yield the tests."""
    yield from _values()
    yield from _signed_values()
    yield from _limits()
    yield from _actions()
    yield from _authorization()


def _right(comment: str, request: SignedRequest) -> Case:
    """Return a test of a right request with the signature ACS3-HMAC-SHA256."""
    return verified(f"ACS3, {comment}", request, BASE | PARAMS, ACS3, "SignedHeaders")


def _with_note(signed: str, sent: str) -> SignedRequest:
    """Return a request whose signature has one value of a header, and that is sent with another."""
    request = acs3(headers={"x-acs-note": signed})
    headers = tuple((n, sent if n == "x-acs-note" else v) for n, v in request.headers)
    return replace(request, headers=headers)


def _values() -> Iterator[Case]:
    """Yield values with characters that are not allowed, in headers that are signed or not."""
    for character in ("\x00", "\n", "\x1f", "\x7f", "\x80", "\x85", "\x9f", "\u0100", "\u2028"):
        comment = f"U+{ord(character):04X} in a header"
        request = acs3(headers={"x-acs-note": "a b"})
        yield malformed(comment, _with_note("a", f"a{character}b"))
        headers = (*request.headers, ("user-agent", character))
        yield malformed(f"{comment} that is not signed", replace(request, headers=headers))


def _signed_values() -> Iterator[Case]:
    """Yield values of signed headers outside ASCII, and with spaces around them."""
    yield _right("a value in Latin-1", acs3(headers={"x-acs-note": "\u00a1\u00e9\u00ff"}))
    yield _right("a value in UTF-8, byte by byte", acs3(headers={"x-acs-note": "\u00c3\u00a9"}))
    yield rejected(
        "ACS3, a value in Latin-1, signed in UTF-8", "SignedHeaders", NO_SIGNATURE, "signature",
        _with_note("\u00c3\u00a9", "\u00e9"),
    )  # fmt: skip
    yield _right("a tab within a value", acs3(headers={"x-acs-note": "a\tb"}))
    yield _right("spaces and tabs around a value", _with_note("a b", " \t a b\t "))
    yield _right("spaces alone as a value", _with_note("", " \t "))
    yield rejected(
        "ACS3, signed with the space before a value", "SignedHeaders", NO_SIGNATURE, "signature",
        _with_note(" a", " a"),
    )  # fmt: skip
    yield _right("no-break spaces around a value", acs3(headers={"x-acs-note": "\u00a0a\u00a0"}))
    digest = hashlib.sha256(b"").hexdigest().upper()
    yield rejected(
        "ACS3, the digest of the body in capitals", "WrongSignature", NO_SIGNATURE, "signature",
        acs3(headers={"x-acs-content-sha256": digest}),
    )  # fmt: skip
    yield verified(
        "ACS3, an empty token of temporary credentials",
        acs3(headers={"x-acs-security-token": ""}), BASE | PARAMS, ACS3, "SignedHeaders",
        security_token="",
    )  # fmt: skip
    yield verified(
        "RPC, an empty token of temporary credentials", rpc(SecurityToken=""),
        common() | PARAMS | {"SecurityToken": ""}, "HMAC-SHA1", security_token="",
    )  # fmt: skip


def _limits() -> Iterator[Case]:
    """Yield headers with the most characters in all, and with one more."""
    request = acs3()
    name = "n" * 20_000
    length = sum(len(n) + len(v) for n, v in request.headers) + len(name)
    most = "v" * (_MOST_HEADERS - length)
    full = replace(request, headers=(*request.headers, (name, most)))
    yield _right("headers of 65,536 characters", full)
    more = replace(request, headers=(*request.headers, (name, f"{most}v")))
    yield malformed("headers of 65,537 characters, names and values", more)
    spaces = replace(request, headers=(*request.headers, (name, f" {most[2:]}  ")))
    yield malformed("headers of 65,537 characters, with the spaces around a value", spaces)


def _actions() -> Iterator[Case]:
    """Yield headers that are empty, next to the parameter that they have to be equal to."""
    yield malformed(
        "an empty action in the header, and an action",
        acs3({"Action": "Encrypt"}, headers={"x-acs-action": ""}),
    )
    yield malformed("an empty action, and one in the header", acs3({"Action": ""}))
    yield malformed("the action of the header in small letters", acs3({"Action": "encrypt"}))
    yield malformed(
        "an empty action in the header alone",
        acs3({}, headers={"x-acs-action": ""}),
        "MissingParameter",
    )
    yield malformed(
        "an empty version in the header alone",
        acs3({}, headers={"x-acs-version": ""}),
        "InvalidVersion",
    )
    for name in ("x-acs-action", "x-acs-version"):
        request = replace(rpc(), headers=((name, ""),))
        yield malformed(f"RPC, an empty header {name}", request)


def _signature() -> str:
    """Return the signature of the right request."""
    return acs3().headers[-1][1].rpartition("=")[2]


def _authorization() -> Iterator[Case]:
    """Yield headers with spaces and fields where they are not allowed."""
    many = " " * 10_000
    for comment, old, new in (
        ("two spaces after the scheme", " Credential", "  Credential"),
        ("two spaces before SignedHeaders", ",Signed", ",  Signed"),
        ("a tab after a comma", ",Signed", ",\tSigned"),
        ("10,000 spaces after the scheme", " Credential", f"{many}Credential"),
        ("10,000 spaces before SignedHeaders", ",Signed", f",{many}Signed"),
        ("10,000 spaces before Signature", ",Signature", f",{many}Signature"),
        ("a space before a semicolon", "host;", "host ;"),
        ("a space within the signature", ",Signature=", ",Signature= "),
        ("a comma at the end of the names", ",Signature", ",,Signature"),
        ("an empty access key ID", ACCESS_KEY, ""),
        ("a field before an unknown access key", f"Credential={ACCESS_KEY}", "X=1,Credential=x"),
        (
            "a scheme in small letters, and an unknown access key",
            f"{ACS3} Credential=", f"{ACS3.lower()} Credential=x",
        ),
        ("a signature in capitals", _signature(), _signature().upper()),
        ("no field", with_authorization("", "").headers[-1][1], ACS3),
    ):  # fmt: skip
        request = with_authorization(old, new)
        yield unsigned(f"ACS3, {comment}", request)
    for comment, old, new in (
        ("a space before a comma", ",Signed", " ,Signed"),
        ("another scheme, and an unknown access key", f"{ACS3} Credential=", "X-1 Credential=x"),
    ):
        request = with_authorization(old, new)
        yield rejected(f"ACS3, {comment}", "UnknownAccessKey", NO_ACCESS_KEY, "access key", request)
    headers = tuple((n, f" \t{v}  " if n == "authorization" else v) for n, v in acs3().headers)
    yield _right("spaces around the signature", replace(acs3(), headers=headers))

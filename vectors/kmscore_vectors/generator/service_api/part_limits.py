"""Queries and bodies with the most parts or names, and with one more."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.service_api.json_bodies import with_body
from kmscore_vectors.generator.service_api.signing import (
    ACCESS_KEY,
    ACS3,
    BASE,
    FORM,
    SignedRequest,
    acs3,
    rejected,
    verified,
)

_JSON: Final = "application/json"
_MOST: Final = 8192


def cases() -> Iterator[Case]:
    """Yield the tests."""
    yield from _empty_parts()
    names = [f"{number:x}" for number in range(_MOST)]
    for count, given in ((_MOST, names), (_MOST + 1, [*names, "x"])):
        parts = "&".join(given)
        members = ",".join(f'"{name}":""' for name in given)
        for comment, request in {
            f"{count:,} parts in a query": _unknown(FORM, b"", f"/?{parts}"),
            f"{count:,} parts in a form": _unknown(FORM, parts.encode()),
            f"{count:,} names in JSON": _unknown(_JSON, f"{{{members}}}".encode()),
            f"{count:,} names in an object in JSON": _unknown(
                _JSON, f'{{"a":{{{members}}}}}'.encode()
            ),
        }.items():
            if count == _MOST:
                yield rejected(
                    f"{comment}, which are read, and an unknown access key", "UnknownAccessKey",
                    "InvalidAccessKeyId.NotFound", "access key", request,
                )  # fmt: skip
            else:
                yield rejected(comment, "Malformed", "InvalidParameter", "parse", request)


def _empty_parts() -> Iterator[Case]:
    """Yield parts that are empty, and do not count."""
    empty = "&" * (_MOST + 1)
    params = {"KeyId": "orders"}
    request = acs3(params, sent_as=lambda _: f"{empty}KeyId=orders")
    form = with_body(f"KeyId=orders{empty}".encode(), FORM)
    for kind, each in {"query": request, "form": form}.items():
        yield verified(f"8,193 empty parts in a {kind}", each, BASE | params, ACS3)


def _unknown(kind: str, body: bytes, target: str = "/") -> SignedRequest:
    """Return a request of an unknown access key."""
    headers = tuple(
        (name, value.replace(ACCESS_KEY, "LTAIother"))
        for name, value in acs3({}, headers={"content-type": kind}).headers
    )
    return SignedRequest("POST", target, headers, body)

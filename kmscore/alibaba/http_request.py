"""The parser of HTTP requests: request target, headers and body to one set of parameters.

It is the only parser of the package, and does no I/O. It rejects a request that can be read in two
ways. Otherwise, the signature could cover other parameters than the server uses. A rejection has
the format that the client requests.

The format is that of the parameter `Format` (`JSON` or `XML`), or the first one that the header
`Accept` names, or JSON.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, final

from kmscore._typecheck import check_instance
from kmscore._values import Secret, representation
from kmscore.alibaba.parameter_names import ACTION
from kmscore.alibaba.request_pairs import Pairs, Values, body_pairs, decoded_pairs, invalid
from kmscore.alibaba.responses import ApiResponse
from kmscore.alibaba.service_errors import (
    INVALID_VERSION,
    REQUEST_TOO_LARGE,
    UNKNOWN_PATH,
    UNSUPPORTED_METHOD,
    Fault,
    RequestError,
    incomplete_signature,
    invalid_parameter,
    missing_parameter,
)

VERSION: Final = "2016-01-20"
"""The only version of the API."""

MAX_TARGET_LENGTH: Final = 1 << 19
"""Maximum characters of a request target.

A context of 8,192 characters can need 73,728 in a query, and ReEncrypt has two.
"""

_MAX_HEADERS_LENGTH: Final = 1 << 16

_METHODS: Final = frozenset({"GET", "POST"})
_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_IN_HEADERS: Final = re.compile("[^\t\x20-\x7e\xa0-\xff]")  # no control character, C0 or C1
_NOT_IN_TARGETS: Final = re.compile("[^\x21-\x7e]|#")
_FORMATS: Final = MappingProxyType({"json": False, "xml": True})
_ACCEPTED: Final = MappingProxyType(
    {"application/json": False, "text/xml": True, "application/xml": True}
)


@final
class RejectedRequest(NamedTuple):
    """A request that is rejected before any key is used."""

    fault: Fault
    """The error of the service."""

    as_xml: bool
    """Whether the client requests XML."""

    def response(self, request_id: str) -> ApiResponse:
        """Return the response of the service.

        Args:
            request_id: The request ID, printable ASCII.

        Returns:
            The response, with the status of the error.
        """
        return ApiResponse.of_fault(self.fault, request_id)


@final
class ParsedRequest(Secret):
    """A request with one reading. Its signature has not been verified.

    A parameter can be a plaintext, so `pickle` and `copy` raise `TypeError`, and `repr` shows only
    the action.
    """

    __slots__ = ("as_xml", "body", "form", "headers", "method", "parameters", "query")

    method: str
    """`GET` or `POST`."""

    query: Pairs
    """The parameters in the request target, decoded, in their order."""

    form: Pairs | None
    """The parameters in a form body, decoded, in their order; `None` for another body."""

    headers: Mapping[str, str]
    """The headers, with names in lower case."""

    body: bytes
    """The body, 0 to 524,288 bytes."""

    parameters: Mapping[str, str]
    """The parameters of query and body, as texts, with `Action`, also if it is in a header.

    An object in a JSON body is its compact JSON text, the form that clients send for a context.
    """

    as_xml: bool
    """Whether the client requests XML."""

    def __init__(self, **attributes: object) -> None:
        """Take the attributes. Only `parse` creates a request.

        Args:
            attributes: The attributes by name.
        """
        self._set(**attributes)

    @representation
    def __repr__(self) -> str:
        """Return the method and the action."""
        return f"<ParsedRequest {self.method} {self.parameters.get(ACTION)!r:.80}>"


def parse(
    method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes
) -> ParsedRequest | RejectedRequest:
    """Parse a request of a client.

    The following are rejected:

    - another method than GET and POST, another path than `/`, and a request that is too large;
    - a text that is not UTF-8, and a header or a parameter that is given twice;
    - a header and a parameter with different actions or versions;
    - both kinds of signature at once;
    - a body of another type than a form or a JSON object of texts, numbers, truth values, `null`
      and objects of texts.

    Args:
        method: The HTTP method.
        target: The request target as it was sent, in origin form (RFC 9112 section 3.2.1): path and
            query, percent-encoded.
        headers: The names and values of the headers; each value is a text in Latin-1, as WSGI and
            `http.server` have it.
        body: The body.

    Returns:
        The request, or its rejection.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    check_instance(method, str, "method")
    check_instance(target, str, "target")
    check_instance(body, bytes, "body")
    given = [(name, value) for name, value in headers]
    for name, value in given:
        check_instance(name, str, "header name")
        check_instance(value, str, "header value")
    reading = _Reading()
    try:
        return reading.read(method, target, given, body)
    except RequestError as error:
        return RejectedRequest(error.fault, reading.as_xml)


class _Reading:
    """One run of the parser; it knows the format of the response as soon as it is read."""

    def __init__(self) -> None:
        self.as_xml = False

    def read(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> ParsedRequest:
        """Return the request. Raises `RequestError`."""
        by_name = _headers(headers)
        self.as_xml = _accepts_xml(by_name.get("accept", ""))
        path, query = _target(target)
        self._take_format(query)
        if method not in _METHODS:
            raise RequestError(UNSUPPORTED_METHOD)
        if path != "/":
            raise RequestError(UNKNOWN_PATH)
        form, values = body_pairs(by_name.get("content-type", ""), body)
        self._take_format(values)
        parameters = _merged((*query, *values))
        _merge_headers(by_name, parameters)
        return ParsedRequest(
            method=method,
            query=query,
            form=form,
            headers=MappingProxyType(by_name),
            body=body,
            parameters=MappingProxyType(parameters),
            as_xml=self.as_xml,
        )

    def _take_format(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        """Take the format from the parameter `Format`, if there is one."""
        for name, value in pairs:
            if name == "Format" and value:
                as_xml = _FORMATS.get(value.lower())
                if as_xml is None:
                    raise RequestError(invalid_parameter("Format"))
                self.as_xml = as_xml


def _headers(given: list[tuple[str, str]]) -> dict[str, str]:
    """Return the headers by lower-case name."""
    if sum(len(name) + len(value) for name, value in given) > _MAX_HEADERS_LENGTH:
        raise RequestError(REQUEST_TOO_LARGE)
    by_name: dict[str, str] = {}
    for name, value in given:
        if _HEADER_NAME.fullmatch(name) is None or _NOT_IN_HEADERS.search(value) is not None:
            raise invalid("header")
        if name.lower() in by_name:
            raise invalid(name)
        by_name[name.lower()] = value.strip(" \t")
    return by_name


def _accepts_xml(accept: str) -> bool:
    """Return whether the first known media type of a header `Accept` is XML."""
    kinds = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return next((_ACCEPTED[kind] for kind in kinds if kind in _ACCEPTED), False)


def _target(target: str) -> tuple[str, Pairs]:
    """Return the path and the parameters of a request target."""
    if len(target) > MAX_TARGET_LENGTH:
        raise RequestError(REQUEST_TOO_LARGE)
    if not target.startswith("/") or _NOT_IN_TARGETS.search(target) is not None:
        raise RequestError(UNKNOWN_PATH)
    path, _, query = target.partition("?")
    return path, decoded_pairs(query.encode("ascii"), "query")


def _merged(pairs: Values) -> dict[str, str]:
    """Return the parameters by name, without nulls of JSON.

    Raises `RequestError` if one is given twice.
    """
    parameters: dict[str, str | None] = {}
    for name, value in pairs:
        if name in parameters:
            raise invalid(name)
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value is not None}


def _merge_headers(headers: Mapping[str, str], parameters: dict[str, str]) -> None:
    """Set `Action` and `Version` from their headers, which must agree with the parameters.

    A header or parameter that is empty also has to agree.
    """
    for header, name in (("x-acs-action", ACTION), ("x-acs-version", "Version")):
        value = headers.get(header)
        if value is not None and parameters.setdefault(name, value) != value:
            raise invalid(name)
    if parameters.setdefault("Version", VERSION) != VERSION:
        raise RequestError(INVALID_VERSION)
    if not parameters.get(ACTION):
        raise RequestError(missing_parameter(ACTION))
    if "authorization" in headers and "Signature" in parameters:
        raise RequestError(incomplete_signature("two signatures, in header and parameter"))

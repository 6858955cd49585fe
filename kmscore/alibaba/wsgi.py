"""The API as a WSGI application (PEP 3333): from a request of a client to the response.

An application has the steps of `parse`, authentication, throttling and `KmsApi.handle`, and always
answers with a response of the service. The content type of XML is `text/xml`, because the vendor's
Python client parses an error only with this type; the samples of the page have `application/xml`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from kmscore._typecheck import check_instance
from kmscore.alibaba.api import KmsApi, random_request_id
from kmscore.alibaba.events import Event
from kmscore.alibaba.http_request import MAX_BODY_LENGTH, ParsedRequest, RefusedRequest, parse
from kmscore.alibaba.policy_conditions import (
    CURRENT_TIME,
    SECURE_TRANSPORT,
    SOURCE_IP,
    Facts,
)
from kmscore.alibaba.responses import JSON_CONTENT_TYPE, XML_CONTENT_TYPE, ApiResponse
from kmscore.alibaba.service_errors import (
    INTERNAL_FAILURE,
    LENGTH_REQUIRED,
    REQUEST_TOO_LARGE,
    THROTTLED,
    invalid_parameter,
)
from kmscore.alibaba.signatures import VerifiedRequest

_MAX_DIGITS: Final = 10  # of a Content-Length

Environ: TypeAlias = dict[str, Any]

Authenticate: TypeAlias = Callable[["ParsedRequest", datetime], "VerifiedRequest | RefusedRequest"]
"""A callable with a parsed request and the present time, which verifies the signature."""

Application: TypeAlias = Callable[[Environ, Callable[..., object]], Iterable[bytes]]
"""A WSGI application."""


def ANONYMOUS(parsed: ParsedRequest, now: datetime) -> VerifiedRequest:  # noqa: ARG001, N802
    """Accept every request, also one without a signature. For tests.

    Args:
        parsed: The request.
        now: Not used.

    Returns:
        The request, with all its parameters and without an access key.
    """
    return VerifiedRequest(parsed.parameters)


def direct_facts(environ: Environ, now: datetime) -> Facts:
    """Return the facts of a request that no proxy has forwarded.

    Behind a proxy, the address is that of the proxy. Return the facts from your proxy's headers
    then, and only if no client can send these headers.

    Args:
        environ: The WSGI environment.
        now: The present time.

    Returns:
        The address of the client, the present time, and whether the request came over TLS.
    """
    return {
        SOURCE_IP: environ.get("REMOTE_ADDR"),
        CURRENT_TIME: now,
        SECURE_TRANSPORT: environ.get("wsgi.url_scheme") == "https",
    }


def wsgi_app(
    api: KmsApi,
    *,
    authenticate: Authenticate,
    clock: Callable[[], datetime],
    throttle: Callable[[Any, float], bool] | None = None,
    principal_of: Callable[[VerifiedRequest], Any] | None = None,
    facts_of: Callable[[Environ, datetime], Facts] | None = None,
    on_event: Callable[[Event], object] | None = None,
    with_contexts: bool = False,
) -> Application:
    """Create a WSGI application for an API.

    Args:
        api: The API.
        authenticate: A callable that verifies a request, usually with `verify`; or `ANONYMOUS`.
        clock: A callable that returns the present time, with a time zone.
        throttle: A callable that takes the principal and the present time in seconds, and returns
            whether it is within its limit, such as `Throttle()`. It is not called for a request
            without an access key. The default `None` sets no limit.
        principal_of: A callable that returns the principal of a verified request, for the policy,
            the limit and the records. The default is the ID of its access key.
        facts_of: A callable that takes the WSGI environment and the present time, and returns the
            facts for the conditions of a policy, such as `direct_facts`. The default `None` gives
            no facts, and the policy gets three arguments.
        on_event: A callable that takes the record of each call (default `None`).
        with_contexts: Whether the records have the encryption contexts (default `False`).

    Returns:
        The application. A failure that no request causes, such as an exception of `authenticate`,
        is answered with `InternalFailure`, and its class is written to `wsgi.errors`.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    check_instance(api, KmsApi, "api")
    _check_callables({"authenticate": authenticate, "clock": clock})
    optional: dict[str, object] = {
        "throttle": throttle,
        "principal_of": principal_of,
        "facts_of": facts_of,
        "on_event": on_event,
    }
    _check_callables({name: value for name, value in optional.items() if value is not None})
    check_instance(with_contexts, bool, "with_contexts")

    def answer(parsed: ParsedRequest, environ: Environ) -> tuple[ApiResponse, Event]:
        """Return the response and its record."""
        now = clock()
        request = authenticate(parsed, now)
        if isinstance(request, RefusedRequest):
            return _refused(request)
        check_instance(request, VerifiedRequest, "authenticate()")
        principal = principal_of(request) if principal_of else request.access_key_id
        is_known = request.access_key_id is not None
        if throttle and is_known and throttle(principal, now.timestamp()) is not True:
            refused = RefusedRequest(THROTTLED, parsed.as_xml)
            return _refused(refused, request.action, principal)
        facts = None if facts_of is None else facts_of(environ, now)
        return api.handle(
            request.parameters, principal=principal, facts=facts, with_contexts=with_contexts
        )

    def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        parsed = _parsed(environ)
        try:
            if isinstance(parsed, RefusedRequest):
                response, event = _refused(parsed)
            else:
                response, event = answer(parsed, environ)
            if on_event is not None:
                # A call that cannot be recorded gets no result.
                on_event(event)
        except Exception as error:  # noqa: BLE001 (a client gets a response of the service)
            environ["wsgi.errors"].write(f"kmscore: internal failure: {type(error).__name__}\n")
            response, _ = _refused(RefusedRequest(INTERNAL_FAILURE, parsed.as_xml))
        return _sent(response, environ, start_response, as_xml=parsed.as_xml)

    return application


def _check_callables(values: Mapping[str, object]) -> None:
    """Raise `TypeError` unless all values are callable."""
    for name, value in values.items():
        if not callable(value):
            raise TypeError(f"{name} must be callable, not {type(value).__name__}")


def _refused(
    request: RefusedRequest, action: str = "", principal: object = None
) -> tuple[ApiResponse, Event]:
    """Return the response to a refused request, and its record."""
    request_id = random_request_id()
    event = Event(request_id, principal, action, request.fault.code)
    return request.response(request_id), event


def _parsed(environ: Environ) -> ParsedRequest | RefusedRequest:
    """Return the request of a WSGI environment."""
    headers = [
        (name[5:].replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    kind = environ.get("CONTENT_TYPE") or ""
    # wsgiref sets text/plain if the client sends no type. No client needs it, unless it is signed.
    if kind and (kind != "text/plain" or "content-type" in environ.get("HTTP_AUTHORIZATION", "")):
        headers.append(("content-type", kind))
    path = environ.get("PATH_INFO") or "/"
    target = path if path == "/" else quote(path, safe="/:", encoding="latin-1")
    if environ.get("QUERY_STRING"):
        target += f"?{environ['QUERY_STRING']}"
    body = _body(environ)
    parsed = parse(
        environ["REQUEST_METHOD"], target, headers, body if isinstance(body, bytes) else b""
    )
    return parsed if isinstance(body, bytes) else body._replace(as_xml=parsed.as_xml)


def _body(environ: Environ) -> bytes | RefusedRequest:
    """Return the body, or a refusal in JSON if it is too large, incomplete or without a length."""
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        if not environ.get("wsgi.input_terminated"):
            is_chunked = "HTTP_TRANSFER_ENCODING" in environ
            return RefusedRequest(LENGTH_REQUIRED, as_xml=False) if is_chunked else b""
        length = MAX_BODY_LENGTH + 1
    elif not (text.isascii() and text.isdigit()):
        return RefusedRequest(invalid_parameter("Content-Length"), as_xml=False)
    else:
        length = int(text) if len(text) <= _MAX_DIGITS else MAX_BODY_LENGTH + 1
        if length > MAX_BODY_LENGTH:
            return RefusedRequest(REQUEST_TOO_LARGE, as_xml=False)
    try:
        body: bytes = environ["wsgi.input"].read(length)
    except OSError:
        body = b""
    if text and len(body) != length:
        return RefusedRequest(invalid_parameter("body"), as_xml=False)
    return body


def _sent(
    response: ApiResponse,
    environ: Environ,
    start_response: Callable[..., object],
    *,
    as_xml: bool,
) -> list[bytes]:
    """Start the response, and return its body."""
    try:
        body = response.xml() if as_xml else response.json()
    except ValueError:
        # A plaintext has characters that XML does not have.
        response = ApiResponse.of_fault(
            invalid_parameter("Format"), str(response.body["RequestId"])
        )
        body = response.xml()
    headers = [
        ("Content-Type", XML_CONTENT_TYPE if as_xml else JSON_CONTENT_TYPE),
        ("Content-Length", str(len(body))),
    ]
    if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, POST"))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

"""The API as a WSGI application (PEP 3333): from a request of a client to the response.

A server can merge some forms of a request before the application sees them, such as two headers of
one name, a path `//`, or a fragment. `parse` rejects them if the server shows them.

An application has the steps of `parse`, authentication, throttling and `KmsApi.handle`, and always
answers with a response of the service. The content type of XML is `text/xml`, because the vendor's
Python client parses an error only with this type; the samples of the page have `application/xml`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from kmscore._typecheck import check_callable, check_instance, check_optional_callable
from kmscore.alibaba.api import Handled, KmsApi, random_request_id
from kmscore.alibaba.events import Event, recorded_action
from kmscore.alibaba.http_request import ParsedRequest, RejectedRequest, parse
from kmscore.alibaba.parameter_readers import read_boolean
from kmscore.alibaba.parameters import DRY_RUN
from kmscore.alibaba.policy_conditions import (
    CURRENT_TIME,
    SECURE_TRANSPORT,
    SOURCE_IP,
    Facts,
)
from kmscore.alibaba.request_pairs import MAX_BODY_LENGTH
from kmscore.alibaba.responses import JSON_CONTENT_TYPE, XML_CONTENT_TYPE, ApiResponse
from kmscore.alibaba.service_errors import (
    INTERNAL_FAILURE,
    LENGTH_REQUIRED,
    REQUEST_TOO_LARGE,
    THROTTLED,
    Fault,
    invalid_parameter,
)
from kmscore.alibaba.signatures import VerifiedRequest

_MAX_DIGITS: Final = 10  # of a Content-Length

Environ: TypeAlias = dict[str, Any]

Authenticate: TypeAlias = Callable[["ParsedRequest", datetime], "VerifiedRequest | RejectedRequest"]
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
    fault_of: Callable[[VerifiedRequest], Fault | None] | None = None,
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
        fault_of: A callable that takes a verified request within its limit, and returns the error
            with which it is rejected, or `None` to perform it. For tests of clients (default
            `None`).
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
    check_callable(authenticate, "authenticate")
    check_callable(clock, "clock")
    check_optional_callable(throttle, "throttle")
    check_optional_callable(fault_of, "fault_of")
    check_optional_callable(principal_of, "principal_of")
    check_optional_callable(facts_of, "facts_of")
    check_optional_callable(on_event, "on_event")
    check_instance(with_contexts, bool, "with_contexts")

    def answer(parsed: ParsedRequest | RejectedRequest, environ: Environ) -> Handled:
        """Return the response and its record."""
        if isinstance(parsed, RejectedRequest):
            return _rejected(api, parsed.fault)
        now = clock()
        request = authenticate(parsed, now)
        if isinstance(request, RejectedRequest):
            return _rejected(api, request.fault)
        check_instance(request, VerifiedRequest, "authenticate()")
        principal = request.access_key_id if principal_of is None else principal_of(request)
        is_limited = throttle is not None and request.access_key_id is not None
        if is_limited and throttle(principal, now.timestamp()) is not True:  # type: ignore[misc]
            return _rejected(api, THROTTLED, request, principal)
        fault = None if fault_of is None else fault_of(request)
        if fault is not None:
            return _rejected(api, fault, request, principal)
        facts = None if facts_of is None else facts_of(environ, now)
        return api.handle(
            request.parameters, principal=principal, facts=facts, with_contexts=with_contexts
        )

    def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        parsed = _parsed(environ)
        try:
            handled = answer(parsed, environ)
        except Exception as error:  # noqa: BLE001 (a client gets a response of the service)
            _report(environ, error)
            handled = _failed(random_request_id())
        body, (response, event) = _rendered(handled, as_xml=parsed.as_xml)
        if on_event is not None:
            try:
                on_event(event)
            except Exception as error:  # noqa: BLE001 (likewise)
                # A call that cannot be recorded gets no result, but the request ID of its record.
                _report(environ, error)
                failed = _failed(event.request_id)
                body, (response, _) = _rendered(failed, as_xml=parsed.as_xml)
        return _send(response, body, environ, start_response, as_xml=parsed.as_xml)

    return application


def _report(environ: Environ, error: Exception) -> None:
    """Write the class of an exception to the log; its text could have a secret."""
    environ["wsgi.errors"].write(f"kmscore: internal failure: {type(error).__name__}\n")


def _rejected(
    api: KmsApi, fault: Fault, request: VerifiedRequest | None = None, principal: object = None
) -> Handled:
    """Return the response to a rejected request, and its record."""
    request_id = api.new_request_id()
    event = Event(request_id, principal, "", fault.code)
    if request is not None:
        is_dry_run = read_boolean(str(request.parameters.get(DRY_RUN.name))) is True
        action = recorded_action(request.action)
        event = event._replace(action=action, is_dry_run=is_dry_run)
    return Handled(ApiResponse.of_fault(fault, request_id), event)


def _failed(request_id: str) -> Handled:
    """Return the response to a failure that no request causes, and its record."""
    event = Event(request_id, None, "", INTERNAL_FAILURE.code)
    return Handled(ApiResponse.of_fault(INTERNAL_FAILURE, request_id), event)


def _parsed(environ: Environ) -> ParsedRequest | RejectedRequest:
    """Return the request of a WSGI environment."""
    headers = [
        (name[5:].replace("_", "-"), value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    ]
    body = _body(environ)
    kind = environ.get("CONTENT_TYPE") or ""
    # wsgiref sets text/plain if the client sends no type.
    if kind and (kind != "text/plain" or "content-type" in environ.get("HTTP_AUTHORIZATION", "")):
        headers.append(("content-type", kind))
    target = quote(environ.get("PATH_INFO") or "/", safe="/:", encoding="latin-1")
    if environ.get("QUERY_STRING"):
        target += f"?{environ['QUERY_STRING']}"
    method = environ["REQUEST_METHOD"]
    if isinstance(body, bytes):
        return parse(method, target, headers, body)
    # Only for the format of the response.
    return RejectedRequest(body, parse(method, target, headers, b"").as_xml)


def _body(environ: Environ) -> bytes | Fault:
    """Return the body, or the error if it is too large, incomplete or without a length."""
    text = environ.get("CONTENT_LENGTH") or ""
    if not text:
        if not environ.get("wsgi.input_terminated"):
            is_chunked = "HTTP_TRANSFER_ENCODING" in environ
            return LENGTH_REQUIRED if is_chunked else b""
        length = MAX_BODY_LENGTH + 1
    elif not (text.isascii() and text.isdigit()):
        return invalid_parameter("Content-Length")
    else:
        length = int(text) if len(text) <= _MAX_DIGITS else MAX_BODY_LENGTH + 1
        if length > MAX_BODY_LENGTH:
            return REQUEST_TOO_LARGE
    body: bytes | None
    try:
        body = environ["wsgi.input"].read(length)
    except Exception:  # noqa: BLE001 (each server has its own exception for a broken body)
        body = None
    if body is None or (text and len(body) != length):
        return invalid_parameter("body")
    return body


def _rendered(handled: Handled, *, as_xml: bool) -> tuple[bytes, Handled]:
    """Return the body of a response, and the response with its record.

    If a plaintext has characters that XML does not have, the response is an error.
    """
    try:
        return handled.response.xml() if as_xml else handled.response.json(), handled
    except ValueError:
        fault = invalid_parameter("Format")
    event = handled.event._replace(code=fault.code)
    response = ApiResponse.of_fault(fault, event.request_id)
    return response.xml(), Handled(response, event)


def _send(
    response: ApiResponse,
    body: bytes,
    environ: Environ,
    start_response: Callable[..., object],
    *,
    as_xml: bool,
) -> list[bytes]:
    """Start a response, and return its body."""
    headers = [
        ("Content-Type", XML_CONTENT_TYPE if as_xml else JSON_CONTENT_TYPE),
        ("Content-Length", str(len(body))),
    ]
    if response.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(("Allow", "GET, POST"))
    start_response(f"{response.status} {HTTPStatus(response.status).phrase}", headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

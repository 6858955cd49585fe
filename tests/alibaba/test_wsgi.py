"""The WSGI application: from the bytes of a client to a response of the service."""

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock
from urllib.error import HTTPError
from urllib.request import urlopen
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.validate import validator
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_api import RING, code_of, make_api, to_base64, valid_requests
from support.signed_requests import ACCESS_KEY, SECRET, Sent, sign_acs3, sign_rpc

from kmscore import alibaba
from kmscore.alibaba import ANONYMOUS, Event, RejectedRequest, Throttle, VerifiedRequest, wsgi_app
from kmscore.alibaba.parameters import Action
from kmscore.alibaba.service_errors import KEY_NOT_FOUND

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
API = make_api(resolve_key=alibaba.key_id_of_name)
ENCRYPT = {"KeyId": "orders", "Plaintext": to_base64(b"secret text")}


def authenticate(parsed: Any, now: datetime) -> Any:
    """Verify with one access key."""
    return alibaba.verify(
        parsed, {ACCESS_KEY: SECRET}.get, now=now, is_fresh=alibaba.ACCEPT_REPLAYS
    )


def make_app(**options: Any) -> Any:
    """Return an application with one access key and a fixed time, checked by wsgiref."""
    api = options.pop("api", API)
    defaults: dict[str, Any] = {"authenticate": authenticate, "clock": lambda: NOW}
    return validator(wsgi_app(api, **(defaults | options)))


def environ_of(sent: Sent, **more: Any) -> dict[str, Any]:
    """Return the WSGI environment of a request."""
    path, _, query = sent.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": sent.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "kms.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(sent.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in sent.headers:
        key = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    if sent.body:
        environ["CONTENT_LENGTH"] = str(len(sent.body))
    environ |= more
    return {name: value for name, value in environ.items() if value is not None}


class Answer:
    """A response of the application."""

    def __init__(self, app: Any, sent: Sent, **more: Any) -> None:
        """Send a request."""
        environ = environ_of(sent, **more)
        self.log = environ["wsgi.errors"]
        self.status = ""
        self.headers: dict[str, str] = {}

        def start_response(status: str, headers: Any, _info: Any = None) -> Any:
            self.status, self.headers = status, dict(headers)
            return lambda _: None

        result = app(environ, start_response)
        self.body = b"".join(result)
        result.close()
        assert self.headers["Content-Length"] == str(len(self.body)) or sent.method == "HEAD"

    @property
    def fields(self) -> Any:
        """The fields of a body in JSON."""
        assert self.headers["Content-Type"] == alibaba.JSON_CONTENT_TYPE
        return json.loads(self.body)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(sign_acs3(ENCRYPT), id="ACS3"),
        pytest.param(sign_rpc(ENCRYPT), id="RPC"),
        pytest.param(sign_rpc(ENCRYPT, method="POST", as_form=True), id="RPC with a form"),
        pytest.param(
            sign_acs3({}, body=json.dumps(ENCRYPT).encode(), content_type="application/json"),
            id="ACS3 with JSON",
        ),
    ],
)
def test_a_signed_request_is_answered(sent: Sent) -> None:
    """The response is that of `KmsApi`."""
    events: list[Event] = []
    answer = Answer(make_app(on_event=events.append), sent)
    assert answer.status == "200 OK", answer.body
    (event,) = events
    assert event == Event(
        answer.fields["RequestId"],
        ACCESS_KEY,
        "Encrypt",
        "OK",
        destination_key_id="orders",
        destination_key_version_id=answer.fields["KeyVersionId"],
    )
    opened = API.call({"Action": "Decrypt", "CiphertextBlob": answer.fields["CiphertextBlob"]})
    assert opened.body["Plaintext"] == ENCRYPT["Plaintext"]


def test_every_action_is_recorded_with_its_keys() -> None:
    """The source decrypts, and the destination encrypts; the code is that of the response."""
    versions = {key_id: RING.primary(key_id).key_version_id for key_id in ("orders", "archive")}
    orders, archive = ("orders", versions["orders"]), ("archive", versions["archive"])
    none: tuple[None, None] = (None, None)
    expected = {
        "ReEncrypt": (orders, archive),
        "Encrypt": (none, orders),
        "Decrypt": (orders, none),
        "GenerateDataKey": (none, orders),
        "GenerateDataKeyWithoutPlaintext": (none, orders),
        "ExportDataKey": (orders, none),
        "GenerateAndExportDataKey": (none, orders),
        "AsymmetricEncrypt": (none, ("sm2", "s1")),
        "AsymmetricDecrypt": (("sm2", "s1"), none),
    }
    for action, request in valid_requests(API).items():
        response, event = API.handle(request, principal="alice", with_contexts=True)
        assert event.request_id == response.body["RequestId"]
        assert (event.principal, event.action, event.code) == ("alice", action, "OK")
        assert event[5:9] == (*expected[action][0], *expected[action][1])
        has_context = any("Context" in name for name in request)
        assert bool(event.contexts) == has_context
        dry = API.handle(request | {"DryRun": "true"}).event
        assert (dry.code, dry.is_dry_run, dry.contexts) == ("DryRunOperationError", True, None)
        named = dict.fromkeys(("KeyId", "DestinationKeyId"), "unknown")
        changed = {name: named.get(name, value) for name, value in request.items()}
        if changed != request:
            failed = API.handle(changed).event
            assert failed.code == "Forbidden.KeyNotFound", failed
            assert "unknown" in failed[5:9]
            assert failed.destination_key_version_id is None


def test_a_denied_call_is_recorded_with_the_key_that_was_asked_for() -> None:
    """An audit log shows what the caller tried."""
    api = make_api(policy=lambda *_: False)
    event = api.handle({"Action": "Encrypt", **ENCRYPT}, principal="mallory").event
    assert event[1:7] == ("mallory", "Encrypt", "Forbidden.NoPermission", False, None, None)
    assert event.destination_key_id == "orders"


@pytest.mark.parametrize(
    ("action", "recorded"),
    [
        ("GetSecretValue", "GetSecretValue"),
        ("é" * 64, "é" * 64),
        ("x" * 65, ""),
        ("Get\nSecretValue", ""),
        ("", ""),
        (7, ""),
        (None, ""),
    ],
)
def test_an_action_that_is_not_served_is_recorded_by_its_name(
    action: object, recorded: str
) -> None:
    """A record has a name of at most 64 printable characters, and no other parameter."""
    event = API.handle({"Action": action, "SecretName": "p@ssword", "KeyId": "orders"}).event
    code = "MissingParameter" if action in {"", None} else "UnsupportedOperation"
    assert event[1:] == (None, recorded, code, False, None, None, None, None, None)


def test_an_action_is_recorded_if_another_name_is_misspelt() -> None:
    """The action is known also if the request fails before it is looked up."""
    for name in ("keyid", "dryrun"):
        event = API.handle({"Action": "Encrypt", name: "orders"}).event
        assert (event.action, event.code) == ("Encrypt", "InvalidParameter")


@pytest.mark.parametrize("format_", ["JSON", "XML"])
@pytest.mark.parametrize(
    ("sent", "more", "status", "code"),
    [
        pytest.param(sign_acs3({}, secret="other"), {}, 400, "SignatureDoesNotMatch", id="forged"),
        pytest.param(
            Sent("PUT", "/?Action=E", [], b""), {}, 405, "UnsupportedHTTPMethod", id="PUT"
        ),
        pytest.param(Sent("GET", "/kms", [], b""), {}, 404, "UnsupportedOperation", id="path"),
        pytest.param(sign_acs3({}), {}, 400, "MissingParameter", id="a missing parameter"),
        pytest.param(
            sign_acs3({}, action="DeleteEverything"), {}, 400, "UnsupportedOperation", id="action"
        ),
        pytest.param(
            Sent("POST", "/?Action=E", [], b"a"),
            {"CONTENT_LENGTH": "5"},
            400,
            "InvalidParameter",
            id="a body that breaks off",
        ),
        pytest.param(
            Sent("POST", "/?Action=E", [], b""),
            {"CONTENT_LENGTH": "9" * 30},
            413,
            "InvalidParameter",
            id="a body that is too long",
        ),
        pytest.param(
            Sent("POST", "/?Action=E", [], b""),
            {"CONTENT_LENGTH": "600000"},
            413,
            "InvalidParameter",
            id="a body that is somewhat too long",
        ),
        pytest.param(
            Sent("POST", "/?Action=E", [("transfer-encoding", "chunked")], b""),
            {"CONTENT_LENGTH": None},
            411,
            "InvalidParameter",
            id="a body without a length",
        ),
    ],
)
def test_every_failure_is_a_response_of_the_service(
    format_: str, sent: Sent, more: dict[str, Any], status: int, code: str
) -> None:
    """A rejection has the format that is asked for, and exactly one record."""
    events: list[Event] = []
    accept = "text/xml" if format_ == "XML" else "application/json"
    sent = sent._replace(headers=[*sent.headers, ("accept", accept)])
    answer = Answer(make_app(on_event=events.append), sent, **more)
    assert answer.status.startswith(f"{status} ")
    assert ("Allow" in answer.headers) is (status == 405)
    if format_ == "XML":
        assert answer.headers["Content-Type"] == "text/xml;charset=utf-8"
        root = ET.fromstring(answer.body)  # noqa: S314 (our own response)
        fields: Any = {each.tag: each.text for each in root}
    else:
        fields = answer.fields
    assert fields["Code"] == code
    assert [event.code for event in events] == [code]
    assert events[0].request_id == fields["RequestId"]
    assert answer.log.getvalue() == ""


def test_a_body_with_a_wrong_length_is_rejected() -> None:
    """A Content-Length that is not a number has no reading; wsgiref's validator rejects it too."""
    app = wsgi_app(API, authenticate=authenticate, clock=lambda: NOW)
    for text in ("-1", "1e3", "٣"):
        environ = environ_of(Sent("POST", "/?Action=E", [], b""), CONTENT_LENGTH=text)
        start_response = mock.Mock()
        (body,) = app(environ, start_response)
        assert start_response.call_args.args[0] == "400 Bad Request"
        assert "Content-Length" in json.loads(body)["Message"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("3", "404"),
        ("0000000003", "404"),
        ("00000000003", "413"),
        ("524288", "400"),
        ("524289", "413"),
        ("0", "404"),
    ],
)
def test_a_length_has_at_most_ten_digits(text: str, status: str) -> None:
    """A body can have 524,288 bytes; one that ends before its length is incomplete."""
    sent = Sent("POST", "/kms", [], b"abc" if int(text) else b"")
    assert Answer(make_app(), sent, CONTENT_LENGTH=text).status.startswith(status)


def test_a_type_that_the_server_adds_is_ignored() -> None:
    """The server wsgiref sets text/plain if the client sends no type."""
    sent = sign_acs3(ENCRYPT)
    assert Answer(make_app(), sent, CONTENT_TYPE="text/plain").status == "200 OK"
    signed = sign_acs3(ENCRYPT, content_type="text/plain")
    assert Answer(make_app(), signed).status == "200 OK"


def test_a_type_that_another_client_adds_is_read_with_a_body_alone() -> None:
    """The asynchronous client of the vendor adds one, which it does not sign."""
    added = {"CONTENT_TYPE": "application/octet-stream"}
    assert Answer(make_app(), sign_acs3(ENCRYPT), **added).status == "200 OK"
    signed = sign_acs3(ENCRYPT, content_type="application/octet-stream")
    assert Answer(make_app(), signed, CONTENT_TYPE="text/html").fields["Code"] == (
        "SignatureDoesNotMatch"
    )
    body = json.dumps(ENCRYPT).encode()
    unsigned = Answer(make_app(), sign_acs3({}, body=body), CONTENT_TYPE="application/json")
    assert unsigned.fields["Code"] == "IncompleteSignature"


@pytest.mark.parametrize("path", ["/?Action=Encrypt", "/%2F", "//", "!", "kms", "/\xe6"])
def test_a_decoded_path_is_not_read_as_a_query(path: str) -> None:
    """The server decodes the path, so a question mark in it was an escape."""
    app = wsgi_app(API, authenticate=ANONYMOUS, clock=lambda: NOW)
    query = "Action=Encrypt&KeyId=orders&Plaintext="
    started: list[Any] = []
    for more in ({"PATH_INFO": path}, {"PATH_INFO": f"{path}&{query}", "QUERY_STRING": ""}):
        environ = environ_of(Sent("GET", f"/?{query}", [], b"")) | more
        list(app(environ, lambda *args: started.append(args)))
    assert [status for status, _ in started] == ["404 Not Found"] * 2


def test_a_body_that_ends_with_the_input_is_read() -> None:
    """A server that decodes chunks says so with `wsgi.input_terminated`."""
    sent = sign_rpc(ENCRYPT, method="POST", as_form=True)
    more = {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
    assert Answer(make_app(), sent, **more).status == "200 OK"
    long = sent._replace(body=b"a" * 600_000)
    assert Answer(make_app(), long, **more).status.startswith("413")


def test_a_read_that_fails_is_a_response() -> None:
    """A broken connection is an error of the request, not of the service."""
    broken = mock.MagicMock(spec=io.BytesIO)
    broken.read.side_effect = ConnectionResetError
    sent = Sent("POST", "/?Action=E", [], b"abc")
    assert Answer(make_app(), sent, **{"wsgi.input": broken}).status == "400 Bad Request"


@pytest.mark.parametrize("body", [b"ab", b"abcd"])
def test_a_read_of_another_length_is_a_response(body: bytes) -> None:
    """A server that returns more than the body is rejected too."""
    source = mock.MagicMock(spec=io.BytesIO)
    source.read.return_value = body
    app = wsgi_app(API, authenticate=authenticate, clock=lambda: NOW)
    environ = environ_of(Sent("POST", "/?Action=E", [], b"abc")) | {"wsgi.input": source}
    (answer,) = app(environ, mock.Mock())
    assert json.loads(answer)["Message"] == 'The specified parameter "body" is not valid.'


@pytest.mark.parametrize("error", [ValueError, EOFError, RuntimeError, OSError])
@pytest.mark.parametrize("is_terminated", [False, True])
def test_a_server_can_have_its_own_errors(error: type[Exception], is_terminated: bool) -> None:
    """A body that cannot be read is rejected, also if the query is signed and complete."""
    broken = mock.MagicMock(spec=io.BytesIO)
    broken.read.side_effect = error("a part of the body")
    more: dict[str, Any] = {"wsgi.input": broken, "CONTENT_LENGTH": "3"}
    if is_terminated:
        more |= {"CONTENT_LENGTH": None, "wsgi.input_terminated": True}
    events: list[Event] = []
    answer = Answer(make_app(on_event=events.append), sign_rpc(ENCRYPT, method="POST"), **more)
    assert answer.status == "400 Bad Request"
    assert [event.code for event in events] == ["InvalidParameter"]
    assert answer.log.getvalue() == ""


def test_a_request_to_head_has_no_body() -> None:
    """The response to HEAD has headers alone (RFC 9110 section 9.3.2)."""
    app = wsgi_app(API, authenticate=authenticate, clock=lambda: NOW)
    started: list[Any] = []
    environ = environ_of(Sent("HEAD", "/?Action=E", [], b""))
    assert list(app(environ, lambda *args: started.append(args))) == [b""]
    assert started[0][0] == "405 Method Not Allowed"
    assert ("Allow", "GET, POST") in started[0][1]


def _raise(*_: object) -> Any:
    raise RuntimeError("a secret in the text")


@pytest.mark.parametrize(
    "options",
    [
        {"authenticate": _raise},
        {"clock": _raise},
        {"throttle": _raise},
        {"principal_of": _raise},
        {"on_event": _raise},
        {"authenticate": lambda *_: None},
        {"api": make_api(policy=_raise)},
    ],
    ids=["authenticate", "clock", "throttle", "principal_of", "on_event", "no answer", "policy"],
)
def test_a_part_that_fails_is_an_internal_failure(options: dict[str, Any]) -> None:
    """The client gets no reason, and the log has only the class of the exception."""
    events: list[Event] = []
    answer = Answer(make_app(**{"on_event": events.append, **options}), sign_acs3(ENCRYPT))
    assert answer.status.startswith("500 ")
    if "on_event" not in options:
        assert [(each.code, each.request_id) for each in events] == [
            ("InternalFailure", answer.fields["RequestId"])
        ]
    assert answer.fields["Code"] == "InternalFailure"
    said = answer.log.getvalue()
    assert said in {
        "kmscore: internal failure: RuntimeError\n",
        "kmscore: internal failure: TypeError\n",
    }
    assert b"secret" not in answer.body


def test_the_limit_holds_for_authenticated_requests_alone() -> None:
    """Over it the answer is 429, in a dry run too; a forged request uses no token."""
    events: list[Event] = []
    app = make_app(throttle=Throttle(rate=1, burst=2), on_event=events.append)
    for _ in range(5):
        assert Answer(app, sign_acs3(ENCRYPT, secret="other")).status == "400 Bad Request"
    assert Answer(app, sign_acs3(ENCRYPT)).status == "200 OK"
    assert Answer(app, sign_acs3(ENCRYPT)).status == "200 OK"
    for params in (ENCRYPT, ENCRYPT | {"DryRun": "true"}):
        answer = Answer(app, sign_acs3(params))
        assert answer.status == "429 Too Many Requests"
        assert answer.fields["Code"] == "Rejected.Throttling"
        assert answer.fields["Message"] == "QPS Limit Exceeded"
    assert [each.is_dry_run for each in events[-2:]] == [False, True]
    for text in ("false", "no", "yes", ""):
        Answer(app, sign_acs3(ENCRYPT | {"DryRun": text}))
        assert not events.pop().is_dry_run
    for event in events[-2:]:
        assert event[1:4] == (ACCESS_KEY, "Encrypt", "Rejected.Throttling")
    for action, recorded in (("x" * 9999, ""), ("GetSecretValue", "GetSecretValue")):
        Answer(app, sign_acs3({}, action=action))
        assert (events[-1].action, events[-1].code) == (recorded, "Rejected.Throttling")
    free = make_app(authenticate=ANONYMOUS, throttle=Throttle(rate=1, burst=1))
    for _ in range(3):
        assert Answer(free, sign_acs3(ENCRYPT)).status == "200 OK"


def test_a_record_that_cannot_be_kept_has_the_request_id_of_the_response() -> None:
    """The client gets no result, and the log of the callable has its request ID."""
    seen: list[Event] = []

    def broken(event: Event) -> None:
        seen.append(event)
        raise OSError

    answer = Answer(make_app(on_event=broken), sign_acs3(ENCRYPT))
    assert answer.status == "500 Internal Server Error"
    assert answer.fields["RequestId"] == seen[0].request_id


def test_every_response_has_a_request_id_of_the_api() -> None:
    """Also that to a request which is rejected before the API."""
    app = make_app(api=make_api(request_id=lambda: "fixed"))
    for sent in (sign_acs3(ENCRYPT), sign_acs3({}, secret="other"), Sent("PUT", "/", [], b"")):
        assert Answer(app, sent).fields["RequestId"] == "fixed"


def test_a_callable_that_is_false_is_called() -> None:
    """Only `None` means that there is neither limit nor principal."""

    class Closed(dict[str, str]):
        """An empty mapping that rejects every request."""

        def __call__(self, *_: object) -> bool:
            """Reject."""
            return False

    assert Answer(make_app(throttle=Closed()), sign_acs3(ENCRYPT)).status.startswith("429")
    events: list[Event] = []
    Answer(make_app(principal_of=Closed(), on_event=events.append), sign_acs3(ENCRYPT))
    assert events[0].principal is False


def test_a_record_has_no_text_of_any_length() -> None:
    """A name that can be no key is left out, and a version comes only from the operation."""
    for name in ("x" * 513, "a\nb"):
        event = API.handle({"Action": "Encrypt", "KeyId": name, "Plaintext": ""}).event
        assert event.code == "Forbidden.KeyNotFound"
        assert event.destination_key_id is None
    request = valid_requests(API)["AsymmetricDecrypt"] | {"KeyVersionId": "bogus\nline"}
    event = API.handle(request).event
    assert event.code == "Forbidden.KeyVersionNotFound"
    assert (event.source_key_id, event.source_key_version_id) == ("sm2", None)


def test_the_principal_can_be_an_account() -> None:
    """Policy, limit and record get the same principal."""
    seen: list[Any] = []

    def policy(principal: Any, *_: str) -> bool:
        seen.append(principal)
        return True

    app = make_app(
        api=make_api(policy),
        principal_of=lambda request: {ACCESS_KEY: "account 1"}[request.access_key_id],
        throttle=lambda account, _: not seen.append(account),
        on_event=lambda event: seen.append(event.principal),
    )
    assert Answer(app, sign_acs3(ENCRYPT)).status == "200 OK"
    assert seen == ["account 1"] * 3


def test_facts_reach_the_policy() -> None:
    """A condition on the address decides by the address that the server saw."""
    text = json.dumps(
        {
            "Version": "1",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "kms:Encrypt",
                    "Resource": "*",
                    "Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}},
                }
            ],
        }
    )
    app = make_app(api=make_api(alibaba.Policy.from_json(text)), facts_of=alibaba.direct_facts)
    for address, status in (("10.0.0.1", "200 OK"), ("11.0.0.1", "403 Forbidden")):
        assert Answer(app, sign_acs3(ENCRYPT), REMOTE_ADDR=address).status == status


def test_contexts_are_recorded_only_if_asked_for() -> None:
    """A context can name a person."""
    params = ENCRYPT | {"EncryptionContext": '{"tenant":"acme"}'}
    for with_contexts in (False, True):
        events: list[Event] = []
        app = make_app(on_event=events.append, with_contexts=with_contexts)
        assert Answer(app, sign_acs3(params)).status == "200 OK"
        expected = {"EncryptionContext": {"tenant": "acme"}} if with_contexts else None
        assert events[0].contexts == expected


def test_the_parameters_are_those_that_were_verified() -> None:
    """A body that the signature does not cover has no effect on the parameters."""
    asked: list[Any] = []
    api = mock.Mock(wraps=API, spec=alibaba.KmsApi)
    api.__class__ = alibaba.KmsApi
    api.handle.side_effect = lambda params, **_: asked.append(dict(params)) or API.handle(params)
    app = make_app(api=api)
    good = sign_acs3(ENCRYPT)
    for body in (b"", b"KeyId=archive", b'{"KeyId":"archive"}'):
        for kind in ("application/x-www-form-urlencoded", "application/json", "text/plain"):
            for sent in (good, sign_rpc(ENCRYPT, method="POST")):
                headers = [*sent.headers, ("content-type", kind)]
                Answer(app, sent._replace(headers=headers, body=body))
    assert asked
    assert {each["KeyId"] for each in asked} == {"orders"}


def test_a_plaintext_that_xml_does_not_have() -> None:
    """The error names `Format`, so that the client can request JSON."""
    api = make_api(profile=alibaba.Profile.V1_TEXT)
    blob = api.call({"Action": "Encrypt", "KeyId": "orders", "Plaintext": "\0"}).body
    params = {"CiphertextBlob": str(blob["CiphertextBlob"])}
    events: list[Event] = []
    app = make_app(api=api, on_event=events.append)
    answer = Answer(app, sign_acs3(params | {"Format": "XML"}, action="Decrypt"))
    assert answer.status == "400 Bad Request"
    assert b'The specified parameter "Format" is not valid.' in answer.body
    (event,) = events
    assert (event.code, event.source_key_id) == ("InvalidParameter", "orders")
    assert event.request_id.encode() in answer.body
    answer = Answer(app, sign_acs3(params | {"Format": "JSON"}, action="Decrypt"))
    assert answer.fields["Plaintext"] == "\0"


@given(
    st.text(max_size=8),
    st.text(st.characters(max_codepoint=255), max_size=30),
    st.text(st.characters(max_codepoint=255), max_size=30),
    st.dictionaries(
        st.sampled_from(
            [
                *("HTTP_ACCEPT", "HTTP_AUTHORIZATION", "HTTP_X_ACS_ACTION", "CONTENT_TYPE"),
                *("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING", "HTTP_HOST"),
            ]
        ),
        st.text(st.characters(max_codepoint=255), max_size=20)
        | st.sampled_from(["application/json", "3", "chunked", "Encrypt"]),
        max_size=7,
    ),
    st.binary(max_size=30),
)
def test_no_request_makes_the_application_fail(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    """Any request gets a response below 500, and nothing is written to the log."""
    environ = environ_of(Sent(method, "/", [], body)) | headers
    environ |= {"PATH_INFO": path, "QUERY_STRING": query}
    started: list[Any] = []
    app = wsgi_app(API, authenticate=authenticate, clock=lambda: NOW)
    (sent,) = app(environ, lambda *args: started.append(args))
    assert int(started[0][0][:3]) < 500
    assert environ["wsgi.errors"].getvalue() == ""
    assert sent or method == "HEAD"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"api": 5}, "api must be KmsApi, not int"),
        ({"authenticate": None}, "authenticate must be callable, not NoneType"),
        ({"clock": None}, "clock must be callable, not NoneType"),
        ({"throttle": 750}, "throttle must be callable, not int"),
        ({"on_event": "log"}, "on_event must be callable, not str"),
        ({"with_contexts": 1}, "with_contexts must be bool, not int"),
    ],
)
def test_wrong_types_are_mistakes_of_the_program(options: dict[str, Any], text: str) -> None:
    """`authenticate` has no default, because a server without it would trust every caller."""
    with pytest.raises(TypeError, match=f"^{text}$"):
        make_app(**options)
    with pytest.raises(TypeError):
        wsgi_app(API, clock=lambda: NOW)  # type: ignore[call-arg]


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def _serving(app: Any) -> Iterator[str]:
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_it_runs_under_a_server() -> None:
    """A request through a socket gives a response, and another path an error."""
    app = wsgi_app(API, authenticate=ANONYMOUS, clock=lambda: NOW)
    with _serving(app) as url:
        query = "Action=Encrypt&KeyId=orders&Plaintext=NDcxMQ%3D%3D"
        with urlopen(f"{url}/?{query}") as response:  # noqa: S310 (our own server)
            assert json.load(response)["KeyId"] == "orders"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{url}/other?{query}")  # noqa: S310


def test_a_rejection_of_authenticate_is_sent() -> None:
    """A callable of one's own can reject, for example an expired token."""
    fault = alibaba.verify(
        sign_acs3({}, secret="other").parsed(),
        {ACCESS_KEY: SECRET}.get,
        now=NOW,
        is_fresh=alibaba.ACCEPT_REPLAYS,
    )
    assert isinstance(fault, RejectedRequest)
    answer = Answer(make_app(authenticate=lambda *_: fault), sign_acs3(ENCRYPT))
    assert answer.fields["Code"] == "SignatureDoesNotMatch"
    made = VerifiedRequest({"Action": "Encrypt", **ENCRYPT}, access_key_id="other")
    assert Answer(make_app(authenticate=lambda *_: made), sign_acs3({})).status == "200 OK"
    assert code_of(API.call({})) == "MissingParameter"


def test_a_test_can_choose_the_error_of_a_verified_request() -> None:
    """The request is not performed; its record has the action, also of an extra one."""
    events: list[alibaba.Event] = []
    seen: list[str] = []

    def fault_of(request: alibaba.VerifiedRequest) -> Any:
        seen.append(request.action)
        return KEY_NOT_FOUND if request.action == "ListKeys" else None

    extra = alibaba.ExtraAction(Action(()), lambda _: {})
    api = make_api(extra_actions={"ListKeys": extra})
    app = make_app(api=api, fault_of=fault_of, on_event=events.append, throttle=Throttle(1, 2))
    answers = [
        Answer(app, sign_acs3({}, action=action, secret=secret)).status[:3]
        for action, secret in (
            ("ListKeys", SECRET),
            ("ListKeys", "wrong"),
            ("Encrypt", SECRET),
            ("ListKeys", SECRET),
        )
    ]
    assert answers == ["404", "400", "400", "429"]
    assert seen == ["ListKeys", "Encrypt"]
    assert [(event.action, event.code, event.principal) for event in events] == [
        ("ListKeys", "Forbidden.KeyNotFound", ACCESS_KEY),
        ("", "SignatureDoesNotMatch", None),
        ("Encrypt", "MissingParameter", ACCESS_KEY),
        ("ListKeys", "Rejected.Throttling", ACCESS_KEY),
    ]

"""The parser of requests: every way to send parameters, and every request that is rejected."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.signed_requests import RECORDED_SECRETS, Sent, recorded

from kmscore import alibaba
from kmscore.alibaba import ACCEPT_REPLAYS, ANY_DATE, ParsedRequest, RejectedRequest, parse

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json; charset=utf-8")
ACTION = ("x-acs-action", "Encrypt")
LONG = "汉" * 8192


def parsed(
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "POST",
    body: bytes = b"",
) -> Any:
    """Parse a request."""
    return parse(method, target, headers, body)


@pytest.mark.parametrize(
    ("target", "headers", "body", "expected"),
    [
        pytest.param("/?Action=Encrypt&a=b", [], b"", {"a": "b"}, id="query"),
        pytest.param(
            "/?a=b+c%20%E6%9D%AD", [ACTION], b"", {"a": "b c 杭"}, id="header and escapes"
        ),
        pytest.param("/?a=&&b", [ACTION], b"", {"a": "", "b": ""}, id="empty values"),
        pytest.param("/", [ACTION, FORM], b"a=b%26c", {"a": "b&c"}, id="form"),
        pytest.param("/", [FORM], b"Action=Encrypt", {}, id="action in a form"),
        pytest.param("/?a=1", [ACTION, FORM], b"b=2", {"a": "1", "b": "2"}, id="query and form"),
        pytest.param(
            "/",
            [ACTION, JSON],
            '{"a":"杭","n":16,"t":true,"f":false,"x":null,"EncryptionContext":{"k":"v"}}'.encode(),
            {"a": "杭", "n": "16", "t": "true", "f": "false", "EncryptionContext": '{"k":"v"}'},
            id="JSON",
        ),
        pytest.param(
            "/",
            [ACTION, JSON],
            '{"a":{"b\\u000a":"杭\\"", "1":""},"n":-0}'.encode(),
            {"a": '{"b\\n":"杭\\"","1":""}', "n": "-0"},
            id="an object and minus zero in JSON",
        ),
        pytest.param("/?" + "&" * 9000 + "a=1", [ACTION], b"", {"a": "1"}, id="empty parts"),
        pytest.param("/?Format=", [ACTION], b"", {"Format": ""}, id="empty format"),
        pytest.param(
            "/",
            [ACTION, ("content-type", ' \tAPPLICATION/JSON\t;\tcharset="UTF-8" ')],
            b'{"a":"b"}',
            {"a": "b"},
            id="type in capitals",
        ),
        pytest.param("/", [ACTION, ("content-type", "text/plain")], b"", {}, id="no body"),
        pytest.param("/?Action=Encrypt", [ACTION], b"", {}, id="action twice, the same"),
        pytest.param("/?Version=2016-01-20", [ACTION], b"", {}, id="version"),
        pytest.param(f"/?a={quote(LONG)}", [ACTION], b"", {"a": LONG}, id="8,192 characters"),
    ],
)
def test_the_parameters_are_read(
    target: str, headers: list[tuple[str, str]], body: bytes, expected: dict[str, Any]
) -> None:
    """Query, form, JSON and the headers of action and version make one set of parameters."""
    result = parse("POST", target, headers, body)
    assert isinstance(result, ParsedRequest), result
    assert dict(result.parameters) == {"Action": "Encrypt", "Version": "2016-01-20", **expected}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(("PUT", "/?Action=Encrypt"), (405, "UnsupportedHTTPMethod"), id="PUT"),
        pytest.param(("get", "/?Action=Encrypt"), (405, "UnsupportedHTTPMethod"), id="lower case"),
        pytest.param(("GET", "/kms?Action=E"), (404, "UnsupportedOperation"), id="another path"),
        pytest.param(("GET", "//?Action=E"), (404, "UnsupportedOperation"), id="two slashes"),
        pytest.param(("GET", "/%2F?Action=E"), (404, "UnsupportedOperation"), id="encoded path"),
        pytest.param(
            ("GET", "http://kms.example/?Action=E"), (404, "UnsupportedOperation"), id="absolute"
        ),
        pytest.param(("GET", "*"), (404, "UnsupportedOperation"), id="asterisk"),
        pytest.param(("GET", ""), (404, "UnsupportedOperation"), id="empty"),
        pytest.param(("GET", "/?Action=E#f"), (404, "UnsupportedOperation"), id="fragment"),
        pytest.param(("GET", "/?Action=E F"), (404, "UnsupportedOperation"), id="space"),
        pytest.param(("GET", "/?Action=E\n"), (404, "UnsupportedOperation"), id="line feed"),
        pytest.param(("GET", "/?Action=杭"), (404, "UnsupportedOperation"), id="not ASCII"),
        pytest.param(("GET", "/"), (400, "MissingParameter", "Action"), id="no action"),
        pytest.param(("GET", "/?Action="), (400, "MissingParameter", "Action"), id="empty action"),
        *(
            pytest.param(
                ("GET", f"/?Action=E&Version={version}"), (400, "InvalidVersion"), id=version
            )
            for version in ("2015-01-01", "2016-01-19", "2016-01-21")
        ),
        pytest.param(
            ("GET", "/?Version=2016-01-20", [("x-acs-version", "2015-01-01"), ACTION]),
            (400, "InvalidParameter", "Version"),
            id="two versions",
        ),
        pytest.param(
            ("GET", "/?Action=Decrypt", [ACTION]),
            (400, "InvalidParameter", "Action"),
            id="two actions",
        ),
        pytest.param(
            ("GET", "/?Action=E&a=1&a=1"), (400, "InvalidParameter", '"a"'), id="a parameter twice"
        ),
        pytest.param(
            ("GET", "/?Action=E&%61=1&a=1"), (400, "InvalidParameter", '"a"'), id="another spelling"
        ),
        pytest.param(
            ("GET", "/?Action=E&%00=1&%00=1"),
            (400, "InvalidParameter", '"query"'),
            id="a control character twice",
        ),
        pytest.param(
            ("POST", "/?Action=E&a=1", [FORM], b"a=1"),
            (400, "InvalidParameter", '"a"'),
            id="in query and form",
        ),
        pytest.param(
            ("GET", "/?Action=E&a=%E6"), (400, "InvalidParameter", '"query"'), id="not UTF-8"
        ),
        pytest.param(
            ("GET", "/?Action=E&a=%ED%A0%80"),
            (400, "InvalidParameter", '"query"'),
            id="a surrogate in UTF-8",
        ),
        pytest.param(
            ("GET", "/?Action=E&a=%C0%80"), (400, "InvalidParameter", '"query"'), id="overlong"
        ),
        pytest.param(
            ("GET", "/?Action=E&a=%zz"), (400, "InvalidParameter", '"query"'), id="no escape"
        ),
        pytest.param(
            ("GET", "/?Action=E&a=%4"), (400, "InvalidParameter", '"query"'), id="half an escape"
        ),
        pytest.param(
            ("POST", "/?Action=E", [FORM], b"a=\xff"),
            (400, "InvalidParameter", '"body"'),
            id="a form that is not UTF-8",
        ),
        pytest.param(
            ("POST", "/?Action=E", [("Content-Type", "text/plain")], b"a=b"),
            (400, "InvalidParameter", "Content-Type"),
            id="another type of body",
        ),
        pytest.param(
            ("POST", "/?Action=E", [], b"a=b"),
            (400, "InvalidParameter", "Content-Type"),
            id="no type of body",
        ),
        pytest.param(
            (
                "POST",
                "/?Action=E",
                [("Content-Type", "application/json; charset=utf-16")],
                b"{}",
            ),
            (400, "InvalidParameter", "Content-Type"),
            id="another charset",
        ),
        *(
            pytest.param(
                ("POST", "/?Action=E", [("content-type", f"application/json{rest}")], b"{}"),
                (400, "InvalidParameter", "Content-Type"),
                id=f"a type with {rest}",
            )
            for rest in (";", "; x=1", "; charset=utf-8; x=1", "; charset=utf-8;", "\xa0")
        ),
        *(
            pytest.param(
                ("GET", "/?Action=E", [("a", f"b{character}c")]),
                (400, "InvalidParameter", '"header"'),
                id=f"U+{ord(character):04X} in a header",
            )
            for character in "\0\x1f\x7f\x80\x85\x9f\u0100"
        ),
        *(
            pytest.param(
                ("POST", "/?Action=E", [JSON], body),
                (400, "InvalidParameter", "Format"),
                id=f"the format in {body!r}",
            )
            for body in (b'{"Format":"YAML"}', b'{"Format":1}', rb'{"Format":"J\u017fON"}')
        ),
        pytest.param(
            ("GET", "/?Action=Encrypt", [("x-acs-action", "")]),
            (400, "InvalidParameter", "Action"),
            id="an action and an empty one",
        ),
        pytest.param(
            ("GET", "/?Action=Encrypt", [("x-acs-version", "")]),
            (400, "InvalidVersion"),
            id="an empty version",
        ),
        *(
            pytest.param(
                ("POST", "/?Action=E", [JSON], body), (400, "InvalidParameter", '"body"'), id=name
            )
            for name, body in {
                "no JSON": b"{",
                "a list": b"[]",
                "a name twice": b'{"a":"1","a":"1"}',
                "many names": b"{" + b",".join(b'"%d":0' % number for number in range(8193)) + b"}",
                "a name twice in a context": b'{"EncryptionContext":{"a":"1","a":"1"}}',
                "a fraction": b'{"a":1.5}',
                "not a number": b'{"a":NaN}',
                "a list in a member": b'{"a":[]}',
                "a list in a context": b'{"a":{"b":[]}}',
                "a lone surrogate": rb'{"a":"\ud83d"}',
                "a lone surrogate in a name": rb'{"\udd11":"a"}',
                "a lone surrogate in a context": rb'{"a":{"b":"\ud83d"}}',
                "JSON that is not UTF-8": b'{"a":"\xff"}',
                "a byte order mark": b'\xef\xbb\xbf{"a":"b"}',
                "deep nesting": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
                "JSON in UTF-16": '{"a":"b"}'.encode("utf-16-le"),
            }.items()
        ),
        pytest.param(
            ("GET", "/?Action=E", [("a", "1"), ("A", "1")]),
            (400, "InvalidParameter", '"A"'),
            id="a header twice",
        ),
        pytest.param(
            ("GET", "/?Action=E", [("a b", "1")]),
            (400, "InvalidParameter", '"header"'),
            id="the name of a header",
        ),
        pytest.param(
            ("GET", "/?Action=E", [("a", "1\r\nb: 2")]),
            (400, "InvalidParameter", '"header"'),
            id="a line feed in a header",
        ),
        pytest.param(
            ("GET", "/?Action=E", [("a", "杭")]),
            (400, "InvalidParameter", '"header"'),
            id="a header that is not Latin-1",
        ),
        pytest.param(
            ("GET", "/?Action=E&Format=YAML"),
            (400, "InvalidParameter", "Format"),
            id="another format",
        ),
        pytest.param(
            ("GET", "/?Action=E&Signature=x", [("authorization", "x")]),
            (400, "IncompleteSignature"),
            id="both signatures",
        ),
        pytest.param(
            ("GET", "/?Action=E&a=" + "b" * (1 << 19)),
            (413, "InvalidParameter"),
            id="a long target",
        ),
        pytest.param(
            ("GET", "/?Action=E" + "&a" * 8192), (413, "InvalidParameter"), id="many parameters"
        ),
        pytest.param(
            ("POST", "/?Action=E", [FORM], b"a=" + b"b" * (1 << 19)),
            (413, "InvalidParameter"),
            id="a long body",
        ),
        pytest.param(
            ("GET", "/?Action=E", [("a", "b" * (1 << 16))]),
            (413, "InvalidParameter"),
            id="a long header",
        ),
    ],
)
def test_a_request_without_a_single_reading_is_rejected(
    request_: tuple[Any, ...], expected: tuple[Any, ...]
) -> None:
    """Each rejection is a response of the service, with its status, code and parameter."""
    method, target, headers, body = (
        (*request_, [], b"")[:4]
        if len(request_) < 3
        else (
            *request_,
            b"",
        )[:4]
    )
    result = parse(method, target, headers, body)
    assert isinstance(result, RejectedRequest), result
    status, code, *names = expected
    assert (result.fault.status, result.fault.code) == (status, code)
    assert not result.as_xml
    for name in names:
        assert name in result.fault.message
    assert result.response("1").body["Code"] == code


@pytest.mark.parametrize("content_type", [FORM, ("content-type", "application/json")])
def test_a_body_of_512_kilobytes_is_read(content_type: tuple[str, str]) -> None:
    """The greatest body has 524,288 bytes."""
    start, end = (b"a=", b"") if content_type is FORM else (b'{"a":"', b'"}')
    body = start + b"b" * ((1 << 19) - len(start + end)) + end
    result = parse("POST", "/?Action=E", [content_type], body)
    assert not isinstance(result, RejectedRequest)


@pytest.mark.parametrize(("count", "is_read"), [(8192, True), (8193, False)])
@pytest.mark.parametrize("place", ["query", "form", "JSON", "context"])
def test_up_to_8192_pairs_are_read(place: str, count: int, is_read: bool) -> None:
    """This holds for a query, for a form, for a JSON object, and for a context in it."""
    names = [str(number) for number in range(count)]
    if place == "query":
        result = parsed("/?" + "&".join(names), ACTION)
    elif place == "form":
        result = parsed("/", ACTION, FORM, body="&".join(names).encode())
    else:
        value: Any = dict.fromkeys(names, "")
        value = value if place == "JSON" else {"EncryptionContext": value}
        result = parsed("/", ACTION, JSON, body=json.dumps(value).encode())
    assert isinstance(result, ParsedRequest) is is_read


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a" * 128, "a" * 128), ("a" * 129, "query"), ("a\u0085", "query"), ("杭", "杭")],
    ids=["128 characters", "129 characters", "a control character", "CJK"],
)
def test_a_short_printable_name_is_shown(name: str, shown: str) -> None:
    """Another name could break a log."""
    result = parsed(f"/?{quote(name)}=1&{quote(name)}=2", ACTION)
    assert result.fault.message == f'The specified parameter "{shown}" is not valid.'


@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False)])
def test_the_longest_target_and_headers_are_read(more: int, is_read: bool) -> None:
    """A target has up to 524,288 characters, and all headers up to 65,536 with their names."""
    start = "/?Action=E&a="
    target = start + "b" * ((1 << 19) - len(start) + more)
    assert isinstance(parse("GET", target, [], b""), ParsedRequest) is is_read
    first = ("host", "kms")
    headers = [first, ("ab", "c" * ((1 << 16) - len("hostkmsab") + more))]
    assert isinstance(parse("GET", "/?Action=E", headers, b""), ParsedRequest) is is_read


@pytest.mark.parametrize(
    ("query", "accept", "as_xml"),
    [
        ("", None, False),
        ("", "application/json", False),
        ("", "text/xml", True),
        ("", "text/html, application/xml;q=0.9, application/json", True),
        ("", "*/*", False),
        ("&Format=XML", "application/json", True),
        ("&Format=json", "text/xml", False),
        ("&Format=", "text/xml", True),
    ],
)
@pytest.mark.parametrize("is_rejected", [False, True])
def test_the_response_has_the_format_that_is_asked_for(
    query: str, accept: str | None, as_xml: bool, is_rejected: bool
) -> None:
    """`Format` is first, then `Accept`, then JSON; also for a rejection."""
    headers = [] if accept is None else [("Accept", accept)]
    method = "DELETE" if is_rejected else "GET"
    result = parse(method, f"/?Action=Encrypt{query}", headers, b"")
    assert isinstance(result, RejectedRequest if is_rejected else ParsedRequest)
    assert result.as_xml is as_xml


def test_the_format_can_be_in_a_form() -> None:
    """A client that sends all parameters in a form sends `Format` there too."""
    assert parsed("/", FORM, body=b"Action=Encrypt&Format=XML").as_xml


def test_the_format_can_be_in_json() -> None:
    """And a name without a value counts as given."""
    assert parsed("/", JSON, body=b'{"Action":"Encrypt","Format":"XML"}').as_xml
    result = parsed("/?Action=Encrypt", JSON, body=b'{"Action":null}')
    assert isinstance(result, RejectedRequest)
    assert result.fault.message == 'The specified parameter "Action" is not valid.'
    result = parsed("/?Action=Encrypt", JSON, body=b'{"KeyId":null}')
    assert "KeyId" not in result.parameters


def test_only_spaces_and_tabs_around_a_value_are_dropped() -> None:
    """They are not part of a value (RFC 9110 section 5.5); a no-break space is."""
    result = parsed("/", ACTION, ("a", " \t \xa0b \xa0\t"))
    assert result.headers["a"] == "\xa0b \xa0"


def test_one_signature_is_read() -> None:
    """It can be in the header or in the parameter."""
    assert isinstance(parsed("/", ACTION, ("authorization", "x")), ParsedRequest)
    assert isinstance(parsed("/?Signature=x", ACTION), ParsedRequest)


def test_two_long_contexts_pass() -> None:
    """Two contexts of 8,192 CJK characters and a blob are a legal request of ReEncrypt."""
    context = quote('{"k":"' + "汉" * 8184 + '"}')
    query = f"SourceEncryptionContext={context}&DestinationEncryptionContext={context}"
    result = parsed(f"/?Action=ReEncrypt&{query}&CiphertextBlob={'A' * 10_000}")
    assert isinstance(result, ParsedRequest)
    assert len(str(result.parameters["SourceEncryptionContext"])) == 8192


def test_wrong_types_are_mistakes_of_the_program() -> None:
    """A value of another type does not come from a client."""
    for name, arguments in {
        "method": (b"GET", "/", [], b""),
        "target": ("GET", b"/", [], b""),
        "header name": ("GET", "/", [("a", "b"), (b"a", "b")], b""),
        "header value": ("GET", "/", [("a", b"b")], b""),
        "body": ("GET", "/", [], ""),
    }.items():
        with pytest.raises(TypeError, match=f"^{name} must be "):
            parse(*arguments)  # type: ignore[arg-type]


_TEXTS = st.text(max_size=30) | st.sampled_from(["/", "/?Action=Encrypt", "GET", "POST"])
_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Content-Type", "Accept", "authorization", "x-acs-action", "host"])
        | st.text(max_size=5),
        st.sampled_from([FORM[1], JSON[1], "ACS3-HMAC-SHA256 Credential=a,"]) | st.text(max_size=9),
    ),
    max_size=5,
)


@given(_TEXTS, _TEXTS, _HEADERS, st.binary(max_size=60))
def test_no_bytes_make_the_parser_raise(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    """Any request is parsed or rejected; `verify` takes both."""
    result = parse(method, target, headers, body)
    assert isinstance(result, ParsedRequest | RejectedRequest)
    verified = alibaba.verify(result, RECORDED_SECRETS.get, now=ANY_DATE, is_fresh=ACCEPT_REPLAYS)
    assert isinstance(verified, RejectedRequest)


@given(
    st.sampled_from([sent for _, sent in recorded()]),
    st.sampled_from(["target", "body"]),
    st.binary(max_size=4),
    st.integers(0, 2000),
    st.integers(0, 4),
)
def test_no_damage_makes_the_parser_raise(
    sent: Sent, field: str, inserted: bytes, place: int, removed: int
) -> None:
    """A recorded request with inserted or removed bytes is parsed or rejected."""
    value: Any = getattr(sent, field)
    piece: Any = inserted if field == "body" else inserted.decode("latin-1")
    place %= len(value) + 1
    damaged = sent._replace(**{field: value[:place] + piece + value[place + removed :]})
    result = alibaba.verify(
        damaged.parsed(), RECORDED_SECRETS.get, now=ANY_DATE, is_fresh=ACCEPT_REPLAYS
    )
    if not isinstance(result, RejectedRequest):
        right = alibaba.verify(
            sent.parsed(), RECORDED_SECRETS.get, now=ANY_DATE, is_fresh=ACCEPT_REPLAYS
        )
        assert result == right

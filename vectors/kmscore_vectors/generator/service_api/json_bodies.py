"""Signed requests with a body in JSON or as a form, and the format that a parameter asks for."""

from collections.abc import Iterator, Mapping
from typing import Final

from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.service_api.signing import (
    ACS3,
    BASE,
    FORM,
    INCOMPLETE,
    PARAMS,
    SignedRequest,
    acs3,
    malformed,
    rpc,
    unsigned,
    verified,
)

_JSON: Final = "application/json"
_KEY: Final = "\U0001f511"

_RIGHT: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "an object without members": ("{}", {}),
    "white space between the tokens": (' {\t"KeyId" :\r\n"orders" } ', {"KeyId": "orders"}),
    "escapes in a name": (r'{"\u004beyId":"\u006Frders"}', {"KeyId": "orders"}),
    "every short escape": (r'{"Plaintext":"\"\\\/\b\f\n\r\t"}', {"Plaintext": '"\\/\b\f\n\r\t'}),
    "a surrogate pair in escapes": (r'{"Plaintext":"\ud83d\uDD11"}', {"Plaintext": _KEY}),
    "characters without escapes": (
        f'{{"Plaintext":"\u00e9{_KEY}\u2028\x7f\x85\ufeff"}}',
        {"Plaintext": f"\u00e9{_KEY}\u2028\x7f\x85\ufeff"},
    ),
    "integers": (
        '{"NumberOfBytes":16,"a-1":0,"a-2":-0,"a-3":-7}',
        {"NumberOfBytes": "16", "a-1": "0", "a-2": "-0", "a-3": "-7"},
    ),
    "integers of more than 53 bits": (
        '{"a-1":9007199254740993,"a-2":-18446744073709551617,"a-3":1' + "0" * 400 + "}",
        {"a-1": "9007199254740993", "a-2": "-18446744073709551617", "a-3": "1" + "0" * 400},
    ),
    "truth values": ('{"DryRun":true,"a-1":false}', {"DryRun": "true", "a-1": "false"}),
    "null, which has no value": ('{"KeyId":null,"DryRun":"true"}', {"DryRun": "true"}),
    "empty texts": ('{"KeyId":"","Plaintext":""}', {"KeyId": "", "Plaintext": ""}),
    "texts that look like other values": (
        '{"a-1":"01","a-2":"True","a-3":"null","a-4":"{}"}',
        {"a-1": "01", "a-2": "True", "a-3": "null", "a-4": "{}"},
    ),
    "a context as an object": (
        '{"EncryptionContext": { "tenant" : "acme" } }',
        {"EncryptionContext": '{"tenant":"acme"}'},
    ),
    "a context without pairs": ('{"EncryptionContext":{}}', {"EncryptionContext": "{}"}),
    "a context whose order is kept": (
        '{"EncryptionContext":{"b":"2","10":"x","9":"y","a":"1"}}',
        {"EncryptionContext": '{"b":"2","10":"x","9":"y","a":"1"}'},
    ),
    "a context with escapes": (
        r'{"EncryptionContext":{"\u0061\"\\\/":"\u0000\u001F\u007f\n\u00e9\ud83d\udd11"}}',
        {"EncryptionContext": f'{{"a\\"\\\\/":"\\u0000\\u001f\x7f\\n\u00e9{_KEY}"}}'},
    ),
    "an object under another name": ('{"a-1":{"b":"c"}}', {"a-1": '{"b":"c"}'}),
    "names of members of objects": (
        '{"constructor":"1","toString":{"__proto__":"2"}}',
        {"constructor": "1", "toString": '{"__proto__":"2"}'},
    ),
}
"""Bodies in JSON, each with its parameters."""

_WRONG: Final[dict[str, str]] = {
    "a space alone": " ",
    "a text": '"a"',
    "null alone": "null",
    "no end": '{"a":"b"',
    "something behind it": '{"a":"b"}x',
    "two objects": '{"a":"b"}{}',
    "NUL behind it": '{"a":"b"}\x00',
    "a byte order mark": '\ufeff{"a":"b"}',
    "a comma at the end": '{"a":"b",}',
    "a comment": '{"a":"b"/**/}',
    "single quotes": "{'a':'b'}",
    "a name without quotes": '{a:"b"}',
    "a form feed between tokens": '{"a":\f"b"}',
    "a no-break space between tokens": '{"a":\u00a0"b"}',
    "a leading zero": '{"a":01}',
    "a plus sign": '{"a":+1}',
    "a minus sign alone": '{"a":-}',
    "an exponent": '{"a":1e3}',
    "a fraction of zero": '{"a":1.0}',
    "NaN": '{"a":NaN}',
    "Infinity": '{"a":-Infinity}',
    "hexadecimal": '{"a":0x10}',
    "true in capitals": '{"a":True}',
    "an array in it": '{"a":["b"]}',
    "an object in a context": '{"a":{"b":{"c":"d"}}}',
    "an integer in a context": '{"a":{"b":1}}',
    "null in a context": '{"a":{"b":null}}',
    "true in a context": '{"a":{"b":true}}',
    "a name twice in a context": '{"a":{"b":"c","b":"c"}}',
    "a name twice, once with an escape": r'{"a":"b","\u0061":"b"}',
    "a name twice, once null": '{"a":"b","a":null}',
    "a control character": '{"a":"\n"}',
    "an unknown escape": r'{"a":"\x41"}',
    "three hexadecimal digits": r'{"a":"\u041"}',
    "a sign among hexadecimal digits": r'{"a":"\u+041"}',
    "a high surrogate alone": r'{"a":"\ud83d"}',
    "a low surrogate alone": r'{"a":"\udd11"}',
    "a surrogate pair in the other order": r'{"a":"\udd11\ud83d"}',
    "a lone surrogate in a name": r'{"\ud83d":"a"}',
    "a lone surrogate in a context": r'{"EncryptionContext":{"a":"\ud83d"}}',
    "many objects in one another": '{"a":' * 2000 + '"b"' + "}" * 2000,
}
"""Bodies that are not one object of the texts and values that are allowed."""

_RIGHT_TYPES: Final = (
    "APPLICATION/JSON",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    'application/json \t;\t Charset="Utf-8"',
)
_WRONG_TYPES: Final = (
    "",
    "text/json",
    "application/jsonx",
    "application/json, application/json",
    "application/json\u00a0",
    "application/json;",
    "application/json; x=1",
    "application/json; charset=utf-16",
    "application/json; charset=utf8",
    "application/json; charset = utf-8",
    "application/json; charset='utf-8'",
    'application/json; charset="utf-8',
    "application/json; charset=utf-8;",
    "application/json; charset=utf-8; x=1",
    "application/json; x=1; charset=utf-8",
    "application/json; charset=utf-8; charset=utf-8",
    f"{FORM}; charset=gbk",
    f"{FORM}; charset=utf-8; x=1",
)


def cases() -> Iterator[Case]:
    """Yield the tests."""
    yield from _json()
    yield from _types()
    yield from _merged()
    yield from _formats()


def with_body(
    body: bytes, kind: str = _JSON, params: Mapping[str, str] | None = None
) -> SignedRequest:
    """Return a request with the signature ACS3-HMAC-SHA256 and a body."""
    return acs3(params or {}, body=body, headers={"content-type": kind})


def _right(comment: str, request: SignedRequest, params: Mapping[str, str]) -> Case:
    """Return a test of a request that verifies."""
    return verified(comment, request, BASE | dict(params), ACS3)


def _json() -> Iterator[Case]:
    """Yield bodies in JSON."""
    for comment, (text, params) in _RIGHT.items():
        yield _right(f"JSON, {comment}", with_body(text.encode()), params)
    for comment, text in _WRONG.items():
        yield malformed(f"JSON, {comment}", with_body(text.encode()))
    for comment, body in {
        "a byte that is not UTF-8": b'{"a":"\xff"}',
        "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
        "UTF-16": '{"a":"b"}'.encode("utf-16-le"),
    }.items():
        yield malformed(f"JSON, {comment}", with_body(body))


def _types() -> Iterator[Case]:
    """Yield types of bodies."""
    for kind in _RIGHT_TYPES:
        comment = f"the type {kind}".replace("\t", "TAB")
        yield _right(comment, with_body(b'{"KeyId":"orders"}', kind), {"KeyId": "orders"})
    for kind in (FORM.title(), f"{FORM}; charset=utf-8"):
        yield _right(f"the type {kind}", with_body(b"KeyId=orders", kind), {"KeyId": "orders"})
    yield _right("no body, and another type", with_body(b"", "text/plain"), {})
    yield _right("no body, and another charset", with_body(b"", f"{_JSON}; charset=gbk"), {})
    for kind in _WRONG_TYPES:
        body = b"KeyId=orders" if kind.startswith(FORM) else b'{"KeyId":"orders"}'
        comment = f"the type {kind.encode('unicode_escape').decode('ascii')}"
        yield malformed(comment, with_body(body, kind))
    yield malformed("a body without a type", acs3({}, body=b'{"KeyId":"orders"}'))


def _merged() -> Iterator[Case]:
    """Yield parameters in query and JSON, and signatures next to JSON."""
    params = {"KeyId": "orders"}
    yield _right(
        "JSON and query",
        with_body(b'{"Plaintext":"a+b%20"}', params=params),
        {**params, "Plaintext": "a+b%20"},
    )
    for comment, body in {
        "a parameter in query and JSON": b'{"KeyId":"orders"}',
        "a parameter in the query, and null in JSON": b'{"KeyId":null}',
        "another action in JSON than in the header": b'{"Action":"Decrypt"}',
        "another version in JSON than in the header": b'{"Version":"2015-01-01"}',
    }.items():
        yield malformed(comment, with_body(body, params=params))
    yield malformed("both schemes, one in JSON", with_body(b'{"Signature":"a"}'), INCOMPLETE)
    key = b'{"AccessKeyId":"LTAIother","Action":"Encrypt"}'
    request = SignedRequest("POST", "/", (("content-type", _JSON),), key)
    yield unsigned("RPC, an access key in JSON, which is not signed", request)


def _formats() -> Iterator[Case]:
    """Yield requests with the parameter `Format`, in query, form and JSON."""
    for text in ("JSON", "json", "Xml", ""):
        params = {"Format": text}
        yield _right(f"the format {text or 'that is empty'}, query", acs3(params), params)
        form = with_body(f"Format={text}".encode(), FORM)
        yield _right(f"the format {text or 'that is empty'}, form", form, params)
        body = f'{{"Format":"{text}"}}'.encode()
        yield _right(f"the format {text or 'that is empty'}, JSON", with_body(body), params)
    yield _right("the format null, JSON", with_body(b'{"Format":null}'), {})
    for text in ("YAML", "JSON%20", "JSONP", "J%C5%BFON"):
        yield malformed(f"the format {text}, form", with_body(f"Format={text}".encode(), FORM))
    for text in ('"YAML"', '" JSON"', "1", "true", "{}", r'"J\u017fON"'):
        body = f'{{"Format":{text}}}'.encode()
        yield malformed(f"the format {text}, JSON", with_body(body))
    request = rpc(PARAMS, method="POST", in_form=True, Format="YAML")
    yield malformed("RPC, the format YAML, form", request)

"""The names and values in a query or a body: percent-encoded pairs, or members of a JSON object.

A text that is not UTF-8, and a JSON value that is not one parameter, are rejected.
"""

import json
import re
from contextlib import suppress
from typing import Any, Final, NamedTuple, NoReturn, TypeAlias
from urllib.parse import unquote_to_bytes

from kmscore.alibaba.json_context import compact_json
from kmscore.alibaba.service_errors import REQUEST_TOO_LARGE, RequestError, invalid_parameter

MAX_BODY_LENGTH: Final = 1 << 19
"""Maximum bytes of a body."""

_MAX_PAIRS: Final = 8192  # two contexts with a parameter for each key and value have 5,460
_MAX_NAME_LENGTH: Final = 128  # of a parameter in a message

_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_FORM: Final = "application/x-www-form-urlencoded"
_CONTENT_TYPE: Final = re.compile(
    rf"({_FORM}|application/json)[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\"))?", re.IGNORECASE
)

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Decoded names and values, in their order."""

Values: TypeAlias = tuple[tuple[str, str | None], ...]
"""Names and values of a body; a value is `None` for `null` in JSON."""


def body_pairs(content_type: str, body: bytes) -> tuple[Pairs | None, Values]:
    """Return the pairs of a form, `None` for another body, and the pairs of the body."""
    if len(body) > MAX_BODY_LENGTH:
        raise RequestError(REQUEST_TOO_LARGE)
    if not body:
        return (), ()
    kind = _CONTENT_TYPE.fullmatch(content_type)
    if kind is None:
        raise invalid("Content-Type")
    if kind[1].lower() == _FORM:
        pairs = decoded_pairs(body, "body")
        return pairs, pairs
    return None, _json_pairs(body)


def decoded_pairs(text: bytes, where: str) -> Pairs:
    """Return the decoded names and values of a query or a form."""
    segments = [segment for segment in text.split(b"&") if segment]
    if len(segments) > _MAX_PAIRS:
        raise RequestError(REQUEST_TOO_LARGE)
    try:
        decoded = text.decode("utf-8")
        if _BAD_ESCAPE.search(decoded) is None:
            parts = (segment.partition(b"=") for segment in segments)
            return tuple((_unquoted(name), _unquoted(value)) for name, _, value in parts)
    except UnicodeDecodeError:
        pass
    raise invalid(where)


def _unquoted(text: bytes) -> str:
    """Return the text of a percent-encoded name or value. Raises `UnicodeDecodeError`."""
    return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")


class _Number(NamedTuple):
    """A number in JSON, as it is written. In a context it is not a text, and so invalid."""

    text: str


def _json_pairs(body: bytes) -> Values:
    """Return the members of a JSON object as texts, and `None` for `null`."""
    with suppress(ValueError, RecursionError):
        members = _DECODER.decode(body.decode("utf-8"))
        if isinstance(members, dict):
            pairs = tuple((name, _value(each)) for name, each in members.items())
            # A lone surrogate has no UTF-8 form, and a `ValueError` here.
            "".join(name + (text or "") for name, text in pairs).encode("utf-8")
            return pairs
    raise invalid("body")


def _value(value: object) -> str | None:
    """Return a parameter from a member: a text, or `None` for `null`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return compact_json(value)
    if isinstance(value, _Number):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    raise invalid("body")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `ValueError` for a repeated name, or too many names."""
    names = dict(pairs)
    if len(names) < len(pairs) or len(pairs) > _MAX_PAIRS:
        raise ValueError("a repeated name, or too many")
    return names


def _reject(_text: str) -> NoReturn:
    raise ValueError("not an integer")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_Number, parse_float=_reject, parse_constant=_reject
)


def invalid(name: str) -> RequestError:
    """Return the error for a name, which is shown if it is short and printable."""
    is_shown = len(name) <= _MAX_NAME_LENGTH and name.isprintable()
    return RequestError(invalid_parameter(name if is_shown else "query"))

"""The members of a JSON object by their places in its text (RFC 8259), at any depth of nesting."""

import json
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r'[ \t\r\n]*+(?:("(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+")'
    r"|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null|NaN|-?Infinity)"
    r"|([\[\]{},:]))"
)
"""A string, a number or word, or a sign. No alternative can match in two ways.

Without backtracking (`++`), because it would keep a state for each character of a long string.
Python's `json` also writes `NaN` and `Infinity`, which are not JSON, and reads them.
"""

_SPACE: Final = re.compile(r"[ \t\r\n]*\Z")


class Member(NamedTuple):
    """A member of the outermost object."""

    name: str

    start: int
    """The start of the name in the text."""

    value: int
    """The start of the value."""

    end: int
    """The end of the value."""


_SCALARS: Final = {"string": "comma", "scalar": "comma", "{": "first name", "[": "first value"}

_STATES: Final = {
    "start": {"{": "first name"},
    "first name": {"string": "colon"},
    "name": {"string": "colon"},
    "colon": {":": "value"},
    "first value": _SCALARS,
    "value": _SCALARS,
    "comma": {},
}
"""The state after a token, without those that depend on the innermost array or object."""

_OPENED_BY: Final = {"}": "{", "]": "["}


_SIMPLE: Final = re.compile(
    r'[ \t\r\n]*+("[^"\\\x00-\x1f]*+")[ \t\r\n]*+:[ \t\r\n]*+("[^"\\\x00-\x1f]*+"'
    r"|-?(?:0|[1-9][0-9]*+)|true|false|null)[ \t\r\n]*+,"
)
"""A member with a simple name and value, and the comma after it: several tokens in one step."""


def find_members(text: str) -> list[Member]:
    """Return the members of an object. Raises `ValueError` if the text is not a JSON object.

    `json.loads` fails at some hundred levels of nesting, and at long numbers; this function does
    not. It keeps one character per level.
    """
    members: list[Member] = []
    opened: list[str] = []
    state, name, name_start, value_start, position = "start", "", 0, 0, 0
    while state != "end":
        if len(opened) == 1 and state in {"name", "first name"}:
            simple = _SIMPLE.match(text, position)
            if simple is not None:
                name, position, state = simple[1][1:-1], simple.end(), "name"
                members.append(Member(name, simple.start(1), simple.start(2), simple.end(2)))
                continue
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError("not a JSON object")
        string, scalar, sign = token.groups()
        start, position = token.start(token.lastindex or 0), token.end()
        if len(opened) == 1 and state in {"name", "first name"} and string is not None:
            name, name_start = json.loads(string), start
        elif len(opened) == 1 and state == "value":
            value_start = start
        kind = sign or ("string" if scalar is None else "scalar")
        state = _next_state(state, kind, opened)
        if len(opened) == 1 and state == "comma":
            members.append(Member(name, name_start, value_start, position))
    if not _SPACE.match(text, position):
        raise ValueError("not a JSON object")
    return members


def _next_state(state: str, kind: str, opened: list[str]) -> str:
    """Return the state after a token. Raises `ValueError` for a token in a wrong place."""
    if kind in _OPENED_BY and state in {"comma", "first name", "first value"}:
        if opened.pop() != _OPENED_BY[kind]:
            raise ValueError("not a JSON object")
        return "comma" if opened else "end"
    if (state, kind) == ("comma", ","):
        return "name" if opened[-1] == "{" else "value"
    after = _STATES[state].get(kind)
    if after is None:
        raise ValueError("not a JSON object")
    if kind in {"{", "["}:
        opened.append(kind)
    return after


def without_members(text: str, members: Sequence[Member], names: Sequence[str]) -> str:
    """Return the text of an object without the members of some names, and otherwise unchanged."""
    kept = [member for member in members if member.name not in names]
    if len(kept) == len(members):
        return text
    if not kept:
        return text[: members[0].start] + text[members[-1].end :]
    # The text before the first member, each kept member with the text up to the next one, the end.
    ends = [*(member.start for member in members[1:]), members[-1].end]
    spans = {member: text[member.start : end] for member, end in zip(members, ends, strict=True)}
    last = text[kept[-1].start : kept[-1].end]
    parts = [*(spans[member] for member in kept[:-1]), last]
    return "".join([text[: members[0].start], *parts, text[members[-1].end :]])

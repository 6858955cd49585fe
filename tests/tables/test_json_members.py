"""The members of a JSON object: the same objects as the standard library, at any depth."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmscore.tables.columns import Columns
from kmscore.tables.json_lines import JsonLines
from kmscore.tables.json_members import find_members
from kmscore.tables.table import Chunk

_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=10,
)


@given(
    st.lists(st.tuples(st.text(), _VALUES), max_size=4),
    st.sampled_from(["", " ", "\t", "\r\n"]),
    st.booleans(),
)
def test_members_are_those_of_the_standard_library(
    pairs: list[tuple[str, Any]], space: str, is_ascii: bool
) -> None:
    """Names in their order with repetitions, and the text of each value."""
    members = (
        f"{space}{json.dumps(name, ensure_ascii=is_ascii)}{space}:{space}"
        f"{json.dumps(value, ensure_ascii=is_ascii)}{space}"
        for name, value in pairs
    )
    text = f"{space}{{{','.join(members) or space}}}{space}"
    found = find_members(text)
    assert [(each.name, json.loads(text[each.value : each.end])) for each in found] == pairs
    assert [json.loads(text[each.start : each.value].strip(": \t\r\n")) for each in found] == [
        name for name, _ in pairs
    ]


_SIGNS = st.text(st.sampled_from('{}[]:,"\\ 01-.eE+tfnu\u00e9\x00truefalsenull'), max_size=12)


@given(
    st.lists(
        st.sampled_from(
            [
                "{",
                "}",
                "[",
                "]",
                ":",
                ",",
                '"a"',
                "1",
                "-0",
                "01",
                "1.",
                "null",
                "nul",
                '"\\x"',
                '"\\u12"',
                " ",
                "\x00",
                '"',
            ]
        ),
        max_size=12,
    )
    | _SIGNS.map(list)
)
def test_only_objects_of_the_standard_library_are_accepted(signs: list[str]) -> None:
    """Each text that is not a JSON object is rejected, and each object is accepted."""
    text = "{" + "".join(signs)
    try:
        is_object = isinstance(json.loads(text), dict)
    except ValueError:
        is_object = False
    # Python also reads NaN and Infinity, which are not in these texts.
    try:
        find_members(text)
    except ValueError:
        assert not is_object, text
    else:
        assert is_object, text


@pytest.mark.parametrize("depth", [10, 100_000])
def test_the_depth_has_no_limit(depth: int) -> None:
    """Many levels of nesting are read, and a wrong end is found."""
    text = '{"a": ' + "[" * depth + "]" * depth + ', "b": 1}'
    assert [each.name for each in find_members(text)] == ["a", "b"]
    with pytest.raises(ValueError, match="not a JSON object"):
        find_members(text.replace("]", "}", 1))
    with pytest.raises(ValueError, match="not a JSON object"):
        find_members(text + "x")


_TOKENS = st.sampled_from(
    [
        *("NaN", "Infinity", "-Infinity", "-NaN", "1", "-0", "01", "1.5e9", "1e", "9" * 5000),
        *('"a\\u00e9"', '"\\x"', '"\t"', '"é"', "true", "[", "]", "{", "}", ",", ":", '"a"'),
        *(" ", "\t", "\u00a0", "\u2028", "\x0b", "\x0c", "\x1c", "\x85", "\u3000", "\ufeff"),
    ]
)
_COLUMNS = Columns("a", contexts=("b",))


@given(st.lists(_TOKENS, max_size=9).map("".join), st.sampled_from(["{}", '{{"a":{}}}']))
def test_a_line_that_is_read_can_be_written(text: str, form: str) -> None:
    """The reader of rows and the finder of members accept the same texts."""
    line = form.format(text).encode()
    (record,) = JsonLines().records(Chunk(1, [line], 1.0), _COLUMNS)
    text = form.format(text).strip(" \t\r\n").removeprefix("\ufeff").strip(" \t\r\n")
    try:
        found = find_members(text)
    except ValueError:
        assert not isinstance(record, dict)
    else:
        # A repeated name that is read is an error of the row.
        assert isinstance(record, dict) or "more than one" in str(record)
        if isinstance(record, dict):
            assert {member.name for member in found} == set(record)


def test_a_long_string_needs_little_memory() -> None:
    """The pattern of a string keeps no state for each of its characters."""
    text = '{"a": "' + r"x\n" * 500_000 + '", "b": 1}'
    tracemalloc.start()
    try:
        assert [member.name for member in find_members(text)] == ["a", "b"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(text)

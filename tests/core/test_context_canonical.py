"""The canonical bytes: one form for every mapping, for the fast and the slow path.

Small mappings of short ASCII pairs have their own path, so every law here draws many of them. The
other side of a comparison is `support.spec_decoder`, which is written from SPEC.md alone.
"""

import operator
import random
import sys
from collections.abc import Iterator
from types import FrameType, MappingProxyType
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.samples import examples
from support.spec_decoder import canonical
from support.strategies import CONTEXTS, CROWDED_CONTEXTS, TEXTS, raises_exactly

from kmscore import EncryptionContext, InvalidContextError, context
from kmscore.context import canonical_bytes

# The last character of one byte in UTF-8, and the first and last of two, three and four. UTF-16
# sorts the last two before U+FFFF.
_WIDE_TEXTS = st.text("z\x7f\x80é\u07ff\u0800\ue000\uffff\U00010000\U0010ffff", max_size=3)
_WIDE = st.dictionaries(_WIDE_TEXTS, _WIDE_TEXTS, min_size=1, max_size=8)

# Lengths near those at which the path or the encoded length changes.
_LENGTHS = st.sampled_from([0, 1, 126, 127, 128, 129, 254, 255, 256, 257])
_LONG_TEXTS = st.builds(operator.mul, st.sampled_from("ab\x7fé"), _LENGTHS)
_LONG = st.dictionaries(_LONG_TEXTS, _LONG_TEXTS, min_size=1, max_size=5)


class Text(str):
    """A `str` whose methods return wrong values."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        """Sort before everything."""
        return True

    def __len__(self) -> int:
        """Return a length of one."""
        return 1

    def __str__(self) -> str:
        """Return other text."""
        return "another"

    def __format__(self, _: str) -> str:
        """Return other text."""
        return "another"

    def __iter__(self) -> Iterator[str]:
        """Return the characters of other text."""
        return iter("another")

    def encode(self, *_: Any, **__: Any) -> bytes:
        """Return the bytes of other text."""
        return b"another"


@st.composite
def many_pairs(draw: st.DrawFn) -> dict[str, str]:
    """Draw about as many pairs as one byte, or the table of lengths, can count."""
    pairs = [(f"{number}", "v") for number in range(draw(_LENGTHS))]
    random.Random(draw(st.integers())).shuffle(pairs)
    return dict(pairs)


_CHANCE = st.builds(random.Random, st.integers())
_ANY = CONTEXTS | CROWDED_CONTEXTS | _WIDE | _LONG | many_pairs()


def parsed(data: bytes) -> list[tuple[str, str]]:
    """Return the pairs in canonical bytes, in order; fail if there are other bytes."""
    texts, offset = [], 2
    while offset < len(data):
        end = offset + 2 + int.from_bytes(data[offset : offset + 2], "big")
        assert end <= len(data)
        texts.append(data[offset + 2 : end].decode("utf-8"))
        offset = end
    pairs = list(zip(texts[::2], texts[1::2], strict=True))
    assert len(pairs) == int.from_bytes(data[:2], "big")
    return pairs


@examples(500)
@given(_ANY)
@example({"é": "1", "z": "2", "\U0001f600": "3", "\uffee": "4"})
@example({"b": "1", "a": "2"})
@example({"ab": "", "a": "~", "": "a"})
@example(dict.fromkeys(map(str, range(127)), "v"))
@example(dict.fromkeys(map(str, range(128)), "v"))
@example({"a" * 127: "b" * 127})
@example({"a" * 128: "b" * 127})
@example({"a" * 127: "b" * 128})
def test_canonical_bytes_are_those_of_the_format(pairs: dict[str, str]) -> None:
    """The bytes are: count, then the pairs sorted by UTF-8 key, each text after its length."""
    expected = canonical(pairs.items())
    for mapping in (pairs, MappingProxyType(pairs), EncryptionContext(pairs)):
        assert canonical_bytes(mapping) == expected
    assert context._canonicalise(pairs) == expected
    assert EncryptionContext(pairs).canonical == expected


_SHORT = (
    CROWDED_CONTEXTS
    | st.dictionaries(*[st.builds(operator.mul, st.sampled_from("ab"), st.integers(0, 127))] * 2)
    | st.integers(0, 127).map(lambda number: dict.fromkeys(map(str, range(number)), "v"))
)


@given(_SHORT)
@example({"a" * 127: "b" * 127})
@example(dict.fromkeys(map(str, range(127)), "v"))
def test_short_ascii_pairs_take_the_fast_path(pairs: dict[str, str]) -> None:
    """Up to 127 pairs of up to 127 characters never use the slow path, so the laws test both."""
    with patch.object(context, "_canonicalise", side_effect=AssertionError("the slow path")):
        assert canonical_bytes(pairs) == canonical(pairs.items())


@examples(500)
@given(_ANY, _CHANCE)
def test_the_order_of_the_pairs_does_not_matter(
    pairs: dict[str, str], chance: random.Random
) -> None:
    """Two contexts with the same pairs in another order have the same bytes."""
    items = list(pairs.items())
    chance.shuffle(items)
    shuffled, ordered = EncryptionContext(dict(items)), EncryptionContext(dict(sorted(items)))
    assert shuffled.canonical == ordered.canonical
    assert shuffled == ordered
    assert hash(shuffled) == hash(ordered)


@given(_ANY)
def test_the_canonical_bytes_are_injective(pairs: dict[str, str]) -> None:
    """The canonical form is injective: its bytes give all pairs, sorted, and no byte remains."""
    data = canonical_bytes(pairs)
    assert parsed(data) == sorted(pairs.items(), key=lambda pair: pair[0].encode())
    assert bool(data) == bool(pairs)


# Some characters equal the bytes of lengths and counts: without lengths in the format, such pairs
# give equal bytes.
_COLLIDING_TEXTS = st.text("ab\x00\x01\x02é", max_size=4)
_COLLIDING = st.dictionaries(_COLLIDING_TEXTS, _COLLIDING_TEXTS, max_size=3)


@examples(500)
@given(_COLLIDING, _COLLIDING)
@example({"a": "bc"}, {"ab": "c"})
@example({"a": ""}, {"": "a"})
@example({}, {"": ""})
@example({"a": "b", "c": "d"}, {"a": "b\x00\x01c\x00\x01d"})
def test_different_contexts_never_share_canonical_bytes(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """Canonical bytes are equal if and only if the contexts are equal."""
    assert (canonical_bytes(one) == canonical_bytes(other)) == (one == other)


@given(_ANY.filter(bool), _CHANCE)
def test_a_subclass_of_str_is_read_by_its_text(
    pairs: dict[str, str], chance: random.Random
) -> None:
    """Keys and values can be `str` subclasses, and the results of their methods are not used."""
    odd = {
        Text(key) if chance.random() < 0.3 else key: Text(value) if chance.random() < 0.3 else value
        for key, value in pairs.items()
    }
    for mapping in (odd, MappingProxyType(odd)):
        assert canonical_bytes(mapping) == canonical(pairs.items())


def _spoiled(
    pairs: dict[str, str], chance: random.Random, key: object, value: object
) -> Iterator[dict[Any, Any]]:
    """Yield the pairs with one key replaced, and with one value replaced."""
    items: list[tuple[Any, Any]] = list(pairs.items())
    number = chance.randrange(len(items))
    yield dict([*items[:number], (key, items[number][1]), *items[number + 1 :]])
    yield dict([*items[:number], (items[number][0], value), *items[number + 1 :]])


class Liar:
    """An object whose `__class__` is `str`, as that of `Mock(spec=str)`."""

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """Return another class."""
        return str


@given(
    _ANY.filter(bool),
    _CHANCE,
    st.sampled_from([None, 1, 1.5, True, b"bytes", (), ("t",), frozenset(), Liar()]),
)
def test_one_value_that_is_not_text_is_rejected(
    pairs: dict[str, str], chance: random.Random, wrong: object
) -> None:
    """A key or value that is not text is rejected, at every position among any number of texts."""
    for spoiled in _spoiled(pairs, chance, wrong, wrong):
        for make in (canonical_bytes, EncryptionContext):
            with raises_exactly(InvalidContextError, "must be str"):
                make(spoiled)


@given(_ANY.filter(bool), _CHANCE, TEXTS, st.characters(categories=["Cs"]), TEXTS)
def test_one_lone_surrogate_is_rejected(
    pairs: dict[str, str], chance: random.Random, before: str, surrogate: str, after: str
) -> None:
    """A lone surrogate is rejected, at every position among any number of texts."""
    text = before + surrogate + after
    for spoiled in _spoiled(pairs, chance, text, text):
        with raises_exactly(InvalidContextError, "lone surrogate"):
            canonical_bytes(spoiled)


@pytest.mark.parametrize("letter", ["a", "é"], ids=["ASCII", "not ASCII"])
@pytest.mark.parametrize("change", ["added", "removed", "replaced"])
def test_a_mapping_changed_by_another_thread_gives_one_of_its_states(
    letter: str, change: str
) -> None:
    """A change before any line gives the bytes of the mapping before it or after it."""
    before = {f"{letter}{number}": "v" for number in (3, 1, 2)}
    after = dict(before)
    if change == "removed":
        del after[f"{letter}1"]
    else:
        after[f"{letter}{1 if change == 'replaced' else 0}"] = "new"
    expected = [canonical(pairs.items()) for pairs in (before, after)]
    given_by = [_changed_meanwhile(before, after, line) for line in range(60)]
    assert given_by[0] == expected[1]
    assert given_by[-1] == expected[0]
    assert all(data in expected for data in given_by)


def _changed_meanwhile(before: dict[str, str], after: dict[str, str], line: int) -> bytes:
    """Return the canonical bytes of a mapping that is changed after this number of lines."""
    pairs, left = dict(before), line

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_globals.get("__name__") != context.__name__:
            return None
        if event == "line":
            if left == 0:
                pairs.clear()
                pairs.update(after)
            left -= 1
        return trace

    tracer = sys.gettrace()
    sys.settrace(trace)
    try:
        return canonical_bytes(pairs)
    finally:
        sys.settrace(tracer)

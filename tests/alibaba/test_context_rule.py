"""The context rule of the service: its output, and contexts with the same output."""

import copy
import hashlib
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.service_layout import (
    AMBIGUOUS,
    SERVICE_PROFILES,
    VECTOR_CONTEXT,
    VECTOR_DIGEST,
    written_order,
    written_rule,
)
from support.strategies import CONTEXTS, raises_exactly

from kmscore import EncryptionContext, InvalidContextError
from kmscore.alibaba import (
    ContextBinding,
    JsonContext,
    Profile,
    SortOrder,
    collisions,
    is_ambiguous,
)
from kmscore.alibaba.context_rule import associated_data

Count = Callable[[str, int], None]

OF_NOTHING = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
UTF_16 = Profile(sort_order=SortOrder.UTF_16)
HEXADECIMAL = Profile(context_binding=ContextBinding.HEXADECIMAL_DIGEST)
JSON = Profile(context_binding=ContextBinding.JSON)
DIGESTS = tuple(
    profile for profile in SERVICE_PROFILES if profile.context_binding is not ContextBinding.JSON
)
SAME_BYTES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({"a": "1&b=2"}, {"a": "1", "b": "2"}),
    ({"a=b": "c"}, {"a": "b=c"}),
]
# U+10000 sorts after U+FFFF by code point, and before it by UTF-16 code unit.
MARKS = "=&"
ALPHABETS: list[str] = ["ab" + MARKS, "\U00010000\uffff" + MARKS]
CROWDED = st.dictionaries(
    st.text("a=&\uffff\U00010000", max_size=4), st.text("a=&b", max_size=6), max_size=4
)


def bound(
    context: Mapping[str, str] | None, profile: Profile = Profile.ALIBABA, *, allow: bool = True
) -> bytes:
    """Return the associated data, also for ambiguous contexts."""
    return associated_data(context, profile, allow_ambiguous=allow)


def all_readings(text: str, order: SortOrder) -> Iterator[dict[str, str]]:
    """Yield every context whose joined form is `text`.

    The text is split at some of the `&`, and each part at one `=`.
    """
    separators = [place for place, character in enumerate(text) if character == "&"]
    for chosen in product((False, True), repeat=len(separators)):
        cuts = [-1, *(at for at, cut in zip(separators, chosen, strict=True) if cut), len(text)]
        parts = [text[cuts[n] + 1 : cuts[n + 1]] for n in range(len(cuts) - 1)]
        places = [[at for at, mark in enumerate(part) if mark == "="] for part in parts]
        for ends in product(*places):
            pairs = [(p[:end], p[end + 1 :]) for p, end in zip(parts, ends, strict=True)]
            keys = [written_order(key, order) for key, _ in pairs]
            if all(keys[n] < keys[n + 1] for n in range(len(keys) - 1)):
                yield dict(pairs)


def test_the_digest_matches_the_vector(count_known_answers: Count) -> None:
    """Two pairs in the wrong order give the published digest 8e85be58…."""
    assert bound(VECTOR_CONTEXT) == VECTOR_DIGEST
    assert hashlib.sha256(b"a=1&b=2").digest() == VECTOR_DIGEST
    count_known_answers("Alibaba Cloud KMS, the service's context rule", 1)


def test_no_context_gives_no_associated_data() -> None:
    """`None` gives zero bytes in every profile."""
    assert {bound(None, profile) for profile in SERVICE_PROFILES} == {b""}


def test_an_empty_context_gives_the_digest_of_zero_bytes() -> None:
    """`{}` differs from an absent context, unless the profile makes them equal."""
    for empty in ({}, EncryptionContext(), EncryptionContext({})):
        assert bound(empty) == OF_NOTHING
        assert bound(empty, Profile(empty_is_absent=True)) == b""
        absent = Profile(empty_is_absent=True, context_binding=ContextBinding.HEXADECIMAL_DIGEST)
        assert bound(empty, absent) == b""


def test_the_hexadecimal_digest_has_lower_case_digits() -> None:
    """The 64 ASCII characters are the hexadecimal form of the same digest."""
    assert bound(VECTOR_CONTEXT, HEXADECIMAL) == VECTOR_DIGEST.hex().encode()
    assert bound({}, HEXADECIMAL) == OF_NOTHING.hex().encode()


def test_pairs_are_sorted_by_key_and_not_by_their_text() -> None:
    """The key `a` is before `a!`, although the text `a=` is after `a!`."""
    assert bound({"a!": "1", "a": "2"}) == hashlib.sha256(b"a=2&a!=1").digest()


def test_the_sort_orders_differ_beyond_the_basic_plane() -> None:
    """U+FFFF is before U+10000 by code point, and after it by UTF-16 code unit."""
    context = {"\uffff": "1", "\U00010000": "2"}
    assert bound(context) == hashlib.sha256("\uffff=1&\U00010000=2".encode()).digest()
    assert bound(context, UTF_16) == hashlib.sha256("\U00010000=2&\uffff=1".encode()).digest()


@given(CONTEXTS | CROWDED, st.sampled_from(SERVICE_PROFILES), st.randoms())
def test_every_profile_follows_the_written_rule(
    context: dict[str, str], profile: Profile, random: Any
) -> None:
    """The type of mapping has no effect; with a digest, the order of pairs has no effect."""
    pairs = list(context.items())
    random.shuffle(pairs)
    expected = written_rule(context, profile)
    assert bound(context, profile) == expected
    assert bound(EncryptionContext(context), profile) == expected
    shuffled = dict(pairs)
    assert bound(shuffled, profile) == written_rule(shuffled, profile)
    if profile in DIGESTS:
        assert bound(shuffled, profile) == expected


TEXTS = {
    '{"b":"2","a":"1"}': {"b": "2", "a": "1"},
    '{"a":"1","b":"2"}': {"a": "1", "b": "2"},
    ' {\t"a" : "1" }\n': {"a": "1"},
    '{"\\u0061":"\\/"}': {"a": "/"},
    '{"\\ud83d\\udd11":"\\n"}': {"\U0001f511": "\n"},
    '{"租户":"é\\u00e9"}': {"租户": "éé"},
    "{}": {},
    " { } ": {},
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_json_text_is_bound_unchanged(text: str) -> None:
    """White space, escapes and order count; a digest is that of the map."""
    context = JsonContext(text)
    assert bound(context, JSON) == text.encode()
    assert dict(context) == TEXTS[text]
    for profile in DIGESTS:
        assert bound(context, profile) == bound(TEXTS[text], profile)
    absent = Profile(context_binding=ContextBinding.JSON, empty_is_absent=True)
    assert bound(context, absent) == (text.encode() if context else b"")


def test_a_mapping_is_bound_as_compact_json() -> None:
    """The text is compact UTF-8 in the order of the mapping, as clients send it."""
    context = {"b": '"\\\x7f', "租": "\n\x00", "a": "1&b=2"}
    expected = '{"b":"\\"\\\\\x7f","租":"\\n\\u0000","a":"1&b=2"}'.encode()
    assert bound(context, JSON, allow=False) == expected
    assert bound(EncryptionContext(context), JSON, allow=False) == expected
    assert bound(dict(reversed(context.items())), JSON) != expected


@given(CONTEXTS | CROWDED, CONTEXTS | CROWDED)
def test_different_contexts_have_different_json_texts(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """With JSON binding, no context is ambiguous, and there are no collisions."""
    assert (bound(one, JSON, allow=False) == bound(other, JSON)) == (
        list(one.items()) == list(other.items())
    )
    assert list(collisions(one, profile=JSON)) == []


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", '{"a":1}', '{"a":"1","a":"1"}', '{"a":"\\ud83d"}', '{"a":"\ud83d"}',
     '{"a":"1"}{}', "\ufeff{}", f'{{"a":"{"x" * 8185}"}}'],
)  # fmt: skip
def test_an_invalid_json_context_is_rejected(text: str) -> None:
    """The rules are those of `EncryptionContext.from_json`."""
    with raises_exactly(InvalidContextError):
        JsonContext(text)


def test_a_json_context_is_an_immutable_map() -> None:
    """It compares and hashes like its map, and a copy from pickle keeps its text."""
    context = JsonContext('{"b": "2", "a": "1"}')
    assert context == EncryptionContext({"a": "1", "b": "2"}) == context
    assert hash(context) == hash(EncryptionContext({"a": "1", "b": "2"}))
    assert (list(context), len(context), context["a"]) == (["b", "a"], 2, "1")
    assert repr(context) == 'JsonContext(\'{"b": "2", "a": "1"}\')'
    assert pickle.loads(pickle.dumps(context)).text == context.text  # noqa: S301 (its own)
    assert copy.deepcopy(context).text == context.text
    with pytest.raises(AttributeError, match="immutable"):
        context.text = "{}"
    with pytest.raises(TypeError, match="encryption context must be str"):
        JsonContext(b"{}")  # type: ignore[arg-type]


def test_a_text_of_a_subclass_is_bound_as_its_characters() -> None:
    """An `encode` method of the subclass has no effect."""

    class Liar(str):
        __slots__ = ()

        def encode(self, *_: Any) -> bytes:
            return b"{}"

    assert bound(JsonContext(Liar('{"a":"1"}')), JSON) == b'{"a":"1"}'


@pytest.mark.parametrize(("one", "other"), SAME_BYTES)
def test_different_contexts_can_have_the_same_bytes(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """Each context is one of the collisions of the other."""
    for profile in DIGESTS:
        assert bound(one, profile) == bound(other, profile)
    assert is_ambiguous(one)
    assert is_ambiguous(other)
    assert EncryptionContext(other) in list(collisions(one))
    assert EncryptionContext(one) in list(collisions(other))


@pytest.mark.parametrize(
    ("context", "ambiguous"),
    [
        (None, False),
        ({}, False),
        ({"": ""}, False),
        ({"a": "1"}, False),
        ({"a&b": "1&2&3"}, False),
        ({"a": "="}, True),
        ({"=": ""}, True),
        ({"": "", "a": ""}, True),
    ],
)
def test_a_context_with_two_equals_signs_is_ambiguous(
    context: dict[str, str] | None, ambiguous: bool
) -> None:
    """The equals sign between key and value counts too."""
    assert is_ambiguous(context) is ambiguous
    for profile in DIGESTS:
        assert bool(list(collisions(context, profile=profile))) is ambiguous


def assert_collisions_are_all(text: str, order: SortOrder) -> int:
    """Check that each reading of a text yields the others once, and return their number."""
    profile = Profile(sort_order=order)
    readings = list(all_readings(text, order)) if text else [{}]
    for reading in readings:
        others = [dict(other) for other in collisions(reading, profile=profile)]
        assert reading not in others
        assert len(others) == len(readings) - 1
        assert all(other in others for other in readings if other != reading)
        assert is_ambiguous(reading) is bool(others)
    return len(readings)


@pytest.mark.parametrize("order", SortOrder)
@pytest.mark.parametrize("alphabet", ALPHABETS, ids=["ASCII", "beyond the basic plane"])
def test_collisions_match_a_search_of_all_readings(alphabet: str, order: SortOrder) -> None:
    """This holds for every text of up to five characters that is a joined form."""
    texts = (text for size in range(6) for text in product(alphabet, repeat=size))
    assert max(assert_collisions_are_all("".join(text), order) for text in texts) == 6


@given(st.sampled_from(ALPHABETS).flatmap(lambda a: st.text(a, min_size=6, max_size=13)))
def test_collisions_of_longer_texts_are_complete(text: str) -> None:
    """This holds also for contexts of three or more pairs."""
    for order in SortOrder:
        assert_collisions_are_all(text, order)


@given(CONTEXTS | CROWDED, st.sampled_from(DIGESTS))
def test_every_collision_gives_the_same_associated_data(
    context: dict[str, str], profile: Profile
) -> None:
    """Each collision is a different `EncryptionContext`, and none occurs twice."""
    found = list(islice(collisions(context, profile=profile), 60))
    assert bool(found) is is_ambiguous(context)
    assert len(set(found)) == len(found)
    for other in found:
        assert type(other) is EncryptionContext
        assert other != context
        assert written_rule(other, profile) == bound(context, profile)


@given(CONTEXTS | CROWDED, st.sampled_from(DIGESTS))
def test_an_ambiguous_context_requires_permission(
    context: dict[str, str], profile: Profile
) -> None:
    """Only an ambiguous context is rejected; permission does not change other contexts."""
    if is_ambiguous(context):
        with raises_exactly(InvalidContextError, "allow_ambiguous"):
            bound(context, profile, allow=False)
    else:
        assert bound(context, profile, allow=False) == bound(context, profile)


def test_collisions_are_produced_one_by_one() -> None:
    """The first collisions of 2,000 pairs come at once, although all of them would never end."""
    context = {f"{number:04}": "v" for number in range(2000)}
    started = time.process_time()
    found = list(islice(collisions(context), 3))
    assert time.process_time() - started < 5
    assert len(set(found)) == 3
    assert {bound(other) for other in found} == {bound(context)}


def test_a_reading_over_the_length_limit_is_omitted() -> None:
    """Each pair adds four bytes of length, so that two pairs would exceed 65,535 bytes."""
    longest = {"a": "1&b=2" + "x" * 65_523}
    assert len(EncryptionContext(longest).canonical) == 65_535
    assert list(collisions(longest)) == [{"a=1&b": "2" + "x" * 65_523}]
    # Two pairs lose the `&` and the second `=`, and add four bytes of length.
    fitting = {"a": longest["a"][:-2]}
    assert {"a": "1", "b": fitting["a"][4:]} in list(collisions(fitting))
    assert len(list(collisions({"a": longest["a"][:-1]}))) == 1


def count_calls(context: dict[str, str]) -> int:
    """Return the number of function calls of `is_ambiguous`, with built-in functions."""
    events = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal events
        events += event in {"call", "c_call"}

    previous = sys.getprofile()
    sys.setprofile(count)
    try:
        is_ambiguous(context)
    finally:
        sys.setprofile(previous)
    return events


def test_is_ambiguous_takes_linear_time() -> None:
    """Ten times as many pairs take ten times as many calls; longer texts take no more calls."""
    short, long = ({f"{number:04}": "v" for number in range(size)} for size in (600, 6000))
    assert count_calls(short) > 600
    assert count_calls(long) < 11 * count_calls(short)
    assert count_calls({"k": "=&" * 30_000}) == count_calls({"k": "=&" * 300})


class Purpose(str, Enum):  # noqa: UP042 (its format is its name)
    """A member of an enum whose `str()` differs from its value."""

    TEST = "test=1"


class Counting(str):
    """A text whose methods return wrong results."""

    __slots__ = ()

    def count(self, *_: Any) -> int:
        """Return a wrong number."""
        return 0

    def encode(self, *_: Any) -> bytes:
        """Return other bytes."""
        return b"another"

    def __format__(self, _: str) -> str:
        """Return another text."""
        return "another"


@pytest.mark.parametrize("kind", [Purpose, Counting])
def test_methods_of_str_subclasses_have_no_effect(kind: Callable[[str], str]) -> None:
    """Members of an enum and other subclasses of `str` count as their characters, as in v1."""
    text = kind("test=1")
    for context, plain in (
        ({"a": text}, {"a": "test=1"}),
        ({text: "a"}, {"test=1": "a"}),
        ({text: "2", "test": "1", "z": text}, {"test=1": "2", "test": "1", "z": "test=1"}),
    ):
        assert bound(context) == written_rule(plain, Profile.ALIBABA)
        assert bound(EncryptionContext(context), UTF_16) == written_rule(plain, UTF_16)
        assert is_ambiguous(context)
        assert list(collisions(context)) == list(collisions(plain))
        with raises_exactly(InvalidContextError):
            bound(context, allow=False)


FUNCTIONS: Mapping[str, Callable[[Any], object]] = {
    "associated_data": bound,
    "is_ambiguous": is_ambiguous,
    "collisions": collisions,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_invalid_context_is_rejected_by_the_call(function: str) -> None:
    """The functions reject what `EncryptionContext` rejects, before the first item is requested."""
    call = FUNCTIONS[function]
    for wrong in ("{}", 1, [("a", "b")], b""):
        with pytest.raises(TypeError, match="context must be"):
            call(wrong)
    for broken in ({"a": 1}, {1: "a"}, {"a": "\ud800"}, {"a": "x" * 65_536}):
        with raises_exactly(InvalidContextError):
            call(broken)


def test_collisions_require_a_service_profile() -> None:
    """v1 has no collisions, so that `Profile.V1` raises `TypeError` in the call."""
    with pytest.raises(TypeError, match="not v1"):
        collisions(AMBIGUOUS, profile=Profile.V1)
    not_a_profile: Any
    for not_a_profile in (None, "alibaba", Profile):
        with pytest.raises(TypeError, match="profile must be Profile"):
            collisions(AMBIGUOUS, profile=not_a_profile)


def test_readings_over_the_length_limit_are_skipped() -> None:
    """Near the limit of 65,535 bytes, the search skips the exponentially many long readings."""
    text = "&".join(f"k{n:02}=" for n in range(60))
    context = {"": text.ljust(65_528, "x")}
    assert len(EncryptionContext(context).canonical) == 65_534
    found = list(islice(collisions(context), 200))
    # One more pair takes two more bytes, and only one byte is free.
    assert found
    assert all(len(other) == 1 for other in found)
    shorter = {"": "a=&b=&c=&d=".ljust(65_526, "x")}
    assert {len(other) for other in collisions(shorter)} == {1, 2}

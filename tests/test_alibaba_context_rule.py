"""The service's context rule: what it gives, and which contexts it cannot tell apart."""

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
from service_support import (
    AMBIGUOUS,
    SERVICE_PROFILES,
    VECTOR_CONTEXT,
    VECTOR_DIGEST,
    written_order,
    written_rule,
)
from strategies import CONTEXTS, raises_exactly

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
# Of the last two, the first is the greater in code points and the lesser in UTF-16.
MARKS = "=&"
ALPHABETS: list[str] = ["ab" + MARKS, "\U00010000\uffff" + MARKS]
CROWDED = st.dictionaries(
    st.text("a=&\uffff\U00010000", max_size=4), st.text("a=&b", max_size=6), max_size=4
)


def bound(
    context: Mapping[str, str] | None, profile: Profile = Profile.ALIBABA, *, allow: bool = True
) -> bytes:
    """Return the associated data, of ambiguous contexts too."""
    return associated_data(context, profile, allow_ambiguous=allow)


def all_readings(text: str, order: SortOrder) -> Iterator[dict[str, str]]:
    """Yield every context whose joined form is `text`: split at some of the `&`, then at a `=`."""
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


def test_the_digest_of_the_vector_is_the_published_one(count_known_answers: Count) -> None:
    """Two pairs, given in the wrong order, give 8e85be58…."""
    assert bound(VECTOR_CONTEXT) == VECTOR_DIGEST
    assert hashlib.sha256(b"a=1&b=2").digest() == VECTOR_DIGEST
    count_known_answers("Alibaba Cloud KMS, the service's context rule", 1)


def test_no_context_gives_no_associated_data() -> None:
    """`None` gives no bytes in every profile."""
    assert {bound(None, profile) for profile in SERVICE_PROFILES} == {b""}


def test_an_empty_context_gives_the_digest_of_nothing() -> None:
    """`{}` is no absent context, unless the profile says so."""
    for empty in ({}, EncryptionContext(), EncryptionContext({})):
        assert bound(empty) == OF_NOTHING
        assert bound(empty, Profile(empty_is_absent=True)) == b""
        absent = Profile(empty_is_absent=True, context_binding=ContextBinding.HEXADECIMAL_DIGEST)
        assert bound(empty, absent) == b""


def test_the_hexadecimal_digest_has_lower_case_digits() -> None:
    """Its 64 ASCII characters stand for the same digest."""
    assert bound(VECTOR_CONTEXT, HEXADECIMAL) == VECTOR_DIGEST.hex().encode()
    assert bound({}, HEXADECIMAL) == OF_NOTHING.hex().encode()


def test_pairs_are_sorted_by_key_and_not_by_their_text() -> None:
    """The key `a` stands before `a!`, though `a=` stands behind it."""
    assert bound({"a!": "1", "a": "2"}) == hashlib.sha256(b"a=2&a!=1").digest()


def test_the_sort_orders_differ_beyond_the_basic_plane() -> None:
    """U+FFFF stands before U+10000 by code point and behind it by UTF-16 unit."""
    context = {"\uffff": "1", "\U00010000": "2"}
    assert bound(context) == hashlib.sha256("\uffff=1&\U00010000=2".encode()).digest()
    assert bound(context, UTF_16) == hashlib.sha256("\U00010000=2&\uffff=1".encode()).digest()


@given(CONTEXTS | CROWDED, st.sampled_from(SERVICE_PROFILES), st.randoms())
def test_every_profile_follows_the_written_rule(
    context: dict[str, str], profile: Profile, random: Any
) -> None:
    """The kind of mapping decides nothing, nor, where a digest is bound, does the order."""
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
def test_a_json_text_is_bound_as_it_was_sent(text: str) -> None:
    """White space, escapes and order included; a digest is that of the map."""
    context = JsonContext(text)
    assert bound(context, JSON) == text.encode()
    assert dict(context) == TEXTS[text]
    for profile in DIGESTS:
        assert bound(context, profile) == bound(TEXTS[text], profile)
    absent = Profile(context_binding=ContextBinding.JSON, empty_is_absent=True)
    assert bound(context, absent) == (text.encode() if context else b"")


def test_a_mapping_is_bound_as_the_text_that_the_clients_send() -> None:
    """Compact, in its own order, in raw UTF-8; it is never ambiguous."""
    context = {"b": '"\\\x7f', "租": "\n\x00", "a": "1&b=2"}
    expected = '{"b":"\\"\\\\\x7f","租":"\\n\\u0000","a":"1&b=2"}'.encode()
    assert bound(context, JSON, allow=False) == expected
    assert bound(EncryptionContext(context), JSON, allow=False) == expected
    assert bound(dict(reversed(context.items())), JSON) != expected


@given(CONTEXTS | CROWDED, CONTEXTS | CROWDED)
def test_no_two_contexts_have_one_json_text(one: dict[str, str], other: dict[str, str]) -> None:
    """So nothing is ambiguous there, and there are no collisions."""
    assert (bound(one, JSON, allow=False) == bound(other, JSON)) == (
        list(one.items()) == list(other.items())
    )
    assert list(collisions(one, profile=JSON)) == []


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "null", '{"a":1}', '{"a":"1","a":"1"}', '{"a":"\\ud83d"}', '{"a":"\ud83d"}',
     '{"a":"1"}{}', "\ufeff{}", f'{{"a":"{"x" * 8185}"}}'],
)  # fmt: skip
def test_what_is_no_context_in_json_is_no_json_context(text: str) -> None:
    """The rules are those of `EncryptionContext.from_json`."""
    with raises_exactly(InvalidContextError):
        JsonContext(text)


def test_a_json_context_is_a_map_that_never_changes() -> None:
    """It compares and hashes as its map, and comes back from a pickle with its text."""
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
    """It cannot encode itself as another one."""

    class Liar(str):
        __slots__ = ()

        def encode(self, *_: Any) -> bytes:
            return b"{}"

    assert bound(JsonContext(Liar('{"a":"1"}')), JSON) == b'{"a":"1"}'


@pytest.mark.parametrize(("one", "other"), SAME_BYTES)
def test_the_rule_does_not_tell_these_contexts_apart(
    one: dict[str, str], other: dict[str, str]
) -> None:
    """Each is found among the collisions of the other."""
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
def test_a_context_is_ambiguous_from_the_second_equals_sign_on(
    context: dict[str, str] | None, ambiguous: bool
) -> None:
    """The one that stands between key and value counts too."""
    assert is_ambiguous(context) is ambiguous
    for profile in DIGESTS:
        assert bool(list(collisions(context, profile=profile))) is ambiguous


def assert_collisions_are_all(text: str, order: SortOrder) -> int:
    """Check that each reading of a text yields the others, once; return how many there are."""
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
def test_collisions_are_all_that_trying_everything_finds(alphabet: str, order: SortOrder) -> None:
    """For every text of up to five characters, whatever context it is the joined form of."""
    texts = (text for size in range(6) for text in product(alphabet, repeat=size))
    assert max(assert_collisions_are_all("".join(text), order) for text in texts) == 6


@given(st.sampled_from(ALPHABETS).flatmap(lambda a: st.text(a, min_size=6, max_size=13)))
def test_collisions_of_longer_texts_are_all_there_are(text: str) -> None:
    """Also where three pairs and more are among them."""
    for order in SortOrder:
        assert_collisions_are_all(text, order)


@given(CONTEXTS | CROWDED, st.sampled_from(DIGESTS))
def test_every_collision_gives_the_same_associated_data(
    context: dict[str, str], profile: Profile
) -> None:
    """It is another context, a checked one, and none comes twice."""
    found = list(islice(collisions(context, profile=profile), 60))
    assert bool(found) is is_ambiguous(context)
    assert len(set(found)) == len(found)
    for other in found:
        assert type(other) is EncryptionContext
        assert other != context
        assert written_rule(other, profile) == bound(context, profile)


@given(CONTEXTS | CROWDED, st.sampled_from(DIGESTS))
def test_an_ambiguous_context_has_to_be_allowed(context: dict[str, str], profile: Profile) -> None:
    """Only an ambiguous one is refused, and allowing it changes no byte of any other."""
    if is_ambiguous(context):
        with raises_exactly(InvalidContextError, "allow_ambiguous"):
            bound(context, profile, allow=False)
    else:
        assert bound(context, profile, allow=False) == bound(context, profile)


def test_collisions_come_one_by_one() -> None:
    """Of a context of 2,000 pairs the first ones come at once; all of them never would."""
    context = {f"{number:04}": "v" for number in range(2000)}
    started = time.process_time()
    found = list(islice(collisions(context), 3))
    assert time.process_time() - started < 5
    assert len(set(found)) == 3
    assert {bound(other) for other in found} == {bound(context)}


def test_a_reading_that_is_too_long_for_a_context_is_left_out() -> None:
    """Every pair costs four bytes of length, and two pairs would be beyond 65,535."""
    longest = {"a": "1&b=2" + "x" * 65_523}
    assert len(EncryptionContext(longest).canonical) == 65_535
    assert list(collisions(longest)) == [{"a=1&b": "2" + "x" * 65_523}]
    # In two pairs the `&` and a second `=` go, and four bytes more come.
    fitting = {"a": longest["a"][:-2]}
    assert {"a": "1", "b": fitting["a"][4:]} in list(collisions(fitting))
    assert len(list(collisions({"a": longest["a"][:-1]}))) == 1


def count_calls(context: dict[str, str]) -> int:
    """Return how many functions are called, built-in ones too, to tell whether it is ambiguous."""
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
    """Ten times as many pairs take ten times as many steps, and a longer text takes no more."""
    short, long = ({f"{number:04}": "v" for number in range(size)} for size in (600, 6000))
    assert count_calls(short) > 600
    assert count_calls(long) < 11 * count_calls(short)
    assert count_calls({"k": "=&" * 30_000}) == count_calls({"k": "=&" * 300})


class Purpose(str, Enum):  # noqa: UP042 (one that formats as its name)
    """A member is the text of its value, and is shown as something else."""

    TEST = "test=1"


class Counting(str):
    """Text that says of itself what it likes."""

    __slots__ = ()

    def count(self, *_: Any) -> int:
        """Deny everything."""
        return 0

    def encode(self, *_: Any) -> bytes:
        """Pretend to be another."""
        return b"another"

    def __format__(self, _: str) -> str:
        """Pretend to be another."""
        return "another"


@pytest.mark.parametrize("kind", [Purpose, Counting])
def test_what_a_text_says_of_itself_changes_nothing(kind: Callable[[str], str]) -> None:
    """A member of an enum is its value here as it is in v1, and so is any other kind of text."""
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
def test_what_is_no_context_is_refused_at_once(function: str) -> None:
    """No function takes what `EncryptionContext` does not, and none waits for the first item."""
    call = FUNCTIONS[function]
    for wrong in ("{}", 1, [("a", "b")], b""):
        with pytest.raises(TypeError, match="context must be"):
            call(wrong)
    for broken in ({"a": 1}, {1: "a"}, {"a": "\ud800"}, {"a": "x" * 65_536}):
        with raises_exactly(InvalidContextError):
            call(broken)


def test_collisions_are_those_of_a_profile_of_the_service() -> None:
    """In v1 there are none: asking for them is a mistake, noticed at once."""
    with pytest.raises(TypeError, match="not v1"):
        collisions(AMBIGUOUS, profile=Profile.V1)
    not_a_profile: Any
    for not_a_profile in (None, "alibaba", Profile):
        with pytest.raises(TypeError, match="profile must be Profile"):
            collisions(AMBIGUOUS, profile=not_a_profile)


def test_readings_too_long_for_a_context_are_not_looked_for() -> None:
    """Near the limit of 65,535 bytes few pairs fit: the exponentially many others are no detour."""
    text = "&".join(f"k{n:02}=" for n in range(60))
    context = {"": text.ljust(65_528, "x")}
    assert len(EncryptionContext(context).canonical) == 65_534
    found = list(islice(collisions(context), 200))
    # One more pair takes two bytes more, and there is room for one byte.
    assert found
    assert all(len(other) == 1 for other in found)
    shorter = {"": "a=&b=&c=&d=".ljust(65_526, "x")}
    assert {len(other) for other in collisions(shorter)} == {1, 2}

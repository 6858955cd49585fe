"""The vectors of contexts as pairs: their order, their lengths and their characters."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import MOST_BYTES, bad_map, map_case
from kmscore_vectors.generator.model import Case, Rule
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import Severity

_SIZE: Final = Rule(Severity.POLICY, "SPEC section 4.1")
_KEY: Final = "\U0001f511"
_OVERHEAD: Final = 2 + 2 + 2  # bytes: the number of pairs, and the two lengths of one pair
_ROOM: Final = MOST_BYTES - _OVERHEAD


def pair_cases() -> Iterator[Case]:
    """Yield contexts as pairs."""
    yield from _plain()
    for comment, pairs in _ORDERS.items():
        yield map_case(comment, "Order", pairs)
    for comment, pairs in _UNICODE.items():
        yield map_case(comment, "Unicode", pairs)
    for pairs in _JOINED:
        yield map_case(ascii(pairs), "Ambiguity", pairs)
    yield from _lengths()
    yield from _longest()
    yield from _surrogates()


def _plain() -> Iterator[Case]:
    """Yield contexts of few pairs."""
    yield map_case("no pair", "Empty", ())
    yield map_case("one pair", "Valid", (("tenant", "acme"),))
    yield map_case("two pairs", "Valid", (("table", "orders"), ("tenant", "acme")))
    yield map_case("an empty value", "Valid", (("key", ""),))
    yield map_case("an empty key", "Valid", (("", "value"),))
    yield map_case("an empty key and value", "Valid", (("", ""),))
    yield map_case("control characters", "Valid", (("a\x00b", "\n\x7f"),))
    yield map_case("U+0000 alone", "Valid", (("\x00", "\x00"),))
    yield map_case("U+0000 at the end", "Valid", (("a\x00", "b\x00"),))
    yield map_case("U+0000 at the beginning", "Valid", (("\x00a", "\x00b"),))
    yield map_case("spaces at the ends", "Valid", ((" a ", "\tb\n"),))
    yield map_case("one value under two keys", "Valid", (("a", "1"), ("b", "1")))
    yield map_case("a key that is its own value", "Valid", (("a", "a"),))
    yield map_case("a JSON text in pieces", "Valid", (('{"a":', '"b"}'),))
    yield map_case("a query in pieces", "Valid", (("a=b&c", "d=e&f"),))


def _lengths() -> Iterator[Case]:
    """Yield lengths and numbers of pairs that are at a limit, or take two bytes."""
    for length in (127, 128, 255, 256, 257, 1000):
        yield map_case(f"a value of {length} bytes", "Boundary", (("key", "v" * length),))
        yield map_case(f"a key of {length} bytes", "Boundary", (("k" * length, "value"),))
    for number in (127, 128, 255, 256, 257, 1000):
        pairs = tuple((f"{n:03x}", "") for n in range(number))
        yield map_case(f"{number} pairs", "Boundary", pairs)
    for comment, character in _WIDE.items():
        # 128 bytes in fewer characters, in a pair whose other lengths are short.
        text = character * (128 // len(character.encode()))
        text += "v" * (128 - len(text.encode()))
        yield map_case(f"a value of 128 bytes, characters {comment}", "Boundary", (("k", text),))
        yield map_case(f"a key of 128 bytes, characters {comment}", "Boundary", ((text, "v"),))


def _longest() -> Iterator[Case]:
    """Yield the longest contexts, and those that are longer by one byte."""
    for length in (32_768, _ROOM):
        yield map_case(f"a value of {length:,} bytes", "Boundary", (("", "v" * length),))
    yield map_case("a key of 32,768 bytes", "Boundary", (("k" * 32_768, ""),))
    longest = map_case("a key of 65,529 bytes", "Boundary", (("k" * _ROOM, ""),))
    yield longest
    two = map_case("65,535 bytes in two pairs", "Boundary", _two_pairs(0))
    yield two
    yield bad_map(two, "TooLong", "65,536 bytes in two pairs", _two_pairs(1), _SIZE)
    for comment, character in _WIDE.items():
        right, wrong = _filled(character)
        whole = map_case(f"65,535 bytes, characters {comment}", "Boundary", right)
        if character == _KEY:  # only one, because each takes half a megabyte
            yield whole
        yield bad_map(whole, "TooLong", f"65,536 bytes, characters {comment}", wrong, _SIZE)
    for comment, pairs in {
        "65,536 bytes": (("k", "v" * _ROOM),),
        "a value of 65,530 bytes": (("", "v" * (_ROOM + 1)),),
        "a key of 65,530 bytes": (("k" * (_ROOM + 1), ""),),
        "a value of 65,535 bytes": (("", "v" * 0xFFFF),),
        "a value of 65,536 bytes, whose length wraps to 0": (("", "v" * 0x10000),),
        "a key of 65,537 bytes, whose length wraps to 1": (("k" * 0x10001, ""),),
    }.items():
        yield bad_map(longest, "TooLong", comment, pairs, _SIZE)


def _two_pairs(excess: int) -> Pairs:
    """Return two pairs of 65,535 bytes and an excess: no field alone reaches a limit."""
    half = (MOST_BYTES - 2 - 2 * 4) // 2
    return (("a" * half, ""), ("b", "v" * (MOST_BYTES - 2 - 2 * 4 - half - 1 + excess)))


def _filled(character: str) -> tuple[Pairs, Pairs]:
    """Return one pair of 65,535 bytes, mostly of one character, and one of 65,536 bytes."""
    size = len(character.encode())
    value = character * (_ROOM // size)
    key = "k" * (_ROOM - len(value.encode()))
    return ((key, value),), ((key + "k", value),)


def _surrogates() -> Iterator[Case]:
    """Yield pairs with half of a surrogate pair, which has no bytes in UTF-8."""
    right = map_case("U+1F511", "Unicode", (("\U0001f511", "\U0001f511"),))
    yield right
    for comment, pairs in {
        "the high half in a value": (("\U0001f511", "\ud83d"),),
        "the low half in a value": (("\U0001f511", "\udd11"),),
        "the high half in a key": (("\ud83d", "\U0001f511"),),
        "the low half in a key, after a letter": (("a\udd11", "\U0001f511"),),
        "the low half before the high half": (("\U0001f511", "\udd11\ud83d"),),
        "U+D800 before a letter": (("\U0001f511", "\ud800a"),),
        "U+DFFF in the second pair": (("a", "1"), ("b", "\udfff")),
    }.items():
        yield bad_map(right, "LoneSurrogate", comment, pairs)


_WIDE: Final = {
    "of two bytes": "\u00e9",
    "of three bytes": "\u20ac",
    "of four bytes": _KEY,
}
_ORDERS: Final[dict[str, Pairs]] = {
    "the greater key first": (("b", "1"), ("a", "2")),
    "by key, not by value": (("b", "0"), ("a", "1"), ("c", "2")),
    "a prefix before the keys that it begins": (("ab", "1"), ("a", "2"), ("abc", "3")),
    "a prefix before its continuation with U+0000": (("a\x00", "1"), ("a", "2"), ("a\x00\x00", "")),
    "a prefix, with values that would sort the other way": (("ab", "0"), ("a", "z")),
    "shorter is not smaller": (("b", "1"), ("aa", "2")),
    "longer than 255 bytes is not greater": (("b", "1"), ("a" * 256, "2")),
    "the empty key first": (("a", "1"), ("", "2")),
    "the empty key before U+0000": (("\x00", "1"), ("", "2")),
    "capitals before small letters": (("a", "1"), ("B", "2"), ("b", "3"), ("A", "4")),
    "digits as characters": (("10", "1"), ("9", "2"), ("1", "3")),
    "digits as characters, zeros and signs": (("01", "1"), ("1", "2"), ("-0", "3"), ("0", "4")),
    "punctuation by its value": (("a b", "1"), ("a-b", "2"), ("ab", "3"), ("a_b", "4")),
    "an accented letter after z": (("\u00e9", "1"), ("z", "2"), ("e", "3")),
    "letters with marks, not by locale": (("\u00e5", "1"), ("\u00e4", "2"), ("a\u0308", "3")),
    "U+0080 after U+007F, bytes without a sign": (("\x80", "1"), ("\x7f", "2")),
    "U+00FF after U+007A, bytes without a sign": (("\u00ff", "1"), ("z", "2")),
    "characters of one to four bytes": (
        ("\U00010000", "1"), ("\u0800", "2"), ("\u0080", "3"), ("\x7f", "4"),
    ),
    "U+E000 after U+D7FF": (("\ue000", "1"), ("\ud7ff", "2")),
    "U+10000 after U+FFFF": (("\U00010000", "1"), ("\uffff", "2")),
    "U+10FFFF after U+E000": (("\U0010ffff", "1"), ("\ue000", "2")),
    "by UTF-8, not by UTF-16": (("\U00010000", "1"), ("\uffff", "2"), ("\ue000", "3")),
    "by UTF-8 behind a common beginning": (("a\U0001f511", "1"), ("a\ufb01", "2")),
    "ten pairs backwards": tuple((f"k{n}", str(n)) for n in range(9, -1, -1)),
    "300 pairs in a mixed order": tuple((f"{n * 7 % 300}", str(n)) for n in range(300)),
}  # fmt: skip
_UNICODE: Final[dict[str, Pairs]] = {
    "composed": (("caf\u00e9", "x"),),
    "decomposed": (("cafe\u0301", "x"),),
    "both, which are two keys": (("caf\u00e9", "1"), ("cafe\u0301", "2")),
    "Chinese": (("\u79df\u6237", "\u963f\u91cc\u4e91"),),
    "outside the basic plane": (("\U0001f511", "\U0010ffff"),),
    "a byte order mark": (("\ufeffkey", "value"),),
    "compatibility forms": (("\ufb01", "\u2126\u212b"),),
    "small letter sharp s and its capital": (("\u00df", "1"), ("\u1e9e", "2"), ("SS", "3")),
    "dotless and dotted i": (("\u0131", "1"), ("\u0130", "2"), ("i", "3"), ("I", "4")),
    "a right-to-left override": (("\u202e", "\u200b"),),
    "the first and last characters of each length": (
        ("\x00\x7f\x80\u07ff", "\u0800\uffff\U00010000\U0010ffff"),
    ),
    "the neighbours of the surrogates": (("\ud7ff", "\ue000"),),
    "noncharacters": (("\ufdd0\ufffe\uffff", "\U0001fffe\U0010ffff"),),
    "the replacement character": (("\ufffd", "?"),),
}
_JOINED: Final[tuple[Pairs, ...]] = (
    (("ab", "c"),),
    (("a", "bc"),),
    (("abc", ""),),
    (("", "abc"),),
    (("a", "1"), ("b", "2")),
    (("a", "1\x00\x01b\x00\x012"),),
)

"""The vectors of the names in a JSON object: special, alike, repeated, and in their order."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import MOST_CHARACTERS, bad_text, text_case
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.wire import Pairs

_LANGUAGE: Final = (
    "__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf", "length",
    "__class__", "__init__", "self", "class", "null", "undefined", "$ref", "@type", "get",
)  # fmt: skip


def name_cases() -> Iterator[Case]:
    """Yield objects with special names, with names alike, and with one name twice."""
    for name in _LANGUAGE:
        yield text_case(f"the name {name}", "MemberName", f'{{"{name}":"1"}}', ((name, "1"),))
    pairs: Pairs = tuple((name, str(number)) for number, name in enumerate(_LANGUAGE))
    yield text_case("all these names", "MemberName", _object(pairs), pairs)
    for comment, pairs in _NUMBERS.items():
        yield text_case(comment, "MemberName", _object(pairs), pairs)
    for comment, pairs in _ORDERS.items():
        yield text_case(comment, "Order", _object(pairs), pairs)
    for comment, pairs in _ALIKE.items():
        yield text_case(comment, "DistinctNames", _object(pairs), pairs)
    yield text_case(
        "an escaped and an unescaped name",
        "DistinctNames",
        r'{"\\u0061":"1","a":"2"}',
        (("\\u0061", "1"), ("a", "2")),
    )
    yield text_case(
        "U+0000 at the end of a name",
        "DistinctNames",
        r'{"a":"1","a\u0000":"2","a\u0000\u0000":"3","":"4","\u0000":"5"}',
        (("a", "1"), ("a\x00", "2"), ("a\x00\x00", "3"), ("", "4"), ("\x00", "5")),
    )
    yield text_case(
        "U+0000 within a name",
        "DistinctNames",
        r'{"a\u0000b":"1","a\u0000c":"2"}',
        (("a\x00b", "1"), ("a\x00c", "2")),
    )
    yield from _many()
    yield from _repeated()


def _object(pairs: Pairs) -> str:
    """Return an object of strings that need no escape, with its members as given."""
    return "{" + ",".join(f'"{name}":"{value}"' for name, value in pairs) + "}"


def _many() -> Iterator[Case]:
    """Yield objects of many pairs."""
    pairs: Pairs = tuple((f"{n:03}", f"{n}") for n in range(499, -1, -1))
    yield text_case("500 pairs backwards", "Order", _object(pairs), pairs)
    pairs = tuple((chr(0x4E00 + n), "") for n in range(1170))
    text = _object(pairs)
    yield text_case(f"1,170 pairs in {MOST_CHARACTERS - 1:,} characters", "Boundary", text, pairs)


def _repeated() -> Iterator[Case]:
    """Yield objects with one name twice."""
    for comment, (right, wrong, pairs) in _REPEATED.items():
        valid = text_case("different names", "Json", "{" + right + "}", pairs)
        yield bad_text(valid, "RepeatedKey", comment, "{" + wrong + "}")
    members = [f'"{n:03}":""' for n in range(600)]
    pairs = tuple((f"{n:03}", "") for n in range(600))
    valid = text_case("600 names", "Boundary", "{" + ",".join(members) + "}", pairs)
    text = "{" + ",".join([*members, members[0]]) + "}"
    yield bad_text(valid, "RepeatedKey", "the first of 600 again at the end", text)


_NUMBERS: Final[dict[str, Pairs]] = {
    "names of digits, in an order of their own": (("10", "1"), ("2", "2"), ("1", "3")),
    "names that are numbers in other forms": (("-0", "1"), ("01", "2"), ("1", "3"), ("0", "4")),
    "numbers and letters": (("b", "1"), ("1", "2"), ("a", "3"), ("0", "4")),
    "one number in several forms": (("1", "1"), ("1.0", "2"), ("+1", "3"), ("1e0", "4")),
    "numbers around 2^32": (("4294967295", "1"), ("4294967294", "2"), ("4294967296", "3")),
}
_ORDERS: Final[dict[str, Pairs]] = {
    "U+FFFF, then U+10000": (("\U00010000", "1"), ("\uffff", "2")),
    "U+D7FF, then U+E000": (("\ue000", "1"), ("\ud7ff", "2")),
    "not by length": (("b", "1"), ("aa", "2"), ("aaa", "3")),
    "not by locale": (("\u00e9", "1"), ("z", "2"), ("Z", "3"), ("a", "4")),
    "a prefix first": (("ab", "1"), ("abc", "2"), ("a", "3"), ("", "4")),
    "U+0080 after U+007F": (("\x80", "1"), ("\x7f", "2")),
}
_ALIKE: Final[dict[str, Pairs]] = {
    "composed and decomposed": (("\u00e9", "1"), ("e\u0301", "2")),
    "capital and small letter": (("Tenant", "1"), ("tenant", "2"), ("TENANT", "3")),
    "capital and small letter outside ASCII": (("\u00c9", "1"), ("\u00e9", "2")),
    "i with and without a dot": (("i", "1"), ("I", "2"), ("\u0131", "3"), ("\u0130", "4")),
    "sharp s and ss": (("\u00df", "1"), ("ss", "2"), ("SS", "3")),
    "full width and half width": (("a", "1"), ("\uff41", "2")),
    "Latin and Cyrillic": (("a", "1"), ("\u0430", "2")),
    "a space at an end": (("a", "1"), ("a ", "2"), (" a", "3"), (" ", "4"), ("", "5")),
    "a character of no width": (("a", "1"), ("a\u200b", "2"), ("a\u00ad", "3"), ("\ufeffa", "4")),
    "a ligature and its letters": (("\ufb01", "1"), ("fi", "2")),
    "the replacement character and others": (("\ufffd", "1"), ("?", "2"), ("\uffff", "3")),
    "one name is the value of the other": (("a", "b"), ("b", "a")),
    "the first 64 letters are equal": (("a" * 64 + "b", "1"), ("a" * 64 + "c", "2")),
    "the last 64 letters are equal": (("b" + "a" * 64, "1"), ("c" + "a" * 64, "2")),
}
_REPEATED: Final[dict[str, tuple[str, str, Pairs]]] = {
    "two values": ('"a":"b","c":"c"', '"a":"b","a":"c"', (("a", "b"), ("c", "c"))),
    "one value twice": ('"a":"b","c":"b"', '"a":"b","a":"b"', (("a", "b"), ("c", "b"))),
    "three times": ('"a":"b"', '"a":"b","a":"c","a":"b"', (("a", "b"),)),
    "another name between": (
        '"a":"b","c":"d"', '"a":"b","c":"d","a":"b"', (("a", "b"), ("c", "d")),
    ),
    "another value, another name between": (
        '"a":"b","c":"d"', '"a":"b","c":"d","a":"e"', (("a", "b"), ("c", "d")),
    ),
    "the empty name": ('"":"b"', '"":"b","":"c"', (("", "b"),)),
    "an empty value first": ('"a":""', '"a":"","a":"b"', (("a", ""),)),
    "null first": ('"a":"b"', '"a":null,"a":"b"', (("a", "b"),)),
    "null second": ('"a":"b"', '"a":"b","a":null', (("a", "b"),)),
    "null twice, then a string": ('"a":"b"', '"a":null,"a":null,"a":"b"', (("a", "b"),)),
    "null first, another name between": (
        '"a":"b","c":"d"', '"a":null,"c":"d","a":"b"', (("a", "b"), ("c", "d")),
    ),
    "false first": ('"a":"b"', '"a":false,"a":"b"', (("a", "b"),)),
    "zero first": ('"a":"b"', '"a":0,"a":"b"', (("a", "b"),)),
    "an empty array first": ('"a":"b"', '"a":[],"a":"b"', (("a", "b"),)),
    "an empty object first": ('"a":"b"', '"a":{},"a":"b"', (("a", "b"),)),
    "an empty value second": ('"a":"b"', '"a":"b","a":""', (("a", "b"),)),
    "two empty values": ('"a":""', '"a":"","a":""', (("a", ""),)),
    "__proto__": ('"__proto__":"b"', '"__proto__":"b","__proto__":"b"', (("__proto__", "b"),)),
    "toString": ('"toString":"b"', '"toString":"b","toString":"c"', (("toString", "b"),)),
    "a number": ('"1":"b"', '"1":"b","1":"b"', (("1", "b"),)),
    "the first escaped": ('"\\u0061":"b"', '"\\u0061":"b","a":"b"', (("a", "b"),)),
    "the second escaped": ('"a":"b"', '"a":"b","\\u0061":"b"', (("a", "b"),)),
    "both escaped, digits in both cases": (
        '"\\u00e9":"b"', '"\\u00e9":"b","\\u00E9":"b"', (("\u00e9", "b"),),
    ),
    "a solidus, once escaped": ('"/":"b"', '"/":"b","\\/":"b"', (("/", "b"),)),
    "a line feed in two escapes": ('"\\n":"b"', '"\\n":"b","\\u000a":"b"', (("\n", "b"),)),
    "a quote in two escapes": ('"\\"":"b"', '"\\"":"b","\\u0022":"b"', (('"', "b"),)),
    "a reverse solidus in two escapes": ('"\\\\":"b"', '"\\\\":"b","\\u005c":"b"', (("\\", "b"),)),
    "U+1F511, once escaped": (
        '"\U0001f511":"b"', '"\U0001f511":"b","\\ud83d\\udd11":"b"', (("\U0001f511", "b"),),
    ),
    "U+0000 at the end": ('"a\\u0000":"b"', '"a\\u0000":"b","a\\u0000":"c"', (("a\x00", "b"),)),
    "one letter in the middle escaped": (
        '"tenant":"b"', '"tenant":"b","ten\\u0061nt":"c"', (("tenant", "b"),),
    ),
    "white space around the second": ('"a":"b"', '"a":"b" , "a" : "c"', (("a", "b"),)),
}  # fmt: skip

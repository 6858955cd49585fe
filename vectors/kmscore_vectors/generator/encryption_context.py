"""The vectors of the encryption context: maps and JSON texts, and their canonical bytes."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Fields, Group, Note, VectorFile, pairs_field
from kmscore_vectors.generator.wire import Pairs, context_bytes, sorted_pairs
from kmscore_vectors.tables import BugType, ErrorCode, Severity

_MOST_BYTES: Final = 65_535
_MOST_CHARACTERS: Final = 8192

_NOTES: Final = {
    "Valid": Note(
        "A context of few pairs.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "Empty": Note(
        "The empty context, whose canonical form has no bytes.",
        "An encoder that writes a count of 0 binds another context than one that writes nothing.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "Order": Note(
        "Pairs that are not given in the order of their keys' UTF-8 bytes.",
        "An encoder that keeps the order given, or sorts by UTF-16 units, by locale or without"
        " regard to case, cannot open what others have sealed.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "Unicode": Note(
        "Characters outside ASCII, which are neither normalised nor folded.",
        "Two contexts that differ become one: what is bound to one opens under the other.",
        ("https://www.unicode.org/reports/tr36/",),
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "Ambiguity": Note(
        "Contexts that would give the same bytes if fields were joined without their lengths.",
        "Who may choose a value may move its text into another field and keep the tag right.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "Boundary": Note(
        "A length or a number of pairs at a limit, or one that takes two bytes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 4.1",
    ),
    "TooLong": Note(
        "The canonical form has more than 65,535 bytes, or the text more than 8,192 characters.",
        "Lengths that wrap around in their two bytes: another context with the same bytes.",
        ("https://cwe.mitre.org/data/definitions/190.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 4.2",
    ),
    "Json": Note(
        "A context in the form of a JSON object.",
        bug_type=BugType.BASIC,
        severity=Severity.STANDARD,
        section="RFC 8259 section 7",
    ),
    "RepeatedKey": Note(
        "A key stands twice in the object.",
        "One parser keeps the first value and another the last: the two sides check two contexts.",
        ("https://www.rfc-editor.org/rfc/rfc8259#section-4",),
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STRICT,
        section="RFC 8259 section 4; SPEC section 4.2",
    ),
    "NotAString": Note(
        "A value is no string.",
        "1, 1.0, true and their spellings become strings as a parser likes: contexts get lost.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 4.2",
    ),
    "NotAnObject": Note(
        "The text is JSON, but not an object.",
        "What has no pairs is taken for the empty context, and the binding is gone.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 4.2",
    ),
    "Malformed": Note(
        "The text is not JSON (RFC 8259).",
        "What cannot be read is taken for the empty context, or as each parser likes.",
        ("https://www.rfc-editor.org/rfc/rfc8259",),
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.STANDARD,
        section="RFC 8259 section 2",
    ),
    "LoneSurrogate": Note(
        "A string holds half of a surrogate pair, which UTF-8 has no bytes for.",
        "A replacement character in its place makes one context of many.",
        ("https://www.rfc-editor.org/rfc/rfc8259#section-8.2",),
        bug_type=BugType.EDGE_CASE,
        severity=Severity.STANDARD,
        section="RFC 3629 section 3",
    ),
    "Nesting": Note(
        "Thousands of brackets within each other.",
        "A recursive parser runs out of stack: a crash.",
        ("https://cwe.mitre.org/data/definitions/674.html",),
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 4.2",
    ),
}


def make() -> VectorFile:
    """Return the file."""
    return VectorFile(
        name="encryption_context",
        algorithm="kmscore-v1-encryption-context",
        header=("Encryption contexts, as pairs and as JSON, and their canonical bytes.",),
        notes=_NOTES,
        groups=(
            Group("canonicalize", tuple(_maps())),
            Group("canonicalize_json", tuple(_texts())),
        ),
    )


def _map(comment: str, flag: str, pairs: Pairs) -> Case:
    """Return a context given as pairs."""
    return Case(comment, flag, {"pairs": pairs_field(pairs)}, *_canonical(pairs))


def _text(comment: str, flag: str, text: str, pairs: Pairs) -> Case:
    """Return a context given as JSON."""
    return Case(comment, flag, {"json": text}, *_canonical(pairs))


def _canonical(pairs: Pairs) -> tuple[Fields, Fields]:
    """Return the canonical bytes, and the pairs in their order."""
    encoded = sorted_pairs(pairs)
    trace: Fields = {"sortedPairs": [[key.hex(), value.hex()] for key, value in encoded]}
    return {"canonical": context_bytes(encoded).hex()}, trace


def _maps() -> Iterator[Case]:
    """Yield contexts as pairs."""
    yield _map("no pair", "Empty", ())
    yield _map("one pair", "Valid", (("tenant", "acme"),))
    yield _map("two pairs", "Valid", (("table", "orders"), ("tenant", "acme")))
    yield _map("an empty value", "Valid", (("key", ""),))
    yield _map("an empty key", "Valid", (("", "value"),))
    yield _map("an empty key and value", "Valid", (("", ""),))
    yield _map("control characters", "Valid", (("a\x00b", "\n\x7f"),))
    yield _map("what looks like JSON", "Valid", (('{"a":', '"b"}'),))
    yield _map("what looks like a query", "Valid", (("a=b&c", "d=e&f"),))
    orders: dict[str, Pairs] = {
        "the greater key first": (("b", "1"), ("a", "2")),
        "by key, not by value": (("b", "0"), ("a", "1"), ("c", "2")),
        "a prefix before what it begins": (("ab", "1"), ("a", "2"), ("abc", "3")),
        "shorter is not smaller": (("b", "1"), ("aa", "2")),
        "the empty key first": (("a", "1"), ("", "2")),
        "capitals before small letters": (("a", "1"), ("B", "2"), ("b", "3"), ("A", "4")),
        "digits as characters": (("10", "1"), ("9", "2"), ("1", "3")),
        "an accented letter after z": (("é", "1"), ("z", "2"), ("e", "3")),
        "by UTF-8, not by UTF-16": (("\U00010000", "1"), ("\uffff", "2"), ("\ue000", "3")),
        "ten pairs backwards": tuple((f"k{n}", str(n)) for n in range(9, -1, -1)),
    }
    for comment, pairs in orders.items():
        yield _map(comment, "Order", pairs)
    texts: dict[str, Pairs] = {
        "composed": (("caf\u00e9", "x"),),
        "decomposed": (("cafe\u0301", "x"),),
        "both, which are two keys": (("caf\u00e9", "1"), ("cafe\u0301", "2")),
        "Chinese": (("租户", "阿里云"),),
        "outside the basic plane": (("\U0001f511", "\U0010ffff"),),
        "a byte order mark": (("\ufeffkey", "value"),),
        "compatibility forms": (("\ufb01", "\u2126\u212b"),),
        "small letter sharp s and its capital": (("ß", "1"), ("ẞ", "2"), ("SS", "3")),
        "dotless and dotted i": (("\u0131", "1"), ("\u0130", "2"), ("i", "3"), ("I", "4")),
        "a right-to-left override": (("\u202e", "\u200b"),),
    }
    for comment, pairs in texts.items():
        yield _map(comment, "Unicode", pairs)
    for pairs in (
        (("ab", "c"),),
        (("a", "bc"),),
        (("abc", ""),),
        (("", "abc"),),
        (("a", "1"), ("b", "2")),
        (("a", "1\x00\x01b\x00\x012"),),
    ):
        yield _map(f"{pairs!r}", "Ambiguity", pairs)
    for length in (127, 128, 255, 256, 1000):
        yield _map(f"a value of {length} bytes", "Boundary", (("key", "v" * length),))
        yield _map(f"a key of {length} bytes", "Boundary", (("k" * length, "value"),))
    for number in (127, 128, 255, 256):
        pairs = tuple((f"{n:03x}", "") for n in range(number))
        yield _map(f"{number} pairs", "Boundary", pairs)
    room = _MOST_BYTES - 2 - 4 - 1
    longest = _map("65,535 bytes", "Boundary", (("k", "v" * room),))
    yield longest
    yield longest.refused(
        ErrorCode.INVALID_CONTEXT,
        "TooLong",
        "65,536 bytes",
        {"pairs": pairs_field((("k", "v" * (room + 1)),))},
    )
    yield longest.refused(
        ErrorCode.INVALID_CONTEXT,
        "TooLong",
        "65,536 bytes in fewer characters",
        {"pairs": pairs_field((("k", "v" * (room - 1) + "é"),))},
    )


def _texts() -> Iterator[Case]:
    """Yield contexts as JSON."""
    right = _text("one pair", "Json", '{"a":"b"}', (("a", "b"),))
    yield right
    yield _text("no pair", "Empty", "{}", ())
    yield _text("white space", "Json", ' \t\r\n{ "a" : "b" } \n', (("a", "b"),))
    yield _text("two pairs", "Json", '{"b":"1","a":"2"}', (("b", "1"), ("a", "2")))
    yield _text("escapes", "Json", r'{"\"\\\/\b\f\n\r\t":"\u0041"}', (('"\\/\b\f\n\r\t', "A"),))
    yield _text("an escaped surrogate pair", "Json", r'{"\ud83d\udd11":"x"}', (("🔑", "x"),))
    yield _text("Chinese, not escaped", "Json", '{"租户":"阿里云"}', (("租户", "阿里云"),))
    overhead = len('{"a":""}')
    fill = "v" * (_MOST_CHARACTERS - overhead)
    longest = _text("8,192 characters", "Boundary", f'{{"a":"{fill}"}}', (("a", fill),))
    yield longest
    yield _refuse(longest, "TooLong", "8,193 characters", f'{{"a":"{fill}v"}}')
    yield _refuse(longest, "TooLong", "8,193 characters, one of them a space", f' {{"a":"{fill}"}}')
    yield _refuse(right, "RepeatedKey", "two values", '{"a":"b","a":"c"}')
    yield _refuse(right, "RepeatedKey", "one value twice", '{"a":"b","a":"b"}')
    yield _refuse(right, "RepeatedKey", "one of them escaped", r'{"a":"b","\u0061":"b"}')
    digits = "1" * 5000
    for comment, value in {
        "an integer": "1",
        "a fraction": "1.5",
        "an integer of 5,000 digits": digits,
        "a power of ten": "1e400",
        "true": "true",
        "null": "null",
        "an array": '["b"]',
        "an object": '{"b":"c"}',
    }.items():
        yield _refuse(right, "NotAString", comment, f'{{"a":{value}}}')
    for comment, text in {
        "an array": '["a","b"]',
        "an empty array": "[]",
        "a string": '"a"',
        "an integer": "1",
        "null": "null",
        "false": "false",
    }.items():
        yield _refuse(right, "NotAnObject", comment, text)
    for comment, text in {
        "no text": "",
        "white space alone": " ",
        "not closed": '{"a":"b"',
        "a string not closed": '{"a":"b}',
        "a comma at the end": '{"a":"b",}',
        "single quotes": "{'a':'b'}",
        "no quotes": "{a:b}",
        "two objects": '{"a":"b"}{"a":"b"}',
        "something after it": '{"a":"b"}x',
        "a NUL after it": '{"a":"b"}\x00',
        "a comment": '{"a":"b"}//',
        "a byte order mark": '\ufeff{"a":"b"}',
        "a line feed in a string": '{"a":"b\n"}',
        "an unknown escape": r'{"a":"\x62"}',
        "half an escape": r'{"a":"\u00"}',
        "NaN": '{"a":NaN}',
        "white space of Unicode": '\u00a0{"a":"b"}',
    }.items():
        yield _refuse(right, "Malformed", comment, text)
    for comment, text in {
        "the high half in a value": r'{"a":"\ud83d"}',
        "the low half in a value": r'{"a":"\udd11"}',
        "the high half in a key": r'{"\ud83d":"b"}',
        "the halves the wrong way round": r'{"a":"\udd11\ud83d"}',
    }.items():
        yield _refuse(right, "LoneSurrogate", comment, text)
    deep = _MOST_CHARACTERS // 2
    yield _refuse(right, "Nesting", "arrays", "[" * deep + "]" * deep)
    yield _refuse(right, "Nesting", "arrays not closed", "[" * _MOST_CHARACTERS)
    depth = (_MOST_CHARACTERS - 2) // 6
    yield _refuse(right, "Nesting", "objects", '{"a":' * depth + "{}" + "}" * depth)


def _refuse(right: Case, flag: str, comment: str, text: str) -> Case:
    """Return `right` as a negative test, with another text."""
    return right.refused(ErrorCode.INVALID_CONTEXT, flag, comment, {"json": text})

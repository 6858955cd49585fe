"""The vectors of texts that are not one JSON object of strings."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import MOST_CHARACTERS, ONE_PAIR, bad_text
from kmscore_vectors.generator.model import Case, Rule
from kmscore_vectors.tables import Severity

_MARK: Final = Rule(Severity.STRICT, "RFC 8259 section 8.1; SPEC section 4.2")
_MARKED: Final = "U+FEFF, the byte order mark"


def syntax_cases() -> Iterator[Case]:
    """Yield texts that are not one JSON object of strings."""
    for flag, texts in (
        ("NotAString", {name: f'{{"a":{value}}}' for name, value in _VALUES.items()}),
        ("NotAnObject", _TOPS),
        ("BadLiteral", {name: f'{{"a":{value}}}' for name, value in _LITERALS.items()}),
        ("Malformed", _MALFORMED),
        ("Comment", _COMMENTS),
        ("Trailing", {name: f'{{"a":"b"}}{rest}' for name, rest in _TRAILING.items()}),
        ("Nesting", dict(_nested())),
    ):
        for comment, text in texts.items():
            yield bad_text(ONE_PAIR, flag, comment, text)
    yield from _unterminated()
    yield from _white_space()


def _unterminated() -> Iterator[Case]:
    """Yield the beginnings of an object of two pairs."""
    whole = '{"a":"b","c":"d"}'
    for end in range(1, len(whole)):
        comment = f"the first {end} of {len(whole)} characters"
        yield bad_text(ONE_PAIR, "Unterminated", comment, whole[:end])
    for comment, text in {
        "within an escape": '{"a":"\\',
        "within the digits of an escape": '{"a":"\\u00',
        "between two surrogates": '{"a":"\\ud83d',
        "an escaped quote at the end": '{"a":"b\\"}',
        "white space at the end": '{"a":"b" ',
    }.items():
        yield bad_text(ONE_PAIR, "Unterminated", comment, text)


def _white_space() -> Iterator[Case]:
    """Yield texts with other white space between the tokens."""
    for character, name in _SPACES.items():
        for comment, text in (
            ("before the object", f'{character}{{"a":"b"}}'),
            ("before a value", f'{{"a":{character}"b"}}'),
            ("after the object", f'{{"a":"b"}}{character}'),
        ):
            rule = _MARK if name == _MARKED and text[0] == character else None
            yield bad_text(ONE_PAIR, "OtherWhiteSpace", f"{name}, {comment}", text, rule)
    for comment, text in {
        "U+00A0 in an empty object": "{\u00a0}",
        "an escaped line feed between the tokens": '{"a":\\n"b"}',
        "the bytes of a byte order mark as characters": '\u00ef\u00bb\u00bf{"a":"b"}',
    }.items():
        yield bad_text(ONE_PAIR, "OtherWhiteSpace", comment, text)


def _nested() -> Iterator[tuple[str, str]]:
    """Yield texts with brackets in brackets, few and thousands."""
    half = MOST_CHARACTERS // 2
    yield "thousands of arrays", "[" * half + "]" * half
    yield "thousands of arrays that are not closed", "[" * MOST_CHARACTERS
    yield "thousands of closing brackets", "]" * MOST_CHARACTERS
    yield "thousands of opening braces", "{" * MOST_CHARACTERS
    depth = (MOST_CHARACTERS - 2) // 6
    yield "a thousand objects", '{"a":' * depth + "{}" + "}" * depth
    yield "a thousand objects around a string", '{"a":' * depth + '"b"' + "}" * depth
    yield "a thousand objects that are not closed", '{"a":' * depth
    yield "a thousand arrays in a value", '{"a":' + "[" * 1000 + "]" * 1000 + "}"
    yield "a thousand arrays around an object", "[" * 1000 + '{"a":"b"}' + "]" * 1000
    yield "arrays and objects in turn", '[{"a":' * 1000 + '"b"' + "}]" * 1000
    yield "100 objects around a string", '{"a":' * 100 + '"b"' + "}" * 100


_SPACES: Final = {
    "\x00": "U+0000",
    "\x08": "U+0008",
    "\x0b": "U+000B, a vertical tab",
    "\x0c": "U+000C, a form feed",
    "\x1c": "U+001C, a separator of files",
    "\x1f": "U+001F, a separator of units",
    "\x7f": "U+007F",
    "\x85": "U+0085, the next line",
    "\u00a0": "U+00A0, a space that does not break",
    "\u1680": "U+1680, a space of Ogham",
    "\u180e": "U+180E, a separator of Mongolian",
    "\u2003": "U+2003, an em space",
    "\u200b": "U+200B, a space of no width",
    "\u2028": "U+2028, a separator of lines",
    "\u2029": "U+2029, a separator of paragraphs",
    "\u202f": "U+202F, a narrow space",
    "\u3000": "U+3000, an ideographic space",
    "\ufeff": _MARKED,
}
_VALUES: Final = {
    "0": "0",
    "an integer": "1",
    "a negative integer": "-1",
    "minus zero": "-0",
    "a fraction": "1.5",
    "1.0": "1.0",
    "a power of ten": "1e400",
    "a power of ten in capitals, with a sign": "1E+2",
    "a small power of ten": "1e-400",
    "an integer of 20 digits": "18446744073709551616",
    "an integer of 5,000 digits": "1" * 5000,
    "a fraction of 5,000 digits": "0." + "1" * 5000,
    "true": "true",
    "false": "false",
    "null": "null",
    "an array of a string": '["b"]',
    "an empty array": "[]",
    "an array of two strings": '["b","c"]',
    "an object": '{"b":"c"}',
    "an empty object": "{}",
    "an object with the same pair": '{"a":"b"}',
    "a string and a number": '"b","c":1',
    "a number and a string": '1,"c":"d"',
    "null and a string": 'null,"c":"d"',
    "an array within an array": '[["b"]]',
}
_TOPS: Final = {
    "an array of two strings": '["a","b"]',
    "an array of a pair": '[["a","b"]]',
    "an array of an object": '[{"a":"b"}]',
    "an empty array": "[]",
    "a string": '"a"',
    "an empty string": '""',
    "a string with an object in it": r'"{\"a\":\"b\"}"',
    "an integer": "1",
    "zero": "0",
    "minus zero": "-0",
    "a fraction": "1.5",
    "null": "null",
    "true": "true",
    "false": "false",
}
_LITERALS: Final = {
    "01": "01",
    "-01": "-01",
    "+1": "+1",
    ".5": ".5",
    "1.": "1.",
    "1.e1": "1.e1",
    "1e": "1e",
    "1e+": "1e+",
    "-": "-",
    "- 1": "- 1",
    "--1": "--1",
    "1e1.5": "1e1.5",
    "a hexadecimal number": "0x1",
    "an octal number": "0o1",
    "a binary number": "0b1",
    "1_000": "1_000",
    "a comma in a number": "1,000",
    "1n": "1n",
    "a full-width digit": "\uff11",
    "NaN": "NaN",
    "-NaN": "-NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "+Infinity": "+Infinity",
    "inf": "inf",
    "True": "True",
    "TRUE": "TRUE",
    "False": "False",
    "None": "None",
    "Null": "Null",
    "nil": "nil",
    "undefined": "undefined",
    "yes": "yes",
    "tru": "tru",
    "truee": "truee",
    "nul": "nul",
}
_MALFORMED: Final = {
    "no text": "",
    "white space alone": " ",
    "all white space": " \t\r\n",
    "a comma at the end": '{"a":"b",}',
    "a comma and a space at the end": '{"a":"b", }',
    "two commas at the end": '{"a":"b",,}',
    "a comma at the beginning": '{,"a":"b"}',
    "a comma alone": "{,}",
    "two commas between pairs": '{"a":"b",,"c":"d"}',
    "no comma between pairs": '{"a":"b" "c":"d"}',
    "a semicolon between pairs": '{"a":"b";"c":"d"}',
    "no colon": '{"a" "b"}',
    "two colons": '{"a"::"b"}',
    "an equals sign": '{"a"="b"}',
    "an arrow": '{"a"=>"b"}',
    "a comma in place of the colon": '{"a","b"}',
    "a name alone": '{"a"}',
    "no value": '{"a":}',
    "no name": '{:"b"}',
    "a colon alone": "{:}",
    "two values": '{"a":"b" "c"}',
    "two strings to be joined": '{"a":"b""c"}',
    "a plus sign between strings": '{"a":"b"+"c"}',
    "single quotes": "{'a':'b'}",
    "single quotes around the name": "{'a':\"b\"}",
    "single quotes around the value": "{\"a\":'b'}",
    "typographic quotes": "{\u201ca\u201d:\u201cb\u201d}",
    "full-width quotes": "{\uff02a\uff02:\uff02b\uff02}",
    "grave accents": "{`a`:`b`}",
    "three quotes": '{"a":"""b"""}',
    "no quotes": "{a:b}",
    "no quotes around the name": '{a:"b"}',
    "no quotes around the value": '{"a":b}',
    "a prefix before a string": '{"a":u"b"}',
    "escaped quotes outside a string": r"{\"a\":\"b\"}",
    "a number as a name": '{1:"b"}',
    "null as a name": '{null:"b"}',
    "an array as a name": '{["a"]:"b"}',
    "no braces": '"a":"b"',
    "no opening brace": '"a":"b"}',
    "two opening braces": '{{"a":"b"}',
    "brackets in place of braces": '["a":"b"]',
    "a bracket in place of the closing brace": '{"a":"b"]',
    "parentheses": '({"a":"b"})',
    "full-width braces": '\uff5b"a":"b"\uff5d',
    "an assignment before it": 'a={"a":"b"}',
    "the prefix of a protected text": ')]}\'\n{"a":"b"}',
    "something before it": 'x{"a":"b"}',
    "a spread operator": '{..."a","a":"b"}',
    "a tag of XML": "<a>b</a>",
    "YAML": "a: b",
    "a query": "a=b",
    "a record separator before it": '\x1e{"a":"b"}',
}
_COMMENTS: Final = {
    "two solidi at the end": '{"a":"b"}//',
    "two solidi and a text at the end": '{"a":"b"}// c',
    "two solidi in a line before": '// c\n{"a":"b"}',
    "two solidi within": '{"a":"b"// c\n}',
    "a block before": '/* c */{"a":"b"}',
    "a block within": '{"a":/* c */"b"}',
    "a block after": '{"a":"b"}/* c */',
    "a block around a pair": '{"a":"b"/*,"c":"d"*/}',
    "an empty block": '{/**/"a":"b"}',
    "a number sign before": '# c\n{"a":"b"}',
    "a number sign within": '{"a":"b"# c\n}',
    "a number sign after": '{"a":"b"}#',
    "two hyphens": '{"a":"b"}-- c',
    "that of XML": '<!-- c -->{"a":"b"}',
}
_TRAILING: Final = {
    "a letter": "x",
    "a second object": '{"a":"b"}',
    "a second object after a line feed": '\n{"a":"b"}',
    "an empty object": "{}",
    "a second object after a comma": ',{"c":"d"}',
    "a second closing brace": "}",
    "a closing bracket": "]",
    "a comma": ",",
    "a semicolon": ";",
    "a quote": '"',
    "a string": '"a"',
    "null": "null",
    "a number": " 1",
    "a reverse solidus": "\\",
    "a NUL and a letter": "\x00x",
    "a letter outside ASCII": "\u00e9",
}

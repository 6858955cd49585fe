"""The vectors of valid contexts as JSON: escapes, characters without one, and white space."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import ONE_PAIR, text_case
from kmscore_vectors.generator.model import Case

_SPACES: Final = {"a space": " ", "a tab": "\t", "a line feed": "\n", "a carriage return": "\r"}
_TOKENS: Final = ("{", '"a"', ":", '"1"', ",", '"b"', ":", '"2"', "}")


def text_cases() -> Iterator[Case]:
    """Yield contexts as JSON that are valid."""
    yield ONE_PAIR
    yield text_case("no pair", "Empty", "{}", ())
    yield text_case("two pairs", "Json", '{"b":"1","a":"2"}', (("b", "1"), ("a", "2")))
    yield text_case("an empty value", "Json", '{"a":""}', (("a", ""),))
    yield text_case("an empty name", "Json", '{"":"b"}', (("", "b"),))
    yield text_case("an empty name and value", "Json", '{"":""}', (("", ""),))
    yield from _short_escapes()
    for comment, (inside, value) in _ESCAPES.items():
        yield text_case(comment, "Escape", f'{{"a":"{inside}"}}', (("a", value),))
        yield text_case(f"{comment}, in a name", "Escape", f'{{"{inside}":""}}', ((value, ""),))
    for comment, value in _RAW.items():
        yield text_case(comment, "RawCharacter", f'{{"a":"{value}"}}', (("a", value),))
        yield text_case(
            f"{comment}, in a name", "RawCharacter", f'{{"{value}":""}}', ((value, ""),)
        )
    yield from _white_space()


def _short_escapes() -> Iterator[Case]:
    """Yield every escape of two characters, and all of them together."""
    for letter, character in _SHORT.items():
        comment = f"reverse solidus and {letter}"
        yield text_case(comment, "Escape", f'{{"a":"\\{letter}"}}', (("a", character),))
    every = "".join(f"\\{letter}" for letter in _SHORT)
    pairs = (("".join(_SHORT.values()), "A"),)
    yield text_case("all escapes in a name", "Escape", f'{{"{every}":"\\u0041"}}', pairs)


def _white_space() -> Iterator[Case]:
    """Yield white space in every place."""
    pairs = (("a", "1"), ("b", "2"))
    for comment, space in _SPACES.items():
        text = space + space.join(_TOKENS) + space
        yield text_case(f"{comment} in every place", "WhiteSpace", text, pairs)
    mixed = "".join(_SPACES.values())
    text = mixed + mixed.join(_TOKENS) + mixed
    yield text_case("all four in every place", "WhiteSpace", text, pairs)
    for number in range(len(_TOKENS) + 1):
        before, after = "".join(_TOKENS[:number]), "".join(_TOKENS[number:])
        comment = f"all four after {number} tokens"
        yield text_case(comment, "WhiteSpace", before + mixed[::-1] + after, pairs)
    yield text_case("in an empty object", "WhiteSpace", "{ \t\r\n}", ())
    yield text_case("around an empty object", "WhiteSpace", "\r\n{}\t ", ())
    yield text_case("100 line feeds before it", "WhiteSpace", "\n" * 100 + "{}", ())


_SHORT: Final = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_ESCAPES: Final = {
    "digits in lower case": (r"\u00e9\uabcd", "\u00e9\uabcd"),
    "digits in upper case": (r"\u00E9\uABCD", "\u00e9\uabcd"),
    "digits in both cases": (r"\u00eA\uaBcD\uCdEf", "\u00ea\uabcd\ucdef"),
    "every digit": (r"\u0123\u4567\u89ab\ucdef", "\u0123\u4567\u89ab\ucdef"),
    "U+0000 alone": (r"\u0000", "\x00"),
    "U+0000 before a letter": (r"\u0000b", "\x00b"),
    "U+0000 after a letter": (r"b\u0000", "b\x00"),
    "U+0000 between letters": (r"b\u0000c", "b\x00c"),
    "U+001F and U+0020": (r"\u001f\u0020", "\x1f "),
    "every control character": (
        "".join(f"\\u{code:04x}" for code in range(0x20)),
        "".join(map(chr, range(0x20))),
    ),
    "U+007F and U+0080": (r"\u007f\u0080", "\x7f\x80"),
    "U+00FF and U+0100": (r"\u00ff\u0100", "\u00ff\u0100"),
    "U+07FF and U+0800": (r"\u07ff\u0800", "\u07ff\u0800"),
    "U+2028 and U+2029": (r"\u2028\u2029", "\u2028\u2029"),
    "U+D7FF and U+E000, which are not surrogates": (r"\ud7ff\ue000", "\ud7ff\ue000"),
    "U+FEFF": (r"\ufeff", "\ufeff"),
    "U+FFFD": (r"\ufffd", "\ufffd"),
    "U+FFFE and U+FFFF": (r"\ufffe\uffff", "\ufffe\uffff"),
    "a pair of surrogates, lower case": (r"\ud83d\udd11", "\U0001f511"),
    "a pair of surrogates, upper case": (r"\uD83D\uDD11", "\U0001f511"),
    "a pair of surrogates, both cases": (r"\uD83d\udD11", "\U0001f511"),
    "the first pair of surrogates": (r"\ud800\udc00", "\U00010000"),
    "the last pair of surrogates": (r"\udbff\udfff", "\U0010ffff"),
    "surrogates at other corners": (r"\ud800\udfff\udbff\udc00", "\U000103ff\U0010fc00"),
    "two pairs of surrogates": (r"\ud83d\udd11\ud83d\udd12", "\U0001f511\U0001f512"),
    "a pair of surrogates between letters": (r"a\ud83d\udd11b", "a\U0001f511b"),
    "a pair of surrogates, then the digits of one": (r"\ud83d\udd11dd11", "\U0001f511dd11"),
    "a digit after the four": (r"\u00410", "A0"),
    "a letter of a digit after the four": (r"\u0041f", "Af"),
    "two in a row": (r"\u0041\u0042", "AB"),
    "an escaped reverse solidus, then u0041": (r"\\u0041", "\\u0041"),
    "an escaped reverse solidus, then n": (r"\\n", "\\n"),
    "two escaped reverse solidi": (r"\\\\", "\\\\"),
    "an escaped reverse solidus, then an escaped quote": (r"\\\"", '\\"'),
    "three escaped reverse solidi, then an escape": (r"\\\\\\\n", "\\\\\\\n"),
    "the escape of a reverse solidus, then n": (r"\u005cn", "\\n"),
    "the escape of a reverse solidus, then u0041": (r"\u005Cu0041", "\\u0041"),
    "the escape of a quote": (r"\u0022,\u0022c\u0022:\u0022", '","c":"'),
    "the escape of a solidus": (r"\u002f\/", "//"),
    "the escapes of the marks": (r"\u007b\u007d\u005b\u005d\u003a\u002c", "{}[]:,"),
    "characters that need none": (r"\u0061\u0031\u0020", "a1 "),
    "an object of JSON in a string": (r"{\"a\":\"b\",\"c\":{}}", '{"a":"b","c":{}}'),
}
_RAW: Final = {
    "a solidus": "/",
    "an apostrophe": "it's",
    "U+007F": "\x7f",
    "U+0080": "\x80",
    "U+0085": "\x85",
    "U+00A0": "\u00a0",
    "U+00AD": "a\u00adb",
    "U+200B and U+200D": "a\u200b\u200db",
    "U+2028": "\u2028",
    "U+2029": "\u2029",
    "U+202E": "\u202eabc",
    "U+FEFF at the beginning": "\ufeffa",
    "U+FEFF alone": "\ufeff",
    "U+FFFD": "\ufffd",
    "U+FFFF": "\uffff",
    "U+E000": "\ue000",
    "U+10000": "\U00010000",
    "U+1F511": "\U0001f511",
    "U+10FFFF": "\U0010ffff",
    "an emoji of several characters": "\U0001f469\u200d\U0001f4bb",
    "Chinese": "\u79df\u6237",
    "a letter and a combining mark": "e\u0301",
    "spaces at both ends": " a ",
    "the marks": "{}[]:,",
    "the beginning of a comment": "//",
    "a comment": "/* a */",
    "a number sign": "# a",
    "a literal": "null",
    "a number": "1e400",
    "NaN": "NaN",
    "a percent sign and digits": "%41%zz",
    "a plus sign": "a+b",
    "an ampersand and an entity": "&amp;&#65;",
    "a dollar sign and braces": "${a}$1",
}

"""The vectors of invalid strings in a context as JSON: characters, escapes and surrogates."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import ONE_PAIR, bad_text
from kmscore_vectors.generator.model import Case


def string_cases() -> Iterator[Case]:
    """Yield texts with an invalid string."""
    for code in range(0x20):
        text = f'{{"a":"b{chr(code)}"}}'
        yield bad_text(ONE_PAIR, "ControlCharacter", f"U+{code:04X} in a value", text)
    for code in (0x00, 0x01, 0x08, 0x09, 0x0A, 0x0D, 0x1B, 0x1F):
        text = f'{{"a{chr(code)}":"b"}}'
        yield bad_text(ONE_PAIR, "ControlCharacter", f"U+{code:04X} in a name", text)
    for comment, text in {
        "U+000A at the beginning": '{"a":"\nb"}',
        "U+0009 alone": '{"a":"\t"}',
        "U+000A after a reverse solidus": '{"a":"\\\nb"}',
        "U+000D and U+000A": '{"a":"\r\n"}',
    }.items():
        yield bad_text(ONE_PAIR, "ControlCharacter", comment, text)
    for flag, defects in (("BadEscape", _ESCAPES), ("LoneSurrogate", _SURROGATES)):
        for comment, inside in defects.items():
            yield bad_text(ONE_PAIR, flag, f"{comment}, in a value", f'{{"a":"{inside}"}}')
            yield bad_text(ONE_PAIR, flag, f"{comment}, in a name", f'{{"{inside}":"b"}}')
    for comment, text in {
        "the high half in one string, the low half in the next": r'{"\ud83d":"\udd11"}',
        "the high half at the end of a name": r'{"a\ud83d":"b"}',
        "in the second pair": r'{"a":"b","c":"\ud83d"}',
    }.items():
        yield bad_text(ONE_PAIR, "LoneSurrogate", comment, text)


_ESCAPES: Final = {
    "a": r"\a",
    "e": r"\e",
    "v": r"\v",
    "0": r"\0",
    "an octal number": r"\101",
    "x and two digits": r"\x41",
    "U and four digits": r"\U0041",
    "U and eight digits": r"\U0001f511",
    "u and braces": r"\u{41}",
    "u, a plus sign and four digits": r"\u+0041",
    "N and a name": r"\N{SPACE}",
    "c and a letter": r"\cA",
    "an apostrophe": r"\'",
    "a grave accent": r"\`",
    "a dollar sign": r"\$",
    "a space": r"\ ",
    "a comma": r"\,",
    "capital N": r"\N",
    "capital T": r"\T",
    "a letter outside ASCII": "\\\u00e9",
    "U+2028": "\\\u2028",
    "u without digits": r"\u",
    "one digit": r"\u4",
    "two digits": r"\u41",
    "three digits": r"\u041",
    "three digits and a letter": r"\u004g",
    "three digits and a point": r"\u004.",
    "three digits and a solidus, the character before 0": r"\u004/",
    "three digits and a colon, the character after 9": r"\u004:",
    "three digits and a commercial at, the character before A": r"\u004@",
    "three digits and a grave accent, the character before a": r"\u004`",
    "a letter and three digits": r"\ug041",
    "a space and three digits": r"\u 041",
    "three digits and a space": r"\u041 ",
    "a plus sign and three digits": r"\u+041",
    "a minus sign and three digits": r"\u-041",
    "digits and an underscore": r"\u0_41",
    "0x and two digits": r"\u0x41",
    "full-width digits": "\\u\uff10\uff10\uff14\uff11",
    "one full-width digit": "\\u004\uff11",
    "a full-width letter": "\\u004\uff21",
    "Arabic digits": "\\u\u0660\u0660\u0664\u0661",
    "three digits before another escape": r"\u004\u0041",
    "a surrogate pair whose second half has three digits": r"\ud83d\udd1",
    "a surrogate pair whose second half has another letter": r"\ud83d\Udd11",
}
_SURROGATES: Final = {
    "the high half": r"\ud83d",
    "the low half": r"\udd11",
    "the first high half": r"\ud800",
    "the last high half": r"\udbff",
    "the first low half": r"\udc00",
    "the last low half": r"\udfff",
    "the high half in upper case": r"\uD83D",
    "the low half before the high half": r"\udd11\ud83d",
    "the high half twice": r"\ud83d\ud83d",
    "the high half twice, then the low half": r"\ud83d\ud83d\udd11",
    "a pair, then the low half": r"\ud83d\udd11\udd11",
    "the high half before a letter": r"\ud83db",
    "the high half, then an escape": r"\ud83d\n",
    "the high half, then another character": r"\ud83d\u0041",
    "the high half, then U+E000": r"\ud83d\ue000",
    "the high half, then U+DBFF": r"\ud83d\udbff",
    "the high half, then digits without u": r"\ud83ddd11",
    "a letter between the halves": r"\ud83db\udd11",
    "the high half, then the low half without an escape": "\\ud83d\udd11",
    "the high half without an escape, then the low half": "\ud83d\\udd11",
    "the low half without an escape": "\udd11",
    "the high half without an escape": "\ud83d",
}

"""The vectors of the longest JSON texts: 8,192 characters, whatever these are in another unit."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.encryption_context.cases import MOST_CHARACTERS, bad_text, text_case
from kmscore_vectors.generator.model import Case

_ROOM: Final = MOST_CHARACTERS - len('{"a":""}')
_MORE: Final = f"{MOST_CHARACTERS + 1:,} characters"


def size_cases() -> Iterator[Case]:
    """Yield texts of 8,192 characters, and texts with one more."""
    for comment, (unit, value) in _UNITS.items():
        number = _ROOM // len(unit)
        fill = "v" * (_ROOM - number * len(unit))
        right = text_case(
            f"{MOST_CHARACTERS:,} characters, {comment}",
            "Boundary",
            f'{{"a":"{unit * number}{fill}"}}',
            (("a", value * number + fill),),
        )
        yield right
        text = f'{{"a":"{unit * number}{fill}v"}}'
        yield bad_text(right, "TooLong", f"{_MORE}, {comment}", text)
    yield from _white_space()
    yield from _names()


def _white_space() -> Iterator[Case]:
    """Yield texts that are long because of the white space in them."""
    for comment, (before, after) in {
        "before the object": ("", '{"a":"b"}'),
        "in the object": ("{", '"a":"b"}'),
        "after the object": ('{"a":"b"}', ""),
    }.items():
        spaces = " " * (MOST_CHARACTERS - len(before + after))
        pairs = (("a", "b"),)
        named = f"most of them spaces {comment}"
        right = text_case(
            f"{MOST_CHARACTERS:,} characters, {named}", "Boundary", before + spaces + after, pairs
        )
        yield right
        yield bad_text(right, "TooLong", f"{_MORE}, {named}", f"{before} {spaces}{after}")
    fill = "v" * _ROOM
    full = text_case("8,192 characters", "Boundary", f'{{"a":"{fill}"}}', (("a", fill),))
    for comment, text in {
        "the last is a line feed": f'{{"a":"{fill}"}}\n',
        "the last two are a carriage return and a line feed": f'{{"a":"{fill[1:]}"}}\r\n',
        "the first is a space": f' {{"a":"{fill}"}}',
        "a tab within": f'{{"a":\t"{fill}"}}',
    }.items():
        yield bad_text(full, "TooLong", f"{_MORE}, {comment}", text)


def _names() -> Iterator[Case]:
    """Yield texts with one long name."""
    name = "n" * (MOST_CHARACTERS - len('{"":""}'))
    right = text_case(
        "8,192 characters, most of them in the name", "Boundary", f'{{"{name}":""}}', ((name, ""),)
    )
    yield right
    yield bad_text(right, "TooLong", f"{_MORE}, most of them in the name", f'{{"{name}n":""}}')


_UNITS: Final = {
    "each of one byte": ("v", "v"),
    "each of two bytes": ("\u00e9", "\u00e9"),
    "each of three bytes": ("\u20ac", "\u20ac"),
    "each of four bytes": ("\U0001f511", "\U0001f511"),
    "in escapes of one byte each": (r"\u0041", "A"),
    "in escapes of U+0000": (r"\u0000", "\x00"),
    "in escapes of three bytes each": (r"\u20ac", "\u20ac"),
    "in escaped surrogate pairs": (r"\ud83d\udd11", "\U0001f511"),
    "in escapes of two characters": (r"\n", "\n"),
}

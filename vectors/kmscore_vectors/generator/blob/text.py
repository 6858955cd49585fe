"""The vectors of blobs as text, in Base64."""

import base64
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.blob.cases import (
    LONGEST,
    MOST_BYTES,
    MOST_CHARACTERS,
    SHORT,
    bad_text,
    body,
    filled,
    plain,
    text_of,
)
from kmscore_vectors.generator.model import Case, blob_of
from kmscore_vectors.tables import Suite

_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SUITE: Final = Suite.AES_256_GCM
_EVERY: Final = base64.b64decode(_ALPHABET)


def base64_cases() -> Iterator[Case]:
    """Yield blobs as text."""
    # Without a ciphertext, the blob has 40 bytes, which take two characters of padding.
    rights = [
        text_of(f"{2 - length} of padding", "Valid", body("", "", _SUITE, SHORT, bytes(length)))
        for length in range(3)
    ]
    yield from rights
    every = text_of("every character", "Alphabet", body("", "", _SUITE, SHORT, _EVERY * 2))
    yield every
    for suite in Suite:
        ids = LONGEST if suite is Suite.XAES_256_GCM else SHORT
        yield text_of(f"{suite.name}, 8,936 characters", "Alphabet", filled("", suite, ids))
    two, one, none = rights
    yield from _unused_bits(one, two)
    yield from _padding(none, one, two)
    yield from _line_breaks(none, one)
    yield from _other_alphabets(none, every)
    yield from _bodies(none)


def _text(case: Case) -> str:
    """Return the text of a test."""
    return str(case.inputs["text"])


def _unused_bits(one: Case, two: Case) -> Iterator[Case]:
    """Yield texts with each bit that carries no data, and with all of them."""
    for right, bits in ((one, 2), (two, 4)):
        text = _text(right)
        position = len(text.rstrip("=")) - 1
        value = _ALPHABET.index(text[position])
        for mask in (*(1 << bit for bit in range(bits)), (1 << bits) - 1):
            changed = text[:position] + _ALPHABET[value | mask] + text[position + 1 :]
            comment = f"{mask:0{bits}b} in the {bits} unused bits"
            yield bad_text(right, "UnusedBits", comment, changed)


def _padding(none: Case, one: Case, two: Case) -> Iterator[Case]:
    """Yield texts with other padding."""
    full, single, double = _text(none), _text(one), _text(two)
    for right, comment, text in (
        (one, "none where one is needed", single[:-1]),
        (two, "none where two are needed", double[:-2]),
        (two, "one where two are needed", double[:-1]),
        (one, "two where one is needed", single + "="),
        (two, "three where two are needed", double + "="),
        (one, "five where one is needed", single + "===="),
        (none, "one where none is needed", full + "="),
        (none, "two where none are needed", full + "=="),
        (none, "three where none are needed", full + "==="),
        (none, "four where none are needed", full + "===="),
        (none, "at the beginning", "=" + full),
        (none, "four at the beginning", "====" + full),
        (none, "three after one character without data", full + "A==="),
        (none, "one within", full[:8] + "=" + full[8:]),
        (none, "in place of a character", full[:-5] + "=" + full[-4:]),
        (none, "before the last character", full[:-2] + "=" + full[-1]),
        (none, "in place of the last three characters", full[:-3] + "==="),
        (none, "a text after the padding", single + full),
        (one, "a padded text after another", single + single),
        (none, "one character after the padding", single + "A"),
        (none, "within, the whole of the right length", single[:-4] + "AA==" + full[:8]),
        (none, "one character too few", full[:-1]),
        (none, "one character too many", full + "A"),
        (none, "two characters too few", full[:-2]),
        (none, "three characters too few", full[:-3]),
        (one, "full-width padding", single[:-1] + "\uff1d"),
        (one, "padding as in a URL", single[:-1] + "%3D"),
        (one, "a point as padding", single[:-1] + "."),
        (one, "white space before the padding", single[:-1] + " ="),
        (two, "a line feed in the padding", double[:-1] + "\n="),
    ):  # fmt: skip
        yield bad_text(right, "Padding", comment, text)


def _line_breaks(none: Case, one: Case) -> Iterator[Case]:
    """Yield texts with white space."""
    text = _text(none)
    for name, space in {
        "a line feed": "\n",
        "a carriage return and a line feed": "\r\n",
        "a carriage return": "\r",
        "a space": " ",
        "a tab": "\t",
        "a vertical tab": "\x0b",
        "a form feed": "\x0c",
    }.items():
        for place, changed in (
            ("at the beginning", space + text),
            ("within", text[:8] + space + text[8:]),
            ("at the end", text + space),
        ):
            yield bad_text(none, "LineBreak", f"{name} {place}", changed)
    padded = _text(one)
    for comment, changed in {
        "a line feed after the padding": padded + "\n",
        "four spaces at the end": padded + "    ",
        "a line feed after every four characters": "\n".join(
            padded[start : start + 4] for start in range(0, len(padded), 4)
        ),
        "a reverse solidus and n": padded + "\\n",
        "a reverse solidus and a line feed within": padded[:8] + "\\\n" + padded[8:],
    }.items():
        yield bad_text(one, "LineBreak", comment, changed)


def _other_alphabets(none: Case, every: Case) -> Iterator[Case]:
    """Yield texts with characters of other alphabets."""
    text, letters = _text(none), _text(every)
    for comment, changed in {
        "a hyphen for the plus sign": letters.replace("+", "-"),
        "a low line for the solidus": letters.replace("/", "_"),
        "the alphabet for URLs": letters.replace("+", "-").replace("/", "_"),
        "a space for the plus sign": letters.replace("+", " "),
        "a comma for the solidus": letters.replace("/", ","),
        "escaped solidi": letters.replace("/", "\\/"),
        "plus signs as in a URL": letters.replace("+", "%2B"),
        "a full-width plus sign": letters.replace("+", "\uff0b"),
    }.items():
        yield bad_text(every, "OtherAlphabet", comment, changed)
    for name, character in {
        "NUL": "\x00",
        "DEL": "\x7f",
        "U+0080": "\x80",
        "U+00A0": "\u00a0",
        "U+00AD, a soft hyphen": "\u00ad",
        "U+00C1, which is A with another bit": "\u00c1",
        "U+0141, whose low byte is A": "\u0141",
        "U+0410, the Cyrillic A": "\u0410",
        "U+0660, an Arabic zero": "\u0660",
        "U+200B, a space of no width": "\u200b",
        "U+212A, the sign of Kelvin": "\u212a",
        "U+FEFF": "\ufeff",
        "U+FF21, the full-width A": "\uff21",
        "U+1D400, a mathematical A": "\U0001d400",
        "an asterisk": "*",
        "a hyphen": "-",
        "a point": ".",
        "a quote": '"',
    }.items():
        for place, changed in (
            ("at the beginning", character + text),
            ("in place of a character", text[:-7] + character + text[-6:]),
            ("at the end", text + character),
        ):
            yield bad_text(none, "OtherAlphabet", f"{name} {place}", changed)
    yield bad_text(none, "OtherAlphabet", "four points at the end", text + "....")
    yield bad_text(none, "OtherAlphabet", "the prefix of a data URL", "data:;base64," + text)
    yield bad_text(none, "OtherAlphabet", "quotes around it", f'"{text}"')
    yield bad_text(none, "OtherAlphabet", "hexadecimal digits", str(none.outputs["blob"]))


def _bodies(none: Case) -> Iterator[Case]:
    """Yield texts that are strict Base64, of bytes that do not parse."""
    blob = blob_of(plain())
    for flag, comment, data in (
        ("Truncated", "no text", b""),
        ("Truncated", "the magic alone", blob[:3]),
        ("Truncated", "the blob without its last byte", blob[:-1]),
        ("Magic", "another magic", b"KMT" + blob[3:]),
        ("FormatVersion", "version 02", blob[:3] + b"\x02" + blob[4:]),
        ("UnknownSuite", "suite 06", blob[:4] + b"\x06" + blob[5:]),
        ("IdCharacter", "a space in the key ID", blob[:7] + b" " + blob[8:]),
        ("Prefixed", "Base64 of the text", str(none.inputs["text"]).encode()),
        ("Prefixed", "hexadecimal digits of the blob", blob.hex().encode()),
    ):
        yield bad_text(none, flag, comment, base64.b64encode(data).decode())
    longest = text_of("", "Alphabet", filled("", Suite.XAES_256_GCM, LONGEST))
    text = str(longest.inputs["text"])
    more = base64.b64encode(blob_of(filled("", Suite.XAES_256_GCM, LONGEST)) + b"\x00").decode()
    for comment, changed in {
        f"{MOST_BYTES + 1:,} bytes in {MOST_CHARACTERS:,} characters": more,
        f"{MOST_CHARACTERS + 1:,} characters": text + "=",
        f"{MOST_CHARACTERS + 1:,} characters, one of them a line feed": text + "\n",
        f"{MOST_CHARACTERS + 4:,} characters": text[:-4] + "AAAA" + text[-4:],
        "20,000 characters": text + "A" * (20_000 - len(text)),
    }.items():
        yield bad_text(longest, "TooLong", comment, changed)

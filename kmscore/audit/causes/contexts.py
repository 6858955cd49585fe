"""Hypotheses about the encryption context: other pairs, other spellings, and other rules."""

import base64
import hashlib
import itertools
import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from kmscore.audit.primitives import canonical
from kmscore.context import EncryptionContext
from kmscore.errors import InvalidContextError

Pairs = Mapping[str, str]

_FEW: Final = 12  # pairs up to which two of them are exchanged in every way


class ContextGuess(NamedTuple):
    """A context, or bytes in its place, with which a ciphertext might decrypt."""

    code: str
    fact: str
    """The end of the sentence `it decrypts if …`."""

    reading: str
    bound: bytes
    """The bytes that follow the header in the associated data."""

    context: Pairs | None = None
    """The context, if the bytes are the canonical bytes of one."""


class _Spelling(NamedTuple):
    code: str
    description: str
    reading: str
    change: Callable[[str], str]


_TWO_FORMS: Final = "composed and decomposed letters look alike, and systems type different ones"
_TWO_SETS: Final = "a text was read in another character set"
_NUMBERS: Final = "a number became a text on one side only"
_ENCODED: Final = "the text was encoded on one side only"

_SPELLINGS: Final = (
    _Spelling("nfc", "composed (NFC)", _TWO_FORMS, lambda s: unicodedata.normalize("NFC", s)),
    _Spelling("nfd", "decomposed (NFD)", _TWO_FORMS, lambda s: unicodedata.normalize("NFD", s)),
    _Spelling(
        "nfkc",
        "composed (NFKC)",
        "full-width letters or ligatures were replaced on one side",
        lambda s: unicodedata.normalize("NFKC", s),
    ),
    _Spelling("newline", "followed by LF", "it came from a file or from echo", lambda s: s + "\n"),
    _Spelling("crlf", "followed by CR LF", "it came from a Windows file", lambda s: s + "\r\n"),
    _Spelling(
        "cr", "followed by CR", "a line ended with CR LF, and LF was removed", lambda s: s + "\r"
    ),
    _Spelling("space", "followed by a space", "it came from a padded column", lambda s: s + " "),
    _Spelling("stripped", "without white space around it", "it was trimmed on one side", str.strip),
    _Spelling(
        "bom",
        "preceded by a byte order mark",
        "it came from a file with a BOM",
        lambda s: "\ufeff" + s,
    ),
    _Spelling(
        "no_bom",
        "without a byte order mark",
        "it came from a file with a BOM",
        lambda s: s.removeprefix("\ufeff"),
    ),
    _Spelling("lower", "in lower case", "the case was changed on one side", str.lower),
    _Spelling("upper", "in upper case", "the case was changed on one side", str.upper),
    _Spelling(
        "capital",
        "with a capital first letter",
        "the case was changed on one side",
        lambda s: s[:1].upper() + s[1:],
    ),
    _Spelling(
        "small",
        "with a small first letter",
        "the case was changed on one side",
        lambda s: s[:1].lower() + s[1:],
    ),
    _Spelling("plain_number", "without leading zeros", _NUMBERS, lambda s: str(int(s))),
    _Spelling("float_number", "as a decimal such as 1.0", _NUMBERS, lambda s: repr(float(s))),
    _Spelling("whole_number", "as a whole number", _NUMBERS, lambda s: str(int(float(s)))),
    _Spelling(
        "quoted", "in quotes", "JSON was written twice", lambda s: json.dumps(s, ensure_ascii=False)
    ),
    _Spelling("unquoted", "without quotes", "JSON was written twice", lambda s: s.strip('"')),
    _Spelling(
        "escaped",
        "with escapes such as \\u00e9",
        "JSON in ASCII was read as a text",
        lambda s: json.dumps(s)[1:-1],
    ),
    _Spelling(
        "latin1",
        "as UTF-8 read in Latin-1",
        _TWO_SETS,
        lambda s: s.encode("utf-8").decode("latin-1"),
    ),
    _Spelling(
        "utf8", "as Latin-1 read in UTF-8", _TWO_SETS, lambda s: s.encode("latin-1").decode("utf-8")
    ),
    _Spelling("base64", "in Base64", _ENCODED, lambda s: base64.b64encode(s.encode()).decode()),
    _Spelling(
        "decoded",
        "decoded from Base64",
        _ENCODED,
        lambda s: base64.b64decode(s, validate=True).decode(),
    ),
)


def guesses(
    given: Pairs,
    others: Sequence[Pairs],
    candidates: Sequence[Pairs],
    note: Callable[[], None],
) -> Iterator[ContextGuess]:
    """Yield the hypotheses about a context, the most probable first.

    `note` is called before the work for each of them; it can raise an exception that ends them.
    """
    seen = {_canonical(given)}
    for code, fact, reading, pairs in itertools.chain(
        _other_pairs(given, others, candidates), _spellings(given)
    ):
        note()
        with suppress(InvalidContextError):
            bound = EncryptionContext(pairs).canonical
            if bound not in seen:
                seen.add(bound)
                yield ContextGuess(f"context.{code}", fact, reading, bound, pairs)
    try:
        rules = list(_rules(given))
    except (UnicodeEncodeError, OverflowError):  # a lone surrogate, or a text of 65,536 bytes
        return
    for guess in rules:
        if guess.bound not in seen:
            seen.add(guess.bound)
            yield guess


def _canonical(pairs: Pairs) -> bytes:
    try:
        return EncryptionContext(pairs).canonical
    except InvalidContextError:
        return b"\xff"  # not the canonical bytes of a context


_Change = tuple[str, str, str, Pairs]


def _other_pairs(
    given: Pairs, others: Sequence[Pairs], candidates: Sequence[Pairs]
) -> Iterator[_Change]:
    """Yield contexts with other pairs."""
    yield "empty", "the context is empty", "the context was left out at encryption", {}
    for other in others:
        yield "other", f"the context is {_shown(other)}", "two contexts were mixed up", other
    for candidate in candidates:
        fact = f"the context is {_shown(candidate)}"
        yield "candidate", fact, "it is one of the contexts to try", candidate
    yield from _other_members(given)
    for pairs in (*others, *candidates):
        for name in (name for name in pairs if name not in given):
            fact = f"the context also has the pair {_text(name)}: {_text(pairs[name])}"
            more = {**given, name: pairs[name]}
            yield "pair_added", fact, "the pair is missing in this call", more
        for name in (name for name in pairs if name in given):
            fact = f"the value of {_text(name)} is {_text(pairs[name])}"
            yield "value_of_other", fact, "two contexts were mixed up", {**given, name: pairs[name]}


def _other_members(given: Pairs) -> Iterator[_Change]:
    """Yield contexts with fewer pairs, or with the same texts in other places."""
    for name in given:
        rest = {key: value for key, value in given.items() if key != name}
        fact = f"the context has no pair {_text(name)}"
        yield "pair_missing", fact, "the pair was added to the callers later", rest
    for name in given:
        fact = f"the context has only the pair {_text(name)}"
        yield "only_pair", fact, "the other pairs were added later", {name: given[name]}
    swapped = {value: key for key, value in given.items()}
    yield "swapped", "keys and values are exchanged", "a map was reversed", swapped
    for one, other in itertools.combinations(given if len(given) <= _FEW else (), 2):
        both = {**given, one: given[other], other: given[one]}
        fact = f"the values of {_text(one)} and {_text(other)} are exchanged"
        yield "values_swapped", fact, "arguments were in the wrong order", both


def _spellings(given: Pairs) -> Iterator[_Change]:
    """Yield contexts with another spelling of one value, all values, all keys, or all texts."""
    for code, description, reading, change in _SPELLINGS:
        changed = {text: _changed(change, text) for pair in given.items() for text in pair}
        values = {key: changed[value] for key, value in given.items()}
        keys = {changed[key]: value for key, value in given.items()}
        yield code, f"all values are written {description}", reading, values
        yield code, f"all keys are written {description}", reading, keys
        both = {changed[key]: changed[value] for key, value in given.items()}
        yield code, f"all keys and values are written {description}", reading, both
        for name, value in given.items():
            fact = f"the value of {_text(name)} is written {description}"
            yield code, fact, reading, {**given, name: changed[value]}
            other = {changed[key] if key == name else key: text for key, text in given.items()}
            yield code, f"the key {_text(name)} is written {description}", reading, other


def _changed(change: Callable[[str], str], text: str) -> str:
    """Return the changed text, or the text itself if the change does not apply."""
    try:
        return change(text)
    except (ValueError, LookupError, OverflowError):
        return text


def _rules(given: Pairs) -> Iterator[ContextGuess]:
    """Yield the associated data of other rules for the same pairs."""

    def guess(code: str, fact: str, reading: str, bound: bytes) -> ContextGuess:
        return ContextGuess(f"rule.{code}", fact, reading, bound)

    yield guess(
        "zero_count",
        "the empty context has a count of 0",
        "an implementation writes 00 00 for no pairs",
        b"\x00\x00",
    )
    for is_sorted in (False, True):
        for comma, colon in ((",", ":"), (", ", ": ")):
            text = json.dumps(
                dict(given), sort_keys=is_sorted, separators=(comma, colon), ensure_ascii=False
            )
            yield guess(
                "json",
                "the associated data has the JSON text in place of the canonical context",
                "another program bound the text, not the pairs",
                text.encode("utf-8", "surrogatepass"),
            )
    encoded = [(key.encode("utf-8"), value.encode("utf-8")) for key, value in given.items()]
    yield guess(
        "unsorted",
        "the pairs are in the order given, not sorted",
        "an implementation does not sort",
        _serialised(encoded),
    )
    units = sorted(given.items(), key=lambda pair: pair[0].encode("utf-16-be"))
    yield guess(
        "utf16",
        "the pairs are sorted by UTF-16 units",
        "an implementation in Java or JavaScript sorts so",
        _serialised([(key.encode("utf-8"), value.encode("utf-8")) for key, value in units]),
    )
    for name, order in (("", sorted(given.items())), (" by UTF-16 units", units)):
        joined = "&".join(f"{key}={value}" for key, value in order).encode("utf-8")
        digest = hashlib.sha256(joined)
        yield guess(
            "service",
            f"the context has the service's digest of k=v&k=v, sorted{name}",
            "a program follows the context rule of the service",
            digest.digest(),
        )
        yield guess(
            "service_digits",
            f"the context has the digits of the service's digest, sorted{name}",
            "a program follows an older client of the service",
            digest.hexdigest().encode("ascii"),
        )
        yield guess(
            "service_text",
            f"the context has the text k=v&k=v, sorted{name}",
            "a program follows the service's rule without its digest",
            joined,
        )
    yield guess(
        "concatenated",
        "the context has keys and values one after the other, without lengths",
        "an emulator of another KMS joins them so",
        b"".join(key + value for key, value in sorted(encoded)),
    )


def _serialised(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the form of the canonical bytes, in the order given."""
    return canonical(*(text for pair in pairs for text in pair))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _shown(pairs: Pairs) -> str:
    return json.dumps(dict(pairs), ensure_ascii=False)

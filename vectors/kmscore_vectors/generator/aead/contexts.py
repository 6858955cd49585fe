"""The vectors of contexts that are not the context of the blob."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.aead.maker import MESSAGE, PAIRS, AeadMaker, context_field
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import ErrorCode


def other_contexts(maker: AeadMaker, right: Case) -> Iterator[Case]:
    """Yield contexts other than the context of the blob."""
    for comment, pairs in _OTHERS.items():
        yield right.rejected(ErrorCode.DECRYPTION, "OtherContext", comment, context_field(pairs))
    bare = maker.opened("no context", "Valid", MESSAGE, ())
    for comment, pairs in {
        "a context where none was": (("a", "1"),),
        "an empty key and value where no context was": (("", ""),),
    }.items():
        yield bare.rejected(ErrorCode.DECRYPTION, "OtherContext", comment, context_field(pairs))
    for comment, (bound, given) in _CHANGED.items():
        base = maker.opened(comment, "Valid", MESSAGE[:16], bound)
        yield base.rejected(ErrorCode.DECRYPTION, "OtherContext", comment, context_field(given))


_OTHERS: Final[dict[str, Pairs]] = {
    "no context": (),
    "a pair is missing": PAIRS[:1],
    "the other pair is missing": PAIRS[1:],
    "a pair more": (*PAIRS, ("c", "3")),
    "another value": (("b", "2"), ("a", "2")),
    "another value in the second pair": (("b", "3"), ("a", "1")),
    "another key": (("b", "2"), ("A", "1")),
    "another key in the second pair": (("B", "2"), ("a", "1")),
    "an empty value": (("b", ""), ("a", "1")),
    "values exchanged": (("b", "1"), ("a", "2")),
    "keys and values exchanged": (("2", "b"), ("1", "a")),
    "an empty pair more": (*PAIRS, ("", "")),
    "a character moved from value to key": (("b2", ""), ("a", "1")),
    "a space after a value": (("b", "2 "), ("a", "1")),
    "U+0000 after a value": (("b", "2\x00"), ("a", "1")),
    "U+0000 after a key": (("b\x00", "2"), ("a", "1")),
    "a full-width digit": (("b", "\uff12"), ("a", "1")),
}
_CHANGED: Final[dict[str, tuple[Pairs, Pairs]]] = {
    **{
        f"the last of {length} characters of a value": (
            (("k", "v" * length),), (("k", "v" * (length - 1) + "w"),),
        )
        for length in (16, 64, 255, 256, 1000)
    },
    "the last of 256 characters of a key": (
        (("k" * 256, "v"),), (("k" * 255 + "l", "v"),),
    ),
    "the last of 100 values": (
        tuple((f"{n:02}", "v") for n in range(100)),
        (*((f"{n:02}", "v") for n in range(99)), ("99", "w")),
    ),
    "the last of 100 pairs is missing": (
        tuple((f"{n:02}", "v") for n in range(100)), tuple((f"{n:02}", "v") for n in range(99)),
    ),
    "another character after U+0000": ((("a", "b\x00c"),), (("a", "b\x00d"),)),
    "another character after U+0000 in a key": ((("a\x00b", ""),), (("a\x00c", ""),)),
    "decomposed where composed was": ((("a", "\u00e9"),), (("a", "e\u0301"),)),
    "composed where decomposed was, in a key": ((("e\u0301", ""),), (("\u00e9", ""),)),
    "a capital letter": ((("a", "b"),), (("a", "B"),)),
    "a capital letter outside ASCII": ((("a", "\u00e9"),), (("a", "\u00c9"),)),
    "ss for sharp s": ((("a", "\u00df"),), (("a", "ss"),)),
    "a question mark for a character": ((("a", "\u00e9"),), (("a", "?"),)),
    "the replacement character for a character": ((("a", "\u00e9"),), (("a", "\ufffd"),)),
    "another character with the same low byte": ((("a", "\u00e9"),), (("a", "\u01e9"),)),
    "another character outside the basic plane": ((("a", "\U0001f511"),), (("a", "\U0001f512"),)),
    "a character of Latin-1 for two bytes of UTF-8": ((("a", "\u00e9"),), (("a", "\u00c3\u00a9"),)),
    "a character moved from a key to its value": ((("ab", "c"),), (("a", "bc"),)),
    "a character moved from a value to its key": ((("a", "bc"),), (("ab", "c"),)),
    "two pairs for one that has their bytes": (
        (("a", "1\x00\x01b\x00\x012"),), (("a", "1"), ("b", "2")),
    ),
    "an escape for its character": ((("a", '"'),), (("a", '\\"'),)),
    "a number in another form": ((("a", "1"),), (("a", "1.0"),)),
    "null for an empty value": ((("a", ""),), (("a", "null"),)),
    "a line feed at the end": ((("a", "b"),), (("a", "b\n"),)),
    "a byte order mark before a value": ((("a", "b"),), (("a", "\ufeffb"),)),
}  # fmt: skip

"""Builders of the tests of the encryption context."""

from typing import Final

from kmscore_vectors.generator.model import Case, Fields, Rule, pairs_field
from kmscore_vectors.generator.wire import Pairs, context_bytes, sorted_pairs
from kmscore_vectors.tables import ErrorCode

MOST_BYTES: Final = 65_535
MOST_CHARACTERS: Final = 8192


def map_case(comment: str, flag: str, pairs: Pairs) -> Case:
    """Return a context given as pairs."""
    return Case(comment, flag, {"pairs": pairs_field(pairs)}, *_canonical(pairs))


def text_case(comment: str, flag: str, text: str, pairs: Pairs) -> Case:
    """Return a context given as JSON."""
    return Case(comment, flag, {"json": text}, *_canonical(pairs))


def bad_map(right: Case, flag: str, comment: str, pairs: Pairs, rule: Rule | None = None) -> Case:
    """Return `right` as a negative test, with other pairs."""
    fields: Fields = {"pairs": pairs_field(pairs)}
    return right.rejected(ErrorCode.INVALID_CONTEXT, flag, comment, fields, rule)


def bad_text(right: Case, flag: str, comment: str, text: str, rule: Rule | None = None) -> Case:
    """Return `right` as a negative test, with another text."""
    return right.rejected(ErrorCode.INVALID_CONTEXT, flag, comment, {"json": text}, rule)


def _canonical(pairs: Pairs) -> tuple[Fields, Fields]:
    """Return the canonical bytes, and the pairs in their order."""
    encoded = sorted_pairs(pairs)
    trace: Fields = {"sortedPairs": [[key.hex(), value.hex()] for key, value in encoded]}
    return {"canonical": context_bytes(encoded).hex()}, trace


ONE_PAIR: Final = text_case("one pair", "Json", '{"a":"b"}', (("a", "b"),))
"""The context that most negative tests differ from."""

"""The vectors of the service's context rule: associated data, and contexts that it confuses."""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from kmscore_vectors.generator.model import Case, Group, Json, Note, hex_fields, pairs_field
from kmscore_vectors.generator.service_blob.encoder import (
    PUBLISHED,
    Options,
    associated_data,
    confused_contexts,
    confused_with,
    rule_trace,
    text_of,
)
from kmscore_vectors.generator.service_blob.unusual_keys import UNUSUAL_KEYS
from kmscore_vectors.generator.wire import Pairs, context_bytes, sorted_pairs
from kmscore_vectors.tables import BugType, ErrorCode, Severity

# U+10000 sorts before U+FFFF by UTF-16 unit and after it by code point.
BEYOND: Final = (("\U00010000", "1"), ("\uffff", "2"), ("\ue000", "3"))
_JAVA: Final = Options(sort_order="utf_16")
_ABSENT: Final = Options(empty_is_absent=True)
_HEXADECIMAL: Final = Options(context_binding="hexadecimal_digest")
_JSON: Final = Options(context_binding="json")
_MOST_BYTES: Final = 65_535

NOTES: Final = {
    "Published": Note(
        "The rule as the vendor's published clients have it.",
        "Blobs of the service do not open.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "NoContext": Note(
        "No context, or one without pairs: the rule distinguishes them, unless an option says not.",
        "Blobs that were sealed without a context do not open, or those that were sealed with an"
        " empty one.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "Sorting": Note(
        "Pairs that are given in another order, or that two clients sort differently.",
        "A client that sorts otherwise cannot open what this one has sealed.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "Digest": Note(
        "The digest in hexadecimal digits, which one client takes for associated data.",
        "A client that takes the other form cannot open what this one has sealed.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "JsonText": Note(
        "The JSON text of the context, which one client takes for associated data as it sends it.",
        "Blobs of that client do not open.",
        bug_type=BugType.FUNCTIONALITY,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "Confused": Note(
        "Contexts that the rule gives the same associated data.",
        "An attacker who chooses a value can move its text into another pair: a ciphertext of one"
        " tenant, table or purpose opens for another.",
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "Distinct": Note(
        "A context that shares its associated data with no other.",
        "Safe contexts are rejected, so operators allow all contexts in a migration.",
        bug_type=BugType.CAN_OF_WORMS,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
    "NotUnicode": Note(
        "A key or a value has half of a surrogate pair.",
        "It has no bytes; whatever takes its place is another text's.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.STANDARD,
        section="RFC 3629 section 3",
    ),
    "ContextSize": Note(
        "The context has more than 65,535 bytes in its canonical form of v1.",
        "A context that one layout takes and the other does not cannot be moved.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 13.3",
    ),
}


def groups() -> Iterator[Group]:
    """Yield the groups of the rule."""
    yield Group("service_associated_data", tuple(chain(_rules(), _not_contexts())))
    yield Group("is_ambiguous", tuple(_ambiguities()))
    yield Group("collisions", tuple(_collisions()))


def context_field(pairs: Pairs | None) -> Json:
    """Return a context as a field; `None` is an absent context."""
    return None if pairs is None else pairs_field(pairs)


def _rule(comment: str, flag: str, pairs: Pairs | None, options: Options = PUBLISHED) -> Case:
    """Return a test of the associated data."""
    return Case(
        comment,
        flag,
        {"pairs": context_field(pairs), **options.rule_document()},
        hex_fields(associated_data=associated_data(pairs, options)),
        rule_trace(pairs, options),
    )


def _rules() -> Iterator[Case]:
    """Yield contexts with their associated data."""
    for comment, pairs in _PLAIN.items():
        yield _rule(comment, "Published", pairs)
    yield _rule("two pairs, the smaller key first", "Published", (("a", "1"), ("b", "2")))
    for name, options in (
        ("", PUBLISHED),
        (", {} counts as absent", _ABSENT),
        (", in hexadecimal", _HEXADECIMAL),
        (", by UTF-16", _JAVA),
        (", as JSON", _JSON),
    ):
        yield _rule(f"none at all{name}", "NoContext", None, options)
        yield _rule(f"no pair{name}", "NoContext", (), options)
    yield _rule("one pair, {} counts as absent", "NoContext", (("a", "1"),), _ABSENT)
    yield _rule("an empty pair, {} counts as absent", "NoContext", (("", ""),), _ABSENT)
    for comment, pairs in _ORDERS.items():
        yield _rule(f"{comment}, by code point", "Sorting", pairs)
        yield _rule(f"{comment}, by UTF-16", "Sorting", pairs, _JAVA)
    yield _rule("two pairs", "Digest", (("b", "2"), ("a", "1")), _HEXADECIMAL)
    yield _rule("an empty pair", "Digest", (("", ""),), _HEXADECIMAL)
    both = Options(sort_order="utf_16", context_binding="hexadecimal_digest")
    yield _rule("beyond the basic plane, by UTF-16", "Digest", BEYOND, both)
    yield from _json_texts()
    yield from _unusual_keys()
    for comment, pairs in _CONFUSED.items():
        yield _rule(comment, "Confused", pairs)


def _unusual_keys() -> Iterator[Case]:
    """Yield contexts with unusual keys: in their own order as JSON, and sorted in each order."""
    for comment, pairs in UNUSUAL_KEYS.items():
        yield _rule(comment, "JsonText", pairs, _JSON)
        yield _rule(f"{comment}, by code point", "Sorting", pairs)
        yield _rule(f"{comment}, by UTF-16", "Sorting", pairs, _JAVA)
    for comment in ("integers behind letters", "a prototype"):
        reverse = UNUSUAL_KEYS[comment][::-1]
        yield _rule(f"{comment}, in the reverse order", "JsonText", reverse, _JSON)


def _json_texts() -> Iterator[Case]:
    """Yield contexts whose JSON text is bound."""
    for comment, pairs in {**_PLAIN, **_CONFUSED}.items():
        yield _rule(comment, "JsonText", pairs, _JSON)
    pairs = (("c", "3"), ("a", "1"), ("b", "2"))
    yield _rule("three pairs in an order of their own", "JsonText", pairs, _JSON)
    yield _rule("the same in the reverse order", "JsonText", pairs[::-1], _JSON)
    controls = "".join(map(chr, range(0x20)))
    yield _rule("every escape", "JsonText", ((controls, '"\\/\x7f\x85\u2028'),), _JSON)
    absent = Options(context_binding="json", empty_is_absent=True)
    yield _rule("no pair, which counts as absent", "JsonText", (), absent)
    by_utf_16 = Options(context_binding="json", sort_order="utf_16")
    yield _rule("not sorted, whatever the order of sorting is", "JsonText", BEYOND, by_utf_16)


def _not_contexts() -> Iterator[Case]:
    """Yield invalid contexts."""
    right = _rule("one pair", "Published", (("a", "1"),))
    for comment, pairs in (
        ("the high half in a value", (("a", "\ud83d"),)),
        ("the low half in a key", (("\udd11", "1"),)),
        ("a half behind text", (("a", "1\ud83d"),)),
    ):
        fields = {"pairs": context_field(pairs)}
        yield right.rejected(ErrorCode.INVALID_CONTEXT, "NotUnicode", comment, fields)
    room = _MOST_BYTES - 2 - 4 - 1
    longest = _rule("65,535 bytes", "Published", (("k", "v" * room),))
    yield longest
    fields = {"pairs": context_field((("k", "v" * (room + 1)),))}
    yield longest.rejected(ErrorCode.INVALID_CONTEXT, "ContextSize", "65,536 bytes", fields)


def _ambiguities() -> Iterator[Case]:
    """Yield contexts, and whether the rule confuses them with others."""
    for comment, pairs in {**_PLAIN, **_SMALL}.items():
        is_ambiguous = bool(confused_with(pairs))
        yield Case(
            comment,
            "Confused" if is_ambiguous else "Distinct",
            {"pairs": context_field(pairs)},
            {"ambiguous": "true" if is_ambiguous else "false"},
            {"text": text_of(pairs)},
        )


def _collisions() -> Iterator[Case]:
    """Yield contexts, each with all contexts that the rule confuses with it."""
    named = {
        f"{comment}, by {name}": (pairs, order)
        for comment, pairs in {**_SMALL, **_ORDERS}.items()
        for name, order in (("code point", "code_point"), ("UTF-16", "utf_16"))
    }
    for comment, (pairs, order) in named.items():
        found = confused_contexts(pairs, order)
        yield Case(
            comment,
            "Confused" if found else "Distinct",
            {"pairs": context_field(pairs), "sort_order": order},
            {"collisions": found},
            {"text": text_of(pairs, order)},
        )
    # As two pairs, this text has 65,536 canonical bytes, which are too many.
    text = f"=\u00e9{'v' * 65523}&b="
    yield Case(
        "a text that is too long as two pairs", "Confused",
        {"pairs": context_field((("", text[1:]),)), "sort_order": "code_point"},
        {"collisions": context_bytes(sorted_pairs(((text[:-1], ""),))).hex()}, {"text": text},
    )  # fmt: skip


_PLAIN: Final[dict[str, Pairs]] = {
    "two pairs, the greater key first": (("b", "2"), ("a", "1")),
    "one pair": (("tenant", "acme"),),
    "three pairs": (("tenant", "acme"), ("table", "orders"), ("column", "iban")),
    "an empty value": (("key", ""),),
    "an empty key": (("", "value"),),
    "an empty key and value": (("", ""),),
    "spaces, which are not trimmed": ((" key ", " value "),),
    "a percent sign, which escapes nothing": (("a%3D", "b%26"),),
    "a backslash, which escapes nothing": (("a\\", "b\\&"),),
    "control characters": (("a\x00b", "\n\x7f"),),
    "composed": (("caf\u00e9", "x"),),
    "decomposed": (("cafe\u0301", "x"),),
    "Chinese": (("\u79df\u6237", "\u963f\u91cc\u4e91"),),
    "beyond the basic plane": (("\U0001f511", "\U0010ffff"),),
}
_ORDERS: Final[dict[str, Pairs]] = {
    "beyond the basic plane": BEYOND,
    "two keys with one beginning": (("ab", "1"), ("a", "2")),
    "keys that differ beyond the basic plane": (("x\U0001f511", "1"), ("x\ufb01", "2")),
    "capitals and small letters": (("a", "1"), ("B", "2")),
}
_SMALL: Final[dict[str, Pairs]] = {
    "no pair": (),
    "one plain pair": (("a", "1"),),
    "an ampersand alone": (("a", "1&b"),),
    "ampersands in a key": (("a&b&", "1"),),
    "an equals sign in a value": (("a", "b=c"),),
    "an equals sign in a key": (("a=b", "c"),),
    "nothing but an equals sign in a value": (("", "="),),
    "a pair within a value": (("a", "1&b=2"),),
    "the same as two pairs": (("a", "1"), ("b", "2")),
    "a pair within a value, in the wrong order": (("b", "1&a=2"),),
    "the same key within a value": (("a", "1&a=2"),),
    "a pair within a key": (("a=1&b", "2"),),
    "two empty pairs within a value": (("", "&=&="),),
    "an empty key beside another": (("", "1"), ("a", "2")),
    "three pairs of one letter": (("a", "1"), ("b", "2"), ("c", "3")),
    "a pair within the second of two values": (("a", "1"), ("b", "2&c=3")),
    "equals signs in both": (("a=", "=b"),),
}
_CONFUSED: Final[dict[str, Pairs]] = {
    "a=1&b=2 as one pair, the rest in its value": (("a", "1&b=2"),),
    "a=1&b=2 as one pair, the rest in its key": (("a=1&b", "2"),),
    "a=b=c, the first sign ends the key": (("a", "b=c"),),
    "a=b=c, the second sign ends the key": (("a=b", "c"),),
    "a=1&b=2&c=3 as a and b": (("a", "1"), ("b", "2&c=3")),
    "a=1&b=2&c=3 as a and c": (("a", "1&b=2"), ("c", "3")),
}

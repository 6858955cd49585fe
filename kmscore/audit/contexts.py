"""The steps from an encryption context to the associated data (SPEC sections 4, 5.2 and 13.3)."""

import json
from collections.abc import Mapping
from typing import Final, TypeAlias

from kmscore.alibaba import JsonContext
from kmscore.alibaba.context_rule import associated_data
from kmscore.alibaba.profile import ContextBinding, Profile, SortOrder
from kmscore.audit.notes import Notes, Part, attempt, number_part, text_part
from kmscore.context import MAX_CANONICAL_LENGTH, ContextLike, EncryptionContext

_Pairs: TypeAlias = list[tuple[str, str]]

_CODE: Final = "invalid_context"
_TEXT: Final = "text = key=value&key=value…, sorted by key"
_RULES: Final = {
    ContextBinding.DIGEST: f"{_TEXT}\nA = SHA-256(text)",
    ContextBinding.HEXADECIMAL_DIGEST: f"{_TEXT}\nA = the digits of SHA-256(text)",
    ContextBinding.JSON: "A = the JSON text, as it was sent",
}
_TEXTS: Final = "every key and value is a text that UTF-8 can encode, and no key occurs twice"


def canonical_context(notes: Notes, context: ContextLike) -> str:
    """Add the steps to the canonical bytes; return their ID."""
    notes.step(
        "context",
        "Bring the context into its canonical form",
        "4.1",
        "u16(pairs), then for each pair, by the bytes of its key: u16(length) ‖ key, and"
        " u16(length) ‖ value",
    )
    pairs = _checked_pairs(notes, context)
    if not pairs:
        value = notes.give("canonical", "canonical context", b"", "the empty context")
    else:
        pairs.sort(key=lambda pair: pair[0].encode("utf-8"))
        value = notes.compute(
            "canonical", "canonical context", "canonical", *_give_pairs(notes, pairs)
        )
    data = notes.data(value)
    _, known = attempt(lambda: EncryptionContext(context).canonical)
    notes.tie("the canonical context", data == known)
    if pairs:
        notes.map("canonical context", value, _parts(pairs))
    return value


def service_context(
    notes: Notes, context: ContextLike, profile: Profile, *, allow_ambiguous: bool
) -> str:
    """Add the steps of the service's rule; return the ID of the associated data."""
    notes.step(
        "context",
        "Apply the context rule of the service",
        "13.3",
        _RULES[profile.context_binding],
    )
    pairs = _checked_pairs(notes, context)
    absent = context is None or (not pairs and profile.empty_is_absent)
    if not absent and profile.context_binding is not ContextBinding.JSON:
        unique = "&".join(f"{key}={value}" for key, value in pairs).count("=") <= 1
        notes.check(
            "no other context has the same text, or ambiguous contexts are allowed",
            unique or allow_ambiguous,
            _CODE,
        )
    if absent or context is None:
        result = notes.give("A", "associated data", b"", "the absent context")
    elif profile.context_binding is ContextBinding.JSON:
        text = context.text if isinstance(context, JsonContext) else _compact_json(context)
        result = notes.give(
            "A", "associated data", text.encode("utf-8"), "the JSON text of the context"
        )
    else:
        by_units = profile.sort_order is SortOrder.UTF_16
        pairs.sort(key=lambda pair: pair[0].encode("utf-16-be" if by_units else "utf-8"))
        joined = notes.compute("text", "joined pairs", "pairs_text", *_give_pairs(notes, pairs))
        if profile.context_binding is ContextBinding.HEXADECIMAL_DIGEST:
            digest = notes.compute("digest", "digest of the text", "sha256", joined)
            result = notes.compute("A", "associated data", "hexadecimal", digest)
        else:
            result = notes.compute("A", "associated data", "sha256", joined)
    _, known = attempt(lambda: associated_data(context, profile, allow_ambiguous=allow_ambiguous))
    notes.tie("the associated data", notes.data(result) == known)
    return result


def _checked_pairs(notes: Notes, context: ContextLike) -> _Pairs:
    """Return the pairs of a valid context, in the order given."""
    given = {} if context is None else dict(context)
    # Not `isinstance`, because an object can claim another class.
    is_text = all(issubclass(type(each), str) for pair in given.items() for each in pair)
    exact = (
        {str.__str__(key): str.__str__(value) for key, value in given.items()} if is_text else {}
    )
    is_valid = is_text and len(exact) == len(given)
    length = 0
    if is_valid and given:
        try:
            length = 2 + sum(
                4 + len(key.encode("utf-8")) + len(value.encode("utf-8"))
                for key, value in exact.items()
            )
        except UnicodeEncodeError:
            is_valid = False
    notes.check(_TEXTS, is_valid, _CODE)
    notes.check(
        f"the canonical form has at most {MAX_CANONICAL_LENGTH:,} bytes",
        length <= MAX_CANONICAL_LENGTH,
        _CODE,
    )
    return list(exact.items())


def _give_pairs(notes: Notes, pairs: _Pairs) -> list[str]:
    """Add keys and values; return their IDs in turn."""
    ids = []
    for number, pair in enumerate(pairs, 1):
        for name, text in zip(("key", "value"), pair, strict=True):
            data = text.encode("utf-8")
            ids.append(
                notes.give(f"{name}{number}", f"{name} of pair {number}", data, "the context")
            )
    return ids


def _parts(pairs: _Pairs) -> list[Part]:
    """Return the fields of the canonical bytes of sorted pairs."""
    parts = [number_part("count of pairs", len(pairs), 2)]
    for pair in pairs:
        for name, text in zip(("key", "value"), pair, strict=True):
            part = text_part(name, text)
            parts += [number_part(f"length of the {name}", part.length, 2), part]
    return parts


def _compact_json(context: Mapping[str, str]) -> str:
    """Return the compact JSON text of a context (SPEC section 14.1)."""
    return json.dumps(dict(context), ensure_ascii=False, separators=(",", ":"))

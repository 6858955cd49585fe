"""The service's context rule, and what is wrong with it.

The associated data is the SHA-256 of `key=value` pairs, sorted by key and joined with `&`, in
UTF-8. Nothing is escaped, so that different contexts give the same text: `{"a": "1&b=2"}` and
`{"a": "1", "b": "2"}`. Of two pairs or more there are always others: the text is also that of one
pair whose value holds the rest. No context at all gives no associated data.

A profile may bind the JSON text of the context instead (`ContextBinding.JSON`), which confuses no
two contexts: a text is read as one map only.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore._typecheck import check_instance, check_mapping
from kmscore.alibaba.json_context import JsonContext, compact_json
from kmscore.alibaba.profile import ContextBinding, Profile, SortOrder
from kmscore.context import MAX_CANONICAL_LENGTH, ContextLike, EncryptionContext
from kmscore.errors import InvalidContextError

_UNIQUE: Final = 1  # so many `=` can be read in one way only


def associated_data(context: ContextLike, profile: Profile, *, allow_ambiguous: bool) -> bytes:
    """Return the associated data of a blob in the service's layout: a digest, or the JSON text.

    `None` is no context, and gives none; `{}` gives the digest of the empty text, or itself,
    unless the profile takes it for absent.

    Raises `TypeError` if the context is no mapping, and `InvalidContextError` if it breaks the
    rules of `EncryptionContext`, or is ambiguous and that is not allowed.
    """
    check_mapping(context, "context")
    if context is None:
        return b""
    prepared = _prepare(context)
    if not prepared and profile.empty_is_absent:
        return b""
    if not allow_ambiguous and is_confused(prepared, profile):
        raise InvalidContextError(
            "the service binds other encryption contexts with the same bytes as this one;"
            " allow_ambiguous=True takes it all the same"
        )
    if profile.context_binding is ContextBinding.JSON:
        text = context.text if isinstance(context, JsonContext) else compact_json(prepared)
        return text.encode("utf-8")
    digest = hashlib.sha256(_text(prepared, profile).encode("utf-8"))
    if profile.context_binding is ContextBinding.HEXADECIMAL_DIGEST:
        return digest.hexdigest().encode("ascii")
    return digest.digest()


def is_confused(context: ContextLike, profile: Profile) -> bool:
    """Tell whether another context gives the same associated data under a profile."""
    return profile.context_binding is not ContextBinding.JSON and is_ambiguous(context)


def is_ambiguous(context: ContextLike) -> bool:
    """Tell whether another context gives the same associated data by the service's rule.

    It is so if the joined text has two `=` or more: that text is also one pair, and each `=` can be
    what ends its key. So every context of two pairs or more is ambiguous, and a single pair is if
    its key or value holds an `=`. Takes time linear in the length of the context, and is so for
    every profile that binds a digest; one that binds the JSON text confuses no contexts.

    Raises `TypeError` if the context is no mapping, and `InvalidContextError` as
    `EncryptionContext` does.
    """
    pairs = _prepare(context).items()
    return sum(1 + key.count("=") + value.count("=") for key, value in pairs) > _UNIQUE


def collisions(
    context: ContextLike, *, profile: Profile = Profile.ALIBABA
) -> Iterator[EncryptionContext]:
    """Yield, one after the other, every other context that gives the same associated data.

    There can be exponentially many: take as many as are wanted. Each is one that
    `EncryptionContext` takes. Only the sort order of the profile matters; under one that binds the
    JSON text there are none.

    Raises `TypeError` if the context is no mapping or the profile none of the service's layout,
    and `InvalidContextError` as `EncryptionContext` does, at once.
    """
    check_service(profile)
    prepared = _prepare(context)
    if profile.context_binding is ContextBinding.JSON:
        return iter(())
    return _others(prepared, profile)


def check_service(profile: Profile) -> None:
    """Raise `TypeError` unless the profile is one of the service's layout."""
    check_instance(profile, Profile, "profile")
    if profile.is_v1:
        raise TypeError("profile must be one of the service's layout, not v1")


def _prepare(context: ContextLike) -> EncryptionContext:
    """Return the context, checked."""
    return context if type(context) is EncryptionContext else EncryptionContext(context)


def _order(key: str, profile: Profile) -> bytes:
    """Return what a key is sorted by; UTF-8 sorts as code points do."""
    return key.encode("utf-16-be" if profile.sort_order is SortOrder.UTF_16 else "utf-8")


def _text(context: EncryptionContext, profile: Profile) -> str:
    """Return the joined pairs."""
    keys = sorted(context, key=lambda key: _order(key, profile))
    return "&".join(f"{key}={context[key]}" for key in keys)


def _others(context: EncryptionContext, profile: Profile) -> Iterator[EncryptionContext]:
    """Yield every reading of the context's text but the context itself."""
    for pairs in _readings(_text(context, profile), profile):
        if pairs != context:
            yield EncryptionContext(pairs)


def _readings(text: str, profile: Profile) -> Iterator[dict[str, str]]:
    """Yield every map of which `text` is the joined form, none of them twice.

    Without recursion: there may be thousands of pairs. `path` has the pairs before the one that the
    last iterator on the stack is choosing, so every choice that is no last pair makes both longer.
    """
    # In its canonical form a context of n pairs has 2 n + 3 bytes more than its text. Beyond the
    # limit no branch is entered: there can be exponentially many of them.
    most = (MAX_CANONICAL_LENGTH - 3 - len(text.encode("utf-8"))) // 2
    path: list[tuple[str, str]] = []
    stack = [_choices(text, 0, None, profile)]
    while stack:
        choice = next(stack[-1], None)
        if choice is None:
            stack.pop()
            if path:
                path.pop()
            continue
        key, value, rest = choice
        if rest is None:
            yield dict([*path, (key, value)])
        elif len(stack) < most:
            path.append((key, value))
            stack.append(_choices(text, rest, key, profile))


def _choices(
    text: str, start: int, previous: str | None, profile: Profile
) -> Iterator[tuple[str, str, int | None]]:
    """Yield the pairs that may stand at `start`, and where the next begins or `None`.

    A key must be greater than the one before it. What is left over for the next pair is enough if
    its longest possible key is greater than this one: of keys with one beginning, the longest is
    the greatest, so no choice leads into a dead end.
    """
    last_end = text.rfind("=")
    for end in _positions(text, "=", start):
        key = text[start:end]
        if previous is not None and _order(key, profile) <= _order(previous, profile):
            continue
        for separator in _positions(text, "&", end + 1):
            longest = text[separator + 1 : last_end]
            if separator < last_end and _order(longest, profile) > _order(key, profile):
                yield key, text[end + 1 : separator], separator + 1
        yield key, text[end + 1 :], None


def _positions(text: str, character: str, start: int) -> Iterator[int]:
    """Yield where a character stands in a text, at `start` or behind it."""
    position = text.find(character, start)
    while position >= 0:
        yield position
        position = text.find(character, position + 1)

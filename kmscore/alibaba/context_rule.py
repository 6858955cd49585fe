"""The service's context rule, and its ambiguous contexts.

The associated data is the SHA-256 of `key=value` pairs, sorted by key and joined with `&`, in
UTF-8. The rule escapes no character, so different contexts can have the same text, for example
`{"a": "1&b=2"}` and `{"a": "1", "b": "2"}`. A context of two or more pairs always has the same text
as another context: one pair, with a value that contains the rest. The context `None` gives no
associated data.

A profile can use the JSON text of the context instead (`ContextBinding.JSON`). Different contexts
then have different texts, because a JSON text has exactly one mapping.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore._typecheck import check_instance, check_mapping
from kmscore.alibaba.json_context import JsonContext, compact_json
from kmscore.alibaba.profile import ContextBinding, Profile, SortOrder
from kmscore.context import MAX_CANONICAL_LENGTH, ContextLike, EncryptionContext
from kmscore.errors import InvalidContextError

_UNIQUE: Final = 1  # with so many `=`, a text has only one reading


def associated_data(context: ContextLike, profile: Profile, *, allow_ambiguous: bool) -> bytes:
    """Return the associated data of a blob in the service's layout: a digest, or the JSON text.

    `None` gives no associated data. `{}` gives the digest of the empty text or the JSON text `{}`,
    or no associated data if the profile sets `empty_is_absent`.

    Raises `TypeError` if the context is not a mapping. Raises `InvalidContextError` if it breaks
    the rules of `EncryptionContext`, or if it is ambiguous and `allow_ambiguous` is false.
    """
    check_mapping(context, "context")
    if context is None:
        return b""
    prepared = _prepare(context)
    if not prepared and profile.empty_is_absent:
        return b""
    if not allow_ambiguous and is_confused(prepared, profile):
        raise InvalidContextError(
            "ambiguous encryption context: another context has the same associated data;"
            " pass allow_ambiguous=True to accept it"
        )
    if profile.context_binding is ContextBinding.JSON:
        text = context.text if isinstance(context, JsonContext) else compact_json(prepared)
        return text.encode("utf-8")
    digest = hashlib.sha256(_text(prepared, profile).encode("utf-8"))
    if profile.context_binding is ContextBinding.HEXADECIMAL_DIGEST:
        return digest.hexdigest().encode("ascii")
    return digest.digest()


def is_confused(context: ContextLike, profile: Profile) -> bool:
    """Return whether another context gives the same associated data under a profile."""
    return profile.context_binding is not ContextBinding.JSON and is_ambiguous(context)


def is_ambiguous(context: ContextLike) -> bool:
    """Return whether another context gives the same associated data by the service's rule.

    A context is ambiguous if its joined text contains two or more `=`, because each `=` can be the
    end of the first key. Every context of two or more pairs is therefore ambiguous, and a single
    pair is ambiguous if its key or value contains an `=`. The result is valid for every profile
    that uses a digest; with `ContextBinding.JSON` no context is ambiguous.

    The function takes time linear in the length of the context.

    Args:
        context: The encryption context. `None` and `{}` are not ambiguous.

    Returns:
        `True` if the context is ambiguous.

    Raises:
        TypeError: If `context` is not a mapping or `None`.
        InvalidContextError: If a key or value is not a string that UTF-8 can encode, or if the
            canonical form is longer than 65,535 bytes.
    """
    pairs = _prepare(context).items()
    return sum(1 + key.count("=") + value.count("=") for key, value in pairs) > _UNIQUE


def collisions(
    context: ContextLike, *, profile: Profile = Profile.ALIBABA
) -> Iterator[EncryptionContext]:
    """Iterate over all other contexts that give the same associated data.

    The number of these contexts can be exponential in the length of `context`, so read only as many
    as you need.

    Args:
        context: The encryption context. `None` is treated as `{}`.
        profile: A profile of the service's layout. The result depends only on its sort order; with
            `ContextBinding.JSON` there are no such contexts.

    Returns:
        An iterator over the other contexts, each of them once.

    Raises:
        TypeError: If `profile` is not a profile of the service's layout, or if `context` is not a
            mapping or `None`. All errors are raised by the call, before the first iteration.
        InvalidContextError: If a key or value is not a string that UTF-8 can encode, or if the
            canonical form is longer than 65,535 bytes.
    """
    check_service(profile)
    prepared = _prepare(context)
    if profile.context_binding is ContextBinding.JSON:
        return iter(())
    return _others(prepared, profile)


def check_service(profile: Profile) -> None:
    """Raise `TypeError` unless `profile` is a profile of the service's layout."""
    check_instance(profile, Profile, "profile")
    if profile.is_v1:
        raise TypeError("profile must be one of the service's layout, not v1")


def _prepare(context: ContextLike) -> EncryptionContext:
    """Return the context as an `EncryptionContext`."""
    return context if type(context) is EncryptionContext else EncryptionContext(context)


def _order(key: str, profile: Profile) -> bytes:
    """Return the bytes that sort a key; UTF-8 gives the same order as code points."""
    return key.encode("utf-16-be" if profile.sort_order is SortOrder.UTF_16 else "utf-8")


def _text(context: EncryptionContext, profile: Profile) -> str:
    """Return the joined text of the sorted pairs."""
    keys = sorted(context, key=lambda key: _order(key, profile))
    return "&".join(f"{key}={context[key]}" for key in keys)


def _others(context: EncryptionContext, profile: Profile) -> Iterator[EncryptionContext]:
    """Yield every other context with the same joined text."""
    for pairs in _readings(_text(context, profile), profile):
        if pairs != context:
            yield EncryptionContext(pairs)


def _readings(text: str, profile: Profile) -> Iterator[dict[str, str]]:
    """Yield every mapping with the joined form `text`, each of them once.

    The function uses a stack instead of recursion, because a text can have thousands of pairs.
    `path` contains the pairs before the pair of the last iterator on the stack. Every choice that
    is not a last pair adds one element to both.
    """
    # The canonical form of a context of n pairs has 2 n + 3 bytes more than its text. Branches over
    # the limit are skipped, because there can be exponentially many of them.
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
    """Yield the possible pairs at `start`, each with the start of the next pair or `None`.

    A key must be greater than the previous key. The rest of the text is enough for a next pair if
    the longest possible key there is greater than this key. This is because the longest of the keys
    with a common start is the greatest. Every choice therefore leads to a complete mapping.
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
    """Yield the positions of a character in a text, from `start` on."""
    position = text.find(character, start)
    while position >= 0:
        yield position
        position = text.find(character, position + 1)

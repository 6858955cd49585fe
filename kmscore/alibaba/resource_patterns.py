"""Patterns of resource names in policies: their form, and the names that they match."""

from collections.abc import Iterable, Sequence
from typing import Final

from kmscore.alibaba.policy_conditions import matches

_SEGMENTS: Final = 5  # of a resource name: acs:kms:REGION:ACCOUNT:key/KEYID
_REGION_AND_ACCOUNT: Final = frozenset({2, 3})  # the indexes of the parts that can be `*`
_CONTAINERS: Final = frozenset({"key", "alias", "secret"})
"""The last parts of the names of containers, such as `acs:kms:REGION:ACCOUNT:key`."""


def is_resource_pattern(pattern: str) -> bool:
    """Return whether a pattern can match resource names of any service.

    A pattern of KMS must be able to match a key, or must name another kind of resource.
    """
    if pattern == "*":
        return True
    parts = _parts(pattern)
    if len(parts) < _SEGMENTS or not matches(parts[0], "acs"):
        return False
    # Other policy languages read `?` as a wildcard, so `acs:k?s:*:*:key/a` can be meant for KMS.
    if not pattern.isprintable() or " " in pattern or "?" in pattern:
        return False
    service, relative = parts[1], parts[4]
    if not matches(service.lower(), "kms"):
        return True
    # An empty region or account is in no resource name with a region and an account.
    if not matches(service, "kms") or "" in parts:
        return False
    # A pattern of keys, or exactly another kind. A pattern of no key would deny nothing.
    kind = relative.partition("/")[0]
    return kind in _CONTAINERS or _can_begin(relative, "key/")


def matches_resource(pattern: str, resource: str) -> bool:
    """Return whether a resource name matches a pattern.

    Each part is matched separately because a key ID can contain colons. With `acs:kms:*:*:key/a`,
    the key `x:key/a` must not match.
    """
    patterns, parts = _parts(pattern), resource.split(":", _SEGMENTS - 1)
    if len(parts) < _SEGMENTS:
        return matches(pattern, resource)
    return all(
        matches(each, part) or (index in _REGION_AND_ACCOUNT and part == "*")
        for index, (each, part) in enumerate(zip(patterns, parts, strict=True))
    )


def is_only_elsewhere(patterns: Iterable[str], place: Sequence[str]) -> bool:
    """Return whether patterns name resources of a service, but none in its region and account.

    The four parts of `place` are those of `acs:kms:REGION:ACCOUNT`.
    """
    of_service = [parts for parts in map(_parts, patterns) if all(map(matches, parts, place[:2]))]
    is_here = any(all(map(matches, parts, place)) for parts in of_service)
    return bool(of_service) and not is_here


def _parts(pattern: str) -> list[str]:
    """Return the five parts of a pattern. A last part `*` also replaces all missing parts."""
    parts = pattern.split(":", _SEGMENTS - 1)
    if parts[-1] == "*":
        parts += ["*"] * (_SEGMENTS - len(parts))
    return parts


def _can_begin(pattern: str, start: str) -> bool:
    """Return whether a pattern can match a text that begins with `start`."""
    first, star, _ = pattern.partition("*")
    return first.startswith(start) or (bool(star) and start.startswith(first))

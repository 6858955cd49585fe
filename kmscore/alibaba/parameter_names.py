"""The names of parameters in requests: flattened contexts, and names in another case.

Some clients of the vendor send a context as one parameter per pair, in one of two forms. Both forms
are converted to the JSON text with the same pairs. The rules and the limit of the JSON form
therefore apply to all three forms:

    ==============================================  =====================
    parameters                                      JSON text
    ==============================================  =====================
    `EncryptionContext.tenant=acme`                 `{"tenant":"acme"}`
    `EncryptionContext.1.Key=tenant`, and           `{"tenant":"acme"}`
    `EncryptionContext.1.Value=acme`
    ==============================================  =====================

The second form applies if every suffix is `N.Key` or `N.Value`. In the first form, the key is
everything after the first dot, so `EncryptionContext.=x` has the empty key.

An ignored context would give a ciphertext that is not bound to it. For this reason, the following
are errors: a name that differs from a known name only in case, a context in brackets, and a context
that the action does not have. Other unknown names are ignored, as in the service.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Final

from kmscore.alibaba.json_context import compact_json
from kmscore.alibaba.parameters import ACTIONS, DRY_RUN, Action, exact_text, is_absent
from kmscore.alibaba.service_errors import RequestError, invalid_parameter
from kmscore.context import MAX_JSON_LENGTH

CONTEXTS: Final = ("EncryptionContext", "SourceEncryptionContext", "DestinationEncryptionContext")
"""The parameters that can be flattened."""

ACTION: Final = "Action"


def names_of(actions: Iterable[Action]) -> frozenset[str]:
    """Return the name of every parameter of any of the actions."""
    rows = chain.from_iterable(action.parameters for action in actions)
    return frozenset({ACTION, DRY_RUN.name, *(row.name for row in rows)})


KNOWN: Final = names_of(ACTIONS.values())
"""The name of every parameter of any action of this package."""

_END_OF_HEAD: Final = re.compile(r"[.\[]")
_LISTED: Final = re.compile(r"(?:0|[1-9][0-9]*)\.(?:Key|Value)")

# A pair has at least six characters in JSON, and at most two parameters.
_MOST_FLATTENED: Final = MAX_JSON_LENGTH // 6 * 2


def by_exact_name(params: Mapping[Any, object]) -> dict[str, object]:
    """Return the parameters with names as plain `str`, without names that are not a `str`."""
    named = ((exact_text(name), value) for name, value in dict(params).items())
    return {name: value for name, value in named if name is not None}


def misspelt_names(params: Mapping[str, object], known: frozenset[str] = KNOWN) -> frozenset[str]:
    """Return the known names that a request contains in another case.

    The part of a name before a dot or a bracket is also compared with the names of contexts.
    """
    unknown = [name for name in params if name not in known]
    if not unknown:
        return frozenset()
    by_casefold = {name.casefold(): name for name in known}
    return known.intersection(_misspelt(name, by_casefold) for name in unknown)


def check_spelling(misspelt: frozenset[str]) -> None:
    """Raise `RequestError` for the alphabetically first of the names, if there are any."""
    if misspelt:
        raise RequestError(invalid_parameter(min(misspelt)))


def _misspelt(name: str, by_casefold: Mapping[str, str]) -> str | None:
    """Return the known name that an unknown name misspells, or `None` if there is none."""
    head = _END_OF_HEAD.split(name)[0]
    known = by_casefold.get(head.casefold())
    rest = name.removeprefix(head)
    if not rest:
        return known
    is_flattened = head in CONTEXTS and rest.startswith(".")
    return known if known in CONTEXTS and not is_flattened else None


def gather_contexts(action: Action, params: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters with each flattened context as one JSON text under its own name.

    Raises `RequestError` for a flattened context that is malformed, too long, or also given in
    JSON, and for a context that the action does not have.
    """
    gathered: dict[str, object] = {}
    flattened: dict[str, dict[str, object]] = {}
    for name, value in params.items():
        head, dot, suffix = name.partition(".")
        if dot and head in CONTEXTS:
            flattened.setdefault(head, {})[suffix] = value
        else:
            gathered[name] = value
    for name in CONTEXTS:
        if name in flattened:
            text = _json_of(flattened[name]) if is_absent(gathered.get(name)) else None
            if text is None:
                raise RequestError(invalid_parameter(name))
            gathered[name] = text
        is_taken = any(name == parameter.name for parameter in action.parameters)
        if not is_taken and not is_absent(gathered.get(name)):
            raise RequestError(invalid_parameter(name))
    return gathered


def _json_of(fields: Mapping[str, object]) -> str | None:
    """Return the JSON text of a flattened context, or `None` if it is malformed or too large."""
    if len(fields) > _MOST_FLATTENED:
        return None
    texts: dict[str, str] = {}
    for suffix, value in fields.items():
        text = exact_text(value)
        if text is None:
            return None
        texts[suffix] = text
    pairs = _pairs(texts)
    return None if pairs is None else compact_json(pairs)


def _pairs(texts: dict[str, str]) -> dict[str, str] | None:
    """Return the pairs of a flattened context, or `None` if it is a malformed numbered list."""
    if not any(map(_LISTED.fullmatch, texts)):
        return texts
    pairs: dict[str, str] = {}
    for number in range(1, len(texts) // 2 + 1):
        key, value = texts.get(f"{number}.Key"), texts.get(f"{number}.Value")
        if key is None or value is None:
            return None
        pairs[key] = value
    # There are fewer pairs if a key is repeated, or if there are other suffixes.
    return pairs if 2 * len(pairs) == len(texts) else None

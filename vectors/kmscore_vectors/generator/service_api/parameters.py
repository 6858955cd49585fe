"""The vectors of unknown actions, and of missing and empty parameters."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    ARCHIVE,
    MESSAGE,
    PAIR,
    V1,
    Requests,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.table import (
    ACTIONS,
    BAD_CIPHERTEXT,
    UNSUPPORTED,
    invalid,
    missing,
)
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "UnknownAction": Note(
        "The action is none of the nine, or there is none.",
        "Another action takes its place, with the permission of neither.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "MissingParameter": Note(
        "A required parameter is not there.",
        "A default takes its place: another key, another algorithm, or no context.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "EmptyParameter": Note(
        "A parameter is the empty text: an optional one is absent, and one that is needed missing.",
        "An empty text is taken for a value: a context without pairs, or a key without a name.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests, all in the layout v1, because both layouts read parameters alike."""
    if requests is V1:
        yield from _actions()
        yield from _missing()
        yield from _empty()


def without(params: dict[str, str], name: str) -> dict[str, str]:
    """Return a request without one of its parameters."""
    return {key: value for key, value in params.items() if key != name}


def _actions() -> Iterator[Case]:
    """Yield requests with a missing or unknown action."""
    right = V1.right("Decrypt")
    for name in ("Sign", "ListKeys", "decrypt", "DECRYPT", " Decrypt", "Decrypt\n"):
        yield V1.rejected(
            f"the action is {name.strip()!r} in {len(name)} characters", "UnknownAction", "action",
            UNSUPPORTED, {**right, "Action": name},
        )  # fmt: skip
    yield V1.rejected(
        "no action", "UnknownAction", "action", missing("Action"), without(right, "Action")
    )
    yield V1.rejected(
        "an unknown action as a dry run", "UnknownAction", "action", UNSUPPORTED.when_dry,
        {"Action": "Sign", "DryRun": "true"},
    )  # fmt: skip
    yield V1.rejected(
        "no action, as a dry run", "UnknownAction", "action", missing("Action").when_dry,
        {"DryRun": "true"},
    )  # fmt: skip
    yield V1.rejected(
        "an unknown action, and DryRun is wrong", "UnknownAction", "dry run", invalid("DryRun"),
        {"Action": "Sign", "DryRun": "yes"},
    )  # fmt: skip
    yield V1.rejected(
        "an unknown action, and nothing is permitted", "UnknownAction", "action", UNSUPPORTED,
        {"Action": "Sign"}, policy(),
    )  # fmt: skip


def _missing() -> Iterator[Case]:
    """Yield requests without a parameter that is required."""
    for action, row in ACTIONS.items():
        right = V1.right(action)
        for name in row.required:
            yield V1.rejected(
                f"{action} without {name}", "MissingParameter", "parameters", missing(name),
                without(right, name),
            )  # fmt: skip
        yield V1.rejected(
            f"{action} alone", "MissingParameter", "parameters", missing(row.required[0]),
            {"Action": action},
        )  # fmt: skip


def _empty() -> Iterator[Case]:
    """Yield requests with an empty parameter."""
    yield V1.rejected(
        "Action",
        "EmptyParameter",
        "action",
        missing("Action"),
        {**V1.right("Decrypt"), "Action": ""},
    )
    for action, row in ACTIONS.items():
        right = V1.right(action)
        for name in row.required:
            if name != "Plaintext":
                yield V1.rejected(
                    f"{name} of {action}", "EmptyParameter", "parameters", missing(name),
                    {**right, name: ""},
                )  # fmt: skip
        for name in row.optional:
            if not name.endswith("Context") or "CiphertextBlob" not in right:
                params = {**right, name: ""}
                yield V1.passed(f"{name} of {action}", "EmptyParameter", params)
        if len(row.optional) > 1 or ("CiphertextBlob" in row.required and row.optional):
            yield V1.passed(f"all of {action}", "EmptyParameter", _without_context(action))
    for context, blob in (("", ()), ("", PAIR), ("{}", ())):
        params = {
            "Action": "Decrypt",
            "CiphertextBlob": to_base64(V1.blob(ARCHIVE, MESSAGE, blob)),
            "EncryptionContext": context,
            "DryRun": "",
        }
        comment = f"the context {context!r}, for a blob that is bound to {len(blob)} pairs"
        if blob:
            yield V1.rejected(comment, "EmptyParameter", "operation", BAD_CIPHERTEXT, params)
        else:
            yield V1.answered(comment, "EmptyParameter", ARCHIVE, MESSAGE, params)


def _without_context(action: str) -> dict[str, str]:
    """Return a request with all optional parameters empty and a blob without a context."""
    right = V1.right(action) | dict.fromkeys(ACTIONS[action].optional, "")
    if "CiphertextBlob" in right and action != "AsymmetricDecrypt":
        right["CiphertextBlob"] = to_base64(V1.blob(ARCHIVE, MESSAGE, ()))
    return right

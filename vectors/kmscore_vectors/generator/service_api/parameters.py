"""The vectors of missing, empty and wrong parameters."""

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

_MOST_PLAINTEXT: Final = 6144
_LONG_BASE64: Final = "A" * 16_388

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
    "InvalidParameter": Note(
        "A parameter is not as it has to be.",
        "What is not understood is guessed, cut or ignored.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "InvalidBase64": Note(
        "A parameter is not strict Base64 (RFC 4648 section 4).",
        "Many texts for one value, or bytes that are dropped on the way.",
        ("https://www.rfc-editor.org/rfc/rfc4648#section-12",),
        bug_type=BugType.MALLEABILITY,
        severity=Severity.STRICT,
        section="RFC 4648 section 3.5; SPEC section 14.1",
    ),
}

_WRONG: Final[dict[str, dict[str, str]]] = {
    "EncryptionContext": {
        "an array": "[]",
        "null": "null",
        "a number as a value": '{"a":1}',
        "null as a value": '{"a":null}',
        "a key twice": '{"a":"b","a":"c"}',
        "half a surrogate pair": '{"a":"\\ud83d"}',
        "single quotes": "{'a':'b'}",
        "something behind it": '{"a":"b"}x',
    },
    "Algorithm": {
        "another hash": "RSAES_OAEP_SHA_512",
        "small letters": "rsaes_oaep_sha_1",
        "PKCS #1 v1.5": "RSAES_PKCS1_V1_5",
        "a cipher": "AES_256_GCM",
    },
    "KeySpec": {
        "AES_192": "AES_192",
        "small letters": "aes_256",
        "the spec of a key": "Aliyun_AES_256",
    },
    "WrappingKeySpec": {
        "RSA_3072": "RSA_3072",
        "a curve of others": "EC_P256",
        "small letters": "rsa_2048",
    },
    "DryRun": {
        "yes": "yes",
        "one": "1",
        "a space before it": " true",
        "null": "null",
    },
}
_NOT_BASE64: Final = {
    "another character": "*",
    "no padding": "QQ",
    "half the padding": "QQ=",
    "a space before it": " QQ==",
    "a line feed behind it": "QQ==\n",
    "stray bits": "QR==",
    "the alphabet for URLs": "-_8=",
    "padding alone": "====",
    "outside ASCII": "\u00e9\u00e9\u00e9\u00e9",
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests, all in the layout v1, because both layouts read parameters alike."""
    if requests is V1:
        yield from _actions()
        yield from _missing()
        yield from _empty()
        yield from _wrong()
        yield from _order()


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


def reject(flag: str, comment: str, action: str, name: str, text: str) -> Case:
    """Return a request with a wrong parameter."""
    params = {**V1.right(action), name: text}
    step = "dry run" if name == "DryRun" else "parameters"
    return V1.rejected(f"{name} of {action}: {comment}", flag, step, invalid(name), params)


def _wrong() -> Iterator[Case]:
    """Yield requests with one wrong parameter."""
    for action, name in (
        ("Encrypt", "EncryptionContext"),
        ("AsymmetricDecrypt", "Algorithm"),
        ("GenerateDataKey", "KeySpec"),
        ("ExportDataKey", "WrappingKeySpec"),
        ("Decrypt", "DryRun"),
    ):
        for comment, text in _WRONG[name].items():
            yield reject("InvalidParameter", comment, action, name, text)
    for action, name, kind in (
        ("Decrypt", "EncryptionContext", "EncryptionContext"),
        ("GenerateDataKey", "EncryptionContext", "EncryptionContext"),
        ("GenerateDataKeyWithoutPlaintext", "EncryptionContext", "EncryptionContext"),
        ("ExportDataKey", "EncryptionContext", "EncryptionContext"),
        ("GenerateAndExportDataKey", "EncryptionContext", "EncryptionContext"),
        ("ReEncrypt", "SourceEncryptionContext", "EncryptionContext"),
        ("ReEncrypt", "DestinationEncryptionContext", "EncryptionContext"),
        ("ReEncrypt", "SourceEncryptionAlgorithm", "Algorithm"),
        ("ExportDataKey", "WrappingAlgorithm", "Algorithm"),
        ("GenerateAndExportDataKey", "WrappingAlgorithm", "Algorithm"),
        ("AsymmetricEncrypt", "Algorithm", "Algorithm"),
        ("GenerateDataKeyWithoutPlaintext", "KeySpec", "KeySpec"),
        ("GenerateAndExportDataKey", "KeySpec", "KeySpec"),
        ("GenerateAndExportDataKey", "WrappingKeySpec", "WrappingKeySpec"),
    ):
        comment, text = list(_WRONG[kind].items())[1]
        yield reject("InvalidParameter", comment, action, name, text)
    for comment, text in _NOT_BASE64.items():
        yield reject("InvalidBase64", comment, "Decrypt", "CiphertextBlob", text)
    for action, name in (
        ("ReEncrypt", "CiphertextBlob"),
        ("ExportDataKey", "CiphertextBlob"),
        ("AsymmetricDecrypt", "CiphertextBlob"),
        ("Encrypt", "Plaintext"),
        ("AsymmetricEncrypt", "Plaintext"),
        ("ExportDataKey", "PublicKeyBlob"),
    ):
        for comment in ("no padding", "stray bits"):
            yield reject("InvalidBase64", comment, action, name, _NOT_BASE64[comment])
        comment = "16,388 characters"
        yield reject("InvalidParameter", comment, action, name, _LONG_BASE64)
    long = to_base64(bytes(_MOST_PLAINTEXT + 1))
    for action in ("Encrypt", "AsymmetricEncrypt"):
        yield reject("InvalidParameter", "6,145 bytes", action, "Plaintext", long)


def _order() -> Iterator[Case]:
    """Yield requests with two faults: a missing parameter is reported first, then table order."""
    right = V1.right("Encrypt")
    for comment, rejection, params in (
        ("the first of two that are wrong", invalid("Plaintext"), {"Plaintext": "*"}),
        ("one missing, and one is wrong", missing("Plaintext"), {}),
    ):
        both = {**right, "EncryptionContext": "x", **params}
        if rejection.code == "MissingParameter":
            both = without(both, "Plaintext")
        yield V1.rejected(comment, "InvalidParameter", "parameters", rejection, both)
    yield V1.rejected(
        "DryRun is wrong, and all else is missing", "InvalidParameter", "dry run",
        invalid("DryRun"), {"Action": "Encrypt", "DryRun": "yes"},
    )  # fmt: skip
    yield V1.rejected(
        "a context is wrong, and nothing is permitted", "InvalidParameter", "parameters",
        invalid("EncryptionContext"), {**right, "EncryptionContext": "x"}, policy(),
    )  # fmt: skip

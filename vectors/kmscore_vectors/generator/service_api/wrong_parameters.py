"""The vectors of wrong parameters, and of a wrong parameter with a second fault."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import V1, Requests, policy, to_base64
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import invalid, missing
from kmscore_vectors.tables import BugType, Severity

_MOST_PLAINTEXT: Final = 6144
_LONG_BASE64: Final = "A" * 16_388

NOTES: Final = {
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
        yield from _wrong()
        yield from _order()


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

"""The vectors of keys that are missing, not enabled, or for another use."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.keys.keyring import rsa_ciphertext
from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    ARCHIVE,
    MESSAGE,
    ORDERS,
    RSA,
    SERVICE,
    UNKNOWN_VERSION,
    UNUSABLE,
    V1,
    WITH_KEY_ID,
    XAES,
    Requests,
    alias_name,
    asymmetric,
    key_name,
    to_base64,
)
from kmscore_vectors.generator.service_api.table import (
    NO_ALIAS,
    NO_KEY,
    NO_VERSION,
    UNSUPPORTED,
    Rejection,
    rejected,
)
from kmscore_vectors.generator.shared_texts import (
    KEY_OF_ANOTHER_ALGORITHM,
    KEY_STILL_IN_USE,
    TRIAL_DECRYPTION,
)
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "NotFound": Note(
        "No key, key version or alias has this name.",
        TRIAL_DECRYPTION,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "KeyState": Note(
        "The key is disabled, pending deletion or pending import.",
        KEY_STILL_IN_USE,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "KeyUsage": Note(
        "The key is there and the action does not go with it.",
        KEY_OF_ANOTHER_ALGORITHM,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout."""
    yield from _not_found(requests)
    yield from _states(requests)
    yield from _usage(requests)
    if requests is SERVICE:
        yield from _service_usage()


def _not_found(requests: Requests) -> Iterator[Case]:
    """Yield requests for missing objects, by a caller with all permissions."""
    yield from _missing_by_action(requests)
    yield from _missing_names(requests)
    yield from _lengths_of_names(requests)
    yield from _missing_in_blobs(requests)
    yield from _characters_of_names(requests)
    for comment, name in (("key", "unknown"), ("resource", key_name("unknown"))):
        params = {**requests.right("ReEncrypt"), "DestinationKeyId": name}
        yield requests.rejected(
            f"ReEncrypt, destination, {comment}", "NotFound", "operation", NO_KEY, params
        )


def _missing_by_action(requests: Requests) -> Iterator[Case]:
    """Yield requests of each action for missing keys, aliases and versions."""
    for action in WITH_KEY_ID:
        right = requests.right(action)
        for comment, name, rejection, step in (
            ("key", "unknown", NO_KEY, "operation"),
            ("alias", "alias/unknown", NO_ALIAS, "existence"),
            ("resource", "acs:kms:::secret/unknown", NO_KEY, "existence"),
        ):
            yield requests.rejected(
                f"{action}, {comment}", "NotFound", step, rejection, {**right, "KeyId": name}
            )
        if "KeyVersionId" in right:
            params = {**right, "KeyVersionId": "unknown"}
            yield requests.rejected(
                f"{action}, version", "NotFound", "operation", NO_VERSION, params
            )  # fmt: skip


def _missing_names(requests: Requests) -> Iterator[Case]:
    """Yield names that denote no key."""
    right = requests.right("Encrypt")
    for comment, name, rejection, step in (
        ("a key ID in capitals", "ORDERS", NO_KEY, "operation"),
        ("a key ID outside ASCII", "\u00f6rders", NO_KEY, "operation"),
        ("a path", "../orders", NO_KEY, "operation"),
        ("an alias of a key that is not", "alias/nothing", NO_KEY, "operation"),
        ("the resource name of a key that is not", key_name("nothing"), NO_KEY, "operation"),
        ("the resource name of an alias that is not", alias_name("x"), NO_ALIAS, "existence"),
        ("an alias in capitals", "alias/ORDERS", NO_ALIAS, "existence"),
        ("a resource name with a line feed", "acs:kms:\n::key/orders", NO_KEY, "existence"),
        (
            "the resource name of a key of another service",
            "acs:oss:::key/orders",
            NO_KEY,
            "existence",
        ),
        ("a resource name with U+2028", "acs:kms:\u2028::key/orders", NO_KEY, "existence"),
    ):
        params = {**right, "KeyId": name}
        yield requests.rejected(comment, "NotFound", step, rejection, params)


def _lengths_of_names(requests: Requests) -> Iterator[Case]:
    """Yield resource names of the greatest length, and of one character more."""
    right = requests.right("Encrypt")
    for kind, character in (("", "r"), (" beyond the basic plane", "\U0001f511")):
        most, more = (_long_name(length, character) for length in (512, 513))
        comment = f"a resource name of 512 characters{kind}"
        yield requests.passed(comment, "NotFound", {**right, "KeyId": most})
        comment = f"a resource name of 513 characters{kind}"
        yield requests.rejected(comment, "NotFound", "existence", NO_KEY, {**right, "KeyId": more})


def _missing_in_blobs(requests: Requests) -> Iterator[Case]:
    """Yield blobs of missing keys and key versions."""
    version = ORDERS[0].key_version_id.encode()
    unknown = requests.blob(ORDERS[0]).replace(version, UNKNOWN_VERSION)
    step = "operation" if requests is V1 else "existence"
    for action in ("Decrypt", "ReEncrypt", "ExportDataKey"):
        params = {**requests.right(action), "CiphertextBlob": to_base64(unknown)}
        yield requests.rejected(
            f"{action}, the version in the blob", "NotFound", step, NO_VERSION, params
        )
    params = {
        **requests.right("ReEncrypt"),
        "CiphertextBlob": to_base64(unknown),
        "DestinationKeyId": "acs:kms:::secret/x",
    }
    first = NO_KEY if requests is V1 else NO_VERSION
    yield requests.rejected(
        "the version in the blob, and the destination", "NotFound", "existence", first, params
    )
    if requests is V1:
        other = V1.blob(ORDERS[0]).replace(b"orders", b"orderz")
        params = {**V1.right("Decrypt"), "CiphertextBlob": to_base64(other)}
        yield V1.rejected("the key in the blob", "NotFound", "operation", NO_KEY, params)


def _characters_of_names(requests: Requests) -> Iterator[Case]:
    """Yield resource names with characters of different categories."""
    right = requests.right("Encrypt")
    for character in "\x7f\u00a0\u00ad\u200b\u3000\ud800\ue000\uffff":
        comment = f"a resource name with U+{ord(character):04X}"
        params = {**right, "KeyId": f"acs:kms:r{character}::key/orders"}
        yield requests.rejected(comment, "NotFound", "existence", NO_KEY, params)
    for comment, character in (("a space", " "), ("a mark", "\u0301"), ("a symbol", "\U0001f511")):
        params = {**right, "KeyId": f"acs:kms:r{character}::key/orders"}
        yield requests.passed(f"a resource name with {comment}", "NotFound", params)


def _long_name(length: int, character: str) -> str:
    """Return a resource name of an existing key, with the given number of characters."""
    name = "acs:kms:::key/orders"
    return name.replace("::", f":{character * (length - len(name))}:", 1)


def _states(requests: Requests) -> Iterator[Case]:
    """Yield keys that are not enabled."""
    for key in UNUSABLE:
        sealed = {"CiphertextBlob": to_base64(requests.blob(key))}
        rejection = rejected(key.state)
        for action, params in (
            ("Encrypt", {"KeyId": key.key_id}),
            ("GenerateDataKey", {"KeyId": key.key_id}),
            ("GenerateDataKeyWithoutPlaintext", {"KeyId": key.key_id}),
            ("GenerateAndExportDataKey", {"KeyId": key.key_id}),
            ("Decrypt", sealed),
            ("ExportDataKey", sealed),
            ("ReEncrypt", sealed),
        ):
            yield requests.rejected(
                f"{action}, {key.state.value}", "KeyState", "operation", rejection,
                {**requests.right(action), **params},
            )  # fmt: skip
        params = {**requests.right("ReEncrypt"), "DestinationKeyId": key.key_id}
        yield requests.rejected(
            f"ReEncrypt, destination, {key.state.value}", "KeyState", "operation", rejection, params
        )
        yield requests.rejected(
            f"ReEncrypt, destination, {key.state.value}, as a dry run", "KeyState", "operation",
            rejection.when_dry, {**params, "DryRun": "true"},
        )  # fmt: skip
    ciphertext = {"CiphertextBlob": to_base64(rsa_ciphertext("RSAES_OAEP_SHA_256", MESSAGE))}
    disabled = asymmetric(RSA, "RSAES_OAEP_SHA_256") | {"KeyId": "rsa-disabled"}
    params = {"Action": "AsymmetricDecrypt", **disabled, **ciphertext}
    yield requests.rejected(
        "AsymmetricDecrypt, Disabled", "KeyState", "operation", rejected(UNUSABLE[0].state), params
    )


def _usage(requests: Requests) -> Iterator[Case]:
    """Yield keys that do not fit the action."""
    for action in WITH_KEY_ID[:4]:
        params = {**requests.right(action), "KeyId": "rsa"}
        yield requests.rejected(f"{action}, RSA", "KeyUsage", "operation", UNSUPPORTED, params)
    params = {**requests.right("ReEncrypt"), "DestinationKeyId": "sm2"}
    yield requests.rejected("ReEncrypt, to SM2", "KeyUsage", "operation", UNSUPPORTED, params)
    for action in ("AsymmetricEncrypt", "AsymmetricDecrypt"):
        right = requests.right(action)
        symmetric = {"KeyId": ARCHIVE.key_id, "KeyVersionId": ARCHIVE.key_version_id}
        other = "SM2PKE" if right["KeyId"] == "rsa" else "RSAES_OAEP_SHA_1"
        for comment, changes in (
            ("a symmetric key", symmetric),
            ("the algorithm of another key", {"Algorithm": other}),
        ):
            yield requests.rejected(
                f"{action}, {comment}", "KeyUsage", "operation", UNSUPPORTED, {**right, **changes}
            )


def _service_usage() -> Iterator[Case]:
    """Yield keys whose blobs the service's layout does not accept."""
    named: dict[str, tuple[str, Rejection]] = {
        "bound to XAES_256_GCM": (XAES.key_id, UNSUPPORTED),
        "with a version ID that is no UUID": ("unnamed", UNSUPPORTED),
    }
    for comment, (key_id, rejection) in named.items():
        for action in WITH_KEY_ID[:4]:
            params = {**SERVICE.right(action), "KeyId": key_id}
            yield SERVICE.rejected(
                f"{action}, a key {comment}", "KeyUsage", "operation", rejection, params
            )
        params = {**SERVICE.right("ReEncrypt"), "DestinationKeyId": key_id}
        yield SERVICE.rejected(
            f"ReEncrypt, to a key {comment}", "KeyUsage", "operation", rejection, params
        )
    sealed = {"CiphertextBlob": to_base64(_blob_under_xaes())}
    for action in ("Decrypt", "ExportDataKey", "ReEncrypt"):
        params = {**SERVICE.right(action), **sealed}
        yield SERVICE.rejected(
            f"{action}, a blob that names a key bound to XAES_256_GCM", "KeyUsage", "operation",
            UNSUPPORTED, params,
        )  # fmt: skip


def _blob_under_xaes() -> bytes:
    """Return a blob that names a key version of XAES_256_GCM."""
    blob = SERVICE.blob(ORDERS[0])
    return XAES.key_version_id.encode() + blob[len(XAES.key_version_id) :]

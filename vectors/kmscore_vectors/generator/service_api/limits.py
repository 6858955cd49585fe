"""The vectors of parameters at their limits, of wrapping keys, and of the dry run."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.identifiers import RSA_ENCRYPTION
from kmscore_vectors.generator.keys.keyring import sm2_parts
from kmscore_vectors.generator.keys.published import RSA_2048, SM2_PKCS8, SM2_SPKI
from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    MESSAGE,
    ORDERS,
    V1,
    Requests,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import (
    ACTIONS,
    BAD_CIPHERTEXT,
    DRY_RUN_PASSED,
    NO_KEY,
    NO_PERMISSION,
    invalid,
    missing,
)
from kmscore_vectors.generator.service_api.wrong_parameters import reject
from kmscore_vectors.generator.shared_texts import IGNORED_DRY_RUN
from kmscore_vectors.generator.wire import der_bits, der_integer, der_sequence
from kmscore_vectors.tables import BugType, Severity

_MOST_PLAINTEXT: Final = 6144

NOTES: Final = {
    "DataKeyLength": Note(
        "The length of a data key, at its limits and beyond.",
        "Data keys of no byte, or of as many as a caller likes.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 14.1",
    ),
    "ParameterLimit": Note(
        "A parameter with the least or the most that it may hold.",
        "What the service takes is rejected.",
        bug_type=BugType.EDGE_CASE,
        severity=Severity.POLICY,
        section="SPEC section 14.1",
    ),
    "IgnoredParameter": Note(
        "Parameters that the action does not take.",
        "Requests of the vendor's clients, which send them, are rejected.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "PublicKey": Note(
        "A wrapping key that is none, or that does not go with its spec or algorithm.",
        "A data key is exported under a key that its owner does not hold.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "DryRun": Note(
        "A dry run of a request that would succeed, which is an error all the same.",
        IGNORED_DRY_RUN,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "DryRunDenied": Note(
        "A dry run of a request that is not permitted.",
        "A caller that tries first learns that it has a permission that it does not have.",
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.2 step 5",
    ),
    "DryRunFails": Note(
        "A dry run of a request that would fail.",
        "A caller that tries first learns of success, and the request then fails.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}
_NOT_LENGTHS: Final = {
    "zero": "0",
    "1,025": "1025",
    "10,000": "10000",
    "negative": "-1",
    "a sign": "+1",
    "a leading zero": "01",
    "a fraction": "1.0",
    "a power": "1e1",
    "a space before it": " 1",
    "a space behind it": "1 ",
    "hexadecimal": "0x10",
    "an underscore": "1_0",
    "a full-width digit": "\uff11",
    "a digit of another script": "\u0661",
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout; the tests of limits use v1, because both layouts share them."""
    yield from _dry_runs(requests)
    if requests is V1:
        yield from _lengths()
        yield from _wrapping()
        yield from _limits()


def _dry_runs(requests: Requests) -> Iterator[Case]:
    """Yield the three outcomes of a dry run (success, denial, failure) for every action."""
    nothing = policy()
    for action in ACTIONS:
        right = requests.right(action)
        dry = {**right, "DryRun": "true"}
        yield requests.passed(action, "DryRun", right)
        yield requests.rejected(
            action, "DryRunDenied", "permission", NO_PERMISSION.when_dry, dry, nothing
        )  # fmt: skip
        name = ACTIONS[action].required[-1]
        yield requests.rejected(
            f"{action} without {name}", "DryRunFails", "parameters", missing(name).when_dry,
            without(dry, name),
        )  # fmt: skip
        key_name = "DestinationKeyId" if action == "ReEncrypt" else "KeyId"
        if key_name in right:
            yield requests.rejected(
                f"{action} with an unknown key", "DryRunFails", "operation", NO_KEY.when_dry,
                {**dry, key_name: "unknown"},
            )  # fmt: skip
        if "CiphertextBlob" in right:
            yield requests.rejected(
                f"{action} of another ciphertext", "DryRunFails",
                "operation" if action == "AsymmetricDecrypt" else "resolve",
                BAD_CIPHERTEXT.when_dry, {**dry, "CiphertextBlob": to_base64(bytes(70))},
            )  # fmt: skip
    for text in ("True", "TRUE", "tRuE"):
        yield requests.rejected(
            f"written {text}", "DryRun", "answer",
            DRY_RUN_PASSED, {**requests.right("Decrypt"), "DryRun": text},
        )  # fmt: skip
    for text in ("false", "False", "FALSE"):
        yield requests.answered(
            f"DryRun is {text}", "Answered", ORDERS[0], MESSAGE,
            {**requests.right("Decrypt"), "DryRun": text},
        )  # fmt: skip


def _lengths() -> Iterator[Case]:
    """Yield lengths of data keys."""
    for comment, text in _NOT_LENGTHS.items():
        yield reject("DataKeyLength", comment, "GenerateDataKey", "NumberOfBytes", text)
    for action in ("GenerateDataKeyWithoutPlaintext", "GenerateAndExportDataKey"):
        for comment in ("zero", "1,025"):
            text = _NOT_LENGTHS[comment]
            yield reject("DataKeyLength", comment, action, "NumberOfBytes", text)
    right = V1.right("GenerateDataKey")
    bare = without(right, "KeySpec")
    yield V1.passed("neither length nor spec", "DataKeyLength", bare)
    for text in ("1", "9", "10", "32", "999", "1000", "1024"):
        yield V1.passed(f"{text} bytes", "DataKeyLength", {**bare, "NumberOfBytes": text})
    yield V1.passed("KeySpec AES_256", "DataKeyLength", {**bare, "KeySpec": "AES_256"})
    yield V1.passed("both", "DataKeyLength", {**right, "NumberOfBytes": "24"})
    yield V1.rejected(
        "both, and the spec is none", "DataKeyLength", "parameters", invalid("KeySpec"),
        {**bare, "NumberOfBytes": "24", "KeySpec": "AES_192"},
    )  # fmt: skip
    export = V1.right("GenerateAndExportDataKey")
    for text in ("1", "190"):
        yield V1.passed(
            f"{text} bytes fit RSA_2048", "DataKeyLength", {**export, "NumberOfBytes": text}
        )
    for text, more in (("191", {}), ("1024", {}), ("191", {"KeySpec": "AES_128"})):
        yield V1.rejected(
            " and ".join((f"{text} bytes do not fit RSA_2048", *more)), "DataKeyLength",
            "operation", invalid("NumberOfBytes"), {**export, "NumberOfBytes": text, **more},
        )  # fmt: skip
    sm2 = {"PublicKeyBlob": to_base64(SM2_SPKI), "WrappingAlgorithm": "SM2PKE",
           "WrappingKeySpec": "EC_SM2"}  # fmt: skip
    yield V1.passed(
        "1,024 bytes fit EC_SM2", "DataKeyLength", {**export, **sm2, "NumberOfBytes": "1024"}
    )


def _three_numbers() -> bytes:
    """Return a public key of RSA with a third number."""
    numbers = map(der_integer, (RSA_2048.n, RSA_2048.e, 1))
    return der_sequence((RSA_ENCRYPTION, der_bits(der_sequence((*numbers,)))))


def _wrapping() -> Iterator[Case]:
    """Yield wrapping keys."""
    rsa, sm2 = to_base64(RSA_2048.spki()), to_base64(SM2_SPKI)
    sha1 = "RSAES_OAEP_SHA_1"
    for action in ("ExportDataKey", "GenerateAndExportDataKey"):
        right = V1.right(action)
        yield V1.passed(f"{action}, RSA", "PublicKey", {**right, "WrappingAlgorithm": sha1})
        yield V1.passed(
            f"{action}, SM2", "PublicKey",
            {**right, "PublicKeyBlob": sm2, "WrappingAlgorithm": "SM2PKE",
             "WrappingKeySpec": "EC_SM2"},
        )  # fmt: skip
        for comment, name, params in (
            ("another spec", "WrappingKeySpec", {"WrappingKeySpec": "EC_SM2"}),
            ("another key", "WrappingKeySpec", {"PublicKeyBlob": sm2}),
            ("another algorithm", "WrappingAlgorithm", {"WrappingAlgorithm": "SM2PKE"}),
        ):
            yield V1.rejected(
                f"{action}, {comment}", "PublicKey", "parameters", invalid(name),
                {**right, **params}, policy(),
            )  # fmt: skip
    der = RSA_2048.spki()
    pem = "-----BEGIN PUBLIC KEY-----\n" + rsa + "\n-----END PUBLIC KEY-----\n"
    for comment, text in {
        "no DER": "QUJD",
        "a byte behind it": to_base64(der + b"\x00"),
        "a third number": to_base64(_three_numbers()),
        "the last byte is missing": to_base64(der[:-1]),
        "a private key": to_base64(SM2_PKCS8),
        "PEM": pem,
        "PEM in Base64": to_base64(pem.encode()),
        "a ciphertext": to_base64(affine.asn1(sm2_parts(MESSAGE))),
    }.items():
        yield reject("PublicKey", comment, "ExportDataKey", "PublicKeyBlob", text)
    sealed = to_base64(V1.blob(ORDERS[0], bytes(191)))
    yield V1.rejected(
        "191 bytes do not fit RSA_2048", "PublicKey", "operation", BAD_CIPHERTEXT,
        {**V1.right("ExportDataKey"), "CiphertextBlob": sealed},
    )  # fmt: skip


def _limits() -> Iterator[Case]:
    """Yield parameters at their limits, and parameters that are not accepted."""
    right = V1.right("Encrypt")
    for length in (0, 1, _MOST_PLAINTEXT):
        params = {**right, "Plaintext": to_base64(bytes(length))}
        yield V1.passed(f"a plaintext of {length} bytes", "ParameterLimit", params)
    yield V1.passed("no context", "ParameterLimit", without(right, "EncryptionContext"))
    yield V1.passed(
        "a context in white space", "ParameterLimit",
        {**right, "EncryptionContext": ' {\t"tenant" : "acme" }\n'},
    )  # fmt: skip
    for key, algorithm, length, is_taken in (
        ("rsa", "RSAES_OAEP_SHA_256", 190, True),
        ("rsa", "RSAES_OAEP_SHA_256", 191, False),
        ("rsa", "RSAES_OAEP_SHA_1", 214, True),
        ("rsa", "RSAES_OAEP_SHA_1", 215, False),
        ("sm2", "SM2PKE", 1, True),
        ("sm2", "SM2PKE", 0, False),
        ("sm2", "SM2PKE", 6047, True),
        ("sm2", "SM2PKE", 6048, False),
    ):
        params = {
            "Action": "AsymmetricEncrypt",
            "KeyId": key,
            "KeyVersionId": "s1" if key == "sm2" else "r1",
            "Algorithm": algorithm,
            "Plaintext": to_base64(bytes(length)),
        }
        comment = f"{algorithm}, a plaintext of {length} bytes"
        if is_taken:
            yield V1.passed(comment, "ParameterLimit", params)
        else:
            rejection = invalid("Plaintext")
            yield V1.rejected(comment, "ParameterLimit", "operation", rejection, params)
    for comment, extra in {
        "what the vendor's clients send": {
            "Format": "JSON",
            "Version": "2016-01-20",
            "SignatureNonce": "1",
        },
        "a key ID, which Decrypt takes from the blob": {"KeyId": "archive"},
        "a wrong parameter of another action": {"NumberOfBytes": "0"},
        "a suffix, which only a context has": {"DryRun.x": "true", "KeyId.1": "archive"},
    }.items():
        yield V1.answered(
            comment, "IgnoredParameter", ORDERS[0], MESSAGE, {**V1.right("Decrypt"), **extra}
        )  # fmt: skip

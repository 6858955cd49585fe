"""The vectors of ciphertexts that open, and of failures, which all have one response."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.cases import (
    ARCHIVE,
    MESSAGE,
    ORDERS,
    PAIR,
    PLAIN,
    SERVICE,
    V1,
    XAES,
    Requests,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import (
    ACTIONS,
    BAD_CIPHERTEXT,
    invalid,
)
from kmscore_vectors.generator.service_blob.encoder import flipped
from kmscore_vectors.generator.shared_texts import SAME_TEXT
from kmscore_vectors.generator.wire import Pairs, header_bytes
from kmscore_vectors.tables import BugType, Severity, Suite

_MOST_PLAINTEXT: Final = 6144
_TAG: Final = 16
ONE_ANSWER: Final = (
    "Answers that differ are an oracle: an attacker with enough requests decrypts without the"
    " key, or learns which part of a forgery was right."
)

NOTES: Final = {
    "Answered": Note(
        "A ciphertext is opened; the response has the plaintext and the key that opened it.",
        "The caller's word for the key is repeated in place of the key that was used.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "NotABlob": Note(
        "The bytes are no blob of the layout.",
        ONE_ANSWER
        + " With guesses between layouts, an attacker who writes the blob chooses its reading.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "DoesNotOpen": Note(
        "A blob that was changed, or another context than it was sealed under.",
        ONE_ANSWER,
        ("https://cwe.mitre.org/data/definitions/209.html",),
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.4",
    ),
    "AmbiguousContext": Note(
        "A context of the kind that the service's rule confuses with others.",
        SAME_TEXT,
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout."""
    yield from _opened(requests)
    yield from _not_opened(requests)
    yield from _ambiguous(requests)


def _decrypt(blob: bytes, context: str | None) -> dict[str, str]:
    """Return a request to decrypt."""
    given = {} if context is None else {"EncryptionContext": context}
    return {"Action": "Decrypt", "CiphertextBlob": to_base64(blob), **given}


def _opened(requests: Requests) -> Iterator[Case]:
    """Yield blobs that open."""
    keys = (*PLAIN, XAES) if requests is V1 else PLAIN
    for key in keys:
        params = _decrypt(requests.blob(key), '{"tenant":"acme"}')
        comment = f"{key.suite.name}, version {key.key_version_id}"
        yield requests.answered(comment, "Answered", key, MESSAGE, params)
    contexts: dict[str, tuple[Pairs | None, str | None]] = {
        "no context": (None, None),
        "an empty context": ((), "{}"),
        "an escaped context": (PAIR, '{"t\\u0065nant":"acme"}'),
        "a context outside ASCII": ((("\u79df", "\U0001f511"),), '{"\u79df":"\\ud83d\\udd11"}'),
        "an empty key and value": ((("", ""),), '{"":""}'),
    }
    for comment, (pairs, text) in contexts.items():
        blob = requests.blob(ARCHIVE, MESSAGE, pairs)
        params = _decrypt(blob, text)
        yield requests.answered(comment, "Answered", ARCHIVE, MESSAGE, params)
    for length in (0, 1, 2, 3, _MOST_PLAINTEXT):
        params = _decrypt(requests.blob(ARCHIVE, bytes(length), None), None)
        comment = f"{length} bytes"
        yield requests.answered(comment, "Answered", ARCHIVE, bytes(length), params)


def _iv_at(requests: Requests) -> int:
    """Return the offset of the IV in the blob of a request that succeeds."""
    return len(ORDERS[0].header if requests is V1 else ORDERS[0].key_version_id)


def _changed(requests: Requests) -> dict[str, bytes]:
    """Return blobs that parse and do not open."""
    blob, iv = requests.blob(ORDERS[0]), _iv_at(requests)
    old, new = (key.key_version_id.encode() for key in ORDERS)
    changed = {
        "a bit of the IV": flipped(blob, iv),
        "a bit of the ciphertext": flipped(blob, iv + 12),
        "a bit of the tag": flipped(blob, len(blob) - 1),
        "a byte is missing": blob[:-1],
        "a byte more": blob + b"\x00",
        "another version of the key": blob.replace(old, new),
    }
    if requests is V1:
        key = ORDERS[0]
        header = header_bytes(
            Suite.AES_192_GCM.value, key.key_id.encode(), key.key_version_id.encode()
        )
        changed["a suite that is not the key's"] = header + blob[iv:]
        changed["6,145 bytes"] = V1.blob(key, bytes(_MOST_PLAINTEXT + 1))
    return changed


def _not_blobs(requests: Requests) -> dict[str, bytes]:
    """Return texts and bytes that do not parse as a blob."""
    blob, iv = requests.blob(ORDERS[0]), _iv_at(requests)
    return {
        "one byte": b"\x00",
        "three bytes": b"KMS",
        "no room for a tag": blob[: iv + 12 + _TAG - 1],
        "a blob of the other layout": (SERVICE if requests is V1 else V1).blob(ORDERS[0]),
        "a byte before it": b"\x00" + blob,
        "a blob of 9,000 bytes": blob + bytes(9000 - len(blob)),
    }


def _not_opened(requests: Requests) -> Iterator[Case]:
    """Yield blobs that do not open, each for one reason, in every action that opens blobs."""
    for action in ("Decrypt", "ExportDataKey", "ReEncrypt"):
        right = requests.right(action)
        for flag, step, blobs in (
            ("DoesNotOpen", "operation", _changed(requests)),
            ("NotABlob", "resolve", _not_blobs(requests)),
        ):
            for comment, data in blobs.items():
                params = {**right, "CiphertextBlob": to_base64(data)}
                yield requests.rejected(
                    f"{action}, {comment}", flag, step, BAD_CIPHERTEXT, params
                )  # fmt: skip
        name = "SourceEncryptionContext" if action == "ReEncrypt" else "EncryptionContext"
        for comment, params in (
            ("another context", {**right, name: '{"tenant":"acmf"}'}),
            ("an empty context", {**right, name: "{}"}),
            ("no context", without(right, name)),
        ):
            yield requests.rejected(
                f"{action}, {comment}", "DoesNotOpen", "operation", BAD_CIPHERTEXT, params
            )


def _ambiguous(requests: Requests) -> Iterator[Case]:
    """Yield contexts that the service's rule confuses with others; v1 accepts them."""
    places = [
        (action, name)
        for action, row in ACTIONS.items()
        for name in row.optional
        if name.endswith("Context")
    ]
    for action, name in places:
        right = requests.right(action)
        for comment, text in {
            "two pairs": '{"a":"1","b":"2"}',
            "a pair within a value": '{"a":"1&b=2"}',
            "an equals sign in a key": '{"a=b":"c"}',
        }.items():
            params = {**right, name: text}
            what = f"{name} of {action}, {comment}"
            if requests is SERVICE:
                yield requests.rejected(
                    what, "AmbiguousContext", "parameters", invalid(name), params
                )
            elif "CiphertextBlob" not in right or name.startswith("Destination"):
                yield requests.passed(what, "AmbiguousContext", params)
    if requests is SERVICE:
        params = {**requests.right("Decrypt"), "EncryptionContext": '{"a":"b=c"}'}
        yield requests.rejected(
            "nothing is permitted", "AmbiguousContext", "parameters",
            invalid("EncryptionContext"), params, policy(),
        )  # fmt: skip
        yield requests.passed(
            "an ampersand alone, which is not ambiguous", "AmbiguousContext",
            {**requests.right("Encrypt"), "EncryptionContext": '{"a":"1&b"}'},
        )  # fmt: skip
        return
    pairs = (("a", "1"), ("b", "2"))
    params = _decrypt(V1.blob(ARCHIVE, MESSAGE, pairs), '{"b":"2","a":"1"}')
    yield V1.answered("two pairs", "AmbiguousContext", ARCHIVE, MESSAGE, params)
    params = {**params, "EncryptionContext": '{"a":"1&b=2"}'}
    yield V1.rejected(
        "two pairs, opened with one", "AmbiguousContext", "operation", BAD_CIPHERTEXT, params
    )  # fmt: skip

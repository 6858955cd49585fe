"""The vectors of plaintexts that are opaque texts, as the service's layout seals them."""

from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.service_api.answers import ONE_ANSWER
from kmscore_vectors.generator.service_api.cases import (
    ORDERS,
    PAIR,
    SERVICE,
    V1,
    Requests,
    to_base64,
)
from kmscore_vectors.generator.service_api.table import BAD_CIPHERTEXT, invalid
from kmscore_vectors.generator.service_blob.encoder import ServiceKey, associated_data
from kmscore_vectors.generator.shared_texts import DIFFERENT_LIMITS
from kmscore_vectors.tables import BugType, Severity

_MOST: Final = 8192

NOTES: Final = {
    "OpaqueText": Note(
        "Plaintext is an opaque text in the service's layout: sealed, moved and answered as it is.",
        "Passwords and other texts of the service's clients cannot be encrypted, or archives of"
        " them cannot be opened or moved; or they are changed on the way.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "NotAText": Note(
        "What was sealed is not UTF-8 and cannot be answered, or is not Base64 and not a data key.",
        ONE_ANSWER,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "TextSize": Note(
        "A text of as many bytes as a blob holds, or more.",
        DIFFERENT_LIMITS,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "NotOpaque": Note(
        "A plaintext that is not Base64, where no opaque text is taken.",
        "Bytes are guessed from a text, or a text is taken for bytes.",
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}

_TEXTS: Final = {
    "a password": "p@ss w\u00f6rd+%20&=",
    "Base64 without padding": "QQ",
    "Base64 with a line feed": "QQ==\n",
    "Base64 with stray bits": "QR==",
    "white space": " \t\r\n",
    "NUL": "\x00",
    "a byte order mark": "\ufeffQQ==",
    "beyond the basic plane": "\U0001f511\U0010ffff",
    "not normalised": "cafe\u0301 caf\u00e9",
    "JSON": '{"a":"\\u0000"}',
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout."""
    if requests is SERVICE:
        yield from _texts()
        yield from _not_texts()
        yield from _sizes()
    for action in ("AsymmetricEncrypt", *(("Encrypt",) if requests is V1 else ())):
        for comment in ("a password", "JSON"):
            params = {**requests.right(action), "Plaintext": _TEXTS[comment]}
            yield requests.rejected(
                f"{action}, {comment}", "NotOpaque", "parameters", invalid("Plaintext"), params
            )  # fmt: skip


def _blob(payload: bytes) -> dict[str, str]:
    """Return the parameter of a blob with a sealed payload."""
    key = ServiceKey(ORDERS[0].suite, ORDERS[0].material, ORDERS[0].key_version_id)
    blob = key.seal(payload, bytes(12), associated_data(PAIR))
    return {"CiphertextBlob": to_base64(blob)}


def _texts() -> Iterator[Case]:
    """Yield texts that are encrypted, decrypted and re-encrypted."""
    for comment, text in _TEXTS.items():
        sealed = _blob(text.encode("utf-8"))
        params = {**SERVICE.right("Encrypt"), "Plaintext": text}
        yield SERVICE.passed(f"Encrypt, {comment}", "OpaqueText", params)
        params = {**SERVICE.right("Decrypt"), **sealed}
        yield SERVICE.answered(
            f"Decrypt, {comment}", "OpaqueText", ORDERS[0], b"", params, text=text
        )  # fmt: skip
        params = {**SERVICE.right("ReEncrypt"), **sealed}
        yield SERVICE.passed(f"ReEncrypt, {comment}", "OpaqueText", params)
        params = {**SERVICE.right("ExportDataKey"), **sealed}
        yield SERVICE.rejected(
            f"ExportDataKey, {comment}", "NotAText", "operation", BAD_CIPHERTEXT, params
        )  # fmt: skip


def _not_texts() -> Iterator[Case]:
    """Yield payloads that are not UTF-8: they can be re-encrypted, but not decrypted to a text."""
    for comment, payload in {
        "FF": b"\xff",
        "a byte of 80 to BF alone": b"text\x80",
        "the first two of three bytes": "\u79df".encode()[:2],
        "half of a surrogate pair": b"\xed\xa0\x80",
        "an overlong form": b"\xc0\x80",
        "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    }.items():
        sealed = _blob(payload)
        params = {**SERVICE.right("Decrypt"), **sealed}
        yield SERVICE.rejected(
            f"Decrypt, {comment}", "NotAText", "operation", BAD_CIPHERTEXT, params
        )  # fmt: skip
        params = {**SERVICE.right("ReEncrypt"), **sealed}
        yield SERVICE.passed(f"ReEncrypt, {comment}", "OpaqueText", params)
    for comment, text in (("high", "\ud83d"), ("low", "text\udd11")):
        params = {**SERVICE.right("Encrypt"), "Plaintext": text}
        yield SERVICE.rejected(
            f"Encrypt, the {comment} half of a surrogate pair", "NotAText", "parameters",
            invalid("Plaintext"), params,
        )  # fmt: skip


def _sizes() -> Iterator[Case]:
    """Yield texts of 8,192 bytes, and longer texts."""
    for comment, character in (
        ("one byte", "x"), ("two bytes", "\u00e9"), ("four bytes", "\U0001f511")
    ):  # fmt: skip
        text = character * (_MOST // len(character.encode()))
        params = {**SERVICE.right("Encrypt"), "Plaintext": text}
        yield SERVICE.passed(f"8,192 bytes, {comment} each", "TextSize", params)
        params = {**params, "Plaintext": text + "x"}
        yield SERVICE.rejected(
            f"8,193 bytes, {comment} each", "TextSize", "parameters", invalid("Plaintext"), params
        )  # fmt: skip
    for length, is_held in ((_MOST, True), (_MOST + 1, False)):
        text = "x" * length
        sealed = _blob(text.encode())
        decrypt, move = ({**SERVICE.right(name), **sealed} for name in ("Decrypt", "ReEncrypt"))
        if is_held:
            yield SERVICE.answered(
                "Decrypt, 8,192 bytes", "TextSize", ORDERS[0], b"", decrypt, text=text
            )  # fmt: skip
            yield SERVICE.passed("ReEncrypt, 8,192 bytes", "TextSize", move)
            continue
        for comment, params in (("Decrypt", decrypt), ("ReEncrypt", move)):
            yield SERVICE.rejected(
                f"{comment}, 8,193 bytes", "TextSize", "operation", BAD_CIPHERTEXT, params
            )  # fmt: skip

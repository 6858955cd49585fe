"""The vectors of re-encryption and of asymmetric ciphertexts."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Final

from kmscore_vectors.generator import affine, oaep
from kmscore_vectors.generator.keys.keyring import rsa_ciphertext, sm2_parts
from kmscore_vectors.generator.keys.published import RSA_2048
from kmscore_vectors.generator.model import Case, Note
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.generator.service_api.answers import ONE_ANSWER
from kmscore_vectors.generator.service_api.cases import (
    MESSAGE,
    ORDERS,
    RSA,
    SM2,
    V1,
    Requests,
    asymmetric,
    key_name,
    policy,
    to_base64,
)
from kmscore_vectors.generator.service_api.parameters import without
from kmscore_vectors.generator.service_api.table import (
    BAD_CIPHERTEXT,
    NO_KEY,
    NO_VERSION,
    UNSUPPORTED,
    Rejection,
    invalid,
    missing,
)
from kmscore_vectors.generator.service_blob.encoder import flipped
from kmscore_vectors.generator.shared_texts import (
    IGNORED_CONTEXT,
    IGNORED_SOURCE_ID,
    UNBOUND_CONTEXT,
)
from kmscore_vectors.tables import BugType, Severity

NOTES: Final = {
    "BareDoesNotOpen": Note(
        "A ciphertext of RSA or SM2 that was changed, or is of another length or padding.",
        ONE_ANSWER,
        ("https://archiv.infsec.ethz.ch/education/fs08/secsem/manger01.pdf",),
        bug_type=BugType.CONFIDENTIALITY,
        severity=Severity.POLICY,
        section="SPEC section 14.4",
    ),
    "OtherSource": Note(
        "The caller names another source key or version than the blob does.",
        IGNORED_SOURCE_ID,
        ("https://cwe.mitre.org/data/definitions/441.html",),
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
    "BareSource": Note(
        "Re-encryption of a ciphertext of RSA or SM2, which needs all three source parameters.",
        "A default key or version takes the place of the one that is not named.",
        bug_type=BugType.BASIC,
        severity=Severity.POLICY,
        section="SPEC section 14",
    ),
    "BareContext": Note(
        UNBOUND_CONTEXT,
        IGNORED_CONTEXT,
        bug_type=BugType.MISSING_STEP,
        severity=Severity.POLICY,
        section="SPEC section 14.2",
    ),
}


def cases(requests: Requests) -> Iterator[Case]:
    """Yield the tests of a layout."""
    yield from _sources(requests)
    yield from _bare_sources(requests)
    if requests is V1:
        yield from _bare()


def _sources(requests: Requests) -> Iterator[Case]:
    """Yield re-encryptions of blobs; those that would succeed are dry runs."""
    right = requests.right("ReEncrypt")
    key_id, version_id = ORDERS[0].key_id, ORDERS[0].key_version_id
    for comment, params in {
        "the key": {"SourceKeyId": key_id},
        "the version": {"SourceKeyVersionId": version_id},
        "both": {"SourceKeyId": key_id, "SourceKeyVersionId": version_id},
    }.items():
        yield requests.passed(f"{comment} of the blob", "OtherSource", {**right, **params})
    rejections: dict[str, tuple[Rejection, str, dict[str, str]]] = {
        "another key": (BAD_CIPHERTEXT, "operation", {"SourceKeyId": "archive"}),
        "an unknown key": (BAD_CIPHERTEXT, "operation", {"SourceKeyId": "unknown"}),
        "another key by its resource name": (
            BAD_CIPHERTEXT, "operation", {"SourceKeyId": key_name("archive")}
        ),
        "a resource that is no key": (
            BAD_CIPHERTEXT, "operation", {"SourceKeyId": "acs:kms:::secret/orders"}
        ),
        "another version": (
            BAD_CIPHERTEXT, "operation", {"SourceKeyVersionId": ORDERS[1].key_version_id}
        ),
    }  # fmt: skip
    for comment, (rejection, step, params) in rejections.items():
        yield requests.rejected(comment, "OtherSource", step, rejection, {**right, **params})


def _bare_sources(requests: Requests) -> Iterator[Case]:
    """Yield re-encryptions of asymmetric ciphertexts."""
    for algorithm in (*HASH_NAMES, "SM2PKE"):
        right = requests.bare(algorithm)
        yield requests.passed(algorithm, "BareSource", right)
        changed = flipped(base64.b64decode(right["CiphertextBlob"]), 100)
        params = {**right, "CiphertextBlob": to_base64(changed)}
        yield requests.rejected(
            f"ReEncrypt, {algorithm}, a bit", "BareDoesNotOpen", "operation", BAD_CIPHERTEXT,
            params,
        )  # fmt: skip
    right = requests.bare()
    for name in ("SourceKeyId", "SourceKeyVersionId"):
        yield requests.rejected(
            f"without {name}, and nothing is permitted", "BareSource", "resolve", missing(name),
            without(right, name), policy(),
        )  # fmt: skip
    both = without(without(right, "SourceKeyId"), "SourceKeyVersionId")
    yield requests.rejected("neither", "BareSource", "resolve", missing("SourceKeyId"), both)
    blob = without(right, "SourceEncryptionAlgorithm")
    yield requests.rejected("no algorithm", "NotABlob", "resolve", BAD_CIPHERTEXT, blob)
    rejections: dict[str, tuple[Rejection, dict[str, str]]] = {
        "an unknown key": (NO_KEY, {"SourceKeyId": "unknown"}),
        "an unknown version": (NO_VERSION, {"SourceKeyVersionId": "unknown"}),
        "the algorithm of another key": (
            UNSUPPORTED, {"SourceEncryptionAlgorithm": "RSAES_OAEP_SHA_1"}
        ),
    }  # fmt: skip
    for comment, (rejection, params) in rejections.items():
        yield requests.rejected(
            comment, "BareSource", "operation", rejection, {**right, **params}
        )  # fmt: skip
    name = "SourceEncryptionContext"
    yield requests.passed("an empty context", "BareContext", {**right, name: "{}"})
    for comment, policy_text in (("a context", None), ("a context, not permitted", policy())):
        yield requests.rejected(
            comment, "BareContext", "resolve", invalid(name),
            {**right, name: '{"a":"1"}'}, policy_text,
        )  # fmt: skip


def _bare() -> Iterator[Case]:
    """Yield ciphertexts of RSA and SM2 that open, and ciphertexts that do not."""
    for algorithm in HASH_NAMES:
        for message in (MESSAGE, b""):
            yield _asymmetric_decrypt(algorithm, rsa_ciphertext(algorithm, message), message)
    parts = sm2_parts(MESSAGE)
    for comment, data in (("C1C3C2", affine.c1c3c2(parts)), ("ASN1_DER", affine.asn1(parts))):
        params = {**asymmetric(SM2, "SM2PKE"), "CiphertextBlob": to_base64(data)}
        yield V1.answered(
            f"SM2PKE, {comment}", "Answered", SM2, MESSAGE,
            {"Action": "AsymmetricDecrypt", **params, "Format": "JSON"},
        )  # fmt: skip
    wrong: dict[str, tuple[str, bytes]] = {}
    for algorithm, other in zip(HASH_NAMES, reversed(HASH_NAMES), strict=True):
        right = rsa_ciphertext(algorithm, MESSAGE)
        hash_name = HASH_NAMES[algorithm]
        db = oaep.data_block(hash_name, MESSAGE, RSA_2048.length)
        seed = bytes(hashlib.new(hash_name).digest_size)
        first = oaep.encrypt_em(RSA_2048, oaep.pad(hash_name, db, seed, first=1).em)
        label = oaep.data_block(hash_name, MESSAGE, RSA_2048.length, b"label")
        labelled = oaep.encrypt_em(RSA_2048, oaep.pad(hash_name, label, seed).em)
        for comment, data in {
            "a bit": flipped(right, 255),
            "the hash of the other": rsa_ciphertext(other, MESSAGE),
            "a first byte that is not zero": first,
            "a label": labelled,
            "255 bytes": right[:-1],
            "257 bytes": right + b"\x00",
            "one byte": b"\x00",
            "a value beyond the modulus": b"\xff" * 256,
            "zeros": bytes(256),
        }.items():
            wrong[f"{algorithm}, {comment}"] = algorithm, data
    raw = affine.c1c3c2(parts)
    for comment, data in {
        "a bit of C3": flipped(raw, 65),
        "a bit of C2": flipped(raw, 97),
        "a point off the curve": flipped(raw, 64),
        "C1C2C3": affine.c1c2c3(parts),
        "no first byte": raw[1:],
        "a compressed point": b"\x02" + raw[1:],
        "nothing behind C3": raw[:97],
        "one byte": b"\x00",
        "6,200 bytes": raw + bytes(6200 - len(raw)),
    }.items():
        wrong[f"SM2PKE, {comment}"] = "SM2PKE", data
    for comment, (name, data) in wrong.items():
        key = SM2 if name == "SM2PKE" else RSA
        params = {**asymmetric(key, name), "CiphertextBlob": to_base64(data)}
        yield V1.rejected(
            comment, "BareDoesNotOpen", "operation", BAD_CIPHERTEXT,
            {"Action": "AsymmetricDecrypt", **params},
        )  # fmt: skip


def _asymmetric_decrypt(algorithm: str, ciphertext: bytes, message: bytes) -> Case:
    """Return a test of an RSA ciphertext that opens."""
    params = {**asymmetric(RSA, algorithm), "CiphertextBlob": to_base64(ciphertext)}
    comment = f"{algorithm}, {len(message)} bytes"
    return V1.answered(
        comment, "Answered", RSA, message, {"Action": "AsymmetricDecrypt", **params}
    )  # fmt: skip

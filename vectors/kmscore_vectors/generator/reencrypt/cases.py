"""Requests to re-encrypt: the inputs, the outputs, and the requests that most tests are made of."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import (
    PER_SUITE,
    SymmetricTestKey,
    TestKey,
    rsa_ciphertext,
    sm2_parts,
)
from kmscore_vectors.generator.model import Case, Fields, Rule, hex_fields, pairs_field
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.generator.suite_properties import trace_of
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode, Suite

MESSAGE: Final = bytes(range(0x40, 0x60))
OLD: Final = (("purpose", "backup"), ("owner", "old"))
NEW: Final = (("purpose", "backup"), ("owner", "new"))
MOST_PLAINTEXT: Final = 6144
WIDE: Final = (("k", "v" * 65_529),)  # one byte more than a canonical context may have
AES: Final = PER_SUITE[Suite.AES_256_GCM]
XAES: Final = PER_SUITE[Suite.XAES_256_GCM]


def request(
    blob: bytes,
    destination: SymmetricTestKey,
    iv: bytes,
    *,
    source_pairs: Pairs = (),
    destination_pairs: Pairs = (),
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    source_algorithm: EncryptionAlgorithm | None = None,
    dry_run: bool = False,
) -> Fields:
    """Return the inputs of a request."""
    return {
        "ciphertext_blob": blob.hex(),
        "destination_key_id": destination.key_id,
        "source_pairs": pairs_field(source_pairs),
        "destination_pairs": pairs_field(destination_pairs),
        "source_key_id": source_key_id,
        "source_key_version_id": source_key_version_id,
        "source_algorithm": source_algorithm.value if source_algorithm else None,
        "dry_run": dry_run,
        "iv": iv.hex(),
    }


def response(
    source: TestKey,
    destination: SymmetricTestKey,
    blob: bytes | None,
    algorithm: EncryptionAlgorithm | None = None,
) -> Fields:
    """Return the outputs of a request."""
    return {
        "response": {
            "ciphertext_blob": None if blob is None else blob.hex(),
            "source_key_id": source.key_id,
            "source_key_version_id": source.key_version_id,
            "destination_key_id": destination.key_id,
            "destination_key_version_id": destination.key_version_id,
            "source_algorithm": algorithm.value if algorithm else None,
            "destination_suite_id": f"{destination.suite.value:02x}",
        }
    }


def move(
    comment: str,
    flag: str,
    source: SymmetricTestKey,
    destination: SymmetricTestKey,
    *,
    plaintext: bytes = MESSAGE,
    source_pairs: Pairs = OLD,
    destination_pairs: Pairs = NEW,
    source_key_id: str | None = None,
    source_key_version_id: str | None = None,
    dry_run: bool = False,
) -> Case:
    """Return a test that re-encrypts a blob."""
    fields = request(
        source.blob(plaintext, source_pairs, source.iv(comment)),
        destination,
        destination.iv(f"new {comment}"),
        source_pairs=source_pairs,
        destination_pairs=destination_pairs,
        source_key_id=source_key_id,
        source_key_version_id=source_key_version_id,
        dry_run=dry_run,
    )
    trace = hex_fields(sourceAssociatedData=source.associated_data(source_pairs))
    return sealed(comment, flag, fields, source, destination, plaintext, destination_pairs, trace)


def sealed(
    comment: str,
    flag: str,
    fields: Fields,
    source: TestKey,
    destination: SymmetricTestKey,
    plaintext: bytes,
    pairs: Pairs,
    trace: Fields,
    algorithm: EncryptionAlgorithm | None = None,
) -> Case:
    """Return a test that succeeds."""
    iv = bytes.fromhex(str(fields["iv"]))
    aad = destination.associated_data(pairs)
    trace = hex_fields(plaintext=plaintext) | trace
    if fields["dry_run"]:
        return Case(comment, flag, fields, response(source, destination, None, algorithm), trace)
    sealed = destination.seal(plaintext, pairs, iv)
    blob = destination.blob(plaintext, pairs, iv)
    return Case(
        comment,
        flag,
        fields,
        response(source, destination, blob, algorithm),
        trace | trace_of(destination.suite, pairs, aad, sealed),
    )


def take(
    comment: str,
    flag: str,
    algorithm: EncryptionAlgorithm,
    ciphertext: bytes,
    plaintext: bytes = MESSAGE,
    *,
    destination: SymmetricTestKey = XAES,
    dry_run: bool = False,
) -> Case:
    """Return a test whose source is an asymmetric ciphertext."""
    source = keyring.SM2 if algorithm is EncryptionAlgorithm.SM2PKE else keyring.RSA
    fields = request(
        ciphertext,
        destination,
        destination.iv(f"{algorithm.value} {comment}"),
        destination_pairs=NEW,
        source_key_id=source.key_id,
        source_key_version_id=source.key_version_id,
        source_algorithm=algorithm,
        dry_run=dry_run,
    )
    return sealed(comment, flag, fields, source, destination, plaintext, NEW, {}, algorithm)


def right_asymmetric() -> dict[EncryptionAlgorithm, Case]:
    """Return a successful request for each algorithm."""
    return {
        **{
            algorithm: take(
                algorithm.value, "Asymmetric", algorithm, rsa_ciphertext(algorithm, MESSAGE)
            )
            for algorithm in HASH_NAMES
        },
        EncryptionAlgorithm.SM2PKE: take(
            "SM2PKE, C1C3C2",
            "Asymmetric",
            EncryptionAlgorithm.SM2PKE,
            affine.c1c3c2(sm2_parts(MESSAGE)),
        ),
    }


def blob_of(case: Case) -> bytes:
    """Return the source of a test."""
    return bytes.fromhex(str(case.inputs["ciphertext_blob"]))


def blob_field(blob: bytes) -> Fields:
    """Return the field of a source."""
    return hex_fields(ciphertext_blob=blob)


def dry_run_of(right: Case) -> Case:
    """Return the dry run of a request; it is rejected for the same reasons."""
    sought = dict(right.outputs["response"])  # type: ignore[arg-type]
    return replace(
        right,
        inputs=right.inputs | {"dry_run": True},
        outputs={"response": sought | {"ciphertext_blob": None}},
        trace={"plaintext": right.trace["plaintext"]},
    )


def reject_both(
    right: Case,
    error: ErrorCode,
    flag: str,
    comment: str,
    inputs: Fields,
    rule: Rule | None = None,
) -> Iterator[Case]:
    """Yield a rejected request and its dry run."""
    yield right.rejected(error, flag, comment, inputs, rule)
    yield dry_run_of(right).rejected(error, flag, f"{comment}, dry run", inputs, rule)

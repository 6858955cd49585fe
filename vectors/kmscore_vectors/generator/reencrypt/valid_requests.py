"""Requests to re-encrypt that succeed."""

import hashlib
from collections.abc import Iterator
from itertools import product

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import PER_SUITE, rsa_ciphertext, sm2_parts
from kmscore_vectors.generator.model import Case
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.generator.reencrypt.cases import (
    AES,
    MESSAGE,
    MOST_PLAINTEXT,
    NEW,
    OLD,
    XAES,
    move,
    right_asymmetric,
    take,
)
from kmscore_vectors.tables import EncryptionAlgorithm


def blobs() -> Iterator[Case]:
    """Yield requests that re-encrypt a blob."""
    for old, new in product(PER_SUITE.values(), repeat=2):
        yield move(f"{old.suite.name} to {new.suite.name}", "Valid", old, new)
    newest = keyring.ROTATED[-1]
    for key in keyring.ROTATED:
        yield move(f"{key.key_version_id} to v3", "Rotation", key, newest)
    yield move("from suite to suite", "Rotation", *keyring.MIGRATED)
    yield move("back to an older primary version", "Rotation", *keyring.ROLLED_BACK)
    yield move("from a key whose primary version is disabled", "Valid", keyring.FROZEN[0], AES)
    yield move("to a key whose older version is disabled", "Valid", AES, keyring.RETIRED[1])
    for comment, old_pairs, new_pairs in (
        ("none to some", (), NEW),
        ("some to none, which is not the same as keeping it", OLD, ()),
        ("none to none", (), ()),
        ("the same, in another order", OLD, OLD[::-1]),
        ("another value", OLD, NEW),
        ("characters of two to four bytes", (("\u00e9", "\u20ac"),), (("\U0001f511", "\u00df"),)),
    ):
        key = keyring.ROTATED[-1]
        yield move(
            comment, "Context", key, key, source_pairs=old_pairs, destination_pairs=new_pairs
        )
    named = keyring.ROTATED[0]
    for comment, key_id, version_id in (
        ("key", named.key_id, None),
        ("version", None, named.key_version_id),
        ("key and version", named.key_id, named.key_version_id),
    ):
        yield move(
            f"the {comment} of the header", "SourceId", named, AES, source_key_id=key_id,
            source_key_version_id=version_id,
        )  # fmt: skip
    yield move(
        "the key and version of the header", "DryRun", named, AES, source_key_id=named.key_id,
        source_key_version_id=named.key_version_id, dry_run=True,
    )  # fmt: skip
    yield move("a blob", "DryRun", AES, XAES, dry_run=True)
    yield move("a blob of the newest version", "DryRun", newest, newest, dry_run=True)
    yield move("IDs in the form of the service", "Valid", keyring.SERVICE_NAME, XAES)
    yield move("from IDs of 255 bytes", "Boundary", keyring.LONG_NAME, AES)
    yield move("to IDs of 255 bytes", "Boundary", AES, keyring.LONG_NAME)
    for length in (0, 1, MOST_PLAINTEXT):
        plaintext = hashlib.shake_128(b"plaintext").digest(length)
        yield move(f"{length} bytes", "Boundary", AES, XAES, plaintext=plaintext)
        yield move(f"{length} bytes", "DryRun", AES, XAES, plaintext=plaintext, dry_run=True)


def bare_ciphertexts() -> Iterator[Case]:
    """Yield requests whose source is an asymmetric ciphertext."""
    yield from right_asymmetric().values()
    sm2pke = EncryptionAlgorithm.SM2PKE
    yield take("SM2PKE, ASN1_DER", "Asymmetric", sm2pke, affine.asn1(sm2_parts(MESSAGE)))
    yield take("SM2, ASN1_DER", "DryRun", sm2pke, affine.asn1(sm2_parts(MESSAGE)), dry_run=True)
    for algorithm in HASH_NAMES:
        comment, ciphertext = f"{algorithm.value}, no plaintext", rsa_ciphertext(algorithm, b"")
        yield take(comment, "Boundary", algorithm, ciphertext, b"")
        yield take(comment, "DryRun", algorithm, ciphertext, b"", dry_run=True)
    one = affine.c1c3c2(sm2_parts(b"\x07"))
    yield take("SM2PKE, one byte", "Boundary", sm2pke, one, b"\x07")
    for suite, destination in PER_SUITE.items():
        for algorithm in (EncryptionAlgorithm.RSAES_OAEP_SHA_256, sm2pke):
            message = f"{algorithm.value} to {suite.name}".encode()
            ciphertext = (
                affine.c1c3c2(sm2_parts(message))
                if algorithm is sm2pke
                else rsa_ciphertext(algorithm, message)
            )
            yield take(
                message.decode(), "Asymmetric", algorithm, ciphertext, message,
                destination=destination,
            )  # fmt: skip
    for algorithm in HASH_NAMES:
        ciphertext = rsa_ciphertext(algorithm, MESSAGE)
        yield take(algorithm.value, "DryRun", algorithm, ciphertext, dry_run=True)
    ciphertext = affine.c1c3c2(sm2_parts(MESSAGE))
    yield take("SM2", "DryRun", sm2pke, ciphertext, dry_run=True)

"""Encryption as programs call it: the library draws the IV, the seed or k."""

from collections.abc import Mapping
from typing import Any

from kmscore import (
    EncryptionAlgorithm,
    KeyProvider,
    PublicKey,
    ReEncryptResult,
    asymmetric_encrypt,
    encrypt,
    reencrypt,
)


def fresh_encrypt(keys: KeyProvider, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Encrypt under the one key."""
    plaintext = bytes.fromhex(fields["plaintext"])
    result = encrypt(keys, fields["key_id"], plaintext, dict(fields["pairs"]))
    return {"blob": result.ciphertext_blob.hex()}


def fresh_reencrypt(keys: KeyProvider, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Re-encrypt a blob."""
    result = reencrypt(
        keys,
        bytes.fromhex(fields["ciphertext_blob"]),
        fields["destination_key_id"],
        source_context=dict(fields["source_pairs"]),
        destination_context=dict(fields["destination_pairs"]),
        source_key_id=fields["source_key_id"],
        source_key_version_id=fields["source_key_version_id"],
        source_algorithm=fields["source_algorithm"],
        dry_run=fields["dry_run"],
    )
    return {"response": response(result)}


def fresh_sm2_encrypt(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Encrypt under an SM2 public key."""
    return fresh_oaep_encrypt({**fields, "algorithm": EncryptionAlgorithm.SM2PKE.value})


def fresh_oaep_encrypt(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Encrypt under a public key."""
    public_key = PublicKey.from_der(bytes.fromhex(fields["public_key"]))
    plaintext = bytes.fromhex(fields["plaintext"])
    return {"ciphertext": asymmetric_encrypt(public_key, fields["algorithm"], plaintext).hex()}


def response(result: ReEncryptResult) -> dict[str, str | None]:
    """Return the output of a re-encryption."""
    blob, algorithm = result.ciphertext_blob, result.source_algorithm
    return {
        "ciphertext_blob": None if blob is None else blob.hex(),
        "source_key_id": result.source_key_id,
        "source_key_version_id": result.source_key_version_id,
        "destination_key_id": result.destination_key_id,
        "destination_key_version_id": result.destination_key_version_id,
        "source_algorithm": None if algorithm is None else algorithm.value,
        "destination_suite_id": f"{result.destination_suite.value:02x}",
    }

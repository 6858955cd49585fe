"""Answer the questions without a secret key: blobs, contexts, and ciphertexts of SM2."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from kmscore import CiphertextBlob, EncryptionContext, PublicKey, hazmat, sm2

Fields: TypeAlias = Mapping[str, Any]
"""The inputs of a question."""

Answer: TypeAlias = dict[str, Any]
"""The outputs of an operation."""


def parse_blob(fields: Fields) -> Answer:
    """Return the fields of a blob."""
    blob = CiphertextBlob.parse(bytes.fromhex(fields["blob"]))
    return {
        "suite_id": f"{blob.suite.value:02x}",
        "key_id": blob.key_id,
        "key_version_id": blob.key_version_id,
        "iv": blob.iv.hex(),
        "ciphertext": blob.ciphertext.hex(),
        "tag": blob.tag.hex(),
    }


def parse_blob_base64(fields: Fields) -> Answer:
    """Return the blob of a text in Base64."""
    return {"blob": CiphertextBlob.from_base64(fields["text"]).serialize().hex()}


def canonicalize(fields: Fields) -> Answer:
    """Return the canonical bytes of pairs."""
    return {"canonical": EncryptionContext(dict(fields["pairs"])).canonical.hex()}


def canonicalize_json(fields: Fields) -> Answer:
    """Return the canonical bytes of a context as JSON."""
    return {"canonical": EncryptionContext.from_json(fields["json"]).canonical.hex()}


def sm2_convert(fields: Fields) -> Answer:
    """Return a ciphertext of SM2 in another encoding."""
    ciphertext = bytes.fromhex(fields["ciphertext"])
    return {"converted": sm2.convert(ciphertext, fields["source"], fields["target"]).hex()}


def sm2_encrypt(fields: Fields) -> Answer:
    """Encrypt under an SM2 public key with a given k."""
    public_key = PublicKey.from_der(bytes.fromhex(fields["public_key"]))
    k = int(fields["k"], 16)
    return {
        "ciphertext": hazmat.sm2_encrypt(public_key, bytes.fromhex(fields["plaintext"]), k).hex()
    }

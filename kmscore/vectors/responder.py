"""The library as the vectors ask it: a request in, its outputs or an error's code out.

Only public names are used, and `hazmat` where an IV or k is given.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    Keyring,
    KeySpec,
    PublicKey,
    RsaKey,
    Sm2Key,
    asymmetric_decrypt,
    hazmat,
    sm2,
)
from kmscore.errors import KmsCoreError

Answer: TypeAlias = dict[str, Any]


def answer(operation: str, fields: Mapping[str, Any]) -> Answer:
    """Return the outputs of `operation`, or its `error`.

    Raises `KeyError` for an unknown operation or a field that is not there.
    """
    try:
        return _OPERATIONS[operation](fields)
    except KmsCoreError as error:
        return {"error": error.code}


def _parse_blob(fields: Mapping[str, Any]) -> Answer:
    blob = CiphertextBlob.parse(bytes.fromhex(fields["blob"]))
    return {
        "suite_id": f"{blob.suite.value:02x}",
        "key_id": blob.key_id,
        "key_version_id": blob.key_version_id,
        "iv": blob.iv.hex(),
        "ciphertext": blob.ciphertext.hex(),
        "tag": blob.tag.hex(),
    }


def _parse_blob_base64(fields: Mapping[str, Any]) -> Answer:
    return {"blob": CiphertextBlob.from_base64(fields["text"]).serialize().hex()}


def _canonicalize(fields: Mapping[str, Any]) -> Answer:
    return {"canonical": EncryptionContext(dict(fields["pairs"])).canonical.hex()}


def _canonicalize_json(fields: Mapping[str, Any]) -> Answer:
    return {"canonical": EncryptionContext.from_json(fields["json"]).canonical.hex()}


def _asymmetric_decrypt(fields: Mapping[str, Any]) -> Answer:
    keys = Keyring([_private_key(fields["key_spec"], bytes.fromhex(fields["private_key"]))])
    ciphertext = bytes.fromhex(fields["ciphertext"])
    result = asymmetric_decrypt(keys, "key", "1", fields["algorithm"], ciphertext)
    return {"plaintext": result.plaintext.hex()}


@cache
def _private_key(spec: str, der: bytes) -> RsaKey | Sm2Key:
    """Return the key of a group; checking one takes longer than all that its tests do with it."""
    return (Sm2Key if spec == KeySpec.EC_SM2 else RsaKey).from_der("key", "1", der)


def _sm2_convert(fields: Mapping[str, Any]) -> Answer:
    ciphertext = bytes.fromhex(fields["ciphertext"])
    return {"converted": sm2.convert(ciphertext, fields["source"], fields["target"]).hex()}


def _sm2_encrypt(fields: Mapping[str, Any]) -> Answer:
    public_key = PublicKey.from_der(bytes.fromhex(fields["public_key"]))
    k = int(fields["k"], 16)
    return {
        "ciphertext": hazmat.sm2_encrypt(public_key, bytes.fromhex(fields["plaintext"]), k).hex()
    }


_OPERATIONS: Final[Mapping[str, Callable[[Mapping[str, Any]], Answer]]] = MappingProxyType(
    {
        "parse_blob": _parse_blob,
        "parse_blob_base64": _parse_blob_base64,
        "canonicalize": _canonicalize,
        "canonicalize_json": _canonicalize_json,
        "asymmetric_decrypt": _asymmetric_decrypt,
        "sm2_convert": _sm2_convert,
        "sm2_encrypt": _sm2_encrypt,
    }
)

"""The library as the vectors ask it: a request in, its outputs or an error's code out.

Only public names are used, and `hazmat` where an IV or k is given.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    KeyProvider,
    Keyring,
    KeySpec,
    PublicKey,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    asymmetric_decrypt,
    decrypt,
    hazmat,
    sm2,
)
from kmscore.errors import KmsCoreError

Answer: TypeAlias = dict[str, Any]


Provider: TypeAlias = Callable[[Keyring], KeyProvider]
Fields: TypeAlias = Mapping[str, Any]


class Responder:
    """One way to run the library: on an SM2 backend, with the embedded provider or another."""

    def __init__(
        self, *, backend: str | None = None, provider: Provider = lambda ring: ring
    ) -> None:
        """Choose the backend of SM2 keys, and what becomes of a ring before it is used."""
        self._backend = backend
        self._provider = provider
        # Checking a private key takes longer than all that the tests of its group do with it.
        self._private_keys: dict[tuple[str, ...], RsaKey | Sm2Key] = {}
        self._operations: Mapping[str, Callable[[Fields], Answer]] = {
            "parse_blob": _parse_blob,
            "parse_blob_base64": _parse_blob_base64,
            "canonicalize": _canonicalize,
            "canonicalize_json": _canonicalize_json,
            "encrypt": self._encrypt,
            "decrypt": self._decrypt,
            "asymmetric_decrypt": self._asymmetric_decrypt,
            "sm2_convert": _sm2_convert,
            "sm2_encrypt": _sm2_encrypt,
        }

    def answer(self, operation: str, fields: Fields) -> Answer:
        """Return the outputs of `operation`, or its `error`.

        Raises `KeyError` for an unknown operation or a field that is not there.
        """
        try:
            return self._operations[operation](fields)
        except KmsCoreError as error:
            return {"error": error.code}

    def _encrypt(self, fields: Fields) -> Answer:
        keys = self._provider(Keyring([_symmetric_key(fields)]))
        plaintext, iv = (bytes.fromhex(fields[name]) for name in ("plaintext", "iv"))
        context = dict(fields["pairs"])
        result = hazmat.encrypt(keys, fields["key_id"], plaintext, context, iv=iv)
        return {"blob": result.ciphertext_blob.hex()}

    def _decrypt(self, fields: Fields) -> Answer:
        keys = self._provider(Keyring([_symmetric_key(fields)]))
        result = decrypt(keys, bytes.fromhex(fields["blob"]), dict(fields["pairs"]))
        return {"plaintext": result.plaintext.hex()}

    def _asymmetric_decrypt(self, fields: Fields) -> Answer:
        key = self._private_key("key", "1", fields["key_spec"], fields["private_key"])
        keys = self._provider(Keyring([key]))
        ciphertext = bytes.fromhex(fields["ciphertext"])
        result = asymmetric_decrypt(keys, "key", "1", fields["algorithm"], ciphertext)
        return {"plaintext": result.plaintext.hex()}

    def _private_key(
        self, key_id: str, key_version_id: str, spec: str, der: str
    ) -> RsaKey | Sm2Key:
        known = (key_id, key_version_id, spec, der)
        if known not in self._private_keys:
            data = bytes.fromhex(der)
            self._private_keys[known] = (
                Sm2Key.from_der(key_id, key_version_id, data, backend=self._backend)
                if spec == KeySpec.EC_SM2
                else RsaKey.from_der(key_id, key_version_id, data)
            )
        return self._private_keys[known]


def _symmetric_key(fields: Fields) -> SymmetricKey:
    return SymmetricKey(
        fields["key_id"],
        fields["key_version_id"],
        KeySpec(fields["key_spec"]),
        bytes.fromhex(fields["key"]),
        suite=Suite(int(fields["suite_id"], 16)),
    )


def _parse_blob(fields: Fields) -> Answer:
    blob = CiphertextBlob.parse(bytes.fromhex(fields["blob"]))
    return {
        "suite_id": f"{blob.suite.value:02x}",
        "key_id": blob.key_id,
        "key_version_id": blob.key_version_id,
        "iv": blob.iv.hex(),
        "ciphertext": blob.ciphertext.hex(),
        "tag": blob.tag.hex(),
    }


def _parse_blob_base64(fields: Fields) -> Answer:
    return {"blob": CiphertextBlob.from_base64(fields["text"]).serialize().hex()}


def _canonicalize(fields: Fields) -> Answer:
    return {"canonical": EncryptionContext(dict(fields["pairs"])).canonical.hex()}


def _canonicalize_json(fields: Fields) -> Answer:
    return {"canonical": EncryptionContext.from_json(fields["json"]).canonical.hex()}


def _sm2_convert(fields: Fields) -> Answer:
    ciphertext = bytes.fromhex(fields["ciphertext"])
    return {"converted": sm2.convert(ciphertext, fields["source"], fields["target"]).hex()}


def _sm2_encrypt(fields: Fields) -> Answer:
    public_key = PublicKey.from_der(bytes.fromhex(fields["public_key"]))
    k = int(fields["k"], 16)
    return {
        "ciphertext": hazmat.sm2_encrypt(public_key, bytes.fromhex(fields["plaintext"]), k).hex()
    }

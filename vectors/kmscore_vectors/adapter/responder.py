"""Answer the questions of the vectors with the library: outputs, or the code of an error.

Only public names are used, and `hazmat` where an IV or k is given. The functions that programs call
draw the IV and have their own code path. So both are called, and the results must agree.
"""

import base64
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, TypeAlias

from kmscore import (
    EncryptResult,
    Key,
    KeyProvider,
    Keyring,
    KeySpec,
    KeyState,
    ReEncryptResult,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    asymmetric_decrypt,
    decrypt,
    encrypt,
    hazmat,
    reencrypt,
)
from kmscore.errors import InvalidKeyError, KmsCoreError
from kmscore_vectors.adapter import formats, fresh, service, wycheproof
from kmscore_vectors.adapter.agreement import MakeContext, agreed
from kmscore_vectors.adapter.formats import Answer, Fields

Provider: TypeAlias = Callable[[Keyring], KeyProvider]


class Responder:
    """One way to run the library: with an SM2 backend, and with a keyring or another provider."""

    def __init__(
        self, *, backend: str | None = None, provider: Provider = lambda ring: ring
    ) -> None:
        """Set the backend of SM2 keys, and the function that makes a provider of a keyring."""
        self._backend = backend
        self._provider = provider
        # The check of a private key takes longer than all tests of its group.
        self._keys: dict[tuple[Any, ...], Key] = {}
        self._operations: Mapping[str, Callable[[Fields], Answer]] = {
            "parse_blob": formats.parse_blob,
            "parse_blob_base64": formats.parse_blob_base64,
            "canonicalize": formats.canonicalize,
            "canonicalize_json": formats.canonicalize_json,
            "encrypt": self._encrypt,
            "decrypt": self._decrypt,
            "asymmetric_decrypt": self._asymmetric_decrypt,
            "reencrypt": self._reencrypt,
            "sm2_convert": formats.sm2_convert,
            "sm2_encrypt": formats.sm2_encrypt,
            "parse_service_blob": service.parse_service_blob,
            "service_associated_data": service.service_associated_data,
            "is_ambiguous": service.is_ambiguous,
            "collisions": service.collisions,
            "service_decrypt": self._service_decrypt,
            "api_call": partial(service.api_call, self._key),
            "verify_request": service.verify_request,
            "xaes_256_gcm_open": wycheproof.xaes_256_gcm_open,
            "xaes_256_gcm_seal": wycheproof.xaes_256_gcm_seal,
            "sm2_decrypt": partial(wycheproof.sm2_decrypt, self._key),
            "fresh_encrypt": lambda fields: fresh.fresh_encrypt(self._only_ring(fields), fields),
            "fresh_reencrypt": lambda fields: fresh.fresh_reencrypt(self._ring(fields), fields),
            "fresh_sm2_encrypt": fresh.fresh_sm2_encrypt,
            "fresh_oaep_encrypt": fresh.fresh_oaep_encrypt,
        }

    def answer(self, operation: str, fields: Fields) -> Answer:
        """Return the outputs of `operation`, or its `error`.

        Raises:
            KeyError: If the operation is unknown or a field is missing.
            DisagreementError: If a function that draws the IV disagrees with its variant.
        """
        try:
            return self._operations[operation](fields)
        except KmsCoreError as error:
            return {"error": error.code}

    def _encrypt(self, fields: Fields) -> Answer:
        keys = self._only_ring(fields)
        plaintext, iv = (bytes.fromhex(fields[name]) for name in ("plaintext", "iv"))
        context = dict(fields["pairs"])

        def given() -> EncryptResult:
            return hazmat.encrypt(keys, fields["key_id"], plaintext, context, iv=iv)

        def drawn(make: MakeContext) -> EncryptResult:
            return encrypt(keys, fields["key_id"], plaintext, make(context))

        return {"blob": agreed(given, drawn, keys, context).ciphertext_blob.hex()}

    def _decrypt(self, fields: Fields) -> Answer:
        keys = self._only_ring(fields)
        result = decrypt(keys, bytes.fromhex(fields["blob"]), dict(fields["pairs"]))
        return {"plaintext": result.plaintext.hex()}

    def _asymmetric_decrypt(self, fields: Fields) -> Answer:
        names = {"key_id": "key", "key_version_id": "1", "state": KeyState.ENABLED.value}
        key = {name: fields[name] for name in ("key_spec", "private_key")}
        keys = self._provider(Keyring([self._key(names | key)]))
        ciphertext = bytes.fromhex(fields["ciphertext"])
        result = asymmetric_decrypt(keys, "key", "1", fields["algorithm"], ciphertext)
        return {"plaintext": result.plaintext.hex()}

    def _reencrypt(self, fields: Fields) -> Answer:
        keys = self._ring(fields)
        blob, destination = bytes.fromhex(fields["ciphertext_blob"]), fields["destination_key_id"]
        contexts = dict(fields["source_pairs"]), dict(fields["destination_pairs"])
        options = {
            "source_key_id": fields["source_key_id"],
            "source_key_version_id": fields["source_key_version_id"],
            "source_algorithm": fields["source_algorithm"],
        }

        def given() -> ReEncryptResult:
            if fields["dry_run"]:
                return reencrypt(keys, blob, destination, **bind(dict), **options, dry_run=True)
            iv = bytes.fromhex(fields["iv"])
            return hazmat.reencrypt(keys, blob, destination, **bind(dict), **options, iv=iv)

        def drawn(make: MakeContext) -> ReEncryptResult:
            return reencrypt(keys, blob, destination, **bind(make), **options)

        def bind(make: MakeContext) -> dict[str, Any]:
            names = "source_context", "destination_context"
            return dict(zip(names, map(make, contexts), strict=True))

        result = agreed(given, drawn, keys, contexts[1])
        return {"response": fresh.response(result)}

    def _service_decrypt(self, fields: Fields) -> Answer:
        return service.service_decrypt(self._key(_only_key(fields)), fields)

    def _only_ring(self, fields: Fields) -> KeyProvider:
        """Return a keyring with the one key of a test."""
        return self._provider(Keyring([self._key(_only_key(fields))]))

    def _ring(self, fields: Fields) -> KeyProvider:
        """Return a keyring with the keys of a test."""
        return self._provider(Keyring([self._key(key) for key in fields["keys"]]))

    def _key(self, fields: Fields) -> Key:
        """Return a key of a keyring; make it only once for each document."""
        known = tuple(fields.items())
        if known not in self._keys:
            self._keys[known] = _symmetric(fields) if "key" in fields else self._private(fields)
        return self._keys[known]

    def _private(self, fields: Fields) -> RsaKey | Sm2Key:
        ids, state = (fields["key_id"], fields["key_version_id"]), fields["state"]
        data, spec = bytes.fromhex(fields["private_key"]), KeySpec.of(fields["key_spec"], "spec")
        if spec is KeySpec.EC_SM2:
            return Sm2Key.from_pem(*ids, _pkcs8(data), state=state, backend=self._backend)
        key = _rsa_key(*ids, state, data)
        if key.spec is not spec:
            raise InvalidKeyError(f"the key has the spec {key.spec.name}, not {spec.name}")
        return key


@lru_cache(maxsize=256)
def _rsa_key(key_id: str, key_version_id: str, state: str, data: bytes) -> RsaKey:
    """Return a key, from a cache: the check of one key takes longer than a hundred tests."""
    return RsaKey.from_pem(key_id, key_version_id, _pkcs8(data), state=state)


def _pkcs8(data: bytes) -> bytes:
    """Return a private key in PEM. Its label says PKCS#8, the only structure of the vectors."""
    body = base64.b64encode(data)
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    label = b"PRIVATE KEY-----"
    return b"\n".join((b"-----BEGIN " + label, *lines, b"-----END " + label, b""))


def _only_key(fields: Fields) -> Fields:
    """Return the fields of the key in a test with one key."""
    names = ("key_id", "key_version_id", "key_spec", "suite_id", "key")
    return {name: fields[name] for name in names} | {"state": KeyState.ENABLED.value}


def _symmetric(fields: Fields) -> SymmetricKey:
    return SymmetricKey(
        fields["key_id"],
        fields["key_version_id"],
        fields["key_spec"],
        bytes.fromhex(fields["key"]),
        suite=Suite(int(fields["suite_id"], 16)),
        state=fields["state"],
    )

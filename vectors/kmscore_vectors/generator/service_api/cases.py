"""The keys of the request vectors, requests that succeed, and the tests made of them."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Final

from kmscore_vectors.generator import affine
from kmscore_vectors.generator.keys import keyring
from kmscore_vectors.generator.keys.keyring import (
    PrivateTestKey,
    SymmetricTestKey,
    TestKey,
    ring_field,
    rsa_ciphertext,
    sm2_parts,
    symmetric,
)
from kmscore_vectors.generator.keys.published import RSA_2048
from kmscore_vectors.generator.model import Case, Fields, Json
from kmscore_vectors.generator.service_api.table import ACTIONS, DRY_RUN_PASSED, Rejection
from kmscore_vectors.generator.service_blob.encoder import ServiceKey
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import KeySpec, KeyState, Suite

REQUEST_ID: Final = "207596a2-36d3-4840-b1bd-f87044699bd7"
MESSAGE: Final = bytes(range(0x64, 0x84))
PAIR: Final = (("tenant", "acme"),)
CONTEXT: Final = '{"tenant":"acme"}'
NEW_CONTEXT: Final = '{"tenant":"new"}'

ORDERS: Final = (
    symmetric("orders", "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf", Suite.AES_256_GCM),
    symmetric("orders", "202b9877-5a25-46e3-a763-e20791b50000", Suite.AES_256_GCM),
)
ARCHIVE: Final = symmetric("archive", "2ab1a983-7072-4bbc-a582-584b5bd80000", Suite.SM4_GCM)
PLAIN: Final = (
    *ORDERS,
    ARCHIVE,
    symmetric("aes-192", "00000000-0000-4000-8000-000000000192", Suite.AES_192_GCM),
    symmetric("aes-128", "00000000-0000-4000-8000-000000000128", Suite.AES_128_GCM),
)
XAES: Final = symmetric("xaes", "00000000-0000-4000-8000-00000000000a", Suite.XAES_256_GCM)
UNUSABLE: Final = tuple(
    symmetric(f"unusable-{n}", f"00000000-0000-4000-8000-00000000000{n}", Suite.AES_256_GCM, state)
    for n, state in enumerate(KeyState)
    if state is not KeyState.ENABLED
)
UNNAMED: Final = symmetric("unnamed", "v1", Suite.AES_256_GCM)
RSA: Final = replace(keyring.RSA, key_version_id="r1")
RSA_DISABLED: Final = replace(RSA, key_id="rsa-disabled", state=KeyState.DISABLED)
SM2: Final = replace(keyring.SM2, key_version_id="s1")
RING: Final[tuple[TestKey, ...]] = (*PLAIN, XAES, *UNUSABLE, UNNAMED, RSA, RSA_DISABLED, SM2)

_REGION: Final = "acs:kms:cn-hangzhou:1234567890123456"
FOUR_PARTS: Final = "acs:kms:cn-hangzhou:alias/sm2"
"""The resource name of an alias without its account."""

ALIASES: Final[Fields] = {
    "alias/orders": "orders",
    "alias/sm2": "sm2",
    "alias/nothing": "nothing",
    f"{_REGION}:alias/sm2": "sm2",
    FOUR_PARTS: "sm2",  # not an alias: it denotes no key
}
UNKNOWN_VERSION: Final = b"ffffffff-ffff-ffff-ffff-ffffffffffff"
WITH_KEY_ID: Final = (
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateAndExportDataKey",
    "AsymmetricEncrypt",
    "AsymmetricDecrypt",
)


def key_name(key_id: str) -> str:
    """Return the resource name of a key."""
    return f"{_REGION}:key/{key_id}"


def alias_name(alias: str) -> str:
    """Return the resource name of an alias."""
    return f"{_REGION}:alias/{alias}"


def to_base64(data: bytes) -> str:
    """Return bytes in the Base64 form of a parameter."""
    return base64.b64encode(data).decode("ascii")


def policy(*statements: tuple[str, object, object]) -> str:
    """Return a policy document from effects, actions and resources."""
    return json.dumps(
        {
            "Version": "1",
            "Statement": [
                {"Effect": effect, "Action": action, "Resource": resource}
                for effect, action, resource in statements
            ],
        }
    )


def asymmetric(key: PrivateTestKey, algorithm: str) -> dict[str, str]:
    """Return the parameters that name an asymmetric key and its algorithm."""
    return {
        "KeyId": key.key_id,
        "KeyVersionId": key.key_version_id,
        "Algorithm": algorithm,
    }


@dataclass(frozen=True)
class Requests:
    """The requests in one layout, and the tests made of them."""

    profile: str

    @property
    def shared(self) -> Fields:
        """The fields that all tests of the layout share."""
        aliases: Json = dict(ALIASES)
        return {
            "keys": ring_field(RING),
            "profile": self.profile,
            "aliases": aliases,
            "request_id": REQUEST_ID,
        }

    def blob(
        self, key: SymmetricTestKey, plaintext: bytes = MESSAGE, pairs: Pairs | None = PAIR
    ) -> bytes:
        """Return a blob of the layout."""
        if self.profile == "v1":
            return key.blob(plaintext, pairs or (), key.iv("request"))
        iv = hashlib.shake_128(f"IV {key.key_id}".encode()).digest(12)
        service_key = ServiceKey(key.suite, key.material, key.key_version_id)
        return service_key.blob(plaintext, pairs, iv)

    def right(self, action: str) -> dict[str, str]:
        """Return the parameters of a valid request."""
        wrapping = {
            "PublicKeyBlob": to_base64(RSA_2048.spki()),
            "WrappingAlgorithm": "RSAES_OAEP_SHA_256",
            "WrappingKeySpec": KeySpec.RSA_2048.value,
        }
        sealed = {"CiphertextBlob": to_base64(self.blob(ORDERS[0]))}
        named = {"KeyId": "orders"}
        context = {"EncryptionContext": CONTEXT}
        params: dict[str, dict[str, str]] = {
            "ReEncrypt": {
                **sealed,
                "DestinationKeyId": "archive",
                "SourceEncryptionContext": CONTEXT,
                "DestinationEncryptionContext": NEW_CONTEXT,
            },
            "Encrypt": {**named, "Plaintext": to_base64(MESSAGE), **context},
            "Decrypt": {**sealed, **context},
            "GenerateDataKey": {**named, "KeySpec": "AES_128", **context},
            "GenerateDataKeyWithoutPlaintext": {**named, "NumberOfBytes": "64", **context},
            "ExportDataKey": {**sealed, **wrapping, **context},
            "GenerateAndExportDataKey": {**named, **wrapping, **context},
            "AsymmetricEncrypt": {
                **asymmetric(RSA, "RSAES_OAEP_SHA_1"),
                "Plaintext": to_base64(MESSAGE),
            },
            "AsymmetricDecrypt": {
                **asymmetric(SM2, "SM2PKE"),
                "CiphertextBlob": to_base64(affine.c1c3c2(sm2_parts(MESSAGE))),
            },
        }
        return {"Action": action, **params[action]}

    def bare(self, algorithm: str = "SM2PKE") -> dict[str, str]:
        """Return the parameters of a re-encryption of an asymmetric ciphertext."""
        is_sm2 = algorithm == "SM2PKE"
        key = SM2 if is_sm2 else RSA
        ciphertext = (
            affine.c1c3c2(sm2_parts(MESSAGE)) if is_sm2 else rsa_ciphertext(algorithm, MESSAGE)
        )
        return {
            "Action": "ReEncrypt",
            "CiphertextBlob": to_base64(ciphertext),
            "DestinationKeyId": "archive",
            "SourceKeyId": key.key_id,
            "SourceKeyVersionId": key.key_version_id,
            "SourceEncryptionAlgorithm": algorithm,
        }

    def rejected(
        self,
        comment: str,
        flag: str,
        step: str,
        rejection: Rejection,
        params: dict[str, str],
        policy_text: str | None = None,
    ) -> Case:
        """Return a test whose response is an error."""
        return _case(comment, flag, step, params, policy_text, rejection.response(REQUEST_ID))

    def answered(
        self,
        comment: str,
        flag: str,
        key: TestKey,
        plaintext: bytes,
        params: dict[str, str],
        policy_text: str | None = None,
        *,
        text: str | None = None,
    ) -> Case:
        """Return a test whose response has a plaintext, in Base64 or as a text."""
        body: Fields = {
            "status": "200",
            "KeyId": key.key_id,
            "KeyVersionId": key.key_version_id,
            "Plaintext": to_base64(plaintext) if text is None else text,
            "RequestId": REQUEST_ID,
        }
        return _case(comment, flag, "answer", params, policy_text, body)

    def passed(
        self,
        comment: str,
        flag: str,
        params: dict[str, str],
        policy_text: str | None = None,
    ) -> Case:
        """Return a dry run of a request that would succeed."""
        params = {**params, "DryRun": "true"}
        return self.rejected(comment, flag, "answer", DRY_RUN_PASSED, params, policy_text)


V1: Final = Requests("v1")
SERVICE: Final = Requests("service")
BOTH: Final = (V1, SERVICE)


def permissions_of(action: str) -> list[str]:
    """Return the permissions that an action needs."""
    return list(ACTIONS[action].permissions)


def _case(
    comment: str,
    flag: str,
    step: str,
    params: dict[str, str],
    policy_text: str | None,
    body: Fields,
) -> Case:
    """Return a test."""
    given: Json = dict(params)
    response: Json = body
    return Case(
        comment,
        flag,
        {"policy": policy_text, "params": given},
        {"response": response},
        {"step": step},
    )

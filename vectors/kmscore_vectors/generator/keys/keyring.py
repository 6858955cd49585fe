"""The keyring of test keys for the vectors of re-encryption."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from kmscore_vectors.generator import affine, ciphers, oaep
from kmscore_vectors.generator.keys.published import (
    RSA_2048,
    RSA_3072,
    SM2_PKCS8,
    SM2_PUBLIC_POINT,
)
from kmscore_vectors.generator.model import Fields, Json, hex_fields
from kmscore_vectors.generator.suite_properties import iv_length, key_length, spec_of
from kmscore_vectors.generator.wire import Pairs, context_bytes, header_bytes, sorted_pairs
from kmscore_vectors.tables import EncryptionAlgorithm, KeySpec, KeyState, Suite


@dataclass(frozen=True)
class SymmetricTestKey:
    """A version of a symmetric key."""

    key_id: str
    key_version_id: str
    suite: Suite
    material: bytes
    state: KeyState = KeyState.ENABLED

    @property
    def header(self) -> bytes:
        """The header of a blob of this version."""
        return header_bytes(self.suite.value, self.key_id.encode(), self.key_version_id.encode())

    def associated_data(self, pairs: Pairs) -> bytes:
        """Return the associated data."""
        return self.header + context_bytes(sorted_pairs(pairs))

    def iv(self, purpose: str) -> bytes:
        """Return the IV of a test."""
        name = f"IV {self.key_id} {self.key_version_id} {purpose}".encode()
        return hashlib.shake_128(name).digest(iv_length(self.suite))

    def seal(self, plaintext: bytes, pairs: Pairs, iv: bytes) -> ciphers.Sealed:
        """Return a message sealed with the correct associated data."""
        return ciphers.seal(self.suite, self.material, iv, plaintext, self.associated_data(pairs))

    def blob(self, plaintext: bytes, pairs: Pairs, iv: bytes) -> bytes:
        """Return the whole blob."""
        sealed = self.seal(plaintext, pairs, iv)
        return self.header + iv + sealed.ciphertext + sealed.tag

    def document(self) -> Fields:
        """Return the key as a JSON object of the file."""
        return {
            "key_id": self.key_id,
            "key_version_id": self.key_version_id,
            "key_spec": spec_of(self.suite).value,
            "state": self.state.value,
            **hex_fields(suite_id=bytes([self.suite.value]), key=self.material),
        }


@dataclass(frozen=True)
class PrivateTestKey:
    """A version of an asymmetric key, in PKCS #8."""

    key_id: str
    key_version_id: str
    spec: KeySpec
    pkcs8: bytes
    state: KeyState = KeyState.ENABLED

    def document(self) -> Fields:
        """Return the key as a JSON object of the file."""
        return {
            "key_id": self.key_id,
            "key_version_id": self.key_version_id,
            "key_spec": self.spec.value,
            "state": self.state.value,
            **hex_fields(private_key=self.pkcs8),
        }


TestKey = SymmetricTestKey | PrivateTestKey


@cache
def sm2_parts(message: bytes) -> affine.Sm2Parts:
    """Return the parts of a ciphertext under the SM2 key."""
    k = int.from_bytes(hashlib.sha256(b"k" + message).digest(), "big") >> 1
    return affine.encrypt(SM2_PUBLIC_POINT, message, k)


@cache
def rsa_ciphertext(algorithm: str, message: bytes) -> bytes:
    """Return a ciphertext under the RSA key."""
    hash_name = oaep.HASH_NAMES[EncryptionAlgorithm(algorithm)]
    seed = hashlib.new(hash_name, b"seed" + message).digest()
    return oaep.encrypt(RSA_2048, hash_name, message, seed)


def symmetric(
    key_id: str, key_version_id: str, suite: Suite, state: KeyState = KeyState.ENABLED
) -> SymmetricTestKey:
    """Return a key whose material is derived from its name."""
    name = f"material {key_id} {key_version_id}".encode()
    material = hashlib.shake_128(name).digest(key_length(spec_of(suite)))
    return SymmetricTestKey(key_id, key_version_id, suite, material, state)


def ring_field(keys: Sequence[TestKey]) -> Json:
    """Return the keys of a keyring; the last version of a key is the primary version."""
    return [key.document() for key in keys]


PER_SUITE: Final = {
    suite: symmetric(suite.name.lower().replace("_", "-"), "v1", suite) for suite in Suite
}
ROTATED: Final = tuple(symmetric("rotated", f"v{n}", Suite.XAES_256_GCM) for n in (1, 2, 3))
# One key whose versions are bound to two suites.
MIGRATED: Final = (
    symmetric("migrated", "v1", Suite.AES_256_GCM),
    symmetric("migrated", "v2", Suite.XAES_256_GCM),
)
# The older version is the primary version, because the newer one comes before it.
ROLLED_BACK: Final = tuple(symmetric("rolled-back", f"v{n}", Suite.AES_128_GCM) for n in (2, 1))
RETIRED: Final = (
    symmetric("retired", "v1", Suite.AES_256_GCM, KeyState.DISABLED),
    symmetric("retired", "v2", Suite.AES_256_GCM),
)
FROZEN: Final = (
    symmetric("frozen", "v1", Suite.AES_256_GCM),
    symmetric("frozen", "v2", Suite.AES_256_GCM, KeyState.DISABLED),
)
UNUSABLE: Final = tuple(
    symmetric(state.name.lower().replace("_", "-"), "v1", Suite.XAES_256_GCM, state)
    for state in KeyState
    if state is not KeyState.ENABLED
)
# The same material under another key ID, and under another version ID.
TWIN: Final = symmetric("twin", "v1", Suite.AES_256_GCM)
TWINS: Final = (replace(TWIN, key_id="twin-2"), TWIN, replace(TWIN, key_version_id="v2"))
LONG_NAME: Final = symmetric("k" * 255, "v" * 255, Suite.XAES_256_GCM)
SERVICE_NAME: Final = symmetric(
    "key-hzz65f1cb66fa42qo9n1o", "2ab1a983-7072-4bbc-a582-584b5bd8f6a9", Suite.AES_256_GCM
)
RSA: Final = PrivateTestKey("rsa", "v1", KeySpec.RSA_2048, RSA_2048.pkcs8())
RSA_LARGE: Final = PrivateTestKey("rsa-3072", "v1", KeySpec.RSA_3072, RSA_3072.pkcs8())
RSA_DISABLED: Final = replace(RSA, key_id="rsa-disabled", state=KeyState.DISABLED)
SM2: Final = PrivateTestKey("sm2", "v1", KeySpec.EC_SM2, SM2_PKCS8)

RING: Final[tuple[TestKey, ...]] = (
    *PER_SUITE.values(),
    *ROTATED,
    *MIGRATED,
    *ROLLED_BACK,
    *RETIRED,
    *FROZEN,
    *UNUSABLE,
    *TWINS,
    LONG_NAME,
    SERVICE_NAME,
    RSA,
    RSA_LARGE,
    RSA_DISABLED,
    SM2,
)

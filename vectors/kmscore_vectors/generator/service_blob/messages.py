"""The messages for the vectors of decryption: keys, whole blobs, and their fields."""

import hashlib
from dataclasses import dataclass
from typing import Final

from kmscore_vectors.generator.ciphers import seal
from kmscore_vectors.generator.model import Case, Fields, hex_fields
from kmscore_vectors.generator.service_blob.context_rule import context_field
from kmscore_vectors.generator.service_blob.encoder import (
    INSTANCE_PREFIX,
    PUBLISHED,
    Options,
    ServiceKey,
    associated_data,
    payload_of,
    rule_trace,
)
from kmscore_vectors.generator.suite_properties import spec_of
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.tables import Suite

_KEY_ID: Final = "key-hzz65f1cb66fa42qo9n1o"
VERSION: Final = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
PUBLISHED_KEY: Final = ServiceKey(Suite.AES_256_GCM, bytes(range(32)), VERSION)
PUBLISHED_IV: Final = bytes(range(12))
MESSAGE: Final = bytes(range(0x64, 0x84))
PAIR: Final = (("tenant", "acme"),)
PAIRS: Final = (("b", "2"), ("a", "1"))
MOST_PLAINTEXT: Final = 6144
MOST_SEALED: Final = 8192
IV_AT: Final = 36
CIPHERTEXT_AT: Final = 48
TAG: Final = 16
RAW: Final = Options(payload="raw")
INSTANCE: Final = Options(prefix=INSTANCE_PREFIX)
PLAIN_SUITES: Final = (
    Suite.AES_256_GCM,
    Suite.AES_192_GCM,
    Suite.AES_128_GCM,
    Suite.SM4_GCM,
)


@dataclass(frozen=True)
class Maker:
    """The tests of one key version."""

    key: ServiceKey

    @property
    def shared(self) -> Fields:
        """The key as fields."""
        return {
            "key_spec": spec_of(self.key.suite).value,
            "key_id": _KEY_ID,
            "key_version_id": self.key.key_version_id,
            **hex_fields(suite_id=bytes([self.key.suite.value]), key=self.key.material),
        }

    def iv(self, purpose: str) -> bytes:
        """Return the IV of a test."""
        return draw(f"{self.key.suite.name} IV {purpose}", 12)

    def opened(
        self,
        comment: str,
        flag: str,
        plaintext: bytes,
        pairs: Pairs | None,
        options: Options = PUBLISHED,
        *,
        allow_ambiguous: bool = False,
        iv: bytes = b"",
    ) -> Case:
        """Return a test that succeeds."""
        iv = iv or self.iv(comment)
        aad, payload = associated_data(pairs, options), payload_of(plaintext, options)
        return Case(
            comment,
            flag,
            {
                "pairs": context_field(pairs),
                **options.document(),
                "allow_ambiguous": allow_ambiguous,
                **hex_fields(blob=self.key.blob(plaintext, pairs, iv, options)),
            },
            hex_fields(plaintext=plaintext),
            {
                **rule_trace(pairs, options),
                **hex_fields(
                    associatedData=aad,
                    payload=payload,
                    counterBlock=seal(
                        self.key.suite, self.key.material, iv, b"", b""
                    ).counter_block,
                ),
            },
        )


def draw(purpose: str, length: int) -> bytes:
    """Return bytes drawn from the name of a test."""
    return hashlib.shake_128(f"service {purpose}".encode()).digest(length)

"""The builder of the tests of one suite under one key."""

import hashlib
from typing import Final

from kmscore_vectors.generator.ciphers import Sealed, seal
from kmscore_vectors.generator.model import Case, Fields, hex_fields, pairs_field
from kmscore_vectors.generator.suite_properties import iv_length, key_length, spec_of, trace_of
from kmscore_vectors.generator.wire import Pairs, context_bytes, header_bytes, sorted_pairs
from kmscore_vectors.tables import ErrorCode, KeySpec, Suite

KEY_ID: Final = b"key"
KEY_VERSION_ID: Final = b"v1"
MOST_PLAINTEXT: Final = 6144
TAG_LENGTH: Final = 16
MESSAGE: Final = bytes(range(0x40, 0x60))
PAIRS: Final = (("b", "2"), ("a", "1"))


class AeadMaker:
    """The builder of the tests of one suite under one key, by default the suite's usual key."""

    def __init__(
        self,
        suite: Suite,
        material: bytes | None = None,
        ids: tuple[bytes, bytes] = (KEY_ID, KEY_VERSION_ID),
    ) -> None:
        """Set the suite, the key and its two IDs."""
        self.suite = suite
        self.spec: KeySpec = spec_of(suite)
        self.material: bytes = (
            self.draw("key", key_length(self.spec)) if material is None else material
        )
        self.header: bytes = header_bytes(suite.value, *ids)
        self.shared: Fields = {
            "key_spec": self.spec.value,
            "key_id": ids[0].decode(),
            "key_version_id": ids[1].decode(),
            **hex_fields(suite_id=bytes([suite.value]), key=self.material),
        }

    def draw(self, purpose: str, length: int) -> bytes:
        """Return bytes drawn from the name of a test."""
        return hashlib.shake_128(f"{self.suite.name} {purpose}".encode()).digest(length)

    def iv(self, purpose: str) -> bytes:
        """Return the IV of a test."""
        return self.draw(f"IV {purpose}", iv_length(self.suite))

    def associated_data(self, pairs: Pairs) -> bytes:
        """Return the correct associated data."""
        return self.header + context_bytes(sorted_pairs(pairs))

    def blob(self, sealed: Sealed, iv: bytes) -> bytes:
        """Return the blob of a sealed message."""
        return self.header + iv + sealed.ciphertext + sealed.tag

    def sealed(
        self, comment: str, flag: str, plaintext: bytes, pairs: Pairs, iv: bytes | None = None
    ) -> Case:
        """Return a test of encryption."""
        iv = self.iv(comment) if iv is None else iv
        aad = self.associated_data(pairs)
        sealed = seal(self.suite, self.material, iv, plaintext, aad)
        return Case(
            comment,
            flag,
            context_field(pairs) | hex_fields(plaintext=plaintext, iv=iv),
            hex_fields(blob=self.blob(sealed, iv)),
            trace_of(self.suite, pairs, aad, sealed),
        )

    def opened(
        self, comment: str, flag: str, plaintext: bytes, pairs: Pairs, iv: bytes | None = None
    ) -> Case:
        """Return a test of decryption."""
        case = self.sealed(comment, flag, plaintext, pairs, iv)
        inputs = {"pairs": case.inputs["pairs"], "blob": case.outputs["blob"]}
        return Case(comment, flag, inputs, hex_fields(plaintext=plaintext), case.trace)


def context_field(pairs: Pairs) -> Fields:
    """Return a context as a field."""
    return {"pairs": pairs_field(pairs)}


def wide_context(excess: int) -> Pairs:
    """Return a context whose canonical form has 65,535 bytes, plus the given number."""
    overhead = 2 + 2 + len("k") + 2  # the count, and the lengths of the key and of the value
    return (("k", "v" * (65_535 - overhead + excess)),)


def flip(data: bytes, offset: int, mask: int) -> bytes:
    """Return `data` with the bits of one byte inverted."""
    changed = bytearray(data)
    changed[offset] ^= mask
    return bytes(changed)


def bad_blob(right: Case, flag: str, comment: str, blob: bytes) -> Case:
    """Return `right` as a negative test, with a blob that does not open."""
    return right.rejected(ErrorCode.DECRYPTION, flag, comment, hex_fields(blob=blob))

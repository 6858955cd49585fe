"""Tests of RSAES-OAEP of one key and one hash, from a message and a seed."""

import hashlib
from collections.abc import Callable
from itertools import count
from typing import Final

from kmscore_vectors.generator import oaep
from kmscore_vectors.generator.keys.published import RSA_KEYS
from kmscore_vectors.generator.model import Case, hex_fields
from kmscore_vectors.generator.oaep import HASH_NAMES
from kmscore_vectors.tables import EncryptionAlgorithm, ErrorCode

MESSAGE: Final = b"a data key of thirty-two bytes.."


class Maker:
    """The tests of one key and one hash."""

    def __init__(self, spec: str, algorithm: EncryptionAlgorithm) -> None:
        """Choose the key and the hash."""
        self.key: oaep.RsaTestKey = RSA_KEYS[spec]
        self.hash_name: str = HASH_NAMES[algorithm]
        self.name: str = f"{spec} {algorithm.value}"
        self.hash_length: int = hashlib.new(self.hash_name).digest_size
        self.room: int = self.key.length - 2 * self.hash_length - 2

    def seed(self, purpose: str) -> bytes:
        """Return the seed of a test, drawn from its name."""
        return hashlib.shake_128(f"{self.name} {purpose}".encode()).digest(self.hash_length)

    def data_block(self, message: bytes, label: bytes = b"") -> bytes:
        """Return DB."""
        return oaep.data_block(self.hash_name, message, self.key.length, label)

    def valid(self, flag: str, comment: str, message: bytes, seed: bytes | None = None) -> Case:
        """Return a ciphertext that opens."""
        padded = oaep.pad(self.hash_name, self.data_block(message), seed or self.seed(comment))
        return Case(
            comment,
            flag,
            hex_fields(ciphertext=oaep.encrypt_em(self.key, padded.em)),
            hex_fields(plaintext=message),
            hex_fields(
                lHash=padded.l_hash,
                seed=padded.seed,
                DB=padded.db,
                dbMask=padded.db_mask,
                maskedDB=padded.masked_db,
                seedMask=padded.seed_mask,
                maskedSeed=padded.masked_seed,
                EM=padded.em,
            ),
        )

    def first_seed(self, purpose: str, is_sought: Callable[[bytes], bool]) -> bytes:
        """Return the first of a row of seeds that gives EM of the usual message a property."""
        block = self.data_block(MESSAGE)
        seeds = (self.seed(f"{purpose} {number}") for number in count())
        return next(
            seed for seed in seeds if is_sought(oaep.pad(self.hash_name, block, seed).em)
        )  # fmt: skip

    def small_ciphertext(self) -> Case:
        """Return a ciphertext whose first byte is 00."""
        comment = "the ciphertext begins with 00"
        seed = self.first_seed(comment, lambda em: oaep.encrypt_em(self.key, em)[0] == 0)
        return self.valid("LeadingZeros", comment, MESSAGE, seed)

    def reject(self, right: Case, flag: str, comment: str, ciphertext: bytes) -> Case:
        """Return `right` as a negative test, with another ciphertext."""
        return right.rejected(
            ErrorCode.DECRYPTION, flag, comment, hex_fields(ciphertext=ciphertext)
        )

"""RSAES-OAEP (RFC 8017 section 7.1) with a given seed, step by step."""

import hashlib
from math import lcm
from typing import Final, NamedTuple

from kmscore_vectors.generator.identifiers import RSA_ENCRYPTION
from kmscore_vectors.generator.wire import der_bits, der_integer, der_octets, der_sequence
from kmscore_vectors.tables import EncryptionAlgorithm

PUBLIC_EXPONENT = 65537
HASH_NAMES: Final = {
    EncryptionAlgorithm.RSAES_OAEP_SHA_256: "sha256",
    EncryptionAlgorithm.RSAES_OAEP_SHA_1: "sha1",
}


class RsaTestKey(NamedTuple):
    """An RSA key, given by its two primes and its public exponent."""

    p: int
    q: int
    e: int = PUBLIC_EXPONENT

    @property
    def n(self) -> int:
        """The modulus."""
        return self.p * self.q

    @property
    def phi(self) -> int:
        """φ(n), the number of units modulo n."""
        return (self.p - 1) * (self.q - 1)

    @property
    def carmichael(self) -> int:
        """λ(n), the least common multiple of p - 1 and q - 1."""
        return lcm(self.p - 1, self.q - 1)

    @property
    def length(self) -> int:
        """Length of the modulus, in bytes."""
        return (self.n.bit_length() + 7) // 8

    def power(self, message: int) -> int:
        """Return RSAEP of an integer that is less than the modulus."""
        return pow(message, self.e, self.n)

    def pkcs1(self, **changes: int) -> bytes:
        """Return the private key as RSAPrivateKey in DER (RFC 8017 section A.1.2).

        `changes` replace numbers: `two_primes` (the version), `n`, `e`, `d`, `p`, `q`, `d_p`, `d_q`
        and `q_inv`.
        """
        return der_sequence(map(der_integer, (self.numbers() | changes).values()))

    def numbers(self) -> dict[str, int]:
        """Return the numbers of the RSAPrivateKey, in their order."""
        p, q, e = self.p, self.q, self.e
        d = pow(e, -1, self.phi)
        numbers = {"two_primes": 0, "n": self.n, "e": e, "d": d, "p": p, "q": q}
        return numbers | {"d_p": d % (p - 1), "d_q": d % (q - 1), "q_inv": pow(q, -1, p)}

    def pkcs8(
        self, *, version: int = 0, identifier: bytes = RSA_ENCRYPTION, **changes: int
    ) -> bytes:
        """Return the private key as PKCS#8 in DER (RFC 5208), with changes as in `pkcs1`."""
        private_key = der_octets(self.pkcs1(**changes))
        return der_sequence((der_integer(version), identifier, private_key))

    def spki(self) -> bytes:
        """Return the public key as SubjectPublicKeyInfo in DER (RFC 5280 section 4.1)."""
        public_key = der_sequence((der_integer(self.n), der_integer(self.e)))
        return der_sequence((RSA_ENCRYPTION, der_bits(public_key)))


class Padded(NamedTuple):
    """The intermediate values of EME-OAEP, in the names of RFC 8017 section 7.1.1."""

    l_hash: bytes
    seed: bytes
    db: bytes
    db_mask: bytes
    masked_db: bytes
    seed_mask: bytes
    masked_seed: bytes
    em: bytes


def mgf1(hash_name: str, seed: bytes, length: int) -> bytes:
    """Return `length` bytes of MGF1 (RFC 8017 section B.2.1)."""
    blocks = b""
    counter = 0
    while len(blocks) < length:
        blocks += hashlib.new(hash_name, seed + counter.to_bytes(4, "big")).digest()
        counter += 1
    return blocks[:length]


def data_block(hash_name: str, message: bytes, length: int, label: bytes = b"") -> bytes:
    """Return DB for a modulus of `length` bytes: lHash, zeros, 01, message."""
    l_hash = hashlib.new(hash_name, label).digest()
    zeros = bytes(length - len(message) - 2 * len(l_hash) - 2)
    return l_hash + zeros + b"\x01" + message


def pad(
    hash_name: str, db: bytes, seed: bytes, *, mgf_hash: str | None = None, first: int = 0
) -> Padded:
    """Return EM from DB and seed; negative vectors use another MGF hash or first byte."""
    mgf_hash = mgf_hash or hash_name
    db_mask = mgf1(mgf_hash, seed, len(db))
    masked_db = _xor(db, db_mask)
    seed_mask = mgf1(mgf_hash, masked_db, len(seed))
    masked_seed = _xor(seed, seed_mask)
    l_hash = db[: hashlib.new(hash_name).digest_size]
    em = bytes([first]) + masked_seed + masked_db
    return Padded(l_hash, seed, db, db_mask, masked_db, seed_mask, masked_seed, em)


def encrypt_em(key: RsaTestKey, em: bytes) -> bytes:
    """Return the ciphertext of an encoded message, as long as the modulus."""
    return key.power(int.from_bytes(em, "big")).to_bytes(key.length, "big")


def encrypt(key: RsaTestKey, hash_name: str, message: bytes, seed: bytes) -> bytes:
    """Return RSAES-OAEP of `message` with an empty label."""
    return encrypt_em(key, pad(hash_name, data_block(hash_name, message, key.length), seed).em)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))

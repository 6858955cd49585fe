"""The steps of the specification's constructions, computed without the library."""

import hashlib
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SM3, Hash

from kmscore.sm2.curve import Point

HASH_NAMES: Final = {"RSAES_OAEP_SHA_256": "sha256", "RSAES_OAEP_SHA_1": "sha1"}
"""The hash of each RSA algorithm, by its name in `hashlib`."""


class Derivation(NamedTuple):
    """The intermediate values of XAES-256-GCM's derived key, in the names of section 5.4."""

    block: bytes
    k1: bytes
    inputs: tuple[bytes, bytes]
    masked: tuple[bytes, bytes]
    derived_key: bytes


def xor(left: bytes, right: bytes) -> bytes:
    """Return the XOR of two byte strings of the same length."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def encrypt_blocks(cipher: BlockCipherAlgorithm, blocks: bytes) -> bytes:
    """Return the blocks, each encrypted separately."""
    return Cipher(cipher, ECB()).encryptor().update(blocks)  # noqa: S305 (the block cipher of GCM)


def derive(key: bytes, nonce: bytes) -> Derivation:
    """Return the derivation of XAES-256-GCM (section 5.4)."""
    aes = AES(key)
    block = encrypt_blocks(aes, bytes(16))
    doubled = int.from_bytes(block, "big") << 1
    k1 = (doubled % 2**128 ^ (doubled >> 128) * 0x87).to_bytes(16, "big")
    first, second = (bytes.fromhex(f"000{n}5800") + nonce[:12] for n in (1, 2))
    masked = xor(first, k1), xor(second, k1)
    return Derivation(block, k1, (first, second), masked, encrypt_blocks(aes, b"".join(masked)))


def mgf1(hash_name: str, seed: bytes, length: int) -> bytes:
    """Return MGF1 (RFC 8017 section B.2.1)."""
    size = hashlib.new(hash_name).digest_size
    counters = range(-(-length // size))
    blocks = [hashlib.new(hash_name, seed + n.to_bytes(4, "big")).digest() for n in counters]
    return b"".join(blocks)[:length]


def sm3(*parts: bytes) -> bytes:
    """Return SM3 of the concatenation."""
    digest = Hash(SM3())
    digest.update(b"".join(parts))
    return digest.finalize()


def key_stream(x2: bytes, y2: bytes, length: int) -> bytes:
    """Return the KDF of SM2 (section 7.3)."""
    counters = range(1, 1 + -(-length // 32))
    return b"".join(sm3(x2, y2, n.to_bytes(4, "big")) for n in counters)[:length]


def coordinates(point: Point) -> tuple[bytes, bytes]:
    """Return x and y, 32 bytes each."""
    return point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")

"""The random value of a right ciphertext, recovered with the test key.

Each function encrypts the message again with the recovered value, and compares all bytes. So a
ciphertext is right only if it is exactly the one that SPEC.md requires for that value.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from kmscore_vectors.generator import affine, oaep
from kmscore_vectors.generator.keys.keyring import SymmetricTestKey
from kmscore_vectors.generator.keys.published import SM2_SCALAR
from kmscore_vectors.generator.oaep import PUBLIC_EXPONENT, RsaTestKey
from kmscore_vectors.generator.suite_properties import iv_length
from kmscore_vectors.generator.wire import Pairs
from kmscore_vectors.nonces.points import Point, is_on_curve, multiply_all, to_points

_POINT: Final = slice(1, 65)  # x and y of C1, after 04


def recover_iv(key: SymmetricTestKey, plaintext: bytes, pairs: Pairs, blob: bytes) -> bytes | None:
    """Return the IV of a v1 blob, or `None` if the blob is wrong."""
    start, length = len(key.header), iv_length(key.suite)
    iv = blob[start : start + length]
    right = len(iv) == length and key.blob(plaintext, pairs, iv) == blob
    return iv if right else None


def recover_seed(
    key: RsaTestKey, hash_name: str, message: bytes, ciphertext: bytes
) -> bytes | None:
    """Return the seed of an OAEP ciphertext, or `None` if the ciphertext is wrong."""
    size = hashlib.new(hash_name).digest_size
    em = _private_power(key, int.from_bytes(ciphertext, "big")).to_bytes(key.length, "big")
    masked_seed, masked_db = em[1 : 1 + size], em[1 + size :]
    mask = oaep.mgf1(hash_name, masked_db, size)
    seed = bytes(a ^ b for a, b in zip(masked_seed, mask, strict=True))
    return seed if oaep.encrypt(key, hash_name, message, seed) == ciphertext else None


def recover_points(message: bytes, ciphertexts: Sequence[bytes]) -> list[bytes | None]:
    """Return x and y of C1 for each C1C3C2 ciphertext under the test key; `None` for a wrong one.

    All ciphertexts are decrypted at once, because that is ten times as fast as one after the other.
    """
    points = to_points(text[_POINT] for text in ciphertexts)
    usable = [point for point in points if is_on_curve(point)]
    shared = dict(zip(usable, multiply_all(SM2_SCALAR, usable), strict=True))
    return [
        text[_POINT] if _is_right(message, text, point, shared) else None
        for text, point in zip(ciphertexts, points, strict=True)
    ]


def _is_right(message: bytes, ciphertext: bytes, c1: Point, shared: Mapping[Point, Point]) -> bool:
    """Return whether a ciphertext is that of a message; `shared` has [d]C1 of each C1."""
    if c1 not in shared:
        return False
    return affine.c1c3c2(affine.seal(c1, shared[c1], message)) == ciphertext


def _private_power(key: RsaTestKey, number: int) -> int:
    """Return RSADP of an integer, by the Chinese remainder theorem."""
    d = pow(PUBLIC_EXPONENT, -1, key.phi)
    low = pow(number, d % (key.q - 1), key.q)
    high = pow(number, d % (key.p - 1), key.p)
    return low + key.q * ((high - low) * pow(key.q, -1, key.p) % key.p)

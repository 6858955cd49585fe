"""The functions of the formulas: textbook arithmetic that the operations neither use nor share.

Byte strings in, byte strings out. The functions are not constant-time. Those with a private key
blind it, so that their time depends on numbers that are used only once.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SM3, Hash

from kmscore.sm2.curve import A, B, N, P

Primitive: TypeAlias = Callable[..., bytes]
"""A function from byte strings and numbers to a byte string."""

BLOCK: Final = 16
"""Length of a block of AES, SM4 and GHASH, in bytes."""

NOWHERE: Final = b"\xff\xff"
"""The result of `position` if the padding of OAEP is wrong."""

_GCM_POLYNOMIAL: Final = 0xE1 << 120  # SP 800-38D section 6.3, in its order of bits
_Affine: TypeAlias = tuple[int, int] | None
"""A point of the curve; `None` is infinity."""


def cut(data: bytes, start: int, end: int) -> bytes:
    """Return the bytes from `start` to before `end`."""
    return data[start:end]


def join(*parts: bytes) -> bytes:
    """Return the concatenation."""
    return b"".join(parts)


def first(length: int, *parts: bytes) -> bytes:
    """Return the first bytes of the concatenation."""
    return b"".join(parts)[:length]


def xor(left: bytes, right: bytes) -> bytes:
    """Return the XOR of two byte strings of equal length."""
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def pad(data: bytes) -> bytes:
    """Return the data with zeros up to a whole block."""
    return data + bytes(-len(data) % BLOCK)


def lengths(associated_data: bytes, ciphertext: bytes) -> bytes:
    """Return the last block of GHASH: both lengths in bits (SP 800-38D section 7.1 step 5)."""
    bits = (8 * len(each) for each in (associated_data, ciphertext))
    return b"".join(each.to_bytes(8, "big") for each in bits)


def counter(iv: bytes, number: int) -> bytes:
    """Return the counter block of an IV of 96 bits."""
    return iv + number.to_bytes(4, "big")


def aes(key: bytes, block: bytes) -> bytes:
    """Return one block under AES (FIPS 197)."""
    return Cipher(AES(key), ECB()).encryptor().update(block)  # noqa: S305 (one block)


def sm4(key: bytes, block: bytes) -> bytes:
    """Return one block under SM4 (GB/T 32907)."""
    return Cipher(SM4(key), ECB()).encryptor().update(block)  # noqa: S305 (one block)


def double(block: bytes) -> bytes:
    """Return the subkey K1 of a block (SP 800-38B section 6.1)."""
    value = int.from_bytes(block, "big")
    shifted = (value << 1) & ((1 << 128) - 1)
    return (shifted ^ 0x87 * (value >> 127)).to_bytes(BLOCK, "big")


def ghash(before: bytes, block: bytes, hash_key: bytes) -> bytes:
    """Return the next Y of GHASH, (Y ⊕ X) · H (SP 800-38D sections 6.3 and 6.4)."""
    x = int.from_bytes(before, "big") ^ int.from_bytes(block, "big")
    return product(x, int.from_bytes(hash_key, "big")).to_bytes(BLOCK, "big")


def product(x: int, y: int) -> int:
    """Return the product in GF(2^128), in the order of bits of GCM (SP 800-38D section 6.3)."""
    z, v = 0, y
    for bit in range(127, -1, -1):
        z ^= v * (x >> bit & 1)
        v = v >> 1 ^ _GCM_POLYNOMIAL * (v & 1)
    return z


def canonical(*texts: bytes) -> bytes:
    """Return the canonical bytes of a context, from its sorted keys and values in turn."""
    parts = [(len(texts) // 2).to_bytes(2, "big")]
    for text in texts:
        parts += [len(text).to_bytes(2, "big"), text]
    return b"".join(parts)


def pairs_text(*texts: bytes) -> bytes:
    """Return the text of the service's rule, from sorted keys and values in turn."""
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return b"&".join(key + b"=" + value for key, value in pairs)


def hexadecimal(data: bytes) -> bytes:
    """Return the hexadecimal digits as ASCII text."""
    return data.hex().encode("ascii")


def sha256(*parts: bytes) -> bytes:
    """Return the digest of the concatenation."""
    return hashlib.sha256(b"".join(parts)).digest()


def sha1(*parts: bytes) -> bytes:
    """Return the digest of the concatenation."""
    return hashlib.sha1(b"".join(parts), usedforsecurity=False).digest()


def sm3(*parts: bytes) -> bytes:
    """Return the digest of the concatenation."""
    digest = Hash(SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize()


def mgf1_sha256(seed: bytes, length: int) -> bytes:
    """Return a mask (RFC 8017 section B.2.1)."""
    return mgf1(sha256, seed, length)


def mgf1_sha1(seed: bytes, length: int) -> bytes:
    """Return a mask (RFC 8017 section B.2.1)."""
    return mgf1(sha1, seed, length)


def mgf1(digest: Primitive, seed: bytes, length: int) -> bytes:
    """Return the first bytes of the digests of the seed with a counter from 0."""
    mask, number = b"", 0
    while len(mask) < length:
        mask += digest(seed, number.to_bytes(4, "big"))
        number += 1
    return mask[:length]


def power(base: bytes, exponent: bytes, modulus: bytes) -> bytes:
    """Return base^exponent mod modulus, as long as the modulus."""
    n = int.from_bytes(modulus, "big")
    result = pow(int.from_bytes(base, "big"), int.from_bytes(exponent, "big"), n)
    return result.to_bytes(len(modulus), "big")


def private_power(base: bytes, exponent: bytes, public: bytes, modulus: bytes) -> bytes:
    """Return base^exponent mod modulus; the base is blinded with the public exponent."""
    n, e = int.from_bytes(modulus, "big"), int.from_bytes(public, "big")
    # A number below n that is not a multiple of a prime of n: all but 2^-1000 of them.
    r = 2 + int.from_bytes(os.urandom(len(modulus) + 8), "big") % (n - 2)
    blinded = int.from_bytes(base, "big") * pow(r, e, n) % n
    result = pow(blinded, int.from_bytes(exponent, "big"), n) * pow(r, -1, n) % n
    return result.to_bytes(len(modulus), "big")


def position(data_block: bytes, start: int) -> bytes:
    """Return the offset of the first 01 after zeros from `start` on, as 2 bytes, or `ff ff`."""
    offset = start
    while offset < len(data_block) and data_block[offset] == 0:
        offset += 1
    if offset == len(data_block) or data_block[offset] != 1:
        return NOWHERE
    return offset.to_bytes(2, "big")


def after(data: bytes, offset: bytes) -> bytes:
    """Return the bytes after an offset of 2 bytes."""
    return data[int.from_bytes(offset, "big") + 1 :]


def curve_left(y: bytes) -> bytes:
    """Return y^2 mod p of the curve of SM2."""
    return _coordinate(pow(int.from_bytes(y, "big"), 2, P))


def curve_right(x: bytes) -> bytes:
    """Return x^3 + ax + b mod p of the curve of SM2."""
    value = int.from_bytes(x, "big")
    return _coordinate((pow(value, 3, P) + A * value + B) % P)


def point_x(scalar: bytes, x: bytes, y: bytes) -> bytes:
    """Return the first coordinate of [scalar](x, y)."""
    return multiple(scalar, x, y)[0]


def point_y(scalar: bytes, x: bytes, y: bytes) -> bytes:
    """Return the second coordinate of [scalar](x, y)."""
    return multiple(scalar, x, y)[1]


def _coordinate(value: int) -> bytes:
    return value.to_bytes(32, "big")


def multiple(scalar: bytes, x: bytes, y: bytes) -> tuple[bytes, bytes]:
    """Return [scalar](x, y) for a scalar of 1 to n-1, which is split into two random parts."""
    d = int.from_bytes(scalar, "big")
    point = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    part = int.from_bytes(os.urandom(40), "big") % N
    result = _add(_times(part, point), _times((d - part) % N, point))
    if result is None:
        raise ArithmeticError("the scalar is a multiple of n")
    return _coordinate(result[0]), _coordinate(result[1])


def _times(scalar: int, point: _Affine) -> _Affine:
    """Return the multiple of a point, bit by bit from the lowest."""
    result: _Affine = None
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _add(left: _Affine, right: _Affine) -> _Affine:
    """Return the sum of two points (GB/T 32918.1-2016 section 3.2.3.1)."""
    if left is None:
        return right
    if right is None:
        return left
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if x1 == x2:
        slope = (3 * x1 * x1 + A) * pow(2 * y1, -1, P) % P
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P) % P
    x3 = (slope * slope - x1 - x2) % P
    return x3, (slope * (x1 - x3) - y1) % P


def base64_text(data: bytes) -> bytes:
    """Return the Base64 text (RFC 4648 section 4)."""
    return base64.b64encode(data)


def base64_bytes(text: bytes) -> bytes:
    """Return the bytes of a strict Base64 text, or no bytes for another text."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


PRIMITIVES: Final[Mapping[str, Primitive]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            *(cut, join, first, xor, pad, lengths, counter, aes, sm4, double, ghash),
            *(canonical, pairs_text, hexadecimal, sha256, sha1, sm3, mgf1_sha256, mgf1_sha1),
            *(power, private_power, position, after, curve_left, curve_right, point_x, point_y),
            *(base64_text, base64_bytes),
        )
    }
)
"""The functions by the name that formulas use."""

"""One ciphertext of AES-GCM whose tag is right under many keys.

GHASH is linear in the blocks of the ciphertext, so each key gives one linear equation over
GF(2^128). As many free blocks as there are keys solve them all (Dodis, Grubbs, Ristenpart and
Woodage, CRYPTO 2018; Len, Grubbs and Ristenpart, USENIX Security 2021).
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ONE = 1 << 127
"""The unit of the field: GCM counts bits from the left."""


def multiply(x: int, y: int) -> int:
    """Return x·y in GF(2^128) (SP 800-38D section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if y >> bit & 1:
            product ^= x
        x = x >> 1 ^ (0xE1 << 120 if x & 1 else 0)
    return product


def power(x: int, exponent: int) -> int:
    """Return x to any power; to 2^128 - 2 it is the inverse."""
    result = _ONE
    while exponent:
        if exponent & 1:
            result = multiply(result, x)
        x, exponent = multiply(x, x), exponent >> 1
    return result


def colliding(
    keys: Sequence[bytes], iv: bytes, associated: bytes, first: bytes, free: Sequence[int]
) -> bytes:
    """Return a ciphertext and its tag of zeros, which is right under each of `keys`.

    Under the first key it decrypts to `first`, except for the 16-byte blocks with the numbers
    `free`. There are as many of these as keys.
    """
    assert len(free) == len(keys)
    assert len(first) % 16 == 0
    stream = _encrypt(keys[0], *(_counter(iv, 2 + index) for index in range(len(first) // 16)))
    blocks = [left ^ right for left, right in zip(_blocks(first), stream, strict=True)]
    for index in free:
        blocks[index] = 0
    lengths = 8 * len(associated) << 64 | 8 * len(first)
    hashed = [*_blocks(associated), *blocks, lengths]
    offset = len(_blocks(associated))
    rows = []
    for key in keys:
        h, mask = _encrypt(key, 0, _counter(iv, 1))
        powers = [power(h, len(hashed) - offset - index) for index in free]
        rows.append([*powers, mask ^ _ghash(h, hashed)])
    for index, block in zip(free, _solve(rows), strict=True):
        blocks[index] = block
    return b"".join(block.to_bytes(16, "big") for block in blocks) + bytes(16)


def _blocks(data: bytes) -> list[int]:
    """Return data as blocks; the last one is filled with zeros."""
    return [
        int.from_bytes(data[start : start + 16].ljust(16, b"\x00"), "big")
        for start in range(0, len(data), 16)
    ]


def _counter(iv: bytes, number: int) -> int:
    return int.from_bytes(iv + number.to_bytes(4, "big"), "big")


def _encrypt(key: bytes, *blocks: int) -> list[int]:
    """Return the encryption of each block."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (part of GCM)
    return _blocks(encryptor.update(b"".join(block.to_bytes(16, "big") for block in blocks)))


def _ghash(h: int, blocks: Sequence[int]) -> int:
    value = 0
    for block in blocks:
        value = multiply(value ^ block, h)
    return value


def _solve(rows: list[list[int]]) -> list[int]:
    """Return the solution of a linear system over GF(2^128), whose last column is its right side.

    Distinct keys have distinct H. So rows of evenly spaced powers of it are independent if the
    space is a power of two, because squaring is a bijection.
    """
    for column in range(len(rows)):
        pivot = next(row for row in range(column, len(rows)) if rows[row][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        inverse = power(rows[column][column], (1 << 128) - 2)
        rows[column] = [multiply(inverse, value) for value in rows[column]]
        for row in range(len(rows)):
            factor = rows[row][column]
            if row != column:
                rows[row] = [
                    value ^ multiply(factor, other)
                    for value, other in zip(rows[row], rows[column], strict=True)
                ]
    return [row[-1] for row in rows]

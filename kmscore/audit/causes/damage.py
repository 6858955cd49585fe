"""Damage that is found by algebra: an error in one place of a GCM ciphertext.

The tag is E(J0) plus a polynomial in H of the blocks of associated data and ciphertext. An error e
in a block moves the tag by e · H^k, with k the number of blocks from there to the end. The
difference of the computed and the given tag, divided by H block by block, is therefore short at the
block of an error, and random everywhere else. An error of at most 8 bytes that crosses the
boundary of two blocks is found in the same way, by linear algebra.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from kmscore.algorithms import Suite
from kmscore.audit.primitives import (
    BLOCK,
    Primitive,
    aes,
    counter,
    double,
    join,
    lengths,
    pad,
    product,
    sm4,
    xor,
)

RUN: Final = 8
"""Maximum length of an error, in bytes."""

_BITS: Final = 128
_ONE: Final = 1 << 127


class Gcm(NamedTuple):
    """GCM with one key and one IV: its hash key and the mask of the tag."""

    hash_key: int
    mask: bytes


class Error(NamedTuple):
    """An error that would explain the tag."""

    place: str
    """`tag`, `associated data` or `ciphertext`."""

    offset: int
    """The offset of its first byte in that place."""

    mask: bytes
    """The XOR of the wrong and the right bytes; without zeros at its ends."""


def set_up(suite: Suite, material: bytes, iv: bytes) -> Gcm:
    """Return GCM with the key and the IV of a suite."""
    block, key, iv = _inner(suite, material, iv)
    return Gcm(int.from_bytes(block(key, bytes(BLOCK)), "big"), block(key, counter(iv, 1)))


def _inner(suite: Suite, material: bytes, iv: bytes) -> tuple[Primitive, bytes, bytes]:
    """Return the block cipher, the key and the IV of 96 bits."""
    if suite is Suite.XAES_256_GCM:
        subkey = double(aes(material, bytes(BLOCK)))
        halves = (
            aes(material, xor(join(bytes([0, n]), b"X\x00", iv[:12]), subkey)) for n in (1, 2)
        )
        material, iv = b"".join(halves), iv[12:]
    return sm4 if suite is Suite.SM4_GCM else aes, material, iv


def gives_text(suite: Suite, material: bytes, iv: bytes, ciphertext: bytes) -> bool:
    """Return whether the key stream makes a printable text in UTF-8 of the ciphertext."""
    block, key, iv = _inner(suite, material, iv)
    stream = b"".join(
        block(key, counter(iv, number)) for number in range(2, 2 + -(-len(ciphertext) // BLOCK))
    )
    try:
        text = xor(ciphertext, stream[: len(ciphertext)]).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t" for character in text)


def compute_tag(gcm: Gcm, associated_data: bytes, ciphertext: bytes) -> bytes:
    """Return the tag."""
    total = 0
    data = pad(associated_data) + pad(ciphertext) + lengths(associated_data, ciphertext)
    for start in range(0, len(data), BLOCK):
        block = int.from_bytes(data[start : start + BLOCK], "big")
        total = product(total ^ block, gcm.hash_key)
    return xor(total.to_bytes(BLOCK, "big"), gcm.mask)


def locate(gcm: Gcm, associated_data: bytes, ciphertext: bytes, tag: bytes) -> list[Error]:
    """Return the single errors of at most 8 consecutive bytes that would explain the tag."""
    difference = xor(compute_tag(gcm, associated_data, ciphertext), tag)
    found = [Error("tag", start, mask) for start, mask in _short(difference)]
    inverse = _inverse(gcm.hash_key)
    across = _Across(gcm.hash_key)
    value = product(int.from_bytes(difference, "big"), inverse)  # the block of lengths is right
    for place, data in (("ciphertext", ciphertext), ("associated data", associated_data)):
        for start in range(len(pad(data)) - BLOCK, -1, -BLOCK):
            value = product(value, inverse)
            for offset, mask in _short(value.to_bytes(BLOCK, "big")):
                found.append(Error(place, start + offset, mask))
            # Here, an error of the block before it is multiplied by H once more.
            if start:
                found += [
                    Error(place, start - BLOCK + offset, mask)
                    for offset, mask in across.solve(value)
                ]
        found = [
            error
            for error in found
            if error.place != place or error.offset + len(error.mask) <= len(data)
        ]
    return found


def _short(value: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield offset and bytes of a block whose bytes other than 0 are at most 8 consecutive ones."""
    stripped = value.lstrip(b"\x00")
    start = len(value) - len(stripped)
    mask = stripped.rstrip(b"\x00")
    if 0 < len(mask) <= RUN:
        yield start, mask


class _Across:
    """Errors of at most 8 bytes in the last bytes of one block and the first ones of the next.

    Each such pair (e1, e2) gives e1 · H + e2. The map is linear, and has 112 bits of input and 128
    of output, so a value has at most one pair, in nearly all cases none.
    """

    def __init__(self, hash_key: int) -> None:
        """Bring the images of all bits into echelon form, each with its bits as a combination."""
        self._rows: dict[int, tuple[int, int]] = {}
        width = 8 * (RUN - 1)
        for bit in range(2 * width):
            # The low bits are the last bytes of the first block, the high ones the first bytes of
            # the second.
            source = 1 << bit if bit < width else 1 << (_BITS - 1 - (bit - width))
            image = product(source, hash_key) if bit < width else source
            combination = 1 << bit
            image, combination = self._reduce(image, combination)
            if image:
                self._rows[image.bit_length()] = image, combination

    def _reduce(self, image: int, combination: int) -> tuple[int, int]:
        while image and (row := self._rows.get(image.bit_length())):
            image, combination = image ^ row[0], combination ^ row[1]
        return image, combination

    def solve(self, value: int) -> Iterator[tuple[int, bytes]]:
        """Yield offset, from the first block on, and bytes of the error that gives a value."""
        rest, combination = self._reduce(value, 0)
        if rest:
            return
        width = 8 * (RUN - 1)
        first = combination & ((1 << width) - 1)
        second = 0
        for bit in range(width):
            if combination >> (width + bit) & 1:
                second |= 1 << (_BITS - 1 - bit)
        both = first.to_bytes(BLOCK, "big") + second.to_bytes(BLOCK, "big")
        if first and second:
            yield from _short(both)


def _inverse(x: int) -> int:
    """Return x^(2^128 - 2)."""
    result, power = _ONE, x
    for _ in range(_BITS - 1):
        power = product(power, power)
        result = product(result, power)
    return result

"""Hypotheses about an RSA ciphertext: its bytes, its key, and its padding.

The private operation is applied without a padding. A library that removes PKCS #1 v1.5 returns
random bytes in place of an error ("implicit rejection"), so that each hypothesis would succeed.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from operator import ne
from typing import Final, NamedTuple

from kmscore.audit.primitives import mgf1, private_power, xor
from kmscore.audit.wording import count
from kmscore.keys import RsaKey

_HASHES: Final = ("sha256", "sha1", "sha512", "sha384", "sha224", "md5")
_LENGTHS: Final = (256, 384, 512)
_LOST: Final = 4  # most leading zeros that are put back
_LEAST_PADDING: Final = 8  # bytes of PKCS #1 v1.5 that are not 0 (RFC 8017 section 7.2.1)


class Padding(NamedTuple):
    """OAEP with any hash, any hash of its MGF1, and any label."""

    hash_name: str
    mask_hash_name: str
    label: bytes

    @property
    def description(self) -> str:
        """The padding in words."""
        label = f", with the label {self.label.hex(' ')}" if self.label else ""
        names = self.hash_name.upper(), self.mask_hash_name.upper()
        return f"OAEP with {names[0]}, and MGF1 with {names[1]}{label}"


def lengths_and_orders(raw: bytes) -> Iterator[tuple[str, str, bytes]]:
    """Yield code, fact and bytes of ciphertexts with other zeros, or in the reverse order."""
    for length in _LENGTHS:
        missing = length - len(raw)
        if 0 < missing <= _LOST:
            yield (
                "rsa.zeros_lost",
                f"given {count(missing, 'leading zero byte')}",
                bytes(missing) + raw,
            )
        if missing < 0 and not any(raw[:-length]):
            yield (
                "rsa.zeros_added",
                f"taken without {count(-missing, 'leading zero byte')}",
                raw[-length:],
            )
    if len(raw) in _LENGTHS:
        yield "rsa.byte_order", "read in the reverse order of its bytes", raw[::-1]


def is_number_of(key: RsaKey, ciphertext: bytes) -> bool:
    """Return whether a ciphertext has the length of the modulus, and is less than it."""
    n = key._private_key.private_numbers().public_numbers.n
    return len(ciphertext) == n.bit_length() // 8 and int.from_bytes(ciphertext, "big") < n


def encoded_message(key: RsaKey, ciphertext: bytes) -> bytes:
    """Return EM of a number of the key. EM is secret."""
    numbers = key._private_key.private_numbers()
    public, k = numbers.public_numbers, len(ciphertext)
    e, n, d = (number.to_bytes(k, "big") for number in (public.e, public.n, numbers.d))
    return private_power(ciphertext, d, e, n)


def paddings(labels: Sequence[bytes]) -> Iterator[Padding]:
    """Yield the variants of OAEP, the most probable first."""
    for label in (b"", *labels):
        for name in _HASHES:
            for mask_name in sorted(_HASHES, key=partial(ne, name)):
                yield Padding(name, mask_name, label)


def has_padding(encoded: bytes, padding: Padding) -> bool:
    """Return whether an encoded message has a padding (RFC 8017 section 7.1.2)."""
    digest = hashlib.new(padding.hash_name, padding.label, usedforsecurity=False).digest()
    length = len(digest)
    if encoded[0] or len(encoded) < 2 * length + 2:
        return False
    seed_part, data_part = encoded[1 : 1 + length], encoded[1 + length :]
    seed = xor(seed_part, _mask(padding.mask_hash_name, data_part, length))
    block = xor(data_part, _mask(padding.mask_hash_name, seed, len(data_part)))
    return block.startswith(digest) and block[length:].lstrip(b"\x00")[:1] == b"\x01"


def digest_size(padding: Padding) -> int:
    """Return the length of lHash in bytes, which is the strength of a right padding."""
    return hashlib.new(padding.hash_name, usedforsecurity=False).digest_size


def structure(encoded: bytes) -> str:
    """Return `encryption` or `signature` for the form of PKCS #1 v1.5, else an empty text."""
    end = encoded.find(b"\x00", 2)
    if end < 2 + _LEAST_PADDING or encoded[0]:
        return ""
    padding = encoded[2:end]
    if encoded[1] == 1 and padding == b"\xff" * len(padding):
        return "signature"
    return "encryption" if encoded[1:2] == b"\x02" else ""


def _mask(name: str, seed: bytes, length: int) -> bytes:
    """Return MGF1 with any hash (RFC 8017 section B.2.1)."""

    def digest(*parts: bytes) -> bytes:
        return hashlib.new(name, b"".join(parts), usedforsecurity=False).digest()

    return mgf1(digest, seed, length)

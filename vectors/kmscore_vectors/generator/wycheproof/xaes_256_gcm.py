"""The file `xaes_256_gcm`: XAES-256-GCM (C2SP) with any associated data, in Wycheproof's form."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, groupby, islice
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from kmscore_vectors.generator.ciphers import Sealed, derive_xaes_key, seal
from kmscore_vectors.generator.model import hex_fields
from kmscore_vectors.generator.wycheproof.form import (
    WycheproofCase,
    WycheproofFile,
    WycheproofGroup,
)
from kmscore_vectors.generator.wycheproof.xaes_notes import NOTES
from kmscore_vectors.tables import Suite

_TAG_BYTES: Final = 16
_IV_BYTES: Final = 24
_KEY_BYTES: Final = 32
_LENGTHS: Final = (0, 1, 12, 15, 16, 17, 31, 32, 33, 64, 255, 256, 257)

# The tests of C2SP's XAES-256-GCM.md: key, message and associated data under one nonce.
_PUBLISHED_NONCE: Final = b"ABCDEFGHIJKLMNOPQRSTUVWX"
_PUBLISHED: Final = (
    (b"\x01" * 32, b"XAES-256-GCM", b""),
    (b"\x03" * 32, b"XAES-256-GCM", b"c2sp.org/XAES-256-GCM"),
)


def make() -> WycheproofFile:
    """Return the file."""
    cases = (*_valid(), *_modified(), *_derivations(), *_sizes())
    return WycheproofFile(
        name="xaes_256_gcm",
        algorithm="XAES-256-GCM",
        schema="aead_test_schema_v1.json",
        header=("XAES-256-GCM (C2SP), with the tag separate from the ciphertext.",),
        notes=NOTES,
        groups=tuple(
            WycheproofGroup(
                {"type": "AeadTest", "ivSize": iv, "keySize": key, "tagSize": 8 * _TAG_BYTES},
                tuple(group),
            )
            for (iv, key), group in groupby(sorted(cases, key=_is_odd), _sizes_of)
        ),
    )


def _is_odd(case: WycheproofCase) -> tuple[bool, tuple[int, int]]:
    """Return a key that sorts the tests of the right sizes first, and the others by size."""
    sizes = _sizes_of(case)
    return sizes != (8 * _IV_BYTES, 8 * _KEY_BYTES), sizes


def _sizes_of(case: WycheproofCase) -> tuple[int, int]:
    """Return the lengths of nonce and key in bits."""
    return 4 * len(str(case.fields["iv"])), 4 * len(str(case.fields["key"]))


def _draw(name: str, length: int = _KEY_BYTES) -> bytes:
    """Return bytes that depend on a name."""
    return hashlib.shake_128(f"xaes_256_gcm {name}".encode()).digest(length)


class _Message(NamedTuple):
    """A message with its key, nonce and associated data."""

    key: bytes
    iv: bytes
    msg: bytes
    aad: bytes

    def sealed(self) -> Sealed:
        """Return the message, sealed as the specification says."""
        return seal(Suite.XAES_256_GCM, *self)

    def case(self, comment: str, flag: str) -> WycheproofCase:
        """Return the valid test."""
        return self._case(comment, flag, self.sealed())

    def forged(self, comment: str, flag: str, sealed: Sealed) -> WycheproofCase:
        """Return an invalid test with another ciphertext and tag."""
        return replace(self._case(comment, flag, sealed), is_valid=False)

    def changed(self, comment: str, flag: str, **fields: bytes) -> WycheproofCase:
        """Return the test with one field changed, which makes it invalid."""
        right = self._case(comment, flag, self.sealed())
        return replace(right, fields=right.fields | hex_fields(**fields), is_valid=False)

    def _case(self, comment: str, flag: str, sealed: Sealed) -> WycheproofCase:
        fields = hex_fields(**self._asdict(), ct=sealed.ciphertext, tag=sealed.tag)
        return WycheproofCase(comment, flag, fields)


_USUAL: Final = _Message(
    _draw("key"), _draw("iv", _IV_BYTES), _draw("message", 33), _draw("aad", 20)
)
_SPECIAL_NONCES: Final = {
    "nonce of zeros": bytes(_IV_BYTES),
    "nonce of one bits": b"\xff" * _IV_BYTES,
    "first half zeros": bytes(12) + b"\xff" * 12,
    "second half zeros": b"\xff" * 12 + bytes(12),
    "the last four bytes are one bits": _USUAL.iv[:20] + b"\xff" * 4,
    "both halves equal": _USUAL.iv[:12] * 2,
}
_SPECIAL_PLAINTEXTS: Final = {
    "zeros": bytes(32),
    "begins with 00": b"\x00message",
    "ends with 00": b"message\x00",
    "begins with a nibble 0": b"\x0amessage",
    "not UTF-8": b"\xff\xfe\xc0\x80",
    "ends with a line feed": b"message\n",
}


def _valid() -> Iterator[WycheproofCase]:
    """Yield tests that open."""
    for number, (key, msg, aad) in enumerate(_PUBLISHED, 1):
        yield _Message(key, _PUBLISHED_NONCE, msg, aad).case(f"test {number}", "Published")
    for length in _LENGTHS:
        for aad in (b"", _USUAL.aad):
            message = _USUAL._replace(msg=_draw("message", length), aad=aad)
            comment = f"message of {length} bytes, associated data of {len(aad)}"
            yield message.case(comment, "Ktv")
    for length in _LENGTHS[1:]:
        message = _USUAL._replace(aad=_draw("associated data", length))
        yield message.case(f"associated data of {length} bytes", "Ktv")
    yield from _keys()
    for comment, iv in _SPECIAL_NONCES.items():
        yield _USUAL._replace(iv=iv).case(comment, "SpecialNonce")
    for comment, text in _SPECIAL_PLAINTEXTS.items():
        yield _USUAL._replace(msg=text).case(comment, "SpecialPlaintext")
    for name in ("key", "iv"):
        yield from _similar(name)


def _similar(name: str) -> Iterator[WycheproofCase]:
    """Yield tests whose key or nonce differs from that of the test before in one byte."""
    message = _USUAL._replace(**{name: _draw(f"similar {name}", len(getattr(_USUAL, name)))})
    yield message.case(f"{name} of the next test, with another byte 0", "SimilarKey")
    for position in range(len(getattr(message, name))):
        message = message._replace(**{name: _flip(getattr(message, name), position)})
        yield message.case(f"{name} of the test before, with another byte {position}", "SimilarKey")


def _keys() -> Iterator[WycheproofCase]:
    """Yield the first four keys with each value of the bit that decides on the constant 87."""
    for bit in (0, 1):
        keys = (key for number in count() if highest_bit(key := _draw(f"key {number}")) == bit)
        for number, key in enumerate(islice(keys, 4), 1):
            comment = f"key {number} with the bit {bit}"
            yield _USUAL._replace(key=key).case(comment, "MostSignificantBit")


def highest_bit(key: bytes) -> int:
    """Return the highest bit of AES_K(0), which decides on the constant 87 (SPEC.md 5.4)."""
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305 (one block)
    return encryptor.update(bytes(16))[0] >> 7


def _modified() -> Iterator[WycheproofCase]:
    """Yield ciphertexts with one change."""
    ct, tag, iv, aad = _USUAL.sealed().ciphertext, _USUAL.sealed().tag, _USUAL.iv, _USUAL.aad
    tags = {f"byte {position} of the tag": _flip(tag, position) for position in range(16)} | {
        "tag of zeros": bytes(16),
        "tag of one bits": b"\xff" * 16,
        "tag reversed": tag[::-1],
        "every bit of the tag": bytes(byte ^ 0xFF for byte in tag),
    }
    for comment, other in tags.items():
        yield _USUAL.changed(comment, "ModifiedTag", tag=other)
    for length in (0, 1, 4, 8, 12, 15):
        yield _USUAL.changed(f"tag of {length} bytes", "TruncatedTag", tag=tag[:length])
    ciphertexts = {f"byte {position}": _flip(ct, position) for position in (0, 15, 16, 31, 32)} | {
        "one byte less": ct[:-1],
        "one byte more": ct + b"\x00",
        "empty": b"",
    }
    for comment, other in ciphertexts.items():
        yield _USUAL.changed(comment, "ModifiedCiphertext", ct=other)
    for comment, other in {
        "empty": b"",
        "first bit": _flip(aad, 0),
        "last byte": _flip(aad, 19),
        "one byte less": aad[:-1],
        "a byte 00 more": aad + b"\x00",
        "padded to a whole block": aad + bytes(12),
    }.items():
        yield _USUAL.changed(comment, "ModifiedAad", aad=other)
    for position in (0, 11, 12, 23):
        yield _USUAL.changed(f"byte {position}", "ModifiedNonce", iv=_flip(iv, position))
    yield _USUAL.changed("halves exchanged", "ModifiedNonce", iv=iv[12:] + iv[:12])


def _flip(data: bytes, position: int) -> bytes:
    """Return data with one bit of a byte flipped; the bit depends on the position."""
    changed = bytes([data[position] ^ (1 << position % 8)])
    return data[:position] + changed + data[position + 1 :]


def _derivations() -> Iterator[WycheproofCase]:
    """Yield messages that were sealed under a key of another derivation."""
    for bit in (0, 1):
        keys = (key for number in count() if highest_bit(key := _draw(f"key {number}")) == bit)
        message = _USUAL._replace(key=next(keys))
        key, first, second = message.key, message.iv[:12], message.iv[12:]
        whole = derive_xaes_key(key, message.iv)
        for comment, derived, iv in (
            ("AES-256-GCM with the first 12 bytes", key, first),
            ("AES-256-GCM with the last 12 bytes", key, second),
            ("both halves of the derived key exchanged", whole[16:] + whole[:16], second),
            ("the first half of the derived key twice", whole[:16] * 2, second),
            ("the first half of the nonce again", whole, first),
            ("derived from the second half", derive_xaes_key(key, second), first),
        ):
            sealed = seal(Suite.AES_256_GCM, derived, iv, message.msg, message.aad)
            yield message.forged(f"{comment}, bit {bit}", "WrongDerivation", sealed)


def _sizes() -> Iterator[WycheproofCase]:
    """Yield nonces and keys of other lengths."""
    for length in (0, 16, 23, 25, 32):
        iv = _draw("iv", length)
        comment = f"nonce of {length} bytes"
        yield _USUAL.changed(comment, "InvalidNonceSize", iv=iv)
    short = _USUAL._replace(iv=_USUAL.iv[:12])
    sealed = seal(Suite.AES_256_GCM, *short)
    yield short.forged("AES-256-GCM with a nonce of 12 bytes", "InvalidNonceSize", sealed)
    for length in (0, 16, 24, 33):
        key = (_USUAL.key + b"\x00")[:length]
        yield _USUAL.changed(f"key of {length} bytes", "InvalidKeySize", key=key)

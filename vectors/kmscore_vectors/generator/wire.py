"""Wire formats: the v1 blob's header, the canonical context, and the necessary parts of DER.

These functions check nothing, because the negative vectors need encodings that are not allowed.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""An encryption context, with its pairs in the given order."""

_LONG_FORM = 0x80  # the bit of a DER length in the long form


def length16(field: bytes) -> bytes:
    """Return the length of a field in two bytes, big-endian, followed by the field."""
    return len(field).to_bytes(2, "big") + field


def length8(field: bytes) -> bytes:
    """Return the length of a field in one byte, followed by the field."""
    return len(field).to_bytes(1, "big") + field


def sorted_pairs(pairs: Pairs) -> list[tuple[bytes, bytes]]:
    """Return the pairs in UTF-8, in the order of the bytes of the key."""
    return sorted((key.encode("utf-8"), value.encode("utf-8")) for key, value in pairs)


def context_bytes(encoded: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return the canonical form of pairs that are already encoded and sorted."""
    if not encoded:
        return b""
    fields = b"".join(length16(key) + length16(value) for key, value in encoded)
    return len(encoded).to_bytes(2, "big") + fields


def header_bytes(suite_id: int, key_id: bytes, key_version_id: bytes) -> bytes:
    """Return the header of a v1 blob."""
    return b"KMS\x01" + bytes([suite_id]) + length8(key_id) + length8(key_version_id)


def der(tag: int, content: bytes) -> bytes:
    """Return one element of DER (X.690 section 8.1, 10.1)."""
    if len(content) < _LONG_FORM:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes(4, "big").lstrip(b"\x00")
    return bytes([tag, _LONG_FORM + len(length)]) + length + content


def der_integer(value: int) -> bytes:
    """Return an INTEGER, of either sign (X.690 section 8.3)."""
    length = 1
    while not -(1 << 8 * length - 1) <= value < 1 << 8 * length - 1:
        length += 1
    return der(0x02, value.to_bytes(length, "big", signed=True))


def der_octets(value: bytes) -> bytes:
    """Return an OCTET STRING."""
    return der(0x04, value)


def der_bits(value: bytes, unused: int = 0) -> bytes:
    """Return a BIT STRING; negative vectors use a number of unused bits other than 0."""
    return der(0x03, bytes([unused]) + value)


def der_sequence(elements: Iterable[bytes]) -> bytes:
    """Return a SEQUENCE."""
    return der(0x30, b"".join(elements))

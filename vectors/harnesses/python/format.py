"""The format around an AEAD: header, context, associated data, limits (SPEC.md, sections 3 to 5).

A test that the format decides without the library says nothing about the library. Then these
functions raise `UnsupportedError`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

MAX_CONTEXT = 65_535
MAX_PLAINTEXT = 6_144
TAG_SIZE = 16


class UnsupportedError(Exception):
    """The question is not one for the library."""


def header(inputs: Mapping[str, Any]) -> bytes:
    """Return the header for suite, key ID and key version ID (section 3.1)."""
    ids = (inputs["key_id"].encode("ascii"), inputs["key_version_id"].encode("ascii"))
    fields = b"".join(bytes([len(field)]) + field for field in ids)
    return b"KMS\x01" + bytes.fromhex(inputs["suite_id"]) + fields


def canonicalize(pairs: Iterable[Iterable[str]]) -> bytes:
    """Return the canonical bytes of a context (section 4.1)."""
    try:
        encoded = sorted([text.encode() for text in pair] for pair in pairs)
    except UnicodeEncodeError:
        raise UnsupportedError from None
    if 2 + sum(2 + len(field) for pair in encoded for field in pair) > MAX_CONTEXT:
        raise UnsupportedError
    fields = [len(field).to_bytes(2, "big") + field for pair in encoded for field in pair]
    return len(encoded).to_bytes(2, "big") + b"".join(fields) if encoded else b""


def plaintext_parts(inputs: Mapping[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Return IV, plaintext and associated data for an encryption (section 5.5)."""
    plaintext = bytes.fromhex(inputs["plaintext"])
    if len(plaintext) > MAX_PLAINTEXT:
        raise UnsupportedError
    associated_data = header(inputs) + canonicalize(inputs["pairs"])
    return bytes.fromhex(inputs["iv"]), plaintext, associated_data


def ciphertext_parts(inputs: Mapping[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Return IV, ciphertext with tag, and associated data for a decryption (section 5.6)."""
    blob, start = bytes.fromhex(inputs["blob"]), header(inputs)
    iv_size = 24 if inputs["suite_id"] == "05" else 12
    iv, sealed = blob[len(start) :][:iv_size], blob[len(start) + iv_size :]
    if not blob.startswith(start) or not TAG_SIZE <= len(sealed) <= MAX_PLAINTEXT + TAG_SIZE:
        raise UnsupportedError
    return iv, sealed, start + canonicalize(inputs["pairs"])

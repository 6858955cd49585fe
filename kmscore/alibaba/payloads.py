"""What is sealed in place of a plaintext, and the lengths that follow from it."""

from dataclasses import replace
from types import MappingProxyType
from typing import Final

from kmscore._base64 import decode_base64, encode_base64
from kmscore.algorithms import MAX_PLAINTEXT_LENGTH
from kmscore.alibaba.profile import Layout, Payload, Profile
from kmscore.alibaba.service_blob import MAX_PAYLOAD_LENGTH
from kmscore.errors import PlaintextSizeError

MAX_SEALED: Final = MappingProxyType(
    {Layout.V1: MAX_PLAINTEXT_LENGTH, Layout.SERVICE: MAX_PAYLOAD_LENGTH}
)
"""The largest number of bytes that a blob of each layout holds."""


def as_sealed(profile: Profile) -> Profile:
    """Return a profile under which the plaintext of a blob is what is sealed, not decoded."""
    return profile if profile.payload is Payload.RAW else replace(profile, payload=Payload.RAW)


def payload_of(plaintext: bytes, profile: Profile) -> bytes:
    """Return what is sealed in place of a plaintext."""
    is_text = profile.payload is Payload.BASE64
    return encode_base64(plaintext).encode("ascii") if is_text else plaintext


def plaintext_of(payload: bytes, profile: Profile) -> bytes | None:
    """Return the plaintext in place of which `payload` was sealed, `None` if there is none."""
    return decode_base64(payload) if profile.payload is Payload.BASE64 else payload


def least_plaintext_length(length: int, profile: Profile) -> int:
    """Return the least length of a plaintext whose payload has so many bytes.

    As Base64 it may have two bytes more.
    """
    return max(0, length // 4 * 3 - 2) if profile.payload is Payload.BASE64 else length


def most_plaintext_length(profile: Profile) -> int:
    """Return the length of the longest plaintext that a blob of the profile holds."""
    most = MAX_SEALED[profile.layout]
    return most // 4 * 3 if profile.payload is Payload.BASE64 else most


def check_length(length: int, most: int) -> None:
    """Raise `PlaintextSizeError` for a plaintext that is longer than `most` bytes."""
    if length > most:
        raise PlaintextSizeError(f"plaintext of {length} bytes, at most {most}")

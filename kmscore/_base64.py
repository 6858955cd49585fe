"""Base64 (RFC 4648 section 4) with one encoding per value."""

import binascii


def decode_base64(text: bytes) -> bytes | None:
    """Return the bytes that `text` encodes, or `None` if `text` is not strict Base64.

    Padding is required. White space, other alphabets and stray bits before the padding are
    rejected. The standard decoder skips or accepts all of these, so the result is encoded and
    compared.
    """
    try:
        data = binascii.a2b_base64(text)
    except ValueError:
        return None
    return data if binascii.b2a_base64(data, newline=False) == text else None


def encode_base64(data: bytes) -> str:
    """Return `data` in Base64 with padding, on one line."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")

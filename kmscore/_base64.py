"""Base64 (RFC 4648 section 4) with one encoding per value."""

import base64


def decode_base64(text: bytes) -> bytes | None:
    """Return the bytes that `text` encodes, or `None` if `text` is not strict Base64.

    Padding is required. White space, other alphabets and stray bits before the padding are
    rejected. The standard decoder accepts stray bits, so the result is encoded and compared.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data) == text else None


def encode_base64(data: bytes) -> str:
    """Return `data` in Base64 with padding, on one line."""
    return base64.b64encode(data).decode("ascii")

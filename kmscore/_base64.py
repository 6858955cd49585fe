"""Base64 (RFC 4648 section 4) with one encoding per value."""

import base64


def decode_base64(text: bytes) -> bytes | None:
    """Return what `text` encodes, or `None` if it is not exactly what encoding that gives back.

    Padding is required; white space, another alphabet and stray bits before the padding are not
    taken, though the standard decoder lets the last of these pass.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data) == text else None


def encode_base64(data: bytes) -> str:
    """Return `data` in Base64, padded, on one line."""
    return base64.b64encode(data).decode("ascii")

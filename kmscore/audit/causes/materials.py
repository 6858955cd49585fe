"""Hypotheses about key material: as it is, or in another form."""

import base64
import binascii
from collections.abc import Iterator

from kmscore.algorithms import Suite


def materials(material: bytes, suite: Suite) -> Iterator[tuple[str, bytes]]:
    """Yield the material, and other forms of it with the length of a key of the suite.

    The first part of each pair describes the form; it is empty for the material itself.
    """
    forms = [("", material)]
    for name, decode in (
        ("decoded from hexadecimal", _hexadecimal),
        ("decoded from Base64", _base64),
    ):
        decoded = decode(material)
        if decoded is not None:
            forms.append((name, decoded))
    forms.append(("written as hexadecimal text", material.hex().encode("ascii")))
    forms.append(
        ("written as hexadecimal text in capitals", material.hex().upper().encode("ascii"))
    )
    forms.append(("written as Base64 text", base64.b64encode(material)))
    forms.append(("with its bytes reversed", material[::-1]))
    seen = set()
    for name, data in forms:
        if len(data) == suite.key_length and data not in seen:
            seen.add(data)
            yield name, data


def _hexadecimal(material: bytes) -> bytes | None:
    try:
        return bytes.fromhex(material.decode("ascii"))
    except ValueError:
        return None


def _base64(material: bytes) -> bytes | None:
    try:
        return base64.b64decode(material, validate=True)
    except binascii.Error:
        return None

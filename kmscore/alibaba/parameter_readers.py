"""Functions that read the text of a parameter, one for each kind of value.

Each function takes the text and returns the value, or `None` if the text is invalid.
"""

import re
from types import MappingProxyType
from typing import Final

from kmscore._base64 import decode_base64
from kmscore.algorithms import (
    MAX_DATA_KEY_LENGTH,
    MAX_PLAINTEXT_LENGTH,
    EncryptionAlgorithm,
    KeySpec,
)
from kmscore.alibaba.json_context import JsonContext
from kmscore.context import EncryptionContext
from kmscore.errors import InvalidContextError, InvalidKeyError, UnsupportedAlgorithmError
from kmscore.keys import PublicKey

_MAX_BASE64_LENGTH: Final = 16_384
"""Maximum number of characters; every value that an action accepts is shorter."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_DATA_KEY_LENGTHS: Final = MappingProxyType({"AES_256": 32, "AES_128": 16})
_WRAPPING_SPECS: Final = frozenset({KeySpec.RSA_2048, KeySpec.EC_SM2})
_BOOLEANS: Final = MappingProxyType({"true": True, "false": False})


def read_text(text: str) -> str:
    """Return a text unchanged. The form of a key ID is not checked here."""
    return text


def read_base64(text: str) -> bytes | None:
    """Read bytes in strict Base64 (RFC 4648 section 4)."""
    if len(text) > _MAX_BASE64_LENGTH:
        return None
    return decode_base64(text.encode("utf-8", "surrogatepass"))


def read_plaintext(text: str) -> bytes | None:
    """Read a plaintext of 0 to 6,144 bytes in strict Base64."""
    plaintext = read_base64(text)
    return None if plaintext is None or len(plaintext) > MAX_PLAINTEXT_LENGTH else plaintext


def read_opaque_plaintext(text: str, most: int) -> bytes | None:
    """Read a text as UTF-8, if it has at most `most` bytes, without any other check."""
    try:
        plaintext = text.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return plaintext if len(plaintext) <= most else None


def read_context(text: str) -> EncryptionContext | None:
    """Read an encryption context in JSON."""
    try:
        return EncryptionContext.from_json(text)
    except InvalidContextError:
        return None


def read_json_context(text: str) -> JsonContext | None:
    """Read an encryption context in JSON, together with its text."""
    try:
        return JsonContext(text)
    except InvalidContextError:
        return None


def read_algorithm(text: str) -> EncryptionAlgorithm | None:
    """Read the name of an asymmetric algorithm."""
    try:
        return EncryptionAlgorithm.of(text, "algorithm")
    except UnsupportedAlgorithmError:
        return None


def read_number_of_bytes(text: str) -> int | None:
    """Read the length of a data key, 1 to 1,024 bytes."""
    if _NUMBER.fullmatch(text) is None or int(text) > MAX_DATA_KEY_LENGTH:
        return None
    return int(text)


def read_data_key_spec(text: str) -> int | None:
    """Read the spec of a data key, and return its length in bytes."""
    return _DATA_KEY_LENGTHS.get(text)


def read_wrapping_spec(text: str) -> KeySpec | None:
    """Read the spec of a wrapping key."""
    return next((spec for spec in _WRAPPING_SPECS if spec.value == text), None)


def read_public_key(text: str) -> PublicKey | None:
    """Read a SubjectPublicKeyInfo in Base64, without PEM armour."""
    data = read_base64(text)
    try:
        return None if data is None else PublicKey.from_der(data)
    except (InvalidKeyError, UnsupportedAlgorithmError):
        return None


def read_boolean(text: str) -> bool | None:
    """Read `true` or `false`, in any case of letters."""
    return _BOOLEANS.get(text.lower())

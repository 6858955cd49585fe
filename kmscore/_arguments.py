"""The first check of every public function: Python types.

A wrong type is a mistake in the calling code, never a property of a ciphertext, so it is a
`TypeError` and is raised before any argument's value is looked at.
"""

from collections.abc import Mapping
from typing import TypeAlias

BytesLike: TypeAlias = bytes | bytearray | memoryview


def check_bytes(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is `bytes`, `bytearray` or `memoryview`."""
    if not isinstance(value, (bytes, bytearray, memoryview)):
        message = f"{name} must be bytes-like, not {type(value).__name__}"
        raise TypeError(message)


def byte_length(value: BytesLike) -> int:
    """Return the length in bytes; `len` of a memoryview counts items of any size."""
    return value.nbytes if isinstance(value, memoryview) else len(value)


def check_text(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a `str`."""
    if not isinstance(value, str):
        message = f"{name} must be str, not {type(value).__name__}"
        raise TypeError(message)


def check_optional_text(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a `str` or `None`."""
    if value is not None:
        check_text(value, name)


def check_integer(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is an `int`; a `bool` is none."""
    if not isinstance(value, int) or isinstance(value, bool):
        message = f"{name} must be int, not {type(value).__name__}"
        raise TypeError(message)


def check_flag(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a `bool`: a truthy string must not decide anything."""
    if not isinstance(value, bool):
        message = f"{name} must be bool, not {type(value).__name__}"
        raise TypeError(message)


def check_context(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a mapping (an `EncryptionContext` is one) or `None`."""
    if value is not None and not isinstance(value, Mapping):
        message = f"{name} must be a mapping or None, not {type(value).__name__}"
        raise TypeError(message)

"""Checks of the Python types of arguments.

A wrong type is a mistake of the calling code and not a property of a ciphertext, so it raises
`TypeError`. Public functions check types first, before they use the value of an argument.
"""

from collections.abc import Mapping
from typing import TypeAlias

BytesLike: TypeAlias = bytes | bytearray | memoryview


def check_instance(value: object, kind: type, name: str) -> None:
    """Raise `TypeError` unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")


def check_callable(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is callable."""
    if not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")


def check_optional_callable(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is callable or `None`."""
    if value is not None:
        check_callable(value, name)


def check_bytes(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is `bytes`, `bytearray` or `memoryview`."""
    if type(value) is bytes:
        return
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes-like, not {type(value).__name__}")
    if isinstance(value, memoryview) and _is_released(value):
        raise TypeError(f"{name} is a memoryview that has been released")


def check_optional_bytes(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is bytes-like or `None`."""
    if value is not None:
        check_bytes(value, name)


def take_bytes(value: BytesLike, limit: int) -> tuple[int, bytes]:
    """Return the length in bytes and a copy of the bytes, which is empty above `limit`.

    An object of type `bytes` is returned without a copy, also above `limit`. `len` is not used for
    other types, because it counts the items of a memoryview, and a subclass can override it. Both
    results come from one buffer, because since Python 3.12 a subclass can return a different buffer
    for each `memoryview` (PEP 688).
    """
    if type(value) is bytes:
        return len(value), value
    with memoryview(value) as view:
        return view.nbytes, bytes(view) if view.nbytes <= limit else b""


def to_bytes(value: BytesLike) -> bytes:
    """Return the value as `bytes`, with a copy if it has another type."""
    return value if type(value) is bytes else bytes(memoryview(value))


def _is_released(view: memoryview) -> bool:
    """Return whether a memoryview has been released; every use then raises `ValueError`."""
    try:
        memoryview(view)
    except ValueError:
        return True
    return False


def check_text(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a `str`."""
    check_instance(value, str, name)


def check_optional_text(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a `str` or `None`."""
    if value is not None:
        check_text(value, name)


def check_integer(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is an `int` other than a `bool`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be int, not {type(value).__name__}")


def check_positive(value: int, name: str) -> None:
    """Raise `TypeError` unless `value` is an `int`, and `ValueError` unless it is positive."""
    check_integer(value, name)
    if value < 1:
        raise ValueError(f"{name} must be positive")


def check_mapping(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a mapping or `None`."""
    if value is not None:
        check_instance(value, Mapping, name)

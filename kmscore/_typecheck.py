"""The first check of every public function: Python types.

A wrong type is a mistake in the calling code, never a property of a ciphertext, so it is a
`TypeError` and is raised before any argument's value is looked at.
"""

from collections.abc import Mapping
from typing import TypeAlias

BytesLike: TypeAlias = bytes | bytearray | memoryview


def check_instance(value: object, kind: type, name: str) -> None:
    """Raise `TypeError` unless `value` is a `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be {kind.__name__}, not {type(value).__name__}")


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
    """Return the length in bytes, and a copy of the bytes unless there are more than `limit`.

    `len` counts the items of a memoryview, and a subclass can answer anything. Both results come
    from one buffer, because since Python 3.12 a subclass can give each `memoryview` another one
    (PEP 688). `bytes` are returned as they are, also above the limit.
    """
    if type(value) is bytes:
        return len(value), value
    with memoryview(value) as view:
        return view.nbytes, bytes(view) if view.nbytes <= limit else b""


def to_bytes(value: BytesLike) -> bytes:
    """Return the value as `bytes`, a copy unless it is `bytes` already."""
    return value if type(value) is bytes else bytes(memoryview(value))


def _is_released(view: memoryview) -> bool:
    """Tell whether a memoryview has been released; it then raises `ValueError` for everything."""
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
    """Raise `TypeError` unless `value` is an `int`; a `bool` is none."""
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

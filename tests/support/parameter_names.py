"""Names of test parameters in words: pytest numbers all values except texts and numbers."""

import re
from collections.abc import Mapping

_MAX_BYTES = 16
_MAX_NUMBER = 1 << 40
_MAX_NAME = 70  # characters


def _words(value: object) -> str:
    """Return a text for a value.

    Random keys and IVs differ between the processes of a run, which must name tests alike.
    """
    parts: list[str] = []
    match value:
        case str():
            return value
        case int() if abs(value) > _MAX_NUMBER:
            return "long number"
        case bytes() | bytearray() | memoryview() if len(value) > _MAX_BYTES:
            return f"{len(value)} bytes"
        case Mapping():
            parts = [f"{_words(key)}={_words(item)}" for key, item in value.items()]
        case tuple() | list():
            parts = [_words(item) for item in value]
        case set() | frozenset():
            parts = sorted(_words(item) for item in value)
        case BaseException():
            parts = [type(value).__name__]
        case _ if hasattr(value, "__name__"):
            parts = [str(value.__name__)]
        case _ if " at 0x" in repr(value):
            parts = [f"a {type(value).__name__}"]
        case _:
            # Of the enum member `layout=<Layout.V1: 'v1'>`, the name V1 remains.
            parts = [re.sub(r"(?:\w+=)?<\w+\.(\w+): [^>]*>", r"\1", repr(value))]
    return " ".join(parts) or f"empty {type(value).__name__}"


def pytest_make_parametrize_id(val: object) -> str | None:
    """Name a value in words, and leave a text to pytest."""
    if isinstance(val, str | float | None):
        return None
    # Escaped as pytest does it: the processes of a run cannot send each other surrogates.
    name = _words(val).encode("unicode_escape").decode("ascii")
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."

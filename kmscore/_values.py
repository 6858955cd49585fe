"""Base classes of immutable values, which can be shared between threads."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, Final, Never, TypeVar

_Value = TypeVar("_Value")

new_tuple: Final = tuple.__new__
"""Create a named tuple from its class and its fields, without a call of its constructor."""


def representation(describe: Callable[[_Value], str]) -> Callable[[_Value], str]:
    """Return a `__repr__` with the text of `describe`, which also works in the constructor.

    If a constructor raises, an error reporter can show the incomplete value as a local variable.
    On Python 3.11, an exception in `repr` would then replace the report.
    """

    @wraps(describe)
    def __repr__(self: _Value) -> str:  # noqa: N807 (it is the method of that name)
        try:
            return describe(self)
        except AttributeError:
            return f"<{type(self).__name__}, incomplete>"

    return __repr__


class Record:
    """Base class of the frozen dataclasses, with a `repr` of the fields that are set."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the fields that have a value, in the form of the `repr` of a dataclass."""
        value: Any = self
        names = [field.name for field in fields(value) if hasattr(self, field.name)]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"


class Immutable:
    """Base class of values whose attributes are set only once, by the constructor."""

    __slots__ = ()

    def _set(self, **attributes: object) -> None:
        """Set attributes. Only a constructor calls this."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> Never:
        """Raise `AttributeError`, because the checks of the constructor must remain valid."""
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> Never:
        """Raise `AttributeError`, for the same reason as `__setattr__`."""
        raise AttributeError(f"{type(self).__name__} is immutable")


class Secret(Immutable):
    """Base class of values with key material, which cannot be pickled or copied."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> Never:
        """Raise `TypeError`, because a copy would leave more key material in memory or in files."""
        raise TypeError(f"{type(self).__name__} holds key material and is not pickled or copied")

    def __getstate__(self) -> Never:
        """Raise `TypeError`, because the default returns all slots, including key material."""
        self.__reduce_ex__(None)

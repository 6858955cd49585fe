"""Values that never change once they are made, and so may be shared between threads."""

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import Any, Final, Never, TypeVar

_Value = TypeVar("_Value")

new_tuple: Final = tuple.__new__
"""Make a named tuple of its class and its fields, without the frame of its own constructor."""


def representation(describe: Callable[[_Value], str]) -> Callable[[_Value], str]:
    """Make a `__repr__` of `describe` that also works while the constructor is running.

    An error reporter that shows local variables shows the half-made value of a constructor that
    has raised, and on Python 3.11 an exception in `repr` would then replace the report.
    """

    @wraps(describe)
    def __repr__(self: _Value) -> str:  # noqa: N807 (that is what it is)
        try:
            return describe(self)
        except AttributeError:
            return f"<{type(self).__name__}, incomplete>"

    return __repr__


class Record:
    """Base of the frozen dataclasses: a `repr` with the fields that are set."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Show each field that has a value, as the standard `repr` of a dataclass does."""
        value: Any = self
        names = [field.name for field in fields(value) if hasattr(self, field.name)]
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"


class Immutable:
    """Base of the classes whose attributes are set once, by their own constructor."""

    __slots__ = ()

    def _set(self, **attributes: object) -> None:
        """Set attributes while the value is being made."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> Never:
        """Refuse: what was checked when the value was made has to stay true."""
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __delattr__(self, name: str) -> Never:
        """Refuse, as with setting."""
        raise AttributeError(f"{type(self).__name__} is immutable")


class Secret(Immutable):
    """Base of the values that hold key material: they are not pickled, copied or taken apart."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> Never:
        """Refuse: a copy would leave material lying about unseen."""
        raise TypeError(f"{type(self).__name__} holds key material and is not pickled or copied")

    def __getstate__(self) -> Never:
        """Refuse: the default would hand out every slot, the material among them."""
        self.__reduce_ex__(0)

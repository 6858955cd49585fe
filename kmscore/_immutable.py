"""Values that never change once they are made, and so may be shared between threads."""

from typing import Never


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

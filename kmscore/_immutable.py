"""Values that never change once they are made, and so may be shared between threads."""

from typing import Final, Never

make_result: Final = tuple.__new__
"""Make a named tuple of its class and its fields, without the frame of its own constructor."""


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

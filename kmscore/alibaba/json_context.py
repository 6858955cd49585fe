"""An encryption context together with the JSON text that a client sent for it.

Some of the vendor's handlers bind that text as it is, so its white space, its escapes and the order
of its pairs matter. See `ContextBinding.JSON`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import final

from kmscore._values import Immutable, representation
from kmscore.context import EncryptionContext


@final
class JsonContext(Immutable, Mapping[str, str]):
    """A read-only map of `str` to `str` that knows the JSON text it was read from.

    Every function takes it as it takes a mapping. Only a profile that binds the text looks at the
    text; for all others it is the map. Two of them are equal if their maps are.
    """

    __slots__ = ("_context", "text")

    text: str
    """The text, as it was given."""

    _context: EncryptionContext

    def __init__(self, text: str) -> None:
        """Read the text.

        Raises `TypeError` if `text` is not a `str`, and `InvalidContextError` if
        `EncryptionContext.from_json` does.
        """
        context = EncryptionContext.from_json(text)
        self._set(text=str.__str__(text), _context=context)

    def __getitem__(self, key: str) -> str:
        """Return the value of `key`."""
        return self._context[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys in the order of the text."""
        return iter(self._context)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._context)

    def __hash__(self) -> int:
        """Hash the map: equal ones have equal hashes."""
        return hash(self._context)

    def __reduce__(self) -> tuple[type["JsonContext"], tuple[str]]:
        """Rebuild from the text, so that what is unpickled has been checked again."""
        return type(self), (self.text,)

    @representation
    def __repr__(self) -> str:
        """Show the text: an encryption context is not a secret."""
        return f"{type(self).__name__}({self.text!r})"


def compact_json(pairs: Mapping[str, str]) -> str:
    """Return the JSON text that the vendor's current clients send for a context.

    Without white space, in the order of the mapping, with no escapes but those that JSON requires.
    """
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))

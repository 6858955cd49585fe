"""An encryption context, together with the JSON text that a client sent for it.

Some handlers of the vendor use this text unchanged as associated data. White space, escapes and the
order of the pairs are then significant. See `ContextBinding.JSON`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import final

from kmscore._values import Immutable, representation
from kmscore.context import EncryptionContext


@final
class JsonContext(Immutable, Mapping[str, str]):
    """A read-only mapping of `str` to `str`, together with its original JSON text.

    Every function accepts it as a mapping. Only a profile with `ContextBinding.JSON` uses the text;
    all other profiles use the pairs. Two instances are equal if their pairs are equal.
    """

    __slots__ = ("_context", "text")

    text: str
    """The JSON text, unchanged."""

    _context: EncryptionContext

    def __init__(self, text: str) -> None:
        """Read an encryption context from JSON.

        Args:
            text: One JSON object (RFC 8259) with string values, at most 8,192 characters.

        Raises:
            TypeError: If `text` is not a `str`.
            InvalidContextError: If `text` is longer than 8,192 characters, is not one JSON object
                with string values, repeats a key, or contains a lone surrogate.
        """
        context = EncryptionContext.from_json(text)
        self._set(text=str.__str__(text), _context=context)

    def __getitem__(self, key: str) -> str:
        """Return the value of a key.

        Args:
            key: The key.

        Returns:
            The value.

        Raises:
            KeyError: If the context does not contain the key.
        """
        return self._context[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys in the order of the text."""
        return iter(self._context)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._context)

    def __hash__(self) -> int:
        """Return the hash of the pairs; equal instances have equal hashes."""
        return hash(self._context)

    def __reduce__(self) -> tuple[type["JsonContext"], tuple[str]]:
        """Return the class and the text, so that `pickle` checks the text again."""
        return type(self), (self.text,)

    @representation
    def __repr__(self) -> str:
        """Return a representation with the text, because an encryption context is not secret."""
        return f"{type(self).__name__}({self.text!r})"


def compact_json(pairs: Mapping[str, str]) -> str:
    """Return the JSON text that the vendor's current clients send for a context.

    The text has no white space, keeps the order of the mapping, and has only the escapes that JSON
    requires.
    """
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))

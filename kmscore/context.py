"""The encryption context: a map of strings that is authenticated with a ciphertext.

The canonical bytes follow the serialisation of the AWS Encryption SDK. The canonical bytes of the
empty context are empty. The canonical bytes of any other context are:

    =====  ================================================================
    bytes  field
    =====  ================================================================
    2      number of pairs, big-endian
    ..     for each pair, sorted by the key's UTF-8 bytes:
    2      length of the key, big-endian
    a      key, UTF-8
    2      length of the value, big-endian
    b      value, UTF-8
    =====  ================================================================

The length of each key and value comes before it, so two different contexts never have equal
canonical bytes. There is no Unicode normalisation, so contexts with different strings are
different.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, cast, final

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Immutable, representation
from kmscore.errors import InvalidContextError

if TYPE_CHECKING:
    import json

MAX_JSON_LENGTH: Final = 8192
"""Maximum length of the JSON form, in characters (the limit of the service)."""

MAX_CANONICAL_LENGTH: Final = 65_535
"""Maximum length of the canonical bytes.

A pair needs at least 4 bytes, so this also limits the number of pairs.
"""

# Two-byte lengths 0 to 127 as ASCII text. A context with at most 127 pairs of such lengths has at
# most 32,768 canonical bytes, which is below `MAX_CANONICAL_LENGTH`.
_SMALL_LENGTHS: Final = tuple("\x00" + chr(length) for length in range(128))

ContextLike: TypeAlias = "EncryptionContext | Mapping[str, str] | None"
"""The types that operations accept as an encryption context. `None` is the empty context."""


@final
class EncryptionContext(Immutable, Mapping[str, str]):
    """A read-only map of `str` to `str` with its canonical bytes.

    An instance can be used for any number of operations and shared between threads. An encryption
    context is not secret: `repr` shows it, and audit logs should contain it.
    """

    __slots__ = ("_pairs", "canonical")

    canonical: bytes
    """Canonical bytes, 0 to 65,535 bytes."""

    _pairs: dict[str, str]

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        """Create an encryption context with the pairs of a mapping.

        Args:
            mapping: Keys and values. `None` is the empty context.

        Raises:
            TypeError: If `mapping` is not a mapping.
            InvalidContextError: If a key or value is not a `str`, or has a lone surrogate, which
                UTF-8 cannot encode. Also if the canonical bytes would be longer than 65,535 bytes,
                or if two keys have the same text (possible with subclasses of `str`).
        """
        check_context(mapping, "encryption context")
        pairs = {} if mapping is None else dict(mapping)
        canonical = canonical_bytes(pairs)
        # Exactly str, because a subclass can override comparison, length and formatting.
        exact = {str.__str__(key): str.__str__(value) for key, value in pairs.items()}
        self._set(canonical=canonical, _pairs=exact)

    @classmethod
    def from_json(cls, text: str) -> "EncryptionContext":
        """Create an encryption context from JSON text, the form of the service.

        Args:
            text: One JSON object (RFC 8259) with string values, at most 8,192 characters.

        Returns:
            The encryption context.

        Raises:
            TypeError: If `text` is not a `str`.
            InvalidContextError: If `text` is longer than 8,192 characters, is not exactly one JSON
                object, has a repeated key, has a value that is not a string, or has a lone
                surrogate.
        """
        return cls(load_pairs(text))

    def __getitem__(self, key: str) -> str:
        """Return the value of `key`."""
        return self._pairs[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys in the order given."""
        return iter(self._pairs)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self._pairs)

    def __hash__(self) -> int:
        """Return a hash of the canonical bytes, which are equal for equal contexts."""
        return hash(self.canonical)

    @representation
    def __repr__(self) -> str:
        """Return a text with the pairs."""
        return f"{type(self).__name__}({self._pairs!r})"

    def __reduce__(self) -> tuple[type["EncryptionContext"], tuple[dict[str, str]]]:
        """Return the pairs for pickling, so that the constructor checks them again."""
        return type(self), (dict(self._pairs),)


def check_context(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a mapping or `None`."""
    # Checked first, because `isinstance` with an abstract class is slow and nearly every context
    # has one of these two types.
    if type(value) is not dict and type(value) is not EncryptionContext:
        check_mapping(value, name)


def canonical_bytes(value: ContextLike, name: str = "encryption context") -> bytes:
    """Return the canonical bytes, without the cost of a new `EncryptionContext`.

    The errors are those of the constructor of `EncryptionContext`. A `TypeError` has the name.
    """
    if type(value) is not dict:
        if type(value) is EncryptionContext:
            return value.canonical
        check_mapping(value, name)
        return b"" if value is None else _canonicalise(dict(value))
    # Copy in one step, because another thread can change the map during the loop.
    pairs = value.copy()
    if not pairs:
        return b""
    # Fast path. Most contexts have few pairs of short ASCII strings, and `_canonicalise` takes as
    # long as the encryption itself. Their canonical bytes are built as text, one character per
    # byte. `_canonicalise` handles lengths of 128 or more, other characters and types other than
    # `str`. Key types are checked before the sort, because other types can override comparison.
    for key in pairs:
        if type(key) is not str:
            break
    else:
        try:
            # First: no large map is sorted before its size is checked.
            fields = [_SMALL_LENGTHS[len(pairs)]]
            keys = list(pairs)
            keys.sort()
            for key in keys:
                text = pairs[key]
                if type(text) is not str:
                    return _canonicalise(pairs)
                fields.append(f"{_SMALL_LENGTHS[len(key)]}{key}{_SMALL_LENGTHS[len(text)]}{text}")
            return "".join(fields).encode("ascii")
        except (LookupError, UnicodeEncodeError):
            pass
    return _canonicalise(pairs)


def load_pairs(text: str) -> dict[str, str]:
    """Return the pairs of a JSON text. The operations check that each value is a string.

    The errors are those of `EncryptionContext.from_json`.
    """
    check_text(text, "encryption context")
    if len(text) > MAX_JSON_LENGTH:
        raise InvalidContextError(
            f"encryption context of {len(text)} characters, at most {MAX_JSON_LENGTH}"
        )
    return _load_object(text)


def _canonicalise(pairs: dict[str, str]) -> bytes:
    """Return the canonical bytes of any `pairs`, or raise `InvalidContextError`."""
    if not pairs:
        return b""
    encoded: dict[bytes, bytes] = {}
    length = 2
    for key, value in pairs.items():
        key_bytes, value_bytes = _encode(key), _encode(value)
        encoded[key_bytes] = value_bytes
        length += 4 + len(key_bytes) + len(value_bytes)
        # Checked inside the loop, so that no pair beyond the limit is encoded or sorted.
        if length > MAX_CANONICAL_LENGTH:
            raise InvalidContextError(
                f"encryption context longer than {MAX_CANONICAL_LENGTH} bytes"
            )
    # Two keys of subclasses of `str` can be unequal and have equal text. One would be lost here.
    if len(encoded) != len(pairs):
        raise InvalidContextError("encryption context with a repeated key")
    fields = [len(encoded).to_bytes(2, "big")]
    for key_bytes in sorted(encoded):
        value_bytes = encoded[key_bytes]
        fields += (
            len(key_bytes).to_bytes(2, "big"),
            key_bytes,
            len(value_bytes).to_bytes(2, "big"),
            value_bytes,
        )
    return b"".join(fields)


def _encode(text: object) -> bytes:
    """Return the UTF-8 bytes of a key or value, or raise `InvalidContextError`."""
    # Not `isinstance`, because an object can claim another class with `__class__`.
    if not issubclass(type(text), str):
        raise InvalidContextError(
            f"encryption context keys and values must be str, not {type(text).__name__}"
        )
    try:
        return str.encode(cast("str", text), "utf-8")
    except UnicodeEncodeError:
        pass
    raise InvalidContextError("encryption context with a lone surrogate")


def _load_object(text: str) -> dict[str, str]:
    """Parse one JSON object, or raise `InvalidContextError`. Not every value is checked here."""
    try:
        # Deep nesting raises RecursionError.
        value: object = _decoder().decode(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidContextError("encryption context must be one JSON object of strings")
    return cast("dict[str, str]", value)


@cache
def _decoder() -> "json.JSONDecoder":
    """Return the parser of contexts, which raises `InvalidContextError` for some texts.

    The hooks reject numbers, so that the parser does not convert one of 5,000 digits. They also
    reject repeated keys, because the parser keeps only the last one.
    """
    import json  # noqa: PLC0415 (most callers do not use contexts in JSON)

    return json.JSONDecoder(
        object_pairs_hook=_unique,
        parse_int=_reject_value,
        parse_float=_reject_value,
        parse_constant=_reject_value,
    )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of `pairs`, or raise `InvalidContextError` for a repeated key."""
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise InvalidContextError("encryption context with a repeated key")
    return unique


def _reject_value(_literal: str) -> NoReturn:
    """Raise `InvalidContextError` for a JSON number or constant."""
    raise InvalidContextError("encryption context values must be strings")

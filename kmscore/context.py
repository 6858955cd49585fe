"""The encryption context: a map of strings that a ciphertext is bound to.

Canonical bytes, the serialisation of the AWS Encryption SDK. The empty context is no bytes at
all; any other is

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

Every length is written before what it measures, so two different contexts never share their
canonical bytes. There is no Unicode normalisation: strings that differ are different contexts.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NoReturn, TypeAlias, cast, final

from kmscore._typecheck import check_mapping, check_text
from kmscore._values import Immutable, representation
from kmscore.errors import InvalidContextError

MAX_JSON_LENGTH: Final = 8192
"""Longest JSON form, in characters (the service's limit)."""

MAX_CANONICAL_LENGTH: Final = 65_535
"""Longest canonical form, in bytes. A pair takes at least 4, so it bounds their number too."""

# Lengths as text, which is ASCII below 128. No context within these reaches the longest form.
_SMALL_LENGTHS: Final = tuple("\x00" + chr(length) for length in range(128))

ContextLike: TypeAlias = "EncryptionContext | Mapping[str, str] | None"
"""What every operation takes for a context; `None` is the empty one."""


@final
class EncryptionContext(Immutable, Mapping[str, str]):
    """A read-only map of `str` to `str` that knows its canonical bytes.

    Prepared once, it can be given to any number of operations and shared between threads. An
    encryption context is not a secret: it is shown by `repr` and belongs into audit logs.
    """

    __slots__ = ("_pairs", "canonical")

    canonical: bytes
    """The canonical bytes, 0 to 65,535 of them."""

    _pairs: dict[str, str]

    def __init__(self, mapping: Mapping[str, str] | None = None) -> None:
        """Take the pairs of `mapping`; `None` gives the empty context.

        Raises `TypeError` if it is no mapping, and `InvalidContextError` if a key or value is not
        a `str`, cannot be encoded in UTF-8 (lone surrogates), or if the canonical form would be
        longer than 65,535 bytes.
        """
        check_mapping(mapping, "encryption context")
        pairs = {} if mapping is None else dict(mapping)
        canonical = canonical_bytes(pairs)
        # Exactly str: a subclass compares, counts and formats as it likes, whatever its text is.
        exact = {str.__str__(key): str.__str__(value) for key, value in pairs.items()}
        self._set(canonical=canonical, _pairs=exact)

    @classmethod
    def from_json(cls, text: str) -> "EncryptionContext":
        """Read the service's form: one JSON object (RFC 8259) of strings, at most 8,192 characters.

        Raises `TypeError` if `text` is not a `str`, and `InvalidContextError` if it is too long,
        is not JSON, is anything but one object with string values, or repeats a key.
        """
        check_text(text, "encryption context")
        if len(text) > MAX_JSON_LENGTH:
            raise InvalidContextError(
                f"encryption context of {len(text)} characters, at most {MAX_JSON_LENGTH}"
            )
        return cls(_load_object(text))

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
        """Hash the canonical bytes: equal contexts have equal ones."""
        return hash(self.canonical)

    @representation
    def __repr__(self) -> str:
        """Show the pairs."""
        return f"{type(self).__name__}({self._pairs!r})"

    def __reduce__(self) -> tuple[type["EncryptionContext"], tuple[dict[str, str]]]:
        """Rebuild from the pairs, so that what is unpickled has been checked again."""
        return type(self), (dict(self._pairs),)


def check_context(value: object, name: str) -> None:
    """Raise `TypeError` unless `value` is a mapping or `None`."""
    # Asking an abstract class takes its time, and nearly every context is one of these.
    if type(value) is not dict and type(value) is not EncryptionContext:
        check_mapping(value, name)


def canonical_bytes(value: ContextLike) -> bytes:
    """Return the canonical bytes, without making an `EncryptionContext` of what is none yet.

    Raises as its constructor does.
    """
    if type(value) is not dict:
        if type(value) is EncryptionContext:
            return value.canonical
        check_mapping(value, "encryption context")
        return b"" if value is None else _canonicalise(dict(value))
    # In one step: another thread may be changing the map.
    pairs = value.copy()
    if not pairs:
        return b""
    # Most contexts have few pairs of short ASCII strings, and encoding one would take as long as
    # sealing does. Theirs is put together as text, a character for a byte. Whatever the table does
    # not measure, is not ASCII, or is no plain string, is looked at closely. Keys that are none
    # compare as they like, so they are found before anything is sorted.
    for key in pairs:
        if type(key) is not str:
            break
    else:
        keys = list(pairs)
        keys.sort()
        try:
            fields = [_SMALL_LENGTHS[len(pairs)]]
            for key in keys:
                text = pairs[key]
                if type(text) is not str:
                    return _canonicalise(pairs)
                fields.append(f"{_SMALL_LENGTHS[len(key)]}{key}{_SMALL_LENGTHS[len(text)]}{text}")
            return "".join(fields).encode("ascii")
        except (LookupError, UnicodeEncodeError):
            pass
    return _canonicalise(pairs)


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
        # Inside the loop: nothing beyond the limit is encoded or sorted.
        if length > MAX_CANONICAL_LENGTH:
            raise InvalidContextError(
                f"encryption context longer than {MAX_CANONICAL_LENGTH} bytes"
            )
    # Subclasses of str can be unequal with equal text, and would be lost here in silence.
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
    # Not isinstance, which believes an object that names another class than its own.
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
    """Parse one JSON object, or raise `InvalidContextError`; its values are not checked yet."""
    import json  # noqa: PLC0415 (most callers never have a context in JSON)

    try:
        # The hooks keep the standard parser from converting a number of 5,000 digits, and from
        # keeping the last of two equal keys. Nesting as deep as the text allows ends in
        # RecursionError.
        value: object = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=_refuse_value,
            parse_float=_refuse_value,
            parse_constant=_refuse_value,
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidContextError("encryption context must be one JSON object of strings")
    return cast("dict[str, str]", value)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object of `pairs`, or raise `InvalidContextError` if a key stands twice."""
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise InvalidContextError("encryption context with a repeated key")
    return unique


def _refuse_value(_literal: str) -> NoReturn:
    """Refuse a JSON number or constant."""
    raise InvalidContextError("encryption context values must be strings")

"""The encryption context and its canonical bytes."""

import copy
import pickle
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from support.spec_decoder import canonical
from support.strategies import CONTEXTS, raises_exactly

from kmscore import EncryptionContext, InvalidContextError
from kmscore.context import canonical_bytes


class Name(StrEnum):
    """A `str` subclass, as services use it."""

    PURPOSE = "purpose"


class Odd(str):
    """A `str` that equals only itself."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        """Compare the objects."""
        return self is other

    def __hash__(self) -> int:
        """Hash the object."""
        return id(self)


@pytest.mark.parametrize("empty", [None, {}, MappingProxyType({}), EncryptionContext()])
def test_a_missing_context_equals_an_empty_one(empty: Mapping[str, str] | None) -> None:
    """The empty context has no canonical bytes, in each of its forms."""
    context = EncryptionContext(empty)
    assert context.canonical == canonical_bytes(empty) == b""
    assert context == EncryptionContext(None) == EncryptionContext.from_json("{}")
    assert not context


def test_empty_strings_are_a_pair() -> None:
    """An empty key with an empty value is a pair."""
    assert EncryptionContext({"": ""}).canonical.hex() == "000100000000"


def test_text_is_not_normalised() -> None:
    """Strings that only look equal are different contexts."""
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    assert (
        EncryptionContext({"k": composed}).canonical
        != EncryptionContext({"k": decomposed}).canonical
    )
    assert len(EncryptionContext({composed: "", decomposed: "", "K": "", "k": ""})) == 4


@pytest.mark.parametrize("letter", ["x", "é"])
def test_65535_canonical_bytes_are_the_limit(letter: str) -> None:
    """2 + 2 + 1 + 2 + 65,528 bytes are accepted, and one byte more is rejected."""
    text = (letter * 65_528).encode()[:65_528].decode()
    assert len(EncryptionContext({"k": text}).canonical) == 65_535
    with raises_exactly(InvalidContextError, "longer than 65535 bytes"):
        EncryptionContext({"k": text + "x"})


def test_the_limit_is_for_the_sum_of_all_pairs() -> None:
    """The limit is for the sum of all pairs."""
    pairs = {f"{number:05}": "12345" for number in range(4_681)}
    assert len(EncryptionContext(dict(list(pairs.items())[:4_680])).canonical) == 2 + 4_680 * 14
    with raises_exactly(InvalidContextError, "longer than"):
        EncryptionContext(pairs)


def test_65536_pairs_are_rejected() -> None:
    """65,536 pairs are rejected, because two bytes cannot count them."""
    with raises_exactly(InvalidContextError):
        EncryptionContext({f"{number:x}": "" for number in range(65_536)})


@pytest.mark.parametrize("wrong", [None, 1, 1.5, True, b"bytes", ("t",), frozenset()])
def test_keys_and_values_that_are_not_text_are_rejected(wrong: Any) -> None:
    """A key or value that is not a `str` is rejected, and never converted."""
    with raises_exactly(InvalidContextError, "must be str"):
        EncryptionContext({"k": wrong})
    with raises_exactly(InvalidContextError, "must be str"):
        EncryptionContext({wrong: "v"})


@pytest.mark.parametrize("surrogate", ["\ud800", "a\ude00b", "\ud83d\ude00"])
def test_a_lone_surrogate_is_rejected(surrogate: str) -> None:
    """Text without a UTF-8 form is rejected, and the error has no trace of the codec's error."""
    for pairs in ({surrogate: "v"}, {"k": surrogate}):
        with pytest.raises(InvalidContextError, match="lone surrogate") as caught:
            EncryptionContext(pairs)
        assert caught.value.__context__ is None


@pytest.mark.parametrize("wrong", ["{}", b"", 1, [("a", "b")], [], (), {"set"}, True, False])
def test_an_argument_that_is_not_a_mapping_is_a_type_error(wrong: Any) -> None:
    """A list of pairs and JSON text raise `TypeError`."""
    for make in (EncryptionContext, canonical_bytes):
        with raises_exactly(TypeError, "encryption context must be Mapping"):
            make(wrong)


def test_a_subclass_of_str_is_accepted() -> None:
    """A `str` subclass is read by its text."""
    context = EncryptionContext({Name.PURPOSE: Name.PURPOSE})
    assert context.canonical == canonical([("purpose", "purpose")])
    assert context == {"purpose": "purpose"}


def test_two_keys_of_equal_text_are_rejected() -> None:
    """Two keys with equal text are rejected, even if they do not compare as equal."""
    with raises_exactly(InvalidContextError, "repeated key"):
        EncryptionContext({Odd("a"): "1", Odd("a"): "2"})


def test_a_context_is_immutable() -> None:
    """Attributes, items and the source mapping cannot change a context."""
    pairs = {"a": "b"}
    context: Any = EncryptionContext(pairs)
    pairs["c"] = "d"
    assert dict(context) == {"a": "b"}
    with pytest.raises(AttributeError, match="EncryptionContext is immutable"):
        context.canonical = b""
    with pytest.raises(AttributeError, match="EncryptionContext is immutable"):
        del context.canonical
    with pytest.raises(AttributeError):
        context.other = 1
    assert not hasattr(context, "__dict__")
    with pytest.raises(TypeError):
        context["a"] = "c"
    with pytest.raises(TypeError):
        del context["a"]
    assert context.canonical == canonical([("a", "b")])


@given(CONTEXTS, CONTEXTS)
def test_a_context_is_a_mapping(pairs: dict[str, str], other: dict[str, str]) -> None:
    """A context has the pairs of its source, in their order, and equals an equal mapping."""
    context = EncryptionContext(pairs)
    assert list(context.items()) == list(pairs.items())
    assert len(context) == len(pairs)
    assert context == pairs
    assert (context == EncryptionContext(other)) == (pairs == other)
    assert repr(context) == f"EncryptionContext({pairs!r})"
    assert context != "text"


@given(CONTEXTS)
def test_a_context_survives_pickling_and_copying(pairs: dict[str, str]) -> None:
    """The copy is equal, has the same canonical bytes and is an `EncryptionContext`."""
    context = EncryptionContext(pairs)
    for twin in (pickle.loads(pickle.dumps(context)), copy.copy(context), copy.deepcopy(context)):  # noqa: S301 (our own bytes)
        assert type(twin) is EncryptionContext
        assert twin == context
        assert twin.canonical == context.canonical
        assert hash(twin) == hash(context)


def test_a_prepared_context_is_used_unchanged() -> None:
    """The canonical bytes of a context are computed only once."""
    context = EncryptionContext({"a": "b"})
    assert canonical_bytes(context) is context.canonical


def test_a_context_can_be_shared_between_threads() -> None:
    """Many threads that read a context at the same time get one value."""
    context = EncryptionContext({f"k{number}": "v" for number in range(100)})

    def read(_: int) -> tuple[int, bytes, list[str]]:
        return hash(context), EncryptionContext(context).canonical, sorted(context)

    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(read, range(200)))
    assert all(each == seen[0] for each in seen)
    assert seen[0][1] == context.canonical


class _Unordered(str):
    """A `str` that cannot be compared."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        """Raise an error."""
        raise ValueError(other)


@pytest.mark.parametrize("make", [EncryptionContext, canonical_bytes])
def test_the_type_of_keys_is_checked_before_they_are_compared(
    make: Callable[[dict[Any, str]], object],
) -> None:
    """Keys of other types are rejected, and `str` subclasses are sorted by their bytes."""
    with raises_exactly(InvalidContextError):
        make({Decimal("NaN"): "a", Decimal(1): "b"})
    make({_Unordered("b"): "1", _Unordered("a"): "2"})


def test_a_subclass_of_str_is_bound_by_its_text() -> None:
    """The text of an enum or other subclass is bound, not its printed or formatted form."""

    class Tenant(str, Enum):  # noqa: UP042 (a StrEnum prints its value)
        ACME = "acme"

    context = EncryptionContext({"tenant": Tenant.ACME})
    assert context == {"tenant": "acme"}
    assert [type(text) for pair in context.items() for text in pair] == [str, str]
    assert context.canonical == EncryptionContext({"tenant": "acme"}).canonical

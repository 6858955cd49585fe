"""Immutable values and their `repr`."""

import dataclasses
import importlib
import inspect
import pkgutil
import traceback
from collections.abc import Callable, Iterator

import pytest

import kmscore
from kmscore import (
    EncryptionContext,
    InvalidContextError,
    InvalidKeyError,
    Keyring,
    KeySpec,
    Sm2Key,
    SymmetricKey,
)


def _classes() -> Iterator[type]:
    """Yield the classes of kmscore that define or inherit a `repr` other than `object`'s."""
    for module in pkgutil.walk_packages(kmscore.__path__, "kmscore."):
        if module.name.split(".")[1] in {"cli", "__main__", "_values"}:
            continue
        try:
            imported = importlib.import_module(module.name)
        except ImportError as error:
            # An extra, such as arrow, is not installed.
            assert error.name in {"pyarrow", "pyspark"}  # noqa: PT017
            continue
        for _, kind in inspect.getmembers(imported, inspect.isclass):
            if (
                kind.__module__ == module.name
                and kind.__repr__ is not object.__repr__
                and kind.__new__ is object.__new__
            ):
                yield kind


CLASSES = sorted(set(_classes()), key=lambda kind: kind.__qualname__)


def test_the_classes_are_found() -> None:
    """The classes include keys, keyrings, contexts and blobs."""
    names = {kind.__name__ for kind in CLASSES}
    assert names >= {"SymmetricKey", "RsaKey", "Sm2Key", "PublicKey", "Keyring", "KmsApi"}
    assert names >= {"EncryptionContext", "CiphertextBlob", "Profile", "Policy", "Census"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_an_incomplete_instance_has_a_repr(kind: type) -> None:
    """An instance without any field has a `repr` with the name of its class."""
    assert kind.__name__ in repr(kind.__new__(kind))


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_repr_has_the_documentation_of_its_class_or_base(kind: type) -> None:
    """`help` shows the docstring also where `representation` has replaced the method."""
    assert (kind.__repr__.__name__, bool(kind.__repr__.__doc__)) == ("__repr__", True)


def test_only_traces_and_the_emulator_have_room_for_other_attributes() -> None:
    """The other classes have slots, so that an attribute with a wrong name cannot be set."""
    open_ = {kind.__name__ for kind in CLASSES if kind.__dictoffset__}
    assert open_ <= {"Explanation", "Finding", "KeyStore", "Step", "Trace", "Value"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: SymmetricKey("k", "", KeySpec.AES_256, bytes(32)),
        lambda: SymmetricKey("k", "v", KeySpec.AES_256, bytes(31)),
        lambda: Sm2Key("k", "v", 0),
        lambda: Keyring([SymmetricKey("k", "v", KeySpec.SM4, bytes(16))] * 2),
        lambda: EncryptionContext({"a": "\ud800"}),
    ],
    ids=["ID", "material", "scalar", "ring", "context"],
)
def test_a_failed_constructor_can_be_reported_with_its_locals(
    make: Callable[[], object],
) -> None:
    """Before Python 3.12, an error in `repr` prevents a report with local variables."""
    with pytest.raises((InvalidKeyError, InvalidContextError)) as caught:
        make()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "incomplete>" in "".join(report.format())


def test_the_repr_equals_that_of_a_dataclass() -> None:
    """With all fields set, the `repr` is that of a dataclass."""

    class Standard:
        """A dataclass with the fields of a blob and the `repr` of the standard library."""

    blob = kmscore.CiphertextBlob(kmscore.Suite.SM4_GCM, "k", "v", bytes(12), b"text", bytes(16))
    fields = [(field.name, field.type) for field in dataclasses.fields(blob)]
    standard = dataclasses.make_dataclass("CiphertextBlob", fields, bases=(Standard,))
    assert repr(blob) == repr(standard(*(getattr(blob, name) for name, _ in fields)))

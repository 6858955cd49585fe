"""Values that never change, and how they are shown."""

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
    """Yield every class of the library itself with a `repr` of its own that can be half made."""
    for module in pkgutil.walk_packages(kmscore.__path__, "kmscore."):
        if module.name.split(".")[1] in {"cli", "__main__", "_values"}:
            continue
        try:
            imported = importlib.import_module(module.name)
        except ImportError as error:
            # An extra that is not installed, such as arrow.
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
    """The test below is about keys, rings, contexts, blobs and the rest."""
    names = {kind.__name__ for kind in CLASSES}
    assert names >= {"SymmetricKey", "RsaKey", "Sm2Key", "PublicKey", "Keyring", "KmsApi"}
    assert names >= {"EncryptionContext", "CiphertextBlob", "Profile", "Policy", "Census"}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_value_without_its_fields_is_shown(kind: type) -> None:
    """An instance whose constructor has set nothing yet has a `repr` that names its class."""
    assert kind.__name__ in repr(kind.__new__(kind))


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
def test_a_reporter_that_shows_locals_reports_a_constructor_that_raised(
    make: Callable[[], object],
) -> None:
    """Before Python 3.12 `repr` is called without protection, and the report would be lost."""
    with pytest.raises((InvalidKeyError, InvalidContextError)) as caught:
        make()
    report = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "incomplete>" in "".join(report.format())


def test_a_record_is_shown_as_a_dataclass_is() -> None:
    """With all fields set, the `repr` is the standard one, from which the value can be made."""

    class Standard:
        """The fields of a blob, with the `repr` of the standard library."""

    blob = kmscore.CiphertextBlob(kmscore.Suite.SM4_GCM, "k", "v", bytes(12), b"text", bytes(16))
    fields = [(field.name, field.type) for field in dataclasses.fields(blob)]
    standard = dataclasses.make_dataclass("CiphertextBlob", fields, bases=(Standard,))
    assert repr(blob) == repr(standard(*(getattr(blob, name) for name, _ in fields)))

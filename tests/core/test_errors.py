"""The classes of errors and their codes."""

import copy
import inspect
import pickle
import re

import pytest
from support.strategies import CODES

import kmscore
from kmscore import DecryptionError, KmsCoreError

LEAVES = KmsCoreError.__subclasses__()
SPEAKING = [leaf for leaf in LEAVES if leaf is not DecryptionError]


def test_the_base_class_cannot_be_raised() -> None:
    """An error always has a specific class."""
    with pytest.raises(TypeError, match="not raised itself"):
        raise KmsCoreError("something went wrong")


def test_the_error_classes_are_those_of_the_contract() -> None:
    """The classes and their codes are exactly those of the error table."""
    assert {leaf.__name__: leaf.code for leaf in LEAVES} == CODES


def test_codes_are_unique() -> None:
    """Two classes never have the same code."""
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_code_is_the_class_name_in_snake_case(leaf: type[KmsCoreError]) -> None:
    """The code is the class name in snake case without `Error`."""
    stem = leaf.__name__.removesuffix("Error")
    assert leaf.code == re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_docstring_is_one_sentence_of_its_own(leaf: type[KmsCoreError]) -> None:
    """The docstring of each class is one sentence of its own."""
    docstring = inspect.cleandoc(leaf.__dict__["__doc__"])
    assert re.fullmatch(r"[A-Z][^.]*\.", docstring)


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_is_public_and_not_an_error_of_python(leaf: type[KmsCoreError]) -> None:
    """An `except ValueError` or `except TypeError` never catches an error of kmscore."""
    assert getattr(kmscore, leaf.__name__) is leaf
    assert leaf.__bases__ == (KmsCoreError,)
    assert KmsCoreError.__bases__ == (Exception,)


@pytest.mark.parametrize("leaf", SPEAKING)
def test_an_error_survives_pickling_and_copying(leaf: type[KmsCoreError]) -> None:
    """Class, message and code are equal after pickling and copying."""
    error = leaf("what went wrong")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 (our own bytes)
        assert type(twin) is leaf
        assert "what went wrong" in str(twin) == str(error)
        assert vars(twin) == vars(error)
        assert twin.code == leaf.code


def test_a_decryption_error_survives_pickling() -> None:
    """The pickled error has the same constant message."""
    twin = pickle.loads(pickle.dumps(DecryptionError()))  # noqa: S301 (our own bytes)
    assert type(twin) is DecryptionError
    assert str(twin) == str(DecryptionError())
    assert twin.args == ()


@pytest.mark.parametrize("arguments", [("reason",), (1, 2), ("",)])
def test_a_decryption_error_takes_no_arguments(arguments: tuple[object, ...]) -> None:
    """A `DecryptionError` has no arguments, so that it contains no reason."""
    with pytest.raises(TypeError):
        DecryptionError(*arguments)  # type: ignore[call-arg]


def test_the_text_of_a_decryption_error_is_constant() -> None:
    """The text is constant, and contains neither "tag" nor "padding"."""
    assert (
        str(DecryptionError())
        == "the ciphertext cannot be decrypted with this key and encryption context"
    )
    assert repr(DecryptionError()) == "DecryptionError()"

"""The error taxonomy."""

import copy
import inspect
import pickle
import re

import pytest
from strategies import CODES

import kmscore
from kmscore import DecryptionError, KmsCoreError

LEAVES = KmsCoreError.__subclasses__()
SPEAKING = [leaf for leaf in LEAVES if leaf is not DecryptionError]


def test_the_base_class_cannot_be_raised_itself() -> None:
    """An error without a cause does not exist."""
    with pytest.raises(TypeError, match="not raised itself"):
        raise KmsCoreError("something went wrong")


def test_the_taxonomy_is_that_of_the_contract() -> None:
    """The classes and their codes are those of the error table, no more and no fewer."""
    assert {leaf.__name__: leaf.code for leaf in LEAVES} == CODES


def test_codes_are_unique() -> None:
    """A code tells one cause from every other."""
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_code_is_the_class_name_in_snake_case(leaf: type[KmsCoreError]) -> None:
    """The code is the class name in snake case without `Error`."""
    stem = leaf.__name__.removesuffix("Error")
    assert leaf.code == re.sub(r"(?<=[a-z])(?=[A-Z])", "_", stem).lower()


@pytest.mark.parametrize("leaf", LEAVES)
def test_a_docstring_is_one_sentence_of_its_own(leaf: type[KmsCoreError]) -> None:
    """Each class says in one sentence what went wrong."""
    docstring = inspect.cleandoc(leaf.__dict__["__doc__"])
    assert re.fullmatch(r"[A-Z][^.]*\.", docstring)


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_error_is_public_and_no_error_of_python(leaf: type[KmsCoreError]) -> None:
    """A caller who catches `ValueError` or `TypeError` never swallows one of ours."""
    assert getattr(kmscore, leaf.__name__) is leaf
    assert leaf.__bases__ == (KmsCoreError,)
    assert KmsCoreError.__bases__ == (Exception,)


@pytest.mark.parametrize("leaf", SPEAKING)
def test_an_error_survives_pickling_and_copying(leaf: type[KmsCoreError]) -> None:
    """Class, message and code are the same on the other side of a process."""
    error = leaf("what went wrong")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 (our own bytes)
        assert type(twin) is leaf
        assert "what went wrong" in str(twin) == str(error)
        assert vars(twin) == vars(error)
        assert twin.code == leaf.code


def test_a_decryption_error_survives_pickling() -> None:
    """It arrives with the one message it has."""
    twin = pickle.loads(pickle.dumps(DecryptionError()))  # noqa: S301 (our own bytes)
    assert type(twin) is DecryptionError
    assert str(twin) == str(DecryptionError())
    assert twin.args == ()


@pytest.mark.parametrize("arguments", [("reason",), (1, 2), ("",)])
def test_a_decryption_error_takes_no_arguments(arguments: tuple[object, ...]) -> None:
    """Nothing can be told apart by what it carries."""
    with pytest.raises(TypeError):
        DecryptionError(*arguments)  # type: ignore[call-arg]


def test_the_text_of_a_decryption_error_is_constant() -> None:
    """Its text is known beforehand, and says neither tag nor padding."""
    assert (
        str(DecryptionError())
        == "the ciphertext cannot be decrypted with this key and encryption context"
    )
    assert repr(DecryptionError()) == "DecryptionError()"

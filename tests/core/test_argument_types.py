"""A wrong Python type of an argument raises `TypeError` before any value is checked."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from support.strategies import OPERATIONS, Call, forbid_ciphers, raises_exactly

import kmscore
from kmscore import Keyring, KmsCoreError, RsaKey, Sm2Key, asymmetric, hazmat


class HalfProvider:
    """An object with one of the two methods, and an attribute in place of the other."""

    version = "v1"

    def primary(self, key_id: str) -> str:
        """Return any value."""
        return key_id


NOT_BYTES: Sequence[Any] = (None, "text", 5, [1, 2], object())
NOT_TEXT: Sequence[Any] = (b"key", 1, object(), ["key"])
NOT_A_MAPPING: Sequence[Any] = ("{}", b"", 1, [("a", "b")], ("a",), True, False)
NOT_A_NAME: Sequence[Any] = (1, b"SM2PKE", True, ["SM2PKE"], {})
NOT_A_NUMBER: Sequence[Any] = (True, False, 32.0, "32", None, b"\x20")

WRONG: Mapping[str, Sequence[Any]] = {
    "keys": (None, {}, [], object(), HalfProvider(), "keys"),
    "key_id": (None, *NOT_TEXT),
    "key_version_id": (None, *NOT_TEXT),
    "destination_key_id": (None, *NOT_TEXT),
    "source_key_id": NOT_TEXT,
    "source_key_version_id": NOT_TEXT,
    "plaintext": NOT_BYTES,
    "ciphertext": NOT_BYTES,
    "ciphertext_blob": NOT_BYTES,
    "iv": NOT_BYTES,
    "context": NOT_A_MAPPING,
    "source_context": NOT_A_MAPPING,
    "destination_context": NOT_A_MAPPING,
    "public_key": (None, b"", "PEM", object()),
    "algorithm": (None, *NOT_A_NAME),
    "source_algorithm": NOT_A_NAME,
    "number_of_bytes": NOT_A_NUMBER,
    "k": NOT_A_NUMBER,
    "dry_run": (None, 0, 1, "yes", "", []),
}
FUNCTIONS = {
    name: getattr(hazmat if "hazmat" in name else kmscore, name.split()[0].split(".")[-1])
    for name in OPERATIONS
}
CASES = [
    pytest.param(operation, parameter, wrong, id=f"{operation}-{parameter}-{number}")
    for operation, function in FUNCTIONS.items()
    for parameter in inspect.signature(function).parameters
    for number, wrong in enumerate(WRONG[parameter])
]
REQUIRED = [
    pytest.param(operation, parameter.name, id=f"{operation}-{parameter.name}")
    for operation, function in FUNCTIONS.items()
    for parameter in inspect.signature(function).parameters.values()
    if parameter.default is inspect.Parameter.empty
]


def test_the_tables_have_every_operation() -> None:
    """Every operation and every parameter is in the tables above."""
    public = {getattr(kmscore, name) for name in kmscore.__all__}
    functions = {each for each in public if inspect.isfunction(each)}
    functions |= {getattr(hazmat, name) for name in hazmat.__all__}
    assert functions == set(FUNCTIONS.values())


@pytest.mark.parametrize(("operation", "parameter", "wrong"), CASES)
def test_a_wrong_type_is_a_type_error(
    calls: dict[str, Call], operation: str, parameter: str, wrong: Any
) -> None:
    """A wrong type raises `TypeError`, which is not a `KmsCoreError` and has no code."""
    with pytest.raises(TypeError) as caught:
        calls[operation](**{parameter: wrong})
    assert type(caught.value) is TypeError
    assert not isinstance(caught.value, KmsCoreError)
    assert not hasattr(caught.value, "code")
    if wrong is not None and "source_key_id and" not in str(caught.value):
        assert type(wrong).__name__ in str(caught.value)


@pytest.mark.parametrize("wrong", ["password", 5, ["password"]])
def test_a_password_is_bytes_like(rsa_key: RsaKey, sm2_key: Sm2Key, wrong: Any) -> None:
    """A password must be bytes-like; text is not encoded."""
    for key in (rsa_key, sm2_key):
        with raises_exactly(TypeError, f"password must be bytes-like, not {type(wrong).__name__}"):
            type(key).from_pem("key", "v1", key.private_pem(), password=wrong)


@pytest.mark.parametrize(("operation", "parameter"), REQUIRED)
def test_a_missing_argument_is_a_type_error(
    calls: dict[str, Call], operation: str, parameter: str
) -> None:
    """A missing argument without a default raises `TypeError`."""
    call = calls[operation]
    arguments = {name: value for name, value in call.arguments.items() if name != parameter}
    with raises_exactly(TypeError, parameter):
        call.function(**arguments)


@pytest.mark.parametrize(("operation", "parameter", "wrong"), CASES)
def test_a_wrong_type_is_reported_before_a_wrong_value(
    calls: dict[str, Call], operation: str, parameter: str, wrong: Any
) -> None:
    """A wrong type raises `TypeError` even if all other arguments have wrong values."""
    bad_values = {
        "keys": Keyring([]),
        "key_id": "no such key",
        "key_version_id": "no such version",
        "destination_key_id": "no such key",
        "source_key_id": "no such key",
        "source_key_version_id": "no such version",
        "plaintext": bytes(7_000),
        "ciphertext": b"",
        "ciphertext_blob": bytes(10_000),
        "context": {1: 2},
        "source_context": {1: 2},
        "destination_context": {1: 2},
        "number_of_bytes": -1,
        "algorithm": "unknown",
        "source_algorithm": "unknown",
        "iv": b"",
        "k": 0,
    }
    call = calls[operation]
    others = {name: value for name, value in bad_values.items() if name in call.arguments}
    with raises_exactly(TypeError):
        call(**others | {parameter: wrong})


def test_a_wrong_type_is_reported_before_any_decryption(
    calls: dict[str, Call], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The type is checked before anything is decrypted or encrypted."""
    forbid_ciphers(monkeypatch)
    for name in ("encrypt_to", "decrypt_with"):
        monkeypatch.setattr(asymmetric, name, lambda *_: pytest.fail("a cipher was used"))
    for case in CASES:
        operation, parameter, wrong = case.values
        with raises_exactly(TypeError):
            calls[str(operation)](**{str(parameter): wrong})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_valid_calls_succeed(calls: dict[str, Call], operation: str) -> None:
    """The valid calls, which the other tests change, succeed."""
    assert calls[operation]() is not None

"""Errors and `repr` contain no secret, and errors of a provider propagate unchanged."""

import inspect
import os
import pickle
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from support.strategies import OPERATIONS, Call, Oracle, valid_calls

import kmscore
from kmscore import (
    Keyring,
    KeySpec,
    KeyState,
    KmsCoreError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
)

PLAINTEXT = os.urandom(40)
CHANGES: tuple[dict[str, Any], ...] = (
    {"context": {"a": "b"}},
    {"source_context": {"a": "b"}},
    {"context": {"a": 1}},
    {"destination_context": {"\ud800": ""}},
    {"plaintext": PLAINTEXT * 200},
    {"plaintext": bytearray(PLAINTEXT).decode("latin-1")},
    {"plaintext": [PLAINTEXT]},
    {"number_of_bytes": 2_000},
    {"algorithm": "SM2PKE"},
    {"algorithm": "unknown"},
    {"source_algorithm": "SM2PKE"},
    {"source_key_id": "destination"},
    {"destination_key_id": "rsa-2048"},
    {"destination_key_id": "unknown"},
    {"key_id": "sm2"},
    {"key_version_id": "v2"},
    {"ciphertext_blob": b"KMS"},
    {"ciphertext_blob": bytes(256)},
    {"ciphertext": bytes(256)},
    {"ciphertext": b""},
    {"iv": b""},
    {"k": 0},
    {"public_key": None},
    {"keys": None},
)


@pytest.fixture(scope="module")
def calls(rsa_key: RsaKey, sm2_key: Sm2Key) -> dict[str, Call]:
    """Return a valid call of every operation."""
    return valid_calls(rsa_key, sm2_key, PLAINTEXT)


def secrets(keys: Keyring) -> Iterator[bytes | str]:
    """Yield all secrets, in the forms in which they can appear."""
    for key in keys:
        if isinstance(key, SymmetricKey):
            yield from forms(key.export_material())
        elif isinstance(key, Sm2Key):
            yield str(key._scalar)
            yield from forms(key._scalar.to_bytes(32))
        else:
            numbers = key._private_key.private_numbers()
            for number in (numbers.p, numbers.q, numbers.d, numbers.dmp1):
                yield str(number)
                yield from forms(number.to_bytes(256))
    yield from forms(PLAINTEXT)


def forms(secret: bytes) -> Iterator[bytes | str]:
    """Yield a secret as bytes, in hexadecimal and as Python prints it."""
    part = secret[-12:]
    yield from (part, part.hex(), part.hex().upper(), repr(part)[2:-1])


def shown(error: BaseException) -> tuple[str, bytes]:
    """Return all text that an error reporter writes, and the pickled bytes of the error."""
    chain = [error]
    while following := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(following)
    texts = ["".join(traceback.format_exception(error))]
    texts += [f"{each!r} {each} {each.args!r} {vars(each)!r}" for each in chain]
    return "\n".join(texts), pickle.dumps(error)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_error_shows_a_secret(calls: dict[str, Call], operation: str) -> None:
    """The message, the chained errors and the pickle of an error contain no secret."""
    call = calls[operation]
    hidden = list(secrets(calls["encrypt"].arguments["keys"]))
    taken = inspect.signature(call.function).parameters
    raised = 0
    for change in CHANGES:
        if not set(change) <= set(taken):
            continue
        try:
            call(**change)
        except (KmsCoreError, TypeError, ValueError) as error:
            text, pickled = shown(error)
            raised += 1
        else:
            continue
        for secret in hidden:
            assert secret not in (text if isinstance(secret, str) else pickled)
    assert raised >= 3


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_result_and_no_key_shows_a_secret(calls: dict[str, Call], operation: str) -> None:
    """`repr` and format strings have no secret, but can have a blob or a plaintext's length."""
    keys = calls["encrypt"].arguments["keys"]
    text = f"{calls[operation]()!r} {keys!r} {list(keys)!r} {list(keys)}"
    for secret in secrets(keys):
        assert isinstance(secret, bytes) or secret not in text


@pytest.mark.parametrize("state", [state for state in KeyState if state != KeyState.ENABLED])
def test_an_unusable_key_shows_no_secret(state: KeyState) -> None:
    """Errors about keys contain IDs, specs and states, and no material."""
    material = os.urandom(32)
    key = SymmetricKey("key", "v1", KeySpec.AES_256, material, state=state)
    with pytest.raises(KmsCoreError) as unusable:
        kmscore.encrypt(Keyring([key]), "key", b"")
    with pytest.raises(KmsCoreError) as wrong_length:
        SymmetricKey("key", "v1", KeySpec.AES_128, material)
    with pytest.raises(KmsCoreError) as wrong_suite:
        SymmetricKey("key", "v1", KeySpec.AES_256, material, suite=Suite.SM4_GCM)
    for caught in (unusable, wrong_length, wrong_suite):
        text, pickled = shown(caught.value)
        for secret in forms(material):
            assert secret not in (text if isinstance(secret, str) else pickled)


class StoreError(Exception):
    """An exception of a service's own key store."""


@pytest.mark.parametrize("kind", [StoreError, KeyError, ValueError, LookupError, RecursionError])
@pytest.mark.parametrize(
    ("operation", "method"),
    [
        *((name, "version") for name in ("decrypt", "export_data_key", "asymmetric_decrypt")),
        *((name, "version") for name in ("reencrypt", "reencrypt (asymmetric)")),
        *((name, "primary") for name in ("reencrypt", "reencrypt (asymmetric)")),
        *((name, "primary") for name in ("encrypt", "hazmat.encrypt", "hazmat.reencrypt")),
        *((name, "primary") for name in ("generate_data_key", "generate_and_export_data_key")),
        ("generate_data_key_without_plaintext", "primary"),
    ],
)
def test_an_error_of_the_provider_propagates_unchanged(
    calls: dict[str, Call], operation: str, method: str, kind: type[Exception]
) -> None:
    """The exception is the object that the store raised, without cause or context."""
    error = kind("the store is down")
    ring, arguments = calls["encrypt"].arguments["keys"], calls[operation].arguments
    source = ring.version(arguments.get("source_key_id", "source"), "v1")
    answers = {"version": source} | {method: error}
    with pytest.raises(kind) as caught:
        calls[operation](keys=Oracle(**answers))
    assert caught.value is error
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None

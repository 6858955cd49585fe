"""The functions of `hazmat`, with the IV or k as an argument."""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from support.strategies import (
    Call,
    Oracle,
    forbid_ciphers,
    raises_exactly,
    symmetric_key,
)

import kmscore
from kmscore import (
    CiphertextBlob,
    Keyring,
    KeyUsageError,
    PlaintextSizeError,
    RsaKey,
    Sm2Key,
    Suite,
    hazmat,
)

# The private key of the example in GM/T 0003.5-2012 Annex C.
EXAMPLE_SCALAR = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
ORDER = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
# With that key, this k gives a KDF output whose first byte is 00.
ZERO_KDF_K = 470


@pytest.fixture(scope="module")
def example_key() -> Sm2Key:
    """Return the published key."""
    return Sm2Key.from_scalar("example", "v1", EXAMPLE_SCALAR)


def wide(data: bytes) -> memoryview:
    """Return a view with items of four bytes, whose `len` is not the number of bytes."""
    return memoryview(data).cast("I")


KINDS = (bytes, bytearray, memoryview, wide)


@pytest.mark.parametrize("suite", Suite)
@pytest.mark.parametrize("kind", KINDS)
def test_encrypt_uses_the_given_iv(suite: Suite, kind: Callable[[bytes], Any]) -> None:
    """The IV is in the blob, and the same arguments give the same blob."""
    keys = Keyring([symmetric_key(suite)])
    iv = bytes(range(suite.iv_length))
    result = hazmat.encrypt(keys, "key", b"text", {"a": "b"}, iv=kind(iv))
    assert CiphertextBlob.parse(result.ciphertext_blob).iv == iv
    assert kmscore.decrypt(keys, result.ciphertext_blob, {"a": "b"}).plaintext == b"text"
    assert hazmat.encrypt(keys, "key", b"text", {"a": "b"}, iv=iv) == result


@pytest.mark.parametrize("operation", ["encrypt", "reencrypt"])
def test_the_public_function_gives_the_same_for_the_same_iv(
    calls: dict[str, Call], operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hazmat` and the public function give the same bytes for the same IV."""
    monkeypatch.setattr(os, "urandom", bytes)
    assert calls[operation]() == calls[f"hazmat.{operation}"]()


def test_missing_arguments_have_the_public_defaults() -> None:
    """As in the public functions, no context is the empty one, and no source ID is compared."""
    keys = Keyring([symmetric_key(Suite.AES_256_GCM)])
    sealed = hazmat.encrypt(keys, "key", b"text", iv=bytes(12)).ciphertext_blob
    assert kmscore.decrypt(keys, sealed).plaintext == b"text"
    moved = hazmat.reencrypt(keys, sealed, "key", iv=bytes(range(12))).ciphertext_blob
    assert kmscore.decrypt(keys, moved or b"").plaintext == b"text"


@pytest.mark.parametrize("kind", KINDS)
def test_reencrypt_uses_the_given_iv_for_an_asymmetric_source(
    calls: dict[str, Call], kind: Callable[[bytes], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The IV is that of the destination, for every kind of source."""
    arguments = calls["reencrypt (asymmetric)"].arguments
    iv = bytes(range(24))
    result = hazmat.reencrypt(**arguments, iv=kind(iv), destination_context={"a": "b"})
    assert CiphertextBlob.parse(result.ciphertext_blob or b"").iv == iv
    monkeypatch.setattr(os, "urandom", lambda _: iv)
    assert kmscore.reencrypt(**arguments, destination_context={"a": "b"}) == result


@pytest.mark.parametrize("length", [0, 12, 23, 25])
@pytest.mark.parametrize("source", ["blob", "asymmetric"])
def test_an_iv_of_another_length_is_rejected_before_decryption(
    calls: dict[str, Call], source: str, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong IV length raises an error before decryption, as other wrong sizes do."""
    forbid_ciphers(monkeypatch)
    monkeypatch.setattr(kmscore.asymmetric, "decrypt_with", lambda *_: pytest.fail("it was opened"))
    name = "hazmat.reencrypt" if source == "blob" else "reencrypt (asymmetric)"
    with raises_exactly(ValueError, f"XAES_256_GCM takes an IV of 24 bytes, not {length}"):
        hazmat.reencrypt(**calls[name].arguments | {"iv": bytes(length)})
    with raises_exactly(ValueError, f"not {length}"):
        calls["hazmat.encrypt"](iv=bytes(length))


@pytest.mark.parametrize("iv", [None, "i" * 24, 24, 24.0, [0] * 24, (0,) * 24, {}], ids=repr)
@pytest.mark.parametrize("operation", ["hazmat.encrypt", "hazmat.reencrypt"])
def test_an_iv_of_another_type_is_rejected_before_anything_else(
    calls: dict[str, Call], operation: str, iv: Any
) -> None:
    """An IV of a wrong type raises `TypeError`, before all other errors."""
    faulty: dict[str, Any] = {
        "keys": Oracle(AssertionError("asked"), AssertionError("asked")),
        "plaintext": bytes(6145),
        "ciphertext_blob": b"",
        "context": {"\ud800": ""},
        "source_context": {"\ud800": ""},
    }
    others = {name: faulty[name] for name in calls[operation].arguments if name in faulty}
    for changes in ({}, others):
        with raises_exactly(TypeError, "iv must be bytes-like"):
            calls[operation](iv=iv, **changes)


def test_an_iv_is_checked_after_the_size_of_the_plaintext(calls: dict[str, Call]) -> None:
    """The size of the plaintext is checked before the size of the IV."""
    with raises_exactly(PlaintextSizeError):
        calls["hazmat.encrypt"](plaintext=bytes(6145), iv=b"")


@pytest.mark.parametrize("k", [1, 2, 12345, ORDER - 1], ids=["1", "2", "12345", "n-1"])
@pytest.mark.parametrize("kind", KINDS)
def test_sm2_encrypt_uses_the_given_k(
    sm2_key: Sm2Key, k: int, kind: Callable[[bytes], Any]
) -> None:
    """The ciphertext is C1C3C2, is the same every time, and decrypts on the key's backend."""
    plaintext = b"text of 4n bytes"
    ciphertext = hazmat.sm2_encrypt(sm2_key.public_key, kind(plaintext), k)
    assert hazmat.sm2_encrypt(sm2_key.public_key, plaintext, k) == ciphertext
    assert len(ciphertext) == 97 + len(plaintext)
    result = kmscore.asymmetric_decrypt(Keyring([sm2_key]), "sm2", "v1", "SM2PKE", ciphertext)
    assert result.plaintext == plaintext


@pytest.mark.parametrize("k", [0, -1, ORDER, ORDER + 1, 2**256, 10**5_000], ids=range(6))
def test_a_k_out_of_range_is_a_value_error(sm2_key: Sm2Key, k: int) -> None:
    """The number k must be 1 to n-1."""
    with raises_exactly(ValueError, "k is not 1 to n-1"):
        hazmat.sm2_encrypt(sm2_key.public_key, b"text", k)


def test_a_k_that_leaves_the_plaintext_in_clear_is_a_value_error(example_key: Sm2Key) -> None:
    """If the KDF output is zero, random encryption draws another k, but a given k is rejected."""
    for plaintext in (b"\x00", b"x", b"\xff"):
        with raises_exactly(ValueError, "KDF output of zeros"):
            hazmat.sm2_encrypt(example_key.public_key, plaintext, ZERO_KDF_K)
    longer = hazmat.sm2_encrypt(example_key.public_key, b"xx", ZERO_KDF_K)
    assert longer[97:98] == b"x"
    assert longer[97:] != b"xx"


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"plaintext": b""}, PlaintextSizeError, "1 to 6047 bytes, not 0"),
        ({"plaintext": bytes(6048)}, PlaintextSizeError, "1 to 6047 bytes, not 6048"),
        ({"plaintext": bytes(6048), "k": 0}, PlaintextSizeError, "1 to 6047 bytes, not 6048"),
        ({"plaintext": wide(bytes(6048))}, PlaintextSizeError, "1 to 6047 bytes, not 6048"),
        ({"plaintext": "text", "k": 0}, TypeError, "plaintext must be bytes-like"),
        ({"k": True}, TypeError, "k must be int"),
        ({"k": "1", "plaintext": b""}, TypeError, "k must be int"),
        ({"public_key": b""}, TypeError, "public_key must be PublicKey"),
    ],
    ids=range(8),
)
def test_sm2_encrypt_checks_in_order(
    calls: dict[str, Call], change: dict[str, Any], error: type[Exception], text: str
) -> None:
    """The order is: types, the key, sizes, k."""
    with raises_exactly(error, text):
        calls["hazmat.sm2_encrypt"](**change)


def test_sm2_encrypt_requires_an_sm2_key(rsa_key: RsaKey) -> None:
    """An RSA key is of the wrong kind; that is checked after the types and before the sizes."""
    with raises_exactly(TypeError, "plaintext must be bytes-like"):
        hazmat.sm2_encrypt(rsa_key.public_key, "text", 0)  # type: ignore[arg-type]
    with raises_exactly(TypeError, "k must be int"):
        hazmat.sm2_encrypt(rsa_key.public_key, b"", "0")  # type: ignore[arg-type]
    with raises_exactly(KeyUsageError, "RSA_2048 does not encrypt SM2PKE"):
        hazmat.sm2_encrypt(rsa_key.public_key, b"", 0)


def test_hazmat_is_not_exported_by_kmscore() -> None:
    """`hazmat` is not exported by `kmscore`, and `import kmscore` does not load it."""
    for name in hazmat.__all__:
        assert getattr(kmscore, name, None) is not getattr(hazmat, name)
    assert "hazmat" not in kmscore.__all__
    assert not hasattr(kmscore, "sm2_encrypt")
    program = "import sys, kmscore; print('kmscore.hazmat' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "False\n"

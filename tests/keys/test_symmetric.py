"""Symmetric keys: specs and suites, IDs and states, material, and a build without SM4."""

import uuid
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from support.strategies import raises_exactly

from kmscore import (
    CiphertextBlob,
    EncryptionContext,
    InvalidKeyError,
    KeySpec,
    KeyState,
    Suite,
    SymmetricKey,
    UnsupportedAlgorithmError,
    aead,
)
from kmscore.envelope import open_blob, seal

DEFAULTS = [
    (KeySpec.AES_256, Suite.XAES_256_GCM, 32),
    (KeySpec.AES_192, Suite.AES_192_GCM, 24),
    (KeySpec.AES_128, Suite.AES_128_GCM, 16),
    (KeySpec.SM4, Suite.SM4_GCM, 16),
]
BINDINGS = [(spec, suite) for spec, suite, _ in DEFAULTS] + [(KeySpec.AES_256, Suite.AES_256_GCM)]
LENGTHS = {spec: length for spec, _, length in DEFAULTS}
EMPTY = EncryptionContext().canonical
GOOD: dict[str, Any] = {
    "key_id": "k",
    "key_version_id": "v",
    "spec": KeySpec.AES_128,
    "material": bytes(16),
}


@pytest.mark.parametrize(("spec", "suite", "length"), DEFAULTS)
def test_each_spec_has_its_default_suite(spec: KeySpec, suite: Suite, length: int) -> None:
    """The default suite of AES_256 is XAES_256_GCM; the other specs have their own GCM suite."""
    key = SymmetricKey("k", "v", spec, bytes(length))
    assert (key.spec, key.suite, key.state) == (spec, suite, KeyState.ENABLED)
    assert SymmetricKey.generate(spec).suite is suite


@pytest.mark.parametrize("spec", LENGTHS)
@pytest.mark.parametrize("suite", Suite)
def test_a_key_is_bound_to_a_suite_of_its_own_spec_only(spec: KeySpec, suite: Suite) -> None:
    """A spec accepts its own suites and rejects all others, also those of the same key length."""
    if (spec, suite) in BINDINGS:
        assert SymmetricKey("k", "v", spec, bytes(LENGTHS[spec]), suite=suite).suite is suite
        assert SymmetricKey.generate(spec, suite=suite).suite is suite
    else:
        with raises_exactly(InvalidKeyError, suite.name):
            SymmetricKey("k", "v", spec, bytes(LENGTHS[spec]), suite=suite)
        with raises_exactly(InvalidKeyError, suite.name):
            SymmetricKey.generate(spec, suite=suite)


@pytest.mark.parametrize("spec", LENGTHS)
@pytest.mark.parametrize("wrong", [0, 15, 16, 17, 23, 24, 25, 31, 32, 33, 64])
def test_material_of_another_length_is_rejected(spec: KeySpec, wrong: int) -> None:
    """Material must have exactly the length of the spec."""
    if wrong == LENGTHS[spec]:
        assert SymmetricKey("k", "v", spec, bytes(wrong)).export_material() == bytes(wrong)
    else:
        with raises_exactly(InvalidKeyError, f"not {wrong}"):
            SymmetricKey("k", "v", spec, bytes(wrong))


@pytest.mark.parametrize("spec", [spec for spec in KeySpec if spec not in LENGTHS])
def test_an_asymmetric_spec_is_rejected(spec: KeySpec) -> None:
    """A symmetric key cannot have an asymmetric spec."""
    with raises_exactly(InvalidKeyError, spec.name):
        SymmetricKey("k", "v", spec, bytes(32))
    with raises_exactly(InvalidKeyError, spec.name):
        SymmetricKey.generate(spec)


@pytest.mark.parametrize(
    "text",
    ["", "a" * 256, " ", "a b", "a\n", "\na", "a\x00", "a\x7f", "caf\u00e9", "\u5bc6", "\ud800"],
)
@pytest.mark.parametrize("name", ["key_id", "key_version_id"])
def test_an_invalid_id_is_rejected(name: str, text: str) -> None:
    """An ID is 1 to 255 characters of 21..7E, in the constructor and in `generate`."""
    ids = {"key_id": "k", "key_version_id": "v"} | {name: text}
    with raises_exactly(InvalidKeyError, "printable ASCII"):
        SymmetricKey(spec=KeySpec.AES_128, material=bytes(16), **ids)
    with raises_exactly(InvalidKeyError, "printable ASCII"):
        SymmetricKey.generate(KeySpec.AES_128, **ids)


@pytest.mark.parametrize("text", ["!", "~", "a" * 255, "key/\"\\'<>", "v1"])
def test_a_valid_id_is_kept_unchanged(text: str) -> None:
    """Every printable ASCII character except space and every length to 255 is accepted."""
    key = SymmetricKey(text, text, KeySpec.AES_128, bytes(16))
    assert (key.key_id, key.key_version_id) == (text, text)


@pytest.mark.parametrize(
    "arguments",
    [
        {"key_id": None},
        {"key_id": b"k"},
        {"key_version_id": 1},
        {"spec": None},
        {"spec": 1},
        {"spec": Suite.AES_128_GCM},
        {"material": "0" * 16},
        {"material": None},
        {"material": 16},
        {"material": [0] * 16},
        {"suite": "AES_128_GCM"},
        {"suite": 3},
        {"state": None},
        {"state": True},
        {"state": b"Enabled"},
    ],
    ids=str,
)
def test_a_wrong_type_is_a_type_error(arguments: dict[str, Any]) -> None:
    """An argument of another type raises `TypeError`."""
    with raises_exactly(TypeError):
        SymmetricKey(**(GOOD | arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        {"key_id": 5, "spec": "nonsense"},
        {"key_version_id": 5, "spec": "nonsense"},
        {"state": 5, "spec": "nonsense"},
        {"state": 5, "key_id": ""},
        {"suite": 5, "key_id": ""},
        {"material": 5, "key_id": ""},
    ],
    ids=str,
)
def test_a_wrong_type_is_raised_before_a_wrong_value(arguments: dict[str, Any]) -> None:
    """Types are checked first, before all values."""
    with raises_exactly(TypeError):
        SymmetricKey(**(GOOD | arguments))


@pytest.mark.parametrize("name", ["key_id", "key_version_id"])
def test_generate_with_an_id_of_another_type_is_a_type_error(name: str) -> None:
    """An ID that is not text raises `TypeError`; only a missing ID becomes a UUID."""
    ids: dict[str, Any] = {name: 7}
    with raises_exactly(TypeError, name):
        SymmetricKey.generate(KeySpec.AES_128, **ids)


def test_spec_and_state_are_accepted_as_values_of_the_service() -> None:
    """The values of the enums are accepted, and so are their members."""
    key = SymmetricKey("k", "v", "Aliyun_SM4", bytes(16), state="PendingDeletion")
    assert (key.spec, key.state) == (KeySpec.SM4, KeyState.PENDING_DELETION)
    assert SymmetricKey.generate("Aliyun_AES_192", state="Disabled").spec is KeySpec.AES_192


@pytest.mark.parametrize("name", ["spec", "state"])
@pytest.mark.parametrize("value", ["", "AES_256", "ENABLED", "aliyun_aes_256", "Enabled "])
def test_an_unknown_spec_or_state_is_rejected(name: str, value: str) -> None:
    """An unknown value is rejected, also a member's name in Python and a value in other case."""
    arguments: dict[str, Any] = {"spec": KeySpec.AES_256, "material": bytes(32)} | {name: value}
    with raises_exactly(UnsupportedAlgorithmError):
        SymmetricKey("k", "v", **arguments)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_material_can_be_any_bytes_like_object(kind: Callable[[bytes], Any]) -> None:
    """`bytes`, `bytearray` and `memoryview` of the same bytes are the same material."""
    raw = bytes(range(32))
    exported = SymmetricKey("k", "v", KeySpec.AES_256, kind(raw)).export_material()
    assert exported == raw
    assert type(exported) is bytes


def test_a_memoryview_is_measured_in_bytes() -> None:
    """Eight items of four bytes are 32 bytes of material, and 32 such items are not."""
    words = memoryview(bytes(range(32))).cast("I")
    key = SymmetricKey("k", "v", KeySpec.AES_256, words)
    assert key.export_material() == bytes(range(32))
    with raises_exactly(InvalidKeyError, "not 128"):
        SymmetricKey("k", "v", KeySpec.AES_256, memoryview(bytes(128)).cast("I"))


@pytest.mark.parametrize("suite", Suite)
def test_a_later_change_of_a_bytearray_has_no_effect(suite: Suite) -> None:
    """The key has its own copy of the material, so later changes of the argument have no effect."""
    spec = next(spec for spec, of_spec in BINDINGS if of_spec is suite)
    material = bytearray(range(suite.key_length))
    key = SymmetricKey("k", "v", spec, material, suite=suite)
    material[:] = bytes(len(material))
    assert key.export_material() == bytes(range(suite.key_length))
    same = SymmetricKey("k", "v", spec, bytes(range(suite.key_length)), suite=suite)
    blob = seal(key, b"plaintext", EMPTY)
    assert open_blob(same, blob, EMPTY) == b"plaintext"


def test_generated_keys_are_fresh() -> None:
    """All keys have different material, and missing IDs are random UUIDs in their usual form."""
    keys = [SymmetricKey.generate(KeySpec.AES_128) for _ in range(20)]
    assert len({key.export_material() for key in keys}) == len(keys)
    ids = [text for key in keys for text in (key.key_id, key.key_version_id)]
    assert len(set(ids)) == 2 * len(keys)
    assert all(str(uuid.UUID(text)) == text and uuid.UUID(text).version == 4 for text in ids)


@pytest.mark.parametrize(("spec", "length"), LENGTHS.items())
def test_generate_keeps_the_given_ids_and_state(spec: KeySpec, length: int) -> None:
    """IDs and state are those of the arguments, and the material has the length of the spec."""
    key = SymmetricKey.generate(spec, key_id="k", key_version_id="v", state=KeyState.DISABLED)
    assert (key.key_id, key.key_version_id, key.state) == ("k", "v", KeyState.DISABLED)
    assert len(key.export_material()) == length
    assert SymmetricKey.generate(spec, key_id="k").key_id == "k"
    assert SymmetricKey.generate(spec, key_version_id="v").key_version_id == "v"


@pytest.mark.parametrize(("spec", "suite"), BINDINGS)
def test_the_header_is_that_of_a_blob_of_the_key(spec: KeySpec, suite: Suite) -> None:
    """The stored header equals the bytes before the IV in every blob of the key."""
    key = SymmetricKey.generate(spec, key_id="key", key_version_id="v" * 255, suite=suite)
    assert key.header == b"KMS\x01" + bytes([suite.value]) + b"\x03key\xff" + b"v" * 255
    blob = CiphertextBlob(suite, "key", "v" * 255, bytes(suite.iv_length), b"", bytes(16))
    assert key.header == blob.header


def test_the_repr_names_the_key_and_its_suite() -> None:
    """The `repr` has the IDs, the spec and the suite, so that a log line identifies the key."""
    key = SymmetricKey("k", "v", KeySpec.AES_256, bytes(32), state="Disabled")
    assert repr(key) == (
        "<SymmetricKey key_id='k' key_version_id='v' spec=AES_256 state=DISABLED"
        " suite=XAES_256_GCM>"
    )


def test_without_sm4_the_other_keys_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of `cryptography` without SM4 rejects SM4 keys when they are made, and no others."""

    def cipher(algorithm: Any, mode: Any) -> Cipher[Any]:
        if isinstance(algorithm, SM4):
            raise UnsupportedAlgorithm("no SM4 in this build")
        return Cipher(algorithm, mode)

    monkeypatch.setattr("kmscore.aead.Cipher", cipher)
    # In a new process, nothing is known yet about the build; clear the stored results.
    monkeypatch.setattr("kmscore.aead._check_suite", cache(aead._check_suite.__wrapped__))
    for make in (
        lambda: SymmetricKey("k", "v", KeySpec.SM4, bytes(16)),
        lambda: SymmetricKey.generate(KeySpec.SM4),
    ):
        with raises_exactly(UnsupportedAlgorithmError, "SM4"):
            make()
    for spec, suite in BINDINGS:
        if spec is not KeySpec.SM4:
            key = SymmetricKey.generate(spec, suite=suite)
            sealed = seal(key, b"plaintext", EMPTY)
            assert open_blob(key, sealed, EMPTY) == b"plaintext"

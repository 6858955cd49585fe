"""Shared parts of the tests: hypothesis strategies, keys of every suite, test providers."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

import kmscore
from kmscore import (
    CiphertextBlob,
    EncryptionAlgorithm,
    KeyProvider,
    Keyring,
    KeySpec,
    KmsCoreError,
    RsaKey,
    Sm2Key,
    Suite,
    SymmetricKey,
    UnsupportedAlgorithmError,
    asymmetric,
    hazmat,
)
from kmscore.keys import Key

CODES: Mapping[str, str] = {
    "InvalidBlobError": "invalid_blob",
    "InvalidContextError": "invalid_context",
    "InvalidKeyError": "invalid_key",
    "KeyNotFoundError": "key_not_found",
    "KeyVersionNotFoundError": "key_version_not_found",
    "KeyStateError": "key_state",
    "KeyUsageError": "key_usage",
    "IncorrectKeyError": "incorrect_key",
    "UnsupportedAlgorithmError": "unsupported_algorithm",
    "PlaintextSizeError": "plaintext_size",
    "DecryptionError": "decryption",
}
"""Every error of the contract and its code."""

SUITE_SPECS: Mapping[Suite, KeySpec] = {
    Suite.AES_256_GCM: KeySpec.AES_256,
    Suite.AES_192_GCM: KeySpec.AES_192,
    Suite.AES_128_GCM: KeySpec.AES_128,
    Suite.SM4_GCM: KeySpec.SM4,
    Suite.XAES_256_GCM: KeySpec.AES_256,
}
RSA_ALGORITHMS = (EncryptionAlgorithm.RSAES_OAEP_SHA_256, EncryptionAlgorithm.RSAES_OAEP_SHA_1)

IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_CROWDED_TEXTS = st.text("aAb~\0", max_size=3)
CROWDED_CONTEXTS = st.dictionaries(_CROWDED_TEXTS, _CROWDED_TEXTS, min_size=2, max_size=8)
"""Short ASCII pairs in any order: empty texts, common prefixes, keys that begin other keys."""

CONTEXTS = CROWDED_CONTEXTS | st.dictionaries(TEXTS, TEXTS, max_size=4)
PLAINTEXTS = st.binary(max_size=64) | st.integers(0, 6144).map(bytes)
SUITES = st.sampled_from(Suite)


def watch_ciphers(monkeypatch: pytest.MonkeyPatch, note: Callable[[str], object]) -> None:
    """Call `note` with `open` or `seal` before any symmetric key, made earlier too, does so."""
    for name in ("open", "seal"):
        slot = SymmetricKey.__dict__[f"_{name}"]

        def get(key: SymmetricKey, name: str = name, slot: Any = slot) -> Callable[..., bytes]:
            def watched(*arguments: bytes) -> bytes:
                note(name)
                return slot.__get__(key)(*arguments)  # type: ignore[no-any-return]

            return watched

        monkeypatch.setattr(SymmetricKey, f"_{name}", property(get, slot.__set__))


def forbid_ciphers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the test fail if any symmetric key encrypts or decrypts from now on."""
    watch_ciphers(monkeypatch, lambda name: pytest.fail(f"{name} was called"))


def miss_hash(monkeypatch: pytest.MonkeyPatch, is_missing: Callable[[], bool]) -> None:
    """Replace a build of `cryptography`: OAEP's hash is missing while `is_missing` is true."""

    def check(name: str) -> None:
        if is_missing():
            raise UnsupportedAlgorithmError(f"{name} is not available in this test")

    monkeypatch.setattr(asymmetric, "_check_hash", check)


@contextmanager
def raises_exactly(
    kind: type[Exception], text: str | None = None
) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect exactly this class of error, with its code and with `text` in its message."""
    with pytest.raises(kind, match=text and re.escape(text)) as caught:
        yield caught
    assert type(caught.value) is kind
    if isinstance(caught.value, KmsCoreError):
        assert caught.value.code == CODES[kind.__name__]


def symmetric_key(
    suite: Suite, key_id: str = "key", key_version_id: str = "v1", **options: Any
) -> SymmetricKey:
    """Return a new key bound to `suite`."""
    spec = SUITE_SPECS[suite]
    return SymmetricKey.generate(
        spec, key_id=key_id, key_version_id=key_version_id, suite=suite, **options
    )


@st.composite
def blobs(draw: st.DrawFn) -> CiphertextBlob:
    """Draw well-formed blobs of every suite, with random bytes in place of a ciphertext."""
    suite = draw(SUITES)
    return CiphertextBlob(
        suite,
        draw(IDS),
        draw(IDS),
        draw(st.binary(min_size=suite.iv_length, max_size=suite.iv_length)),
        draw(st.binary(max_size=64)),
        draw(st.binary(min_size=16, max_size=16)),
    )


def flip_last_bit(data: bytes) -> bytes:
    """Return `data` with its last bit flipped, so that it always differs."""
    return data[:-1] + bytes([data[-1] ^ 1])


@st.composite
def mutations(draw: st.DrawFn, data: bytes) -> bytes:
    """Draw `data` with up to three changes: bits flipped, bytes removed, repeated or inserted."""
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(changed)))
        end = draw(st.integers(start, min(len(changed), start + 20)))
        match draw(st.sampled_from(["flip", "set", "cut", "double", "insert", "truncate"])):
            case "flip" if start < len(changed):
                changed[start] ^= 1 << draw(st.integers(0, 7))
            case "set" if start < len(changed):
                changed[start] = draw(st.sampled_from([0, 1, 0x20, 0x7F, 0x80, 0xFF]))
            case "cut":
                del changed[start:end]
            case "double":
                changed[start:start] = changed[start:end]
            case "truncate":
                del changed[end:]
            case _:
                changed[start:start] = draw(st.binary(max_size=8))
    return bytes(changed)


def single_bit_flips(data: bytes) -> Iterator[bytes]:
    """Yield `data` with one bit changed, for each bit."""
    for index in range(8 * len(data)):
        changed = bytearray(data)
        changed[index // 8] ^= 1 << index % 8
        yield bytes(changed)


class Store:
    """A provider that is not a `Keyring`, so that every header goes through the parser."""

    def __init__(self, keys: Keyring) -> None:
        """Return the answers of `keys`."""
        self.keys = keys

    def primary(self, key_id: str) -> Key:
        """See `KeyProvider`."""
        return self.keys.primary(key_id)

    def version(self, key_id: str, key_version_id: str) -> Key:
        """See `KeyProvider`."""
        return self.keys.version(key_id, key_version_id)


class Oracle:
    """A provider that returns or raises given values, for all IDs."""

    def __init__(self, version: Any = None, primary: Any = None) -> None:
        """Take the answer of each method."""
        self._answers = {"version": version, "primary": primary}

    def _answer(self, method: str) -> Any:
        answer = self._answers[method]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def primary(self, key_id: str) -> Any:
        """See `KeyProvider`."""
        del key_id
        return self._answer("primary")

    def version(self, key_id: str, key_version_id: str) -> Any:
        """See `KeyProvider`."""
        del key_id, key_version_id
        return self._answer("version")


class Fickle(Mapping[str, str]):
    """A context with a new value at each read: {"a": "1"}, then {"a": "2"}."""

    def __init__(self) -> None:
        """Start at 1."""
        self._reads = 0

    def __getitem__(self, key: str) -> str:
        """Return the number of this read."""
        del key
        self._reads += 1
        return str(self._reads)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the only key."""
        return iter(["a"])

    def __len__(self) -> int:
        """Return 1."""
        return 1


PROVIDERS: Mapping[str, Callable[[Keyring], KeyProvider]] = {
    "a keyring": lambda keys: keys,
    "a store": Store,
}
"""Both ways to find a key: the short path of the keyring, and the parser."""


class Call(NamedTuple):
    """An operation and arguments with which it succeeds."""

    function: Callable[..., Any]
    arguments: dict[str, Any]

    def __call__(self, **changes: Any) -> Any:
        """Call the operation with some arguments replaced."""
        return self.function(**self.arguments | changes)


OPERATIONS = (
    "encrypt",
    "decrypt",
    "generate_data_key",
    "generate_data_key_without_plaintext",
    "export_data_key",
    "generate_and_export_data_key",
    "asymmetric_encrypt",
    "asymmetric_decrypt",
    "reencrypt",
    "reencrypt (asymmetric)",
    "hazmat.encrypt",
    "hazmat.reencrypt",
    "hazmat.sm2_encrypt",
)
SEALING = tuple(name for name in OPERATIONS if "encrypt" in name or "generate" in name)


def valid_calls(rsa_key: RsaKey, sm2_key: Sm2Key, plaintext: bytes = b"data") -> dict[str, Call]:
    """Return a valid call of every operation, by the names above.

    The keyring has `source` (AES_256_GCM), `destination` (XAES_256_GCM) and the two given keys. The
    context of every v1 blob is {"purpose": "test"}.
    """
    source = symmetric_key(Suite.AES_256_GCM, "source")
    destination = symmetric_key(Suite.XAES_256_GCM, "destination")
    keys = {"keys": Keyring([source, destination, rsa_key, sm2_key])}
    context = {"context": {"purpose": "test"}}
    blob = {
        "ciphertext_blob": kmscore.encrypt(
            keys["keys"], "source", plaintext, context["context"]
        ).ciphertext_blob
    }
    algorithm = EncryptionAlgorithm.RSAES_OAEP_SHA_256
    wrapping = {"public_key": rsa_key.public_key, "algorithm": algorithm}
    bare = kmscore.asymmetric_encrypt(rsa_key.public_key, algorithm, plaintext)
    rsa_ids = {"key_id": rsa_key.key_id, "key_version_id": rsa_key.key_version_id}
    sealing = keys | {"key_id": "destination"} | context
    moving = {
        **keys,
        **blob,
        "destination_key_id": "destination",
        "source_context": context["context"],
    }
    bare_source = {
        **keys,
        "ciphertext_blob": bare,
        "destination_key_id": "destination",
        "source_key_id": rsa_key.key_id,
        "source_key_version_id": rsa_key.key_version_id,
        "source_algorithm": algorithm,
    }
    decrypting = keys | rsa_ids | {"algorithm": algorithm, "ciphertext": bare}
    message = {"plaintext": plaintext}
    iv = {"iv": bytes(24)}
    sm2_arguments = {"public_key": sm2_key.public_key, "k": 12345} | message
    return {
        "encrypt": Call(kmscore.encrypt, sealing | message),
        "decrypt": Call(kmscore.decrypt, keys | blob | context),
        "generate_data_key": Call(kmscore.generate_data_key, sealing),
        "generate_data_key_without_plaintext": Call(
            kmscore.generate_data_key_without_plaintext, sealing
        ),
        "export_data_key": Call(kmscore.export_data_key, keys | blob | context | wrapping),
        "generate_and_export_data_key": Call(
            kmscore.generate_and_export_data_key, sealing | wrapping
        ),
        "asymmetric_encrypt": Call(kmscore.asymmetric_encrypt, wrapping | message),
        "asymmetric_decrypt": Call(kmscore.asymmetric_decrypt, decrypting),
        "reencrypt": Call(kmscore.reencrypt, moving),
        "reencrypt (asymmetric)": Call(kmscore.reencrypt, bare_source),
        "hazmat.encrypt": Call(hazmat.encrypt, sealing | message | iv),
        "hazmat.reencrypt": Call(hazmat.reencrypt, moving | iv),
        "hazmat.sm2_encrypt": Call(hazmat.sm2_encrypt, sm2_arguments),
    }

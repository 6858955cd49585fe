"""Layouts: a key whose attributes contradict each other decrypts no blob of another key."""

from typing import Any

import pytest
from support.strategies import Oracle, raises_exactly

import kmscore
from kmscore import DecryptionError, Keyring, KeySpec, Suite, SymmetricKey
from kmscore.bulk import Item, Status, reencrypt_many

SUITES = [Suite.AES_256_GCM, Suite.SM4_GCM, Suite.XAES_256_GCM]
SPECS = {
    Suite.AES_256_GCM: KeySpec.AES_256,
    Suite.SM4_GCM: KeySpec.SM4,
    Suite.XAES_256_GCM: KeySpec.AES_256,
}


def alias(suite: Suite, key_id: str) -> SymmetricKey:
    """Return a key whose header names `key_id`, and which reports the key ID `alias`."""
    lies = False

    class Alias(SymmetricKey):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            return "alias" if lies and name == "key_id" else super().__getattribute__(name)

    key = Alias(key_id, "v1", SPECS[suite], bytes(range(suite.key_length)), suite=suite)
    lies = True
    return key


def renamed(suite: Suite, key_id: str) -> bytes:
    """Return a blob of the key of an alias, with the key ID in its header changed to `alias`."""
    material = bytes(range(suite.key_length))
    key = SymmetricKey(key_id, "v1", SPECS[suite], material, suite=suite)
    blob = kmscore.encrypt(Keyring([key]), key_id, b"text").ciphertext_blob
    return blob.replace(bytes([len(key_id)]) + key_id.encode(), b"\x05alias")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("key_id", ["other", "a-much-longer-key-id-than-the-alias" * 3])
def test_a_blob_with_a_changed_header_is_rejected_under_an_alias(suite: Suite, key_id: str) -> None:
    """The header that is authenticated is the blob's own, whatever a key reports."""
    destination = SymmetricKey("new", "v1", KeySpec.AES_256, bytes(range(100, 132)))
    keys: Any = Oracle(version=alias(suite, key_id), primary=destination)
    blob = renamed(suite, key_id)
    with raises_exactly(DecryptionError):
        kmscore.decrypt(keys, blob)
    with raises_exactly(DecryptionError):
        kmscore.reencrypt(keys, blob, "new")
    (outcome,) = reencrypt_many(keys, [Item("row", blob)], "new")
    assert (outcome.status, type(outcome.error)) == (Status.FAILED, DecryptionError)


def test_a_blob_with_a_changed_header_is_not_reported_as_unchanged() -> None:
    """Not even if the header of the alias is that of the destination."""
    suite = Suite.AES_256_GCM
    destination = SymmetricKey("other", "v1", KeySpec.AES_256, bytes(range(32)), suite=suite)
    keys: Any = Oracle(version=alias(suite, "other"), primary=destination)
    (outcome,) = reencrypt_many(keys, [Item("row", renamed(suite, "other"))], "other")
    assert (outcome.status, type(outcome.error)) == (Status.FAILED, DecryptionError)

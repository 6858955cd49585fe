"""`VersionIndex`: lookup of key versions by their ID alone."""

import copy
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from support.service_layout import (
    OTHER_VERSION,
    THIRD_VERSION,
    VECTOR_MATERIAL,
    VERSION,
    VersionOracle,
    index,
    service_key,
)
from support.strategies import raises_exactly, symmetric_key

import kmscore
from kmscore import (
    InvalidKeyError,
    KeyNotFoundError,
    Keyring,
    KeySpec,
    KeyState,
    KeyVersionNotFoundError,
    RsaKey,
    Suite,
    SymmetricKey,
)
from kmscore.alibaba import VersionIndex
from kmscore.alibaba.version_index import check_version_provider

OLD = service_key(key_version_id=OTHER_VERSION)
NEW = service_key(key_version_id=VERSION)
OTHER = service_key(Suite.SM4_GCM, "other", THIRD_VERSION)
RING = Keyring([OLD, NEW, OTHER])
INDEX = VersionIndex(RING)


def test_a_key_version_is_found_without_its_key_id() -> None:
    """Each version of each key is found by its own ID."""
    for key in (OLD, NEW, OTHER):
        assert INDEX.version_by_id(key.key_version_id) is key


def test_keys_of_every_kind_and_state_are_found(rsa_key: RsaKey) -> None:
    """The operation decides whether it accepts the key."""
    bare = RsaKey("rsa", OTHER_VERSION, rsa_key._private_key)
    disabled = service_key(state=KeyState.DISABLED)
    both = index(bare, disabled)
    assert both.version_by_id(OTHER_VERSION) is bare
    assert both.version_by_id(VERSION) is disabled


@pytest.mark.parametrize(
    "unknown",
    [
        "00000000-0000-0000-0000-000000000000",
        VERSION.upper(),
        THIRD_VERSION.lower(),
        VERSION[:-1],
        "",
        "source",
        "x" * 100_000,
    ],
)
def test_an_unknown_key_version_is_not_found(unknown: str) -> None:
    """An ID in another case is another ID; the message has a limited length."""
    with pytest.raises(KeyVersionNotFoundError) as caught:
        INDEX.version_by_id(unknown)
    assert len(str(caught.value)) < 300


def test_only_versions_with_a_uuid_are_indexed() -> None:
    """A blob contains only UUIDs, so that many keys can have a version `v1`."""
    ring = Keyring([symmetric_key(Suite.AES_256_GCM, "a"), symmetric_key(Suite.AES_256_GCM, "b")])
    both = VersionIndex(ring)
    with raises_exactly(KeyVersionNotFoundError):
        both.version_by_id("v1")
    assert both.version("b", "v1") is ring.version("b", "v1")


def test_an_index_is_a_provider_like_its_keyring() -> None:
    """It gives the same keys and errors as its keyring."""
    assert INDEX.primary("source") is NEW
    assert INDEX.version("source", OTHER_VERSION) is OLD
    assert list(INDEX) == list(RING)
    with raises_exactly(KeyNotFoundError):
        INDEX.primary("absent")
    with raises_exactly(KeyNotFoundError):
        INDEX.version("absent", VERSION)
    with raises_exactly(KeyVersionNotFoundError):
        INDEX.version("other", VERSION)
    blob = kmscore.encrypt(INDEX, "source", b"text").ciphertext_blob
    assert kmscore.decrypt(RING, blob).plaintext == b"text"


def test_a_key_version_id_of_two_keys_is_rejected() -> None:
    """The key of such a blob would be unknown."""
    twin = service_key(key_id="twin")
    with raises_exactly(InvalidKeyError, f"two keys have a version {VERSION}"):
        index(NEW, twin)
    # IDs that differ only in case are different.
    index(NEW, service_key(key_id="twin", key_version_id=VERSION.upper()))


def test_an_index_requires_a_keyring() -> None:
    """A list of keys or another provider raises `TypeError`."""
    wrong: Any
    for wrong in (None, [NEW], {VERSION: NEW}, INDEX, VersionOracle(NEW), Keyring):
        with raises_exactly(TypeError, "keyring must be Keyring"):
            VersionIndex(wrong)


@pytest.mark.parametrize(
    "take_apart", [pickle.dumps, copy.copy, copy.deepcopy, operator.methodcaller("__getstate__")]
)
def test_an_index_is_not_pickled_or_copied(take_apart: Callable[[VersionIndex], object]) -> None:
    """An index contains key material."""
    with raises_exactly(TypeError, "VersionIndex holds key material"):
        take_apart(INDEX)


def test_an_index_is_immutable() -> None:
    """The attributes cannot be assigned or deleted."""
    for change in (
        lambda: setattr(INDEX, "_by_id", {}),
        lambda: delattr(INDEX, "_keyring"),
        lambda: setattr(INDEX, "other", 1),
    ):
        with pytest.raises(AttributeError, match="immutable"):
            change()


def test_the_repr_of_an_index_shows_only_numbers() -> None:
    """The repr has no key material and no key IDs."""
    key = SymmetricKey("k", VERSION, KeySpec.AES_256, VECTOR_MATERIAL, suite=Suite.AES_256_GCM)
    other = symmetric_key(Suite.AES_256_GCM, "other", "v1")
    expected = "<VersionIndex versions=1 of <Keyring keys=2 versions=2>>"
    assert repr(index(key, other)) == str(index(key, other)) == expected


def test_a_provider_must_have_version_by_id() -> None:
    """A keyring alone is rejected, and the message names `VersionIndex`."""
    assert check_version_provider(INDEX) is INDEX
    oracle = VersionOracle(NEW)
    assert check_version_provider(oracle) is oracle
    with raises_exactly(TypeError, "such as VersionIndex(keyring), not Keyring"):
        check_version_provider(RING)
    oracle.version_by_id = None  # type: ignore[assignment,method-assign]
    with raises_exactly(TypeError, "KeyVersionProvider"):
        check_version_provider(oracle)
    for wrong in (None, object(), {}):
        with raises_exactly(TypeError, "keys must be a KeyProvider"):
            check_version_provider(wrong)

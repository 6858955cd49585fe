"""The key store: changes as a whole, threads, and what a failed change leaves."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from support.emulated_kms import NOW, Clock

import kmscore
from kmscore import KeySpec, KeyState, Suite, SymmetricKey
from kmscore.emulator import Contents, KeyStore, StoredKey
from kmscore.errors import (
    InvalidKeyError,
    KeyNotFoundError,
    KeyUsageError,
    KeyVersionNotFoundError,
)
from kmscore.keys.versions import generate_version, with_state


def test_a_store_is_a_key_provider() -> None:
    """The operations of the library work with it, and its errors are those of a keyring."""
    store = KeyStore()
    key_id = store.create_key()
    blob = kmscore.encrypt(store, key_id, b"text").ciphertext_blob
    assert kmscore.decrypt(store, blob).plaintext == b"text"
    version = store.primary(key_id)
    assert store.version(key_id, version.key_version_id) is version
    assert store.version_by_id(version.key_version_id) is version
    with pytest.raises(KeyNotFoundError):
        store.primary("nobody")
    with pytest.raises(KeyVersionNotFoundError):
        store.version(key_id, "1")
    with pytest.raises(KeyVersionNotFoundError):
        store.version_by_id("86a9efd9-3d16-4894-bd4f-1fc43f3f2abf")


@pytest.mark.parametrize(
    ("has_plain_gcm", "suite"), [(False, Suite.XAES_256_GCM), (True, Suite.AES_256_GCM)]
)
def test_the_suite_of_a_new_key_depends_on_the_layout(has_plain_gcm: bool, suite: Suite) -> None:
    """Only AES-256 has two suites."""
    store = KeyStore(has_plain_gcm=has_plain_gcm)
    version = store.generate(KeySpec.AES_256)
    assert isinstance(version, SymmetricKey)
    assert version.suite is suite
    assert store.generate(KeySpec.SM4).spec is KeySpec.SM4


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alias/orders", "orders"),
        ("acs:kms:cn-hangzhou:1:alias/orders", "orders"),
        ("alias/other", None),
        ("acs:kms:cn-hangzhou:1:key/orders", "orders"),
        ("acs:kms:cn-hangzhou:1:key/unknown", "unknown"),
        ("acs:", None),
    ],
)
def test_names_are_resolved(name: str, expected: str | None) -> None:
    """An alias needs to exist; the key of a resource name is looked up later."""
    store = KeyStore()
    store.create_key(key_id="orders", alias="alias/orders")
    assert store.resolve(name) == expected


def test_an_alias_that_no_request_can_name_is_rejected() -> None:
    """The error is that of the test, not that of its client later."""
    store = KeyStore()
    for alias in ("orders", "alias/", "alias/acs/orders", "alias/two words"):
        with pytest.raises(ValueError, match="not alias/ and then letters"):
            store.create_key(alias=alias)
    assert store.contents().keys == {}


def test_a_change_that_is_not_saved_is_not_made() -> None:
    """The contents stay as they are, and the exception reaches the caller."""
    saved: list[Contents] = []

    def save(contents: Contents) -> None:
        if len(contents.keys) > 1:
            raise OSError("disk full")
        saved.append(contents)

    store = KeyStore(on_change=save)
    store.create_key(key_id="one")
    with pytest.raises(OSError, match="disk full"):
        store.create_key(key_id="two")
    assert list(store.contents().keys) == ["one"]
    assert saved == [store.contents()]


def test_a_dry_run_returns_contents_and_keeps_none() -> None:
    """`on_change` is not called."""
    store = KeyStore(on_change=pytest.fail)
    contents = store.change(lambda contents: contents.with_alias("alias/a", "x"), is_dry_run=True)
    assert contents.aliases == {"alias/a": "x"}
    assert store.contents().aliases == {}


def test_no_change_of_two_threads_is_lost() -> None:
    """200 changes in 16 threads are all there, and readers always see whole contents."""
    store = KeyStore()
    key_id = store.create_key(KeySpec.AES_128)
    is_over = threading.Event()

    def read() -> int:
        times = 0
        while not is_over.is_set():
            contents = store.contents()
            assert set(contents.aliases.values()) <= contents.keys.keys()
            assert contents.index.primary(key_id).key_id == key_id
            times += 1
        return times

    with ThreadPoolExecutor(16) as threads:
        reader = threads.submit(read)
        made = list(
            threads.map(
                lambda number: store.create_key(KeySpec.AES_128, alias=f"alias/{number}"),
                range(200),
            )
        )
        is_over.set()
        assert reader.result() > 0
    contents = store.contents()
    assert set(contents.keys) == {key_id, *made}
    assert {contents.aliases[f"alias/{number}"]: number for number in range(200)} == {
        each: number for number, each in enumerate(made)
    }


def test_a_deletion_is_made_by_the_first_reader_after_its_date() -> None:
    """The other keys stay, and the next deletion is that of another key."""
    clock = Clock()
    store = KeyStore(clock=clock)
    for days, key_id in enumerate("abc"):
        store.create_key(KeySpec.AES_128, key_id=key_id, alias=f"alias/{key_id}")
        date = None if key_id == "c" else store.now() + timedelta(days=days + 1)
        key = store.contents().find(key_id).in_state(KeyState.PENDING_DELETION, date)
        store.change(lambda contents, key=key: contents.with_key(key))
    clock.advance(days=1)
    assert list(store.contents().keys) == ["b", "c"]
    assert list(store.contents().aliases) == ["alias/b", "alias/c"]
    clock.advance(days=365)
    assert list(store.contents().keys) == ["c"]
    assert store.contents().next_deletion is None


def test_contents_have_no_version_id_twice() -> None:
    """A blob of the service's layout does not name the key."""
    version_id = "86a9efd9-3d16-4894-bd4f-1fc43f3f2abf"
    versions = [
        SymmetricKey.generate(KeySpec.AES_128, key_id=key_id, key_version_id=version_id)
        for key_id in "ab"
    ]
    keys = {key.key_id: StoredKey((key,), key, NOW) for key in versions}
    with pytest.raises(InvalidKeyError):
        Contents(keys)


def test_nothing_shows_key_material() -> None:
    """Neither store nor contents nor a stored key do so in their text."""
    store = KeyStore()
    key_id = store.create_key()
    version = store.primary(key_id)
    assert isinstance(version, SymmetricKey)
    material = version.export_material()
    assert repr(store) == "<KeyStore of <Contents keys=1 aliases=0>>"
    text = repr(store.contents().find(key_id))
    assert key_id in text
    assert material.hex() not in text
    assert repr(material) not in text


@pytest.mark.parametrize("options", [{"contents": {}}, {"clock": 1}, {"on_change": 1}])
def test_the_constructor_checks_types(options: dict[str, Any]) -> None:
    """A wrong type is found before the first request."""
    with pytest.raises(TypeError):
        KeyStore(**options)


@pytest.mark.parametrize("spec", [KeySpec.AES_256, KeySpec.RSA_2048, KeySpec.EC_SM2])
def test_a_version_in_another_state_has_the_same_material(spec: KeySpec) -> None:
    """Only the state differs."""
    version = generate_version(spec, key_id="a", key_version_id="1")
    changed = with_state(version, KeyState.DISABLED)
    assert (changed.key_id, changed.key_version_id, changed.spec) == ("a", "1", spec)
    assert changed.state is KeyState.DISABLED
    if isinstance(version, SymmetricKey):
        assert isinstance(changed, SymmetricKey)
        assert changed.export_material() == version.export_material()
    else:
        assert not isinstance(changed, SymmetricKey)
        assert changed.private_pem() == version.private_pem()


def test_an_asymmetric_version_has_no_suite() -> None:
    """A suite with it is an error of the caller."""
    with pytest.raises(KeyUsageError):
        generate_version(KeySpec.RSA_2048, suite=Suite.AES_256_GCM)


def test_an_alias_is_that_of_one_key() -> None:
    """A name that no request can use is rejected, and no alias is taken from another key."""
    store = KeyStore()
    store.create_key(key_id="a", alias="alias/orders")
    store.create_key(key_id="a", alias="alias/orders")
    for alias, message in (
        ("orders", "^'orders': not alias/ and then letters"),
        ("alias/acs/orders", "not alias/ and then"),
        ("alias/orders", "another key has this alias"),
    ):
        with pytest.raises(ValueError, match=message):
            store.create_key(key_id="b", alias=alias)
    assert list(store.contents().keys) == ["a"]

"""New key versions of any spec, and the same key version in another state."""

import uuid

import pytest

from kmscore import KeySpec, KeyUsageError, RsaKey, Sm2Key, Suite, SymmetricKey
from kmscore.algorithms import KeyState
from kmscore.keys import Key
from kmscore.keys.versions import generate_version, with_state

_KINDS = {
    KeySpec.AES_256: SymmetricKey,
    KeySpec.AES_192: SymmetricKey,
    KeySpec.AES_128: SymmetricKey,
    KeySpec.SM4: SymmetricKey,
    KeySpec.EC_SM2: Sm2Key,
    KeySpec.RSA_2048: RsaKey,
}


@pytest.fixture(scope="module", params=_KINDS, ids=lambda spec: spec.name)
def key(request: pytest.FixtureRequest) -> Key:
    """Return a new key version of each kind; the larger RSA keys take the same way."""
    return generate_version(request.param, key_id="orders", key_version_id="7")


def test_a_version_of_each_spec_is_generated(key: Key) -> None:
    """It has the class of its spec, the given IDs, and the default suite."""
    assert type(key) is _KINDS[key.spec]
    assert (key.key_id, key.key_version_id, key.state) == ("orders", "7", KeyState.ENABLED)
    if isinstance(key, SymmetricKey):
        assert key.suite is SymmetricKey.generate(key.spec).suite


def test_missing_ids_are_random_and_the_suite_can_be_chosen() -> None:
    """Both IDs are UUIDs."""
    made = generate_version(KeySpec.AES_256, suite=Suite.AES_256_GCM)
    assert isinstance(made, SymmetricKey)
    assert made.suite is Suite.AES_256_GCM
    assert uuid.UUID(made.key_id) != uuid.UUID(made.key_version_id)


@pytest.mark.parametrize("spec", [KeySpec.RSA_2048, KeySpec.RSA_4096, KeySpec.EC_SM2])
def test_an_asymmetric_spec_takes_no_suite(spec: KeySpec) -> None:
    """A suite is for symmetric keys only."""
    with pytest.raises(KeyUsageError, match=f"^{spec.name} takes no suite$"):
        generate_version(spec, suite=Suite.AES_256_GCM)


@pytest.mark.parametrize("state", KeyState)
def test_only_the_state_changes(key: Key, state: KeyState) -> None:
    """Material, IDs, spec and suite stay as they are."""
    other = with_state(key, state)
    assert type(other) is type(key)
    assert other.state is state
    names = ("key_id", "key_version_id", "spec", "suite")
    assert [getattr(other, name, None) for name in names] == [
        getattr(key, name, None) for name in names
    ]
    if isinstance(key, SymmetricKey) and isinstance(other, SymmetricKey):
        assert other.export_material() == key.export_material()
    elif not isinstance(key, SymmetricKey) and not isinstance(other, SymmetricKey):
        assert other.private_pem() == key.private_pem()


def test_a_chosen_suite_is_kept() -> None:
    """The suite of a key version is not replaced by the default one of its spec."""
    made = generate_version(KeySpec.AES_256, suite=Suite.AES_256_GCM)
    other = with_state(made, KeyState.DISABLED)
    assert isinstance(other, SymmetricKey)
    assert other.suite is Suite.AES_256_GCM

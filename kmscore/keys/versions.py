"""New key versions of any spec, and the same key version in another state."""

from typing import Any

from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState, Suite
from kmscore.errors import KeyUsageError
from kmscore.keys import Key
from kmscore.keys.rsa import RsaKey
from kmscore.keys.sm2 import Sm2Key
from kmscore.keys.symmetric import SymmetricKey


def generate_version(
    spec: KeySpec,
    *,
    suite: Suite | None = None,
    key_id: str | None = None,
    key_version_id: str | None = None,
) -> Key:
    """Return a new key version with random material; a missing ID is a random UUID.

    Raises `KeyUsageError` for a suite with an asymmetric spec, and the errors of the key class.
    """
    names: dict[str, Any] = {"key_id": key_id, "key_version_id": key_version_id}
    if KEY_SPECS[spec].suites:
        return SymmetricKey.generate(spec, suite=suite, **names)
    if suite is not None:
        raise KeyUsageError(f"{spec.name} takes no suite")
    return Sm2Key.generate(**names) if spec is KeySpec.EC_SM2 else RsaKey.generate(spec, **names)


def with_state(key: Key, state: KeyState) -> Key:
    """Return the same key version in another state."""
    names = (key.key_id, key.key_version_id)
    if isinstance(key, SymmetricKey):
        material = key.export_material()
        return SymmetricKey(*names, key.spec, material, suite=key.suite, state=state)
    return type(key).from_pem(*names, key.private_pem(), state=state)

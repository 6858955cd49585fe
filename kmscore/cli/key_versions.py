"""Creation, import and state changes of key versions, by the names in the options."""

from typing import Any

from kmscore import KeySpec, KeyState, RsaKey, Sm2Key, Suite, SymmetricKey
from kmscore.algorithms import KEY_SPECS
from kmscore.cli.problems import FileProblem
from kmscore.errors import UnsupportedAlgorithmError
from kmscore.keys import PRIVATE_KEYS, Key


def with_state(key: Key, state: KeyState) -> Key:
    """Return the same key version in another state."""
    names = (key.key_id, key.key_version_id)
    if isinstance(key, SymmetricKey):
        material = key.export_material()
        return SymmetricKey(*names, key.spec, material, suite=key.suite, state=state)
    if isinstance(key, RsaKey):
        return RsaKey.from_pem(*names, key.private_pem(), state=state)
    return Sm2Key.from_pem(*names, key.private_pem(), state=state)


def generate_version(spec: KeySpec, suite: Suite | None, key_id: str, version_id: str) -> Key:
    """Return a new key version. Raises `FileProblem` for a suite with an asymmetric spec."""
    names: dict[str, Any] = {"key_id": key_id, "key_version_id": version_id}
    if KEY_SPECS[spec].suites:
        return SymmetricKey.generate(spec, suite=suite, **names)
    _check_no_suite(spec, suite)
    return Sm2Key.generate(**names) if spec is KeySpec.EC_SM2 else RsaKey.generate(spec, **names)


def import_version(
    spec: KeySpec,
    suite: Suite | None,
    key_id: str,
    version_id: str,
    data: bytes,
    *,
    password: bytes | None = None,
) -> Key:
    """Return a key version with the given key material, which can be an encrypted PEM file.

    Raises `FileProblem` for a suite with an asymmetric spec, and for material of another spec.
    """
    if KEY_SPECS[spec].suites:
        return SymmetricKey(key_id, version_id, spec, data, suite=suite)
    _check_no_suite(spec, suite)
    key = PRIVATE_KEYS[spec].from_pem(key_id, version_id, data, password=password)
    if key.spec is not spec:
        raise FileProblem(f"the material is of {key.spec.name}, not of {spec.name}")
    return key


def find_spec(text: str) -> KeySpec:
    """Return the spec with a name, in the spelling of the service or of this library.

    Raises `UnsupportedAlgorithmError`.
    """
    return KeySpec[text] if text in KeySpec.__members__ else KeySpec.of(text, "spec")


def find_suite(text: str | None) -> Suite | None:
    """Return the suite with a name. Raises `UnsupportedAlgorithmError`."""
    if text is None or text in Suite.__members__:
        return None if text is None else Suite[text]
    raise UnsupportedAlgorithmError(f"unknown suite {text!r:.80}")


def _check_no_suite(spec: KeySpec, suite: Suite | None) -> None:
    if suite is not None:
        raise FileProblem(f"{spec.name} takes no suite")

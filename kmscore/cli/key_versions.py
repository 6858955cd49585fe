"""Creation and import of key versions, by the names in the options."""

from enum import Enum

from kmscore import KeySpec, Suite, SymmetricKey
from kmscore.algorithms import KEY_SPECS
from kmscore.alibaba.service_blob import is_uuid
from kmscore.cli.problems import FileProblem
from kmscore.cli.terminal import say
from kmscore.errors import UnsupportedAlgorithmError
from kmscore.keys import PRIVATE_KEYS, Key, versions


def generate_version(spec: KeySpec, suite: Suite | None, key_id: str, version_id: str) -> Key:
    """Return a new key version. Raises `FileProblem` for a suite with an asymmetric spec."""
    if not KEY_SPECS[spec].suites:
        _check_no_suite(spec, suite)
    return versions.generate_version(spec, suite=suite, key_id=key_id, key_version_id=version_id)


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

    Prints a warning if the default suite cannot decrypt the blobs of a version of the service.

    Raises `FileProblem` for a suite with an asymmetric spec, and for material of another spec.
    """
    if KEY_SPECS[spec].suites:
        if password is not None:
            raise FileProblem(f"{spec.name} takes raw bytes, without --material-passphrase-fd")
        symmetric = SymmetricKey(key_id, version_id, spec, data, suite=suite)
        # Versions with a UUID are often those of the service, whose layout has plain GCM only.
        if suite is None and symmetric.suite is Suite.XAES_256_GCM and is_uuid(version_id):
            say(
                f"warning: version {version_id} has the suite {symmetric.suite.name}, which does"
                " not decrypt blobs of the service; for these, give --suite AES_256_GCM"
            )
        return symmetric
    _check_no_suite(spec, suite)
    key = PRIVATE_KEYS[spec].from_pem(key_id, version_id, data, password=password)
    if key.spec is not spec:
        raise FileProblem(f"the material is of {key.spec.name}, not of {spec.name}")
    return key


def find_spec(text: str) -> KeySpec:
    """Return the spec with a name, in the spelling of the service or of this library.

    Raises `UnsupportedAlgorithmError`.
    """
    if text in KeySpec.__members__:
        return KeySpec[text]
    if text in list(KeySpec):
        return KeySpec(text)
    raise _unknown("spec", text, KeySpec)


def find_suite(text: str | None) -> Suite | None:
    """Return the suite with a name. Raises `UnsupportedAlgorithmError`."""
    if text is None or text in Suite.__members__:
        return None if text is None else Suite[text]
    raise _unknown("suite", text, Suite)


def _unknown(name: str, text: str, names: type[Enum]) -> UnsupportedAlgorithmError:
    """Return the error for an unknown name, with the names in the spelling of the help."""
    allowed = ", ".join(names.__members__)
    return UnsupportedAlgorithmError(f"unknown {name} {text!r:.80}: not one of {allowed}")


def _check_no_suite(spec: KeySpec, suite: Suite | None) -> None:
    if suite is not None:
        raise FileProblem(f"{spec.name} takes no suite")

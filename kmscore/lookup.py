"""Lookup of keys: ask the provider for a key and validate the result.

The checks have one order: the value is a key, it has the requested IDs, it is enabled, its kind
fits the use, and its suite or algorithm fits.
"""

from kmscore._typecheck import check_text
from kmscore.algorithms import ENCRYPTION_ALGORITHMS, EncryptionAlgorithm, KeyState, Suite
from kmscore.blob import MAX_ID_LENGTH, is_id
from kmscore.context import ContextLike, check_context
from kmscore.errors import (
    IncorrectKeyError,
    KeyNotFoundError,
    KeyStateError,
    KeyUsageError,
    KeyVersionNotFoundError,
)
from kmscore.keyring import KeyProvider, Keyring
from kmscore.keys import Key, PrivateKey, SymmetricKey, check_key


def check_provider(keys: object) -> None:
    """Raise `TypeError` unless `keys` has the two methods of a `KeyProvider`."""
    if type(keys) is not Keyring and not (
        callable(getattr(keys, "primary", None)) and callable(getattr(keys, "version", None))
    ):
        raise TypeError(f"keys must be a KeyProvider, not {type(keys).__name__}")


def check_sealing_types(keys: KeyProvider, key_id: str, context: ContextLike) -> None:
    """Check the types of the arguments that every encrypting operation has."""
    check_provider(keys)
    check_text(key_id, "key_id")
    check_context(context, "context")


def opening_key(keys: KeyProvider, suite: Suite, key_id: str, key_version_id: str) -> SymmetricKey:
    """Return the key version that a header names.

    Raises the errors of the provider, and `TypeError` if it returns a value that is not a key.
    Raises `IncorrectKeyError` for a different key or version, `KeyStateError`, `KeyUsageError`, and
    `IncorrectKeyError` for a different suite.
    """
    key = symmetric_key(keys.version(key_id, key_version_id), key_id, key_version_id)
    if key.suite is not suite:
        raise IncorrectKeyError(
            f"the key version is bound to {key.suite.name}, not to {suite.name}"
        )
    return key


def sealing_key(keys: KeyProvider, key_id: str) -> SymmetricKey:
    """Return the primary version of a symmetric key.

    Raises `KeyNotFoundError` for an ID that no key can have, and the errors of the provider.
    Raises `TypeError` if it returns a value that is not a key, `IncorrectKeyError` for a different
    key, `KeyStateError` and `KeyUsageError`.
    """
    # Exactly these classes: a subclass can override comparison and lookup.
    if (
        type(keys) is Keyring
        and type(key_id) is str
        and (key := keys._find_sealer(key_id)) is not None
    ):
        return key
    key_id = _possible_id(key_id, "key ID", KeyNotFoundError)
    return symmetric_key(keys.primary(key_id), key_id, None)


def decrypting_key(
    keys: KeyProvider, key_id: str, key_version_id: str, algorithm: EncryptionAlgorithm
) -> PrivateKey:
    """Return the key version that decrypts with `algorithm`.

    Raises `KeyNotFoundError` or `KeyVersionNotFoundError` for an ID that no key can have, and the
    errors of the provider. Raises `TypeError` if it returns a value that is not a key,
    `IncorrectKeyError` for a different key or version, `KeyStateError` and `KeyUsageError`.
    """
    key_id = _possible_id(key_id, "key ID", KeyNotFoundError)
    key_version_id = _possible_id(key_version_id, "key version ID", KeyVersionNotFoundError)
    key = _checked(keys.version(key_id, key_version_id), key_id, key_version_id)
    if isinstance(key, SymmetricKey):
        raise KeyUsageError(f"an asymmetric key is needed, not one of spec {key.spec.name}")
    if key.spec not in ENCRYPTION_ALGORITHMS[algorithm].key_specs:
        raise KeyUsageError(f"a key of spec {key.spec.name} does not decrypt {algorithm.name}")
    return key


def _possible_id(
    given: str, name: str, not_found: type[KeyNotFoundError | KeyVersionNotFoundError]
) -> str:
    """Return an ID of the caller, as exactly `str`, if a key can have it.

    Raises `not_found` for any other text. The provider must not get such a text, because the caller
    can forward the input of an attacker. The message does not quote it.
    """
    text = str.__str__(given)
    if not is_id(text):
        raise not_found(
            f"no key has this {name}: it is not 1 to {MAX_ID_LENGTH} printable ASCII characters"
            " without space"
        )
    return text


def symmetric_key(key: Key, key_id: str | None, key_version_id: str | None) -> SymmetricKey:
    """Return the key of a provider if it is symmetric and has these IDs; `None` accepts every ID.

    Raises `TypeError` if it is not a key, `IncorrectKeyError`, `KeyStateError` and `KeyUsageError`.
    """
    checked = _checked(key, key_id, key_version_id)
    if not isinstance(checked, SymmetricKey):
        raise KeyUsageError(f"a symmetric key is needed, not one of spec {checked.spec.name}")
    return checked


def _checked(key: Key, key_id: str | None, key_version_id: str | None) -> Key:
    """Return the value of a provider if it is a key with these IDs and is enabled."""
    if type(key) is not SymmetricKey:
        check_key(key, "but the provider returned")
    if key_id is not None and key.key_id != key_id:
        raise IncorrectKeyError("the provider returned another key than the requested one")
    if key_version_id is not None and key.key_version_id != key_version_id:
        raise IncorrectKeyError("the provider returned another key version than the requested one")
    if key.state is not KeyState.ENABLED:
        raise KeyStateError(key.state.value)
    return key

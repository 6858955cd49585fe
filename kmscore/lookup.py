"""From an ID to a key that may be used: the provider is asked, and its answer is checked.

Each of these checks in one order: a key at all, the IDs that were asked for, enabled, the right
kind, the right suite or algorithm.
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
    """Raise `TypeError` for what every sealing operation takes."""
    check_provider(keys)
    check_text(key_id, "key_id")
    check_context(context, "context")


def opening_key(keys: KeyProvider, suite: Suite, key_id: str, key_version_id: str) -> SymmetricKey:
    """Return the key version that a header names.

    Raises what the provider does, `TypeError` if it answers no key, `IncorrectKeyError` for
    another key, version or suite, `KeyStateError` and `KeyUsageError`.
    """
    key = symmetric_key(keys.version(key_id, key_version_id), key_id, key_version_id)
    if key.suite is not suite:
        raise IncorrectKeyError(
            f"the key version is bound to {key.suite.name}, not to {suite.name}"
        )
    return key


def sealing_key(keys: KeyProvider, key_id: str) -> SymmetricKey:
    """Return the primary version of a symmetric key.

    Raises `KeyNotFoundError` for an ID that no key can have, what the provider raises, `TypeError`
    if it answers no key, `IncorrectKeyError` for another key, `KeyStateError` and `KeyUsageError`.
    """
    # A ring as it is, and an ID as it is: a subclass of either compares and answers as it likes.
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

    Raises `KeyNotFoundError` or `KeyVersionNotFoundError` for an ID that no key can have, what the
    provider raises, `TypeError` if it answers no key, `IncorrectKeyError` for another key or
    version, `KeyStateError` and `KeyUsageError`.
    """
    key_id = _possible_id(key_id, "key ID", KeyNotFoundError)
    key_version_id = _possible_id(key_version_id, "key version ID", KeyVersionNotFoundError)
    key = _checked(keys.version(key_id, key_version_id), key_id, key_version_id)
    if isinstance(key, SymmetricKey):
        raise KeyUsageError(f"an asymmetric key is due, and this one is of spec {key.spec.name}")
    if key.spec not in ENCRYPTION_ALGORITHMS[algorithm].key_specs:
        raise KeyUsageError(f"a key of spec {key.spec.name} does not decrypt {algorithm.name}")
    return key


def _possible_id(
    given: str, name: str, not_found: type[KeyNotFoundError | KeyVersionNotFoundError]
) -> str:
    """Return an ID of the caller, as a plain `str`, if a key can have it.

    Raises `not_found` for any other text, which a provider must not see: the caller can pass on
    what a stranger sent. The message does not quote it.
    """
    text = str.__str__(given)
    if not is_id(text):
        raise not_found(
            f"no key has this {name}: it is not 1 to {MAX_ID_LENGTH} printable ASCII characters"
        )
    return text


def symmetric_key(key: Key, key_id: str | None, key_version_id: str | None) -> SymmetricKey:
    """Return a provider's answer if it is the symmetric key asked for; `None` asks for any.

    Raises `TypeError` if it is no key, `IncorrectKeyError`, `KeyStateError` and `KeyUsageError`.
    """
    checked = _checked(key, key_id, key_version_id)
    if not isinstance(checked, SymmetricKey):
        raise KeyUsageError(f"a symmetric key is due, and this one is of spec {checked.spec.name}")
    return checked


def _checked(key: Key, key_id: str | None, key_version_id: str | None) -> Key:
    """Return the answer if it is a key, the one asked for (any for `None`), and enabled."""
    if type(key) is not SymmetricKey:
        check_key(key)
    if key_id is not None and key.key_id != key_id:
        raise IncorrectKeyError("the provider answered another key than it was asked for")
    if key_version_id is not None and key.key_version_id != key_version_id:
        raise IncorrectKeyError("the provider answered another key version than it was asked for")
    if key.state is not KeyState.ENABLED:
        raise KeyStateError(key.state.value)
    return key

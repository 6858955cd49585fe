"""The error taxonomy: what can go wrong, one class and one stable code per cause.

A wrong Python type or a missing argument is the caller's mistake and stays a plain `TypeError`.
Everything else that this library refuses is a `KmsCoreError`.
"""

from typing import ClassVar


class KmsCoreError(Exception):
    """Base of every error of this library; catch it, it is never raised itself."""

    code: ClassVar[str]
    """Stable identifier of the cause: the class name in snake case without `Error`."""

    def __init__(self, *args: object) -> None:
        """Refuse to exist as the base class: an error without a cause helps nobody."""
        if type(self) is KmsCoreError:
            raise TypeError("KmsCoreError is the base of the errors and is not raised itself")
        super().__init__(*args)


class InvalidBlobError(KmsCoreError):
    """The bytes are not a ciphertext in the format asked for."""

    code = "invalid_blob"


class InvalidContextError(KmsCoreError):
    """The encryption context breaks its rules, or stands where none can be bound."""

    code = "invalid_context"


class InvalidKeyError(KmsCoreError):
    """The key material, public key, key ID or keyring is unusable."""

    code = "invalid_key"


class KeyNotFoundError(KmsCoreError):
    """The provider has no key of this key ID."""

    code = "key_not_found"


class KeyVersionNotFoundError(KmsCoreError):
    """The provider has the key, but no version of this key version ID."""

    code = "key_version_not_found"


class KeyStateError(KmsCoreError):
    """The key's state is not enabled, and only an enabled key is used."""

    code = "key_state"

    state: str
    """The state that the key is in: a value of `KeyState`."""

    def __init__(self, state: str) -> None:
        """Take the state that the key is in."""
        super().__init__(state)
        self.state = state

    def __str__(self) -> str:
        """Name the state."""
        return f"the key is in the state {self.state}"


class KeyUsageError(KmsCoreError):
    """The key is of the wrong kind for the operation or the algorithm."""

    code = "key_usage"


class IncorrectKeyError(KmsCoreError):
    """The key is another one than the ciphertext's header or the caller names."""

    code = "incorrect_key"


class UnsupportedAlgorithmError(KmsCoreError):
    """The algorithm is unknown, or missing from this build of the libraries."""

    code = "unsupported_algorithm"


class PlaintextSizeError(KmsCoreError):
    """The plaintext or the requested data key is too short or too long."""

    code = "plaintext_size"


class DecryptionError(KmsCoreError):
    """The ciphertext did not open; for every cause the same class and text."""

    code = "decryption"

    def __init__(self) -> None:
        """Take no arguments: whatever they told apart would be an oracle."""
        # With none there is nothing to hand on, and a refusal takes no longer than it has to.

    def __str__(self) -> str:
        """Return the one constant message."""
        return "the ciphertext cannot be decrypted with this key and encryption context"

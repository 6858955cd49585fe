"""The error classes of this library, with one class and one stable code per cause.

A wrong Python type or a missing argument is a mistake of the caller and raises `TypeError`. Some
functions raise `ValueError` for an option out of its range. All other rejected input, such as
keys, ciphertexts and encryption contexts, raises a subclass of `KmsCoreError`.
"""

from typing import ClassVar


class KmsCoreError(Exception):
    """Base class of all errors of this library. Only its subclasses are raised."""

    code: ClassVar[str]
    """Stable identifier of the cause, which is the class name in snake case without `Error`."""

    def __init__(self, *args: object) -> None:
        """Create an error of a subclass.

        Args:
            *args: The message.

        Raises:
            TypeError: If the class is `KmsCoreError` itself, because it has no cause.
        """
        if type(self) is KmsCoreError:
            raise TypeError("KmsCoreError is the base of the errors and is not raised itself")
        super().__init__(*args)


class InvalidBlobError(KmsCoreError):
    """The input is not a ciphertext in the expected format."""

    code = "invalid_blob"


class InvalidContextError(KmsCoreError):
    """The encryption context is invalid, or the ciphertext cannot have one."""

    code = "invalid_context"


class InvalidKeyError(KmsCoreError):
    """The key material, public key, key ID, key spec or keyring is invalid."""

    code = "invalid_key"


class KeyNotFoundError(KmsCoreError):
    """The provider does not have a key with this key ID."""

    code = "key_not_found"


class KeyVersionNotFoundError(KmsCoreError):
    """The provider has the key, but not the key version with this key version ID."""

    code = "key_version_not_found"


class KeyStateError(KmsCoreError):
    """The state of the key is not `Enabled`, and only an enabled key can be used."""

    code = "key_state"

    state: str
    """State of the key, as the value of a `KeyState` member."""

    def __init__(self, state: str) -> None:
        """Create the error.

        Args:
            state: The value of a `KeyState` member.
        """
        super().__init__(state)
        self.state = state

    def __str__(self) -> str:
        """Return a message with the state."""
        return f"the key is in the state {self.state}"


class KeyUsageError(KmsCoreError):
    """The key does not fit the operation or the algorithm."""

    code = "key_usage"


class IncorrectKeyError(KmsCoreError):
    """The key differs from the key that the ciphertext header or the caller names."""

    code = "incorrect_key"


class UnsupportedAlgorithmError(KmsCoreError):
    """The algorithm is unknown, or this build of the libraries or this system lacks it."""

    code = "unsupported_algorithm"


class PlaintextSizeError(KmsCoreError):
    """The plaintext or the requested data key is too short or too long."""

    code = "plaintext_size"


class DecryptionError(KmsCoreError):
    """The ciphertext cannot be decrypted; class and text are the same for every cause."""

    code = "decryption"

    def __init__(self) -> None:
        """Create the error without arguments, because details of the cause could be an oracle."""
        # No call of the base constructor: there are no arguments to store, and this saves time.

    def __str__(self) -> str:
        """Return the constant message."""
        return "the ciphertext cannot be decrypted with this key and encryption context"

"""RSA keys of 2048, 3072 and 4096 bits."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias, final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from kmscore._availability import attempt
from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import BytesLike, check_instance
from kmscore.algorithms import KEY_SPECS, KeySpec, KeyState
from kmscore.errors import InvalidKeyError
from kmscore.keys.base import KeyVersion, check_identity, random_id
from kmscore.keys.pem import PemLike
from kmscore.keys.private_file import (
    DEFAULT_MAX_WORK,
    PKCS1_LABEL,
    Structures,
    read_der,
    read_pem,
)
from kmscore.keys.public import PublicKey, rsa_public_key
from kmscore.keys.rsa_structures import load_rsa_pkcs1, load_rsa_pkcs8

_STRUCTURES: Final = Structures((PKCS1_LABEL,), load_rsa_pkcs8, load_rsa_pkcs1, load_rsa_pkcs8)
_PUBLIC_EXPONENT: Final = 65_537

_Identity: TypeAlias = tuple[str, str, KeyState | str]
"""Key ID, key version ID and state."""


@final
class RsaKey(KeyVersion):
    """One version of an RSA key, which decrypts RSAES_OAEP_SHA_256 and RSAES_OAEP_SHA_1.

    Create it with `from_pem`, `from_der` or `generate`. To read and check the key material takes
    about 100 times as long as one decryption, so create the key once and keep it.
    """

    __slots__ = ("_private_key", "public_key")

    public_key: PublicKey
    """The public key of the pair."""

    _private_key: RSAPrivateKey

    def __init__(
        self,
        key_id: str,
        key_version_id: str,
        private_key: RSAPrivateKey,
        *,
        state: KeyState | str = KeyState.ENABLED,
    ) -> None:
        """Create a key version from a private key that `cryptography` has read and checked.

        `private_key` is checked before the other arguments.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            private_key: A private key with an odd modulus of 2048, 3072 or 4096 bits and an odd
                public exponent of 3 to 2^32.
            state: The key state.

        Raises:
            TypeError: If an argument has the wrong type.
            InvalidKeyError: If the modulus or the public exponent of `private_key` is not allowed.
            UnsupportedAlgorithmError: If `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
        """
        check_instance(private_key, RSAPrivateKey, "private_key")
        public_key = rsa_public_key(private_key.public_key())
        self._identify(key_id, key_version_id, public_key.spec, state)
        self._set(public_key=public_key, _private_key=private_key)

    @classmethod
    def from_pem(
        cls,
        key_id: str,
        key_version_id: str,
        data: PemLike,
        *,
        password: BytesLike | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "RsaKey":
        """Read one private key in PEM.

        The file contains PKCS#8 (RFC 5208), encrypted or not, or PKCS#1 (RFC 8017). Encryption is
        PBES2 with PBKDF2 and AES or SM4 in CBC mode (RFC 8018). Certificates, public keys and text
        in the same file are ignored. In PKCS#8, the algorithm has the NULL parameters that RFC 8017
        appendix A.1 requires.

        The modulus has 2048, 3072 or 4096 bits, and the public exponent is odd and 3 to 2^32. There
        are two primes of at most 2,048 bits each, in any order; their lengths can differ. The
        private exponent is 1/e modulo λ(n) or modulo φ(n), reduced.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            data: The content of the file, at most 65,536 bytes of PEM with at most 16,384 bytes of
                DER.
            password: The password of an encrypted file; `None` for an unencrypted file.
            state: The key state.
            max_work: The maximum number of PBKDF2 iterations, at least 1.

        Returns:
            The key version.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `max_work` is less than 1.
            InvalidKeyError: If the file or its key has any other form, or the password is wrong,
                missing, or given for an unencrypted file.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks the cipher or hash of
                the file, or RSA, or if `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
        """
        read = partial(read_pem, _STRUCTURES, data, password, max_work)
        key = outcome(_make, (key_id, key_version_id, state), read)
        del key_id, key_version_id, data, password, state, read
        return unwrap(key)

    @classmethod
    def from_der(
        cls,
        key_id: str,
        key_version_id: str,
        data: BytesLike,
        *,
        password: BytesLike | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "RsaKey":
        """Read one private key in DER.

        The file contains PKCS#8 (RFC 5208), encrypted or not, or PKCS#1 (RFC 8017). The rules for
        encryption and for the numbers of the key are those of `from_pem`.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            data: The content of the file, at most 16,384 bytes.
            password: The password of an encrypted file; `None` for an unencrypted file.
            state: The key state.
            max_work: The maximum number of PBKDF2 iterations, at least 1.

        Returns:
            The key version.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `max_work` is less than 1.
            InvalidKeyError: If the file or its key has any other form, or the password is wrong,
                missing, or given for an unencrypted file.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks the cipher or hash of
                the file, or RSA, or if `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
        """
        read = partial(read_der, _STRUCTURES, data, password, max_work)
        key = outcome(_make, (key_id, key_version_id, state), read)
        del key_id, key_version_id, data, password, state, read
        return unwrap(key)

    @classmethod
    def generate(
        cls,
        spec: KeySpec | str,
        *,
        key_id: str | None = None,
        key_version_id: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "RsaKey":
        """Generate a key version with the public exponent 65,537.

        `spec` is checked before the other arguments.

        Args:
            spec: The key spec RSA_2048, RSA_3072 or RSA_4096.
            key_id: The key ID, 1 to 255 printable ASCII characters without space. By default, a
                random UUID.
            key_version_id: The key version ID, in the same form. By default, a random UUID.
            state: The key state.

        Returns:
            The new key version.

        Raises:
            TypeError: If an argument has the wrong type.
            UnsupportedAlgorithmError: If `spec` is unknown.
            InvalidKeyError: If `spec` is not an RSA key spec.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks RSA, or if `state` is
                unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
        """
        spec = KeySpec.of(spec, "spec")
        bits = KEY_SPECS[spec].modulus_bits
        if bits is None:
            raise InvalidKeyError(f"{spec.name} is not the spec of an RSA key")
        return cls(
            random_id(key_id, "key_id"),
            random_id(key_version_id, "key_version_id"),
            attempt(lambda: generate_private_key(_PUBLIC_EXPONENT, bits), "RSA"),
            state=state,
        )

    def private_pem(self) -> bytes:
        """Return the private key in PEM. Anyone who has these bytes can use the key.

        Returns:
            PKCS#8 (RFC 5208) in PEM, not encrypted.
        """
        return self._private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _make(identity: _Identity, read: Callable[[], RSAPrivateKey]) -> RsaKey:
    """Return the key of a file; the types of the identity are checked before the file."""
    check_identity(*identity)
    key_id, key_version_id, state = identity
    return RsaKey(key_id, key_version_id, read(), state=state)

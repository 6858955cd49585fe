"""SM2 keys, from files or from a private scalar."""

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias, final

from kmscore._outcome import outcome, unwrap
from kmscore._typecheck import BytesLike, check_integer, check_optional_text
from kmscore._values import representation
from kmscore.algorithms import KeySpec, KeyState
from kmscore.errors import InvalidKeyError
from kmscore.keys.base import KeyVersion, check_identity, random_id
from kmscore.keys.der import decode_sm2_pkcs8, decode_sm2_sec1, encode_sm2_pkcs8
from kmscore.keys.pem import PemLike, encode_pem
from kmscore.keys.private_file import (
    DEFAULT_MAX_WORK,
    PKCS8_LABEL,
    SEC1_LABEL,
    SM2_SEC1_LABEL,
    Structures,
    read_der,
    read_pem,
)
from kmscore.keys.public import PublicKey, sm2_public_key
from kmscore.sm2.backends import select_backend
from kmscore.sm2.backends.portable import multiply
from kmscore.sm2.curve import G, N, Point
from kmscore.sm2.scheme import Decryptor, draw_scalar

_Identity: TypeAlias = tuple[str, str, KeyState | str, str | None]
"""Key ID, key version ID, state and SM2 backend."""


@final
class Sm2Key(KeyVersion):
    """One version of an SM2 key, which decrypts SM2PKE.

    Create it with `from_pem`, `from_der`, `from_scalar` or `generate`.
    """

    __slots__ = ("_decryptor", "_scalar", "backend", "public_key")

    backend: str
    """The name of the SM2 backend, one of `kmscore.sm2.available_backends()`."""

    public_key: PublicKey
    """The public key of the pair, which encrypts with the same backend."""

    _decryptor: Decryptor
    _scalar: int

    def __init__(
        self,
        key_id: str,
        key_version_id: str,
        scalar: int,
        *,
        public_point: Point | None = None,
        backend: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> None:
        """Create a key version from its private scalar d.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            scalar: The private scalar d, 1 to n-2 (GB/T 32918.1-2016 section 6.1).
            public_point: The public point d·G, if the caller has it from another source. It is
                compared with the point that is computed from `scalar`.
            backend: The name of the SM2 backend. By default, the best available one.
            state: The key state.

        Raises:
            TypeError: If an argument other than `public_point` has the wrong type.
            UnsupportedAlgorithmError: If `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
            UnsupportedAlgorithmError: If `backend` is unknown or not available.
            InvalidKeyError: If `scalar` is out of range, or `public_point` is not d·G.
        """
        made = outcome(self._make, (key_id, key_version_id, state, backend), scalar, public_point)
        del key_id, key_version_id, scalar, public_point, backend, state
        unwrap(made)

    def _make(self, identity: "_Identity", scalar: int, public_point: Point | None) -> None:
        """Check and set the arguments of the constructor."""
        key_id, key_version_id, state, backend = identity
        _check_identity(identity)
        check_integer(scalar, "scalar")
        self._identify(key_id, key_version_id, KeySpec.EC_SM2, state)
        chosen = select_backend(backend)
        point = _derive_point(scalar, public_point)
        self._set(
            backend=chosen.name,
            public_key=sm2_public_key(point, chosen),
            _decryptor=chosen.decryptor(scalar, point),
            _scalar=scalar,
        )

    @classmethod
    def from_pem(
        cls,
        key_id: str,
        key_version_id: str,
        data: PemLike,
        *,
        password: BytesLike | None = None,
        backend: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "Sm2Key":
        """Read one private key in PEM.

        The file contains PKCS#8 (RFC 5208), encrypted or not, or SEC1 (RFC 5915). Encryption is
        PBES2 with PBKDF2 and AES or SM4 in CBC mode (RFC 8018). Certificates, parameters, public
        keys and text in the same file are ignored. If the private key contains its public key, the
        two must belong together.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            data: The content of the file, at most 65,536 bytes of PEM with at most 16,384 bytes of
                DER.
            password: The password of an encrypted file; `None` for an unencrypted file.
            backend: The name of the SM2 backend. By default, the best available one.
            state: The key state.
            max_work: The maximum number of PBKDF2 iterations, at least 1.

        Returns:
            The key version.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `max_work` is less than 1.
            InvalidKeyError: If the file has any other form, or the password is wrong, missing, or
                given for an unencrypted file.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks the cipher or hash of
                the file, or if `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
            UnsupportedAlgorithmError: If `backend` is unknown or not available.
            InvalidKeyError: If the private scalar is not 1 to n-2, or the public key in the file
                does not belong to it.
        """
        identity = (key_id, key_version_id, state, backend)
        read = partial(read_pem, _STRUCTURES, data, password, max_work)
        key = outcome(_make, identity, read)
        del key_id, key_version_id, data, password, backend, state, identity, read
        return unwrap(key)

    @classmethod
    def from_der(
        cls,
        key_id: str,
        key_version_id: str,
        data: BytesLike,
        *,
        password: BytesLike | None = None,
        backend: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
        max_work: int = DEFAULT_MAX_WORK,
    ) -> "Sm2Key":
        """Read one private key in DER.

        The file contains PKCS#8 (RFC 5208), encrypted or not, or SEC1 (RFC 5915). Encryption is
        PBES2 with PBKDF2 and AES or SM4 in CBC mode (RFC 8018). If the private key contains its
        public key, the two must belong together.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            data: The content of the file, at most 16,384 bytes.
            password: The password of an encrypted file; `None` for an unencrypted file.
            backend: The name of the SM2 backend. By default, the best available one.
            state: The key state.
            max_work: The maximum number of PBKDF2 iterations, at least 1.

        Returns:
            The key version.

        Raises:
            TypeError: If an argument has the wrong type.
            ValueError: If `max_work` is less than 1.
            InvalidKeyError: If the file has any other form, or the password is wrong, missing, or
                given for an unencrypted file.
            UnsupportedAlgorithmError: If `cryptography` or the system lacks the cipher or hash of
                the file, or if `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
            UnsupportedAlgorithmError: If `backend` is unknown or not available.
            InvalidKeyError: If the private scalar is not 1 to n-2, or the public key in the file
                does not belong to it.
        """
        identity = (key_id, key_version_id, state, backend)
        read = partial(read_der, _STRUCTURES, data, password, max_work)
        key = outcome(_make, identity, read)
        del key_id, key_version_id, data, password, backend, state, identity, read
        return unwrap(key)

    @classmethod
    def from_scalar(
        cls,
        key_id: str,
        key_version_id: str,
        scalar: int,
        *,
        backend: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "Sm2Key":
        """Create a key version from its private scalar d.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space.
            key_version_id: The key version ID, 1 to 255 printable ASCII characters without space.
            scalar: The private scalar d, 1 to n-2 (GB/T 32918.1-2016 section 6.1).
            backend: The name of the SM2 backend. By default, the best available one.
            state: The key state.

        Returns:
            The key version.

        Raises:
            TypeError: If an argument has the wrong type.
            UnsupportedAlgorithmError: If `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
            UnsupportedAlgorithmError: If `backend` is unknown or not available.
            InvalidKeyError: If `scalar` is out of range.
        """
        key = outcome(cls, key_id, key_version_id, scalar, backend=backend, state=state)
        del key_id, key_version_id, scalar, backend, state
        return unwrap(key)

    @classmethod
    def generate(
        cls,
        *,
        key_id: str | None = None,
        key_version_id: str | None = None,
        backend: str | None = None,
        state: KeyState | str = KeyState.ENABLED,
    ) -> "Sm2Key":
        """Generate a key version with a random private scalar.

        Args:
            key_id: The key ID, 1 to 255 printable ASCII characters without space. By default, a
                random UUID.
            key_version_id: The key version ID, in the same form. By default, a random UUID.
            backend: The name of the SM2 backend. By default, the best available one.
            state: The key state.

        Returns:
            The new key version.

        Raises:
            TypeError: If an argument has the wrong type.
            UnsupportedAlgorithmError: If `state` is unknown.
            InvalidKeyError: If an ID is not 1 to 255 printable ASCII characters without space.
            UnsupportedAlgorithmError: If `backend` is unknown or not available.
        """
        scalar = N - 1
        while scalar == N - 1:
            scalar = draw_scalar()
        return cls(
            random_id(key_id, "key_id"),
            random_id(key_version_id, "key_version_id"),
            scalar,
            backend=backend,
            state=state,
        )

    def private_pem(self) -> bytes:
        """Return the private key in PEM. Anyone who has these bytes can use the key.

        Returns:
            PKCS#8 (RFC 5208) in PEM, not encrypted.
        """
        der = encode_sm2_pkcs8(self._scalar, multiply(self._scalar, G))
        return encode_pem(der, PKCS8_LABEL)

    @representation
    def __repr__(self) -> str:
        """Return a text without the key material."""
        return f"{super().__repr__()[:-1]} backend={self.backend}>"


def _check_identity(identity: _Identity) -> None:
    """Raise `TypeError` unless all parts of an identity have the right type."""
    key_id, key_version_id, state, backend = identity
    check_identity(key_id, key_version_id, state)
    check_optional_text(backend, "backend")


def _make(identity: _Identity, read: Callable[[], tuple[int, Point | None]]) -> Sm2Key:
    """Return the key of a file; the types of the identity are checked before the file."""
    _check_identity(identity)
    key_id, key_version_id, state, backend = identity
    scalar, point = read()
    return Sm2Key(key_id, key_version_id, scalar, public_point=point, backend=backend, state=state)


def _decode_consistent(der: bytes) -> tuple[int, Point]:
    """Return scalar and point of a PrivateKeyInfo, after all checks of both."""
    scalar, point = decode_sm2_pkcs8(der)
    return scalar, _derive_point(scalar, point)


def _derive_point(scalar: int, claimed: Point | None) -> Point:
    """Return d·G, or raise `InvalidKeyError` if d is out of range or `claimed` is not d·G."""
    # n-1 is not allowed, because an SM2 signature divides by 1 + d.
    if not 1 <= scalar <= N - 2:
        raise InvalidKeyError("the private scalar is not 1 to n-2")
    point = multiply(scalar, G)
    if claimed is not None and claimed != point:
        raise InvalidKeyError("the public point does not belong to the private scalar")
    return point


_STRUCTURES: Final = Structures(
    (SEC1_LABEL, SM2_SEC1_LABEL), decode_sm2_pkcs8, decode_sm2_sec1, _decode_consistent
)
